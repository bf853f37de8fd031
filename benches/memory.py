"""Resident memory of Akrida for each idle user, and at the top of a steep ramp. See docs/performance.md.

Started by memory.sh.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from measure import generators, script, setup
from measure.generators import Load
from measure.nginx import Nginx
from measure.process import BenchError, Process
from measure.script import Goal, show_goals

USERS_PER_S = 2000
FEW_USERS = 10
IDLE_USERS = 10_000
RAMP_USERS = 15_000
IDLE_KIB_PER_USER_MAX = 5.0
RAMP_MIB_MAX = 250.0
CONNECT_TIME_MAX_S = 60.0
# After the last connection: the users' first answers have come, and the statistics have been sealed a few times.
SETTLE_S = 3.0
# The ramp, and the load at its top for as long again.
RAMP_S = 15.0


def run(options: argparse.Namespace) -> int:
    """Measures both and shows them beside their goals."""
    setup.install(["nginx"])
    akrida = script.akrida_of(options)
    with tempfile.TemporaryDirectory(prefix="akrida-bench-") as folder, Nginx(Path(folder), None) as nginx:
        few, many = (idle_rss_bytes(akrida, nginx, users) for users in (FEW_USERS, IDLE_USERS))
        peak = ramp_peak_bytes(akrida, nginx)
    return show_goals("Resident memory", goals(few, many, peak))


def goals(few_bytes: int, many_bytes: int, peak_bytes: int) -> list[Goal]:
    """The figures from the resident memory with few users, with many, and at the top of the ramp."""
    per_user_kib = (many_bytes - few_bytes) / (IDLE_USERS - FEW_USERS) / 1024
    few_mib, many_mib, peak_mib = (size / 1024**2 for size in (few_bytes, many_bytes, peak_bytes))
    return [
        Goal(
            f"each of {IDLE_USERS} idle users ({few_mib:.1f} MiB with {FEW_USERS}, {many_mib:.1f} MiB with all)",
            f"{per_user_kib:.2f} KiB", f"≤ {IDLE_KIB_PER_USER_MAX:g} KiB", per_user_kib <= IDLE_KIB_PER_USER_MAX),
        Goal(
            f"peak while {RAMP_USERS} users start at {USERS_PER_S}/s and think 1–5 s",
            f"{peak_mib:.0f} MiB", f"≤ {RAMP_MIB_MAX:g} MiB", peak_mib <= RAMP_MIB_MAX)]


def idle_rss_bytes(akrida: Path, nginx: Nginx, users: int) -> int:
    """Resident memory once so many users are connected and idle."""
    with started(akrida, "idle.yml", nginx, users) as process:
        await_connections(nginx, users, process)
        time.sleep(SETTLE_S)
        return process.rss_bytes()


def ramp_peak_bytes(akrida: Path, nginx: Nginx) -> int:
    """The greatest resident memory during the ramp and a while after."""
    with started(akrida, "thinking.yml", nginx, RAMP_USERS) as process:
        time.sleep(RAMP_S)
        await_connections(nginx, RAMP_USERS, process)
        return process.peak_rss_bytes()


def started(akrida: Path, scenario: str, nginx: Nginx, users: int) -> Process:
    """Akrida on its way to so many users."""
    load = Load(nginx.url("small"), users, seconds=120, connections_per_s=USERS_PER_S)
    return Process(generators.akrida(akrida, generators.BENCHES / scenario, load).command, nginx.folder / "akrida.log")


def await_connections(nginx: Nginx, users: int, process: Process) -> None:
    """Waits until every user has a connection. Raises BenchError if that takes too long."""
    deadline = time.monotonic() + CONNECT_TIME_MAX_S
    while (connections := nginx.status().connections) < users:
        if time.monotonic() > deadline or process.has_ended():
            raise BenchError(f"{connections} of {users} users are connected: {process.last_words()}")
        time.sleep(0.1)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="memory.sh", description=__doc__.partition(". See")[0])
    sys.exit(script.main(run, script.with_akrida(parser).parse_args()))
