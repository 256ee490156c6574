"""A podcast site, asked over HTTP with a token. What fails for a while is asked again; a refusal becomes its words."""

import itertools
import random
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx2

from podcast_app.cli import CommandFailed

T = TypeVar("T")
Json = dict[str, Any]  # Any: whatever a site may answer

PATIENCE_SECONDS = 3600.0  # with a site that fails; one that is out of reach is waited for without end
LONGEST_PAUSE_SECONDS = 15.0
LINE = httpx2.Timeout(120, connect=15)  # seconds of silence after which a line is taken for dead
SAID_EVERY_SECONDS = 300.0  # the same trouble

ERRNO = re.compile(r"^\[Errno -?\d+\] ")
AGAIN = "Run the same command again to go on"  # and then a full stop


class Refusal(CommandFailed):
    """The site will not. `status` and `body` are its answer's."""

    def __init__(self, sentence: str, status: int, body: Json) -> None:
        super().__init__(sentence)
        self.status = status
        self.body = body


class Trouble(Exception):
    """It did not work this time; the text is a sentence that says why."""

    def __init__(self, sentence: str, *, is_away: bool = False) -> None:
        super().__init__(sentence)
        self.is_away = is_away  # nobody could be reached; otherwise somebody was, and failed


class Remote:
    """A site and our token. Its methods may be called from any thread, and last until the site has answered."""

    def __init__(self, server: str, token: str, say: Callable[[str], None]) -> None:
        """Raises CommandFailed."""
        self.server = server.rstrip("/")
        self._say = say
        self._said_at: dict[str, float] = {}
        self._lock = threading.Lock()
        self._has_answered = False
        if not token.isascii() or not token.isprintable():
            raise CommandFailed("This is not a token: it has letters that no token has.")
        headers = {"Authorization": f"Bearer {token.strip()}"}
        try:
            self._client = httpx2.Client(base_url=f"{self.server}/api/v1/", headers=headers, timeout=LINE)
        except httpx2.InvalidURL as odd:
            raise CommandFailed(f"{server} is not a web address: {odd}.") from odd

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, cause: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def ask(self, method: str, path: str, said: Json | None = None, *, key: str = "", seconds: float = 60) -> Json:
        """The answer's body. `key`: an Idempotency-Key; without it, the question must bear to be asked twice.

        `seconds`: how long an answer may take. Raises Refusal, and CommandFailed when the site fails for too long.
        """
        headers = {"Idempotency-Key": key} if key else {}
        patience = httpx2.Timeout(60, connect=15, read=seconds)
        return self.patiently(lambda: body_of(self._answer(method, path, json=said, headers=headers, timeout=patience)))

    def put(self, path: str, body: Iterable[bytes], size_bytes: int) -> httpx2.Response:
        """Whatever the site answers to this body. Raises Trouble."""
        return self._answer("PUT", path, content=body, headers={"Content-Length": str(size_bytes)})

    def pages(self, path: str) -> Iterator[Json]:
        """The items of a list, from all its pages. The path has a query."""
        cursor = ""
        while True:
            page = self.ask("GET", path + cursor)
            yield from page["items"]
            if page["next"] is None:
                return
            cursor = f"&cursor={page['next']}"

    def patiently(self, job: Callable[[], T]) -> T:
        """What the job gives, however often it meets Trouble first. Raises CommandFailed when it is time to give up."""
        failing_since = None
        for attempt in itertools.count():
            try:
                return job()
            except Trouble as trouble:
                failing_since = None if trouble.is_away else failing_since or time.monotonic()
                self._bear(trouble, attempt, failing_since)
        raise AssertionError("counting ends never")

    def _answer(self, method: str, path: str, **request: Any) -> httpx2.Response:  # noqa: ANN401  (as httpx2 takes it)
        with on_the_line(self.server):
            answer = self._client.request(method, path, **request)
        self._has_answered = True
        return answer

    def _bear(self, trouble: Trouble, attempt: int, failing_since: float | None) -> None:
        """Wait before the next attempt, longer each time."""
        if trouble.is_away and not self._has_answered:  # rather a wrong address than a bad line
            raise CommandFailed(f"{trouble} Check the address, and that the site is up.") from trouble
        if failing_since is not None and time.monotonic() - failing_since > PATIENCE_SECONDS:
            raise CommandFailed(f"{trouble} That has lasted too long. {AGAIN}.") from trouble
        if attempt > 0:  # a single hiccup is not worth a word
            patience = "until it works" if trouble.is_away else "for up to an hour"
            self._say_once(f"{trouble} Trying again {patience}. Ctrl-C stops; the same command goes on later.")
        pause_seconds = min(2.0 ** min(attempt, 10), LONGEST_PAUSE_SECONDS)
        time.sleep(pause_seconds * random.uniform(0.5, 1))  # noqa: S311  (so that several do not come at once)

    def _say_once(self, sentence: str) -> None:
        with self._lock:
            now = time.monotonic()
            is_news = now - self._said_at.get(sentence, -SAID_EVERY_SECONDS) >= SAID_EVERY_SECONDS
            if is_news:
                self._said_at[sentence] = now
        if is_news:
            self._say(sentence)


