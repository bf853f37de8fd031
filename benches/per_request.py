"""User-space instructions, or system calls, of Akrida for each request. See docs/performance.md.

Started by instructions.sh and syscalls.sh. Takes the difference of two runs that last equally long, one with many
requests and one with few, so that start, end, and what happens once a second cancel. Prints one number; exits with 1 if
it is above the limit.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from collections import Counter
from pathlib import Path
from textwrap import indent

from measure import generators, script, setup
from measure.generators import Load
from measure.nginx import Nginx
from measure.process import BenchError, Process

# One core for both, so that they take turns and Akrida finds several answers at once, as it does under load. On two
# cores it would depend on the rest of the machine how often it waits.
CPU = 1
FEW_PER_USER = 10
# So many that they take a third of the run under callgrind on a busy machine.
MANY_PER_USER = {"one-get.yml": 250, "realistic.yml": 60}
# Under callgrind the start and the end of the program take their time, too.
SLACK_S = 120.0


def arguments() -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(description=__doc__.partition(". See")[0])
    parser.add_argument("what", choices=COUNTERS)
    parser.add_argument("limit", type=float, nargs="?", help="exit with 1 if the number is greater")
    script.with_akrida(parser)
    parser.add_argument("--scenario", default="one-get.yml", choices=MANY_PER_USER)
    parser.add_argument("--page", default=None, choices=["small", "big", "json", "tls"], help="the page of nginx")
    parser.add_argument("--users", type=int, default=64, metavar="N", help="users, a connection each (default 64)")
    parser.add_argument("--seconds", type=int, default=20, metavar="S", help="seconds of each run (default 20)")
    options = parser.parse_args()
    if not (1 <= options.seconds <= 600 and 1 <= options.users <= 1000):
        parser.error("--seconds is a whole number from 1 to 600, --users one from 1 to 1000")
    options.page = options.page or ("json" if options.scenario == "realistic.yml" else "small")
    return options


def run(options: argparse.Namespace) -> int:
    """Runs twice, prints the difference per request and compares it with the limit."""
    program, counted = COUNTERS[options.what]
    setup.install(["nginx", program])
    akrida = script.akrida_of(options)
    with tempfile.TemporaryDirectory(prefix="akrida-bench-") as folder, Nginx(Path(folder), CPU) as nginx:
        load = Load(nginx.url(options.page), options.users, options.seconds)
        counts = Counter[str]()
        many_per_user = MANY_PER_USER[options.scenario]
        for sign, per_user in ((-1, FEW_PER_USER), (1, many_per_user)):
            scenario = nginx.folder / options.scenario
            scenario.write_text(bounded((generators.BENCHES / options.scenario).read_text(), per_user))
            before = nginx.status().requests
            found = counted(generators.akrida(akrida, scenario, load).command, nginx.folder, options.seconds)
            sent, planned = nginx.status().requests - before, options.users * per_user
            if sent != planned:
                raise BenchError(f"{sent} of {planned} requests were sent; more --seconds may be needed")
            for name, count in found.items():
                counts[name] += sign * count
    return judge(counts, options.users * (many_per_user - FEW_PER_USER), options.limit)


def bounded(scenario: str, per_user: int) -> str:
    """A scenario of one class whose users do nothing more after so many tasks."""
    head, key, tasks = scenario.partition("    tasks:\n")
    nested = f"      work:\n        iterations: {per_user}\n        tasks:\n{indent(tasks, '    ')}"
    return f"{head}    order: sequential\n{key}{nested}      rest: [ {{ wait: 24h }} ]\n"


def judge(counts: Counter[str], requests: int, limit: float | None) -> int:
    """Prints the total per request, and on standard error what it consists of."""
    total = sum(counts.values()) / requests
    print(f"{total:.0f}" if total >= 100 else f"{total:.2f}")
    shares = ", ".join(f"{name} {count / requests:.2f}" for name, count in counts.most_common(6))
    print(f"over {requests} requests: {shares}", file=sys.stderr)
    if limit is not None and total > limit:
        print(f"error: that is more than {limit:g}", file=sys.stderr)
        return 1
    return 0


def count_instructions(command: list[str], folder: Path, seconds: int) -> Counter[str]:
    """Runs a command under callgrind and returns how many instructions were executed."""
    found = folder / "callgrind.out"
    run_to_end(["valgrind", "--tool=callgrind", f"--callgrind-out-file={found}", *command], folder, seconds)
    totals = re.search(r"^(?:totals|summary): (\d+)", found.read_text(), re.MULTILINE)
    if totals is None:
        raise BenchError(f"callgrind gave no total in {found}")
    return Counter({"instructions": int(totals[1])})


def count_system_calls(command: list[str], folder: Path, seconds: int) -> Counter[str]:
    """Runs a command under strace and returns how often each system call was made."""
    found = folder / "strace.out"
    run_to_end(["strace", "-f", "-c", "-o", str(found), *command], folder, seconds)
    # % time, seconds, microseconds per call, calls, perhaps errors, name
    lines = re.findall(r"^ *[\d.]+ +[\d.]+ +\d+ +(\d+) +(?:\d+ +)?(\w+)$", found.read_text(), re.MULTILINE)
    return Counter({name: int(calls) for calls, name in lines if name != "total"})


def run_to_end(command: list[str], folder: Path, seconds: int) -> None:
    """Runs a command that ends by itself. Raises BenchError if it does not end well or in time."""
    with Process(command, folder / "akrida.log", CPU) as process:
        code = process.wait(seconds + SLACK_S)
        if code != 0:
            raise BenchError(f"{command[0]} exits with {code}: {process.last_words()}")


COUNTERS = {"instructions": ("valgrind", count_instructions), "syscalls": ("strace", count_system_calls)}

if __name__ == "__main__":
    sys.exit(script.main(run, arguments()))
