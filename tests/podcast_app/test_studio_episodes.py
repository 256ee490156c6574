"""An episode's life in the studio: from a form with a recording to publication, and to its end."""

import datetime as dt
import threading
from pathlib import Path

import pytest
from lxml import etree
from mutagen.id3 import COMM, TIT2
from sqlalchemy import select
from sqlalchemy.orm import Session

from podcast_app.access import SESSION_COOKIE
from podcast_app.models import Audio, Edition, Episode
from podcast_app.settings import Settings
from podcast_app.times import utcnow
from tests.media.samples import tagged
from tests.site import SLUG, Site, free_port, running
from tests.studio import HOME, NEW, Browser, Page, Studio, opened


@pytest.fixture
def recording(mp3: bytes, tmp_path: Path) -> bytes:
    """A recording that says what it is called."""
    path = tmp_path / "tagged.mp3"
    path.write_bytes(mp3)
    comment = COMM(encoding=3, lang="eng", desc="", text="A walk through the quarter.")
    return tagged(path, TIT2(encoding=3, text="Matonge, un quartier"), comment).read_bytes()


@pytest.fixture
def browser(studio: Studio) -> Browser:
    return studio.signed_in()


def episode_id(page: Page) -> str:
    assert page.path.startswith("/studio/episodes/"), page.text
    return page.path.rpartition("/")[2]


def in_feed(site: Site) -> list[str]:
    """The titles in the show's feed."""
    feed = etree.fromstring(site.listener.get(f"/{SLUG}/feed.xml").content)
    return [str(title) for title in feed.xpath("//item/title/text()")]


def publish(studio: Studio, browser: Browser, page: Page) -> Page:
    browser.fill(page, then="publish")
    studio.site.wait_for(episode_id(page), "published")
    return browser.open(page.path)


# --- from a recording to a draft ---


def test_a_recording_becomes_a_draft_that_says_what_came_from_the_file(browser: Browser, recording: bytes) -> None:
    page = browser.upload(recording)

    assert page.status == 200
    assert page.form()["title"] == "Matonge, un quartier"
    assert page.form()["notes"] == "A walk through the quarter."
    assert "from the file" in page.beside("title")
    assert "from the file" not in page.document.get_element_by_id("season").get("aria-describedby", "")


def test_what_was_typed_wins_over_what_the_file_says(browser: Browser, recording: bytes) -> None:
    page = browser.upload(recording, title="Ma rue", season="2")

    assert (page.form()["title"], page.form()["season"]) == ("Ma rue", "2")
    assert page.form()["notes"] == "A walk through the quarter."


def test_a_refused_field_keeps_the_recording_and_all_that_was_typed(browser: Browser, recording: bytes) -> None:
    typed = {"notes": "Des mots.\n\nD’autres.", "season": "two", "title.fr": "Matongé", "explicit": "true"}

    page = browser.upload(recording, **typed)

    assert page.status == 422
    assert "Your recording is safe: matonge.mp3" in page.text
    assert "not a whole number" in page.beside("season")
    assert page.document.xpath("//*[@role='alert']//a[@href='#season']")
    assert {name: value.replace("\r\n", "\n") for name, value in page.form().items() if name in typed} == typed


def test_the_kept_recording_becomes_the_episode_without_being_sent_again(browser: Browser, recording: bytes) -> None:
    refused = browser.upload(recording, season="two")

    page = browser.upload(b"", "", path=refused.path, **(refused.form() | {"season": "2"}))

    assert page.status == 200
    assert page.form()["title"] == "Matonge, un quartier"
    assert page.form()["season"] == "2"


def test_a_recording_that_waits_is_offered_and_can_be_thrown_away(studio: Studio, recording: bytes) -> None:
    browser = studio.signed_in()
    upload = browser.upload(recording, "wartet.mp3", season="two").form()["upload_id"]

    offered = browser.open(HOME)
    used = browser.open(f"{NEW}?upload={upload}")
    discard = f"{HOME}recordings/{upload}/discard"
    asked = browser.open(discard)
    after = browser.press(asked, discard)

    assert offered.document.xpath(f"//a[@href='{discard}']")
    assert "wartet.mp3" in asked.text
    assert "Your recording is safe: wartet.mp3" in used.text
    assert "wartet.mp3" not in after.text


def test_what_is_no_audio_is_refused_with_the_reason_and_the_form_comes_back(browser: Browser) -> None:
    page = browser.upload(b"<html>not a sound</html>" * 100, "page.mp3", notes="Kept.")

    assert page.status == 422
    assert page.beside("audio") != ""
    assert page.form()["notes"] == "Kept."
    assert "upload_id" not in page.form()


