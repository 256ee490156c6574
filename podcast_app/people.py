"""Who may come in: people with passwords and browser sessions, machines with tokens, one-time links for beginnings.

Secrets are random, handed out once, and kept only as their SHA-256: a copy of the database opens nothing.
"""

import datetime as dt
import hashlib
import re
import secrets
from collections.abc import Sequence
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from feeds.checks import Finding, error
from media import text
from podcast_app.models import (
    Membership,
    OneTimeLink,
    Role,
    ShowId,
    StudioSession,
    Token,
    TokenId,
    User,
    UserId,
    new_id,
)

SESSION_LASTS = dt.timedelta(days=30)
LINK_LASTS = dt.timedelta(days=7)
SHORTEST_PASSWORD = 10  # characters
LONGEST_PASSWORD = 200

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_HASHER = PasswordHasher()  # argon2id, 64 MiB: about a fifth of a second, so always outside a transaction


@cache
def _nobody() -> str:
    """A hash that nothing matches: an unknown address takes as long as a wrong password."""
    return _HASHER.hash(secrets.token_urlsafe())


# --- passwords: slow on purpose; call them off the event loop ---


def password_hash(password: str) -> str:
    return _HASHER.hash(password)


def is_right(password: str, hashed: str | None) -> bool:
    """Whether this is the password; `None` for somebody we do not know, at the same cost."""
    try:
        return _HASHER.verify(hashed or _nobody(), password) and hashed is not None
    except (VerifyMismatchError, InvalidHashError):
        return False


def password_findings(password: str) -> list[Finding]:
    if SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        return []
    return [
        error(
            "password",
            "A password has {shortest} to {longest} characters.",
            "A few words in a row are easy to remember and hard to guess.",
            shortest=SHORTEST_PASSWORD,
            longest=LONGEST_PASSWORD,
        )
    ]


# --- people ---


def email_findings(email: str) -> list[Finding]:
    if _EMAIL.fullmatch(text.clean_line(email)) and len(email) <= 255:
        return []
    return [error("email", "This is not an e-mail address.", "Write it like name@example.org.")]


def add_user(
    session: Session,
    *,
    email: str,
    name: str,
    hashed: str,
    language: str,
    is_administrator: bool,
    now: dt.datetime,
) -> User | list[Finding]:
    if findings := email_findings(email):
        return findings
    email = text.clean_line(email).lower()
    name = text.clean_line(name)[:255] or email.partition("@")[0]
    user = User(
        id=UserId(new_id()),
        email=email,
        name=name,
        password_hash=hashed,
        language=language,
        is_administrator=is_administrator,
        created_at=now,
    )
    try:
        with session.begin_nested():
            session.add(user)
    except IntegrityError:
        return [error("email", "Somebody already has this e-mail address.", "Sign in, or use another one.")]
    return user


def user_by_email(session: Session, email: str) -> User | None:
    return session.scalars(select(User).where(User.email == text.clean_line(email).lower())).one_or_none()


def users(session: Session) -> Sequence[User]:
    return session.scalars(select(User).order_by(User.email)).all()


def is_first(session: Session) -> bool:
    """Whether nobody has an account yet."""
    return session.scalar(select(func.count()).select_from(User)) == 0


def set_password(session: Session, user: User, hashed: str) -> None:
    """And sign the person out everywhere: whoever knew the old one is out."""
    user.password_hash = hashed
    sign_out_everywhere(session, user.id)


def set_role(session: Session, user_id: UserId, show_id: ShowId, role: Role | None) -> None:
    """`None` takes the person off the show."""
    session.execute(delete(Membership).where(Membership.user_id == user_id, Membership.show_id == show_id))
    if role is not None:
        session.add(Membership(user_id=user_id, show_id=show_id, role=role))


def role(session: Session, user: User, show_id: ShowId) -> Role | None:
    """What the person may do in this show. Administrators may do everything."""
    if user.is_administrator:
        return "producer"
    membership = session.get(Membership, (user.id, show_id))
    return membership.role if membership is not None else None


