"""A show as RSS 2.0: podgen, extended to what PSP-1, Apple and the Podcasting 2.0 namespace ask for."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import NamedTuple

import podgen
from lxml import etree

from feeds import companions, notes, text
from feeds.document import Category, Episode, Person, Show
from feeds.elements import ATOM, ITUNES, NAMESPACES, PODCAST, add

RENDERER = 2  # raised whenever the same document gives other bytes: kept feeds are then built anew

_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
_GENERATOR = "podcast-app"
_FEED_TYPE = "application/rss+xml"
_LOW_TITLE = "low data"  # apps and readers that list a feed's links show it
_LABEL = 128  # characters: Podcasting 2.0, the text of `person` and `funding`
_DESCRIPTION_BYTES = 4000  # PSP-1, channel `description`
_RIGHTS_WORDS = re.compile(r"copyrights?|©|\(c\)|\b(1[89]|20)\d\d\b(\s*[-–,]\s*(1[89]|20)\d\d\b)*", re.IGNORECASE)


def rss(show: Show, episodes: Iterable[Episode], *, built_at: datetime) -> bytes:
    """The whole feed, UTF-8, newest episode first. Same arguments, same bytes: the ETag rests on it."""
    head, tail = channel(show, built_at=built_at)
    newest_first = sorted(episodes, key=lambda episode: (-int(episode.published_at.timestamp()), episode.guid))
    return b"".join([head, *map(item, newest_first), tail])


def channel(show: Show, *, built_at: datetime) -> tuple[bytes, bytes]:
    """What stands before the first item, and what stands after the last. `built_at`: aware; seconds are kept."""
    root = _Channel(show, built_at)._create_rss()
    before, end, after = etree.tostring(root, xml_declaration=True, encoding="UTF-8").rpartition(b"</channel>")
    return before + b"\n", end + after


def item(episode: Episode) -> bytes:
    """One `<item>` and a line end, UTF-8, to be put between what `channel` gives. Raises ValueError for an episode
    without title and notes, which no check lets through."""
    root = etree.Element("rss", nsmap=NAMESPACES)  # declares the namespaces, so that the item need not
    root.append(_Item(episode).rss_entry())
    # UTF-8 by name: without it lxml writes "&#128512;" inside CDATA, where it is no emoji any more
    _, start, rest = etree.tostring(root, encoding="UTF-8").partition(b"<item")
    return start + rest.removesuffix(b"</rss>") + b"\n"


class _Media(NamedTuple):
    """What podgen asks of a medium. Its own class warns of types that are fine here, and opens an HTTP session."""

    url: str
    size: int
    type: str
    duration: None = None  # podgen would write 00:30


class _Item(podgen.Episode):  # type: ignore[misc]  # podgen has no types
    """podgen's item, and what it does not know of."""

    def __init__(self, episode: Episode) -> None:
        enclosure = episode.enclosure
        super().__init__(
            title=text.short(episode.title),
            link=text.ascii_url(episode.url),
            summary=notes.description(episode.notes_html, episode.url),
            long_summary=text.legal(episode.notes_html),
            id=text.identifier(episode.guid),
            media=_Media(text.ascii_url(enclosure.url), enclosure.length, text.line(enclosure.media_type)),
        )
        self.document = episode

    def rss_entry(self) -> etree._Element:
        entry: etree._Element = super().rss_entry()
        episode = self.document
        # not dc:language: xml:lang needs no further namespace, and the W3C validator accepts it on any element
        if episode.language:
            entry.set(_LANGUAGE, text.line(episode.language))
        # not podgen's own date: it changes the locale of the whole process while it writes one
        add(entry, "pubDate", _date(episode.published_at))
        # whole seconds (PSP-1, itunes:duration); up, so that a 400 ms jingle is not 0
        if episode.duration_ms > 0:
            add(entry, ITUNES + "duration", str(-(-episode.duration_ms // 1000)))
        if episode.image_url:
            add(entry, ITUNES + "image", href=text.ascii_url(episode.image_url))
        if episode.explicit is not None:
            add(entry, ITUNES + "explicit", _truth(episode.explicit))
        _add_place(entry, episode)
        companions.write(entry, episode)
        _add_persons(entry, episode.persons)
        return entry


class _Channel(podgen.Podcast):  # type: ignore[misc]  # podgen has no types
    """podgen's channel, and what it does not know of."""

    def __init__(self, show: Show, built_at: datetime) -> None:
        super().__init__(
            name=text.short(show.title),
            website=text.ascii_url(show.url),
            # required in RSS 2.0; a show that still lacks it has a feed all the same, and a finding
            description=text.brief(show.description, _DESCRIPTION_BYTES) or text.short(show.title),
            explicit=show.explicit,
            language=text.line(show.language),
            copyright=_holder(show.copyright) if show.copyright else None,
            generator=_GENERATOR,
            feed_url=text.ascii_url(show.feed_url),
            new_feed_url=text.ascii_url(show.new_feed_url) if show.new_feed_url else None,
            owner=_owner(show),
            last_updated=False,  # these two are written below, without podgen's change of locale
            publication_date=False,
        )
        self._nsmap = NAMESPACES  # podgen declares on the root what stands here
        self.document = show
        self.built_at = built_at

    def _create_rss(self) -> etree._Element:
        root: etree._Element = super()._create_rss()
        channel = root[0]
        show = self.document
        add(channel, "lastBuildDate", _date(self.built_at))
        add(channel, "pubDate", _date(self.built_at))
        for explicit in channel.iter(ITUNES + "explicit"):
            explicit.text = _truth(show.explicit)  # podgen writes yes and no, which Apple and PSP-1 refuse
        add(channel, ITUNES + "type", show.type)
        if show.author:
            add(channel, ITUNES + "author", text.short(show.author))
        if show.image_url:
            add(channel, ITUNES + "image", href=text.ascii_url(show.image_url))
        for category in show.categories:
            _add_category(channel, category)
        if show.is_blocked:
            add(channel, ITUNES + "block", "yes")  # not podgen's "Yes": PSP-1 knows "yes" alone
        _add_atom_links(channel, show)
        _add_podcasting(channel, show)
        _add_persons(channel, show.persons)
        return root


def _add_place(entry: etree._Element, episode: Episode) -> None:
    """Season, number and type, for Apple and for the Podcasting 2.0 namespace."""
    for name, number in (("season", episode.season), ("episode", episode.number)):
        if number is not None and number >= 1:  # Apple: a non-zero integer
            add(entry, ITUNES + name, str(number))
            add(entry, PODCAST + name, str(number))
    add(entry, ITUNES + "episodeType", episode.type)


def _add_persons(parent: etree._Element, persons: Iterable[Person]) -> None:
    """An item's persons replace all of its channel's (Podcasting 2.0, `person`): hosts are named again there."""
    for person in persons:
        if name := text.short(person.name, _LABEL):
            element = add(parent, PODCAST + "person", name)
            element.set("role", text.short(person.role.lower(), _LABEL))
            element.set("group", text.short(person.group.lower(), _LABEL))
            if person.url:
                element.set("href", text.ascii_url(person.url))
            if person.image_url:
                element.set("img", text.ascii_url(person.image_url))


def _add_category(channel: etree._Element, category: Category) -> None:
    """Our own, since podgen takes one category and spells "Stand-up" otherwise than Apple."""
    parent = add(channel, ITUNES + "category", text=text.line(category.name))
    if category.subcategory:
        add(parent, ITUNES + "category", text=text.line(category.subcategory))


def _add_atom_links(channel: etree._Element, show: Show) -> None:
    """Hubs (WebSub), the feeds in other languages and the one of small files; podgen has written `self`."""
    for hub in show.hubs:
        add(channel, ATOM + "link", href=text.ascii_url(hub), rel="hub")
    for alternate in show.alternates:
        _add_feed(channel, alternate.feed_url).set("hreflang", text.line(alternate.language))
    if show.low_feed_url:
        _add_feed(channel, show.low_feed_url).set("title", _LOW_TITLE)


def _add_feed(channel: etree._Element, url: str) -> etree._Element:
    return add(channel, ATOM + "link", href=text.ascii_url(url), rel="alternate", type=_FEED_TYPE)


def _add_podcasting(channel: etree._Element, show: Show) -> None:
    """Podcasting 2.0: guid, locked, medium, funding, txt."""
    add(channel, PODCAST + "guid", text.line(show.guid))
    locked = add(channel, PODCAST + "locked", "yes" if show.locked else "no")
    if show.owner_email:  # only where the owner agreed to show it
        locked.set("owner", text.line(show.owner_email))
    add(channel, PODCAST + "medium", "podcast")
    if show.funding:
        words = text.short(show.funding.text, _LABEL)
        add(channel, PODCAST + "funding", words, url=text.ascii_url(show.funding.url))
    for code in show.verification:
        element = add(channel, PODCAST + "txt", text.identifier(code.text))
        if purpose := text.short(code.purpose, _LABEL):
            element.set("purpose", purpose)


def _owner(show: Show) -> podgen.Person | None:
    """Whom YouTube, Spotify and Amazon write to; only where the e-mail is shown."""
    email = text.line(show.owner_email or "")
    name = text.short(show.owner_name or show.author or show.title)
    return podgen.Person(name, email) if email else None


def _holder(words: str) -> str | None:
    """Who holds the rights, without "Copyright", the sign or a year (PSP-1, `copyright`)."""
    return text.short(_RIGHTS_WORDS.sub(" ", words)).strip(" ,.;:-–") or None


def _truth(value: bool) -> str:
    return "true" if value else "false"


def _date(moment: datetime) -> str:
    """RFC 2822, UTC."""
    return format_datetime(moment.astimezone(UTC), usegmt=True)
