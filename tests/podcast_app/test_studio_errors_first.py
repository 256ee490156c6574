"""What is wrong with a form is the first thing that its sender meets."""

import re

import pytest

from podcast_app.pages import TEMPLATES
from tests.studio import Page, Studio

SAID = "fields.summary(form)"


def test_on_every_page_what_is_wrong_stands_right_under_the_heading() -> None:
    pages = [path for path in (TEMPLATES / "studio").glob("*.html") if SAID in path.read_text()]

    assert len(pages) > 10
    for page in pages:
        assert re.search(r"</h1>\n(\{% if [^%]*%\})?\{\{ " + re.escape(SAID), page.read_text()), page.name


@pytest.mark.parametrize(("language", "word"), [("en", "Error: "), ("fr", "Erreur\xa0: ")])
def test_it_has_the_focus_and_the_title_says_it(studio: Studio, mp3: bytes, language: str, word: str) -> None:
    browser = studio.signed_in(f"first-{language}@example.org", language=language)
    good = browser.upload(mp3, title="Matonge")

    wrong = browser.fill(good, number="0")

    assert (good.status, wrong.status) == (200, 422)
    assert _title(good) == "Matonge – Studio"
    assert _title(wrong) == f"{word}Matonge – Studio"
    assert not good.document.xpath("//*[@autofocus]")
    summary = wrong.document.xpath("//main//h1/following-sibling::*[1]")[0]
    assert (summary.get("class"), summary.get("tabindex"), "autofocus" in summary.attrib) == ("summary", "-1", True)


def _title(page: Page) -> str:
    return str(page.document.findtext(".//title"))
