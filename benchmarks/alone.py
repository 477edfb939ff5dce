"""Work in a process that is forked for it: it finds the memory, and the imports, that its parent had before."""

import marshal
import os
import resource
import sys
from collections.abc import Callable
from typing import Any


def alone(work: Callable[..., Any], *arguments: object) -> Any:
    """What *work* returns for the arguments, of Python's plain types; in a process of its own.

    Raises:
        RuntimeError: it failed; its traceback is on the standard error output.
    """
    reading, writing = os.pipe()
    sys.stdout.flush()
    child = os.fork()
    if not child:
        os.close(reading)
        _answer(writing, work, *arguments)
    os.close(writing)
    with os.fdopen(reading, "rb") as answer:
        found = answer.read()
    if os.waitpid(child, 0)[1]:
        raise RuntimeError("a measured process failed")
    return marshal.loads(found)  # noqa: S302 - from the process above


def _answer(writing: int, work: Callable[..., Any], *arguments: object) -> None:
    """In the child; the rest of the parent's program is not the child's."""
    status = 1
    try:
        with os.fdopen(writing, "wb") as answer:
            answer.write(marshal.dumps(work(*arguments)))
        status = 0
    finally:
        if status:
            sys.excepthook(*sys.exc_info())
            sys.stderr.flush()
        os._exit(status)


def peak() -> float:
    """The most memory that this process has had, in MiB."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # in KiB, on macOS in bytes
    return most / (2**20 if sys.platform == "darwin" else 2**10)
