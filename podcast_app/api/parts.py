"""An upload that comes in parts: begun, looked at, its parts taken in, completed.

Where the storage has a door of its own, parts go there; what still comes through here passes on as it comes.
"""

import logging
import sys
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager

from anyio import CancelScope, to_thread
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from feeds.checks import Finding, error
from media import text
from media.storage import Incomplete, Missing, Writer
from podcast_app import access, parts, shows, uploads
from podcast_app.access import Caller
from podcast_app.api import as_json, asked, bodies
from podcast_app.api.answers import PartAnswer
from podcast_app.api.idempotency import claimed
from podcast_app.api.problems import UNKNOWN_PART, UNKNOWN_UPLOAD
from podcast_app.api.replies import Reply, json_reply
from podcast_app.fields import NewUpload
from podcast_app.http import Problem, Services, in_reading, in_transaction, services
from podcast_app.models import Show, ShowId, Upload, UploadId
from podcast_app.parts import Arrived
from podcast_app.times import utcnow

log = logging.getLogger(__name__)

PIECE_BYTES = 2**20
PIECE_SECONDS = 1.0  # what came in is passed on by then, however little: a bucket closes a connection that is silent

NO_SUCH_SHOW = error("show", "There is no such show here.", "Check its address, and whose token you use.")
OVER = error(
    "", "This address is over, or it was changed.", "Ask for the upload again; it has a fresh address for each part."
)
NOT_OPEN = error("", "This upload takes no more parts.", "Look at its state; for other audio, begin another upload.")
LOST = error(
    "", "The storage has lost the parts of this upload.", "Ask for the upload, and send the parts that it is missing."
)


async def begin(request: Request) -> Response:
    """POST /uploads: 201 with a place for each part. Raises TooLarge before a byte is sent."""
    who = await asked.caller(request)
    here = services(request)
    async with claimed(request, who) as claim:
        wanted = bodies.parsed(NewUpload, await bodies.said(request))
        if earlier := claim.earlier(wanted.model_dump(mode="json")):
            return earlier.response()
        if wanted.size_bytes > here.settings.max_upload_bytes:
            raise uploads.TooLarge
        show = await in_reading(request, _show_of_producer, who, wanted.show)
        upload = parts.new(show.id, wanted.filename, wanted.size_bytes, wanted.fingerprint, utcnow())
        await to_thread.run_sync(parts.begin, here.database, here.storage, upload)
        answer = as_json.upload(
            upload, show.slug, await to_thread.run_sync(_places, here, Arrived(upload, frozenset()))
        )
        location = f"{here.settings.origin}/api/v1/uploads/{upload.id}"
        reply = await claim.keep(_record, upload, json_reply(answer, status=201, location=location))
    return reply.response()


async def read(request: Request) -> Response:
    """GET /uploads/{id}: with what has arrived, and fresh addresses for who may send it."""
    who, upload_id = await asked.upload(request, needs="viewer")
    here = services(request)
    found = await to_thread.run_sync(parts.look, here.database, here.storage, upload_id)
    if found is None:
        raise Problem(404, [UNKNOWN_UPLOAD])
    slug, may_send = await in_reading(request, _seen_by, who, found.upload.show_id)
    places = None
    if found.upload.state == "open":
        places = await to_thread.run_sync(_places, here, found) if may_send else _parts(found)
    return json_reply(as_json.upload(found.upload, slug, places)).response()


async def put(request: Request) -> Response:
    """PUT /uploads/{id}/parts/{number}: the part's bytes, as they are."""
    upload_id, number = await _permitted(request)
    upload = await in_reading(request, _upload, upload_id)
    size_bytes = _size_of(upload, number)
    _must_fit(request, size_bytes)
    await _tell_if_relayed(request, upload)
    try:
        async with _part_writing(request, upload, number, size_bytes) as writer:
            async for piece in _pieces(request, size_bytes):
                await to_thread.run_sync(writer.write, memoryview(piece))
    except Missing as lost:
        await in_reading(request, _upload, upload_id)  # says so when it was completed or cancelled meanwhile
        raise Problem(409, [LOST]) from lost
    return Response(status_code=204, headers={"Cache-Control": "no-store"})


