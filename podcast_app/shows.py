"""Shows: made, found by address, and changed."""

import datetime as dt
import uuid

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session, joinedload, selectinload

from feeds import checks
from feeds.checks import Finding, error
from podcast_app import apps, covers, documents, episodes, objects, publishing, slugs
from podcast_app.addresses import feed_path, feed_views, views
from podcast_app.fields import ShowFields, ShowTranslation
from podcast_app.models import Cover, Episode, EpisodeId, Feed, Show, ShowId, ShowSlug, ShowText, new_id
from podcast_app.outcomes import Done, Refused, Unknown
from podcast_app.settings import Settings

FIRST_SHOW = ShowFields(
    slug="diaspora-insights",
    title="Diaspora Insights",
    description=(
        "Conversations by and for the diaspora in Belgium and Luxembourg: about Matonge, about the youth of the "
        "Rwandan community, about women who lead. A safe place to speak, made with IOM, the UN's migration agency."
    ),
    language="en",
    author="IOM Belgium and Luxembourg",
    categories=(("Society & Culture", "Documentary"), ("Government", None)),
    time_zone="Europe/Brussels",
    translations={
        "fr": ShowTranslation(
            title="Diaspora Insights",
            description=(
                "Des conversations par et pour la diaspora en Belgique et au Luxembourg : Matonge, la jeunesse de la "
                "communauté rwandaise, des femmes qui dirigent. Un lieu sûr pour parler, avec l'OIM, l'organisme des "
                "Nations Unies chargé des migrations."
            ),
        )
    },
)


HAS_EPISODES = error(
    "archived",
    "Listeners have episodes of this show, so it cannot be put away.",
    "Leave it as it is: a show that rests stays to be heard.",
)
IS_SCHEDULED = error(
    "archived", "An episode of this show is scheduled.", "Take it off the schedule, or delete it, and try again."
)
NOT_IN_FEED = error(
    "email_in_feed_until", "The e-mail address is not in the feed.", "Put it there first, or leave out the time."
)
# What a row takes as it was said.
SIMPLE = (
    *("author", "explicit", "type", "copyright", "owner_email", "email_in_feed", "email_in_feed_until"),
    *("funding_url", "new_feed_url", "locked", "even_loudness", "time_zone", "page_colour", "player_colour"),
)


def query(session: Session) -> list[Show]:
    """All shows with their words and covers, the oldest first."""
    shows = select(Show).options(selectinload(Show.texts), joinedload(Show.cover))
    return list(session.scalars(shows.order_by(Show.created_at, Show.id)))


def find(session: Session, slug: str) -> Show | None:
    """The show that has this address, or had it."""
    shows = select(Show).join(ShowSlug, ShowSlug.show_id == Show.id).where(ShowSlug.slug == slug)
    return session.scalars(shows.options(selectinload(Show.texts), joinedload(Show.cover))).one_or_none()


def create(
    session: Session, said: ShowFields, picture: covers.Picture, settings: Settings, now: dt.datetime
) -> Done[Show] | Refused:
    """A new show with an empty feed in each view. Without a chosen address it gets one from its title."""
    slug = said.slug if "slug" in said.model_fields_set else _free_slug(session, said.title)
    if session.get(ShowSlug, slug) is not None:
        return Refused([_taken()])
    show = Show(
        id=ShowId(new_id()),
        slug=slug,
        guid=str(uuid.uuid4()),
        guid_is_final=False,
        language=said.language,
        author=said.author,
        categories=[],
        version=1,
        created_at=now,
        texts=[ShowText(language=said.language, title=said.title, description="")],
    )
    session.add(show)
    session.flush()
    session.add(ShowSlug(slug=slug, show_id=show.id))
    covers.set_current(session, show.id, None, picture)
    if findings := _apply(session, show, said, now):
        return Refused(findings)
    session.flush()
    session.refresh(show, ["cover"])
    publishing.rebuild(session, show, settings, now)
    return Done(show)


