"""What a worker of a cluster achieves beside one process alone, and what the loss of the leader costs.

Started by cluster.sh. See docs/performance.md.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

from measure import generators, script, setup
from measure.cluster import MASTERS, Cluster
from measure.figures import Spread
from measure.generators import BENCHES, Load
from measure.nginx import Nginx
from measure.process import BenchError, Process
from measure.script import Goal, show_goals
from measure.steady import Cost, Place, Window, await_connections, drain, look, measure
from measure.target import Target

CONNECTIONS = 64
WINDOW = Window(warm_up_s=2, watch_s=4)
THROUGHPUT_RATIO_MIN = 0.97

USERS = 100
# Between a kill and the next: the old leader is back, and the load is watched without a fault.
QUIET_S = 3.0
# How long after a kill the load is watched.
FAULT_S = 3.0
SETTLE_S = 20.0
READY_MEDIAN_MAX_S = 0.8
READY_MAX_S = 2.0
LOAD_RATIO_MIN = 0.98


def run(options: argparse.Namespace) -> int:
    """Runs both tests and shows the figures beside their goals."""
    setup.check_cpus()
    setup.install(["nginx"])
    akrida = script.akrida_of(options)
    missed = throughput(akrida, options) if options.rounds else 0
    return missed | failover(akrida, options) if options.kills else missed


def throughput(akrida: Path, options: argparse.Namespace) -> int:
    """Requests per CPU-second of a worker, divided by those of one process alone in the same round."""
    ratios, loads = [], []
    with tempfile.TemporaryDirectory(prefix="akrida-bench-") as name:
        folder = Path(name)
        with Nginx(folder, setup.TARGET_CPU, options.nice) as nginx:
            for number in range(options.rounds):
                print(f"throughput {number + 1}/{options.rounds}", file=sys.stderr)
                pair = [lambda: alone(akrida, nginx, options.nice), lambda: distributed(akrida, nginx, options.nice)]
                # Each is the first as often as the other.
                costs = [measure_it() for measure_it in pair] if number % 2 == 0 else [pair[1](), pair[0]()][::-1]
                ratios.append(costs[1].per_cpu_s / costs[0].per_cpu_s)
                loads.append(costs[1].requests / costs[1].wall_s / (costs[0].requests / costs[0].wall_s))
    ratio = Spread.of(ratios)
    return show_goals("A worker of three masters, divided by one process alone", [
        Goal("requests per CPU-second", ratio.text(3), f"≥ {THROUGHPUT_RATIO_MIN}",
             ratio.median >= THROUGHPUT_RATIO_MIN),
        Goal("requests per second", Spread.of(loads).text(3), "", None)])


def alone(akrida: Path, nginx: Nginx, nice: int) -> Cost:
    """One process, master and worker."""
    load = Load(nginx.url("small"), CONNECTIONS, WINDOW.run_s)
    place = Place(setup.GENERATOR_CPU, nice, nginx.folder / "alone.log")
    return measure(generators.akrida(akrida, BENCHES / "one-get.yml", load), CONNECTIONS, nginx, WINDOW, place)


def distributed(akrida: Path, nginx: Nginx, nice: int) -> Cost:
    """A worker alone on its core; the masters share that of nginx."""
    drain(nginx)
    with (
        tempfile.TemporaryDirectory(prefix="akrida-bench-") as name,
        Cluster(akrida, Path(name), setup.TARGET_CPU, nice) as cluster,
    ):
        worker = cluster.start_worker("worker-1", setup.GENERATOR_CPU)
        command = run_command(akrida, cluster, nginx.url("small"), BENCHES / "one-get.yml", [
            "-u", str(CONNECTIONS), "-r", str(CONNECTIONS), "-t", f"{WINDOW.run_s}s"])
        with Process(command, Path(name) / "run.log", setup.TARGET_CPU, nice) as client:
            await_connections(nginx, CONNECTIONS, client)
            time.sleep(WINDOW.warm_up_s)
            before = look(nginx, worker)
            time.sleep(WINDOW.watch_s)
            after = look(nginx, worker)
            if client.has_ended() or after.requests <= before.requests:
                raise BenchError(f"the cluster does not send: {client.last_words()}")
            client.interrupt()
            client.wait(SETTLE_S)
    return Cost(after.requests - before.requests, after.cpu_s - before.cpu_s, after.at_s - before.at_s,
                after.target_cpu_s - before.target_cpu_s, CONNECTIONS)


def failover(akrida: Path, options: argparse.Namespace) -> int:
    """Kills the leader again and again during one run, and compares the load after each kill with that before it."""
    seconds = int(options.kills * (QUIET_S + FAULT_S + 3) + SETTLE_S)
    ready_s, ratios = [], []
    with tempfile.TemporaryDirectory(prefix="akrida-bench-") as name:
        folder = Path(name)
        with Target(akrida, folder, [], options.nice) as target, Cluster(akrida, folder, None, options.nice) as cluster:
            for worker in ("worker-1", "worker-2"):
                cluster.start_worker(worker, setup.GENERATOR_CPU)
            command = run_command(akrida, cluster, target.url, BENCHES / "paced.yml", [
                "-u", str(USERS), "-r", str(USERS), "-t", f"{seconds}s", "--summary-json", str(folder / "out.json")])
            with Process(command, folder / "run.log", None, options.nice) as client:
                time.sleep(QUIET_S)
                for number in range(options.kills):
                    quiet = rate(target, QUIET_S)
                    leader = cluster.leader()
                    print(f"kill {number + 1}/{options.kills}: master-{leader + 1}", file=sys.stderr)
                    began, received = time.monotonic(), counted(target)
                    cluster.kill_master(leader)
                    cluster.leader(other_than=leader)
                    ready_s.append(time.monotonic() - began)
                    time.sleep(max(0.0, FAULT_S - ready_s[-1]))
                    ratios.append((counted(target) - received) / (time.monotonic() - began) / quiet)
                    cluster.start_master(leader)
                    cluster.await_caught_up()
                if client.has_ended():
                    raise BenchError(f"the run ended before the last kill: {client.last_words()}")
                client.interrupt()
                client.wait(SETTLE_S)
            received = counted(target)
        summary: dict[str, Any] = json.loads((folder / "out.json").read_text())
    return show_goals(f"The leader of {MASTERS} masters killed {options.kills} times", goals(ready_s, ratios, received,
                                                                                           summary))


def goals(ready_s: list[float], ratios: list[float], received: int, summary: dict[str, Any]) -> list[Goal]:
    """The times, the load and the counts."""
    ready, load = Spread.of(ready_s), Spread.of(ratios)
    reported = summary.get("totals", {}).get("http_exchanges", -1)
    return [
        Goal("new leader ready, s", ready.text(2), f"median ≤ {READY_MEDIAN_MAX_S}, worst ≤ {READY_MAX_S}",
             ready.median <= READY_MEDIAN_MAX_S and ready.most <= READY_MAX_S),
        Goal("requests per second after a kill / before", f"{load.text(3)}, mean {statistics.mean(ratios):.3f}",
             f"≥ {LOAD_RATIO_MIN}", statistics.mean(ratios) >= LOAD_RATIO_MIN),
        Goal("requests reported / received", f"{reported} / {received}", "equal", reported == received)]


def rate(target: Target, seconds: float) -> float:
    """Requests per second over so long a time."""
    before, began = counted(target), time.monotonic()
    time.sleep(seconds)
    return (counted(target) - before) / (time.monotonic() - began)


def counted(target: Target) -> int:
    """What the target has received so far."""
    with urllib.request.urlopen(f"{target.url}/_count", timeout=10) as answer:
        return int(json.load(answer)["received"])


def run_command(akrida: Path, cluster: Cluster, url: str, scenario: Path, load: list[str]) -> list[str]:
    """The command that starts a run on the cluster and follows it."""
    return [str(akrida), "run", "--masters", cluster.addresses(), "-f", str(scenario), "-H", url, "--only-summary",
            *load]


def arguments() -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(prog="cluster.sh", description="Measures a cluster beside one process.")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="pairs of the throughput test (default 5)")
    parser.add_argument("--kills", type=int, default=20, metavar="N", help="kills of the leader (default 20)")
    script.with_akrida(parser)
    script.with_nice(parser)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(script.main(run, arguments()))
