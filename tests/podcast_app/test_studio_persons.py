"""The people of an episode: rows of its form, one list to two who change it at once."""

import pytest

from feeds.roles import TAXONOMY, label
from podcast_app import words
from podcast_app.studio import persons_form
from podcast_app.studio.persons_form import Row
from tests.site import Site
from tests.studio import Studio

ALINE = {"name": "Aline Umutoni", "role": "host", "group": "cast", "url": "https://example.org/aline"}


def rows(*names: str, role: str = "cast/guest") -> dict[str, str]:
    """What a form sends of these people."""
    return {"person.listed": "yes"} | {
        f"person.{place}.{part}": value
        for place, name in enumerate(names)
        for part, value in (("name", name), ("role", role), ("url", ""), ("picture", ""))
    }


@pytest.mark.parametrize("group", TAXONOMY)
def test_every_role_has_its_french_word(group: str) -> None:
    shown = [group, *(label(role, group) or "" for role in TAXONOMY[group])]

    assert [word for word in shown if words.plain("fr", word) == word and word not in ("administration",)] == []


def test_rows_without_a_name_are_nobody_and_those_taken_off_are_gone() -> None:
    typed = rows("Aline", "", "Jean") | {"person.2.off": "yes"}

    assert persons_form.gathered(typed)["persons"] == "Aline · cast/guest"


def test_a_list_of_which_everybody_was_taken_off_is_empty_and_not_unsaid() -> None:
    assert persons_form.gathered({"person.listed": "yes"})["persons"] == ""
    assert "persons" not in persons_form.gathered({"title": "Matonge"})


def test_a_link_without_a_name_and_a_name_with_half_a_link_are_named() -> None:
    typed = rows("", "Jean") | {"person.0.url": "https://example.org", "person.1.url": "example.org"}

    assert [finding.problem for finding in persons_form.findings(typed)] == [
        "Somebody in the list has no name.",
        "The link of {name} is not a web address.",
    ]


@pytest.mark.parametrize(
    ("name", "picture"), [("Aline Umutoni", "aa"), ("Aline U.", "aa"), ("Jean Bizimana", "bb"), ("Marie Claire", "")]
)
def test_a_picture_stays_with_its_person_and_never_becomes_anothers(name: str, picture: str) -> None:
    known = [Row("Aline Umutoni", picture="aa"), Row("Jean Bizimana", picture="bb")]

    assert persons_form._picture(Row(name, picture="aa"), known) == picture


def test_people_are_typed_shown_and_offered_to_the_next_episode(studio: Studio, mp3: bytes) -> None:
    aline = studio.signed_in("aline@example.org", language="fr")
    first = aline.upload(mp3, title="Matonge")

    saved = aline.send(first.path, first.form() | rows("Jean Bizimana", role="writing/translator") | {"then": "save"})
    second = aline.upload(mp3, title="Molenbeek")

    assert saved.form()["person.0.name"] == "Jean Bizimana"
    assert saved.form()["person.0.role"] == "writing/translator"
    assert "traduction" in saved.document.xpath("//select[@name='person.0.role']//option[@selected]/text()")
    assert second.document.xpath("//datalist/option[@value='Jean Bizimana']/@data-role") == ["writing/translator"]
    assert episode(studio.site, saved.path)["persons"] == [
        {"name": "Jean Bizimana", "role": "translator", "group": "writing", "url": "", "image_url": ""}
    ]


def test_two_who_change_the_list_at_once_see_each_others(studio: Studio, mp3: bytes) -> None:
    aline, jean = studio.signed_in(), studio.signed_in("jean@example.org")
    opened = aline.upload(mp3, title="Ixelles")
    studio.site.api.patch(f"/api/v1{opened.path.removeprefix('/studio')}", json={"persons": [ALINE]})

    clash = jean.send(opened.path, opened.form() | rows("Jean") | {"then": "save"})

    assert clash.status == 409
    assert "Aline Umutoni · host · https://example.org/aline" in clash.beside("persons")
    assert clash.form()["person.0.name"] == "Jean"
    assert [person["name"] for person in episode(studio.site, opened.path)["persons"]] == ["Aline Umutoni"]


def test_a_list_that_only_another_changed_comes_with_the_text_that_both_did(studio: Studio, mp3: bytes) -> None:
    aline = studio.signed_in()
    opened = aline.upload(mp3, title="Uccle")
    theirs = {"title": "Theirs", "persons": [ALINE]}
    studio.site.api.patch(f"/api/v1{opened.path.removeprefix('/studio')}", json=theirs)

    clash = aline.fill(opened, title="Mine")
    aline.fill(clash)

    assert (clash.status, clash.form()["person.0.name"]) == (409, "Aline Umutoni")
    assert [person["name"] for person in episode(studio.site, opened.path)["persons"]] == ["Aline Umutoni"]


def episode(site: Site, path: str) -> dict[str, list[dict[str, str]]]:
    answer: dict[str, list[dict[str, str]]] = site.api.get(f"/api/v1{path.removeprefix('/studio')}").json()
    return answer
