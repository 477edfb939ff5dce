"""The stages of a life, one after another, in an account that holds nothing else."""

import json
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from emulator.client import EmbeddedAws, EmulatorError
from tests.conformance.told import told
from tests.conformance.updates.states import State
from tests.lifecycle import beside
from tests.lifecycle.account import Account, roles_in
from tests.lifecycle.changes import Changes, difference
from tests.lifecycle.policies import of_key, of_topic
from tests.lifecycle.report import Life, Stage
from tests.lifecycle.stack import Stack
from tests.lifecycle.synthesis import Made, Synthesis
from tryout.account.inventory import inventory
from tryout.scenario import scenario_of
from tryout.steps import StepFailedError
from tryout.waits import wait_until

Json = dict[str, Any]
BROKEN = (ClientError, BotoCoreError, OSError, LookupError, ValueError, EmulatorError, StepFailedError)
COMMON: Json = {"region": "us-east-1", "tags": {"project": "lifecycle"}}
WITH_A_GROUP = ("ec2 Instances", "ec2 NetworkInterfaces", "ec2 Volumes")
FAILS = "LifecycleFailsLast"
PAUSES = 0.1
"""Functions look again and again until something has come or gone, which takes two looks here and minutes there."""


class StopError(Exception):
    """What comes next has nothing to stand on."""


def live(slug: str, folder: Path, *, short: bool) -> Life:
    """Plays the life of a solution in an account of its own.

    Args:
        short: without the changes of settings and the stacks beside.
    """
    life = Life(slug)
    with EmbeddedAws(folder, pauses=PAUSES) as aws:
        account = Account(aws, of_key(slug), of_topic(slug), roles_in(slug, aws.account))
        _Living(account, slug, life).play(short=short)
        if fault := scenario_of(slug).fault():
            life.stages[-1].findings.append(f"beside the deployments: {type(fault).__name__}: {fault}")
    life.seconds = round(sum(stage.seconds for stage in life.stages), 1)
    return life


