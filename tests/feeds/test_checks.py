"""What stands in the way of a feed is said, field by field, with its mend."""

import ast
import json
import re
import string
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import podgen
import pytest
from babel.messages.pofile import read_po
from hypothesis import given, settings
from hypothesis import strategies as st

import feeds
from feeds import checks, rss
from feeds.categories import TREE
from feeds.document import Category, Chapter, Enclosure, Episode, Show, Transcript
from feeds.findings import Finding, warning
from tests.feeds.samples import ACCOMPANIED, BUILT_AT, EPISODE, SHOW, episode


def named(findings: Iterator[Finding]) -> list[tuple[str, str]]:
    return [(finding.level, finding.field) for finding in findings]


def whole(show: Show = SHOW, *episodes: Episode) -> bytes:
    return rss.rss(show, episodes or [EPISODE], built_at=BUILT_AT)


def test_a_good_show_and_a_good_episode_have_no_findings() -> None:
    assert list(checks.show(SHOW)) == []
    assert list(checks.episode(EPISODE, SHOW)) == []
    assert list(checks.episode(ACCOMPANIED, SHOW)) == []


@pytest.mark.parametrize(
    ("changes", "finding"),
    [
        ({"title": " "}, ("error", "show.title")),
        ({"title": "x" * 256}, ("error", "show.title")),
        ({"description": ""}, ("error", "show.description")),
        ({"description": "é" * 2001}, ("error", "show.description")),
        ({"description": "Des <b>voix</b>"}, ("warning", "show.description")),
        ({"language": ""}, ("error", "show.language")),
        ({"language": "french"}, ("error", "show.language")),
        ({"language": "fr-xx"}, ("error", "show.language")),
        ({"author": ""}, ("warning", "show.author")),
        ({"image_url": ""}, ("error", "show.cover")),
        ({"image_url": "https://radio.example/cover.webp"}, ("error", "show.cover")),
        ({"categories": ()}, ("error", "show.categories")),
        ({"categories": (Category(name="News & Politics"),)}, ("error", "show.categories")),
        ({"categories": (Category(name="society & culture"),)}, ("error", "show.categories")),
        ({"categories": (Category(name="Government", subcategory="Local"),)}, ("error", "show.categories")),
        ({"copyright": "© OIM"}, ("warning", "show.copyright")),
        ({"copyright": "OIM 2026"}, ("warning", "show.copyright")),
        ({"owner_email": "nobody"}, ("error", "show.owner_email")),
        ({"feed_url": "http://127.0.0.1:8000/voix/feed.xml"}, ("warning", "show.feed_url")),
    ],
)
def test_a_show_that_breaks_a_rule_is_told_so(changes: dict[str, object], finding: tuple[str, str]) -> None:
    assert named(checks.show(replace(SHOW, **changes))) == [finding]


@pytest.mark.parametrize("language", ["en", "fr", "FR", "nl-be", "en-us", "zh-Hant", "kea", "lua", "ln"])
def test_a_language_that_directories_know_is_taken(language: str) -> None:
    assert list(checks.show(replace(SHOW, language=language))) == []


def audio(**changes: object) -> dict[str, object]:
    return {"enclosure": replace(EPISODE.enclosure, **changes)}


@pytest.mark.parametrize(
    ("changes", "finding"),
    [
        ({"title": ""}, ("error", "title")),
        ({"title": "é" * 256}, ("warning", "title")),
        ({"title": "Episode 3: Matonge"}, ("warning", "title")),
        ({"title": "Épisode 3 – Matonge"}, ("warning", "title")),
        ({"title": "#12 Matonge"}, ("warning", "title")),
        ({"title": "3. Matonge"}, ("warning", "title")),
        ({"title": "Matonge S01E03"}, ("warning", "title")),
        ({"title": "Saison 2, épisode 4"}, ("warning", "title")),
        ({"guid": " "}, ("error", "guid")),
        ({"guid": "42"}, ("warning", "guid")),
        (audio(length=0), ("error", "audio")),
        (audio(url="https://radio.example/media/a/x.ogg"), ("error", "audio")),
        (audio(url="https://radio.example/media/a/x"), ("error", "audio")),
        (audio(media_type="audio/x-m4a"), ("error", "audio")),
        (audio(url="https://radio.example/media/x.mp3?v=1"), ("warning", "audio")),
        (audio(url="http://radio.example/media/x.mp3"), ("warning", "audio")),
        ({"duration_ms": 0}, ("warning", "audio")),
        ({"season": 0}, ("error", "season")),
        ({"number": -1}, ("error", "number")),
        ({"notes_html": " "}, ("warning", "notes")),
        ({"notes_html": f"<p>{'é' * 2000}</p>"}, ("warning", "notes")),
        ({"language": "xx"}, ("error", "language")),
        ({"image_url": "https://radio.example/cover.gif"}, ("error", "cover")),
    ],
)
def test_an_episode_that_breaks_a_rule_is_told_so(changes: dict[str, object], finding: tuple[str, str]) -> None:
    assert named(checks.episode(replace(EPISODE, **changes), SHOW)) == [finding]


