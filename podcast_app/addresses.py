"""Every public address, built from the public origin and nothing else; and the languages that pages exist in."""

from dataclasses import dataclass, replace
from ipaddress import ip_address
from urllib.parse import quote, urlsplit

LANGUAGES = ("en", "fr")  # of pages, studio and messages

# First parts of our own routes, and what may become one: no show and no episode is called so.
RESERVED = frozenset(
    {"account", "admin", "api", "chapters", "cover", "embed", "en", "episodes", "feed", "feeds", "fr", "healthz"}
    | {"login", "logout", "media", "metrics", "nl", "oembed", "opml", "preview", "privacy", "readyz", "robots"}
    | {"search", "setup", "sitemap", "static", "studio", "sw", "transcript", "waveform"}
)


@dataclass(frozen=True, slots=True)
class View:
    """A show as listeners of one language see it. `main` is in the show's own language."""

    name: str  # "main", "fr"; of feeds also "main-low", "fr-low"
    language: str  # the language that text is looked for in, BCP 47
    prefix: str  # "" or "/fr"
    is_low: bool = False  # with the light edition in the enclosure's place

    @property
    def page_language(self) -> str:
        """The language of the page's own words."""
        return page_language(self.language)


def page_language(language: str) -> str:
    """The nearest language that pages exist in; English when there is none."""
    base = language.split("-")[0].lower()
    return base if base in LANGUAGES else LANGUAGES[0]


def views(language: str) -> tuple[View, ...]:
    """All views of a show whose main language this is: its own, and one for each other language of ours."""
    main = language.split("-")[0].lower()
    others = (View(other, other, f"/{other}") for other in LANGUAGES if other != main)
    return (View("main", language, ""), *others)


def feed_views(language: str) -> tuple[View, ...]:
    """The same for its feeds: each view has a second one for slow or costly lines."""
    of_show = views(language)
    return (*of_show, *(low(view) for view in of_show))


def low(view: View) -> View:
    return replace(view, name=f"{view.name}-low", is_low=True)


@dataclass(frozen=True, slots=True)
class Addresses:
    """Absolute URLs below one origin ("https://podcast.example.org")."""

    origin: str

    @property
    def is_private(self) -> bool:
        """Whether listeners elsewhere cannot reach it: a loopback address."""
        host = urlsplit(self.origin).hostname or ""
        return host == "localhost" or host.endswith(".localhost") or _is_loopback(host)

    def show(self, show: str, view: View) -> str:
        return f"{self.origin}{view.prefix}/{show}/"

    def listing(self, show: str, number: int, view: View, season: int | None = None) -> str:
        """A page of the show's episodes, or of a season's; the first one of all is the show's own."""
        of_season = () if season is None else (f"season-{season}",)
        further = (*of_season, *((str(number),) if number > 1 else ()))
        return self.show(show, view) + ("/".join(("episodes", *further)) if further else "")

    def search(self, show: str, view: View) -> str:
        return f"{self.show(show, view)}search"

    def home(self, language: str) -> str:
        """The list of shows, in one of our languages."""
        return f"{self.origin}/" + (f"{language}/" if language != LANGUAGES[0] else "")

    def sitemap(self, part: int | None = None) -> str:
        return f"{self.origin}/sitemap{'' if part is None else f'-{part}'}.xml"

    def opml(self) -> str:
        return f"{self.origin}/opml.xml"

    def manifest(self, show: str, view: View) -> str:
        return f"{self.show(show, view)}manifest.webmanifest"

    def feed_code(self, show: str, view: View) -> str:
        """The feed's address as a QR code."""
        return f"{self.show(show, view)}feed-qr.svg"

    def kept(self, show: str, view: View) -> str:
        return f"{self.show(show, view)}episodes/kept"

    def feed(self, show: str, view: View) -> str:
        return f"{self.origin}{feed_path(show, view)}"

    def episode(self, show: str, episode: str, view: View) -> str:
        return f"{self.origin}{view.prefix}/{show}/{episode}"

    def embed(self, show: str, episode: str | None, view: View) -> str:
        return f"{self.origin}{view.prefix}/{show}/{episode + '/' if episode else ''}embed"

    def embed_list(self, show: str, number: int, view: View) -> str:
        """A page of the list of episodes in a player."""
        return self.embed(show, None, view) + "/episodes" + (f"/{number}" if number > 1 else "")

    def oembed(self, page: str) -> str:
        return f"{self.origin}/oembed?url={quote(page, safe='')}&format=json"

    def cover(self, show: str, episode: str | None, version: str, extension: str) -> str:
        return f"{self.origin}/{show}/{episode + '/' if episode else ''}cover-{version}.{extension}"

    def small_cover(self, show: str, episode: str | None, version: str, side_px: int, extension: str = "jpg") -> str:
        return self.cover(show, episode, f"{version}-{side_px}", extension)

    def share_card(self, show: str, episode: str | None, version: str, view: View) -> str:
        return f"{self.origin}{view.prefix}/{show}/{episode + '/' if episode else ''}share-{version}.jpg"

    def chapters(self, show: str, episode: str) -> str:
        return f"{self.origin}/{show}/{episode}/chapters.json"

    def waveform(self, show: str, episode: str) -> str:
        return f"{self.origin}/{show}/{episode}/waveform.json"

    def transcript(self, show: str, episode: str, language: str, extension: str) -> str:
        return f"{self.origin}/{show}/{episode}/transcript.{language}.{extension}"

    def media(self, audio: str, name: str) -> str:
        return f"{self.origin}/media/{audio}/{name}"


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False  # a name


def feed_path(show: str, view: View) -> str:
    return f"{view.prefix}/{show}/{'feed-low' if view.is_low else 'feed'}.xml"
