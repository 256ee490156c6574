"""Somebody who sends a recording in parts over HTTP."""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import httpx2
from sqlalchemy.orm import Session

from media.storage import Key
from podcast_app.models import Upload
from tests.site import SLUG, Site

UPLOADS = "/api/v1/uploads"

Answer = dict[str, Any]  # JSON


@dataclass(frozen=True)
class Sender:
    """An upload that was begun for `data`. Parts count from 1, as in the API."""

    site: Site
    data: bytes
    upload: Answer  # as it was answered at the beginning
    key: Key  # of its object in storage

    @property
    def path(self) -> str:
        return f"{UPLOADS}/{self.upload['id']}"

    @property
    def numbers(self) -> list[int]:
        return [part["number"] for part in self.upload["parts"]]

    def piece(self, number: int) -> bytes:
        start = (number - 1) * self.upload["part_size_bytes"]
        return self.data[start : start + self.upload["part_size_bytes"]]

    def put(self, number: int, content: bytes | None = None, *, door: str = "url") -> httpx2.Response:
        """PUT a part to its address: its bytes, or others."""
        address = self.upload["parts"][number - 1][door]
        return self.site.listener.put(address, content=self.piece(number) if content is None else content)

    def put_all(self, numbers: Iterable[int] | None = None, *, door: str = "url") -> None:
        for number in self.numbers if numbers is None else numbers:
            answer = self.put(number, door=door)
            assert answer.is_success, answer.text

    def look(self) -> Answer:
        answer = self.site.api.get(self.path)
        assert answer.status_code == 200, answer.text
        said: Answer = answer.json()
        return said

    def arrived(self) -> list[int]:
        return [part["number"] for part in self.look()["parts"] if part["arrived"]]

    def cancel(self) -> httpx2.Response:
        return self.site.api.delete(self.path)

    def complete(self, **headers: str) -> httpx2.Response:
        return self.site.api.post(f"{self.path}/complete", headers=headers)


def begin(site: Site, data: bytes, *, part_size_bytes: int | None = None, **said: object) -> Sender:
    """Begin an upload for this recording; with parts of another size than ours would be, for a small recording."""
    answer = asked_to_begin(site, size_bytes=len(data), **said)
    assert answer.status_code == 201, answer.text
    sender = of(site, data, answer.json())
    if part_size_bytes is None:
        return sender

    def cut(session: Session) -> None:
        session.get_one(Upload, sender.upload["id"]).part_size_bytes = part_size_bytes

    site.database.write(cut)
    return replace(sender, upload=sender.look())


def of(site: Site, data: bytes, upload: Answer) -> Sender:
    """Who sends this recording to an upload that was begun."""
    row = site.database.read(lambda session: session.get_one(Upload, upload["id"]))
    return Sender(site, data, upload, row.key)


def asked_to_begin(site: Site, headers: Mapping[str, str] | None = None, **said: object) -> httpx2.Response:
    """The answer to POST /uploads with these fields, the needed ones being there already."""
    fields = {"show": SLUG, "filename": "episode.mp3", "size_bytes": 1, **said}
    return site.api.post(UPLOADS, json=fields, headers=headers)


def sent(site: Site, data: bytes, **said: object) -> Sender:
    """An upload of which every part has arrived."""
    sender = begin(site, data, **said)
    sender.put_all()
    return sender


def at_once(*calls: Callable[[], httpx2.Response]) -> list[httpx2.Response]:
    """What each of these calls gives, all made at the same time."""
    with ThreadPoolExecutor(len(calls)) as many:
        return [each.result() for each in [many.submit(call) for call in calls]]
