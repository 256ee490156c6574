"""What an `Accept-Encoding` header takes (RFC 9110, 12.5.3)."""

from functools import lru_cache


@lru_cache(maxsize=1024)  # there are as many as there are kinds of apps
def best(field: bytes, *offered: str) -> str:
    """The offered encoding that is liked most, the earlier one where several are; "identity" when none is taken."""
    weights = dict(_weighted(part) for part in field.lower().split(b","))
    others = weights.get(b"*", 0.0)
    liked = {name: weights.get(name.encode(), others) for name in offered}
    if b"x-gzip" in weights and b"gzip" not in weights and "gzip" in liked:
        liked["gzip"] = weights[b"x-gzip"]  # its older name (RFC 9110, 8.4.1.3)
    least = weights.get(b"identity", 0.0)
    taken = [name for name, weight in liked.items() if weight > 0 and weight >= least]
    return max(taken, key=lambda name: liked[name], default="identity")  # the first of equals


def takes_gzip(field: bytes) -> bool:
    """Whether gzip is taken, and not liked less than the bytes as they are."""
    return best(field, "gzip") == "gzip"


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
