"""What the pages of an episode's parts have in common: its recording, its transcripts, its cover."""

from collections.abc import Awaitable, Callable, Sequence

from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from feeds.checks import Finding
from podcast_app import documents, publishing
from podcast_app.http import services
from podcast_app.models import Episode, EpisodeId, User
from podcast_app.outcomes import Conflict, Done, Refused, Unknown
from podcast_app.studio import rights
from podcast_app.studio.doors import see_other
from podcast_app.studio.episode import conflict_finding
from podcast_app.studio.episode_page import title
from podcast_app.studio.pages import page

Again = Callable[[Sequence[Finding], int], Awaitable[Response]]  # findings, status


def asked(request: Request) -> EpisodeId:
    return EpisodeId(request.path_params["id"])


def read(session: Session, person: User, episode_id: EpisodeId) -> tuple[Episode, bool]:
    """The episode, and whether the person may change it. Raises Problem 404."""
    episode = rights.episode(session, person, episode_id)
    return episode, rights.may_change(session, person, episode.show) and episode.state != "withdrawn"


def part_page(
    request: Request, template: str, person: User, episode: Episode, status: int, **context: object
) -> Response:
    """A page that extends templates/studio/part.html."""
    show_title = documents.main_text(episode.show).title
    of_episode = {"episode": episode, "show": episode.show, "show_title": show_title, "title": title(episode)}
    return page(request, template, person, status_code=status, **of_episode, **context)


async def ended(request: Request, outcome: publishing.Outcome, then: str, again: Again) -> Response:
    """After a form: the episode's page called `then`; or, with the reason, the page that the form came from."""
    match outcome:
        case Done():
            services(request).work.wake()
            return see_other(f"/studio/episodes/{asked(request)}/{then}")
        case Refused(findings):
            return await again(findings, 422)
        case Conflict() as conflict:
            return await again([conflict_finding(conflict)], 409)
        case Unknown():
            raise AssertionError("the episode is locked")
