"""An instance metadata service on loopback, version 2 only, whose items a test changes while the worker runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

ROLE = "iam/security-credentials/"
CREDENTIALS = {
    "Code": "Success",
    "Type": "AWS-HMAC",
    "AccessKeyId": "testing",
    "SecretAccessKey": "testing",
    "Token": "testing",
    "LastUpdated": "2026-01-01T00:00:00Z",
    "Expiration": "2099-01-01T00:00:00Z",
}


class InstanceMetadataServer(ThreadingHTTPServer):
    """Answers the items below latest/meta-data/ to who shows the current token; `asked` lists every request."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.items = {"instance-id": "i-1", ROLE: "worker-role", ROLE + "worker-role": json.dumps(CREDENTIALS)}
        self.tokens = 0
        self.failing = False
        self.asked: list[str] = []

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: InstanceMetadataServer

    def do_PUT(self) -> None:
        self.server.asked.append("PUT " + self.path)
        if self.server.failing or "X-aws-ec2-metadata-token-ttl-seconds" not in self.headers:
            return self._answer(500 if self.server.failing else 400)
        self.server.tokens += 1
        return self._answer(200, f"token-{self.server.tokens}")

    def do_GET(self) -> None:
        self.server.asked.append("GET " + self.path)
        item = self.server.items.get(self.path.removeprefix("/latest/meta-data/"))
        if self.headers.get("X-aws-ec2-metadata-token") != f"token-{self.server.tokens}":
            return self._answer(401)
        return self._answer(404) if item is None else self._answer(200, item)

    def _answer(self, status: int, text: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


@contextmanager
def instance_metadata() -> Iterator[InstanceMetadataServer]:
    with InstanceMetadataServer() as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield server
        server.shutdown()
