"""The shows: a new one, one that is put away, and the way of one into the directories."""

from tests.site import SLUG, Site
from tests.studio import HOME, SETTINGS, Browser, Page, Studio

SHOWS = "/studio/shows/"
NEW_SHOW = "/studio/new-show"
DIRECTORIES = f"{HOME}directories"


def made(browser: Browser, title: str) -> str:
    """The address of a new show."""
    return browser.fill(browser.open(NEW_SHOW), title=title).path.split("/")[3]


def put_away(browser: Browser, slug: str) -> Page:
    return browser.press(browser.open(f"{SHOWS}{slug}/settings"), f"{SHOWS}{slug}/archive")


def public(site: Site, path: str) -> tuple[int, str]:
    answer = site.listener.get(path, follow_redirects=True)
    return answer.status_code, answer.text


def test_an_administrator_makes_a_show_once_however_often_the_form_is_sent(studio: Studio) -> None:
    browser = studio.signed_in()
    form = browser.open(NEW_SHOW).form() | {"title": "Voix d'ici", "language": "fr", "category.0": "News > Politics"}

    first, second = browser.send(NEW_SHOW, form), browser.send(NEW_SHOW, form)

    assert first.path == second.path == f"{SHOWS}voix-d-ici/"
    assert first.status == 200
    status, xml = public(studio.site, "/voix-d-ici/feed.xml")
    assert (status, "<title>Voix d'ici</title>" in xml, 'text="Politics"' in xml) == (200, True, True)
    assert browser.open(SHOWS).text.count("Voix d'ici") == 1


def test_a_show_without_a_title_is_not_made_and_what_was_typed_stays(studio: Studio) -> None:
    browser = studio.signed_in()

    page = browser.fill(browser.open(NEW_SHOW), title=" ", author="IOM")

    assert (page.status, page.form()["author"]) == (422, "IOM")
    assert page.beside("title") != ""


def test_only_administrators_make_shows(studio: Studio) -> None:
    producer = studio.signed_in("producer@example.org", role="producer")

    assert producer.open(NEW_SHOW).status == 403
    assert producer.send(NEW_SHOW, {"title": "Mine"}).status == 403
    assert NEW_SHOW not in producer.open(SHOWS).answer.text


def test_an_empty_show_that_is_put_away_is_gone_for_listeners_until_it_comes_back(studio: Studio) -> None:
    site, browser = studio.site, studio.signed_in()
    slug = made(browser, "Second")

    away = put_away(browser, slug)

    assert away.path == SHOWS
    assert away.document.xpath("//section[@aria-labelledby='archived']//a/@href") == [f"{SHOWS}second/"]
    assert "Second" not in public(site, "/")[1]
    assert public(site, "/fr/second/")[0] == public(site, "/second/feed.xml")[0] == 404
    status, page = public(site, "/second/")
    assert (status, "This podcast is resting." in page) == (404, True)
    assert site.api.get("/api/v1/shows/second").json()["archived"] is True

    back = put_away(browser, slug)  # the same button's place

    assert (back.status, back.path) == (200, f"{SHOWS}second/")
    assert public(site, "/second/")[0] == public(site, "/second/feed.xml")[0] == 200


def test_a_show_that_listeners_have_cannot_be_put_away_and_says_why(studio: Studio, mp3: bytes) -> None:
    studio.site.published(mp3, title="Out")
    browser = studio.signed_in()

    page = browser.open(SETTINGS)
    refused = browser.send(f"{HOME}archive", {"archived": "true"})

    assert not page.document.xpath(f"//form[@action='{HOME}archive']")
    assert refused.status == 422
    for said in (page.text, refused.text):
        assert "Listeners have episodes of this show" in said
    assert public(studio.site, f"/{SLUG}/")[0] == 200


def test_the_directories_page_says_what_is_missing_and_where_to_mend_it(studio: Studio) -> None:
    browser = studio.signed_in()
    slug = made(browser, "Fourth")

    page = browser.open(f"{SHOWS}{slug}/directories")

    assert "publish the first one" in page.text
    apple = page.document.xpath("//section[@aria-labelledby='apple']")[0]
    mends = apple.xpath(".//li[contains(@class, 'is-open')]//a/@href")
    assert mends == [f"{SHOWS}{slug}/", *(f"{SHOWS}{slug}/settings#{part}" for part in ("texts", "kind"))]
    anchors = browser.open(f"{SHOWS}{slug}/settings").document.xpath("//details/@id")
    assert {"picture", "texts", "kind", "proof"} <= set(anchors)
    assert page.document.get_element_by_id("feed").get("value").endswith(f"/{slug}/feed.xml")


def test_the_link_that_a_directory_gives_is_pasted_and_becomes_the_shows(studio: Studio) -> None:
    browser = studio.signed_in()
    page, pocket = browser.open(DIRECTORIES), "https://pca.st/abcd"
    youtube = {"seen": _seen(page, "youtube"), "links.youtube": "https://youtube.evil.example/"}

    saved = browser.send(DIRECTORIES, {"seen": _seen(page, "pocketcasts"), "links.pocketcasts": pocket})
    refused = browser.send(DIRECTORIES, youtube)

    assert saved.document.xpath("//section[@aria-labelledby='pocketcasts']//input[@type='url']/@value") == [pocket]
    assert studio.site.show().links["pocketcasts"] == pocket
    assert refused.status == 422
    assert "https://www.youtube.com/" in refused.beside("links.youtube")
    assert refused.document.get_element_by_id("links.youtube").get("value") == youtube["links.youtube"]


def test_who_only_looks_finds_no_form_among_the_directories(studio: Studio) -> None:
    viewer = studio.signed_in("viewer@example.org", role="viewer")

    assert viewer.open(DIRECTORIES).document.xpath("//main//form") == []
    assert viewer.send(DIRECTORIES, {"links.apple": "https://podcasts.apple.com/x"}).status == 403
    assert viewer.send(f"{HOME}archive", {"archived": "true"}).status == 403


def _seen(page: Page, directory: str) -> str:
    seen: str = page.document.xpath(f"//section[@aria-labelledby='{directory}']//input[@name='seen']/@value")[0]
    return seen
