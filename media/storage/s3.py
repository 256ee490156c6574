"""Objects in a bucket of any S3 server. What boto3 raises is translated here and goes no further."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING

import boto3
import botocore.session
from boto3.exceptions import Boto3Error
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.httpsession import where

from media.storage import (
    Changed,
    Full,
    Incomplete,
    Key,
    Missing,
    Part,
    PartsId,
    Stored,
    Unavailable,
    Unfinished,
    Writer,
    disk,
)
from media.storage.download_name import content_disposition
from media.storage.keys import checked, is_key
from media.storage.put_request import PutRequest, Refused
from media.storage.s3_address import S3Address

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_s3.type_defs import CompletedPartTypeDef, MultipartUploadTypeDef, PartTypeDef

PART_BYTES = 8 * 2**20  # at least 5 MiB (S3); 10,000 of them make 78 GiB
BLOCK_BYTES = 2**20
COPIED_WHOLE_BYTES = 4 * 2**30  # S3 copies up to 5 GiB in one request
PART_SECONDS = 3600  # a part that takes longer than this to pass through us is given up by the server
LONGEST_ADDRESS_SECONDS = 7 * 24 * 3600  # Signature Version 4

# Each server has its own word: Ceph and Versity, MinIO twice. 507 says the same in HTTP.
NO_ROOM_CODES = {"QuotaExceeded", "XMinioStorageFull", "XMinioAdminBucketQuotaExceeded"}
NO_ROOM_STATUS = 507
NO_PARTS_CODE = "NoSuchUpload"
NO_OBJECT_CODES = {"NoSuchKey", "404"}  # the number: an answer to HEAD has no words
NO_OBJECT_STATUS = 404
BEYOND_THE_END_STATUS = 416
CHANGED_STATUSES = (404, 409, 412)  # deleted since; being replaced just now; replaced since (S3, PutObject, If-Match)
NO_CONDITIONS_STATUS = 501  # the server knows no If-Match


class Bucket:
    """A bucket, or a folder in it. One for the whole process: it is safe in threads and keeps its connections."""

    def __init__(self, address: S3Address) -> None:
        self._bucket = address.bucket
        self._prefix = address.prefix
        settings = botocore.session.get_session()  # of our own: boto3's default one is not safe in threads
        self._ca_bundle = settings.get_config_variable("ca_bundle") or where()  # as boto3 does
        session = boto3.session.Session(botocore_session=settings)
        self._client = _client(session, address, address.endpoint)
        # The host is part of what is signed, so an address for browsers needs the host that browsers reach.
        same = address.public_endpoint in (None, address.endpoint)
        self._signer = self._client if same else _client(session, address, address.public_endpoint)

    @contextmanager
    def writing(self, key: Key, media_type: str) -> Iterator[Writer]:
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="part") as background:
            upload = _Upload(self._client, self._bucket, self._name(key), media_type, background)
            try:
                yield upload
                upload.finish()
            except BaseException:
                upload.abandon()
                raise

    def begin_parts(self, key: Key, media_type: str) -> PartsId:
        with _told(key):
            return PartsId(_begun(self._client, self._bucket, self._name(key), media_type))

    @contextmanager
    def part_writing(self, key: Key, parts_id: PartsId, number: int, size_bytes: int) -> Iterator[Writer]:
        """The bytes pass through to an address that we sign for ourselves: none is kept, however slow the sender."""
        with _told(key):
            address = self._part_address(self._client, key, parts_id, number, PART_SECONDS)
        try:
            with PutRequest(address, size_bytes, self._ca_bundle) as request:
                yield request
                request.finish()
        except Refused as refused:
            if refused.code == NO_PARTS_CODE:
                raise Missing(key) from refused
            raise _meaning_of(refused.code, refused.status, key, str(refused)) from refused

    def part_address(self, key: Key, parts_id: PartsId, number: int, *, seconds: int) -> str:
        with _told(key):
            return self._part_address(self._signer, key, parts_id, number, seconds)

    def parts(self, key: Key, parts_id: PartsId) -> Iterator[Part]:
        with _parts_told(key):
            for part in self._arrived(key, parts_id):
                yield Part(part["PartNumber"], part["Size"], part["LastModified"])

    def join_parts(self, key: Key, parts_id: PartsId, sizes_bytes: Sequence[int]) -> None:
        name = self._name(key)
        with _parts_told(key):
            try:
                parts = _all_of(self._arrived(key, parts_id), sizes_bytes)
                self._client.complete_multipart_upload(
                    Bucket=self._bucket, Key=name, UploadId=parts_id, MultipartUpload={"Parts": parts}
                )
            except self._client.exceptions.NoSuchUpload:
                # They were joined before: by another, or by a request whose answer was lost.
                if not _is_stored(self._client, self._bucket, name, sum(sizes_bytes)):
                    raise
            self._abort_unfinished(name)  # beginnings whose answer was lost, or that were begun again

    def put_file(self, key: Key, path: Path, media_type: str) -> None:
        with path.open("rb") as file, self.writing(key, media_type) as writer:
            while block := file.read(BLOCK_BYTES):
                writer.write(block)

    def version(self, key: Key) -> str | None:
        try:
            with _told(key):
                return self._client.head_object(Bucket=self._bucket, Key=self._name(key))["ETag"]
        except Missing:
            return None

    def replace(self, key: Key, data: bytes, media_type: str, version: str | None) -> None:
        put = partial(
            self._client.put_object, Bucket=self._bucket, Key=self._name(key), Body=data, ContentType=media_type
        )
        with _told(key):
            try:
                put(IfNoneMatch="*") if version is None else put(IfMatch=version)
            except ClientError as error:
                if _status(error) in CHANGED_STATUSES:
                    raise Changed(key) from error
                if _status(error) != NO_CONDITIONS_STATUS:
                    raise
                put()

    def read(self, key: Key, start: int, stop: int) -> bytes:
        assert 0 <= start <= stop
        if start == stop:
            self.size(key)  # or it is missing; HTTP has no empty range
            return b""
        with _told(key):
            try:
                got = self._client.get_object(
                    Bucket=self._bucket, Key=self._name(key), Range=f"bytes={start}-{stop - 1}"
                )
            except ClientError as error:
                if _status(error) == BEYOND_THE_END_STATUS:
                    return b""
                raise
            return got["Body"].read()

    def size(self, key: Key) -> int:
        with _told(key):
            return self._client.head_object(Bucket=self._bucket, Key=self._name(key))["ContentLength"]

    def copy(self, source: Key, target: Key, media_type: str) -> None:
        with _told(source):
            self._client.copy(
                {"Bucket": self._bucket, "Key": self._name(source)},
                self._bucket,
                self._name(target),
                ExtraArgs={"ContentType": media_type, "MetadataDirective": "REPLACE"},
                Config=_one_by_one(COPIED_WHOLE_BYTES),
            )

    def delete(self, key: Key) -> None:
        name = self._name(key)
        with _told(key):
            # In this order: a write that ends in between has made the object that is deleted next.
            self._abort_unfinished(name)
            self._client.delete_object(Bucket=self._bucket, Key=name)

    def list(self, prefix: str) -> Iterator[Stored]:
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=self._prefix + prefix
        )
        with _told(prefix):
            for page in pages:
                for found in page.get("Contents", ()):
                    name = found["Key"].removeprefix(self._prefix)
                    if is_key(name):  # not what others made there, such as a console's "folder/"
                        yield Stored(Key(name), found["Size"])

    def unfinished(self, prefix: str) -> Iterator[Unfinished]:
        with _told(prefix):
            for upload in self._uploads(self._prefix + prefix):
                name = upload["Key"].removeprefix(self._prefix)
                if is_key(name):
                    yield Unfinished(Key(name), upload["Initiated"])

    def local_copy(self, key: Key, directory: Path) -> Path:
        name = self._name(key)
        path = directory / f"{token_hex(8)}-{name.rpartition('/')[2]}"  # its ending may say what it is
        with disk.told(), _told(key):
            self._client.download_file(self._bucket, name, str(path), Config=_one_by_one(PART_BYTES))
        return path

    def local_path(self, key: Key) -> None:
        """None: the object is elsewhere."""
        checked(key)

    def address(self, key: Key, *, seconds: int, media_type: str, download_as: str | None) -> str:
        assert 0 < seconds <= LONGEST_ADDRESS_SECONDS
        asked = {"Bucket": self._bucket, "Key": self._name(key), "ResponseContentType": media_type}
        if download_as is not None:
            asked["ResponseContentDisposition"] = content_disposition(download_as)
        with _told(key):
            return self._signer.generate_presigned_url("get_object", Params=asked, ExpiresIn=seconds)

    def _part_address(self, signer: "S3Client", key: Key, parts_id: PartsId, number: int, seconds: int) -> str:
        assert 0 < seconds <= LONGEST_ADDRESS_SECONDS
        asked = {"Bucket": self._bucket, "Key": self._name(key), "UploadId": parts_id, "PartNumber": number}
        return signer.generate_presigned_url("upload_part", Params=asked, ExpiresIn=seconds)

    def _arrived(self, key: Key, parts_id: PartsId) -> "Iterator[PartTypeDef]":
        pages = self._client.get_paginator("list_parts").paginate(
            Bucket=self._bucket, Key=self._name(key), UploadId=parts_id
        )
        for page in pages:
            yield from page.get("Parts", ())

    def _name(self, key: Key) -> str:
        return self._prefix + checked(key)

    def _abort_unfinished(self, name: str) -> None:
        """End the object's uploads that never ended; none where the server lists none or does not let us."""
        try:
            for upload_id in [upload["UploadId"] for upload in self._uploads(name) if upload["Key"] == name]:
                with suppress(self._client.exceptions.NoSuchUpload):
                    self._client.abort_multipart_upload(Bucket=self._bucket, Key=name, UploadId=upload_id)
        except ClientError as error:
            if _status(error) not in (403, 404, 405, 501):
                raise

    def _uploads(self, prefix: str) -> "Iterator[MultipartUploadTypeDef]":
        """Those that never ended, of names that start with the prefix."""
        pages = self._client.get_paginator("list_multipart_uploads").paginate(Bucket=self._bucket, Prefix=prefix)
        with suppress(self._client.exceptions.NoSuchUpload):  # rclone's way to say that nobody ever began one
            for page in pages:
                yield from page.get("Uploads", ())


