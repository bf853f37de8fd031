"""How evenly 2000 requests a second arrive, by the target's own log. See docs/performance.md.

Started by pacing.sh. Needs a build with the open model (`load.arrival_rate`).
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from measure import script, setup
from measure.process import BenchError
from measure.script import Goal, show_goals
from measure.target import Target, run_open

# What open-2000.yml says.
RATE_PER_S = 2000
RUN_S = 60
# The start and the end of the run are left out.
SKIP_FIRST_MS = 4000
SKIP_LAST_MS = 1000

TOTAL_DEVIATION_MAX = 0.001
VARIATION_10_MS_MAX = 0.1
LAG_P99_MS_MAX = 2.0


def run(options: argparse.Namespace) -> int:
    """Runs the test and shows the figures beside their goals."""
    setup.check_cpus()
    akrida = script.akrida_of(options)
    with tempfile.TemporaryDirectory(prefix="akrida-bench-") as folder:
        log = Path(folder) / "access.log"
        with Target(akrida, Path(folder), ["--access-log", str(log)], options.nice) as target:
            summary = run_open(akrida, "open-2000.yml", target.url, RUN_S, Path(folder), options.nice)
        # The target answers at once, so the time of the answer, with which a line begins, is that of the arrival.
        arrivals_ms = [int(line.split(maxsplit=1)[0]) for line in log.read_text().splitlines()]
    if not arrivals_ms:
        raise BenchError("nothing arrived at the target")
    return show_goals(f"Pacing at {RATE_PER_S}/s for {RUN_S} s", goals(arrivals_ms, summary))


def goals(arrivals_ms: list[int], summary: dict[str, Any]) -> list[Goal]:
    """The figures from the target's log, and the lag that Akrida itself admits."""
    total_deviation = len(arrivals_ms) / (RATE_PER_S * RUN_S) - 1
    variation = {width_ms: variation_of_counts(arrivals_ms, width_ms) for width_ms in (10, 100)}
    lag_p99_us = (summary["schedule_lag_us"] or {}).get("p99")
    if lag_p99_us is None:
        raise BenchError("the summary has no schedule lag: this build has no open model")
    return [
        Goal(
            "total", f"{len(arrivals_ms)} ({total_deviation:+.2%})",
            f"{RATE_PER_S * RUN_S} ± {TOTAL_DEVIATION_MAX:.1%}", abs(total_deviation) <= TOTAL_DEVIATION_MAX),
        Goal(
            "variation of counts in 10 ms", f"{variation[10]:.3f}", f"≤ {VARIATION_10_MS_MAX:g}",
            variation[10] <= VARIATION_10_MS_MAX),
        Goal("variation of counts in 100 ms", f"{variation[100]:.3f}", "–", None),
        Goal(
            "schedule lag, p99", f"{lag_p99_us / 1000:.2f} ms", f"≤ {LAG_P99_MS_MAX:g} ms",
            lag_p99_us / 1000 <= LAG_P99_MS_MAX)]


def variation_of_counts(arrivals_ms: list[int], width_ms: int) -> float:
    """The coefficient of variation of the number of arrivals in windows of this width, empty ones included."""
    first = (min(arrivals_ms) + SKIP_FIRST_MS) // width_ms + 1
    last = (max(arrivals_ms) - SKIP_LAST_MS) // width_ms - 1
    counts = Counter(arrival_ms // width_ms for arrival_ms in arrivals_ms)
    windows = [counts[window] for window in range(first, last + 1)]
    if len(windows) < 2 or not any(windows):
        raise BenchError("the run was too short to tell how even it was")
    return statistics.pstdev(windows) / statistics.mean(windows)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="pacing.sh", description=__doc__.partition(". See")[0])
    sys.exit(script.main(run, script.with_nice(script.with_akrida(parser)).parse_args()))
