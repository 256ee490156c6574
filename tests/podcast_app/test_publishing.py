"""How an episode becomes public and leaves again, and what its show's feeds do."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import cast

import feedparser
import pytest

from podcast_app import documents, episodes, outgoing, publishing, shows, trash, worker
from podcast_app.enclosures import make_enclosure
from podcast_app.fields import EpisodeChanges, ShowFields, parse
from podcast_app.models import EpisodeId
from podcast_app.outcomes import Conflict, Done, Refused
from podcast_app.times import utcnow
from tests.podcasts import Library


def edit(library: Library, episode_id: EpisodeId, **said: object) -> publishing.Outcome:
    changes = parse(EpisodeChanges, said)
    assert isinstance(changes, EpisodeChanges), changes
    work = library.work
    return work.database.write(publishing.edit, episode_id, changes, work.settings, utcnow())


def edit_show(library: Library, **said: object) -> object:
    changes = parse(ShowFields, said)
    assert isinstance(changes, ShowFields), changes
    work = library.work
    return work.database.write(shows.edit_by_slug, library.show().slug, changes, work.settings, utcnow())


def withdraw(library: Library, episode_id: EpisodeId) -> publishing.Outcome:
    return library.work.database.write(publishing.withdraw, episode_id, library.work.settings, utcnow())


def titles(library: Library, view: str = "main") -> list[str]:
    return [cast(str, entry.title) for entry in feedparser.parse(library.xml(view)).entries]


def test_a_new_show_has_a_valid_feed_without_items(library: Library) -> None:
    assert titles(library) == []
    assert library.feed().generation == 1
    assert "<title>Diaspora Insights</title>" in library.xml()


def test_an_episode_that_is_made_due_is_published_with_its_feeds(library: Library, mp3: bytes) -> None:
    episode = library.published(mp3, title="Matonge", translations={"fr": {"title": "Matongé"}})

    assert titles(library) == ["Matonge"]
    assert titles(library, "fr") == ["Matongé"]
    assert library.feed().generation == 2
    assert episode.published_at is not None
    assert len(library.objects("public/")) == 1
    assert library.loose() == set()


@pytest.mark.long_on_postgresql
def test_a_recording_of_a_recorder_becomes_an_mp3(library: Library, wav: bytes) -> None:
    episode = library.published(wav, title="Matonge")

    assert episode.audio is not None
    enclosure = documents.edition(episode.audio)
    assert (enclosure.media_type, enclosure.extension) == ("audio/mpeg", "mp3")
    assert enclosure.bitrate_bps == pytest.approx(96_000, rel=0.05)


@pytest.mark.long_on_postgresql
def test_tags_of_the_file_are_suggestions_and_what_was_said_stands(library: Library, mp3: bytes) -> None:
    from io import BytesIO

    from mutagen.id3 import COMM, ID3, TIT2

    file = BytesIO(mp3)
    tags = ID3()
    tags.add(TIT2(encoding=3, text="From the file"))
    tags.add(COMM(encoding=3, lang="eng", desc="", text="A comment"))
    tags.save(file)

    suggested = library.episode(library.draft(file.getvalue()))
    said = library.episode(library.draft(file.getvalue(), title="From me"))

    assert [(words.title, words.notes) for words in suggested.texts] == [("From the file", "A comment")]
    assert suggested.suggested == {"title": "file", "notes": "file"}
    assert [(words.title, words.notes) for words in said.texts] == [("From me", "A comment")]
    assert said.suggested == {"notes": "file"}


@pytest.mark.long_on_postgresql
def test_an_episode_without_a_title_is_refused_and_changes_nothing(library: Library, mp3: bytes) -> None:
    episode_id = library.draft(mp3)
    before = library.feed()

    outcome = library.work.database.write(publishing.make_due, episode_id, None, library.work.settings, utcnow())

    assert isinstance(outcome, Refused)
    assert [finding.field for finding in outcome.findings] == ["title"]
    assert library.episode(episode_id).state == "draft"
    assert library.feed().gzip == before.gzip


@pytest.mark.long_on_postgresql
def test_a_time_that_has_passed_publishes_now_dated_then(library: Library, mp3: bytes) -> None:
    library.published(mp3, title="New")
    then = dt.datetime(2023, 5, 4, 12, 0, tzinfo=dt.UTC)

    episode = library.published(mp3, title="Old", publish=then)

    assert episode.published_at == then
    assert titles(library) == ["New", "Old"]


def test_a_scheduled_episode_waits_for_its_time(library: Library, mp3: bytes) -> None:
    later = utcnow() + dt.timedelta(hours=1)
    episode_id = library.draft(mp3, title="Later", publish=later)
    worker.catch_up(library.work)

    assert library.episode(episode_id).state == "scheduled"
    assert titles(library) == []
    assert library.objects("public/") == set()

    assert isinstance(edit(library, episode_id, publish_at=None), Done)
    assert library.episode(episode_id).state == "draft"


@pytest.mark.long_on_postgresql
def test_a_title_changed_before_publication_is_in_the_audio_that_goes_out(library: Library, mp3: bytes) -> None:
    from io import BytesIO

    from mutagen.mp3 import MP3

    episode_id = library.draft(mp3, title="Working title")
    worker.catch_up(library.work)

    edit(library, episode_id, title="Final title")
    library.work.database.write(publishing.make_due, episode_id, None, library.work.settings, utcnow())
    worker.catch_up(library.work)

    [key] = library.objects("public/")
    published = library.work.storage.read(key, 0, 10**7)
    assert MP3(BytesIO(published))["TIT2"].text == ["Final title"]
    assert len(library.objects("private/editions/")) == 1  # the earlier one is swept


@pytest.mark.long_on_postgresql
def test_an_edit_after_publication_changes_the_feed_and_keeps_guid_date_and_audio(library: Library, mp3: bytes) -> None:
    episode = library.published(mp3, title="Matonge")
    [before] = feedparser.parse(library.xml()).entries

    assert isinstance(edit(library, episode.id, title="Matonge, revisited", season=2), Done)

    [after] = feedparser.parse(library.xml()).entries
    assert after.title == "Matonge, revisited"
    assert (after.id, after.published, after.enclosures) == (before.id, before.published, before.enclosures)
    assert library.feed().generation == 3


@pytest.mark.long_on_postgresql
def test_an_edit_that_changes_no_byte_makes_no_generation(library: Library, mp3: bytes) -> None:
    episode = library.published(mp3, title="Matonge")
    before = library.feed()

    edit(library, episode.id, title="Matonge")
    edit_show(library, time_zone="Africa/Kigali")

    after = library.feed()
    assert (after.generation, after.gzip, after.modified_at) == (before.generation, before.gzip, before.modified_at)


@pytest.mark.long_on_postgresql
def test_a_draft_changes_no_feed(library: Library, mp3: bytes) -> None:
    before = library.feed()

    edit(library, library.draft(mp3, title="Draft"), title="Other")

    assert library.feed().gzip == before.gzip


@pytest.mark.long_on_postgresql
def test_each_generation_is_dated_at_least_a_second_after_the_last(library: Library, mp3: bytes) -> None:
    episode = library.published(mp3, title="One")
    times = [library.feed().modified_at]
    for title in ("Two", "Three", "Four"):
        edit(library, episode.id, title=title)
        times.append(library.feed().modified_at)

    assert all(later - earlier >= dt.timedelta(seconds=1) for earlier, later in pairwise(times))


@pytest.mark.long_on_postgresql
def test_a_published_episode_cannot_lose_its_title(library: Library, mp3: bytes) -> None:
    episode = library.published(mp3, title="Matonge")

    outcome = edit(library, episode.id, title="")

    assert isinstance(outcome, Refused)
    assert titles(library) == ["Matonge"]
    assert library.episode(episode.id).texts[0].title == "Matonge"


@pytest.mark.long_on_postgresql
def test_a_withdrawn_episode_leaves_every_feed_and_its_objects_go(library: Library, mp3: bytes) -> None:
    episode = library.published(mp3, title="Matonge", translations={"fr": {"title": "Matongé"}})

    assert isinstance(withdraw(library, episode.id), Done)
    assert titles(library) == titles(library, "fr") == []
    worker.catch_up(library.work)

    assert library.objects("public/") == library.objects("private/editions/") == set()
    tombstone = library.episode(episode.id)
    assert (tombstone.state, tombstone.guid) == ("withdrawn", episode.guid)
    assert isinstance(edit(library, episode.id, title="x"), Conflict)


@pytest.mark.long_on_postgresql
def test_a_draft_that_is_deleted_for_good_leaves_nothing(library: Library, mp3: bytes) -> None:
    before = library.objects()
    episode_id = library.draft(mp3, title="Draft")
    worker.catch_up(library.work)

    library.work.database.write(trash.throw_away, episode_id, utcnow())
    library.work.database.write(trash.delete, library.show().id, episode_id, utcnow())
    worker.catch_up(library.work)

    assert library.work.database.read(episodes.get, episode_id) is None
    assert all(key.startswith("feeds/") for key in library.objects() - before)
    assert library.loose() == set()


@pytest.mark.long_on_postgresql
def test_a_published_slug_is_never_handed_out_again(library: Library, mp3: bytes) -> None:
    first = library.published(mp3, title="Matonge")
    edit(library, first.id, slug="elsewhere")

    second = library.published(mp3, title="Matonge")
    refused = edit(library, second.id, slug="matonge")

    assert library.episode(first.id).slug == "elsewhere"
    assert second.slug == "matonge-2"
    assert isinstance(refused, Refused)


@pytest.mark.long_on_postgresql
def test_the_slug_of_a_draft_follows_its_title_until_it_is_published(library: Library, mp3: bytes) -> None:
    episode_id = library.draft(mp3, title="One")
    edit(library, episode_id, title="Two")
    assert library.episode(episode_id).slug == "two"
    assert library.episode(library.draft(mp3, title="One")).slug == "one"  # nobody ever saw it, so it is free again

    library.work.database.write(publishing.make_due, episode_id, None, library.work.settings, utcnow())
    worker.catch_up(library.work)
    edit(library, episode_id, title="Three")
    assert library.episode(episode_id).slug == "two"


@pytest.mark.long_on_postgresql
def test_publish_pressed_twenty_times_by_four_workers_publishes_once(library: Library, mp3: bytes) -> None:
    episode_id = library.draft(mp3, title="Once")
    worker.catch_up(library.work)

    def press(_: int) -> None:
        work = library.work
        outcome = work.database.write(publishing.make_due, episode_id, None, work.settings, utcnow())
        assert isinstance(outcome, Done)
        outgoing.publish_now(work, episode_id)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(press, range(20)))
    worker.catch_up(library.work)

    assert titles(library) == ["Once"]
    assert library.feed().generation == 2
    assert len(library.objects("public/")) == 1
    assert library.loose() == set()


def test_two_publications_at_once_are_both_in_the_feed_a_generation_each(library: Library, mp3: bytes) -> None:
    ids = [library.draft(mp3, title=f"Episode {letter}") for letter in "ABCDEF"]
    while make_enclosure(library.work):
        pass

    def press(episode_id: EpisodeId) -> None:
        work = library.work
        work.database.write(publishing.make_due, episode_id, None, work.settings, utcnow())
        assert outgoing.publish_now(work, episode_id)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(press, ids))

    assert len(titles(library)) == 6
    assert library.feed().generation == 7


@pytest.mark.long_on_postgresql
def test_the_show_can_be_renamed_and_its_items_follow(library: Library, mp3: bytes) -> None:
    library.published(mp3, title="Matonge")
    guid = library.show().guid

    assert isinstance(edit_show(library, slug="voices"), Done)
    worker.catch_up(library.work)

    [entry] = feedparser.parse(library.xml()).entries
    assert entry.link.endswith("/voices/matonge")
    assert library.feed().path == "/voices/feed.xml"
    assert library.show().guid == guid
    assert library.objects("feeds/") == {
        f"feeds/{place}/{name}.xml" for place in ("voices", "fr/voices") for name in ("feed", "feed-low")
    }


@pytest.mark.long_on_postgresql
def test_the_copy_in_storage_is_the_feed(library: Library, mp3: bytes) -> None:
    library.published(mp3, title="Matonge")

    copy = library.work.storage.read("feeds/diaspora-insights/feed.xml", 0, 10**6)
    assert copy.decode() == library.xml()


@pytest.mark.long_on_postgresql
def test_audio_that_cannot_be_prepared_says_why_and_stays_due(library: Library, mp3: bytes) -> None:
    episode_id = library.draft(mp3, title="Lost", publish="now")
    audio = library.episode(episode_id).audio
    assert audio is not None
    library.work.storage.delete(audio.upload.key)

    worker.catch_up(library.work)

    episode = library.episode(episode_id)
    assert episode.audio is not None
    enclosure = documents.edition(episode.audio)
    assert (enclosure.status, enclosure.failure) == ("failed", "The original is missing from the storage.")
    found = publishing.findings(episode, episode.show, library.work.settings)
    assert any(finding.field == "audio" and finding.level == "error" for finding in found)
    assert episode.state == "scheduled"
