"""The page for a new episode without its scripts: what is suggested, what was written, and what is kept of both."""

import gzip
import resource
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from mutagen.id3 import TIT2, TRCK

from podcast_app import forms, suggesting
from podcast_app.fields import EpisodeFields
from tests.media.samples import tagged
from tests.podcasts import Library
from tests.site import SLUG, Site
from tests.studio import HOME, NEW, Browser, Page, Studio


@pytest.fixture
def browser(studio: Studio) -> Browser:
    return studio.signed_in()


@pytest.fixture
def numbered(mp3: bytes, tmp_path: Path) -> bytes:
    """A recording that says its title and that it is the twelfth."""
    path = tmp_path / "numbered.mp3"
    path.write_bytes(mp3)
    return tagged(path, TIT2(encoding=3, text="Ce que dit le fichier"), TRCK(encoding=3, text="12")).read_bytes()


ALINE = {"name": "Aline", "role": "host", "group": "cast"}
GUEST = {"name": "Somebody else", "role": "guest", "group": "cast"}


def test_what_the_last_episode_had_and_the_next_number_are_suggested_and_marked(
    studio: Studio, browser: Browser, mp3: bytes
) -> None:
    had = {"season": 31, "number": 7, "language": "fr", "spoken_language": "ln", "explicit": True}
    _draft(studio.site, mp3, **had, persons=[ALINE, GUEST])
    _draft(studio.site, mp3, type="bonus", season=9)

    page = browser.open(NEW)
    made = browser.upload(mp3, title="The next one")

    suggested = {"season": "31", "number": "8", "language": "fr", "spoken_language": "ln", "explicit": "true"}
    for found in (page, made):
        assert {name: found.form()[name] for name in suggested} == suggested
        assert _people(found) == ["Aline"]
        assert "next number" in found.beside("number")
        for name in suggested.keys() - {"number"}:
            assert "from last episode" in found.beside(name), name
    assert made.form()["title"] == "The next one"
    assert made.document.xpath("//*[@id='title-mark']") == []
    assert made.form()["type"] == "full"
    assert browser.open(NEW).form()["number"] == "9"
    _typed_over_what_was_suggested(browser, mp3)


def _typed_over_what_was_suggested(browser: Browser, mp3: bytes) -> None:
    page = browser.upload(mp3, number="", season="4", language="en", **{"person.0.off": "yes"})

    assert {name: page.form()[name] for name in ("season", "number", "language")} == {
        "season": "4",
        "number": "",  # it was cleared, and nothing comes back
        "language": "en",
    }
    assert _people(page) == []
    assert page.document.xpath("//*[@id='number-mark' or @id='season-mark']") == []


def test_what_the_file_says_wins_over_the_next_number_and_what_was_written_over_both(
    studio: Studio, browser: Browser, mp3: bytes, numbered: bytes
) -> None:
    _draft(studio.site, mp3, season=3, number=7)

    untouched = browser.upload(numbered)
    refused = browser.upload(numbered, number="-3", title="Mine")
    without_title = browser.upload(b"", "", **refused.form() | {"number": "40", "title": ""})
    written = browser.upload(numbered, number="40", title="Mine")

    assert (untouched.form()["number"], untouched.form()["season"]) == ("12", "3")
    assert "from the file" in untouched.beside("number")
    assert (written.form()["number"], written.form()["title"]) == ("40", "Mine")
    assert (without_title.form()["number"], without_title.form()["title"]) == ("40", "Ce que dit le fichier")


def test_text_is_kept_with_an_upload_that_is_still_coming_and_comes_back_with_what_the_file_says(
    studio: Studio, browser: Browser, numbered: bytes
) -> None:
    begun = studio.site.api.post(
        "/api/v1/uploads", json={"show": SLUG, "filename": "marche.mp3", "size_bytes": len(numbered)}
    ).json()
    form = browser.open(NEW).form() | {"notes": "Des mots.\r\n\r\nD’autres.", "season": "2"}

    kept = browser.client.post(f"{HOME}recordings/{begun['id']}/text", data=form | {"title": "Ma rue"})
    coming = browser.open(f"{NEW}?upload={begun['id']}")
    studio.site.listener.put(begun["parts"][0]["url"], content=numbered)
    studio.site.api.post(f"/api/v1/uploads/{begun['id']}/complete")
    whole = browser.open(f"{NEW}?upload={begun['id']}")

    assert kept.status_code == 204
    assert "Ma rue" in browser.open(HOME).text
    assert "marche.mp3 was on its way" in coming.text
    assert "upload_id" not in coming.form()
    assert (coming.form()["title"], coming.form()["notes"]) == ("Ma rue", "Des mots.\n\nD’autres.")
    assert (whole.form()["title"], whole.form()["season"], whole.form()["number"]) == ("Ma rue", "2", "12")
    assert "from the file" in whole.beside("number")
    _it_becomes_an_episode(browser, whole, str(begun["id"]))


