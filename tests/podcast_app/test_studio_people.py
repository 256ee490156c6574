"""Who works on a show: invitations, roles, accounts, and that nobody gets further than they may."""

import dataclasses
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select

from podcast_app import devices, people, shows
from podcast_app.access import SESSION_COOKIE
from podcast_app.fields import ShowFields
from podcast_app.models import OneTimeLink, Role, ShowId, StudioSession, User, UserId
from podcast_app.setup import create_show
from podcast_app.sign_ins import SignIns
from podcast_app.times import utcnow
from tests.podcasts import Library, Place
from tests.site import SLUG, Site, free_port, running
from tests.studio import HOME, PASSWORD, Browser, Page, Studio, opened

TEAM = f"/studio/shows/{SLUG}/people"
ACCOUNTS = "/studio/people"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture
def own_studio(sqlite_place: Place) -> Iterator[Studio]:
    """For what depends on everybody who has an account."""
    settings = dataclasses.replace(sqlite_place, port=free_port()).settings
    with running(settings, with_worker=False) as site, opened(site) as studio:
        yield studio


def invited(browser: Browser, email: str = "", role: Role = "producer") -> str:
    """The path of a new invitation's link, as its page shows it."""
    return link_on(browser.press(browser.open(TEAM), TEAM, email=email, role=role))


def link_on(page: Page) -> str:
    [field] = page.document.xpath("//input[@id='shown-once']")
    return "/" + str(field.get("value")).split("/", 3)[3]


def newcomer(email: str) -> dict[str, str]:
    return {"as": "", "name": "Noé", "email": email, "password": PASSWORD, "language": "en"}


def account(studio: Studio, email: str) -> User:
    return studio.person(email) or studio.account(email, is_administrator=False)


def browser_of(studio: Studio, person: User) -> Browser:
    """Signed in, with no role but those that the person has."""
    browser = studio.stranger()
    browser.client.cookies.set(SESSION_COOKIE, studio.site.database.write(people.sign_in, person.id, utcnow()))
    return browser


def role_of(studio: Studio, email: str) -> Role | None:
    person = studio.person(email)
    return studio.site.database.read(people.role, person, studio.site.show().id) if person is not None else None


def another_show(site: Site) -> ShowId:
    if (found := site.database.read(shows.find, "other")) is not None:
        return found.id
    fields = ShowFields(slug="other", title="Other", author="Somebody", categories=(("News", None),))
    create_show(site.database, site.storage, fields, site.settings)
    return another_show(site)


def count(studio: Studio, table: type[OneTimeLink | User]) -> int:
    return studio.site.database.read(lambda session: session.scalar(select(func.count()).select_from(table))) or 0


# --- invitations ---


def test_an_invitation_makes_an_account_that_works_on_the_show_at_once(studio: Studio) -> None:
    link = invited(studio.signed_in(), "new@example.org", role="viewer")
    browser = studio.stranger()

    page = browser.open(link)
    inside = browser.fill(page, name="Noé", password=PASSWORD)

    assert "Diaspora Insights" in page.text
    assert page.form()["email"] == "new@example.org"
    assert (inside.status, inside.path) == (200, HOME)
    assert role_of(studio, "new@example.org") == "viewer"
    assert not studio.person("new@example.org").is_administrator


def test_somebody_who_is_signed_in_joins_with_one_press(studio: Studio) -> None:
    link = invited(studio.signed_in())
    browser = browser_of(studio, account(studio, "joins@example.org"))

    inside = browser.fill(browser.open(link))

    assert inside.path == HOME
    assert role_of(studio, "joins@example.org") == "producer"


def test_somebody_with_an_account_signs_in_and_comes_back_to_the_invitation(studio: Studio) -> None:
    account(studio, "comes-back@example.org")
    link = invited(studio.signed_in())
    browser = studio.stranger()
    [way] = browser.open(link).document.xpath("//main//a/@href")

    back = browser.fill(browser.open(way), email="comes-back@example.org", password=PASSWORD)
    inside = browser.fill(back)

    assert (back.path, inside.path) == (link, HOME)
    assert role_of(studio, "comes-back@example.org") == "producer"


