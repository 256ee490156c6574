"""An episode from upload to draft, and what people change in it. Becoming public is in publishing.py."""

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import ColumnElement, Select, delete, select
from sqlalchemy.orm import Session, joinedload, selectinload

from feeds.checks import Finding, error
from podcast_app import covers, objects, slugs, uploads
from podcast_app.documents import chapters_in_file, edition, main_words
from podcast_app.fields import ChapterFields, EpisodeFields, EpisodeTranslation, PersonFields
from podcast_app.models import (
    Audio,
    AudioId,
    Cover,
    Edition,
    Episode,
    EpisodeId,
    EpisodeSlug,
    EpisodeText,
    Json,
    Measurement,
    Show,
    ShowId,
    Upload,
    new_id,
)
from podcast_app.outcomes import Conflict, Done, Refused, Unknown
from podcast_app.suggesting import Suggestions

WITHDRAWN = Conflict("This episode was withdrawn, and that is final.", "Make a new episode from the same audio.")

AT_ONCE = error("chapters", "Two chapters begin at the same moment.", "Give each its own time, or take one out.")

# What a listing says of an episode, loaded at once.
LISTED = (
    selectinload(Episode.texts),
    joinedload(Episode.cover),
    joinedload(Episode.audio).joinedload(Audio.upload),
    joinedload(Episode.audio).selectinload(Audio.editions),
)
# And what its page, its documents and its checks say besides.
WHOLE = (
    *LISTED,
    joinedload(Episode.audio).joinedload(Audio.upload).joinedload(Upload.measurement),
    selectinload(Episode.transcripts),
)


# And what replaced it, or is to: for its producers.
ALL_AUDIO = (
    selectinload(Episode.audios).joinedload(Audio.upload).joinedload(Upload.measurement),
    selectinload(Episode.audios).selectinload(Audio.editions),
)


def whole(*, of_show: ShowId | None = None) -> Select[Episode]:
    """Episodes with everything that their documents need; what lies in the trash is not here."""
    query = select(Episode).options(*WHOLE).where(Episode.trashed_at.is_(None))
    return query if of_show is None else query.where(Episode.show_id == of_show)


def listed(show_id: ShowId) -> Select[Episode]:
    """Episodes with as much as a listing says, but those in the trash."""
    return select(Episode).options(*LISTED).where(Episode.show_id == show_id, Episode.trashed_at.is_(None))


def thrown_away() -> Select[Episode]:
    """What lies in the trash, as a listing says it (trash.py)."""
    return select(Episode).options(*LISTED).where(Episode.trashed_at.is_not(None))


def get(session: Session, episode_id: EpisodeId) -> Episode | None:
    """To be read by its producers: with its show, and all its audio."""
    show = joinedload(Episode.show)
    query = whole().where(Episode.id == episode_id).options(*ALL_AUDIO)
    return session.scalars(query.options(show.selectinload(Show.texts), show.joinedload(Show.cover))).one_or_none()


def get_locked(session: Session, episode_id: EpisodeId) -> tuple[Show, Episode] | None:
    """To be changed: its show is locked first, so that all changes of one show happen one after the other."""
    show_id = session.scalar(select(Episode.show_id).where(Episode.id == episode_id))
    if show_id is None:
        return None
    show = locked_show(session, show_id)
    query = whole().where(Episode.id == episode_id).execution_options(populate_existing=True)
    episode = session.scalars(query).one_or_none()
    return None if episode is None else (show, episode)


def to_change(session: Session, episode_id: EpisodeId) -> tuple[Show, Episode] | Conflict | Unknown:
    """The same, for what a withdrawn episode no longer takes."""
    found = get_locked(session, episode_id)
    if found is None:
        return Unknown()
    return WITHDRAWN if found[1].state == "withdrawn" else found


def locked_show(session: Session, show_id: ShowId) -> Show:
    # key_share: not against rows that merely name the show. Who has just written one (an upload) holds the show's key,
    # and two of them would wait for each other for ever (PostgreSQL 13.3.2, FOR NO KEY UPDATE).
    session.execute(select(Show.id).where(Show.id == show_id).with_for_update(key_share=True))
    query = select(Show).where(Show.id == show_id).options(selectinload(Show.texts), joinedload(Show.cover))
    return session.scalars(query.execution_options(populate_existing=True)).one()


