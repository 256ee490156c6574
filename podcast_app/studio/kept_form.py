"""A form that comes when its sender is signed out: it stays in the page where they sign in, and is sent on afterwards.

Nothing of it is kept here. Its texts travel hidden in that page, beside the e-mail address and the password.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

from starlette.requests import Request

from podcast_app import forms, uploads
from podcast_app.http import Problem, services
from podcast_app.studio.inputs import MOST_FIELDS, cleaned, sent
from podcast_app.studio.multipart import ROOM_FOR_TEXT
from podcast_app.studio.pages import OURS

LARGEST = 400_000  # bytes of text
OTHER_FIELDS = 10  # the sign-in's own
TO, KIND, TEXT, FILE = "resume_to", "resume_as", "kept.", "kept-file."


@dataclass(frozen=True, slots=True)
class KeptForm:
    to: str  # the address that it was sent to
    is_multipart: bool
    fields: Mapping[str, str]
    files: Mapping[str, str]  # input -> name of the file that was chosen, and has to be chosen again

    @property
    def hidden(self) -> dict[str, str]:
        """As fields of the sign-in's form."""
        return {
            TO: self.to,
            KIND: "multipart" if self.is_multipart else "",
            **{TEXT + name: said for name, said in self.fields.items()},
            **{FILE + name: filename for name, filename in self.files.items()},
        }


async def received(request: Request) -> KeptForm | None:
    """The form that this request brings; None when it cannot be kept: too long, not whole, or with a password."""
    to = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    if not OURS.fullmatch(to):
        return None
    is_multipart = request.headers.get("content-type", "").startswith("multipart/")
    try:
        fields, files = await _texts(request) if is_multipart else (await sent(request), dict[str, str]())
    except (Problem, forms.BadForm, uploads.TooLarge):
        return None
    return KeptForm(to, is_multipart, fields, files) if _may_be_kept(fields, files) else None


def carried(typed: Mapping[str, str]) -> KeptForm | None:
    """The one that the sign-in's form has carried."""
    to = typed.get(TO, "")
    if not OURS.fullmatch(to):
        return None
    return KeptForm(to, typed.get(KIND) == "multipart", _named(typed, TEXT), _named(typed, FILE))


async def _texts(request: Request) -> tuple[dict[str, str], dict[str, str]]:
    """Browsers listen only when all is sent, so files are read too, and left aside."""
    limit = services(request).settings.max_upload_bytes + ROOM_FOR_TEXT
    form = await forms.read_texts(_at_most(limit, request), request.headers["content-type"], LARGEST)
    return cleaned(form.fields), cleaned({name: file.name for name, file in form.files.items()})


async def _at_most(limit: int, request: Request) -> AsyncIterator[bytes]:
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limit:
        raise uploads.TooLarge  # before a byte is read
    async for chunk in request.stream():
        limit -= len(chunk)
        if limit < 0:
            raise uploads.TooLarge
        yield chunk


def _may_be_kept(fields: Mapping[str, str], files: Mapping[str, str]) -> bool:
    size = sum(len(word.encode()) for pair in fields.items() for word in pair)
    is_short = size <= LARGEST and len(fields) + len(files) <= MOST_FIELDS - OTHER_FIELDS
    return is_short and not any("password" in name for name in fields)


def _named(typed: Mapping[str, str], prefix: str) -> dict[str, str]:
    return {name.removeprefix(prefix): said for name, said in typed.items() if name.startswith(prefix)}
