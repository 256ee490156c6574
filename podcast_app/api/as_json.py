"""Rows become the answers' shapes."""

from collections.abc import Sequence

from media import chapters, transcripts
from podcast_app import documents, notes, publishing, replacing, uploads, words
from podcast_app.addresses import Addresses, views
from podcast_app.api.answers import (
    AudioAnswer,
    ChapterAnswer,
    EditionAnswer,
    EpisodeAnswer,
    EpisodeTranslationAnswer,
    MeasurementAnswer,
    OriginalAnswer,
    PartAnswer,
    PersonAnswer,
    ReplacementAnswer,
    ShowAnswer,
    ShowTranslationAnswer,
    SuggestionsAnswer,
    TranscriptAnswer,
    TranscriptFileAnswer,
    UploadAnswer,
    VerificationAnswer,
)
from podcast_app.api.problems import FindingAnswer, finding_answer
from podcast_app.models import Audio, Derived, Edition, Episode, Json, Measurement, Show, Transcript, Upload
from podcast_app.settings import Settings
from podcast_app.times import utcnow


def episode(row: Episode, show: Show, settings: Settings, language: str) -> EpisodeAnswer:
    """`language`: of the findings' sentences. Needs what episodes.WHOLE loads, episodes.ALL_AUDIO, and the show's words
    and cover."""
    addresses = Addresses(settings.origin)
    main = views(show.language)[0]
    text = documents.main_words(row)
    is_public = row.state == "published"
    return EpisodeAnswer(
        id=row.id,
        show=show.slug,
        guid=row.guid,
        slug=row.slug,
        state=row.state,
        title=text.title,
        notes=text.notes,
        notes_html=notes.html(text.notes),
        language=row.language,
        spoken_language=row.spoken_language,
        season=row.season,
        number=row.number,
        type="trailer" if row.type == "trailer" else "bonus" if row.type == "bonus" else "full",
        explicit=row.explicit,
        publish_at=row.publish_at,
        published_at=row.published_at,
        url=addresses.episode(show.slug, row.slug, main),
        embed_url=addresses.embed(show.slug, row.slug, main),
        cover_url=documents.cover_address(row, show, addresses),
        version=row.version,
        audio=_audio(row, addresses, language),
        chapters=_chapters(row, show, addresses),
        chapters_text=chapters.written(documents.chapters(row)),
        chapters_url=addresses.chapters(show.slug, row.slug)
        if is_public and documents.inside(documents.chapters(row), row)
        else None,
        waveform_url=addresses.waveform(show.slug, row.slug) if is_public and _is_measured(row) else None,
        transcripts=[_transcript(each, row, show, addresses) for each in row.transcripts],
        persons=[_person(person, show, addresses) for person in row.persons],
        translations=_translations(row),
        suggested=_suggested(row),
        findings=_findings(row, show, settings, language),
    )


def show(row: Show, settings: Settings) -> ShowAnswer:
    """Needs `texts` and `cover` loaded."""
    addresses = Addresses(settings.origin)
    main = views(row.language)[0]
    text = documents.main_text(row)
    return ShowAnswer(
        slug=row.slug,
        guid=row.guid,
        title=text.title,
        description=text.description,
        language=row.language,
        author=row.author,
        categories=[(name, subcategory) for name, subcategory in row.categories],
        explicit=row.explicit,
        type="serial" if row.type == "serial" else "episodic",
        copyright=row.copyright,
        owner_email=row.owner_email,
        email_in_feed=row.email_in_feed,
        email_in_feed_until=row.email_in_feed_until,
        funding_url=row.funding_url,
        persons=[_person(person, row, addresses) for person in row.persons],
        links=row.links,
        verification=[VerificationAnswer(**code) for code in row.verification],
        new_feed_url=row.new_feed_url,
        locked=row.locked,
        even_loudness=row.even_loudness,
        time_zone=row.time_zone,
        zones=row.zones,
        page_colour=row.page_colour,
        player_colour=row.player_colour,
        archived=row.archived_at is not None,
        url=addresses.show(row.slug, main),
        feed_url=addresses.feed(row.slug, main),
        cover_url=documents.cover_address(None, row, addresses),
        version=row.version,
        translations={
            other.language: ShowTranslationAnswer(title=other.title, description=other.description)
            for other in row.texts
            if other.language != row.language
        },
    )


def upload(row: Upload, show_slug: str, parts: Sequence[PartAnswer] | None = None) -> UploadAnswer:
    is_complete = row.state == "complete"
    return UploadAnswer(
        id=row.id,
        show=show_slug,
        state=row.state,
        filename=row.filename,
        size_bytes=row.size_bytes,
        fingerprint=row.fingerprint,
        created_at=row.created_at,
        expires_at=row.expires_at,
        episode=row.episode_id,
        part_size_bytes=row.part_size_bytes,
        parts=None if parts is None else list(parts),
        audio=_original(row) if is_complete else None,
        suggestions=_suggestions(row) if is_complete else None,
    )


def _suggestions(row: Upload) -> SuggestionsAnswer:
    suggested = uploads.suggestions(row.facts)
    return SuggestionsAnswer(
        title=suggested.title,
        notes=suggested.notes,
        season=suggested.season,
        number=suggested.number,
        chapters=[
            ChapterAnswer(start_ms=chapter.start_ms, title=chapter.title, url=chapter.url, image_url="")
            for chapter in suggested.chapters
        ],
    )


