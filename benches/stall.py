"""Whether percentiles tell of a target that freezes: the stall test. See docs/performance.md.

Started by stall.sh. Needs a build with the open model (`load.arrival_rate`).
"""

from __future__ import annotations

import argparse
import math
import sys
import tempfile
from pathlib import Path

from measure import script, setup
from measure.script import Goal, show_goals
from measure.target import Target, run_open

# What `akrida target` and open-1000.yml are told.
RATE_PER_S = 1000
SERVICE_S = 0.001
FREEZE_S = 1.0
PERIOD_S = 10.0
# Two whole periods, so that it does not matter when in a period the run begins.
RUN_S = 20

QUANTILES = {"p95": 0.95, "p99": 0.99, "p99.9": 0.999}
DEVIATION_MAX = 0.02


def run(options: argparse.Namespace) -> int:
    """Runs the test and shows each percentile beside the one computed from the schedule."""
    setup.check_cpus()
    akrida = script.akrida_of(options)
    stall = ["--latency", f"{SERVICE_S * 1000:g}ms", "--stall", f"{FREEZE_S:g}s every {PERIOD_S:g}s"]
    with (
        tempfile.TemporaryDirectory(prefix="akrida-bench-") as folder,
        Target(akrida, Path(folder), stall, options.nice) as target,
    ):
        summary = run_open(akrida, "open-1000.yml", target.url, RUN_S, Path(folder), options.nice)
    totals = summary["totals"]
    print(f"{totals['requests']} requests of {RATE_PER_S * RUN_S}, {totals['failures']} failures\n")
    return show_goals("Percentiles under a stall", goals(totals["latency_us"], scheduled_latencies_s()))


def goals(measured_us: dict[str, int], schedule_s: list[float]) -> list[Goal]:
    """Each percentile beside the computed one."""
    rows = []
    for name, quantile in QUANTILES.items():
        truth_ms = percentile(schedule_s, quantile) * 1000
        measured_ms = measured_us[name] / 1000
        deviation = measured_ms / truth_ms - 1
        rows.append(Goal(
            name, f"{measured_ms:.1f} ms ({deviation:+.1%})", f"{truth_ms:.1f} ms ± {DEVIATION_MAX:.0%}",
            abs(deviation) <= DEVIATION_MAX))
    return rows


def scheduled_latencies_s() -> list[float]:
    """The latency of every request if all leave when they should and the network takes no time."""
    arrivals_s = [number / RATE_PER_S for number in range(RATE_PER_S * RUN_S)]
    return [released_s(released_s(arrival_s) + SERVICE_S) - arrival_s for arrival_s in arrivals_s]


def released_s(at_s: float) -> float:
    """When something that is ready at this time happens: at once, or at the end of the freeze that ends each period."""
    into_period_s = at_s % PERIOD_S
    return at_s if into_period_s < PERIOD_S - FREEZE_S else at_s + PERIOD_S - into_period_s


def percentile(values: list[float], quantile: float) -> float:
    """The smallest value that is not exceeded by this share of them (nearest rank)."""
    return sorted(values)[max(math.ceil(quantile * len(values)), 1) - 1]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="stall.sh", description=__doc__.partition(". See")[0])
    sys.exit(script.main(run, script.with_nice(script.with_akrida(parser)).parse_args()))
