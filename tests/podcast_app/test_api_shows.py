"""Shows and recordings over HTTP, and what is answered where there is nothing."""

import pytest

from podcast_app.fields import ShowFields
from tests.site import SLUG, Site

SHOW = f"/api/v1/shows/{SLUG}"


def test_a_show_is_changed_with_its_feed(site: Site) -> None:
    before = site.api.get(SHOW).json()

    changed = site.api.patch(
        SHOW, json={"title": "New name", "translations": {"fr": {"title": "Nouveau nom", "description": "Bonjour"}}}
    )

    assert changed.status_code == 200
    assert (changed.json()["title"], changed.json()["description"]) == ("New name", before["description"])
    assert changed.json()["translations"] == {"fr": {"title": "Nouveau nom", "description": "Bonjour"}}
    assert changed.json()["version"] == before["version"] + 1
    assert site.api.get(SHOW).json() == changed.json()
    assert "<title>New name</title>" in site.listener.get(changed.json()["feed_url"]).text
    assert "<title>Nouveau nom</title>" in site.listener.get(f"/fr/{SLUG}/feed.xml").text


def test_what_a_show_says_can_be_said_back_and_changes_nothing(shared_site: Site) -> None:
    told = {
        "persons": [{"name": "Aline"}],
        "links": {"spotify": "https://open.spotify.com/show/1", "overcast": "https://overcast.fm/itunes1"},
        "verification": [{"text": "abc", "purpose": "verify"}, {"text": "a sentence"}],
        "owner_email": "show@example.org",
        "email_in_feed": True,
        "email_in_feed_until": "2199-01-01T00:00:00+01:00",
        "new_feed_url": "https://new.example/feed.xml",
        "zones": ["Africa/Kigali"],
        "player_colour": "#AABBCC",
    }
    told_once = shared_site.api.patch(SHOW, json=told)
    assert told_once.status_code == 200, told_once.text
    answer, feed = told_once.json(), shared_site.listener.get(f"/{SLUG}/feed.xml")
    assert answer["persons"] == [{"name": "Aline", "role": "host", "group": "cast", "url": "", "image_url": ""}]
    assert answer["email_in_feed_until"] == "2198-12-31T23:00:00Z"
    assert answer["player_colour"] == "#aabbcc"

    again = shared_site.api.patch(SHOW, json={name: answer[name] for name in ShowFields.model_fields})

    assert again.status_code == 200, again.text
    assert again.json() == answer | {"version": answer["version"] + 1}
    assert shared_site.listener.get(f"/{SLUG}/feed.xml").headers["etag"] == feed.headers["etag"]


def test_a_link_that_is_named_changes_and_the_others_stay(shared_site: Site) -> None:
    shared_site.api.patch(SHOW, json={"links": {"deezer": "https://www.deezer.com/show/1", "castbox": ""}})

    changed = shared_site.api.patch(SHOW, json={"links": {"castbox": "https://castbox.fm/1"}}).json()["links"]
    emptied = shared_site.api.patch(SHOW, json={"links": {"deezer": ""}}).json()["links"]

    assert (changed["deezer"], changed["castbox"]) == ("https://www.deezer.com/show/1", "https://castbox.fm/1")
    assert ("deezer" in emptied, "castbox" in emptied) == (False, True)


def test_a_show_that_listeners_could_not_get_is_refused(shared_site: Site) -> None:
    for said, field in (
        ({"categories": [["Nonsense", None]]}, "categories"),
        ({"title": ""}, "title"),
        ({"time_zone": "Brussels"}, "time_zone"),
        ({"slug": "api"}, "slug"),
        ({"zones": ["Kigali"]}, "zones"),
        ({"links": {"myspace": "https://example.org/"}}, "links"),
        ({"links": {"apple": "https://example.org/"}}, "links.apple"),
        ({"page_colour": "red"}, "page_colour"),
        ({"verification": [{"purpose": "verify"}]}, "verification"),
        ({"verification": [{"text": "x" * 4001}]}, "verification"),
        ({"persons": [{"name": "A", "image_url": f"/{SLUG}/cover-0123456789abcdef.jpg"}]}, "persons"),
        ({"email_in_feed": False, "email_in_feed_until": "2030-01-01T00:00:00Z"}, "email_in_feed_until"),
        ({"cover": "x"}, "cover"),
    ):
        refused = shared_site.api.patch(SHOW, json=said)

        assert refused.status_code == 422, said
        assert field in refused.json()["errors"][0]["field"]


