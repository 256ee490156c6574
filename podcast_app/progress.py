"""How far a file is on its way to a site: a bar on a terminal; anywhere else a line now and then, for logs."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from podcast_app import formats

LINE_EVERY = 10  # per cent


class Shown:
    """One file's progress, on standard error. Its methods may be called from any thread."""

    def __init__(self, filename: str) -> None:
        self._filename = filename
        self._console = Console(stderr=True)
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            DownloadColumn(),
            TextColumn("{task.fields[safe]}"),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )
        self._task: TaskID | None = None
        self._size_bytes = 0
        self._said_percent = 0

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, cause: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def starts(self, size_bytes: int, safe_bytes: int) -> None:
        """So much is there already; the time left is reckoned from here."""
        self._size_bytes = size_bytes
        self._said_percent = self._line_at(safe_bytes)
        if self._task is None:
            self._task = self._bar.add_task(self._filename, total=size_bytes, completed=safe_bytes, safe="")

    def at(self, sent_bytes: int, safe_bytes: int, safe_parts: int, parts: int) -> None:
        """`sent_bytes`: what is safe, and what has left but may have to be sent again."""
        safe = f"{safe_parts} of {parts} parts are safe"
        if self._task is not None:
            self._bar.update(
                self._task, description=self._filename, total=self._size_bytes, completed=sent_bytes, safe=safe
            )
        percent = self._line_at(safe_bytes)
        if self._said_percent < percent < 100:  # 100 % is said when the site has found it to be a recording
            self._line(percent, f"{_size(safe_bytes)} of {_size(self._size_bytes)}, {safe}")

    def is_looked_into(self) -> None:
        """All has been sent: the site puts it together, and looks whether it is a recording."""
        if self._task is not None:
            self._bar.update(self._task, description=f"{self._filename} is being looked into", total=None, safe="")

    def whole(self) -> None:
        """The site has it, and it is a recording."""
        if self._task is not None:
            self._bar.remove_task(self._task)
            self._task = None
        self._line(100, _size(self._size_bytes))

    def say(self, sentence: str) -> None:
        self._console.print(sentence, markup=False, highlight=False, soft_wrap=True)

    def _line(self, percent: int, safe: str) -> None:
        self._said_percent = percent
        if not self._console.is_terminal:
            self.say(f"{self._filename}: {percent} % ({safe})")

    def _line_at(self, safe_bytes: int) -> int:
        return safe_bytes * 100 // self._size_bytes // LINE_EVERY * LINE_EVERY


def _size(size_bytes: int) -> str:
    return formats.size(size_bytes, "en")
