"""One verification from its deployment to its end: whatever happens between, what it has deployed is destroyed."""

import json
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import ClientError

from tryout.cdk.child import Child, ChildError
from tryout.cdk.cli import Cdk, CdkError
from tryout.cdk.synthesis import PROGRAM
from tryout.deployed import Deployed
from tryout.report import NotRun, SolutionReport
from tryout.run.play import BROKEN, play
from tryout.scenario import scenario_of
from tryout.verify.account import Account, VerifyError
from tryout.verify.leftovers import left_behind
from tryout.verify.plan import TAG, Plan
from tryout.waits import ACCOUNT, EMULATOR, paced, wait_until

INTERRUPTED = "interrupted"
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# A stack that is on its way back, or is being updated, is deleted when it has come to an end:
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html#cfn-console-view-stack-data-resources-status-codes
DELETED_AT_ONCE = ("CREATE_IN_PROGRESS", "REVIEW_IN_PROGRESS", "DELETE_IN_PROGRESS")
SETTLE_SECONDS = 3600

Json = dict[str, Any]
Show = Callable[[str], object]


class Verification:
    """Deploys, compares, plays and destroys one solution.

    Args:
        show: is told what is under way.

    Attributes:
        begun: whether there has been a stack to destroy.
    """

    def __init__(self, account: Account, plan: Plan, show: Show) -> None:
        self._account, self._plan, self._show = account, plan, show
        self.begun = False
        self._pace = EMULATOR if account.emulated else ACCOUNT
        self._trial = plan.trial
        self._formation = account.client("cloudformation")
        self._synthesizer = Child(PROGRAM, self._trial.folder / "synthesis.log", account.environment())

    def refuse_what_is_there(self) -> None:
        """Insists that there is no stack of this name.

        Raises:
            VerifyError: there is one, whoever has deployed it.
        """
        with self._account.reached():
            if found := self._described():
                raise VerifyError(
                    f"stack {self._trial.stack} exists already ({found['StackStatus']}): of a verification that runs, "
                    f"or has left it, or somebody's own; look at it, and when nobody needs it: {self.by_hand}"
                )

    @property
    def by_hand(self) -> str:
        """The command that deletes the stack."""
        profile = self._account.environment()["AWS_PROFILE"]
        return (
            f"aws cloudformation delete-stack --stack-name {self._trial.stack} "
            f"--region {self._account.region} --profile {profile}"
        )

    def synthesize(self) -> None:
        """Writes the cloud assembly, before anything is asked or deployed.

        Raises:
            VerifyError: it cannot be synthesized.
        """
        self._show("cdk synth")
        request = {"config": str(self._trial.config), "slug": self._trial.slug, "assembly": str(self._trial.assembly)}
        try:
            if why := self._synthesizer.ask(request).get("error"):
                raise VerifyError(f"{self._trial.slug} cannot be synthesized: {why}")
        except ChildError as error:
            raise VerifyError(str(error)) from None

    def run(self) -> SolutionReport:
        """What became of it. Ctrl-C, SIGTERM and a closed terminal end the steps, and the destruction follows."""
        report = SolutionReport(self._trial.slug, self._trial.variant, self._trial.stack)
        for step in self._plan.not_played:
            report.steps_not_run.append(NotRun(step.title, step.emulated))
        began = time.monotonic()
        try:
            with _interruptible(), paced(self._pace):
                self._deploy_and_play(report)
        except KeyboardInterrupt:
            report.problem = INTERRUPTED
        except CdkError as error:
            report.problem = str(error)
        except BROKEN as error:
            report.problem = f"the scenario could not begin: {error}"
        told = {one.step for one in report.scenario} | {one.step for one in report.steps_not_run}
        why = INTERRUPTED if report.problem == INTERRUPTED else "the deployment did not come so far"
        report.steps_not_run += [NotRun(step.title, why) for step in self._plan.played if step.title not in told]
        with _uninterruptible(), paced(self._pace):
            try:
                self._destroy(report)
            except (*BROKEN, CdkError, VerifyError) as error:
                left = f"stack {self._trial.stack} may still be there: {error}; look, then: {self.by_hand}"
                report.problem = f"{report.problem}; {left}" if report.problem else left
            self._synthesizer.stop()
        report.seconds = time.monotonic() - began
        return report

    def _deploy_and_play(self, report: SolutionReport) -> None:
        folder, stack, app = self._trial.folder, self._trial.stack, ("--app", str(self._trial.assembly))
        outputs = folder / "outputs.json"
        with Cdk(self._account.environment(), folder / "cdk.log") as cdk:
            self._show("cdk deploy")
            options = ("--require-approval", "never", "--outputs-file", str(outputs))
            cdk.require(folder / "deploy.log", "deploy", stack, *app, *options)
            report.deployed = True
            self._show("cdk diff")
            report.diff_empty = cdk(folder / "diff.log", "diff", stack, *app, "--fail", "--no-change-set") == 0
        deployed = Deployed(
            self._account,
            self._trial,
            json.loads(outputs.read_text(encoding="utf-8"))[stack],
            self._plan.config.solutions[self._trial.slug],
            folder / "scenario",
            folder / "pictures",
            self._synthesizer.ask,
        )
        deployed.folder.mkdir()
        deployed.kept.mkdir()
        report.resources = sum(len(ids) for ids in deployed.resources.values())
        play(scenario_of(self._trial.slug)(deployed, self._trial.variant), report, self._show, steps=self._plan.played)

    # The end

    def _destroy(self, report: SolutionReport) -> None:
        """Deletes the stack, if it is the one that was deployed here, and looks for what is left of it."""
        found = self._described()
        if found is None and not report.deployed:
            time.sleep(self._pace.last)  # a call that was under way when the CLI was ended may arrive yet
            found = self._described()
        if found is None:
            report.destroyed_clean = True
            self.begun = report.deployed
            return
        self.begun = True
        if self._runs_of(found) != {self._plan.run}:
            raise VerifyError("it has not the tag of this verification, and is left alone")
        self._show("cdk destroy")
        wait_until("the end of what the stack does", self._is_settled, SETTLE_SECONDS)
        folder = self._trial.folder
        with Cdk(self._account.environment(), folder / "cdk-destroy.log") as cdk:
            app = ("--app", str(self._trial.assembly))
            cdk.require(folder / "destroy.log", "destroy", self._trial.stack, *app, "--force")
        self._show("what is left")
        report.left_behind = left_behind(self._account, str(found["StackId"]), self._plan.run, self._pace)
        report.destroyed_clean = not report.left_behind

    def _described(self) -> Json | None:
        try:
            (found,) = self._formation.describe_stacks(StackName=self._trial.stack)["Stacks"]
        except ClientError as error:
            if "does not exist" in str(error):
                return None
            raise
        return dict(found)

    def _runs_of(self, stack: Json) -> set[str | None]:
        """The verifications whose tag a stack carries, or will: until a change set is executed only that has the tags.

        https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeChangeSet.html
        """
        tagged = []
        if stack["StackStatus"] == "REVIEW_IN_PROGRESS":
            pages = self._formation.get_paginator("list_change_sets").paginate(StackName=stack["StackId"])
            names = [each["ChangeSetId"] for page in pages for each in page["Summaries"]]
            tagged = [self._formation.describe_change_set(ChangeSetName=name) for name in names]
        return {{tag["Key"]: tag["Value"] for tag in each.get("Tags", [])}.get(TAG) for each in tagged or [stack]}

    def _is_settled(self) -> bool:
        status = str((self._described() or {}).get("StackStatus", ""))
        return status in DELETED_AT_ONCE or not status.endswith("IN_PROGRESS")


@contextmanager
def _interruptible() -> Iterator[None]:
    """Each of the signals ends what is under way, once; then none does until :func:`_uninterruptible` is over."""

    def interrupted(*_: object) -> None:
        for each in SIGNALS:
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt

    for each in SIGNALS:
        signal.signal(each, interrupted)
    yield


@contextmanager
def _uninterruptible() -> Iterator[None]:
    """What was deployed is destroyed, however often Ctrl-C is pressed."""
    for each in SIGNALS:
        signal.signal(each, signal.SIG_IGN)
    yield
    for each in SIGNALS:
        signal.signal(each, signal.SIG_DFL)