def chapters(*starts_ms: int) -> dict[str, object]:
    return {"chapters": tuple(Chapter(start_ms=start_ms, title=f"{start_ms}") for start_ms in starts_ms)}


def transcripts(*changes: dict[str, object]) -> dict[str, object]:
    webvtt = Transcript(url="https://radio.example/t.vtt", media_type="text/vtt", language="fr")
    return {"transcripts": tuple(replace(webvtt, **each) for each in changes)}


def other_files(place: int, **changes: object) -> dict[str, object]:
    """Of the sample's two, the enclosure itself (0) or the smaller one (1) changed."""
    others = list(ACCOMPANIED.alternate_enclosures)
    others[place] = replace(others[place], **changes)
    return {"alternate_enclosures": tuple(others)}


@pytest.mark.parametrize(
    ("changes", "finding"),
    [
        (chapters(0, 2000, 1000), ("warning", "chapters")),
        (chapters(0, 1000, 1000), ("warning", "chapters")),
        (transcripts({"media_type": "application/srt"}), ("error", "transcripts")),
        (transcripts({"url": ""}), ("error", "transcripts")),
        (transcripts({"is_captions": True}, {"is_captions": True, "language": "en"}), ("warning", "transcripts")),
        (other_files(1, url=""), ("error", "audio")),
        (other_files(1, length=0), ("error", "audio")),
        (other_files(1, media_type=""), ("error", "audio")),
        (other_files(1, integrity="sha256-x"), ("error", "audio")),
        (other_files(0, url="https://radio.example/media/a1/other.mp3"), ("error", "audio")),
        (other_files(0, length=4320), ("error", "audio")),
        (other_files(0, is_default=False), ("error", "audio")),
        (other_files(1, url=EPISODE.enclosure.url), ("error", "audio")),
        (other_files(1, url="http://radio.example/media/b2/therese.opus"), ("warning", "audio")),
    ],
)
def test_companions_that_break_a_rule_are_told_so_in_the_document_and_in_its_feed(
    changes: dict[str, object], finding: tuple[str, str]
) -> None:
    bad = replace(ACCOMPANIED, **changes)

    assert named(checks.episode(bad, SHOW)) == [finding]
    assert named(checks.feed(whole(SHOW, bad))) == [finding]


def test_a_chapter_after_the_end_of_the_audio_is_told_and_stands_in_no_feed() -> None:
    late = replace(ACCOMPANIED, **chapters(0, 1_801_000))

    assert named(checks.episode(late, SHOW)) == [("warning", "chapters")]
    assert named(checks.feed(whole(SHOW, late))) == []


def test_captions_may_come_in_several_forms() -> None:
    forms = transcripts({"is_captions": True}, {"is_captions": True, "media_type": "application/x-subrip"})

    assert list(checks.episode(replace(EPISODE, **forms), SHOW)) == []


def test_two_small_files_need_two_addresses() -> None:
    [_, small] = ACCOMPANIED.alternate_enclosures

    assert named(checks.episode(replace(EPISODE, alternate_enclosures=(small, small)), SHOW)) == [("error", "audio")]


def test_chapters_past_the_end_are_counted() -> None:
    def said(duration_ms: int) -> list[str]:
        marked = replace(EPISODE, duration_ms=duration_ms, **chapters(0, 60_000, 3_723_000))
        return [finding.message() for finding in checks.episode(marked, SHOW)]

    assert said(3_723_001) == []
    assert said(3_723_000) == [
        "One chapter begins after the end of the audio (1:02:03). Move it, or take it out.",
    ]
    assert said(59_999) == ["2 chapters begin after the end of the audio (0:59). Move them, or take them out."]


