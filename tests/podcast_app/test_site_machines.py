"""What the site offers to machines beside its pages: site map, list of shows, favicon, manifest, code of the feed."""

import datetime as dt
import gzip
import re
from email.utils import parsedate_to_datetime
from io import BytesIO

import pytest
import segno
from lxml import etree
from PIL import Image
from sqlalchemy import update
from sqlalchemy.orm import Session

from podcast_app.models import Episode, EpisodeState, Revision, ShowId
from podcast_app.site import qr, sitemap
from podcast_app.site.colours import contrast
from tests.site import SLUG
from tests.visitor import Visitor, add_many, add_show, queries

DATES = ("dateCreated", "dateModified")
MACHINES = ("/sitemap.xml", "/opml.xml", "/robots.txt", f"/{SLUG}/manifest.webmanifest", f"/fr/{SLUG}/feed-qr.svg")

A_WEEK_LATER = dt.datetime(2026, 7, 8, tzinfo=dt.UTC)

# The parts of the protocol's schema that we use (sitemaps.org, 0.9), in RELAX NG.
SCHEMA = """
<grammar xmlns="http://relaxng.org/ns/structure/1.0" ns="http://www.sitemaps.org/schemas/sitemap/0.9"
         datatypeLibrary="http://www.w3.org/2001/XMLSchema-datatypes">
 <start><choice>
  <element name="urlset"><oneOrMore><element name="url">
   <ref name="place"/><element name="lastmod"><data type="dateTime"/></element>
   <oneOrMore><element name="link" ns="http://www.w3.org/1999/xhtml">
    <attribute name="rel" ns=""><value>alternate</value></attribute>
    <attribute name="hreflang" ns=""><data type="language"/></attribute>
    <attribute name="href" ns=""><data type="anyURI"/></attribute><empty/>
   </element></oneOrMore>
  </element></oneOrMore></element>
  <element name="sitemapindex"><oneOrMore><element name="sitemap"><ref name="place"/></element></oneOrMore></element>
 </choice></start>
 <define name="place"><element name="loc">
  <data type="anyURI"><param name="minLength">12</param><param name="maxLength">2048</param></data>
 </element></define>
</grammar>
"""


@pytest.mark.parametrize("path", MACHINES)
def test_what_machines_read_is_packed_once_and_not_sent_again(shared_visitor: Visitor, path: str) -> None:
    plain, packed = (shared_visitor.get(path, Accept_Encoding=encoding) for encoding in ("identity", "gzip"))

    again = shared_visitor.get(path, If_None_Match=plain.headers["etag"])

    assert plain.status_code == 200
    assert packed.content == plain.content
    assert len(plain.content) < 500 or int(packed.headers["content-length"]) == len(gzip.compress(plain.content))
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("path", MACHINES)
def test_what_machines_read_is_kept_without_asking_the_database(shared_visitor: Visitor, path: str) -> None:
    shared_visitor.get(path)

    with queries() as asked:
        assert shared_visitor.get(path).status_code == 200

    assert asked == []


def test_the_site_map_has_every_public_page_in_each_language_and_no_other(visitor: Visitor) -> None:
    visitor.podcasts.work.database.write(_in_each_state, visitor.podcasts.show().id)

    pages = _pages(visitor, "/sitemap.xml")

    paths = (f"/{SLUG}/", f"/fr/{SLUG}/", f"/{SLUG}/number-1", f"/fr/{SLUG}/number-1")
    assert list(pages) == [visitor.origin + path for path in paths]
    for url, languages in pages.items():
        assert languages == _alternates(visitor, url.removeprefix(visitor.origin))
    assert f"Sitemap: {visitor.origin}/sitemap.xml\n" in visitor.get("/robots.txt").text


def test_a_page_has_changed_when_somebody_changed_it(visitor: Visitor, mp3: bytes) -> None:
    episode = visitor.podcasts.published(mp3, title="Matonge", publish="2026-07-01T10:00:00Z")
    visitor.podcasts.work.database.write(lambda session: session.execute(update(Revision).values(at=A_WEEK_LATER)))
    before = _changed(visitor, f"/{SLUG}/matonge")
    now = dt.datetime.now(dt.UTC)

    answer = visitor.site.api.patch(f"/api/v1/episodes/{episode.id}", json={"notes": "New."})

    assert answer.status_code == 200, answer.text
    assert before == _seconds(A_WEEK_LATER)
    assert _changed(visitor, f"/{SLUG}/matonge") == _changed(visitor, f"/fr/{SLUG}/matonge") >= _seconds(now)


