"""Share cards, as messengers fetch them for a link that somebody sent."""

from io import BytesIO

import pytest
from PIL import Image

from podcast_app.models import Episode
from podcast_app.site import share_cards
from tests.site import SLUG
from tests.visitor import Visitor


@pytest.fixture(scope="module")
def matonge(shared_visitor: Visitor, mp3: bytes) -> Episode:
    return shared_visitor.podcasts.published(mp3, title="Matonge")


@pytest.mark.parametrize("path", [f"/{SLUG}/", f"/{SLUG}/matonge", f"/fr/{SLUG}/", f"/fr/{SLUG}/matonge"])
def test_every_page_names_a_card_that_can_be_fetched(shared_visitor: Visitor, matonge: Episode, path: str) -> None:
    said = _said(shared_visitor, path)

    answer = shared_visitor.get(said["og:image"].removeprefix(shared_visitor.origin))

    assert answer.status_code == 200
    assert answer.headers["content-type"] == said["og:image:type"] == "image/jpeg"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["access-control-allow-origin"] == "*"
    image = Image.open(BytesIO(answer.content))
    assert image.size == (int(said["og:image:width"]), int(said["og:image:height"])) == (1200, 630)
    assert len(answer.content) < 100_000
    assert said["twitter:card"] == "summary_large_image"


def test_a_card_tells_in_words_what_stands_on_it(shared_visitor: Visitor, matonge: Episode) -> None:
    show = _said(shared_visitor, f"/{SLUG}/")["og:image:alt"]

    assert _said(shared_visitor, f"/{SLUG}/matonge")["og:image:alt"] == f"Matonge – {show}"


def test_a_card_that_is_known_is_not_drawn_again(shared_visitor: Visitor) -> None:
    path = _card(shared_visitor, f"/{SLUG}/")
    etag = shared_visitor.get(path).headers["etag"]
    drawn = share_cards._drawn.cache_info()

    again = shared_visitor.get(path, If_None_Match=etag)
    once_more = shared_visitor.get(path)

    assert (again.status_code, again.content, once_more.status_code) == (304, b"", 200)
    assert share_cards._drawn.cache_info().misses == drawn.misses


def test_a_new_title_has_a_new_card_and_the_old_address_leads_to_it(visitor: Visitor, mp3: bytes) -> None:
    episode = visitor.podcasts.published(mp3, title="Matonge")
    before = _card(visitor, f"/{SLUG}/matonge")
    old = visitor.get(before).content

    visitor.change(episode, title="Matonge, la belle")

    after = _card(visitor, f"/{SLUG}/matonge")
    assert after != before
    assert _leads_to(visitor, before) == after
    assert visitor.get(after).content != old


@pytest.mark.long
def test_a_new_cover_has_a_new_card(visitor: Visitor, mp3: bytes) -> None:
    visitor.podcasts.published(mp3, title="Matonge")
    before = _card(visitor, f"/{SLUG}/matonge")
    picture = BytesIO()
    Image.new("RGB", (1400, 1400), "#ffdd00").save(picture, "PNG")

    sent = visitor.site.api.put(f"/api/v1/shows/{SLUG}/cover", content=picture.getvalue())
    assert sent.status_code == 200, sent.text

    after = _card(visitor, f"/{SLUG}/matonge")
    assert _leads_to(visitor, before) == after
    card = Image.open(BytesIO(visitor.get(after).content))
    assert card.getpixel((300, 300)) == pytest.approx((255, 221, 0), abs=8)


def test_a_card_says_the_french_title_in_french(visitor: Visitor, mp3: bytes) -> None:
    episode = visitor.podcasts.published(mp3, title="The river")
    visitor.change(episode, translations={"fr": {"title": "Le fleuve"}})

    english, french = _card(visitor, f"/{SLUG}/the-river"), _card(visitor, f"/fr/{SLUG}/the-river")

    assert french.startswith(f"/fr/{SLUG}/the-river/share-")
    assert visitor.get(english).content != visitor.get(french).content
    assert _leads_to(visitor, f"/fr{english}") == french


def test_the_card_of_a_renamed_episode_is_found_under_its_old_name(visitor: Visitor, mp3: bytes) -> None:
    episode = visitor.podcasts.published(mp3, title="Matonge")
    before = _card(visitor, f"/{SLUG}/matonge")

    visitor.change(episode, slug="second-name")

    assert _leads_to(visitor, before) == _card(visitor, f"/{SLUG}/second-name")


def test_what_is_not_public_has_no_card(visitor: Visitor, mp3: bytes) -> None:
    visitor.podcasts.draft(mp3, title="Secret")
    gone: Episode = visitor.podcasts.published(mp3, title="Gone")
    card = _card(visitor, f"/{SLUG}/gone")

    visitor.withdraw(gone)

    assert visitor.get(card).status_code == 410
    for path in (f"/{SLUG}/secret/share-0.jpg", f"/{SLUG}/nothing/share-0.jpg", "/nothing/share-0.jpg"):
        assert visitor.get(path).status_code == 404
    assert visitor.get(f"/{SLUG}/share-0.png").status_code == 404


def _said(visitor: Visitor, path: str) -> dict[str, str]:
    page = visitor.page(path)
    return {meta.get("property") or meta.get("name"): meta.get("content") for meta in page.xpath("//meta[@content]")}


def _card(visitor: Visitor, path: str) -> str:
    return _said(visitor, path)["og:image"].removeprefix(visitor.origin)


def _leads_to(visitor: Visitor, path: str) -> str:
    answer = visitor.get(path)
    assert answer.status_code == 302
    return answer.headers["location"].removeprefix(visitor.origin)
