"""What is said in a show's episodes is found again, with whatever accents and capitals it is asked for.

Each published episode has a row of words for each language that it has a text or a transcript in. The rows change in
the transaction that changes what is public (publishing.py). An episode without any, of a library from before there was
a search, gets them from the worker: so emptying the table makes the index anew, should `folded` ever change.
"""

import re
import unicodedata
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Integer,
    Select,
    cast,
    column,
    delete,
    exists,
    func,
    literal,
    literal_column,
    select,
    table,
)
from sqlalchemy.orm import InstrumentedAttribute, Session

from media import transcripts
from podcast_app import documents, episodes, notes
from podcast_app.models import Episode, EpisodeId, SearchText, ShowId, Transcript
from podcast_app.work import Work

MOST_WORDS = 8  # of a question; further ones are not looked for
LONGEST_WORD = 40  # characters; of a longer one the beginning is looked for
SHORTEST_BEGINNING = (
    3  # Latin letters; "le" is looked for whole: half of all words begin so, which marks and costs much
)

# Of what is said, counting each word once: more than anybody says in a hundred hours. PostgreSQL would refuse a row
# whose words take more than 1 MB with the places where they stand (12.11).
MOST_BYTES = 700_000
_PLACES = 6  # bytes that a word takes besides its letters, at the most

# What an apostrophe leaves of a word: "l’" before another one, "’s" behind it. Nobody looks for that.
_APOSTROPHES = "'’‘ʼ`´"
_LETTER = r"[^\W\d_]"
_LEFT = re.compile(rf"(?<!\w){_LETTER}(?=[{_APOSTROPHES}])|(?<=[{_APOSTROPHES}]){_LETTER}(?!\w)")

# PostgreSQL keeps the words of a row in a column of its own (migration 0006), title, notes and what is said by weight.
_VECTOR: ColumnElement[str] = literal_column("search_texts.words")

# SQLite, FTS5: the index is a table, whose hidden column `rank` is the smaller the better.
_INDEX = table("search_index", column("rowid"), column("rank"))
_BM25 = "bm25(10.0, 4.0, 1.0)"  # what title, notes and what is said count

# Letters that are no accented ones, but that people write without; in Arabic, forms of one letter.
_PLAIN = (
    {"æ": "ae", "đ": "d", "ð": "d", "ħ": "h", "ı": "i", "ł": "l", "ŋ": "n", "ø": "o", "œ": "oe", "þ": "th"}
    | {"ɓ": "b", "ɖ": "d", "ɗ": "d", "ɛ": "e", "ə": "e", "ɣ": "g", "ƙ": "k", "ɔ": "o", "ʋ": "v", "ƴ": "y"}
    | {"ʻ": " ", "ʼ": " ", "ʾ": "", "ʿ": ""}
    | {"ـ": "", "ٱ": "ا", "ة": "ه", "ى": "ي", "ی": "ي", "ک": "ك"}
)


class Hit(NamedTuple):
    """An episode that has all the words that were asked for, and the language that it has them in."""

    episode_id: EpisodeId
    language: str  # BCP 47


def find(session: Session, show_id: ShowId, wanted: Sequence[str], language: str) -> list[Hit]:
    """The show's published episodes that have all these words: the best first, then the newest. Each once; in this
    language, if it has them there."""
    found: dict[EpisodeId, Hit] = {}
    for row in session.execute(matching(session, show_id, wanted)) if wanted else ():
        hit = Hit(*row)
        if hit.episode_id not in found or hit.language == language:
            found[hit.episode_id] = hit
    return list(found.values())


def matching(session: Session, show_id: ShowId, wanted: Sequence[str]) -> Select[EpisodeId, str]:
    """The rows that have all these words, the best first. Words are letters and digits only: in neither database's
    language of questions do they mean anything else."""
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    found, best_first = _in_sqlite(wanted) if is_sqlite else _in_postgresql(wanted)
    rows = select(SearchText.episode_id, SearchText.language).join(found, found.c.id == SearchText.id)
    rows = rows.join(Episode, Episode.id == SearchText.episode_id).where(SearchText.show_id == show_id)
    return rows.order_by(best_first, Episode.published_at.desc(), Episode.id)


def index(session: Session, episode: Episode) -> None:
    """A published episode is found by what it says now. Needs what episodes.WHOLE loads; what differs is written."""
    of_episode = select(SearchText).where(SearchText.episode_id == episode.id)
    there = {row.language: row for row in session.scalars(of_episode)}
    for said in _texts(session, episode):
        row = there.pop(said.language, None)
        if row is None:
            session.add(said)
        else:
            row.title, row.notes, row.said = said.title, said.notes, said.said
    for row in there.values():
        session.delete(row)


def forget(session: Session, episode_ids: Collection[EpisodeId]) -> None:
    """They are found no longer."""
    if episode_ids:
        session.execute(delete(SearchText).where(SearchText.episode_id.in_(episode_ids)))


def bring_up(work: Work) -> bool:
    """Published episodes that nobody can find yet are made findable, one transaction each."""
    found = False
    while not work.stopping.is_set() and (episode_id := work.database.read(_lagging)) is not None:
        work.database.write(_index_one, episode_id)
        found = True
    return found


def folded(said: str) -> str:
    """The words of a text as they are compared, with a blank between: "Œuvre d’ÉTÉ" is "oeuvre d ete"."""
    return " ".join(said.translate(_FOLDING).split())


