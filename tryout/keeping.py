"""The embedded AWS after the try-out, for whoever wants to look around."""

import os
import signal
from collections.abc import Mapping, Sequence

from rich.console import Console

from tryout.paths import REPOSITORY
from tryout.trial import Trial


def stay(console: Console, variables: Mapping[str, str], trials: Sequence[Trial]) -> None:
    """Keeps it all running until Ctrl-C."""
    console.print("\nThe embedded AWS stays up until Ctrl-C. In another terminal, in this folder:\n")
    for name, value in variables.items():
        console.print(f"  export {name}={value}", soft_wrap=True, highlight=False)
    bin_folders = os.pathsep.join([".venv/bin", "node_modules/.bin", "$PATH"])
    console.print(f"  export PATH={bin_folders}", soft_wrap=True, highlight=False)
    for trial in trials:
        console.print(f"  cdk diff {trial.stack} --app {trial.assembly.relative_to(REPOSITORY)}", soft_wrap=True)
    console.print("  aws cloudformation describe-stacks", soft_wrap=True)
    try:
        signal.pause()
    except KeyboardInterrupt:
        console.print("\nstopping")
