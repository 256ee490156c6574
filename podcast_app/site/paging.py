"""A long list in pages, each of which can be reached in a click or two."""

from dataclasses import dataclass

PER_PAGE = 20


@dataclass(frozen=True, slots=True)
class Paging:
    """Where one is in the list."""

    number: int  # of this page, from 1
    last: int

    @property
    def numbers(self) -> list[int | None]:
        """The pages to offer: both ends, what is near, and round ones on the way; None where some are left out."""
        near = range(self.number - 1, self.number + 2)
        offered = sorted({1, self.last, *(n for n in (*near, *range(10, self.last, 10)) if 1 <= n <= self.last)})
        spaced: list[int | None] = []
        for number in offered:
            if spaced and spaced[-1] != number - 1:
                spaced.append(None)
            spaced.append(number)
        return spaced


def pages(count: int) -> int:
    """How many pages that many things fill; an empty list has one."""
    return max(1, -(-count // PER_PAGE))


def number(said: str) -> int:
    """Of the page that an address asks for, "2"; the first one for what is no number of a page."""
    return max(1, int(said)) if said.isascii() and said.isdecimal() and len(said) < 7 else 1
