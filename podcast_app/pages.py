"""Pages: a template, the reader's language in it, and nothing that is not escaped."""

import datetime as dt
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from starlette.requests import Request
from starlette.responses import HTMLResponse

from feeds import roles
from podcast_app import formats, static_files, words

TEMPLATES = Path(__file__).parent / "templates"


def render(
    request: Request,
    template: str,
    language: str,
    *,
    status_code: int = 200,
    headers: Mapping[str, str] | None = None,
    **context: object,
) -> HTMLResponse:
    """A page in this language: "en" or "fr". The template also gets `path`, the address that was asked for."""
    body = html(template, language, path=request.url.path, **context)
    return HTMLResponse(body, status_code, headers)


def html(template: str, language: str, **context: object) -> str:
    """The page's text. In a template, `_` says a sentence in the page's language."""
    return _TEMPLATES.get_template(template).render(language=language, _=partial(words.say, language), **context)


@pass_context
def _date(context: Context, instant: dt.datetime, time_zone: str) -> str:
    return formats.date(instant, time_zone, context["language"])


@pass_context
def _moment(context: Context, instant: dt.datetime, time_zone: str) -> str:
    return formats.moment(instant, time_zone, context["language"])


@pass_context
def _duration(context: Context, milliseconds: int) -> str:
    return formats.duration(milliseconds, context["language"])


@pass_context
def _size(context: Context, size_bytes: int) -> str:
    return formats.size(size_bytes, context["language"])


@pass_context
def _decimal(context: Context, value: float) -> str:
    return formats.decimal(value, context["language"])


@pass_context
def _role_name(context: Context, role: str) -> str:
    """ "présentation" for "host"; a word of somebody's own as it is."""
    label = roles.label(role)
    return words.plain(context["language"], label) if label is not None else role


@pass_context
def _time_left(context: Context, instant: dt.datetime, now: dt.datetime) -> str:
    return formats.time_left(instant, now, context["language"])


_TEMPLATES = Environment(
    loader=FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined
)
_TEMPLATES.filters |= {
    "date": _date,
    "moment": _moment,
    "duration": _duration,
    "size": _size,
    "time_left": _time_left,
    "decimal": _decimal,
    "role_name": _role_name,
    "day": formats.day,
    "clock": formats.clock,
    "period": formats.period,
}
_TEMPLATES.globals["static"] = static_files.address
