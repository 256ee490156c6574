"""Recordings that no episode has: still on their way, waiting for one, or refused."""

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import Select, select
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from media import text
from podcast_app import parts
from podcast_app.http import in_reading
from podcast_app.models import Audio, ShowId, Upload, UploadState, User
from podcast_app.studio import rights
from podcast_app.studio.doors import for_people, see_other

TOLD_FOR = dt.timedelta(days=1)


@for_people
async def moved(request: Request, person: User) -> Response:
    """To the page for a new episode, of the show that `?show=` names, or the only one: once it was a page."""
    slug = text.clean(request.query_params.get("show", ""))
    if slug:
        show = await in_reading(request, rights.show_of_producer, person, slug)
        return see_other(f"/studio/shows/{show.slug}/new")
    shows = await in_reading(request, rights.shows_of, person)
    return see_other(f"/studio/shows/{shows[0].slug}/new" if len(shows) == 1 else "/studio/")


def on_their_way(session: Session, show_id: ShowId) -> Sequence[Upload]:
    """Uploads of a show that are open, the newest first."""
    return session.scalars(_uploads(show_id, "open")).all()


def refused(session: Session, show_id: ShowId, now: dt.datetime) -> Sequence[Upload]:
    """Those that came whole and were no audio, the newest first; for a day: whoever waited was told at once."""
    was_lately = Upload.expires_at > now + parts.KEPT - TOLD_FOR
    return session.scalars(_uploads(show_id, "refused").where(was_lately)).all()


def waiting(session: Session, show_id: ShowId) -> Sequence[Upload]:
    """Uploads of a show that are complete and that no episode has or had, the newest first."""
    was_used = select(Audio.id).where(Audio.upload_id == Upload.id).exists()  # a withdrawn episode's stays with it
    return session.scalars(_uploads(show_id, "complete").where(~was_used)).all()


def _uploads(show_id: ShowId, state: UploadState) -> Select[Upload]:
    return select(Upload).where(Upload.show_id == show_id, Upload.state == state).order_by(Upload.created_at.desc())
