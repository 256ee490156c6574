"""What a page says of itself to machines: its one address, its languages, its feeds, its picture, its player."""

from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from feeds.text import short
from media import share_card
from podcast_app import documents, formats
from podcast_app.addresses import LANGUAGES, Addresses, low, views
from podcast_app.site import colours, linked_data, oembed, shown
from podcast_app.site.places import Place
from podcast_app.times import iso

DESCRIPTION = 200  # characters; search engines and messengers show fewer


@dataclass(frozen=True, slots=True, kw_only=True)
class Translation:
    """The page in one language."""

    language: str  # BCP 47
    name: str  # of the language, in itself: "français"
    locale: str  # as Open Graph says it: "fr_FR"
    path: str
    url: str
    is_shown: bool  # it is this page


@dataclass(frozen=True, slots=True, kw_only=True)
class InView(Translation):
    """The page in one view of the show."""

    feed: str
    feed_title: str


@dataclass(frozen=True, slots=True)
class Picture:
    """What a messenger shows of the page."""

    url: str
    description: str
    width: int = share_card.WIDTH_PX
    height: int = share_card.HEIGHT_PX


@dataclass(frozen=True, slots=True, kw_only=True)
class Audio:
    """What a messenger plays of the page: the file, or in a frame."""

    url: str
    media_type: str
    published_at: str  # ISO 8601
    player: str
    width: int = oembed.WIDTH
    height: int = oembed.TALL

    @property
    def is_secure(self) -> bool:
        """Whether others may frame it: they do that with https only."""
        return self.player.startswith("https:")


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """All addresses in it are absolute, but for the translations' paths, the icon and the manifest."""

    title: str
    description: str
    url: str
    show: str  # its title
    translations: tuple[InView, ...]  # the main view first
    low_feed: str  # the same episodes as this view's feed, as small files
    picture: Picture
    oembed: str
    icon: str  # a picture for the first screen of a phone
    manifest: str  # "" on a page that nobody is to keep
    colour: str  # of what a browser puts around the page
    linked_data: str  # JSON-LD; "" on further pages of a list
    audio: Audio | None = None  # None on a show's page

    @property
    def here(self) -> InView:
        return next(view for view in self.translations if view.is_shown)

    @property
    def others(self) -> tuple[InView, ...]:
        return tuple(view for view in self.translations if not view.is_shown)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadOfShows:
    """Of the list of all shows. Addresses are absolute, but for the translations' paths."""

    titles: str  # "" where there is none yet
    site: str  # what it is called: its host
    url: str
    translations: tuple[Translation, ...]
    picture: Picture | None  # of the first show
    oembed: str
    opml: str  # "" where there is nothing to take from it


def of_shows(found: list[Place], language: str, origin: str) -> HeadOfShows:
    addresses, url = Addresses(origin), Addresses(origin).home(language)
    titles = [documents.show_text(place.show, place.view.language).title for place in found]
    return HeadOfShows(
        titles=short(", ".join(titles), DESCRIPTION),
        site=urlsplit(origin).netloc,
        url=url,
        translations=tuple(_list_in(each, each == language, addresses) for each in LANGUAGES),
        picture=_card(found[0], titles[0], addresses) if found else None,
        oembed=addresses.oembed(url),
        opml=addresses.opml() if found else "",
    )


def of_show(place: Place, words: shown.ShownShow, origin: str) -> Head:
    head = _head(place, words, origin, title=words.title, description=words.description)
    is_first = head.url == Addresses(origin).show(place.show.slug, place.view)
    return replace(head, linked_data=linked_data.of_show(place, words, head.description, origin) if is_first else "")


def of_episode(place: Place, words: shown.ShownEpisode, show: shown.ShownShow, origin: str) -> Head:
    head = _head(place, show, origin, title=words.title, description=words.summary or show.description)
    audio = Audio(
        url=f"{origin}{words.audio}",
        media_type=words.media_type,
        published_at=iso(words.published_at),
        player=place.embed(Addresses(origin)),
    )
    return replace(head, audio=audio, linked_data=linked_data.of_episode(place, words, show, head.description, origin))


def _head(place: Place, show: shown.ShownShow, origin: str, *, title: str, description: str) -> Head:
    addresses = Addresses(origin)
    url = place.page(addresses)
    return Head(
        title=title,
        description=short(description, DESCRIPTION),
        url=url,
        show=show.title,
        translations=_translations(place, addresses),
        low_feed=addresses.feed(place.show.slug, low(place.view)),
        picture=_card(place, title if title == show.title else f"{title} – {show.title}", addresses),
        oembed=addresses.oembed(url),
        icon=show.thumbnail.jpg,
        manifest=shown.HERE.manifest(place.show.slug, place.view),
        colour=colours.of_bars(place.show.page_colour),
        linked_data="",
    )


def _card(place: Place, description: str, addresses: Addresses) -> Picture:
    return Picture(addresses.origin + shown.share_card(place.episode, place.show, place.view).path, description)


def _list_in(language: str, is_shown: bool, addresses: Addresses) -> Translation:
    return Translation(
        language=language,
        name=formats.language_name(language),
        locale=formats.locale(language),
        path=shown.HERE.home(language),
        url=addresses.home(language),
        is_shown=is_shown,
    )


def _translations(place: Place, addresses: Addresses) -> tuple[InView, ...]:
    slug = place.show.slug
    return tuple(
        InView(
            language=view.language,
            name=formats.language_name(view.language),
            locale=formats.locale(view.language),
            path=replace(place, view=view).page(shown.HERE),
            url=replace(place, view=view).page(addresses),
            feed=addresses.feed(slug, view),
            feed_title=documents.show_text(place.show, view.language).title,
            is_shown=view == place.view,
        )
        for view in views(place.show.language)
    )
