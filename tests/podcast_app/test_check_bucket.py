"""`podcast-app check` at the door of a bucket: what browsers and listeners meet there, on real servers."""

import datetime as dt
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from secrets import token_hex

import pytest
from moto.moto_server import werkzeug_app
from playwright.async_api import Page
from rich.console import Console

from media.storage import Key, Storage
from media.storage.open import open_storage
from podcast_app import bucket_check, check
from podcast_app.parts import new
from podcast_app.remarks import Remark
from podcast_app.settings import Settings
from podcast_app.times import utcnow
from tests.podcasts import Library, opened
from tests.s3_servers import S3Server, moto_server, rclone_server
from tests.site import free_port
from tests.strict_proxy import Answers, strict_proxy

SAMPLE = Key("private/covers/sample")


@pytest.fixture(scope="module")
def moto() -> Iterator[S3Server]:
    """Without its own way of letting every browser in: the bucket's rules decide."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(werkzeug_app, "DISABLE_GLOBAL_CORS", True)
        with moto_server() as server:
            with_credentials(patch, server)
            yield server


@pytest.fixture(scope="module")
def rclone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """Looks at signatures, and has no rules for browsers."""
    with rclone_server(tmp_path_factory.mktemp("rclone")) as server, pytest.MonkeyPatch.context() as patch:
        with_credentials(patch, server)
        yield server


def with_credentials(patch: pytest.MonkeyPatch, server: S3Server) -> None:
    for name, value in server.environment.items():
        patch.setenv(name, value)


def at(server: S3Server, **said: str) -> Settings:
    """The settings of a site whose bucket is on this server; `storage` adds to its address."""
    url = server.storage_url(token_hex(4)) + said.pop("storage", "")
    return Settings(_env_file=None, storage_url=url, **said)


def found(settings: Settings) -> list[Remark]:
    """What is found at the door of a bucket that has the sample."""
    storage = storage_of(settings)
    with storage.writing(SAMPLE, "image/png") as writer:
        writer.write(b"\x89PNG")
    return list(bucket_check.door(storage, settings, SAMPLE))


def storage_of(settings: Settings) -> Storage:
    return open_storage(settings.storage_url, None)


def says(remarks: list[Remark], level: str, words: str) -> bool:
    return any(remark.level == level and words in remark.says for remark in remarks)


# Browsers that send parts


async def test_a_bucket_with_the_rules_that_were_printed_lets_the_studio_send_and_anybody_listen(
    moto: S3Server, page: Page
) -> None:
    settings = at(moto, base_url=moto.endpoint.replace("127.0.0.1", "localhost"))  # any page of this origin will do
    [refused] = [remark for remark in found(settings) if "does not let browsers" in remark.says]
    assert refused.level == "note"
    assert f"aws s3api put-bucket-cors --endpoint-url {moto.endpoint} --bucket {moto.bucket}" in refused.says

    printed = refused.says[refused.says.index("{") : refused.says.rindex("}") + 1]
    moto.client().put_bucket_cors(Bucket=moto.bucket, CORSConfiguration=json.loads(printed))

    try:
        [allowed] = found(settings)
        assert (allowed.level, allowed.says) == (
            "note",
            f"lets browsers at {settings.origin} send parts of uploads to the bucket (CORS).",
        )
        assert await sent_by_browser(page, settings) == [200, 206]
    finally:
        moto.client().delete_bucket_cors(Bucket=moto.bucket)


async def sent_by_browser(page: Page, settings: Settings) -> list[int]:
    """What a real browser gets that sends a part from our origin, and then reads audio from another."""
    storage = storage_of(settings)
    part = storage.part_address(SAMPLE, storage.begin_parts(SAMPLE, "audio/mpeg"), 1, seconds=60)
    address = storage.address(SAMPLE, seconds=60, media_type="audio/mpeg", download_as=None)
    await page.goto(settings.origin)
    sent = await page.evaluate(
        """async (url) => (await fetch(url, {method: "PUT", body: new File(["part"], "a.mp3").slice(0, 3)})).status""",
        part,
    )
    await page.goto(settings.origin.replace("localhost", "another.localhost"))
    got = await page.evaluate("""async (url) => (await fetch(url, {headers: {Range: "bytes=0-1"}})).status""", address)
    return [sent, got]


def test_rules_for_another_origin_do_not_let_ours_in(moto: S3Server) -> None:
    rules = bucket_check.rules(at(moto, base_url="https://another.example.org"))
    moto.client().put_bucket_cors(Bucket=moto.bucket, CORSConfiguration=rules)
    try:
        assert says(found(at(moto)), "note", "does not let browsers")
    finally:
        moto.client().delete_bucket_cors(Bucket=moto.bucket)


def test_a_server_that_knows_no_rules_and_answers_ranges_oddly_is_no_error(rclone: S3Server) -> None:
    remarks = found(at(rclone))

    assert says(remarks, "note", "send parts to the bucket (CORS; status 403)")
    assert says(remarks, "note", "answers a range with status 200")
    assert [remark for remark in remarks if remark.level == "error"] == []


@pytest.mark.long
def test_a_bucket_over_http_behind_a_site_over_https_is_an_error_until_listeners_are_sent_elsewhere(
    moto: S3Server,
) -> None:
    https = {"base_url": "https://podcast.example.org"}
    elsewhere = {"storage": "&public_endpoint=http://bucket.invalid"}

    assert says(found(at(moto, **https, **elsewhere)), "error", "browsers block it (mixed content)")
    assert says(
        found(at(moto, **https, **elsewhere, media_base_url="https://cdn.example.org")), "note", "(mixed content)"
    )
    assert says(found(at(moto, **https)), "note", "is reached from this machine alone")  # where browsers trust it
    assert not says(found(at(moto)), "note", "this machine alone")


def test_a_public_endpoint_that_does_not_answer_is_named(moto: S3Server) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"

    [remark] = found(at(moto, storage=f"&public_endpoint={nowhere}"))

    assert (remark.level, remark.about) == ("note", nowhere)
    assert "does not answer this machine" in remark.says


# Listeners who are sent there


def test_the_host_that_is_signed_for_is_tried_and_not_the_one_that_we_reach(rclone: S3Server, tmp_path: Path) -> None:
    with strict_proxy(rclone.endpoint, tmp_path) as proxy, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_CA_BUNDLE", proxy.certificate)
        remarks = found(
            at(rclone, storage=f"&public_endpoint={proxy.endpoint}", base_url="https://podcast.example.org")
        )

    assert {asked.method for asked in proxy.asked} == {"OPTIONS", "GET"}
    assert {remark.about for remark in remarks} == {proxy.endpoint}
    assert not says(remarks, "error", "refuses an address")


@pytest.mark.long
def test_a_bucket_that_does_not_believe_our_signature_is_found(
    rclone: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = at(rclone)
    with storage_of(settings).writing(SAMPLE, "image/png") as writer:
        writer.write(b"\x89PNG")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another-secret")

    remarks = list(bucket_check.door(storage_of(settings), settings, SAMPLE))

    assert says(remarks, "error", "refuses an address that was signed for it (status 403)")
    assert not any("X-Amz" in remark.about + remark.says for remark in remarks)


def test_a_sample_that_is_missing_is_not_taken_for_a_refusal(rclone: S3Server) -> None:
    settings = at(rclone)

    remarks = list(bucket_check.door(storage_of(settings), settings, SAMPLE))

    assert [remark.level for remark in remarks] == ["note"]  # about CORS


def test_a_server_that_takes_no_notice_of_ranges_is_found(moto: S3Server, tmp_path: Path) -> None:
    with strict_proxy(moto.endpoint, tmp_path) as proxy, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_CA_BUNDLE", proxy.certificate)
        proxy.makes(Answers(200, "TheWholeObject"), "GET", SAMPLE)
        remarks = found(at(moto, storage=f"&public_endpoint={proxy.endpoint}"))

    assert says(remarks, "error", "answers a range with everything")


def test_a_clock_that_is_wrong_is_found(moto: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bucket_check, "utcnow", lambda: utcnow() + dt.timedelta(minutes=4))
    assert not says(found(at(moto)), "error", "clock")

    monkeypatch.setattr(bucket_check, "utcnow", lambda: utcnow() + dt.timedelta(minutes=6))
    assert says(found(at(moto)), "error", "has a clock that differs from this machine's by 3")


def test_what_is_private_and_can_be_read_by_everybody_is_found(moto: S3Server) -> None:
    settings = at(moto)
    prefix = settings.storage_url.partition(f"{moto.bucket}/")[2].partition("?")[0]
    assert not says(found(settings), "error", "everybody")

    public = f"{moto.endpoint}/{moto.bucket}/{prefix}"
    moto.client().put_object_acl(Bucket=moto.bucket, Key=f"{prefix}/{SAMPLE}", ACL="public-read")
    before_the_bucket = settings.model_copy(update={"media_base_url": public})
    remarks = list(bucket_check.door(storage_of(settings), before_the_bucket, SAMPLE))

    assert [remark.about for remark in remarks if "everybody" in remark.says] == [f"{public}/{SAMPLE}"] * 2


# The whole check


@pytest.fixture(scope="module")
def library(moto: S3Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """One for all: what a test breaks it mends."""
    folder = tmp_path_factory.mktemp("library")
    bucket = at(moto).storage_url
    with opened(f"sqlite:///{folder / 'podcast.db'}", folder, storage_url=bucket, port=free_port()) as library:
        yield library


def checked(library: Library, status: int) -> list[str]:
    said = io.StringIO()
    work = library.work
    ended = check.run(work.database, work.storage, work.settings, None, Console(file=said, width=400))
    assert ended == status, said.getvalue()
    return said.getvalue().splitlines()


@pytest.mark.long
def test_a_library_in_a_bucket_that_is_in_order_has_notes_at_most(library: Library, mp3: bytes) -> None:
    library.published(mp3, title="Matonge")

    lines = checked(library, 0)

    assert any("does not let browsers" in line for line in lines)
    assert "{" in lines  # the rules stand at the beginning of their lines, to be copied
    assert not any("X-Amz" in line for line in lines)


def test_parts_of_an_upload_that_is_open_are_owned_and_those_of_nobody_are_found(library: Library) -> None:
    work = library.work
    mine = new(library.show().id, "mine.mp3", 5, None, utcnow())
    mine.parts_id = work.storage.begin_parts(mine.key, "audio/mpeg")
    work.database.write(lambda session: session.add(mine))
    assert not any("never finished" in line for line in checked(library, 0))

    nobodys = Key("private/originals/nobodys")
    work.storage.begin_parts(nobodys, "audio/mpeg")

    assert any(line.startswith(f"error: {nobodys}: begun") for line in checked(library, 1))
    work.storage.delete(nobodys)


def test_a_bucket_that_does_not_list_what_is_unfinished_is_told_of(
    library: Library, moto: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with strict_proxy(moto.endpoint, tmp_path) as proxy, proxy.always(Answers(403, "AccessDenied"), "GET", "uploads"):
        monkeypatch.setenv("AWS_CA_BUNDLE", proxy.certificate)
        url = library.work.settings.storage_url.replace(moto.endpoint, proxy.endpoint)
        strict = replace(library, work=replace(library.work, storage=open_storage(url, None)))

        lines = checked(strict, 0)

    assert any("does not say what was begun and never finished" in line and "AccessDenied" in line for line in lines)


@pytest.mark.long
def test_what_was_found_is_said_before_the_bucket_no_longer_answers(library: Library) -> None:
    gone = open_storage(f"s3://podcasts?endpoint=http://127.0.0.1:{free_port()}", None)
    said = io.StringIO()
    work = library.work

    with pytest.raises(Exception, match="Could not connect"):
        check.run(work.database, gone, work.settings, None, Console(file=said, width=400))

    assert "does not answer this machine" in said.getvalue()
