"""The tables. What must never be doubled is guarded by a constraint here, not by a look before the insert."""

import datetime as dt
import secrets
from typing import Any, Literal, NewType

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from media.storage import Key, PartsId
from podcast_app.database import Instant

ShowId = NewType("ShowId", str)
EpisodeId = NewType("EpisodeId", str)
AudioId = NewType("AudioId", str)
UploadId = NewType("UploadId", str)
CoverId = NewType("CoverId", str)
UserId = NewType("UserId", str)
TokenId = NewType("TokenId", str)

EpisodeState = Literal["draft", "scheduled", "published", "withdrawn"]
AudioStatus = Literal["preparing", "ready", "failed"]
UploadState = Literal["open", "complete", "refused"]
Role = Literal["producer", "viewer"]

FileSize = BigInteger().with_variant(Integer, "sqlite")  # SQLite's integers all have 64 bits

Json = Any  # what a JSON column holds; each reader turns it into a typed value at once


def new_id() -> str:
    """A random name for a row, 16 characters of `0-9a-f`."""
    return secrets.token_hex(8)


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={  # without names SQLite's constraints could not be changed by a migration
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012  (SQLAlchemy's own declaration)
        dt.datetime: Instant,
        Json: JSON,
        bytes: LargeBinary,
        **{
            name: String(32)
            for name in (ShowId, EpisodeId, AudioId, UploadId, CoverId, UserId, TokenId, EpisodeState, AudioStatus)
        },
        UploadState: String(16),
        Role: String(16),
        float: Double(),
        Key: String(255),
    }


class Show(Base):
    """A podcast. Its words are in `texts`: the main language's, and translations."""

    __tablename__ = "shows"

    id: Mapped[ShowId] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(120))  # the current one; former ones stay in show_slugs
    guid: Mapped[str] = mapped_column(String(64))  # podcast:guid
    guid_is_final: Mapped[bool] = mapped_column(default=False)  # set by the first publication under a real base URL
    language: Mapped[str] = mapped_column(String(35))  # the main language, BCP 47
    author: Mapped[str] = mapped_column(String(255))
    categories: Mapped[Json] = mapped_column()  # [[name, subcategory or null], ...] of Apple's tree
    explicit: Mapped[bool] = mapped_column(default=False)
    type: Mapped[str] = mapped_column(String(16), default="episodic")
    copyright: Mapped[str] = mapped_column(String(255), default="")
    owner_email: Mapped[str] = mapped_column(String(255), default="")
    email_in_feed: Mapped[bool] = mapped_column(default=False)
    funding_url: Mapped[str] = mapped_column(String(1000), default="")
    locked: Mapped[bool] = mapped_column(default=True)
    even_loudness: Mapped[bool] = mapped_column(default=False)  # enclosures are brought to the same loudness
    email_in_feed_until: Mapped[dt.datetime | None] = mapped_column(index=True)  # then a worker takes it out again
    time_zone: Mapped[str] = mapped_column(String(64), default="Europe/Brussels")
    zones: Mapped[Json] = mapped_column(default=list)  # further ones in which producers read times, IANA names
    persons: Mapped[Json] = mapped_column(default=list)  # as an episode's
    links: Mapped[Json] = mapped_column(default=dict)  # app -> the show's address there
    verification: Mapped[Json] = mapped_column(default=list)  # podcast:txt: [{purpose, text}, ...]
    new_feed_url: Mapped[str] = mapped_column(String(1000), default="")  # where the show has moved to
    page_colour: Mapped[str] = mapped_column(String(7), default="")  # "#rrggbb", or "" for our own
    player_colour: Mapped[str] = mapped_column(String(7), default="")
    archived_at: Mapped[dt.datetime | None]  # an empty show that nobody works on any more
    version: Mapped[int] = mapped_column(default=1)  # rises with each change (ETag, If-Match)
    generation: Mapped[int] = mapped_column(
        default=1
    )  # rises when what listeners see of it, or in it, may have changed
    created_at: Mapped[dt.datetime]

    texts: Mapped[list["ShowText"]] = relationship(lazy="raise", cascade="all, delete-orphan")
    cover: Mapped["Cover"] = relationship(
        lazy="raise",
        primaryjoin="and_(Cover.show_id == Show.id, Cover.episode_id.is_(None), Cover.is_current)",
        viewonly=True,
    )


