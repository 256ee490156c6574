"""A POST that is said again under its key: one effect, one answer, across restarts and kills."""

import datetime as dt
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from podcast_app import people
from podcast_app.models import IdempotencyKey
from podcast_app.settings import Settings
from podcast_app.times import utcnow
from tests.site import SLUG, Site, free_port, running

PLACE = f"/api/v1/shows/{SLUG}/episodes"


def send(site: Site, audio: bytes, key: str, filename: str = "a.mp3", **fields: str) -> httpx2.Response:
    files = {"audio": (filename, audio)}
    return site.api.post(PLACE, data=fields, files=files, headers={"Idempotency-Key": key})


def said(answer: httpx2.Response) -> tuple[int, bytes, str | None, str | None]:
    return answer.status_code, answer.content, answer.headers.get("location"), answer.headers.get("etag")


def episodes(site: Site) -> list[str]:
    return [episode["id"] for episode in site.api.get(PLACE).json()["items"]]


def originals(site: Site, expected: int) -> int:
    end = time.monotonic() + 10
    while len(list(site.storage.list("private/originals"))) != expected and time.monotonic() < end:
        time.sleep(0.05)
    return len(list(site.storage.list("private/originals")))


def test_the_same_form_twice_is_one_episode_and_one_answer(site: Site, mp3: bytes) -> None:
    first = send(site, mp3, "k1", title="Once")
    second = send(site, mp3, "k1", title="Once")

    assert first.status_code == 201
    assert said(second) == said(first)
    assert len(episodes(site)) == 1
    assert originals(site, 1) == 1


def test_a_refusal_that_kept_a_recording_is_the_answer_too(site: Site, mp3: bytes) -> None:
    first = send(site, mp3, "k1", number="x")
    second = send(site, mp3, "k1", number="x")

    assert first.status_code == 422
    assert said(second) == said(first)
    assert len(site.api.get("/api/v1/uploads").json()["items"]) == 1
    assert originals(site, 1) == 1


def test_something_else_under_the_same_key_is_refused(shared_site: Site, mp3: bytes) -> None:
    assert send(shared_site, mp3, "other", title="One").status_code == 201
    before = episodes(shared_site)

    others = (
        send(shared_site, mp3, "other", title="Two"),
        send(shared_site, mp3, "other", "b.mp3", title="One"),
        send(shared_site, mp3 + b"\0", "other", title="One"),
        shared_site.api.post(f"/api/v1/episodes/{before[0]}/publish", headers={"Idempotency-Key": "other"}),
    )

    assert {answer.status_code for answer in others} == {422}
    assert {answer.json()["errors"][0]["field"] for answer in others} == {"Idempotency-Key"}
    assert episodes(shared_site) == before


def test_a_key_belongs_to_its_token(shared_site: Site, mp3: bytes) -> None:
    other = shared_site.database.write(people.create_token, "other", None, utcnow())
    first = send(shared_site, mp3, "mine", title="One")

    second = shared_site.listener.post(
        PLACE,
        data={"title": "Two"},
        files={"audio": ("a.mp3", mp3)},
        headers={"Idempotency-Key": "mine", "Authorization": f"Bearer {other}"},
    )

    assert (first.status_code, second.status_code) == (201, 201)


def test_at_once_one_is_answered_and_the_others_are_told_to_wait(site: Site, mp3: bytes) -> None:
    with ThreadPoolExecutor(8) as many:
        answers = list(many.map(lambda _: send(site, mp3, "k", title="Once"), range(8)))

    made = [answer for answer in answers if answer.status_code == 201]
    assert made
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.content for answer in made}) == 1
    assert len(episodes(site)) == 1
    assert said(send(site, mp3, "k", title="Once")) == said(made[0])


def test_while_the_first_is_being_sent_the_second_is_told_so(site: Site, mp3: bytes) -> None:
    body = b'--b\r\nContent-Disposition: form-data; name="audio"; filename="a.mp3"\r\n\r\n' + mp3 + b"\r\n--b--\r\n"
    head = (
        f"POST {PLACE} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {site.token}\r\nIdempotency-Key: k\r\n"
        f"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", site.settings.port), timeout=10) as sender:
        sender.sendall(head.encode() + body[:200])
        while not keys(site):
            time.sleep(0.02)

        assert send(site, mp3, "k").status_code == 409

        sender.sendall(body[200:])
        answer = sender.recv(65536)
    assert answer.split(b" ")[1] == b"201"
    assert send(site, mp3, "k").status_code == 201
    assert len(episodes(site)) == 1


def test_a_request_that_was_cut_frees_its_key(site: Site, mp3: bytes) -> None:
    cut = b'--b\r\nContent-Disposition: form-data; name="audio"; filename="a.mp3"\r\n\r\n' + mp3
    form = {"Content-Type": "multipart/form-data; boundary=b", "Idempotency-Key": "k"}

    assert site.api.post(PLACE, content=cut, headers=form).status_code == 400

    assert keys(site) == []
    assert send(site, mp3, "k", title="Whole").status_code == 201


