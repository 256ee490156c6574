"""What listeners will get, before they get it; drafts that save themselves; and guests."""

import datetime as dt
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest
from lxml import html
from playwright.async_api import Page as Window
from playwright.async_api import expect
from sqlalchemy import select
from sqlalchemy.orm import Session

from podcast_app.access import SESSION_COOKIE
from podcast_app.models import Audio, EpisodeId, Measurement, Show
from podcast_app.studio import zones
from tests.podcast_app.test_studio_persons import rows
from tests.site import Site
from tests.studio import Browser, Page, Studio, opened

JSON = {"Accept": "application/json"}


@pytest.fixture(scope="module")
def path(shared_site: Site, mp3: bytes) -> str:
    """Of one draft for all tests that bring no audio of their own; what is typed into it differs each time."""
    return f"/studio/episodes/{shared_site.episode(mp3, title='Matonge').json()['id']}"


def save_itself(browser: Browser, page: Page, **typed: str) -> httpx2.Response:
    """What the page's script sends."""
    return browser.client.post(page.path, data=page.form() | typed, headers=JSON)


def preview(browser: Browser, page: Page, query: str = "", **typed: str) -> Page:
    return browser.send(f"{page.path}/preview{query}", page.form() | typed)


# --- preview ---


def test_the_preview_is_the_page_that_listeners_get_later(studio: Studio, mp3: bytes) -> None:
    aline = studio.signed_in()
    draft = aline.upload(mp3, title="Matonge")
    typed = {"title": "Matonge, a walk", "notes": "With **Aline**.", "chapters": "0:00 Start\n0:01 Market"}

    before = preview(aline, draft, **typed, **rows("Jean Bizimana"))
    after = aline.send(draft.path, draft.form() | typed | rows("Jean Bizimana") | {"then": "publish"})
    episode = studio.site.wait_for(draft.path.rpartition("/")[2], "published")

    public = Page(studio.site.listener.get(str(episode["url"])))
    assert after.status == 200
    assert _as_read(before) == _as_read(public)
    assert "Jean Bizimana" in before.text


def test_a_preview_saves_nothing(studio: Studio, path: str) -> None:
    aline = studio.signed_in()
    draft = aline.open(path)

    shown = preview(aline, draft, title="Something else", season="two", fr_notes="x")

    assert shown.document.find(".//h1").text == "Something else"
    again = aline.open(draft.path)
    assert again.form() == draft.form()
    assert "Something else" not in again.text


@pytest.mark.long
def test_previews_and_savings_at_once_hold_nobody_up(site: Site, mp3: bytes) -> None:
    with opened(site) as studio:
        aline = studio.signed_in()
        draft = aline.upload(mp3, title="Vorst")

        def act(number: int) -> int:
            title = f"Vorst {number}"
            answer = preview(aline, draft, title=title).answer if number % 2 else save_itself(aline, draft, title=title)
            return answer.status_code

        with ThreadPoolExecutor(8) as many:
            statuses = set(many.map(act, range(40)))

        assert statuses <= {200, 409}  # a clash: two savings of the same form
        assert int(aline.open(draft.path).form()["title"].removeprefix("Vorst ")) % 2 == 0


def test_a_preview_is_for_nobody_else(studio: Studio, path: str) -> None:
    aline = studio.signed_in()
    draft = aline.open(path)

    headers = preview(aline, draft).answer.headers

    assert headers["cache-control"] == "no-store"
    assert headers["x-robots-tag"] == "noindex, nofollow"
    assert headers["x-frame-options"] == "DENY"
    assert studio.stranger().send(f"{draft.path}/preview", {}).status == 401
    assert studio.signed_in("other@example.org", role="viewer").send(f"{draft.path}/preview", {}).status == 200


def test_the_audio_of_a_preview_can_be_heard(studio: Studio, path: str) -> None:
    aline = studio.signed_in()
    draft = aline.open(path)

    address = preview(aline, draft).document.xpath("//audio/@src")[0]

    assert aline.client.get(address, headers={"Range": "bytes=0-9"}).status_code == 206
    assert studio.stranger().client.get(address).status_code in (303, 401)