def test_without_a_recording_the_form_asks_for_one(browser: Browser) -> None:
    page = browser.upload(b"", "", notes="Kept.")

    assert page.status == 422
    assert "no recording yet" in page.beside("audio")
    assert page.form()["notes"] == "Kept."


def test_a_form_that_is_sent_twice_at_once_makes_one_episode(site: Site, mp3: bytes) -> None:
    with opened(site) as studio:
        browser = studio.signed_in()
        form_id, pages = browser.open(NEW).form()["form_id"], []
        first, second = (
            threading.Thread(
                target=lambda: pages.append(browser.upload(mp3, title="Once", then="publish", form_id=form_id))
            )
            for _ in range(2)
        )
        for thread in (first, second):
            thread.start()
        for thread in (first, second):
            thread.join()

        assert [page.status for page in pages] == [200, 200]
        assert pages[0].path == pages[1].path
        site.wait_for(episode_id(pages[0]), "published")
        assert in_feed(site) == ["Once"]
        assert "Recordings that wait" not in browser.open(HOME).text


# --- two people ---


def test_changes_of_two_people_to_different_texts_are_both_kept(browser: Browser, mp3: bytes) -> None:
    draft = browser.upload(mp3, title="Matonge", notes="First.")
    browser.fill(draft, notes="Second.")

    page = browser.fill(draft, title="Matongé")

    assert page.status == 200
    assert (page.form()["title"], page.form()["notes"]) == ("Matongé", "Second.")


def test_a_text_that_both_changed_is_shown_twice_and_nothing_is_lost(browser: Browser, mp3: bytes) -> None:
    draft = browser.upload(mp3, title="Matonge")
    browser.fill(draft, title="The other's title")

    page = browser.fill(draft, title="My title", season="4")

    assert page.status == 409
    assert (page.form()["title"], page.form()["season"]) == ("My title", "4")
    assert "The other's title" in page.beside("title")
    after = browser.fill(page)
    assert (after.form()["title"], after.form()["season"]) == ("My title", "4")


def test_saving_twice_is_as_saving_once(browser: Browser, mp3: bytes) -> None:
    draft = browser.upload(mp3, title="Matonge")

    pages = [browser.fill(draft, title="Matongé") for _ in range(2)]

    assert [(page.status, page.form()["title"]) for page in pages] == [(200, "Matongé")] * 2


# --- publishing ---


def test_publishing_says_where_the_episode_is(studio: Studio, browser: Browser, mp3: bytes) -> None:
    draft = browser.upload(mp3, title="On the air", notes="Heard by all.")

    page = publish(studio, browser, draft)

    address = f"{studio.site.settings.origin}/{SLUG}/on-the-air"
    assert page.document.xpath(f"//a[@href='{address}']")
    assert "<iframe" in page.document.get_element_by_id("embed-en").get("value")
    assert studio.site.listener.get(f"/{SLUG}/on-the-air").status_code == 200
    assert "On the air" in in_feed(studio.site)


def test_what_keeps_an_episode_from_going_out_is_named_and_the_rest_is_saved(browser: Browser, mp3: bytes) -> None:
    draft = browser.upload(mp3, title="x", notes="Written before.")

    page = browser.fill(draft, title="", notes="Written now.", then="publish")

    assert page.status == 422
    assert "no title" in page.beside("title")
    kept = browser.open(page.path)
    assert kept.form()["notes"] == "Written now."
    assert "A draft" in kept.text
    assert "matonge.mp3" in kept.document.find(".//h1").text


def test_a_published_episode_keeps_what_it_cannot_do_without(studio: Studio, browser: Browser, mp3: bytes) -> None:
    page = publish(studio, browser, browser.upload(mp3, title="Never without a title"))
    before = studio.site.listener.get(f"/{SLUG}/feed.xml").content

    refused = browser.fill(page, title="", notes="Typed, and not lost.")

    assert refused.status == 422
    assert refused.form()["notes"] == "Typed, and not lost."
    assert studio.site.listener.get(f"/{SLUG}/feed.xml").content == before


def test_a_renamed_episode_is_renamed_for_listeners(studio: Studio, browser: Browser, mp3: bytes) -> None:
    page = publish(studio, browser, browser.upload(mp3, title="Before"))

    browser.fill(page, title="After", fr_title="Après")

    assert "After" in in_feed(studio.site)
    assert "Before" not in in_feed(studio.site)
    assert "Après" in studio.site.listener.get(f"/fr/{SLUG}/feed.xml").text


# --- a time for it ---


def test_a_time_in_summer_for_winter_is_winters_and_names_its_zone(
    studio: Studio, browser: Browser, mp3: bytes
) -> None:
    draft = browser.upload(mp3, title="December")

    page = browser.fill(draft, then="schedule", publish_at="2031-12-10T09:00")

    assert studio.site.api.get(f"/api/v1/episodes/{episode_id(page)}").json()["publish_at"] == "2031-12-10T08:00:00Z"
    assert "10 Dec 2031, 09:00 (Brussels)" in page.text
    assert page.form()["publish_at"] == "2031-12-10T09:00"


