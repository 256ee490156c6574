"""How a player on another site is to look and where it is to begin, as that site says it in the address."""

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

from podcast_app.addresses import LANGUAGES
from podcast_app.site.colours import Theme

THEMES: dict[str, Theme] = {"light": "light", "dark": "dark"}
COLOUR = re.compile(r"#?([0-9A-Fa-f]{6})")
TIME = re.compile(r"(\d{1,3}:)?(\d{1,2}:)?\d{1,6}(\.\d{1,3})?")  # Media Fragments URI 1.0, normal play time
SPELT = re.compile(r"(?=\d)(?:(\d{1,3})h)?(?:(\d{1,5})m)?(?:(\d{1,6})s)?")  # "1h2m3s", as other players have it


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What the other site asked for. What cannot be read counts as not said."""

    theme: Theme | None = None  # None: as the listener's own screen has it
    colour: str = ""  # "#a3401d"; "": the show's
    size: Literal["tall", "compact"] = "tall"
    language: str | None = None  # of the page's own words and of the texts; None: of the address
    start: str = ""  # "90", "1:30"
    has_list: bool = False  # of the show's episodes, below the one that is played

    @property
    def query(self) -> str:
        """What follows the address of a player that looks so: "?theme=dark", or ""."""
        said = {
            "theme": self.theme,
            "color": self.colour.removeprefix("#"),
            "size": self.size if self.size != "tall" else None,
            "lang": self.language,
            "t": self.start,
            "list": "1" if self.has_list else None,
        }
        query = urlencode({name: value for name, value in said.items() if value}, safe=":")
        return f"?{query}" if query else ""


def look(asked: QueryParams) -> Look:
    colour = COLOUR.fullmatch(asked.get("color", ""))
    return Look(
        theme=THEMES.get(asked.get("theme", "")),
        colour=f"#{colour[1].lower()}" if colour else "",
        size="compact" if asked.get("size") == "compact" else "tall",
        language=asked["lang"] if asked.get("lang") in LANGUAGES else None,
        start=_start(asked.get("t", "")),
        has_list=asked.get("list") == "1",
    )


def _start(said: str) -> str:
    if spelt := SPELT.fullmatch(said):
        hours, minutes, seconds = (int(part or 0) for part in spelt.groups())
        return str(hours * 3600 + minutes * 60 + seconds)
    return said if TIME.fullmatch(said) else ""