async def complete(request: Request) -> Response:
    """POST /uploads/{id}/complete: 200 when it is audio. It may be said again, and by many at once."""
    who, upload_id = await asked.upload(request, needs="producer")
    here = services(request)
    async with claimed(request, who) as claim:
        if earlier := claim.earlier():
            return earlier.response()
        outcome = await to_thread.run_sync(parts.complete, here.database, here.storage, upload_id)
        reply = await claim.keep(_completed, outcome)
    here.work.wake()
    return reply.response()


def _show_of_producer(session: Session, who: Caller, slug: str) -> Show:
    """Raises Problem 403, 422."""
    show = shows.find(session, slug)
    role = access.role(session, who, show.id) if show is not None else None
    if show is None or role is None:
        raise Problem(422, [NO_SUCH_SHOW])
    if role != "producer":
        raise Problem(403, [asked.READS_ONLY])
    return show


def _record(session: Session, upload: Upload, reply: Reply) -> Reply:
    parts.record(session, upload)
    return reply


def _parts(arrived: Arrived) -> list[PartAnswer]:
    """For who may only read: an address is the permission to send."""
    sizes = enumerate(parts.sizes_bytes(arrived.upload), 1)
    return [
        PartAnswer(number=number, size_bytes=size_bytes, arrived=number in arrived.numbers)
        for number, size_bytes in sizes
    ]


def _places(here: Services, arrived: Arrived) -> list[PartAnswer]:
    """And where each part is to be sent. Signing takes a moment: off the event loop."""
    expires_at = int(utcnow().timestamp()) + here.settings.upload_address_seconds
    return [_with_place(here, arrived.upload, part, expires_at) for part in _parts(arrived)]


def _with_place(here: Services, upload: Upload, part: PartAnswer, expires_at: int) -> PartAnswer:
    assert upload.parts_id is not None
    signature = here.signer.sign(_permission(upload.id, part.number), expires_at)
    path = f"/api/v1/uploads/{upload.id}/parts/{part.number}"
    ours = f"{here.settings.origin}{path}?expires={expires_at}&signature={signature}"
    direct = here.storage.part_address(
        upload.key, upload.parts_id, part.number, seconds=here.settings.upload_address_seconds
    )
    is_direct = direct is not None and not _is_mixed(here.settings.origin, direct)
    return part.model_copy(update={"url": direct if is_direct else ours, "fallback_url": ours if is_direct else None})


def _is_mixed(origin: str, address: str) -> bool:
    """Whether browsers would block it: a page over https sends nothing over http (Mixed Content, W3C)."""
    return origin.startswith("https:") and address.startswith("http:")


def _permission(upload_id: UploadId, number: int) -> str:
    return f"part {number} of {upload_id}"


async def _permitted(request: Request) -> tuple[UploadId, int]:
    """The part in the path, for who has its signed address, or may change the show. Raises Problem 401, 403, 404."""
    number: int = request.path_params["number"]
    if "signature" not in request.query_params:
        _, upload_id = await asked.upload(request, needs="producer")
        return upload_id, number
    upload_id = UploadId(text.clean(request.path_params["id"]))
    expires = request.query_params.get("expires", "")
    expires_at = int(expires) if expires.isdecimal() and len(expires) < 16 else 0
    signature = request.query_params["signature"]
    is_ours = services(request).signer.has_signed(_permission(upload_id, number), expires_at, signature)
    if not is_ours or expires_at < utcnow().timestamp():
        raise Problem(403, [OVER])
    return upload_id, number


def _upload(session: Session, upload_id: UploadId) -> Upload:
    """Raises Problem 404, 409."""
    upload = session.get(Upload, upload_id)
    if upload is None:
        raise Problem(404, [UNKNOWN_UPLOAD])
    if upload.state != "open":
        raise Problem(409, [NOT_OPEN], state=upload.state)
    return upload


def _size_of(upload: Upload, number: int) -> int:
    """Raises Problem 404."""
    sizes = parts.sizes_bytes(upload)
    if not 1 <= number <= len(sizes):
        raise Problem(404, [UNKNOWN_PART])
    return sizes[number - 1]


