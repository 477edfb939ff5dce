"""Calls that CloudTrail has recorded, as requests that a judge can judge. What an event does not tell stays unknown.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
"""

import gzip
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from stacks.guardrails.judge import ANY_RESOURCE, UNKNOWN, Json, OneOf, Request, Value, Verdict, judge
from stacks.shared.files import UnreadableError, read_bytes

# Event sources whose IAM prefix is another; the rest has the same.
_PREFIXES = {"amazonmq": "mq", "email": "ses", "monitoring": "cloudwatch", "opensearch": "es"}
# Ways to write an object that IAM knows as one action:
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
_PUTS = {"CompleteMultipartUpload", "CopyObject", "CreateMultipartUpload", "PostObject", "UploadPart", "UploadPartCopy"}
# Events of calls that IAM knows as other actions, of which an event does not tell which: the one that is denied.
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html
_OTHER_ACTIONS = {
    ("dynamodb", "TransactWriteItems"): "dynamodb:PutItem",
    ("dynamodb", "ExecuteStatement"): "dynamodb:PartiQLInsert",
    ("dynamodb", "BatchExecuteStatement"): "dynamodb:PartiQLInsert",
    ("dynamodb", "ExecuteTransaction"): "dynamodb:PartiQLInsert",
    ("elasticfilesystem", "NewClientConnection"): "elasticfilesystem:ClientMount",
}
_VERSION = re.compile(r"(V\d)?_?\d{4}_?\d{2}_?\d{2}$")  # CreateDistribution2020_05_31


class UnreadableEventsError(ValueError):
    """A file has no CloudTrail events; the message is meant for the user."""


class _UnknownShapeError(ValueError):
    """JSON that is not events."""


@dataclass(frozen=True)
class Call:
    """A recorded call and what the policies say to it."""

    request: Request
    verdict: Verdict
    event_id: str
    time: str


def read(path: Path) -> Iterator[dict[str, Any]]:
    """Records of a file: a trail's (``Records``, also gzipped), ``aws cloudtrail lookup-events``', or one a line.

    Raises:
        UnreadableEventsError: it is none of these.
    """
    try:
        data = read_bytes(path)
        text = (gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data).decode("utf-8")
        try:
            yield from _records(json.loads(text))
        except json.JSONDecodeError:
            for line in text.splitlines():
                yield from _records(json.loads(line)) if line.strip() else ()
    except UnreadableError as error:
        raise UnreadableEventsError(str(error)) from None
    except _UnknownShapeError as error:
        raise UnreadableEventsError(f"{path} has no CloudTrail events: {error}") from None
    except UnicodeDecodeError:
        raise UnreadableEventsError(f"{path} has no CloudTrail events: it is not UTF-8 text") from None
    except json.JSONDecodeError:
        raise UnreadableEventsError(f"{path} has no CloudTrail events: it is not JSON, nor JSON on each line") from None
    except (OSError, EOFError, ValueError) as error:
        raise UnreadableEventsError(f"{path} has no CloudTrail events: {str(error).splitlines()[0]}") from None


def _records(found: Any) -> Iterator[dict[str, Any]]:
    whole = found if isinstance(found, dict) else {"Records": found}
    items = whole.get("Records", whole.get("Events", [whole]))
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise _UnknownShapeError("it is not a list of records")
    for item in items:
        record = json.loads(item["CloudTrailEvent"]) if "CloudTrailEvent" in item else item
        if "eventSource" not in record or "eventName" not in record:
            raise _UnknownShapeError("an item has no eventSource or eventName")
        yield record


def judged(
    documents: Callable[[str], list[Json]], records: Iterable[Json], management_account: str | None = None
) -> Iterator[Call]:
    """Every call that succeeded, with its verdict.

    Args:
        documents: the policies, given the partition of a call.
    """
    for record in records:
        if request := request_of(record):
            policies = documents(_partition(record.get("userIdentity") or {}))
            verdict = judge(policies, request, management_account=management_account)
            if verdict.decision == "denied" and _event(record) in _OTHER_ACTIONS:
                verdict = replace(verdict, decision="may be denied", missing=("the action",))
            yield Call(request, verdict, str(record.get("eventID", "")), str(record.get("eventTime", "")))


def request_of(record: Json) -> Request | None:
    """The call as a request; None if it failed anyway, or was a service's own, which no policy limits."""
    identity = record.get("userIdentity") or {}
    if record.get("errorCode") or identity.get("type") in ("AWSService", "AWSAccount"):
        return None  # an AWSAccount is another account's principal, whom the policies of that one limit
    service, name = _event(record)
    action = "s3:PutObject" if service == "s3" and name in _PUTS else f"{service}:{name}"
    action = _OTHER_ACTIONS.get((service, name), action)
    return Request(action, _principal(identity), _resources(action, record, _partition(identity)))


def _event(record: Json) -> tuple[str, str]:
    source = str(record["eventSource"]).split(".")[0]
    return _PREFIXES.get(source, source), _VERSION.sub("", str(record["eventName"]))


def _principal(identity: Json) -> str | None:
    """aws:PrincipalArn: of a role's session the role, with its path; of a federated user its own.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalarn
    """
    if identity.get("type") in ("AssumedRole", "WebIdentityUser", "SAMLUser"):
        return ((identity.get("sessionContext") or {}).get("sessionIssuer") or {}).get("arn")
    return identity.get("arn")


