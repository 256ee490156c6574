"""The description of the API is valid, whole, and what the server really does."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from openapi_spec_validator import validate
from starlette.routing import Route

from podcast_app.api import openapi
from podcast_app.api.operations import OPERATIONS
from podcast_app.app import ROUTES
from tests.podcast_app.senders import begin
from tests.site import Site

# A time zone, a language or a recording may fit its schema and yet be none: then the answer is 422, as described.
NOT_CHECKED = "positive_data_acceptance"

# What is done to an episode, and may be done to a draft.
ABOUT_A_DRAFT = (
    "readEpisode",
    "changeEpisode",
    "replaceAudio",
    "undoReplaceAudio",
    "makeAgain",
    "putTranscript",
    "removeTranscript",
    "putEpisodeCover",
    "removeEpisodeCover",
    "addEpisodePicture",
)


def test_the_description_is_valid_and_names_every_address(shared_site: Site) -> None:
    described = shared_site.listener.get("/api/v1/openapi.json")

    validate(described.json())
    assert described.headers["content-type"] == "application/json"
    names = {
        (method.lower(), route.path_format)
        for route in ROUTES
        if isinstance(route, Route) and route.path.startswith("/api/") and route.endpoint is not openapi.described
        for method in route.methods - {"HEAD"}
    }
    assert {(method, path) for path, methods in described.json()["paths"].items() for method in methods} == names
    assert len(names) == len(OPERATIONS)


def test_the_description_does_not_depend_on_who_asks(shared_site: Site) -> None:
    elsewhere = shared_site.listener.get("/api/v1/openapi.json", headers={"Host": "evil.example"})

    assert elsewhere.json()["servers"] == [{"url": shared_site.settings.origin}]


@pytest.mark.long
def test_the_server_does_what_the_description_says(shared_site: Site, mp3: bytes, tmp_path: Path) -> None:
    judged(shared_site, mp3, tmp_path, "--phases", "examples,coverage", "--max-time", "8")


@pytest.mark.long
def test_the_server_does_what_the_description_says_whatever_is_sent(
    shared_site: Site, mp3: bytes, tmp_path: Path
) -> None:
    judged(shared_site, mp3, tmp_path, "--max-examples", "100", "--max-time", "200")


def judged(site: Site, mp3: bytes, folder: Path, *options: str) -> None:
    """Schemathesis sends what the description allows, and what it forbids, and judges each answer."""
    (folder / "schemathesis.toml").write_text(_real_ids(site, mp3), encoding="utf-8")
    command = [
        str(Path(sys.executable).with_name("schemathesis")),
        "run",
        f"{site.settings.origin}/api/v1/openapi.json",
    ]
    said = subprocess.run(
        [
            *command,
            "-H",
            f"Authorization: Bearer {site.token}",
            "--exclude-checks",
            NOT_CHECKED,
            "--no-color",
            *options,
        ],
        cwd=folder,
        capture_output=True,
        text=True,
    )
    assert said.returncode == 0, said.stdout[-6000:]


def _real_ids(site: Site, mp3: bytes) -> str:
    """The judge's configuration: something to read, to change and to delete, which it could not make by itself."""
    draft, doomed, public = (site.episode(mp3, title=title).json()["id"] for title in ("A draft", "Doomed", "Public"))
    kept, thrown_away = (site.episode(mp3, number="x").json()["upload_id"] for _ in range(2))
    taking = begin(site, mp3, part_size_bytes=1000).upload["id"]
    ids = {
        "deleteEpisode": doomed,
        "publishEpisode": public,
        "withdrawEpisode": public,
        "readUpload": kept,
        "deleteUpload": thrown_away,
        "sendPart": taking,
        "completeUpload": taking,
        **dict.fromkeys(ABOUT_A_DRAFT, draft),
    }
    return "\n".join(
        f'[[operations]]\ninclude-operation-id = "{name}"\nparameters = {{ "path.id" = {json.dumps(value)} }}'
        for name, value in ids.items()
    )
