"""Who asks for what, and whether they may. Known before a byte of the body is read."""

from sqlalchemy import Select, select
from sqlalchemy.orm import Session
from starlette.requests import Request

from feeds.checks import Finding, error
from media import text
from podcast_app import access, uploads
from podcast_app.access import Caller
from podcast_app.api.problems import UNKNOWN_EPISODE, UNKNOWN_SHOW, UNKNOWN_UPLOAD
from podcast_app.http import Problem, in_reading
from podcast_app.models import Episode, EpisodeId, Role, ShowId, ShowSlug, Upload, UploadId

NOBODY = error("", "We do not know who is asking.", "Send a token of this site: Authorization: Bearer TOKEN.")
READS_ONLY = error("", "You may read this show, and not change it.", "Ask for the role of producer.")


async def caller(request: Request) -> Caller:
    """Raises Problem 401."""
    found = await access.person_or_token(request)
    if found is None:
        raise Problem(401, [NOBODY], headers={"WWW-Authenticate": 'Bearer realm="podcast-app"'})
    return found


async def show(request: Request, needs: Role) -> tuple[Caller, ShowId]:
    """The show in the path. Raises Problem 401, 403, 404."""
    slug = text.clean(request.path_params["show"])
    of_show = select(ShowSlug.show_id).where(ShowSlug.slug == slug)
    return await _allowed(request, of_show, needs, UNKNOWN_SHOW)


async def episode(request: Request, needs: Role) -> tuple[Caller, EpisodeId]:
    """The episode in the path. Raises Problem 401, 403, 404."""
    episode_id = EpisodeId(text.clean(request.path_params["id"]))
    of_show = select(Episode.show_id).where(Episode.id == episode_id)
    who, _ = await _allowed(request, of_show, needs, UNKNOWN_EPISODE)
    return who, episode_id


async def upload(request: Request, needs: Role) -> tuple[Caller, UploadId]:
    """The upload in the path. Raises Problem 401, 403, 404."""
    upload_id = UploadId(text.clean(request.path_params["id"]))
    of_show = select(Upload.show_id).where(Upload.id == upload_id, ~uploads.IN_TRASH)
    who, _ = await _allowed(request, of_show, needs, UNKNOWN_UPLOAD)
    return who, upload_id


async def _allowed(request: Request, of_show: Select[ShowId], needs: Role, unknown: Finding) -> tuple[Caller, ShowId]:
    who = await caller(request)
    show_id, role = await in_reading(request, _role, who, of_show)
    if show_id is None or role is None:
        raise Problem(404, [unknown])
    if needs == "producer" and role != "producer":
        raise Problem(403, [READS_ONLY])
    return who, show_id


def _role(session: Session, who: Caller, of_show: Select[ShowId]) -> tuple[ShowId | None, Role | None]:
    show_id = session.scalar(of_show)
    return show_id, access.role(session, who, show_id) if show_id is not None else None
