"""The rules of PSP-1 and Apple that a show and an episode can break, one function each; `checks.py` applies them."""

import re
from collections.abc import Iterator
from functools import cache
from itertools import pairwise

from babel import Locale

from feeds import notes, text
from feeds.categories import TREE
from feeds.document import AlternateEnclosure, Enclosure, Episode, Show
from feeds.findings import Finding, error, warning

_LINE = 255  # characters: PSP-1, any value unless stated
_DESCRIPTION_BYTES = 4000  # PSP-1, channel `description`
_PICTURES = (".jpg", ".jpeg", ".png")
_TYPES = {  # PSP-1 `enclosure`; Apple, "Podcast requirements"
    "mp3": ("audio/mpeg",),
    "m4a": ("audio/x-m4a", "audio/m4a", "audio/mp4"),
    "mp4": ("video/mp4",),
    "m4v": ("video/x-m4v", "video/m4v"),
}
_TRANSCRIPT_TYPES = ("text/plain", "text/html", "text/vtt", "application/json", "application/x-subrip")
_INTEGRITY = re.compile("sha(?:256|384|512)-[A-Za-z0-9+/]{43,86}={0,2}")
_NUMBERED = re.compile(
    r"""^\s*(?:[ée]pisode|[ée]p\.?|folge|aflevering|n[°ºo]\.?|nr\.?|\#)\s*\d+   # Episode 3, Ep. 3, #3
      | ^\s*\d{1,3}\s*[.:)–—-]\s                                                # 3. Title, 03 - Title
      | \b(?:s|season|saison|staffel|seizoen)\s*\d+\s*[\s,.:–-]?\s*[ée](?:p(?:isode)?)?\.?\s*\d+\b  # S1E3
    """,
    re.IGNORECASE | re.VERBOSE,
)
_RIGHTS = re.compile(r"copyright|©|\(c\)|\b(?:1[89]|20)\d\d\b", re.IGNORECASE)
_MARKUP = re.compile(r"</?[a-z][^<]*>", re.IGNORECASE)
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")


# The show


def show_has_a_title(show: Show) -> Iterator[Finding]:
    """PSP-1, channel `title`: required, at most 255 characters."""
    title = text.line(show.title)
    if not title:
        yield error("show.title", "The show has no title.", "Give it the name that listeners will look for.")
    if len(title) > _LINE:
        yield error(
            "show.title",
            "The show's title has {length} characters.",
            "Shorten it to {limit}; the description has room for the rest.",
            length=len(title),
            limit=_LINE,
        )


def show_has_a_description(show: Show) -> Iterator[Finding]:
    """PSP-1, channel `description`: required, at most 4000 bytes."""
    described = text.legal(show.description).strip()
    if not described:
        yield error("show.description", "The show has no description.", "Say in a few sentences what it is about.")
    if text.size(described) > _DESCRIPTION_BYTES:
        yield error(
            "show.description",
            "The show's description is too long for the directories: {length} bytes, of which {limit} are allowed.",
            "Shorten it; a letter with an accent counts as two bytes or more.",
            length=text.size(described),
            limit=_DESCRIPTION_BYTES,
        )


def show_description_is_plain(show: Show) -> Iterator[Finding]:
    """W3C feed validator, channel `description`: no HTML; apps would show the marks as they stand."""
    if _MARKUP.search(show.description):
        yield warning(
            "show.description",
            "The show's description contains HTML, which apps show as it stands.",
            "Write it as plain text.",
        )


def show_language_is_known(show: Show) -> Iterator[Finding]:
    """PSP-1, channel `language`: required, ISO 639; Apple refuses a feed with another code."""
    if not language_is_known(show.language):
        yield error(
            "show.language",
            "“{language}” is not a language that the directories know.",
            "Choose one from the list, for example en, fr or nl.",
            language=text.short(show.language, 40),
        )


def show_has_an_author(show: Show) -> Iterator[Finding]:
    """PSP-1, `itunes:author`: recommended; Spotify does not take a show without."""
    if not text.line(show.author):
        yield warning("show.author", "The show names no author.", "Name the person or organisation that makes it.")


def show_has_a_cover(show: Show) -> Iterator[Finding]:
    """PSP-1 and Apple, channel `itunes:image`: required, a JPEG or PNG whose address says which."""
    if not show.image_url:
        yield error(
            "show.cover",
            "The show has no cover.",
            "Add a square picture (JPEG or PNG) between 1400 and 3000 pixels wide.",
        )
    elif not _is_picture(show.image_url):
        yield error(
            "show.cover",
            "The cover is neither a JPEG nor a PNG.",
            "Upload it again as a JPEG or PNG file.",
        )


