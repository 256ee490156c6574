"""The sentences that people are shown, found in the code and in the templates, and the French that stands ready."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from babel.messages.catalog import Message
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po

ROOT = Path(__file__).parents[1]
ROOMS = ("media", "feeds", "podcast_app")
ENGLISH_ONLY = {ROOT / "podcast_app" / "api" / "openapi.py"}  # read by programmers
TEMPLATES = ROOT / "podcast_app" / "templates"
FRENCH = ROOT / "podcast_app" / "locale" / "fr"

# Where a sentence stands in a call: by the call's name, its positions and keywords.
FINDINGS = {"error", "warning"}  # feeds.checks: error(field, problem, mend)
REFUSALS = {"NotAudio", "BadPicture", "Failed", "Absent", "TimedOut", "NoRoom", "Conflict", "Problem", "problem"}
SAYINGS = {"_": 0, "gettext": 0, "N_": 0, "say": 1, "plain": 1}  # podcast_app.words: say(language, sentence)

# A constant that is one: "The title is empty.", and no "%s", "text/html" or "Europe/Brussels".
SENTENCE = re.compile(r"[A-ZÀ-Ý“{].*\s.*[.!?…]”?", re.DOTALL)
PLACEHOLDER = re.compile(r"\{\w*\}|%\(\w+\)s")


@dataclass(frozen=True)
class Sentence:
    """English as the code has it, and the place, for whoever has to mend it."""

    text: str
    place: str  # "media/ffmpeg.py:52"


def shown() -> Iterator[Sentence]:
    """Every sentence that the code or a template may show to a person."""
    for path in sorted(set(python_files(*ROOMS)) - ENGLISH_ONLY):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            for text in _in_code(node):
                yield Sentence(str(text.value), _place(path, text.lineno))
    for path in filter(Path.is_file, TEMPLATES.rglob("*")):
        yield from _in_template(path)


def glued() -> Iterator[str]:
    """Places where a sentence is put together in an f-string: no catalogue can have it."""
    for path in python_files(*ROOMS):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                for argument in _wordings(node) + _sayings(node):
                    if any(isinstance(part, ast.JoinedStr) for part in ast.walk(argument)):
                        yield _place(path, argument.lineno)


def french() -> list[tuple[Path, Message]]:
    """Every message of the French catalogues, and the file it stands in; not their headers."""
    messages = []
    for path in sorted(FRENCH.rglob("*.po")):
        with path.open("rb") as file:
            messages += [(path, message) for message in read_po(file, locale="fr") if message.id]
    return messages


def placeholders(text: str) -> set[str]:
    return set(PLACEHOLDER.findall(text))


def python_files(*rooms: str) -> list[Path]:
    return sorted(path for room in rooms for path in (ROOT / room).rglob("*.py"))


def _in_code(node: ast.AST) -> Iterator[ast.Constant]:
    match node:
        case ast.Call():
            for argument in _wordings(node) + _sayings(node):
                yield from _texts(argument)
        case (
            ast.Assign(targets=[ast.Name(id=name)], value=value) | ast.AnnAssign(target=ast.Name(id=name), value=value)
        ):
            if name.isupper() and value and not isinstance(value, ast.Call):
                yield from filter(_is_sentence, _texts(value))
        case ast.Return(value=ast.Constant(value=str()) as text) if _is_sentence(text):
            yield text


def _wordings(call: ast.Call) -> list[ast.expr]:
    """Problem and mend of a finding or a refusal; not its field, nor the values of its placeholders."""
    named = {keyword.arg: keyword.value for keyword in call.keywords}
    said = [named[name] for name in ("problem", "mend", "sentence") if name in named]
    if _name(call) in FINDINGS:
        return call.args[1:3] + said
    if _name(call) in REFUSALS:
        return call.args + said
    return []


def _sayings(call: ast.Call) -> list[ast.expr]:
    """What is looked up in the catalogue, if this call does that."""
    position = SAYINGS.get(_name(call))
    return [] if position is None else call.args[position : position + 1]


def _name(call: ast.Call) -> str:
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def _texts(node: ast.AST) -> Iterator[ast.Constant]:
    """The texts in an expression, be it a table or `this if so else that`; calls in it are looked at by themselves."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node
    for part in ast.iter_child_nodes(node):
        if not isinstance(part, ast.Call | ast.Compare):
            yield from _texts(part)


def _is_sentence(text: ast.Constant) -> bool:
    return SENTENCE.fullmatch(str(text.value)) is not None


def _in_template(path: Path) -> Iterator[Sentence]:
    for line, message, _comments, _context in extract_from_file("jinja2", path, options={"silent": "false"}):
        for text in (message,) if isinstance(message, str) else message:  # several: a singular and its plural
            yield Sentence(text, _place(path, line))


def _place(path: Path, line: int) -> str:
    return f"{path.relative_to(ROOT)}:{line}"
