"""What is measured on: a show with many episodes as documents and in a database, and audio of given sizes."""

import datetime as dt
import subprocess
import uuid
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from random import Random

from mutagen.id3 import APIC, ID3, TIT2
from sqlalchemy.orm import Session

from feeds import document
from media.storage.open import open_storage
from podcast_app import episodes, publishing, shows
from podcast_app.database import Database
from podcast_app.models import (
    Audio,
    AudioId,
    Edition,
    Episode,
    EpisodeId,
    EpisodeSlug,
    EpisodeText,
    Upload,
    UploadId,
    new_id,
)
from podcast_app.settings import Settings
from podcast_app.setup import first_start
from podcast_app.times import utcnow
from podcast_app.work import Work

FIRST = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)

FACTS = {"duration_ms": 1_800_000, "duration_is_exact": True, "has_video": False}  # of every upload's probe

# One MPEG-1 Layer III frame: 128 kbit/s, 44.1 kHz, mono, 417 bytes of 26 ms. Silence is as long to read as speech.
FRAME = bytes.fromhex("fffb90c4") + bytes(413)


SYLLABLES = (
    "ba",
    "ri",
    "ton",
    "ma",
    "se",
    "lu",
    "ka",
    "ver",
    "no",
    "di",
    "gu",
    "ro",
    "pe",
    "la",
    "mi",
    "sha",
    "tu",
    "en",
)
VOCABULARY = ["".join(Random(number).choices(SYLLABLES, k=1 + number % 4)) for number in range(4000)]


def notes(seed: int) -> str:
    """About 1.5 kB of Markdown that no two episodes share, and that packs about as well as prose does."""
    random = Random(seed)
    paragraphs = [
        " ".join(VOCABULARY[int(random.paretovariate(0.4)) % len(VOCABULARY)] for _ in range(50)).capitalize() + "."
        for _ in range(5)
    ]
    return "\n\n".join([*paragraphs, f"[More](https://example.org/{seed})"])


@cache
def described(number: int) -> document.Episode:
    """An episode as a document; made once, so that making it is in nobody's figure."""
    html = "".join(f"<p>{part}</p>" for part in notes(number).split("\n\n"))
    return document.Episode(
        guid=str(uuid.UUID(int=number)),
        title=f"Voices from the market {number}",
        url=f"https://podcast.example.org/voices/episode-{number}",
        enclosure=document.Enclosure(
            url=f"https://podcast.example.org/media/{number:016x}/episode-{number}.mp3",
            length=28_800_000 + number,
            media_type="audio/mpeg",
        ),
        published_at=FIRST + dt.timedelta(days=number),
        duration_ms=1_800_000 + number,
        notes_html=html,
        season=1,
        number=number + 1,
        explicit=False,
        image_url="https://podcast.example.org/voices/cover-1.jpg",
    )


def show() -> document.Show:
    return document.Show(
        title="Voices",
        description="Conversations.",
        url="https://podcast.example.org/voices/",
        feed_url="https://podcast.example.org/voices/feed.xml",
        guid=str(uuid.UUID(int=1)),
        language="en",
        author="Voices",
        categories=(document.Category(name="News"),),
        explicit=False,
        image_url="https://podcast.example.org/voices/cover-1.jpg",
    )


def many_episodes(folder: Path, count: int) -> tuple[Work, EpisodeId]:
    """A show with so many published episodes, and one more that only waits for its time."""
    settings = Settings(_env_file=None, data_dir=folder)
    first_start(settings)
    database = Database(settings.database)
    work = Work(database, open_storage(None, folder), settings)
    show_row = database.read(lambda session: shows.query(session)[0])
    ids = [database.write(_rows, show_row.id, number) for number in range(count + 1)]

    def publish_all(session: Session) -> None:
        locked = episodes.locked_show(session, show_row.id)
        for episode in session.scalars(episodes.whole(of_show=show_row.id)):
            if episode.id != ids[-1]:
                episode.state, episode.published_at = "published", episode.publish_at
            else:
                episode.publish_at = utcnow() + dt.timedelta(days=365)
            episodes.enclosure(episode).tags_digest = publishing.tags_digest(episode, locked)
        session.flush()
        publishing.rebuild(session, locked, settings, utcnow())

    database.write(publish_all)
    return work, ids[-1]


