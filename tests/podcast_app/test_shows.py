"""What becomes of a show by itself, and of its feeds when it is put away: on each kind of database."""

import datetime as dt
import io

import pytest
from rich.console import Console

from podcast_app import check, publishing, shows, worker
from podcast_app.fields import ShowFields, parse
from podcast_app.models import Show
from podcast_app.outcomes import Done, Refused, Unknown
from podcast_app.times import utcnow
from tests.podcasts import Library

pytestmark = pytest.mark.long_on_postgresql

COPIES = "feeds/diaspora-insights"


def edited(library: Library, **said: object) -> Done[Show] | Refused | Unknown:
    changes, work = parse(ShowFields, said), library.work
    assert isinstance(changes, ShowFields), changes
    return work.database.write(shows.edit_by_slug, "diaspora-insights", changes, work.settings, utcnow())


def remarks(library: Library) -> str:
    said, work = io.StringIO(), library.work
    check.run(work.database, work.storage, work.settings, None, Console(file=said, width=400))
    return said.getvalue()


def test_an_address_that_is_in_the_feed_for_too_long_lags_and_the_worker_takes_it_out(library: Library) -> None:
    past, mail = utcnow() - dt.timedelta(hours=1), "show@example.org"
    edited(library, owner_email=mail, email_in_feed=True, email_in_feed_until=past.isoformat())
    before = library.show()
    assert mail in library.xml()
    assert "shows its e-mail address for too long" in remarks(library)

    worker.catch_up(library.work)

    after = library.show()
    assert mail not in library.xml()
    assert mail not in library.xml("fr")
    assert (after.email_in_feed, after.email_in_feed_until, after.owner_email) == (False, None, mail)
    assert after.version == before.version + 1
    assert "for too long" not in remarks(library)


@pytest.mark.long
def test_an_address_whose_time_is_to_come_stays_in_the_feed(library: Library) -> None:
    later = utcnow() + dt.timedelta(minutes=1)
    edited(library, owner_email="show@example.org", email_in_feed=True, email_in_feed_until=later.isoformat())

    worker.catch_up(library.work)

    assert "show@example.org" in library.xml()


def test_the_copies_of_a_show_that_is_put_away_leave_the_storage_and_come_back_with_it(library: Library) -> None:
    worker.catch_up(library.work)
    assert library.objects(COPIES)

    edited(library, archived=True)
    worker.catch_up(library.work)
    gone, said = library.objects(COPIES), remarks(library)
    edited(library, archived=True, author="Another")  # what is said of it meanwhile makes no feed
    worker.catch_up(library.work)
    still_gone = library.objects(COPIES)
    edited(library, archived=False)
    worker.catch_up(library.work)

    assert gone == still_gone == set()
    assert "is archived" in said
    assert "error" not in said.lower().replace("errors: 0", "")
    assert "Another" in library.xml()
    assert library.objects(COPIES)


@pytest.mark.long
def test_a_show_that_comes_back_before_the_worker_looked_keeps_its_copies(library: Library) -> None:
    worker.catch_up(library.work)
    before = library.objects(COPIES)

    edited(library, archived=True)
    edited(library, archived=False)
    worker.catch_up(library.work)

    assert library.objects(COPIES) == before


def test_a_show_with_an_episode_that_is_due_later_is_not_put_away(library: Library, mp3: bytes) -> None:
    library.draft(mp3, title="Later", publish="2190-01-01T00:00:00Z")

    refused = edited(library, archived=True)

    assert isinstance(refused, Refused)
    assert refused.findings == [shows.IS_SCHEDULED]
    assert library.show().archived_at is None


def test_a_show_that_is_put_away_publishes_nothing(library: Library, mp3: bytes) -> None:
    edited(library, archived=True)

    early = library.draft(mp3, title="Too early", publish="now")
    worker.catch_up(library.work)

    assert library.episode(early).state == "draft"
    assert publishing.ARCHIVED in publishing.findings(library.episode(early), library.show(), library.work.settings)
