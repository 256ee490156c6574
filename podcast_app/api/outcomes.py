"""What became of a wish: the reply that tells it, or the problem."""

from collections.abc import Callable

from sqlalchemy.orm import Session, joinedload, selectinload

from feeds.checks import Finding, error
from podcast_app import episodes
from podcast_app.api import as_json
from podcast_app.api.replies import Reply, json_reply, versioned
from podcast_app.http import Problem
from podcast_app.models import Episode, EpisodeId, Show, ShowId
from podcast_app.outcomes import Conflict, Done, Refused, Unknown
from podcast_app.publishing import Outcome
from podcast_app.settings import Settings

# What an answer says of a show, loaded at once.
SHOWN = (selectinload(Show.texts), joinedload(Show.cover))

CHANGED = error("", "It was changed since you read it.", "Read it again, and make your change to what you find.")


def episode(
    session: Session, episode_id: EpisodeId, settings: Settings, language: str, *, status: int = 200
) -> Reply | Unknown:
    """The episode as it is now, in this transaction."""
    session.flush()
    session.expire_all()  # what was loaded before the change may lack what the change brought
    row = episodes.get(session, episode_id)
    if row is None:
        return Unknown()
    location = f"{settings.origin}/api/v1/episodes/{row.id}" if status == 201 else None
    told = json_reply(as_json.episode(row, row.show, settings, language), status=status, location=location)
    return versioned(told, row.version)


def after(
    session: Session, change: Callable[[Session], Outcome], episode_id: EpisodeId, settings: Settings, language: str
) -> Reply | Refused | Conflict | Unknown:
    """The episode after the change, or why there was none."""
    done = change(session)
    return episode(session, episode_id, settings, language) if isinstance(done, Done) else done


def show(session: Session, show_id: ShowId, settings: Settings) -> Reply:
    """The show as it is now, in this transaction."""
    session.flush()
    session.expire_all()
    row = session.get_one(Show, show_id, options=SHOWN)
    return versioned(json_reply(as_json.show(row, settings)), row.version)


def or_problem(outcome: Reply | Refused | Conflict | Unknown, unknown: Finding) -> Reply:
    """The reply. Raises Problem 404, 409, 422."""
    match outcome:
        case Reply():
            return outcome
        case Refused(findings):
            raise Problem(422, findings)
        case Conflict(problem, mend):
            raise Problem(409, [error("", problem, mend)])
        case Unknown():
            raise Problem(404, [unknown])


def must_be_expected(row: Episode | Show, expected: frozenset[int] | None) -> None:
    """Raises Problem 412 when the caller has another version in mind (If-Match)."""
    if expected is not None and row.version not in expected:
        raise Problem(412, [CHANGED], version=row.version, headers={"ETag": f'"v{row.version}"'})
