"""What a generator costs while it runs steadily: its start and its end are left out."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from pathlib import Path

from measure.generators import Invocation
from measure.nginx import Nginx
from measure.process import BenchError, Process

CONNECT_TIME_MAX_S = 25.0
GLANCE_S = 0.05


@dataclass(frozen=True)
class Window:
    """How long a generator runs with all its connections before it is watched, and how long it is watched then."""

    warm_up_s: float
    watch_s: float

    @property
    def run_s(self) -> int:
        """A run time that is long enough whatever the start takes."""
        return int(CONNECT_TIME_MAX_S + self.warm_up_s + self.watch_s + 10)


@dataclass(frozen=True)
class Cost:
    """What was seen in the window."""

    requests: int
    cpu_s: float
    wall_s: float
    target_cpu_s: float
    connections: int

    @property
    def per_cpu_s(self) -> float:
        """Requests for each second of processor time of the generator."""
        return self.requests / self.cpu_s

    def to_json(self) -> dict[str, float]:
        """The raw figures and the result."""
        return {**asdict(self), "requests_per_cpu_s": self.per_cpu_s}


@dataclass(frozen=True)
class Place:
    """Where a generator runs: its core, what is added to its nice value, and the file for what it prints."""

    cpu: int
    nice: int
    log: Path


def measure(invocation: Invocation, connections: int, nginx: Nginx, window: Window, place: Place) -> Cost:
    """Starts the generator, watches it for the window and stops it.

    Raises BenchError if it ends early or sends nothing. A generator that has not opened all its connections in time is
    watched as it is; the cost says how many it had.
    """
    drain(nginx)
    with Process(invocation.command, place.log, place.cpu, place.nice, invocation.env) as generator:
        await_connections(nginx, connections, generator)
        time.sleep(window.warm_up_s)
        before = look(nginx, generator)
        time.sleep(window.watch_s)
        after = look(nginx, generator)
        open_now = nginx.status().connections
        if generator.has_ended() or after.requests <= before.requests or after.cpu_s <= before.cpu_s:
            raise BenchError(f"{invocation.command[0]} does not send: {generator.last_words()}")
    return Cost(
        requests=after.requests - before.requests, cpu_s=after.cpu_s - before.cpu_s, wall_s=after.at_s - before.at_s,
        target_cpu_s=after.target_cpu_s - before.target_cpu_s, connections=open_now)


@dataclass(frozen=True)
class Look:
    """The counters at one moment."""

    at_s: float
    requests: int
    cpu_s: float
    target_cpu_s: float


def look(nginx: Nginx, generator: Process) -> Look:
    """Reads all counters, one straight after the other."""
    requests = nginx.status().requests
    return Look(time.monotonic(), requests, generator.cpu_s(), nginx.process.cpu_s())


def drain(nginx: Nginx) -> None:
    """Waits until the connections of the generator before have gone."""
    deadline = time.monotonic() + CONNECT_TIME_MAX_S
    while nginx.status().connections > 0 and time.monotonic() < deadline:
        time.sleep(GLANCE_S)


def await_connections(nginx: Nginx, connections: int, generator: Process) -> None:
    """Waits until so many are open, the generator has ended, or it has taken too long."""
    deadline = time.monotonic() + CONNECT_TIME_MAX_S
    while nginx.status().connections < connections and time.monotonic() < deadline and not generator.has_ended():
        time.sleep(GLANCE_S)
