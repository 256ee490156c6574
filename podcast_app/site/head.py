"""What a page says of itself to machines: its one address, its languages, its feeds, its picture, its player."""

from dataclasses import dataclass, replace

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
    """The page in one view of the show."""

    language: str  # BCP 47
    name: str  # of the language, in itself: "français"
    locale: str  # as Open Graph says it: "fr_FR"
    path: str
    url: str
    feed: str
    feed_title: str
    is_shown: bool  # it is this page


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
    translations: tuple[Translation, ...]  # the main view first
    low_feed: str  # the same episodes as this view's feed, as small files
    picture: Picture
    oembed: str
    icon: str  # a picture for the first screen of a phone
    manifest: str  # "" on a page that nobody is to keep
    colour: str  # of what a browser puts around the page
    linked_data: str  # JSON-LD; "" on further pages of a list
    audio: Audio | None = None  # None on a show's page

    @property
    def here(self) -> Translation:
        return next(view for view in self.translations if view.is_shown)

    @property
    def others(self) -> tuple[Translation, ...]:
        return tuple(view for view in self.translations if not view.is_shown)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadOfShows:
    """Of the list of all shows. Addresses are absolute."""

    titles: str
    url: str
    languages: dict[str, str]  # the page in each
    opml: str


def of_shows(shows: list[shown.ShownShow], language: str, origin: str) -> HeadOfShows:
    addresses = Addresses(origin)
    return HeadOfShows(
        titles=short(", ".join(show.title for show in shows), DESCRIPTION),
        url=addresses.home(language),
        languages={each: addresses.home(each) for each in LANGUAGES},
        opml=addresses.opml(),
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
    card = shown.share_card(place.episode, place.show, place.view)
    return Head(
        title=title,
        description=short(description, DESCRIPTION),
        url=url,
        show=show.title,
        translations=_translations(place, addresses),
        low_feed=addresses.feed(place.show.slug, low(place.view)),
        picture=Picture(origin + card.path, title if title == show.title else f"{title} – {show.title}"),
        oembed=addresses.oembed(url),
        icon=show.thumbnail.jpg,
        manifest=shown.HERE.manifest(place.show.slug, place.view),
        colour=colours.of_bars(place.show.page_colour),
        linked_data="",
    )


def _translations(place: Place, addresses: Addresses) -> tuple[Translation, ...]:
    slug = place.show.slug
    return tuple(
        Translation(
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