def test_a_mended_request_may_use_the_key_of_one_that_did_nothing(shared_site: Site, mp3: bytes) -> None:
    made = shared_site.episode(mp3).json()
    key = {"Idempotency-Key": "mend"}
    assert shared_site.api.post(f"/api/v1/episodes/{made['id']}/publish", headers=key).status_code == 422

    shared_site.api.patch(f"/api/v1/episodes/{made['id']}", json={"title": "Now"})

    assert shared_site.api.post(f"/api/v1/episodes/{made['id']}/publish", headers=key).status_code == 200


def test_publishing_and_withdrawing_answer_as_they_did_first(site: Site, mp3: bytes) -> None:
    made = site.published(mp3, title="Twice")
    other = site.episode(mp3, title="Other").json()
    place = f"/api/v1/episodes/{other['id']}"
    while site.api.get(place).json()["audio"]["status"] != "ready":
        time.sleep(0.02)

    first = site.api.post(f"{place}/publish", headers={"Idempotency-Key": "p"})
    site.api.patch(place, json={"title": "Changed since"})
    second = site.api.post(f"{place}/publish", headers={"Idempotency-Key": "p"})

    assert first.json()["state"] == "published"
    assert said(second) == said(first)

    gone = site.api.post(f"/api/v1/episodes/{made['id']}/withdraw", headers={"Idempotency-Key": "w"})
    again = site.api.post(f"/api/v1/episodes/{made['id']}/withdraw", headers={"Idempotency-Key": "w"})

    assert said(again) == said(gone)


def test_a_key_outlives_the_process(migrated_sqlite_url: str, tmp_path: Path, mp3: bytes) -> None:
    settings = Settings(port=free_port(), data_dir=tmp_path, database_url=migrated_sqlite_url, _env_file=None)
    with running(settings) as site:
        token = site.token
        first = send(site, mp3, "k", title="Once")
    with running(settings) as site:
        site.api.headers["Authorization"] = f"Bearer {token}"

        second = send(site, mp3, "k", title="Once")

        assert said(second) == said(first)
        assert len(episodes(site)) == 1


def test_who_was_killed_is_taken_over_after_a_minute(site: Site, mp3: bytes) -> None:
    now = utcnow()
    site.database.write(leave_a_claim, site, "dead", created_at=now - dt.timedelta(seconds=62))
    site.database.write(leave_a_claim, site, "alive", created_at=now)

    assert send(site, mp3, "dead", title="Again").status_code == 201
    assert send(site, mp3, "alive", title="Again").status_code == 409


def test_who_was_taken_for_dead_has_no_effect_any_more(site: Site, mp3: bytes) -> None:
    """Two with one key, the first slower than its lease: only the second one's episode is there."""
    started, go_on = threading.Event(), threading.Event()

    def slowly() -> object:
        yield b'--b\r\nContent-Disposition: form-data; name="audio"; filename="a.mp3"\r\n\r\n' + mp3
        started.set()
        go_on.wait(20)
        yield b"\r\n--b--\r\n"

    form = {"Content-Type": "multipart/form-data; boundary=b", "Idempotency-Key": "k"}
    with ThreadPoolExecutor(1) as one:
        slow = one.submit(lambda: site.api.post(PLACE, content=slowly(), headers=form))
        started.wait(10)
        while not keys(site):
            time.sleep(0.02)
        site.database.write(lambda session: session.execute(update(IdempotencyKey).values(lease_until=utcnow())))

        fast = send(site, mp3, "k")
        go_on.set()

    assert (fast.status_code, slow.result().status_code) == (201, 409)
    assert len(episodes(site)) == 1
    assert originals(site, 1) == 1


def test_after_a_day_a_key_is_forgotten(site: Site, mp3: bytes) -> None:
    first = send(site, mp3, "k", title="Once").json()
    old = utcnow() - dt.timedelta(hours=25)
    site.database.write(lambda session: session.execute(update(IdempotencyKey).values(created_at=old)))

    second = send(site, mp3, "k", title="Once").json()

    assert second["id"] != first["id"]
    assert keys(site) == ["k"]


@pytest.mark.parametrize("key", ["", "x" * 256, "é".encode().decode("latin-1"), "two words"])
def test_what_cannot_be_a_key_is_refused(shared_site: Site, key: str) -> None:
    refused = shared_site.api.post(PLACE, json={}, headers=[(b"Idempotency-Key", key.encode("latin-1"))])

    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == "Idempotency-Key"


def keys(site: Site) -> list[str]:
    return site.database.read(lambda session: [row.key for row in session.query(IdempotencyKey)])


def leave_a_claim(session: Session, site: Site, key: str, created_at: dt.datetime) -> None:
    """As a process that was killed leaves it."""
    token = people.token(session, site.token)
    lease = created_at + dt.timedelta(seconds=60)
    session.add(IdempotencyKey(scope=f"token:{token.id}", key=key, lease_until=lease, created_at=created_at))
