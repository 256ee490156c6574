"""What the player is made from: on a page that needs no script, and in as few bytes as it takes."""

import json

import brotli
import pytest
from lxml import html

from podcast_app import static_files, worker
from podcast_app.models import Episode, Measurement
from podcast_app.site import shown
from tests.site import SLUG, hurried
from tests.visitor import Visitor

# packed, as listeners pay for it: what each file may weigh
MOST_BYTES = {"player.js": 3300, "transcript.js": 2000, "player.css": 1400}


@pytest.fixture(scope="module")
def matonge(shared_visitor: Visitor, mp3: bytes) -> Episode:
    episode = shared_visitor.podcasts.published(
        mp3,
        title='Matonge "and" <b>what</b> stays',
        slug="matonge",
        chapters=[{"start_ms": 0, "title": "Arriving"}, {"start_ms": 1500, "title": "Staying"}],
    )
    with hurried():
        worker.catch_up(shared_visitor.podcasts.work, worker.BEHIND)
    for language in ("en", "fr"):
        put = shared_visitor.site.api.put(
            f"/api/v1/episodes/{episode.id}/transcripts/{language}", content=b"WEBVTT\n\n00:00.000 --> 00:01.000\nHello"
        )
        assert put.status_code == 200, put.text
    return shared_visitor.podcasts.episode(episode.id)


@pytest.fixture(scope="module")
def player(shared_visitor: Visitor, matonge: Episode) -> html.HtmlElement:
    return _player(shared_visitor, f"/{SLUG}/matonge")


def test_the_browser_s_own_player_stands_there_and_ours_is_hidden_without_script(player: html.HtmlElement) -> None:
    (audio,) = player.xpath(".//audio")

    assert (audio.get("preload"), audio.get("controls")) == ("none", "")
    (deck,) = player.xpath(".//*[@data-deck]")
    assert deck.get("hidden") == ""
    assert {button.get("type") for button in player.xpath(".//button")} == {"button"}


def test_the_script_finds_title_cover_length_and_waveform(player: html.HtmlElement) -> None:
    said = player.attrib

    assert said["data-title"] == 'Matonge "and" <b>what</b> stays'
    assert said["data-cover"].endswith("-512.jpg")
    assert float(said["data-seconds"]) == pytest.approx(2, abs=0.1)
    assert "z" in said["data-waveform"]


def test_the_light_versions_are_offered_the_smallest_first_with_both_sizes(
    player: html.HtmlElement, matonge: Episode
) -> None:
    opus, mp3 = json.loads(player.get("data-light"))

    assert (opus[0].rpartition("-")[2], opus[1]) == ("low.opus", "audio/ogg; codecs=opus")
    assert (mp3[0].rpartition("-")[2], mp3[1]) == ("low.mp3", "audio/mpeg")
    assert " kB instead of " in opus[2]


def test_chapters_and_transcript_are_tabs_of_which_one_is_open(player: html.HtmlElement, matonge: Episode) -> None:
    chapters, transcript = player.xpath(".//details")

    assert chapters.get("name") == transcript.get("name") != ""
    audio = f"/media/{matonge.audio.id}/matonge.mp3"
    assert chapters.xpath(".//a/@href") == [f"{audio}#t=0", f"{audio}#t=1.5"]
    assert transcript.xpath(".//a[text()='read']/@href") == [
        f"/{SLUG}/matonge/transcript.{language}.html" for language in ("en", "fr")
    ]


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_transcript_in_the_language_of_the_page_comes_first(
    shared_visitor: Visitor, matonge: Episode, language: str
) -> None:
    player = _player(shared_visitor, f"{'/fr' if language == 'fr' else ''}/{SLUG}/matonge")

    (transcript,) = player.xpath(".//details[@data-transcript]")
    assert transcript.get("data-lang") == language
    assert shared_visitor.get(transcript.get("data-src")).json()["segments"][0]["body"] == "Hello"
    assert transcript.xpath(".//option[@selected]/@lang") == [language]


def test_a_french_player_speaks_french(shared_visitor: Visitor, matonge: Episode) -> None:
    player = _player(shared_visitor, f"/fr/{SLUG}/matonge")

    assert player.xpath(".//button/@aria-label")[:3] == ["Reculer de 15 secondes", "Lire", "Avancer de 30 secondes"]
    assert player.xpath(".//*[@data-seek]/@data-said") == ["{now} sur {whole}"]
    assert player.xpath(".//select[@data-speed]/option")[0].text == "0,75×"


@pytest.mark.parametrize(
    ("peaks", "levels"),
    [
        (None, ""),
        (bytes(600), ""),  # silence
        (bytes([0, 51, 102]), "0iz"),
        (bytes([100] * 300 + [200] * 300), "i" * 60 + "z" * 60),
        (bytes(range(1, 122)), None),
    ],
)
def test_a_waveform_has_a_level_for_each_bar(peaks: bytes | None, levels: str | None) -> None:
    drawn = shown.waveform(Measurement(peaks=peaks) if peaks else None)

    assert drawn == levels if levels is not None else len(drawn) == 120


def test_the_player_is_light() -> None:
    weights = {name: len(brotli.compress(static_files.text(name).encode())) for name in MOST_BYTES}

    assert [name for name, bytes_ in weights.items() if bytes_ > MOST_BYTES[name]] == [], weights


def test_rules_for_what_is_inside_an_element_stay_so_when_they_are_packed() -> None:
    packed = static_files.text("player.css")

    assert ".sound :is(button," in packed
    assert ".seek ::-webkit-slider-thumb" in packed


def _player(visitor: Visitor, path: str) -> html.HtmlElement:
    (player,) = visitor.page(path).xpath("//section[@data-player]")
    return player
