"""Python programs whose imports are done once: each start is a fork of a process that has them loaded."""

import atexit
import json
import os
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Lock

from emulator.loaded.client import send, status

__all__ = ["Loaded", "end_all"]

HERE = Path(__file__).parent
LONGEST_FOLDER = 80
"""The address of a socket has 104 bytes on macOS, 108 on Linux."""


class Loaded:
    """A process that has modules loaded and becomes programs; it ends with this process, and they with it.

    It starts when it is first needed, and again if it has died.

    Args:
        modules: what every program finds imported.
        path: folders where the modules are, besides Python's own; programs do not find them there.
        flags: of Python, for every program.
        environment: variables of the process besides those of this one, such as PYTHONPATH for every program.
    """

    def __init__(
        self,
        *modules: str,
        path: Sequence[Path] = (),
        flags: Sequence[str] = ("-I",),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._modules, self._path, self._flags, self._environment = modules, path, flags, dict(environment or {})
        self._process: subprocess.Popen[str] | None = None
        self._folder: Path | None = None
        self._owner = 0
        self._lock = Lock()

    def end(self) -> None:
        """Ends it and its programs. Doing it twice does no harm, nor does a fork of the process that has started it."""
        if self._owner != os.getpid():
            return
        with self._lock:
            if self._process:
                _close(self._process)
            if self._folder:
                shutil.rmtree(self._folder, ignore_errors=True)
            self._process = self._folder = None
            _running.discard(self)

    def words(self) -> str:
        """``python``, as words of a shell command: what follows is the file of a program, and its arguments."""
        return shlex.join([sys.executable, "-I", "-S", str(HERE / "client.py"), self._started()])

    def run_module(
        self, name: str, words: Sequence[str], environment: Mapping[str, str], folder: Path
    ) -> "subprocess.CompletedProcess[str]":
        """Runs ``python -m NAME WORDS`` in a folder, without input, and keeps what it prints."""
        with (
            socket.socket(socket.AF_UNIX) as server,
            tempfile.TemporaryFile() as nothing,
            tempfile.TemporaryFile() as output,
            tempfile.TemporaryFile() as errors,
        ):
            server.connect(self._started())
            files = {0: nothing.fileno(), 1: output.fileno(), 2: errors.fileno()}
            send(server, name, words, environment, files, folder=str(folder), module=True)
            ended = status(server)
            said = []
            for file in (output, errors):
                file.seek(0)
                said.append(file.read().decode())
        return subprocess.CompletedProcess([name, *words], ended, *said)

    def _started(self) -> str:
        """The address where it listens."""
        with self._lock:
            # Only the process that has started it can see whether it lives.
            if self._process and self._owner == os.getpid() and self._process.poll() is not None:
                _close(self._process)
                self._process = None
            if self._folder is None:
                short = len(tempfile.gettempdir()) <= LONGEST_FOLDER
                self._folder = Path(tempfile.mkdtemp(prefix="loaded-", dir=None if short else "/tmp"))  # noqa: S108
            address = self._folder / "s"
            if self._process is None:
                address.unlink(missing_ok=True)
                self._process = self._start(address)
            return str(address)

    def _start(self, address: Path) -> "subprocess.Popen[str]":
        wanted = json.dumps({"path": [str(each) for each in self._path], "modules": self._modules})
        process = subprocess.Popen(
            [sys.executable, *self._flags, str(HERE / "server.py"), str(address), wanted],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            # Forks that look up a proxy would end on macOS, which otherwise lets only programs of their own do it:
            # https://github.com/python/cpython/issues/75999.
            env={**os.environ, "OBJC_DISABLE_INITIALIZE_FORK_SAFETY": "YES", **self._environment},
        )
        self._owner = os.getpid()
        _running.add(self)
        if process.stdout and process.stdout.readline() != "ready\n":
            _close(process)
            raise RuntimeError(f"{', '.join(self._modules)} could not be loaded")
        return process


_running: set[Loaded] = set()


def _close(process: "subprocess.Popen[str]") -> None:
    """Ends a server, whose input is what it lives on."""
    if process.stdin and process.stdout:
        process.stdin.close()
        process.wait()
        process.stdout.close()


@atexit.register
def end_all() -> None:
    """Ends all of them: for whoever ends without the end of Python."""
    for each in tuple(_running):
        each.end()
