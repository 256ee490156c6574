"""A form that is sent twice has one effect: it carries a random name (`form_id`), kept with what it led to."""

import datetime as dt
from collections.abc import Mapping

from sqlalchemy.orm import Session

from podcast_app.models import IdempotencyKey, User

LONGEST = 64  # characters


def result(session: Session, person: User, typed: Mapping[str, str]) -> str | None:
    """What this very form led to before. To be asked while the show is locked, so that no two ask at once."""
    row = session.get(IdempotencyKey, (_scope(person), _name(typed)))
    return row.body.decode() if row is not None and row.body is not None else None


def remember(session: Session, person: User, typed: Mapping[str, str], result: str, now: dt.datetime) -> None:
    """In the transaction that has the effect. A form without a name is not remembered."""
    if name := _name(typed):
        key = IdempotencyKey(scope=_scope(person), key=name, lease_until=now, created_at=now, headers={})
        key.body = result.encode()
        session.add(key)


def _scope(person: User) -> str:
    return f"studio:{person.id}"  # no other's, and none of the API's


def _name(typed: Mapping[str, str]) -> str:
    return typed.get("form_id", "")[:LONGEST]
