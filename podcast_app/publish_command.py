"""`podcast-app publish`: the main job from a terminal, straight to the library or over HTTP."""

import datetime as dt
import hashlib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from sqlalchemy.orm import Session

from feeds.checks import Finding
from media.probe import NotAudio
from podcast_app import drafts, episodes, history, outgoing, sending, uploads
from podcast_app.addresses import Addresses, views
from podcast_app.behind import measure_for_enclosure
from podcast_app.cli import CommandFailed, sentences
from podcast_app.documents import edition
from podcast_app.enclosures import make_enclosure
from podcast_app.fields import NewEpisode, parse
from podcast_app.fingerprint import Recording, recording
from podcast_app.models import Episode, EpisodeId, Show
from podcast_app.outcomes import Refused
from podcast_app.progress import Shown
from podcast_app.remote import AGAIN, Json, Refusal, Remote
from podcast_app.times import iso, utcnow
from podcast_app.work import Work

PIECE = 1 << 20  # bytes
LOOKED_EVERY = 0.2  # seconds
ASKED_EVERY = 0.5  # seconds, a site over HTTP


def here(file: Path, show: Show, said: Mapping[str, object], work: Work) -> str:
    """Into this machine's library. What to print at the end: the episode's address, or what it waits for."""
    fields = parse(NewEpisode, said)
    if isinstance(fields, list):
        raise CommandFailed(sentences(fields))
    inspected = _inspected(file, work)
    episode_id, findings = work.database.write(_create, show, inspected, fields, work)
    if findings:
        raise CommandFailed(f"{sentences(findings)}\nThe episode is kept as a draft ({episode_id}).")
    work.wake()
    while True:
        episode = work.database.read(episodes.get, episode_id)
        assert episode is not None
        if outcome := _said_of(episode, work):
            return outcome
        # the worker of a running site may be at it already; then there is nothing left for us to take
        steps = (make_enclosure, measure_for_enclosure, partial(outgoing.publish_now, episode_id=episode_id))
        if not any(step(work) for step in steps):
            time.sleep(LOOKED_EVERY)


def over_http(file: Path, server: str, token: str | None, show: str | None, said: Mapping[str, object]) -> str:
    """To a site, with a token. The episode's address, or what it waits for.

    Said again after it was cut, the same command goes on wherever it stopped: parts that are safe are not sent again, a
    recording that is whole there and unused is used, and when an episode was made from it with just these fields and
    this token, less than a day ago, it is that episode. Otherwise the recording is sent anew, for a new episode.
    """
    if token is None:
        raise CommandFailed("Sending to a site needs a token: give --token, or set PODCAST_TOKEN.")
    fields = parse(NewEpisode, said)
    if isinstance(fields, list):
        raise CommandFailed(sentences(fields))
    said = fields.model_dump(mode="json", exclude_unset=True)
    audio = _recording(file)
    with Shown(file.name) as shown, Remote(server, token, shown.say) as remote:
        with _stopped_with(shown, f"{AGAIN}."):
            slug = show or _only_show(remote)
            episode_id = _made_before(remote, slug, audio, said, shown)
            if episode_id is None:
                upload = sending.sent(remote, slug, audio, shown)
                episode_id = _made(remote, slug, upload, said)
        with _stopped_with(shown, f"The episode is there ({episode_id}), and goes out when it is ready."):
            return _awaited(remote, episode_id)


def _inspected(file: Path, work: Work) -> uploads.Inspected:
    original = None
    try:
        with _read_with_progress(file) as audio:
            original = uploads.Original(work.database, work.storage, work.settings.max_upload_bytes)
            while piece := audio.read(PIECE):
                original.write(piece)
        received = original.finish(file.name)
    except BaseException as cause:
        if original is not None:
            original.abandon(cause)
        if isinstance(cause, uploads.TooLarge):
            raise CommandFailed(f"{file} is larger than this site takes.") from cause
        raise
    try:
        return uploads.inspect(work.database, work.storage, received)
    except NotAudio as refused:
        raise CommandFailed(str(refused)) from refused


def _create(
    session: Session, show: Show, inspected: uploads.Inspected, fields: NewEpisode, work: Work
) -> tuple[EpisodeId, Sequence[Finding]]:
    made = drafts.from_recording(session, show.id, inspected, fields, work.settings, utcnow())
    assert not isinstance(made, Refused), "the fields were checked, and the upload is new"
    history.watch(session, made.episode.id, history.COMMAND_LINE, is_new=True)
    return made.episode.id, made.findings


def _said_of(episode: Episode, work: Work) -> str | None:
    """What to print when there is nothing more to wait for."""
    assert episode.audio is not None
    view = views(episode.show.language)[0]
    match episode.state:
        case "published":
            return Addresses(work.settings.origin).episode(episode.show.slug, episode.slug, view)
        case "draft":
            return f"A draft: {work.settings.origin}/studio/episodes/{episode.id}"
        case "scheduled" if episode.publish_at is not None and episode.publish_at > utcnow():
            return f"Scheduled for {iso(episode.publish_at)}: {episode.id}"
    made = edition(episode.audio)
    if made.failure is not None:
        raise CommandFailed(
            f"The audio could not be prepared: {made.failure} The episode stays due; it is tried again."
        )
    return None


