"""Requests for each CPU-second of load generators that send the same to the same nginx. See docs/performance.md.

Started by compare.sh. Prints Markdown; writes it and all single figures as JSON into a folder.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from measure import generators, script, setup
from measure.comparison import Cell, Comparison, against_first_table, cell_table, ratio_table
from measure.generators import AKRIDA, AKRIDA_ALT, PEERS, REALISTIC, WRK, Invocation, Load
from measure.nginx import Nginx
from measure.process import BenchError
from measure.steady import Place, Window, measure

CELLS = {
    cell.name: cell
    for cell in (
        Cell("13b-64", "13 B, 64 connections", "small", 64),
        Cell("13b-1000", "13 B, 1000 connections", "small", 1000),
        Cell("10kb-64", "10 KB, 64 connections", "big", 64),
        Cell("10kb-1000", "10 KB, 1000 connections", "big", 1000),
        Cell("https-64", "HTTPS, 13 B, 64 connections", "tls", 64))}
# The JSON of benches/realistic.json, so its figures are those of a page of its own.
REALISTIC_CELL = Cell("realistic-64", "Realistic scenario, 1 KB JSON, 64 connections", "json", 64)


@dataclass
class Outcome:
    """All that a comparison has found, and what it depends on."""

    machine: dict[str, str | int]
    comparison: Comparison = field(default_factory=Comparison)
    failures: list[str] = field(default_factory=list)
    load_averages: list[float] = field(default_factory=lambda: [os.getloadavg()[0]])


def arguments() -> argparse.Namespace:
    """The options, with those that `--quick` implies filled in."""
    parser = argparse.ArgumentParser(prog="compare.sh", description="Compares load generators by their cost.")
    parser.add_argument("--runs", type=positive, metavar="N", help="rounds (default 5)")
    parser.add_argument("--seconds", type=positive, metavar="S", help="seconds that each run is watched (default 3)")
    parser.add_argument("--warm-up", type=positive, default=1, metavar="S", help="seconds before that (default 1)")
    parser.add_argument("--quick", action="store_true", help="one round of akrida and wrk in the first cell")
    script.with_akrida(parser)
    parser.add_argument("--akrida-alt", type=Path, metavar="PATH", help="another build, measured beside it")
    parser.add_argument("--only", type=names_of(PEERS), metavar="NAME,...", help=f"peers: {','.join(PEERS)}")
    parser.add_argument("--cells", type=names_of(tuple(CELLS)), metavar="NAME,...", help=f"of {','.join(CELLS)}")
    script.with_nice(parser)
    parser.add_argument("--realistic", action="store_true", help="also Akrida with a realistic scenario")
    parser.add_argument("--out", type=Path, default=setup.ROOT / "target/bench", metavar="FOLDER",
                        help="where compare.md and compare.json go (default target/bench)")
    options = parser.parse_args()
    options.runs = options.runs or (1 if options.quick else 5)
    options.seconds = options.seconds or (2 if options.quick else 3)
    options.only = options.only or ([WRK] if options.quick else list(PEERS))
    options.cells = [CELLS[name] for name in options.cells or ([*CELLS][:1] if options.quick else CELLS)]
    return options


def positive(value: str) -> int:
    """A whole number from 1 to 1000."""
    if not value.isdecimal() or not 1 <= int(value) <= 1000:
        raise argparse.ArgumentTypeError(f'"{value}" is not a whole number from 1 to 1000')
    return int(value)


def names_of(known: tuple[str, ...]) -> Callable[[str], list[str]]:
    """A reader of lists of known names, in their own order."""

    def names(value: str) -> list[str]:
        wanted = set(value.split(","))
        if unknown := wanted - set(known):
            raise argparse.ArgumentTypeError(f'"{sorted(unknown)[0]}" is none of {", ".join(known)}')
        return [name for name in known if name in wanted]

    return names


def run(options: argparse.Namespace) -> int:
    """Prepares, measures all rounds and writes the report."""
    setup.check_cpus()
    setup.install(["nginx", *options.only])
    builds = {AKRIDA: script.akrida_of(options)}
    if options.akrida_alt:
        builds[AKRIDA_ALT] = setup.check_program(options.akrida_alt)
    outcome = Outcome(setup.machine())
    with tempfile.TemporaryDirectory(prefix="akrida-bench-") as folder:
        with Nginx(Path(folder), setup.TARGET_CPU, options.nice) as nginx:
            for number in range(options.runs):
                one_round(options, builds, number, outcome, nginx)
        outcome.load_averages.append(os.getloadavg()[0])
    write_report(options, outcome)
    return 1 if outcome.failures else 0


def one_round(options: argparse.Namespace, builds: dict[str, Path], number: int, outcome: Outcome,
              nginx: Nginx) -> None:
    """Measures every generator in every cell once."""
    window = Window(options.warm_up, options.seconds)
    for cell in options.cells + ([REALISTIC_CELL] if options.realistic else []):
        names = [REALISTIC] if cell is REALISTIC_CELL else [*builds, *options.only]
        # Another one begins in each round, so that none always follows the same.
        first = number % len(names)
        for name in names[first:] + names[:first]:
            print(f"round {number + 1}/{options.runs}: {cell.title}: {name}", file=sys.stderr)
            load = Load(nginx.url(cell.page), cell.connections, window.run_s)
            place = Place(setup.GENERATOR_CPU, options.nice, nginx.folder / f"{name}.log")
            try:
                cost = measure(invocation(name, builds, load), cell.connections, nginx, window, place)
            except BenchError as problem:
                print(f"  {problem}", file=sys.stderr)
                outcome.failures.append(f"{name}, {cell.title}, round {number + 1}")
                continue
            outcome.comparison.add(cell, name, number, cost)


def invocation(name: str, builds: dict[str, Path], load: Load) -> Invocation:
    """How a generator is started."""
    if name == REALISTIC:
        return generators.akrida(builds[AKRIDA], generators.BENCHES / "realistic.yml", load)
    if name in builds:
        return generators.akrida(builds[name], generators.BENCHES / "one-get.yml", load)
    return generators.peer(name, load)


def write_report(options: argparse.Namespace, outcome: Outcome) -> None:
    """Prints the tables and writes them and the JSON."""
    at = datetime.now(UTC).isoformat(timespec="seconds")
    document = report(options, outcome, at)
    print(document)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "compare.md").write_text(document)
    conditions = {
        **outcome.machine, "at": at, "rounds": options.runs, "seconds": options.seconds, "nice": options.nice,
        "load_averages": outcome.load_averages}
    cells = outcome.comparison.to_json([*options.cells, REALISTIC_CELL])
    everything = {"conditions": conditions, "failures": outcome.failures, "cells": cells}
    (options.out / "compare.json").write_text(json.dumps(everything, indent=2) + "\n")


def report(options: argparse.Namespace, outcome: Outcome, at: str) -> str:
    """All tables."""
    comparison, machine = outcome.comparison, outcome.machine
    before, after = (f"{load:.1f}" for load in outcome.load_averages)
    parts = [
        "## Requests per CPU-second of the generator\n\n"
        f"{machine['cpu']}, {machine['cores']} cores, Linux {machine['kernel']}, {at}; {options.runs} rounds of "
        f"{options.seconds} s, nice {options.nice}; load average {before} before, {after} after.\n"]
    parts += [cell_table(comparison, cell) for cell in options.cells]
    measured = [name for name in (AKRIDA, AKRIDA_ALT) if comparison.of(options.cells[0], name)]
    parts += [ratio_table(comparison, options.cells, name) for name in measured]
    if len(options.cells) > 1:
        parts.append(against_first_table(comparison, options.cells))
    if options.realistic:
        parts.append(realistic_text(comparison, options.cells[0]))
    if outcome.failures:
        parts.append("### Failed\n\n" + "".join(f"- {failure}\n" for failure in outcome.failures))
    return "\n".join(parts)


def realistic_text(comparison: Comparison, one_get: Cell) -> str:
    """The realistic scenario, and what it achieves of one GET."""
    ratio = comparison.ratio((REALISTIC_CELL, REALISTIC), (one_get, AKRIDA))
    shown = ratio.text(2) if ratio else "unknown"
    return f"{cell_table(comparison, REALISTIC_CELL)}\nDivided by akrida at “{one_get.title}”: {shown}\n"


if __name__ == "__main__":
    sys.exit(script.main(run, arguments()))
