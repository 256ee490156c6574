"""An episode's history: what was changed, by whom, and how it is brought back."""

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from media.transcripts import read as read_transcript
from podcast_app import history, publish_command, publishing, replacing, transcripts, worker
from podcast_app.fields import EpisodeChanges, parse
from podcast_app.models import Episode, EpisodeId, Json, Revision, UploadId
from podcast_app.outcomes import Refused
from podcast_app.publishing import Outcome
from podcast_app.times import utcnow
from tests.podcasts import Library, Place, at
from tests.site import Site
from tests.studio import Studio


def change(library: Library, episode_id: EpisodeId, by: str, change: Callable[[Session], Outcome]) -> Outcome:
    """As everybody changes an episode: told first. `by`: "Aline", or her namesake "Aline/2"."""

    def told(session: Session) -> Outcome:
        history.changing(session, episode_id, history.Author(by.partition("/")[0], f"user:{by}"))
        return change(session)

    return library.work.database.write(told)


def edit(library: Library, episode_id: EpisodeId, by: str, **said: object) -> Outcome:
    fields, settings = parse(EpisodeChanges, said), library.work.settings
    assert isinstance(fields, EpisodeChanges), fields
    return change(
        library, episode_id, by, lambda session: publishing.edit(session, episode_id, fields, settings, utcnow())
    )


def told(library: Library, episode_id: EpisodeId) -> Sequence[tuple[str, str | None, dict[str, Json]]]:
    """By whom, what happened, and the fields; the oldest first."""
    found = library.work.database.read(history.of_episode, episode_id, 100)
    without_event = [{k: v for k, v in each.changes.items() if k != "event"} for each in found]
    return [(each.by, history.event_of(each), rest) for each, rest in zip(found, without_event, strict=True)][::-1]


def time_passes(library: Library, **by: float) -> None:
    def move(session: Session) -> None:
        for revision in session.scalars(select(Revision)):
            revision.at -= dt.timedelta(**by)

    library.work.database.write(move)


@pytest.fixture
def library(sqlite_place: Place) -> Iterator[Library]:
    with at(sqlite_place) as library:
        yield library


def test_what_one_person_writes_within_ten_minutes_is_one_revision(library: Library, mp3: bytes) -> None:
    episode = library.draft(mp3, title="Marché")

    for title in ("Matonge", "Matonge, un", "Matonge, un matin"):
        edit(library, episode, "Aline", title=title)
    edit(library, episode, "Aline", season=2)
    edit(library, episode, "Boris", title="Matonge")
    time_passes(library, minutes=11)
    edit(library, episode, "Boris", title="Un matin")

    assert told(library, episode) == [
        ("Aline", None, {"title": ["Marché", "Matonge, un matin"], "season": [None, 2]}),
        ("Boris", None, {"title": ["Matonge, un matin", "Matonge"]}),
        ("Boris", None, {"title": ["Matonge", "Un matin"]}),
    ]


@pytest.mark.parametrize("after", ["", "Something else instead, of the same length or so, and then some more."])
def test_a_long_text_that_its_writer_takes_out_again_can_be_brought_back(
    library: Library, mp3: bytes, after: str
) -> None:
    written = "What one writes home, and what one leaves out, read by those who wrote it."
    episode = library.draft(mp3, title="Marché")

    edit(library, episode, "Aline", notes=written)
    edit(library, episode, "Aline", notes=after)

    assert [fields["notes"] for _, _, fields in told(library, episode) if "notes" in fields] == [
        ["", written],
        [written, after],
    ]


def test_two_people_of_one_name_are_told_apart(library: Library, mp3: bytes) -> None:
    episode = library.draft(mp3, title="Marché")

    edit(library, episode, "Aline", title="Matonge")
    edit(library, episode, "Aline/2", title="Un matin")

    assert [by for by, _, fields in told(library, episode) if "title" in fields] == ["Aline", "Aline"]


def test_what_was_typed_and_taken_out_again_is_no_news(library: Library, mp3: bytes) -> None:
    episode = library.draft(mp3, title="Matonge")

    edit(library, episode, "Aline", notes="Salut")
    edit(library, episode, "Aline", notes="")
    edit(library, episode, "Aline", title="Matonge")

    assert told(library, episode) == []


def test_a_change_that_is_refused_leaves_no_trace(library: Library, mp3: bytes) -> None:
    episode = library.draft(mp3, title="Matonge")

    refused = edit(library, episode, "Aline", title="Market", translations={"en": {"title": "Its own language"}})

    assert isinstance(refused, Refused)
    assert told(library, episode) == []


