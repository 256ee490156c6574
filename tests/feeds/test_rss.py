"""A show becomes RSS that directories and players read as it was meant."""

import io
import warnings
from dataclasses import replace
from datetime import datetime, timedelta

import feedparser
import podcastparser
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from feeds import rss
from feeds.document import Category, Enclosure, Person, Verification
from tests.feeds.samples import ACCOMPANIED, BUILT_AT, EPISODE, FIRST, NS, SHOW, episode, feed, item

HOSTILE = "]]> & <script>alert(1)</script> 😀 \u202eעברית\u202c \x00\x0b\x1f\x85\ufffe\ud800 é"


def text(parent: etree._Element, path: str) -> str | None:
    return parent.findtext(path, namespaces=NS)


def test_the_whole_feed_is_its_head_its_items_and_its_tail() -> None:
    head, tail = rss.channel(SHOW, built_at=BUILT_AT)
    newest, oldest = episode(2), episode(1)

    whole = rss.rss(SHOW, [oldest, newest], built_at=BUILT_AT)

    assert whole == head + rss.item(newest) + rss.item(oldest) + tail


def test_the_joined_feed_holds_what_podgen_builds_in_one_piece() -> None:
    in_one_piece = rss._Channel(SHOW, BUILT_AT)
    in_one_piece.episodes = [rss._Item(episode(1)), rss._Item(episode(2))]

    joined = feed(SHOW, episode(1), episode(2))

    def canonical(channel: etree._Element) -> list[bytes]:
        return sorted(etree.tostring(child, method="c14n", exclusive=True, with_tail=False) for child in channel)

    assert canonical(joined) == canonical(in_one_piece._create_rss()[0])


def test_the_same_arguments_give_the_same_bytes() -> None:
    once, again = (rss.rss(SHOW, [episode(1), ACCOMPANIED], built_at=BUILT_AT) for _ in range(2))

    assert once == again


def test_the_document_declares_utf_8_and_the_namespaces_of_psp_1() -> None:
    declaration, root, *_ = rss.rss(SHOW, [], built_at=BUILT_AT).split(b"\n")

    assert declaration == b"<?xml version='1.0' encoding='UTF-8'?>"
    assert b'xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"' in root
    assert b'xmlns:podcast="https://podcastindex.org/namespace/1.0"' in root
    assert b'xmlns:atom="http://www.w3.org/2005/Atom"' in root
    assert b'xmlns:content="http://purl.org/rss/1.0/modules/content/"' in root
    assert b'xmlns:psc="http://podlove.org/simple-chapters"' in root


def test_an_item_declares_no_namespace_of_its_own() -> None:
    assert b"xmlns" not in rss.item(replace(EPISODE, language="en"))


def test_the_channel_says_what_psp_1_requires() -> None:
    channel = feed(SHOW)

    assert text(channel, "title") == "Voix de la diaspora"
    assert text(channel, "description") == "Des récits d'ici et de là-bas."
    assert text(channel, "link") == "https://radio.example/voix/"
    assert text(channel, "language") == "fr"
    assert text(channel, "itunes:explicit") == "false"
    assert channel.xpath("string(itunes:image/@href)", namespaces=NS) == "https://radio.example/voix/cover-1.jpg"
    self_link = channel.xpath("atom:link[@rel='self']", namespaces=NS)[0]
    assert dict(self_link.attrib) == {"href": SHOW.feed_url, "rel": "self", "type": "application/rss+xml"}


def test_the_channel_says_what_podcasting_2_0_and_apple_recommend() -> None:
    channel = feed(replace(SHOW, type="serial"))

    assert text(channel, "podcast:guid") == SHOW.guid
    assert text(channel, "podcast:medium") == "podcast"
    assert text(channel, "podcast:funding") == "Soutenir"
    assert text(channel, "podcast:person") == "Aïcha"
    assert text(channel, "itunes:type") == "serial"
    assert text(channel, "itunes:author") == "OIM Belgique et Luxembourg"
    assert text(channel, "copyright") == "OIM"


def test_texts_by_which_directories_know_the_show_are_written_as_they_are() -> None:
    codes = (Verification(purpose="verify", text="a  b&c"), Verification(text="S6lpp-7ZCn8-dZfGc-OoyaG"))

    written = feed(replace(SHOW, verification=codes)).findall("podcast:txt", NS)

    assert [(code.get("purpose"), code.text) for code in written] == [("verify", "a  b&c"), (None, codes[1].text)]


