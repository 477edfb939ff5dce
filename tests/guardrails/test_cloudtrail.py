"""Recorded calls become requests: what an event tells, what it does not, and whose calls no policy limits."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from stacks.guardrails.cloudtrail import UnreadableEventsError, judged, read, request_of
from stacks.guardrails.judge import Json
from stacks.guardrails.settings import GuardrailSettings
from stacks.local_zone_guardrails.settings import LocalZoneGuardrailsSettings
from stacks.outposts_guardrails.settings import OutpostsGuardrailsSettings

IN_ZONE = "subnet-0123456789abcdef0"
ELSEWHERE = "subnet-0fedcba9876543210"
PLACE = "arn:aws:ec2:us-west-2:111122223333"
POSTED = LocalZoneGuardrailsSettings(subnets=(f"{PLACE}:subnet/{IN_ZONE}",))
BY_ZONE = LocalZoneGuardrailsSettings(subnet_condition="zone", snapshots="leaving-zone", zones=("us-west-2-lax-1a",))
BY_TAG = LocalZoneGuardrailsSettings.model_validate(
    {"subnet_condition": "tag", "subnet_tag": {"key": "a", "value": "b"}}
)
OUTPOSTS = OutpostsGuardrailsSettings(subnets=(f"{PLACE}:subnet/{IN_ZONE}",), subnet_condition="arn-and-id")


def event(name: str, source: str = "ec2", *, asked: Any = None, answer: Any = None, **more: Any) -> Json:
    return {
        "eventSource": f"{source}.amazonaws.com",
        "eventName": name,
        "awsRegion": "us-west-2",
        "recipientAccountId": "111122223333",
        "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/ada"},
        "requestParameters": asked,
        "responseElements": answer,
        **more,
    }


def instances(*subnets: str, zone: str = "us-west-2a") -> Json:
    items = [{"subnetId": subnet, "placement": {"availabilityZone": zone}} for subnet in subnets]
    return {"instancesSet": {"items": items}}


def decide(settings: GuardrailSettings, record: Json, management: str | None = None) -> tuple[str, tuple[str, ...]]:
    def documents(partition: str) -> list[Json]:
        return [json.loads(policy.text(partition)) for policy in settings.policies]

    calls = list(judged(documents, [record], management))
    return (calls[0].verdict.decision, calls[0].verdict.missing) if calls else ("no call", ())


@pytest.mark.parametrize(
    ("settings", "record", "decision", "missing"),
    [
        # Where the instances are, also if the launch has named no subnet
        (POSTED, event("RunInstances", asked={"subnetId": IN_ZONE}, answer=instances(IN_ZONE)), "passes", ()),
        (POSTED, event("RunInstances", asked={"subnetId": ELSEWHERE}, answer=instances(ELSEWHERE)), "denied", ()),
        (POSTED, event("RunInstances", asked={}, answer=instances(ELSEWHERE)), "denied", ()),
        (POSTED, event("RunInstances", asked={}, answer=instances(IN_ZONE, ELSEWHERE)), "denied", ()),
        (POSTED, event("RunInstances", asked={"networkInterfaceSet": [{"subnetId": IN_ZONE}]}), "passes", ()),
        (POSTED, event("RunInstances"), "may be denied", ("ec2:Subnet",)),
        (BY_ZONE, event("RunInstances", answer=instances(IN_ZONE, zone="us-west-2-lax-1a")), "passes", ()),
        (BY_ZONE, event("RunInstances", answer=instances(ELSEWHERE)), "denied", ()),
        (BY_TAG, event("RunInstances", asked={"subnetId": IN_ZONE}), "may be denied", ("aws:ResourceTag/a",)),
        # Interfaces: whether EC2 tells ec2:Subnet is not known
        (POSTED, event("CreateNetworkInterface", asked={"subnetId": ELSEWHERE}), "denied", ()),
        (POSTED, event("CreateNetworkInterface", asked={"subnetId": IN_ZONE}), "may be denied", ("ec2:Subnet",)),
        (OUTPOSTS, event("CreateNetworkInterface", asked={"subnetId": IN_ZONE}), "passes", ()),
        (OUTPOSTS, event("CreateNetworkInterface", asked={"subnetId": ELSEWHERE}), "denied", ()),
        # Snapshots: where the volume is, is not told
        (POSTED, event("CreateSnapshot", asked={"volumeId": "vol-1"}), "denied", ()),
        (BY_ZONE, event("CreateSnapshot", asked={}), "may be denied", ("ec2:SourceAvailabilityZone",)),
        (BY_ZONE, event("CreateSnapshot", asked={"location": "local"}), "passes", ()),
        (BY_ZONE, event("CreateSnapshots", asked={"CreateSnapshotsRequest": {"Location": "local"}}), "passes", ()),
        (BY_ZONE, event("CopySnapshot", asked={}), "denied", ()),
        (BY_ZONE, event("ModifySnapshotAttribute", asked={}), "may be denied", ("ec2:AvailabilityZone",)),
        (OUTPOSTS, event("CreateSnapshot", asked={"volumeId": "vol-1"}), "may be denied", ("ec2:SourceOutpostArn",)),
        (OUTPOSTS, event("CreateSnapshot", asked={"outpostArn": "arn:aws:outposts:a:1:outpost/op-1"}), "passes", ()),
        (OUTPOSTS, event("ModifySnapshotAttribute", asked={}), "may be denied", ("ec2:OutpostArn",)),
        # Objects, and services with other names
        (POSTED, event("PutObject", "s3", asked={"bucketName": "a", "key": "b"}), "denied", ()),
        (POSTED, event("CompleteMultipartUpload", "s3", asked={"bucketName": "a", "key": "b"}), "denied", ()),
        (POSTED, event("PutObject", "s3", asked={}), "may be denied", ("the resource",)),
        (POSTED, event("GetObject", "s3", asked={"bucketName": "a", "key": "b"}), "passes", ()),
        (POSTED, event("PutObject", "s3-outposts", asked={"bucketName": "a", "key": "b"}), "passes", ()),
        (POSTED, event("CreateBroker", "amazonmq"), "denied", ()),
        (POSTED, event("CreateDistribution2020_05_31", "cloudfront"), "denied", ()),
        # The tag that allows a subnet
        (BY_TAG, event("CreateTags", asked=json.loads(
            '{"resourcesSet": {"items": [{"resourceId": "subnet-1"}]}, "tagSet": {"items": [{"key": "a"}]}}'
        )), "denied", ()),
        (BY_TAG, event("CreateTags", asked=json.loads(
            '{"resourcesSet": {"items": [{"resourceId": "subnet-1"}]}, "tagSet": {"items": [{"key": "A"}]}}'
        )), "denied", ()),
        (BY_TAG, event("CreateTags", asked=json.loads(
            '{"resourcesSet": {"items": [{"resourceId": "subnet-1"}]}, "tagSet": {"items": [{"key": "c"}]}}'
        )), "passes", ()),
        (BY_TAG, event("CreateTags", asked=json.loads(
            '{"resourcesSet": {"items": [{"resourceId": "i-1"}]}, "tagSet": {"items": [{"key": "a"}]}}'
        )), "passes", ()),
        # Calls that failed, and calls of services
        (POSTED, event("CopyImage", errorCode="Client.UnauthorizedOperation"), "no call", ()),
        (POSTED, event("CopyImage", userIdentity={"type": "AWSService"}), "no call", ()),
    ],
)  # fmt: skip
def test_what_a_recorded_call_would_have_met(
    settings: GuardrailSettings, record: Json, decision: str, missing: tuple[str, ...]
) -> None:
    assert decide(settings, record) == (decision, missing)


def session(role: str | None) -> Json:
    issuer = {"sessionContext": {"sessionIssuer": {"arn": role}}} if role else {}
    return {"type": "AssumedRole", "arn": "arn:aws:sts::111122223333:assumed-role/a/b", **issuer}


@pytest.mark.parametrize(
    ("identity", "decision"),
    [
        (session("arn:aws:iam::111122223333:role/path/developer"), "denied"),
        (session("arn:aws:iam::111122223333:role/cdk-hnb659fds-cfn-exec-role-1-a"), "denied"),
        (session("arn:aws:iam::111122223333:role/AWSControlTowerExecution"), "passes"),
        (session("arn:aws:iam::111122223333:role/aws-service-role/a.amazonaws.com/AWSServiceRoleForA"), "passes"),
        (session(None), "may be denied"),
        # A federated user is exempt or not as itself, not as the user that has made its session
        (
            {
                "type": "FederatedUser",
                "arn": "arn:aws:sts::111122223333:federated-user/bob",
                "sessionContext": {"sessionIssuer": {"arn": "arn:aws:iam::111122223333:role/cdk-a"}},
            },
            "denied",
        ),
        ({"type": "Root", "arn": "arn:aws:iam::111122223333:root"}, "denied"),
        ({"type": "Root", "arn": "arn:aws:iam::999988887777:root"}, "passes"),  # of the management account
    ],
)
def test_whose_call_it_was(identity: Json, decision: str) -> None:
    assert decide(POSTED, event("CopyImage", userIdentity=identity), "999988887777")[0] == decision


def test_a_call_of_another_partition_meets_the_policies_of_that_partition() -> None:
    identity = {"type": "IAMUser", "arn": "arn:aws-cn:iam::111122223333:user/ada"}
    record = event("PutObject", "s3", asked={"bucketName": "a", "key": "b"}, userIdentity=identity)
    assert decide(POSTED, record) == ("denied", ())


def test_arns_are_of_the_partition_of_the_caller() -> None:
    record = event("RunInstances", answer=instances(IN_ZONE), userIdentity={"arn": "arn:aws-cn:iam::1:user/a"})
    request = request_of(record)
    assert request and all(arn.startswith("arn:aws-cn:ec2:") for arn in request.resources)


# Files


@pytest.mark.parametrize("form", ["trail", "gzip", "lookup", "lines", "one", "list"])
def test_files_come_in_several_forms(form: str, tmp_path: Path) -> None:
    record = event("CopyImage")
    texts = {
        "trail": json.dumps({"Records": [record]}),
        "lookup": json.dumps({"Events": [{"CloudTrailEvent": json.dumps(record)}]}),
        "lines": f"{json.dumps(record)}\n\n{json.dumps(record)}\n",
        "one": json.dumps(record),
        "list": json.dumps([record]),
    }
    path = tmp_path / "events"
    text = texts.get(form, texts["trail"])
    path.write_bytes(gzip.compress(text.encode()) if form == "gzip" else text.encode())
    assert list(read(path)) == [record] * (2 if form == "lines" else 1)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[1]", b'{"Records": [{}]}', b"\x1f\x8bnothing", b"\xff\xfe", b'"text"']
)
def test_a_file_without_events_gets_a_sentence(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "events"
    path.write_bytes(content)
    if not content:
        assert list(read(path)) == []
        return
    with pytest.raises(UnreadableEventsError, match="has no CloudTrail events"):
        list(read(path))


def test_a_missing_file_gets_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UnreadableEventsError, match="none does not exist"):
        list(read(tmp_path / "none"))


names = st.sampled_from(
    ["RunInstances", "CreateNetworkInterface", "CreateSnapshot", "CreateTags", "CopyImage", "PutObject"]
)
trees = st.recursive(
    st.none() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["subnetId", "items", "location", "key", "bucketName"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@hypothesis_settings(deadline=None)  # the first example compiles every pattern
@given(names, st.sampled_from(["ec2", "s3"]), st.dictionaries(st.sampled_from(["subnetId", "items", "key"]), trees))
def test_whatever_an_event_asks_for_there_is_a_verdict(name: str, source: str, asked: Json) -> None:
    assert decide(POSTED, event(name, source, asked=asked))[0] in ("passes", "denied", "may be denied")


SUBNETS_ONLY = LocalZoneGuardrailsSettings(
    subnets=("arn:aws:ec2:us-west-2:111122223333:subnet/subnet-0123456789abcdef0",)
)


def verdict_of(settings: GuardrailSettings, record: Json) -> str:
    documents = [json.loads(policy.text("aws")) for policy in settings.policies]
    found = list(judged(lambda _: documents, [record]))
    return found[0].verdict.decision if found else "nobody's"


@pytest.mark.parametrize("where", ["answer", "request"])
def test_every_interface_of_a_launch_is_looked_at(where: str) -> None:
    inside, outside = "subnet-0123456789abcdef0", "subnet-0fedcba9876543210"
    interfaces = {"items": [{"subnetId": inside}, {"subnetId": outside}]}
    instance: Json = {"subnetId": inside, "placement": {"availabilityZone": "us-west-2-lax-1a"}}
    record = event("RunInstances", "ec2", asked={"networkInterfaceSet": interfaces} if where == "request" else {})
    answer = {**instance, "networkInterfaceSet": interfaces} if where == "answer" else instance
    whole = {**record, "responseElements": {"instancesSet": {"items": [answer]}}}
    assert verdict_of(SUBNETS_ONLY, whole) == "denied"


@pytest.mark.parametrize(
    ("name", "service", "modern", "decision"),
    [
        ("TransactWriteItems", "dynamodb", False, "may be denied"),
        ("ExecuteStatement", "dynamodb", True, "may be denied"),
        ("BatchExecuteStatement", "dynamodb", True, "may be denied"),
        ("ExecuteStatement", "dynamodb", False, "passes"),
        ("NewClientConnection", "elasticfilesystem", False, "may be denied"),
        ("PutItem", "dynamodb", False, "denied"),
    ],
)
def test_an_event_whose_action_has_another_name_is_no_pass(
    name: str, service: str, modern: bool, decision: str
) -> None:
    assert verdict_of(LocalZoneGuardrailsSettings(modern_actions=modern), event(name, service, asked={})) == decision


def test_a_copy_within_the_region_has_no_outpost() -> None:
    record = event("CopySnapshot", "ec2", asked={"sourceSnapshotId": "snap-1"})
    assert verdict_of(OutpostsGuardrailsSettings(), record) == "passes"
    there = event("CopySnapshot", "ec2", asked={"destinationOutpostArn": "arn:aws:outposts:us-west-2:1:outpost/op-1"})
    assert verdict_of(OutpostsGuardrailsSettings(), there) == "denied"
    assert verdict_of(OutpostsGuardrailsSettings(allow_copies_to_outpost=True), there) == "passes"


def test_another_accounts_principal_is_not_limited_by_these_policies() -> None:
    record = {
        **event("PutObject", "s3", asked={"bucketName": "b"}),
        "userIdentity": {"type": "AWSAccount", "accountId": "2"},
    }
    assert verdict_of(LocalZoneGuardrailsSettings(), record) == "nobody's"
