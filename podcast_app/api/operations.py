"""What each address of the API takes and answers, for its description (openapi.py).

The shapes are those that the handlers read and write. Tests hold the rest to its word.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import BaseModel, Field

from podcast_app.api import audio, creation, episodes, history, parts, pictures, shows, transcripts, uploads
from podcast_app.api.answers import EpisodeAnswer, Page, PictureAnswer, RevisionAnswer, ShowAnswer, UploadAnswer
from podcast_app.api.listing import EpisodesQuery, HistoryQuery, ListQuery, UploadsQuery
from podcast_app.fields import EpisodeChanges, NewEpisode, NewUpload, PublishAt, ShowFields

READING = (401, 403, 404, 500, 503)  # what may go wrong wherever a show, an episode or an upload is named
LISTING = (401, 422, 500, 503)
WRITING = (*READING, 400, 409, 413, 415, 422)

PICTURES = ("image/jpeg", "image/png", "image/webp", "image/avif")
TRANSCRIPTS = ("text/vtt", "application/x-subrip", "application/json", "text/html", "text/plain")


class EpisodeFromUpload(NewEpisode):
    """A new episode, made from an upload that is complete."""

    upload_id: str = Field(description="of a complete upload of this show that no episode was made from")


class AudioFromUpload(BaseModel):
    """A recording that is here already."""

    upload_id: str = Field(description="of a complete upload of this show that no episode was made from")


class AudioForm(BaseModel):
    """A recording."""

    audio: bytes = Field(description="the recording: MP3, M4A, AAC, WAV, AIFF, FLAC or Ogg")


class EpisodeForm(NewEpisode):
    """A new episode with its recording. Lists and objects are sent as JSON text; parts may come in any order."""

    audio: bytes = Field(description="the recording: MP3, M4A, AAC, WAV, AIFF, FLAC or Ogg")
    cover: bytes = Field(b"", description="a square picture of at least 1400 x 1400 pixels: JPEG, PNG, WebP or AVIF")


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
    raw_body: tuple[str, ...] = ()  # bytes, as they are, of these media types
    is_signed: bool = False  # the address may carry its own permission
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
        summary="Delete a draft or a scheduled episode; in the studio it can be put back for 30 days",
        status=204,
        problems=(*READING, 409),
        takes_version=True,
    ),
    history.listed: Operation(
        name="listChanges",
        summary="What was changed in an episode, when and by whom, the newest first",
        answer=Page[RevisionAnswer],
        query=HistoryQuery,
        problems=(*READING, 422),
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
    audio.replace: Operation(
        name="replaceAudio",
        summary="Another recording for an episode; listeners have the old one until the new one is ready",
        answer=EpisodeAnswer,
        body={"multipart/form-data": AudioForm, "application/json": AudioFromUpload},
        problems=(*WRITING, 507),
        is_versioned=True,
        takes_key=True,
    ),
    audio.undo: Operation(
        name="undoReplaceAudio",
        summary="Bring the recording before this one back, for 30 days; or call off the one to come",
        answer=EpisodeAnswer,
        problems=(*READING, 409, 422),
        is_versioned=True,
        takes_key=True,
    ),
    audio.make_again: Operation(
        name="makeAgain",
        summary="Make one thing again: measurement, enclosure, low-mp3 or low-opus",
        answer=EpisodeAnswer,
        problems=(*READING, 409, 422),
        is_versioned=True,
        takes_key=True,
    ),
    transcripts.put: Operation(
        name="putTranscript",
        summary="A transcript in one language, in the place of an earlier one",
        answer=EpisodeAnswer,
        raw_body=TRANSCRIPTS,
        query=transcripts.TranscriptQuery,
        problems=(*READING, 409, 413, 422),
        is_versioned=True,
    ),
    transcripts.remove: Operation(
        name="removeTranscript",
        summary="Take the transcript in one language out",
        answer=EpisodeAnswer,
        problems=(*READING, 409, 422),
        is_versioned=True,
    ),
    pictures.put_episode_cover: Operation(
        name="putEpisodeCover",
        summary="A cover of the episode's own",
        answer=EpisodeAnswer,
        raw_body=PICTURES,
        query=pictures.CoverQuery,
        problems=(*READING, 409, 413, 422, 507),
        is_versioned=True,
    ),
    pictures.remove_episode_cover: Operation(
        name="removeEpisodeCover",
        summary="Back to the show's cover",
        answer=EpisodeAnswer,
        problems=(*READING, 409),
        is_versioned=True,
    ),
    pictures.put_show_cover: Operation(
        name="putShowCover",
        summary="The show's cover",
        answer=ShowAnswer,
        raw_body=PICTURES,
        query=pictures.CoverQuery,
        problems=(*READING, 413, 422, 507),
        is_versioned=True,
    ),
    pictures.add_to_episode: Operation(
        name="addEpisodePicture",
        summary="A picture that chapters of the episode can name",
        status=201,
        answer=PictureAnswer,
        raw_body=PICTURES,
        problems=(*READING, 409, 413, 422, 507),
        takes_key=True,
    ),
    pictures.add_to_show: Operation(
        name="addShowPicture",
        summary="A picture that persons can name",
        status=201,
        answer=PictureAnswer,
        raw_body=PICTURES,
        problems=(*READING, 409, 413, 422, 507),
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
        raw_body=("application/octet-stream",),
        is_signed=True,
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
