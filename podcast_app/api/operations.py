"""What each address of the API takes and answers, for its description (openapi.py).

The shapes are those that the handlers read and write. Tests hold the rest to its word.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import BaseModel, Field

from podcast_app.api import creation, episodes, parts, shows, uploads
from podcast_app.api.answers import EpisodeAnswer, Page, ShowAnswer, UploadAnswer
from podcast_app.api.listing import EpisodesQuery, ListQuery, UploadsQuery
from podcast_app.fields import EpisodeChanges, NewEpisode, NewUpload, PublishAt, ShowFields

READING = (401, 403, 404, 500, 503)  # what may go wrong wherever a show, an episode or an upload is named
LISTING = (401, 422, 500, 503)
WRITING = (*READING, 400, 409, 413, 415, 422)


class EpisodeFromUpload(NewEpisode):
    """A new episode, made from an upload that is complete."""

    upload_id: str = Field(description="of a complete upload of this show that no episode was made from")


class EpisodeForm(NewEpisode):
    """A new episode with its recording. Lists and objects are sent as JSON text; parts may come in any order."""

    audio: bytes = Field(description="the recording: MP3, M4A, AAC, WAV, AIFF, FLAC or Ogg")
    cover: bytes = Field(b"", description="a square picture of at least 1400 x 1400 pixels: JPEG, PNG or WebP")


class PartQuery(BaseModel):
    """What the address of a part carries instead of a token."""

    expires: int | None = Field(None, ge=0, description="seconds since 1970")
    signature: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method at one address."""

    name: str
    summary: str
    status: int = 200
    answer: type[BaseModel] | None = None  # None: no body
    problems: tuple[int, ...] = READING
    body: Mapping[str, type[BaseModel]] = field(default_factory=dict)  # by media type
    body_is_needed: bool = True
    raw_body: bool = False  # bytes, as they are
    query: type[BaseModel] | None = None
    is_versioned: bool = False  # the answer has an ETag
    takes_version: bool = False  # If-Match
    takes_key: bool = False  # Idempotency-Key


OPERATIONS: Mapping[object, Operation] = {
    shows.listed: Operation(
        name="listShows",
        summary="The shows that the token is for",
        answer=Page[ShowAnswer],
        query=ListQuery,
        problems=LISTING,
    ),
    shows.read: Operation(name="readShow", summary="A show", answer=ShowAnswer, is_versioned=True),
    shows.change: Operation(
        name="changeShow",
        summary="Change the fields that are named, and the show's feeds with them",
        answer=ShowAnswer,
        body={"application/json": ShowFields},
        problems=WRITING,
        is_versioned=True,
        takes_version=True,
    ),
    episodes.listed: Operation(
        name="listEpisodes",
        summary="A show's episodes, the newest first",
        answer=Page[EpisodeAnswer],
        query=EpisodesQuery,
        problems=(*READING, 422),
    ),
    creation.create: Operation(
        name="createEpisode",
        summary="Make an episode, from a recording in a form or from a complete upload",
        status=201,
        answer=EpisodeAnswer,
        body={"multipart/form-data": EpisodeForm, "application/json": EpisodeFromUpload},
        problems=(*WRITING, 507),
        is_versioned=True,
        takes_key=True,
    ),
    episodes.read: Operation(name="readEpisode", summary="An episode", answer=EpisodeAnswer, is_versioned=True),
    episodes.change: Operation(
        name="changeEpisode",
        summary="Change the fields that are named; publish_at schedules, and null takes off the schedule",
        answer=EpisodeAnswer,
        body={"application/json": EpisodeChanges},
        problems=WRITING,
        is_versioned=True,
        takes_version=True,
    ),
    episodes.remove: Operation(
        name="deleteEpisode",
        summary="Delete a draft or a scheduled episode for good",
        status=204,
        problems=(*READING, 409),
        takes_version=True,
    ),
    episodes.publish: Operation(
        name="publishEpisode",
        summary="Publish an episode, now or at a time",
        answer=EpisodeAnswer,
        body={"application/json": PublishAt},
        body_is_needed=False,
        problems=WRITING,
        is_versioned=True,
        takes_key=True,
    ),
    episodes.withdraw: Operation(
        name="withdrawEpisode",
        summary="Take a published episode out of every feed and off the site, for ever",
        answer=EpisodeAnswer,
        problems=(*READING, 409, 422),
        is_versioned=True,
        takes_key=True,
    ),
    uploads.listed: Operation(
        name="listUploads",
        summary="Recordings, the newest first",
        answer=Page[UploadAnswer],
        query=UploadsQuery,
        problems=LISTING,
    ),
    parts.begin: Operation(
        name="beginUpload",
        summary="Begin to upload a recording in parts, and learn where each of them goes",
        status=201,
        answer=UploadAnswer,
        body={"application/json": NewUpload},
        problems=(*WRITING, 507),
        takes_key=True,
    ),
    parts.read: Operation(
        name="readUpload",
        summary="A recording; while it is open, which parts have arrived, and fresh addresses for all of them",
        answer=UploadAnswer,
    ),
    parts.put: Operation(
        name="sendPart",
        summary="A part's bytes, as they are; sent again, the last ones count",
        status=204,
        raw_body=True,
        query=PartQuery,
        problems=(*READING, 400, 409, 413, 422, 507),
    ),
    parts.complete: Operation(
        name="completeUpload",
        summary="Join the parts, and look into the recording. It may be said again",
        answer=UploadAnswer,
        problems=(*READING, 409, 422, 507),
        takes_key=True,
    ),
    uploads.remove: Operation(
        name="deleteUpload",
        summary="Delete a recording that no episode was made from",
        status=204,
        problems=(*READING, 409),
    ),
}
