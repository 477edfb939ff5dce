"""The embedded AWS after the try-out, for whoever wants to look around."""

import os
import shlex
import signal
from collections.abc import Mapping, Sequence

from rich.console import Console

from tryout.paths import ENVIRONMENT, REPOSITORY
from tryout.trial import Trial


def environment(variables: Mapping[str, str]) -> str:
    """A file for ``source``: another terminal then talks to the embedded AWS, with the programs of this folder."""
    path = os.pathsep.join(str(REPOSITORY / folder) for folder in (".venv/bin", "node_modules/.bin"))
    lines = [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
    return "\n".join([*lines, f'export PATH={shlex.quote(path)}:"$PATH"', ""])


def stay(console: Console, variables: Mapping[str, str], trials: Sequence[Trial]) -> None:
    """Keeps it all running until Ctrl-C."""
    console.print("\nThe embedded AWS stays up until Ctrl-C. In another terminal, in this folder:\n")
    ENVIRONMENT.write_text(environment(variables), encoding="utf-8")
    console.print(f"  source {ENVIRONMENT.relative_to(REPOSITORY)}", soft_wrap=True, highlight=False)
    for trial in [each for each in trials if not each.exported]:
        console.print(f"  cdk diff {trial.stack} --app {trial.assembly.relative_to(REPOSITORY)}", soft_wrap=True)
    console.print("  aws cloudformation describe-stacks", soft_wrap=True)
    console.print(
        "\nA cdk deploy without that --app deploys config/config.yaml, in place of the variant that is kept.",
        soft_wrap=True,
    )
    try:
        signal.pause()
    except KeyboardInterrupt:
        console.print("\nstopping")
