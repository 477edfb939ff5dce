"""The CDK CLI, as a user would call it, against the embedded AWS."""

import os
import shutil
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
LAST_LINES = 6


class CdkError(Exception):
    """A call of the CDK CLI failed; the message has the end of what it printed and names the log."""


class Cdk:
    """Runs the CLI of this checkout in the repository's folder and keeps what it prints in log files.

    Args:
        environment: of the embedded AWS.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = dict(environment)
        self._running: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()
        executable = shutil.which("cdk", path=f"{REPOSITORY / 'node_modules/.bin'}{os.pathsep}{os.environ['PATH']}")
        if executable is None:
            raise CdkError("the CDK CLI is not installed: run 'make install'")
        self._executable = executable

    def __call__(self, log: Path, *arguments: str) -> int:
        """Runs ``cdk <arguments>``; its output goes to the log.

        Returns:
            The CLI's exit status.
        """
        command = [self._executable, *arguments, "--no-color", "--no-notices", "--no-version-reporting"]
        with log.open("wb") as output:
            process = subprocess.Popen(
                command, cwd=REPOSITORY, env=self._environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )
            with self._lock:
                self._running.add(process)
            try:
                return process.wait()
            finally:
                with self._lock:
                    self._running.discard(process)

    def require(self, log: Path, *arguments: str) -> None:
        """Runs ``cdk <arguments>`` and insists on success.

        Raises:
            CdkError: the CLI's exit status is not 0.
        """
        if self(log, *arguments) != 0:
            lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
            said = " | ".join([line.strip() for line in lines if line.strip()][-LAST_LINES:])
            raise CdkError(f"cdk {arguments[0]} failed: {said} (all of it: {log})")

    def stop(self) -> None:
        """Ends the calls that are under way."""
        with self._lock:
            running: Sequence[subprocess.Popen[bytes]] = list(self._running)
        for process in running:
            process.terminate()
