"""The models of State Manager and of the agent, IAM on instance profiles, and the control endpoints beside them."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from emulator.client import EmbeddedAws
from tests.embedded_aws import Stack
from tests.emulator.iam.test_authorization import DENIED, Role
from tryout.hosts.cloudwatch_agent import publish
from tryout.hosts.managed import run_once

PACKAGE, AGENT = "AWS-ConfigureAWSPackage", "AmazonCloudWatch-ManageAgent"
TAG = {"Key": "agent", "Value": "yes"}
WINDOWS = "/aws/service/ami-windows-latest/Windows_Server-2022-English-Full-Base"
CONFIGURATION = {
    "metrics": {
        "append_dimensions": {"InstanceId": "${aws:InstanceId}", "ImageId": "${aws:ImageId}"},
        "aggregation_dimensions": [["InstanceId"], ["InstanceId", "index"], ["AutoScalingGroupName"]],
        "metrics_collected": {"mem": {"measurement": ["used_percent"]}, "nvidia_gpu": {"measurement": ["power_draw"]}},
    }
}


def step(title: str, document: str, system: str | None = None, /, **parameters: str) -> dict[str, Any]:
    inputs = {"documentType": "SSMDocument", "documentPath": document, "documentParameters": parameters}
    found = {"name": title, "action": "aws:runDocument", "onFailure": "exit", "inputs": inputs}
    return {**found, "precondition": {"StringEquals": ["platformType", system]}} if system else found


INSTALL = step("Install", PACKAGE, action="Install", name="AmazonCloudWatchAgent")
CONFIGURE = step("Configure", AGENT, "Linux", optionalConfigurationLocation="AmazonCloudWatch-tried")


class Fleet:
    """An association by tag on a document, and a profile that may read its parameter."""

    def __init__(self, aws: EmbeddedAws, *steps: dict[str, Any]) -> None:
        self.aws, self.ec2, iam = aws, aws.client("ec2"), aws.client("iam")
        trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        iam.create_role(RoleName="agent", AssumeRolePolicyDocument=document)
        iam.attach_role_policy(RoleName="agent", PolicyArn="arn:aws:iam::aws:policy/CloudWatchAgentServerPolicy")
        reports = {"Effect": "Allow", "Action": "ssm:UpdateInstanceInformation", "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [reports]})
        iam.put_role_policy(RoleName="agent", PolicyName="reports", PolicyDocument=policy)
        self.profile = iam.create_instance_profile(InstanceProfileName="agent")["InstanceProfile"]["Arn"]
        iam.add_role_to_instance_profile(InstanceProfileName="agent", RoleName="agent")
        value = json.dumps(CONFIGURATION)
        aws.client("ssm").put_parameter(Name="AmazonCloudWatch-tried", Type="String", Value=value)
        content = {"schemaVersion": "2.2", "mainSteps": list(steps)}
        resources = {
            "Document": {"Type": "AWS::SSM::Document", "Properties": {"DocumentType": "Command", "Content": content}},
            "Association": {
                "Type": "AWS::SSM::Association",
                "Properties": {
                    "Name": {"Ref": "Document"},
                    "Targets": [{"Key": f"tag:{TAG['Key']}", "Values": [TAG["Value"]]}],
                },
            },
        }
        self.stack = Stack(aws)
        association_id = {"Id": {"Value": {"Fn::GetAtt": ["Association", "AssociationId"]}}}
        self.association = self.stack.create(resources, Outputs=association_id)["Association"]

    def apply(self) -> dict[str, dict[str, str]]:
        return run_once(self.aws.client("ssm"), self.association)

    def install_drivers(self, *instances: str) -> None:
        self.aws.control("nvidia-drivers", account=self.aws.account, region=self.aws.region, instances=instances)

    def configuration(self, instance_id: str) -> Any:
        found = self.aws.control("cloudwatch-agents", account=self.aws.account, region=self.aws.region)
        return found["agents"][instance_id]["configuration"]

    def launch(self, *, image: str = "ami-12345678", profile: bool = True, tag: dict[str, str] = TAG) -> str:
        launched = self.ec2.run_instances(
            ImageId=image,
            MinCount=1,
            MaxCount=1,
            TagSpecifications=[{"ResourceType": "instance", "Tags": [tag]}],
            **({"IamInstanceProfile": {"Arn": self.profile}} if profile else {}),
        )
        return str(launched["Instances"][0]["InstanceId"])


def test_an_association_is_kept_until_its_stack_goes(aws: EmbeddedAws) -> None:
    fleet, ssm = Fleet(aws, INSTALL), aws.client("ssm")
    (found,) = ssm.list_associations()["Associations"]
    assert fleet.stack.outputs() == {"Id": found["AssociationId"]} == {"Id": fleet.association}
    assert found["Targets"] == [{"Key": "tag:agent", "Values": ["yes"]}]
    fleet.stack.delete()
    assert ssm.list_associations()["Associations"] == []
    with pytest.raises(ClientError, match="AssociationDoesNotExist"):
        ssm.start_associations_once(AssociationIds=[fleet.association])


def test_it_runs_on_running_instances_with_the_tag_that_systems_manager_reaches(aws: EmbeddedAws) -> None:
    fleet = Fleet(aws, INSTALL, CONFIGURE)
    reached, stopped = fleet.launch(), fleet.launch()
    fleet.launch(profile=False)
    fleet.launch(tag={"Key": "agent", "Value": "no"})
    fleet.ec2.stop_instances(InstanceIds=[stopped])
    fleet.install_drivers(reached)
    assert fleet.apply() == {reached: {"Install": "", "Configure": ""}}
    assert fleet.configuration(reached) == CONFIGURATION


def test_a_precondition_leaves_the_steps_of_the_other_system_out(aws: EmbeddedAws) -> None:
    shell = {"name": "Script", "action": "aws:runPowerShellScript", "inputs": {"runCommand": ["exit 0"]}}
    windows_only = {**shell, "precondition": {"StringEquals": ["platformType", "Windows"]}}
    fleet = Fleet(aws, INSTALL, CONFIGURE, windows_only)
    linux = fleet.launch()
    fleet.install_drivers(linux)
    windows = fleet.launch(image=aws.client("ssm").get_parameter(Name=WINDOWS)["Parameter"]["Value"])
    assert {name: list(steps) for name, steps in fleet.apply().items()} == {
        linux: ["Install", "Configure"],
        windows: ["Install", "Script"],
    }


@pytest.mark.parametrize(
    ("steps", "says"),
    [
        ([CONFIGURE, INSTALL], "not installed"),
        ([INSTALL, step("Configure", AGENT, optionalConfigurationLocation="/agent")], "AccessDenied"),
        ([INSTALL, step("Other", "AWS-Other")], "not modelled"),
    ],
)
def test_a_step_that_fails_ends_the_document(aws: EmbeddedAws, steps: list[dict[str, Any]], says: str) -> None:
    """The second one is the post's: a parameter that CloudWatchAgentServerPolicy does not let be read."""
    fleet = Fleet(aws, *steps, INSTALL)
    own = fleet.launch()
    told = fleet.apply()[own]
    *_, (last, failure) = told.items()
    assert says in failure and last != "Install"
    assert fleet.configuration(own) is None
    (execution,) = aws.client("ssm").describe_association_executions(AssociationId=fleet.association)[
        "AssociationExecutions"
    ]
    assert execution["Status"] == "Failed"


