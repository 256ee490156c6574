"""What tools write is read into segments, or refused with the line."""

from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.transcripts import MOST_BYTES, Segment, Transcript, Unreadable, formats, from_json, read, refusals, to_json

Said = tuple[int, int, str, str]

# As tools on Windows write it: byte order mark, CRLF; a number is missing, one cue has decimals of other lengths.
ODD_SRT = "\r\n".join(
    [
        *("\ufeff1", "00:00:00,000 --> 00:00:04,250", "Présentatrice: Bonsoir à tous.", ""),
        *("2", "00:00:04,25 --> 00:00:09,5", "<i>Un quart</i> & une moitié", "", ""),
        *("0:00:09.500 --> 0:00:12.000 X1:10 X2:20", "Un point, des coordonnées", "- 12", ""),
        *("5", "01:02:03,004 --> 01:02:05,000", "Plus d’une heure", "12", "pas un numéro"),
    ]
)
ODD_SRT_SAYS = [
    (0, 4250, "", "Présentatrice: Bonsoir à tous."),
    (4250, 9500, "", "Un quart & une moitié"),
    (9500, 12_000, "", "Un point, des coordonnées - 12"),
    (3_723_004, 3_725_000, "", "Plus d’une heure 12 pas un numéro"),
]


def said(text: str | bytes, filename: str = "") -> list[Said]:
    data = text.encode() if isinstance(text, str) else text
    return [(one.start_ms, one.end_ms, one.speaker, one.text) for one in read(data, filename=filename).segments]


def refused(text: str | bytes, filename: str = "", media_type: str = "") -> Unreadable:
    data = text.encode() if isinstance(text, str) else text
    with pytest.raises(Unreadable) as refusal:
        read(data, filename=filename, media_type=media_type)
    assert "{" not in str(refusal.value)  # all places are filled
    return refusal.value


def vtt(*cues: str) -> str:
    """Cues of a second each."""
    blocks = [f"00:{at:02}.000 --> 00:{at + 1:02}.000\n{cue}" for at, cue in enumerate(cues)]
    return "\n\n".join(["WEBVTT", *blocks])


def srt(*cues: str) -> str:
    return "\n".join(f"{at}\n00:00:{at:02},000 --> 00:00:{at + 1:02},000\n{cue}\n" for at, cue in enumerate(cues, 1))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("mark", ["\ufeff", ""])
def test_unicode_is_read_with_and_without_its_mark(encoding: str, mark: str) -> None:
    assert said((mark + ODD_SRT.removeprefix("\ufeff")).encode(encoding), "odd.srt") == ODD_SRT_SAYS


def test_what_is_not_unicode_is_of_old_windows() -> None:
    assert said(ODD_SRT.removeprefix("\ufeff").encode("windows-1252"), "odd.srt") == ODD_SRT_SAYS


def test_arabic_in_utf_16_is_known_by_its_times() -> None:
    assert said(srt("مرحبا بكم").encode("utf-16-le")) == [(1000, 2000, "", "مرحبا بكم")]


def test_one_broken_letter_makes_no_other_alphabet_of_the_rest() -> None:
    assert read("Déjà vu à Liège".encode() + "é".encode()[:1]).text.startswith("Déjà vu à Liège")


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r", "\r\r\n"])
def test_srt_is_read_with_every_line_end(line_end: str) -> None:
    text = srt("One\nline", "and 12\n13").replace("\n", line_end)

    assert [text for *_, text in said(text)] == ["One line", "and 12 13"]


def test_content_tells_the_kind_whatever_the_name_says() -> None:
    once = [(0, 1000, "", "Hello")]

    assert said(vtt("Hello"), "talk.srt") == once
    assert said("0:00:00.000,0:00:01.000\nHello", "talk.txt") == once
    assert said("00:00:00,000 --> 00:00:01,000\nHello", "talk.txt") == once
    assert said('{"segments": [{"startTime": 0, "endTime": 1, "body": "Hello"}]}', "talk.txt") == once
    assert said("<p><time>0:00</time> Hello</p>", "talk.txt") == [(0, 1000, "", "Hello")]


