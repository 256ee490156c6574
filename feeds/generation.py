"""A feed's finished bytes, kept so that publishing costs the change and not the catalogue.

The gzip stream is made of segments that were compressed on their own and only joined: the head, groups of about fifty
neighbouring items, the tail. A change compresses the groups it touches and copies the rest. The index says where
everything lies; the stream and the index together are all that a later change needs.
"""

import hashlib
import math
import struct
import zlib
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from itertools import accumulate, chain, pairwise
from typing import NamedTuple

_GROUP = 50  # items compressed together: fewer cost bytes (+11 % at 50, +2.6 % at 200), more cost time at each change
_MOST = 75  # items in one group before it is parted
_LEVEL = 6
_DIGEST_BYTES = 16
_GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"  # RFC 1952: deflate, no flags, no time, unknown system

_VERSION = b"pfi1"
_COUNTS = struct.Struct("<4sII")  # version, items, segments
_SEGMENT = struct.Struct("<5I")  # as in _Segment, with the length of the deflated bytes in their place
_CRC_POLYNOMIAL = 0xEDB88320  # CRC-32, lowest power in the highest bit
_ONE = 1 << 31  # the polynomial 1, written so


class Unreadable(Exception):
    """The index is of a version that this code does not know: build the feed anew with `assemble`."""


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed as it is served and stored."""

    gzip: bytes  # one gzip member
    index: bytes  # what `changed` needs besides `gzip`
    etag: str  # strong, without quotes, 32 hex digits; it depends on the identity bytes alone
    size_bytes: int  # of the identity form


@dataclass(frozen=True, slots=True)
class Item:
    """One item as `rss.item` gives it. Feeds hold items newest first, those of one second by key."""

    key: str  # without NUL
    published_at: datetime  # aware; whole seconds count, as in pubDate
    xml: bytes


def assemble(head: bytes, tail: bytes, items: Iterable[Item]) -> Feed:
    """A feed from nothing. Keys must differ."""
    entries = sorted((_entry(item) for item in items), key=_place)
    assert all(one.key != other.key for one, other in pairwise(sorted(entries, key=lambda entry: entry.key)))
    return _feed(head, [_compressed(part) for part in _from_the_oldest(entries)], tail)


def changed(feed: Feed, head: bytes, tail: bytes, put: Iterable[Item] = (), remove: Collection[str] = ()) -> Feed:
    """The feed with a new head and tail, `put` added or put in the place of the same key, `remove` gone.

    Gives the same bytes (and the same ETag) as `assemble` for the same items; only the gzip stream may be cut into
    other segments. The keys of `put` must differ; keys to remove that are not there are passed over. Raises Unreadable.
    """
    index = _read(feed)
    arriving = [_entry(item) for item in put]
    keys = {entry.key for entry in arriving}
    assert len(keys) == len(arriving)
    groups = _with(_without(index.groups, keys.union(remove)), arriving)
    settled: list[_Group] = []
    for group in groups:
        settled.extend([group] if isinstance(group, _Group) else map(_compressed, _parted(group)))
    if len(settled) > 2 * math.ceil(sum(len(group.keys) for group in settled) / _GROUP) + 1:
        # so many were removed that the groups are mere crumbs, which compress badly
        settled = [_compressed(part) for part in _from_the_oldest([e for group in settled for e in _opened(group)])]
    return _feed(head, settled, tail)


def differs(feed: Feed, head: bytes, tail: bytes, put: Iterable[Item] = (), remove: Collection[str] = ()) -> bool:
    """Whether `changed` with the same arguments would give other bytes; nothing is compressed to tell.

    Asked with a head that carries the feed's own build date, it says whether an edit needs a new generation.
    """
    index = _read(feed)
    return (
        (index.head_digest, index.tail_digest) != (_digest(head), _digest(tail))
        or any(_found(index, entry.key) != entry.row for entry in map(_entry, put))
        or any(_found(index, key) for key in remove)
    )


def identity(feed: Feed) -> bytes:
    """The feed's bytes, uncompressed."""
    return zlib.decompress(feed.gzip, wbits=31, bufsize=feed.size_bytes)


def items(feed: Feed) -> Iterator[Item]:
    """All items as they were put, newest first. Raises Unreadable."""
    for group in _read(feed).groups:
        yield from map(_item, _opened(group))


def item(feed: Feed, key: str) -> Item | None:
    """One item as it was put; only its group is decompressed. Raises Unreadable."""
    for group in _read(feed).groups:
        if key in group.keys:
            return _item(_opened(group)[group.keys.index(key)])
    return None


class _Row(NamedTuple):
    """What the index says of an item."""

    second: int  # since 1970, UTC
    key: str
    size_bytes: int
    digest: bytes


class _Entry(NamedTuple):
    """An item while its group is open."""

    row: _Row
    xml: bytes

    @property
    def key(self) -> str:
        return self.row.key


