"""Pages that say what went wrong, and where to go from there."""

from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from podcast_app import pages, request_id
from podcast_app.addresses import LANGUAGES
from podcast_app.site.places import Nothing

# What happened, and what helps.
SENTENCES = {
    404: ("There is no page here.", "Check the address, or start from the list of episodes."),
    405: ("This page cannot take what was sent to it.", "Open it without sending anything."),
    410: (
        "This episode is no longer available.",
        "The people who made it have withdrawn it. The other episodes are still here.",
    ),
    500: ("Something went wrong on our side.", "Try again in a minute. If it happens again, please tell us."),
    503: ("We cannot reach our files just now.", "Nothing is lost. Try again in a moment."),
}
RESTING = ("This podcast is resting.", "The people who make it have put it away for now, and may bring it back.")
OTHER = ("This did not work.", "Go back, check what you asked for, and try again.")


def nothing(request: Request, found: Nothing, headers: Mapping[str, str] | None = None) -> Response:
    """The page that says so. Where there is no such show either, whoever answers for that address says it (/api/)."""
    if found.language is None:
        raise HTTPException(found.status)
    return page(request, found.status, found.language, headers, said(found))


def said(found: Nothing) -> tuple[str, str]:
    """What happened, and what helps."""
    return RESTING if found.is_resting else SENTENCES[found.status]


def page(
    request: Request,
    status: int,
    language: str | None = None,
    headers: Mapping[str, str] | None = None,
    sentences: tuple[str, str] | None = None,
) -> Response:
    """The page for this status, in its own sentences or in these. Without a language, in that of the address."""
    first = request.url.path.split("/")[1]
    language = language or (first if first in LANGUAGES else LANGUAGES[0])
    said = {"Cache-Control": "no-store", **(headers or {})}
    what, mend = sentences or SENTENCES.get(status, OTHER)
    named = request_id.current()  # by whoever writes to us
    return pages.render(
        request, "error.html", language, status_code=status, headers=said, what=what, mend=mend, request_id=named
    )