def test_the_hour_that_is_not_there_is_refused_kindly(browser: Browser, mp3: bytes) -> None:
    draft = browser.upload(mp3, title="At night")

    page = browser.fill(draft, then="schedule", publish_at="2031-03-30T02:30", notes="Kept.")

    assert page.status == 422
    assert "does not exist" in page.beside("publish_at")
    assert (page.form()["publish_at"], page.form()["notes"]) == ("2031-03-30T02:30", "Kept.")


@pytest.mark.parametrize(("which", "utc"), [("0", "2031-10-26T00:30:00Z"), ("1", "2031-10-26T01:30:00Z")])
def test_the_hour_that_comes_twice_is_asked_for(
    studio: Studio, browser: Browser, mp3: bytes, which: str, utc: str
) -> None:
    draft = browser.upload(mp3, title="At night")

    asked = browser.fill(draft, then="schedule", publish_at="2031-10-26T02:30")
    page = browser.fill(asked, then="schedule", publish_at_which=which)

    assert asked.status == 422
    assert len(asked.document.xpath("//input[@name='publish_at_which']")) == 2
    assert studio.site.api.get(f"/api/v1/episodes/{episode_id(page)}").json()["publish_at"] == utc


def test_a_time_that_has_passed_publishes_nothing_by_mistake(browser: Browser, mp3: bytes) -> None:
    draft = browser.upload(mp3, title="Wrong year")

    page = browser.fill(draft, then="schedule", publish_at="2020-12-10T09:00", notes="Kept.")

    assert page.status == 422
    assert "This time has passed" in page.beside("publish_at")
    assert page.form()["notes"] == "Kept."


def test_an_episode_is_taken_off_the_schedule(browser: Browser, mp3: bytes) -> None:
    scheduled = browser.fill(browser.upload(mp3, title="Later"), then="schedule", publish_at="2031-12-10T09:00")

    page = browser.fill(scheduled, then="unschedule")

    assert "A draft" in page.text


# --- the end of it ---


def test_withdrawing_is_asked_first_and_then_done(studio: Studio, browser: Browser, mp3: bytes) -> None:
    page = publish(studio, browser, browser.upload(mp3, title="Taken back"))

    asked = browser.open(f"{page.path}/withdraw")
    still = in_feed(studio.site)
    gone = browser.fill(asked)

    assert "It is final" in asked.text
    assert "Taken back" in still
    assert "Withdrawn on" in gone.text
    assert "Taken back" not in in_feed(studio.site)
    assert studio.site.listener.get(f"/{SLUG}/taken-back").status_code == 410
    assert browser.send(f"{page.path}/withdraw", {}).status == 200  # said twice, it is as said once


def test_a_withdrawn_recording_can_become_a_new_episode(studio: Studio, browser: Browser, mp3: bytes) -> None:
    page = publish(studio, browser, browser.upload(mp3, title="Once more"))
    gone = browser.send(f"{page.path}/withdraw", {})

    waits = browser.open(HOME)
    again = gone.document.xpath("//a[contains(@href, '?upload=')]/@href")[0]
    made = browser.upload(b"", "", path=again, title="Made anew", upload_id=again.partition("=")[2])

    assert again.partition("=")[2] not in waits.answer.text  # it stays with its episode
    assert made.form()["title"] == "Made anew"
    assert made.path != page.path


def test_a_draft_is_deleted_after_a_question_and_a_published_one_never(
    studio: Studio, browser: Browser, mp3: bytes
) -> None:
    draft = browser.upload(mp3, title="Thrown away")
    public = publish(studio, browser, browser.upload(mp3, title="Here to stay"))

    after = browser.fill(browser.open(f"{draft.path}/delete"))
    refused = browser.send(f"{public.path}/delete", {})

    assert after.path == HOME
    assert "Thrown away" not in browser.open(HOME).text
    assert refused.status == 409
    assert "Here to stay" in in_feed(studio.site)


# --- what needs somebody ---


def test_an_empty_show_says_what_to_do(tmp_path: Path) -> None:
    settings = Settings(port=free_port(), data_dir=tmp_path, _env_file=None)
    with running(settings, with_worker=False) as site, opened(site) as studio:
        page = studio.signed_in().open("/studio/")

    assert page.path == HOME
    assert "New episode" in page.text
    assert "choose your recording" in page.text


