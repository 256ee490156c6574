"""The name under which a browser saves a file (RFC 6266)."""

import re
from urllib.parse import quote

ATTR_CHAR = "!#$&+-.^_`|~"  # RFC 8187, besides letters and digits
# A quote or a backslash would end the quoted string, some browsers decode a percent sign; the rest is no file name.
UNSAFE = re.compile(r'[^ -~]|["\\%/]')


def content_disposition(name: str) -> str:
    """The Content-Disposition header that saves under this name: ASCII whatever the name, which comes whole in
    `filename*` and legibly in `filename` for clients that do not know the former."""
    plain = UNSAFE.sub("_", name)
    header = f'attachment; filename="{plain}"'
    if plain == name:
        return header
    encoded = quote(name, safe=ATTR_CHAR, errors="replace")  # a file name of the system may hold lone surrogates
    return f"{header}; filename*=UTF-8''{encoded}"