def test_texts_of_each_language_chapters_and_people_keep_what_was_before(library: Library, mp3: bytes) -> None:
    episode = library.draft(mp3, title="Market", chapters="0:00 Start")
    translated = {"fr": {"title": "Marché", "notes": "Bonjour"}}

    edit(library, episode, "Aline", translations=translated, chapters="0:01 The market", persons=[{"name": "Eva"}])

    ((_, _, changes),) = told(library, episode)
    assert changes["title.fr"] == ["", "Marché"]
    assert changes["notes.fr"] == ["", "Bonjour"]
    assert [chapter["title"] for chapter in changes["chapters"][0]] == ["Start"]
    assert [chapter["title"] for chapter in changes["chapters"][1]] == ["The market"]
    assert (changes["persons"][0], changes["persons"][1][0]["name"]) == ([], "Eva")


def test_a_draft_s_address_follows_its_title_without_being_news(library: Library, mp3: bytes) -> None:
    episode = library.draft(mp3, title="Market")

    edit(library, episode, "Aline", title="Matonge")
    edit(library, episode, "Aline", slug="matonge-1")
    edit(library, episode, "Aline", slug="matonge-2")

    assert told(library, episode) == [
        ("Aline", None, {"title": ["Market", "Matonge"], "slug": ["matonge", "matonge-2"]})
    ]


def test_publication_is_told_of_whoever_asked_for_it(library: Library, mp3: bytes) -> None:
    episode, settings = library.draft(mp3, title="Matonge"), library.work.settings

    change(library, episode, "Aline", lambda session: publishing.make_due(session, episode, None, settings, utcnow()))
    worker.catch_up(library.work)
    change(library, episode, "Boris", lambda session: publishing.withdraw(session, episode, settings, utcnow()))

    assert told(library, episode) == [
        ("Aline", "due", {}),
        ("Aline", "published", {"generation": [None, library.feed().generation - 1]}),
        ("Boris", "withdrawn", {}),
    ]


def test_what_goes_out_at_its_time_is_told_as_by_itself(library: Library, mp3: bytes) -> None:
    episode = library.draft(mp3, title="Matonge")
    edit(library, episode, "Aline", publish_at="2199-12-10T09:00:00+01:00")
    edit(library, episode, "Boris", publish_at=None)
    edit(library, episode, "Aline", publish_at="2199-12-10T09:00:00+01:00")

    def comes(session: Session) -> None:
        session.get_one(Episode, episode).publish_at = utcnow()

    library.work.database.write(comes)
    worker.catch_up(library.work)

    assert [(by, event) for by, event, _ in told(library, episode)] == [
        ("Aline", "scheduled"),
        ("Boris", "unscheduled"),
        ("Aline", "scheduled"),
        ("", "published"),
    ]
    assert told(library, episode)[0][2] == {"publish_at": [None, "2199-12-10T08:00:00Z"]}


def test_what_the_command_line_publishes_is_told_as_its(library: Library, mp3: bytes, tmp_path: Path) -> None:
    file = tmp_path / "matonge.mp3"
    file.write_bytes(mp3)

    publish_command.here(file, library.show(), {"title": "Matonge", "publish": "now"}, library.work)

    episode = library.work.database.read(lambda session: session.scalars(select(Episode.id)).one())
    assert [(by, event) for by, event, _ in told(library, episode)] == [
        ("podcast-app", "made"),
        ("podcast-app", "due"),
        ("podcast-app", "published"),
    ]


def test_a_draft_s_audio_is_told_when_it_is_replaced_and_brought_back(library: Library, mp3: bytes, wav: bytes) -> None:
    episode, sent = library.draft(mp3, title="Matonge"), library.upload(wav, "better.wav")

    change(library, episode, "Aline", lambda session: replacing.replace(session, episode, sent, {}, utcnow()))
    change(library, episode, "Boris", lambda session: replacing.undo(session, episode, utcnow()))

    assert told(library, episode) == [
        ("Aline", "audio_replaced", {"audio": ["recording.mp3", "better.wav"]}),
        ("Boris", "audio_brought_back", {"audio": ["better.wav", "recording.mp3"]}),
    ]


@pytest.mark.long
def test_audio_is_told_as_it_comes_and_as_it_is_there(library: Library, mp3: bytes, wav: bytes) -> None:
    episode = library.published(mp3, title="Matonge").id
    sent: UploadId = library.upload(wav, "better.wav")

    def replace(session: Session) -> Outcome:
        return replacing.replace(session, episode, sent, {}, utcnow())

    change(library, episode, "Aline", replace)
    worker.catch_up(library.work)
    change(library, episode, "Boris", lambda session: replacing.undo(session, episode, utcnow()))
    worker.catch_up(library.work)
    change(library, episode, "Boris", lambda session: replacing.make_again(session, episode, "enclosure", utcnow()))
    worker.catch_up(library.work)

    assert [(by, event) for by, event, _ in told(library, episode)[-5:]] == [
        ("Aline", "audio_coming"),
        ("Aline", "audio_replaced"),
        ("Boris", "audio_coming"),
        ("Boris", "audio_brought_back"),
        ("Boris", "audio_made_again"),
    ]
    assert told(library, episode)[-4][2] == {"audio": ["recording.mp3", "better.wav"]}


