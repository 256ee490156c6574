"""An episode over HTTP, from draft to tombstone."""

import datetime as dt
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from lxml import etree

from podcast_app.times import iso, utcnow
from tests.site import SLUG, Site

KEYS = {
    *("id", "show", "guid", "slug", "state", "title", "notes", "notes_html", "language", "season", "number", "type"),
    *("explicit", "publish_at", "published_at", "url", "embed_url", "version", "audio", "chapters", "transcripts"),
    *("persons", "translations", "findings"),
}
KEYS_OF_AUDIO = {
    *("status", "filename", "media_type", "size_bytes", "sha256", "duration_ms", "duration_is_exact", "bitrate_bps"),
    *("sample_rate_hz", "channels", "url", "editions", "measurement", "replacement", "undo_until"),
}
TEN_LANGUAGES = ("fr", "nl", "de", "rw", "sw", "ln", "es", "pt", "ar", "it")


def draft(site: Site, audio: bytes, **fields: str) -> dict[str, Any]:
    answer = site.episode(audio, **fields)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def feed_titles(site: Site) -> list[str]:
    feed = etree.fromstring(site.listener.get(f"/{SLUG}/feed.xml").content)
    return [str(title.text) for title in feed.findall("channel/item/title")]


def test_a_recording_becomes_a_draft_and_then_a_public_episode(site: Site, mp3: bytes) -> None:
    answer = site.episode(mp3, "Matonge.mp3", title="Matonge", notes="**Bonjour**", number="3")

    made = answer.json()
    assert answer.status_code == 201
    assert set(made) >= KEYS
    assert set(made["audio"]) == KEYS_OF_AUDIO
    assert answer.headers["location"] == f"{site.settings.origin}/api/v1/episodes/{made['id']}"
    assert (made["state"], made["title"], made["number"], made["season"]) == ("draft", "Matonge", 3, None)
    assert made["notes_html"] == "<p><strong>Bonjour</strong></p>"
    assert made["audio"]["filename"] == "Matonge.mp3"
    assert made["audio"]["size_bytes"] == len(mp3)
    assert made["audio"]["url"] is None
    assert made["url"] == f"{site.settings.origin}/{SLUG}/matonge"

    published = site.api.post(f"/api/v1/episodes/{made['id']}/publish")

    assert published.status_code == 200
    whole = site.wait_for(made["id"], "published")
    assert whole["audio"]["editions"][0]["status"] == "ready"
    assert whole["audio"]["url"] == whole["audio"]["editions"][0]["url"]
    assert site.listener.get(whole["audio"]["url"]).status_code == 200
    assert feed_titles(site) == ["Matonge"]


def test_an_episode_whose_enclosure_is_ready_is_published_in_the_answer(site: Site, mp3: bytes) -> None:
    made = draft(site, mp3, title="At once")
    while site.api.get(f"/api/v1/episodes/{made['id']}").json()["audio"]["status"] != "ready":
        pass

    published = site.api.post(f"/api/v1/episodes/{made['id']}/publish").json()

    assert published["state"] == "published"
    assert feed_titles(site) == ["At once"]


def test_publishing_without_a_title_keeps_a_draft_that_says_why(shared_site: Site, mp3: bytes) -> None:
    answer = shared_site.episode(mp3, publish="now")

    made = answer.json()
    assert (answer.status_code, made["state"], made["publish_at"]) == (201, "draft", None)
    assert ("error", "title") in {(finding["level"], finding["field"]) for finding in made["findings"]}

    refused = shared_site.api.post(f"/api/v1/episodes/{made['id']}/publish")

    assert refused.status_code == 422
    assert "title" in {wrong["field"] for wrong in refused.json()["errors"]}
    assert shared_site.api.get(f"/api/v1/episodes/{made['id']}").json()["state"] == "draft"


def test_a_time_schedules_and_null_takes_it_off_the_schedule(shared_site: Site, mp3: bytes) -> None:
    later = utcnow().replace(microsecond=0) + dt.timedelta(days=2)
    made = draft(shared_site, mp3, title="Later", publish=later.isoformat())
    assert (made["state"], made["publish_at"]) == ("scheduled", iso(later))
    place = f"/api/v1/episodes/{made['id']}"

    back = shared_site.api.patch(place, json={"publish_at": None}).json()
    assert (back["state"], back["publish_at"]) == ("draft", None)

    again = shared_site.api.patch(place, json={"publish_at": "2199-01-01T00:00:00+01:00"}).json()
    assert (again["state"], again["publish_at"]) == ("scheduled", "2198-12-31T23:00:00Z")

    by_post = shared_site.api.post(f"{place}/publish", json={"publish_at": iso(later)}).json()
    assert (by_post["state"], by_post["publish_at"]) == ("scheduled", iso(later))


