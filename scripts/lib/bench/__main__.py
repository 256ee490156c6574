"""Run the rows that are named, or all, and print them. Nothing is judged: numbers on a busy machine move."""

import sys
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.table import Table

from scripts.lib.bench import behind, crowd, embed, feeds, parts, serving, uploads
from scripts.lib.bench.measure import Line

ROWS: dict[int, Callable[[], Iterator[Line]]] = {
    1: feeds.publishing_into_a_thousand,
    2: feeds.growing_with_the_catalogue,
    3: serving.small_answers,
    4: serving.megabytes_of_audio,
    5: uploads.half_a_gigabyte,
    6: parts.in_parts,
    7: uploads.reading_what_a_file_is,
    8: behind.loudness_and_waveform,
    9: serving.pages_in_memory,
    10: embed.first_press,
    12: feeds.transaction_against_bare_rows,
    13: uploads.from_recording_to_feed,
    14: crowd.slow_listeners,
    15: behind.ten_minutes_of_speech,
    16: behind.beside_what_is_made,
}

# Each takes a quarter of an hour: only when they are named.
LONG: dict[int, Callable[[], Iterator[Line]]] = {
    17: behind.memory_for_five_hours,
    18: behind.an_hour_of_speech,
}


def main() -> None:
    wanted = [int(word) for word in sys.argv[1:]] or list(ROWS)
    table = Table("row", "what", "ours", "baseline", "its", "unit", "ratio", "goal", "", box=None)
    for number in wanted:
        for line in (ROWS | LONG)[number]():
            table.add_row(*_cells(line))
    Console(width=170).print(table)


def _cells(line: Line) -> list[str]:
    sign = "≥" if line.counts_how_often_faster else "≤"
    figures = [f"{line.ours:.2f}", line.baseline, f"{line.theirs:.2f}", line.unit]
    return [
        str(line.row),
        line.what,
        *figures,
        f"{line.ratio:.2f}",
        f"{sign} {line.goal:.2f}",
        "met" if line.is_met else "MISSED",
    ]


if __name__ == "__main__":
    main()