class ShowText(Base):
    __tablename__ = "show_texts"

    show_id: Mapped[ShowId] = mapped_column(ForeignKey("shows.id", ondelete="CASCADE"), primary_key=True)
    language: Mapped[str] = mapped_column(String(35), primary_key=True)
    title: Mapped[str] = mapped_column(Text)
    description: Mapped[str] = mapped_column(Text, default="")


class ShowSlug(Base):
    """An address that a show has or had. It is never handed out again."""

    __tablename__ = "show_slugs"

    slug: Mapped[str] = mapped_column(String(120), primary_key=True)
    show_id: Mapped[ShowId] = mapped_column(ForeignKey("shows.id", ondelete="CASCADE"))


class Cover(Base):
    """A picture as listeners get it: of a show or an episode, or of a chapter or a person that these name.

    A new picture is a new row; its id is the version in the address. The old one stays: it was published. Pictures of
    chapters belong to their episode, and those of persons to the show; neither is ever current.
    """

    __tablename__ = "covers"
    __table_args__ = (
        Index(
            "uq_covers_of_show",
            "show_id",
            unique=True,
            sqlite_where=text("is_current AND episode_id IS NULL"),
            postgresql_where=text("is_current AND episode_id IS NULL"),
        ),
        Index(
            "uq_covers_of_episode",
            "episode_id",
            unique=True,
            sqlite_where=text("is_current"),
            postgresql_where=text("is_current"),
        ),
    )

    id: Mapped[CoverId] = mapped_column(primary_key=True)
    show_id: Mapped[ShowId] = mapped_column(ForeignKey("shows.id"), index=True)
    episode_id: Mapped[EpisodeId | None] = mapped_column(ForeignKey("episodes.id"), index=True)  # None: the show's
    is_current: Mapped[bool] = mapped_column(default=True)
    key: Mapped[Key] = mapped_column()
    media_type: Mapped[str] = mapped_column(String(32))
    extension: Mapped[str] = mapped_column(String(8))
    width: Mapped[int]
    height: Mapped[int]
    is_generated: Mapped[bool] = mapped_column(default=False)


class Episode(Base):
    """An episode, from draft to tombstone."""

    __tablename__ = "episodes"
    __table_args__ = (
        UniqueConstraint("show_id", "guid"),
        CheckConstraint("state IN ('draft', 'scheduled', 'published', 'withdrawn')", name="state"),
        CheckConstraint("state != 'scheduled' OR publish_at IS NOT NULL", name="scheduled_has_time"),
        CheckConstraint("state != 'published' OR published_at IS NOT NULL", name="published_has_time"),
        Index("ix_episodes_listing", "show_id", "state", "published_at"),
        Index("ix_episodes_due", "state", "publish_at"),
    )

    id: Mapped[EpisodeId] = mapped_column(primary_key=True)
    show_id: Mapped[ShowId] = mapped_column(ForeignKey("shows.id"))
    guid: Mapped[str] = mapped_column(String(500))
    slug: Mapped[str] = mapped_column(String(120))  # the current one; former ones stay in episode_slugs
    slug_is_chosen: Mapped[bool] = mapped_column(default=False)  # by a person: it no longer follows the title
    state: Mapped[EpisodeState] = mapped_column(default="draft")
    language: Mapped[str] = mapped_column(String(35))  # the main language of the text
    spoken_language: Mapped[str] = mapped_column(String(35))
    season: Mapped[int | None]
    number: Mapped[int | None]
    type: Mapped[str] = mapped_column(String(16), default="full")
    explicit: Mapped[bool | None]  # None: as the show
    publish_at: Mapped[dt.datetime | None]  # when it is, or was, to go out
    published_at: Mapped[dt.datetime | None]
    withdrawn_at: Mapped[dt.datetime | None]
    trashed_at: Mapped[dt.datetime | None] = mapped_column(index=True)  # a draft that can come back for a while
    try_again_at: Mapped[dt.datetime | None]  # a due episode that could not go out waits until then
    chapters: Mapped[Json] = mapped_column(
        default=list
    )  # [{start_ms, title, url, picture}, ...]; picture: a cover's id
    persons: Mapped[Json] = mapped_column(default=list)  # [{name, role, group, url, picture}, ...]
    suggested: Mapped[Json] = mapped_column(default=dict)  # field -> where its suggestion came from
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[dt.datetime]

    texts: Mapped[list["EpisodeText"]] = relationship(lazy="raise", cascade="all, delete-orphan")
    show: Mapped[Show] = relationship(lazy="raise")
    transcripts: Mapped[list["Transcript"]] = relationship(
        lazy="raise", cascade="all, delete-orphan", order_by="Transcript.language"
    )
    audio: Mapped["Audio | None"] = relationship(
        lazy="raise", primaryjoin="and_(Audio.episode_id == Episode.id, Audio.is_current)", viewonly=True
    )
    audios: Mapped[list["Audio"]] = relationship(
        lazy="raise", viewonly=True
    )  # the current one, others before and after
    cover: Mapped[Cover | None] = relationship(
        lazy="raise", primaryjoin="and_(Cover.episode_id == Episode.id, Cover.is_current)", viewonly=True
    )


