"""What the project promises about itself: rooms, words, documents, and nothing of the machine it was made on."""

import ast
import re
import subprocess
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from packaging.requirements import Requirement
from typer.core import TyperCommand, TyperGroup

from podcast_app import cli
from podcast_app.settings import Settings
from tests import sentences
from tests.sentences import ROOT

OPERATING = ROOT / "docs" / "operating.md"
LOCKS = ("requirements.lock", "requirements-dev.lock")
NEITHER_HTTP_NOR_ROWS = {"podcast_app", "starlette", "uvicorn", "httpx2", "sqlalchemy", "alembic", "psycopg", "sqlite3"}

# Put together here, so that this file does not name them either.
FOREIGN_PLACES = (
    *(".".join(host) for host in (("pypi", "org"), ("pythonhosted", "org"), ("deb", "debian", "org"))),
    *(".".join(host) for host in (("registry", "npmjs"), ("archive", "ubuntu"))),
    *("/".join(("", *folder, "")) for folder in (("work", "main"), ("work", "shared"), ("opt", "pypi"), ("root",))),
)


@pytest.mark.parametrize("room", ["media", "feeds"])
def test_a_room_knows_neither_the_other_room_nor_http_nor_the_database(room: str) -> None:
    forbidden = NEITHER_HTTP_NOR_ROWS | {"media", "feeds"} - {room}

    known = {
        (module, str(path.relative_to(ROOT)))
        for path in sentences.python_files(room)
        for module in _imported(ast.parse(path.read_text(encoding="utf-8")))
    }

    assert known
    assert [(module, path) for module, path in known if module in forbidden] == []


def test_every_sentence_that_people_are_shown_has_its_french() -> None:
    translated = {text for _path, message in sentences.french() for text in _every_form(message.id)}

    missing = [f"{shown.place} {shown.text}" for shown in sentences.shown() if shown.text not in translated]

    assert not missing, "\n".join(["no French for:", *missing])


def test_no_sentence_is_put_together_where_no_catalogue_can_follow() -> None:
    assert list(sentences.glued()) == []


def test_every_french_sentence_is_finished_and_fills_the_same_places() -> None:
    wrong = [
        f"{path.name}: {english}"
        for path, message in sentences.french()
        for english, french in zip(_every_form(message.id), _every_form(message.string), strict=True)
        if message.fuzzy or not french or sentences.placeholders(english) != sentences.placeholders(french)
    ]

    assert wrong == []


def test_a_sentence_has_one_french_form_whichever_catalogue_says_it() -> None:
    forms = defaultdict(set)
    for _path, message in sentences.french():
        forms[_every_form(message.id)].add(_every_form(message.string))

    assert [(english, french) for english, french in forms.items() if len(french) > 1] == []


def test_every_setting_is_explained_to_operators() -> None:
    explained = OPERATING.read_text(encoding="utf-8")

    assert {name for name in _settings() if f"`{name}`" not in explained} == set()


def test_every_command_is_explained_to_operators() -> None:
    explained = OPERATING.read_text(encoding="utf-8")

    assert {command for command in _commands() if f"podcast-app {command}" not in explained} == set()


def test_every_script_is_explained() -> None:
    scripts = {f"scripts/{path.name}" for path in (ROOT / "scripts").iterdir() if path.is_file()}

    assert scripts - _named(r"\bscripts/[a-z-]+\b") == set()


def test_documents_name_no_setting_command_or_script_that_does_not_exist() -> None:
    first_words = {command.partition(" ")[0] for command in _commands()}

    assert _named(r"\bPODCAST_[A-Z0-9_]+\b") - _settings() == set()
    assert _named(r"(?:^|`|/|\$ )podcast-app ([a-z]+)") - first_words == set()
    assert {name for name in _named(r"\bscripts/[a-z-]+\b") if not (ROOT / name).exists()} == set()


def test_what_runs_is_pinned_the_same_where_it_is_tested() -> None:
    runtime, tests = ((ROOT / lock).read_text(encoding="utf-8") for lock in LOCKS)

    assert _pins(runtime)
    assert _pins(runtime) <= _pins(tests)


def test_every_dependency_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [
        *project["dependencies"],
        *(name for extra in project["optional-dependencies"].values() for name in extra),
    ]

    pinned = {name for name, _version in _pins((ROOT / LOCKS[1]).read_text(encoding="utf-8"))}

    assert {Requirement(dependency).name for dependency in wanted} - pinned == set()


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_file_says_what_and_never_where_from(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")

    assert "://" not in text
    assert "--index" not in text
    assert "--find-links" not in text


def test_no_file_names_the_place_where_it_was_made() -> None:
    named = [
        f"{path}: {place}"
        for path in _tracked()
        for place in FOREIGN_PLACES
        if place.encode() in (ROOT / path).read_bytes()
    ]

    assert named == []


def _imported(tree: ast.Module) -> Iterator[str]:
    """The first names of all imported modules."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from (alias.name.partition(".")[0] for alias in names)
            case ast.ImportFrom(module=str(module), level=0):
                yield module.partition(".")[0]


def _every_form(text: str | list[str] | tuple[str, ...]) -> tuple[str, ...]:
    """A message is a text, or a singular with its plural."""
    return (text,) if isinstance(text, str) else tuple(text)


def _settings() -> set[str]:
    """Their names in the environment: the prefixed one, where there are two."""
    of_commands = {parameter.envvar for command in _commands().values() for parameter in command.params}
    return {f"PODCAST_{name.upper()}" for name in Settings.model_fields} | {str(name) for name in of_commands if name}


def _commands() -> dict[str, TyperCommand]:
    """What `podcast-app` can be asked, by its words: "publish", "token create"."""
    found: dict[str, TyperCommand] = {}
    groups = [("", typer.main.get_command(cli.app))]
    while groups:
        prefix, group = groups.pop()
        assert isinstance(group, TyperGroup)
        for name, command in group.commands.items():
            if isinstance(command, TyperCommand):
                found[prefix + name] = command
            else:
                groups.append((f"{prefix}{name} ", command))
    return found


def _named(pattern: str) -> set[str]:
    """What the documents say that looks so."""
    paths = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    assert paths
    return {name for path in paths for name in re.findall(pattern, path.read_text(encoding="utf-8"), re.MULTILINE)}


def _pins(lock: str) -> set[tuple[str, str]]:
    return set(re.findall(r"^([a-z0-9-]+)(?:\[[a-z0-9,-]+\])?==(\S+)", lock, re.MULTILINE))


def _tracked() -> list[Path]:
    """The files of the checkout. Git hesitates when somebody else owns it; we only read."""
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    paths = [Path(name) for name in listed.split("\0") if name]
    assert paths
    return [path for path in paths if (ROOT / path).is_file()]
