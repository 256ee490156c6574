"""The studio as a browser without scripts uses it: pages are read, their forms are filled in and sent."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import httpx2
from lxml import html

from podcast_app import people
from podcast_app.access import SESSION_COOKIE
from podcast_app.models import Role, User
from podcast_app.times import utcnow
from tests.site import SLUG, Site

HOME = f"/studio/shows/{SLUG}/"
NEW = f"/studio/shows/{SLUG}/new"
SETTINGS = f"/studio/shows/{SLUG}/settings"
PASSWORD = "quatre mots qui se suivent"


@dataclass(frozen=True)
class Page:
    """An answer, read as HTML."""

    answer: httpx2.Response

    @property
    def document(self) -> html.HtmlElement:
        return html.fromstring(self.answer.text)

    @property
    def status(self) -> int:
        return self.answer.status_code

    @property
    def path(self) -> str:
        return self.answer.url.path

    @property
    def text(self) -> str:
        return " ".join(self.document.find("body").text_content().split())

    def form(self) -> dict[str, str]:
        """What the page's main form would send as it stands; files aside. As in a browser, the line end after
        `<textarea>` is none, and what is disabled is not sent."""
        return self._sent_by(self.document.xpath("//main//form[not(contains(@action, 'discard'))]")[0])

    def form_to(self, path: str) -> dict[str, str]:
        """The same of the form that goes to this path."""
        return self._sent_by(self.document.xpath(f"//main//form[@action='{path}']")[0])

    def _sent_by(self, form: html.HtmlElement) -> dict[str, str]:
        disabled = {element.get("name") for element in form.xpath(".//fieldset[@disabled]//*[@name]")}
        areas = {area.get("name") for area in form.xpath(".//textarea")}
        values = {name: value or "" for name, value in form.form_values() if name not in disabled}
        return {name: value.removeprefix("\n") if name in areas else value for name, value in values.items()}

    def beside(self, name: str) -> str:
        """What is said to be wrong with an input, read the way a screen reader finds it."""
        described = self.document.get_element_by_id(name).get("aria-describedby", "").split()
        return " ".join(self.document.get_element_by_id(part).text_content() for part in described)


@dataclass(frozen=True)
class Browser:
    """Somebody's browser. Redirects are followed, cookies kept."""

    client: httpx2.Client

    def open(self, path: str) -> Page:
        return Page(self.client.get(path, follow_redirects=True))

    def send(self, path: str, fields: Mapping[str, str]) -> Page:
        return Page(self.client.post(path, data=dict(fields), follow_redirects=True))

    def fill(self, page: Page, **changes: str) -> Page:
        """Send the page's main form to where it came from, with these inputs changed. `fr_title` is `title.fr`."""
        named = {name[3:] + ".fr" if name.startswith("fr_") else name: value for name, value in changes.items()}
        return self.send(page.path, page.form() | {"then": "save"} | named)

    def press(self, page: Page, path: str, button: str = "", **changes: str) -> Page:
        """Send the page's form that goes to this path, by its button of this value."""
        return self.send(path, page.form_to(path) | ({"then": button} if button else {}) | changes)

    def attach(self, page: Page, path: str, files: Mapping[str, tuple[str, bytes]], **changes: str) -> Page:
        """The same for a form that takes files."""
        fields = page.form_to(path) | changes
        return Page(self.client.post(path, data=fields, files=dict(files), follow_redirects=True))

    def upload(self, audio: bytes, filename: str = "matonge.mp3", path: str = NEW, **typed: str) -> Page:
        """Fill in the form for a new episode, and send it with this file."""
        fields = self.open(path).form() | {"then": "save"} | typed
        files = {"audio": (filename, audio)}
        return Page(self.client.post(NEW, data=fields, files=files, follow_redirects=True))


@dataclass(frozen=True)
class Studio:
    """A site, and the browsers that are open on it."""

    site: Site
    _open: ExitStack

    def stranger(self) -> Browser:
        """Nobody is signed in. As every browser, it says which page a form comes from."""
        here, origin = str(self.site.listener.base_url), self.site.settings.origin
        client = httpx2.Client(base_url=here, headers={"Origin": origin}, timeout=60)
        return Browser(self._open.enter_context(client))

    def signed_in(self, email: str = "aline@example.org", *, role: Role | None = None, language: str = "en") -> Browser:
        """A person's browser: an administrator's, or with a role somebody's who has it in the first show."""
        person = self.person(email) or self.account(email, is_administrator=role is None, language=language)
        if role is not None:
            self.site.database.write(people.set_role, person.id, self.site.show().id, role)
        browser = self.stranger()
        browser.client.cookies.set(SESSION_COOKIE, self.site.database.write(people.sign_in, person.id, utcnow()))
        return browser

    def account(self, email: str, *, is_administrator: bool = True, language: str = "en") -> User:
        """Somebody whose password is PASSWORD."""
        made = self.site.database.write(
            people.add_user,
            email=email,
            name=email.partition("@")[0],
            hashed=people.password_hash(PASSWORD),
            language=language,
            is_administrator=is_administrator,
            now=utcnow(),
        )
        assert isinstance(made, User), made
        return made

    def person(self, email: str) -> User | None:
        return self.site.database.read(people.user_by_email, email)

    def first_link(self) -> str:
        """Where the first account is made."""
        return f"/studio/setup/{self.site.database.write(people.first_account_link, utcnow())}"


@contextmanager
def opened(site: Site) -> Iterator[Studio]:
    with ExitStack() as browsers:
        yield Studio(site, browsers)
