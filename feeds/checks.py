"""What a feed must satisfy (PSP-1, Apple): judged as a document before it is published, and as bytes after."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from uuid import UUID

from lxml import etree

from feeds import rss, rules, text
from feeds.document import Category, Enclosure, Episode, EpisodeType, Show
from feeds.findings import Finding, error, errors, warning

__all__ = ["Finding", "contents", "episode", "error", "errors", "feed", "reads_back", "show", "warning"]

_SHOW_RULES = (
    rules.show_has_a_title,
    rules.show_has_a_description,
    rules.show_description_is_plain,
    rules.show_language_is_known,
    rules.show_has_an_author,
    rules.show_has_a_cover,
    rules.show_categories_are_apples,
    rules.show_copyright_names_the_holder,
    rules.show_email_is_one,
    rules.show_is_served_over_https,
)
_EPISODE_RULES = (
    rules.episode_has_a_title,
    rules.title_is_a_name,
    rules.episode_has_a_guid,
    rules.guid_is_unmistakable,
    rules.audio_has_a_size,
    rules.audio_has_a_duration,
    rules.audio_is_of_a_known_kind,
    rules.audio_address_ends_with_the_extension,
    rules.audio_is_served_as_safely_as_the_show,
    rules.numbers_count_from_one,
    rules.serial_episode_has_a_number,
    rules.episode_has_notes,
    rules.notes_are_shown_whole,
    rules.episode_language_is_known,
    rules.episode_cover_is_a_picture,
)
_EPISODE_TYPES: tuple[EpisodeType, ...] = ("full", "trailer", "bonus")
_TRANSCRIPT_TYPES = ("text/plain", "text/html", "text/vtt", "application/json", "application/x-subrip")
_DESCRIPTION_BYTES = 4000
_NO_DATE = datetime.fromtimestamp(0, UTC)


def show(show: Show) -> Iterator[Finding]:
    """What the show breaks, errors and warnings."""
    for rule in _SHOW_RULES:
        yield from rule(show)


def episode(episode: Episode, show: Show) -> Iterator[Finding]:
    """What the episode breaks as part of the show, errors and warnings."""
    for rule in _EPISODE_RULES:
        yield from rule(episode, show)


def reads_back(head: bytes, item: bytes, tail: bytes, episode: Episode) -> Iterator[Finding]:
    """Whether the item, inside its channel, is read by others as the document meant it. Errors only."""
    root = _parsed(head + item + tail)
    found = [] if root is None else root.findall("channel/item")
    if len(found) != 1:
        yield error(
            "notes",
            "With this episode the feed could not be read any more.",
            "Look for unusual characters in the title and the notes, and remove them.",
        )
        return
    for field, meant, read in _compared(found[0], episode):
        if meant != read:
            yield error(
                field,
                "Apps would read “{read}” here, and not what was entered.",
                "Type it again by hand instead of pasting it.",
                read=text.short(read, 100),
            )


def feed(xml: bytes) -> Iterator[Finding]:
    """What a whole feed breaks, judged as an app or a directory fetches it."""
    root = _parsed(xml)
    channel = None if root is None else root.find("channel")
    if root is None or channel is None:
        yield error(
            "feed",
            "The feed cannot be read: it is cut off, or something in it is not RSS.",
            "Publish any change of the show to have it written anew; if it stays, tell whoever runs this site.",
        )
        return
    document = _show(channel)
    yield from _namespaces_are_declared(root)
    yield from _channel_values_are_allowed(channel)
    yield from show(document)
    entries = channel.findall("item")
    yield from _each_is_there_once(entries)
    for entry in entries:
        name = text.short(_said(entry, "title") or _said(entry, "guid"), 80)
        yield from (replace(finding, where=name) for finding in _item_findings(entry, document))


def contents(xml: bytes) -> dict[str, str]:
    """What the feed offers: the address of the audio by GUID. Nothing, when it cannot be read."""
    root = _parsed(xml)
    entries = root.iterfind("channel/item") if root is not None else ()
    return {_said(entry, "guid"): _attribute(entry, "enclosure", "url") for entry in entries}


def _item_findings(entry: etree._Element, show: Show) -> Iterator[Finding]:
    yield from _item_values_are_allowed(entry)
    yield from _transcripts_say_their_type(entry)
    yield from episode(_episode(entry), show)


# Bytes


def _parsed(xml: bytes) -> etree._Element | None:
    """Strictly, as the least patient app does; None when it is not XML."""
    try:
        return etree.fromstring(xml, etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True))
    except etree.XMLSyntaxError:
        return None


def _compared(entry: etree._Element, episode: Episode) -> Iterator[tuple[str, str, str]]:
    """Field, what was meant, what is read."""
    yield "guid", text.identifier(episode.guid), _said(entry, "guid")
    yield "title", text.short(episode.title), _said(entry, "title")
    yield "audio", text.ascii_url(episode.enclosure.url), _attribute(entry, "enclosure", "url")
    yield "audio", str(episode.enclosure.length), _attribute(entry, "enclosure", "length")
    yield "audio", episode.enclosure.media_type, _attribute(entry, "enclosure", "type")
    meant = episode.published_at.astimezone(UTC).replace(microsecond=0)
    read = _date(_said(entry, "pubDate"))
    yield "publish_at", meant.isoformat(), read.isoformat() if read else ""


def _namespaces_are_declared(root: etree._Element) -> Iterator[Finding]:
    """PSP-1: `rss` 2.0 with the namespaces itunes, podcast and atom, letter for letter."""
    needed = {rss.NAMESPACES[prefix] for prefix in ("itunes", "podcast", "atom")}
    if root.tag != "rss" or root.get("version") != "2.0" or not needed.issubset(root.nsmap.values()):
        yield error(
            "feed",
            "The feed does not begin as a podcast's RSS 2.0 feed must.",
            "Tell whoever runs this site; episodes and texts are not the cause.",
        )


def _channel_values_are_allowed(channel: etree._Element) -> Iterator[Finding]:
    """PSP-1, channel: `link`, `atom:link` self, `itunes:explicit`, `podcast:locked`, `podcast:guid`, dates."""
    allowed = [
        _said(channel, "link") != "",
        bool(_self_address(channel)),
        _said(channel, "itunes:explicit") in ("true", "false"),
        _said(channel, "itunes:type") in ("", "episodic", "serial"),
        _said(channel, "podcast:locked") in ("", "yes", "no"),
        _is_guid(_said(channel, "podcast:guid")),
        *(_is_date(channel, tag) for tag in ("pubDate", "lastBuildDate")),
    ]
    names = ("link", "atom:link", "explicit", "type", "locked", "guid", "pubDate", "lastBuildDate")
    for name, is_allowed in zip(names, allowed, strict=True):
        if not is_allowed:
            yield error(
                "feed",
                "What the feed says under “{name}” is missing, or not what apps expect.",
                "Tell whoever runs this site; episodes and texts are not the cause.",
                name=name,
            )


def _item_values_are_allowed(entry: etree._Element) -> Iterator[Finding]:
    """PSP-1, item: one `enclosure` with whole numbers, dates, `itunes:` values of the allowed kind."""
    allowed = {
        "audio": len(entry.findall("enclosure")) == 1
        and _is_whole(_attribute(entry, "enclosure", "length"))
        and _is_whole(_said(entry, "itunes:duration") or "1"),
        "publish_at": _is_date(entry, "pubDate"),
        "explicit": _said(entry, "itunes:explicit") in ("", "true", "false"),
        "type": _said(entry, "itunes:episodeType") in ("", *_EPISODE_TYPES),
        "season": _is_whole(_said(entry, "itunes:season") or "1"),
        "number": _is_whole(_said(entry, "itunes:episode") or "1"),
        "notes": text.size(_said(entry, "description")) <= _DESCRIPTION_BYTES,
    }
    for field, is_allowed in allowed.items():
        if not is_allowed:
            yield error(
                field,
                "The feed says something here that apps cannot use.",
                "Open the episode, look at this field and save it again.",
            )


def _transcripts_say_their_type(entry: etree._Element) -> Iterator[Finding]:
    """Podcasting 2.0, `podcast:transcript`: `url` and `type` required, of five kinds."""
    for transcript in entry.iterfind("podcast:transcript", rss.NAMESPACES):
        if not transcript.get("url") or transcript.get("type") not in _TRANSCRIPT_TYPES:
            yield error(
                "transcript",
                "A transcript in the feed does not say of what kind it is.",
                "Remove the transcript and add it again.",
            )


def _each_is_there_once(entries: Iterable[etree._Element]) -> Iterator[Finding]:
    """PSP-1, `guid`: unique. Apple: an audio address that is there twice is passed over."""
    entries = list(entries)
    for guid, count in _repeated(_said(entry, "guid") for entry in entries):
        yield error(
            "guid",
            "{count} episodes share the identifier “{guid}”, so apps show only one of them.",
            "Withdraw all but one, and make new episodes from their audio.",
            count=count,
            guid=text.short(guid, 100),
        )
    for url, count in _repeated(_attribute(entry, "enclosure", "url") for entry in entries):
        yield error(
            "audio",
            "{count} episodes offer the same audio ({url}), so apps show only one of them.",
            "Replace the audio of all but one, or withdraw them.",
            count=count,
            url=text.short(url, 200),
        )


def _repeated(values: Iterable[str]) -> Iterator[tuple[str, int]]:
    return ((value, count) for value, count in Counter(values).items() if value and count > 1)


# The document that a feed's bytes stand for, as far as the rules ask


def _show(channel: etree._Element) -> Show:
    return Show(
        title=_said(channel, "title"),
        description=_said(channel, "description"),
        url=_said(channel, "link"),
        feed_url=_self_address(channel),
        guid=_said(channel, "podcast:guid"),
        language=_said(channel, "language"),
        author=_said(channel, "itunes:author"),
        categories=tuple(_categories(channel)),
        explicit=_said(channel, "itunes:explicit") == "true",
        image_url=_attribute(channel, "itunes:image", "href"),
        type="serial" if _said(channel, "itunes:type") == "serial" else "episodic",
        copyright=_said(channel, "copyright") or None,
        owner_email=_said(channel, "itunes:owner/itunes:email") or None,
    )


def _categories(channel: etree._Element) -> Iterator[Category]:
    for outer in channel.iterfind("itunes:category", rss.NAMESPACES):
        inner = [element.get("text") for element in outer.iterfind("itunes:category", rss.NAMESPACES)]
        for subcategory in inner or [None]:
            yield Category(name=outer.get("text", ""), subcategory=subcategory)


def _episode(entry: etree._Element) -> Episode:
    kinds = [kind for kind in _EPISODE_TYPES if kind == _said(entry, "itunes:episodeType")]
    return Episode(
        guid=_said(entry, "guid"),
        title=_said(entry, "title"),
        url=_said(entry, "link"),
        enclosure=Enclosure(
            url=_attribute(entry, "enclosure", "url"),
            length=_number(_attribute(entry, "enclosure", "length")) or 0,
            media_type=_attribute(entry, "enclosure", "type"),
        ),
        published_at=_date(_said(entry, "pubDate")) or _NO_DATE,
        duration_ms=1000 * (_number(_said(entry, "itunes:duration")) or 0),
        notes_html=_said(entry, "description"),
        season=_number(_said(entry, "itunes:season")),
        number=_number(_said(entry, "itunes:episode")),
        type=kinds[0] if kinds else "full",
        image_url=_attribute(entry, "itunes:image", "href") or None,
    )


def _said(parent: etree._Element, path: str) -> str:
    return parent.findtext(path, default="", namespaces=rss.NAMESPACES) or ""


def _attribute(parent: etree._Element, path: str, name: str) -> str:
    element = parent.find(path, rss.NAMESPACES)
    return "" if element is None else str(element.get(name, ""))


def _self_address(channel: etree._Element) -> str:
    links = channel.iterfind("atom:link", rss.NAMESPACES)
    return next((str(link.get("href", "")) for link in links if link.get("rel") == "self"), "")


def _number(value: str) -> int | None:
    return int(value) if _is_whole(value) else None


def _is_whole(value: str) -> bool:
    return re.fullmatch("[0-9]{1,15}", value) is not None


def _date(value: str) -> datetime | None:
    """RFC 2822, with a zone; None when it is not."""
    try:
        moment = parsedate_to_datetime(value)
        return moment.astimezone(UTC) if moment.tzinfo else None
    except (ValueError, OverflowError):  # no date at all, and the year 1 or 9999 moved to another zone
        return None


def _is_date(parent: etree._Element, tag: str) -> bool:
    """Whether the date can be read; one that is not there is (PSP-1: recommended)."""
    return not _said(parent, tag) or _date(_said(parent, tag)) is not None


def _is_guid(value: str) -> bool:
    try:
        return not value or str(UUID(value)) == value.lower()
    except ValueError:
        return False
