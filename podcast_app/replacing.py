"""An episode's audio is replaced, brought back, or made again.

Of a published episode the audio that is to come is `next`: listeners have the old one until the new enclosure is ready,
then one transaction puts it in its place (outgoing.publish_due). GUID, date and text stay. Where nothing is public yet,
it changes at once.
"""

import datetime as dt
from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from media.storage import Key
from podcast_app import covers, derived, documents, episodes, objects, publishing, uploads
from podcast_app.models import Audio, AudioId, Episode, EpisodeId, UploadId
from podcast_app.outcomes import Conflict, Done, Refused, Unknown
from podcast_app.publishing import NotYet, Outcome
from podcast_app.settings import Settings
from podcast_app.times import utcnow
from podcast_app.work import Work

MADE = frozenset({"measurement", "enclosure", *publishing.LIGHT})  # from a recording

UNDO_FOR = dt.timedelta(days=30)
A_WHILE = dt.timedelta(minutes=1)  # for who was just led to what is replaced; longer would outlive a withdrawal

NOTHING_BEFORE = Conflict(
    "There is no earlier recording to go back to.", "One that was replaced can come back for 30 days."
)
NOT_MADE = Conflict("This is not made while the episode is not public.", "Publish the episode first.")


def replace(
    session: Session,
    episode_id: EpisodeId,
    upload_id: UploadId,
    pictures: Mapping[int, covers.Picture],
    now: dt.datetime,
) -> Outcome:
    """Another recording, from a complete upload, for the episode. `pictures`: of the file's chapters."""
    found = episodes.to_change(session, episode_id)
    if not isinstance(found, tuple):
        return found
    show, episode = found
    upload = uploads.to_use(session, upload_id)
    if findings := episodes.cannot_use(upload, show.id):
        return Refused(findings)
    assert upload is not None
    episodes.use(session, episode, upload, pictures)
    _bring(session, episode, episodes.new_audio(session, episode, upload), now)
    return Done(episode)


def undo(session: Session, episode_id: EpisodeId, now: dt.datetime) -> Outcome:
    """What was to come does not; or else the recording before this one comes back."""
    found = episodes.to_change(session, episode_id)
    if not isinstance(found, tuple):
        return found
    _, episode = found
    if _drop_next(session, episode, now):
        return Done(episode)
    earlier = before(episodes.audios(session, episode.id), now)
    if earlier is None:
        return NOTHING_BEFORE
    _bring(session, episode, earlier, now)
    return Done(episode)


def make_again(session: Session, episode_id: EpisodeId, name: str, now: dt.datetime) -> Outcome:
    """One thing that is made from the recording: "measurement", "enclosure", "low-mp3" or "low-opus".

    A published enclosure is replaced by one from the same recording, with the tags and the loudness that it would get
    today.
    """
    found = episodes.to_change(session, episode_id)
    if not isinstance(found, tuple):
        return found
    _, episode = found
    assert episode.audio is not None
    audio = episode.audio
    if name == "measurement":
        assert audio.upload.measurement is not None, "there is one from the first"
        derived.make_again(audio.upload.measurement)
    elif name == "enclosure" and episode.state == "published":
        _bring(session, episode, episodes.new_audio(session, episode, audio.upload), now)
    elif made := next((edition for edition in audio.editions if edition.name == name), None):
        if name == "enclosure":
            objects.release(session, made.key, now)
            made.key = None
        derived.make_again(made)
    else:
        return NOT_MADE
    return Done(episode)


def take_its_place(
    session: Session, episode_id: EpisodeId, audio_id: AudioId, public_key: Key, settings: Settings, now: dt.datetime
) -> Outcome | NotYet:
    """The audio that was `next` is what listeners get from now on. `public_key`: where its enclosure's bytes were
    copied to, announced before."""
    found = episodes.get_locked(session, episode_id)
    if found is None:
        return Unknown()
    show, episode = found
    audio = next((audio for audio in episodes.audios(session, episode_id) if audio.id == audio_id), None)
    if audio is None or not audio.is_next or episode.state != "published":
        return NotYet()
    made = documents.edition(audio)
    assert made.extension is not None
    objects.take_over(session, public_key)
    made.public_key, made.public_at = public_key, now
    audio.name = audio.name or documents.public_name(episode, made.extension)
    publishing.add_light_editions(audio)
    _swap(session, episode, audio, now)
    publishing.next_generation(session, show, settings, now, put=[episode])
    return Done(episode)


def forget_replaced(work: Work) -> bool:
    """A recording that was replaced long enough ago goes for good."""
    return work.database.write(_forget_one, utcnow())


def before(audios: list[Audio], now: dt.datetime) -> Audio | None:
    """The audio that would come back."""
    back = [audio for audio in audios if audio.replaced_at and audio.replaced_at > now - UNDO_FOR and audio.upload_id]
    return max(back, key=lambda audio: audio.replaced_at or now, default=None)


def _bring(session: Session, episode: Episode, audio: Audio, now: dt.datetime) -> None:
    """Make it the next one; or at once the current one, where nobody has heard the episode yet."""
    _drop_next(session, episode, now)
    session.add(audio)
    if episode.state == "published":
        audio.is_next, audio.replaced_at = True, None
    else:
        _swap(session, episode, audio, now)
    episode.version += 1
    session.flush()


def _drop_next(session: Session, episode: Episode, now: dt.datetime) -> bool:
    """Whether there was one. Its recording stays: as an upload that waits, or to come back."""
    audio = next((audio for audio in episodes.audios(session, episode.id) if audio.is_next), None)
    if audio is None:
        return False
    audio.is_next = False
    if audio.name is not None:  # it was public before
        audio.replaced_at = now
    else:
        for made in audio.editions:
            objects.release(session, made.key, now)
        upload = audio.upload
        session.delete(audio)
        if episode.audio is not None and upload.id != episode.audio.upload_id:
            upload.episode_id = None
    session.flush()
    return True


def _swap(session: Session, episode: Episode, audio: Audio, now: dt.datetime) -> None:
    assert episode.audio is not None
    last = episode.audio
    last.is_current, last.replaced_at = False, now
    for made in last.editions:
        objects.release(session, made.public_key, now + A_WHILE)
        made.public_key = made.public_at = None
        if made.name != "enclosure":
            derived.make_again(made)
    session.flush()  # two cannot be current, not even for a moment
    audio.is_current, audio.is_next, audio.replaced_at = True, False, None
    session.flush()
    session.refresh(episode, ["audio"])
    episode.chapters = documents.chapter_rows(episode, audio)


def _forget_one(session: Session, now: dt.datetime) -> bool:
    past = select(Audio.episode_id).where(Audio.replaced_at < now - UNDO_FOR, Audio.upload_id.is_not(None)).limit(1)
    episode_id = session.scalar(past)
    if episode_id is None or episodes.get_locked(session, episode_id) is None:
        return False
    audios = episodes.audios(session, episode_id)
    gone = [audio for audio in audios if audio.replaced_at and audio.replaced_at < now - UNDO_FOR and audio.upload_id]
    for audio in gone:
        for made in audio.editions:
            objects.release(session, made.key, now)
            made.key = None
    uploads_gone = {audio.upload_id: audio.upload for audio in gone}
    for audio in gone:
        audio.upload_id = None
    session.flush()
    for upload in uploads_gone.values():
        if upload.id not in {audio.upload_id for audio in audios}:  # an enclosure made again has the same recording
            objects.release(session, upload.key, now)
            session.delete(upload)
    return True
