"""Apps that ask for the feed again and again, and forget nothing that they were ever told."""

import threading
import time
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

import httpx2
from lxml import etree

from scripts.lib.chaos.ledger import Ledger
from scripts.lib.chaos.stage import Stage
from tests.site import SLUG

FEEDS = (f"/{SLUG}/feed.xml", f"/fr/{SLUG}/feed.xml")
AWAY = (502, 503, 504)


class Item(NamedTuple):
    """What must stay the same for ever."""

    date: str
    enclosure: str


@dataclass
class Listener:
    """One app, which knows several processes by their addresses."""

    stage: Stage
    ledger: Ledger
    chance: Random
    known: dict[str, Item] = field(default_factory=dict)  # by GUID
    seen_at: dict[str, set[str]] = field(default_factory=dict)  # by feed address
    etags: dict[str, list[str]] = field(default_factory=dict)  # by feed address, in order

    def __post_init__(self) -> None:
        self._client = httpx2.Client(timeout=5)

    def listen_until(self, done: threading.Event) -> None:
        with self._client:
            while not done.is_set():
                self.look()
                time.sleep(0.2)

    def look(self) -> None:
        """Everywhere once."""
        for origin in self.stage.origins:
            for path in FEEDS:
                self._ask(f"{origin}{path}")
        self._play()

    def _ask(self, address: str) -> None:
        etags = self.etags.setdefault(address, [])
        try:
            answer = self._client.get(address, headers={"If-None-Match": etags[-1]} if etags else {})
        except httpx2.TransportError:
            return
        if answer.status_code == 200:
            self._note_generation(etags, answer.headers["etag"])
            self._read(address, answer.content)
        elif answer.status_code != 304 and answer.status_code not in AWAY:
            self.ledger.complain(f"a feed was answered {answer.status_code}")

    def _note_generation(self, etags: list[str], etag: str) -> None:
        if etag in etags[:-1]:
            self.ledger.complain("a process went back to an earlier generation of its feed")
        if etag not in etags:
            etags.append(etag)

    def _read(self, address: str, xml: bytes) -> None:
        try:
            items = [_item(element) for element in etree.fromstring(xml).iter("item")]
        except (etree.XMLSyntaxError, AssertionError) as wrong:
            self.ledger.complain(f"a feed was not well-formed: {wrong}")
            return
        there = {guid for guid, _ in items}
        if len(there) < len(items):
            self.ledger.complain("an item stood twice in a feed")
        for guid, item in items:
            if self.known.setdefault(guid, item) != item:
                self.ledger.complain(f"an item changed: {self.known[guid]} became {item}")
        for guid in self.seen_at.setdefault(address, set()) - there - self._leaving():
            self.ledger.complain(f"the item {guid} vanished from a feed")
        self.seen_at[address] = there

    def _leaving(self) -> set[str]:
        with self.ledger.lock:
            return set(self.ledger.leaving)

    def _play(self) -> None:
        """Two bytes of some episode, wherever they are."""
        if not self.known:
            return
        guid = self.chance.choice(list(self.known))
        path = "/" + self.known[guid].enclosure.split("/", 3)[3]
        address = self.chance.choice(self.stage.origins) + path
        try:
            answer = self._client.get(address, headers={"Range": "bytes=0-1"}, follow_redirects=True)
        except httpx2.TransportError:
            return
        is_audio = answer.status_code == 206 and len(answer.content) == 2
        is_gone = answer.status_code in (404, 410) and guid in self._leaving()
        if not (is_audio or is_gone or answer.status_code in (500, *AWAY)):
            self.ledger.complain(f"audio of the feed was answered {answer.status_code}")


def _item(element: etree._Element) -> tuple[str, Item]:
    guid, date = element.findtext("guid"), element.findtext("pubDate")
    enclosure = element.find("enclosure")
    assert enclosure is not None
    return str(guid), Item(str(date), str(enclosure.get("url")))