def audios(session: Session, episode_id: EpisodeId) -> list[Audio]:
    """All that the episode has or had, with their recordings and editions."""
    of_episode = select(Audio).where(Audio.episode_id == episode_id).order_by(Audio.id)
    loaded = of_episode.options(joinedload(Audio.upload).joinedload(Upload.measurement), selectinload(Audio.editions))
    return list(session.scalars(loaded))


def use(session: Session, episode: Episode, upload: Upload, pictures: Mapping[int, covers.Picture]) -> None:
    """The upload is a recording of this episode, to which the pictures of its chapters belong from now on."""
    upload.episode_id = episode.id
    added = {start: covers.add(session, episode.show_id, episode.id, each).id for start, each in pictures.items()}
    chapters = [{**chapter, "picture": added.get(chapter["start_ms"])} for chapter in upload.facts["chapters"]]
    upload.facts = {**upload.facts, "chapters": chapters}


def new_audio(session: Session, episode: Episode, upload: Upload) -> Audio:
    """A version of the episode's audio, not yet current, whose enclosure and measurement are to be made."""
    audio_id = AudioId(new_id())
    if session.get(Measurement, upload.id) is None:  # or the recording was another episode's before
        session.add(Measurement(upload_id=upload.id, status="preparing", attempts=0))
    whole = Edition(name="enclosure", address_id=audio_id, status="preparing", attempts=0)
    return Audio(id=audio_id, episode_id=episode.id, upload=upload, is_current=False, is_next=False, editions=[whole])


def create(
    session: Session,
    show_id: ShowId,
    upload: Upload | None,
    said: EpisodeFields,
    *,
    suggestions: Suggestions,
    pictures: uploads.Pictures,
    now: dt.datetime,
) -> Done[Episode] | Refused:
    """A draft from a complete, locked upload: what was said, and where nothing was said, what is suggested."""
    show = locked_show(session, show_id)
    if findings := cannot_use(upload, show_id):
        return Refused(findings)
    assert upload is not None
    fields, suggested = _completed(said, suggestions)
    episode = _blank(show, said, now)
    session.add(episode)
    session.flush()
    use(session, episode, upload, pictures.chapters)
    audio = new_audio(session, episode, upload)
    audio.is_current = True
    session.add(audio)
    if pictures.cover is not None:
        covers.set_current(session, show_id, episode.id, pictures.cover)
        suggested["cover"] = "file"
    if findings := apply(session, show, episode, fields):
        return Refused(findings)
    if suggested.get("chapters") == "file":
        episode.chapters = chapters_in_file(upload.facts)
    episode.suggested = suggested
    session.flush()
    session.refresh(episode, ["cover", "audio"])
    return Done(episode)


def apply(session: Session, show: Show, episode: Episode, changes: EpisodeFields) -> list[Finding]:
    """Make the changes that were said; findings are to be Refused."""
    said = changes.model_fields_set
    findings: list[Finding] = []
    if "language" in said and changes.language != episode.language:
        findings += _change_language(episode, changes.language)
    words = main_words(episode)
    if "title" in said:
        words.title = changes.title
    if "notes" in said:
        words.notes = changes.notes
    for name in ("spoken_language", "season", "number", "type", "explicit"):
        if name in said:
            setattr(episode, name, getattr(changes, name))
    if "persons" in said:
        episode.persons = [person_row(person) for person in changes.persons]
        findings += unknown_pictures(session, "persons", episode.persons, Cover.show_id == show.id)
    if "chapters" in said:
        episode.chapters = _chapter_rows(changes.chapters, episode)
        if len(episode.chapters) < len(changes.chapters):
            findings.append(AT_ONCE)
        findings += unknown_pictures(session, "chapters", episode.chapters, Cover.episode_id == episode.id)
    if "translations" in said:
        findings += _translate(session, episode, changes.translations)
    findings += _settle_slug(session, show, episode, changes.slug if "slug" in said else None)
    episode.suggested = {name: source for name, source in episode.suggested.items() if name not in said}
    return findings