def test_looking_at_an_invitation_changes_nothing_and_using_it_ends_it_kindly(studio: Studio) -> None:
    link = invited(studio.signed_in())
    visitor = browser_of(studio, account(studio, "looks@example.org"))
    assert [browser.open(link).status for browser in (visitor, studio.stranger())] == [200, 200]
    assert role_of(studio, "looks@example.org") is None
    visitor.fill(visitor.open(link))

    late = [
        studio.stranger().open(link),
        visitor.open(link),
        studio.stranger().send(link, newcomer("late@example.org")),
    ]

    assert [page.status for page in late] == [410, 410, 410]
    assert all("a producer of the show or an administrator" in page.text for page in late)
    assert studio.person("late@example.org") is None


def test_an_invitation_that_two_people_use_at_once_lets_one_in(studio: Studio) -> None:
    link = invited(studio.signed_in())
    browsers = {email: studio.stranger() for email in ("first@example.org", "second@example.org")}

    with ThreadPoolExecutor(2) as both:
        pages = list(both.map(lambda email: browsers[email].send(link, newcomer(email)), browsers))

    assert sorted(page.status for page in pages) == [200, 410]
    assert sorted(role_of(studio, email) or "" for email in browsers) == ["", "producer"]


def test_an_invitation_takes_nothing_from_who_has_more_and_stays_for_somebody_else(studio: Studio) -> None:
    link = invited(studio.signed_in(), role="viewer")
    producer = studio.signed_in("has-more@example.org", role="producer")

    looked = producer.open(link)
    producer.send(link, {"as": studio.person("has-more@example.org").id})

    assert "already" in looked.text
    assert role_of(studio, "has-more@example.org") == "producer"
    assert studio.stranger().open(link).status == 200


def test_nobody_joins_as_somebody_who_signed_in_meanwhile_in_another_window(studio: Studio) -> None:
    link = invited(studio.signed_in())
    stranger = studio.stranger()
    form = stranger.open(link).form() | newcomer("other-window@example.org")
    stranger.client.cookies = browser_of(studio, account(studio, "meanwhile@example.org")).client.cookies

    page = stranger.send(link, form)

    assert (page.status, page.path) == (200, link)
    assert "Join as meanwhile" in page.text
    assert (role_of(studio, "meanwhile@example.org"), studio.person("other-window@example.org")) == (None, None)


def test_the_same_form_again_makes_no_second_link_and_a_wrong_address_none(studio: Studio) -> None:
    browser = studio.signed_in()
    form = browser.open(TEAM).form_to(TEAM) | {"email": "once@example.org"}

    refused = browser.send(TEAM, form | {"email": "once"})
    first, again = browser.send(TEAM, form), browser.send(TEAM, form)

    assert (refused.status, refused.form_to(TEAM)["email"]) == (422, "once")
    assert refused.beside("email").startswith("We send nothing")
    assert "not an e-mail address" in refused.beside("email")
    assert link_on(first) not in again.answer.text
    assert again.document.xpath("count(//strong[text()='once@example.org'])") == 1


def test_an_invitation_that_was_taken_back_is_over(studio: Studio) -> None:
    browser = studio.signed_in()
    link = invited(browser, "regretted@example.org")
    page = browser.open(TEAM)
    [path] = page.document.xpath("//li[.//strong='regretted@example.org']//form/@action")

    after = browser.press(page, path)

    assert "regretted@example.org" not in after.text
    assert studio.stranger().open(link).status == 410


