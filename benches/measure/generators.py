"""The load generators: how each is told to send one GET after another over so many connections."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

BENCHES = Path(__file__).resolve().parent.parent
TOOLS = BENCHES.parent / "target/bench-tools"

AKRIDA = "akrida"
AKRIDA_ALT = "akrida-alt"
REALISTIC = "akrida-realistic"
WRK = "wrk"
PEERS = (WRK, "h2load", "oha", "goose", "k6", "locust")


@dataclass(frozen=True)
class Load:
    """What a generator is asked for: one GET after another, for so long, over so many connections.

    Akrida opens `connections_per_s` of them a second; None is all of them in one.
    """

    url: str
    connections: int
    seconds: int
    connections_per_s: int | None = None


@dataclass(frozen=True)
class Invocation:
    """A command line and the variables that it needs."""

    command: list[str]
    env: dict[str, str] = field(default_factory=dict)


def akrida(program: Path, scenario: Path, load: Load) -> Invocation:
    """Akrida with one event loop."""
    rate = load.connections_per_s or load.connections
    return Invocation([
        str(program), "-f", str(scenario), "-H", load.url, "-u", str(load.connections), "-r", str(rate),
        "-t", f"{load.seconds}s", "--headless", "--only-summary", "--processes", "1", "--insecure"])


def peer(name: str, load: Load) -> Invocation:
    """Another generator, told to keep connections alive, to use one thread and to accept any certificate."""
    url, count, seconds = f"{load.url}/", str(load.connections), f"{load.seconds}s"
    match name:
        case "wrk":
            return Invocation(["wrk", "-t1", f"-c{count}", f"-d{seconds}", url])
        case "h2load":
            return Invocation(["h2load", "--h1", "-t1", f"-c{count}", "-D", str(load.seconds), url])
        case "oha":
            return Invocation([tool("oha"), "--no-tui", "--insecure", "-z", seconds, "-c", count, url])
        case "goose":
            return Invocation([
                tool("goose-one-get"), "--host", load.url, "-u", count, "-r", count, "-t", seconds,
                "--accept-invalid-certs"])
        case "k6":
            run = [tool("k6"), "run", "--no-usage-report", "--quiet", "-u", count, "-d", seconds]
            return Invocation([*run, str(BENCHES / "peers/k6.js")], {"BENCH_URL": url})
        case "locust":
            run = [str(TOOLS / "locust/bin/locust"), "-f", str(BENCHES / "peers/locustfile.py"), "--headless"]
            return Invocation(
                [*run, "--only-summary", "-u", count, "-r", count, "-t", seconds, "--host", load.url],
                {"PYTHONDONTWRITEBYTECODE": "1"})
        case _:
            raise ValueError(name)


def tool(program: str) -> str:
    """The path of a generator that benches/install-peers.sh compiled or fetched."""
    return str(TOOLS / "bin" / program)