def test_chapters_of_an_audio_without_a_known_length_are_not_judged_by_it() -> None:
    assert named(checks.episode(replace(EPISODE, duration_ms=0, **chapters(0, 5000)), SHOW)) == [("warning", "audio")]


@pytest.mark.parametrize("title", ["Matonge, 2026", "24 heures à Liège", "2026 – une année", "Les 3 sœurs"])
def test_a_title_may_hold_numbers_that_do_not_count_episodes(title: str) -> None:
    assert list(checks.episode(replace(EPISODE, title=title), SHOW)) == []


@pytest.mark.parametrize("media_type", ["audio/x-m4a", "audio/m4a", "audio/mp4"])
def test_m4a_goes_by_three_names(media_type: str) -> None:
    m4a = Enclosure(url="https://radio.example/media/a/x.M4A", length=1, media_type=media_type)

    assert list(checks.episode(replace(EPISODE, enclosure=m4a), SHOW)) == []


def test_a_serial_show_asks_a_number_of_its_full_episodes() -> None:
    serial, unnumbered = replace(SHOW, type="serial"), replace(EPISODE, number=None)

    assert named(checks.episode(unnumbered, serial)) == [("error", "number")]
    assert list(checks.episode(replace(unnumbered, type="trailer"), serial)) == []
    assert list(checks.episode(unnumbered, SHOW)) == []


def test_all_problems_are_told_at_once_and_errors_can_be_told_apart() -> None:
    bad = replace(EPISODE, title="", number=0, notes_html="")

    findings = list(checks.episode(bad, SHOW))

    assert named(iter(findings)) == [("error", "title"), ("error", "number"), ("warning", "notes")]
    assert [finding.field for finding in checks.errors(findings)] == ["title", "number"]


def test_a_finding_is_told_in_the_readers_language() -> None:
    [finding] = checks.show(replace(SHOW, title="x" * 300))
    french = {finding.problem: "Titre : {length} caractères.", finding.mend: "{limit} au plus."}

    assert finding.message() == (
        "The show's title has 300 characters. Shorten it to 255; the description has room for the rest."
    )
    assert finding.message(french.__getitem__) == "Titre : 300 caractères. 255 au plus."


def test_values_with_braces_are_only_values() -> None:
    finding = warning("title", "“{title}” is odd.", "Change it.", title="{0} {missing}")

    assert finding.message() == "“{0} {missing}” is odd. Change it."


def test_an_item_that_reads_back_has_no_findings() -> None:
    head, tail = rss.channel(SHOW, built_at=BUILT_AT)

    for good in (EPISODE, ACCOMPANIED):
        assert list(checks.reads_back(head, rss.item(good), tail, good)) == []


@pytest.mark.parametrize(
    ("right", "wrong", "field", "read"),
    [
        (b'title="Matonge"', b'title="Ixelles"', "chapters", "Ouverture, Ixelles"),
        (b"00:01:01.250", b"00:01:01.251", "chapters", "Ouverture, Matonge"),
        (b"/chapters.json", b"/chapter.json", "chapters", "https://radio.example/voix/therese/chapter.json"),
        (b' rel="captions"', b"", "transcripts", "https://radio.example/voix/therese/transcript.fr.vtt,"),
        (b' bitrate="24000"', b"", "audio", "Standard, Very low data"),
    ],
)
def test_a_companion_that_is_read_otherwise_is_caught(right: bytes, wrong: bytes, field: str, read: str) -> None:
    head, tail = rss.channel(SHOW, built_at=BUILT_AT)
    item = rss.item(ACCOMPANIED)
    assert right in item

    [finding] = checks.reads_back(head, item.replace(right, wrong), tail, ACCOMPANIED)

    assert finding.field == field
    assert finding.message().startswith(f"Apps would read “{read}")


@settings(deadline=None)  # a busy machine is no fault
@given(title=st.text(min_size=1), html=st.text(), guid=st.text(min_size=1))
def test_whatever_was_typed_reads_back(title: str, html: str, guid: str) -> None:
    head, tail = rss.channel(SHOW, built_at=BUILT_AT)
    strange = replace(EPISODE, title=f"a{title}", notes_html=html, guid=guid)

    assert list(checks.reads_back(head, rss.item(strange), tail, strange)) == []


def test_an_item_that_says_something_else_is_caught_field_by_field() -> None:
    head, tail = rss.channel(SHOW, built_at=BUILT_AT)
    other = episode(2, enclosure=replace(EPISODE.enclosure, length=1, media_type="audio/x-m4a"))

    findings = named(checks.reads_back(head, rss.item(other), tail, EPISODE))

    assert findings == [("error", field) for field in ("guid", "title", "audio", "audio", "publish_at")]