def test_the_feed_item_is_shown_as_text(studio: Studio, path: str) -> None:
    aline = studio.signed_in()
    draft = aline.open(path)

    item = preview(aline, draft, "?as=feed", title="<b>Bold</b> & more")
    nothing = preview(aline, draft, "?as=feed", title="")

    text = item.document.find(".//pre").text_content()
    assert "<title>&lt;b&gt;Bold&lt;/b&gt; &amp; more</title>" in text
    assert "<itunes:duration>2</itunes:duration>" in text
    assert "xmlns" not in text
    assert "As soon as there is a title" in nothing.text


def test_a_preview_has_the_words_of_each_language(studio: Studio, path: str) -> None:
    aline = studio.signed_in()
    draft = aline.open(path)

    french = preview(aline, draft, "?language=fr", **{"title.fr": "Le marché"})

    assert french.document.get("lang") == "fr"
    assert french.document.find(".//h1").text == "Le marché"


def test_the_transcripts_of_a_preview_can_be_read(studio: Studio, path: str) -> None:
    aline = studio.signed_in()
    vtt = b"WEBVTT\n\n00:00.000 --> 00:01.000\nBonjour.\n"
    studio.site.api.put(f"/api/v1{path.removeprefix('/studio')}/transcripts/fr", content=vtt)

    (transcript,) = preview(aline, aline.open(path)).document.xpath("//details[@data-transcript]")
    addresses = [*transcript.xpath(".//a/@href"), transcript.get("data-src")]

    assert len(addresses) == 5
    assert all("Bonjour." in aline.client.get(address).text for address in addresses)
    assert [studio.stranger().client.get(address).status_code for address in addresses] == [303] * 5


# --- saved as it is typed ---


def test_a_draft_saves_itself_and_says_what_the_page_needs(studio: Studio, path: str) -> None:
    aline = studio.signed_in()
    draft = aline.open(path)

    answer = save_itself(aline, draft, title="Forest, at last", notes="Words.")

    said = answer.json()
    assert answer.status_code == 200
    assert said["title"] == "Forest, at last"
    assert dt.datetime.fromisoformat(said["saved_at"]).tzinfo is not None
    assert aline.open(draft.path).form()["seen"] == said["seen"]
    assert aline.open(draft.path).form()["notes"] == "Words."
    assert "Write a few lines" not in said["advice"]


def test_what_is_wrong_in_one_field_does_not_keep_the_others_from_being_saved(studio: Studio, path: str) -> None:
    aline = studio.signed_in(language="fr", email="fr@example.org")
    draft = aline.open(path)

    answer = save_itself(aline, draft, title="Jette 2", season="deux", chapters="nonsense")

    assert answer.status_code == 422
    assert [finding["field"] for finding in answer.json()["findings"]] == ["chapters", "season"]
    assert "La saison" in answer.json()["findings"][1]["text"]
    assert aline.open(draft.path).form()["title"] == "Jette 2"


def test_an_address_that_is_taken_keeps_all_from_being_saved_and_says_so(studio: Studio, path: str, mp3: bytes) -> None:
    aline = studio.signed_in()
    taken = aline.upload(mp3, title="Taken before").form()["slug"]
    draft = aline.open(path)

    answer = save_itself(aline, draft, title="Evere 2", slug=taken)

    assert answer.status_code == 422
    assert answer.json()["saved_at"] is None
    assert answer.json()["findings"][0]["field"] == "slug"
    assert aline.open(path).form()["title"] == draft.form()["title"]


def test_two_who_type_at_once_both_keep_their_words(studio: Studio, path: str) -> None:
    aline, jean = studio.signed_in(), studio.signed_in("jean@example.org")
    opened = aline.open(path)
    save_itself(aline, opened, title="Laeken by Aline", season="3")

    answer = save_itself(jean, opened, title="Laeken by Jean", notes="Jean's notes")

    assert answer.status_code == 409
    clash = answer.json()["clashes"][0]
    assert (clash["field"], clash["value"], clash["by"]) == ("title", "Laeken by Aline", "aline")
    assert answer.json()["elsewhere"] == {"season": "3", "slug": "laeken-by-aline"}
    form = aline.open(opened.path).form()
    assert (form["title"], form["season"], form["notes"]) == ("Laeken by Aline", "3", "Jean's notes")


