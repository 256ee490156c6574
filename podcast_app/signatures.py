"""Addresses that carry their own permission: whoever has one may do that one thing until it is over.

Every process has to know the same key: from PODCAST_SECRET_KEY, or from the data folder that they share.
"""

import hmac
import os
import secrets
from pathlib import Path

from podcast_app.settings import SHORTEST_KEY, BadSettings, Settings

KEY_FILE = "secret_key"


class Signer:
    """Signs and knows what it has signed. Times are whole seconds since 1970."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def sign(self, what: str, expires_at: int) -> str:
        return hmac.digest(self._key, f"{what}\0{expires_at}".encode(), "sha256").hex()

    def has_signed(self, what: str, expires_at: int, signature: str) -> bool:
        """Whether this is our signature; whether its time has passed is for the caller to see."""
        return hmac.compare_digest(self.sign(what, expires_at).encode(), signature.encode(errors="replace"))


def open_signer(settings: Settings) -> Signer:
    """The signer of this site. Raises BadSettings when there is no key and no place to keep one."""
    chosen = settings.secret_key.get_secret_value()
    return Signer(chosen.encode() if chosen else _kept_key(settings.data_dir / KEY_FILE))


def _kept_key(file: Path) -> bytes:
    try:
        key = file.read_bytes()
    except FileNotFoundError:
        key = _made_key(file)
    except OSError as wrong:
        raise BadSettings(f"PODCAST_SECRET_KEY is not set, and {file} cannot be read: {wrong.strerror}.") from wrong
    if len(key) < SHORTEST_KEY:  # an empty one would let anybody sign
        raise BadSettings(f"The key in {file} is too short. Remove the file; a new one is made.")
    return key


def _made_key(file: Path) -> bytes:
    """A new key, whole on disk before it has its name; of two processes that make one, both use the first's."""
    aside = file.with_suffix(f".{secrets.token_hex(4)}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as new:
            new.write(secrets.token_hex(32).encode())
            new.flush()
            os.fsync(new.fileno())
        try:
            file.hardlink_to(aside)
        except FileExistsError:
            pass
        finally:
            aside.unlink()
        return file.read_bytes()
    except OSError as wrong:
        raise BadSettings(
            f"PODCAST_SECRET_KEY is not set, and no key can be kept in {file}: {wrong.strerror}. "
            "Set it to a long random text, the same for every process."
        ) from wrong