def test_categories_keep_their_order_and_their_place_in_the_tree() -> None:
    categories = feed(SHOW).findall("itunes:category", NS)

    assert [category.get("text") for category in categories] == ["Society & Culture", "Government"]
    assert [inner.get("text") for inner in categories[0]] == ["Documentary"]


def test_a_category_is_spelt_as_apple_spells_it() -> None:
    channel = feed(replace(SHOW, categories=(Category(name="Comedy", subcategory="Stand-Up"),)))

    assert channel.xpath("string(itunes:category/itunes:category/@text)", namespaces=NS) == "Stand-Up"


def test_hubs_and_other_languages_are_linked() -> None:
    links = feed(SHOW).findall("atom:link", NS)

    assert [(link.get("rel"), link.get("href"), link.get("hreflang")) for link in links] == [
        ("self", SHOW.feed_url, None),
        ("hub", "https://hub.example/", None),
        ("alternate", "https://radio.example/en/voix/feed.xml", "en"),
    ]


def test_the_feed_of_small_files_is_linked_and_asks_not_to_be_listed() -> None:
    low_address = "https://radio.example/voix/feed-low.xml"

    whole, low = feed(replace(SHOW, low_feed_url=low_address)), feed(replace(SHOW, is_blocked=True))

    assert dict(whole.findall("atom:link", NS)[-1].attrib) == {
        "href": low_address,
        "rel": "alternate",
        "type": "application/rss+xml",
        "title": "low data",
    }
    assert text(whole, "itunes:block") is None
    assert text(low, "itunes:block") == "yes"


def test_an_e_mail_that_is_not_shown_is_nowhere() -> None:
    shown = rss.rss(SHOW, [], built_at=BUILT_AT)
    hidden = rss.rss(replace(SHOW, owner_email=None, owner_name="Voix"), [], built_at=BUILT_AT)

    assert shown.count(b"voix@radio.example") == 2  # itunes:owner, podcast:locked
    assert b"@" not in hidden
    assert b"<podcast:locked>yes</podcast:locked>" in hidden


def test_every_date_of_the_channel_is_the_build_date() -> None:
    channel = feed(SHOW, EPISODE)

    assert text(channel, "lastBuildDate") == "Sun, 01 Mar 2026 12:00:00 GMT"
    assert text(channel, "pubDate") == "Sun, 01 Mar 2026 12:00:00 GMT"


@pytest.mark.parametrize(
    ("written", "holder"),
    [
        ("© 2019-2026 OIM Belgique", "OIM Belgique"),
        ("Copyright (c) 2026, OIM", "OIM"),
        ("OIM 2024 – 2026", "OIM"),
        ("Copyright 2026", None),
        ("Maison 1000 voix", "Maison 1000 voix"),
    ],
)
def test_the_copyright_names_the_holder_alone(written: str, holder: str | None) -> None:
    assert text(feed(replace(SHOW, copyright=written)), "copyright") == holder


def test_a_feed_that_moved_says_where_to() -> None:
    moved = feed(replace(SHOW, new_feed_url="https://new.example/feed.xml"))

    assert text(moved, "itunes:new-feed-url") == "https://new.example/feed.xml"


def test_nothing_of_podgen_that_validators_refuse_is_left() -> None:
    whole = rss.rss(SHOW, [EPISODE], built_at=BUILT_AT)

    for unwanted in (b"itunes:order", b"managingEditor", b"podgen", b"PodGen", b">yes</itunes", b">no</itunes"):
        assert unwanted not in whole


def test_everything_of_the_channel_stands_before_the_first_item() -> None:
    tags = [child.tag for child in feed(SHOW, episode(1), episode(2))]

    assert tags[-2:] == ["item", "item"]
    assert "item" not in tags[:-2]


def test_an_item_says_what_psp_1_requires() -> None:
    entry = item(EPISODE)

    assert text(entry, "title") == "Thérèse à Matonge"
    assert text(entry, "link") == "https://radio.example/voix/therese"
    assert text(entry, "guid") == EPISODE.guid
    assert entry.find("guid").get("isPermaLink") == "false"
    assert text(entry, "pubDate") == "Mon, 05 Jan 2026 08:30:00 GMT"
    assert dict(entry.find("enclosure").attrib) == {
        "url": "https://radio.example/media/a1/therese.mp3",
        "length": "4321",
        "type": "audio/mpeg",
    }


