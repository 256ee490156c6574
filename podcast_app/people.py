"""Who may come in: people with passwords and browser sessions, machines with tokens, one-time links for beginnings.

Secrets are random, handed out once, and kept only as their SHA-256: a copy of the database opens nothing.
"""

import datetime as dt
import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlalchemy import Delete, delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from feeds.checks import Finding, error
from media import text
from podcast_app import fields
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

LAST_ADMINISTRATOR = error(
    "", "Nobody else administers this site, so it stays like this.", "Make somebody else an administrator first."
)

_HASHER = PasswordHasher()  # argon2id, 64 MiB: about a fifth of a second, so always outside a transaction


@dataclass(frozen=True, slots=True)
class Browser:
    """What somebody signs in with."""

    device: str = ""  # "Firefox, Linux": so that its owner knows it again
    secret: str = ""  # of the session that it had until now, and that ends


UNKNOWN_BROWSER = Browser()


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
            "Choose another one.",
            shortest=SHORTEST_PASSWORD,
            longest=LONGEST_PASSWORD,
        )
    ]


# --- people ---


def email_findings(email: str) -> list[Finding]:
    if fields.is_email(text.clean_line(email)):
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
    session.execute(_password_links(user.id))


def set_role(session: Session, user_id: UserId, show_id: ShowId, role: Role | None) -> None:
    """`None` takes the person off the show. Who is no producer any more may know invitations to it: these end too."""
    membership = session.get(Membership, (user_id, show_id), populate_existing=True)
    if membership is not None and membership.role == "producer" and role != "producer":
        session.execute(delete(OneTimeLink).where(OneTimeLink.show_id == show_id))
    if membership is None and role is not None:
        session.add(Membership(user_id=user_id, show_id=show_id, role=role))
    elif membership is not None and role is not None:
        membership.role = role
    elif membership is not None:
        session.delete(membership)


def administrators(session: Session) -> Sequence[User]:
    """Locked: until the transaction ends nobody else stops being one."""
    query = select(User).where(User.is_administrator).order_by(User.id).with_for_update()
    return session.scalars(query.execution_options(populate_existing=True)).all()


def set_administrator(session: Session, user: User, is_administrator: bool) -> list[Finding]:
    """What stands in the way, and then nothing was changed. Who is none any more may know links: all of them end."""
    if user.is_administrator and not is_administrator:
        if len(administrators(session)) == 1:
            return [LAST_ADMINISTRATOR]
        session.execute(delete(OneTimeLink))
    user.is_administrator = is_administrator
    return []


def remove(session: Session, user: User) -> list[Finding]:
    """Take the account away, with its sessions, its roles and the links that the person may know; or what stands in
    the way. What they did keeps their name (Revision.by)."""
    if findings := set_administrator(session, user, False):
        return findings
    for membership in session.scalars(select(Membership).where(Membership.user_id == user.id)).all():
        set_role(session, user.id, membership.show_id, None)
    session.delete(user)
    return []


def role(session: Session, user: User, show_id: ShowId) -> Role | None:
    """What the person may do in this show. Administrators may do everything."""
    if user.is_administrator:
        return "producer"
    membership = session.get(Membership, (user.id, show_id), populate_existing=True)
    return membership.role if membership is not None else None


# --- sessions of the studio ---


def sign_in(session: Session, user_id: UserId, now: dt.datetime, browser: Browser = UNKNOWN_BROWSER) -> str:
    """A new browser session's secret. It is never one that the browser brought along."""
    ended = (StudioSession.expires_at <= now) | (StudioSession.secret_hash == digest(browser.secret))
    session.execute(delete(StudioSession).where(ended))
    secret = secrets.token_urlsafe(32)
    expires_at = now + SESSION_LASTS
    session.add(
        StudioSession(secret_hash=digest(secret), user_id=user_id, expires_at=expires_at, device=browser.device)
    )
    return secret


def signed_in(session: Session, secret: str, now: dt.datetime) -> User | None:
    """Who this browser session belongs to."""
    query = select(User).join(StudioSession, StudioSession.user_id == User.id)
    alive = (StudioSession.secret_hash == digest(secret), StudioSession.expires_at > now)
    return session.scalars(query.where(*alive)).one_or_none()


