"""A show's home: what needs attention, what is to come, and what can be found again."""

import datetime as dt

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from podcast_app import formats
from podcast_app.models import Audio, Edition
from podcast_app.studio import home
from podcast_app.times import utcnow
from tests.podcasts import Library
from tests.site import Site
from tests.studio import HOME, Browser, Page, Studio


@pytest.fixture
def browser(studio: Studio) -> Browser:
    return studio.signed_in()


def test_failed_work_stands_first_with_its_reason_and_can_be_tried_again(
    studio: Studio, browser: Browser, mp3: bytes
) -> None:
    episode = _draft(studio.site, mp3, title="A broken one")
    studio.site.database.write(_break, episode)

    home = browser.open(HOME)
    again = f"/studio/episodes/{episode}/audio/enclosure/again"
    viewed = studio.signed_in("lecteur@example.org", role="viewer").open(HOME)

    assert next(section.get("aria-labelledby") for section in home.document.xpath("//main//section")) == "attention"
    assert "The file could not be read." in _held(home)
    assert "The file could not be read." in _held(viewed)
    assert viewed.document.xpath("//main//form[@method='post']") == []
    assert browser.press(home, again).path == f"/studio/episodes/{episode}/audio"
    assert "A broken one" not in _held(browser.open(HOME))


def test_what_is_scheduled_says_how_long_until_then(studio: Studio, browser: Browser, mp3: bytes) -> None:
    at = utcnow() + dt.timedelta(days=3, hours=1)
    episode = studio.site.episode(mp3, title="Soon", publish=at.isoformat()).json()

    line = _line(browser.open(HOME), episode["id"])

    assert "in 3 days" in line
    assert f"{at:%Y}" in line
    assert "(Brussels)" in line
    assert "2 secs" in line


@pytest.mark.parametrize(
    ("left", "english", "french"),
    [
        (dt.timedelta(minutes=18), "in 18 minutes", "dans 18 minutes"),
        (dt.timedelta(hours=5), "in 5 hours", "dans 5 heures"),
        (dt.timedelta(days=1), "in 1 day", "dans 1 jour"),
    ],
)
def test_the_time_left_is_said_in_both_languages(left: dt.timedelta, english: str, french: str) -> None:
    now = utcnow()

    assert [formats.time_left(now + left, now, language) for language in ("en", "fr")] == [english, french]


def test_titles_are_found_whatever_their_accents_and_letters_in_every_state(
    studio: Studio, browser: Browser, mp3: bytes
) -> None:
    site = studio.site
    draft = _draft(site, mp3, title="Écouter Matongé")
    translated = _draft(site, mp3, title="Other", translations={"fr": {"title": "À Matonge, l’été"}})
    scheduled = site.episode(mp3, title="MATONGE by night", publish="2031-12-10T09:00:00Z").json()["id"]
    gone = site.published(mp3, title="Matonge no more")["id"]
    site.api.post(f"/api/v1/episodes/{gone}/withdraw")
    _draft(site, mp3, title="Elsewhere")

    found = browser.open(f"{HOME}?q=matonge")
    both = browser.open(f"{HOME}?q=ETE+matong%C3%A9")
    none = browser.open(f"{HOME}?q=%25")

    assert _listed(found) == {draft, translated, scheduled, gone}
    assert _listed(both) == {translated}
    assert _listed(none) == set()
    assert "No episode has these words" in none.text
    assert found.document.get_element_by_id("q").value == "matonge"


@pytest.mark.long_on_postgresql
def test_each_kind_of_database_finds_the_same_and_drafts_without_a_title_by_their_file(
    library: Library, mp3: bytes
) -> None:
    accented = library.draft(mp3, title="Élégie d’ÉTÉ")
    by_file = library.draft(mp3, filename="été.mp3")
    library.draft(mp3, title="Hiver")

    found = library.work.database.read(home.found, library.show(), "eTe")

    assert found == {accented, by_file}


def test_once_something_is_out_the_home_leads_to_the_apps(studio: Studio, browser: Browser, mp3: bytes) -> None:
    studio.site.published(mp3, title="Out")

    assert f"{HOME}directories" in browser.open(HOME).document.xpath("//main//p/a/@href")


def test_covers_of_drafts_are_shown_small_to_those_who_may_see_them(
    studio: Studio, browser: Browser, mp3: bytes
) -> None:
    episode = _draft(studio.site, mp3, title="With a cover")

    small = browser.client.get(f"/studio/episodes/{episode}/picture?small")

    assert small.headers["content-type"] == "image/webp"
    assert len(small.content) < 40_000
    assert browser.open(HOME).document.xpath("//li/img[@class='thumb']/@src")
    assert studio.stranger().open(f"/studio/episodes/{episode}/picture?small").path == "/studio/sign-in"


def _draft(site: Site, audio: bytes, **fields: object) -> str:
    episode: str = site.episode(audio).json()["id"]
    answer = site.api.patch(f"/api/v1/episodes/{episode}", json=fields)
    assert answer.status_code == 200, answer.text
    return episode


def _break(session: Session, episode_id: str) -> None:
    """As the worker leaves it."""
    of_episode = select(Edition).join(Audio).where(Audio.episode_id == episode_id, Edition.name == "enclosure")
    edition = session.scalars(of_episode).one()
    edition.status, edition.failure = "failed", "The file could not be read."
    edition.lease_owner, edition.try_again_at = None, utcnow() + dt.timedelta(hours=1)


def _held(page: Page) -> str:
    return " ".join(each.text_content() for each in page.document.xpath("//section[@aria-labelledby='attention']"))


def _line(page: Page, episode_id: str) -> str:
    (line,) = page.document.xpath(f"//li[a[@href='/studio/episodes/{episode_id}']]")
    return str(line.text_content())


def _listed(page: Page) -> set[str]:
    links = page.document.xpath("//main//li/a/@href")
    return {link.rpartition("/")[2] for link in links if link.startswith("/studio/episodes/")}
