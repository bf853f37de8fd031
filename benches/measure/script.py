"""What all measuring programs have in common: options, preparation, and an exit code that says how it went."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from measure import setup
from measure.figures import markdown_table
from measure.process import BenchError, prepare


class Goal(NamedTuple):
    """What was measured, the figure, what it should be, and whether it is; None if it is for information only."""

    name: str
    figure: str
    goal: str
    is_met: bool | None


def main(run: Callable[[argparse.Namespace], int], options: argparse.Namespace) -> int:
    """Runs a measurement and returns its exit code: 1 if a goal is missed or something cannot be measured, else 0."""
    prepare()
    try:
        return run(options)
    except BenchError as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1


def with_akrida(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """Adds the option for the build of Akrida."""
    parser.add_argument("--akrida", type=Path, metavar="PATH", help="a build of Akrida (default: builds one)")
    return parser


def with_nice(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """Adds the option for precedence over others on the machine."""
    parser.add_argument("--nice", type=int, default=0, metavar="N",
                        help="added to the nice value of target and generator; on a busy machine -10 (as root)")
    return parser


def akrida_of(options: argparse.Namespace) -> Path:
    """The build that was asked for, or a new one."""
    return setup.check_program(options.akrida) if options.akrida else setup.build_akrida()


def show_goals(title: str, goals: list[Goal]) -> int:
    """Prints the figures beside their goals. 0 if all are met, else 1."""
    words = {True: "met", False: "missed", None: "–"}
    rows = [[*goal[:3], words[goal.is_met]] for goal in goals]
    print(f"### {title}\n\n{markdown_table(['', 'measured', 'goal', ''], rows)}")
    return 1 if any(goal.is_met is False for goal in goals) else 0
