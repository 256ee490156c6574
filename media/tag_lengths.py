"""How long the tags are that stand before and behind the frames of MP3 and raw AAC: ID3, APE, Lyrics3.

Sources: ID3v2.4 structure, 3.1 and 3.4; APEv2 specification; "Lyrics3 made easy".
"""

from collections.abc import Callable
from typing import Final

MOST_BEHIND: Final = 16  # tags in a row; more were made to waste our time
OLD_TAG_BYTES: Final = 128  # ID3v1; the marks of all other tags fit into as many


def in_front(head: bytes) -> int:
    """The length of the tag (ID3v2, APE) that begins with these up to 32 bytes, or 0."""
    if head.startswith(b"ID3") and len(head) >= 10 and max(head[6:10]) < 0x80:
        has_footer = head[5] & 0x10
        return syncsafe(head[6:10]) + (20 if has_footer else 10)
    if head.startswith(b"APETAGEX") and len(head) >= 32:
        is_header = head[23] & 0x20
        return 32 + (int.from_bytes(head[12:16], "little") if is_header else 0)
    return 0


def end_of_sound(read: Callable[[int, int], bytes], end: int) -> int:
    """Where the tags behind the sound begin, in a file that ends at `end`; `read` gives its bytes by start and stop."""
    for _ in range(MOST_BEHIND):
        length = _behind(read(max(0, end - OLD_TAG_BYTES), end))
        if not 0 < length <= end:
            break
        end -= length
    return end


def syncsafe(data: bytes) -> int:
    """A number of four times seven bits (ID3v2.4, 6.2)."""
    return (data[0] & 0x7F) << 21 | (data[1] & 0x7F) << 14 | (data[2] & 0x7F) << 7 | data[3] & 0x7F


def as_syncsafe(number: int) -> bytes:
    """Such a number in its four bytes."""
    return bytes(number >> shift & 0x7F for shift in (21, 14, 7, 0))


def _behind(tail: bytes) -> int:
    """The length of the tag (ID3v1, Lyrics3, APE, ID3v2.4) that ends with these up to 128 bytes, or 0."""
    footer = tail[-32:]
    if len(tail) == OLD_TAG_BYTES and tail.startswith(b"TAG"):
        return OLD_TAG_BYTES
    if tail.endswith(b"LYRICS200") and tail[-15:-9].isdigit():
        return int(tail[-15:-9]) + 15
    if footer.startswith(b"APETAGEX"):
        has_header = footer[23] & 0x80
        return int.from_bytes(footer[12:16], "little") + (32 if has_header else 0)
    if footer[-10:-7] == b"3DI":
        return syncsafe(footer[-4:]) + 20
    return 0