def _partition(identity: Json) -> str:
    return str(identity.get("arn") or "arn:aws").split(":")[1]


def _resources(action: str, record: Json, partition: str) -> dict[str, dict[str, Value]]:
    place = f"arn:{partition}:ec2:{record.get('awsRegion')}:{record.get('recipientAccountId')}"
    snapshot = f"arn:{partition}:ec2:{record.get('awsRegion')}::snapshot/snap-unknown"
    asked = record.get("requestParameters") or {}
    if action == "ec2:RunInstances":
        return _launched(asked, record.get("responseElements") or {}, place)
    if action == "ec2:CreateNetworkInterface":
        made = _first(record.get("responseElements"), "availabilityZone")
        keys = _subnet_keys(_first(asked, "subnetId"), made, place)
        arn = keys.pop("ec2:Subnet")
        # AWS's list does not name ec2:Subnet for this action: it may be absent.
        interface: dict[str, Value] = {"ec2:Subnet": OneOf((None, arn)) if isinstance(arn, str) else UNKNOWN}
        return {f"{place}:network-interface/eni-unknown": interface, f"{place}:subnet/unknown": keys}
    if action in ("ec2:CreateSnapshot", "ec2:CreateSnapshots"):
        keys = {"ec2:Location": _first(asked, "location"), "ec2:OutpostArn": _first(asked, "outpostArn")}
        return {snapshot: {**keys, "ec2:SourceOutpostArn": UNKNOWN, "ec2:SourceAvailabilityZone": UNKNOWN}}
    if action == "ec2:CopySnapshot":
        return {
            snapshot: {"ec2:OutpostArn": _first(asked, "destinationOutpostArn")}
        }  # only a copy to an Outpost has it
    if action == "ec2:ModifySnapshotAttribute":
        # Of sharing AWS's list does not say the Outpost, and the event does not say the zone.
        return {snapshot: {"ec2:OutpostArn": UNKNOWN, "ec2:AvailabilityZone": UNKNOWN}}
    if action == "ec2:CreateVolume":
        return {f"{place}:volume/vol-unknown": {"ec2:AvailabilityZone": _first(asked, "zone") or UNKNOWN}}
    if action in ("ec2:CreateTags", "ec2:DeleteTags"):
        tags: dict[str, Value] = {"aws:TagKeys": tuple(map(str, _all(asked, "key")))}
        return {f"{place}:subnet/{name}": tags for name in _all(asked, "resourceId") if str(name).startswith("subnet-")}
    if action == "s3:PutObject" and (bucket := _first(asked, "bucketName")):
        return {f"arn:{partition}:s3:::{bucket}/{_first(asked, 'key') or ''}": {}}
    named = [item["ARN"] for item in record.get("resources") or [] if item.get("ARN")]
    return {arn: {} for arn in named} or {ANY_RESOURCE: {}}


def _launched(asked: Json, answer: Json, place: str) -> dict[str, dict[str, Value]]:
    """The interfaces where the instances are, and the subnets if the launch has named them."""
    made: list[tuple[Any, Any]] = []
    for item in _items(answer, "instancesSet"):
        zone = _first(item, "availabilityZone")
        interfaces = [each.get("subnetId") for each in _items(item, "networkInterfaceSet") if each.get("subnetId")]
        made += [(subnet, zone) for subnet in dict.fromkeys([item.get("subnetId"), *interfaces]) if subnet]
    named = {str(subnet) for subnet in _all(asked, "subnetId")}
    found: dict[str, dict[str, Value]] = {}
    places = made or [(subnet, None) for subnet in sorted(named)] or [(None, _first(asked, "availabilityZone"))]
    places += [(subnet, None) for subnet in sorted(named - {subnet for subnet, _ in places})]
    for number, (subnet, zone) in enumerate(places):
        keys = _subnet_keys(subnet, zone, place)
        wanted = ("ec2:Subnet", "ec2:AvailabilityZone")
        found[f"{place}:network-interface/eni-{number}"] = {key: keys[key] for key in wanted}
        if subnet in named:
            found[f"{place}:subnet/{subnet}"] = {key: value for key, value in keys.items() if key != "ec2:Subnet"}
    return found


def _subnet_keys(subnet: Any, zone: Any, place: str) -> dict[str, Value]:
    return {
        "ec2:Subnet": f"{place}:subnet/{subnet}" if subnet else UNKNOWN,
        "ec2:SubnetID": subnet or UNKNOWN,
        "ec2:AvailabilityZone": zone or UNKNOWN,
        "aws:ResourceTag/*": UNKNOWN,
    }


def _items(tree: Json, name: str) -> list[Any]:
    return (tree.get(name) or {}).get("items") or []


def _all(tree: Any, name: str) -> Iterator[Any]:
    """Values of a name anywhere below; events differ in nesting and in capitals."""
    if isinstance(tree, dict):
        for key, value in tree.items():
            if key.lower() == name.lower() and isinstance(value, str):
                yield value
            yield from _all(value, name)
    if isinstance(tree, list):
        for item in tree:
            yield from _all(item, name)


def _first(tree: Any, name: str) -> Any:
    return next(_all(tree, name), None)
