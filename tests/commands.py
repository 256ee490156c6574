"""The command line as an operator meets it: a process, what it prints, and its exit status."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.sentences import ROOT

PROGRAM = Path(sys.executable).with_name("podcast-app")


def podcast_app(*arguments: str | Path, data_dir: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command to its end, in the data folder and for it."""
    return subprocess.run(
        [PROGRAM, *arguments],
        cwd=data_dir,
        env=surroundings(data_dir, **environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )


@contextmanager
def started(*arguments: str | Path, data_dir: Path, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """The command while it runs, at most until the block ends."""
    with subprocess.Popen(
        [PROGRAM, *arguments],
        cwd=data_dir,
        env=surroundings(data_dir, **environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def surroundings(data_dir: Path, **environment: str) -> dict[str, str]:
    """Nothing of ours but this checkout and where programs are."""
    known = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "PODCAST_DATA_DIR": str(data_dir)}
    return {**known, "LANG": "C.UTF-8", **environment}