class _Upload:
    """An object on its way into the bucket: whole while it is small, in parts as soon as one is full.

    While a part travels the next one fills, so two are in memory, whatever the size.
    """

    def __init__(
        self, client: "S3Client", bucket: str, name: str, media_type: str, background: ThreadPoolExecutor
    ) -> None:
        self._client = client
        self._bucket = bucket
        self._name = name
        self._media_type = media_type
        self._background = background
        self._part = bytearray()
        self._travelling: Future[None] | None = None
        self._arrived: list[CompletedPartTypeDef] = []
        self._upload_id: str | None = None
        self._size_bytes = 0

    def write(self, data: bytes | memoryview) -> None:
        rest = memoryview(data).cast("B")
        self._size_bytes += rest.nbytes
        while rest:
            room_bytes = PART_BYTES - len(self._part)
            self._part += rest[:room_bytes]
            rest = rest[room_bytes:]
            if len(self._part) == PART_BYTES:
                self._send()

    def finish(self) -> None:
        """Make the object visible."""
        if self._upload_id is None:
            self._put_whole()
            return
        if self._part:
            self._send()
        self._wait()
        with _told(self._name):
            self._complete(self._upload_id)

    def abandon(self) -> None:
        """Leave nothing; what the server cannot remove now, `delete` finds."""
        if self._travelling:
            wait([self._travelling])  # a part that arrives after the abort would stay, unseen and paid for
        if self._upload_id is not None:
            with suppress(ClientError, BotoCoreError):  # the failure that led here is the one to tell
                self._client.abort_multipart_upload(Bucket=self._bucket, Key=self._name, UploadId=self._upload_id)

    def _put_whole(self) -> None:
        with _told(self._name):
            self._client.put_object(
                Bucket=self._bucket, Key=self._name, Body=bytes(self._part), ContentType=self._media_type
            )

    def _send(self) -> None:
        """Let the full part travel, once the one before it has arrived."""
        self._wait()
        if self._upload_id is None:
            self._upload_id = self._begin()
        self._travelling = self._background.submit(self._put_part, self._upload_id, self._part)
        self._part = bytearray()

    def _wait(self) -> None:
        if self._travelling:
            self._travelling.result()

    def _begin(self) -> str:
        with _told(self._name):
            return _begun(self._client, self._bucket, self._name, self._media_type)

    def _put_part(self, upload_id: str, part: bytearray) -> None:
        number = len(self._arrived) + 1
        with _told(self._name):
            answer = self._client.upload_part(
                Bucket=self._bucket,
                Key=self._name,
                UploadId=upload_id,
                PartNumber=number,
                Body=part,  # type: ignore[arg-type]  # botocore takes it without a copy; its stubs do not know
            )
        self._arrived.append({"PartNumber": number, "ETag": answer["ETag"]})

    def _complete(self, upload_id: str) -> None:
        try:
            self._client.complete_multipart_upload(
                Bucket=self._bucket, Key=self._name, UploadId=upload_id, MultipartUpload={"Parts": self._arrived}
            )
        except self._client.exceptions.NoSuchUpload:
            # boto3 asks again when an answer is lost; the first time may have done it, and the upload is no more.
            if not _is_stored(self._client, self._bucket, self._name, self._size_bytes):
                raise