class _Segment(NamedTuple):
    """Bytes compressed on their own: flushed, so that any other segment may follow."""

    rows: int  # items in it; 0 for head and tail
    deflated: bytes | memoryview
    size_bytes: int  # uncompressed
    crc32: int  # of the uncompressed bytes
    shift: int  # see _shift; kept, because it costs ten times as much as its use


class _Group(NamedTuple):
    """Neighbouring items, newest first; never empty. Column by column, since most groups are only copied."""

    segment: _Segment
    seconds: Sequence[int]
    keys: Sequence[str]
    sizes: Sequence[int]
    digests: Sequence[bytes]

    def rows(self) -> Iterator[_Row]:
        return map(_Row._make, zip(self.seconds, self.keys, self.sizes, self.digests, strict=True))


@dataclass(frozen=True, slots=True)
class _Index:
    head_digest: bytes
    tail_digest: bytes
    groups: list[_Group]


_Groups = list[_Group | list[_Entry]]  # the second kind is open: its bytes will be compressed again


def _entry(item: Item) -> _Entry:
    assert "\0" not in item.key  # the index parts keys by it
    second = math.floor(item.published_at.timestamp())
    return _Entry(_Row(second, item.key, len(item.xml), _digest(item.xml)), item.xml)


def _item(entry: _Entry) -> Item:
    return Item(entry.key, datetime.fromtimestamp(entry.row.second, UTC), entry.xml)


def _place(entry: _Entry) -> tuple[int, str]:
    return -entry.row.second, entry.row.key


def _place_at(group: _Group | list[_Entry], at: int) -> tuple[int, str]:
    """The place of one of the group's items: 0 is its newest, -1 its oldest."""
    return (-group.seconds[at], group.keys[at]) if isinstance(group, _Group) else _place(group[at])


def _found(index: _Index, key: str) -> _Row | None:
    for group in index.groups:
        if key in group.keys:
            return list(group.rows())[group.keys.index(key)]
    return None


def _digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=_DIGEST_BYTES).digest()


def _without(groups: list[_Group], keys: set[str]) -> _Groups:
    """The groups that hold one of the keys opened, and rid of it."""
    left: _Groups = []
    for group in groups:
        if keys.isdisjoint(group.keys):
            left.append(group)
        elif staying := [entry for entry in _opened(group) if entry.key not in keys]:
            left.append(staying)
    return left


def _with(groups: _Groups, arriving: Iterable[_Entry]) -> _Groups:
    """The groups with the entries at their places; the groups they fall into are opened."""
    for entry in sorted(arriving, key=_place, reverse=True):  # oldest first: the rest goes on top of it
        at = _group_for(groups, entry)
        if at is None:
            groups.insert(0, [entry])
            continue
        group = groups[at]
        entries = groups[at] = _opened(group) if isinstance(group, _Group) else group
        entries.insert(bisect_left(entries, _place(entry), key=_place), entry)
    return groups


def _group_for(groups: _Groups, entry: _Entry) -> int | None:
    """Where the entry belongs; None: in a new group before all others, since the newest one is full."""
    at = min(bisect_left(groups, _place(entry), key=lambda group: _place_at(group, -1)), len(groups) - 1)
    if at < 0:
        return None
    is_newest = at == 0 and _place(entry) < _place_at(groups[0], 0)
    return None if is_newest and _count(groups[0]) >= _GROUP else at


def _count(group: _Group | list[_Entry]) -> int:
    return len(group.keys) if isinstance(group, _Group) else len(group)


def _opened(group: _Group) -> list[_Entry]:
    xml = zlib.decompressobj(wbits=-15).decompress(group.segment.deflated)
    ends = accumulate(group.sizes, initial=0)
    return [_Entry(row, xml[start:end]) for row, (start, end) in zip(group.rows(), pairwise(ends), strict=True)]


def _from_the_oldest(entries: Sequence[_Entry]) -> Iterator[Sequence[_Entry]]:
    """Full groups counted from the oldest end: the one that the next episode will touch is the one not yet full."""
    first = len(entries) % _GROUP or _GROUP
    bounds = [0, *range(first, len(entries) + 1, _GROUP)]
    return (entries[start:end] for start, end in pairwise(bounds))