def test_the_name_decides_where_content_does_not_and_then_the_type() -> None:
    assert read(b"Hello", filename="talk.txt", media_type="text/vtt").text == "Hello"
    assert read(b"Hello", filename="talk").text == "Hello"
    assert refused("Hello", "talk.SRT").line == 1
    assert refused("Hello", "talk", "application/x-subrip; charset=utf-8").line == 1
    assert refused("Hello", "talk.json").line == 1


def test_plain_text_is_kept_with_its_words_and_paragraphs() -> None:
    text = "[Music]\n<laughs> So: welcome…\n\n— Merci !\n{1} Note: 12:30"

    assert read(text.encode(), filename="talk.txt") == Transcript(text=text)
    assert not read(text.encode()).is_timed


def test_characters_that_no_document_can_hold_are_removed() -> None:
    assert said(vtt("a\x0bb\x01\ufeffc")) == [(0, 1000, "", "a bc")]
    assert said('{"segments": [{"start": 0, "end": 1, "text": "a\\u0000\\ud800b"}]}') == [(0, 1000, "", "ab")]


class TestVtt:
    def test_needs_its_header(self) -> None:
        without = vtt("Hello").removeprefix("WEBVTT\n\n")

        assert refused(without, "talk.vtt").sentence == refusals.NO_HEADER
        assert refused("Hello", "", "text/vtt").sentence == refusals.NO_HEADER
        assert said(without, "talk.srt") == [(0, 1000, "", "Hello")]

    def test_has_more_than_cues(self) -> None:
        text = (
            "WEBVTT - made by hand\nKind: captions\n##\n\nSTYLE\n::cue { color: red }\n\nREGION\nid:fred\n\n"
            "NOTE of nobody\nsecret\n\nfirst name\n00:01.000 --> 01:00:02.500 align:start position:0%\n"
            "That’s <00:01.500><c.yellow.bg>all</c>, <i>A&amp;B</i> &lt;b&gt; &#39;AT&T\n\nNOTE\n\n"
        )

        assert said(text) == [(1000, 3_602_500, "", "That’s all, A&B <b> 'AT&T")]

    def test_a_line_of_times_begins_a_cue_wherever_it_stands(self) -> None:
        text = "WEBVTT\n00:01.000 --> 00:02.000\nOne\n00:02.000 --> 00:03.000\n \nTwo\n"

        assert said(text) == [(1000, 2000, "", "One"), (2000, 3000, "", "Two")]

    def test_voices_share_a_cue_by_what_they_say(self) -> None:
        text = vtt("<v.loud Ann &amp; Co>Hello you</v>\n<v Bob>Hi!")

        assert said(text) == [(0, 750, "Ann & Co", "Hello you"), (750, 1000, "Bob", "Hi!")]

    def test_voices_named_when_they_change_last(self) -> None:
        text = vtt("<v Ann>One", "two", "<v Bob>three", "four")

        assert [speaker for _, _, speaker, _ in said(text)] == ["Ann", "Ann", "Bob", "Bob"]

    def test_a_cue_without_voice_is_nobodys_where_every_cue_has_one(self) -> None:
        text = vtt("<v Ann>One", "<v Ann>two", "(music)", "<v Bob>three")

        assert [speaker for _, _, speaker, _ in said(text)] == ["Ann", "Ann", "", "Bob"]

    def test_what_looks_like_markup_and_is_none_are_words(self) -> None:
        assert said(vtt("1 < 2 <laughs> {so} <3")) == [(0, 1000, "", "1 < 2 <laughs> {so} <3")]

    def test_words_without_times_are_refused_with_their_line(self) -> None:
        refusal = refused("WEBVTT\n\n00:01.000 --> 00:02.000\nOne\n\nTwo\nlines\n", "talk.vtt")

        assert (refusal.line, refusal.sentence) == (6, refusals.TEXT_WITHOUT_TIME)
        assert "Line 6: “Two”" in str(refusal)

    @pytest.mark.parametrize(
        "times", ["00:0a.000 --> 00:02.000", "00:01.000 -->", "--> x", "1 --> 2", "00:01.000 --> 2000"]
    )
    def test_times_that_are_none_are_refused_with_their_line(self, times: str) -> None:
        refusal = refused(f"WEBVTT\r\n\r\nname\r\n{times}\r\nOne", "talk.vtt")

        assert (refusal.line, refusal.sentence) == (4, refusals.BAD_TIMES)

    def test_may_say_nothing(self) -> None:
        assert read(b"WEBVTT") == Transcript()
        assert said(vtt("", " ", "Hello")) == [(2000, 3000, "", "Hello")]


