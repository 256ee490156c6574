"""What producers are told after an episode was to go out: what happened, who came for it, and what is late."""

import datetime as dt

from sqlalchemy.orm import Session

from podcast_app import people
from podcast_app.models import Episode, EpisodeId, FeedFetch
from podcast_app.times import utcnow
from tests.site import SLUG, Site
from tests.studio import HOME, SETTINGS, Studio

FEED = f"/{SLUG}/feed.xml"


def late(site: Site, mp3: bytes, title: str, minutes: int) -> EpisodeId:
    """An episode that should have gone out so long ago, and that no worker takes up for another hour."""
    made = EpisodeId(site.episode(mp3, title=title).json()["id"])

    def delay(session: Session) -> None:
        episode = session.get_one(Episode, made)
        episode.state, episode.publish_at = "scheduled", utcnow() - dt.timedelta(minutes=minutes)
        episode.try_again_at = utcnow() + dt.timedelta(hours=1)

    site.database.write(delay)
    return made


def test_what_is_late_is_red_on_every_page_of_those_whose_it_is(studio: Studio, mp3: bytes) -> None:
    browser, viewer = studio.signed_in(), studio.signed_in("vera@example.org", role="viewer")
    other = studio.signed_in("omar@example.org", role="viewer")
    omar = studio.person("omar@example.org")
    assert omar is not None
    studio.site.database.write(people.set_role, omar.id, studio.site.show().id, None)
    on_its_way, made = late(studio.site, mp3, "On its way", 1), late(studio.site, mp3, "Held up", 3)

    pages = [who.open(path) for who in (browser, viewer) for path in (HOME, SETTINGS, "/studio/account")]
    told = ["".join(page.document.xpath("//*[@class='overdue']//text()")) for page in pages]
    elsewhere = other.open("/studio/account").document.xpath("//*[@class='overdue']")
    for episode in (on_its_way, made):
        studio.site.api.delete(f"/api/v1/episodes/{episode}")
    after = browser.open(HOME).document.xpath("//*[@class='overdue']")

    assert all("Held up" in said and "It should have gone out on" in said for said in told)
    assert not any("On its way" in said for said in told)
    assert "audio is not ready" in told[0] or "no worker seems to run" in told[0]
    assert pages[0].document.xpath(f"//*[@class='overdue']//a[@href='/studio/episodes/{made}']") != []
    assert (elsewhere, after) == ([], [])


def test_the_page_says_in_which_feed_it_is_and_who_has_come(studio: Studio, mp3: bytes) -> None:
    site, browser = studio.site, studio.signed_in()

    def came_before(session: Session) -> None:
        for reader in ("Spotify", "Castro"):
            session.add(FeedFetch(show_id=site.show().id, view="main", generation=1, reader=reader, at=utcnow()))

    site.database.write(came_before)
    episode = site.published(mp3, title="Matonge")
    site.listener.get(FEED, headers={"User-Agent": "Spotify/1.0"})
    path, end = f"/studio/episodes/{episode['id']}", utcnow() + dt.timedelta(seconds=10)
    while "first looked" not in (page := browser.open(path)).text:
        assert utcnow() < end

    names = page.document.xpath("//*[@class='after']//dt/text()")
    said = "".join(page.document.xpath("//*[@class='after']//text()"))
    assert names[-2:] == ["Castro", "Spotify"]
    assert all(words in said for words in ("tests", "in it since then", "not yet"))
    assert page.document.xpath("//*[@class='after']//a[starts-with(@href, 'https://wa.me/?text=Matonge')]") != []

    site.api.post(f"/api/v1/episodes/{episode['id']}/withdraw")
    gone = browser.open(path)

    assert "Those that looked may still have it" in gone.text
    assert "in it until" in gone.text
    assert "in it since" not in gone.text
    assert gone.document.xpath("//*[@class='after']//dt/text()")[-1] == "Spotify"
