"""Automation documents by the API: automation-action-executeapi.html."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from emulator.client import EmbeddedAws
from tests.embedded_aws import eventually

ALLOWED = {
    "Effect": "Allow",
    "Action": ["ec2:DescribeVpcs", "ec2:CreateVolume", "ec2:DescribeVolumes"],
    "Resource": "*",
}


def step(name: str, **more: Any) -> dict[str, Any]:
    inputs = {"Service": "ec2", "Api": "DescribeVpcs"}
    return {"name": name, "action": "aws:executeAwsApi", "inputs": inputs, **more}


def _policy(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


class Drill:
    """A document whose role may describe VPCs and make volumes, and nothing else."""

    def __init__(self, aws: EmbeddedAws, *steps: dict[str, Any], **content: Any) -> None:
        self.ssm, iam = aws.client("ssm"), aws.client("iam")
        account = {"StringEquals": {"aws:SourceAccount": aws.account}}
        trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ssm.amazonaws.com"}}
        policy = _policy({**trust, "Condition": account})
        role = iam.create_role(RoleName="drill", AssumeRolePolicyDocument=policy)["Role"]["Arn"]
        iam.put_role_policy(RoleName="drill", PolicyName="p", PolicyDocument=_policy(ALLOWED))
        document = {"schemaVersion": "0.3", "assumeRole": role, "mainSteps": list(steps), **content}
        self.ssm.create_document(Name="drill", DocumentType="Automation", Content=json.dumps(document))

    def run(self, **parameters: list[str]) -> dict[str, Any]:
        given = {"Parameters": parameters} if parameters else {}
        started = self.ssm.start_automation_execution(DocumentName="drill", **given)

        def ended() -> dict[str, Any] | None:
            found = self.ssm.get_automation_execution(AutomationExecutionId=started["AutomationExecutionId"])
            execution = found["AutomationExecution"]
            return None if execution["AutomationExecutionStatus"] == "InProgress" else dict(execution)

        done: dict[str, Any] = eventually(ended, "the end of the drill")
        return done


def names(execution: dict[str, Any]) -> list[str]:
    return [item["StepName"] for item in execution["StepExecutions"]]


def test_a_document_runs_its_steps_with_what_earlier_ones_have_put_out(aws: EmbeddedAws) -> None:
    first = step("Find", outputs=[{"Name": "Vpc", "Selector": "$.Vpcs[0].VpcId", "Type": "String"}])
    second = step("Look", isEnd=True, outputs=[{"Name": "Vpcs", "Selector": "$.Vpcs", "Type": "MapList"}])
    second["inputs"] = {"Service": "ec2", "Api": "DescribeVpcs", "VpcIds": ["{{ Find.Vpc }}"]}
    sleep = {"name": "Sleep", "action": "aws:sleep", "inputs": {"Duration": "PT5M"}}
    done = Drill(aws, first, sleep, second, step("Never"), outputs=["Look.Vpcs"]).run()
    assert (done["AutomationExecutionStatus"], names(done)) == ("Success", ["Find", "Sleep", "Look"])
    ((name, (vpc,)),) = done["Outputs"].items()
    assert (name, [json.loads(vpc)["VpcId"]]) == ("Look.Vpcs", done["StepExecutions"][0]["Outputs"]["Vpc"])


def test_what_was_made_before_a_sleep_is_known_after_it(aws: EmbeddedAws) -> None:
    made = step("Make", outputs=[{"Name": "Volume", "Selector": "$.VolumeId", "Type": "String"}])
    made["inputs"] = {"Service": "ec2", "Api": "CreateVolume", "AvailabilityZone": "us-east-1a", "Size": 1}
    sleep = {"name": "Sleep", "action": "aws:sleep", "inputs": {"Duration": "PT1M"}}
    look = step("Look")
    look["inputs"] = {"Service": "ec2", "Api": "DescribeVolumes", "VolumeIds": ["{{ Make.Volume }}"]}
    aws.made_is_known_at_once(False)
    assert Drill(aws, made, sleep, look).run()["AutomationExecutionStatus"] == "Success"


def test_a_step_that_fails_goes_where_it_says_and_the_execution_has_failed(aws: EmbeddedAws) -> None:
    bad = step("Bad", onFailure="step:Back")
    bad["inputs"] = {"Service": "ec2", "Api": "DescribeVpcs", "VpcIds": ["{{ Vpc }}"]}
    parameters = {"Vpc": {"type": "String", "default": "vpc-1"}}
    drill = Drill(aws, bad, step("Skipped"), step("Back"), parameters=parameters)
    done = drill.run()
    assert (done["AutomationExecutionStatus"], names(done)) == ("Failed", ["Bad", "Back"])
    assert "InvalidVpcID.NotFound" in done["StepExecutions"][0]["FailureMessage"]
    vpc = aws.client("ec2").describe_vpcs()["Vpcs"][0]["VpcId"]
    assert drill.run(Vpc=[vpc])["AutomationExecutionStatus"] == "Success"
    with pytest.raises(ClientError, match="InvalidAutomationExecutionParameters"):
        drill.run(Other=["x"])


@pytest.mark.parametrize(
    ("last", "says"),
    [
        ({"name": "X", "action": "aws:approve", "inputs": {}}, "aws:approve is not modelled"),
        (step("X") | {"inputs": {"Service": "ec2", "Api": "DescribeSubnets"}}, "UnauthorizedOperation"),
    ],
)
def test_a_document_has_the_permissions_of_its_role_and_no_others(
    aws: EmbeddedAws, last: dict[str, Any], says: str
) -> None:
    done = Drill(aws, step("Allowed"), last, step("Skipped")).run()
    assert names(done) == ["Allowed", "X"]
    assert says in done["FailureMessage"]


def test_an_unknown_document_and_an_unknown_execution_are_errors(aws: EmbeddedAws) -> None:
    ssm = aws.client("ssm")
    with pytest.raises(ClientError, match="AutomationDefinitionNotFound"):
        ssm.start_automation_execution(DocumentName="none")
    with pytest.raises(ClientError, match="AutomationExecutionNotFound"):
        ssm.get_automation_execution(AutomationExecutionId="00000000-0000-0000-0000-000000000000")
