"""Who may do what over HTTP, and how it is said."""

import httpx2
import pytest

from podcast_app import people, shows
from podcast_app.access import SESSION_COOKIE
from podcast_app.fields import ShowFields
from podcast_app.models import Role, ShowId
from podcast_app.setup import create_show
from podcast_app.times import utcnow
from tests.site import SLUG, Site

SHOW = f"/api/v1/shows/{SLUG}"


def other_show(site: Site) -> ShowId:
    found = site.database.read(shows.find, "other")
    if found is None:
        fields = ShowFields(slug="other", title="Other", author="Somebody", categories=(("News", None),))
        create_show(site.database, site.storage, fields, site.settings)
    return site.database.read(shows.find, "other").id


def signed_in(site: Site, role: Role | None) -> dict[str, str]:
    """The headers of somebody's browser, on a page of ours."""

    def join(session: object) -> str:
        user = people.add_user(
            session,
            email=f"{role}@example.org",
            name="Aline",
            hashed="no password",
            language="en",
            is_administrator=False,
            now=utcnow(),
        )
        user = people.user_by_email(session, f"{role}@example.org") if isinstance(user, list) else user
        people.set_role(session, user.id, site.show().id, role)
        return people.sign_in(session, user.id, utcnow())

    cookie = f"{SESSION_COOKIE}={site.database.write(join)}"
    return {"Cookie": cookie, "Origin": site.settings.origin, "Sec-Fetch-Site": "same-origin"}


@pytest.mark.parametrize("authorization", [None, "Bearer", "Bearer nonsense", "Basic eDp5", "Bearer é"])
def test_without_a_good_token_one_is_asked_for_one(shared_site: Site, authorization: str | None) -> None:
    headers = [(b"Authorization", authorization.encode())] if authorization else []

    for answer in (
        shared_site.listener.get("/api/v1/shows", headers=headers),
        shared_site.listener.patch(SHOW, json={"title": "Mine"}, headers=headers),
    ):
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert answer.headers["content-type"] == "application/problem+json"


def test_a_revoked_token_is_none(shared_site: Site) -> None:
    secret = shared_site.database.write(people.create_token, "short", None, utcnow())
    headers = {"Authorization": f"Bearer {secret}"}
    assert shared_site.listener.get(SHOW, headers=headers).status_code == 200

    shared_site.database.write(people.revoke_token, "short", utcnow())

    assert shared_site.listener.get(SHOW, headers=headers).status_code == 401


def test_a_token_for_one_show_sees_no_other(shared_site: Site, mp3: bytes) -> None:
    secret = shared_site.database.write(people.create_token, "narrow", other_show(shared_site), utcnow())
    narrow = {"Authorization": f"Bearer {secret}"}
    episode = shared_site.episode(mp3, title="Elsewhere").json()
    upload_id = shared_site.episode(mp3, number="x").json()["upload_id"]

    for answer in (
        shared_site.listener.get(SHOW, headers=narrow),
        shared_site.listener.get(f"{SHOW}/episodes", headers=narrow),
        shared_site.listener.post(f"{SHOW}/episodes", files={"audio": ("a.mp3", mp3)}, headers=narrow),
        shared_site.listener.get(f"/api/v1/episodes/{episode['id']}", headers=narrow),
        shared_site.listener.delete(f"/api/v1/episodes/{episode['id']}", headers=narrow),
        shared_site.listener.get(f"/api/v1/uploads/{upload_id}", headers=narrow),
    ):
        assert answer.status_code == 404
    assert [show["slug"] for show in listed(shared_site, "/api/v1/shows", narrow)] == ["other"]
    assert listed(shared_site, "/api/v1/uploads", narrow) == []
    taken = shared_site.listener.post("/api/v1/shows/other/episodes", json={"upload_id": upload_id}, headers=narrow)
    assert taken.status_code == 422


def test_a_person_who_is_signed_in_does_what_their_role_allows(shared_site: Site) -> None:
    producer, viewer, stranger = (signed_in(shared_site, role) for role in ("producer", "viewer", None))

    def change(headers: dict[str, str]) -> int:
        return shared_site.listener.patch(SHOW, json={"copyright": "IOM"}, headers=headers).status_code

    assert [change(headers) for headers in (producer, viewer, stranger)] == [200, 403, 404]
    assert [show["slug"] for show in listed(shared_site, "/api/v1/shows", viewer)] == [SLUG]
    assert listed(shared_site, "/api/v1/shows", stranger) == []


@pytest.mark.parametrize(
    "elsewhere",
    [
        {},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "same-origin", "Origin": "https://evil.example"},
    ],
)
def test_another_site_cannot_make_a_browser_change_anything(shared_site: Site, elsewhere: dict[str, str]) -> None:
    cookie = {"Cookie": signed_in(shared_site, "producer")["Cookie"]}

    refused = shared_site.listener.patch(SHOW, json={"title": "Evil"}, headers=cookie | elsewhere)

    assert refused.status_code == 403
    assert shared_site.settings.origin in refused.json()["detail"]
    assert shared_site.listener.get(SHOW, headers=cookie | elsewhere).status_code == 200


@pytest.mark.parametrize("ours", [{"Sec-Fetch-Site": "same-origin"}, {"Origin": "ours"}])
def test_one_sign_that_the_page_is_ours_is_enough(shared_site: Site, ours: dict[str, str]) -> None:
    headers = {"Cookie": signed_in(shared_site, "producer")["Cookie"]} | ours
    if "Origin" in ours:
        headers["Origin"] = shared_site.settings.origin

    assert shared_site.listener.patch(SHOW, json={"copyright": "IOM"}, headers=headers).status_code == 200


def test_a_problem_is_said_in_the_reader_s_language(shared_site: Site) -> None:
    def asked(languages: str) -> httpx2.Response:
        return shared_site.listener.get("/api/v1/shows", headers={"Accept-Language": languages})

    french = asked("nl;q=0.9, fr-BE, en;q=0.8").json()["detail"]

    assert french.startswith("Nous ne savons pas")
    assert asked("de, en;q=0.5, fr;q=0.4").json()["detail"].startswith("We do not know")
    assert asked("fr;q=0, ;;=,").json()["detail"].startswith("We do not know")
    assert "Accept-Language" in asked("fr").headers["vary"]


def listed(site: Site, place: str, headers: dict[str, str]) -> list[dict[str, object]]:
    answer = site.listener.get(place, headers=headers)
    assert answer.status_code == 200
    items: list[dict[str, object]] = answer.json()["items"]
    return items
