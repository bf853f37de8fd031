"""Medians with their spread, and the tables that show them."""

from __future__ import annotations

import statistics
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Spread:
    """The median of several figures, and the least and the greatest of them."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, figures: list[float]) -> Spread:
        """Of at least one figure."""
        return cls(statistics.median(figures), min(figures), max(figures))

    def text(self, digits: int) -> str:
        """`median (least-most)`."""
        figures = (self.median, self.least, self.most)
        median, least, most = (f"{figure:,.{digits}f}".replace(",", " ") for figure in figures)
        return f"{median} ({least}–{most})"

    def to_json(self) -> dict[str, float]:
        """The three figures by name."""
        return asdict(self)


def markdown_table(head: list[str], rows: list[list[str]]) -> str:
    """A table in Markdown; all columns but the first are figures."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"
