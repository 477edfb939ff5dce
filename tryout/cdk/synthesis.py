"""Cloud assemblies ahead of their deployment: synthesis needs no AWS, and one process makes them all."""

import os
import sys
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from emulator.settings import DEFAULT_ACCOUNT, DEFAULT_REGION
from tryout.cdk.child import Child, ChildError
from tryout.trial import Trial

Json = dict[str, Any]

PROGRAM = (sys.executable, "-m", "tryout.cdk.synthesizer")


class SynthesisError(Exception):
    """A solution cannot be synthesized; the message says why."""


class Synthesis:
    """Begins at once with the first trial, and goes on to the last while others are deployed and tried."""

    def __init__(self, trials: Sequence[Trial], log: Path) -> None:
        own = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CDK_"))}
        own |= {"CDK_DEFAULT_ACCOUNT": DEFAULT_ACCOUNT, "CDK_DEFAULT_REGION": DEFAULT_REGION}
        self._child = Child(PROGRAM, log, own)
        self._executor = ThreadPoolExecutor(max_workers=1)
        self._begun: dict[str, Future[None]] = {
            trial.name: self._executor.submit(self._synthesize, trial) for trial in trials
        }

    def end(self) -> None:
        """Lets what was asked for last be written."""
        self._executor.shutdown()
        self._child.end()

    def stop(self) -> None:
        """Ends it at once. Doing it twice does no harm."""
        self._executor.shutdown(wait=False, cancel_futures=True)
        self._child.stop()

    def wait_for(self, trial: Trial) -> None:
        """Waits until a trial's cloud assembly is there.

        Raises:
            SynthesisError: it could not be synthesized.
        """
        self._begun[trial.name].result()

    def ask(self, request: Json) -> Json:
        """One more assembly, for a scenario that deploys a change: what the synthesizer answers."""
        return self._child.ask(request)

    def _synthesize(self, trial: Trial) -> None:
        request = {"config": str(trial.config), "slug": trial.slug, "assembly": str(trial.assembly)}
        try:
            answer = self.ask(request)
        except ChildError as error:
            raise SynthesisError(str(error)) from None
        if why := answer.get("error"):
            raise SynthesisError(f"{trial.name} cannot be synthesized: {why}")