def sessions(session: Session, user_id: UserId, now: dt.datetime) -> Sequence[StudioSession]:
    """Where the person is signed in, the last one first."""
    theirs = select(StudioSession).where(StudioSession.user_id == user_id, StudioSession.expires_at > now)
    return session.scalars(theirs.order_by(StudioSession.expires_at.desc())).all()


def end_session(session: Session, user_id: UserId, secret_hash: str) -> None:
    """One of the person's own; another's is not touched."""
    theirs = StudioSession.user_id == user_id
    session.execute(delete(StudioSession).where(theirs, StudioSession.secret_hash == secret_hash))


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
    """Earlier ones for this person end."""
    session.execute(_password_links(user_id))
    return _link(session, "password", user_id, is_administrator=False, now=now)


def show_link(session: Session, show_id: ShowId, role: Role, email: str, now: dt.datetime) -> str:
    """An invitation to work on a show; `email` says whom it is for, and may be empty."""
    return _link(session, "invitation", None, email=email, is_administrator=False, now=now, show_id=show_id, role=role)


def links(session: Session, now: dt.datetime, show_id: ShowId | None = None) -> Sequence[OneTimeLink]:
    """All that are good; or those to a show. The one that ends first comes first."""
    good = select(OneTimeLink).where(OneTimeLink.expires_at > now)
    of_show = good.where(OneTimeLink.show_id == show_id) if show_id is not None else good
    return session.scalars(of_show.order_by(OneTimeLink.expires_at, OneTimeLink.secret_hash)).all()


def take_back(session: Session, secret_hash: str, show_id: ShowId | None = None) -> None:
    """A link that is good no longer; of a show, only when it is one to it."""
    named = delete(OneTimeLink).where(OneTimeLink.secret_hash == secret_hash)
    session.execute(named.where(OneTimeLink.show_id == show_id) if show_id is not None else named)


def link(session: Session, secret: str, purpose: str, now: dt.datetime) -> OneTimeLink | None:
    """The link, while it is good. Use it up with `session.delete` in the transaction that does what it is for."""
    found = session.get(OneTimeLink, digest(secret), with_for_update=True)
    return found if found is not None and found.purpose == purpose and found.expires_at > now else None


# --- tokens of machines ---


def create_token(session: Session, name: str, show_id: ShowId | None, now: dt.datetime) -> str:
    """The new token's secret; it is never shown again. Without a show, a token for all of them."""
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


def tokens_of(session: Session, show_id: ShowId | None) -> Sequence[Token]:
    """The good ones for this show alone; `None`: for all shows."""
    good = select(Token).where(Token.show_id == show_id, Token.revoked_at.is_(None))
    return session.scalars(good.order_by(Token.created_at)).all()


def end_token(session: Session, token_id: TokenId, show_id: ShowId | None, now: dt.datetime) -> None:
    """One of tokens_of(show_id); another is not touched."""
    named = update(Token).where(Token.id == token_id, Token.show_id == show_id, Token.revoked_at.is_(None))
    session.execute(named.values(revoked_at=now))


def revoke_token(session: Session, name_or_id: str, now: dt.datetime) -> int:
    """How many tokens of this name or id were good until now."""
    good = update(Token).where((Token.name == name_or_id) | (Token.id == name_or_id), Token.revoked_at.is_(None))
    return len(session.scalars(good.values(revoked_at=now).returning(Token.id)).all())


def digest(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()


def _password_links(user_id: UserId) -> Delete:
    return delete(OneTimeLink).where(OneTimeLink.user_id == user_id)


def _link(
    session: Session,
    purpose: str,
    user_id: UserId | None,
    *,
    is_administrator: bool,
    now: dt.datetime,
    email: str = "",
    show_id: ShowId | None = None,
    role: Role | None = None,
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
            show_id=show_id,
            role=role,
            expires_at=now + LINK_LASTS,
        )
    )
    return secret
