"""``python -I -S client.py SOCKET FILE ARGUMENTS``: is ``python FILE ARGUMENTS``, in a fork of the server there.

The fork gets every open file, the environment, the folder and the umask of this process. When the program has ended,
this process ends with the program's status. Standard library only, and little of it: it is there to start quickly.
"""

import json
import os
import socket
import sys
from collections.abc import Mapping, Sequence


def main() -> int:
    """Hands the program over and waits for its end."""
    address, program, *arguments = sys.argv[1:]
    # Not pathlib: to import it takes as long as everything else here.
    files = [number for number in map(int, os.listdir("/dev/fd")) if _is_open(number)]  # noqa: PTH208
    with socket.socket(socket.AF_UNIX) as server:
        server.connect(address)
        os.umask(umask := os.umask(0o077))  # it can only be read by setting it
        kept = {number: number for number in files}
        send(server, program, arguments, os.environ, kept, folder=os.getcwd(), umask=umask)  # noqa: PTH109
        ended = status(server)
    return ended if ended >= 0 else 128 - ended  # as a shell says which signal it was


def send(
    server: socket.socket,
    program: str,
    arguments: Sequence[str],
    environment: Mapping[str, str],
    files: Mapping[int, int],
    *,
    folder: str,
    module: bool = False,
    umask: int | None = None,
) -> None:
    """Asks for a program.

    Args:
        files: the numbers that open files of this process have in the program.
        umask: None is the server's.
    """
    request = {
        "program": program,
        "module": module,
        "arguments": list(arguments),
        "environment": dict(environment),
        "folder": folder,
        "umask": umask,
        "files": list(files),
    }
    content = json.dumps(request).encode()
    socket.send_fds(server, [len(content).to_bytes(4, "big")], list(files.values()))
    server.sendall(content)


def status(server: socket.socket) -> int:
    """The program's exit status, when it has ended: negative if a signal ended it, 1 if the server has ended."""
    answer = server.recv(16)
    return int(answer) if answer else 1


def _is_open(number: int) -> bool:
    """Whether it was not only the list of open files itself."""
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
