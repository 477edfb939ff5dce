"""How a trial is deployed, compared and destroyed: by the CDK CLI, or from its export by the AWS CLI alone."""

import json
import os
import subprocess
import sys
from abc import ABC, abstractmethod
from pathlib import Path

from emulator.client import EmbeddedAws
from tryout.cdk.child import last_lines
from tryout.cdk.cli import Cdk, CdkError
from tryout.paths import REPOSITORY
from tryout.steps import StepFailedError
from tryout.trial import Trial
from tryout.waits import wait_until

DELETION_SECONDS = 120
UNCHANGED = "No changes to deploy"  # of `aws cloudformation deploy`

Outputs = dict[str, str]


class AwsCliError(Exception):
    """A program failed that deploys without the CDK; the message has the end of what it printed and names the log."""


FAILED = (CdkError, AwsCliError)


class Way(ABC):
    """How one trial comes to the account and leaves it. Whatever fails raises one of FAILED.

    Attributes:
        words: of what is under way: deploying, comparing, destroying.
    """

    words: tuple[str, str, str]

    @abstractmethod
    def deploy(self) -> Outputs:
        """Deploys, and tells the stack's outputs."""

    @abstractmethod
    def unchanged(self) -> bool:
        """Whether to deploy again would change nothing."""

    @abstractmethod
    def destroy(self) -> None:
        """Deletes what was deployed."""


class ByCdk(Way):
    """The CDK CLI, as a user would call it."""

    words = ("cdk deploy", "cdk diff", "cdk destroy")

    def __init__(self, cdk: Cdk, trial: Trial) -> None:
        self._cdk, self._trial = cdk, trial
        self._app = ("--app", str(trial.assembly))

    def deploy(self) -> Outputs:
        """As ``Way.deploy``."""
        outputs = self._trial.folder / "outputs.json"
        options = ("--require-approval", "never", "--outputs-file", str(outputs))
        self._cdk.require(self._trial.folder / "deploy.log", "deploy", self._trial.stack, *self._app, *options)
        found: Outputs = json.loads(outputs.read_text(encoding="utf-8"))[self._trial.stack]
        return found

    def unchanged(self) -> bool:
        """As ``Way.unchanged``."""
        diff = ("diff", self._trial.stack, *self._app, "--fail", "--no-change-set")
        return self._cdk(self._trial.folder / "diff.log", *diff) == 0

    def destroy(self) -> None:
        """As ``Way.destroy``."""
        self._cdk.require(self._trial.folder / "destroy.log", "destroy", self._trial.stack, *self._app, "--force")


class ByExport(Way):
    """``python -m stacks SOLUTION export`` and the script that it writes, in an account without a bootstrap.

    The export is made of a configuration without a prefix, and deployed under the name that the trial's prefix gives:
    what is in the template may not know it.
    """

    words = ("export, aws cloudformation deploy", "aws cloudformation deploy, again", "aws cloudformation delete-stack")

    def __init__(self, aws: EmbeddedAws, trial: Trial) -> None:
        self._aws, self._trial = aws, trial
        self._bucket = f"assets-of-{trial.stack}"
        self._folder = trial.folder / "export"

    def deploy(self) -> Outputs:
        """As ``Way.deploy``."""
        words = (self._trial.slug, "export", "--config", str(self._trial.export_config), "--out", str(self._folder))
        self._run("export.log", sys.executable, "-m", "stacks", *words)
        self._aws.client("s3").create_bucket(Bucket=self._bucket)
        self._script("deploy.log")
        (stack,) = self._aws.client("cloudformation").describe_stacks(StackName=self._trial.stack)["Stacks"]
        return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", ())}

    def unchanged(self) -> bool:
        """As ``Way.unchanged``."""
        return UNCHANGED in self._script("again.log").read_text(encoding="utf-8")

    def destroy(self) -> None:
        """As ``Way.destroy``."""
        formation = self._aws.client("cloudformation")
        (found,) = formation.describe_stacks(StackName=self._trial.stack)["Stacks"]
        formation.delete_stack(StackName=self._trial.stack)

        def status() -> str:
            (stack,) = formation.describe_stacks(StackName=found["StackId"])["Stacks"]
            return str(stack["StackStatus"])

        try:
            wait_until("its end", lambda: status() == "DELETE_COMPLETE", DELETION_SECONDS)
        except StepFailedError:
            raise AwsCliError(f"the deletion of {self._trial.stack} came to {status()}") from None
        self._run("bucket.log", "aws", "s3", "rb", "--force", f"s3://{self._bucket}")

    def _script(self, log: str) -> Path:
        return self._run(log, "bash", str(self._folder / "deploy.sh"))

    def _run(self, log: str, *command: str) -> Path:
        """Runs a program; returns its log."""
        path = self._trial.folder / log
        environment = {**self._aws.environment(), "BUCKET": self._bucket, "STACK": self._trial.stack}
        environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
        with path.open("w", encoding="utf-8") as output:
            done = subprocess.run(
                command,
                cwd=REPOSITORY,
                env=environment,
                stdout=output,
                stderr=output,
                stdin=subprocess.DEVNULL,
                check=False,
            )
        if done.returncode:
            raise AwsCliError(f"{Path(command[0]).name} failed: {last_lines(path)}")
        return path
