"""Has modules loaded, and becomes a program at each request: in a fork, with what the caller has.

``python server.py SOCKET {"path": [...], "modules": [...]}`` says "ready", and ends with its standard input. To import
takes most of the time of a short program. What a program does itself is done anew in each fork: none knows of another.
Standard library only: a program finds loaded what was asked for, and what that imports.

A program has the words, open files, folder, environment and umask of its caller, ends with it, and ends as Python does:
with its threads, and with the exit handlers of its own and of what is loaded. It has Python's options and path, PYTHON*
variables, resource limits, priority, process group and terminal of the server, not of its caller.
"""

import atexit
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
import time
import traceback
from pathlib import Path
from typing import Any, NoReturn

MOST_FILES = 64
OUT_OF_THE_WAY = 256  # of the numbers that files have in the caller
UNWRITTEN = 120  # Python's status of a program whose output could not be written

Json = dict[str, Any]

callers: dict[int, socket.socket] = {}
"""Who has asked for it, by the fork."""


def main() -> None:
    """Serves until its input ends."""
    address, wanted = sys.argv[1], json.loads(sys.argv[2])
    sys.path[:0] = wanted["path"]
    before = dict(os.environ)
    for name in wanted["modules"]:
        importlib.import_module(name)
    del sys.path[: len(wanted["path"])]
    # The AWS CLI names its own models there when it is imported.
    given = {name: (before.get(name), value) for name, value in os.environ.items() if before.get(name) != value}
    gc.collect()
    gc.freeze()  # what is loaded is not looked through again, and its pages stay shared
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for whoever has started this
    woken, wakes = os.pipe()
    os.set_blocking(wakes, False)
    signal.set_wakeup_fd(wakes, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen(socket.SOMAXCONN)
        print("ready", flush=True)
        while sys.stdin not in (ready := select.select([listener, sys.stdin, woken], [], [])[0]):
            if woken in ready:
                os.read(woken, 1024)
                _reap()
            if listener in ready:
                caller, _ = listener.accept()
                if (fork := os.fork()) == 0:
                    signal.set_wakeup_fd(-1)
                    for number in (woken, wakes):
                        os.close(number)
                    for other in (listener, *callers.values()):
                        other.close()
                    _serve(caller, given)
                callers[fork] = caller
    for fork in callers:
        os.kill(fork, signal.SIGKILL)
        os.waitpid(fork, 0)


def _reap() -> None:
    """Takes in what has ended, and tells its caller the status: negative if it was a signal."""
    with contextlib.suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            with callers.pop(ended[0]) as caller, contextlib.suppress(OSError):  # whoever asked may have ended too
                caller.sendall(b"%d" % os.waitstatus_to_exitcode(ended[1]))


def _serve(caller: socket.socket, given: dict[str, tuple[str | None, str]]) -> NoReturn:
    """Becomes the program, and ends with its status.

    Args:
        given: variables that modules have set when they were imported: what they were before, and what they are.
    """
    status = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        request, files = _received(caller)
        caller = _away(caller)
        _take_over(request, files, given)
        threading.Thread(target=_end_with, args=(caller,), daemon=True).start()
        status = _ended(_run(request))
    except EOFError:
        pass  # there is nobody to tell
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status & 0xFF)


def _end_with(caller: socket.socket) -> None:
    """A caller that is killed takes the program with it."""
    caller.recv(1)
    os.kill(os.getpid(), signal.SIGKILL)


def _received(caller: socket.socket) -> tuple[Json, list[int]]:
    """The request: its length in four bytes, with the files, then itself as JSON.

    Raises:
        EOFError: the caller has ended while it asked.
    """
    head, files, _, _ = socket.recv_fds(caller, 4, MOST_FILES)
    length, content = int.from_bytes(head, "big"), b""
    while len(content) < length:
        if not (more := caller.recv(length - len(content))):
            raise EOFError
        content += more
    if not content:
        raise EOFError
    request: Json = json.loads(content)
    return request, files


def _away(caller: socket.socket) -> socket.socket:
    """The same connection under a number that no file of the caller is to get."""
    number = fcntl.fcntl(caller.fileno(), fcntl.F_DUPFD_CLOEXEC, OUT_OF_THE_WAY)
    caller.close()
    return socket.socket(fileno=number)


def _take_over(request: Json, files: list[int], given: dict[str, tuple[str | None, str]]) -> None:
    """Gives the caller's files their numbers, and takes its folder, umask and environment."""
    kept = [fcntl.fcntl(file, fcntl.F_DUPFD_CLOEXEC, OUT_OF_THE_WAY) for file in files]
    for file in files:
        os.close(file)
    for file, number in zip(kept, request["files"], strict=True):
        os.dup2(file, number)
        os.close(file)
    os.chdir(request["folder"])
    if request["umask"] is not None:
        os.umask(request["umask"])
    environment = request["environment"]
    # A caller with a value of its own keeps it; one without gets what the import sets.
    environment |= {name: value for name, (before, value) in given.items() if environment.get(name) in (before, None)}
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()


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
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def _ended(status: int) -> int:
    """Does what Python does at the end of a program: waits for its threads, runs exit handlers, writes what is left.

    What loaded modules have registered runs too, as if the program had imported them; the server registers nothing.
    """
    threading._shutdown()  # type: ignore[attr-defined]  # as multiprocessing ends its forks
    atexit._run_exitfuncs()
    try:
        for stream in (sys.stdout, sys.__stdout__, sys.stderr, sys.__stderr__):
            if stream is not None and not stream.closed:
                stream.flush()
    except OSError:
        return status or UNWRITTEN
    return status


if __name__ == "__main__":
    main()
