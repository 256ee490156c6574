# Makes .venv from a lock file, once and again when it changed. Sourced by the scripts, which set $root (the checkout).

venv=$root/.venv

# prepare LOCK DURATION: afterwards .venv holds what LOCK names, and the project; silent when nothing is to be done.
# LOCK is requirements.lock (to run) or requirements-dev.lock (to test: it holds the whole of the first).
prepare() {
    if is_ready "$1"; then return; fi
    if [ ! -w "$root" ]; then
        fail "$root has not been set up, and is not yours to write in. Run this once as its owner."
    fi
    echo "Setting up (once, about $2) ..." >&2
    exec 9<"$root"  # of two scripts at once, the second waits here for the first
    if command -v flock >/dev/null; then flock 9; fi
    if ! has_packages "$1"; then install_packages "$1"; fi
    if ! has_project; then install_project; fi
    exec 9<&-
}

is_ready() {
    has_packages "$1" && has_project
}

# Each stamp is written last, and goes before anything is touched: what was killed half-way is begun again.
has_packages() {
    packages_stamp "$1" | cmp -s - "$venv/packages" || packages_stamp requirements-dev.lock | cmp -s - "$venv/packages"
}

has_project() {
    project_stamp | cmp -s - "$venv/project"
}

packages_stamp() {
    cksum "$root/requirements.lock" "$root/$1"  # with the path: commands in .venv do not survive a move
}

project_stamp() {
    cksum "$root/pyproject.toml"
}

install_packages() {
    rm -f "$venv/packages" "$venv/project"
    python=$(find_python)
    "$python" -m venv --clear "$venv"
    # -qq: pip's warnings are about the machine's own pip settings, which are not ours to mend
    "$venv/bin/python" -m pip install -qq --require-hashes -r "$root/$1" ||
        fail "The packages of $1 could not be fetched. Look at the lines above and at the network, then run this again."
    packages_stamp "$1" >"$venv/packages"
}

install_project() {
    "$venv/bin/python" -m pip install -qq --no-index --no-deps --no-build-isolation --editable "$root"
    project_stamp >"$venv/project"
}

# Prints a Python that can make a virtual environment. Each is tried, because a name on PATH may lead nowhere.
find_python() {
    for python in python3.13 python3.12 python3.11 python3; do
        if "$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$python"
            return
        fi
    done
    if python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        fail "Python's venv module is missing. Type: $(install_command python3-venv)"
    elif command -v python3 >/dev/null; then
        fail "Python 3.11 or newer is needed. Type: $(install_command python3.11 python3.11-venv)"
    fi
    fail "Python 3.11 or newer is needed. Type: $(install_command python3 python3-venv)"
}

# The command as the reader has to type it.
install_command() {
    command="apt-get update && apt-get install -y --no-install-recommends $*"
    if [ "$(id -u)" = 0 ]; then echo "$command"; else echo "sudo sh -c '$command'"; fi
}

fail() {
    echo "$1" >&2
    exit 1
}