@pytest.mark.parametrize("guid", ["https://old.example/?p=1&q=2", "A  b", "a  b", "x" * 400])
def test_a_guid_stays_the_string_that_it_was(guid: str) -> None:
    assert text(item(replace(EPISODE, guid=f" {guid}\n")), "guid") == guid


def test_an_item_says_its_place_for_apple_and_for_podcasting_2_0() -> None:
    entry = item(replace(EPISODE, season=2, number=7, type="bonus"))

    assert text(entry, "itunes:season") == text(entry, "podcast:season") == "2"
    assert text(entry, "itunes:episode") == text(entry, "podcast:episode") == "7"
    assert text(entry, "itunes:episodeType") == "bonus"


def test_an_item_without_a_place_claims_none() -> None:
    entry = item(replace(EPISODE, season=None, number=0))

    assert entry.xpath("itunes:season|itunes:episode|podcast:season|podcast:episode", namespaces=NS) == []


@pytest.mark.parametrize(
    ("duration_ms", "seconds"), [(400, "1"), (1000, "1"), (1001, "2"), (3_600_000, "3600"), (0, None)]
)
def test_a_duration_is_whole_seconds_rounded_up(duration_ms: int, seconds: str | None) -> None:
    assert text(item(replace(EPISODE, duration_ms=duration_ms)), "itunes:duration") == seconds


@pytest.mark.parametrize(("explicit", "said"), [(True, "true"), (False, "false"), (None, None)])
def test_explicit_is_true_false_or_left_to_the_show(explicit: bool | None, said: str | None) -> None:
    assert text(item(replace(EPISODE, explicit=explicit)), "itunes:explicit") == said


def test_an_item_names_its_persons_with_their_roles() -> None:
    guest = Person(name="T" * 200, role="Guest", url="https://t.example/", image_url="https://t.example/t.jpg")

    [person] = item(replace(EPISODE, persons=(guest, Person(name=" ")))).findall("podcast:person", NS)

    assert len(person.text) == 128
    assert dict(person.attrib) == {
        "role": "guest",
        "group": "cast",
        "href": "https://t.example/",
        "img": "https://t.example/t.jpg",
    }


def test_an_item_carries_its_cover_and_language() -> None:
    entry = item(replace(EPISODE, image_url="https://radio.example/voix/therese/cover-2.png", language="ln"))

    assert entry.xpath("string(itunes:image/@href)", namespaces=NS).endswith("cover-2.png")
    assert entry.get("{http://www.w3.org/XML/1998/namespace}lang") == "ln"


def test_notes_come_short_in_description_and_whole_in_content() -> None:
    notes = f"<h2>Liens</h2><p>{'Bonjour à toutes. ' * 400}</p>"

    entry = item(replace(EPISODE, notes_html=notes))

    assert text(entry, "content:encoded") == notes
    assert len(text(entry, "description").encode()) <= 4000
    assert text(entry, "description").endswith(f'<a href="{EPISODE.url}">{EPISODE.url}</a></p>')


def test_an_episode_without_notes_has_no_empty_description() -> None:
    entry = item(replace(EPISODE, notes_html=""))

    assert entry.xpath("description|content:encoded", namespaces=NS) == []


def test_addresses_are_ascii() -> None:
    strange = replace(
        EPISODE,
        url="https://radió.example/Épisode n° 1",
        enclosure=replace(EPISODE.enclosure, url="https://radio.example/media/a/日本.mp3"),
    )

    entry = item(strange)

    assert text(entry, "link") == "https://xn--radi-tqa.example/%C3%89pisode%20n%C2%B0%201"
    assert entry.find("enclosure").get("url") == "https://radio.example/media/a/%E6%97%A5%E6%9C%AC.mp3"


def test_text_that_tries_to_break_out_comes_back_as_text() -> None:
    entry = item(replace(EPISODE, title=HOSTILE, notes_html=f"<p>{HOSTILE}</p>", persons=(Person(name=HOSTILE),)))

    readable = "]]> & <script>alert(1)</script> 😀 \u202eעברית\u202c  é"
    assert text(entry, "title") == text(entry, "podcast:person") == readable.replace("  ", " ")
    assert text(entry, "content:encoded") == f"<p>{readable}</p>"
    assert "script" not in text(entry, "description")
    assert "😀" in text(entry, "description")