def _begun(client: "S3Client", bucket: str, name: str, media_type: str) -> str:
    """The id of a new multipart upload."""
    return client.create_multipart_upload(Bucket=bucket, Key=name, ContentType=media_type)["UploadId"]


def _is_stored(client: "S3Client", bucket: str, name: str, size_bytes: int) -> bool:
    try:
        stored = client.head_object(Bucket=bucket, Key=name)
    except ClientError as error:
        if _status(error) == NO_OBJECT_STATUS:
            return False
        raise
    return stored["ContentLength"] == size_bytes


def _all_of(arrived: "Iterator[PartTypeDef]", sizes_bytes: Sequence[int]) -> "list[CompletedPartTypeDef]":
    """Just the parts that the sizes are for, in order; whatever else the listing holds. Raises Incomplete."""
    found = {part["PartNumber"]: part for part in arrived}
    wanted = dict(enumerate(sizes_bytes, 1))
    if wanting := [number for number, size in wanted.items() if number not in found or found[number]["Size"] != size]:
        raise Incomplete(wanting)
    return [{"PartNumber": number, "ETag": found[number]["ETag"]} for number in wanted]


def _client(session: boto3.session.Session, address: S3Address, endpoint: str | None) -> "S3Client":
    config = Config(
        signature_version="s3v4",  # with an endpoint, boto3 would sign addresses by version 2, which many refuse
        s3={"addressing_style": address.addressing},
        # Otherwise every put over TLS is in chunks with a checksum behind them, which other servers refuse or store.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        connect_timeout=5,
        read_timeout=60,
        retries={"mode": "standard", "total_max_attempts": 4},
        max_pool_connections=50,  # above the number of threads that serve requests
    )
    return session.client("s3", region_name=address.region, endpoint_url=endpoint, config=config)


