"""Coming in and going out: links, passwords, sessions, and what an answer of the studio never does."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from podcast_app import people
from podcast_app.access import SESSION_COOKIE
from podcast_app.settings import Settings
from podcast_app.times import utcnow
from tests.site import free_port, running
from tests.studio import HOME, NEW, PASSWORD, SETTINGS, Studio, opened

WHO = {"name": "Aline", "email": "aline@example.org", "password": PASSWORD, "language": "fr"}


@pytest.fixture
def new_studio(tmp_path: Path) -> Iterator[Studio]:
    """Nobody has an account here yet."""
    settings = Settings(port=free_port(), data_dir=tmp_path, _env_file=None)
    with running(settings, with_worker=False) as site, opened(site) as studio:
        yield studio


def test_the_first_link_makes_an_administrator_who_is_in_at_once(new_studio: Studio) -> None:
    link = new_studio.first_link()
    browser = new_studio.stranger()

    page = browser.send(link, WHO)

    assert (page.status, page.path) == (200, HOME)
    assert "Nouvel épisode" in page.text
    assert new_studio.person("aline@example.org").is_administrator


def test_a_link_is_used_up_by_the_account_and_not_by_a_look(new_studio: Studio) -> None:
    link = new_studio.first_link()
    assert [new_studio.stranger().open(link).status for _ in range(2)] == [200, 200]
    new_studio.stranger().send(link, WHO)

    looked, sent = new_studio.stranger().open(link), new_studio.stranger().send(link, WHO | {"email": "b@c.de"})

    assert (looked.status, sent.status) == (410, 410)
    assert "This link is used up" in sent.text
    assert len(new_studio.site.database.read(people.users)) == 1


def test_an_account_that_is_refused_names_all_that_is_wrong_and_loses_neither_what_was_typed_nor_the_link(
    new_studio: Studio,
) -> None:
    link = new_studio.first_link()
    browser = new_studio.stranger()

    refused = browser.send(link, WHO | {"email": "aline@example", "password": "short"})

    assert refused.status == 422
    assert "10 to 200 characters" in refused.beside("password")
    assert "name@example.org" in refused.beside("email")
    assert refused.form() == WHO | {"email": "aline@example", "password": ""}
    assert browser.send(link, WHO).path == HOME


def test_an_invitation_says_whom_it_is_for_and_makes_no_administrator(studio: Studio) -> None:
    secret = studio.site.database.write(people.invitation_link, "new@example.org", is_administrator=False, now=utcnow())
    browser = studio.stranger()

    page = browser.open(f"/studio/setup/{secret}")
    inside = browser.fill(page, password=PASSWORD)

    assert page.form()["email"] == "new@example.org"
    assert "No show is yours yet" in inside.text
    assert not studio.person("new@example.org").is_administrator


def test_who_is_not_signed_in_signs_in_and_comes_where_they_wanted(studio: Studio) -> None:
    studio.account("marie@example.org")
    browser = studio.stranger()

    page = browser.open(SETTINGS)
    inside = browser.fill(page, email=" Marie@Example.org", password=PASSWORD)

    assert page.path == "/studio/sign-in"
    assert (inside.status, inside.path) == (200, SETTINGS)


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example/studio/", "/studio/../x", "/about"])
def test_signing_in_leads_into_the_studio_and_nowhere_else(studio: Studio, elsewhere: str) -> None:
    if studio.person("jean@example.org") is None:
        studio.account("jean@example.org")
    who = {"email": "jean@example.org", "password": PASSWORD, "next": elsewhere}

    answer = studio.stranger().client.post("/studio/sign-in", data=who)

    assert (answer.status_code, answer.headers["location"]) == (303, "/studio/")


def test_a_wrong_password_and_an_unknown_address_are_told_apart_by_nobody(studio: Studio) -> None:
    studio.account("known@example.org")
    browser = studio.stranger()

    wrong = browser.send("/studio/sign-in", {"email": "known@example.org", "password": "something else"})
    unknown = browser.send("/studio/sign-in", {"email": "nobody@example.org", "password": "something else"})

    assert (wrong.status, unknown.status) == (422, 422)
    assert wrong.beside("email") == unknown.beside("email") != ""
    assert wrong.form()["email"] == "known@example.org"


def test_many_wrong_tries_make_one_address_wait_and_no_other(new_studio: Studio) -> None:
    new_studio.account("aline@example.org")
    new_studio.account("other@example.org")
    browser = new_studio.stranger()
    for _ in range(8):
        browser.send("/studio/sign-in", {"email": "aline@example.org", "password": "a guess"})

    held = browser.send("/studio/sign-in", {"email": "aline@example.org", "password": PASSWORD})

    assert held.status == 429
    assert 0 < int(held.answer.headers["retry-after"]) <= 60
    assert "too many tries" in held.beside("email")
    assert browser.send("/studio/sign-in", {"email": "other@example.org", "password": PASSWORD}).path == HOME


def test_strangers_who_guess_keep_nobody_out_of_a_browser_where_they_signed_in_before(new_studio: Studio) -> None:
    new_studio.account("aline@example.org")
    known, stranger = new_studio.stranger(), new_studio.stranger()
    known.send("/studio/sign-in", {"email": "aline@example.org", "password": PASSWORD})
    known.send("/studio/sign-out", {})
    for _ in range(9):
        held = stranger.send("/studio/sign-in", {"email": "aline@example.org", "password": "a guess"})

    assert held.status == 429
    assert known.send("/studio/sign-in", {"email": "aline@example.org", "password": PASSWORD}).path == HOME


def test_signing_out_everywhere_ends_every_browsers_session(studio: Studio) -> None:
    here, elsewhere = (studio.signed_in("lost@example.org") for _ in range(2))
    assert elsewhere.open("/studio/account").path == "/studio/account"

    here.send("/studio/sign-out-everywhere", {})

    assert here.open("/studio/account").path == "/studio/sign-in"
    assert elsewhere.open("/studio/account").path == "/studio/sign-in"


def test_signing_out_ends_this_session_also_for_who_kept_its_cookie(studio: Studio) -> None:
    browser = studio.signed_in("careful@example.org")
    secret = browser.client.cookies[SESSION_COOKIE]

    browser.send("/studio/sign-out", {})

    thief = studio.stranger()
    thief.client.cookies.set(SESSION_COOKIE, secret)
    assert thief.open("/studio/account").path == "/studio/sign-in"


def test_a_password_link_sets_a_new_one_and_ends_the_old_sessions(studio: Studio) -> None:
    person = studio.account("forgetful@example.org")
    before = studio.signed_in("forgetful@example.org")
    link = f"/studio/password/{studio.site.database.write(people.password_link, person.id, utcnow())}"
    browser = studio.stranger()

    inside = browser.fill(browser.open(link), password="another row of words")

    assert inside.path == HOME
    assert before.open("/studio/account").path == "/studio/sign-in"
    assert studio.stranger().open(link).status == 410
    again = {"email": "forgetful@example.org", "password": "another row of words"}
    assert studio.stranger().send("/studio/sign-in", again).path == HOME


def test_a_password_is_changed_by_who_knows_the_old_one(studio: Studio) -> None:
    browser = studio.signed_in("owner@example.org")
    other = studio.signed_in("owner@example.org")
    new = {"old_password": "not this", "password": "a fresh row of words"}

    refused = browser.send("/studio/account/password", new)
    changed = browser.send("/studio/account/password", new | {"old_password": PASSWORD})

    assert (refused.status, changed.status) == (422, 200)
    assert "not your password" in refused.beside("old_password")
    assert other.open("/studio/account").path == "/studio/sign-in"


def test_each_person_chooses_the_studios_language(studio: Studio) -> None:
    browser = studio.signed_in("choosy@example.org")

    french = browser.fill(browser.open("/studio/account"), name="Chantal", language="fr")

    assert french.document.get("lang") == "fr"
    assert "Votre compte" in french.text
    assert "Chantal" in french.text


def test_a_form_that_another_site_sends_is_refused(studio: Studio) -> None:
    browser = studio.signed_in()

    answers = [
        browser.client.post("/studio/sign-out", headers=headers)
        for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"})
    ]

    assert [answer.status_code for answer in answers] == [403, 403, 403]
    assert browser.open("/studio/account").path == "/studio/account"


def test_the_session_is_for_our_own_requests_only(tmp_path: Path) -> None:
    settings = Settings(port=free_port(), data_dir=tmp_path, base_url="https://podcast.example.org", _env_file=None)
    with running(settings, with_worker=False) as site, opened(site) as studio:
        studio.account("aline@example.org")

        answer = studio.stranger().client.post(
            "/studio/sign-in", data={"email": "aline@example.org", "password": PASSWORD}
        )

    cookie = answer.headers["set-cookie"].lower()
    assert all(part in cookie for part in ("httponly", "secure", "samesite=lax", "path=/", "max-age=2592000"))


@pytest.mark.parametrize("path", ["/studio/", "/studio/sign-in", HOME, NEW, SETTINGS, "/studio/account", "/studio/x/y"])
def test_no_answer_of_the_studio_is_kept_framed_or_found(studio: Studio, path: str) -> None:
    answer = studio.signed_in().client.get(path)

    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-frame-options"] == "DENY"
    assert "noindex" in answer.headers["x-robots-tag"]


def test_no_page_of_the_studio_has_anything_inline(studio: Studio) -> None:
    browser = studio.signed_in()

    for path in ("/studio/account", HOME, NEW, SETTINGS):
        page = browser.open(path)
        policy = page.answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert page.document.xpath("//script[not(@src)] | //style | //@style | //@*[starts-with(name(), 'on')]") == []


def test_nothing_is_built_from_the_host_that_a_request_names(studio: Studio) -> None:
    browser = studio.signed_in()
    headers = {"Host": "evil.example", "X-Forwarded-Host": "evil.example"}

    answers = [browser.client.get(path, headers=headers) for path in ("/studio", "/studio/", HOME, NEW, SETTINGS)]
    lost = studio.stranger().client.get(SETTINGS, headers=headers)

    for answer in (*answers, lost):
        assert "evil.example" not in answer.text
        assert "evil.example" not in answer.headers.get("location", "")
