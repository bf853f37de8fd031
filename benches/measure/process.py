"""Processes that are pinned, accounted for and always stopped."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from types import FrameType, TracebackType

STOP_TIME_MAX_S = 10.0
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class BenchError(Exception):
    """A measurement that cannot be made; the text says why, for the person at the terminal."""


def prepare() -> None:
    """Makes every signal that ends a process unwind it, so that all it started is stopped; allows many sockets."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))

    def unwind(number: int, _frame: FrameType | None) -> None:
        sys.exit(128 + number)

    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, unwind)


class Process:
    """A command in a session of its own, which ends with the `with` block.

    What it prints goes to `log`. `cpu` is the core it is pinned to; None leaves that to the scheduler. `nice` is added
    to its nice value; less than 0 needs privileges.
    """

    def __init__(self, command: list[str], log: Path, cpu: int | None = None, nice: int = 0,
                 env: dict[str, str] | None = None) -> None:
        self.log = log
        self._name = command[0]
        pinned = [] if cpu is None else ["taskset", "-c", str(cpu)]
        pinned += ["nice", "-n", str(nice)] if nice else []
        # The kernel ends it even if this process is killed outright.
        tied = ["setpriv", "--pdeathsig", "TERM", *pinned, *command]
        with log.open("wb") as output:
            self._child = subprocess.Popen(
                tied, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                env={**os.environ, **(env or {})}, start_new_session=True)
        self.pid = self._child.pid
        group = Path(f"/proc/{self.pid}/autogroup")
        if nice and group.exists():
            # Where the kernel groups processes by session (sched(7)), nice values only matter inside a session.
            group.write_text(str(nice))

    def __enter__(self) -> Process:
        return self

    def __exit__(self, kind: type[BaseException] | None, problem: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.stop()

    def has_ended(self) -> bool:
        """Whether the command has ended by itself or was stopped."""
        return self._child.poll() is not None

    def wait(self, time_max_s: float) -> int:
        """Waits for the end and returns the exit code. Raises BenchError if it takes longer."""
        try:
            return self._child.wait(time_max_s)
        except subprocess.TimeoutExpired:
            raise BenchError(f"{self._name} did not end within {time_max_s:.0f} s") from None

    def stop(self) -> None:
        """Ends the whole session: politely, then by force."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            if self.has_ended() and not self._members():
                return
            with suppress(ProcessLookupError):
                os.killpg(self.pid, number)
            with suppress(subprocess.TimeoutExpired):
                self._child.wait(STOP_TIME_MAX_S)

    def kill(self) -> None:
        """Ends the whole session at once, by force."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._child.wait(STOP_TIME_MAX_S)

    def interrupt(self) -> None:
        """Asks the command to end, as Ctrl-C does."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGINT)

    def cpu_s(self) -> float:
        """User and system time so far of all processes of the session, and of those that it has waited for."""
        ticks = sum(sum(map(int, fields[11:15])) for fields in self._members())
        return ticks / TICKS_PER_S

    def rss_bytes(self) -> int:
        """Resident memory of all processes of the session."""
        return sum(int(fields[21]) for fields in self._members()) * PAGE_BYTES

    def peak_rss_bytes(self) -> int:
        """The largest resident memory that the command itself has had."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
        raise BenchError(f"{self._name} has ended: {self.last_words()}")

    def last_words(self) -> str:
        """The end of what it printed."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])

    def _members(self) -> list[list[str]]:
        """The fields of /proc/PID/stat, from the third on, of each process of the session (see proc(5))."""
        members = []
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                # The second field is a name in brackets that may hold anything.
                fields = stat.read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[3]) == self.pid and fields[0] not in "ZX":
                members.append(fields)
        return members
