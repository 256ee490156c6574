"""Notes: what listeners get of what a producer wrote, and of what somebody hostile wrote."""

from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podcast_app import notes

HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "![a picture](https://example.org/spy.png)",
    "[a](javascript:alert(1))",
    "[a](JaVaScRiPt:alert(1))",
    "[a](java\tscript:alert(1))",
    "[a](jav&#x61;script:alert(1))",
    "[a](data:text/html;base64,PHNjcmlwdD4=)",
    "[a](vbscript:x)",
    "<javascript:alert(1)>",
    "[a]: javascript:alert(1)\n\n[a]",
    '[a](https://example.org "x" onclick="alert(1)")',
    "<iframe src=https://example.org></iframe>",
    "<style>body{display:none}</style>",
    "<base href=https://example.org>",
    "<svg onload=alert(1)>",
    "`<script>`",
    "<a href=javascript:alert(1)>a</a>",
    "https://example.org/<script>alert(1)</script>",
)


class Seen(HTMLParser):
    """What a browser would make of it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs


def assert_harmless(html: str) -> None:
    seen = Seen(html)
    assert set(seen.tags) <= notes.TAGS
    for name, value in seen.attributes:
        assert name in ("href", "title", "rel")
        if name == "href":
            assert value.lower().startswith(("http://", "https://", "mailto:"))


@pytest.mark.parametrize("hostile", HOSTILE)
def test_nothing_hostile_reaches_a_listener(hostile: str) -> None:
    assert_harmless(notes.html(hostile))
    assert_harmless(notes.html(f"- *x* {hostile} y\n> {hostile}"))


@given(
    st.lists(st.sampled_from([*HOSTILE, "[", "](", ")", "<", ">", "*", "\n", "&#", '"', "https://a.org/"])).map("".join)
)
def test_no_mixture_of_it_does_either(hostile: str) -> None:
    assert_harmless(notes.html(hostile))


def test_what_producers_write_is_kept() -> None:
    html = notes.html("# In this episode\n\n- *One*\n- **Two**\n\nA line\nand another\n\n> Said\n\n`code`")

    assert html == (
        "<h3>In this episode</h3>\n<ul>\n<li><em>One</em></li>\n<li><strong>Two</strong></li>\n</ul>\n"
        "<p>A line<br>\nand another</p>\n<blockquote>\n<p>Said</p>\n</blockquote>\n<p><code>code</code></p>"
    )


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("See https://example.org/a?x=1&y=2.", "https://example.org/a?x=1&amp;y=2"),
        ("(http://example.org/b)", "http://example.org/b"),
        ("https://fr.example.org/été", "https://fr.example.org/%C3%A9t%C3%A9"),
        ("<https://example.org/c>", "https://example.org/c"),
        ("[here](https://example.org/d)", "https://example.org/d"),
        ("mailto:anna@example.org", "mailto:anna@example.org"),
    ],
)
def test_an_address_becomes_one_link(text: str, address: str) -> None:
    html = notes.html(text)

    assert html.count("<a ") == 1
    assert f'<a href="{address}" rel="noopener nofollow">' in html


@pytest.mark.parametrize(
    "text", ["The end.Then example.org", "anna@example.org", "// a comment", "//example.org", "`https://example.org`"]
)
def test_what_may_be_no_address_stays_text(text: str) -> None:
    assert "<a " not in notes.html(text)


@pytest.mark.parametrize("link", ["[a](/somewhere)", "[a](//example.org/x)", "[a](#here)", "[a](?x)"])
def test_a_link_without_its_beginning_leads_nowhere(link: str) -> None:
    assert notes.html(link) == '<p><a rel="noopener nofollow">a</a></p>'


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("[the song](#t=1:30)", "1:30"),
        ("1:30 The song", "90"),
        ("- [0:01:30] The song", "90"),
        ("First\n**1:30** – The song", "90"),
        ("The song (1:30)", "90"),
    ],
)
def test_on_a_page_a_moment_leads_into_the_audio_and_elsewhere_stays_what_it_is(text: str, moment: str) -> None:
    on_page, elsewhere = notes.html(text, "/media/1/a.mp3", 100_000), notes.html(text)

    assert on_page.count("<a ") == 1
    assert f'<a href="/media/1/a.mp3#t={moment}" rel="noopener nofollow">' in on_page
    assert "href" not in elsewhere


@pytest.mark.parametrize(
    "text",
    [
        "1:41 beyond the end",
        "We meet at 1:30",
        "1:305",
        "1:75",
        "`1:30`",
        "(Mark 1:30)",
        "[a](/#t=90)",
        "[1:30](#here)",
    ],
)
def test_what_may_be_no_moment_leads_nowhere(text: str) -> None:
    assert "href" not in notes.html(text, "/media/1/a.mp3", 100_000)


def test_a_run_without_an_end_is_not_searched_for_addresses() -> None:
    """It would take time that grows with the square of its length."""
    assert "<a " not in notes.html("(http://example.org/(" * 4000)


def test_two_threads_do_not_mix_up_their_addresses() -> None:
    texts = [f"{'word ' * number}https://example.org/{number} and http://example.com/{number}" for number in range(200)]

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(notes.html, texts))

    for number, html in enumerate(found):
        assert f'<a href="https://example.org/{number}"' in html
        assert f'<a href="http://example.com/{number}"' in html


def test_a_summary_is_one_line_of_text_without_marks() -> None:
    assert notes.plain("# Été\n\n*Un* <b> & deux\n\n- [ici](https://example.org)") == "Été Un <b> & deux ici"
