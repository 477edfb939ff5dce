"""``python -m stacks leftovers`` against the embedded AWS: what a stack has left, and what it has not."""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore import xform_name
from botocore.exceptions import ClientError
from botocore.session import Session

from emulator.client import EmbeddedAws
from emulator.services.ec2.resources import ARN_KINDS
from stacks.__main__ import main
from stacks.leftovers.kind import named_by
from stacks.leftovers.kinds import KINDS
from stacks.leftovers.listing import answer, leftovers
from stacks.leftovers.looks import DESCRIBED
from stacks.series import SOLUTIONS
from tests.answering import Answering
from tests.conformance import schemas
from tests.embedded_aws import Stack, eventually

TAGS = [{"Key": "solution", "Value": "sqs_target_scaling"}, {"Key": "project", "Value": "tried"}]
ACCOUNT = "123456789012"
NOW = datetime(2026, 3, 1, tzinfo=UTC)
TABLE = {
    "Type": "AWS::DynamoDB::Table",
    "Properties": {
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "BillingMode": "PAY_PER_REQUEST",
    },
    "DeletionPolicy": "Retain",
}
QUEUE = {"Type": "AWS::SQS::Queue", "DeletionPolicy": "Retain"}
BUCKET = {"Type": "AWS::S3::Bucket"}


def tagged(**resources: Any) -> dict[str, Any]:
    return {
        name: {**resource, "Properties": {**resource.get("Properties", {}), "Tags": TAGS}}
        for name, resource in resources.items()
    }


def found(aws: EmbeddedAws) -> dict[str, Any]:
    clients: Any = lambda service, region=None: aws.client(service)  # noqa: E731
    return {one.arn: one for one in leftovers(clients, aws.region, NOW)}