def test_the_agent_publishes_what_is_configured_by_its_own_and_the_aggregated_dimensions(aws: EmbeddedAws) -> None:
    fleet = Fleet(aws, INSTALL, CONFIGURE)
    own = fleet.launch()
    fleet.install_drivers(own)
    fleet.apply()
    gpus = [{"power_draw": 50, "utilization_gpu": 10}, {"power_draw": 70, "utilization_gpu": 10}]
    publish(aws, own, {datetime.now(UTC) - timedelta(minutes=1): gpus}, memory=30)
    cloudwatch = aws.client("cloudwatch")
    found = cloudwatch.list_metrics(Namespace="CWAgent")["Metrics"]
    assert {metric["MetricName"] for metric in found} == {"nvidia_smi_power_draw", "mem_used_percent"}
    power = [
        tuple(sorted(dimension["Name"] for dimension in metric["Dimensions"]))
        for metric in found
        if metric["MetricName"] == "nvidia_smi_power_draw"
    ]
    assert sorted(power) == sorted(
        2 * [("ImageId", "InstanceId", "index", "name"), ("InstanceId", "index")] + [("InstanceId",)]
    )
    (point,) = cloudwatch.get_metric_statistics(
        Namespace="CWAgent",
        MetricName="nvidia_smi_power_draw",
        Dimensions=[{"Name": "InstanceId", "Value": own}],
        StartTime=datetime.now(UTC) - timedelta(minutes=10),
        EndTime=datetime.now(UTC),
        Period=600,
        Statistics=["Average", "Maximum"],
    )["Datapoints"]
    assert (point["Average"], point["Maximum"]) == (60, 70)


