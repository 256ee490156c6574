"""What listeners read: the listing and the episode pages, in both languages."""

import pytest
from lxml import html

from podcast_app.models import Episode
from tests.site import SLUG
from tests.visitor import Visitor

NOTES = "Along the *Chaussée de Wavre*.\n\n# People\n\n- [Aline](https://example.org/aline)\n"


@pytest.fixture(scope="module")
def matonge(shared_visitor: Visitor, mp3: bytes) -> Episode:
    """An episode with everything that a page can show."""
    return shared_visitor.podcasts.published(
        mp3,
        title="Matonge & what stays",
        notes=NOTES,
        season=2,
        number=7,
        publish="2026-06-30T22:30:00Z",
        persons=[{"name": "Aline", "role": "host"}, {"name": "Jean", "role": "guest", "url": "https://example.org/j"}],
        chapters=[{"start_ms": 0, "title": "Arriving"}, {"start_ms": 1500, "title": "Staying"}],
        translations={"fr": {"title": "Matonge, et ce qui reste", "notes": "Le long de la *chaussée*."}},
    )


@pytest.fixture(scope="module")
def untranslated(shared_visitor: Visitor, mp3: bytes) -> Episode:
    return shared_visitor.podcasts.published(mp3, title="Only in English", publish="2026-01-05T08:00:00Z")


@pytest.fixture(scope="module")
def page(shared_visitor: Visitor, matonge: Episode) -> html.HtmlElement:
    return shared_visitor.page(f"/{SLUG}/{matonge.slug}")


def test_a_listing_names_the_newest_episode_first(
    shared_visitor: Visitor, matonge: Episode, untranslated: Episode
) -> None:
    listing = shared_visitor.page(f"/{SLUG}/")

    assert listing.xpath("//h3/a/@href") == [f"/{SLUG}/{matonge.slug}", f"/{SLUG}/{untranslated.slug}"]
    assert _text(listing, "//h1") == "Diaspora Insights"


@pytest.mark.parametrize(
    ("here", "word", "other"), [("", "Subscribe", f"/fr/{SLUG}/"), ("/fr", "S’abonner", f"/{SLUG}/")]
)
def test_a_listing_begins_with_the_address_to_subscribe_to_and_the_other_language(
    shared_visitor: Visitor, matonge: Episode, here: str, word: str, other: str
) -> None:
    top = shared_visitor.page(f"{here}/{SLUG}/").xpath("//main/header")[0]

    assert _text(top, ".//summary") == word
    assert top.xpath(".//input[@id=//label/@for]/@value") == [f"{shared_visitor.origin}{here}/{SLUG}/feed.xml"]
    assert top.xpath(".//a[@rel='alternate']/@href") == [other]


def test_a_page_shows_title_notes_and_who_is_heard(page: html.HtmlElement) -> None:
    assert _text(page, "//h1") == "Matonge & what stays"
    assert _text(page, "//main//em") == "Chaussée de Wavre"
    assert page.xpath("//a[text()='Aline']/@href") == ["https://example.org/aline"]
    assert [" ".join(li.text_content().split()) for li in page.xpath("//ul[@class='people']/li")] == [
        "Aline host",
        "Jean guest",
    ]
    assert "Season 2, episode 7" in page.text_content()


def test_a_page_plays_nothing_and_loads_no_audio_before_the_listener_asks(
    page: html.HtmlElement, matonge: Episode
) -> None:
    (audio,) = page.xpath("//audio")

    assert audio.get("src") == f"/media/{matonge.audio.id}/{matonge.audio.name}"
    assert audio.get("preload") == "none"
    assert "controls" in audio.attrib
    assert "autoplay" not in audio.attrib


def test_the_audio_of_a_page_is_there_and_can_be_saved(
    shared_visitor: Visitor, page: html.HtmlElement, matonge: Episode
) -> None:
    (download,) = page.xpath("//section[@aria-labelledby='download']//a[@download]/@href")

    answer = shared_visitor.get(download)

    assert answer.status_code == 200
    assert len(answer.content) == matonge.audio.editions[0].size_bytes
    assert answer.headers["content-disposition"].startswith("attachment")


def test_a_chapter_leads_to_its_moment_in_the_audio(page: html.HtmlElement, matonge: Episode) -> None:
    audio = f"/media/{matonge.audio.id}/{matonge.audio.name}"

    assert page.xpath("//ol[@class='chapters']//a/@href") == [f"{audio}#t=0", f"{audio}#t=1.5"]


def test_a_date_is_the_day_that_it_was_where_the_show_is_made(page: html.HtmlElement) -> None:
    (when,) = page.xpath("//p[@class='when']/time")

    assert when.get("datetime") == "2026-07-01"  # 22:30 UTC is half past midnight in Brussels
    assert when.text == "1 July 2026"


def test_a_french_page_is_french_in_all_its_parts(shared_visitor: Visitor, matonge: Episode) -> None:
    french = shared_visitor.page(f"/fr/{SLUG}/{matonge.slug}")

    assert french.get("lang") == "fr"
    assert _text(french, "//h1[@lang='fr']") == "Matonge, et ce qui reste"
    assert _text(french, "//p[@class='when']/time") == "1 juillet 2026"
    assert _text(french, "//details[@data-chapters]/summary") == "Chapitres"
    assert french.xpath("//nav[@class='top']/a/@href") == [f"/fr/{SLUG}/", f"/{SLUG}/{matonge.slug}"]
    assert french.xpath("//nav[@class='top']/a[@rel='alternate']/text()") == ["English"]


