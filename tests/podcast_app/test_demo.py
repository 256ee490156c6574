"""The samples: made on the spot, through the real path, once."""

import io
import wave

import feedparser
import pytest
from rich.console import Console

from podcast_app import check, demo
from podcast_app.cli import CommandFailed
from tests.commands import podcast_app
from tests.podcasts import Library, Place, at


def fill(library: Library) -> None:
    demo.fill(library.show(), library.work, Console(file=io.StringIO()))


@pytest.mark.long_on_postgresql
def test_an_empty_show_is_filled_and_a_second_time_is_refused(library: Library) -> None:
    fill(library)

    feed = feedparser.parse(library.xml())
    french = feedparser.parse(library.xml("fr"))
    assert len(feed.entries) == len(french.entries) == len(demo.SAMPLES)
    assert feed.entries[0].title == "Letters that were never sent"
    assert "Une promenade au marché" in [entry.title for entry in french.entries]
    work = library.work
    assert check.run(work.database, work.storage, work.settings, None, Console(file=io.StringIO())) == 0
    with pytest.raises(CommandFailed, match="empty one"):
        fill(library)
    assert feedparser.parse(library.xml()).entries == feed.entries


def test_a_melody_is_a_sound_of_its_length_that_clips_nowhere() -> None:
    with wave.open(io.BytesIO(demo.melody((0, 4)))) as sound:
        samples = memoryview(sound.readframes(sound.getnframes())).cast("h")

    assert len(samples) == 2 * demo.RATE_HZ * demo.NOTE_SECONDS
    assert 5000 < max(samples) < 30000


@pytest.mark.long
def test_the_command_fills_and_then_refuses_in_a_sentence(sqlite_place: Place) -> None:
    first = podcast_app("demo", data_dir=sqlite_place.data_dir)
    again = podcast_app("demo", data_dir=sqlite_place.data_dir)

    assert first.returncode == 0, first.stderr
    assert "http://127.0.0.1:8000/diaspora-insights/" in first.stdout
    assert (again.returncode, again.stdout) == (1, "")
    assert again.stderr == "This show has episodes already; the samples are for an empty one.\n"
    with at(sqlite_place) as library:
        assert len(feedparser.parse(library.xml()).entries) == len(demo.SAMPLES)