def test_a_long_site_map_is_given_in_parts(visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sitemap, "PER_FILE", 3)
    visitor.podcasts.work.database.write(add_many, visitor.podcasts.show().id, 7)

    index = _valid(visitor, "/sitemap.xml")

    parts = [str(part) for part in index.xpath("//*[local-name()='loc']/text()")]
    assert parts == [f"{visitor.origin}/sitemap-{number}.xml" for number in (1, 2, 3)]
    pages = [url for part in parts for url in _pages(visitor, part.removeprefix(visitor.origin))]
    assert len(pages) == len(set(pages)) == 2 * (1 + 7)
    assert pages[:3] == [f"{visitor.origin}{path}" for path in (f"/{SLUG}/", f"/fr/{SLUG}/", f"/{SLUG}/number-7")]
    assert [visitor.get(f"/sitemap-{number}.xml").status_code for number in (0, 4)] == [404, 404]


def test_all_shows_are_taken_into_an_app_at_once_but_for_those_put_away(visitor: Visitor) -> None:
    add_show(visitor, "second", "Second & last")
    answer, pages = visitor.get("/opml.xml"), list(_pages(visitor, "/sitemap.xml"))

    opml = etree.fromstring(answer.content)
    assert answer.headers["content-type"].startswith("text/x-opml")
    assert answer.headers["content-disposition"] == 'attachment; filename="podcasts.opml"'
    assert (opml.tag, opml.get("version"), [part.tag for part in opml]) == ("opml", "2.0", ["head", "body"])
    assert opml.findtext("head/title") == "Diaspora Insights, Second & last"
    created, modified = (parsedate_to_datetime(opml.findtext(f"head/{name}") or "") for name in DATES)
    assert created <= modified <= dt.datetime.now(dt.UTC)
    first, second = opml.findall("body/outline")
    assert (second.get("type"), second.get("text"), second.get("title")) == ("rss", "Second & last", "Second & last")
    assert (first.get("language"), first.get("htmlUrl")) == ("en", f"{visitor.origin}/{SLUG}/")
    for outline in (first, second):
        feed = visitor.get(str(outline.get("xmlUrl")))
        assert feed.headers["content-type"].startswith("application/rss+xml")
    paths = ("/", "/fr/", f"/{SLUG}/", f"/fr/{SLUG}/", "/second/", "/fr/second/")
    assert pages == [visitor.origin + path for path in paths]

    put_away = visitor.site.api.patch("/api/v1/shows/second", json={"archived": True})

    assert put_away.status_code == 200, put_away.text
    assert all("/second/" not in visitor.get(path).text for path in ("/sitemap.xml", "/opml.xml"))


def test_the_favicon_has_both_sizes_in_few_bytes(shared_visitor: Visitor) -> None:
    answer = shared_visitor.get("/favicon.ico")

    assert answer.headers["content-type"] == "image/x-icon"
    assert len(answer.content) < 1500
    icon = Image.open(BytesIO(answer.content))
    assert icon.info["sizes"] == {(16, 16), (32, 32)}
    drawn = icon.convert("RGBA")
    assert drawn.getpixel((0, 0)) == (0, 0, 0, 0)  # a round corner
    assert contrast(_colour(drawn, 16, 16), _colour(drawn, 16, 2)) > 4.5  # the middle bar on the sheet


def test_a_phone_gets_the_show_as_an_app_in_each_language(shared_visitor: Visitor) -> None:
    for prefix, language in (("", "en"), ("/fr", "fr")):
        page = shared_visitor.page(f"{prefix}/{SLUG}/")
        answer = shared_visitor.get(page.xpath("string(//link[@rel='manifest']/@href)"))

        said = answer.json()
        assert answer.headers["content-type"] == "application/manifest+json"
        assert said["start_url"] == said["scope"] == said["id"] == f"{prefix}/{SLUG}/"
        assert (said["name"], said["short_name"]) == ("Diaspora Insights", "Diaspora")
        assert (said["lang"], said["dir"], said["display"]) == (language, "ltr", "minimal-ui")
        assert [said["theme_color"]] == page.xpath("//meta[@name='theme-color']/@content")
        for icon in said["icons"]:
            picture = shared_visitor.get(icon["src"])
            assert picture.headers["content-type"] == icon["type"]
            side = Image.open(BytesIO(picture.content)).width
            assert icon["sizes"] == f"{side}x{side}"


