"""Trials side by side: lanes, each with an embedded AWS of its own, that are fed one trial after another."""

import sys
import threading
from collections.abc import Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any, Self

from emulator.client import EmulatorError
from tryout.cdk.child import Child, ChildError
from tryout.cdk.synthesis import Synthesis
from tryout.report import SolutionReport
from tryout.run.progress import Remaining, Show
from tryout.scenario import scenario_of, steps_of
from tryout.trial import Trial

Json = dict[str, Any]

PROGRAM = (sys.executable, "-m", "tryout.run.lane")
STEP_SECONDS = 3  # of most steps


class Lanes:
    """Plays trials and ends everything that it has started.

    Args:
        state: a folder for the lanes' files.
        keep: leave the embedded AWS and the stacks as they are, until the end of this.
        eventual: what a role has just made is not known everywhere at once.
        port: of the embedded AWS, if there is one lane.
    """

    def __init__(
        self, trials: Sequence[Trial], state: Path, *, lanes: int, keep: bool, port: int | None, eventual: bool = False
    ) -> None:
        self._trials = trials
        self._show: Show = lambda lane, text: None
        self._to_come = sorted(trials, key=weight, reverse=True)  # the longest first, so that lanes end together
        self._remaining = Remaining(sum(map(weight, trials)), len(trials))
        self._reports: dict[str, SolutionReport] = {}
        self._under_way: dict[str, float] = {}  # weights of trials by their names
        self._lock = threading.Lock()
        self._synthesis = Synthesis(self._to_come, state / "synthesis.log")
        self._children: list[Child] = []
        self.variables: dict[str, str] = {}
        """What points a client at the embedded AWS of the last lane that was ready."""
        for number in range(lanes):
            folder = state / f"lane-{number + 1}"
            folder.mkdir()
            flags = [name for name, on in (("--keep", keep), ("--eventual", eventual)) if on]
            options = [*flags, *(["--port", str(port)] if port else [])]
            command = [*PROGRAM, str(folder), *options]
            self._children.append(Child(command, folder / "lane.log"))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        parts: list[Child | Synthesis] = [*self._children, self._synthesis]
        if kind is None:
            for part in parts:
                part.end()
        for part in parts:
            part.stop()

    def run(self, show: Show) -> list[SolutionReport]:
        """What became of each trial, in their order.

        Raises:
            EmulatorError: an embedded AWS or its CLI could not be started, or has ended.
            SynthesisError: a solution cannot be synthesized.
        """
        self._show = show
        with ThreadPoolExecutor(len(self._children)) as executor:
            driven: list[Future[None]] = [executor.submit(self._drive, *each) for each in enumerate(self._children)]
            try:
                wait(driven, return_when=FIRST_EXCEPTION)
                if failed := next((error for each in driven if each.done() and (error := each.exception())), None):
                    raise failed
            except BaseException:
                self.__exit__(BaseException)  # what the other lanes wait for ends, and so do they
                raise
        return [self._reports[trial.name] for trial in self._trials]

    def _drive(self, number: int, lane: Child) -> None:
        """Feeds one lane until nothing is left."""
        try:
            answer = self._answer(number, lane, "the embedded AWS")
            with self._lock:
                self.variables = answer["ready"]
            while trial := self._next():
                self._show(number, f"{trial.name}: waits for its synthesis")
                self._synthesis.wait_for(trial)
                lane.tell(trial.to_json())
                report = SolutionReport.from_json(self._answer(number, lane, trial.name)["report"])
                with self._lock:
                    self._reports[trial.name] = report
                    its_weight = self._under_way.pop(trial.name)
                    done = self._remaining.one_more(its_weight, sum(self._under_way.values()))
                self._show(number, f"{trial.name}: {report.verdict}; {done}")
        except ChildError as error:
            raise EmulatorError(str(error)) from None

    def _next(self) -> Trial | None:
        with self._lock:
            if not self._to_come:
                return None
            trial = self._to_come.pop(0)
            self._under_way[trial.name] = weight(trial)
            return trial

    def _answer(self, number: int, lane: Child, name: str) -> Json:
        """What the lane says at last; until then it says what it does, and may ask for an assembly."""
        for said in lane.answers():
            if "show" in said:
                self._show(number, f"{name}: {said['show']}")
            elif "synthesize" in said:
                lane.tell(self._synthesis.ask(said["synthesize"]))
            elif "error" in said:
                raise EmulatorError(said["error"])
            else:
                return said
        raise AssertionError("unreachable: a lane that has ended raises")


def weight(trial: Trial) -> float:
    """How long a trial may take, against others: deployment and destruction are as long as a few steps."""
    scenario = scenario_of(trial.slug)
    steps = 4 + sum(1 for _ in steps_of(scenario, trial.variant, "emulator"))
    return steps + scenario.long_waits.get(trial.variant, 0) / STEP_SECONDS