class _Living:
    def __init__(self, account: Account, slug: str, life: Life) -> None:
        self._account, self._life = account, life
        self._synthesis = Synthesis()
        self._default = State(slug, "default", COMMON, {})
        self._slug = slug

    def play(self, *, short: bool) -> None:
        """Every stage, as far as each has ground to stand on."""
        try:
            with self._life.stage("deployed") as stage:
                scenario_of(self._slug).prepare(self._account.aws)
                self._account.other_region(beside.THERE)
                self._before = inventory(self._account.client)
                stack = self._deploy(stage)
            with self._life.stage("deployed again") as stage:
                self._again(stack, stage)
            changed = Changes(stack, self._synthesis, lambda made: self._anew(stack, made), self._holds)
            if not short:
                with self._life.stage("each setting changed") as stage, _told(stage):
                    changed.play(self._default, stage)
                for name, play in beside.STAGES.items():
                    with self._life.stage(name) as stage, _told(stage):
                        play(beside.Beside(self._account, self._slug, self._synthesis, stage))
            with self._life.stage("a failing update rolled back") as stage, _told(stage):
                self._rolled_back(stack, changed, stage)
            with self._life.stage("destroyed") as stage:
                self._destroy(stack, stage)
            with self._life.stage("deployed once more") as stage:
                stack = self._deploy(stage)
                self._again(stack, stage)
            with self._life.stage("destroyed, nothing left") as stage:
                self._destroy(stack, stage)
        except StopError:
            pass

    def _holds(self, wanted: Counter[str] | None = None) -> Counter[str]:
        """How much of each kind; instances come and go with the size of their group.

        Args:
            wanted: what should be there: of what a deployment starts and does not wait for, it is waited for.
        """
        later = told(self._slug, "MADE_LATER", Counter[str]())
        found = self._count()
        if wanted is not None and any(found[kind] != wanted[kind] for kind in later):
            with suppress(StepFailedError):
                wait_until("what is made later", lambda: all(self._count()[kind] == wanted[kind] for kind in later))
            found = self._count()
        return found

    def _count(self) -> Counter[str]:
        kinds = (name.rpartition(" ")[0] for name in inventory(self._account.client))
        return Counter(kind for kind in kinds if kind not in WITH_A_GROUP)

    def _deploy(self, stage: Stage) -> Stack:
        with _told(stage, stop=True):
            made = self._synthesis(self._default)
            stack = Stack(self._account, made.stack, made.region)
            ended = stack.create(made)
            stage.said = f"{len(stack.resources())} resources"
            if ended.status != "CREATE_COMPLETE":
                raise ValueError(str(ended))
            later = told(self._slug, "MADE_LATER", Counter[str]())
            if later:
                wait_until(f"what is made later: {later}", lambda: later <= self._count())
            return stack
        raise StopError  # never: what breaks this stage has raised it already

    def _anew(self, stack: Stack, made: Made) -> None:
        stack.delete()
        ended = stack.create(made)
        if ended.status != "CREATE_COMPLETE":
            raise ValueError(str(ended))

    def _again(self, stack: Stack, stage: Stage) -> None:
        with _told(stage):
            ended = stack.update(self._synthesis(self._default))
            if ended.status != "unchanged":
                stage.findings.append(f"the same template must change nothing: {ended}")

    def _rolled_back(self, stack: Stack, changed: Changes, stage: Stage) -> None:
        """The largest change of them all, with one more resource at its end that fails: all is as it was.

        The condition is never signaled, so that it fails after its timeout, here as in an account:
        https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudformation-waitcondition.html
        """
        size, made = changed.largest
        made = made or self._synthesis(State(self._slug, "default", {**COMMON, "log_retention_days": 30}, {}))
        template = json.loads(json.dumps(made.template))
        everything = sorted(template["Resources"])
        template["Resources"][f"{FAILS}Handle"] = {"Type": "AWS::CloudFormation::WaitConditionHandle"}
        template["Resources"][FAILS] = {
            "Type": "AWS::CloudFormation::WaitCondition",
            "Properties": {"Handle": {"Ref": f"{FAILS}Handle"}, "Timeout": "1"},
            "DependsOn": everything,
        }
        resources, deployed, holds = stack.resources(), stack.template(), self._holds()
        ended = stack.update(made, template)
        stage.said = f"{size} resources changed before it failed" if size else "it failed last"
        if ended.status != "UPDATE_ROLLBACK_COMPLETE":
            stage.findings.append(f"it must be rolled back: {ended}")
        if stack.template() != deployed:
            stage.findings.append("the template is another one than before")
        if differing := {name for name, _ in resources.items() ^ stack.resources().items()}:
            stage.findings.append(f"not as they were: {', '.join(sorted(differing))}")
        if (after := self._holds(holds)) != holds:
            stage.findings.append(f"what the account holds differs: {difference(holds, after)}")
        self._again(stack, stage)

    def _destroy(self, stack: Stack, stage: Stage) -> None:
        with _told(stage, stop=True):
            beside.plant(self._account, stack)
            ended = stack.delete()
            left = sorted(inventory(self._account.client) - self._before)
            kept = told(self._slug, "OUTLIVES", ())
            stage.findings += [f"left behind: {name}" for name in left if not name.startswith(tuple(kept))]
            if ended.status != "DELETE_COMPLETE":
                raise ValueError(str(ended))


class _told:  # noqa: N801 - a context manager, as those of contextlib are written
    """What breaks a stage is its finding."""

    def __init__(self, stage: Stage, *, stop: bool = False) -> None:
        self._stage, self._stop = stage, stop

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> bool:
        if not isinstance(error, BROKEN):
            return False
        self._stage.findings.append(f"{type(error).__name__}: {error}")
        if self._stop:
            raise StopError from error
        return True
