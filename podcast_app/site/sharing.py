"""What an episode's page offers to hand on and to keep: its address, a player for other sites, the audio itself."""

import re
from dataclasses import dataclass

from podcast_app.addresses import Addresses, views
from podcast_app.site import oembed, shown
from podcast_app.site.head import Head
from podcast_app.site.places import Place

LARGEST_SENT_BYTES = 16_000_000  # WhatsApp takes no larger audio

# What file systems of telephones and computers do not take in a name.
FORBIDDEN = re.compile(r'[\x00-\x1f<>:"/\\|?*]+')
LONGEST_NAME = 100  # characters; 255 bytes is what file systems take


@dataclass(frozen=True, slots=True)
class Copy:
    """The episode's audio in one edition."""

    audio: str
    media_type: str  # as browsers are asked whether they play it
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sharing:
    key: str  # the path of the page in the show's own language: what a kept episode is known by
    copies: tuple[Copy, ...]  # the lightest first: the first that a browser plays is the one to keep
    sent: Copy | None  # the one to send; None where there is none that is small enough and plays everywhere
    file_name: str  # of what is sent
    tall: str  # the player, as HTML for other sites
    compact: str
    title: str
    show: str
    language: str
    pages: tuple[str, ...]  # paths of the episode's pages, one for each language
    lists: tuple[str, ...]  # paths of the pages that say what is kept

    def record(self, copy: Copy, date: str) -> dict[str, object]:
        """What is written down on the device that keeps this copy: static/keeping.js."""
        return {
            "title": self.title,
            "show": self.show,
            "language": self.language,
            "date": date,
            "audio": copy.audio,
            "size_bytes": copy.size_bytes,
            "others": [other.audio for other in self.copies if other != copy],
            "pages": self.pages,
            "lists": self.lists,
        }


def of_episode(place: Place, head: Head, show: shown.ShownShow, episode: shown.ShownEpisode, origin: str) -> Sharing:
    light = [Copy(made.audio, made.media_type, made.size_bytes) for made in episode.light]
    copies = (*light, Copy(episode.audio, episode.media_type, episode.size_bytes))
    lightest_first = tuple(sorted(copies, key=lambda copy: copy.size_bytes))
    pages = tuple(view.path for view in head.translations)
    return Sharing(
        key=pages[0],
        copies=lightest_first,
        sent=next(filter(_goes_everywhere, lightest_first), None),
        file_name=file_name(show.title, episode.title),
        tall=oembed.snippet(place, Addresses(origin)),
        compact=oembed.snippet(place, Addresses(origin), height=oembed.COMPACT),
        title=episode.title,
        show=show.title,
        language=episode.language,
        pages=pages,
        lists=tuple(shown.HERE.kept(place.show.slug, view) for view in views(place.show.language)),
    )


def file_name(show: str, title: str) -> str:
    """ "Matonge – Diaspora Insights.mp3"."""
    said = " ".join(FORBIDDEN.sub(" ", f"{title} – {show}").split())
    whole_words = said if len(said) <= LONGEST_NAME else said[: LONGEST_NAME + 1].rpartition(" ")[0]
    return f"{(whole_words or said[:LONGEST_NAME]).strip('.– ')}.mp3"


def _goes_everywhere(copy: Copy) -> bool:
    return copy.media_type == "audio/mpeg" and copy.size_bytes <= LARGEST_SENT_BYTES
