"""Tags in MP4, as iTunes writes them: a list of items, each with its data."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from media.probe.boxes import Box, find, inside, named
from media.probe.mp4 import Movie
from media.source import Damaged, Reader

_MOST_TEXT_BYTES: Final = 256 << 10
_MOST_PICTURE_BYTES: Final = 10 << 20
_TEXTS: Final = (b"\xa9nam", b"\xa9ART", b"aART", b"ldes", b"desc", b"\xa9cmt")
_NUMBERS: Final = (b"tves", b"tvsn")
_PAIRS: Final = (b"trkn", b"disk")  # 3 of 12
_COVER: Final = b"covr"
_UTF_16: Final = 2  # type of data (Apple, "Well-known types")


def said(reader: Reader, movie: Movie) -> tuple[dict[str, list[str]], list[bytes]]:
    """Texts and numbers by the item's name, and the covers; what is damaged says nothing."""
    texts: dict[str, list[str]] = {}
    covers: list[bytes] = []
    with suppress(Damaged):  # what was read until then is right
        for item in _items(reader, movie):
            if item.name == _COVER:
                covers += (data for _, data in _data(reader, item, _MOST_PICTURE_BYTES))
            elif item.name in _TEXTS:
                texts[_key(item)] = [_text(kind, data) for kind, data in _data(reader, item, _MOST_TEXT_BYTES)]
            elif item.name in _NUMBERS:
                texts[_key(item)] = [str(int.from_bytes(data, "big")) for _, data in _data(reader, item, 8)]
            elif item.name in _PAIRS:
                texts[_key(item)] = [str(int.from_bytes(data[2:4], "big")) for _, data in _data(reader, item, 8)]
    return texts, covers


def _items(reader: Reader, movie: Movie) -> Iterator[Box]:
    metadata = find(reader, movie.box, b"udta", b"meta")
    if metadata is None:
        return
    is_plain = reader.exactly(metadata.start + 4, 4) == b"hdlr"  # QuickTime has no version and flags there
    items = find(reader, metadata if is_plain else Box(b"meta", metadata.start + 4, metadata.end), b"ilst")
    if items:
        yield from inside(reader, items)


def _data(reader: Reader, item: Box, most_bytes: int) -> Iterator[tuple[int, bytes]]:
    """Type and bytes of each of an item's values that is not too large."""
    for box in named(reader, item, b"data"):
        if 8 <= box.end - box.start <= 8 + most_bytes:
            data = reader.exactly(box.start, box.end - box.start)
            yield int.from_bytes(data[1:4], "big"), data[8:]


def _text(kind: int, data: bytes) -> str:
    return data.decode("utf-16-be" if kind == _UTF_16 else "utf-8", "replace")


def _key(item: Box) -> str:
    return item.name.decode("latin-1")