def words(asked: str) -> tuple[str, ...]:
    """What is looked for when somebody asks for this: beginnings of words, and short words whole; each once."""
    composed = unicodedata.normalize("NFC", asked)
    whole = folded(_LEFT.sub(" ", composed)) or folded(composed)
    return tuple(dict.fromkeys(word[:LONGEST_WORD] for word in whole.split()))[:MOST_WORDS]


def places(said: str, wanted: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Where the text has the wanted words: start and stop of each, from left to right."""
    needles, start, word = tuple(_needle(word) for word in wanted), 0, ""
    for at, character in enumerate(f"{said} "):
        piece = _FOLDING[ord(character)]
        if piece == " ":
            if word and any(f" {part} ".startswith(needles) for part in word.split()):
                yield start, at
            word = ""
        else:
            start = start if word else at
            word += piece


def count(said: str, wanted: Sequence[str]) -> int:
    """How many of the wanted words are in the text."""
    padded = f" {folded(said)} "
    return sum(_needle(word) in padded for word in wanted)


def _is_whole(word: str) -> bool:
    """Whether it is looked for as it stands, and not as the beginning of a word."""
    return word.isascii() and len(word) < SHORTEST_BEGINNING


def _needle(word: str) -> str:
    """What stands in a text that has the word, where a blank stands around each of its words."""
    return f" {word} " if _is_whole(word) else f" {word}"


def _in_sqlite(wanted: Sequence[str]) -> tuple[FromClause, ColumnElement[float]]:
    asked = " ".join(f'"{word}"' + "*" * (not _is_whole(word)) for word in wanted)
    has_all = literal_column("search_index").op("MATCH")(asked) & _INDEX.c.rank.op("MATCH")(_BM25)
    found = select(_INDEX.c.rowid.label("id"), _INDEX.c.rank).where(has_all).subquery()
    return found, found.c.rank.asc()


def _in_postgresql(wanted: Sequence[str]) -> tuple[FromClause, ColumnElement[int]]:
    """Ranked by what title and notes have of the words: ts_rank reads whole transcripts, 1 ms for each."""
    query = func.to_tsquery(
        literal_column("'simple'"), " & ".join(f"'{word}'" + ":*" * (not _is_whole(word)) for word in wanted)
    )
    rank = sum((10 * _has(SearchText.title, word) + 4 * _has(SearchText.notes, word) for word in wanted), literal(0))
    found = select(SearchText.id, rank.label("rank")).where(_VECTOR.op("@@")(query)).subquery()
    return found, found.c.rank.desc()


def _has(said: InstrumentedAttribute[str], word: str) -> ColumnElement[int]:
    """1 where the text has the word, or else 0."""
    return cast(func.strpos(literal(" ") + said + literal(" "), _needle(word)) > 0, Integer)


def _texts(session: Session, episode: Episode) -> Iterator[SearchText]:
    """Its words in each language that it has a text or a transcript in, with the title and the notes of that view."""
    contents = select(Transcript.language, Transcript.content).where(Transcript.episode_id == episode.id)
    said = {language: transcripts.from_json(content) for language, content in session.execute(contents)}
    written = {words.language for words in episode.texts if words.title}
    for language in sorted(written | said.keys()):
        shown = documents.episode_text(episode, language)
        yield SearchText(
            show_id=episode.show_id,
            episode_id=episode.id,
            language=language,
            title=folded(shown.title),
            notes=folded(notes.plain(shown.notes)),
            said=_fitting(folded(_spoken(said[language]))) if language in said else "",
        )


def _spoken(transcript: transcripts.Transcript) -> str:
    return transcript.text or " ".join(segment.text for segment in transcript.segments)


def _fitting(said: str) -> str:
    """As much of it as an index takes."""
    if len(said) * 5 <= MOST_BYTES:  # whatever its letters
        return said
    kept, known, room = [], set(), MOST_BYTES
    for word in said.split():
        if word not in known:
            known.add(word)
            room -= len(word.encode()) + _PLACES
        if room < 0:
            break
        kept.append(word)
    return " ".join(kept)


def _lagging(session: Session) -> EpisodeId | None:
    has_words = exists().where(SearchText.episode_id == Episode.id)
    return session.scalar(select(Episode.id).where(Episode.state == "published", ~has_words).limit(1))


def _index_one(session: Session, episode_id: EpisodeId) -> None:
    found = episodes.get_locked(session, episode_id)
    if found is not None and found[1].state == "published":  # or somebody was faster
        index(session, found[1])


class _Folding(dict[int, str]):
    """For str.translate: what becomes of each character. Those of most living scripts are remembered."""

    def __missing__(self, code: int) -> str:
        found = _folded_character(chr(code))
        if code < 0x3000:
            self[code] = found
        return found


def _folded_character(character: str) -> str:
    """Small, plain letters and digits; nothing for a mark on another character; a blank for all else."""
    letters = _apart(_apart(character).casefold())
    return "".join(_plain(letter) for letter in letters if not unicodedata.category(letter).startswith("M"))


def _apart(letters: str) -> str:
    return unicodedata.normalize("NFKD", letters)


def _plain(letter: str) -> str:
    known = _PLAIN.get(letter, letter if letter.isalnum() else " ")
    return str(unicodedata.decimal(letter, known))  # digits are those of any script


_FOLDING = _Folding()
