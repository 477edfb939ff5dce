"""``make try``: bootstraps, deploys, tries, compares and destroys every enabled solution on the embedded AWS."""

import argparse
import os
import signal
import sys
from pathlib import Path

from rich.console import Console

from config.loader import ConfigError
from emulator.client import EmulatorError
from stacks.catalog import UnknownSolutionError
from tryout.breaks import BREAKS
from tryout.cdk.synthesis import SynthesisError
from tryout.paths import CONFIG
from tryout.run.session import run

LANES = 3
"""At most so many, and one more than there are processors: a lane waits for half of its time."""


def main() -> int:
    """Runs the try-out.

    Returns:
        0 only if everything passed.
    """
    parser = argparse.ArgumentParser(prog="make try")
    parser.add_argument("--solution", default="", help="only these, separated by commas or blanks")
    parser.add_argument("--variant", help="only the variant of this name")
    parser.add_argument(
        "--break",
        dest="broken",
        type=_faults,
        default=(),
        help=f"put faults into templates and see them denied: all, or some of {', '.join(BREAKS)}",
    )
    parser.add_argument("--export", action="store_true", dest="exported", help="deploy from exports, without the CDK")
    parser.add_argument("--eventual", action="store_true", help="what a role has just made is not known at once")
    parser.add_argument("--config", type=Path, default=CONFIG)
    parser.add_argument("--keep", action="store_true", help="leave the embedded AWS and the stacks running")
    parser.add_argument("--strict", action="store_true", help="a step that cannot run here fails")
    parser.add_argument("--port", type=_port, help="port of the embedded AWS; default: a free one")
    lanes = min(LANES, 1 + (os.cpu_count() or 1))
    parser.add_argument("--lanes", type=int, default=lanes, help=f"how many at once; default: {lanes}")
    options = parser.parse_args()
    console = Console() if sys.stdout.isatty() else Console(width=120)
    signal.signal(signal.SIGTERM, _interrupted)
    try:
        return run(options, console)
    except (ConfigError, UnknownSolutionError, EmulatorError, SynthesisError) as error:
        print(f"try: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("try: interrupted; everything that was started has been stopped", file=sys.stderr)
        return 130


def _port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"must be a number from 1 to 65535, got {text!r}")
    return int(text)


def _faults(text: str) -> tuple[str, ...]:
    names = tuple(BREAKS) if text == "all" else tuple(text.replace(",", " ").split())
    if unknown := [name for name in names if name not in BREAKS]:
        raise argparse.ArgumentTypeError(f"must be all or some of {', '.join(BREAKS)}, got {unknown[0]!r}")
    return names


def _interrupted(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
