"""Stacks beside the first, in the same account: another prefix, another Region, what a platform team prescribes."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from stacks.leftovers.listing import leftovers
from tests.conformance.told import told
from tests.conformance.updates.states import State
from tests.lifecycle.account import BOUNDARY, KEY, TOPIC, Account, document
from tests.lifecycle.report import Stage
from tests.lifecycle.stack import Stack
from tests.lifecycle.synthesis import Synthesis
from tests.variants import ROOT
from tryout.account.denials import Denials
from tryout.account.inventory import inventory
from tryout.steps import StepFailedError
from tryout.waits import wait_until

Json = dict[str, Any]
TAGS: Json = {"project": "lifecycle"}
HERE, THERE = "us-east-1", "eu-central-1"
VPC: Json = {"id": "vpc-0123456789abcdef0", "subnet_ids": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]}
OF_A_NETWORK = (
    "AWS::EC2::InternetGateway",
    "AWS::EC2::NatGateway",
    "AWS::EC2::Subnet",
    "AWS::EC2::VPC",
    "AWS::EC2::VPCEndpoint",
)
RING_SECONDS = 60


class Beside:
    """Creates a second stack while the first is there, looks at it, and destroys it: nothing of the first changes."""

    def __init__(self, account: Account, slug: str, synthesis: Synthesis, stage: Stage) -> None:
        self.account, self.stage = account, stage
        self.slug, self._synthesis = slug, synthesis

    def lives(
        self,
        common: Json,
        look: Callable[[Stack], None] = lambda _: None,
        *,
        of: str = "BESIDE",
        tidy: Callable[[], None] = lambda: None,
    ) -> None:
        """Its whole life, with a look at it in between.

        Args:
            tidy: what is done when it is destroyed, before the account is compared.
            of: the name of settings in the solution's conformance.py, besides those of BESIDE.
        """
        controls: Mapping[str, tuple[Json, Json]] = told(self.slug, "ONLY_BESIDE", {})
        try:
            for name, (there, _) in controls.items():
                self.account.aws.control(name, **there)
            self._lives(common, look, of, tidy)
        finally:
            for name, (_, otherwise) in controls.items():
                self.account.aws.control(name, **otherwise)

    def _lives(self, common: Json, look: Callable[[Stack], None], of: str, tidy: Callable[[], None]) -> None:
        nothing: Json = {}
        different = {**told(self.slug, "BESIDE", nothing), **told(self.slug, of, nothing)}
        made = self._synthesis(State(self.slug, "beside", {"tags": TAGS, **common}, dict(different)))
        stack = Stack(self.account, made.stack, made.region)
        regions = sorted({HERE, made.region})
        before = {region: self._holds(region) for region in regions}
        denials = Denials(self.account.aws)
        ended = stack.create(made)
        if ended.status == "CREATE_COMPLETE":
            self.stage.said = f"{len(stack.resources())} resources"
            try:
                look(stack)
            except StepFailedError as failed:
                self.stage.findings.append(str(failed))
            self.stage.findings += denials()
        else:
            self.stage.findings.append(str(ended))
        plant(self.account, stack)
        ended = stack.delete()
        if ended.status != "DELETE_COMPLETE":
            self.stage.findings.append(str(ended))
        tidy()
        for region in regions:
            after = self._holds(region)
            self.stage.findings += [f"left behind in {region}: {name}" for name in sorted(after - before[region])]
            self.stage.findings += [f"gone from {region}: {name}" for name in sorted(before[region] - after)]

    def _holds(self, region: str) -> set[str]:
        return inventory(lambda service: self.account.client(service, region))


def another_prefix(beside: Beside) -> None:
    """Two copies in one account and Region."""
    beside.lives({"region": HERE, "prefix": "second"})


def another_region(beside: Beside) -> None:
    """The same configuration but for its Region: the same stack name, so that what is global must differ."""
    if why := told(beside.slug, "ONE_REGION", ""):
        beside.stage.said = why
        return
    beside.lives({"region": THERE})


def prescribed(beside: Beside) -> None:
    """An existing VPC, a boundary and a foreign topic."""

    def look(stack: Stack) -> None:
        kinds, own = stack.resources(), told(beside.slug, "OWN_NETWORK", ())
        for name, (kind, physical) in kinds.items():
            if kind in OF_A_NETWORK and name not in own:
                beside.stage.findings.append(f"{name} is made in an existing VPC: {kind}")
            if kind == "AWS::IAM::Role":
                role = beside.account.client("iam").get_role(RoleName=physical)["Role"]
                arn = role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn", "")
                if not arn.endswith(f"/{BOUNDARY}"):
                    beside.stage.findings.append(f"{name} has no boundary: {arn or 'none'}")
        ring(beside, stack, beside.account.id_of(TOPIC))

    beside.lives(
        {
            "region": HERE,
            "prefix": "acme",
            "vpc": VPC,
            "permissions_boundary": BOUNDARY,
            "alarm_topic_arn": TOPIC,
        },
        look,
        of="PRESCRIBED",
    )


def under_a_key(beside: Beside) -> None:
    """A customer key that allows what the README names, and nothing more."""

    def look(stack: Stack) -> None:
        topics = [physical for kind, physical in stack.resources().values() if kind == "AWS::SNS::Topic"]
        ring(beside, stack, *topics)

    beside.lives({"region": HERE, "prefix": "key", "kms_key_arn": KEY}, look)


def with_data_kept(beside: Beside) -> None:
    """What common.keep_data_on_destroy keeps is found by ``python -m stacks leftovers``, whose commands remove it."""
    kept: dict[str, str] = {}

    def look(stack: Stack) -> None:
        retained = {
            name for name, one in stack.template()["Resources"].items() if one.get("DeletionPolicy") == "Retain"
        }
        kept.update({physical: kind for name, (kind, physical) in stack.resources().items() if name in retained})
        beside.stage.said = f"{len(kept)} kept"

    def tidy() -> None:
        def clients(service: str, region: str | None = None, /) -> Any:
            return beside.account.client(service, region or HERE)

        found = list(leftovers(clients, HERE, datetime.now(UTC)))
        for physical, kind in kept.items():
            if not any(means(one.arn, physical) for one in found):
                beside.stage.findings.append(f"leftovers does not list {kind} {physical}")
        for one in found:
            if any(means(one.arn, physical) for physical in kept):
                beside.stage.findings += _run(beside.account, one.remove)
            else:
                beside.stage.findings.append(f"leftovers lists {one.arn}, which nothing has kept")

    beside.lives({"region": HERE, "prefix": "kept", "keep_data_on_destroy": True}, look, tidy=tidy)


def means(arn: str, physical: str) -> bool:
    """Whether an ARN is of what CloudFormation calls by this id: an ARN, a name, or the address of a queue."""
    name = physical.rpartition("/")[2] if "://" in physical else physical
    return arn == name or arn.endswith((f":{name}", f"/{name}"))


def _run(account: Account, command: str) -> Iterator[str]:
    path = f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"
    environment = account.aws.environment() | {"PATH": path}
    here = command.replace("aws ", f"aws --endpoint-url {account.aws.endpoint_url} ", 1)
    ended = subprocess.run(["/bin/bash", "-c", here], env=environment, capture_output=True, text=True, check=False)
    if ended.returncode:
        yield f"{command}: {ended.stderr.strip()[-200:]}"


def ring(beside: Beside, stack: Stack, *topics: str) -> None:
    """Every alarm of the stack that goes to the topics rings, and is heard."""
    watched = beside.account.client("cloudwatch")
    names = [physical for kind, physical in stack.resources().values() if kind == "AWS::CloudWatch::Alarm"]
    described = watched.describe_alarms(AlarmNames=names)["MetricAlarms"] if names else []
    alarms = [each["AlarmName"] for each in described if set(each["AlarmActions"]) & set(topics)]
    if not alarms:
        return
    sqs, sns = beside.account.client("sqs"), beside.account.client("sns")
    queue = sqs.create_queue(QueueName="heard")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    allowed = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": document([{**allowed, "Resource": arn}])})
    heard: set[str] = set()
    subscribed = [
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, ReturnSubscriptionArn=True) for topic in topics
    ]
    for name in alarms:
        for state in ("OK", "ALARM"):
            watched.set_alarm_state(AlarmName=name, StateValue=state, StateReason="it is rung")

    def all_heard() -> bool:
        for message in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", []):
            told_ = json.loads(json.loads(message["Body"])["Message"])
            heard.add(told_.get("AlarmName", ""))
        return heard >= set(alarms)

    try:
        wait_until("alarms that reach their topic", all_heard, RING_SECONDS)
        beside.stage.said += f", {len(alarms)} alarms heard"
    finally:
        sqs.delete_queue(QueueUrl=queue)
        for each in subscribed:
            sns.unsubscribe(SubscriptionArn=each["SubscriptionArn"])


def plant(account: Account, stack: Stack) -> None:
    """An object in every bucket, which must not keep the stack from going."""
    for kind, physical in stack.resources().values():
        if kind == "AWS::S3::Bucket":
            account.client("s3", stack.region).put_object(Bucket=physical, Key="planted", Body=b"planted")


STAGES: Mapping[str, Callable[[Beside], None]] = {
    "another prefix beside it": another_prefix,
    "another Region beside it": another_region,
    "VPC, boundary and topic of yours": prescribed,
    "a key of yours": under_a_key,
    "data kept, found and removed": with_data_kept,
}
