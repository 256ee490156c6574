"""Which pages there are, for search engines (sitemaps.org, protocol 0.9), each in all its languages."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

from lxml import etree
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from podcast_app import answers
from podcast_app.addresses import LANGUAGES, Addresses, views
from podcast_app.answers import Until
from podcast_app.http import in_reading, services
from podcast_app.listening.pages import generations
from podcast_app.models import Episode, Feed, Revision, Show
from podcast_app.times import iso

SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"
XHTML = "http://www.w3.org/1999/xhtml"
NAMESPACES = cast("dict[str, str]", {None: SITEMAP, "xhtml": XHTML})  # lxml's stubs leave out the one without a name

# Shows and episodes in one file, each a page in each language. The protocol allows 50,000 pages, which take minutes
# to pack; these take a second or two.
PER_FILE = 500


@dataclass(frozen=True, slots=True)
class _Page:
    """One page in all its languages, the main one first."""

    addresses: dict[str, str]  # by language, BCP 47
    changed_at: dt.datetime


async def whole(request: Request) -> Response:
    """The list of all pages; where that is long, the list of its parts."""
    return _answer(request, *await in_reading(request, _whole, Addresses(services(request).settings.origin)))


async def part(request: Request) -> Response:
    """A part of the list, where it is long."""
    addresses = Addresses(services(request).settings.origin)
    found = await in_reading(request, _part, addresses, request.path_params["number"])
    if found is None:
        raise HTTPException(404)
    return _answer(request, *found)


def _answer(request: Request, root: etree._Element, until: Until) -> Response:
    body = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    return answers.kept(request, body, "application/xml", until=until)


def _whole(session: Session, addresses: Addresses) -> tuple[etree._Element, Until]:
    parts = _parts(session, addresses)
    root = _index(addresses, parts) if parts > 1 else _list(_pages(session, addresses, 1))
    return root, Until(None, generations(session))


def _part(session: Session, addresses: Addresses, number: int) -> tuple[etree._Element, Until] | None:
    parts = _parts(session, addresses)
    if parts == 1 or not 1 <= number <= parts:
        return None
    return _list(_pages(session, addresses, number)), Until(None, generations(session))


def _parts(session: Session, addresses: Addresses) -> int:
    public = (Episode.state == "published", Show.archived_at.is_(None))
    episodes = select(func.count(Episode.id)).join(Show, Show.id == Episode.show_id).where(*public)
    return max(1, -(-(len(_of_shows(session, addresses)) + (session.scalar(episodes) or 0)) // PER_FILE))


def _pages(session: Session, addresses: Addresses, number: int) -> Iterator[_Page]:
    """Those of one part: first the shows', then the episodes', by show, the newest first."""
    start = (number - 1) * PER_FILE
    of_shows = _of_shows(session, addresses)
    here = of_shows[start : start + PER_FILE]
    yield from here
    yield from _of_episodes(session, addresses, max(0, start - len(of_shows)), PER_FILE - len(here))


def _of_shows(session: Session, addresses: Addresses) -> list[_Page]:
    """The shows' own; before them the list of shows, where there is more than one."""
    changed = select(Show.slug, Show.language, func.max(Feed.modified_at)).join(Feed, Feed.show_id == Show.id)
    public = changed.where(Show.archived_at.is_(None)).group_by(Show.id).order_by(Show.created_at, Show.id)
    shows = [
        _Page({view.language: addresses.show(slug, view) for view in views(language)}, changed_at)
        for slug, language, changed_at in session.execute(public)
    ]
    if len(shows) < 2:
        return shows  # the first page leads to the only show
    lists = {language: addresses.home(language) for language in LANGUAGES}
    return [_Page(lists, max(page.changed_at for page in shows)), *shows]


def _of_episodes(session: Session, addresses: Addresses, offset: int, limit: int) -> Iterator[_Page]:
    edited = select(func.max(Revision.at)).where(Revision.episode_id == Episode.id).scalar_subquery()
    named = select(Show.slug, Show.language, Episode.slug, Episode.published_at, edited)
    public = named.join(Show, Show.id == Episode.show_id).where(
        Episode.state == "published", Show.archived_at.is_(None)
    )
    in_order = public.order_by(Show.created_at, Show.id, Episode.published_at.desc(), Episode.id)
    for show, language, slug, published_at, edited_at in session.execute(in_order.offset(offset).limit(limit)):
        assert published_at is not None, "listeners see published episodes"
        pages = {view.language: addresses.episode(show, slug, view) for view in views(language)}
        yield _Page(pages, max(published_at, edited_at or published_at))


def _list(pages: Iterator[_Page]) -> etree._Element:
    root = etree.Element(f"{{{SITEMAP}}}urlset", nsmap=NAMESPACES)
    for page in pages:
        for url in page.addresses.values():
            _add(root, "url", url, page.changed_at).extend(_translations(page))
    return root


def _translations(page: _Page) -> Iterator[etree._Element]:
    """Each language of the page names all of them, itself too, and the one for everybody else."""
    main = next(iter(page.addresses.values()))
    for language, url in {**page.addresses, "x-default": main}.items():
        yield etree.Element(f"{{{XHTML}}}link", rel="alternate", hreflang=language, href=url)


def _index(addresses: Addresses, parts: int) -> etree._Element:
    root = etree.Element(f"{{{SITEMAP}}}sitemapindex", nsmap=NAMESPACES)
    for number in range(1, parts + 1):
        _add(root, "sitemap", addresses.sitemap(number), None)
    return root


def _add(root: etree._Element, name: str, url: str, changed_at: dt.datetime | None) -> etree._Element:
    entry = etree.SubElement(root, f"{{{SITEMAP}}}{name}")
    etree.SubElement(entry, f"{{{SITEMAP}}}loc").text = url
    if changed_at is not None:
        etree.SubElement(entry, f"{{{SITEMAP}}}lastmod").text = iso(changed_at)
    return entry
