"""What a page says of itself to machines: its one address, its languages, its feeds, its picture, its player."""

from dataclasses import dataclass, replace

from media import share_card
from podcast_app import documents, formats
from podcast_app.addresses import Addresses, views
from podcast_app.site import shown
from podcast_app.site.places import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Translation:
    """The page in one view of the show."""

    language: str  # BCP 47
    name: str  # of the language, in itself: "français"
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
class Head:
    """All addresses in it are absolute, but for the translations' paths."""

    title: str
    description: str
    url: str
    show: str  # its title
    translations: tuple[Translation, ...]  # the main view first
    picture: Picture
    oembed: str
    audio: str  # "" on a show's page
    media_type: str


def of_show(place: Place, words: shown.ShownShow, origin: str) -> Head:
    return _head(place, origin, title=words.title, description=words.description, show=words.title)


def of_episode(place: Place, words: shown.ShownEpisode, show: shown.ShownShow, origin: str) -> Head:
    head = _head(place, origin, title=words.title, description=words.summary or show.description, show=show.title)
    return replace(head, audio=f"{origin}{words.audio}", media_type=words.media_type)


def _head(place: Place, origin: str, *, title: str, description: str, show: str) -> Head:
    addresses = Addresses(origin)
    url = place.page(addresses)
    card = shown.share_card(place.episode, place.show, place.view)
    return Head(
        title=title,
        description=" ".join(description.split()),
        url=url,
        show=show,
        translations=_translations(place, addresses),
        picture=Picture(origin + card.path, title if title == show else f"{title} – {show}"),
        oembed=addresses.oembed(url),
        audio="",
        media_type="",
    )


def _translations(place: Place, addresses: Addresses) -> tuple[Translation, ...]:
    slug = place.show.slug
    return tuple(
        Translation(
            language=view.language,
            name=formats.language_name(view.language),
            path=replace(place, view=view).page(shown.HERE),
            url=replace(place, view=view).page(addresses),
            feed=addresses.feed(slug, view),
            feed_title=documents.show_text(place.show, view.language).title,
            is_shown=view == place.view,
        )
        for view in views(place.show.language)
    )