@pytest.fixture
def kept(aws: EmbeddedAws) -> Iterator[dict[str, str]]:
    """A stack with the solution's tag; what it keeps when it goes."""
    formation = aws.client("cloudformation")
    body = json.dumps({"Resources": tagged(Items=TABLE, Work=QUEUE, Files=BUCKET)})
    formation.create_stack(StackName="tried", TemplateBody=body, Tags=TAGS)

    def done() -> bool:
        return bool(formation.describe_stacks(StackName="tried")["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE")

    eventually(done, "the stack")
    resources = formation.describe_stack_resources(StackName="tried")["StackResources"]
    yield {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in resources}


def destroy(aws: EmbeddedAws) -> None:
    formation = aws.client("cloudformation")
    stack = formation.describe_stacks(StackName="tried")["Stacks"][0]["StackId"]
    formation.delete_stack(StackName="tried")

    def gone() -> bool:
        return bool(formation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"] == "DELETE_COMPLETE")

    eventually(gone, "the end of the stack")


def test_what_a_stack_has_is_no_leftover_and_what_it_kept_is(aws: EmbeddedAws, kept: dict[str, str]) -> None:
    assert found(aws) == {}
    destroy(aws)
    queue = kept["Work"].rpartition("/")[2]
    left = found(aws)
    table = f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/{kept['Items']}"
    assert set(left) == {table, f"arn:aws:sqs:us-east-1:{ACCOUNT}:{queue}"}
    assert left[table].kind == "table" and "keep_data_on_destroy" in left[table].why
    assert left[table].remove == f"aws dynamodb delete-table --table-name {kept['Items']} --region us-east-1"


(POST,) = (each.blog_url for each in SOLUTIONS if each.slug == "sqs_target_scaling")


@pytest.mark.parametrize("tags", [{}, {"team": "x"}, {"solution": "retail"}])
@pytest.mark.parametrize("description", [f"A title - {POST}", f"A title - {POST}\n", f"{POST} (team x)", "of his own"])
def test_what_a_stack_has_is_no_leftover_whatever_its_tags_and_description(
    aws: EmbeddedAws, stack: Stack, tags: dict[str, str], description: str
) -> None:
    """Who deploys with `--tags`, or an exported template in the console, gives it others, and may describe it anew.

    A table gets no tags of its stack, nor the one that says which stack it is; the template gives it ours.
    """
    stack.create(tagged(Items=TABLE, Files=BUCKET, Work=QUEUE), tags=tags, Description=description)
    assert found(aws) == {}


def test_what_a_stack_has_imported_is_no_leftover_of_the_one_that_left_it(aws: EmbeddedAws, stack: Stack) -> None:
    names = stack.create(tagged(Files=BUCKET))
    tags = [*TAGS, {"Key": "aws:cloudformation:stack-id", "Value": "arn:aws:cloudformation:us-east-1:1:stack/gone/1"}]
    aws.client("s3").put_bucket_tagging(Bucket=names["Files"], Tagging={"TagSet": tags})
    assert found(aws) == {}


def account(things: dict[str, dict[str, Any]], stacks: list[dict[str, Any]], has: list[tuple[str, str]]) -> Answering:
    """One where things have a solution's tag and are described, and each stack has the same, by type and name."""
    tagged = [
        {"ResourceARN": f"arn:aws:{arn}", "Tags": [*TAGS, *described.pop("tags", [])]}
        for arn, described in things.items()
    ]
    resources = [{"ResourceType": kind, "PhysicalResourceId": name} for kind, name in has]
    described = {
        name: {"Items": [each]}
        for arn, each in things.items()
        for name in [DESCRIBED.get(named_by(f"arn:aws:{arn}")[0], [""])[0]]
    }
    described["describe_instances"] = {"Reservations": [{"Instances": [{"InstanceId": "i-1"}]}]}
    return Answering(
        {
            "get_resources": [{"ResourceTagMappingList": tagged}],
            "describe_stacks": [{"Stacks": [{"StackId": THERE, **stack} for stack in stacks]}],
            "list_stack_resources": [{"StackResourceSummaries": resources}],
            **described,
        }
    )


THERE = f"arn:aws:cloudformation:us-east-1:{ACCOUNT}:stack/live/1"
FOREIGN: dict[str, Any] = {"StackStatus": "CREATE_COMPLETE", "Tags": [{"Key": "team", "Value": "x"}]}
OURS: dict[str, Any] = {"StackStatus": "CREATE_COMPLETE", "Tags": TAGS}
HERE = f"us-east-1:{ACCOUNT}"
OWN = [{"Key": "aws:cloudformation:stack-id", "Value": THERE}]
OF_ONE_THAT_IS_GONE = [{"Key": "aws:cloudformation:stack-id", "Value": THERE.replace("live", "gone")}]


@pytest.mark.parametrize("tags", [[], OWN, OF_ONE_THAT_IS_GONE])
@pytest.mark.parametrize(
    ("arn", "described", "kind", "ref"),
    [
        (f"ec2:{HERE}:elastic-ip/eipalloc-1", {"PublicIp": "192.0.2.1"}, "AWS::EC2::EIP", "192.0.2.1"),
        (f"ec2:{HERE}:key-pair/key-1", {"KeyName": "kp"}, "AWS::EC2::KeyPair", "kp"),
        (f"sqs:{HERE}:work", {}, "AWS::SQS::Queue", f"https://sqs.us-east-1.amazonaws.com/{ACCOUNT}/work"),
        (f"sqs:{HERE}:work", {}, "AWS::SQS::Queue", f"https://queue.amazonaws.com/{ACCOUNT}/work"),
        (f"dynamodb:{HERE}:table/items", {}, "AWS::DynamoDB::GlobalTable", "items"),
        (f"logs:{HERE}:log-group:/aws/x:*", {}, "AWS::Logs::LogGroup", "/aws/x"),
        (f"secretsmanager:{HERE}:secret:a/b-AbCdEf", {}, "AWS::SecretsManager::Secret",
         f"arn:aws:secretsmanager:{HERE}:secret:a/b-AbCdEf"),
    ],
)  # fmt: skip
def test_what_any_stack_has_is_no_leftover_by_whatever_name(
    arn: str, described: dict[str, Any], kind: str, ref: str, tags: list[dict[str, str]]
) -> None:
    described = {**described, "tags": tags}
    assert list(leftovers(account({arn: described}, [FOREIGN], [(kind, ref)]), "us-east-1", NOW)) == []


@pytest.mark.parametrize("kind", [kind for kind in KINDS if KINDS[kind].named])
@pytest.mark.parametrize("stacks", [[], [FOREIGN], [OURS]])
@pytest.mark.parametrize("tags", [[], OWN, OF_ONE_THAT_IS_GONE])
def test_what_stacks_know_by_a_name_that_may_not_be_read_has_no_command(
    kind: str, stacks: list[dict[str, Any]], tags: list[dict[str, str]]
) -> None:
    arn = arn_of(kind, "thing-1")
    there = account({arn.removeprefix("arn:aws:"): {"tags": tags}}, stacks, [("AWS::EC2::EIP", "192.0.2.1")])
    refused = ClientError({"Error": {"Code": "UnauthorizedOperation", "Message": "no"}}, "Describe")
    there.answers[DESCRIBED[kind][0]] = refused
    for one in leftovers(there, "us-east-1", NOW):
        assert not one.remove and "no stack has it" not in one.why and "is there without it" not in one.why


def test_all_pages_of_what_a_stack_has_are_read() -> None:
    things: dict[str, dict[str, Any]] = {f"dynamodb:{HERE}:table/items": {}, f"dynamodb:{HERE}:table/old": {}}
    there = account(things, [FOREIGN], [("AWS::SNS::Topic", "a")] * 100)
    last = {"ResourceType": "AWS::DynamoDB::Table", "PhysicalResourceId": "items"}
    there.answers["list_stack_resources"].append({"StackResourceSummaries": [last]})
    assert [one.arn for one in leftovers(there, "us-east-1", NOW)] == [f"arn:aws:dynamodb:{HERE}:table/old"]


@pytest.mark.parametrize("stack", [FOREIGN, OURS])
@pytest.mark.parametrize(
    ("arn", "kind", "ref"),
    [
        (f"dynamodb:{HERE}:table/items", "AWS::ECS::Cluster", "items"),
        ("s3:::files", "AWS::S3::BucketPolicy", "files"),
        (f"ecr:{HERE}:repository/team/app", "AWS::Lambda::Function", "app"),
        (f"ecr:{HERE}:repository/team/app", "AWS::ECR::Repository", "app"),
    ],
)
def test_something_of_another_type_and_the_same_name_hides_nothing(
    arn: str, kind: str, ref: str, stack: dict[str, Any]
) -> None:
    (one,) = leftovers(account({arn: {}}, [stack], [(kind, ref)]), "us-east-1", NOW)
    assert one.remove


@pytest.mark.parametrize(
    ("stack", "tags", "says"),
    [
        ({**OURS, "StackStatus": "UPDATE_IN_PROGRESS"}, OWN, "is being changed"),
        ({**OURS, "StackStatus": "UPDATE_IN_PROGRESS"}, [], "is being changed"),
        ({**OURS, "StackStatus": "UPDATE_IN_PROGRESS"}, OF_ONE_THAT_IS_GONE, "is being changed"),
        ({**FOREIGN, "StackStatus": "UPDATE_IN_PROGRESS"}, OWN, "is being changed"),
        ({**FOREIGN, "StackStatus": "UPDATE_IN_PROGRESS"}, [], "is being changed"),
        ({**OURS, "StackStatus": "UPDATE_FAILED"}, [], "has failed"),
        ({**OURS, "StackStatus": "UPDATE_ROLLBACK_FAILED"}, OWN, "has failed"),
        ({**FOREIGN, "StackStatus": "UPDATE_ROLLBACK_FAILED"}, OWN, "has failed"),
        # A stack of others may have failed for years.
        ({**FOREIGN, "StackStatus": "UPDATE_ROLLBACK_FAILED"}, [], ""),
        ({**OURS, "StackStatus": "UPDATE_COMPLETE"}, [], ""),
        ({**OURS, "StackStatus": "REVIEW_IN_PROGRESS"}, [], ""),
    ],
)
def test_what_a_stack_may_be_rolled_back_to_has_no_command(
    stack: dict[str, Any], tags: list[dict[str, str]], says: str
) -> None:
    """The new one is listed already, and the old one is there until the end of the update."""
    there = account({f"dynamodb:{HERE}:table/old": {"tags": tags}}, [stack], [("AWS::DynamoDB::Table", "new")])
    (one,) = leftovers(there, "us-east-1", NOW)
    assert (not one.remove, says in one.why) == (bool(says), True)


def test_what_is_launched_by_a_stack_that_is_known_by_its_table_only_is_no_leftover() -> None:
    things: dict[str, dict[str, Any]] = {
        f"dynamodb:{HERE}:table/items": {},
        f"ec2:{HERE}:instance/i-1": {},
        f"ec2:{HERE}:image/ami-1": {"ImageId": "ami-1"},
        f"ec2:{HERE}:snapshot/snap-1": {"SnapshotId": "snap-1"},
    }
    there = account(things, [FOREIGN], [("AWS::DynamoDB::Table", "items")])
    assert list(leftovers(there, "us-east-1", NOW)) == []


@pytest.mark.parametrize(
    ("stack", "status", "listed"),
    [
        (OURS, "CREATE_COMPLETE", 0),
        ({**OURS, "StackStatus": "ROLLBACK_COMPLETE"}, "DELETE_COMPLETE", 1),
        ({**FOREIGN, "Description": f"Stack set: x - {POST}"}, "CREATE_COMPLETE", 1),
    ],
)
def test_a_stack_that_has_nothing_hides_nothing_and_that_of_a_stack_set_neither(
    stack: dict[str, Any], status: str, listed: int
) -> None:
    there = account({f"ec2:{HERE}:image/ami-1": {"State": "available"}}, [stack], [])
    resource = {"PhysicalResourceId": "x", "ResourceType": "AWS::SNS::Topic", "ResourceStatus": status}
    there.answers["list_stack_resources"] = [{"StackResourceSummaries": [resource]}]
    assert len(list(leftovers(there, "us-east-1", NOW))) == listed


def test_the_command_for_a_versioned_bucket_empties_it_of_versions_and_markers(aws: EmbeddedAws, stack: Stack) -> None:
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="kept")
    s3.put_bucket_tagging(Bucket="kept", Tagging={"TagSet": TAGS})
    s3.put_bucket_versioning(Bucket="kept", VersioningConfiguration={"Status": "Enabled"})
    for body in (b"old", b"new"):
        s3.put_object(Bucket="kept", Key="file", Body=body)
    s3.delete_object(Bucket="kept", Key="file")
    (left,) = found(aws).values()
    here = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    subprocess.run(["/bin/bash", "-c", left.remove], env=aws.environment() | here, check=True)
    assert s3.list_buckets()["Buckets"] == []


def test_another_tag_is_another_s_and_what_ends_already_is_not_listed(aws: EmbeddedAws, stack: Stack) -> None:
    aws.client("sqs").create_queue(QueueName="other", tags={"solution": "another-app"})
    key = aws.client("kms").create_key(Tags=[{"TagKey": "solution", "TagValue": "nitro_attestation"}])
    arn = key["KeyMetadata"]["Arn"]
    assert [one.bills for one in found(aws).values()] == ["kms_key_month"]
    assert set(found(aws)) == {arn}
    aws.client("kms").schedule_key_deletion(KeyId=arn, PendingWindowInDays=7)
    assert found(aws) == {}


def test_what_parts_of_a_stack_make_is_left_when_it_is_gone(aws: EmbeddedAws, kept: dict[str, str]) -> None:
    ec2 = aws.client("ec2")
    volume = ec2.create_volume(AvailabilityZone="us-east-1a", Size=1)["VolumeId"]
    tags = [{"ResourceType": "snapshot", "Tags": TAGS}]
    snapshot = ec2.create_snapshot(VolumeId=volume, TagSpecifications=tags)["SnapshotId"]
    assert found(aws) == {}
    destroy(aws)
    (left,) = (one for one in found(aws).values() if one.kind == "snapshot")
    assert left.remove == f"aws ec2 delete-snapshot --snapshot-id {snapshot} --region us-east-1"
    ec2.delete_snapshot(SnapshotId=snapshot)
    assert "snapshot" not in {one.kind for one in found(aws).values()}


def test_the_command_prints_what_to_do_and_ends_with_one(
    aws: EmbeddedAws, kept: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in aws.variables().items():
        monkeypatch.setenv(name, value)
    assert main(["leftovers", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []
    destroy(aws)
    assert main(["leftovers", "--region", "us-east-1", "--region", "eu-central-1"]) == 1
    said = capsys.readouterr().out
    assert f"aws dynamodb delete-table --table-name {kept['Items']} --region us-east-1" in said
    assert "2 left in us-east-1, eu-central-1; nothing was changed" in said and "IAM roles" in said
    assert "recovery window, may still be listed: run it again." in " ".join(said.split())


def test_without_credentials_it_says_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Any
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    config = tmp_path / "config.yaml"  # whose solutions are not asked for
    config.write_text("solutions: {gpu_monitoring: {nonsense: 1}}\n", encoding="utf-8")
    assert main(["leftovers", "--region", "us-east-1", "--config", str(config)]) == 1
    assert capsys.readouterr().err == "Unable to locate credentials; check your AWS profile, Region and network\n"


def test_an_endpoint_that_is_gone_is_not_listed_although_the_tagging_api_knows_it(aws: EmbeddedAws) -> None:
    ec2 = aws.client("ec2")
    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    tags = [{"ResourceType": "instance-connect-endpoint", "Tags": TAGS}]
    made = ec2.create_instance_connect_endpoint(SubnetId=subnet, TagSpecifications=tags)["InstanceConnectEndpoint"]
    assert [one.kind for one in found(aws).values()] == ["ec2:instance-connect-endpoint"]
    ec2.delete_instance_connect_endpoint(InstanceConnectEndpointId=made["InstanceConnectEndpointId"])
    known = aws.client("resourcegroupstaggingapi").get_resources()["ResourceTagMappingList"]
    assert made["InstanceConnectEndpointArn"] in {each["ResourceARN"] for each in known}
    assert found(aws) == {}


def test_everything_that_the_embedded_ec2_makes_is_looked_at() -> None:
    assert {f"ec2:{kind}" for kind in ARN_KINDS.values()} - set(DESCRIBED) == set()


@pytest.mark.parametrize(("kind", "how"), DESCRIBED.items())
def test_every_look_is_a_call_of_ec2(kind: str, how: tuple[str, str]) -> None:
    ec2 = boto3.client("ec2", region_name="us-east-1")
    operation = ec2.meta.service_model.operation_model(ec2.meta.method_to_api_mapping[how[0]])
    assert operation.input_shape.members[how[1]].type_name == "list", kind


@pytest.mark.parametrize(
    ("kind", "answered", "listed"),
    [
        ("instance-connect-endpoint", {"InstanceConnectEndpoints": [{"State": "delete-complete"}]}, 0),
        ("instance-connect-endpoint", {"InstanceConnectEndpoints": [{"State": "delete-failed"}]}, 1),
        ("local-gateway-route-table", {"LocalGatewayRouteTables": [{"State": "deleted"}]}, 0),
        ("local-gateway-virtual-interface", {"LocalGatewayVirtualInterfaces": [{"ConfigurationState": "deleted"}]}, 0),
        ("local-gateway-virtual-interface", {"LocalGatewayVirtualInterfaces": [{"ConfigurationState": "pending"}]}, 1),
        ("replace-root-volume-task", {"ReplaceRootVolumeTasks": [{"TaskState": "succeeded"}]}, 0),
        ("replace-root-volume-task", {"ReplaceRootVolumeTasks": [{"TaskState": "in-progress"}]}, 1),
        *[
            ("spot-instances-request", {"SpotInstanceRequests": [{"State": state}]}, listed)
            for state, listed in (
                *dict.fromkeys(("open", "active", "disabled"), 1).items(),
                *dict.fromkeys(("closed", "cancelled", "failed"), 0).items(),
            )
        ],
        *[
            ("capacity-reservation", {"CapacityReservations": [{"State": state}]}, listed)
            for state, listed in (
                *dict.fromkeys(("active", "pending", "scheduled", "assessing", "delayed", "cancelling"), 1).items(),
                *dict.fromkeys(("expired", "cancelled", "failed", "payment-failed", "unsupported"), 0).items(),
            )
        ],
        ("natgateway", {"NatGateways": [{"State": "failed"}]}, 0),
        ("natgateway", {"NatGateways": [{"State": "available"}]}, 1),
        ("image", {"Images": [{"State": "deregistered"}]}, 0),
        ("image", {"Images": [{"State": "failed"}]}, 1),
        ("vpc-endpoint", {"VpcEndpoints": [{"State": "Deleted"}]}, 0),
        ("vpc-endpoint", {"VpcEndpoints": [{"State": "available"}]}, 1),
        ("coip-pool", {"CoipPools": [{"PoolId": "ipv4pool-coip-1"}]}, 1),
        ("vpc-flow-log", {"FlowLogs": []}, 0),
    ],
)
def test_what_ec2_still_shows_is_listed_by_its_state(kind: str, answered: dict[str, Any], listed: int) -> None:
    account = answering(f"arn:aws:ec2:us-east-1:{ACCOUNT}:{kind}/x-1", "")
    account.answers[DESCRIBED[f"ec2:{kind}"][0]] = answered
    assert len(list(leftovers(account, "us-east-1", NOW))) == listed


KEY = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/1"
IMAGE = f"arn:aws:ec2:us-east-1:{ACCOUNT}:image/ami-1"
VOLUME = f"arn:aws:ec2:us-east-1:{ACCOUNT}:volume/vol-1"


def answering(arn: str, code: str) -> Answering:
    """An account where the tagging API knows one ARN, and whoever is asked for the resource answers with an error."""
    refused = ClientError({"Error": {"Code": code, "Message": "no"}}, "Describe")
    return Answering(
        {
            "get_resources": [{"ResourceTagMappingList": [{"ResourceARN": arn, "Tags": TAGS}]}],
            "describe_stacks": [{"Stacks": []}],
            **dict.fromkeys(("describe_key", "describe_images", "describe_volumes"), refused),
        }
    )


@pytest.mark.parametrize(
    ("arn", "code", "listed"),
    [
        (KEY, "NotFoundException", []),
        (KEY, "AccessDeniedException", [KEY]),
        (IMAGE, "InvalidAMIID.NotFound", []),
        (IMAGE, "InvalidAMIID.Unavailable", []),
        (VOLUME, "UnauthorizedOperation", [VOLUME]),
    ],
)
def test_what_is_gone_or_may_not_be_looked_at_does_not_stop_the_command(arn: str, code: str, listed: list[str]) -> None:
    assert [one.arn for one in leftovers(answering(arn, code), "us-east-1", NOW)] == listed


def test_an_error_that_says_neither_ends_the_command() -> None:
    with pytest.raises(ClientError, match="RequestLimitExceeded"):
        list(leftovers(answering(VOLUME, "RequestLimitExceeded"), "us-east-1", NOW))


def test_a_key_pair_of_a_stack_that_is_there_is_not_listed() -> None:
    # Its Ref is the pair's name, which its ARN does not have: it has the id.
    pair = f"arn:aws:ec2:us-east-1:{ACCOUNT}:key-pair/key-0123456789abcdef0"
    account = answering(pair, "")
    account.answers["describe_key_pairs"] = {"KeyPairs": [{"KeyPairId": "key-0123456789abcdef0", "KeyName": "Key-AbC"}]}
    stack = {"StackId": "arn:stack/tried/1", "StackStatus": "CREATE_COMPLETE", "Tags": TAGS}
    account.answers["describe_stacks"] = [{"Stacks": [stack]}]
    account.answers["list_stack_resources"] = [
        {"StackResourceSummaries": [{"PhysicalResourceId": "Key-AbC", "ResourceType": "AWS::EC2::KeyPair"}]}
    ]
    assert list(leftovers(account, "us-east-1", NOW)) == []
    account.answers["describe_stacks"] = [{"Stacks": []}]
    (left,) = leftovers(account, "us-east-1", NOW)
    assert left.remove == "aws ec2 delete-key-pair --key-pair-id key-0123456789abcdef0 --region us-east-1"


@pytest.mark.parametrize(
    ("arn", "expected"),
    [
        ("arn:aws:s3:::files", ("s3", "files")),
        ("arn:aws-cn:sqs:cn-north-1:1:work", ("sqs", "work")),
        ("arn:aws:logs:us-east-1:1:log-group:/aws/vendedlogs/x:*", ("logs:log-group", "/aws/vendedlogs/x")),
        ("arn:aws:ec2:us-east-1:1:snapshot/snap-1", ("ec2:snapshot", "snap-1")),
        ("arn:aws:imagebuilder:us-east-1:1:image/web/1.0.0/1", ("imagebuilder:image", "web/1.0.0/1")),
        ("arn:aws:secretsmanager:us-east-1:1:secret:app/one-AbCdEf", ("secretsmanager:secret", "app/one-AbCdEf")),
    ],
)
def test_kind_and_name_of_an_arn(arn: str, expected: tuple[str, str]) -> None:
    assert named_by(arn) == expected


@pytest.mark.parametrize(
    ("holder", "held"),
    [
        # https://docs.aws.amazon.com/imagebuilder/latest/APIReference/API_DeleteComponent.html
        ("imagebuilder:image-recipe", "imagebuilder:component"),
        ("imagebuilder:container-recipe", "imagebuilder:component"),
        # https://docs.aws.amazon.com/imagebuilder/latest/APIReference/API_DeleteImage.html
        ("imagebuilder:image-recipe", "imagebuilder:image"),
        # https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ReleaseAddress.html
        ("ec2:natgateway", "ec2:elastic-ip"),
        ("ec2:instance", "ec2:elastic-ip"),
        # https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteSnapshot.html
        ("ec2:image", "ec2:snapshot"),
        # https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteVolume.html
        ("ec2:instance", "ec2:volume"),
        ("lambda:function", "logs:log-group"),
    ],
)
def test_what_others_hold_is_removed_behind_them(holder: str, held: str) -> None:
    """Wherever their ARNs stand in the alphabet; the table and the JSON have the order of the commands."""
    arns = [arn_of(kind, "x") for kind in (holder, held)]
    account = answering("", "")
    tagged_ = [{"ResourceARN": arn, "Tags": TAGS} for arn in sorted(arns)]
    account.answers["get_resources"] = [{"ResourceTagMappingList": tagged_}]
    account.answers |= {
        DESCRIBED[kind][0]: {"Items": [{"Described": True}]} for kind in (holder, held) if kind in DESCRIBED
    }
    said = answer(account, ["us-east-1"], NOW)
    assert [row[2] for row in said.rows] == [one["arn"] for one in said.data] == arns
    assert said.lines == [KINDS[kind].command(arn_of(kind, "x"), "us-east-1") for kind in (holder, held)]


def test_the_commands_run_from_top_to_bottom(aws: EmbeddedAws, stack: Stack) -> None:
    """A NAT gateway with its address, and a disabled image with its snapshot: a command that fails ends the rest."""
    ec2 = aws.client("ec2")
    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    gateway = ec2.create_nat_gateway(SubnetId=subnet, AllocationId=address)["NatGateway"]["NatGatewayId"]
    image = ec2.register_image(Name="gold", RootDeviceName="/dev/sda1")["ImageId"]
    (registered,) = ec2.describe_images(ImageIds=[image])["Images"]
    snapshot = registered["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"]
    ec2.disable_image(ImageId=image)
    ec2.create_tags(Resources=[address, gateway, image, snapshot], Tags=TAGS)
    clients: Any = lambda service, region=None: aws.client(service)  # noqa: E731
    said = answer(clients, [aws.region], NOW)
    assert {row[1] for row in said.rows} == {"NAT gateway", "Elastic IP address", "AMI", "snapshot"}
    here = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    script = "\n".join(["set -e", *said.lines])
    subprocess.run(["/bin/bash", "-c", script], env=aws.environment() | here, check=True)
    assert found(aws) == {}


def test_a_snapshot_of_an_image_that_is_left_goes_with_it(aws: EmbeddedAws, stack: Stack) -> None:
    ec2 = aws.client("ec2")
    image = ec2.register_image(Name="gold", RootDeviceName="/dev/sda1")["ImageId"]
    (registered,) = ec2.describe_images(ImageIds=[image])["Images"]
    snapshot = registered["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"]
    ec2.create_tags(Resources=[snapshot], Tags=TAGS)
    (alone,) = found(aws).values()
    assert alone.remove == f"aws ec2 delete-snapshot --snapshot-id {snapshot} --region us-east-1"
    ec2.create_tags(Resources=[image], Tags=TAGS)
    _, with_it = found(aws).values()
    assert (with_it.kind, with_it.remove) == ("snapshot", "") and with_it.why.endswith(f"; goes with {image}")


def test_a_volume_that_its_instance_deletes_goes_with_it(aws: EmbeddedAws, stack: Stack) -> None:
    """Launch templates tag both; a command for the volume would find none, and end the rest."""
    ec2 = aws.client("ec2")
    image = ec2.register_image(Name="web", RootDeviceName="/dev/sda1")["ImageId"]
    tags: Any = [{"ResourceType": kind, "Tags": TAGS} for kind in ("instance", "volume")]
    (launched,) = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1, TagSpecifications=tags)["Instances"]
    _, volume = found(aws).values()
    assert (volume.kind, volume.remove) == ("volume", "") and volume.why.endswith(
        f"; goes with {launched['InstanceId']}"
    )
    assert "kept with common.keep_data_on_destroy" in volume.why
    clients: Any = lambda service, region=None: aws.client(service)  # noqa: E731
    said = answer(clients, [aws.region], NOW)
    here = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    script = "\n".join(["set -e", *said.lines])
    subprocess.run(["/bin/bash", "-c", script], env=aws.environment() | here, check=True)
    assert found(aws) == {}


@pytest.mark.parametrize(("deleted", "commands"), [(True, 1), (False, 2)])
def test_a_volume_that_outlives_its_instance_has_a_command_of_its_own(deleted: bool, commands: int) -> None:
    arns = [arn_of("ec2:instance", "i-1"), arn_of("ec2:volume", "vol-1")]
    account = answering("", "")
    account.answers["get_resources"] = [
        {"ResourceTagMappingList": [{"ResourceARN": arn, "Tags": TAGS} for arn in arns]}
    ]
    ebs = {"VolumeId": "vol-1", "DeleteOnTermination": deleted}
    instance = {"State": {"Name": "running"}, "BlockDeviceMappings": [{"DeviceName": "/dev/sdf", "Ebs": ebs}]}
    account.answers["describe_instances"] = {"Reservations": [{"Instances": [instance]}]}
    account.answers["describe_volumes"] = {"Volumes": [{"State": "in-use"}]}
    assert len(answer(account, ["us-east-1"], NOW).lines) == commands


def test_an_address_of_a_local_zone_is_released_by_its_network_border_group() -> None:
    """hashicorp/terraform-provider-aws#16724 and ekristen/aws-nuke#371: without it, EC2 knows no such address."""
    account = answering(arn_of("ec2:elastic-ip", "eipalloc-1"), "")
    account.answers["describe_addresses"] = {"Addresses": [{"NetworkBorderGroup": "us-west-2-lax-1"}]}
    assert answer(account, ["us-west-2"], NOW).lines == [
        "aws ec2 release-address --allocation-id eipalloc-1 --network-border-group us-west-2-lax-1 --region us-west-2"
    ]


def test_a_disabled_image_is_left_too(aws: EmbeddedAws, stack: Stack) -> None:
    """https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/disable-an-ami.html: its snapshots bill, and stay."""
    ec2 = aws.client("ec2")
    image = ec2.register_image(Name="gold", RootDeviceName="/dev/sda1")["ImageId"]
    ec2.create_tags(Resources=[image], Tags=TAGS)
    ec2.disable_image(ImageId=image)
    assert [one.kind for one in found(aws).values()] == ["AMI"]
    ec2.deregister_image(ImageId=image)
    assert found(aws) == {}


@pytest.mark.parametrize("kind", [kind for kind, what in KINDS.items() if what.remove.startswith("aws ")])
def test_the_cli_knows_the_command_and_its_parameters(kind: str) -> None:
    shown = {**dict.fromkeys(KINDS[kind].named_too, "x"), "State": "in-use"}
    for command in KINDS[kind].command(arn_of(kind, "x"), "us-east-1", shown).split(" && "):
        _, service, verb, *options = shlex.split(command)
        if verb == "wait":
            # https://docs.aws.amazon.com/cli/latest/reference/ec2/wait/
            waiters = Session().get_waiter_model(service)
            waited = options.pop(0)
            name = next(name for name in waiters.waiter_names if xform_name(name, "-") == waited)
            verb = xform_name(waiters.get_waiter(name).operation, "-")
        model = Session().get_service_model(service)
        shape = next(
            model.operation_model(name).input_shape for name in model.operation_names if xform_name(name, "-") == verb
        )
        members = {xform_name(name, "-") for name in shape.members}
        given = {option.removeprefix("--") for option in options if option.startswith("--")} - {"region"}
        required = {xform_name(name, "-") for name in shape.required_members}
        assert given and required <= given <= members


def test_every_kind_with_a_command_says_by_which_types_a_stack_has_it() -> None:
    """But images and snapshots, which no stack has: CloudFormation knows no such type."""
    assert {of for of, kind in KINDS.items() if not kind.types} == {"ec2:image", "ec2:snapshot"}
    assert {each for kind in KINDS.values() for each in kind.types} <= schemas.types("us-east-1")


def test_every_command_names_what_it_removes() -> None:
    for kind, what in KINDS.items():
        assert "a b'" in what.command(arn_of(kind, "a b"), "us-east-1"), kind


def arn_of(kind: str, name: str) -> str:
    service, _, part = kind.partition(":")
    return f"arn:aws:{service}:us-east-1:{ACCOUNT}:" + (f"{part}/{name}" if part else name)
