"""What listeners keep and hand on, as far as the server has a part in it; the rest: tests/journeys/test_keep.py."""

import json
import re

import pytest
from lxml import html

from podcast_app import behind, static_files, worker
from podcast_app.models import Episode
from podcast_app.security import PRIVATE
from podcast_app.site.sharing import file_name
from tests.site import SLUG, hurried
from tests.studio import Studio
from tests.visitor import Visitor

KEPT, MATONGE = f"/{SLUG}/episodes/kept", f"/{SLUG}/matonge"


@pytest.fixture(scope="module")
def matonge(shared_visitor: Visitor, mp3: bytes) -> Episode:
    return shared_visitor.podcasts.published(mp3, title="Matonge", slug="matonge")


def test_the_worker_is_looked_at_each_time_and_asks_for_nothing_from_elsewhere(shared_visitor: Visitor) -> None:
    answer = shared_visitor.get("/sw.js")

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["cache-control"] == "no-cache"
    assert shared_visitor.get("/sw.js", If_None_Match=answer.headers["etag"]).status_code == 304
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "connect-src 'self';" in policy
    for imported in re.findall(r'from"(/[^"]+)"', answer.text.replace(" ", "")):
        assert shared_visitor.get(imported).status_code == 200


def test_the_worker_leaves_producers_and_machines_alone() -> None:
    closed = re.search(r"CLOSED ?= ?/\^\\/\(\?:([a-z|]+)\)", static_files.text("sw.js"))

    assert closed is not None
    assert set(closed[1].split("|")) >= PRIVATE | {"api", "metrics", "oembed"}


@pytest.mark.parametrize(
    ("path", "language", "heading"),
    [(KEPT, "en", "Kept on this device"), (f"/fr{KEPT}", "fr", "Gardés sur cet appareil")],
)
def test_the_page_of_what_is_kept_is_the_same_for_everybody_and_found_by_no_engine(
    shared_visitor: Visitor, path: str, language: str, heading: str
) -> None:
    page = shared_visitor.page(path)

    assert page.get("lang") == language
    assert page.findtext(".//h1") == heading
    assert page.xpath("//meta[@name='robots']/@content") == ["noindex"]
    assert len(page.xpath("//main//noscript/p")) == 1


def test_the_page_of_what_is_kept_has_one_address(shared_visitor: Visitor) -> None:
    moved = shared_visitor.get(f"/en{KEPT}/")

    assert (moved.status_code, moved.headers["location"]) == (301, shared_visitor.origin + KEPT)
    assert shared_visitor.get("/nothing/episodes/kept").status_code == 404


def test_a_page_offers_the_lightest_copies_first_and_names_what_belongs_to_them(
    shared_visitor: Visitor, matonge: Episode
) -> None:
    with hurried():
        worker.catch_up(shared_visitor.podcasts.work, (behind.make_low_mp3, behind.make_low_opus))
    shared_visitor.change(shared_visitor.podcasts.episode(matonge.id), notes="Seen anew.")

    page = shared_visitor.page(MATONGE)
    offered = page.xpath("//button[@data-keep]")

    records = [json.loads(button.get("data-keep")) for button in offered]
    sizes = [record["size_bytes"] for record in records]
    assert len(records) == 3
    assert sizes == sorted(sizes)
    assert records[0]["pages"] == [MATONGE, f"/fr{MATONGE}"]
    assert records[0]["lists"] == [KEPT, f"/fr{KEPT}"]
    assert {*records[0]["others"], records[0]["audio"]} == {record["audio"] for record in records}
    assert page.xpath("//button[@data-keep]/@value") == [MATONGE] * 3
    [sent] = page.xpath("//button[@data-send]")
    assert sent.get("data-audio").endswith(".mp3")
    assert all("hidden" in button.attrib for button in [*offered, sent])


def test_without_script_the_address_and_the_player_stand_there_to_be_copied(
    shared_visitor: Visitor, matonge: Episode
) -> None:
    share = shared_visitor.page(MATONGE).get_element_by_id("share").getparent()

    assert share.xpath(".//input[@id='share-link']/@value") == [shared_visitor.origin + MATONGE]
    [player] = share.xpath(".//textarea")
    [frame] = html.fragments_fromstring(player.text)
    assert frame.get("src") == f"{shared_visitor.origin}{MATONGE}/embed"
    assert "readonly" in player.attrib
    assert [name for name in share.itertext() if name.strip() == "undefined"] == []


def test_what_is_not_public_is_neither_handed_on_nor_kept(studio: Studio, mp3: bytes) -> None:
    aline = studio.signed_in()
    draft = aline.upload(mp3, title="Matonge")

    preview = aline.send(f"{draft.path}/preview", draft.form())

    assert "Matonge" in preview.text
    assert not re.search(r"data-(share|send|keep)\b", preview.text)


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Matonge, et ce qui reste", "Matonge, et ce qui reste – Voix.mp3"),
        ('What? "Yes/No"\n..', "What Yes No .. – Voix.mp3"),
        ("رسائل من بروكسل", "رسائل من بروكسل – Voix.mp3"),
        ("A" * 200, "A" * 100 + ".mp3"),
        ("Many words. " * 9 + "Enough", "Many words. " * 8 + "Many.mp3"),
    ],
)
def test_the_file_that_is_sent_has_a_name_that_people_read_and_every_device_takes(title: str, name: str) -> None:
    assert file_name("Voix", title) == name