class TestSrt:
    def test_is_read_as_tools_on_windows_write_it(self) -> None:
        assert said(ODD_SRT, "odd.srt") == ODD_SRT_SAYS

    def test_words_after_an_empty_line_belong_to_what_precedes(self) -> None:
        assert said(srt("One\n\ntwo", "Three")) == [(1000, 2000, "", "One two"), (2000, 3000, "", "Three")]

    def test_needs_no_empty_lines_between_cues(self) -> None:
        text = "7\n00:00:01,000 --> 00:00:02,000\n12\n8\n00:00:02,000 --> 00:00:03,000\n{\\an8}<b>x</b>\n9"

        assert said(text) == [(1000, 2000, "", "12"), (2000, 3000, "", "x 9")]

    def test_a_word_processor_may_have_made_the_arrows_longer(self) -> None:
        assert said("1\n00:00:01,000 –> 00:00:02,000\nOne") == [(1000, 2000, "", "One")]

    @pytest.mark.parametrize(
        ("text", "line"),
        [
            ("1", 1),
            ("\n\n1\nsome words", 3),
            ("some words\n00:00:01,000 --> 00:00:02,000\nOne", 1),
            (srt("One") + "\n2\nTwo\n\n3\n00:00:03,000 --> 00:00:04,000\nThree", 5),
            (srt("One") + "\n2\n00:00:0x,000 --> 00:00:04,000\nTwo", 6),
        ],
    )
    def test_words_without_times_are_refused_with_their_line(self, text: str, line: int) -> None:
        assert refused(text, "talk.srt").line == line

    def test_names_that_come_again_are_speakers_until_the_next_one(self) -> None:
        text = srt(
            "Ann: One", "two", "SPEAKER_01 : Three", "Ann: four", ">> Ann: five\n- SPEAKER_01: six", "Note: seven"
        )

        assert [(speaker, text) for _, _, speaker, text in said(text)] == [
            *(("Ann", "One"), ("Ann", "two"), ("SPEAKER_01", "Three"), ("Ann", "four")),
            *(("Ann", "five"), ("SPEAKER_01", "six"), ("SPEAKER_01", "Note: seven")),
        ]

    @pytest.mark.parametrize(
        "cues",
        [
            ["Ann: it comes once", "and no more"],
            ["one", "two", "three", "four", "five", "Remember: late", "Remember: in no file that names speakers"],
            ["she said: twice", "she said: in small letters"],
            ["This is by far too long to be a name: so", "This is by far too long to be a name: there"],
            ["12:30", "12:30"],
        ],
    )
    def test_other_words_before_a_colon_are_nobodys_name(self, cues: list[str]) -> None:
        assert [(speaker, text) for _, _, speaker, text in said(srt(*cues))] == [("", cue) for cue in cues]


class TestSbv:
    def test_is_read_as_youtube_writes_it(self) -> None:
        text = "0:00:01.000,0:00:02.500\nOne[br]two\nthree\n\n\n1:02:03.000,1:02:02.000\nIt ends too early\n"

        assert said(text) == [(1000, 2500, "", "One two three"), (3_723_000, 3_724_122, "", "It ends too early")]

    @pytest.mark.parametrize(("second", "line"), [("Two", 4), ("0:00:0x.000,0:00:02.000\nTwo", 4)])
    def test_words_without_times_are_refused_with_their_line(self, second: str, line: int) -> None:
        assert refused(f"0:00:01.000,0:00:02.000\nOne\n\n{second}", "talk.sbv").line == line


