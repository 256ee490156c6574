"""Who may come in, and that a copy of the database opens nothing."""

import datetime as dt

import pytest
from sqlalchemy import MetaData, select

from feeds.checks import Finding
from podcast_app import access, people
from podcast_app.http import Problem
from podcast_app.models import User
from podcast_app.times import utcnow
from tests.podcasts import Library

PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def hashed() -> str:
    """Made once: it is slow on purpose."""
    return people.password_hash(PASSWORD)


@pytest.fixture
def anna(library: Library, hashed: str) -> User:
    user = add(library, hashed)
    assert isinstance(user, User)
    return user


def add(library: Library, hashed: str, email: str = "anna@example.org") -> User | list[Finding]:
    return library.work.database.write(
        people.add_user, email=email, name="Anna", hashed=hashed, language="fr", is_administrator=False, now=utcnow()
    )


# --- passwords ---


def test_a_password_is_kept_as_argon2id_and_only_itself_matches(hashed: str) -> None:
    assert hashed.startswith("$argon2id$")
    assert people.is_right(PASSWORD, hashed)
    assert not people.is_right(PASSWORD.title(), hashed)
    assert not people.is_right("", hashed)


def test_two_people_with_the_same_password_have_different_hashes(hashed: str) -> None:
    assert people.password_hash(PASSWORD) != hashed


def test_nobody_gets_in_without_an_account_or_with_a_damaged_one() -> None:
    assert not people.is_right(PASSWORD, None)
    assert not people.is_right(PASSWORD, "no hash at all")


@pytest.mark.parametrize(("length", "is_taken"), [(9, False), (10, True), (200, True), (201, False)])
def test_a_password_has_a_length_that_keeps_guessers_out(length: int, is_taken: bool) -> None:
    assert (people.password_findings("é" * length) == []) is is_taken


# --- people ---


def test_an_address_belongs_to_one_person_however_it_is_written(library: Library, anna: User, hashed: str) -> None:
    [finding] = add(library, hashed, email=" ANNA@Example.org ")

    assert isinstance(finding, Finding)
    assert finding.field == "email"
    assert library.work.database.read(people.user_by_email, "Anna@EXAMPLE.org").id == anna.id
    assert len(library.work.database.read(people.users)) == 1


@pytest.mark.parametrize("email", ["", "anna", "anna@", "@example.org", "anna@example", "a b@example.org", "a@b@c.org"])
def test_what_is_no_address_makes_no_account(library: Library, hashed: str, email: str) -> None:
    [finding] = add(library, hashed, email=email)

    assert isinstance(finding, Finding)
    assert finding.field == "email"


def test_a_person_has_one_role_in_a_show_and_administrators_have_every_show(library: Library, anna: User) -> None:
    show_id = library.show().id
    database = library.work.database
    assert database.read(people.role, anna, show_id) is None

    for role in ("viewer", "producer", "viewer", None):
        database.write(people.set_role, anna.id, show_id, role)

        assert database.read(people.role, anna, show_id) == role

    anna.is_administrator = True
    assert database.read(people.role, anna, show_id) == "producer"


# --- sessions ---


def test_a_browser_is_signed_in_until_it_signs_out(library: Library, anna: User) -> None:
    database = library.work.database
    here, elsewhere = (database.write(people.sign_in, anna.id, utcnow()) for _ in range(2))
    assert here != elsewhere

    database.write(people.sign_out, here)

    assert database.read(people.signed_in, here, utcnow()) is None
    assert database.read(people.signed_in, elsewhere, utcnow()).id == anna.id


def test_a_session_ends_by_itself(library: Library, anna: User) -> None:
    secret = library.work.database.write(people.sign_in, anna.id, utcnow())

    later = utcnow() + people.SESSION_LASTS + dt.timedelta(seconds=1)

    assert library.work.database.read(people.signed_in, secret, later) is None


def test_a_new_password_signs_the_person_out_everywhere(library: Library, anna: User) -> None:
    database = library.work.database
    secret = database.write(people.sign_in, anna.id, utcnow())

    database.write(lambda session: people.set_password(session, session.get(User, anna.id), "another hash"))

    assert database.read(people.signed_in, secret, utcnow()) is None
    assert database.read(people.user_by_email, anna.email).password_hash == "another hash"