class EpisodeText(Base):
    __tablename__ = "episode_texts"

    episode_id: Mapped[EpisodeId] = mapped_column(ForeignKey("episodes.id", ondelete="CASCADE"), primary_key=True)
    language: Mapped[str] = mapped_column(String(35), primary_key=True)
    title: Mapped[str] = mapped_column(Text, default="")
    notes: Mapped[str] = mapped_column(Text, default="")  # Markdown, as written


class Revision(Base):
    """A change of an episode: who made it, when, and what was there before."""

    __tablename__ = "revisions"

    id: Mapped[int] = mapped_column(primary_key=True)  # rises with time
    episode_id: Mapped[EpisodeId] = mapped_column(ForeignKey("episodes.id", ondelete="CASCADE"), index=True)
    at: Mapped[dt.datetime]
    by: Mapped[str] = mapped_column(String(255))  # a name as it was then; accounts and tokens may go
    by_id: Mapped[str] = mapped_column(String(64), default="")  # access.name; "" for the worker and the command line
    changes: Mapped[Json]  # {field: [before, after]}; {"event": [null, "published"]} for what is no field


class GuestLink(Base):
    """An address under which somebody without an account sees an episode before it is public."""

    __tablename__ = "guest_links"

    secret_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    episode_id: Mapped[EpisodeId] = mapped_column(ForeignKey("episodes.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[dt.datetime]


class Transcript(Base):
    """What is said in an episode, in one language."""

    __tablename__ = "transcripts"

    episode_id: Mapped[EpisodeId] = mapped_column(ForeignKey("episodes.id", ondelete="CASCADE"), primary_key=True)
    language: Mapped[str] = mapped_column(String(35), primary_key=True)
    is_captions: Mapped[bool] = mapped_column(default=False)
    is_timed: Mapped[bool]  # plain text has no times
    filename: Mapped[str] = mapped_column(String(255))  # as the producer's machine calls it
    content: Mapped[Json] = mapped_column(deferred=True)  # media.transcripts.to_json
    digest: Mapped[str] = mapped_column(String(64))  # of the content, SHA-256


class SearchText(Base):
    """A published episode's words in one language, as searches look for them (search.py).

    The migration gave the table an index of words, in each database's own way.
    """

    __tablename__ = "search_texts"
    __table_args__ = (UniqueConstraint("episode_id", "language"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    show_id: Mapped[ShowId] = mapped_column(ForeignKey("shows.id", ondelete="CASCADE"), index=True)
    episode_id: Mapped[EpisodeId] = mapped_column(ForeignKey("episodes.id", ondelete="CASCADE"))
    language: Mapped[str] = mapped_column(String(35))
    title: Mapped[str] = mapped_column(Text)  # folded, as the others
    notes: Mapped[str] = mapped_column(Text)
    said: Mapped[str] = mapped_column(Text)  # the transcript


class EpisodeSlug(Base):
    """An address that an episode has or had. It is never handed out again in its show."""

    __tablename__ = "episode_slugs"

    show_id: Mapped[ShowId] = mapped_column(ForeignKey("shows.id", ondelete="CASCADE"), primary_key=True)
    slug: Mapped[str] = mapped_column(String(120), primary_key=True)
    episode_id: Mapped[EpisodeId] = mapped_column(ForeignKey("episodes.id", ondelete="CASCADE"), index=True)


class Leased:
    """What a worker takes for itself for a while: see leases.py."""

    try_again_at: Mapped[dt.datetime | None]
    lease_owner: Mapped[str | None] = mapped_column(String(32))
    lease_until: Mapped[dt.datetime | None]


class Derived(Leased):
    """What is made from a recording, and can be made again: see derived.py."""

    status: Mapped[AudioStatus] = mapped_column(default="preparing", index=True)
    progress_percent: Mapped[int | None]  # while it is being made
    failure: Mapped[str | None] = mapped_column(Text)  # why the last try failed, in English
    attempts: Mapped[int] = mapped_column(default=0)


class Upload(Leased, Base):
    """Bytes that arrived, or still come in parts: the private, immutable original and what is known of it."""

    __tablename__ = "uploads"

    id: Mapped[UploadId] = mapped_column(primary_key=True)
    show_id: Mapped[ShowId] = mapped_column(ForeignKey("shows.id"))
    state: Mapped[UploadState] = mapped_column()
    filename: Mapped[str] = mapped_column(String(255))  # as the producer's machine calls it
    key: Mapped[Key] = mapped_column(unique=True)
    size_bytes: Mapped[int] = mapped_column(FileSize)
    sha256: Mapped[str | None] = mapped_column(String(64))
    facts: Mapped[Json] = mapped_column(default=dict)  # media.probe.Facts without its picture; empty while open
    # the episode that it is a recording of: at most one, however often it is sent; free again when that is withdrawn
    episode_id: Mapped[EpisodeId | None] = mapped_column(ForeignKey("episodes.id"), index=True)
    created_at: Mapped[dt.datetime]
    fingerprint: Mapped[str | None] = mapped_column(String(200))  # the client's: the same for the same file
    part_size_bytes: Mapped[int | None]  # None: it came in one go
    parts_id: Mapped[PartsId | None] = mapped_column(Text)  # the storage's name for it while it is open
    relayed_at: Mapped[dt.datetime | None]  # when a part first came through us although the storage has its own door
    refusal: Mapped[Json] = mapped_column(JSON(none_as_null=True), nullable=True)  # [sentence, values]: why it is none
    expires_at: Mapped[dt.datetime | None] = mapped_column(index=True)  # looked at then, when nobody completed it
    # input -> what a producer has written for the episode that it will be, while its parts travel
    typed: Mapped[Json] = mapped_column(JSON(none_as_null=True), nullable=True)

    measurement: Mapped["Measurement | None"] = relationship(
        lazy="raise", cascade="all, delete-orphan", passive_deletes=True
    )


class Measurement(Derived, Base):
    """What listening to a whole recording tells (media.measure)."""

    __tablename__ = "measurements"
    __table_args__ = (CheckConstraint("status IN ('preparing', 'ready', 'failed')", name="status"),)

    upload_id: Mapped[UploadId] = mapped_column(ForeignKey("uploads.id", ondelete="CASCADE"), primary_key=True)
    duration_ms: Mapped[int | None]
    loudness_lufs: Mapped[float | None]  # None: silence
    range_lu: Mapped[float | None]
    true_peak_dbtp: Mapped[float | None]
    silence_start_ms: Mapped[int | None]  # before the first sound
    silence_end_ms: Mapped[int | None]  # after the last
    peaks: Mapped[bytes | None] = mapped_column(deferred=True)  # each 0 to 255, over equal parts of the duration


class Audio(Base):
    """A version of an episode's audio. Its id is in the public address, and leads there for ever.

    A recording that is to replace the current one is `next` until listeners can have it.
    """

    __tablename__ = "audios"
    __table_args__ = (
        Index(
            "uq_audios_current",
            "episode_id",
            unique=True,
            sqlite_where=text("is_current"),
            postgresql_where=text("is_current"),
        ),
        Index(
            "uq_audios_next",
            "episode_id",
            unique=True,
            sqlite_where=text("is_next"),
            postgresql_where=text("is_next"),
        ),
    )

    id: Mapped[AudioId] = mapped_column(primary_key=True)
    episode_id: Mapped[EpisodeId] = mapped_column(ForeignKey("episodes.id"), index=True)
    upload_id: Mapped[UploadId | None] = mapped_column(ForeignKey("uploads.id"), index=True)  # None: deleted since
    is_current: Mapped[bool] = mapped_column(default=True)
    is_next: Mapped[bool] = mapped_column(default=False)
    replaced_at: Mapped[dt.datetime | None] = mapped_column(index=True)  # it can come back for a while
    name: Mapped[str | None] = mapped_column(String(160))  # the file's public name, fixed at publication

    upload: Mapped[Upload] = relationship(lazy="raise")  # as long as it is, will be, or may again be the current one
    editions: Mapped[list["Edition"]] = relationship(lazy="raise", cascade="all, delete-orphan")


class Edition(Derived, Base):
    """An encoding of an audio that listeners can get; `enclosure` is the one in the feed."""

    __tablename__ = "editions"
    __table_args__ = (CheckConstraint("status IN ('preparing', 'ready', 'failed')", name="status"),)

    audio_id: Mapped[AudioId] = mapped_column(ForeignKey("audios.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(String(16), primary_key=True)
    address_id: Mapped[AudioId] = mapped_column(unique=True)  # in its public address; of an enclosure, the audio's
    key: Mapped[Key | None]  # an enclosure's, under the private prefix, once made
    public_key: Mapped[Key | None]  # while the episode is published
    public_at: Mapped[dt.datetime | None]
    media_type: Mapped[str | None] = mapped_column(String(32))
    extension: Mapped[str | None] = mapped_column(String(8))
    size_bytes: Mapped[int | None] = mapped_column(FileSize)
    sha256: Mapped[str | None] = mapped_column(String(64))
    duration_ms: Mapped[int | None]
    bitrate_bps: Mapped[int | None]
    sample_rate_hz: Mapped[int | None]
    channels: Mapped[int | None]
    gain_db: Mapped[float | None]  # what its loudness was changed by; None: it is as recorded
    tags_digest: Mapped[str | None] = mapped_column(String(64))  # of the tags it was made with


class LooseObject(Base):
    """A stored object that no other row owns: being written, or to be deleted.

    The row is there before the object is, and goes in the transaction that takes the object over. So whatever is
    killed, an object without an owner is known and swept, and no listing of the storage is ever needed.
    """

    __tablename__ = "loose_objects"

    key: Mapped[Key] = mapped_column(primary_key=True)
    delete_after: Mapped[dt.datetime] = mapped_column(index=True)
    is_doomed: Mapped[bool] = mapped_column(default=False)  # a worker is deleting it: too late to take it over


class Feed(Leased, Base):
    """A show's feed in one view, as published: the current generation's whole bytes."""

    __tablename__ = "feeds"

    show_id: Mapped[ShowId] = mapped_column(ForeignKey("shows.id", ondelete="CASCADE"), primary_key=True)
    view: Mapped[str] = mapped_column(String(16), primary_key=True)
    generation: Mapped[int]
    gzip: Mapped[bytes] = mapped_column(deferred=True)
    index: Mapped[bytes] = mapped_column(deferred=True)  # feeds.generation's, to make the next one from
    etag: Mapped[str] = mapped_column(String(64))
    size_bytes: Mapped[int]  # unpacked
    modified_at: Mapped[dt.datetime]
    path: Mapped[str] = mapped_column(String(255))  # "/fr/diaspora-insights/feed.xml"
    made_with: Mapped[str] = mapped_column(Text)  # base URL and renderer: a difference is lag
    copied_generation: Mapped[int] = mapped_column(default=0)  # the newest one put to storage
    copied_at: Mapped[dt.datetime | None]
    announced_generation: Mapped[int] = mapped_column(default=0)  # the newest one hubs were told of
    announced_at: Mapped[dt.datetime | None]


class FeedFetch(Base):
    """When a directory, or a big app's server, first came for a generation of a feed. Nothing else of it is kept."""

    __tablename__ = "feed_fetches"

    show_id: Mapped[ShowId] = mapped_column(ForeignKey("shows.id", ondelete="CASCADE"), primary_key=True)
    view: Mapped[str] = mapped_column(String(16), primary_key=True)
    generation: Mapped[int] = mapped_column(primary_key=True)
    reader: Mapped[str] = mapped_column(String(64), primary_key=True)  # "Apple Podcasts"
    at: Mapped[dt.datetime]


class User(Base):
    """Somebody who works in the studio."""

    __tablename__ = "users"

    id: Mapped[UserId] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(255), unique=True)  # lower case
    name: Mapped[str] = mapped_column(String(255))
    password_hash: Mapped[str] = mapped_column(String(255))
    language: Mapped[str] = mapped_column(String(8), default="en")
    is_administrator: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[dt.datetime]


class Membership(Base):
    __tablename__ = "memberships"

    user_id: Mapped[UserId] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    show_id: Mapped[ShowId] = mapped_column(ForeignKey("shows.id", ondelete="CASCADE"), primary_key=True)
    role: Mapped[Role] = mapped_column()


class StudioSession(Base):
    """A person signed in on one browser. Deleting the row signs them out."""

    __tablename__ = "studio_sessions"

    secret_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[UserId] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    expires_at: Mapped[dt.datetime]
    device: Mapped[str] = mapped_column(String(120), default="")  # "Firefox, Linux": so that its owner knows it again


class OneTimeLink(Base):
    """A link that makes an account, gives a role in a show, or sets a password, once."""

    __tablename__ = "one_time_links"

    secret_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    purpose: Mapped[str] = mapped_column(String(16))  # "account", "invitation" (to a show) or "password"
    user_id: Mapped[UserId | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    email: Mapped[str] = mapped_column(String(255), default="")  # whom it was made for, when that is known
    is_administrator: Mapped[bool] = mapped_column(default=False)
    show_id: Mapped[ShowId | None] = mapped_column(ForeignKey("shows.id", ondelete="CASCADE"))  # an invitation's
    role: Mapped[Role | None]
    expires_at: Mapped[dt.datetime]


class Token(Base):
    """A machine's key to the API."""

    __tablename__ = "tokens"

    id: Mapped[TokenId] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    show_id: Mapped[ShowId | None] = mapped_column(ForeignKey("shows.id", ondelete="CASCADE"))  # None: all shows
    created_at: Mapped[dt.datetime]
    revoked_at: Mapped[dt.datetime | None]


class IdempotencyKey(Base):
    """A POST that was, or is being, answered: saying it again gives the same answer (kept 24 h)."""

    __tablename__ = "idempotency_keys"

    scope: Mapped[str] = mapped_column(String(64), primary_key=True)  # whose key: a token or a person
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    fingerprint: Mapped[str | None] = mapped_column(String(64))  # None while the first is still being read
    status: Mapped[int | None]
    headers: Mapped[Json] = mapped_column(default=dict)
    body: Mapped[bytes | None]
    lease_until: Mapped[dt.datetime]  # of the one that is still running
    created_at: Mapped[dt.datetime] = mapped_column(index=True)
