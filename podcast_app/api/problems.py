"""What could not be done, as `application/problem+json` (RFC 9457), in the reader's language."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Literal

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from feeds.checks import Finding, error
from podcast_app import request_id, words
from podcast_app.api.replies import Reply
from podcast_app.http import Problem, language
from podcast_app.models import UploadState

MEDIA_TYPE = "application/problem+json"

UNKNOWN_SHOW = error("", "There is no such show here.", "Check its address, and whose token you use.")
UNKNOWN_EPISODE = error("", "There is no such episode here.", "Check its id, and whose token you use.")
UNKNOWN_PART = error("", "This upload has no part of this number.", "Ask for the upload; it names its parts.")
UNKNOWN_UPLOAD = error("", "There is no such upload here.", "Check its id, and whose token you use.")


class FieldError(BaseModel):
    """What is wrong with a field, and what mends it."""

    field: str
    message: str


class FindingAnswer(BaseModel):
    """What a check found. Errors stand in the way of publishing; warnings do not."""

    level: Literal["error", "warning"]
    field: str
    problem: str
    mend: str


class ProblemAnswer(BaseModel):
    """RFC 9457, with the fields that were refused."""

    type: Literal["about:blank"] = "about:blank"
    title: str
    status: int
    detail: str
    errors: list[FieldError]
    findings: list[FindingAnswer]
    upload_id: str | None = None  # the recording that was kept all the same: send it with the mended fields
    version: int | None = None  # with 412: the version that the thing has now
    state: UploadState | None = None  # of the upload that the request was about
    missing_parts: list[int] | None = None  # their numbers: send them, then complete the upload again
    request_id: str | None = None  # name it when you ask whoever runs the site


def response(request: Request, problem: Problem) -> Response:
    """The answer to a request that ended with a problem."""
    answer = reply(problem.status, problem.findings, language(request), **problem.said).response()
    answer.headers.update(problem.headers)
    return answer


def reply(status: int, findings: Sequence[Finding], language: str, **said: object) -> Reply:
    """The same as a value, for a transaction that keeps what it answers. `said`: of ProblemAnswer, by name."""
    of_fields = [finding for finding in findings if finding.field]
    answer = ProblemAnswer.model_validate(
        {
            "title": HTTPStatus(status).phrase,
            "status": status,
            "detail": " ".join(_message(language, finding) for finding in findings),
            "errors": [FieldError(field=finding.field, message=_message(language, finding)) for finding in of_fields],
            "findings": [finding_answer(finding, language) for finding in of_fields],
            "request_id": request_id.current() or None,
            **said,
        }
    )
    return Reply(status, answer.model_dump_json(exclude_none=True).encode(), {}, media_type=MEDIA_TYPE)


def finding_answer(finding: Finding, language: str) -> FindingAnswer:
    return FindingAnswer(
        level=finding.level,
        field=finding.field,
        problem=words.problem(language, finding),
        mend=words.mend(language, finding),
    )


def _message(language: str, finding: Finding) -> str:
    """A refused file brings one sentence that holds both problem and mend."""
    return words.message(language, finding).strip()
