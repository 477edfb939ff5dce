"""REPLACE THIS BY YOUR APPLICATION: a web server that answers, and that stops gracefully.

What it shows is how to stop: on SIGTERM it takes no new connection and answers what it has begun. systemd ends it
after STOP_SECONDS in any case. It listens on PORT; GET /?seconds=2 takes two seconds.
"""

import os
import signal
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit

LONGEST_SECONDS = 30.0


class Application(ThreadingHTTPServer):
    """Answers each request in a thread of its own, and waits for all of them when it closes."""

    daemon_threads = False
    block_on_close = True


class Handler(BaseHTTPRequestHandler):
    """Answers GET with a line of text."""

    timeout = 10  # a client that says nothing must not keep the server from stopping

    def do_GET(self) -> None:
        """Answers, after so many seconds if the request says so."""
        try:
            seconds = float(parse_qs(urlsplit(self.path).query).get("seconds", ["0"])[0])
        except ValueError:
            seconds = 0.0
        time.sleep(seconds if 0 <= seconds <= LONGEST_SECONDS else 0.0)
        body = b"served\n"
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing: health checks come every few seconds."""


def main() -> None:
    """Serves until SIGTERM, and then to the end of what was begun."""
    server = Application(("", int(os.environ["PORT"])), Handler)
    # shutdown() waits for the serving loop, which runs in the thread that the signal interrupts.
    signal.signal(signal.SIGTERM, lambda *_: Thread(target=server.shutdown).start())
    sys.stdout.write(f"listening on {server.server_address[1]}\n")
    sys.stdout.flush()
    server.serve_forever(poll_interval=0.2)
    server.server_close()


if __name__ == "__main__":
    main()