@contextmanager
def on_the_line(host: str) -> Iterator[None]:
    """A connection that fails becomes Trouble."""
    try:
        yield
    except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.ProxyError, httpx2.UnsupportedProtocol) as failure:
        raise Trouble(f"{host} was not reached ({_reason(failure)}).", is_away=True) from failure
    except httpx2.HTTPError as failure:
        raise Trouble(f"The line to {host} broke ({_reason(failure)}).") from failure


def body_of(answer: httpx2.Response) -> Json:
    """What a site answers, when it does as it was asked. Raises Refusal, Trouble."""
    body = _object(answer)
    if answer.status_code == 204 or (answer.is_success and body is not None):
        return body or {}
    if answer.status_code in (408, 429) or answer.status_code >= 500 or "Retry-After" in answer.headers:
        raise Trouble(f"{_host(answer)} answered {_status(answer)}. {_detail(body or {})}".strip())
    raise Refusal(_refusal(answer, body), answer.status_code, body or {})


def _refusal(answer: httpx2.Response, body: Json | None) -> str:
    host = _host(answer)
    if answer.has_redirect_location:
        leads_to = answer.headers["Location"].partition("/api/v1/")[0]
        return f"{host} leads to {leads_to}. Give that address as --server."
    if answer.status_code == 401:
        return f"{host} does not know this token. Make one there with `podcast-app token create NAME`."
    if body is not None and "title" in body:
        return _detail(body)
    if answer.status_code == 413:
        size_bytes = answer.request.headers.get("Content-Length", "0")
        return (
            f"Something in front of {host}, a proxy perhaps, refuses requests of {size_bytes} bytes (413). Let it take "
            f"16 MB, as with `client_max_body_size 20m;` in nginx. {AGAIN}."
        )
    page = " with a web page" if "html" in answer.headers.get("Content-Type", "") else ""
    return (
        f"{host} answered {_status(answer)}{page}, and not as a podcast site does. Check the address, and what stands "
        f"in front of it: a proxy, or a page where one signs in to the network. {AGAIN}."
    )


def _detail(body: Json) -> str:
    """A problem's own words (RFC 9457)."""
    wrong = [f"{said['field']}: {said['message']}" for said in body.get("errors", [])]
    return "\n".join(wrong) or str(body.get("detail") or body.get("title") or "")


def _object(answer: httpx2.Response) -> Json | None:
    try:
        body = answer.json()
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _host(answer: httpx2.Response) -> str:
    return f"{answer.request.url.scheme}://{answer.request.url.netloc.decode()}"


def _status(answer: httpx2.Response) -> str:
    return f"{answer.status_code} {answer.reason_phrase}".strip()


def _reason(failure: Exception) -> str:
    return ERRNO.sub("", str(failure)) or type(failure).__name__
