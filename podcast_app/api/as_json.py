"""Rows become the answers' shapes."""

from collections.abc import Sequence

from podcast_app import documents, notes, publishing, uploads
from podcast_app.addresses import Addresses, views
from podcast_app.api.answers import (
    AudioAnswer,
    ChapterAnswer,
    EditionAnswer,
    EpisodeAnswer,
    EpisodeTranslationAnswer,
    OriginalAnswer,
    PartAnswer,
    PersonAnswer,
    ShowAnswer,
    ShowTranslationAnswer,
    SuggestionsAnswer,
    UploadAnswer,
)
from podcast_app.api.problems import FindingAnswer, finding_answer
from podcast_app.models import Audio, Edition, Episode, Show, Upload
from podcast_app.settings import Settings


def episode(row: Episode, show: Show, settings: Settings, language: str) -> EpisodeAnswer:
    """`language`: of the findings' sentences. Needs what episodes.WHOLE loads, and the show's words and cover."""
    addresses = Addresses(settings.origin)
    main = views(show.language)[0]
    words = documents.main_words(row)
    return EpisodeAnswer(
        id=row.id,
        show=show.slug,
        guid=row.guid,
        slug=row.slug,
        state=row.state,
        title=words.title,
        notes=words.notes,
        notes_html=notes.html(words.notes),
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
        audio=_audio(row, addresses),
        chapters=[ChapterAnswer.model_validate(chapter) for chapter in row.chapters],
        transcripts=[],
        persons=[PersonAnswer.model_validate(person) for person in row.persons],
        translations=_translations(row),
        suggested=row.suggested,
        findings=_findings(row, show, settings, language),
    )


def show(row: Show, settings: Settings) -> ShowAnswer:
    """Needs `texts` and `cover` loaded."""
    addresses = Addresses(settings.origin)
    main = views(row.language)[0]
    words = documents.main_text(row)
    return ShowAnswer(
        slug=row.slug,
        guid=row.guid,
        title=words.title,
        description=words.description,
        language=row.language,
        author=row.author,
        categories=[(name, subcategory) for name, subcategory in row.categories],
        explicit=row.explicit,
        type="serial" if row.type == "serial" else "episodic",
        copyright=row.copyright,
        owner_email=row.owner_email,
        email_in_feed=row.email_in_feed,
        funding_url=row.funding_url,
        locked=row.locked,
        time_zone=row.time_zone,
        url=addresses.show(row.slug, main),
        feed_url=addresses.feed(row.slug, main),
        cover_url=documents.cover_address(None, row, addresses),
        version=row.version,
        translations={
            text.language: ShowTranslationAnswer(title=text.title, description=text.description)
            for text in row.texts
            if text.language != row.language
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
        chapters=[ChapterAnswer.model_validate(chapter.model_dump()) for chapter in suggested.chapters],
    )


def _original(row: Upload) -> OriginalAnswer:
    known = {name: row.facts[name] for name in OriginalAnswer.model_fields if name in row.facts}
    return OriginalAnswer(**known, filename=row.filename, size_bytes=row.size_bytes, sha256=row.sha256)


def _audio(row: Episode, addresses: Addresses) -> AudioAnswer:
    audio = row.audio
    assert audio is not None, "an episode is made from audio"
    original = _original(audio.upload).model_dump()
    made = documents.edition(audio)
    if made.duration_ms is not None:  # counted while the enclosure was made; of the original it may be a guess
        original |= {"duration_ms": made.duration_ms, "duration_is_exact": True}
    editions = [_edition(edition, row, audio, addresses) for edition in audio.editions]
    return AudioAnswer(
        **original,
        status=made.status,
        url=next(edition.url for edition in editions if edition.name == made.name),
        editions=editions,
    )


def _edition(row: Edition, episode: Episode, audio: Audio, addresses: Addresses) -> EditionAnswer:
    is_public = episode.state == "published" and audio.name is not None
    return EditionAnswer(
        name=row.name,
        status=row.status,
        url=addresses.media(audio.id, audio.name or "") if is_public else None,
        size_bytes=row.size_bytes,
        media_type=row.media_type,
        bitrate_bps=row.bitrate_bps,
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
