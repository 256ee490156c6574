"""What an operator can set: environment variables or a `.env` file, read once and checked at start."""

import os
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from media.storage.s3_address import s3_address

SHORTEST_KEY = 16  # characters

Words = Annotated[tuple[str, ...], NoDecode]  # separated by commas or spaces


class BadSettings(Exception):
    """A setting cannot be used; the text names it and the mend."""


class Settings(BaseSettings):
    """Every setting, with its default. Names carry the prefix PODCAST_ in the environment."""

    model_config = SettingsConfigDict(
        env_prefix="PODCAST_",
        env_file=(Path(__file__).parents[1] / ".env", ".env"),  # the checkout's, then the caller's folder's
        env_file_encoding="utf-8",
        frozen=True,
        extra="ignore",
    )

    port: int = Field(default=8000, ge=0, le=65535, validation_alias=AliasChoices("PODCAST_PORT", "PORT"))
    base_url: str = ""  # the public origin; empty: the loopback address with our port
    data_dir: Path = Path("var")  # embedded database and storage
    database_url: str = Field(default="", validation_alias=AliasChoices("PODCAST_DATABASE_URL", "DATABASE_URL"))
    storage_url: str = ""  # empty: a folder in the data dir
    media_base_url: str = ""  # public base of the bucket or CDN; empty: presigned redirects
    secret_key: SecretStr = SecretStr("")  # signs addresses; empty: made once and kept in the data dir (secrets.py)
    max_upload_bytes: int = Field(default=5_000_000_000, ge=1, le=5 * 2**40)  # no S3 object in 10,000 parts is larger
    upload_address_seconds: int = Field(default=3600, ge=5, le=7 * 24 * 3600)  # a part's address holds so long
    websub_hubs: Words = ()  # told of each change of a feed (WebSub)
    ffmpeg: Path | None = None  # the audio engine, when it is not the one on PATH
    log_format: Literal["text", "json"] = "text"

    @field_validator("websub_hubs", mode="before")
    @classmethod
    def _words(cls, value: object) -> object:
        return tuple(value.replace(",", " ").split()) if isinstance(value, str) else value

    @field_validator("base_url", "media_base_url")
    @classmethod
    def _origin(cls, value: str) -> str:
        if value and (urlsplit(value).scheme not in ("http", "https") or not urlsplit(value).netloc):
            raise ValueError("write a whole address, like https://podcast.example.org")
        return value.rstrip("/")

    @field_validator("secret_key")
    @classmethod
    def _long_enough(cls, value: SecretStr) -> SecretStr:
        if 0 < len(value.get_secret_value()) < SHORTEST_KEY:
            raise ValueError(f"write at least {SHORTEST_KEY} characters that nobody can guess, or leave it out")
        return value

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str) -> str:
        try:
            make_url(_for_sqlalchemy(value) or "sqlite://").get_dialect().import_dbapi()
        except (ArgumentError, ImportError) as unknown:
            raise ValueError("write it like postgresql://name:password@host/database") from unknown
        return value

    @field_validator("storage_url")
    @classmethod
    def _known_storage(cls, value: str) -> str:
        if value:
            s3_address(value)  # ValueError says what it should be
        return value

    @property
    def origin(self) -> str:
        """The public origin without a trailing slash: every absolute URL is built from it."""
        return self.base_url or f"http://127.0.0.1:{self.port}"

    @property
    def database(self) -> str:
        """The database's SQLAlchemy URL."""
        if not self.database_url:
            return f"sqlite:///{self.data_dir / 'podcast.db'}"
        return _for_sqlalchemy(self.database_url)


def read() -> Settings:
    """The settings of this process. Raises BadSettings."""
    try:
        return Settings()
    except ValidationError as error:
        wrong = [f"{_environment_name(problem['loc'])}: {_reason(problem['msg'])}" for problem in error.errors()]
        raise BadSettings("A setting cannot be used. " + "; ".join(wrong) + ".") from error
    except UnicodeDecodeError as error:
        raise BadSettings("The file .env is not a UTF-8 text. Save it as UTF-8, then try again.") from error
    except OSError as error:
        raise BadSettings(f"The file .env cannot be read: {error.strerror}.") from error


def _for_sqlalchemy(url: str) -> str:
    """Hosting platforms hand out addresses without the driver's name."""
    scheme, separator, rest = url.partition("://")
    return f"postgresql+psycopg{separator}{rest}" if scheme in ("postgres", "postgresql") else url


def _environment_name(location: tuple[int | str, ...]) -> str:
    """The variable's name as the operator wrote it: some are also read without our prefix."""
    name = str(location[0]).upper()
    short = name.removeprefix("PODCAST_")
    return short if short in os.environ else f"PODCAST_{short}"


def _reason(message: str) -> str:
    """Pydantic's words without those that only programmers need."""
    return message.removeprefix("Value error, ").removesuffix(".")