def test_a_change_names_its_fields_and_leaves_the_others(shared_site: Site, mp3: bytes) -> None:
    made = draft(shared_site, mp3, title="First", notes="Kept", season="2")
    place = f"/api/v1/episodes/{made['id']}"
    changes = {
        "title": "Second",
        "persons": [{"name": "Aline"}],
        "chapters": [{"start_ms": 1000, "title": "B"}, {"start_ms": 0, "title": "A"}],
        "translations": {"fr": {"title": "Deuxième", "notes": "*oui*"}},
    }

    changed = shared_site.api.patch(place, json=changes).json()

    assert (changed["title"], changed["notes"], changed["season"]) == ("Second", "Kept", 2)
    assert changed["persons"] == [{"name": "Aline", "role": "host", "group": "cast", "url": "", "image_url": ""}]
    assert [chapter["title"] for chapter in changed["chapters"]] == ["A", "B"]
    assert changed["translations"]["fr"] == {
        "title": "Deuxième",
        "notes": "*oui*",
        "notes_html": "<p><em>oui</em></p>",
    }
    assert changed["version"] > made["version"]
    now = shared_site.api.get(place).json()
    assert {**now, "audio": None} == {**changed, "audio": None}  # its audio may have become ready meanwhile


def test_saying_back_what_was_read_changes_nothing_that_listeners_get(site: Site, mp3: bytes) -> None:
    read = site.published(mp3, title="Round trip", notes="Words", number="1")
    feed = site.listener.get(f"/{SLUG}/feed.xml").content
    named = ("title", "notes", "language", "season", "number", "type", "explicit", "slug", "persons", "chapters")

    answer = site.api.patch(
        f"/api/v1/episodes/{read['id']}", json={name: read[name] for name in (*named, "publish_at")}
    )

    assert answer.status_code == 200
    assert {name: answer.json()[name] for name in named} == {name: read[name] for name in named}
    assert site.listener.get(f"/{SLUG}/feed.xml").content == feed


def test_the_time_of_a_public_episode_is_not_silently_kept_when_another_is_asked_for(
    shared_site: Site, mp3: bytes
) -> None:
    public = shared_site.published(mp3, title="Out")

    for time in (None, "2030-01-01T00:00:00Z"):
        refused = shared_site.api.patch(f"/api/v1/episodes/{public['id']}", json={"publish_at": time})

        assert refused.status_code == 422
        assert refused.json()["errors"][0]["field"] == "publish_at"


def test_a_change_meant_for_another_version_is_refused_with_the_one_that_is(shared_site: Site, mp3: bytes) -> None:
    made = draft(shared_site, mp3, title="One")
    place = f"/api/v1/episodes/{made['id']}"
    etag = shared_site.api.get(place).headers["etag"]
    shared_site.api.patch(place, json={"title": "Two"})

    late = shared_site.api.patch(place, json={"title": "Three"}, headers={"If-Match": etag})

    assert late.status_code == 412
    assert late.json()["version"] == made["version"] + 1
    assert shared_site.api.get(place).json()["title"] == "Two"
    assert shared_site.api.delete(place, headers={"If-Match": etag}).status_code == 412

    now = shared_site.api.get(place).headers["etag"]
    assert shared_site.api.patch(place, json={"title": "Three"}, headers={"If-Match": now}).json()["title"] == "Three"
    assert shared_site.api.patch(place, json={"title": "Four"}, headers={"If-Match": "*"}).json()["title"] == "Four"


def test_whoever_has_an_episode_already_is_told_so_until_anything_changes(shared_site: Site, mp3: bytes) -> None:
    place = f"/api/v1/episodes/{shared_site.published(mp3, title='Same')['id']}"
    first = shared_site.api.get(place)

    again = shared_site.api.get(place, headers={"If-None-Match": first.headers["etag"]})

    assert (again.status_code, again.content) == (304, b"")
    shared_site.api.patch(place, json={"notes": "New"})
    assert shared_site.api.get(place, headers={"If-None-Match": first.headers["etag"]}).status_code == 200


def test_a_draft_is_deleted_and_a_public_episode_is_withdrawn(site: Site, mp3: bytes) -> None:
    kept = draft(site, mp3, title="A draft")
    public = site.published(mp3, title="Public")
    place = f"/api/v1/episodes/{public['id']}"

    assert site.api.post(f"/api/v1/episodes/{kept['id']}/withdraw").status_code == 409
    assert site.api.delete(place).status_code == 409
    deleted = site.api.delete(f"/api/v1/episodes/{kept['id']}")
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert site.api.get(f"/api/v1/episodes/{kept['id']}").status_code == 404

    withdrawn = site.api.post(f"{place}/withdraw")

    assert (withdrawn.status_code, withdrawn.json()["state"]) == (200, "withdrawn")
    assert withdrawn.json()["audio"]["url"] is None
    assert feed_titles(site) == []
    assert site.api.post(f"{place}/publish").status_code == 409
    assert site.api.patch(place, json={"title": "No"}).status_code == 409
    assert site.api.delete(place).status_code == 409


