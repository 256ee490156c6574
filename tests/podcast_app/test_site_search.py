"""The page that searches a show: what it says of what it finds, and that nothing asked of it is an error."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event, Semaphore
from urllib.parse import quote

import pytest
from lxml import html
from playwright.async_api import Page
from sqlalchemy import event

from media.transcripts import Segment, Transcript, read
from podcast_app import search, transcripts, worker
from podcast_app.models import Episode
from podcast_app.outcomes import Done
from podcast_app.site.paging import PER_PAGE
from podcast_app.site.search import Piece, excerpt, moment
from podcast_app.times import utcnow
from tests.site import SLUG
from tests.visitor import Visitor, add_many, queries

SAID = """WEBVTT

00:00.000 --> 00:00.700
Bonjour à toutes.

00:01.200 --> 00:02.000
Nous étions à Kisangani, <près> du fleuve.
"""


@pytest.fixture(scope="module")
def matonge(shared_visitor: Visitor, mp3: bytes) -> Episode:
    """An English episode with a French title, and a French transcript."""
    library = shared_visitor.podcasts
    episode = library.published(
        mp3,
        title="Matongé & what <stays>",
        notes="Along the *Chaussée de Wavre*, with <b>Aline</b>.",
        language="en",
        translations={"fr": {"title": "Matongé, ce qui reste", "notes": "Avec Béatrice."}},
    )
    said = read(SAID.encode(), filename="said.vtt")
    write, settings = library.work.database.write, library.work.settings
    put = write(transcripts.put, episode.id, "fr", said, "said.vtt", None, settings, utcnow())
    assert isinstance(put, Done), put
    return episode


def test_an_episode_is_found_with_the_words_marked_as_they_were_written(
    shared_visitor: Visitor, matonge: Episode
) -> None:
    page = _search(shared_visitor, "matonge CHAUSSEE")

    assert page.xpath("//h2")[0].text == "One episode found"
    assert page.xpath("//h3/a/@href") == [f"/{SLUG}/{matonge.slug}"]
    assert page.xpath("//h3")[0].text_content() == "Matongé & what <stays>"
    assert page.xpath("//mark/text()") == ["Matongé", "Chaussée"]
    assert page.xpath("//article//p[mark]")[0].text_content() == "Along the Chaussée de Wavre, with <b>Aline</b>."


def test_what_is_said_leads_to_the_moment(shared_visitor: Visitor, matonge: Episode) -> None:
    page = _search(shared_visitor, "kisangani")

    (said,) = page.xpath("//p[@class='moment']")
    assert said.xpath("a/@href") == [f"/{SLUG}/{matonge.slug}?transcript=fr&t=1.2#transcript"]
    assert said.xpath("a/@aria-label") == ["Listen at 0:01"]
    assert said.xpath("q[@lang='fr']")[0].text_content() == "Nous étions à Kisangani, <près> du fleuve."
    assert said.xpath("q/mark/text()") == ["Kisangani"]


def test_a_french_page_finds_the_french_words_first_and_speaks_french(
    shared_visitor: Visitor, matonge: Episode
) -> None:
    page = _search(shared_visitor, "matonge", "/fr")

    assert page.get("lang") == "fr"
    assert page.xpath("//h2")[0].text == "Un épisode trouvé"
    assert page.xpath("//h3[@lang='fr']/a/@href") == [f"/fr/{SLUG}/{matonge.slug}"]
    assert page.xpath("//article//p[@lang='fr']")[0].text == "Avec Béatrice."
    assert f"/{SLUG}/search?q=matonge" in page.xpath("//footer//a/@href")


def test_what_is_asked_stands_in_the_form_again(shared_visitor: Visitor) -> None:
    page = _search(shared_visitor, '"><script>alert(1)</script>')

    assert page.xpath("//form[@role='search']//input/@value") == ['"><script>alert(1)</script>']
    assert page.xpath("//script") == []
    (discovery,) = page.xpath("//link[@type='application/json+oembed']/@href")
    assert shared_visitor.get(discovery).json()["title"] == "Diaspora Insights"


def test_nothing_asked_and_nothing_found_are_told_kindly(shared_visitor: Visitor) -> None:
    assert "three letters are enough" in _status(_search(shared_visitor, ""))
    assert "Try fewer of them" in _status(_search(shared_visitor, "xylophone"))
    assert "no word to look for" in _status(_search(shared_visitor, "?!"))
    assert "Essayez-en moins" in _status(_search(shared_visitor, "xylophone", "/fr"))


@pytest.mark.parametrize(
    "query", ["q=%00", "q=%FF%FE", f"q={'%C3%A9' * 5000}", "q=a&page=x", "q=a&page=9999999999", "q=a&q=b"]
)
def test_nothing_that_is_asked_is_an_error(shared_visitor: Visitor, query: str) -> None:
    assert shared_visitor.get(f"/{SLUG}/search?{query}").status_code == 200


def test_a_search_is_for_nobody_else(shared_visitor: Visitor) -> None:
    answer = shared_visitor.get(f"/{SLUG}/search?q=a")

    assert answer.headers["cache-control"].startswith("private")
    assert html.fromstring(answer.text).xpath("//meta[@name='robots']/@content") == ["noindex"]
    assert "form-action 'self'" in answer.headers["content-security-policy"]


def test_another_way_to_write_the_address_keeps_what_was_asked(shared_visitor: Visitor) -> None:
    answer = shared_visitor.get(f"/en/{SLUG}/search/?q=l%C3%A0")

    assert answer.headers["location"] == f"{shared_visitor.origin}/{SLUG}/search?q=l%C3%A0"


def test_what_nobody_has_is_searched_in_vain(shared_visitor: Visitor) -> None:
    assert shared_visitor.get("/nobody/search?q=a").status_code == 404


def test_many_results_come_page_by_page_each_at_the_same_cost(visitor: Visitor) -> None:
    visitor.site.database.write(add_many, visitor.podcasts.show().id, 2 * PER_PAGE + 1)
    worker.catch_up(visitor.podcasts.work, (search.bring_up,))

    with queries() as of_many:
        first = _search(visitor, "number")
    with queries() as of_one:
        _search(visitor, "number 41")
    second = visitor.page(first.xpath("//a[@rel='next']/@href")[0])
    third = visitor.page(second.xpath("//nav[@class='paging']//li[last()]/a/@href")[0])

    assert first.xpath("//h2")[0].text == f"{2 * PER_PAGE + 1} episodes found"
    assert [len(page.xpath("//article")) for page in (first, second, third)] == [PER_PAGE, PER_PAGE, 1]
    assert second.xpath("//a[@rel='prev']/@href") == [f"/{SLUG}/search?q=number"]
    assert len(of_many) == len(of_one), (of_many, of_one)


def test_searches_take_few_of_the_places_at_the_database(visitor: Visitor) -> None:
    with _held(visitor) as (begun, free), ThreadPoolExecutor(4) as many:
        answers = [many.submit(visitor.get, f"/{SLUG}/search?q=kivu") for _ in range(4)]
        for _ in range(2):
            assert begun.acquire(timeout=60)
        page = visitor.get(f"/{SLUG}/")
        has_more = begun.acquire(blocking=False)
        free.set()

    assert (page.status_code, has_more) == (200, False)
    assert [answer.result().status_code for answer in answers] == [200] * 4


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Short, with Kivu in it.", "Short, with [Kivu] in it."),
        ("Nothing of it.", "Nothing of it."),
        ("", ""),
        ("kivu-" * 3 + "no", "[kivu]-[kivu]-[kivu]-no"),
    ],
)
def test_an_excerpt_marks_what_was_looked_for(text: str, shown: str) -> None:
    assert _written(excerpt(text, ("kivu",))) == shown


@pytest.mark.parametrize("text", ["word " * 100 + "Kivu " + "word " * 100, "x" * 3000 + " Kivu " + "y" * 3000])
def test_an_excerpt_of_a_long_text_is_short_and_has_the_match_inside(text: str) -> None:
    pieces = excerpt(text, ("kivu",))

    assert [piece.text for piece in pieces if piece.is_match] == ["Kivu"]
    assert len("".join(piece.text for piece in pieces)) < 220
    assert (pieces[0].text, pieces[-1].text) == ("… ", " …")


def test_a_word_without_end_is_cut() -> None:
    assert len(_written(excerpt("kivu" * 1000, ("kivu",)))) < 220


def test_the_moment_is_the_first_that_says_the_most_of_it() -> None:
    lines = ("The lake", "The lake of Kivu", "Kivu, the lake")
    said = Transcript(segments=tuple(_segment(number, line) for number, line in enumerate(lines)))

    found = moment(said, "en", ("kivu", "lake"))

    assert found is not None
    assert found.start_ms == 1000
    assert _written(found.pieces) == "The [lake] of [Kivu] [Kivu], the [lake]"
    assert moment(said, "en", ("goma",)) is None


def test_a_text_without_times_has_words_and_no_moment() -> None:
    found = moment(Transcript(text="One line.\n\nKivu."), "en", ("kivu",))

    assert found is not None
    assert (found.start_ms, _written(found.pieces)) == (None, "One line. [Kivu].")


@pytest.mark.long
async def test_a_browser_may_send_the_form_and_opens_the_moment(
    shared_visitor: Visitor, matonge: Episode, page: Page
) -> None:
    await page.goto(f"{shared_visitor.origin}/{SLUG}/search")

    await page.get_by_role("searchbox").fill("fleuve")
    await page.get_by_role("searchbox").press("Enter")
    await page.get_by_role("link", name="Listen at 0:01").click()

    assert page.url == f"{shared_visitor.origin}/{SLUG}/{matonge.slug}?transcript=fr&t=1.2#transcript"


@contextmanager
def _held(visitor: Visitor) -> Iterator[tuple[Semaphore, Event]]:
    """Searches that have begun are counted, and held up until the event."""
    begun, free = Semaphore(0), Event()

    def hold(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if "search_index" in statement:
            begun.release()
            free.wait(20)

    engine = visitor.site.database.engine
    event.listen(engine, "before_cursor_execute", hold)
    try:
        yield begun, free
    finally:
        event.remove(engine, "before_cursor_execute", hold)


def _search(visitor: Visitor, asked: str, prefix: str = "") -> html.HtmlElement:
    return visitor.page(f"{prefix}/{SLUG}/search?q={quote(asked)}")


def _status(page: html.HtmlElement) -> str:
    (said,) = page.xpath("//*[@role='status']")
    return str(said.text_content())


def _segment(number: int, text: str) -> Segment:
    return Segment(start_ms=number * 1000, end_ms=(number + 1) * 1000, text=text)


def _written(pieces: list[Piece]) -> str:
    return "".join(f"[{piece.text}]" if piece.is_match else piece.text for piece in pieces)