def test_the_agent_does_not_start_with_a_gpu_section_where_there_is_no_driver(aws: EmbeddedAws) -> None:
    """https://github.com/aws/amazon-cloudwatch-agent/issues/756."""
    fleet = Fleet(aws, INSTALL, CONFIGURE)
    own = fleet.launch()
    assert "nvidia-smi" in fleet.apply()[own]["Configure"] and fleet.configuration(own) is None
    publish(aws, own, {datetime.now(UTC): []})
    assert aws.client("cloudwatch").list_metrics(Namespace="CWAgent")["Metrics"] == [], "no memory either"


# IAM on instance profiles: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html


def test_attaching_is_judged_by_the_new_profile_the_present_one_and_the_tag(aws: EmbeddedAws) -> None:
    fleet = Fleet(aws, INSTALL)
    bare, other, has_one = (
        fleet.launch(profile=False), fleet.launch(profile=False, tag={"Key": "agent", "Value": "no"}), fleet.launch(),
    )  # fmt: skip
    condition = {
        "StringEquals": {"aws:ResourceTag/agent": "yes"},
        "ArnEquals": {"ec2:NewInstanceProfile": fleet.profile},
        "Null": {"ec2:InstanceProfile": "true"},
    }
    attaching = {"Action": "ec2:AssociateIamInstanceProfile", "Condition": condition}
    ec2 = Role(aws, attaching, {"Action": "iam:PassRole"}).client("ec2")
    for refused in (other, has_one):
        with pytest.raises(ClientError, match=DENIED):
            ec2.associate_iam_instance_profile(InstanceId=refused, IamInstanceProfile={"Arn": fleet.profile})
    aws.client("iam").create_instance_profile(InstanceProfileName="mine")
    with pytest.raises(ClientError, match=DENIED):
        ec2.associate_iam_instance_profile(InstanceId=bare, IamInstanceProfile={"Name": "mine"})
    ec2.associate_iam_instance_profile(InstanceId=bare, IamInstanceProfile={"Arn": fleet.profile})


def test_detaching_is_judged_by_the_profile_that_is_there(aws: EmbeddedAws) -> None:
    fleet = Fleet(aws, INSTALL)
    fleet.launch()
    (association,) = fleet.ec2.describe_iam_instance_profile_associations()["IamInstanceProfileAssociations"]
    action = {"Action": "ec2:DisassociateIamInstanceProfile"}
    other = {"ArnEquals": {"ec2:InstanceProfile": f"{fleet.profile}-of-others"}}
    with pytest.raises(ClientError, match=DENIED):
        Role(aws, {**action, "Condition": other}).client("ec2").disassociate_iam_instance_profile(
            AssociationId=association["AssociationId"]
        )
    aws.client("iam").delete_role_policy(RoleName="tried", PolicyName="tried")
    aws.client("iam").delete_role(RoleName="tried")
    ours = {"ArnEquals": {"ec2:InstanceProfile": fleet.profile}}
    Role(aws, {**action, "Condition": ours}).client("ec2").disassociate_iam_instance_profile(
        AssociationId=association["AssociationId"]
    )
    assert fleet.ec2.describe_iam_instance_profile_associations()["IamInstanceProfileAssociations"] == []


def test_launches_can_be_moved_into_the_past(aws: EmbeddedAws) -> None:
    fleet = Fleet(aws, INSTALL)
    own = fleet.launch()
    assert aws.control("age-launches", seconds=3600) == {"aged": 1}
    (reservation,) = fleet.ec2.describe_instances(InstanceIds=[own])["Reservations"]
    assert datetime.now(UTC) - reservation["Instances"][0]["LaunchTime"] > timedelta(minutes=59)
