"""Has modules loaded, and becomes a program at each request: in a fork, with the environment and files of the caller.

``python server.py SOCKET {"path": [...], "modules": [...]}`` says "ready", and ends with its standard input. To import
takes most of the time of a short program. What a program does itself is done anew in each fork: none knows of another.
Standard library only: a program finds loaded what was asked for, and what that imports.
"""

import contextlib
import fcntl
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import sys
import threading
import traceback
from pathlib import Path
from typing import Any, NoReturn

MOST_FILES = 64
OUT_OF_THE_WAY = 256  # of the numbers that files have in the caller

Json = dict[str, Any]

forks: set[int] = set()


def main() -> None:
    """Serves until its input ends."""
    address, wanted = sys.argv[1], json.loads(sys.argv[2])
    sys.path[:0] = wanted["path"]
    before = dict(os.environ)
    for name in wanted["modules"]:
        importlib.import_module(name)
    del sys.path[: len(wanted["path"])]
    # The AWS CLI names its own models there when it is imported.
    given = {name: value for name, value in os.environ.items() if before.get(name) != value}
    gc.collect()
    gc.freeze()  # what is loaded is not looked through again, and its pages stay shared
    signal.signal(signal.SIGCHLD, _reap)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for whoever has started this
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen(32)
        print("ready", flush=True)
        while sys.stdin not in select.select([listener, sys.stdin], [], [])[0]:
            caller, _ = listener.accept()
            if (fork := os.fork()) == 0:
                listener.close()
                _serve(caller, given)
            forks.add(fork)
            caller.close()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for fork in forks:
        with contextlib.suppress(ChildProcessError):
            if not os.waitpid(fork, os.WNOHANG)[0]:
                os.kill(fork, signal.SIGKILL)
                os.waitpid(fork, 0)


def _reap(*_: object) -> None:
    """Takes in what has ended, with its processor time; its status it has told its caller."""
    with contextlib.suppress(ChildProcessError):
        while ended := os.waitpid(-1, os.WNOHANG)[0]:
            forks.discard(ended)


def _serve(caller: socket.socket, given: dict[str, str]) -> NoReturn:
    """Becomes the program, and answers with its exit status.

    Args:
        given: variables that modules have set when they were imported.
    """
    status = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        request, files = _received(caller)
        caller = _away(caller)
        _take_over(request, files)
        os.environ.update(given)
        threading.Thread(target=_end_with, args=(caller,), daemon=True).start()
        status = _run(request)
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:
        traceback.print_exc()
    finally:
        caller.sendall(b"%d" % status)
        os._exit(status)


def _end_with(caller: socket.socket) -> None:
    """A caller that is killed takes the program with it."""
    caller.recv(1)
    os.kill(os.getpid(), signal.SIGKILL)


def _received(caller: socket.socket) -> tuple[Json, list[int]]:
    """The request: its length in four bytes, with the files, then itself as JSON."""
    head, files, _, _ = socket.recv_fds(caller, 4, MOST_FILES)
    length, content = int.from_bytes(head, "big"), b""
    while len(content) < length:
        content += caller.recv(length - len(content))
    request: Json = json.loads(content)
    return request, files


def _away(caller: socket.socket) -> socket.socket:
    number = fcntl.fcntl(caller.fileno(), fcntl.F_DUPFD_CLOEXEC, OUT_OF_THE_WAY)
    caller.close()
    return socket.socket(fileno=number)


def _take_over(request: Json, files: list[int]) -> None:
    """Gives the caller's files their numbers, and takes its folder and environment."""
    kept = [fcntl.fcntl(file, fcntl.F_DUPFD_CLOEXEC, OUT_OF_THE_WAY) for file in files]
    for file in files:
        os.close(file)
    for file, number in zip(kept, request["files"], strict=True):
        os.dup2(file, number)
        os.close(file)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])


def _run(request: Json) -> int:
    """Runs a script as ``python FILE`` does, or a module as ``python -m NAME``; its exit status."""
    program, module = request["program"], request["module"]
    sys.argv = [program, *request["arguments"]]
    sys.path.insert(0, request["folder"] if module else str(Path(program).resolve().parent))
    try:
        if module:
            runpy.run_module(program, run_name="__main__", alter_sys=True)
        else:
            runpy.run_path(program, run_name="__main__")
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        print(end.code, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    main()
