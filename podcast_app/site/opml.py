"""All shows as a list that podcast apps take in at once (OPML 2.0, "subscription lists")."""

import datetime as dt

from lxml import etree
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from feeds.text import line
from podcast_app import answers, documents, shows
from podcast_app.addresses import Addresses, views
from podcast_app.answers import Until
from podcast_app.http import in_reading, services
from podcast_app.listening.pages import generations
from podcast_app.models import Feed, Show
from podcast_app.times import http_date

NAME = {"Content-Disposition": 'attachment; filename="podcasts.opml"'}


async def serve(request: Request) -> Response:
    """The main feed of each show that is not put away."""
    body, until = await in_reading(request, _list, Addresses(services(request).settings.origin))
    return answers.kept(request, body, "text/x-opml", headers=NAME, until=until)


def _list(session: Session, addresses: Addresses) -> tuple[bytes, Until]:
    listed = [show for show in shows.query(session) if show.archived_at is None]
    changed_at = session.scalar(select(func.max(Feed.modified_at)))
    root = etree.Element("opml", version="2.0")
    root.append(_head(listed, changed_at))
    etree.SubElement(root, "body").extend(_outline(show, addresses) for show in listed)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8"), Until(None, generations(session))


def _head(listed: list[Show], changed_at: dt.datetime | None) -> etree._Element:
    head = etree.Element("head")
    etree.SubElement(head, "title").text = ", ".join(line(documents.main_text(show).title) for show in listed)
    if listed:
        etree.SubElement(head, "dateCreated").text = http_date(min(show.created_at for show in listed))
    if changed_at is not None:
        etree.SubElement(head, "dateModified").text = http_date(changed_at)
    return head


def _outline(show: Show, addresses: Addresses) -> etree._Element:
    words, view = documents.main_text(show), views(show.language)[0]
    return etree.Element(
        "outline",
        type="rss",
        text=line(words.title),
        title=line(words.title),
        description=line(words.description),
        language=words.language,
        xmlUrl=addresses.feed(show.slug, view),
        htmlUrl=addresses.show(show.slug, view),
    )