def test_inviting_tells_nobody_who_has_an_account(studio: Studio) -> None:
    account(studio, "known@example.org")
    producer = studio.signed_in("curious@example.org", role="producer")

    pages = [
        producer.press(producer.open(TEAM), TEAM, email=f"{name}@example.org", role="viewer")
        for name in ("known", "stray")
    ]

    said = [page.document.xpath("string(//div[@role='status'])") for page in pages]
    assert said[0].replace("known", "stray") == said[1] != ""


# --- roles ---


def test_a_role_acts_on_the_next_page_and_so_does_its_end(studio: Studio) -> None:
    admin, browser = studio.signed_in(), studio.signed_in("changes@example.org", role="producer")
    person = studio.person("changes@example.org")
    assert browser.open(f"{HOME}new").status == 200

    admin.press(admin.open(TEAM), f"{TEAM}/{person.id}/role", role="viewer")
    as_viewer = [browser.open(HOME).status, browser.open(f"{HOME}new").status]
    admin.press(admin.open(TEAM), f"{TEAM}/{person.id}/off")

    assert as_viewer == [200, 403]
    assert browser.open(HOME).status == 404


def test_who_is_no_producer_any_more_has_no_use_for_invitations_that_they_made(studio: Studio) -> None:
    producer = studio.signed_in("leaves@example.org", role="producer")
    link = invited(producer)
    admin = studio.signed_in()

    admin.press(admin.open(TEAM), f"{TEAM}/{studio.person('leaves@example.org').id}/off")

    assert producer.open(link).status == 410


def test_a_viewer_reads_who_works_there_and_is_offered_nothing_else(studio: Studio) -> None:
    studio.signed_in("colleague@example.org", role="producer")
    link = invited(studio.signed_in(), "secretly@example.org")

    page = studio.signed_in("reader@example.org", role="viewer").open(TEAM)

    assert page.status == 200
    assert "colleague" in page.text
    assert "@example.org" not in page.text
    assert page.document.xpath("//main//form | //main//button | //main//a[contains(@href, 'tokens')]") == []
    assert link.rpartition("/")[2] not in page.answer.text


@pytest.mark.parametrize("path", ["", "/{person}/role", "/{person}/off", "/links/{link}/take-back"])
def test_a_viewer_and_a_stranger_change_nothing_of_the_team(studio: Studio, path: str) -> None:
    viewer = studio.signed_in("tries@example.org", role="viewer")
    me = studio.person("tries@example.org").id
    invited(studio.signed_in())
    links = count(studio, OneTimeLink)
    here = TEAM + path.format(person=me, link=studio.site.database.read(people.links, utcnow())[0].secret_hash)

    mine = viewer.send(here, {"role": "producer"})
    elsewhere = viewer.client.post(here.replace(SLUG, "other"), data={"role": "producer"})
    strangers = studio.stranger().send(here, {"role": "producer"})

    assert (mine.status, elsewhere.status_code, strangers.status) == (403, 404, 401)
    assert (role_of(studio, "tries@example.org"), count(studio, OneTimeLink)) == ("viewer", links)


def test_a_producer_reaches_nobody_and_nothing_of_another_show(studio: Studio) -> None:
    producer = studio.signed_in("neighbour@example.org", role="producer")
    theirs, database = another_show(studio.site), studio.site.database
    person = account(studio, "theirs@example.org")
    database.write(people.set_role, person.id, theirs, "producer")
    database.write(people.show_link, theirs, "viewer", "their-guest@example.org", utcnow())
    [link] = database.read(people.links, utcnow(), theirs)

    answers = [
        producer.open("/studio/shows/other/people").status,
        producer.send(f"{TEAM}/{person.id}/role", {"role": "viewer"}).status,
        producer.send(f"{TEAM}/{person.id}/off", {}).status,
        producer.send(f"{TEAM}/links/{link.secret_hash}/take-back", {}).status,
    ]

    assert answers == [404, 404, 404, 200]
    assert database.read(people.role, person, theirs) == "producer"
    assert [found.email for found in database.read(people.links, utcnow(), theirs)] == ["their-guest@example.org"]


