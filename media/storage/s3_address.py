"""A bucket's address: s3://BUCKET[/PREFIX]?endpoint=URL&public_endpoint=URL&region=R&addressing=path|virtual"""

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import SplitResult, parse_qsl, urlsplit

from media.storage.keys import is_key

Addressing = Literal["path", "virtual", "auto"]

PARAMETERS = ("endpoint", "public_endpoint", "region", "addressing")
BUCKET = re.compile(r"[A-Za-z0-9._-]{1,255}")
REGION = re.compile(r"[A-Za-z0-9-]{1,63}")


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Address:
    """Where a bucket is, as the operator wrote it."""

    bucket: str
    prefix: str  # "" or "some/folder/"
    endpoint: str | None  # what this process reaches; None: Amazon's own
    public_endpoint: str | None  # what browsers reach; None: the same
    region: str | None  # None: as boto3 finds it
    addressing: Addressing  # where the bucket's name stands: in the path or in the host's name


def s3_address(url: str) -> S3Address:
    """The parts of the address. ValueError says what is wrong and how to mend it, and repeats no secret."""
    parts = _split(url)
    given = _parameters(parts.query)
    endpoint = _server(given, "endpoint")
    return S3Address(
        bucket=_bucket(parts.netloc),
        prefix=_prefix(parts.path),
        endpoint=endpoint,
        public_endpoint=_server(given, "public_endpoint"),
        region=_region(given.get("region")),
        addressing=_addressing(given.get("addressing"), endpoint),
    )


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ValueError("The storage address cannot be read. Write it as s3://BUCKET.") from None
    if parts.scheme != "s3":
        raise ValueError("The storage address is not a bucket's. Write s3://BUCKET, or nothing for a folder.")
    if parts.fragment:
        raise ValueError("The storage address has a # in it. Write %23 for it, or leave it out.")
    if "@" in parts.netloc:
        raise ValueError(
            "The storage address has credentials in it. Take them out, "
            "and set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY instead."
        )
    return parts


def _parameters(query: str) -> dict[str, str]:
    pairs = parse_qsl(query, keep_blank_values=True)
    for name, value in pairs:
        if name not in PARAMETERS:
            known = ", ".join(PARAMETERS)
            raise ValueError(f"The storage address has an unknown part {name!r}. Known are: {known}.")
        if not value:
            raise ValueError(f"In the storage address, {name} is empty. Give it a value, or leave it out.")
    given = dict(pairs)
    if len(given) < len(pairs):
        raise ValueError("The storage address says the same thing twice. Keep one of each part.")
    return given


def _bucket(name: str) -> str:
    if not name:
        raise ValueError("The storage address names no bucket. Write s3://BUCKET.")
    if not BUCKET.fullmatch(name):
        raise ValueError(
            f"{name!r} cannot be a bucket's name. Write s3://BUCKET, "
            "and the server as ?endpoint=https://HOST behind it."
        )
    return name


def _prefix(path: str) -> str:
    prefix = path.strip("/")
    if prefix and not is_key(prefix):
        raise ValueError(
            "The folder behind the bucket's name cannot be used. "
            "Take letters, digits and hyphens, and / between folders."
        )
    return f"{prefix}/" if prefix else ""


def _server(given: dict[str, str], name: str) -> str | None:
    url = given.get(name)
    if url is None:
        return None
    if not _is_server(url):
        raise ValueError(f"In the storage address, {name} is not a server. Write {name}=https://HOST.")
    return url.rstrip("/")


def _is_server(url: str) -> bool:
    try:
        parts = urlsplit(url)
        _ = parts.port  # or it is no number
    except ValueError:
        return False
    alone = not (parts.query or parts.fragment or "@" in parts.netloc)
    return parts.scheme in ("http", "https") and bool(parts.hostname) and alone


def _region(region: str | None) -> str | None:
    if region is not None and not REGION.fullmatch(region):
        raise ValueError("In the storage address, region is no region. Write, for example, region=eu-west-3.")
    return region


def _addressing(asked: str | None, endpoint: str | None) -> Addressing:
    match asked:
        case "path" | "virtual":
            return asked
        case None:
            # Servers of one's own rarely have a host name for each bucket; Amazon's always do.
            return "path" if endpoint else "auto"
        case _:
            raise ValueError("In the storage address, addressing is not understood. Write path or virtual.")