def _original(row: Upload) -> OriginalAnswer:
    known = {name: row.facts[name] for name in OriginalAnswer.model_fields if name in row.facts}
    return OriginalAnswer(**known, filename=row.filename, size_bytes=row.size_bytes, sha256=row.sha256)


def _audio(row: Episode, addresses: Addresses, language: str) -> AudioAnswer:
    audio = row.audio
    assert audio is not None, "an episode is made from audio"
    original = _original(audio.upload).model_dump()
    made = documents.edition(audio)
    if made.duration_ms is not None:  # counted while the enclosure was made; of the original it may be a guess
        original |= {"duration_ms": made.duration_ms, "duration_is_exact": True}
    editions = [_edition(edition, audio, addresses, language) for edition in audio.editions]
    earlier = replacing.before(row.audios, utcnow())
    return AudioAnswer(
        **original,
        status=made.status,
        url=next(edition.url for edition in editions if edition.name == made.name),
        editions=editions,
        measurement=_measurement(audio.upload.measurement, language),
        replacement=next((_replacement(each, language) for each in row.audios if each.is_next), None),
        undo_until=earlier.replaced_at + replacing.UNDO_FOR if earlier and earlier.replaced_at else None,
    )


def _edition(row: Edition, audio: Audio, addresses: Addresses, language: str) -> EditionAnswer:
    is_public = row.public_key is not None
    return EditionAnswer(
        name=row.name,
        status=row.status,
        url=addresses.media(row.address_id, documents.edition_name(audio, row)) if is_public else None,
        size_bytes=row.size_bytes,
        media_type=row.media_type,
        bitrate_bps=row.bitrate_bps,
        sha256=row.sha256,
        gain_db=row.gain_db,
        progress_percent=row.progress_percent,
        failure=_failure(row, language),
    )


def _measurement(row: Measurement | None, language: str) -> MeasurementAnswer:
    assert row is not None, "it is to be made from the moment that there is an episode"
    return MeasurementAnswer(
        status=row.status,
        progress_percent=row.progress_percent,
        failure=_failure(row, language),
        duration_ms=row.duration_ms,
        loudness_lufs=row.loudness_lufs,
        range_lu=row.range_lu,
        true_peak_dbtp=row.true_peak_dbtp,
        silence_start_ms=row.silence_start_ms,
        silence_end_ms=row.silence_end_ms,
    )


def _replacement(audio: Audio, language: str) -> ReplacementAnswer:
    made = documents.edition(audio)
    return ReplacementAnswer(
        filename=audio.upload.filename,
        size_bytes=audio.upload.size_bytes,
        duration_ms=documents.duration_ms(audio),
        status=made.status,
        progress_percent=made.progress_percent,
        failure=_failure(made, language),
    )


def _failure(row: Derived, language: str) -> str | None:
    return words.plain(language, row.failure) if row.failure else None


def _has_chapters(row: Episode) -> bool:
    return bool(documents.inside(documents.chapters(row), row))


def _is_measured(row: Episode) -> bool:
    measured = row.audio.upload.measurement if row.audio else None
    return measured is not None and measured.status == "ready"


def _chapters(row: Episode, show: Show, addresses: Addresses) -> list[ChapterAnswer]:
    pictures = documents.chapter_pictures(row, show, addresses)
    return [
        ChapterAnswer(
            start_ms=chapter.start_ms,
            title=chapter.title,
            url=chapter.url or "",
            image_url=pictures.get(chapter.start_ms, ""),
        )
        for chapter in documents.chapters(row)
    ]


def _suggested(row: Episode) -> dict[str, str]:
    """What nobody has written yet, and where it is from."""
    from_notes = {} if row.chapters or not documents.chapters(row) else {"chapters": "notes"}
    return {**from_notes, **row.suggested}


def _transcript(row: Transcript, episode: Episode, show: Show, addresses: Addresses) -> TranscriptAnswer:
    return TranscriptAnswer(
        language=row.language,
        captions=row.is_captions,
        timed=row.is_timed,
        filename=row.filename,
        files=[
            TranscriptFileAnswer(
                media_type=written.media_type,
                url=addresses.transcript(show.slug, episode.slug, row.language, written.extension),
            )
            for written in transcripts.FORMATS.values()
            if row.is_timed or not written.needs_times
        ],
    )


def _person(person: Json, show: Show, addresses: Addresses) -> PersonAnswer:
    return PersonAnswer(
        name=person["name"],
        role=person["role"],
        group=person["group"],
        url=person["url"],
        image_url=documents.person_picture(person, show, addresses) or "",
    )


def _translations(row: Episode) -> dict[str, EpisodeTranslationAnswer]:
    return {
        text.language: EpisodeTranslationAnswer(title=text.title, notes=text.notes, notes_html=notes.html(text.notes))
        for text in row.texts
        if text.language != row.language
    }


def _findings(row: Episode, show: Show, settings: Settings, language: str) -> list[FindingAnswer]:
    """A withdrawn episode has nothing left to mend."""
    if row.state == "withdrawn":
        return []
    return [finding_answer(finding, language) for finding in publishing.findings(row, show, settings)]
