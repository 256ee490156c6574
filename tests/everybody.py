"""A page in a browser is one that everybody can use: what axe finds, and what it cannot look for."""

import re
from dataclasses import dataclass
from functools import cache

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page

from tests.sentences import PLACEHOLDER, french


@dataclass(frozen=True)
class Window:
    width: int  # CSS pixels, as all here
    height: int
    has_touch: bool = False


WINDOWS = {"desk": Window(1280, 900), "phone": Window(360, 740, has_touch=True)}
SMALLEST_TARGET = 24  # WCAG 2.2, 2.5.8

# axe leaves rules of WCAG 2.2 out unless it is asked.
AXE_OPTIONS = {"resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}}


async def judge(page: Page, language: str) -> None:
    """Everybody can use this page as it stands, all that is folded open: axe finds no barrier, nothing sticks out or
    is too small for a finger, and all of it is in the reader's language."""
    await page.evaluate(_UNFOLD)
    assert await page.locator("html").get_attribute("lang") == language, page.url
    found = await Axe().run(page, options=AXE_OPTIONS)
    assert found.violations_count == 0, f"{page.url}\n{found.generate_report()}"
    await fits(page)
    small = await page.evaluate(_SMALL_TARGETS, SMALLEST_TARGET)
    assert small == [], f"{page.url}: {small}"
    if language == "fr":
        english = [text for text in await page.evaluate(_TEXTS) if is_english(text)]
        assert english == [], f"{page.url}: {english}"


async def fits(page: Page) -> None:
    """Nobody has to scroll sideways (WCAG 2.2, 1.4.10)."""
    assert page.viewport_size is not None
    width = page.viewport_size["width"]
    beside = await page.evaluate(_STICK_OUT, width)
    assert beside == [], f"{page.url} at {width}: {beside}"


def troubles(page: Page, origin: str) -> list[str]:
    """What the browser complains of, and what it asks others than `origin` for, from now on.

    That a page was refused is no trouble: tests ask for such pages, and the browser says so.
    """
    noted = list[str]()

    def note(kind: str, text: str) -> None:
        if kind in ("error", "warning") and "the server responded with a status of 4" not in text:
            noted.append(f"{page.url}: {text}")

    def note_request(url: str) -> None:
        if not url.startswith((origin, "blob:", "data:")):
            noted.append(f"{page.url} asked for {url}")

    page.on("console", lambda message: note(message.type, message.text))
    page.on("pageerror", lambda error: note("error", str(error)))
    page.on("request", lambda request: note_request(request.url))
    return noted


# Tabs too, of which one alone is open otherwise.
_UNFOLD = """() => {
  for (const folded of document.querySelectorAll("details")) {
    folded.removeAttribute("name");
    folded.open = true;
  }
}"""

_STICK_OUT = """(width) => document.documentElement.scrollWidth <= width ? [] :
  Array.from(document.body.querySelectorAll("*")).filter((one) => one.getBoundingClientRect().right > width)
  .map((one) => one.outerHTML.slice(0, 200)).concat("scrollWidth " + document.documentElement.scrollWidth)"""

_SMALL_TARGETS = """(least) => Array
  .from(document.querySelectorAll("button, summary, a.button, input, select, textarea"))
  .filter((target) => target.checkVisibility() && !target.closest(".unseen"))
  .filter((target) => {
    const {width, height} = (target.closest("label") ?? target).getBoundingClientRect();
    return Math.min(width, height) < least;
  })
  .map((target) => target.outerHTML.slice(0, 200))"""

# Every text that somebody may come to read or hear, those that scripts may say later too.
_TEXTS = """() => {
  const texts = new Set();
  const read = (root) => {
    for (const element of root.querySelectorAll("*")) {
      if (element.closest("[lang=en], pre, code, script, style")) continue;
      if (element instanceof HTMLTemplateElement) read(element.content);
      for (const { name, value } of element.attributes) {
        if (/^(aria-label|title|placeholder|alt|data-.*)$/.test(name) && /\\s/.test(value)) texts.add(value);
      }
      for (const node of element.childNodes) {
        if (node instanceof Text && node.data.trim()) texts.add(node.data);
      }
    }
  };
  read(document);
  return Array.from(texts, (text) => text.replace(/\\s+/g, " ").trim());
}"""

_ENGLISH_WORDS = re.compile(r"\b(the|and|of|is|are|was|with|this|that|your|you|to|for|not|it|from)\b", re.IGNORECASE)


def is_english(text: str) -> bool:
    """It is a sentence of ours whose French is another, or has words that no French sentence has."""
    return text in _translated() or _ENGLISH_WORDS.search(text) is not None


@cache
def _translated() -> frozenset[str]:
    """English sentences without anything to be filled in, which are not French too."""
    messages = [message for _, message in french()]
    said = {str(message.string) for message in messages}
    return frozenset(text for text in (str(message.id) for message in messages) if text not in said and _is_whole(text))


def _is_whole(text: str) -> bool:
    return PLACEHOLDER.search(text) is None
