"""What somebody typed into an episode's form: what of it changes the episode, and what of it cannot be used."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy.orm import Session

from feeds.checks import Finding
from podcast_app import fields
from podcast_app.addresses import Addresses
from podcast_app.fields import EpisodeChanges
from podcast_app.models import Episode, Show
from podcast_app.settings import Settings
from podcast_app.studio import edits, episode_form, persons_form


@dataclass(frozen=True, slots=True)
class Typed:
    """`changes`: all that can be used, also where `clashes` says what somebody else saved meanwhile."""

    changes: EpisodeChanges
    findings: list[Finding]
    clashes: Mapping[str, str]

    def without_clashes(self) -> EpisodeChanges:
        """The fields that nobody else changed. A translation is one, whichever half of it clashes."""
        said = set(episode_form.said(self.clashes, {**self.clashes})) | {*self.clashes}
        return _only(self.changes, self.changes.model_fields_set - said)


def read(session: Session, show: Show, episode: Episode, typed: Mapping[str, str], settings: Settings) -> Typed:
    """The form against the episode as it is saved now."""
    saved = episode_form.values(episode)
    merged = edits.merge(persons_form.gathered(typed), saved)
    said = episode_form.said(merged.changes, {**saved, **merged.changes})
    findings: list[Finding] = []
    if persons_form.FIELD in merged.changes:
        known = persons_form.known(session, show)
        said[persons_form.FIELD] = persons_form.said(typed, known, show, Addresses(settings.origin))
        findings += persons_form.findings(typed)
    return Typed(*_usable(said, findings), merged.clashes)


def _usable(said: Mapping[str, object], findings: list[Finding]) -> tuple[EpisodeChanges, list[Finding]]:
    """What is wrong with a field does not stand in the way of the others."""
    unusable = {finding.field for finding in findings}
    parsed = fields.parse(EpisodeChanges, {name: value for name, value in said.items() if name not in unusable})
    return _usable(said, [*findings, *parsed]) if isinstance(parsed, list) else (parsed, findings)


def _only(changes: EpisodeChanges, names: Collection[str]) -> EpisodeChanges:
    return EpisodeChanges.model_construct(set(names), **{name: getattr(changes, name) for name in names})