def test_who_has_chosen_their_own_or_the_others_text_saves_it(studio: Studio, path: str) -> None:
    aline, jean = studio.signed_in(), studio.signed_in("jean@example.org")
    opened = aline.open(path)
    aline.fill(opened, title="Haren by Aline")

    clash = jean.fill(opened, title="Haren by Jean", notes="Jean's notes")
    saved = jean.fill(clash, **{"take.title": "yes"})

    assert clash.status == 409
    assert "Saved meanwhile by aline:" in clash.beside("title")
    assert saved.form()["title"] == "Haren by Aline"
    assert saved.form()["notes"] == "Jean's notes"


def test_who_is_signed_out_or_may_only_look_is_told_and_saves_nothing(studio: Studio, path: str) -> None:
    aline = studio.signed_in()
    draft = aline.open(path)

    assert save_itself(studio.stranger(), draft, title="Mine").status_code == 401
    assert save_itself(studio.signed_in("looks@example.org", role="viewer"), draft, title="Mine").status_code == 403
    assert aline.open(path).form()["title"] == draft.form()["title"]


def test_what_was_published_meanwhile_is_not_saved_by_itself(studio: Studio, mp3: bytes) -> None:
    aline = studio.signed_in()
    draft = aline.upload(mp3, title="Out already")
    aline.fill(draft, then="publish")
    studio.site.wait_for(draft.path.rpartition("/")[2], "published")

    answer = save_itself(aline, draft, title="By itself")

    assert (answer.status_code, answer.json()["state"], answer.json()["saved_at"]) == (409, "published", None)
    assert aline.open(draft.path).form()["title"] == "Out already"


def test_after_saving_the_page_says_when_and_repeats_no_other_words_of_the_address(studio: Studio, path: str) -> None:
    aline = studio.signed_in()
    draft = aline.open(path)

    saved = aline.fill(draft, title="Berchem 2")

    assert re.fullmatch(r"Saved at \d\d:\d\d", _status(saved))
    assert _status(aline.open(f"{path}?saved=<b>now")) == ""


# --- guests ---


def test_a_guest_sees_and_hears_a_draft_until_the_link_is_taken_back(studio: Studio, path: str) -> None:
    aline, guest = studio.signed_in(), studio.stranger()
    draft = aline.open(path)

    made = aline.send(f"{draft.path}/guests", {})
    link = made.document.get_element_by_id("shown-once").get("value").removeprefix(studio.site.settings.origin)
    seen = guest.open(link)
    audio = seen.document.xpath("//audio/@src")[0]

    assert seen.document.find(".//h1").text == draft.form()["title"]
    assert "Not public yet" in seen.text
    assert seen.answer.headers["x-robots-tag"] == "noindex, nofollow"
    assert seen.document.xpath("//link[@rel='manifest'] | //script[@type='application/ld+json']") == []
    assert "set-cookie" not in seen.answer.headers
    assert guest.client.get(audio).content
    assert guest.client.get(f"{link}/audio/original").status_code == 404
    assert guest.client.get(seen.document.xpath("//audio/@src")[0].replace("/audio/", "/audio/x")).status_code == 404
    assert link.rpartition("/")[2] not in aline.open(draft.path).answer.text

    aline.press(aline.open(draft.path), f"{draft.path}/guests/take-back")

    assert [guest.open(path).status for path in (link, audio, f"{link}/picture")] == [404, 404, 404]
    assert "leads nowhere any more" in guest.open(link).text


def test_a_guests_link_leads_to_the_public_page_once_there_is_one(studio: Studio, mp3: bytes) -> None:
    aline, guest = studio.signed_in(), studio.stranger()
    draft = aline.upload(mp3, title="Soon public")
    made = aline.send(f"{draft.path}/guests", {})
    link = made.document.get_element_by_id("shown-once").get("value").removeprefix(studio.site.settings.origin)

    aline.fill(aline.open(draft.path), then="publish")
    episode = studio.site.wait_for(draft.path.rpartition("/")[2], "published")

    answer = guest.client.get(link, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, episode["url"])


