"""``python -m emulator --port 4566 --state .local/emulator``: serves until SIGTERM, SIGINT or the end of its parent."""

import argparse
import gc
import os
import shutil
from pathlib import Path

from emulator.certificates import write_certificates
from emulator.client import EmulatorError, refuse_used_port
from emulator.settings import DEFAULT_ACCOUNT, DEFAULT_REGION, Settings, server_environment


def main() -> None:
    """Parses the command line, sets the environment, then imports and runs the server."""
    parser = argparse.ArgumentParser(prog="python -m emulator", description=__doc__)
    parser.add_argument("--port", type=int, default=4566, help="port on 127.0.0.1 (default: %(default)s)")
    parser.add_argument("--state", type=Path, default=Path(".local/emulator"), help="folder for its files")
    parser.add_argument("--account", default=DEFAULT_ACCOUNT, help="12-digit account id (default: %(default)s)")
    parser.add_argument("--region", default=DEFAULT_REGION, help="default Region (default: %(default)s)")
    parser.add_argument("--no-enforce-iam", action="store_true", help="allow every call")
    parser.add_argument("--eventual", action="store_true", help="what roles make is not known everywhere at once")
    parser.add_argument("--pauses", type=float, default=1, help="factor of the pauses of functions (default: 1)")
    parser.add_argument("--exit-with-stdin", action="store_true", help="stop when standard input ends")
    options = parser.parse_args()
    try:
        refuse_used_port(options.port)
    except EmulatorError as error:
        parser.exit(1, f"{error}\n")
    settings = Settings(
        port=options.port,
        state=options.state.resolve(),
        account=options.account,
        region=options.region,
        enforce_iam=not options.no_enforce_iam,
        eventual=options.eventual,
        pauses=options.pauses,
    )
    shutil.rmtree(settings.temporary, ignore_errors=True)
    settings.temporary.mkdir(parents=True)
    write_certificates(settings.certificates)
    environment = server_environment(settings, os.environ)
    os.environ.clear()
    os.environ.update(environment)

    # The models of services stay: Python looks through all of them after every 700 new objects, unless it is told
    # otherwise.
    gc.set_threshold(100_000, 10, 10)
    # Both emulators read the environment when they are imported.
    from emulator.loaded import end_all
    from emulator.server import serve

    try:
        serve(settings, exit_with_stdin=options.exit_with_stdin)
    finally:
        end_all()
        shutil.rmtree(settings.temporary, ignore_errors=True)
    # Threads of the emulators that wait for a Lambda function must not keep the process.
    os._exit(0)


if __name__ == "__main__":
    main()