class TestJson:
    def test_of_the_namespace_is_read(self) -> None:
        text = """{"version": "1.0.0", "segments": [
            {"speaker": "Ann", "startTime": 0.5, "endTime": 1.25, "body": "Hello\\nyou"},
            {"speaker": "", "startTime": 2, "endTime": 3.0, "body": "&amp; <b>"}]}"""

        assert said(text) == [(500, 1250, "Ann", "Hello you"), (2000, 3000, "", "&amp; <b>")]

    def test_of_whisper_is_read(self) -> None:
        text = """{"text": " One two", "segments": [{"id": 1, "start": 1.0, "end": 2.0, "text": " two", "tokens": [1]},
            {"id": 0, "start": 0.0, "end": 0.0, "text": " One", "speaker": null}], "language": "en"}"""

        assert said(text) == [(0, 1000, "", "One"), (1000, 2000, "", "two")]
        assert read(b'{"text": "No times"}') == Transcript(text="No times")
        assert said('[{"start": 1, "text": "lasts until the next"}, {"start": 3, "end": 4, "text": "one"}]') == [
            (1000, 3000, "", "lasts until the next"),
            (3000, 4000, "", "one"),
        ]

    def test_a_broken_one_is_refused_with_its_line(self) -> None:
        assert refused('{"segments": [\n{"startTime": 1,\n}]}').line == 3

    @pytest.mark.parametrize(
        "segment",
        [
            *(
                '{"startTime": "1", "body": "x"}',
                '{"startTime": NaN, "body": "x"}',
                '{"startTime": 1e400, "body": "x"}',
            ),
            *('{"startTime": true, "body": "x"}', '{"startTime": 1}', '{"startTime": 1, "body": 1}', "7", "null", "[]"),
            *(
                '{"startTime": 1' + "0" * 400 + ', "body": "x"}',
                '{"start": 0, "text": "x", "speaker": {"name": "Ann"}}',
            ),
        ],
    )
    @pytest.mark.parametrize("beginning", ['{"note": {"segments": []},\n"segments": [\n', "\n[\n"])
    def test_a_segment_without_words_or_times_is_refused_with_its_line(self, beginning: str, segment: str) -> None:
        good = '{"startTime": 1, "endTime": 2, "body": "}]\\"["}'
        text = f"{beginning}{good},\n{segment}\n]" + "}" * beginning.startswith("{")

        refusal = refused(text, "talk.json")

        assert (refusal.line, refusal.sentence) == (4, refusals.BAD_SEGMENT)

    @pytest.mark.parametrize("text", ["{}", '{"segments": 1}', "7", '{"a":' * 100_000, '{"a": 1' + "0" * 5000 + "}"])
    def test_another_one_is_refused(self, text: str) -> None:
        assert refused(text, "talk.json").sentence == refusals.OTHER_JSON


