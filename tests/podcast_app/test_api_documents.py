"""The page for developers does what it says."""

import os
import re
import subprocess
from pathlib import Path

from tests.sentences import ROOT
from tests.site import SLUG, Site

PAGE = ROOT / "docs" / "api.md"


def test_every_example_of_the_page_works_in_its_order(shared_site: Site, mp3: bytes, tmp_path: Path) -> None:
    (tmp_path / "episode.mp3").write_bytes(mp3)
    examples = re.findall(r"^```sh\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    there = os.environ | {"SITE": shared_site.settings.origin, "TOKEN": shared_site.token}

    run = subprocess.run(
        ["sh", "-eu"], input="\n".join(examples), cwd=tmp_path, env=there, capture_output=True, text=True, timeout=60
    )

    assert len(examples) > 5
    assert run.returncode == 0, run.stdout[-1000:] + run.stderr[-1000:]
    made = shared_site.api.get(f"/api/v1/shows/{SLUG}/episodes").json()["items"]
    assert {(episode["title"], episode["state"]) for episode in made} >= {
        ("With chapters", "withdrawn"),
        ("Third", "draft"),
    }
    assert {episode["state"] for episode in made if episode["title"].startswith("Matonge")} <= {
        "scheduled",
        "published",
    }


def test_the_page_names_no_address_that_does_not_exist(shared_site: Site) -> None:
    described = shared_site.listener.get("/api/v1/openapi.json").json()["paths"]
    named = set(re.findall(r"`(/(?:shows|uploads|episodes)[a-z{}/]*)`", PAGE.read_text(encoding="utf-8")))

    assert named
    assert {path for path in named if f"/api/v1{path}" not in described} == set()