def _parted(entries: Sequence[_Entry]) -> Iterator[Sequence[_Entry]]:
    """The entries as they are, or in even parts when they are too many for one group."""
    parts = math.ceil(len(entries) / _GROUP) if len(entries) > _MOST else 1
    bounds = [len(entries) * part // parts for part in range(parts + 1)]
    return (entries[start:end] for start, end in pairwise(bounds))


def _compressed(entries: Sequence[_Entry]) -> _Group:
    segment = _segment([entry.xml for entry in entries], len(entries))
    return _Group(segment, *zip(*(entry.row for entry in entries), strict=True))


def _segment(parts: Sequence[bytes], rows: int = 0, *, end: int = zlib.Z_FULL_FLUSH) -> _Segment:
    data = b"".join(parts)
    deflate = zlib.compressobj(_LEVEL, zlib.DEFLATED, wbits=-15)
    return _Segment(rows, deflate.compress(data) + deflate.flush(end), len(data), zlib.crc32(data), _shift(len(data)))


def _feed(head: bytes, groups: Sequence[_Group], tail: bytes) -> Feed:
    segments = [_segment([head]), *(group.segment for group in groups), _segment([tail], end=zlib.Z_FINISH)]
    digests = b"".join([_digest(head), *chain.from_iterable(group.digests for group in groups), _digest(tail)])
    size_bytes = sum(segment.size_bytes for segment in segments)
    trailer = struct.pack("<II", _crc32(segments), size_bytes & 0xFFFFFFFF)
    return Feed(
        gzip=b"".join([_GZIP_HEADER, *(segment.deflated for segment in segments), trailer]),
        index=_written(segments, groups, digests),
        # of the parts' digests: no pass over the whole, and blind to how the parts are grouped
        etag=hashlib.sha256(digests).hexdigest()[:32],
        size_bytes=size_bytes,
    )


def _written(segments: Sequence[_Segment], groups: Sequence[_Group], digests: bytes) -> bytes:
    """The index, little endian, column by column: a thousand items are read in a fraction of a millisecond."""
    keys = [key for group in groups for key in group.keys]
    return b"".join(
        [
            _COUNTS.pack(_VERSION, len(keys), len(segments)),
            *(_SEGMENT.pack(s.rows, len(s.deflated), s.size_bytes, s.crc32, s.shift) for s in segments),
            struct.pack(f"<{len(keys)}q", *chain.from_iterable(group.seconds for group in groups)),
            struct.pack(f"<{len(keys)}I", *chain.from_iterable(group.sizes for group in groups)),
            digests,
            "\0".join(keys).encode(),
        ]
    )


def _read(feed: Feed) -> _Index:
    """The index, each segment with its place in the gzip stream. Raises Unreadable."""
    version, count, segment_count = _COUNTS.unpack_from(feed.index)
    if version != _VERSION:
        raise Unreadable(version)
    columns = _COUNTS.size + segment_count * _SEGMENT.size
    segments = list(_read_segments(feed.gzip, feed.index[_COUNTS.size : columns]))[1:-1]  # without head and tail
    seconds, sizes, digests, keys = _read_columns(feed.index[columns:], count)
    bounds = pairwise(accumulate((segment.rows for segment in segments), initial=0))
    groups = [
        _Group(segment, seconds[start:end], keys[start:end], sizes[start:end], digests[start + 1 : end + 1])
        for segment, (start, end) in zip(segments, bounds, strict=True)
    ]
    return _Index(digests[0], digests[-1], groups)


def _read_segments(gzip: bytes, table: bytes) -> Iterator[_Segment]:
    stream = memoryview(gzip)
    start = len(_GZIP_HEADER)
    for rows, length, size_bytes, crc32, shift in _SEGMENT.iter_unpack(table):
        yield _Segment(rows, stream[start : start + length], size_bytes, crc32, shift)
        start += length


def _read_columns(columns: bytes, count: int) -> tuple[Sequence[int], Sequence[int], list[bytes], list[str]]:
    """Seconds, sizes, digests (with those of head and tail around them), keys."""
    seconds = struct.unpack_from(f"<{count}q", columns)
    sizes = struct.unpack_from(f"<{count}I", columns, 8 * count)
    start = 12 * count
    end = start + _DIGEST_BYTES * (count + 2)
    digests = [columns[at : at + _DIGEST_BYTES] for at in range(start, end, _DIGEST_BYTES)]
    return seconds, sizes, digests, columns[end:].decode().split("\0")


def _crc32(segments: Iterable[_Segment]) -> int:
    """The CRC-32 of all segments' bytes, from those of each: the CRC of a + b is that of a, moved on by the length
    of b, plus that of b."""
    crc = 0
    for segment in segments:
        crc = _times(crc, segment.shift) ^ segment.crc32
    return crc


def _shift(length_bytes: int) -> int:
    """x to the power of the length in bits, modulo CRC-32's polynomial: moves a CRC past so many bytes."""
    power = _ONE
    for bit, square in enumerate(_squares()):
        if length_bytes >> bit & 1:
            power = _times(power, square)
    return power


@cache
def _squares() -> list[int]:
    """x to the powers 8, 16, 32 ...: one byte, two, four, up to the 4 GB that a length in gzip can say."""
    squares = [_ONE >> 8]
    while len(squares) < 32:
        squares.append(_times(squares[-1], squares[-1]))
    return squares


def _times(a: int, b: int) -> int:
    """The product of two polynomials over GF(2), modulo CRC-32's."""
    product = 0
    while a:
        if a & _ONE:
            product ^= b
        a = (a << 1) & 0xFFFFFFFF
        b = (b >> 1) ^ (_CRC_POLYNOMIAL if b & 1 else 0)
    return product
