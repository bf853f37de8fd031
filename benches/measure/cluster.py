"""Three masters and their workers as processes on loopback."""

from __future__ import annotations

import http.client
import json
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType

from measure.ports import free_ports
from measure.process import BenchError, Process

MASTERS = 3
WAIT_S = 60.0
LOOK_S = 0.002

MASTERS_FILE = """\
master_cluster:
  enabled: true
  nodes:
{nodes}
master:
  bind: {{ host: 127.0.0.1 }}
  web: {{ host: 127.0.0.1 }}
  data_dir: {folder}/data
  cluster: {{ secret: only-for-this-measurement }}
"""

WORKER_FILE = """\
worker:
  master: {{ hosts: [{hosts}] }}
  identity: {{ node_id: {name} }}
  cluster: {{ secret: only-for-this-measurement }}
"""


class Cluster:
    """A cluster with the settings that are shipped. Leaving the `with` block ends all of it."""

    def __init__(self, akrida: Path, folder: Path, cpu: int | None, nice: int = 0) -> None:
        self._akrida, self.folder, self._cpu, self._nice = akrida, folder, cpu, nice
        ports = free_ports(2 * MASTERS)
        self._links, self._web = ports[:MASTERS], ports[MASTERS:]
        nodes = [
            f"    - {{ name: master-{n + 1}, host: 127.0.0.1, port: {self._links[n]}, web_port: {self._web[n]}, "
            f"priority: {100 - 10 * n} }}" for n in range(MASTERS)]
        (folder / "masters.yml").write_text(MASTERS_FILE.format(nodes="\n".join(nodes), folder=folder))
        self._undo = ExitStack()
        self._masters: dict[int, Process] = {}
        self.workers: list[Process] = []
        with ExitStack() as undo:
            undo.push(lambda *_: self.__exit__(None, None, None))
            for master in range(MASTERS):
                self.start_master(master)
            self.leader()
            undo.pop_all()

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, kind: type[BaseException] | None, problem: BaseException | None,
                 trace: TracebackType | None) -> None:
        for process in [*self.workers, *self._masters.values()]:
            process.stop()

    def addresses(self) -> str:
        """All masters as the command line takes them."""
        return ",".join(f"127.0.0.1:{port}" for port in self._web)

    def start_master(self, master: int) -> None:
        """Starts a master that does not run."""
        command = [str(self._akrida), "--config", str(self.folder / "masters.yml"), "--node", f"master-{master + 1}"]
        log = self.folder / f"master-{master + 1}.log"
        self._masters[master] = Process(command, log, self._cpu, self._nice)

    def kill_master(self, master: int) -> None:
        """Kills a master at once."""
        self._masters[master].kill()

    def start_worker(self, name: str, cpu: int | None) -> Process:
        """Starts a worker and waits until it is registered."""
        hosts = ", ".join(f'"127.0.0.1:{port}"' for port in self._links)
        (self.folder / f"{name}.yml").write_text(WORKER_FILE.format(hosts=hosts, name=name))
        command = [str(self._akrida), "--config", str(self.folder / f"{name}.yml"), "--processes", "1"]
        worker = Process(command, self.folder / f"{name}.log", cpu, self._nice)
        self.workers.append(worker)
        self._await(lambda: self.present_workers() >= len(self.workers), f"worker {name}")
        return worker

    def leader(self, other_than: int | None = None) -> int:
        """Waits until a master says that it leads."""
        found: list[int] = []

        def look() -> bool:
            found.extend(m for m in range(MASTERS) if m != other_than and self._status_of(m, "/leader") == 200)
            return bool(found)

        self._await(look, "a leader")
        return found[0]

    def await_caught_up(self) -> None:
        """Waits until every master has applied what the leader has committed."""
        self._await(self._is_caught_up, "all masters to catch up")

    def present_workers(self) -> int:
        """Workers that are registered and alive."""
        status = self._cluster_status() or {}
        return sum(1 for worker in status.get("workers", []) if worker.get("state") != "missing")

    def _is_caught_up(self) -> bool:
        digests = [self._json_of(master, "/api/v1/cluster/digest") for master in range(MASTERS)]
        return all(digests) and len({digest["applied"] for digest in digests if digest}) == 1

    def _cluster_status(self) -> dict | None:
        return next(filter(None, (self._json_of(m, "/api/v1/cluster") for m in range(MASTERS))), None)

    def _status_of(self, master: int, path: str) -> int:
        with suppress(OSError, http.client.HTTPException):
            return self._get(master, path)[0]
        return 0

    def _json_of(self, master: int, path: str) -> dict | None:
        with suppress(OSError, http.client.HTTPException, ValueError):
            status, body = self._get(master, path)
            return json.loads(body) if status == 200 else None
        return None

    def _get(self, master: int, path: str) -> tuple[int, bytes]:
        client = http.client.HTTPConnection("127.0.0.1", self._web[master], timeout=1)
        try:
            client.request("GET", path)
            answer = client.getresponse()
            return answer.status, answer.read()
        finally:
            client.close()

    def _await(self, look, what: str) -> None:
        deadline = time.monotonic() + WAIT_S
        while not look():
            if time.monotonic() > deadline:
                logs = "\n".join(f"{p.log}:\n{p.last_words()}" for p in self._masters.values())
                raise BenchError(f"waited in vain for {what}\n{logs}")
            time.sleep(LOOK_S)
