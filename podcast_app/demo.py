"""`podcast-app demo`: a few sample episodes in English and French, made on the spot, through the real path."""

import datetime as dt
import io
import math
import wave
from array import array
from dataclasses import dataclass
from functools import cache

from rich.console import Console
from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from podcast_app import drafts, uploads, worker
from podcast_app.cli import CommandFailed
from podcast_app.fields import NewEpisode
from podcast_app.models import Episode, Show
from podcast_app.outcomes import Refused
from podcast_app.times import utcnow
from podcast_app.work import Work

RATE_HZ = 16_000
NOTE_SECONDS = 0.5
# Five quiet notes that sound well in any order (pentatonic, from A3).
SCALE_HZ = (220.0, 246.9, 293.7, 329.6, 392.0)
SWELL = (0.3, 0.7, 1.0, 0.8, 0.4, 0.1, 0.5, 0.9, 0.6, 0.2, 0.05)  # how loud, note by note, as talk rises and falls


@dataclass(frozen=True, slots=True)
class Sample:
    """A sample episode: what is said of it, and the melody that stands for its talk."""

    fields: dict[str, object]
    melody: tuple[int, ...]  # places in the scale


SAMPLES = (
    Sample(
        {
            "title": "What this podcast is about",
            "notes": "A first hello, in a few notes of music. *This is a sample episode: replace it with your own.*",
            "type": "trailer",
            "translations": {
                "fr": {
                    "title": "De quoi parle ce podcast",
                    "notes": "Un premier bonjour, en quelques notes. *C'est un exemple : mettez le vôtre à sa place.*",
                }
            },
        },
        (0, 2, 4, 2) * 4,
    ),
    Sample(
        {
            "title": "A walk through the market",
            "season": 1,
            "number": 1,
            "notes": (
                "Stalls, voices and the smell of grilled fish: a morning among people who came from far away and "
                "stayed.\n\n- The first stall\n- A song from the back room\n- What is in the bag\n\n"
                "This is a sample episode."
            ),
            "chapters": [
                {"start_ms": 0, "title": "Arriving"},
                {"start_ms": 4000, "title": "The first stall"},
                {"start_ms": 9000, "title": "A song"},
            ],
            "translations": {
                "fr": {
                    "title": "Une promenade au marché",
                    "notes": "Des étals, des voix, l'odeur du poisson grillé : un matin. C'est un épisode d'exemple.",
                }
            },
        },
        (0, 1, 2, 3, 4, 3, 2, 1) * 4,
    ),
    Sample(
        {
            "title": "Deux langues à la maison",
            "language": "fr",
            "season": 1,
            "number": 2,
            "notes": "Quand les enfants répondent dans l'autre langue. *Ceci est un épisode d'exemple.*",
            "translations": {
                "en": {
                    "title": "Two languages at home",
                    "notes": "When children answer in the other language. *This is a sample episode.*",
                }
            },
        },
        (4, 3, 2, 0, 2, 3) * 6,
    ),
    Sample(
        {
            "title": "Letters that were never sent",
            "season": 1,
            "number": 3,
            "notes": "What one writes home, and what one leaves out. This is a sample episode, without a translation.",
        },
        (2, 4, 1, 3, 0) * 8,
    ),
)


def fill(show: Show, work: Work, console: Console) -> None:
    """Publish the samples, a week between them, the last one now. Raises CommandFailed when the show is not empty."""
    if work.database.read(_has_episodes, show):
        raise CommandFailed("This show has episodes already; the samples are for an empty one.")
    now = utcnow()
    for place, sample in enumerate(SAMPLES):
        inspected = _uploaded(work, sample)
        time = now - dt.timedelta(weeks=len(SAMPLES) - 1 - place)
        fields = NewEpisode.model_validate({**sample.fields, "publish": time})
        made = work.database.write(drafts.from_recording, show.id, inspected, fields, work.settings, now)
        assert not isinstance(made, Refused), made
        assert not made.findings, made.findings
        console.print(f"{sample.fields['title']}", highlight=False)
    worker.catch_up(work)
    console.print(f"They are at {work.settings.origin}/{show.slug}/", highlight=False)


def melody(places: tuple[int, ...]) -> bytes:
    """The notes one after the other, as a WAV file (mono, 16 bit)."""
    samples = array("h")
    for number, place in enumerate(places):
        samples.extend(_note(SCALE_HZ[place], SWELL[number % len(SWELL)]))
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setparams((1, 2, RATE_HZ, 0, "NONE", "not compressed"))
        sound.writeframes(samples.tobytes())
    return file.getvalue()


@cache  # a melody comes back to them
def _note(frequency_hz: float, loudness: float) -> list[int]:
    """A soft tone with one overtone that swells and dies away."""
    length = int(RATE_HZ * NOTE_SECONDS)
    step = 2 * math.pi * frequency_hz / RATE_HZ
    return [
        int(9000 * loudness * math.sin(math.pi * at / length) * (math.sin(step * at) + 0.4 * math.sin(2 * step * at)))
        for at in range(length)
    ]


def _uploaded(work: Work, sample: Sample) -> uploads.Inspected:
    original = uploads.Original(work.database, work.storage, work.settings.max_upload_bytes)
    try:
        original.write(melody(sample.melody))
        received = original.finish("sample.wav")
    except BaseException as cause:
        original.abandon(cause)
        raise
    return uploads.inspect(work.database, work.storage, received)


def _has_episodes(session: Session, show: Show) -> bool:
    return bool(session.scalar(select(exists().where(Episode.show_id == show.id))))