def test_names_are_text_and_never_markup(studio: Studio) -> None:
    name = '"><svg onload="document.title=1"></script>'
    admin = studio.signed_in("hostile@example.org")
    admin.fill(admin.open("/studio/account"), name=name)
    studio.site.database.write(
        people.set_role, studio.person("hostile@example.org").id, studio.site.show().id, "producer"
    )
    link = invited(admin, role="producer")

    pages = [admin.open(path) for path in (TEAM, ACCOUNTS, "/studio/account", link)]
    pages.append(admin.open(f"{ACCOUNTS}/{studio.person('hostile@example.org').id}"))

    assert [page.status for page in pages] == [200] * 5
    assert all(name in page.document.xpath("string()") for page in pages)
    assert all(page.document.xpath("//svg | //script[not(@src)]") == [] for page in pages)


# --- accounts ---


@pytest.mark.parametrize("role", ["producer", "viewer"])
def test_accounts_are_for_administrators_and_nobody_makes_himself_one(studio: Studio, role: Role) -> None:
    browser = studio.signed_in(f"not-an-administrator-{role}@example.org", role=role)
    me = studio.person(f"not-an-administrator-{role}@example.org")
    victim = account(studio, "victim@example.org").id
    paths = [f"{ACCOUNTS}/{victim}/{what}" for what in ("administrator", "password", "sign-out", "remove")]
    paths += [f"{ACCOUNTS}/{me.id}/administrator", f"{ACCOUNTS}/links/x/take-back", f"{ACCOUNTS}/tokens"]

    looked = [browser.open(path).status for path in (ACCOUNTS, f"{ACCOUNTS}/{victim}", f"{ACCOUNTS}/tokens")]
    sent = [browser.send(path, {"is_administrator": "true", "name": "mine"}).status for path in paths]

    assert (set(looked), set(sent)) == ({404}, {404})
    assert not studio.person(me.email).is_administrator
    assert studio.person("victim@example.org") is not None


def test_an_administrator_sees_all_accounts_and_what_links_are_open(studio: Studio) -> None:
    admin = studio.signed_in()
    studio.signed_in("worker@example.org", role="producer")
    invited(admin, "guest-of-all@example.org")
    lost = account(studio, "lost-password@example.org")
    studio.site.database.write(people.password_link, lost.id, utcnow())

    page = admin.open(ACCOUNTS)

    assert "worker@example.org Diaspora Insights (Producer)" in page.text
    assert "guest-of-all@example.org" in page.text
    [path] = page.document.xpath("//li[.//strong='lost-password']//form/@action")
    assert "lost-password sets a new password" not in admin.press(page, path).text


def test_a_password_link_is_shown_once_and_ends_the_one_before_and_the_sessions(studio: Studio) -> None:
    admin, person = studio.signed_in(), account(studio, "reset@example.org")
    inside, here = browser_of(studio, person), f"{ACCOUNTS}/{person.id}"
    links = [link_on(admin.press(admin.open(here), f"{here}/password")) for _ in range(2)]
    browser = studio.stranger()

    first, changed = studio.stranger().open(links[0]), browser.fill(browser.open(links[1]), password="fresh words here")

    assert (first.status, changed.status) == (410, 200)
    assert links[1].rpartition("/")[2] not in admin.open(here).answer.text
    assert inside.open("/studio/account").path == "/studio/sign-in"
    assert studio.stranger().open(links[1]).status == 410


def test_a_password_link_that_is_used_twice_at_once_works_once(studio: Studio) -> None:
    person = account(studio, "twice@example.org")
    link = f"/studio/password/{studio.site.database.write(people.password_link, person.id, utcnow())}"
    browsers = [studio.stranger() for _ in range(2)]

    with ThreadPoolExecutor(2) as both:
        pages = list(both.map(lambda browser: browser.send(link, {"password": "some new words"}), browsers))

    assert sorted(page.status for page in pages) == [200, 410]


