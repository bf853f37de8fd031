"""`akrida target` as the server, and runs of Akrida in the open model against it."""

from __future__ import annotations

import json
from pathlib import Path
from types import TracebackType
from typing import Any

from measure import setup
from measure.generators import BENCHES
from measure.ports import await_port, free_ports
from measure.process import BenchError, Process

# What a run may take beyond its run time.
SLACK_S = 30.0


class Target:
    """A running `akrida target` on a core of its own."""

    def __init__(self, akrida: Path, folder: Path, options: list[str], nice: int) -> None:
        [port] = free_ports(1)
        self.url = f"http://127.0.0.1:{port}"
        command = [str(akrida), "target", "--port", str(port), *options]
        self._process = Process(command, folder / "target.log", setup.TARGET_CPU, nice)
        try:
            await_port(port, self._process)
        except BaseException:
            self._process.stop()
            raise

    def __enter__(self) -> Target:
        return self

    def __exit__(self, kind: type[BaseException] | None, problem: BaseException | None,
                 trace: TracebackType | None) -> None:
        self._process.stop()


def run_open(akrida: Path, scenario: str, url: str, seconds: int, folder: Path, nice: int) -> dict[str, Any]:
    """Runs a scenario that says its own arrival rate, to its end, and returns the summary of `--summary-json`.

    Raises BenchError if the run fails, as it does in a build without the open model.
    """
    summary = folder / "summary.json"
    command = [
        str(akrida), "-f", str(BENCHES / scenario), "-H", url, "-t", f"{seconds}s", "--headless", "--only-summary",
        "--processes", "1", "--summary-json", str(summary)]
    with Process(command, folder / "akrida.log", setup.GENERATOR_CPU, nice) as process:
        code = process.wait(seconds + SLACK_S)
        if code != 0:
            raise BenchError(f"akrida exits with {code}: {process.last_words()}")
    found: dict[str, Any] = json.loads(summary.read_text())
    return found