@pytest.mark.parametrize("item", [b"", b"<item>", b"<item/><item/>", b"<item>\x01</item>", b"<item>&nope;</item>"])
def test_an_item_that_breaks_the_feed_is_caught(item: bytes) -> None:
    head, tail = rss.channel(SHOW, built_at=BUILT_AT)

    assert "error" in {level for level, _ in named(checks.reads_back(head, item, tail, EPISODE))}


def test_a_good_feed_has_no_findings() -> None:
    assert list(checks.feed(whole(SHOW, episode(1), episode(2)))) == []
    assert list(checks.feed(whole(replace(SHOW, is_blocked=True), ACCOMPANIED))) == []
    assert list(checks.feed(rss.rss(SHOW, [], built_at=BUILT_AT))) == []


def test_a_feed_is_judged_by_the_rules_of_its_document() -> None:
    bad = whole(replace(SHOW, categories=(), language="xx"), replace(EPISODE, notes_html="", season=None))

    findings = list(checks.feed(bad))

    assert named(iter(findings)) == [("error", "show.language"), ("error", "show.categories"), ("warning", "notes")]
    assert [finding.where for finding in findings] == ["", "", EPISODE.title]


def test_a_serial_feed_without_numbers_is_told_so() -> None:
    bad = whole(replace(SHOW, type="serial"), replace(EPISODE, number=None))

    assert named(checks.feed(bad)) == [("error", "number")]


def test_two_episodes_with_one_guid_or_one_audio_are_found() -> None:
    twins = whole(SHOW, EPISODE, replace(EPISODE, title="Jumelle"))

    findings = list(checks.feed(twins))

    assert named(iter(findings)) == [("error", "guid"), ("error", "audio")]
    assert findings[0].message().startswith(f"2 episodes share the identifier “{EPISODE.guid}”")


@pytest.mark.parametrize(
    ("right", "wrong", "finding"),
    [
        ("</rss>", "", ("error", "feed")),
        ("<title>", "<title>\x0b", ("error", "feed")),
        ('<rss xmlns:itunes="http://www.itunes.com/', '<rss xmlns:itunes="https://www.itunes.com/', ("error", "feed")),
        ('version="2.0"', 'version="0.91"', ("error", "feed")),
        (' rel="self"', ' rel="next"', ("error", "feed")),
        ("<itunes:explicit>false<", "<itunes:explicit>no<", ("error", "feed")),
        ("<podcast:guid>", "<itunes:block>no</itunes:block><podcast:guid>", ("error", "feed")),
        ("<podcast:locked owner", "<podcast:locked>maybe</podcast:locked><podcast:locked owner", ("error", "feed")),
        (f"<podcast:guid>{SHOW.guid}", "<podcast:guid>42", ("error", "feed")),
        ("<lastBuildDate>Sun, 01 Mar", "<lastBuildDate>Sun, 01 mars", ("error", "feed")),
        ("<pubDate>Mon, 05 Jan 2026 08:30:00 GMT", "<pubDate>2026-01-05", ("error", "publish_at")),
        ("<itunes:duration>1801", "<itunes:duration>30:01", ("error", "audio")),
        ("<itunes:season>1", "<itunes:season>one", ("error", "season")),
        ("<itunes:episode>1", "<itunes:episode>1.5", ("error", "number")),
        ("<itunes:episodeType>full", "<itunes:episodeType>teaser", ("error", "type")),
        ("<enclosure", '<enclosure url="https://x.example/x.mp3"/><enclosure', ("error", "audio")),
        ('length="4321"', 'length="4.3 kB"', ("error", "audio")),
        ("<itunes:episodeType>", "<itunes:explicit>yes</itunes:explicit><itunes:episodeType>", ("error", "explicit")),
        ("<description><![CDATA[", f"<description><![CDATA[{'é' * 2000}", ("error", "notes")),
        (
            "<itunes:episodeType>",
            '<podcast:transcript url="https://x.example/a"/><itunes:episodeType>',
            ("error", "transcripts"),
        ),
        ("<itunes:episodeType>", '<psc:chapters version="1.2"/><itunes:episodeType>', ("error", "chapters")),
        (
            "<itunes:episodeType>",
            '<podcast:chapters url="https://x.example/c"/><itunes:episodeType>',
            ("error", "chapters"),
        ),
    ],
)
def test_a_feed_that_was_damaged_is_told_so(right: str, wrong: str, finding: tuple[str, str]) -> None:
    good = whole().decode()
    assert right in good

    assert finding in named(checks.feed(good.replace(right, wrong).encode()))