class TestHtml:
    def test_of_the_namespace_is_read(self) -> None:
        text = (
            "<cite>Ann:</cite>\n<time>0:00</time>\n<p>It&#39;s <b>us</b>,<br>again</p>\n<p>and again</p>"
            "<cite>Bob :</cite><time>[1:00:02.5]</time><p>Yes</p><time>1:00:04</time><p>no</p>"
        )

        assert said(text) == [
            (0, 3_602_500, "Ann", "It's us, again and again"),
            (3_602_500, 3_604_000, "Bob", "Yes"),
            (3_604_000, 3_605_000, "Bob", "no"),
        ]

    def test_two_speakers_within_one_time_share_it(self) -> None:
        text = "<p><time>0:00</time> <cite>Ann</cite> Hello<p><cite>Bob</cite> Hello<p><time>0:10</time>Bye"

        assert said(text)[:2] == [(0, 5000, "Ann", "Hello"), (5000, 10_000, "Bob", "Hello")]

    def test_without_times_it_is_a_text_of_paragraphs(self) -> None:
        text = """<!DOCTYPE html><html><head><title>Site</title><style>p{}</style></head><body>
            <h1>Talk</h1><cite>Ann:</cite><p>Hello  <em>you</em>,<br> in <cite>Le Soir</cite> at <time>12:30</time></p>
            <ul><li>one</li><li>two</li></ul><script>alert(1)</script><p> </p>1 &lt; 2</body>"""

        assert read(text.encode(), filename="talk.html").text == (
            "Talk\n\nAnn: Hello you,\nin Le Soir at 12:30\n\none\ntwo\n\n1 < 2"
        )

    def test_of_the_strict_kind_is_read(self) -> None:
        assert read(b'<?xml version="1.0"?>\n<!DOCTYPE html>\n<html><body><p>Hello</p></body></html>').text == "Hello"

    def test_of_a_page_that_says_which_is_its_main_part_the_words_are_those(self) -> None:
        around = "<title>Talk</title><a href='#m'>Skip</a><h1>Talk</h1><p>{}</p><footer>Mentions légales</footer>"

        assert read(around.format("<main><p>Hello</main><main>you</main>").encode()).text == "Hello\n\nyou"
        assert read(around.format("Hello").encode()).text == "Skip\n\nTalk\n\nHello\n\nMentions légales"

    def test_nothing_is_lost_in_a_thousand_elements(self) -> None:
        assert read(b"<div>" * 1000 + b"deep").text == "deep"
        assert read(b"<p>open <b<i>tags</p").text.startswith("open")


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        *((b"", refusals.EMPTY), (b"\xef\xbb\xbf \r\n", refusals.EMPTY), (b"PK\x03\x04 word", refusals.OFFICE)),
        *(
            (b"\xd0\xcf\x11\xe0\xa1\xb1", refusals.OFFICE),
            (rb"{\rtf1\ansi", refusals.OFFICE),
            (b"%PDF-1.7", refusals.PDF),
        ),
        *((Random(1).randbytes(5000), refusals.NOT_TEXT), (bytes(range(256)), refusals.NOT_TEXT)),
        *((b'<?xml version="1.0"?><tt><p>Hello</p></tt>', refusals.XML), (b"RIFF" + bytes(400), refusals.NOT_TEXT)),
        *((b"\0" * 99, refusals.NOT_TEXT), (b" " * (MOST_BYTES + 1), refusals.TOO_LARGE)),
    ],
)
def test_what_is_no_text_is_refused_with_what_it_is(data: bytes, sentence: str) -> None:
    refusal = refused(data, "talk.txt")

    assert (refusal.line, refusal.sentence) == (None, sentence)


@pytest.mark.long
def test_more_times_than_a_day_has_words_are_refused() -> None:
    assert refused("[" + ",".join(['{"start":1,"text":"x"}'] * 200_001) + "]").sentence == refusals.TOO_MANY


def test_a_long_line_is_not_shown_whole() -> None:
    assert len(str(refused("x" * 100_000, "talk.srt"))) < 300


def test_a_transcript_without_words_has_no_form() -> None:
    assert formats(Transcript()) == ()
    assert [form.extension for form in formats(Transcript(text="Hello"))] == ["html", "txt"]
    one = Segment(start_ms=0, end_ms=1, text="Hello")
    assert [form.extension for form in formats(Transcript(segments=(one,)))] == ["vtt", "srt", "json", "html", "txt"]


def test_a_transcript_comes_back_from_json() -> None:
    for transcript in (read(ODD_SRT.encode()), Transcript(text="Hello"), Transcript()):
        assert from_json(to_json(transcript)) == transcript


