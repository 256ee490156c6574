"""Covers, as feeds, pages and other sites fetch them."""

from io import BytesIO

import httpx2
import pytest
from PIL import Image

from media import artwork
from podcast_app import covers
from podcast_app.models import Cover, Episode, EpisodeId
from tests.site import SLUG
from tests.visitor import Visitor


@pytest.fixture(scope="module")
def matonge(shared_visitor: Visitor, mp3: bytes) -> Episode:
    return shared_visitor.podcasts.published(mp3, title="Matonge")


def test_a_cover_comes_whole_with_everything_that_lets_it_be_kept(visitor: Visitor) -> None:
    cover = visitor.podcasts.show().cover

    answer = visitor.get(f"/{SLUG}/cover-{cover.id}.{cover.extension}")

    assert answer.content == visitor.podcasts.work.storage.read(cover.key, 0, 10**7)
    assert answer.headers["content-type"] == cover.media_type
    assert answer.headers["content-length"] == str(len(answer.content))
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert not answer.headers["etag"].startswith("W/")


def test_a_cover_that_is_known_is_not_sent_again(visitor: Visitor) -> None:
    path = f"/{SLUG}/cover-{visitor.podcasts.show().cover.id}.jpg"
    etag = visitor.get(path).headers["etag"]

    again = visitor.get(path, If_None_Match=etag)
    asked_about = visitor.site.listener.head(path)

    assert (again.status_code, again.content) == (304, b"")
    assert (asked_about.status_code, asked_about.content) == (200, b"")
    assert int(asked_about.headers["content-length"]) > 10_000


@pytest.mark.parametrize("side", [192, 512])
def test_a_small_cover_is_small_and_smaller_for_whoever_knows_webp(visitor: Visitor, side: int) -> None:
    path = f"/{SLUG}/cover-{visitor.podcasts.show().cover.id}-{side}"
    jpeg, webp = visitor.get(f"{path}.jpg"), visitor.get(f"{path}.webp")

    for answer, media_type in ((jpeg, "image/jpeg"), (webp, "image/webp")):
        assert answer.headers["content-type"] == media_type
        image = Image.open(BytesIO(answer.content))
        assert (image.size, image.get_format_mimetype()) == ((side, side), media_type)
    assert len(webp.content) < 0.7 * len(jpeg.content) < 28_000
    assert webp.headers["etag"] != jpeg.headers["etag"]


@pytest.mark.parametrize("path", ["/", "/matonge"])  # a player carries one, the lighter
def test_a_page_offers_the_same_cover_as_webp_and_as_jpeg(shared_visitor: Visitor, matonge: Episode, path: str) -> None:
    page = shared_visitor.page(f"/{SLUG}{path}")

    pictures = page.xpath("//picture")

    assert len(pictures) == len(page.xpath("//img[contains(@src, '/cover-')]")) > 0
    for picture in pictures:
        webp, jpeg = picture.xpath("source[@type='image/webp']/@srcset")[0], picture.xpath(".//img/@src")[0]
        assert webp.removesuffix(".webp") == jpeg.removesuffix(".jpg")
        assert shared_visitor.get(webp).headers["content-type"] == "image/webp"
        assert picture.xpath(".//img[@alt and @width and @height]")


@pytest.mark.parametrize(
    "name", ["{id}-193.jpg", "{id}-512.png", "{id}.webp", "{id}.png", "{id}-.jpg", "0123456789abcdef.jpg", "..jpg"]
)
def test_a_cover_that_never_was_is_not_made_up(visitor: Visitor, name: str) -> None:
    path = f"/{SLUG}/cover-{name.format(id=visitor.podcasts.show().cover.id)}"

    assert visitor.get(path).status_code == 404


def test_a_new_cover_has_a_new_address_and_the_old_one_still_answers(visitor: Visitor) -> None:
    old = visitor.podcasts.show().cover
    new = _give(visitor, None, "Another title")

    assert _current(visitor, f"/{SLUG}/cover.jpg").endswith(f"/{SLUG}/cover-{new.id}.jpg")
    assert f"cover-{new.id}-" in visitor.page(f"/{SLUG}/").xpath("//header//img/@src")[0]
    before, after = (visitor.get(f"/{SLUG}/cover-{cover.id}.jpg") for cover in (old, new))
    assert (before.status_code, after.status_code) == (200, 200)
    assert before.content != after.content


def test_a_cover_that_was_a_png_is_what_its_address_says_and_other_sites_are_told(visitor: Visitor, mp3: bytes) -> None:
    visitor.podcasts.published(mp3, title="Matonge")
    before = _told(visitor)
    png = BytesIO()
    Image.new("RGBA", (1400, 1400), (0, 90, 0, 128)).save(png, "PNG")

    sent = visitor.site.api.put(f"/api/v1/shows/{SLUG}/cover", content=png.getvalue())
    assert sent.status_code == 200, sent.text

    after = _told(visitor)
    assert not set(before) & set(after)
    for path in (*after, _current(visitor, f"/{SLUG}/cover.jpg"), _current(visitor, f"/{SLUG}/cover.png")):
        answer = visitor.get(path.removeprefix(visitor.origin))
        assert Image.open(BytesIO(answer.content)).get_format_mimetype() == answer.headers["content-type"]
        assert (path[-4:], answer.headers["content-type"]) == (".jpg", "image/jpeg")


def test_the_cover_of_an_episode_is_seen_when_the_episode_is(visitor: Visitor, mp3: bytes) -> None:
    draft = visitor.podcasts.draft(mp3, title="Matonge")
    cover = _give(visitor, draft, "Matonge")
    path = f"/{SLUG}/matonge/cover-{cover.id}.jpg"
    before = visitor.get(path)

    published = visitor.podcasts.published(mp3, title="Other")
    its_own = _give(visitor, published.id, "Other")

    assert before.status_code == 404
    assert visitor.get(f"/{SLUG}/other/cover-{its_own.id}.jpg").status_code == 200
    assert visitor.get(f"/{SLUG}/other/cover-{cover.id}.jpg").status_code == 404  # the draft's
    assert visitor.get(f"/{SLUG}/cover-{its_own.id}.jpg").status_code == 404  # not the show's
    assert _current(visitor, f"/{SLUG}/other/cover.jpg").endswith(f"/{SLUG}/other/cover-{its_own.id}.jpg")


def test_an_episode_without_a_cover_has_the_show_s(visitor: Visitor, mp3: bytes) -> None:
    visitor.podcasts.published(mp3, title="Plain")

    assert _current(visitor, f"/{SLUG}/plain/cover.jpg") == _current(visitor, f"/{SLUG}/cover.jpg")


def _give(visitor: Visitor, episode: EpisodeId | None, title: str) -> Cover:
    """A new cover for the episode, or for the show."""
    database, storage = visitor.site.database, visitor.site.storage
    picture = covers.store(database, storage, artwork.generated(title))
    return database.write(covers.set_current, visitor.podcasts.show().id, episode, picture)


def _current(visitor: Visitor, path: str) -> str:
    answer: httpx2.Response = visitor.get(path)
    assert answer.status_code == 302
    return answer.headers["location"]


def _told(visitor: Visitor) -> list[str]:
    """The pictures that other sites show of an episode without a cover of its own."""
    page = visitor.page(f"/{SLUG}/matonge")
    thumbnail = visitor.get(f"/oembed?url={visitor.origin}/{SLUG}/matonge").json()["thumbnail_url"]
    return [page.xpath("//meta[@property='og:image']/@content")[0], thumbnail]
