"""nginx as the target that counts: one worker on one core, loopback only."""

from __future__ import annotations

import http.client
import os
import re
import resource
import subprocess
from contextlib import ExitStack, closing
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from types import TracebackType

from measure.generators import BENCHES
from measure.ports import await_port, free_ports
from measure.process import BenchError, Process

BIG_BYTES = 10_240
JSON_FILE = BENCHES / "realistic.json"
PORTS = ("small", "big", "json", "tls", "status")

CONFIGURATION = """\
{user}
daemon off;
worker_processes 1;
pid {root}/nginx.pid;
worker_rlimit_nofile {files};
events {{ worker_connections {connections}; }}
http {{
    access_log off;
    client_body_temp_path {root}/body;
    proxy_temp_path {root}/proxy;
    fastcgi_temp_path {root}/fastcgi;
    uwsgi_temp_path {root}/uwsgi;
    scgi_temp_path {root}/scgi;
    default_type text/plain;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 1000000000;
    keepalive_timeout 1h;
    server {{
        listen 127.0.0.1:{small} backlog=16384;
        listen 127.0.0.1:{tls} ssl backlog=16384;
        ssl_protocols TLSv1.3;
        ssl_certificate {root}/server.pem;
        ssl_certificate_key {root}/server.key;
        location = / {{ return 200 "Hello, World!"; }}
    }}
    server {{
        listen 127.0.0.1:{big} backlog=16384;
        root {root};
        location / {{ try_files /big =404; }}
    }}
    server {{
        listen 127.0.0.1:{json} backlog=16384;
        root {benches};
        default_type application/json;
        location / {{ try_files /realistic.json =404; }}
    }}
    server {{
        listen 127.0.0.1:{status};
        location = / {{ stub_status; }}
    }}
}}
"""


@dataclass(frozen=True)
class Status:
    """What nginx says of itself."""

    requests: int
    connections: int


class Nginx:
    """A running nginx. Each of its pages is `/` of a port of its own, so that no generator needs a path.

    `small` answers 13 bytes, `big` a file of 10 240 bytes, `json` benches/realistic.json, `tls` the 13 bytes over TLS
    1.3 with an ECDSA P-256 key.
    """

    def __init__(self, folder: Path, cpu: int | None, nice: int = 0) -> None:
        self.folder = folder
        self._asked = 0
        self._ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
        (folder / "big").write_bytes(b"x" * BIG_BYTES)
        make_certificate(folder)
        (folder / "nginx.conf").write_text(self._configuration())
        command = ["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")]
        with ExitStack() as undo:
            self.process = undo.enter_context(
                Process(command, folder / "nginx.log", cpu, nice, env={"PATH": f"{os.environ['PATH']}:/usr/sbin"}))
            await_port(self._ports["status"], self.process)
            self._check_pages()
            self._client = http.client.HTTPConnection("127.0.0.1", self._ports["status"], timeout=30)
            undo.pop_all()

    def __enter__(self) -> Nginx:
        return self

    def __exit__(self, kind: type[BaseException] | None, problem: BaseException | None,
                 trace: TracebackType | None) -> None:
        self._client.close()
        self.process.stop()

    def url(self, page: str) -> str:
        """The base address of a page, without a slash at the end."""
        return f"{'https' if page == 'tls' else 'http'}://127.0.0.1:{self._ports[page]}"

    def status(self) -> Status:
        """Its counts, without the request and the connection that this question takes."""
        self._client.request("GET", "/")
        text = self._client.getresponse().read().decode()
        active = re.search(r"Active connections: (\d+)", text)
        counts = re.search(r"\n +\d+ +\d+ +(\d+)", text)
        if active is None or counts is None:
            raise BenchError(f"nginx does not give its status: {text}")
        self._asked += 1
        return Status(int(counts[1]) - self._asked, int(active[1]) - 1)

    def _check_pages(self) -> None:
        """Raises BenchError unless each page is what it should be: an error page is fast to serve, too."""
        sizes = {"small": 13, "big": BIG_BYTES, "json": JSON_FILE.stat().st_size}
        for page, size in sizes.items():
            with closing(http.client.HTTPConnection("127.0.0.1", self._ports[page], timeout=10)) as client:
                client.request("GET", "/")
                answer = client.getresponse()
                found = len(answer.read())
                if answer.status != HTTPStatus.OK or found != size:
                    raise BenchError(f"nginx answers {answer.status} with {found} bytes for the page {page}")
            self._asked += 1

    def _configuration(self) -> str:
        files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        return CONFIGURATION.format(
            # The folder is its owner's alone, so the worker of root's nginx must stay root.
            user="user root;" if os.getuid() == 0 else "", root=self.folder, files=files, connections=files - 100,
            benches=BENCHES, **self._ports)


def make_certificate(folder: Path) -> None:
    """A self-signed certificate for 127.0.0.1; the generators are told to accept any."""
    command = [
        "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
        "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "server.key",
        "-out", "server.pem"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