@pytest.mark.parametrize(
    ("right", "wrong", "finding"),
    [
        ('start="00:00:00.000"', 'start="soon"', ("error", "chapters")),
        ('start="00:01:01.250"', 'start="01:00:00.000"', ("warning", "chapters")),
        ('start="00:00:00.000"', 'start="00:02:00.000"', ("warning", "chapters")),
        (
            "</psc:chapters>",
            '</psc:chapters><psc:chapters><psc:chapter start="2:00" title="a"/></psc:chapters>',
            ("error", "chapters"),
        ),
        ("application/json+chapters", "application/json", ("error", "chapters")),
        ('type="text/vtt"', 'type="text/plain; charset=utf-8"', ("error", "transcripts")),
        ('type="text/plain"', 'type="text/plain" rel="captions"', ("warning", "transcripts")),
        (
            "<podcast:transcript",
            '<podcast:transcript url="https://x.example/t" type="text/plain"/><podcast:transcript',
            ("warning", "transcripts"),
        ),
        (' length="810"', "", ("error", "audio")),
        ("https://radio.example/media/b2/therese.opus", EPISODE.enclosure.url, ("error", "audio")),
        ("sha256-", "md5-", ("error", "audio")),
    ],
)
def test_companions_that_were_damaged_are_found_in_the_feed(right: str, wrong: str, finding: tuple[str, str]) -> None:
    good = whole(SHOW, ACCOMPANIED).decode()
    assert right in good

    assert named(checks.feed(good.replace(right, wrong, 1).encode())) == [finding]


@settings(deadline=None)  # a busy machine is no fault
@given(cut=st.integers(0, 2000), noise=st.binary(max_size=5))
def test_no_bytes_make_the_check_itself_fail(cut: int, noise: bytes) -> None:
    good = whole()

    list(checks.feed(good[:cut] + noise + good[cut:]))
    list(checks.feed(good[:cut] + noise + good[cut + len(noise) :]))


@pytest.mark.parametrize(
    "date", ["Fri, 31 Dec 9999 23:00:00 -1400", "x", "Mon, 99 Jan 2026 00:00:00 GMT", "1 2 3 4 5 6"]
)
def test_no_date_makes_the_check_itself_fail(date: str) -> None:
    broken = whole().replace(b"Mon, 05 Jan 2026 08:30:00 GMT", date.encode())

    assert ("error", "publish_at") in named(checks.feed(broken))


def test_every_category_is_one_that_podgen_knows() -> None:
    for name, subcategories in TREE.items():
        for subcategory in subcategories or (None,):
            podgen.Category(name, subcategory)  # raises for another, warns of a former one

    assert (len(TREE), sum(map(len, TREE.values()))) == (19, 91)


def test_the_categories_are_those_of_the_reference(corpora: Path) -> None:
    reference = json.loads((corpora / "reference/apple_categories.json").read_text("utf-8"))

    assert {name: list(subcategories) for name, subcategories in TREE.items()} == reference


def sentences() -> set[str]:
    """Every problem and mend that feeds/ can say; each must be written out in its call."""
    found: set[str] = set()
    for module in Path(feeds.__file__).parent.glob("*.py"):
        for call in ast.walk(ast.parse(module.read_text("utf-8"))):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in ("error", "warning"):
                found.update(ast.literal_eval(argument) for argument in call.args[1:])
                assert len(call.args) == 3
    return found


def test_every_sentence_is_translated_with_its_placeholders() -> None:
    po = Path(feeds.__file__).parents[1] / "podcast_app/locale/fr/feeds.po"

    with po.open("rb") as lines:
        catalogue = read_po(lines, locale="fr", abort_invalid=True)

    translations = {message.id: message.string for message in catalogue if message.id and not message.fuzzy}
    assert translations.keys() == sentences()
    for english, french in translations.items():
        assert placeholders(french) == placeholders(english)
        assert french.strip()


def test_every_sentence_is_a_sentence() -> None:
    for sentence in sentences():
        assert re.fullmatch(r"[A-Z“{].*\.", sentence), sentence


def placeholders(sentence: str) -> set[str | None]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}