def _recording(file: Path) -> Recording:
    _must_be_file(file)
    try:
        found = recording(file)
    except OSError as wrong:
        raise CommandFailed(f"{file} cannot be read: {wrong.strerror}.") from wrong
    if not found.size_bytes:
        raise CommandFailed(f"{file} is empty.")
    return found


def _made_before(remote: Remote, show: str, audio: Recording, said: Mapping[str, object], shown: Shown) -> str | None:
    """The episode of an earlier run, or a new one from what it has sent. None: there is no such thing."""
    waiting = sending.known(remote, show, audio, "complete")
    for upload in sorted(waiting, key=lambda upload: upload["episode"] is None):
        try:
            made = _made(remote, show, upload, said)
        except Refusal as refusal:
            if {wrong["field"] for wrong in refusal.body.get("errors", [])} != {"upload_id"}:
                raise
            continue  # an episode was made from it with other fields, or more than a day ago
        is_used = upload["episode"] is not None
        shown.say(f"This was made before: it is {made}." if is_used else "The recording is there already.")
        return made
    return None


def _made(remote: Remote, show: str, upload: Json, said: Mapping[str, object]) -> str:
    """The episode from a complete upload: the same one, whenever just this is said of it. Raises CommandFailed."""
    has_title = bool(said.get("title") or upload["suggestions"]["title"])
    if said.get("publish") and not has_title and upload["episode"] is None:
        raise CommandFailed(
            "title: The recording names no title, and an episode needs one to go out. Give it one with --title; the "
            "recording is there already, and is not sent again."
        )
    ended: list[str] = []  # a key brings its first answer for a day, though that episode may be withdrawn since
    while True:
        whole = json.dumps([show, upload["id"], said, ended], sort_keys=True)
        key = f"publish-{hashlib.sha256(whole.encode()).hexdigest()}"
        made = remote.ask("POST", f"shows/{quote(show)}/episodes", {**said, "upload_id": upload["id"]}, key=key)
        if _state(remote, made["id"]) not in (None, "withdrawn"):
            return str(made["id"])
        ended.append(made["id"])


def _state(remote: Remote, episode_id: str) -> str | None:
    """None: it was deleted."""
    try:
        return str(remote.ask("GET", f"episodes/{episode_id}")["state"])
    except Refusal as refusal:
        if refusal.status != 404:
            raise
        return None


def _awaited(remote: Remote, episode_id: str) -> str:
    """Wait until a remote episode is public, unless it is not meant to be yet."""
    while True:
        episode = remote.ask("GET", f"episodes/{episode_id}")
        errors = [finding for finding in episode["findings"] if finding["level"] == "error"]
        if errors:
            reasons = "\n".join(f"{finding['field']}: {finding['problem']} {finding['mend']}" for finding in errors)
            raise CommandFailed(f"{reasons}\nThe episode is kept there ({episode['id']}).")
        match episode["state"]:
            case "published":
                return str(episode["url"])
            case "draft":
                return f"A draft: {episode['id']}"
            case "withdrawn":
                raise CommandFailed(f"The episode was withdrawn there ({episode['id']}).")
        if dt.datetime.fromisoformat(episode["publish_at"]) > utcnow():
            return f"Scheduled for {episode['publish_at']}: {episode['id']}"
        if episode["audio"]["status"] == "failed":
            raise CommandFailed(
                f"The audio could not be prepared there. The episode stays due ({episode['id']}); it is tried again."
            )
        time.sleep(ASKED_EVERY)


def _only_show(remote: Remote) -> str:
    found = remote.ask("GET", "shows")["items"]
    if len(found) != 1:
        raise CommandFailed("There are several shows there. Name one with --show.")
    return str(found[0]["slug"])


def _must_be_file(file: Path) -> None:
    if not file.is_file():
        raise CommandFailed(f"{file} is a folder, not a file." if file.is_dir() else f"There is no file {file}.")


@contextmanager
def _stopped_with(shown: Shown, sentence: str) -> Iterator[None]:
    """Ctrl-C is answered with what is to be known then."""
    try:
        yield
    except KeyboardInterrupt:
        shown.say(f"Stopped. {sentence}")
        raise


@contextmanager
def _read_with_progress(file: Path) -> Iterator[BinaryIO]:
    """The file, open, with a bar on standard error that shows how much was read."""
    _must_be_file(file)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    try:
        with (
            Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar,
            bar.open(file, "rb", description=file.name) as audio,
        ):
            yield audio
    except OSError as wrong:
        raise CommandFailed(f"{file} cannot be read: {wrong.strerror}.") from wrong
