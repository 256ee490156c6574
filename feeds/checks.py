"""What a feed must satisfy (PSP-1, Apple): judged as a document before it is published, and as bytes after."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from uuid import UUID

from lxml import etree

from feeds import companions, rules, text
from feeds.document import AlternateEnclosure, Category, Chapter, Enclosure, Episode, EpisodeType, Show, Transcript
from feeds.elements import NAMESPACES, attribute, said, whole_number
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
    rules.other_files_are_described,
    rules.other_files_have_addresses_of_their_own,
    rules.chapters_follow_one_another,
    rules.chapters_begin_inside_the_audio,
    rules.transcripts_are_of_a_known_kind,
    rules.captions_are_marked_once,
    rules.numbers_count_from_one,
    rules.serial_episode_has_a_number,
    rules.episode_has_notes,
    rules.notes_are_shown_whole,
    rules.episode_language_is_known,
    rules.episode_cover_is_a_picture,
)
_EPISODE_TYPES: tuple[EpisodeType, ...] = ("full", "trailer", "bonus")
_DESCRIPTION_BYTES = 4000
_Said = str | None | tuple[Chapter, ...] | tuple[Transcript, ...] | tuple[AlternateEnclosure, ...]
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
                read=text.short(_in_words(read), 100),
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
        name = text.short(said(entry, "title") or said(entry, "guid"), 80)
        yield from (replace(finding, where=name) for finding in _item_findings(entry, document))


def contents(xml: bytes) -> dict[str, str]:
    """What the feed offers: the address of the audio by GUID. Nothing, when it cannot be read."""
    root = _parsed(xml)
    entries = root.iterfind("channel/item") if root is not None else ()
    return {said(entry, "guid"): attribute(entry, "enclosure", "url") for entry in entries}


def _item_findings(entry: etree._Element, show: Show) -> Iterator[Finding]:
    document = _episode(entry)
    yield from _item_values_are_allowed(entry, document)
    yield from _webvtt_comes_first(document)
    yield from episode(document, show)


# Bytes


def _parsed(xml: bytes) -> etree._Element | None:
    """Strictly, as the least patient app does; None when it is not XML."""
    try:
        return etree.fromstring(xml, etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True))
    except etree.XMLSyntaxError:
        return None


def _compared(entry: etree._Element, episode: Episode) -> Iterator[tuple[str, _Said, _Said]]:
    """Field, what was meant, what is read."""
    yield "guid", text.identifier(episode.guid), said(entry, "guid")
    yield "title", text.short(episode.title), said(entry, "title")
    yield "audio", text.ascii_url(episode.enclosure.url), attribute(entry, "enclosure", "url")
    yield "audio", str(episode.enclosure.length), attribute(entry, "enclosure", "length")
    yield "audio", episode.enclosure.media_type, attribute(entry, "enclosure", "type")
    meant = episode.published_at.astimezone(UTC).replace(microsecond=0)
    read = _date(said(entry, "pubDate"))
    yield "publish_at", meant.isoformat(), read.isoformat() if read else ""
    written, found = companions.as_written(episode), companions.read(entry)
    yield "chapters", written.chapters, found.chapters
    yield "chapters", written.chapters_url, found.chapters_url
    yield "transcripts", written.transcripts, found.transcripts
    yield "audio", written.alternate_enclosures, found.alternate_enclosures


def _in_words(read: _Said) -> str:
    """A text as it is; a list by what its members are called."""
    if isinstance(read, tuple):
        return ", ".join(one.url if isinstance(one, Transcript) else one.title for one in read)
    return read or ""


def _namespaces_are_declared(root: etree._Element) -> Iterator[Finding]:
    """PSP-1: `rss` 2.0 with the namespaces itunes, podcast and atom, letter for letter."""
    needed = {NAMESPACES[prefix] for prefix in ("itunes", "podcast", "atom")}
    if root.tag != "rss" or root.get("version") != "2.0" or not needed.issubset(root.nsmap.values()):
        yield error(
            "feed",
            "The feed does not begin as a podcast's RSS 2.0 feed must.",
            "Tell whoever runs this site; episodes and texts are not the cause.",
        )


def _channel_values_are_allowed(channel: etree._Element) -> Iterator[Finding]:
    """PSP-1, channel: `link`, `atom:link` self, `itunes:explicit` and `block`, `podcast:locked` and `guid`, dates."""
    allowed = [
        said(channel, "link") != "",
        bool(_self_address(channel)),
        said(channel, "itunes:explicit") in ("true", "false"),
        said(channel, "itunes:type") in ("", "episodic", "serial"),
        said(channel, "itunes:block") in ("", "yes"),
        said(channel, "podcast:locked") in ("", "yes", "no"),
        _is_guid(said(channel, "podcast:guid")),
        *(_is_date(channel, tag) for tag in ("pubDate", "lastBuildDate")),
    ]
    names = ("link", "atom:link", "explicit", "type", "block", "locked", "guid", "pubDate", "lastBuildDate")
    for name, is_allowed in zip(names, allowed, strict=True):
        if not is_allowed:
            yield error(
                "feed",
                "What the feed says under “{name}” is missing, or not what apps expect.",
                "Tell whoever runs this site; episodes and texts are not the cause.",
                name=name,
            )


def _item_values_are_allowed(entry: etree._Element, read: Episode) -> Iterator[Finding]:
    """PSP-1, item: one `enclosure` with whole numbers, dates, `itunes:` values of the allowed kind."""
    allowed = {
        "audio": len(entry.findall("enclosure")) == 1
        and _is_whole(attribute(entry, "enclosure", "length"))
        and _is_whole(said(entry, "itunes:duration") or "1"),
        "publish_at": _is_date(entry, "pubDate"),
        "explicit": said(entry, "itunes:explicit") in ("", "true", "false"),
        "type": said(entry, "itunes:episodeType") in ("", *_EPISODE_TYPES),
        "season": _is_whole(said(entry, "itunes:season") or "1"),
        "number": _is_whole(said(entry, "itunes:episode") or "1"),
        "notes": text.size(said(entry, "description")) <= _DESCRIPTION_BYTES,
        "chapters": _chapters_can_be_read(entry, read),
    }
    for field, is_allowed in allowed.items():
        if not is_allowed:
            yield error(
                field,
                "The feed says something here that apps cannot use.",
                "Open the episode, look at this field and save it again.",
            )


def _webvtt_comes_first(episode: Episode) -> Iterator[Finding]:
    """Apple and browsers read WebVTT, and some apps look at the first `podcast:transcript` alone."""
    is_webvtt = [companions.is_webvtt(transcript) for transcript in episode.transcripts]
    if any(is_webvtt) and not is_webvtt[0]:
        yield warning(
            "transcripts",
            "The first transcript in the feed is not the one in WebVTT, which most apps look for.",
            "Tell whoever runs this site; episodes and texts are not the cause.",
        )


def _chapters_can_be_read(entry: etree._Element, read: Episode) -> bool:
    """Podlove Simple Chapters: one list at most, not empty, each with a time and a title. Podcasting 2.0, `chapters`:
    one at most, with its address and type."""
    lists, files = (entry.findall(path, NAMESPACES) for path in ("psc:chapters", "podcast:chapters"))
    are_whole = len(read.chapters) == sum(len(each) for each in lists) and all(len(each) for each in lists)
    say_what = all(file.get("url") and file.get("type") == companions.CHAPTERS_TYPE for file in files)
    return len(lists) <= 1 and len(files) <= 1 and are_whole and say_what


def _each_is_there_once(entries: Iterable[etree._Element]) -> Iterator[Finding]:
    """PSP-1, `guid`: unique. Apple: an audio address that is there twice is passed over."""
    entries = list(entries)
    for guid, count in _repeated(said(entry, "guid") for entry in entries):
        yield error(
            "guid",
            "{count} episodes share the identifier “{guid}”, so apps show only one of them.",
            "Withdraw all but one, and make new episodes from their audio.",
            count=count,
            guid=text.short(guid, 100),
        )
    for url, count in _repeated(attribute(entry, "enclosure", "url") for entry in entries):
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
        title=said(channel, "title"),
        description=said(channel, "description"),
        url=said(channel, "link"),
        feed_url=_self_address(channel),
        guid=said(channel, "podcast:guid"),
        language=said(channel, "language"),
        author=said(channel, "itunes:author"),
        categories=tuple(_categories(channel)),
        explicit=said(channel, "itunes:explicit") == "true",
        image_url=attribute(channel, "itunes:image", "href"),
        type="serial" if said(channel, "itunes:type") == "serial" else "episodic",
        copyright=said(channel, "copyright") or None,
        owner_email=said(channel, "itunes:owner/itunes:email") or None,
    )


def _categories(channel: etree._Element) -> Iterator[Category]:
    for outer in channel.iterfind("itunes:category", NAMESPACES):
        inner = [element.get("text") for element in outer.iterfind("itunes:category", NAMESPACES)]
        for subcategory in inner or [None]:
            yield Category(name=outer.get("text", ""), subcategory=subcategory)


def _episode(entry: etree._Element) -> Episode:
    accompanying = companions.read(entry)
    kinds = [kind for kind in _EPISODE_TYPES if kind == said(entry, "itunes:episodeType")]
    return Episode(
        guid=said(entry, "guid"),
        title=said(entry, "title"),
        url=said(entry, "link"),
        enclosure=Enclosure(
            url=attribute(entry, "enclosure", "url"),
            length=whole_number(attribute(entry, "enclosure", "length")) or 0,
            media_type=attribute(entry, "enclosure", "type"),
        ),
        published_at=_date(said(entry, "pubDate")) or _NO_DATE,
        duration_ms=1000 * (whole_number(said(entry, "itunes:duration")) or 0),
        notes_html=said(entry, "description"),
        season=whole_number(said(entry, "itunes:season")),
        number=whole_number(said(entry, "itunes:episode")),
        type=kinds[0] if kinds else "full",
        image_url=attribute(entry, "itunes:image", "href") or None,
        chapters=accompanying.chapters,
        chapters_url=accompanying.chapters_url,
        transcripts=accompanying.transcripts,
        alternate_enclosures=accompanying.alternate_enclosures,
    )


def _self_address(channel: etree._Element) -> str:
    links = channel.iterfind("atom:link", NAMESPACES)
    return next((str(link.get("href", "")) for link in links if link.get("rel") == "self"), "")


def _date(value: str) -> datetime | None:
    """RFC 2822, with a zone; None when it is not."""
    try:
        moment = parsedate_to_datetime(value)
        return moment.astimezone(UTC) if moment.tzinfo else None
    except (ValueError, OverflowError):  # no date at all, and the year 1 or 9999 moved to another zone
        return None


def _is_whole(value: str) -> bool:
    return whole_number(value) is not None


def _is_date(parent: etree._Element, tag: str) -> bool:
    """Whether the date can be read; one that is not there is (PSP-1: recommended)."""
    return not said(parent, tag) or _date(said(parent, tag)) is not None


def _is_guid(value: str) -> bool:
    try:
        return not value or str(UUID(value)) == value.lower()
    except ValueError:
        return False