def test_the_list_names_each_state_and_what_is_wrong(studio: Studio, browser: Browser, mp3: bytes) -> None:
    draft = episode_id(browser.upload(mp3, title="A broken one"))
    studio.site.database.write(_break_audio, draft)

    page = browser.open(HOME)

    line = next(line for line in page.document.xpath("//li") if "A broken one" in line.text_content())
    assert "could not be read" in line.text_content()


def _break_audio(session: Session, episode_id: str) -> None:
    """As the worker leaves it; in case it is at work on it just now, it has lost its lease."""
    edition = session.scalars(
        select(Edition).join(Audio).where(Audio.episode_id == episode_id, Edition.name == "enclosure")
    ).one()
    edition.status, edition.failure = "failed", "The file could not be read."
    edition.lease_owner, edition.try_again_at = None, utcnow() + dt.timedelta(hours=1)


def test_a_due_episode_that_cannot_go_out_says_why(studio: Studio, browser: Browser, mp3: bytes) -> None:
    scheduled = browser.fill(browser.upload(mp3, title="x"), then="schedule", publish_at="2031-12-10T09:00")
    browser.fill(scheduled, title="")
    studio.site.database.write(_time_has_come, episode_id(scheduled))

    page = browser.open(HOME)

    line = next(line for line in page.document.xpath("//li") if line.xpath(f".//a[@href='{scheduled.path}']"))
    assert "has no title" in line.text_content()


def _time_has_come(session: Session, episode_id: str) -> None:
    session.get_one(Episode, episode_id).publish_at = utcnow()


# --- who may ---


def test_who_was_signed_out_meanwhile_loses_nothing_of_what_was_typed(
    studio: Studio, browser: Browser, mp3: bytes
) -> None:
    draft = browser.upload(mp3, title="Before")
    form, secret = draft.form() | {"title": "Typed for an hour"}, browser.client.cookies[SESSION_COOKIE]
    browser.client.cookies.clear()

    told = browser.send(draft.path, form)
    browser.client.cookies.set(SESSION_COOKIE, secret)
    again = browser.send(draft.path, form)

    assert told.status == 401
    assert "what you typed is kept" in told.text
    assert again.form()["title"] == "Typed for an hour"


def test_who_only_looks_sees_everything_and_changes_nothing(studio: Studio, browser: Browser, mp3: bytes) -> None:
    draft = browser.upload(mp3, title="Looked at")
    viewer = studio.signed_in("viewer@example.org", role="viewer")

    seen = viewer.open(draft.path)

    assert (seen.status, list(seen.form())) == (200, ["seen"])
    assert "Looked at" in seen.text
    assert viewer.open(NEW).status == 403
    for path in (draft.path, NEW, f"{draft.path}/withdraw", f"{draft.path}/delete", f"{HOME}settings"):
        files = {"cover": ("", b"")} if path in (NEW, f"{HOME}settings") else None
        sent = viewer.client.post(path, data={"title": "Mine", "then": "publish"}, files=files)
        assert sent.status_code == 403, path
    assert browser.open(draft.path).form()["title"] == "Looked at"


def test_a_producer_of_the_show_works_in_it(studio: Studio, mp3: bytes) -> None:
    producer = studio.signed_in("producer@example.org", role="producer")

    page = producer.upload(mp3, title="By a producer")

    assert (page.status, page.form()["title"]) == (200, "By a producer")


def test_for_somebody_without_a_role_the_show_is_not_there(studio: Studio, browser: Browser, mp3: bytes) -> None:
    draft = browser.upload(mp3, title="Unseen")
    studio.account("outside@example.org", is_administrator=False)
    outside = studio.signed_in("outside@example.org")

    assert [outside.open(path).status for path in (HOME, NEW, draft.path, f"{draft.path}/delete")] == [404] * 4
    assert outside.client.post(draft.path, data={"title": "x"}).status_code == 404


# --- hostile words ---


def test_markup_in_names_titles_and_notes_is_text_everywhere(studio: Studio, mp3: bytes) -> None:
    nasty = '"><svg onload=document.title=1><script>alert(1)</script>'
    browser = studio.signed_in("nasty@example.org")
    browser.fill(browser.open("/studio/account"), name=nasty)

    refused = browser.upload(mp3, f"{nasty.replace('/', '')}.mp3", title=nasty, season="two")
    draft = browser.upload(b"", "", path=refused.path, **(refused.form() | {"season": "", "notes": nasty}))
    pages = [refused, draft, browser.open(HOME), browser.open(f"{draft.path}/delete"), browser.open("/studio/account")]

    assert draft.form()["title"] == draft.form()["notes"] == nasty
    for page in pages:
        assert page.document.xpath("//svg | //script[not(@src)] | //@*[starts-with(name(), 'on')]") == []
        assert "<svg" in page.text or page.document.xpath("//input[contains(@value, '<svg')]")