def edit(
    session: Session,
    show: Show,
    changes: ShowFields,
    settings: Settings,
    now: dt.datetime,
    *,
    picture: covers.Picture | None = None,
) -> Done[Show] | Refused:
    """Change a locked show, and its feeds with it. What was missing before may stay so until an episode goes out."""
    before, known = _what_items_follow(show), _errors(show, settings)
    if findings := _apply(session, show, changes, now):
        return Refused(findings)
    if picture is not None:
        covers.set_current(session, show.id, None, picture)
        session.refresh(show, ["cover"])
    show.version += 1
    session.flush()
    if errors := [finding for finding in _errors(show, settings) if finding not in known]:
        return Refused(errors)
    if show.archived_at is not None:
        _drop_feeds(session, show, now)
    elif _what_items_follow(show) != before:
        _move_feeds(session, show, now)
        publishing.rebuild(session, show, settings, now)
    else:
        publishing.next_generation(session, show, settings, now)
    return Done(show)


def edit_by_slug(
    session: Session, slug: str, changes: ShowFields, settings: Settings, now: dt.datetime
) -> Done[Show] | Refused | Unknown:
    """The same, for a show that is named by its address."""
    found = find(session, slug)
    return edit(session, episodes.locked_show(session, found.id), changes, settings, now) if found else Unknown()


def hide_email(session: Session, settings: Settings, now: dt.datetime) -> bool:
    """Take one show's e-mail address out of its feeds, when its time is over. Whether there was one."""
    over = select(Show.id).where(Show.email_in_feed_until <= now).limit(1)
    show_id = session.scalar(over)
    if show_id is None:
        return False
    show = episodes.locked_show(session, show_id)
    if show.email_in_feed_until is not None and show.email_in_feed_until <= now:  # or somebody was faster
        edited = edit(session, show, ShowFields(email_in_feed=False), settings, now)
        assert isinstance(edited, Done), edited
    return True


def was_heard(session: Session, show_id: ShowId) -> bool:
    """Whether an episode of it was ever public."""
    return session.scalar(_one_of(show_id, Episode.published_at.is_not(None))) is not None


def is_heard(session: Session, show_id: ShowId) -> bool:
    """Whether an episode of it is public now."""
    return session.scalar(_one_of(show_id, Episode.state == "published")) is not None


def in_the_way_of_archiving(session: Session, show_id: ShowId) -> Finding | None:
    """Only a show that nobody ever heard, and that nothing is about to come out of, can be put away."""
    if was_heard(session, show_id):
        return HAS_EPISODES
    return IS_SCHEDULED if session.scalar(_one_of(show_id, Episode.state == "scheduled")) is not None else None


def _one_of(show_id: ShowId, which: ColumnElement[bool]) -> Select[EpisodeId]:
    return select(Episode.id).where(Episode.show_id == show_id, which).limit(1)


def _apply(session: Session, show: Show, said: ShowFields, now: dt.datetime) -> list[Finding]:
    """Make the changes that were said; findings are to be Refused."""
    named = said.model_fields_set
    for name in SIMPLE:
        if name in named:
            setattr(show, name, getattr(said, name))
    if "categories" in named:
        show.categories = [list(category) for category in said.categories]
    if "zones" in named:
        show.zones = list(dict.fromkeys(said.zones))
    if "verification" in named:
        show.verification = [code.model_dump() for code in said.verification]
    findings = [*_say(show, said), *_link(show, said), *_name_persons(session, show, said)]
    findings += [*_settle_email(show, said), *_archive(session, show, said, now)]
    if "slug" in named and said.slug != show.slug:
        findings += _rename(session, show, said.slug)
    return findings


def _say(show: Show, said: ShowFields) -> list[Finding]:
    """Its words, in its own language and in others."""
    named = said.model_fields_set
    if "language" in named and said.language != show.language:
        if any(words.language == said.language for words in show.texts):
            return [
                error(
                    "language", "There is already a translation into this language.", "Take the translation out first."
                )
            ]
        main = documents.main_text(show)
        show.texts.remove(main)
        show.texts.append(ShowText(language=said.language, title=main.title, description=main.description))
        show.language = said.language
    words = documents.main_text(show)
    if "title" in named:
        words.title = said.title
    if "description" in named:
        words.description = said.description
    for language, translation in said.translations.items():
        _translate(show, language, translation)
    return []