def test_only_who_may_change_an_episode_makes_a_link_to_it(studio: Studio, path: str) -> None:
    draft = studio.signed_in().open(path)
    looks = studio.signed_in("looks@example.org", role="viewer")

    assert looks.send(f"{draft.path}/guests", {}).status == 403
    assert looks.open(draft.path).document.xpath("//form[contains(@action, 'guests')]") == []


# --- clocks ---


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-12-10T08:00Z", {"Brussels": "09:00", "Kinshasa": "09:00", "Kigali": "10:00", "Nouakchott": "08:00"}),
        ("2027-07-10T07:00Z", {"Brussels": "09:00", "Kinshasa": "08:00", "Kigali": "09:00", "Nouakchott": "07:00"}),
    ],
)
def test_a_time_is_said_on_the_clocks_that_a_show_cares_about(at: str, expected: Mapping[str, str]) -> None:
    show = Show(time_zone="Europe/Brussels", zones=[])
    now = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)

    clocks = zones.clocks(show, dt.datetime.fromisoformat(at), "en", now)

    assert {clock.city: clock.then for clock in clocks} == expected
    assert {clock.city for clock in clocks if clock.moves} == (set(expected) - {"Brussels"} if "-07-" in at else set())


@pytest.mark.parametrize(
    ("silence_ms", "said"),
    [(300, "0:02, ends in speech or music"), (3_900, "0:02, ends with 4 s of silence"), (None, "0:02")],
)
def test_the_end_of_a_recording_is_told_beside_the_way_to_hear_it(
    studio: Studio, path: str, silence_ms: int | None, said: str
) -> None:
    studio.site.database.write(_measured, EpisodeId(path.rpartition("/")[2]), silence_ms)

    shown = studio.signed_in().open(path)

    assert " ".join(shown.document.xpath("//p[@class='ending']/span")[0].text_content().split()) == said
    assert shown.document.xpath("//p[@class='ending']/a/@href")[0].endswith("#t=0")


# --- in a browser ---


async def test_what_is_typed_is_previewed_and_saved_at_once(studio: Studio, path: str, page: Window) -> None:
    aline = studio.signed_in()
    draft = aline.open(path)
    origin = studio.site.settings.origin
    session = aline.client.cookies[SESSION_COOKIE]
    await page.context.add_cookies([{"name": SESSION_COOKIE, "value": session, "url": origin}])
    await page.set_viewport_size({"width": 1280, "height": 900})

    await page.goto(origin + draft.path)
    await page.get_by_label("Title", exact=True).fill("Schaerbeek, live")

    await expect(page.frame_locator("iframe").get_by_role("heading", level=1)).to_have_text("Schaerbeek, live")
    await expect(page.locator("[data-status]")).to_contain_text("Saved at")
    assert aline.open(draft.path).form()["title"] == "Schaerbeek, live"


def _measured(session: Session, episode_id: EpisodeId, silence_ms: int | None) -> None:
    upload_id = select(Audio.upload_id).where(Audio.episode_id == episode_id).scalar_subquery()
    row = session.scalars(select(Measurement).where(Measurement.upload_id == upload_id)).one()
    row.silence_end_ms = silence_ms


def _status(page: Page) -> str:
    return str(page.document.xpath("string(//*[@data-status])")).strip()


def _as_read(page: Page) -> str:
    """The page's own part, without the addresses of its audio, which is not public before, and what is then shared."""
    main = html.tostring(page.document.find(".//main"), encoding="unicode")
    main = re.sub(r'\s*(<section class="share".*</section>)?\s*</article>', "</article>", main, flags=re.DOTALL)
    main = re.sub(r"\(\d+ kB\)", "(size)", main)  # what they get may be made meanwhile
    return re.sub(r'"(/media/[^"#?]*|/studio/episodes/[^"#?]*/audio/[^"#?]*)', '"AUDIO', main)
