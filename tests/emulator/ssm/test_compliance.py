"""The models of managed nodes, of Compliance and of the public Windows images."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from emulator.client import EmbeddedAws
from emulator.fullmodel.full_model import judge
from tests.emulator.iam.test_authorization import DENIED, Role

TYPE = "Custom:Tried"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
CORE = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"
WINDOWS = "/aws/service/ami-windows-latest/Windows_Server-2022-English-Full-Base"
TPM = "/aws/service/ami-windows-latest/TPM-Windows_Server-2022-English-Full-Base"


class Nodes:
    """Instances whose role has one managed policy, or none at all."""

    def __init__(self, aws: EmbeddedAws) -> None:
        self.aws, self.ec2, self.ssm = aws, aws.client("ec2"), aws.client("ssm")

    def profile(self, name: str, *policies: str) -> str:
        iam = self.aws.client("iam")
        trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)
        for policy in policies:
            iam.attach_role_policy(RoleName=name, PolicyArn=policy)
        made = iam.create_instance_profile(InstanceProfileName=name)["InstanceProfile"]["Arn"]
        iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=name)
        return str(made)

    def launch(self, profile: str | None, image: str = "ami-12345678") -> str:
        more: dict[str, Any] = {"IamInstanceProfile": {"Arn": profile}} if profile else {}
        launched = self.ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1, InstanceType="t3.medium", **more)
        return str(launched["Instances"][0]["InstanceId"])

    def image(self, parameter: str) -> str:
        return str(self.ssm.get_parameter(Name=parameter)["Parameter"]["Value"])

    def put(self, resource: str, *items: dict[str, Any], hours: float = 0, kind: str = TYPE, **more: Any) -> None:
        summary = {"ExecutionTime": NOW + timedelta(hours=hours), "ExecutionType": "Command"}
        asked = {"ResourceId": resource, "ResourceType": "ManagedInstance", "ComplianceType": kind, "Items": [*items]}
        self.ssm.put_compliance_items(**(asked | {"ExecutionSummary": summary} | more))

    def items(self, resource: str) -> dict[str, str]:
        found = self.ssm.list_compliance_items(ResourceIds=[resource], ResourceTypes=["ManagedInstance"])
        return {item["Id"]: item["Status"] for item in found["ComplianceItems"]}


def item(name: str = "one", status: str = "COMPLIANT", **more: Any) -> dict[str, Any]:
    return {"Id": name, "Severity": "HIGH", "Status": status, **more}


@pytest.fixture
def nodes(aws: EmbeddedAws) -> Nodes:
    return Nodes(aws)


@pytest.fixture
def node(nodes: Nodes) -> str:
    return nodes.launch(nodes.profile("managed", CORE))


# Managed nodes


def test_a_node_is_an_instance_whose_role_lets_its_agent_report(nodes: Nodes, node: str) -> None:
    nodes.launch(nodes.profile("other", "arn:aws:iam::aws:policy/CloudWatchAgentServerPolicy"))
    nodes.launch(None)
    windows = nodes.launch(nodes.profile("windows", CORE), nodes.image(WINDOWS))
    found = nodes.ssm.describe_instance_information()["InstanceInformationList"]
    assert {one["InstanceId"]: one["PlatformType"] for one in found} == {node: "Linux", windows: "Windows"}
    assert all(one["PingStatus"] == "Online" and one["AgentVersion"].startswith("3.") for one in found)


def test_a_stopped_node_has_lost_its_connection_and_a_terminated_one_is_none(nodes: Nodes, node: str) -> None:
    nodes.ec2.stop_instances(InstanceIds=[node])
    (found,) = nodes.ssm.describe_instance_information()["InstanceInformationList"]
    assert found["PingStatus"] == "ConnectionLost"
    online = [{"Key": "PingStatus", "Values": ["Online"]}]
    assert nodes.ssm.describe_instance_information(Filters=online)["InstanceInformationList"] == []
    nodes.ec2.terminate_instances(InstanceIds=[node])
    assert nodes.ssm.describe_instance_information()["InstanceInformationList"] == []


def test_nodes_come_in_pages_and_a_filter_that_is_not_known_is_refused(nodes: Nodes) -> None:
    profile = nodes.profile("managed", CORE)
    launched = {nodes.launch(profile) for _ in range(7)}
    pages = list(
        nodes.ssm.get_paginator("describe_instance_information").paginate(PaginationConfig={"PageSize": 5})
    )  # fmt: skip
    assert [len(page["InstanceInformationList"]) for page in pages] == [5, 2]
    assert {one["InstanceId"] for page in pages for one in page["InstanceInformationList"]} == launched
    with pytest.raises(ClientError, match="InvalidFilterKey"):
        nodes.ssm.describe_instance_information(Filters=[{"Key": "Colour", "Values": ["red"]}])


# Compliance: https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutComplianceItems.html


def test_complete_replaces_and_partial_adds(nodes: Nodes, node: str) -> None:
    nodes.put(node, item("one"), item("two", "NON_COMPLIANT"))
    nodes.put(node, item("three"), hours=1)
    assert nodes.items(node) == {"three": "COMPLIANT"}
    nodes.put(node, item("four", "NON_COMPLIANT"), hours=2, UploadType="PARTIAL")
    assert nodes.items(node) == {"three": "COMPLIANT", "four": "NON_COMPLIANT"}


def test_an_older_execution_is_dropped_and_an_equal_hash_changes_nothing(nodes: Nodes, node: str) -> None:
    nodes.put(node, item("now"), hours=1, ItemContentHash="a")
    nodes.put(node, item("before"))
    nodes.put(node, item("same"), hours=2, ItemContentHash="a")
    assert nodes.items(node) == {"now": "COMPLIANT"}
    nodes.put(node, item("other"), hours=3, ItemContentHash="b")
    assert nodes.items(node) == {"other": "COMPLIANT"}


def test_a_summary_has_the_worst_status_and_the_time_and_filters_by_type(nodes: Nodes, node: str) -> None:
    nodes.put(node, item("one"), item("two", "NON_COMPLIANT"))
    nodes.put(node, item("one"), kind="Custom:Other")
    asked = [{"Key": "ComplianceType", "Values": [TYPE], "Type": "EQUAL"}]
    (found,) = nodes.ssm.list_resource_compliance_summaries(Filters=asked)["ResourceComplianceSummaryItems"]
    assert (found["ResourceId"], found["Status"]) == (node, "NON_COMPLIANT")
    assert found["ExecutionSummary"]["ExecutionTime"] == NOW
    counts = found["CompliantSummary"]["CompliantCount"], found["NonCompliantSummary"]["NonCompliantCount"]
    assert counts == (1, 1)
    assert len(nodes.ssm.list_resource_compliance_summaries()["ResourceComplianceSummaryItems"]) == 2


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"ComplianceType": "Custom:Credential-Guard"}, "ValidationException"),
        ({"ComplianceType": "CredentialGuard!"}, "ValidationException"),
        ({"ResourceType": "Instance"}, "InvalidResourceType"),
        ({"ResourceId": "i-0123456789abcdef0"}, "InvalidResourceId"),
        ({"Items": [item(status="UNKNOWN")]}, "ValidationException"),
        ({"Items": [item() | {"Severity": "BAD"}]}, "ValidationException"),
        ({"Items": [item(Title="a" * 501)]}, "ValidationException"),
        ({"Items": [item(Details={"a" * 65: "b"})]}, "ValidationException"),
        ({"Items": [item(Details={"a": "b" * 4097})]}, "ValidationException"),
    ],
)
def test_what_aws_refuses_is_refused(nodes: Nodes, node: str, changed: dict[str, Any], error: str) -> None:
    nodes.ssm.meta.events.unregister("before-parameter-build", judge)  # a client of somebody else
    with pytest.raises(ClientError, match=error):
        nodes.put(node, item(), **changed)
    assert nodes.items(node) == {}


def test_a_node_has_ten_custom_types_at_most(nodes: Nodes, node: str) -> None:
    for number in range(10):
        nodes.put(node, item(), kind=f"Custom:Type{number}")
    nodes.put(node, item(), kind="Custom:Type0", hours=1)
    with pytest.raises(ClientError, match="ComplianceTypeCountLimitExceeded"):
        nodes.put(node, item(), kind="Custom:Type10")


def test_items_are_listed_of_one_resource_at_a_time(nodes: Nodes, node: str) -> None:
    with pytest.raises(ClientError, match="ValidationException"):
        nodes.ssm.list_compliance_items(ResourceIds=[node, node], ResourceTypes=["ManagedInstance"])


def test_putting_is_judged_by_the_role(aws: EmbeddedAws, nodes: Nodes, node: str) -> None:
    nodes.ssm = Role(aws, {"Action": "ssm:ListComplianceItems"}).client("ssm")
    with pytest.raises(ClientError, match=DENIED):
        nodes.put(node, item())


# Images: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Image.html


@pytest.mark.parametrize(("parameter", "mode", "tpm"), [(TPM, "uefi", "v2.0"), (WINDOWS, None, None)])
def test_a_windows_image_says_how_it_boots_and_so_does_its_instance(
    nodes: Nodes, parameter: str, mode: str | None, tpm: str | None
) -> None:
    image_id = nodes.image(parameter)
    (image,) = nodes.ec2.describe_images(ImageIds=[image_id])["Images"]
    assert (image["Platform"], image["RootDeviceName"], image["Architecture"]) == ("windows", "/dev/sda1", "x86_64")
    assert (image.get("BootMode"), image.get("TpmSupport")) == (mode, tpm)
    launched = nodes.launch(None, image_id)
    (instance,) = nodes.ec2.describe_instances(InstanceIds=[launched])["Reservations"][0]["Instances"]
    assert instance["Platform"] == "windows"
    assert (instance.get("CurrentInstanceBootMode"), instance.get("TpmSupport")) == (mode, tpm)


def test_an_image_that_nobody_has_named_is_not_found_beside_one_that_was(nodes: Nodes) -> None:
    with pytest.raises(ClientError, match="InvalidAMIID"):
        nodes.ec2.describe_images(ImageIds=[nodes.image(TPM), "ami-0123456789abcdef0"])