def test_an_administrator_signs_somebody_out_and_takes_the_account_away(studio: Studio) -> None:
    admin, person = studio.signed_in(), account(studio, "goes@example.org")
    here, inside = f"{ACCOUNTS}/{person.id}", browser_of(studio, person)
    admin.press(admin.open(here), f"{here}/sign-out")
    signed_out = inside.open("/studio/account").path
    back = browser_of(studio, person)

    gone = admin.press(admin.open(here), f"{here}/remove")

    assert (signed_out, gone.path) == ("/studio/sign-in", ACCOUNTS)
    assert back.open("/studio/account").path == "/studio/sign-in"
    assert studio.person("goes@example.org") is None
    assert admin.open(here).status == 404
    again = {"email": "goes@example.org", "password": PASSWORD}
    assert studio.stranger().send("/studio/sign-in", again).status == 422


def test_the_last_administrator_stays_one(own_studio: Studio) -> None:
    admin = own_studio.signed_in("aline@example.org")
    here = f"{ACCOUNTS}/{own_studio.person('aline@example.org').id}"

    pages = [admin.press(admin.open(here), f"{here}/{what}") for what in ("administrator", "remove")]

    assert [page.status for page in pages] == [409, 409]
    assert all("Nobody else administers this site" in page.text for page in pages)
    assert own_studio.person("aline@example.org").is_administrator


def test_an_administrator_makes_another_one_who_is_one_on_the_next_page(own_studio: Studio) -> None:
    admin = own_studio.signed_in("aline@example.org")
    second = own_studio.signed_in("benoit@example.org", role="viewer")
    here = f"{ACCOUNTS}/{own_studio.person('benoit@example.org').id}"
    link = invited(admin)

    admin.press(admin.open(here), f"{here}/administrator")
    path = f"{ACCOUNTS}/{own_studio.person('aline@example.org').id}"
    second.press(second.open(path), f"{path}/administrator")

    assert (admin.open(ACCOUNTS).status, second.open(ACCOUNTS).status) == (404, 200)
    assert own_studio.stranger().open(link).status == 410  # the first one may know it


def test_two_administrators_who_end_each_other_at_once_leave_one(library: Library) -> None:
    database = library.work.database
    both = [administrator(library, name) for name in ("aline", "benoit")]

    def end(user_id: UserId) -> bool:
        return database.write(
            lambda session: bool(people.set_administrator(session, session.get_one(User, user_id), False))
        )

    with ThreadPoolExecutor(2) as at_once:
        refused = list(at_once.map(end, both))

    assert sorted(refused) == [False, True]
    assert len(database.read(people.administrators)) == 1


def administrator(library: Library, name: str) -> UserId:
    made = library.work.database.write(
        people.add_user,
        email=f"{name}@example.org",
        name=name,
        hashed="none",
        language="en",
        is_administrator=True,
        now=utcnow(),
    )
    assert isinstance(made, User)
    return made.id


# --- sessions ---


def test_a_person_sees_where_they_are_signed_in_and_ends_one_of_them(studio: Studio) -> None:
    account(studio, "everywhere@example.org")
    here, there = studio.stranger(), studio.stranger()
    here.client.headers["User-Agent"] = FIREFOX
    for browser in (here, there):
        browser.send("/studio/sign-in", {"email": "everywhere@example.org", "password": PASSWORD})
    page = here.open("/studio/account")
    [other] = page.document.xpath("//ul[contains(@class, 'people')]/li[not(.//*[@class='mark'])]//form/@action")

    after = here.press(page, other)

    assert "Firefox, Linux this one" in page.text
    assert (after.path, there.open("/studio/account").path) == ("/studio/account", "/studio/sign-in")


def test_nobody_ends_the_session_of_somebody_else(studio: Studio) -> None:
    thief, victim = (browser_of(studio, account(studio, f"{name}@example.org")) for name in ("thief", "target"))
    theirs = people.digest(victim.client.cookies[SESSION_COOKIE])

    thief.send(f"/studio/account/sessions/{theirs}/end", {})

    assert victim.open("/studio/account").path == "/studio/account"


