"""User-space instructions, or system calls, of Akrida for each request. See docs/performance.md.

Started by instructions.sh and syscalls.sh. Takes the difference of a long and a short run, so that start and end
cancel. Prints one number; exits with 1 if it is above the limit.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from collections import Counter
from pathlib import Path

from measure import generators, script, setup
from measure.generators import Load
from measure.nginx import Nginx
from measure.process import BenchError, Process

USERS = 16
# Under callgrind a second of processor time lasts about a minute, the start of the program included.
SLACK_S = 120.0


def arguments() -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(description=__doc__.partition(". See")[0])
    parser.add_argument("what", choices=COUNTERS)
    parser.add_argument("limit", type=float, nargs="?", help="exit with 1 if the number is greater")
    script.with_akrida(parser)
    parser.add_argument("--scenario", default="one-get.yml", choices=["one-get.yml", "realistic.yml"])
    parser.add_argument("--page", default=None, choices=["small", "big", "json", "tls"], help="the page of nginx")
    parser.add_argument("--short", type=int, default=4, metavar="S", help="seconds of the short run (default 4)")
    parser.add_argument("--long", type=int, default=16, metavar="S", help="seconds of the long run (default 16)")
    options = parser.parse_args()
    if not 1 <= options.short < options.long <= 600:
        parser.error("the short run takes at least a second and less than the long one, which takes at most 600")
    options.page = options.page or ("json" if options.scenario == "realistic.yml" else "small")
    return options


def run(options: argparse.Namespace) -> int:
    """Runs twice, prints the difference per request and compares it with the limit."""
    program, counted = COUNTERS[options.what]
    setup.install(["nginx", program])
    akrida = script.akrida_of(options)
    with tempfile.TemporaryDirectory(prefix="akrida-bench-") as folder, Nginx(Path(folder), None) as nginx:
        requests, counts = 0, Counter[str]()
        for sign, seconds in ((-1, options.short), (1, options.long)):
            load = Load(nginx.url(options.page), USERS, seconds)
            command = generators.akrida(akrida, options.scenario, load).command
            sent, found = counted(command, nginx, seconds)
            requests += sign * sent
            for name, count in found.items():
                counts[name] += sign * count
    if requests <= 0:
        raise BenchError(f"the long run sent {requests} requests more than the short one")
    return judge(counts, requests, options.limit)


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


def count_instructions(command: list[str], nginx: Nginx, seconds: int) -> tuple[int, Counter[str]]:
    """Runs a command under callgrind. Returns how many requests nginx saw and how many instructions were executed."""
    found = nginx.folder / "callgrind.out"
    sent = watched(["valgrind", "--tool=callgrind", f"--callgrind-out-file={found}", *command], nginx, seconds)
    totals = re.search(r"^(?:totals|summary): (\d+)", found.read_text(), re.MULTILINE)
    if totals is None:
        raise BenchError(f"callgrind gave no total in {found}")
    return sent, Counter({"instructions": int(totals[1])})


def count_system_calls(command: list[str], nginx: Nginx, seconds: int) -> tuple[int, Counter[str]]:
    """Runs a command under strace. Returns how many requests nginx saw and how often each system call was made."""
    found = nginx.folder / "strace.out"
    sent = watched(["strace", "-f", "-c", "-o", str(found), *command], nginx, seconds)
    # % time, seconds, microseconds per call, calls, perhaps errors, name
    lines = re.findall(r"^ *[\d.]+ +[\d.]+ +\d+ +(\d+) +(?:\d+ +)?(\w+)$", found.read_text(), re.MULTILINE)
    return sent, Counter({name: int(calls) for calls, name in lines if name != "total"})


def watched(command: list[str], nginx: Nginx, seconds: int) -> int:
    """Runs a command to its end and returns how many requests nginx saw meanwhile."""
    before = nginx.status().requests
    with Process(command, nginx.folder / "akrida.log") as process:
        code = process.wait(seconds + SLACK_S)
        if code != 0:
            raise BenchError(f"{command[0]} exits with {code}: {process.last_words()}")
    return nginx.status().requests - before


COUNTERS = {"instructions": ("valgrind", count_instructions), "syscalls": ("strace", count_system_calls)}

if __name__ == "__main__":
    sys.exit(script.main(run, arguments()))
