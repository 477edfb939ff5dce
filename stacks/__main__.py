"""``python -m stacks``: what the solutions offer besides ``cdk``: checks, costs, and each solution's own commands."""

import os
import sys

try:
    from stacks.program import main
except ModuleNotFoundError as missing:
    if missing.name in ("stacks", "config"):
        sys.exit("run it as 'python -m stacks', in the folder of this repository")
    sys.exit(f"the package {missing.name} is missing: run 'make install', then 'source .venv/bin/activate'")

__all__ = ["main"]

if __name__ == "__main__":
    try:
        status = main()
        sys.stdout.flush()
    except BrokenPipeError:  # the reader has enough, as `head` has
        # https://docs.python.org/3/library/signal.html#note-on-sigpipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 1
    sys.exit(status)
