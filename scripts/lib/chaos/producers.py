"""Careful clients: each says everything until it has an answer, and writes down what it was told."""

import datetime as dt
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

import httpx2

from scripts.lib.chaos.ledger import Ledger, Promise
from scripts.lib.chaos.stage import Stage
from tests.site import SLUG

PATIENCE = 240.0  # seconds for one deed, with all that it is said again: longer than every lease and pause
ANSWER_PATIENCE = 10.0  # seconds for one answer
EPISODES = f"/api/v1/shows/{SLUG}/episodes"

Json = dict[str, Any]  # Any: whatever the API says


@dataclass(frozen=True)
class Sounds:
    """What is uploaded: small recordings by the form, a large one in parts."""

    small: tuple[tuple[str, bytes], ...]  # names and bytes
    large: bytes = b""  # none


@dataclass
class Producer:
    """One person, with episodes of their own. Acts until told to stop, and ends with no deed half done."""

    name: str
    stage: Stage
    ledger: Ledger
    sounds: Sounds
    chance: Random
    most: int  # episodes at a time
    own: list[Promise] = field(default_factory=list)
    made: int = 0

    def __post_init__(self) -> None:
        headers = {"Authorization": f"Bearer {self.stage.token}"}
        self.client = httpx2.Client(headers=headers, timeout=ANSWER_PATIENCE)

    def act_until(self, done: threading.Event) -> None:
        with self.client:
            while not done.is_set():
                self._act()
                time.sleep(self.chance.uniform(0, 0.2))

    def _act(self) -> None:
        deeds: list[tuple[Callable[[], None], int]] = [
            (self.edit, 6),
            (self.publish, 3),
            (self.schedule, 2),
            (self.withdraw, 2),
            (self.delete, 2),
        ]
        if len([each for each in self.own if each.state not in ("withdrawn", "deleted")]) < self.most:
            deeds += [(self.create, 6), (self.create_in_parts, 1 if self.sounds.large else 0)]
        try:
            self.chance.choices(*zip(*deeds, strict=True))[0]()
        except NoAnswer as never:
            self.ledger.complain(str(never))

    # --- deeds ---

    def create(self) -> None:
        """By the form, with the recording in it."""
        self.create_with(self._publish_wish())

    def create_with(self, wish: Mapping[str, str]) -> None:
        """`wish`: the field `publish`, or nothing."""
        filename, audio = self.chance.choice(self.sounds.small)
        fields = {"title": self._title(), **wish}
        answer = self._say("POST", EPISODES, 201, key=True, data=fields, files={"audio": (filename, audio)})
        if answer is not None:
            self._made(answer.json(), fields, "created by a form")

    def create_in_parts(self) -> None:
        """Parts in any order, some of them twice; completed twice; then an episode is made from it."""
        wanted = {
            "show": SLUG,
            "filename": "long.mp3",
            "size_bytes": len(self.sounds.large),
            "media_type": "audio/mpeg",
        }
        begun = self._say("POST", "/api/v1/uploads", 201, key=True, json=wanted)
        if begun is None:
            return
        place = f"/api/v1/uploads/{begun.json()['id']}"
        first = self._complete(place)
        second = self._say("POST", f"{place}/complete", 200)
        if first is None or second is None:
            return
        if _without_checksum(first.json()) != _without_checksum(second.json()):
            self.ledger.complain("completing an upload twice brought two answers")
        fields = {"title": self._title(), **self._publish_wish()}
        said = {"upload_id": begun.json()["id"], **fields}
        answer = self._say("POST", EPISODES, 201, key=True, json=said)
        if answer is not None:
            self._made(answer.json(), fields, "created from parts")

    def edit(self) -> None:
        if (episode := self._one("draft", "scheduled", "published")) is None:
            return
        title = self._title()
        if self._change(episode, {"title": title}, lambda there: there["title"] == title):
            episode.title = title
            self.ledger.acknowledge("edited")

    def publish(self) -> None:
        if (episode := self._one("draft")) is None:
            return
        path = f"/api/v1/episodes/{episode.id}/publish"
        answer = self._say("POST", path, 200, also=(422,), key=True)
        if answer is None:
            return
        if answer.status_code == 422:  # its audio could not be prepared so far, and nothing was promised
            self.ledger.acknowledge("refused to publish for now")
            return
        episode.state = "published"
        self.ledger.acknowledge("published")

    def schedule(self) -> None:
        if (episode := self._one("draft")) is None:
            return
        at = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=self.chance.randint(2, 5))
        is_on_its_way = self._change(
            episode, {"publish_at": at.isoformat()}, lambda there: there["state"] in ("scheduled", "published")
        )
        if is_on_its_way:
            episode.state = "published"
            self.ledger.acknowledge("scheduled")

    def withdraw(self) -> None:
        if (episode := self._one("published")) is None or not self._is_public(episode):
            return
        with self.ledger.lock:
            self.ledger.leaving.add(episode.guid)
        if self._say("POST", f"/api/v1/episodes/{episode.id}/withdraw", 200, key=True) is not None:
            episode.state = "withdrawn"
            self.ledger.acknowledge("withdrawn")

    def delete(self) -> None:
        if (episode := self._one("draft")) is None:
            return
        # 404: it was done the first time, and the answer was lost
        if self._say("DELETE", f"/api/v1/episodes/{episode.id}", 204, also=(404,)) is not None:
            episode.state = "deleted"
            self.ledger.acknowledge("deleted")

    # --- what they consist of ---

    def _made(self, said: Json, fields: Mapping[str, str], how: str) -> None:
        wish = fields.get("publish")
        is_far = wish is not None and wish.startswith("2040")
        state = "draft" if wish is None else "scheduled" if is_far else "published"
        if wish is not None and said["state"] == "draft":
            self.ledger.complain(f"an episode to be published was made a draft: {said['findings']}")
        episode = Promise(said["id"], said["guid"], fields["title"], state)  # type: ignore[arg-type]  # a State
        self.own.append(episode)
        self.ledger.promise(episode)
        self.ledger.acknowledge(how)

    def _complete(self, place: str) -> httpx2.Response | None:
        """Parts that are said to be missing are sent again."""
        while True:
            self._send_parts(place)
            answer = self._say("POST", f"{place}/complete", 200, also=(409,), key=True)
            if answer is None or answer.status_code == 200:
                return answer
            self.ledger.acknowledge("parts missing that had arrived")

    def _send_parts(self, place: str) -> None:
        """Until the storage has them all. What has arrived is asked, as after a crash."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            asked = self._say("GET", place, 200)
            parts: list[Json] = asked.json().get("parts") or [] if asked is not None else []
            missing = [part for part in parts if not part["arrived"]]
            if not missing:
                return
            self.chance.shuffle(missing)
            for part in [*missing, *missing[: self.chance.randint(0, 1)]]:
                self._put(part)
        raise NoAnswer("the parts of an upload never arrived")

    def _put(self, part: Json) -> None:
        size, start = part["size_bytes"], (part["number"] - 1) * 5 * 2**20
        url = self.chance.choice([part["url"], part.get("fallback_url") or part["url"]])
        for base in (f"{self.stage.environment['PODCAST_BASE_URL']}/",):
            url = url.replace(base, f"{self.chance.choice(self.stage.origins)}/")
        try:
            answer = httpx2.put(url, content=self.sounds.large[start : start + size], timeout=ANSWER_PATIENCE)
        except httpx2.TransportError as failure:
            self.ledger.answered(f"part: {type(failure).__name__}")
        else:
            self.ledger.answered(f"part: {answer.status_code}")

    def _change(self, episode: Promise, changes: Json, is_done: Callable[[Json], bool]) -> bool:
        """With If-Match: what an earlier, lost request of ours does late must not undo a later one."""
        path = f"/api/v1/episodes/{episode.id}"
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            found = self._say("GET", path, 200)
            if found is None:
                return False
            if is_done(found.json()):
                return True
            match = {"If-Match": found.headers["etag"]}
            answer = self._say("PATCH", path, 200, also=(412,), json=changes, headers=match)
            if answer is None or answer.status_code == 200:
                return answer is not None
        raise NoAnswer("a change never came through")

    def _is_public(self, episode: Promise) -> bool:
        found = self._say("GET", f"/api/v1/episodes/{episode.id}", 200)
        return found is not None and found.json()["state"] == "published"

    def _say(
        self,
        method: str,
        path: str,
        wanted: int,
        *,
        also: tuple[int, ...] = (),
        key: bool = False,
        headers: Mapping[str, str] | None = None,
        **said: Any,  # noqa: ANN401  (httpx2's own, in its many forms)
    ) -> httpx2.Response | None:
        """The answer; None when it is another than was to be expected, which is complained about. Raises NoAnswer."""
        own = dict(headers or {}) | ({"Idempotency-Key": uuid.uuid4().hex} if key else {})
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            answer = self._once(method, self.chance.choice(self.stage.origins) + path, own, said)
            if answer is None or answer.status_code >= 500 or "retry-after" in answer.headers:
                time.sleep(self.chance.uniform(0.05, 0.5))
                continue
            if answer.status_code not in (wanted, *also):
                self.ledger.complain(f"{method} {_kind(path)} was answered {answer.status_code}: {answer.text[:300]}")
                return None
            return answer
        raise NoAnswer(f"{method} {_kind(path)} was never answered")

    def _once(self, method: str, url: str, headers: Mapping[str, str], said: Json) -> httpx2.Response | None:
        try:
            answer = self.client.request(method, url, headers=dict(headers), **said)
        except httpx2.TransportError as failure:
            self.ledger.answered(type(failure).__name__)
            return None
        self.ledger.answered(str(answer.status_code))
        if answer.status_code == 500:
            self.ledger.complain(f"{method} {_kind(url)} was answered 500")
        return answer

    def _one(self, *states: str) -> Promise | None:
        found = [episode for episode in self.own if episode.state in states]
        return self.chance.choice(found) if found else None

    def _title(self) -> str:
        self.made += 1
        return f"{self.name}, take {self.made}"

    def _publish_wish(self) -> dict[str, str]:
        soon = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=self.chance.randint(1, 4))
        return self.chance.choice(
            ({}, {}, {"publish": "now"}, {"publish": soon.isoformat()}, {"publish": "2040-01-01T00:00:00Z"})
        )


class NoAnswer(Exception):
    """In all that time."""


def _without_checksum(upload: Json) -> Json:
    """Which may become known at any time."""
    return {**upload, "audio": {**upload["audio"], "sha256": None}}


def _kind(address: str) -> str:
    """Without hosts and ids: the same complaint is counted once."""
    path = "/" + address.split("://")[-1].partition("/")[2] if "://" in address else address
    return "/".join("{id}" if len(word) > 12 and word.isalnum() else word for word in path.split("/"))
