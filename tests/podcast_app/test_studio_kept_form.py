"""A form that was sent by somebody whose session had ended: nothing of it is lost, without scripts too."""

import pytest

from podcast_app.studio.kept_form import LARGEST
from tests.studio import HOME, NEW, PASSWORD, Browser, Page, Studio

SIGN_IN = "/studio/sign-in"
ODD = 'Marché "de" <Matonge> & ça\nsecond line'


@pytest.fixture
def browser(studio: Studio) -> Browser:
    return studio.signed_in("paule@example.org")


def sign_in(browser: Browser, page: Page, password: str = PASSWORD) -> Page:
    return browser.press(page, SIGN_IN, email="paule@example.org", password=password)


def test_a_form_whose_sender_is_signed_out_is_sent_on_after_signing_in_on_the_same_page(
    browser: Browser, mp3: bytes
) -> None:
    page = browser.upload(mp3, title="Before")
    browser.client.cookies.clear()

    out = browser.fill(page, title="After", notes=ODD)
    wrong = sign_in(browser, out, "not the password")
    inside = sign_in(browser, wrong)

    assert (out.status, wrong.status, inside.status) == (401, 422, 200)
    assert "what you typed is kept" in out.text
    assert "do not belong together" in wrong.beside("email")
    assert (browser.open(page.path).form()["title"], inside.form()["notes"]) == ("Before", ODD)
    saved = browser.press(inside, page.path)
    assert saved.status == 200
    assert (saved.form()["title"], saved.form()["notes"]) == ("After", ODD)


def test_of_a_form_with_a_file_the_texts_are_kept_and_the_file_is_asked_for_again(browser: Browser, mp3: bytes) -> None:
    fields = browser.open(NEW).form() | {"then": "save", "title": "Kept", "notes": ODD}
    browser.client.cookies.clear()

    out = Page(browser.client.post(NEW, data=fields, files={"audio": ("marché.mp3", mp3)}))
    inside = sign_in(browser, out)
    without = browser.attach(inside, NEW, {"audio": ("", b"")})
    made = browser.attach(inside, NEW, {"audio": ("marché.mp3", mp3)})

    assert out.status == 401
    assert "Choose this file again: marché.mp3" in inside.text
    assert (without.status, without.form()["title"]) == (422, "Kept")
    assert made.path.startswith("/studio/episodes/")
    assert (made.form()["title"], made.form()["notes"]) == ("Kept", ODD)


def test_who_signs_in_too_often_still_has_what_was_typed(studio: Studio) -> None:
    studio.account("often@example.org")
    browser, kept = studio.stranger(), {"resume_to": "/studio/account", "kept.name": "Marie"}

    for _ in range(9):
        page = browser.send(SIGN_IN, kept | {"email": "often@example.org", "password": "a guess"})

    assert page.status == 429
    assert page.form() == kept | {"resume_as": "", "email": "often@example.org", "password": ""}


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/studio/account/password", {"old_password": PASSWORD, "password": "another one"}),
        ("/studio/account", {"name": "x" * LARGEST}),
    ],
)
def test_passwords_and_very_long_texts_are_kept_by_the_browser_only(
    studio: Studio, path: str, fields: dict[str, str]
) -> None:
    client = studio.stranger().client

    for answer in (client.post(path, data=fields), client.post(path, data=fields, files={"cover": ("x.png", b"x")})):
        assert answer.status_code == 401
        assert "reload this page" in answer.text
        assert not any(said in answer.text for said in fields.values())


@pytest.mark.parametrize("to", ["https://evil.example/", "/studio/../x"])
def test_a_kept_form_goes_on_into_the_studio_and_nowhere_else(browser: Browser, to: str) -> None:
    browser.client.cookies.clear()
    who = {"email": "paule@example.org", "password": PASSWORD}

    page = browser.send(SIGN_IN, who | {"resume_to": to, "kept.name": "x"})

    assert (page.status, page.path) == (200, HOME)
    assert "evil" not in page.answer.text
