"""The elements of a feed: their namespaces, how one is added, and what one says."""

import re

from lxml import etree

NAMESPACES = {
    "itunes": "http://www.itunes.com/dtds/podcast-1.0.dtd",
    "podcast": "https://podcastindex.org/namespace/1.0",
    "atom": "http://www.w3.org/2005/Atom",
    "content": "http://purl.org/rss/1.0/modules/content/",
    "psc": "http://podlove.org/simple-chapters",
}
ITUNES, PODCAST, ATOM, PSC = (f"{{{NAMESPACES[prefix]}}}" for prefix in ("itunes", "podcast", "atom", "psc"))


def add(parent: etree._Element, tag: str, words: str | None = None, **attributes: str) -> etree._Element:
    """A new last child. `tag` begins with one of the namespaces above, or with none."""
    element = etree.SubElement(parent, tag, attributes)
    element.text = words
    return element


def said(parent: etree._Element, path: str) -> str:
    """The text of the first element at the path, with prefixes as above; "" where there is none."""
    return parent.findtext(path, default="", namespaces=NAMESPACES) or ""


def attribute(parent: etree._Element, path: str, name: str) -> str:
    """What an attribute of the first element at the path says; "" where there is none."""
    element = parent.find(path, NAMESPACES)
    return "" if element is None else str(element.get(name, ""))


def whole_number(value: str) -> int | None:
    """The number, when it is written in digits alone."""
    return int(value) if re.fullmatch("[0-9]{1,15}", value) else None