def test_twenty_at_once_publish_one_item(site: Site, mp3: bytes) -> None:
    made = draft(site, mp3, title="Once")
    place = f"/api/v1/episodes/{made['id']}/publish"

    with ThreadPoolExecutor(20) as many:
        answers = list(many.map(lambda _: site.api.post(place), range(20)))

    assert {answer.status_code for answer in answers} == {200}
    whole = site.wait_for(made["id"], "published")
    assert feed_titles(site) == ["Once"]
    assert len({answer.json()["publish_at"] for answer in answers} | {whole["published_at"]}) == 1


@pytest.mark.long
def test_fifty_changes_at_once_lose_nothing(site: Site, mp3: bytes) -> None:
    public = [site.published(mp3, title="Public"), site.published(mp3, title="Public too")]
    drafts = [draft(site, mp3, title=f"Draft {number}") for number in range(3)]
    places = [f"/api/v1/episodes/{episode['id']}" for episode in (*public, *drafts)]
    before = [site.api.get(place).json()["version"] for place in places]

    with ThreadPoolExecutor(25) as many:
        wishes = [(place, {"translations": {code: {"title": code}}}) for place in places for code in TEN_LANGUAGES]
        answers = list(many.map(lambda wish: site.api.patch(wish[0], json=wish[1]), wishes))

    assert {answer.status_code for answer in answers} == {200}
    after = [site.api.get(place).json() for place in places]
    assert [set(episode["translations"]) for episode in after] == [set(TEN_LANGUAGES)] * 5
    assert [episode["version"] for episode in after] == [version + 10 for version in before]


def test_a_list_is_read_page_by_page_while_others_add_to_it(site: Site, mp3: bytes) -> None:
    ids = [draft(site, mp3, title=f"Number {number}")["id"] for number in range(5)]
    place = f"/api/v1/shows/{SLUG}/episodes"

    first = site.api.get(place, params={"limit": 2}).json()
    draft(site, mp3, title="Meanwhile")
    second = site.api.get(place, params={"limit": 2, "cursor": first["next"]}).json()
    third = site.api.get(place, params={"limit": 2, "cursor": second["next"]}).json()

    read = [episode["id"] for page in (first, second, third) for episode in page["items"]]
    assert read == ids[::-1]
    assert third["next"] is None


def test_a_list_can_be_narrowed_to_a_state(site: Site, mp3: bytes) -> None:
    public = site.published(mp3, title="Public")
    waiting = draft(site, mp3, title="Waiting")
    place = f"/api/v1/shows/{SLUG}/episodes"

    assert [episode["id"] for episode in site.api.get(place, params={"state": "published"}).json()["items"]] == [
        public["id"]
    ]
    assert [episode["id"] for episode in site.api.get(place, params={"state": "draft"}).json()["items"]] == [
        waiting["id"]
    ]


@pytest.mark.parametrize(
    ("field", "value"),
    [("limit", "0"), ("limit", "101"), ("limit", "x"), ("state", "gone"), ("cursor", "?"), ("cursor", "bm8gY3Vyc29y")],
)
def test_a_list_refuses_what_it_does_not_understand(shared_site: Site, field: str, value: str) -> None:
    refused = shared_site.api.get(f"/api/v1/shows/{SLUG}/episodes", params={field: value})

    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == field


@pytest.mark.parametrize(
    "text", ["Copied\u000bfrom a word\u001e processor\ud800", "NUL \u0000, BEL \u0007, noncharacter \ufffe, \u001b[31m"]
)
def test_characters_that_no_feed_can_hold_are_left_out(site: Site, mp3: bytes, text: str) -> None:
    public = site.published(mp3, title="Clean")
    said = {"title": text, "notes": text, "persons": [{"name": text}], "chapters": [{"start_ms": 0, "title": text}]}
    body = json.dumps(said)  # every odd character as an escape, as a careless client writes it

    answer = site.api.patch(
        f"/api/v1/episodes/{public['id']}", content=body, headers={"Content-Type": "application/json"}
    )

    assert answer.status_code == 200
    kept = answer.json()
    assert kept["title"] == kept["chapters"][0]["title"]
    assert not set(kept["title"]) & set("\u000b\u001e\ud800\u0000\u0007\ufffe\u001b")
    assert feed_titles(site) == [kept["title"]]


def test_two_chapters_at_one_moment_are_not_silently_one(shared_site: Site, mp3: bytes) -> None:
    made = draft(shared_site, mp3, title="Chapters")
    twice = [{"start_ms": 0, "title": "A"}, {"start_ms": 0, "title": "B"}]

    refused = shared_site.api.patch(f"/api/v1/episodes/{made['id']}", json={"chapters": twice})

    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == "chapters"
    assert shared_site.api.get(f"/api/v1/episodes/{made['id']}").json()["chapters"] == []
