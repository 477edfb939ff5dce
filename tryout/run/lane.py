"""``python -m tryout.run.lane``: one embedded AWS, on which one trial after another is deployed, played and destroyed.

Lanes share nothing: each has a process, an account, a clock and a loaded CDK CLI of its own, so that what its account
holds after a destruction and not before the deployment was left behind by that stack and by no other.

A lane answers with lines of JSON: {"ready": variables}, then for each trial that it is sent {"show": text} and at last
{"report": ...}. With {"synthesize": request} it asks for an assembly, with {"error": sentence} it ends.
"""

import argparse
import json
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError

from config.loader import load
from emulator.client import EmbeddedAws, EmulatorError
from stacks.catalog import settings_by_slug
from tryout.account.denials import Denials
from tryout.account.inventory import inventory, waiting
from tryout.breaks import put_in
from tryout.cdk.cli import Cdk, CdkError
from tryout.deployed import Deployed
from tryout.judged.calls import Judged, Kept
from tryout.judged.sources import made_of
from tryout.paths import CALLS, KEPT
from tryout.report import SolutionReport
from tryout.run.play import BROKEN, play
from tryout.run.ways import FAILED, ByCdk, ByExport, Way
from tryout.scenario import scenario_of
from tryout.trial import Trial
from tryout.waits import PAUSES

Json = dict[str, Any]


class Lane:
    """One embedded AWS and the CLI that points at it.

    Args:
        log: of the bootstrap, which an account has that somebody deploys to with the CDK.
        show: is told what is under way.
        synthesize: makes an assembly of another configuration; answers as tryout.cdk.synthesizer does.
    """

    def __init__(
        self, aws: EmbeddedAws, cdk: Cdk, log: Path, show: Callable[[str], object], synthesize: Callable[[Json], Json]
    ) -> None:
        self._log, self._bootstrapped = log, False
        self._aws, self._cdk, self._show, self._synthesize = aws, cdk, show, synthesize
        self._holds: set[str] | None = None
        self._waited: set[str] = set()

    def _bootstrap(self) -> None:
        if not self._bootstrapped:
            self._show("cdk bootstrap")
            account = f"aws://{self._aws.account}/{self._aws.region}"
            self._cdk.require(self._log, "bootstrap", "--app", "", account)
            self._bootstrapped = True

    def run(self, trial: Trial, *, keep: bool) -> SolutionReport:
        """Deploys, compares, plays and destroys.

        Raises:
            EmulatorError: the embedded AWS has ended meanwhile.
        """
        try:
            return self._run(trial, keep)
        except (BotoCoreError, CdkError, OSError):
            self._aws.require_running()  # or that is why, wherever it was noticed
            raise

    def _run(self, trial: Trial, keep: bool) -> SolutionReport:
        report = SolutionReport(trial.slug, trial.variant, trial.stack)
        way: Way = ByExport(self._aws, trial) if trial.exported else ByCdk(self._cdk, trial)
        if not trial.exported:
            self._bootstrap()
        if scenario_of(trial.slug).prepare(self._aws):
            self._holds = None
        before = inventory(self._aws.client) if self._holds is None else self._holds
        self._waited = waiting(self._aws.client)
        started = time.monotonic()
        judged = Judged(self._aws)
        try:
            self._deploy_and_play(trial, way, report, judged)
        except FAILED as error:
            report.problem = str(error)
        except BROKEN as error:
            report.problem = f"the scenario could not begin, or tidy up after itself: {error}"
        self._aws.require_running()
        self._holds = None
        if report.deployed and not keep:
            self._destroy(way, report, before)
        if judged.states and not trial.broken and not trial.exported:
            self._keep(trial, report, judged)
        report.seconds = time.monotonic() - started
        return report

    def _deploy_and_play(self, trial: Trial, way: Way, report: SolutionReport, judged: Judged) -> None:
        denials = Denials(self._aws)
        if trial.broken:
            put_in(trial.broken, trial.assembly / f"{trial.stack}.template.json")
        self._show(way.words[0])
        outputs = way.deploy()
        report.deployed = True
        deployed = Deployed(
            self._aws,
            trial,
            outputs,
            load(trial.config, settings_by_slug()).solutions[trial.slug],
            trial.folder / "scenario",
            KEPT,
            self._synthesize,
        )
        deployed.folder.mkdir()
        report.resources = sum(len(ids) for ids in deployed.resources.values())
        self._show(way.words[1])
        report.diff_empty = way.unchanged()
        judged.look(trial.stack)
        with scenario_of(trial.slug)(deployed, trial.variant) as scenario:
            play(scenario, report, self._show, denials)
            judged.look(trial.stack)

    def _keep(self, trial: Trial, report: SolutionReport, judged: Judged) -> None:
        """Keeps what ``make mutate`` replays."""
        complete = not report.steps_not_run and all(step.ok for step in report.scenario)
        template = json.loads((trial.assembly / f"{trial.stack}.template.json").read_text(encoding="utf-8"))
        kept = Kept(
            trial.slug,
            trial.variant,
            made_of(trial.slug),
            trial.config.read_text(encoding="utf-8"),
            complete,
            template,
            judged.states,
            judged.calls(),
        )
        kept.write(CALLS)

    def _destroy(self, way: Way, report: SolutionReport, before: set[str]) -> None:
        self._show(way.words[2])
        try:
            way.destroy()
        except FAILED as error:
            report.problem = f"{report.problem}; {error}" if report.problem else str(error)
            return
        self._holds = inventory(self._aws.client)
        report.left_behind = sorted(self._holds - before)
        report.wait_for_deletion = sorted(waiting(self._aws.client) - self._waited)
        report.destroyed_clean = not report.left_behind


def main() -> int:
    """Answers until its input ends, or SIGTERM comes: then it ends what it has started."""
    parser = argparse.ArgumentParser(prog="python -m tryout.run.lane")
    parser.add_argument("state", type=Path, help="folder of this lane")
    parser.add_argument("--port", type=int, help="port of the embedded AWS; default: a free one")
    parser.add_argument("--keep", action="store_true", help="destroy nothing")
    parser.add_argument("--eventual", action="store_true", help="what a role has just made is not known at once")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, _interrupted)
    answers, sys.stdout = sys.stdout, sys.stderr

    def answer(**message: Any) -> None:
        print(json.dumps(message), file=answers, flush=True)

    def synthesize(request: Json) -> Json:
        answer(synthesize=request)
        found: Json = json.loads(sys.stdin.readline())
        return found

    try:
        answer(show="starting the embedded AWS")
        with (
            EmbeddedAws(options.state / "aws", port=options.port, eventual=options.eventual, pauses=PAUSES) as aws,
            Cdk(aws.environment(), options.state / "cdk.log") as cdk,
        ):
            lane = Lane(aws, cdk, options.state / "bootstrap.log", lambda text: answer(show=text), synthesize)
            answer(ready=aws.variables())
            while line := sys.stdin.readline():
                answer(report=asdict(lane.run(Trial.from_json(json.loads(line)), keep=options.keep)))
    except (EmulatorError, CdkError) as error:
        answer(error=str(error))
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _interrupted(*_: object) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once is enough: what is being ended is not to be interrupted
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
