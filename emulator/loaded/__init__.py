"""Python programs whose imports are done once: each start is a fork of a process that has them loaded."""

import atexit
import json
import os
import shlex
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from emulator.loaded.client import send, status

__all__ = ["Loaded", "end_all"]

HERE = Path(__file__).parent
LONGEST_FOLDER = 80
"""The address of a socket has 104 bytes on macOS, 108 on Linux."""


class Loaded:
    """A process that has modules loaded and becomes programs; it ends with this process, and they with it.

    Args:
        modules: what every program finds imported.
        path: folders where the modules are, besides Python's own; programs do not find them there.
        flags: of Python, for every program.
    """

    def __init__(self, *modules: str, path: Sequence[Path] = (), flags: Sequence[str] = ("-I",)) -> None:
        short = len(tempfile.gettempdir()) <= LONGEST_FOLDER
        self._folder = tempfile.TemporaryDirectory(prefix="loaded-", dir=None if short else "/tmp")  # noqa: S108
        self._address = str(Path(self._folder.name) / "s")
        wanted = json.dumps({"path": [str(each) for each in path], "modules": modules})
        self._process = subprocess.Popen(
            [sys.executable, *flags, str(HERE / "server.py"), self._address, wanted],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            # Forks that look up a proxy would end on macOS, which otherwise lets only programs of their own do it:
            # https://github.com/python/cpython/issues/75999.
            env={**os.environ, "OBJC_DISABLE_INITIALIZE_FORK_SAFETY": "YES"},
        )
        _running.append(self)
        assert self._process.stdout
        if self._process.stdout.readline() != "ready\n":
            raise RuntimeError(f"{', '.join(modules)} could not be loaded")

    def end(self) -> None:
        """Ends it and its programs. Doing it twice does no harm."""
        self._process.communicate()
        self._folder.cleanup()

    def words(self) -> str:
        """``python``, as words of a shell command: what follows is the file of a program, and its arguments."""
        return shlex.join([sys.executable, "-I", "-S", str(HERE / "client.py"), self._address])

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
            server.connect(self._address)
            files = {0: nothing.fileno(), 1: output.fileno(), 2: errors.fileno()}
            send(server, name, words, environment, files, folder=str(folder), module=True)
            ended = status(server)
            said = []
            for file in (output, errors):
                file.seek(0)
                said.append(file.read().decode())
        return subprocess.CompletedProcess([name, *words], ended, *said)


_running: list[Loaded] = []


@atexit.register
def end_all() -> None:
    """Ends all of them: for whoever ends without the end of Python."""
    while _running:
        _running.pop().end()