def _rows(session: Session, show_id: str, number: int) -> EpisodeId:
    episode_id, slug = EpisodeId(new_id()), f"episode-{number}"
    at = FIRST + dt.timedelta(days=number)
    episode = Episode(
        id=episode_id, show_id=show_id, guid=str(uuid.uuid4()), slug=slug, slug_is_chosen=True, state="scheduled",
        language="en", spoken_language="en", season=1, number=number + 1, type="full", publish_at=at, chapters=[],
        persons=[], suggested={}, version=1, created_at=at,
        texts=[EpisodeText(language="en", title=f"Voices from the market {number}", notes=notes(number))],
    )  # fmt: skip
    session.add(episode)
    session.flush()
    session.add(EpisodeSlug(show_id=show_id, slug=slug, episode_id=episode_id))
    upload = Upload(
        id=UploadId(new_id()), show_id=show_id, state="complete", filename="a.mp3", key=f"private/originals/{number}",
        size_bytes=28_800_000, sha256="0" * 64, facts=FACTS, episode_id=episode_id, created_at=at,
    )  # fmt: skip
    session.add(upload)
    session.flush()
    audio_id = AudioId(new_id())
    edition = Edition(
        name="enclosure", address_id=audio_id, status="ready", key=f"private/editions/{number}",
        media_type="audio/mpeg", extension="mp3", size_bytes=28_800_000, sha256="0" * 64,
        duration_ms=1_800_000, bitrate_bps=128_000, attempts=0,
    )  # fmt: skip
    session.add(Audio(id=audio_id, episode_id=episode_id, upload_id=upload.id, editions=[edition]))
    session.flush()
    return episode_id


def mp3(path: Path, size_bytes: int, cover: bytes = b"") -> Path:
    """An MP3 of about this size, made of the same frame over and over, with a title and perhaps a cover."""
    block = FRAME * 1000
    with path.open("wb") as file:
        for _ in range(size_bytes // len(block)):
            file.write(block)
    tags = ID3()
    tags.add(TIT2(encoding=3, text="Voices from the market"))
    if cover:
        tags.add(APIC(encoding=3, mime="image/jpeg", type=3, data=cover))
    tags.save(path)
    return path


def speech(folder: Path) -> Path:
    """Ten minutes of two who talk at once, each more on one side: stereo MP3 of 128 kbit/s. Made once, and kept."""
    recording = folder.resolve() / "speech.mp3"
    if recording.exists():
        return recording
    for voice, first in (("en", 0), ("fr", 9)):
        text = "\n\n".join(notes(seed) for seed in range(first, first + 9))
        said = ["espeak-ng", "-v", voice, "-w", str(recording.with_name(f"{voice}.wav")), "--stdin"]
        subprocess.run(said, input=text.encode(), check=True)
    voices = [word for voice in ("en", "fr") for word in ("-i", str(recording.with_name(f"{voice}.wav")))]
    placed = "amerge,pan=stereo|c0=0.7*c0+0.3*c1|c1=0.3*c0+0.7*c1"
    made = [
        "-filter_complex",
        placed,
        "-ar",
        "44100",
        "-t",
        "600",
        "-b:a",
        "128k",
        str(recording.with_suffix(".new.mp3")),
    ]
    subprocess.run(["ffmpeg", "-v", "error", "-y", *voices, *made], check=True)
    return recording.with_suffix(".new.mp3").replace(recording)


def repeated(recording: Path, path: Path, times: int) -> Path:
    """The same over and over: so many times as long, and not encoded again."""
    copied = ["-stream_loop", str(times - 1), "-i", str(recording), "-c", "copy", str(path)]
    subprocess.run(["ffmpeg", "-v", "error", "-y", *copied], check=True)
    return path


def pieces(path: Path, size: int = 1 << 20) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(size):
            yield piece
