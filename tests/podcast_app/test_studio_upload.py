"""The page that sends a recording in parts, as it comes from the site; what its script does is in tests/journeys."""

import pytest

from podcast_app.fields import ShowFields
from podcast_app.outcomes import Done
from podcast_app.settings import Settings
from podcast_app.setup import create_show
from tests.s3_servers import S3Server
from tests.site import SLUG, Site, free_port, running
from tests.studio import HOME, NEW, Page, Studio, opened
from tests.visitor import Visitor

PAGE = f"/studio/upload?show={SLUG}"


def test_the_page_works_for_the_only_show_without_saying_which(studio: Studio) -> None:
    found = studio.signed_in().open("/studio/upload")

    assert found.status == 200
    assert found.document.xpath("//*[@data-upload]/@data-show") == [SLUG]


def test_with_several_shows_one_is_chosen_first(visitor: Visitor) -> None:
    site = visitor.site
    second = ShowFields(
        slug="second", title="Second", description="Another one.", author="IOM", categories=(("Arts", None),)
    )
    assert isinstance(create_show(site.database, site.storage, second, site.settings), Done)
    with opened(site) as studio:
        found = studio.signed_in().open("/studio/upload")

        assert found.document.xpath("//main//li/a/@href") == [PAGE, "/studio/upload?show=second"]


def test_without_its_script_the_page_says_so_and_leads_to_the_plain_form(studio: Studio) -> None:
    found = studio.signed_in().open(PAGE)

    assert "This needs a script" in found.text
    assert NEW in found.document.xpath("//main//a/@href")
    assert found.document.xpath("//input[@type='file']/ancestor::*[@hidden]")


def test_who_only_reads_is_told_so(studio: Studio) -> None:
    viewer = studio.signed_in("lecteur@example.org", role="viewer")

    assert viewer.open(PAGE).status == 403
    assert viewer.open("/studio/upload").status == 403
    assert studio.signed_in().open("/studio/upload?show=no-such-show").status == 404


def test_a_stranger_signs_in_first_and_comes_back(studio: Studio) -> None:
    found = studio.stranger().open(PAGE)

    assert found.path == "/studio/sign-in"
    assert found.form()["next"] == PAGE


def test_what_is_on_its_way_is_listed_and_can_be_cancelled(studio: Studio) -> None:
    begun = _begun(studio.site, "matonge.wav")
    browser = studio.signed_in()
    for path in (HOME, PAGE):
        assert "matonge.wav" in browser.open(path).text

    cancel = f"{HOME}recordings/{begun['id']}/discard"
    assert browser.open(PAGE).document.xpath(f"//form[@action='{cancel}']")
    browser.send(cancel, {})

    assert "matonge.wav" not in browser.open(HOME).text
    assert studio.site.api.get(f"/api/v1/uploads/{begun['id']}").status_code == 404


def test_who_only_reads_is_not_offered_to_cancel(studio: Studio) -> None:
    _begun(studio.site, "matonge.flac")

    assert "matonge.flac" not in studio.signed_in("lecteur@example.org", role="viewer").open(HOME).text


def test_both_ways_to_a_new_episode_lead_to_it(studio: Studio) -> None:
    browser = studio.signed_in()

    for path in (HOME, NEW):
        assert PAGE in browser.open(path).document.xpath("//main//a/@href")


def test_a_browser_may_send_to_the_bucket_from_this_page_only(
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

        assert _connect(browser.open(PAGE)) == f"'self' {moto.endpoint}"
        assert _connect(browser.open(HOME)) == "'self'"


def test_on_a_folder_a_browser_sends_to_the_site_only(studio: Studio) -> None:
    assert _connect(studio.signed_in().open(PAGE)) == "'self'"


def _begun(site: Site, filename: str) -> dict[str, object]:
    answer = site.api.post("/api/v1/uploads", json={"show": SLUG, "filename": filename, "size_bytes": 12_000_000})
    assert answer.status_code == 201, answer.text
    begun: dict[str, object] = answer.json()
    return begun


def _connect(page: Page) -> str:
    """What its Content-Security-Policy lets scripts send to."""
    policy = page.answer.headers["content-security-policy"].split("; ")
    return next(said.partition(" ")[2] for said in policy if said.startswith("connect-src"))