@pytest.mark.parametrize("secret", ["", "x", "\ud800", "\0", "é" * 10_000])
def test_a_secret_that_somebody_made_up_opens_nothing(library: Library, anna: User, secret: str) -> None:
    database = library.work.database

    assert database.read(people.signed_in, secret, utcnow()) is None
    assert database.read(people.token, secret) is None
    assert database.write(people.link, secret, "account", utcnow()) is None


# --- one-time links ---


def test_a_link_is_good_once_for_what_it_was_made_for_and_for_a_week(library: Library, anna: User) -> None:
    database = library.work.database
    secret = database.write(people.password_link, anna.id, utcnow())

    assert database.write(people.link, secret, "account", utcnow()) is None
    assert database.write(people.link, secret, "password", utcnow() + people.LINK_LASTS) is None
    assert database.write(people.link, secret, "password", utcnow()).user_id == anna.id

    database.write(lambda session: session.delete(people.link(session, secret, "password", utcnow())))

    assert database.write(people.link, secret, "password", utcnow()) is None


def test_the_link_for_the_first_account_is_made_while_nobody_has_one_and_replaces_earlier_ones(
    library: Library, hashed: str
) -> None:
    database = library.work.database
    first = database.write(people.first_account_link, utcnow())
    second = database.write(people.first_account_link, utcnow())

    assert database.write(people.link, first, "account", utcnow()) is None
    assert database.write(people.link, second, "account", utcnow()).is_administrator

    add(library, hashed)
    assert database.write(people.first_account_link, utcnow()) is None


# --- tokens ---


def test_a_token_is_good_until_it_is_revoked_by_its_name_or_id(library: Library) -> None:
    database = library.work.database
    by_name, by_id = (database.write(people.create_token, name, None, utcnow()) for name in ("one", "two"))
    assert database.read(people.token, by_name).name == "one"

    assert database.write(people.revoke_token, "one", utcnow()) == 1
    assert database.write(people.revoke_token, database.read(people.token, by_id).id, utcnow()) == 1

    assert database.read(people.token, by_name) is None
    assert database.read(people.token, by_id) is None
    assert database.write(people.revoke_token, "one", utcnow()) == 0


def test_no_secret_stands_in_the_database(library: Library, anna: User) -> None:
    database = library.work.database
    secrets = [
        database.write(people.sign_in, anna.id, utcnow()),
        database.write(people.password_link, anna.id, utcnow()),
        database.write(people.invitation_link, "bob@example.org", is_administrator=False, now=utcnow()),
        database.write(people.create_token, "machine", None, utcnow()),
        PASSWORD,
    ]

    found = MetaData()
    found.reflect(database.engine)
    with database.engine.connect() as connection:
        everything = repr([connection.execute(select(table)).all() for table in found.sorted_tables])

    assert anna.email in everything
    for secret in secrets:
        assert secret not in everything
        assert secret.removeprefix("pod_") not in everything


# --- what somebody may change, asked when it is changed ---


def test_who_was_taken_off_a_show_while_an_upload_was_on_its_way_changes_nothing(library: Library, anna: User) -> None:
    show_id = library.show().id
    library.work.database.write(people.set_role, anna.id, show_id, "producer")
    library.work.database.write(access.show_to_change, anna, show_id)

    library.work.database.write(people.set_role, anna.id, show_id, "viewer")

    with pytest.raises(Problem) as refused:
        library.work.database.write(access.show_to_change, anna, show_id)
    assert refused.value.status == 403


def test_a_token_that_was_revoked_while_an_upload_was_on_its_way_changes_nothing(library: Library) -> None:
    secret = library.work.database.write(people.create_token, "mixer", None, utcnow())
    token = library.work.database.read(people.token, secret)
    assert token is not None

    library.work.database.write(people.revoke_token, token.id, utcnow())

    with pytest.raises(Problem):
        library.work.database.write(access.show_to_change, token, library.show().id)
