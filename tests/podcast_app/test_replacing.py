"""Audio that takes the place of other audio, comes back, and goes for good."""

import datetime as dt

import feedparser
import pytest
from sqlalchemy import select, update

from podcast_app import publishing, replacing, trash, worker
from podcast_app.fields import EpisodeChanges
from podcast_app.listening import recordings
from podcast_app.listening.recordings import Recording, Withdrawn
from podcast_app.models import Audio, AudioId, Edition, Episode, EpisodeId, Upload
from podcast_app.outcomes import Conflict, Done, Refused
from podcast_app.times import utcnow
from tests.media.samples import Mark, audio
from tests.podcasts import Library

pytestmark = pytest.mark.long_on_postgresql


@pytest.fixture(scope="session")
def longer(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Four seconds, with two chapters."""
    marks = [Mark(0, 2000, "Welcome"), Mark(2000, 4000, "The market")]
    folder = tmp_path_factory.mktemp("audio")
    return audio(folder / "longer.mp3", "-b:a", "64k", seconds=4, chapters=marks).read_bytes()


def replaced(library: Library, episode_id: EpisodeId, data: bytes) -> publishing.Outcome:
    upload_id = library.upload(data, "corrected.mp3")
    return library.work.database.write(replacing.replace, episode_id, upload_id, {}, utcnow())


def undone(library: Library, episode_id: EpisodeId) -> publishing.Outcome:
    return library.work.database.write(replacing.undo, episode_id, utcnow())


def item(library: Library, view: str = "main") -> feedparser.FeedParserDict:
    return feedparser.parse(library.xml(view)).entries[0]


def audio_id(library: Library, episode_id: EpisodeId) -> AudioId:
    current = library.episode(episode_id).audio
    assert current is not None
    return current.id


def led_to(library: Library, address: AudioId) -> Recording:
    found = library.work.database.read(recordings.find, address)
    assert isinstance(found, Recording)
    return found


def test_listeners_have_the_old_audio_until_the_new_one_is_ready(library: Library, mp3: bytes, longer: bytes) -> None:
    episode = library.published(mp3, title="Matonge", notes="Ours", publish="2026-01-02T03:04:05Z")
    before = item(library)
    former = audio_id(library, episode.id)

    assert isinstance(replaced(library, episode.id, longer), Done)

    waiting = item(library)
    assert waiting.enclosures[0].href == before.enclosures[0].href
    assert led_to(library, former).size_bytes == int(before.enclosures[0].length)

    worker.catch_up(library.work)

    after = item(library)
    assert (after.id, after.published, after.title, after.summary) == (
        before.id,
        before.published,
        before.title,
        before.summary,
    )
    assert after.enclosures[0].href != before.enclosures[0].href
    assert after.itunes_duration == "4"
    assert led_to(library, former).size_bytes == int(after.enclosures[0].length)
    assert led_to(library, audio_id(library, episode.id)).modified_at is not None
    assert led_to(library, former).modified_at is None


@pytest.mark.long
def test_chapters_of_the_file_follow_the_new_file_and_those_of_a_person_stay(
    library: Library, mp3: bytes, longer: bytes
) -> None:
    from_file = library.published(longer, title="From the file")
    typed = library.published(longer, title="Typed", chapters=[{"start_ms": 3000, "title": "Late"}])

    replaced(library, from_file.id, mp3)
    replaced(library, typed.id, mp3)
    worker.catch_up(library.work)

    kept = library.episode(typed.id)
    assert [chapter["title"] for chapter in kept.chapters] == ["Late"]
    found = publishing.findings(kept, kept.show, library.work.settings)
    assert [finding.level for finding in found if finding.field == "chapters"] == ["warning"]

    replaced(library, from_file.id, longer)
    worker.catch_up(library.work)
    assert [chapter["title"] for chapter in library.episode(from_file.id).chapters] == ["Welcome", "The market"]


@pytest.mark.long
def test_what_was_replaced_comes_back_for_thirty_days(library: Library, mp3: bytes, longer: bytes) -> None:
    episode = library.published(mp3, title="Matonge")
    first = audio_id(library, episode.id)
    replaced(library, episode.id, longer)
    worker.catch_up(library.work)

    assert isinstance(undone(library, episode.id), Done)
    worker.catch_up(library.work)

    assert audio_id(library, episode.id) == first
    assert item(library).enclosures[0].href.split("/")[-2] == first
    assert led_to(library, first).size_bytes == int(item(library).enclosures[0].length)


@pytest.mark.long
def test_after_thirty_days_it_is_gone_and_its_address_leads_on(library: Library, mp3: bytes, longer: bytes) -> None:
    episode = library.published(mp3, title="Matonge")
    first = audio_id(library, episode.id)
    replaced(library, episode.id, longer)
    worker.catch_up(library.work)
    long_ago = utcnow() - replacing.UNDO_FOR - dt.timedelta(hours=1)
    library.work.database.write(
        lambda session: session.execute(update(Audio).where(Audio.id == first).values(replaced_at=long_ago))
    )

    assert isinstance(undone(library, episode.id), Conflict)
    library.an_hour_passes()
    library.an_hour_passes()
    worker.catch_up(library.work)

    assert led_to(library, first).size_bytes == int(item(library).enclosures[0].length)
    assert len(library.objects("private/originals")) == 1
    assert len(library.objects("private/editions")) == 1
    assert len(library.objects("public/")) == 1
    assert library.loose() == set()


def test_a_replacement_that_is_called_off_leaves_everything_and_its_recording_waits(
    library: Library, mp3: bytes, longer: bytes
) -> None:
    episode = library.published(mp3, title="Matonge")
    before = library.xml()
    replaced(library, episode.id, longer)

    assert isinstance(undone(library, episode.id), Done)
    worker.catch_up(library.work)

    assert library.xml() == before
    waiting = library.work.database.read(
        lambda session: session.scalars(select(Upload.filename).where(Upload.episode_id.is_(None))).all()
    )
    assert waiting == ["corrected.mp3"]


def test_a_draft_gets_its_other_recording_at_once(library: Library, mp3: bytes, longer: bytes) -> None:
    draft = library.draft(mp3, title="Not out yet")

    assert isinstance(replaced(library, draft, longer), Done)

    now = library.episode(draft).audio
    assert now is not None
    assert now.upload.filename == "corrected.mp3"
    assert isinstance(undone(library, draft), Done)
    again = library.episode(draft).audio
    assert again is not None
    assert again.upload.filename == "recording.mp3"


def test_an_enclosure_made_again_has_the_tags_of_today_under_a_new_address(library: Library, mp3: bytes) -> None:
    episode = library.published(mp3, title="Befor")
    before = item(library).enclosures[0].href
    work = library.work
    work.database.write(publishing.edit, episode.id, _titled("After"), work.settings, utcnow())

    work.database.write(replacing.make_again, episode.id, "enclosure", utcnow())
    worker.catch_up(work)

    after = item(library).enclosures[0].href
    assert after != before
    current = library.episode(episode.id)
    assert publishing.is_current(current, current.show)
    assert len(library.objects("private/originals")) == 1


def test_a_recording_in_use_and_a_withdrawn_episode_are_left_alone(library: Library, mp3: bytes, longer: bytes) -> None:
    episode = library.published(mp3, title="Matonge")
    assert episode.audio is not None
    assert episode.audio.upload_id is not None
    work = library.work

    taken = work.database.write(replacing.replace, episode.id, episode.audio.upload_id, {}, utcnow())
    assert isinstance(taken, Refused)

    replaced(library, episode.id, longer)
    work.database.write(publishing.withdraw, episode.id, work.settings, utcnow())
    worker.catch_up(work)

    assert isinstance(replaced(library, episode.id, longer), Conflict)
    assert isinstance(undone(library, episode.id), Conflict)
    assert library.objects("public/") == set()
    assert library.objects("private/editions") == set()
    assert isinstance(work.database.read(recordings.find, episode.audio.id), Withdrawn)


def test_deleting_a_draft_takes_every_recording_it_had(library: Library, mp3: bytes, longer: bytes) -> None:
    draft = library.draft(mp3, title="Not out yet")
    replaced(library, draft, longer)
    worker.catch_up(library.work)

    library.work.database.write(trash.throw_away, draft, utcnow())
    library.work.database.write(trash.delete, library.show().id, draft, utcnow())
    library.an_hour_passes()
    worker.catch_up(library.work)

    for table in (Episode, Audio, Edition, Upload):
        assert library.work.database.read(lambda session, table=table: session.scalars(select(table)).all()) == []
    assert library.objects("private/originals") | library.objects("private/editions") == set()


def _titled(title: str) -> EpisodeChanges:
    return EpisodeChanges(title=title)
