"""What the process says of itself, on standard error: lines for people, or JSON for machines."""

import datetime as dt
import json
import logging
import sys

from podcast_app import request_id
from podcast_app.settings import Settings

# What a line about a request also carries, for machines to count and to search (see request_id.py).
OF_REQUESTS = ("method", "route", "status", "duration_ms")

NOISY = ("httpx2", "httpcore2", "botocore", "boto3", "s3transfer", "urllib3", "alembic", "multipart")


class _Text(logging.Formatter):
    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  (logging's name)
        said, named = super().formatMessage(record), request_id.current()
        return f"{said} [{named}]" if named else said


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        said = {
            "time": dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if named := request_id.current():
            said["request_id"] = named
        said |= {name: getattr(record, name) for name in OF_REQUESTS if hasattr(record, name)}
        if record.exc_info:
            said["exception"] = self.formatException(record.exc_info)
        return json.dumps(said, ensure_ascii=False)


def configure(settings: Settings) -> None:
    """From now on, everything that this process logs, uvicorn's words too, is written so."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json() if settings.log_format == "json" else _Text())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for name in NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)