def show_categories_are_apples(show: Show) -> Iterator[Finding]:
    """PSP-1, `itunes:category`: at least one, out of Apple's tree, in its exact case."""
    if not show.categories:
        yield error("show.categories", "The show is in no category.", "Choose at least one from the list.")
    for category in show.categories:
        if category.name not in TREE or (category.subcategory and category.subcategory not in TREE[category.name]):
            yield error(
                "show.categories",
                "The directories have no category “{category}”.",
                "Choose one from the list.",
                category=text.short(" – ".join(filter(None, (category.name, category.subcategory))), 100),
            )


def show_copyright_names_the_holder(show: Show) -> Iterator[Finding]:
    """PSP-1, `copyright`: neither the word, nor the sign, nor a year. The feed leaves them out (rss.py)."""
    if show.copyright and _RIGHTS.search(show.copyright):
        yield warning(
            "show.copyright",
            "The copyright line contains the word “copyright”, its sign or a year, which the feed leaves out.",
            "Write only who holds the rights.",
        )


def show_email_is_one(show: Show) -> Iterator[Finding]:
    """Apple, `itunes:owner`: an address that mail reaches."""
    if show.owner_email and not _EMAIL.fullmatch(show.owner_email):
        yield error(
            "show.owner_email",
            "“{email}” is not an e-mail address.",
            "Correct it, or leave it out of the feed.",
            email=text.short(show.owner_email, 100),
        )


def show_is_served_over_https(show: Show) -> Iterator[Finding]:
    """Podcasting 2.0 and Apple: https for every address."""
    if not show.feed_url.startswith("https://"):
        yield warning(
            "show.feed_url",
            "The feed's address does not begin with https, and some apps refuse such feeds.",
            "Ask whoever runs this site to set a public https address.",
        )


# The episode


def episode_has_a_title(episode: Episode, _: Show) -> Iterator[Finding]:
    """PSP-1, item `title`: required, at most 255 characters; a longer one is shortened in the feed alone."""
    title = text.line(episode.title)
    if not title:
        yield error("title", "The episode has no title.", "Give it a name that says what it is about.")
    if len(title) > _LINE:
        yield warning(
            "title",
            "The title has {length} characters, and apps show {limit} of them.",
            "Shorten it; the notes have room for the rest.",
            length=len(title),
            limit=_LINE,
        )


def title_is_a_name(episode: Episode, _: Show) -> Iterator[Finding]:
    """PSP-1, item `title`: no season or episode number inside (directories take it all the same)."""
    if _NUMBERED.search(episode.title):
        yield warning("title", "The title carries a number.", "Move it to Season and Number, where apps look for it.")


def episode_has_a_guid(episode: Episode, _: Show) -> Iterator[Finding]:
    """PSP-1, item `guid`: required; Apple knows an episode again by nothing else."""
    if not text.identifier(episode.guid):
        yield error("guid", "The episode has no identifier.", "Make the episode anew from the same audio.")


def guid_is_unmistakable(episode: Episode, _: Show) -> Iterator[Finding]:
    """W3C feed validator, `guid`: a short number is no globally unique identifier."""
    if text.identifier(episode.guid).isdigit() and len(text.identifier(episode.guid)) < 9:
        yield warning(
            "guid",
            "The episode's identifier “{guid}” is so short that apps may mistake it for another one.",
            "Keep it for a published episode, since a new one would show the episode twice.",
            guid=text.identifier(episode.guid),
        )


def audio_has_a_size(episode: Episode, _: Show) -> Iterator[Finding]:
    """PSP-1, `enclosure`: `length` in bytes, required."""
    if episode.enclosure.length <= 0:
        yield error("audio", "The audio file is empty.", "Upload it again.")


def audio_has_a_duration(episode: Episode, _: Show) -> Iterator[Finding]:
    """PSP-1, `itunes:duration`: recommended, whole seconds."""
    if episode.duration_ms <= 0:
        yield warning(
            "audio", "How long the audio plays is not known.", "Check that it plays, or export it again and replace it."
        )


