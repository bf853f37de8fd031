"""Ports of the loopback interface."""

from __future__ import annotations

import socket
import time
from contextlib import ExitStack

from measure.process import BenchError, Process

START_TIME_MAX_S = 10.0


def free_ports(count: int) -> list[int]:
    """Ports of the loopback interface that were free a moment ago."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def await_port(port: int, process: Process) -> None:
    """Waits until the process listens. Raises BenchError if it ends instead or takes too long."""
    deadline = time.monotonic() + START_TIME_MAX_S
    while time.monotonic() < deadline and not process.has_ended():
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise BenchError(f"the target does not start: {process.last_words()}")
