"""Lists in pages. A cursor names the last row that was seen, so what is added meanwhile moves nothing."""

import base64
import binascii
import datetime as dt
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from sqlalchemy import Select, and_, or_
from sqlalchemy.orm import Session
from starlette.requests import Request

from podcast_app.api.bodies import parsed
from podcast_app.models import Episode, EpisodeState, Show, Upload, UploadState

T = TypeVar("T", Episode, Show, Upload)
Query = TypeVar("Query", bound=BaseModel)


def _place(cursor: str) -> str:
    _read(cursor)
    return cursor


class ListQuery(BaseModel):
    """Which part of a list is wanted. Other words in the address are left to whoever put them there."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    limit: Annotated[int, Field(ge=1, le=100)] = 50
    cursor: Annotated[str, AfterValidator(_place)] | None = None


class EpisodesQuery(ListQuery):
    state: EpisodeState | None = None


class UploadsQuery(ListQuery):
    show: str | None = None
    state: UploadState | None = None


class HistoryQuery(BaseModel):
    """The same of an episode's revisions, which are numbered."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    limit: Annotated[int, Field(ge=1, le=100)] = 50
    cursor: Annotated[int, Field(ge=1, lt=2**31)] | None = None


def asked(request: Request, model: type[Query]) -> Query:
    """Raises Problem 422."""
    return parsed(model, dict(request.query_params))


def page(session: Session, rows: Select[T], table: type[T], query: ListQuery) -> tuple[list[T], str | None]:
    """The rows of one page, newest first, and the cursor of the next; None when this is the last."""
    if query.cursor is not None:
        created_at, row_id = _read(query.cursor)
        same_moment = and_(table.created_at == created_at, table.id < row_id)
        rows = rows.where(or_(table.created_at < created_at, same_moment))
    newest = rows.order_by(table.created_at.desc(), table.id.desc()).limit(query.limit + 1)
    found = list(session.scalars(newest))
    shown = found[: query.limit]
    return shown, _cursor(shown[-1]) if len(found) > len(shown) else None


def _cursor(row: Episode | Show | Upload) -> str:
    return base64.urlsafe_b64encode(f"{row.created_at.isoformat()} {row.id}".encode()).decode().rstrip("=")


def _read(cursor: str) -> tuple[dt.datetime, str]:
    """Raises ValueError for what is no cursor of ours."""
    padded = cursor + "=" * (-len(cursor) % 4)
    try:
        moment, _, row_id = base64.b64decode(padded, altchars=b"-_", validate=True).decode("ascii").partition(" ")
    except binascii.Error as wrong:
        raise ValueError(cursor) from wrong
    created_at = dt.datetime.fromisoformat(moment)
    if created_at.tzinfo is None or not row_id.isalnum():
        raise ValueError(cursor)
    return created_at, row_id
