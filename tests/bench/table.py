# SPDX-License-Identifier: GPL-2.0-or-later
"""Tables as Markdown, and figures as median and spread."""

import statistics
from dataclasses import dataclass, field


@dataclass
class Table:
    """What a part of the benchmark found."""
    title: str
    columns: list
    rows: list = field(default_factory=list)
    notes: list = field(default_factory=list)

    def __str__(self):
        rows = [list(map(str, row)) for row in [self.columns, *self.rows]]
        widths = [max(map(len, column)) for column in zip(*rows)]
        lines = [_line(row, widths) for row in rows]
        lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
        notes = [f"\n{note}" for note in self.notes]
        return "\n".join([f"### {self.title}", "", *lines, *notes, ""])


def _line(row, widths):
    cells = (cell.ljust(width) if number == 0 else cell.rjust(width)
             for number, (cell, width) in enumerate(zip(row, widths)))
    return "| " + " | ".join(cells) + " |"


def figure(values, digits=3):
    """Median, and how far the others are from it in per cent: "4.012 ±0.3 %"."""
    middle = statistics.median(values)
    spread = max(abs(value - middle) for value in values) / middle * 100 if middle else 0
    return f"{middle:.{digits}f} ±{spread:.1f} %" if len(values) > 1 else f"{middle:.{digits}f}"
