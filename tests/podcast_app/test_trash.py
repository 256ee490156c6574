"""The trash: what is thrown away is not there for anybody, comes back for 30 days, and then goes for good."""

import datetime as dt
from collections.abc import Iterator

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from podcast_app import derived_check, history, trash, worker
from podcast_app.models import Audio, Edition, Episode, EpisodeId, Revision, Upload
from podcast_app.times import utcnow
from tests.podcasts import Library, Place, at
from tests.site import SLUG, Site
from tests.studio import HOME, Studio

TRASH = f"/studio/shows/{SLUG}/trash"


@pytest.fixture
def library(sqlite_place: Place) -> Iterator[Library]:
    with at(sqlite_place) as library:
        yield library


def thrown_away(library: Library, episode_id: EpisodeId) -> None:
    library.work.database.write(trash.throw_away, episode_id, utcnow())


def days_pass(library: Library, days: int) -> None:
    def move(session: Session) -> None:
        for episode in session.scalars(select(Episode).where(Episode.trashed_at.is_not(None))):
            assert episode.trashed_at is not None
            episode.trashed_at -= dt.timedelta(days=days)

    library.work.database.write(move)


def test_after_thirty_days_the_worker_deletes_it_with_everything_of_it(library: Library, mp3: bytes) -> None:
    before = library.objects()
    episode = library.draft(mp3, title="Old")
    worker.catch_up(library.work)
    thrown_away(library, episode)

    days_pass(library, 29)
    worker.catch_up(library.work)
    assert library.work.database.read(trash.of_show, library.show().id) != []

    days_pass(library, 1)
    worker.catch_up(library.work)

    for table in (Episode, Audio, Edition, Upload, Revision):
        assert library.work.database.read(lambda session, table=table: session.scalars(select(table)).all()) == []
    assert {key for key in library.objects() - before if not key.startswith("feeds/")} == set()


def test_nothing_is_made_of_it_and_nothing_of_it_goes_out(library: Library, mp3: bytes) -> None:
    episode = library.draft(mp3, title="Due", publish="now")

    thrown_away(library, episode)
    worker.catch_up(library.work)

    def status(session: Session) -> list[str]:
        return list(session.scalars(select(Edition.status)))

    assert library.work.database.read(status) == ["preparing"]
    assert "Due" not in library.xml()

    library.work.database.write(trash.put_back, library.show().id, episode, history.Author("Aline", "user:aline"))
    worker.catch_up(library.work)

    assert library.work.database.read(status) == ["ready"]
    assert library.episode(episode).state == "draft"


def test_its_address_is_free_for_others_and_its_own_when_it_comes_back(library: Library, mp3: bytes) -> None:
    episode = library.draft(mp3, title="Matonge")
    thrown_away(library, episode)
    library.work.database.write(trash.put_back, library.show().id, episode, history.Author("Aline", "user:aline"))
    assert library.episode(episode).slug == "matonge"

    thrown_away(library, episode)
    other = library.draft(mp3, title="Matonge")
    library.work.database.write(trash.put_back, library.show().id, episode, history.Author("Aline", "user:aline"))

    assert (library.episode(other).slug, library.episode(episode).slug) == ("matonge", "matonge-2")


def test_check_knows_the_trash_and_says_when_it_is_not_emptied(library: Library, mp3: bytes) -> None:
    thrown_away(library, library.draft(mp3, title="Old"))

    def said() -> list[tuple[str, str]]:
        found = library.work.database.read(derived_check.derived, utcnow())
        return [(remark.level, remark.says) for remark in found]

    assert said() == [("note", "the trash keeps drafts for 30 days: 1 in all.")]
    days_pass(library, 31)
    assert ("error", "the trash keeps drafts for longer than that. Does a worker run?") in said()


# --- over HTTP ---


