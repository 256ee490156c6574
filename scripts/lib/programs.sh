# Names, and as root installs, the Debian packages that the tests need. Sourced by scripts/test after environment.sh.

# Afterwards every program is here; whoever may not install them is told the one command to type.
install_programs() {
    packages=$(missing_packages)
    if [ -z "$packages" ]; then return; fi
    if [ "$(id -u)" != 0 ]; then
        fail "The tests need programs that are not here yet. Type: $(install_command "$packages")"
    fi
    echo "Installing $packages ..." >&2
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    # shellcheck disable=SC2086  # several words are meant
    apt-get install -qq -y --no-install-recommends $packages >/dev/null
}

# Prints, on one line, the packages whose program is not here.
missing_packages() {
    set --
    (find_python) >/dev/null 2>&1 || set -- "$@" python3 python3-venv
    ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || set -- "$@" postgresql  # kept off PATH by Debian
    has chromium || has chromium-browser || has google-chrome || set -- "$@" "$(chromium_package)"
    has nginx || set -- "$@" nginx-light
    has ffmpeg || set -- "$@" ffmpeg
    ls /usr/lib/*/libfribidi.so.0 >/dev/null 2>&1 || set -- "$@" libfribidi0  # Pillow writes Arabic with it
    has espeak-ng || set -- "$@" espeak-ng
    has tcc || has cc || set -- "$@" tcc  # scripts/lib/chaos has a few lines of C
    echo "$*"
}

has() {
    command -v "$1" >/dev/null
}

chromium_package() {
    if grep -qs '^ID=ubuntu' /etc/os-release; then echo chromium-browser; else echo chromium; fi
}