def test_transcripts_and_covers_are_told(library: Library, mp3: bytes) -> None:
    episode, settings = library.draft(mp3, title="Matonge"), library.work.settings
    words = read_transcript(b"WEBVTT\n\n00:00.000 --> 00:01.000\nBonjour\n", filename="a.vtt", media_type="")

    def put(session: Session) -> Outcome:
        return transcripts.put(session, episode, "fr", words, "a.vtt", None, settings, utcnow())

    change(library, episode, "Aline", put)
    change(library, episode, "Aline", put)
    change(library, episode, "Aline", lambda session: transcripts.remove(session, episode, "fr", settings, utcnow()))

    assert [(event, rest) for _, event, rest in told(library, episode)] == [
        ("transcript_added", {"transcript": ["fr", "fr"]}),
        ("transcript_removed", {"transcript": ["fr", "fr"]}),
    ]


# --- over HTTP ---


def test_the_api_tells_who_made_and_changed_an_episode(shared_site: Site, mp3: bytes) -> None:
    made = shared_site.episode(mp3, title="Matonge").json()["id"]
    shared_site.api.patch(f"/api/v1/episodes/{made}", json={"title": "Un matin", "explicit": True})

    first = shared_site.api.get(f"/api/v1/episodes/{made}/history", params={"limit": 1}).json()
    second = shared_site.api.get(f"/api/v1/episodes/{made}/history", params={"cursor": first["next"]}).json()

    (changed,), (born,) = first["items"], second["items"]
    assert (changed["by"], changed["event"]) == ("tests", None)
    assert changed["changes"] == {"title": ["Matonge", "Un matin"], "explicit": [None, True]}
    assert (born["by"], born["event"], second["next"]) == ("tests", "made", None)
    assert shared_site.api.get("/api/v1/episodes/none/history").status_code == 404


def test_the_studio_shows_both_texts_and_brings_the_old_one_back(studio: Studio, mp3: bytes) -> None:
    browser = studio.signed_in()
    page = browser.upload(mp3, title="Matonge", notes="Le marché ouvre à huit heures.")
    browser.fill(page, notes="Le marché ferme à huit heures.")

    shown = browser.open(f"{page.path}/history")
    path = f"{page.path}/history/{shown.document.xpath('//ol/li[1]/@id')[0][1:]}/restore"
    marked = ("".join(shown.document.xpath("//del/text()")), "".join(shown.document.xpath("//ins/text()")))
    after = browser.press(shown, path)
    again = browser.press(shown, path)

    assert marked == ("ouvre", "ferme")
    assert browser.open(page.path).form()["notes"] == "Le marché ouvre à huit heures."
    assert "Brought back what was there before aline" in after.text
    assert again.status == 200  # sent twice
    assert len(again.document.xpath("//ol[@class='history']/li")) == len(
        after.document.xpath("//ol[@class='history']/li")
    )


def test_what_somebody_changed_meanwhile_is_not_written_over(studio: Studio, mp3: bytes) -> None:
    browser = studio.signed_in()
    page = browser.upload(mp3, title="Matonge", notes="First")
    browser.fill(page, notes="Second")
    shown = browser.open(f"{page.path}/history")
    path = f"{page.path}/history/{shown.document.xpath('//ol/li[1]/@id')[0][1:]}/restore"
    browser.fill(browser.open(page.path), notes="Third")

    refused = browser.press(shown, path)

    assert refused.status == 409
    assert "Somebody changed this text" in refused.text
    assert browser.open(page.path).form()["notes"] == "Third"


def test_a_viewer_reads_the_history_and_cannot_bring_anything_back(studio: Studio, mp3: bytes) -> None:
    browser, viewer = studio.signed_in(), studio.signed_in("vera@example.org", role="viewer")
    page = browser.upload(mp3, title="Matonge")
    browser.fill(page, title="Un matin")
    (revision,) = browser.open(f"{page.path}/history").document.xpath("//ol/li[1]/@id")

    shown = viewer.open(f"{page.path}/history")

    assert "Un matin" in shown.text
    assert shown.document.xpath("//main//form") == []
    assert viewer.send(f"{page.path}/history/{revision[1:]}/restore", {"field": "title"}).status == 403