CUE = "00:01.000 --> 00:02.000\n"
HOSTILE = {  # what would take hours if time grew with the square: head, what is repeated, tail
    "one word": (f"WEBVTT\n\n{CUE}", "x", ""),
    "spaces": (f"WEBVTT\n\n{CUE}A:", " ", "x"),
    "lines": (f"WEBVTT\n\n{CUE}", "A: \n", ""),
    "cues": ("WEBVTT\n\n", CUE + "x\n", ""),
    "voices": (f"WEBVTT\n\n{CUE}", "<v A>a<v B>b", ""),
    "tags": (f"WEBVTT\n\n{CUE}", "<c.", ""),
    "override tags": (CUE, "{\\", ""),
    "empty lines": (f"{CUE}x", "\n", CUE),
    "numbers": (CUE, "2\n\n2\n", ""),
    "digits": (CUE, "1:", ""),
    "almost times": (f"{CUE}1:1", "-", ""),
    "braces": ('{"segments": [', "[", ""),
    "segments": ('[{"start":1,"text":"x"},', '{"start":1,"text":"x"},', "0]"),
    "elements": ("<p>", "<div>", ""),
    "names": ("<p>w", "<cite>x", ""),
    "comments": ("<p>", "<!--", ""),
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("size", [100_000, pytest.param(MOST_BYTES, marks=pytest.mark.long)])
def test_a_hostile_file_costs_no_more_than_its_size(name: str, size: int) -> None:
    head, unit, tail = HOSTILE[name]
    data = (head + unit * ((size - len(head) - len(tail)) // len(unit)) + tail).encode()

    try:
        transcript = read(data)
    except Unreadable as refusal:
        assert len(str(refusal)) < 400  # noqa: PT017 - either is right
    else:
        assert all(form.write(transcript, "en") for form in formats(transcript))


LINE_ENDS = (b"\n", b"\r", b"\v", b"\f")
SHREDS = (
    *(
        "WEBVTT",
        "\n",
        "\n",
        "\n\n",
        "\r\n",
        " ",
        "-->",
        " --> ",
        "00:00:01.000",
        "0:00:02,5",
        "00:00:01.000,00:00:02.000",
    ),
    *("1", "2", "<v Ann>", "</v>", "<c>", "&amp;", "Ann: ", "Bob: ", "NOTE", "STYLE", "x", "é", "\ufeff", "\0", "\x1b"),
    *('{"segments": [', "[{", '{"start": 1, "text": "x"}', '"start": ', '"text": "x"', "1e999", ",", "]", "}", "null"),
    *("<p>", "</p>", "<cite>", "<time>0:01</time>", "<!--", "<script>", "<", ">", "<?xml"),
)


@settings(max_examples=400, deadline=None)  # a busy machine is no fault
@given(
    st.one_of(
        st.lists(st.sampled_from(SHREDS), max_size=20).map(lambda shreds: "".join(shreds).encode()),
        st.lists(st.sampled_from(SHREDS), max_size=20).map(lambda shreds: "".join(shreds).encode("utf-16")),
        st.binary(max_size=200),
    ),
    st.sampled_from(["", "a.vtt", "a.srt", "a.sbv", "a.json", "a.html", "a.txt"]),
)
def test_whatever_comes_is_read_or_refused(data: bytes, filename: str) -> None:
    try:
        transcript = read(data, filename=filename)
    except Unreadable as refusal:
        assert 0 < (refusal.line or 1) <= 1 + sum(map(data.count, LINE_ENDS))  # noqa: PT017 - either is right
    else:
        starts = [segment.start_ms for segment in transcript.segments]
        assert starts == sorted(starts)
        assert all(segment.text.strip() and segment.start_ms < segment.end_ms for segment in transcript.segments)
        assert all(form.write(transcript, "en") for form in formats(transcript))


def test_every_public_sample_is_read_or_refused(corpora: Path) -> None:
    lines: dict[str, int | None] = {}
    cues: dict[str, int] = {}
    for path in sorted(path for path in (corpora / "transcripts").rglob("*.*") if path.is_file()):
        try:
            cues[path.name] = len(read(path.read_bytes(), filename=path.name).segments)
        except Unreadable as refusal:
            lines[path.name] = refusal.line

    assert lines == (
        {"empty.vtt": None, "invalid.vtt": 1, "invalid_timeframe.vtt": 6, "missing_timeframe.vtt": 6}
        | {f"invalid_format{number}.srt": 1 for number in range(1, 5)}
        | {"missing_timeframe.srt": 5, "invalid_format.sbv": 1, "invalid_timeframe.sbv": 7, "missing_timeframe.sbv": 4}
    )
    assert cues == (
        {"example.html": 10, "example.json": 5, "example.srt": 222, "example.vtt": 7}
        | {"captions_with_bom.vtt": 4, "comments.vtt": 3, "cue_tags.vtt": 3, "invalid_timeframe_in_cue_text.vtt": 3}
        | {"metadata_headers.vtt": 2, "metadata_headers_multiline.vtt": 2, "missing_caption_text.vtt": 4}
        | {"no_captions.vtt": 0, "one_caption.vtt": 1, "sample.vtt": 16, "styles.vtt": 1, "using_identifiers.vtt": 6}
        | {"youtube_dl.vtt": 4, "invalid_timeframe.srt": 5, "missing_caption_text.srt": 4, "one_caption.srt": 1}
        | {"sample.srt": 5, "missing_caption_text.sbv": 4, "sample.sbv": 5, "two_captions.sbv": 2}
    )