def audio_is_of_a_known_kind(episode: Episode, _: Show) -> Iterator[Finding]:
    """PSP-1, `enclosure`; Apple: the extension decides whether an episode appears, and must agree with the type."""
    extension = _extension(episode.enclosure.url)
    if extension not in _TYPES:
        yield error(
            "audio",
            "The audio's address does not end in .mp3 or .m4a, and apps would not show the episode.",
            "Upload the audio again as an MP3 or M4A file.",
        )
    elif episode.enclosure.media_type not in _TYPES[extension]:
        yield error(
            "audio",
            "The audio's address ends in .{extension}, but its type is given as “{type}”.",
            "Upload the audio again.",
            extension=extension,
            type=text.short(episode.enclosure.media_type, 60),
        )


def audio_address_ends_with_the_extension(episode: Episode, _: Show) -> Iterator[Finding]:
    """Apple, "Podcast requirements": readers of the address look at its end."""
    if re.search("[?#]", episode.enclosure.url):
        yield warning(
            "audio",
            "The audio's address goes on after the file's name, and some apps do not recognise it.",
            "Ask whoever runs this site for media addresses without “?” or “#”.",
        )


def audio_is_served_as_safely_as_the_show(episode: Episode, show: Show) -> Iterator[Finding]:
    """Apple and Podcasting 2.0: https, for the other files too. A site without it is told once, for its feed."""
    addresses = _addresses(episode)
    if show.feed_url.startswith("https://") and not all(address.startswith("https://") for address in addresses):
        yield warning(
            "audio",
            "The audio's address does not begin with https, and some apps refuse to play it.",
            "Ask whoever runs this site to serve the audio over https.",
        )


def other_files_are_described(episode: Episode, _: Show) -> Iterator[Finding]:
    """Podcasting 2.0, `alternateEnclosure`: an address and a type are required, and listeners choose by the size;
    `default` stands on the enclosure itself, and the integrity is one that apps can compute (W3C SRI)."""
    if not all(_is_described(other, episode.enclosure) for other in episode.alternate_enclosures):
        yield error(
            "audio",
            "One of the episode's files is not described so that apps can use it.",
            "Have the audio's smaller files made again; if it stays, tell whoever runs this site.",
        )


def other_files_have_addresses_of_their_own(episode: Episode, _: Show) -> Iterator[Finding]:
    """Podcasting 2.0, `alternateEnclosure`: another file is another address; `default` tells the enclosure again."""
    addresses = _addresses(episode)
    if len(set(addresses)) < len(addresses):
        yield error(
            "audio",
            "Two of the episode's files have the same address, so apps cannot tell them apart.",
            "Have the audio's smaller files made again; if it stays, tell whoever runs this site.",
        )


def chapters_follow_one_another(episode: Episode, _: Show) -> Iterator[Finding]:
    """Podlove Simple Chapters and JSON chapters: ascending. Apps may sort, but cannot part two that begin at once."""
    if any(one.start_ms >= other.start_ms for one, other in pairwise(episode.chapters)):
        yield warning(
            "chapters",
            "The chapters do not follow one another in time.",
            "Sort them by their beginning, and let no two begin at the same moment.",
        )


def chapters_begin_inside_the_audio(episode: Episode, _: Show) -> Iterator[Finding]:
    """What begins after the end can never be heard: most often the audio was replaced by a shorter one."""
    if episode.duration_ms <= 0:
        return
    count = sum(chapter.start_ms >= episode.duration_ms for chapter in episode.chapters)
    length = _clock(episode.duration_ms)
    if count == 1:
        yield warning(
            "chapters",
            "One chapter begins after the end of the audio ({length}).",
            "Move it, or take it out.",
            length=length,
        )
    elif count:
        yield warning(
            "chapters",
            "{count} chapters begin after the end of the audio ({length}).",
            "Move them, or take them out.",
            count=count,
            length=length,
        )


def transcripts_are_of_a_known_kind(episode: Episode, _: Show) -> Iterator[Finding]:
    """Podcasting 2.0, `transcript`: `url` and `type` required, of five kinds."""
    if not all(transcript.url and transcript.media_type in _TRANSCRIPT_TYPES for transcript in episode.transcripts):
        yield error(
            "transcripts",
            "A transcript in the feed does not say of what kind it is.",
            "Remove the transcript and add it again.",
        )


def captions_are_marked_once(episode: Episode, _: Show) -> Iterator[Finding]:
    """Podcasting 2.0, `transcript`: `rel="captions"` is the one that runs along while the episode plays. It may come in
    several forms; what may not be is a second language."""
    count = len({transcript.language for transcript in episode.transcripts if transcript.is_captions})
    if count > 1:
        yield warning(
            "transcripts",
            "{count} transcripts are marked as captions, and apps show only one of them.",
            "Mark the one in the language that is spoken.",
            count=count,
        )


