"""Tokens in the studio: made, shown once, revoked, and never another show's."""

import httpx2
import pytest

from podcast_app import people
from podcast_app.models import TokenId
from podcast_app.times import utcnow
from tests.podcast_app.test_studio_people import ACCOUNTS, another_show
from tests.site import SLUG
from tests.studio import Browser, Page, Studio

HERE = f"/studio/shows/{SLUG}/tokens"
FOR_ALL = f"{ACCOUNTS}/tokens"


def made(browser: Browser, name: str, path: str = HERE) -> str:
    return secret_on(browser.press(browser.open(path), path, name=name))


def secret_on(page: Page) -> str:
    [field] = page.document.xpath("//input[@id='shown-once']")
    return str(field.get("value"))


def with_token(studio: Studio, secret: str, show: str = SLUG) -> int:
    """What the API says to whoever has it."""
    headers = {"Authorization": f"Bearer {secret}"}
    answer: httpx2.Response = studio.site.listener.get(f"/api/v1/shows/{show}", headers=headers)
    return answer.status_code


def test_a_producer_makes_a_token_that_opens_this_show_and_no_other(studio: Studio) -> None:
    another_show(studio.site)
    producer = studio.signed_in("makes@example.org", role="producer")

    secret = made(producer, "The archive's robot")

    assert (with_token(studio, secret), with_token(studio, secret, "other")) == (200, 404)
    page = producer.open(HERE)
    assert "The archive's robot" in page.text
    assert secret not in page.answer.text


def test_the_same_form_again_makes_no_second_token_and_one_without_a_name_none(studio: Studio) -> None:
    browser = studio.signed_in()
    form = browser.open(HERE).form_to(HERE)

    nameless = browser.send(HERE, form | {"name": "  "})
    first, again = (browser.send(HERE, form | {"name": "twice"}) for _ in range(2))

    assert (nameless.status, again.status) == (422, 200)
    assert "has no name" in nameless.beside("name")
    assert secret_on(first) not in again.answer.text
    assert again.document.xpath("count(//strong[text()='twice'])") == 1


def test_a_token_that_is_revoked_is_refused_at_once(studio: Studio) -> None:
    browser = studio.signed_in()
    secret = made(browser, "on a lost laptop")
    page = browser.open(HERE)
    [path] = page.document.xpath("//li[.//strong='on a lost laptop']//form/@action")

    after = browser.press(page, path)

    assert with_token(studio, secret) == 401
    assert "on a lost laptop" not in after.text


def test_nobody_revokes_a_token_of_another_show_or_of_all(studio: Studio) -> None:
    database = studio.site.database
    secrets = [database.write(people.create_token, "x", show, utcnow()) for show in (another_show(studio.site), None)]
    producer = studio.signed_in("reaches@example.org", role="producer")

    for secret in secrets:
        token = database.read(people.token, secret)
        assert token is not None
        producer.send(f"{HERE}/{TokenId(token.id)}/revoke", {})

    assert [with_token(studio, secret, "other") for secret in secrets] == [200, 200]


@pytest.mark.parametrize(("path", "status"), [(HERE, 403), (f"{HERE}/x/revoke", 403), (FOR_ALL, 404)])
def test_a_viewer_has_nothing_to_do_with_tokens(studio: Studio, path: str, status: int) -> None:
    viewer = studio.signed_in("only-reads@example.org", role="viewer")

    assert viewer.send(path, {"name": "mine"}).status == status
    assert viewer.open(HERE).status == 403


def test_tokens_for_all_shows_are_made_by_administrators_and_named_among_the_accounts(studio: Studio) -> None:
    another_show(studio.site)
    admin = studio.signed_in()

    secret = made(admin, "nightly copy", FOR_ALL)

    assert (with_token(studio, secret), with_token(studio, secret, "other")) == (200, 200)
    assert "nightly copy" in admin.open(ACCOUNTS).text
    assert "nightly copy" not in admin.open(HERE).text
