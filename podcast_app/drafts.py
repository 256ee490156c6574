"""From a recording to an episode, in one transaction: the same for the API, the studio and the command line."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from feeds.checks import Finding
from podcast_app import episodes, publishing, uploads
from podcast_app.fields import EpisodeFields, NewEpisode
from podcast_app.models import Episode, ShowId, Upload, UploadId
from podcast_app.outcomes import Done, Refused
from podcast_app.settings import Settings
from podcast_app.suggesting import Suggestions

NOTHING: Suggestions = {}


@dataclass(frozen=True, slots=True)
class NewDraft:
    """The episode is made. What keeps it from going out, when it was asked to, stands in `findings`."""

    episode: Episode
    findings: Sequence[Finding] = ()


def from_recording(
    session: Session,
    show_id: ShowId,
    inspected: uploads.Inspected,
    fields: NewEpisode,
    settings: Settings,
    now: dt.datetime,
) -> NewDraft | Refused:
    """A new episode from audio that has just arrived."""
    upload = uploads.record(session, show_id, inspected, now)
    return _new(session, show_id, upload, fields, inspected.pictures, settings, now)


def from_upload(
    session: Session,
    show_id: ShowId,
    upload_id: UploadId,
    pictures: uploads.Pictures,
    fields: NewEpisode,
    settings: Settings,
    now: dt.datetime,
    besides: Suggestions = NOTHING,
) -> NewDraft | Refused:
    """A new episode from an upload that waits, complete. `pictures`: uploads.pictures_of it. `besides`: what is
    suggested where the file suggests nothing."""
    upload = uploads.to_use(session, upload_id)
    return _new(session, show_id, upload, fields, pictures, settings, now, besides)


def _new(
    session: Session,
    show_id: ShowId,
    upload: Upload | None,
    fields: NewEpisode,
    pictures: uploads.Pictures,
    settings: Settings,
    now: dt.datetime,
    besides: Suggestions = NOTHING,
) -> NewDraft | Refused:
    is_whole = upload is not None and upload.state == "complete"
    from_file = uploads.suggestions(upload.facts) if upload is not None and is_whole else EpisodeFields()
    suggestions = {"file": from_file, **besides}
    made = episodes.create(session, show_id, upload, fields, suggestions=suggestions, pictures=pictures, now=now)
    if isinstance(made, Refused) or fields.publish is None:
        return made if isinstance(made, Refused) else NewDraft(made.it)
    at = None if fields.publish == "now" else fields.publish
    due = publishing.make_due(session, made.it.id, at, settings, now)
    match due:
        case Done(episode):
            return NewDraft(episode)
        case Refused(findings):
            return NewDraft(made.it, findings)
    raise AssertionError(due)  # a new draft is there, and was never withdrawn
