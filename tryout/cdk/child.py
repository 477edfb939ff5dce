"""A program that is started once and answers requests, a line of JSON each; it ends when its input ends."""

import contextlib
import json
import os
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from tryout.paths import REPOSITORY

END_SECONDS = 60.0
LAST_LINES = 6

Json = dict[str, Any]


class ChildError(Exception):
    """The program has ended before it answered; the message has the end of what it said and names the log."""


class Child:
    """Starts the program at the first request. One request at a time.

    The program leads a process group of its own: Ctrl-C in the terminal does not reach it, and what it has started ends
    with it.

    Args:
        log: what the program says besides its answers.
    """

    def __init__(self, command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None) -> None:
        self._command, self._log = list(command), log
        self._environment = None if environment is None else dict(environment)
        self._process: subprocess.Popen[str] | None = None
        self._one_at_a_time = threading.Lock()
        self._stopped = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.end()
        self.stop()

    def ask(self, request: Json) -> Json:
        """The program's answer."""
        with self._one_at_a_time:
            self.tell(request)
            return next(self.answers())

    def tell(self, request: Json) -> None:
        """Sends a request, or what the program has asked for.

        Raises:
            ChildError: it has ended.
        """
        process = self._started()
        assert process.stdin
        try:
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.flush()
        except OSError:
            raise ChildError(self._last_words()) from None

    def answers(self) -> Iterator[Json]:
        """What the program answers, line by line.

        Raises:
            ChildError: it has ended.
        """
        process = self._started()
        assert process.stdout
        while line := process.stdout.readline():
            yield json.loads(line)
        process.wait()  # its last words are in the log then
        raise ChildError(self._last_words())

    def end(self) -> None:
        """Lets it end, as it does when its input has ended."""
        if (process := self._process) is None:
            return
        assert process.stdin
        with contextlib.suppress(OSError):
            process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(END_SECONDS)

    def stop(self) -> None:
        """Ends it, whatever it does at the moment. Doing it twice does no harm."""
        self._stopped = True
        process, self._process = self._process, None
        if process is None:
            return
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        with contextlib.suppress(OSError):
            process.stdin.close()  # type: ignore[union-attr]

    def _started(self) -> "subprocess.Popen[str]":
        if self._stopped:
            raise ChildError("stopped")
        if self._process is None:
            with self._log.open("wb") as log:
                self._process = subprocess.Popen(
                    self._command,
                    cwd=REPOSITORY,
                    env=self._environment,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    text=True,
                    start_new_session=True,
                )
        return self._process

    def _last_words(self) -> str:
        return f"{Path(self._command[0]).name} has ended: {last_lines(self._log)}"


def last_lines(log: Path) -> str:
    """The end of a log, for a sentence."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    said = " | ".join([line.strip() for line in lines if line.strip()][-LAST_LINES:])
    return f"{said} (all of it: {log})"