def _link(show: Show, said: ShowFields) -> list[Finding]:
    """Each app that is named: its address, or none any more. What was here before is not judged again."""
    new = {app: url for app, url in said.links.items() if url and url != show.links.get(app)}
    show.links = {app: url for app, url in {**show.links, **said.links}.items() if url}
    return [wrong for app, url in new.items() if (wrong := apps.wrong(app, url)) is not None]


def _name_persons(session: Session, show: Show, said: ShowFields) -> list[Finding]:
    if "persons" not in said.model_fields_set:
        return []
    show.persons = [episodes.person_row(person) for person in said.persons]
    return list(episodes.unknown_pictures(session, "persons", show.persons, Cover.show_id == show.id))


def _settle_email(show: Show, said: ShowFields) -> list[Finding]:
    """A time to leave the feed is only for what is in it."""
    if show.email_in_feed:
        return []
    show.email_in_feed_until = None
    return [NOT_IN_FEED] if said.email_in_feed_until is not None else []


def _archive(session: Session, show: Show, said: ShowFields, now: dt.datetime) -> list[Finding]:
    if "archived" not in said.model_fields_set or said.archived == (show.archived_at is not None):
        return []
    show.archived_at = now if said.archived else None
    if not said.archived:  # or the worker, if it is late, would sweep away the copies of the feeds that follow
        for view in feed_views(show.language):
            objects.forget(session, publishing.copy_key(feed_path(show.slug, view)))
    in_the_way = in_the_way_of_archiving(session, show.id) if said.archived else None
    return [in_the_way] if in_the_way else []


def _translate(show: Show, language: str, said: ShowTranslation) -> None:
    words = next((words for words in show.texts if words.language == language), None)
    if words is not None and language != show.language and not said.title:
        show.texts.remove(words)
    elif words is not None:
        words.title, words.description = said.title, said.description
    elif said.title:
        show.texts.append(ShowText(language=language, title=said.title, description=said.description))


def _rename(session: Session, show: Show, slug: str) -> list[Finding]:
    owner = session.get(ShowSlug, slug)
    if owner is not None and owner.show_id != show.id:
        return [_taken()]
    if owner is None:
        session.add(ShowSlug(slug=slug, show_id=show.id))
    show.slug = slug
    return []


def _what_items_follow(show: Show) -> tuple[str | bool, ...]:
    """What of a show stands in every item of its feeds."""
    return (show.slug, show.language, show.explicit, show.cover.id)


def _move_feeds(session: Session, show: Show, now: dt.datetime) -> None:
    """Feeds whose address changes: the copy at the old place goes, and a view that is no more goes whole."""
    paths = {view.name: feed_path(show.slug, view) for view in feed_views(show.language)}
    for feed in session.scalars(select(Feed).where(Feed.show_id == show.id)):
        if paths.get(feed.view) != feed.path:
            objects.release(session, publishing.copy_key(feed.path), now)
        if feed.view not in paths:
            session.delete(feed)


def _drop_feeds(session: Session, show: Show, now: dt.datetime) -> None:
    """They answer no longer, nor do their copies, nor do its pages. A show that comes back gets new ones."""
    show.generation += 1
    for feed in session.scalars(select(Feed).where(Feed.show_id == show.id)):
        objects.release(session, publishing.copy_key(feed.path), now)
        session.delete(feed)


def _errors(show: Show, settings: Settings) -> list[Finding]:
    """Each once, though every view may have it."""
    found: list[Finding] = []
    for view in views(show.language):
        errors = checks.errors(checks.show(documents.show_document(show, view, settings)))
        found += [finding for finding in errors if finding not in found]
    return found


def _free_slug(session: Session, title: str) -> str:
    return slugs.free(
        slugs.from_title(title), f"show-{new_id()[:6]}", lambda slug: session.get(ShowSlug, slug) is not None
    )


def _taken() -> Finding:
    return error(
        "slug",
        "This address is, or was, another show's.",
        "Choose another one: old links must keep leading where they led.",
    )