def _one_by_one(part_bytes: int) -> TransferConfig:
    """Objects that are larger go in parts of this size; one after the other, which bounds the memory."""
    return TransferConfig(multipart_threshold=part_bytes, multipart_chunksize=part_bytes, use_threads=False)


@contextmanager
def _told(key: str) -> Iterator[None]:
    """Say what boto3's exceptions mean to us."""
    try:
        yield
    except ClientError as error:
        raise _meaning(error, key) from error
    except (BotoCoreError, Boto3Error) as error:
        raise Unavailable(str(error)) from error


@contextmanager
def _parts_told(key: str) -> Iterator[None]:
    """The same; and an object that does not come in parts any more is missing."""
    with _told(key):
        try:
            yield
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") == NO_PARTS_CODE:
                raise Missing(key) from error
            raise


def _meaning(error: ClientError, key: str) -> Missing | Full | Unavailable:
    return _meaning_of(error.response.get("Error", {}).get("Code"), _status(error), key, str(error))


def _meaning_of(code: str | None, status: int | None, key: str, said: str) -> Missing | Full | Unavailable:
    if code in NO_OBJECT_CODES:
        return Missing(key)
    if code in NO_ROOM_CODES or status == NO_ROOM_STATUS:
        return Full(said)
    return Unavailable(said)


def _status(error: ClientError) -> int | None:
    return error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
