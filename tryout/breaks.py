"""Faults that are put into a template on purpose: the embedded AWS has to deny what an account would deny.

``make try BREAK=all`` deploys each, plays the scenario and succeeds if a step fails with the denial's words: what the
rules of tests/conformance catch in a template is also seen where the stack runs.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tryout.report import SolutionReport

Json = dict[str, Any]


@dataclass(frozen=True)
class Break:
    """A fault.

    Attributes:
        slug, variant: what it is put into.
        put: changes the resources of the template; raises LookupError if there is nothing to break.
        denied: what a failing step has to say.
    """

    slug: str
    variant: str
    put: Callable[[Json], None]
    denied: str


def _mute_alarms(resources: Json) -> None:
    """The topic's policy without the statement for CloudWatch: the Deny that is left replaces SNS's default policy."""
    for policy in _of_type(resources, "AWS::SNS::TopicPolicy"):
        document = policy["Properties"]["PolicyDocument"]
        document["Statement"] = [one for one in document["Statement"] if one["Effect"] == "Deny"]


def _take_permissions(resources: Json) -> None:
    """Functions that no rule may call."""
    _of_type(resources, "AWS::Lambda::Permission")
    for name in [name for name, one in resources.items() if one["Type"] == "AWS::Lambda::Permission"]:
        del resources[name]


def _close_key(resources: Json) -> None:
    """Queues with a key that lets the events of rules through, but that the roles of schedules may not use."""
    use = {"Action": ["kms:Decrypt", "kms:GenerateDataKey*"], "Effect": "Allow", "Resource": "*"}
    root = {"AWS": {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}}
    statements = [
        {"Action": "kms:*", "Effect": "Allow", "Resource": "*", "Principal": root},
        {**use, "Principal": {"Service": "events.amazonaws.com"}},
    ]
    for queue in _of_type(resources, "AWS::SQS::Queue"):
        queue["Properties"] = {
            **{name: value for name, value in queue["Properties"].items() if name != "SqsManagedSseEnabled"},
            "KmsMasterKeyId": {"Fn::GetAtt": ["PutInKey", "Arn"]},
        }
    resources["PutInKey"] = {
        "Type": "AWS::KMS::Key",
        "Properties": {"KeyPolicy": {"Version": "2012-10-17", "Statement": statements}},
    }


def _of_type(resources: Json, kind: str) -> list[Json]:
    found = [one for one in resources.values() if one["Type"] == kind]
    if not found:
        raise LookupError(f"there is no {kind} to break")
    return found


BREAKS: Mapping[str, Break] = {
    "topic-policy": Break(
        "spot_placement_tracker",
        "default",
        _mute_alarms,
        "cloudwatch.amazonaws.com is not authorized to perform: sns:Publish",
    ),
    "function-permission": Break(
        "spot_placement_tracker",
        "default",
        _take_permissions,
        "events.amazonaws.com is not authorized to perform: lambda:InvokeFunction",
    ),
    "scheduler-key": Break(
        "outposts_dashboard", "function", _close_key, "is not authorized to perform: kms:GenerateDataKey"
    ),
}


def put_in(name: str, template: Path) -> None:
    """Writes the broken template of a cloud assembly in its place."""
    body = json.loads(template.read_text(encoding="utf-8"))
    BREAKS[name].put(body["Resources"])
    template.write_text(json.dumps(body), encoding="utf-8")
    _upload_anew(template)


def _upload_anew(template: Path) -> None:
    """Gives the template another key: the CLI uploads no key that is in the bucket, as that of another fault may be."""
    manifests = [
        path for path in template.parent.glob("*.json") if path.name.endswith(("assets.json", "manifest.json"))
    ]
    new = hashlib.sha256(template.read_bytes()).hexdigest()
    for assets in [path for path in manifests if path.name.endswith("assets.json")]:
        for old, asset in json.loads(assets.read_text(encoding="utf-8"))["files"].items():
            if asset["source"].get("path") == template.name:
                for path in manifests:
                    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")


def noticed(name: str, report: SolutionReport) -> str | None:
    """The step that failed as it should, with what it said; None: the fault passed."""
    for step in report.scenario:
        if not step.ok and BREAKS[name].denied in step.detail:
            return f"{step.step}: {step.detail}"
    return None
