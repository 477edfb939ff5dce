"""Pipelines that are started, superseded and stopped."""

import json

import pytest
from botocore.exceptions import ClientError

from emulator.client import EmbeddedAws
from tests.embedded_aws import eventually
from tests.emulator.iam.test_authorization import DENIED, Role
from tests.emulator.receivers import role


def deploy(aws: EmbeddedAws) -> str:
    """A stack of a pipeline and a rule that starts it; returns the pipeline's name."""
    arn = {"Fn::Sub": "arn:aws:codepipeline:${AWS::Region}:${AWS::AccountId}:${Pipeline}"}
    starter = role(aws, "starter", "events.amazonaws.com", {"Action": "codepipeline:StartPipelineExecution"})
    rule = {
        "EventPattern": {"source": ["me"]},
        "Targets": [{"Id": "one", "Arn": arn, "RoleArn": starter}],
    }
    template = {
        "Resources": {
            "Pipeline": {"Type": "AWS::CodePipeline::Pipeline", "Properties": {"RoleArn": "r", "Stages": []}},
            "Rule": {"Type": "AWS::Events::Rule", "Properties": rule},
        }
    }
    cloudformation = aws.client("cloudformation")
    cloudformation.create_stack(StackName="pipelines", TemplateBody=json.dumps(template))
    cloudformation.get_waiter("stack_create_complete").wait(StackName="pipelines", WaiterConfig={"Delay": 1})
    resources = cloudformation.describe_stack_resources(StackName="pipelines")["StackResources"]
    return next(str(one["PhysicalResourceId"]) for one in resources if one["LogicalResourceId"] == "Pipeline")


def statuses(aws: EmbeddedAws, name: str) -> list[str]:
    found = aws.client("codepipeline").list_pipeline_executions(pipelineName=name)
    return [run["status"] for run in found["pipelineExecutionSummaries"]]


def test_a_pipeline_runs_when_it_is_made_and_the_newest_run_supersedes(aws: EmbeddedAws) -> None:
    name = deploy(aws)
    assert statuses(aws, name) == ["InProgress"]
    aws.client("codepipeline").start_pipeline_execution(name=name)
    assert statuses(aws, name) == ["InProgress", "Superseded"]
    aws.control("pipeline-run", account=aws.account, region=aws.region, pipeline=name, status="Succeeded")
    assert statuses(aws, name) == ["Succeeded", "Superseded"]


def test_a_run_is_stopped(aws: EmbeddedAws) -> None:
    name = deploy(aws)
    client = aws.client("codepipeline")
    run = client.list_pipeline_executions(pipelineName=name)["pipelineExecutionSummaries"][0]["pipelineExecutionId"]
    client.stop_pipeline_execution(pipelineName=name, pipelineExecutionId=run)
    assert statuses(aws, name) == ["Stopped"]
    with pytest.raises(ClientError, match="PipelineExecutionNotStoppableException"):
        client.stop_pipeline_execution(pipelineName=name, pipelineExecutionId=run)


def test_a_rule_starts_a_pipeline(aws: EmbeddedAws) -> None:
    name = deploy(aws)
    aws.client("events").put_events(Entries=[{"Source": "me", "DetailType": "x", "Detail": "{}"}])
    eventually(lambda: len(statuses(aws, name)) == 2, "a run that the rule has started")


def test_a_pipeline_goes_with_its_stack(aws: EmbeddedAws) -> None:
    name = deploy(aws)
    aws.client("cloudformation").delete_stack(StackName="pipelines")

    def gone() -> bool:
        try:
            statuses(aws, name)
        except ClientError as error:
            return bool(error.response["Error"]["Code"] == "PipelineNotFoundException")
        return False

    eventually(gone, "the pipeline to be gone")


def test_a_start_is_judged_on_the_pipeline(aws: EmbeddedAws) -> None:
    name = deploy(aws)
    where = f"arn:aws:codepipeline:{aws.region}:{aws.account}"
    caller = Role(aws, {"Action": "codepipeline:StartPipelineExecution", "Resource": f"{where}:{name}"})
    caller.client("codepipeline").start_pipeline_execution(name=name)
    with pytest.raises(ClientError, match=DENIED):
        caller.client("codepipeline").start_pipeline_execution(name="other")
    with pytest.raises(ClientError, match=DENIED):
        caller.client("codepipeline").list_pipeline_executions(pipelineName=name)
