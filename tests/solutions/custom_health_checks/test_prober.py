"""The Prober: what an endpoint answers, whatever it is like."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from custom_health_checks.prober.handler import lambda_handler
from custom_health_checks.prober.probe import QuestionError, status_of


@pytest.fixture
def port() -> Iterator[int]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response({"/health?deep=1": 200, "/starting": 503, "/moved": 302}.get(self.path, 404))
            self.send_header("Location", "/health?deep=1")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("path", "status"), [("/health?deep=1", 200), ("/starting", 503), ("/moved", 302), ("/x", 404)]
)
def test_the_status_is_told_and_no_redirect_followed(port: int, path: str, status: int) -> None:
    assert lambda_handler({"host": "127.0.0.1", "port": port, "path": path}, None) == {"status": status}


def test_nobody_listens() -> None:
    assert status_of("127.0.0.1", 9, "/health") is None


def test_something_else_than_http_listens() -> None:
    class Connection:
        def __init__(self, *_: Any, **__: Any) -> None:
            self.closed = False

        def request(self, *_: Any, **__: Any) -> None:
            raise TimeoutError

        def close(self) -> None:
            self.closed = True

    assert status_of("127.0.0.1", 22, "/", connect=Connection) is None


@pytest.mark.parametrize("event", [None, {}, {"host": "10.0.0.1", "port": "80", "path": "/"}, {"host": "", "port": 1}])
def test_a_question_without_an_endpoint_is_refused(event: Any) -> None:
    with pytest.raises(QuestionError):
        lambda_handler(event, None)
