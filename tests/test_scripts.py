"""A fresh checkout sets itself up: once, again after a kill, from any folder; or says what to type."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.sentences import ROOT

SETTING_UP = "Setting up (once, about a minute) ...\n"
NOT_PART_OF_IT = (".git", ".venv", "var", "*_cache", "__pycache__", "*.egg-info")
TOOLS = ("sh", "dirname", "readlink", "cksum", "cmp", "flock", "rm", "id")  # what the set-up uses besides Python


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The project's files as a clone has them, under a path that needs quoting."""
    ignored = shutil.ignore_patterns(*NOT_PART_OF_IT)
    return Path(shutil.copytree(ROOT, tmp_path / "a fresh clone", ignore=ignored))


def run(script: Path, *arguments: str, cwd: Path, path: str | None = None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PATH": path or os.environ["PATH"]}
    return subprocess.run(
        [script, *arguments], cwd=cwd, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )


def test_a_machine_without_python_is_told_the_command_to_type(checkout: Path, tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    for tool in TOOLS:
        (tools / tool).symlink_to(str(shutil.which(tool)))

    told = run(checkout / "scripts" / "serve", cwd=tmp_path, path=str(tools))

    assert told.returncode == 1
    assert "Python 3.11 or newer is needed." in told.stderr
    assert "apt-get install -y" in told.stderr
    assert not (checkout / ".venv").exists()


@pytest.mark.long
def test_the_command_sets_itself_up_once_and_is_silent_ever_after(checkout: Path, tmp_path: Path) -> None:
    first = run(checkout / "scripts" / "podcast-app", "--help", cwd=tmp_path)
    second = run(checkout / "scripts" / "podcast-app", "--help", cwd=tmp_path)

    assert (first.returncode, first.stderr) == (0, SETTING_UP)
    assert (second.returncode, second.stderr) == (0, "")
    assert first.stdout == second.stdout != ""


@pytest.mark.long
def test_a_set_up_that_was_killed_is_begun_again(checkout: Path, tmp_path: Path) -> None:
    command = [checkout / "scripts" / "podcast-app", "--help"]
    killed = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    _wait_for_packages(checkout)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()

    again = run(checkout / "scripts" / "podcast-app", "--help", cwd=tmp_path)

    assert (again.returncode, again.stderr) == (0, SETTING_UP)


def _wait_for_packages(checkout: Path) -> None:
    """Until the first package of ours is there, and most are not."""
    for _ in range(1200):
        if list(checkout.glob(".venv/lib/*/site-packages/mako")):
            return
        time.sleep(0.1)
    raise AssertionError("the set-up did not begin to install packages within two minutes")