def test_what_the_api_deleted_is_not_there_and_neither_is_its_recording(shared_site: Site, mp3: bytes) -> None:
    made = shared_site.episode(mp3, title="Away").json()["id"]
    (upload,) = (each for each in _uploads(shared_site) if each["episode"] == made)
    place = f"/api/v1/episodes/{made}"

    assert shared_site.api.delete(place).status_code == 204

    again = {"upload_id": upload["id"]}
    assert [shared_site.api.get(f"{place}{part}").status_code for part in ("", "/history")] == [404, 404]
    assert shared_site.api.delete(place).status_code == 404
    assert shared_site.api.post(f"{place}/publish").status_code == 404
    assert made not in shared_site.api.get(f"/api/v1/shows/{SLUG}/episodes").text
    assert upload["id"] not in [each["id"] for each in _uploads(shared_site)]
    assert shared_site.api.get(f"/api/v1/uploads/{upload['id']}").status_code == 404
    refused = shared_site.api.post(f"/api/v1/shows/{SLUG}/episodes", json=again)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "upload_id")


def _uploads(site: Site) -> list[dict[str, str]]:
    found: list[dict[str, str]] = site.api.get("/api/v1/uploads").json()["items"]
    return found


def test_a_draft_thrown_away_in_the_studio_is_put_back(studio: Studio, mp3: bytes) -> None:
    browser = studio.signed_in()
    page = browser.upload(mp3, title="Not now")

    home = browser.send(f"{page.path}/delete", {})
    thrown = browser.open(TRASH)
    back = browser.press(home, f"{TRASH}/{page.path.rpartition('/')[2]}/put-back")

    assert (home.path, "Not now It is in the trash until" in home.text, "Not now" in thrown.text) == (HOME, True, True)
    assert (back.path, back.form()["title"]) == (page.path, "Not now")
    assert "Put back from the trash aline" in browser.open(f"{page.path}/history").text
    assert browser.send(f"{TRASH}/{page.path.rpartition('/')[2]}/put-back", {}).path == page.path  # sent twice
    assert "in the trash" not in browser.open(f"{HOME}?thrown={page.path.rpartition('/')[2]}").text


def test_its_address_says_where_it_is_to_people_of_the_show_only(studio: Studio, mp3: bytes) -> None:
    browser, viewer = studio.signed_in(), studio.signed_in("vera@example.org", role="viewer")
    studio.account("elsewhere@example.org", is_administrator=False)
    other = studio.signed_in("elsewhere@example.org")
    page = browser.upload(mp3, title="Gone for now")
    browser.send(f"{page.path}/delete", {})

    saved, seen, hidden = browser.fill(page, title="Too late"), viewer.open(page.path), other.open(page.path)
    back = browser.press(browser.open(page.path), f"{TRASH}/{page.path.rpartition('/')[2]}/put-back")

    assert [answer.status for answer in (saved, seen, hidden)] == [404, 404, 404]
    assert "This draft was thrown away on" in saved.text
    assert "It can be put back until" in seen.text
    assert seen.document.xpath("//main//form") == []
    assert "Gone for now" not in hidden.text
    assert "not yours to see" in hidden.text
    assert (back.path, back.form()["title"]) == (page.path, "Gone for now")


def test_it_is_deleted_for_good_only_when_asked_once_more(studio: Studio, mp3: bytes) -> None:
    browser, viewer = studio.signed_in(), studio.signed_in("vera@example.org", role="viewer")
    page = browser.upload(mp3, title="Never")
    browser.send(f"{page.path}/delete", {})
    path = f"{TRASH}/{page.path.rpartition('/')[2]}/delete"

    seen = viewer.open(TRASH)
    refused = viewer.send(path, {})
    asked = browser.open(path)
    gone = browser.press(asked, path)

    assert ("Never" in seen.text, seen.document.xpath("//main//form | //main//a")) == (True, [])
    assert refused.status == 403
    assert (gone.path, "Never" in gone.text) == (TRASH, False)
    assert browser.open(path).status == 404
