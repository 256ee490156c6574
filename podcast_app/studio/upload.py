"""A recording that is sent in parts: the page whose script does it, and what is still on its way."""

from collections.abc import Sequence

from anyio import to_thread
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from podcast_app import security
from podcast_app.documents import main_text
from podcast_app.http import Problem, in_reading, services
from podcast_app.models import Audio, Show, ShowId, Upload, User
from podcast_app.studio import rights
from podcast_app.studio.doors import for_people
from podcast_app.studio.pages import page


@for_people
async def show_page(request: Request, person: User) -> Response:
    """For the show that `?show=` names, or the only one that the person may change."""
    shows = await in_reading(request, _shows, person, request.query_params.get("show"))
    if len(shows) > 1:
        choices = [(show.slug, main_text(show).title) for show in shows]
        return page(request, "upload_where.html", person, shows=choices)
    return await _page(request, person, shows[0])


def on_their_way(session: Session, show_id: ShowId) -> Sequence[Upload]:
    """Uploads of a show that are open, the newest first."""
    coming = select(Upload).where(Upload.show_id == show_id, Upload.state == "open")
    return session.scalars(coming.order_by(Upload.created_at.desc())).all()


def waiting(session: Session, show_id: ShowId) -> Sequence[Upload]:
    """Uploads of a show that are complete and that no episode has or had, the newest first."""
    was_used = select(Audio.id).where(Audio.upload_id == Upload.id).exists()  # a withdrawn episode's stays with it
    complete = select(Upload).where(Upload.show_id == show_id, Upload.state == "complete", ~was_used)
    return session.scalars(complete.order_by(Upload.created_at.desc())).all()


async def _page(request: Request, person: User, show: Show) -> Response:
    here = services(request)
    answer = page(
        request,
        "upload.html",
        person,
        show=show,
        show_title=main_text(show).title,
        coming=await in_reading(request, on_their_way, show.id),
        offers_to_go_on=False,
        most_bytes=here.settings.max_upload_bytes,
    )
    parts = await to_thread.run_sync(security.parts_origin, here.storage)
    answer.headers["Content-Security-Policy"] = security.upload_policy(here.bucket, parts)
    return answer


def _shows(session: Session, person: User, slug: str | None) -> Sequence[Show]:
    """Raises Problem 403, 404."""
    if slug is not None:
        return [rights.show_of_producer(session, person, slug)]
    shows = [show for show in rights.shows_of(session, person) if rights.may_change(session, person, show)]
    if not shows:
        raise Problem(403, [rights.READS_ONLY])
    return shows
