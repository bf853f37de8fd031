"""What must be there before anything is measured: tools, a build of Akrida, two cores."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

from measure.process import BenchError

ROOT = Path(__file__).resolve().parent.parent.parent
TARGET_CPU = 0
GENERATOR_CPU = 1


def install(names: list[str]) -> None:
    """Installs those of the tools that are missing. Raises BenchError if one cannot be."""
    run([str(ROOT / "benches/install-peers.sh"), *names])


def build_akrida() -> Path:
    """Builds Akrida as it is released, at the lowest priority, and returns the program."""
    run(["nice", "-n", "19", "cargo", "build", "--release", "--locked", "--manifest-path", str(ROOT / "Cargo.toml")])
    return ROOT / "target/release/akrida"


def run(command: list[str]) -> None:
    """Runs a command whose output is for the person at the terminal. Raises BenchError if it fails."""
    if subprocess.run(command, stdin=subprocess.DEVNULL, stdout=sys.stderr).returncode != 0:
        raise BenchError(f"{' '.join(command)} failed")


def check_program(path: Path) -> Path:
    """The absolute path of a program. Raises BenchError if there is none."""
    if not os.access(path, os.X_OK):
        raise BenchError(f"{path} is not a program")
    return path.resolve()


def check_cpus() -> None:
    """Raises BenchError unless target and generator can have a core each."""
    if not {TARGET_CPU, GENERATOR_CPU} <= os.sched_getaffinity(0):
        raise BenchError(f"cores {TARGET_CPU} (for the target) and {GENERATOR_CPU} (for the generator) are needed")
    # This program sleeps most of the time; what it does take is not to fall on the generator.
    os.sched_setaffinity(0, {TARGET_CPU})


def machine() -> dict[str, str | int]:
    """What the figures depend on besides the programs."""
    models = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return {
        "cpu": models[0].partition(": ")[2] if models else platform.machine(), "cores": os.cpu_count() or 1,
        "kernel": platform.release()}
