"""Two people at one form."""

from hypothesis import given
from hypothesis import strategies as st

from podcast_app.studio import edits

SAVED = {"title": "Matonge", "notes": "A quarter.", "season": "1"}


def form(**typed: str) -> dict[str, str]:
    """The form as it was opened, with these inputs changed."""
    return {**SAVED, **typed, "seen": edits.seen(SAVED)}


def test_what_only_one_of_them_changed_is_no_clash() -> None:
    saved_meanwhile = SAVED | {"season": "2"}

    merged = edits.merge(form(title="Matongé"), saved_meanwhile)

    assert merged == edits.Merge(changes={"title": "Matongé"}, clashes={})


def test_what_both_changed_is_a_clash_that_shows_the_others_words() -> None:
    saved_meanwhile = SAVED | {"title": "Matonge, encore", "notes": "More."}

    merged = edits.merge(form(title="Matongé"), saved_meanwhile)

    assert merged == edits.Merge(changes={"title": "Matongé"}, clashes={"title": "Matonge, encore"})


def test_both_writing_the_same_is_no_clash() -> None:
    assert edits.merge(form(title="Matongé"), SAVED | {"title": "Matongé"}) == edits.Merge({}, {})


def test_a_form_that_does_not_say_what_it_showed_overwrites_nothing() -> None:
    merged = edits.merge({"title": "Matongé"}, SAVED)

    assert merged.clashes == {"title": "Matonge"}


@given(st.dictionaries(st.sampled_from(sorted(SAVED)), st.text()))
def test_a_form_that_is_sent_twice_changes_nothing_the_second_time(typed: dict[str, str]) -> None:
    merged = edits.merge(form(**typed), SAVED)

    assert merged.clashes == {}
    assert edits.merge(form(**typed), SAVED | merged.changes) == edits.Merge({}, {})
