"""Objects between being written and being owned: none is lost, and none stays without an owner."""

import datetime as dt
import time

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from media.storage import Key
from podcast_app import objects, outgoing
from podcast_app.models import LooseObject
from podcast_app.times import utcnow
from tests.podcasts import Library

SECOND = dt.timedelta(seconds=1)
KEY = Key("private/originals/x")


def write(library: Library, key: Key = KEY) -> None:
    with objects.announced(library.work.database, key), library.work.storage.writing(key, "audio/mpeg") as writer:
        writer.write(b"x")


def let_time_pass(library: Library, time: dt.timedelta) -> None:
    def move(session: Session) -> None:
        for row in session.scalars(select(LooseObject)):
            row.delete_after -= time

    library.work.database.write(move)


def sweep(library: Library) -> None:
    while outgoing.sweep(library.work):
        pass


def test_an_object_that_nobody_takes_over_goes_when_its_time_has_passed(library: Library) -> None:
    write(library)
    let_time_pass(library, objects.PATIENCE - SECOND)
    sweep(library)
    assert KEY in library.objects("private/originals/")

    let_time_pass(library, 2 * SECOND)
    sweep(library)

    assert library.objects("private/originals/") == set()
    assert library.loose() == set()


def test_however_long_an_object_is_being_written_it_stays(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objects, "SIGN_EVERY", 0.02)

    with objects.announced(library.work.database, KEY):
        let_time_pass(library, objects.PATIENCE + SECOND)
        wait_for_a_sign(library)
        with library.work.storage.writing(KEY, "audio/mpeg") as writer:
            writer.write(b"x")
        sweep(library)

    assert KEY in library.objects("private/originals/")


def wait_for_a_sign(library: Library) -> None:
    end = time.monotonic() + 10
    while (
        library.work.database.read(lambda session: session.scalars(select(LooseObject.delete_after)).one()) < utcnow()
    ):
        assert time.monotonic() < end
        time.sleep(0.01)


def test_what_was_taken_over_stays(library: Library) -> None:
    write(library)

    library.work.database.write(objects.take_over, KEY)
    sweep(library)

    assert KEY in library.objects("private/originals/")
    assert library.loose() == set()


def test_what_was_swept_can_no_longer_be_taken_over(library: Library) -> None:
    write(library)
    let_time_pass(library, objects.PATIENCE + SECOND)
    assert library.work.database.write(objects.doom, utcnow()) == [KEY]

    with pytest.raises(objects.TooLate):
        library.work.database.write(objects.take_over, KEY)


def test_what_a_killed_worker_was_deleting_is_deleted_by_another(library: Library) -> None:
    write(library)
    let_time_pass(library, objects.PATIENCE + SECOND)
    library.work.database.write(objects.doom, utcnow())
    sweep(library)
    assert KEY in library.objects("private/originals/")  # the first one's turn

    let_time_pass(library, objects.PATIENCE + SECOND)
    sweep(library)

    assert library.objects("private/originals/") == set()
    assert library.loose() == set()


@pytest.mark.parametrize("is_forgotten_first", [True, False])
def test_what_was_swept_before_it_was_written_is_swept_once_more(library: Library, is_forgotten_first: bool) -> None:
    database = library.work.database
    with objects.announced(database, KEY):
        let_time_pass(library, objects.PATIENCE + SECOND)
        assert database.write(objects.doom, utcnow()) == [KEY]
        library.work.storage.delete(KEY)
        if is_forgotten_first:
            database.write(objects.forget_doomed, KEY)
        with library.work.storage.writing(KEY, "audio/mpeg") as writer:
            writer.write(b"x")
    if not is_forgotten_first:
        database.write(objects.forget_doomed, KEY)

    with pytest.raises(objects.TooLate):
        database.write(objects.take_over, KEY)
    sweep(library)

    assert library.objects("private/originals/") == set()
    assert library.loose() == set()


def test_what_is_released_goes_at_once_and_may_be_released_twice(library: Library) -> None:
    write(library)
    library.work.database.write(objects.take_over, KEY)

    library.work.database.write(objects.release, KEY, utcnow())
    library.work.database.write(objects.release, KEY, utcnow())
    library.work.database.write(objects.release, None, utcnow())
    sweep(library)

    assert library.objects("private/originals/") == set()
    assert library.loose() == set()


def test_what_is_given_up_goes_at_once_unless_somebody_took_it_over(library: Library) -> None:
    kept = Key("private/covers/kept")
    write(library)
    write(library, kept)
    library.work.database.write(objects.take_over, kept)

    library.work.database.write(objects.give_up, [KEY, kept], utcnow())
    sweep(library)

    assert KEY not in library.objects()
    assert kept in library.objects()


def test_a_transaction_that_is_given_up_takes_nothing_over(library: Library) -> None:
    write(library)

    def take_over_and_fail(session: Session) -> None:
        objects.take_over(session, KEY)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        library.work.database.write(take_over_and_fail)

    assert library.loose() == {KEY}


def test_names_are_never_used_twice() -> None:
    names = {objects.private_key("originals") for _ in range(1000)} | {objects.public_key("mp3") for _ in range(1000)}

    assert len(names) == 2000
