"""Text as every store and every document can hold it."""

import re
import unicodedata

# What PostgreSQL (NUL, surrogates) or XML 1.0 (most controls, U+FFFE, U+FFFF) cannot hold, and what means nothing in a
# text: the other controls and noncharacters, and the byte order mark that decoders leave behind.
_PLANE_ENDS = "".join(chr(plane << 16 | end) for plane in range(17) for end in (0xFFFE, 0xFFFF))
_UNFIT = re.compile(f"[\0-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufeff{_PLANE_ENDS}]")

# They make "gpj.exe" read as "exe.jpg". The marks U+200E, U+200F and U+061C stay: right-to-left titles need them.
_DIRECTION_OVERRIDES = re.compile("[\u202a-\u202e\u2066-\u2069]")


def clean(text: str) -> str:
    """The text in Unicode's composed form (NFC), lines ended by LF, without characters that no document can hold.

    Tabs and line ends stay. Cleaning twice changes nothing more.
    """
    one_line_end = text.replace("\r\n", "\n").replace("\r", "\n")
    return unicodedata.normalize("NFC", _UNFIT.sub("", one_line_end))


def clean_line(text: str) -> str:
    """The text for a field of one line: clean, each run of white space one space, none at the ends.

    Characters that reverse the order of others are removed, so that a title cannot pretend to be another.
    """
    return " ".join(clean(_DIRECTION_OVERRIDES.sub("", text)).split())
