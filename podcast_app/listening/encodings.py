"""What an `Accept-Encoding` header takes (RFC 9110, 12.5.3)."""

from functools import lru_cache


@lru_cache(maxsize=1024)  # there are as many as there are kinds of apps
def takes_gzip(field: bytes) -> bool:
    """Whether gzip is taken, and not liked less than the bytes as they are."""
    weights = dict(_weighted(part) for part in field.lower().split(b","))
    others = weights.get(b"*", 0.0)
    gzip = weights.get(b"gzip", weights.get(b"x-gzip", others))
    return gzip > 0 and gzip >= weights.get(b"identity", 0.0)


def _weighted(part: bytes) -> tuple[bytes, float]:
    coding, *parameters = (word.strip() for word in part.split(b";"))
    for parameter in parameters:
        name, _, value = parameter.partition(b"=")
        if name.strip() == b"q":
            return coding, _weight(value)
    return coding, 1.0


def _weight(value: bytes) -> float:
    """What is no number is taken for a plain no: the bytes as they are suit everybody."""
    try:
        return float(value)
    except ValueError:
        return 0.0