def _must_fit(request: Request, size_bytes: int) -> None:
    """Raises Problem 413, 422 before a byte is read."""
    said = request.headers.get("content-length")
    if said is not None and said.isdecimal() and int(said) != size_bytes:
        raise _other_size(size_bytes, int(said))


def _other_size(size_bytes: int, came_bytes: int) -> Problem:
    finding = error(
        "audio",
        "This part has {size} bytes, and other than that came.",
        "Cut the file anew at the sizes that the upload names, and send the part again.",
        size=size_bytes,
    )
    return Problem(413 if came_bytes > size_bytes else 422, [finding])


async def _tell_if_relayed(request: Request, upload: Upload) -> None:
    """The operator is told, once for each upload, when a client could not use the storage's own door."""
    here = services(request)
    assert upload.parts_id is not None
    if upload.relayed_at is not None or here.storage.part_address(upload.key, upload.parts_id, 1, seconds=60) is None:
        return
    if await in_transaction(request, parts.is_first_relayed, upload.id, utcnow()):
        log.warning(
            "Parts of the upload %s come through this process: its sender was not let into the bucket, or did not try. "
            "`podcast-app check` says whether browsers are (CORS).",
            upload.id,
        )


@asynccontextmanager
async def _part_writing(request: Request, upload: Upload, number: int, size_bytes: int) -> AsyncIterator[Writer]:
    """Storage.part_writing, whose beginning and end block."""
    assert upload.parts_id is not None
    writing = services(request).storage.part_writing(upload.key, upload.parts_id, number, size_bytes)
    stack = ExitStack()
    try:
        yield await to_thread.run_sync(stack.enter_context, writing)
    except BaseException:
        with CancelScope(shield=True):
            await to_thread.run_sync(_leave, stack, *sys.exc_info())
        raise
    await to_thread.run_sync(stack.close)


def _leave(stack: ExitStack, *cause: object) -> None:
    stack.__exit__(*cause)  # type: ignore[arg-type]  # sys.exc_info's three, as they are


async def _pieces(request: Request, size_bytes: int) -> AsyncIterator[bytearray]:
    """The body, in pieces worth a write. Raises Problem 413, 422 when it is not of this size."""
    came_bytes, piece, since = 0, bytearray(), time.monotonic()
    async for chunk in request.stream():
        piece += chunk
        came_bytes += len(chunk)
        if came_bytes > size_bytes:
            break
        if len(piece) >= PIECE_BYTES or (piece and time.monotonic() - since > PIECE_SECONDS):
            yield piece
            piece, since = bytearray(), time.monotonic()
    if came_bytes != size_bytes:
        raise _other_size(size_bytes, came_bytes)
    yield piece


def _completed(session: Session, outcome: Upload | Incomplete | None) -> Reply:
    """Raises Problem 404, 409, 422."""
    match outcome:
        case None:
            raise Problem(404, [UNKNOWN_UPLOAD])
        case Incomplete(numbers=numbers):
            raise Problem(409, [_missing(list(numbers))], state="open", missing_parts=list(numbers))
        case Upload(state="refused", refusal=[sentence, values]):
            refused = Finding("error", "audio", sentence, "", tuple(values.items()))
            raise Problem(422, [refused], state="refused", upload_id=outcome.id)
    return json_reply(as_json.upload(outcome, _slug(session, outcome.show_id)))


def _missing(numbers: list[int]) -> Finding:
    some = ", ".join(map(str, numbers[:20])) + (", ..." if len(numbers) > 20 else "")
    return error(
        "parts", "Not all parts have arrived; missing are: {parts}.", "Send these, then complete it.", parts=some
    )


def _seen_by(session: Session, who: Caller, show_id: ShowId) -> tuple[str, bool]:
    """The show's address, and whether this caller may send to it."""
    return _slug(session, show_id), access.role(session, who, show_id) == "producer"


def _slug(session: Session, show_id: ShowId) -> str:
    return session.scalars(select(Show.slug).where(Show.id == show_id)).one()
