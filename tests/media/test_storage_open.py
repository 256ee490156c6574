"""The operator's address for the storage, and what is said when it is wrong."""

import subprocess
import sys
from pathlib import Path

import pytest

from media.storage.open import open_storage
from media.storage.s3_address import S3Address, s3_address


def test_the_shortest_address_is_amazons() -> None:
    assert s3_address("s3://podcasts") == S3Address(
        bucket="podcasts", prefix="", endpoint=None, public_endpoint=None, region=None, addressing="auto"
    )


def test_an_address_may_say_everything() -> None:
    url = (
        "s3://podcasts/shows/2026/?endpoint=http://minio:9000/&public_endpoint=https://media.example.org"
        "&region=eu-west-3&addressing=virtual"
    )

    assert s3_address(url) == S3Address(
        bucket="podcasts",
        prefix="shows/2026/",
        endpoint="http://minio:9000",
        public_endpoint="https://media.example.org",
        region="eu-west-3",
        addressing="virtual",
    )


def test_a_server_of_ones_own_has_the_bucket_in_the_path() -> None:
    assert s3_address("s3://podcasts?endpoint=http://minio:9000").addressing == "path"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("podcasts", "not a bucket's"),
        ("https://minio:9000/podcasts", "not a bucket's"),
        ("s3://", "names no bucket"),
        ("s3:///prefix", "names no bucket"),
        ("s3://minio:9000/podcasts", "cannot be a bucket's name"),
        ("s3://pod casts", "cannot be a bucket's name"),
        ("s3://[", "cannot be read"),
        ("s3://podcasts/../other", "folder behind"),
        ("s3://podcasts/a#b", "has a #"),
        ("s3://podcasts?endpoint=minio:9000", "endpoint is not a server"),
        ("s3://podcasts?endpoint=ftp://minio", "endpoint is not a server"),
        ("s3://podcasts?public_endpoint=https://", "public_endpoint is not a server"),
        ("s3://podcasts?endpoint=http://minio:port", "endpoint is not a server"),
        ("s3://podcasts?endpoint=http://[", "endpoint is not a server"),
        ("s3://podcasts?endpoint=", "endpoint is empty"),
        ("s3://podcasts?endpont=http://minio", "unknown part 'endpont'"),
        ("s3://podcasts?region=a&region=b", "twice"),
        ("s3://podcasts?region=eu west", "region is no region"),
        ("s3://podcasts?addressing=sideways", "addressing is not understood"),
    ],
)
def test_a_malformed_address_is_refused_with_what_to_do(url: str, said: str) -> None:
    with pytest.raises(ValueError, match=said) as refusal:
        open_storage(url, None)

    assert str(refusal.value).count(". ") >= 1  # the problem, then its mend


def test_credentials_in_an_address_are_refused_and_not_repeated() -> None:
    for url in ("s3://KEY:s3cret@podcasts", "s3://podcasts?endpoint=https://KEY:s3cret@minio"):
        with pytest.raises(ValueError, match=r"credentials|not a server") as refusal:
            open_storage(url, None)
        assert "s3cret" not in str(refusal.value)


def test_no_address_and_no_data_folder_are_refused() -> None:
    with pytest.raises(ValueError, match="no place for files"):
        open_storage(None, None)


def test_a_storage_opens_without_touching_anything(tmp_path: Path) -> None:
    open_storage(None, tmp_path)

    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_opened_without_waiting_for_boto3() -> None:
    program = "import sys; from media.storage.open import open_storage; from pathlib import Path; "
    program += "open_storage(None, Path('.')); print('boto3' in sys.modules)"

    assert subprocess.check_output([sys.executable, "-c", program], encoding="utf-8") == "False\n"
