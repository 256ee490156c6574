"""Recordings that no episode has yet, in the studio; what the scripts of its pages do is in tests/journeys."""

import datetime as dt

import pytest
from sqlalchemy.orm import Session

from podcast_app import parts
from podcast_app.models import Upload
from podcast_app.settings import Settings
from podcast_app.times import utcnow
from tests.s3_servers import S3Server
from tests.site import SLUG, Site, free_port, running
from tests.studio import HOME, NEW, Page, Studio, opened


def test_the_page_of_former_days_leads_to_the_one_for_a_new_episode(studio: Studio) -> None:
    browser = studio.signed_in()

    assert browser.open("/studio/upload").path == NEW
    assert browser.open(f"/studio/upload?show={SLUG}").path == NEW
    assert browser.open("/studio/upload?show=no-such-show").status == 404


def test_who_only_reads_is_told_so(studio: Studio) -> None:
    viewer = studio.signed_in("lecteur@example.org", role="viewer")
    upload = _begun(studio.site, "matonge.flac")["id"]

    assert viewer.open("/studio/upload").status == 403
    assert viewer.send(f"{HOME}recordings/{upload}/text", {"title": "Mine"}).status == 403
    assert "matonge.flac" not in viewer.open(HOME).text


def test_a_stranger_signs_in_first_and_comes_back(studio: Studio) -> None:
    found = studio.stranger().open(f"{NEW}?upload=1")

    assert found.path == "/studio/sign-in"
    assert found.form()["next"] == f"{NEW}?upload=1"


def test_what_is_on_its_way_is_listed_and_can_be_cancelled(studio: Studio) -> None:
    begun = _begun(studio.site, "matonge.wav")
    browser = studio.signed_in()
    cancel = f"{HOME}recordings/{begun['id']}/discard"

    home = browser.open(HOME)
    after = browser.press(browser.open(cancel), cancel)

    assert "matonge.wav" in home.text
    assert home.document.xpath(f"//a[@href='{cancel}']")
    assert "matonge.wav" not in after.text
    assert studio.site.api.get(f"/api/v1/uploads/{begun['id']}").status_code == 404


def test_what_came_and_was_no_audio_is_named_with_the_reason_for_a_day_or_until_somebody_has_seen_it(
    studio: Studio,
) -> None:
    upload, other = (str(_begun(studio.site, name)["id"]) for name in ("broken.mp3", "long-ago.mp3"))
    studio.site.database.write(_refuse, upload)
    studio.site.database.write(_refuse, other, days_ago=2)
    browser = studio.signed_in()

    home = browser.open(HOME)
    after = browser.send(f"{HOME}recordings/{upload}/discard", {})

    held = home.document.xpath("//section[@aria-labelledby='attention']//li[contains(., 'broken.mp3')]")
    assert "It holds 7 lies." in held[0].text_content()
    assert "broken.mp3" not in after.text
    assert "long-ago.mp3" not in home.text


def test_a_browser_may_send_to_the_bucket_from_pages_that_take_recordings(
    moto: S3Server, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in moto.environment.items():
        monkeypatch.setenv(name, value)
    folder = tmp_path_factory.mktemp("site")
    elsewhere = "https://cdn.example.org"  # where listeners are sent; parts go to the bucket all the same
    chosen = Settings(
        port=free_port(),
        data_dir=folder,
        storage_url=moto.storage_url(),
        media_base_url=elsewhere,
        _env_file=None,
    )
    with running(chosen) as site, opened(site) as studio:
        browser = studio.signed_in()

        assert [_connect(browser.open(path)) for path in (NEW, HOME)] == [f"'self' {moto.endpoint}"] * 2
        assert _connect(browser.open(f"{HOME}settings")) == "'self'"


def test_on_a_folder_a_browser_sends_to_the_site_only(studio: Studio) -> None:
    assert _connect(studio.signed_in().open(NEW)) == "'self'"


def _begun(site: Site, filename: str) -> dict[str, object]:
    answer = site.api.post("/api/v1/uploads", json={"show": SLUG, "filename": filename, "size_bytes": 12_000_000})
    assert answer.status_code == 201, answer.text
    begun: dict[str, object] = answer.json()
    return begun


def _refuse(session: Session, upload_id: str, days_ago: int = 0) -> None:
    upload = session.get_one(Upload, upload_id)
    upload.state, upload.refusal, upload.parts_id = "refused", ["It holds {number} lies.", {"number": 7}], None
    upload.expires_at = utcnow() - dt.timedelta(days=days_ago) + parts.KEPT


def _connect(page: Page) -> str:
    """What its Content-Security-Policy lets scripts send to."""
    policy = page.answer.headers["content-security-policy"].split("; ")
    return next(said.partition(" ")[2] for said in policy if said.startswith("connect-src"))
