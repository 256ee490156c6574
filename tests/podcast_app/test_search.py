"""What is published is found by its words, in either kind of database, and only while it is published."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import delete, event, func, select, text
from sqlalchemy.orm import Session

from media.transcripts import read
from podcast_app import episodes, publishing, search, transcripts, worker
from podcast_app.fields import EpisodeChanges
from podcast_app.models import Episode, EpisodeId, EpisodeText, SearchText, ShowId, Transcript
from podcast_app.outcomes import Done
from podcast_app.search import Hit
from podcast_app.times import utcnow
from tests.podcasts import Library, Place, at
from tests.visitor import add_many

SAID = "WEBVTT\n\n00:00.500 --> 00:02.000\nNous étions à Kisangani, près du fleuve.\n"


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("Œuvre d’ÉTÉ, à Matongé!", "oeuvre d ete a matonge"),
        ("Straße in İstanbul, Øre, Łódź, Þór", "strasse in istanbul ore lodz thor"),
        ("ɛlɔkɔ ya Lingála; Ɓamana, ŋgai", "eloko ya lingala bamana ngai"),
        ("e\u0301te\u0301 ﬁn ½ № 𝐁𝐨𝐥𝐝 ２０２６", "ete fin 1 2 no bold 2026"),
        ("مُحَمَّدٌ ، الـقُـرآن ٢٠٢٦", "محمد القران 2026"),
        ("أحمد إلى آخر ٱلله", "احمد الي اخر الله"),
        ("ሰላም 日本 🎧 _*\"'\\", "ሰላም 日本"),
    ],
)
def test_words_are_compared_without_what_people_leave_out(written: str, words: str) -> None:
    assert search.folded(written) == words
    assert search.folded(words) == words


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("  Matongé, matonge ", ("matonge",)),
        ("a b c d e f g h i j", ("a", "b", "c", "d", "e", "f", "g", "h")),
        ("x" * 10_000, ("x" * search.LONGEST_WORD,)),
        ("l'été d’une autre", ("ete", "une", "autre")),
        ("MOTHER’S rock'n'roll", ("mother", "rock", "roll")),
        ("aujourd'hui, 5' à pied", ("aujourd", "hui", "5", "a", "pied")),
        ("l'", ("l",)),
        ("*", ()),
        ("\0 🎧 -- ''", ()),
    ],
)
def test_a_question_is_a_few_beginnings_of_words(asked: str, words: tuple[str, ...]) -> None:
    assert search.words(asked) == words


def test_short_words_are_shown_where_they_stand_alone() -> None:
    said = "Le lac, la rive; l’école. 日本語"

    found = [said[start:stop] for start, stop in search.places(said, search.words("LA l 日"))]

    assert found == ["la", "l", "日本語"]
    assert search.count(said, ("la", "le", "ri", "日")) == 3


def test_the_words_of_a_question_are_shown_where_they_stand() -> None:
    said = "L’ÉCOLE, les écoliers et l’e\u0301cole."

    found = [said[start:stop] for start, stop in search.places(said, search.words("L'ÉCOL"))]

    assert found == ["ÉCOLE", "écoliers", "e\u0301cole"]


@pytest.fixture(scope="module")
def lakes(shared_library: Library) -> Library:
    """Episodes e1 to e9, the last of which has French words too; each newer than the one before."""
    _fill(
        shared_library,
        ("Le marché de Matongé", "Avec *Aline* et [Œuvres](https://example.org)", "Au bord du fleuve"),
        ("Kivu", "A lake", "nothing"),
        ("A lake", "On the Kivu, and more of it", "nothing"),
        ("A lake", "More of it", "on the Kivu we went"),
        ("Elsewhere", "No lake", "nothing"),
        *(("Goma one", "", ""), ("Goma two", "", ""), ("Goma six", "", "")),
        ("Bukavu and Uvira", "Port", ""),
    )
    _translate(shared_library, EpisodeText(episode_id=EpisodeId("e9"), language="fr", title="Bukavu", notes="Havre"))
    return shared_library


def test_an_episode_is_found_by_title_notes_and_what_is_said(lakes: Library) -> None:
    for asked in ("matonge", "MARCHÉ", "marc", "aline oeuvres", "le bord marché fleuve", "œuvr", "d'Aline", "le au"):
        assert _found(lakes, asked) == ["e1"], asked
    for asked in ("atonge", "ma", "matonge kinshasa", "example", "", "?"):
        assert _found(lakes, asked) == [], asked


def test_what_stands_in_the_title_comes_first_then_in_the_notes_then_in_what_is_said(lakes: Library) -> None:
    assert _found(lakes, "kivu") == ["e2", "e3", "e4"]


def test_what_is_as_good_comes_newest_first(lakes: Library) -> None:
    assert _found(lakes, "goma") == ["e8", "e7", "e6"]


def test_an_episode_in_two_languages_is_found_once_in_that_of_the_page_if_it_can(lakes: Library) -> None:
    assert _hits(lakes, "bukavu", "fr") == [Hit(EpisodeId("e9"), "fr")]
    assert _hits(lakes, "bukavu", "en") == [Hit(EpisodeId("e9"), "en")]
    assert _hits(lakes, "havre", "en") == [Hit(EpisodeId("e9"), "fr")]
    assert _hits(lakes, "uvira havre", "fr") == []


def test_a_show_is_searched_alone(lakes: Library) -> None:
    assert lakes.work.database.read(search.find, ShowId("another"), ("matonge",), "en") == []


def test_nothing_that_is_asked_is_an_error(lakes: Library) -> None:
    quoting = ('"', "'", "a* OR b", 'title:x"', "NEAR(a b)", "a & !b | (c", "--", "\\", "%", "_")

    for asked in (*quoting, "\0", "🎧", "é" * 10_000, "ﷺ" * 99):
        assert _found(lakes, asked) == [], asked


@pytest.mark.long_on_postgresql
def test_an_episode_is_found_from_its_publication_to_its_withdrawal(library: Library, mp3: bytes) -> None:
    draft = library.draft(mp3, title="A draft about Matongé")
    episode = library.published(mp3, title="Matongé", notes="Aline")
    assert _found(library, "matonge") == [episode.id]

    _edit(library, episode.id, title="Ixelles")
    assert (_found(library, "matonge"), _found(library, "ixelles aline")) == ([], [episode.id])

    _write(library, publishing.withdraw, episode.id)
    assert _found(library, "ixelles") == []
    assert library.work.database.read(lambda session: session.scalar(select(func.count(SearchText.id)))) == 0
    assert library.episode(draft).state == "draft"


@pytest.mark.long_on_postgresql
def test_a_transcript_is_found_as_long_as_it_is_there(library: Library) -> None:
    _fill(library, ("Fleuve", "", ""))
    episode_id = EpisodeId("e1")

    _write(library, transcripts.put, episode_id, "fr", read(SAID.encode(), filename="a.vtt"), "a.vtt", None)
    assert _hits(library, "etions kisangani", "en") == [Hit(episode_id, "fr")]
    assert _hits(library, "fleuve", "en") == [Hit(episode_id, "en")]

    _write(library, transcripts.remove, episode_id, "fr")
    assert _found(library, "kisangani") == []


@pytest.mark.long_on_postgresql
def test_what_does_not_change_words_writes_none(library: Library) -> None:
    _fill(library, ("Fleuve", "Aline", ""))

    with _writes(library) as written:
        _edit(library, EpisodeId("e1"), season=2, persons=[{"name": "Aline"}])
    assert written == []

    with _writes(library) as written:
        _edit(library, EpisodeId("e1"), notes="Béatrice")
    assert [statement.split()[0] for statement in written] == ["UPDATE"]


@pytest.mark.long_on_postgresql
def test_what_was_published_before_there_was_a_search_is_found_once_the_worker_came_by(library: Library) -> None:
    _fill(library, *(("Matonge", "", ""),) * 3)
    library.work.database.write(lambda session: session.execute(delete(SearchText)))
    assert _found(library, "matonge") == []

    worker.catch_up(library.work, (search.bring_up,))

    assert _found(library, "matonge") == ["e3", "e2", "e1"]
    assert not search.bring_up(library.work)


def test_postgresql_looks_into_its_index(postgresql_place: Place) -> None:
    def plan(session: Session) -> str:
        session.execute(text("SET LOCAL enable_seqscan = off"))  # by which one row is found sooner
        literal = "SELECT id FROM search_texts WHERE words @@ to_tsquery('simple', 'matonge:*')"
        return "\n".join(session.connection().exec_driver_sql(f"EXPLAIN {literal}").scalars())

    with at(postgresql_place) as library:
        _fill(library, ("Matonge", "", ""))

        assert "ix_search_texts_words" in library.work.database.read(plan)


@pytest.mark.long
def test_a_transcript_of_more_words_than_a_language_has_stops_no_publication(library: Library) -> None:
    many = " ".join(f"{number:x}é{number * 7919 % 100_003}" for number in range(200_000))

    _fill(library, ("Endless", "", f"Kivu {many} Kisangani"))

    assert _found(library, "kivu endless") == ["e1"]


def _fill(library: Library, *texts: tuple[str, str, str]) -> None:
    """Published episodes e1, e2 ... with these titles, notes and transcripts, each a day newer than the one before."""

    def fill(session: Session) -> None:
        add_many(session, library.show().id, len(texts))
        for number, (title, notes, said) in enumerate(texts, start=1):
            row = session.get_one(EpisodeText, (f"e{number}", "en"))
            row.title, row.notes = title, notes
            if said:
                session.add(_transcript(f"e{number}", said))
        session.flush()

    library.work.database.write(fill)
    worker.catch_up(library.work, (search.bring_up,))


def _transcript(episode_id: str, said: str) -> Transcript:
    content = {"text": said}
    about = {"is_timed": False, "filename": "a.txt", "digest": ""}
    return Transcript(episode_id=EpisodeId(episode_id), language="en", content=content, **about)


def _translate(library: Library, words: EpisodeText) -> None:
    def translate(session: Session) -> None:
        session.add(words)
        session.flush()
        search.index(session, session.scalars(episodes.whole().where(Episode.id == words.episode_id)).one())

    library.work.database.write(translate)


def _edit(library: Library, episode_id: EpisodeId, **said: object) -> None:
    _write(library, publishing.edit, episode_id, EpisodeChanges.model_validate(said))


def _write(library: Library, function: Callable[..., object], *said: object) -> None:
    """Call one of the application's functions, which all end with the settings and the time."""
    done = library.work.database.write(function, *said, library.work.settings, utcnow())
    assert isinstance(done, Done), done


@contextmanager
def _writes(library: Library) -> Iterator[list[str]]:
    """What is sent within the block that changes the words."""
    sent: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if "search_texts" in statement and not statement.startswith("SELECT"):
            sent.append(statement)

    engine = library.work.database.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", note)


def _found(library: Library, asked: str) -> list[str]:
    return [hit.episode_id for hit in _hits(library, asked, "en")]


def _hits(library: Library, asked: str, language: str) -> list[Hit]:
    return library.work.database.read(search.find, library.show().id, search.words(asked), language)
