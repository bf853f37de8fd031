"""The costs of several generators over several rounds, and the tables made of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from measure.figures import Spread, markdown_table
from measure.generators import WRK
from measure.steady import Cost


@dataclass(frozen=True)
class Cell:
    """What all generators are asked for: a page of nginx over so many connections."""

    name: str
    title: str
    page: str
    connections: int


@dataclass
class Comparison:
    """The costs by cell, generator and round. Figures of different rounds are never divided by each other: the machine
    itself is faster in one minute than in another."""

    costs: dict[tuple[str, str], dict[int, Cost]] = field(default_factory=dict)

    def add(self, cell: Cell, generator: str, round_number: int, cost: Cost) -> None:
        """Adds the cost of one run."""
        self.costs.setdefault((cell.name, generator), {})[round_number] = cost

    def of(self, cell: Cell, generator: str) -> dict[int, Cost]:
        """The costs by round; none if every run failed."""
        return self.costs.get((cell.name, generator), {})

    def spread(self, cell: Cell, generator: str, figure: Callable[[Cost], float]) -> Spread | None:
        """A figure of the cost over all rounds."""
        costs = self.of(cell, generator)
        return Spread.of([figure(cost) for cost in costs.values()]) if costs else None

    def ratio(self, upper: tuple[Cell, str], lower: tuple[Cell, str]) -> Spread | None:
        """Requests per CPU-second of the one divided by those of the other, over the rounds that have both."""
        above, below = self.of(*upper), self.of(*lower)
        ratios = [cost.per_cpu_s / below[number].per_cpu_s for number, cost in above.items() if number in below]
        return Spread.of(ratios) if ratios else None

    def generators(self, cell: Cell) -> list[str]:
        """Those that were measured in this cell, the cheapest first."""
        names = [name for (cell_name, name) in self.costs if cell_name == cell.name]
        return sorted(names, key=lambda name: -median(self.spread(cell, name, lambda cost: cost.per_cpu_s)))

    def to_json(self, cells: list[Cell]) -> dict[str, object]:
        """Every single run, and the figures of the tables."""
        return {cell.name: {name: self._line(cell, name) for name in self.generators(cell)} for cell in cells}

    def _line(self, cell: Cell, name: str) -> dict[str, object]:
        per_cpu_s = self.spread(cell, name, lambda cost: cost.per_cpu_s)
        to_wrk = self.ratio((cell, name), (cell, WRK))
        return {
            "requests_per_cpu_s": per_cpu_s and per_cpu_s.to_json(), "ratio_to_wrk": to_wrk and to_wrk.to_json(),
            "runs": {number: cost.to_json() for number, cost in self.of(cell, name).items()}}


def median(spread: Spread | None) -> float:
    """The median, or 0 where there is none."""
    return spread.median if spread else 0.0


def text(spread: Spread | None, digits: int) -> str:
    """A spread for a table."""
    return spread.text(digits) if spread else "–"


def cell_table(comparison: Comparison, cell: Cell) -> str:
    """One line for each generator."""
    head = ["generator", "requests per CPU-s, median (min–max)", "ratio to wrk", "requests/s", "its CPU", "nginx CPU"]
    rows = []
    for name in comparison.generators(cell):
        fewest = min(cost.connections for cost in comparison.of(cell, name).values())
        rows.append([
            name if fewest >= cell.connections else f"{name} (only {fewest} connections)",
            text(comparison.spread(cell, name, lambda cost: cost.per_cpu_s), 0),
            text(comparison.ratio((cell, name), (cell, WRK)), 2),
            text(comparison.spread(cell, name, lambda cost: cost.requests / cost.wall_s), 0),
            share(comparison.spread(cell, name, lambda cost: cost.cpu_s / cost.wall_s)),
            share(comparison.spread(cell, name, lambda cost: cost.target_cpu_s / cost.wall_s))])
    return f"### {cell.title}\n\n{markdown_table(head, rows)}"


def share(spread: Spread | None) -> str:
    """The median share of a core."""
    return f"{median(spread):.2f}"


def ratio_table(comparison: Comparison, cells: list[Cell], subject: str) -> str:
    """What the subject achieves for each other generator, by cell."""
    others = [name for name in comparison.generators(cells[0]) if name != subject]
    rows = [
        [cell.title, *(text(comparison.ratio((cell, subject), (cell, other)), 2) for other in others)]
        for cell in cells]
    return f"### {subject} divided by each other, within each round\n\n" + markdown_table(["", *others], rows)


def against_first_table(comparison: Comparison, cells: list[Cell]) -> str:
    """What each generator achieves in the other cells of what it achieves in the first."""
    first = cells[0]
    rows = [
        [name, *(text(comparison.ratio((cell, name), (first, name)), 2) for cell in cells[1:])]
        for name in comparison.generators(first)]
    head = ["generator", *(cell.title for cell in cells[1:])]
    return f"### Each divided by its own figure at “{first.title}”\n\n" + markdown_table(head, rows)