def _it_becomes_an_episode(browser: Browser, whole: Page, upload: str) -> None:
    made = browser.upload(b"", "", f"{NEW}?upload={upload}", **whole.form())

    assert (made.form()["title"], made.form()["notes"]) == ("Ma rue", "Des mots.\n\nD’autres.")
    assert browser.open(f"{NEW}?upload={upload}").path == made.path  # a page that was left open leads there
    late = browser.client.post(f"{HOME}recordings/{upload}/text", data={"title": "Too late"})
    assert late.status_code == 404


def test_text_for_another_shows_upload_or_from_another_site_is_not_taken(studio: Studio, browser: Browser) -> None:
    begun = studio.site.api.post("/api/v1/uploads", json={"show": SLUG, "filename": "a.mp3", "size_bytes": 9}).json()
    path = f"{HOME}recordings/{begun['id']}/text"

    elsewhere = browser.client.post(path, data={"title": "x"}, headers={"Origin": "https://evil.example"})

    assert elsewhere.status_code == 403
    assert browser.send(f"{HOME}recordings/no-such-upload/text", {"title": "x"}).status == 404
    assert browser.send(f"/studio/shows/other/recordings/{begun['id']}/text", {"title": "x"}).status == 404
    assert studio.stranger().send(path, {"title": "x"}).status == 401
    assert browser.open(f"{NEW}?upload={begun['id']}").form()["title"] == ""


def test_its_scripts_weigh_less_than_a_small_picture(studio: Studio, browser: Browser) -> None:
    page = browser.open(NEW)

    links = page.document.xpath("//script/@src | //link[@rel='modulepreload']/@href")
    weight = sum(len(gzip.compress(browser.client.get(link).content)) for link in links)

    assert len(links) > 5
    assert weight < 21_000  # bytes; ours 17,000, the rest is shared with an episode's page


def test_people_without_a_name_are_asked_for_and_nothing_is_lost(browser: Browser, mp3: bytes) -> None:
    page = browser.upload(mp3, title="Kept", **{"person.8.name": "", "person.8.url": "https://example.org"})

    assert page.status == 422
    assert "no name" in page.text
    assert page.form()["title"] == "Kept"
    assert "https://example.org" in page.form().values()


def test_a_recording_for_which_there_is_no_room_costs_no_text(studio: Studio, browser: Browser, full_disk: int) -> None:
    page = browser.upload(bytes(full_disk + 2 * forms.PIECE), title="Kept", notes="Des mots.")

    assert page.status == 422
    assert "is full" in page.beside("audio")
    assert (page.form()["title"], page.form()["notes"]) == ("Kept", "Des mots.")
    folder = studio.site.settings.data_dir
    assert not [path for path in folder.rglob("*") if path.is_file() and path.stat().st_size > full_disk // 2]


@pytest.fixture
def full_disk() -> Iterator[int]:
    """Files cannot grow over so many bytes: for the application it is as if the disk were full then."""
    before, most = resource.getrlimit(resource.RLIMIT_FSIZE), 8 * 2**20
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, before[1]))
    yield most
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.long_on_postgresql
@pytest.mark.parametrize("numbers", [(None, None), (2, 5)])
def test_the_next_number_is_that_of_the_last_season_on_each_kind_of_database(
    library: Library, mp3: bytes, numbers: tuple[int | None, int | None]
) -> None:
    season, number = numbers
    assert _suggested(library) == {}
    for of_season, episode in ((1, 30), (season, number), (1, None)):
        library.draft(mp3, season=of_season, number=episode, type="full" if episode or not of_season else "trailer")

    suggested = _suggested(library)

    assert suggested["next"].model_dump(exclude_unset=True) == ({"number": 6} if number else {})
    assert suggested["last"].model_dump(exclude_unset=True) == ({"season": 2} if season else {})


def _suggested(library: Library) -> Mapping[str, EpisodeFields]:
    show, settings = library.show(), library.work.settings
    return library.work.database.read(suggesting.from_before, show, settings)


def _draft(site: Site, audio: bytes, **fields: object) -> None:
    upload = site.episode(audio).json()
    answer = site.api.patch(f"/api/v1/episodes/{upload['id']}", json=fields)
    assert answer.status_code == 200, answer.text


def _people(page: Page) -> list[str]:
    """Those named in the form's rows."""
    form = page.form()
    return [name for number in range(20) if (name := form.get(f"person.{number}.name"))]
