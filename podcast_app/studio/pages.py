"""A studio page: in the person's language, or for a stranger in the browser's."""

import re
from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response

from podcast_app import formats, pages, request_id, words
from podcast_app.addresses import Addresses, page_language
from podcast_app.http import Problem, language, services
from podcast_app.models import User
from podcast_app.studio.overdue import Overdue

# Where somebody may be led who has signed in: a page of the studio, whatever alphabet its show is named in.
OURS = re.compile(r"/studio/[\w/-]*(\?[\w=&-]*)?")

# Nobody else keeps it, frames it, or finds it.
PRIVATE = {"Cache-Control": "no-store", "X-Frame-Options": "DENY", "X-Robots-Tag": "noindex, nofollow"}


def page(
    request: Request, template: str, person: User | None, *, status_code: int = 200, **context: object
) -> Response:
    """The page of this name in templates/studio. Every template gets `person`, who is signed in, or None, and
    `overdue`: what of theirs should have gone out, each with the reasons in words."""
    late: Sequence[Overdue] = getattr(request.state, "overdue", ()) if person is not None else ()
    of_person = language_of(request, person)
    return pages.render(
        request,
        f"studio/{template}",
        of_person,
        status_code=status_code,
        headers=PRIVATE,
        person=person,
        path_here=request.url.path,
        language_name=formats.language_name,
        overdue=[(each, [words.message(of_person, reason) for reason in each.reasons]) for each in late],
        is_private=Addresses(services(request).settings.origin).is_private,
        **context,
    )


def problem_page(request: Request, person: User | None, problem: Problem) -> Response:
    """What stands in the way, and what helps."""
    said = [words.message(language_of(request, person), finding) for finding in problem.findings]
    answer = page(
        request, "problem.html", person, status_code=problem.status, said=said, request_id=request_id.current()
    )
    answer.headers.update(problem.headers)
    return answer


def language_of(request: Request, person: User | None) -> str:
    return page_language(person.language) if person is not None else language(request)