def test_signing_in_takes_no_session_that_was_there_before(studio: Studio) -> None:
    account(studio, "fixed@example.org")
    browser = browser_of(studio, account(studio, "before@example.org"))
    planted = browser.client.cookies[SESSION_COOKIE]

    answer = browser.client.post("/studio/sign-in", data={"email": "fixed@example.org", "password": PASSWORD})

    assert answer.cookies[SESSION_COOKIE] != planted
    rows = studio.site.database.read(lambda session: session.get(StudioSession, people.digest(planted)))
    assert rows is None


@pytest.mark.parametrize(
    ("user_agent", "known_as"),
    [
        (FIREFOX, "Firefox, Linux"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 26_0 like Mac OS X) Version/26.0 Mobile Safari/604.1", "Safari, iPhone"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64) Chrome/142.0 Safari/537.36 Edg/142.0", "Edge, Windows"),
        ("Mozilla/5.0 (Linux; Android 16) SamsungBrowser/29.0 Chrome/140.0", "Samsung Internet, Android"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Chrome/142.0 Safari/537.36", "Chrome, macOS"),
        ("curl/8", ""),
        ("<svg onload=alert(1)>" * 100, ""),
    ],
)
def test_a_browser_is_named_in_two_words(user_agent: str, known_as: str) -> None:
    assert devices.name(user_agent) == known_as


# --- whoever tries too often, and from elsewhere ---


def test_a_link_that_is_tried_with_many_passwords_waits(studio: Studio) -> None:
    account(studio, "taken@example.org")
    link = invited(studio.signed_in())
    browser = studio.stranger()

    tries = [browser.send(link, newcomer("taken@example.org")) for _ in range(9)]

    assert [page.status for page in tries] == [422] * 8 + [429]
    assert "too many tries" in tries[-1].beside("password")
    assert browser.open(link).status == 200


def test_links_that_are_made_up_wait_and_good_ones_do_not() -> None:
    tries = SignIns()

    assert [tries.wait_after_guess() for _ in range(60)] == [0] * 60
    assert tries.wait_after_guess() > 0
    assert tries.wait_with_link("a good one") == 0


def test_whoever_guesses_at_many_addresses_holds_up_no_link_and_makes_no_try_forgotten() -> None:
    tries = SignIns()
    for _ in range(9):
        tries.wait("aline@example.org")

    for number in range(20_000):
        tries.wait(f"{number}@example.org")

    assert tries.wait("aline@example.org") > 0
    assert tries.wait_with_link("a good one") == 0


@pytest.mark.parametrize("kind", ["setup", "password", "invitation"])
def test_a_made_up_link_opens_nothing(studio: Studio, kind: str) -> None:
    for secret in ("x", "a" * 2000):
        assert studio.stranger().open(f"/studio/{kind}/{secret}").status == 410
        assert studio.stranger().send(f"/studio/{kind}/{secret}", newcomer("made-up@example.org")).status == 410


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}])
def test_no_form_of_another_site_changes_who_works_here(studio: Studio, headers: dict[str, str]) -> None:
    admin = studio.signed_in()
    link = invited(admin)
    person = account(studio, "framed@example.org")
    paths = [TEAM, f"{TEAM}/{person.id}/off", link, ACCOUNTS + "/tokens", f"/studio/shows/{SLUG}/tokens"]
    paths += [f"{ACCOUNTS}/{person.id}/{what}" for what in ("administrator", "password", "sign-out", "remove")]
    paths += ["/studio/account/sessions/x/end"]
    before = count(studio, OneTimeLink), count(studio, User)

    answers = [admin.client.post(path, data=newcomer("forged@example.org"), headers=headers) for path in paths]

    assert {answer.status_code for answer in answers} == {403}
    assert (count(studio, OneTimeLink), count(studio, User)) == before