def test_a_change_of_a_show_that_is_meant_for_another_version_is_refused(shared_site: Site) -> None:
    etag = shared_site.api.get(SHOW).headers["etag"]
    shared_site.api.patch(SHOW, json={"copyright": "IOM"})

    assert shared_site.api.patch(SHOW, json={"author": "Me"}, headers={"If-Match": etag}).status_code == 412
    assert shared_site.api.get(SHOW, headers={"If-None-Match": etag}).status_code == 200
    now = shared_site.api.get(SHOW).headers["etag"]
    assert shared_site.api.get(SHOW, headers={"If-None-Match": now}).status_code == 304


def test_a_show_that_was_renamed_is_still_found_under_its_old_address(site: Site) -> None:
    assert site.api.patch(SHOW, json={"slug": "renamed"}).json()["url"].endswith("/renamed/")

    assert site.api.get(SHOW).json()["slug"] == "renamed"


def test_a_recording_that_waits_can_be_thrown_away(site: Site, mp3: bytes) -> None:
    waits = site.episode(mp3, number="x").json()["upload_id"]
    used = site.episode(mp3, title="Used").json()
    listed = site.api.get("/api/v1/uploads", params={"show": SLUG, "state": "complete"}).json()["items"]
    used_upload = next(upload for upload in listed if upload["episode"] == used["id"])
    assert {upload["id"] for upload in listed} == {waits, used_upload["id"]}

    assert site.api.delete(f"/api/v1/uploads/{used_upload['id']}").status_code == 409
    assert site.api.delete(f"/api/v1/uploads/{waits}").status_code == 204
    assert site.api.get(f"/api/v1/uploads/{waits}").status_code == 404
    assert site.api.get("/api/v1/uploads", params={"show": "nobody"}).json()["items"] == []


@pytest.mark.parametrize(
    ("body", "media_type", "status"),
    [
        (b"{", "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b'{"a":' * 90_000, "application/json", 400),
        (b'{"a":' * 100 + b"1" + b"}" * 100, "application/json", 400),
        (b"[]", "application/json", 422),
        (b'{"season": 1e999}', "application/json", 422),
        (b'{"season": ' + b"9" * 4000 + b"}", "application/json", 422),
        (b'{"title": NaN}', "application/json", 422),
        (b'{"notes": "' + b"x" * 4_100_000 + b'"}', "application/json", 413),
        (b"title=x", "application/x-www-form-urlencoded", 415),
        (b"{}", "application/merge-patch+json", 200),
    ],
)
def test_a_body_that_cannot_be_read_is_refused_kindly(
    shared_site: Site, mp3: bytes, body: bytes, media_type: str, status: int
) -> None:
    made = shared_site.episode(mp3).json()

    answer = shared_site.api.patch(f"/api/v1/episodes/{made['id']}", content=body, headers={"Content-Type": media_type})

    assert answer.status_code == status
    if status != 200:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == status
        assert answer.json()["detail"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/nothing", 404),
        ("GET", "/api/v1/shows/nobody", 404),
        ("GET", "/api/v1/episodes/%00", 404),
        ("GET", "/api/v1/episodes/" + "x" * 1000, 404),
        ("DELETE", "/api/v1/uploads/..%2f..", 404),
        ("PUT", SHOW, 405),
        ("PUT", "/api/v1/uploads", 405),
    ],
)
def test_where_there_is_nothing_the_answer_is_a_problem(shared_site: Site, method: str, path: str, status: int) -> None:
    answer = shared_site.api.request(method, path)

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    if status == 405:
        assert "GET" in answer.headers["allow"]