def delete_unpublished(session: Session, episode: Episode, now: dt.datetime) -> None:
    """A draft goes for good, its objects with it. It was never public: nothing of it stays."""
    of_episode = audios(session, episode.id)
    recordings = {audio.upload_id: audio.upload for audio in of_episode if audio.upload is not None}
    for audio in of_episode:
        for made in audio.editions:
            objects.release(session, made.key, now)
        session.delete(audio)
    session.flush()
    for upload in recordings.values():
        objects.release(session, upload.key, now)
        session.delete(upload)
    for cover in covers.of_episode(session, episode.id):
        objects.release(session, cover.key, now)
        session.delete(cover)
    give_back_address(session, episode)
    session.delete(episode)
    session.flush()


def _completed(said: EpisodeFields, suggestions: Suggestions) -> tuple[EpisodeFields, dict[str, str]]:
    """What was said and what is suggested besides; and where each of these suggestions came from."""
    fields, sources = {name: getattr(said, name) for name in said.model_fields_set}, {}
    for source, suggested in suggestions.items():
        for name in suggested.model_fields_set - fields.keys():
            fields[name], sources[name] = getattr(suggested, name), source
    return EpisodeFields.model_construct(set(fields), **fields), sources


def give_back_address(session: Session, episode: Episode) -> None:
    """Nobody ever saw it: another episode may have it."""
    session.execute(delete(EpisodeSlug).where(EpisodeSlug.episode_id == episode.id))


def take_address(session: Session, show: Show, episode: Episode) -> None:
    """The one that was given back, or where it is another's by now, one beside it."""

    def is_taken(slug: str) -> bool:
        return _owner_of(session, show, slug) is not None

    episode.slug = slugs.free(episode.slug, f"episode-{episode.id[:6]}", is_taken)
    session.add(EpisodeSlug(show_id=show.id, slug=episode.slug, episode_id=episode.id))


def _chapter_row(chapter: ChapterFields) -> Json:
    """As an episode keeps it."""
    return {
        "start_ms": chapter.start_ms,
        "title": chapter.title,
        "url": chapter.url,
        "picture": covers.id_in(chapter.image_url),
    }


def _chapter_rows(chapters: Sequence[ChapterFields], episode: Episode) -> list[Json]:
    """In order, one at each moment. Chapters that came as text cannot name pictures: they keep those they had."""
    pictures = {row["start_ms"]: row.get("picture") for row in episode.chapters}
    rows: dict[int, Json] = {}
    for chapter in sorted(chapters, key=lambda chapter: chapter.start_ms):
        row = _chapter_row(chapter)
        if "image_url" not in chapter.model_fields_set:
            row["picture"] = pictures.get(chapter.start_ms)
        rows.setdefault(chapter.start_ms, row)
    return list(rows.values())


def person_row(person: PersonFields) -> Json:
    """As an episode, or a show, keeps it."""
    return {**person.model_dump(exclude={"image_url"}), "picture": covers.id_in(person.image_url)}


def unknown_pictures(
    session: Session, field: str, rows: Sequence[Json], belongs: ColumnElement[bool]
) -> Iterable[Finding]:
    """Each row may name a picture of its own show or episode only."""
    named = {row["picture"] for row in rows if row["picture"]}
    if named - set(session.scalars(select(Cover.id).where(belongs, Cover.id.in_(named)))):
        yield error(
            field,
            "A picture is named that is not here.",
            "Send the picture first, and name the address that it then has.",
        )


def _blank(show: Show, said: EpisodeFields, now: dt.datetime) -> Episode:
    """An episode of the show without words yet, in the language that was said, or the show's."""
    language = said.language if "language" in said.model_fields_set else show.language
    return Episode(
        id=EpisodeId(new_id()),
        show_id=show.id,
        guid=str(uuid.uuid4()),
        slug="",
        state="draft",
        language=language,
        spoken_language=said.spoken_language if "spoken_language" in said.model_fields_set else language,
        type="full",
        version=1,
        suggested={},
        chapters=[],
        persons=[],
        slug_is_chosen=False,
        created_at=now,
        texts=[EpisodeText(language=language, title="", notes="")],
    )