def test_what_has_no_translation_keeps_its_own_language_and_says_so(
    shared_visitor: Visitor, untranslated: Episode
) -> None:
    french = shared_visitor.page(f"/fr/{SLUG}/{untranslated.slug}")

    assert french.get("lang") == "fr"
    assert _text(french, "//h1[@lang='en']") == "Only in English"


def test_a_page_names_its_one_address_its_languages_and_its_feeds(
    shared_visitor: Visitor, page: html.HtmlElement, matonge: Episode
) -> None:
    here = shared_visitor.origin

    assert page.xpath("//link[@rel='canonical']/@href") == [f"{here}/{SLUG}/{matonge.slug}"]
    assert _alternates(page, "@hreflang and not(@type)") == {
        "en": f"{here}/{SLUG}/{matonge.slug}",
        "fr": f"{here}/fr/{SLUG}/{matonge.slug}",
        "x-default": f"{here}/{SLUG}/{matonge.slug}",
    }
    assert _alternates(page, "@type='application/rss+xml' and @hreflang") == {
        "en": f"{here}/{SLUG}/feed.xml",
        "fr": f"{here}/fr/{SLUG}/feed.xml",
    }


def test_every_address_in_the_head_of_a_page_answers(shared_visitor: Visitor, page: html.HtmlElement) -> None:
    links = page.xpath("//head/link/@href | //head/meta[starts-with(@content, 'http')]/@content")

    answers = {link: shared_visitor.get(link).status_code for link in links}

    assert len(answers) > 8
    assert set(answers.values()) == {200}, answers


def test_a_page_can_be_described_in_a_message_or_a_search_result(page: html.HtmlElement, matonge: Episode) -> None:
    assert page.xpath("//meta[@name='description']/@content") == ["Along the Chaussée de Wavre. People Aline"]
    assert page.xpath("//meta[@property='og:title']/@content") == ["Matonge & what stays"]
    assert page.xpath("//meta[@property='og:audio']/@content")[0].endswith(f"/{matonge.audio.name}")


def test_an_episode_without_notes_is_described_by_its_show(shared_visitor: Visitor, untranslated: Episode) -> None:
    page = shared_visitor.page(f"/{SLUG}/{untranslated.slug}")

    assert page.xpath("//meta[@name='description']/@content")[0].startswith("Conversations by and for the diaspora")


def test_the_tag_of_a_query_stays_out_of_what_a_page_says(shared_visitor: Visitor, matonge: Episode) -> None:
    plain = shared_visitor.get(f"/{SLUG}/{matonge.slug}")

    assert shared_visitor.get(f"/{SLUG}/{matonge.slug}?utm_source=mail").text == plain.text


@pytest.mark.parametrize(
    ("asked", "leads_to"),
    [
        ("/", f"/{SLUG}/"),
        ("/fr", f"/fr/{SLUG}/"),
        ("/en/", f"/{SLUG}/"),
        (f"/{SLUG}", f"/{SLUG}/"),
        (f"/{SLUG}?utm_source=mail", f"/{SLUG}/"),
        (f"/{SLUG}/episodes/1", f"/{SLUG}/"),
        (f"/en/{SLUG}/", f"/{SLUG}/"),
        (f"/en/{SLUG}/only-in-english/", f"/{SLUG}/only-in-english"),
        (f"/fr/{SLUG}/only-in-english/", f"/fr/{SLUG}/only-in-english"),
        (f"/{SLUG}/only-in-english/embed/", f"/{SLUG}/only-in-english/embed"),
    ],
)
def test_another_way_to_write_an_address_leads_to_the_one(
    shared_visitor: Visitor, untranslated: Episode, asked: str, leads_to: str
) -> None:
    answer = shared_visitor.get(asked, Host="evil.example", X_Forwarded_Host="evil.example")

    assert answer.status_code in (301, 302)
    assert answer.headers["location"] == f"{shared_visitor.origin}{leads_to}"
    assert shared_visitor.get(leads_to).status_code == 200


@pytest.mark.parametrize(
    "path", ["/nobody/", f"/{SLUG}/nothing", f"/{SLUG}/episodes/2", f"/{SLUG}/episodes/0", "/a/b/c"]
)
@pytest.mark.parametrize(("prefix", "language"), [("", "en"), ("/fr", "fr")])
def test_an_address_that_nothing_has_gets_a_kind_page(
    shared_visitor: Visitor, path: str, prefix: str, language: str
) -> None:
    answer = shared_visitor.get(prefix + path)

    assert answer.status_code == 404
    page = html.fromstring(answer.text)
    assert page.get("lang") == language
    assert page.xpath("//main//a/@href") == ["/fr/" if language == "fr" else "/"]
    assert page.xpath("//meta[@name='robots']/@content") == ["noindex"]


def _text(page: html.HtmlElement, path: str) -> str:
    (element,) = page.xpath(path)
    return str(element.text_content())


def _alternates(page: html.HtmlElement, which: str) -> dict[str, str]:
    return {link.get("hreflang"): link.get("href") for link in page.xpath(f"//link[@rel='alternate'][{which}]")}