# --- sessions of the studio ---


def sign_in(session: Session, user_id: UserId, now: dt.datetime) -> str:
    """A new browser session's secret."""
    session.execute(delete(StudioSession).where(StudioSession.expires_at <= now))
    secret = secrets.token_urlsafe(32)
    session.add(StudioSession(secret_hash=digest(secret), user_id=user_id, expires_at=now + SESSION_LASTS))
    return secret


def signed_in(session: Session, secret: str, now: dt.datetime) -> User | None:
    """Who this browser session belongs to."""
    query = select(User).join(StudioSession, StudioSession.user_id == User.id)
    alive = (StudioSession.secret_hash == digest(secret), StudioSession.expires_at > now)
    return session.scalars(query.where(*alive)).one_or_none()


def sign_out(session: Session, secret: str) -> None:
    session.execute(delete(StudioSession).where(StudioSession.secret_hash == digest(secret)))


def sign_out_everywhere(session: Session, user_id: UserId) -> None:
    session.execute(delete(StudioSession).where(StudioSession.user_id == user_id))


# --- one-time links ---


def first_account_link(session: Session, now: dt.datetime) -> str | None:
    """The secret of a link that makes the first account, while nobody has one. Earlier such links end."""
    if not is_first(session):
        return None
    session.execute(delete(OneTimeLink).where(OneTimeLink.purpose == "account", OneTimeLink.is_administrator))
    return _link(session, "account", None, is_administrator=True, now=now)


def invitation_link(session: Session, email: str, *, is_administrator: bool, now: dt.datetime) -> str:
    return _link(session, "account", None, email=email, is_administrator=is_administrator, now=now)


def password_link(session: Session, user_id: UserId, now: dt.datetime) -> str:
    return _link(session, "password", user_id, is_administrator=False, now=now)


def link(session: Session, secret: str, purpose: str, now: dt.datetime) -> OneTimeLink | None:
    """The link, while it is good. Use it up with `session.delete` in the transaction that does what it is for."""
    found = session.get(OneTimeLink, digest(secret), with_for_update=True)
    return found if found is not None and found.purpose == purpose and found.expires_at > now else None


# --- tokens of machines ---


def create_token(session: Session, name: str, show_id: ShowId | None, now: dt.datetime) -> str:
    """The new token's secret; it is never shown again."""
    secret = f"pod_{secrets.token_urlsafe(32)}"
    session.add(
        Token(
            id=TokenId(new_id()),
            name=text.clean_line(name)[:120] or "token",
            secret_hash=digest(secret),
            show_id=show_id,
            created_at=now,
        )
    )
    return secret


def token(session: Session, secret: str) -> Token | None:
    """The token that this is the secret of, unless it was revoked."""
    query = select(Token).where(Token.secret_hash == digest(secret), Token.revoked_at.is_(None))
    return session.scalars(query).one_or_none()


def tokens(session: Session) -> Sequence[Token]:
    return session.scalars(select(Token).order_by(Token.created_at)).all()


def revoke_token(session: Session, name_or_id: str, now: dt.datetime) -> int:
    """How many tokens of this name or id were good until now."""
    good = update(Token).where((Token.name == name_or_id) | (Token.id == name_or_id), Token.revoked_at.is_(None))
    return len(session.scalars(good.values(revoked_at=now).returning(Token.id)).all())


def digest(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()


def _link(
    session: Session, purpose: str, user_id: UserId | None, *, is_administrator: bool, now: dt.datetime, email: str = ""
) -> str:
    session.execute(delete(OneTimeLink).where(OneTimeLink.expires_at <= now))
    secret = secrets.token_urlsafe(32)
    session.add(
        OneTimeLink(
            secret_hash=digest(secret),
            purpose=purpose,
            user_id=user_id,
            email=text.clean_line(email).lower()[:255],
            is_administrator=is_administrator,
            expires_at=now + LINK_LASTS,
        )
    )
    return secret