def test_hostile_text_anywhere_in_the_show_leaves_a_feed() -> None:
    words = dict.fromkeys(("title", "description", "guid", "language", "author", "copyright", "owner_name"), HOSTILE)

    channel = feed(replace(SHOW, **words, categories=(Category(name=HOSTILE),), owner_email=HOSTILE), EPISODE)

    assert text(channel, "title").startswith("]]> & <script>")
    assert len(channel.findall("item")) == 1


@settings(deadline=None)  # a busy machine is no fault
@given(words=st.text(), html=st.text())
def test_no_text_at_all_makes_an_unreadable_feed(words: str, html: str) -> None:
    strange = replace(
        EPISODE, title=f"x{words}", notes_html=html, persons=(Person(name=words),), url=f"https://x/{words}"
    )

    entry = item(strange)

    assert text(entry, "link").isascii()


def test_types_and_covers_that_podgen_warns_of_pass_in_silence() -> None:
    opus = Enclosure(url="https://radio.example/media/a/low.opus", length=0, media_type="audio/ogg")

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        entry = item(replace(EPISODE, enclosure=opus, image_url="https://radio.example/cover.webp"))

    assert entry.find("enclosure").get("type") == "audio/ogg"


def test_a_show_without_episodes_has_a_valid_channel() -> None:
    channel = feed(SHOW)

    assert channel.findall("item") == []
    assert text(channel, "title") == SHOW.title


def test_a_show_that_lacks_its_description_has_a_feed_all_the_same() -> None:
    assert text(feed(replace(SHOW, description="")), "description") == SHOW.title


def test_a_long_channel_description_is_cut_at_4000_bytes_and_a_word() -> None:
    described = text(feed(replace(SHOW, description="đường phố " * 400)), "description")

    assert 3900 < len(described.encode()) <= 4000
    assert described.endswith(("đường…", "phố…"))


def test_two_thousand_one_hundred_episodes_are_all_there_newest_first() -> None:
    episodes = [episode(number) for number in range(1, 2101)]

    guids = [entry.findtext("guid") for entry in feed(SHOW, *episodes).findall("item")]

    assert guids == [one.guid for one in reversed(episodes)]


def test_episodes_of_the_same_second_stand_in_the_order_of_their_guids() -> None:
    together = [episode(number, published_at=FIRST + timedelta(microseconds=number)) for number in (3, 1, 2)]

    guids = [entry.findtext("guid") for entry in feed(SHOW, *together).findall("item")]

    assert guids == sorted(guids)


def test_feedparser_reads_what_was_meant() -> None:
    parsed = feedparser.parse(io.BytesIO(rss.rss(SHOW, [episode(1), episode(2)], built_at=BUILT_AT)))

    assert not parsed.bozo
    assert parsed.feed.title == SHOW.title
    assert parsed.feed.language == "fr"
    newest = parsed.entries[0]
    assert (newest.title, newest.id, newest.itunes_episode) == ("Rencontre 2e", episode(2).guid, "2")
    assert newest.enclosures[0].href == episode(2).enclosure.url
    assert newest.published_parsed[:5] == (2026, 1, 7, 8, 30)


def test_podcastparser_reads_what_was_meant() -> None:
    xml = rss.rss(SHOW, [episode(1), episode(2)], built_at=BUILT_AT)

    parsed = podcastparser.parse(SHOW.feed_url, io.BytesIO(xml))

    assert (parsed["title"], parsed["explicit"], parsed["type"]) == (SHOW.title, False, "episodic")
    newest = parsed["episodes"][0]
    assert (newest["title"], newest["guid"], newest["total_time"]) == ("Rencontre 2e", episode(2).guid, 1801)
    assert newest["enclosures"][0]["file_size"] == episode(2).enclosure.length
    assert newest["published"] == episode(2).published_at.timestamp()


def test_the_builders_clock_may_be_in_any_zone() -> None:
    brussels = datetime.fromisoformat("2026-03-01T13:00:00+01:00")

    assert rss.channel(SHOW, built_at=brussels) == rss.channel(SHOW, built_at=BUILT_AT)