def test_the_browser_around_a_show_has_its_colour_made_readable(visitor: Visitor) -> None:
    answer = visitor.site.api.patch(f"/api/v1/shows/{SLUG}", json={"page_colour": "#ffd400"})
    assert answer.status_code == 200, answer.text

    colour = visitor.page(f"/{SLUG}/").xpath("string(//meta[@name='theme-color']/@content)")

    assert colour != "#ffd400"
    assert contrast(colour, "#ffffff") >= 4.5


def test_the_code_of_a_feed_is_its_address_and_leads_nowhere_else(shared_visitor: Visitor) -> None:
    answer = shared_visitor.get(f"/fr/{SLUG}/feed-qr.svg")

    assert answer.headers["content-type"] == "image/svg+xml"
    assert answer.content == qr.svg(f"{shared_visitor.origin}/fr/{SLUG}/feed.xml")
    assert len(gzip.compress(answer.content)) < 900
    assert shared_visitor.get(f"/en/{SLUG}/feed-qr.svg").headers["location"].endswith(f"/{SLUG}/feed-qr.svg")
    assert shared_visitor.get("/nobody/feed-qr.svg").status_code == 404


def test_a_code_is_dark_on_light_with_a_quiet_zone_in_every_theme() -> None:
    text = "https://podcast.example.org/diaspora-insights/feed.xml"
    svg = etree.fromstring(qr.svg(text))

    sheet, modules = svg.findall("{*}path")

    drawn = [list(row) for row in segno.make(text, micro=False).matrix]
    side = len(drawn)
    assert svg.get("viewBox") == f"0 0 {side + 8} {side + 8}"  # four modules around (ISO 18004)
    assert (sheet.get("fill"), modules.get("stroke")) == ("#fff", "#000")
    assert _modules(str(modules.get("d")), side) == drawn


def _in_each_state(session: Session, show_id: ShowId) -> None:
    """Number 1 is published; others were, are to be, or are thrown away."""
    add_many(session, show_id, 4)
    states: dict[str, EpisodeState] = {"e2": "draft", "e3": "withdrawn", "e4": "scheduled"}
    for episode_id, state in states.items():
        episode = session.get_one(Episode, episode_id)
        episode.state, episode.publish_at = state, episode.published_at


def _modules(path: str, side: int, quiet: int = 4) -> list[list[int]]:
    """What a path of strokes one module high makes dark, within the quiet zone."""
    dark = [[0] * side for _ in range(side)]
    x, y = 0, -1
    for command, first, second in re.findall(r"([Mmh])(-?[\d.]+)(?: (-?[\d.]+))?", path):
        if command == "h":
            dark[y - quiet][x - quiet : x - quiet + int(first)] = [1] * int(first)
            x += int(first)
        else:
            x = int(first) + (x if command == "m" else 0)
            y = int(float(second)) + (y if command == "m" else 0)
    return dark


def _colour(image: Image.Image, x: int, y: int) -> str:
    pixel = image.getpixel((x, y))
    assert isinstance(pixel, tuple)
    return "#" + bytes(int(part) for part in pixel[:3]).hex()


def _valid(visitor: Visitor, path: str) -> etree._Element:
    answer = visitor.get(path)
    assert answer.status_code == 200, path
    assert answer.headers["content-type"] == "application/xml"
    document = etree.fromstring(answer.content)
    etree.RelaxNG(etree.fromstring(SCHEMA)).assertValid(document)
    return document


def _pages(visitor: Visitor, path: str) -> dict[str, dict[str, str]]:
    """Addresses, and those in other languages by language."""
    return {
        url.findtext("{*}loc") or "": {str(link.get("hreflang")): str(link.get("href")) for link in url[2:]}
        for url in _valid(visitor, path)
    }


def _changed(visitor: Visitor, page: str) -> str:
    (url,) = (url for url in _valid(visitor, "/sitemap.xml") if url.findtext("{*}loc") == visitor.origin + page)
    return url.findtext("{*}lastmod") or ""


def _seconds(instant: dt.datetime) -> str:
    return f"{instant:%Y-%m-%dT%H:%M:%SZ}"


def _alternates(visitor: Visitor, path: str) -> dict[str, str]:
    """The page itself says the same."""
    links = visitor.page(path).xpath("//link[@rel='alternate'][@hreflang and not(@type)]")
    return {link.get("hreflang"): link.get("href") for link in links}
