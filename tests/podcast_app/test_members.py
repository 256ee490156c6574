"""Invitations under pressure: used, taken back and ended by several at once."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy.orm import Session

from podcast_app import episodes, members, people
from podcast_app.models import User, UserId
from podcast_app.outcomes import Done
from podcast_app.times import utcnow
from tests.podcasts import Library


def person(library: Library, name: str) -> UserId:
    made = library.work.database.write(
        people.add_user,
        email=f"{name}@example.org",
        name=name,
        hashed="none",
        language="en",
        is_administrator=False,
        now=utcnow(),
    )
    assert isinstance(made, User)
    return made.id


def at_once(library: Library, steps: Sequence[Callable[[Session], bool]]) -> list[bool]:
    """What each of them says, in transactions of their own that begin together."""
    together = Barrier(len(steps))

    def run(step: Callable[[Session], bool]) -> bool:
        together.wait()
        return library.work.database.write(step)

    with ThreadPoolExecutor(len(steps)) as many:
        return list(many.map(run, steps))


def using(secret: str, user_id: UserId) -> Callable[[Session], bool]:
    return lambda session: isinstance(members.use(session, secret, user_id, utcnow()), Done)


@pytest.mark.long_on_postgresql
def test_an_invitation_lets_one_in_however_many_use_it_at_once(library: Library) -> None:
    database, show_id = library.work.database, library.show().id
    secret = database.write(people.show_link, show_id, "producer", "", utcnow())

    let_in = at_once(library, [using(secret, person(library, f"guest-{number}")) for number in range(5)])

    assert sorted(let_in) == [False] * 4 + [True]
    assert len(database.read(members.of_show, show_id)) == 1


@pytest.mark.long
@pytest.mark.parametrize("_time", range(5))
def test_who_comes_and_who_goes_at_the_same_moment_do_not_wait_for_each_other_for_ever(
    library: Library, _time: int
) -> None:
    database, show_id = library.work.database, library.show().id
    producer, guest, gone = (person(library, name) for name in ("producer", "guest", "gone"))
    for user_id in (producer, gone):
        database.write(people.set_role, user_id, show_id, "producer")
    one, other = (database.write(people.show_link, show_id, "viewer", "", utcnow()) for _ in range(2))

    def take_off(session: Session) -> bool:
        return members.change_role(session, episodes.locked_show(session, show_id), producer, None)

    def remove(session: Session) -> bool:
        return people.remove(session, session.get_one(User, gone)) == []

    took_off, removed, joined, _ = at_once(library, [take_off, remove, using(one, guest), using(other, gone)])

    assert took_off
    assert removed
    assert [member.person.id for member in database.read(members.of_show, show_id)] == [guest] * joined
    assert database.read(people.links, utcnow()) == []
