"""From the operator's settings to the place where bytes live."""

from pathlib import Path

from media.storage import Storage
from media.storage.folder import Folder
from media.storage.s3_address import s3_address


def open_storage(url: str | None, data_dir: Path | None) -> Storage:
    """The bucket at the address, or else `storage` in the data folder. Nothing is asked of either yet.

    ValueError, in words for the operator, when the address is malformed or there is neither.
    """
    if url:
        address = s3_address(url)
        from media.storage.s3 import Bucket  # late: boto3 takes 0.65 s, and a folder needs none of it

        return Bucket(address)
    if data_dir is None:
        raise ValueError("There is no place for files. Name a data folder, or a bucket as s3://BUCKET.")
    return Folder(data_dir / "storage")
