"""What went wrong, as an answer: problem+json for machines, a page for people."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Match, Route

from feeds.checks import Finding, error
from media.storage import Full, Unavailable
from podcast_app import formats
from podcast_app.api import problems
from podcast_app.database import is_away, is_full, reason
from podcast_app.forms import BadForm
from podcast_app.http import Busy, Problem, language, services
from podcast_app.objects import TooLate
from podcast_app.site import errors
from podcast_app.studio import pages as studio
from podcast_app.uploads import TooLarge

log = logging.getLogger(__name__)

RETRY = {"Retry-After": "5"}  # seconds

NOT_HERE = error("", "There is nothing at this address.", "Check how it is written.")
NOT_SO = error("", "This address does not take such a request.", "Use one of the methods that it allows.")
OURS = error("", "Something went wrong on our side.", "Try again; if it happens again, tell whoever runs this site.")
AWAY = error("", "The site cannot reach its database or its storage.", "Try again in a moment.")
FULL = error("", "The place where recordings are kept is full.", "Tell whoever runs this site, then try again.")
CUT = error("body", "The request ended before it was whole.", "Send it again; nothing of it was kept.")
TOO_SLOW = error("audio", "The recording came in too slowly and was given up.", "Send it again over a faster line.")
ODD = error("", "This request cannot be answered.", "Check how it is written.")

_SAID = {404: NOT_HERE, 405: NOT_SO}


def answer(request: Request, problem: Problem) -> Response:
    """The problem in the reader's language, in the form that the address calls for."""
    if request.url.path.startswith("/api/"):
        return problems.response(request, problem)
    if request.url.path.startswith("/studio/"):
        return studio.problem_page(request, None, problem)
    return errors.page(request, problem.status, headers=problem.headers)


def of_the_world(failed: Exception) -> Problem:
    """What the storage or the database could not do; the log keeps it. Raises `failed` when it is a bug of ours."""
    match failed:
        case Full():
            return _full(failed)
        case DBAPIError() if is_full(failed):
            return _full(failed)
        case SQLAlchemyError() if not is_away(failed):
            raise failed  # `_bug` answers
        case _:
            return _away(failed)


def _full(full: Exception) -> Problem:
    log.error("The storage is full: %r", full)
    return Problem(507, [FULL])


def _away(away: Exception) -> Problem:
    said = reason(away) if isinstance(away, SQLAlchemyError) else repr(away)
    log.error("The storage or the database does not answer: %s", said)
    return Problem(503, [AWAY], headers=RETRY)


async def _problem(request: Request, problem: Exception) -> Response:
    assert isinstance(problem, Problem)
    return answer(request, problem)


async def _http(request: Request, refused: Exception) -> Response:
    """No route, or not with this method."""
    assert isinstance(refused, HTTPException)
    headers = dict(refused.headers or {})
    if refused.status_code == 405:
        headers["Allow"] = ", ".join(sorted(_methods(request)))
    return answer(request, Problem(refused.status_code, [_SAID.get(refused.status_code, ODD)], headers=headers))


async def _bad_form(request: Request, bad: Exception) -> Response:
    assert isinstance(bad, BadForm)
    return answer(request, Problem(400, [bad.finding]))


async def _too_large(request: Request, _refused: Exception) -> Response:
    return answer(request, Problem(413, [_larger_than(services(request).settings.max_upload_bytes, language(request))]))


async def _too_late(request: Request, _given_up: Exception) -> Response:
    return answer(request, Problem(503, [TOO_SLOW], headers=RETRY))


async def _world(request: Request, failed: Exception) -> Response:
    return answer(request, of_the_world(failed))


async def _gone(request: Request, _gone: Exception) -> Response:
    """Read only by a sender that still listens (see half_closed.py)."""
    return answer(request, Problem(400, [CUT]))


async def _bug(request: Request, _error: Exception) -> Response:
    """The last page. What happened is in the log, and nowhere else."""
    return answer(request, Problem(500, [OURS]))


def _larger_than(limit_bytes: int, language: str) -> Finding:
    return error(
        "audio",
        "The recording is larger than {limit}.",
        "Export it as MP3 or M4A, or at a lower bit rate, and send that file.",
        limit=formats.size(limit_bytes, language),
    )


def _methods(request: Request) -> set[str]:
    """All methods that routes take at this address: each route knows only its own."""
    routes = [route for route in request.app.routes if isinstance(route, Route)]
    here = [route for route in routes if route.matches(request.scope)[0] is not Match.NONE]
    return {method for route in here for method in route.methods or ()}


Handler = Callable[[Request, Exception], Awaitable[Response]]

HANDLERS: dict[Any, Handler] = {  # Any: Starlette's own type for its keys
    Problem: _problem,
    HTTPException: _http,
    BadForm: _bad_form,
    TooLarge: _too_large,
    TooLate: _too_late,
    Full: _world,
    Unavailable: _world,
    Busy: _world,
    SQLAlchemyError: _world,
    ClientDisconnect: _gone,
    Exception: _bug,
}
