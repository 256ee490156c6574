"""`podcast-app publish`: the main job from a terminal, straight to the library or over HTTP."""

import datetime as dt
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import httpx2
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from sqlalchemy.orm import Session

from feeds.checks import Finding
from media.probe import NotAudio
from podcast_app import drafts, episodes, outgoing, uploads
from podcast_app.addresses import Addresses, views
from podcast_app.cli import CommandFailed, sentences
from podcast_app.documents import edition
from podcast_app.enclosures import make_enclosure
from podcast_app.fields import NewEpisode, parse
from podcast_app.models import Episode, EpisodeId, Show
from podcast_app.outcomes import Refused
from podcast_app.times import iso, utcnow
from podcast_app.work import Work

PIECE = 1 << 20  # bytes
LOOKED_EVERY = 0.2  # seconds


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
        if not make_enclosure(work) and not outgoing.publish_now(work, episode_id):
            time.sleep(LOOKED_EVERY)


def over_http(file: Path, server: str, token: str | None, show: str | None, said: Mapping[str, object]) -> str:
    """To a site, with a token. The episode's address, or what it waits for."""
    if token is None:
        raise CommandFailed("Sending to a site needs a token: give --token, or set PODCAST_TOKEN.")
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": secrets.token_urlsafe()}
    try:
        with httpx2.Client(base_url=server.rstrip("/"), headers=headers, timeout=60) as client:
            slug = show or _only_show(client)
            with _read_with_progress(file) as audio:
                form = {name: _as_form(value) for name, value in said.items()}
                answer = client.post(
                    f"/api/v1/shows/{slug}/episodes", data=form, files={"audio": (file.name, audio)}, timeout=600
                )
            return _awaited(client, _json(answer))
    except httpx2.HTTPError as failure:
        raise CommandFailed(
            f"{server} was not reached ({failure}). Check the address, and that the site is up."
        ) from failure


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
    if made.status == "failed":
        raise CommandFailed(
            f"The audio could not be prepared: {made.failure} The episode stays due; it is tried again."
        )
    return None


def _awaited(client: httpx2.Client, episode: dict[str, Any]) -> str:
    """Wait until a remote episode is public, unless it is not meant to be yet."""
    while True:
        errors = [finding for finding in episode["findings"] if finding["level"] == "error"]
        if errors:
            reasons = "\n".join(f"{finding['field']}: {finding['problem']} {finding['mend']}" for finding in errors)
            raise CommandFailed(f"{reasons}\nThe episode is kept there ({episode['id']}).")
        if episode["state"] == "published":
            return str(episode["url"])
        if episode["state"] == "draft":
            return f"A draft: {episode['id']}"
        if dt.datetime.fromisoformat(episode["publish_at"]) > utcnow():
            return f"Scheduled for {episode['publish_at']}: {episode['id']}"
        time.sleep(LOOKED_EVERY)
        episode = _json(client.get(f"/api/v1/episodes/{episode['id']}"))


def _only_show(client: httpx2.Client) -> str:
    found = _json(client.get("/api/v1/shows"))["items"]
    if len(found) != 1:
        raise CommandFailed("There are several shows there. Name one with --show.")
    return str(found[0]["slug"])


def _json(answer: httpx2.Response) -> dict[str, Any]:
    """The answer's body. A refusal becomes its own words."""
    try:
        body = answer.json()
    except ValueError:
        body = None
    if answer.is_success and isinstance(body, dict):
        return body
    if not isinstance(body, dict) or "title" not in body:
        raise CommandFailed(f"The site answered {answer.status_code} {answer.reason_phrase}, and not as expected.")
    messages = [f"{wrong['field']}: {wrong['message']}" for wrong in body.get("errors", [])]
    kept = f"The recording is kept there as upload {body['upload_id']}." if body.get("upload_id") else ""
    raise CommandFailed("\n".join([*(messages or [str(body.get("detail") or body["title"])]), kept]).strip())


def _as_form(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@contextmanager
def _read_with_progress(file: Path) -> Iterator[BinaryIO]:
    """The file, open, with a bar on standard error that shows how much was read."""
    if not file.is_file():
        raise CommandFailed(f"{file} is a folder, not a file." if file.is_dir() else f"There is no file {file}.")
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
