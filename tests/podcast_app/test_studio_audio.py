"""An episode's recording in the studio: what it is, how it sounds before and after, and what takes its place."""

import httpx2
import pytest
from sqlalchemy.orm import Session

from podcast_app import episodes, formats, replacing, worker
from podcast_app.models import AudioId, Edition, EpisodeId
from podcast_app.settings import Settings
from podcast_app.times import utcnow
from tests.media.samples import Mark, audio
from tests.podcasts import Place
from tests.s3_servers import S3Server
from tests.site import Site, free_port, running
from tests.studio import HOME, Browser, Page, Studio, opened
from tests.visitor import Visitor


@pytest.fixture(scope="session")
def longer(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Four seconds, with two chapters."""
    marks = [Mark(0, 2000, "Welcome"), Mark(2000, 4000, "The market")]
    return audio(tmp_path_factory.mktemp("audio") / "x.mp3", "-b:a", "64k", seconds=4, chapters=marks).read_bytes()


@pytest.fixture
def browser(studio: Studio) -> Browser:
    return studio.signed_in()


def of(page: Page) -> EpisodeId:
    return EpisodeId(page.path.split("/")[3])


def audio_page(browser: Browser, page: Page) -> Page:
    found = browser.open(f"/studio/episodes/{of(page)}/audio")
    assert found.status == 200, found.text
    return found


def published(studio: Studio, browser: Browser, mp3: bytes, title: str) -> Page:
    page = browser.upload(mp3, title=title, then="publish")
    studio.site.wait_for(of(page), "published")
    return audio_page(browser, page)


def replace(browser: Browser, page: Page, data: bytes, name: str = "corrected.mp3", **typed: str) -> Page:
    return browser.attach(page, page.path, {"audio": (name, data)}, **typed)


def until(browser: Browser, page: Page, words: str) -> Page:
    """As a person does it: look again."""
    for _ in range(100):
        page = browser.open(page.path)
        if words in page.text:
            return page
        browser.client.get("/healthz")
    raise AssertionError(page.text)


def audio_of(site: Site, page: Page) -> dict[str, object]:
    found: dict[str, object] = site.api.get(f"/api/v1/episodes/{of(page)}").json()["audio"]
    return found


def measure(studio: Studio, page: Page, **numbers: float) -> None:
    """As if it had been listened to, which takes longer than a test should."""
    known: dict[str, object] = {"loudness_lufs": -16.2, "range_lu": 4.0, "true_peak_dbtp": -2.0}

    def write(session: Session) -> None:
        episode = episodes.get(session, of(page))
        assert episode is not None
        assert episode.audio is not None
        row = episode.audio.upload.measurement
        assert row is not None
        row.status = "ready"
        for name, value in {**known, "silence_start_ms": 300, "silence_end_ms": 0, **numbers}.items():
            setattr(row, name, value)

    studio.site.database.write(write)


# --- what it is, and how it sounds ---


def test_the_page_says_what_the_recording_is(browser: Browser, mp3: bytes) -> None:
    page = audio_page(browser, browser.upload(mp3, title="Matonge"))

    for said in ("matonge.mp3", "kbit/s, 44.1 kHz, mono", "0:02", "It is being measured"):
        assert said in page.text


def test_loudness_is_said_in_words_with_the_numbers_beside_them(studio: Studio, browser: Browser, mp3: bytes) -> None:
    draft = browser.upload(mp3, title="Matonge")

    measure(studio, draft)
    right = audio_page(browser, draft).text
    measure(studio, draft, loudness_lufs=-25.3, silence_end_ms=9000)
    quiet = audio_page(browser, draft).text
    in_french = audio_page(studio.signed_in("awa@example.org", language="fr"), draft).text

    assert "As loud as other podcasts: right." in right
    assert "-16.2 LUFS, range 4.0 LU, loudest peak -2.0 dBTP. Silence at the beginning: 0.3 s" in right
    assert "9 dB too quiet for a phone on a bus" in quiet
    assert "ends with 9 seconds of silence" in quiet
    assert "right." not in quiet
    assert "-25,3 LUFS" in in_french


def test_what_was_evened_out_says_by_how_much(studio: Studio, browser: Browser, mp3: bytes) -> None:
    page = published(studio, browser, mp3, "Evened")
    measure(studio, page, loudness_lufs=-25.3)

    def even(session: Session) -> None:
        made = session.get_one(Edition, (AudioId(audio_id), "enclosure"))
        made.gain_db = 9.3

    audio_id = str(audio_of(studio.site, page)["url"]).split("/")[-2]
    studio.site.database.write(even)

    assert "listeners hear it 9.3 dB louder than it was recorded" in audio_page(browser, page).text


def test_each_thing_that_is_made_says_how_far_it_is_and_why_it_failed(
    studio: Studio, browser: Browser, mp3: bytes
) -> None:
    page = published(studio, browser, mp3, "Made")

    def half_way(session: Session) -> None:
        episode = episodes.get(session, of(page))
        assert episode is not None
        assert episode.audio is not None
        made = {edition.name: edition for edition in episode.audio.editions}
        made["low-opus"].progress_percent = 43
        made["low-mp3"].status, made["low-mp3"].failure = "failed", "The disk is full."

    studio.site.database.write(half_way)

    shown = audio_page(browser, page)
    assert "being made: 43%" in shown.text
    assert "The disk is full. It is tried again by itself." in shown.text
    assert "The disk is full." in browser.open(HOME).text

    again = browser.press(shown, f"{page.path}/low-mp3/again")
    assert "The disk is full" not in again.text


def test_a_draft_says_that_light_files_come_after_publication(browser: Browser, mp3: bytes) -> None:
    page = audio_page(browser, browser.upload(mp3, title="Matonge"))

    assert page.text.count("is made after publication") == 2
    assert browser.press(page, f"{page.path}/measurement/again").status == 200
    assert browser.send(f"{page.path}/low-mp3/again", {}).status == 409


# --- heard by those who work on it, and by nobody else ---


def test_the_recording_and_what_is_made_from_it_are_heard_before_anybody_else_does(
    studio: Studio, browser: Browser, mp3: bytes
) -> None:
    draft = browser.upload(mp3, title="Matonge")
    page = until(browser, audio_page(browser, draft), "As listeners get it")
    players = page.document.xpath("//audio/@src")

    whole = browser.client.get(players[0])
    part = browser.client.get(players[1], headers={"Range": "bytes=0-9"})
    head = browser.client.head(players[0])

    assert players == [f"{page.path}/original", f"{page.path}/enclosure"]
    assert (whole.status_code, whole.content, whole.headers["content-type"]) == (200, mp3, "audio/mpeg")
    assert (part.status_code, len(part.content)) == (206, 10)
    assert (head.status_code, head.headers["content-length"]) == (200, str(len(mp3)))
    for answer in (whole, part, head):
        assert answer.headers["cache-control"] == "private, no-store"
        assert not [name for name in answer.headers if name.startswith("access-control")]
    assert page.document.xpath("//audio[@preload='none' and @controls]/@src") == players


def test_strangers_hear_nothing_and_what_is_not_made_is_not_there(studio: Studio, browser: Browser, mp3: bytes) -> None:
    original = f"{audio_page(browser, browser.upload(mp3, title='Unheard')).path}/original"
    studio.account("nobody@example.org", is_administrator=False)

    assert studio.stranger().client.get(original).status_code == 303
    assert studio.signed_in("nobody@example.org").open(original).status == 404
    assert studio.signed_in("ears@example.org", role="viewer").client.get(original).content == mp3
    assert browser.client.get(original.replace("original", "low-mp3")).status_code == 404
    assert browser.client.get(original.replace("original", "anything")).status_code == 404


@pytest.mark.long
def test_from_a_bucket_it_is_heard_by_a_signed_address_that_ends(
    sqlite_place: Place, moto: S3Server, mp3: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in moto.environment.items():
        monkeypatch.setenv(name, value)
    settings = Settings(
        port=free_port(),
        data_dir=sqlite_place.data_dir,
        storage_url=moto.storage_url("heard"),
        media_base_url="https://cdn.example.org/audio",
        _env_file=None,
    )
    with running(settings) as site, opened(site) as studio:
        browser = studio.signed_in()
        page = audio_page(browser, browser.upload(mp3, title="In a bucket"))

        sent_on = browser.client.get(f"{page.path}/original")

        assert sent_on.status_code == 302
        assert httpx2.get(sent_on.headers["location"]).content == mp3
        assert sent_on.headers["location"].startswith(moto.endpoint)
        assert f"media-src 'self' blob: {moto.endpoint};" in page.answer.headers["content-security-policy"]


# --- another recording in its place ---


@pytest.mark.long
def test_listeners_keep_the_old_one_until_the_new_one_is_ready_and_it_comes_back(
    visitor: Visitor, mp3: bytes, longer: bytes
) -> None:
    episode, work = visitor.podcasts.published(mp3, title="Replaced"), visitor.podcasts.work
    with opened(visitor.site) as studio:
        browser = studio.signed_in()
        page = browser.open(f"/studio/episodes/{episode.id}/audio")
        before = audio_of(visitor.site, page)

        waiting = replace(browser, page, longer)
        meanwhile = audio_of(visitor.site, page)
        worker.catch_up(work)
        after = browser.open(page.path)
        browser.press(after, f"{page.path}/undo", "bring-back")
        worker.catch_up(work)
        back = browser.open(page.path)

    assert "On its way: corrected.mp3" in waiting.text
    assert meanwhile["url"] == before["url"] == audio_of(visitor.site, page)["url"]
    assert "It was recording.mp3" in after.text
    in_a_month = utcnow() + replacing.UNDO_FOR
    assert f"Bring it back (until {formats.date(in_a_month, 'Europe/Brussels', 'en')})" in after.text
    assert "It was corrected.mp3" in back.text


def test_a_replacement_that_has_not_come_yet_is_called_off_and_waits(
    visitor: Visitor, mp3: bytes, longer: bytes
) -> None:
    episode = visitor.podcasts.published(mp3, title="Called off")
    with opened(visitor.site) as studio:
        browser = studio.signed_in()
        page = browser.open(f"/studio/episodes/{episode.id}/audio")
        replace(browser, page, longer, "wrong.mp3")
        visitor.podcasts.work.database.write(fail_what_comes, episode.id)
        waiting, home = browser.open(page.path), browser.open(HOME)

        off = [browser.press(waiting, f"{page.path}/undo", "call-off") for _ in range(2)]

    assert "It was too long." in waiting.text
    assert "It was too long." in home.text
    assert [each.status for each in off] == [200, 200]
    assert "On its way" not in off[1].text
    assert "wrong.mp3" in off[1].document.get_element_by_id("upload_id").text_content()


@pytest.mark.long
def test_what_was_to_be_called_off_and_has_come_meanwhile_gives_way_to_what_was_before(
    visitor: Visitor, mp3: bytes, longer: bytes
) -> None:
    episode, work = visitor.podcasts.published(mp3, title="Too late"), visitor.podcasts.work
    with opened(visitor.site) as studio:
        browser = studio.signed_in()
        waiting = replace(browser, browser.open(f"/studio/episodes/{episode.id}/audio"), longer, "wrong.mp3")
        worker.catch_up(work)

        browser.press(waiting, f"{waiting.path}/undo", "call-off")
        browser.press(waiting, f"{waiting.path}/undo", "call-off")
        worker.catch_up(work)

        assert "It was wrong.mp3" in browser.open(waiting.path).text


def fail_what_comes(session: Session, episode_id: EpisodeId) -> None:
    coming = next(audio for audio in episodes.audios(session, episode_id) if audio.is_next)
    coming.editions[0].status, coming.editions[0].failure = "failed", "It was too long."


def test_the_same_form_sent_twice_replaces_once(studio: Studio, browser: Browser, mp3: bytes, longer: bytes) -> None:
    page = audio_page(browser, browser.upload(mp3, title="A draft"))

    first, second = replace(browser, page, longer), replace(browser, page, longer)

    assert (first.status, second.status) == (200, 200)
    assert "It was matonge.mp3" in second.text
    assert "corrected.mp3" not in (second.document.xpath("string(//select[@id='upload_id'])") or "")


def test_a_recording_that_waits_is_chosen_and_then_goes_back(
    studio: Studio, browser: Browser, mp3: bytes, longer: bytes
) -> None:
    upload_id = browser.upload(longer, "waits.mp3", season="two").form()["upload_id"]
    page = audio_page(browser, browser.upload(mp3, title="From what waits"))

    chosen = browser.attach(page, page.path, {"audio": ("", b"")}, upload_id=upload_id)
    twice = [browser.press(chosen, f"{page.path}/undo", "bring-back") for _ in range(2)]
    taken = browser.attach(page, page.path, {"audio": ("", b"")}, upload_id=upload_id, form_id="another")

    assert "waits.mp3" in chosen.text
    assert "It was matonge.mp3" in chosen.text
    assert "It was waits.mp3" in twice[1].text
    assert taken.status == 422
    assert "already made from this upload" in taken.text


def test_what_cannot_take_its_place_is_refused_beside_the_input(browser: Browser, mp3: bytes) -> None:
    page = audio_page(browser, browser.upload(mp3, title="Kept"))

    nothing = browser.attach(page, page.path, {"audio": ("", b"")})
    no_audio = replace(browser, page, b"<html>not a sound</html>" * 100, "page.mp3")

    assert (nothing.status, no_audio.status) == (422, 422)
    assert "No recording was chosen" in nothing.beside("audio")
    assert no_audio.document.xpath("//*[@id='audio' and @aria-invalid]")
    assert "matonge.mp3" in no_audio.text


def test_who_only_looks_changes_nothing_of_a_recording(studio: Studio, browser: Browser, mp3: bytes) -> None:
    page = audio_page(browser, browser.upload(mp3, title="Looked at"))
    viewer = studio.signed_in("viewer@example.org", role="viewer")

    assert viewer.open(page.path).document.xpath("//main//form") == []
    sent = [viewer.client.post(page.path, files={"audio": ("x.mp3", mp3)})]
    sent += [viewer.client.post(f"{page.path}/{path}") for path in ("undo", "enclosure/again")]
    evil = browser.client.post(f"{page.path}/undo", headers={"Origin": "https://evil.example"})
    assert [answer.status_code for answer in (*sent, evil)] == [403] * 4


# --- chapters in the episode's form ---


def test_chapters_are_lines_of_text_that_say_where_they_came_from(browser: Browser, longer: bytes) -> None:
    draft = browser.upload(longer, title="With chapters")

    changed = browser.fill(draft, chapters="00:00 Welcome\r\n0:01,5 - The market <https://example.org/market>\r\n")
    emptied = browser.fill(changed, chapters="", notes="00:00 One\n00:01 Two\n00:03 Three")

    assert draft.form()["chapters"].splitlines() == ["00:00 Welcome", "00:02 The market"]
    assert "from the file" in draft.beside("chapters")
    assert changed.form()["chapters"].splitlines() == [
        "00:00 Welcome",
        "00:01.500 The market <https://example.org/market>",
    ]
    assert "from the" not in changed.beside("chapters").replace("times in the notes", "")
    assert emptied.form()["chapters"].splitlines() == ["00:00 One", "00:01 Two", "00:03 Three"]
    assert "from the notes" in emptied.beside("chapters")


def test_a_line_that_is_no_chapter_is_named_and_nothing_typed_is_lost(browser: Browser, mp3: bytes) -> None:
    draft = browser.upload(mp3, title="With a slip")
    typed = "00:00 Welcome\nThe market"

    page = browser.fill(draft, chapters=typed, season="3")

    assert page.status == 422
    assert "Line 2 does not begin with a time" in page.beside("chapters")
    assert (page.form()["chapters"].replace("\r\n", "\n"), page.form()["season"]) == (typed, "3")


def test_chapters_past_the_end_are_pointed_out_beside_them(browser: Browser, mp3: bytes) -> None:
    page = browser.fill(browser.upload(mp3, title="Too late"), chapters="00:00 Welcome\n00:59 Too late")

    assert page.status == 200
    assert "after the end" in page.beside("chapters")
    assert not page.document.xpath("//*[@aria-invalid]")


def test_two_people_at_the_chapters_see_what_the_other_wrote(browser: Browser, mp3: bytes) -> None:
    draft = browser.upload(mp3, title="Two at once")
    browser.fill(draft, chapters="00:00 Theirs")

    page = browser.fill(draft, chapters="00:00 Mine")

    assert page.status == 409
    assert page.form()["chapters"] == "00:00 Mine"
    assert "00:00 Theirs" in page.beside("chapters")
