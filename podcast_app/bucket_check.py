"""`podcast-app check` at the bucket's door: what browsers and listeners meet at the addresses that we sign."""

import datetime as dt
import json
import os
import ssl
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import httpx2

from media.storage import Key, PartsId, Storage
from media.storage.s3_address import s3_address
from podcast_app.addresses import Addresses
from podcast_app.remarks import Remark, fault, note
from podcast_app.settings import Settings
from podcast_app.times import utcnow

PATIENCE_SECONDS = 10
SIGNED_SECONDS = 60
LARGEST_SKEW = dt.timedelta(minutes=5)  # S3 refuses 15; what is given out should not begin its life half over

BEGINNING = {"Range": "bytes=0-1"}

# The signature does not know whether there are such parts, nor does a preflight.
NO_PARTS = PartsId("none")


def door(storage: Storage, settings: Settings, sample: Key) -> Iterator[Remark]:
    """Try it with the address of an object that is there and private. Nothing for a folder, which has no door."""
    address = storage.address(sample, seconds=SIGNED_SECONDS, media_type="application/octet-stream", download_as=None)
    part = storage.part_address(sample, NO_PARTS, 1, seconds=SIGNED_SECONDS)
    if address is None or part is None:
        return
    if _is_http(address) and not _is_http(settings.origin):
        yield _mixed(address, settings)
    try:
        with httpx2.Client(timeout=PATIENCE_SECONDS, verify=_trust()) as client:
            yield from _sending(client, settings, part)
            yield from _listening(client, settings, address)
            yield from _strangers(client, address, address.partition("?")[0])
            if settings.media_base_url:
                yield from _strangers(client, address, f"{settings.media_base_url}/{sample}")
    except httpx2.HTTPError as failure:
        yield note(
            host(failure),
            f"does not answer this machine ({failure}). Browsers may reach it all the same. If they do not, parts of "
            "uploads come through the site, and whoever is sent there for audio gets none. Then give public_endpoint "
            "in PODCAST_STORAGE_URL an address that they reach.",
        )


def _trust() -> ssl.SSLContext:
    """The certificates that this machine trusts, and those that our own calls to the bucket do."""
    trust = ssl.create_default_context()
    if bundle := os.environ.get("AWS_CA_BUNDLE"):
        trust.load_verify_locations(bundle)
    return trust


def _host(address: str) -> str:
    """As much of an address as may be told."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


def host(failure: httpx2.HTTPError) -> str:
    """Who did not answer: somebody may have sent us on."""
    return _host(str(failure.request.url))


def _is_http(address: str) -> bool:
    return address.startswith("http:")


def _mixed(address: str, settings: Settings) -> Remark:
    """Listeners who are sent there get nothing; uploads have another way. Browsers trust their own machine."""
    if Addresses(_host(address)).is_private:
        return note(_host(address), "is reached from this machine alone, and the site from everywhere.")
    says = (
        "is http and the site is https, so browsers block it (mixed content): parts of uploads come through the site, "
        "and audio from there does not play in a page. Give public_endpoint in PODCAST_STORAGE_URL an https address."
    )
    return note(_host(address), says) if settings.media_base_url else fault(_host(address), says)


# --- sending parts ---


def _sending(client: httpx2.Client, settings: Settings, part: str) -> Iterator[Remark]:
    """The question that a browser asks before it sends a part (Fetch, CORS-preflight)."""
    asked = {"Origin": _host(settings.origin), "Access-Control-Request-Method": "PUT"}
    answer = client.options(part, headers=asked)
    if _lets_in(answer, asked["Origin"]):
        yield note(_host(part), f"lets browsers at {asked['Origin']} send parts of uploads to the bucket (CORS).")
    else:
        yield note(
            _host(part),
            f"does not let browsers at {asked['Origin']} send parts to the bucket (CORS; status {answer.status_code}). "
            f"They come through the site instead. To let them in, {_how(settings)}",
        )


def _lets_in(answer: httpx2.Response, origin: str) -> bool:
    methods = answer.headers.get("Access-Control-Allow-Methods", "").split(",")
    return (
        answer.is_success
        and answer.headers.get("Access-Control-Allow-Origin") in ("*", origin)
        and any(method.strip() in ("*", "PUT") for method in methods)
    )


def _how(settings: Settings) -> str:
    bucket = s3_address(settings.storage_url)
    server = f" --endpoint-url {bucket.endpoint}" if bucket.endpoint else ""
    return (
        "save this as cors.json:\n"
        f"{json.dumps(rules(settings), indent=2)}\n"
        "and give it to the bucket (it takes the place of the rules that are there):\n"
        f"aws s3api put-bucket-cors{server} --bucket {bucket.bucket} --cors-configuration file://cors.json"
    )


def rules(settings: Settings) -> dict[str, object]:
    """What the bucket is to allow, as S3 words it. Anybody's page may read, as /media allows it too; the studio may
    send: a browser sends a part without any header that would have to be allowed."""
    reading = {"AllowedOrigins": ["*"], "AllowedMethods": ["GET", "HEAD"], "AllowedHeaders": ["Range"]}
    sending = {"AllowedOrigins": [_host(settings.origin)], "AllowedMethods": ["PUT"]}
    return {"CORSRules": [rule | {"MaxAgeSeconds": 3600} for rule in (reading, sending)]}


# --- listening ---


def _listening(client: httpx2.Client, settings: Settings, address: str) -> Iterator[Remark]:
    """The beginning of an object, as a player asks for it that was sent on by /media: its origin is then `null`."""
    answer = client.get(address, headers=BEGINNING | {"Origin": "null"})
    yield from _clock(answer)
    if answer.status_code == httpx2.codes.NOT_FOUND:
        return  # that an object is missing is found elsewhere
    if not answer.is_success:
        yield fault(
            _host(address),
            f"refuses an address that was signed for it (status {answer.status_code}), so whoever we send there gets "
            "nothing. A proxy before it has to pass on the host's name; keys and region have to be the bucket's.",
        )
    elif len(answer.content) != 2:
        yield fault(_host(address), "answers a range with everything, so players cannot seek.")
    elif answer.status_code != httpx2.codes.PARTIAL_CONTENT:
        yield note(_host(address), f"answers a range with status {answer.status_code}; some players do not seek then.")
    elif "Access-Control-Allow-Origin" not in answer.headers and not settings.media_base_url:
        yield note(
            _host(address),
            "lets no script read audio (CORS for GET), so from a page listeners can neither keep an episode on their "
            "device nor send its audio on. Players and apps need no script's help and are not concerned.",
        )


def _clock(answer: httpx2.Response) -> Iterator[Remark]:
    try:
        theirs = parsedate_to_datetime(answer.headers["Date"])
    except (KeyError, ValueError):
        return
    skew = abs(utcnow() - theirs.replace(tzinfo=theirs.tzinfo or dt.UTC))
    if skew > LARGEST_SKEW:
        yield fault(
            _host(str(answer.url)),
            f"has a clock that differs from this machine's by {skew.total_seconds():.0f} seconds, so signed addresses "
            "are refused or end early. Set the clocks by NTP.",
        )


def _strangers(client: httpx2.Client, address: str, unsigned: str) -> Iterator[Remark]:
    """Whoever has no signature gets nothing that is private."""
    secret = client.get(address, headers=BEGINNING).content[:2]
    answer = client.get(unsigned, headers=BEGINNING)
    if answer.is_success and answer.content[:2] == secret:  # and not a page that says something kind
        yield fault(unsigned, "can be read by everybody. Let the world read public/ and feeds/ at the most.")
