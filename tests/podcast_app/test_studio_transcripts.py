"""Transcripts in the studio: a file for each language, refused with its line when it cannot be read."""

import pytest
from lxml import etree

from podcast_app.forms import LARGEST_TRANSCRIPT
from tests.site import SLUG
from tests.studio import Browser, Page, Studio

VTT = "WEBVTT\n\n00:00.000 --> 00:01.000\n<v Aline>Bonjour à tous.\n\n00:01.000 --> 00:02.000\nMatongé, c’est ici.\n"


@pytest.fixture
def browser(studio: Studio) -> Browser:
    return studio.signed_in()


@pytest.fixture
def page(browser: Browser, mp3: bytes) -> Page:
    """Of a draft."""
    draft = browser.upload(mp3, title="Matonge")
    return browser.open(f"{draft.path}/transcripts")


def add(browser: Browser, page: Page, data: bytes | str, name: str = "matonge.vtt", **typed: str) -> Page:
    file = data.encode() if isinstance(data, str) else data
    return browser.attach(page, page.path, {"transcript": (name, file)}, **typed)


def listed(page: Page) -> list[str]:
    return [" ".join(line.text_content().split()) for line in page.document.xpath("//main//ul[@class='lines']/li")]


def test_a_transcript_is_listed_with_its_language_its_file_and_what_it_is(browser: Browser, page: Page) -> None:
    added = add(browser, page, VTT, language="fr")

    assert "There is none yet" in page.text
    assert page.form()["captions"] == "true"
    assert listed(added) == ["français matonge.vtt with times captions Remove it (français)"]
    assert added.form_to(page.path)["captions"] == "false"
    assert "français" in browser.open(page.path.removesuffix("/transcripts")).text


def test_plain_text_in_an_encoding_of_old_has_no_times_and_is_no_captions(browser: Browser, page: Page) -> None:
    added = add(browser, page, "Matongé, c’est ici. Été comme hiver.".encode("utf-16"), "texte.txt", language="fr")

    assert listed(added) == ["français texte.txt without times, as plain text Remove it (français)"]


def test_each_language_has_one_and_only_one_serves_as_captions(browser: Browser, page: Page) -> None:
    add(browser, page, VTT, language="fr")
    add(browser, page, VTT, "first.vtt", language="en", captions="true")

    again = add(browser, page, VTT, "second.vtt", language="en", captions="true")

    assert listed(again) == [
        "English second.vtt with times captions Remove it (English)",
        "français matonge.vtt with times Remove it (français)",
    ]


def test_what_cannot_be_read_is_refused_with_its_line_and_the_choices_stay(browser: Browser, page: Page) -> None:
    broken = add(browser, page, VTT.replace("00:01.000\n<v", "00:xx.000\n<v"), language="rw", captions="false")
    nothing = browser.attach(page, page.path, {"transcript": ("", b"")}, language="rw", captions="false")

    for refused, said in ((broken, "ine 3"), (nothing, "No file was chosen")):
        assert refused.status == 422
        assert said in refused.beside("transcript")
        assert (refused.form()["language"], refused.form()["captions"]) == ("rw", "false")
        assert listed(refused) == []


def test_the_line_is_named_in_french_too(studio: Studio, page: Page) -> None:
    french = studio.signed_in("awa@example.org", language="fr")

    refused = add(french, page, VTT.replace("00:01.000\n<v", "00:xx.000\n<v"))

    assert "igne 3" in refused.beside("transcript")


def test_a_file_that_is_far_too_large_is_no_transcript(browser: Browser, page: Page) -> None:
    refused = add(browser, page, bytes(LARGEST_TRANSCRIPT + 1))

    assert refused.status == 400
    assert "larger than 10 MB, so it is no transcript" in refused.text


def test_one_is_removed_by_a_button_and_pressing_it_twice_is_as_once(browser: Browser, page: Page) -> None:
    added = add(browser, page, VTT, language="fr")

    after = [browser.press(added, f"{page.path}/fr/remove") for _ in range(2)]

    assert [(each.status, listed(each)) for each in after] == [(200, [])] * 2


def test_listeners_get_it_as_soon_as_it_is_added(studio: Studio, browser: Browser, mp3: bytes) -> None:
    draft = browser.upload(mp3, title="Heard and read", then="publish")
    studio.site.wait_for(draft.path.rpartition("/")[2], "published")

    add(browser, browser.open(f"{draft.path}/transcripts"), VTT, language="fr")

    feed = etree.fromstring(studio.site.listener.get(f"/{SLUG}/feed.xml").content)
    found = feed.xpath("//*[local-name()='transcript' and @type='text/vtt']/@url")
    assert "Matongé" in studio.site.listener.get(found[0]).content.decode()


def test_who_only_looks_adds_and_removes_nothing(studio: Studio, browser: Browser, page: Page) -> None:
    add(browser, page, VTT, language="fr")
    viewer = studio.signed_in("viewer@example.org", role="viewer")

    seen = viewer.open(page.path)

    assert len(listed(seen)) == 1
    assert seen.document.xpath("//main//form") == []
    files = {"transcript": ("x.vtt", VTT.encode())}
    assert viewer.client.post(page.path, data={"language": "en"}, files=files).status_code == 403
    assert viewer.client.post(f"{page.path}/fr/remove").status_code == 403