def numbers_count_from_one(episode: Episode, _: Show) -> Iterator[Finding]:
    """PSP-1, `itunes:season` and `itunes:episode`: non-zero integers."""
    if episode.season is not None and episode.season < 1:
        yield error("season", "The season is {number}.", "Seasons count from 1.", number=episode.season)
    if episode.number is not None and episode.number < 1:
        yield error("number", "The episode's number is {number}.", "Episodes count from 1.", number=episode.number)


def serial_episode_has_a_number(episode: Episode, show: Show) -> Iterator[Finding]:
    """PSP-1, `itunes:episode`: required in a serial show. Trailers and extras stand outside the count (Apple)."""
    if show.type == "serial" and episode.type == "full" and episode.number is None:
        yield error(
            "number",
            "The show is told in order, and this episode has no number.",
            "Give it a number, or make it a trailer or a bonus.",
        )


def episode_has_notes(episode: Episode, _: Show) -> Iterator[Finding]:
    """PSP-1, item `description`: recommended."""
    if not episode.notes_html.strip():
        yield warning("notes", "The episode has no notes.", "Say in a sentence or two what listeners will hear.")


def notes_are_shown_whole(episode: Episode, _: Show) -> Iterator[Finding]:
    """PSP-1, item `description`: at most 4000 bytes; rss.py cuts there and links to the page."""
    if notes.is_cut(episode.notes_html):
        yield warning(
            "notes",
            "The notes are so long that some apps show only their beginning, with a link to the episode's page.",
            "Put what matters most first, or shorten them.",
        )


def episode_language_is_known(episode: Episode, _: Show) -> Iterator[Finding]:
    """ISO 639, as for the show."""
    if episode.language is not None and not language_is_known(episode.language):
        yield error(
            "language",
            "“{language}” is not a language that the directories know.",
            "Choose one from the list, for example en, fr or nl.",
            language=text.short(episode.language, 40),
        )


def episode_cover_is_a_picture(episode: Episode, _: Show) -> Iterator[Finding]:
    """PSP-1 and Apple, item `itunes:image`: a JPEG or PNG whose address says which."""
    if episode.image_url and not _is_picture(episode.image_url):
        yield error("cover", "The cover is neither a JPEG nor a PNG.", "Upload it again as a JPEG or PNG file.")


def language_is_known(tag: str) -> bool:
    """Whether a tag like "fr", "nl-be" or "zh-Hant" begins with a code of ISO 639 (PSP-1, `language`), and goes on
    with a script or country that exists."""
    languages, scripts, territories = _names()
    code, *rest = tag.split("-")
    is_known_part = [part.title() in scripts or part.upper() in territories for part in rest]
    return code.lower() in languages and all(is_known_part)


@cache
def _names() -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """Codes of languages, scripts and territories that Unicode CLDR has an English name for; read once, in 70 ms."""
    english = Locale("en")
    no_language = {"und", "mul", "zxx"}
    return frozenset(english.languages) - no_language, frozenset(english.scripts), frozenset(english.territories)


def _addresses(episode: Episode) -> list[str]:
    """Of each file that the episode offers; `default` only tells of the enclosure again."""
    others = (other.url for other in episode.alternate_enclosures if other.url and not other.is_default)
    return [episode.enclosure.url, *others]


def _is_described(other: AlternateEnclosure, enclosure: Enclosure) -> bool:
    said = (other.url, other.length, other.media_type)
    is_sound = other.integrity is None or _INTEGRITY.fullmatch(other.integrity) is not None
    is_the_enclosure = said == (enclosure.url, enclosure.length, enclosure.media_type)
    return all(said) and is_sound and (is_the_enclosure or not other.is_default)


def _clock(milliseconds: int) -> str:
    """As players show it: 4:05, 1:02:03."""
    minutes, seconds = divmod(milliseconds // 1000, 60)
    return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}" if minutes >= 60 else f"{minutes}:{seconds:02}"


def _is_picture(url: str) -> bool:
    return _path(url).endswith(_PICTURES)


def _extension(url: str) -> str:
    return _path(url).rpartition(".")[2]


def _path(url: str) -> str:
    """The address up to its query, in small letters."""
    return re.split("[?#]", url, maxsplit=1)[0].lower()