def cannot_use(upload: Upload | None, show_id: ShowId) -> list[Finding]:
    if upload is None or upload.show_id != show_id:
        return [error("upload_id", "There is no such upload in this show.", "Upload the audio again.")]
    if upload.state == "refused":
        sentence, values = upload.refusal
        return [Finding("error", "upload_id", sentence, "", tuple(values.items()))]
    if upload.state != "complete":
        return [error("upload_id", "This upload is not complete.", "Send the missing parts, then complete it.")]
    if upload.episode_id is not None:
        return [
            error(
                "upload_id",
                "An episode was already made from this upload.",
                "Open that episode, or upload another file.",
            )
        ]
    return []


def _change_language(episode: Episode, language: str) -> list[Finding]:
    """The main text is relabelled. Where a translation stands in the way, a person must decide."""
    if any(words.language == language for words in episode.texts):
        return [
            error("language", "There is already a translation into this language.", "Take the translation out first.")
        ]
    main = main_words(episode)
    episode.texts.remove(main)
    episode.language = language
    episode.texts.append(EpisodeText(language=language, title=main.title, notes=main.notes))
    return []


def _translate(session: Session, episode: Episode, translations: dict[str, EpisodeTranslation]) -> list[Finding]:
    """Each language named is set as it was said; with nothing in it, it goes. The others stay."""
    if episode.language in translations:
        return [
            error("translations", "A translation is in the episode's own language.", "Write it as title and notes.")
        ]
    for language, said in translations.items():
        words = next((words for words in episode.texts if words.language == language), None)
        if not said.title and not said.notes:
            if words is not None:
                episode.texts.remove(words)
            continue
        if words is None:
            words = EpisodeText(language=language, title="", notes="")
            episode.texts.append(words)
        if "title" in said.model_fields_set:
            words.title = said.title
        if "notes" in said.model_fields_set:
            words.notes = said.notes
    session.flush()
    return []


def _settle_slug(session: Session, show: Show, episode: Episode, chosen: str | None) -> list[Finding]:
    """Until its first publication an episode's address follows its title, unless somebody chose one."""
    if chosen is not None and chosen != episode.slug:
        if _owner_of(session, show, chosen) not in (None, episode.id):
            return [
                error(
                    "slug",
                    "This address is, or was, another episode's.",
                    "Choose another one: old links must keep leading where they led.",
                )
            ]
        _move_to(session, show, episode, chosen)
        episode.slug_is_chosen = True
    elif not episode.slug_is_chosen and episode.published_at is None:
        wanted = slugs.from_title(main_words(episode).title)

        def is_taken(slug: str) -> bool:
            return _owner_of(session, show, slug) not in (None, episode.id)

        _move_to(session, show, episode, slugs.free(wanted, f"episode-{episode.id[:6]}", is_taken))
    return []


def _move_to(session: Session, show: Show, episode: Episode, slug: str) -> None:
    """A published address stays its episode's for ever; one that nobody ever saw is given back."""
    if slug == episode.slug:
        return
    if episode.published_at is None and episode.slug:
        session.execute(delete(EpisodeSlug).where(EpisodeSlug.show_id == show.id, EpisodeSlug.slug == episode.slug))
    if _owner_of(session, show, slug) is None:
        session.add(EpisodeSlug(show_id=show.id, slug=slug, episode_id=episode.id))
    episode.slug = slug
    session.flush()


def _owner_of(session: Session, show: Show, slug: str) -> EpisodeId | None:
    row = session.get(EpisodeSlug, (show.id, slug))
    return row.episode_id if row is not None else None


def enclosure(episode: Episode) -> Edition:
    assert episode.audio is not None, "an episode is made from audio"
    return edition(episode.audio)
