"""Builds that run until somebody ends them, what is told of them, and what a start is judged on."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from emulator.client import EmbeddedAws
from tests.embedded_aws import eventually
from tests.emulator.iam.test_authorization import DENIED, Role

SOURCE = {"Type": "NO_SOURCE", "BuildSpec": "version: 0.2"}


def deploy(aws: EmbeddedAws, source: dict[str, Any] = SOURCE) -> str:
    """A stack of a project, a queue and a rule that sends the project's events there; returns the project's name."""
    variables = [{"Name": "GREETING", "Value": "hello"}]
    project = {
        "ServiceRole": f"arn:aws:iam::{aws.account}:role/builds",
        "Source": source,
        "Artifacts": {"Type": "NO_ARTIFACTS"},
        "Environment": {
            "Type": "ARM_CONTAINER",
            "ComputeType": "BUILD_GENERAL1_SMALL",
            "Image": "aws/codebuild/amazonlinux-aarch64-standard:3.0",
            "EnvironmentVariables": variables,
        },
    }
    queue_arn = {"Fn::GetAtt": ["Queue", "Arn"]}
    allowed = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage"}
    template = {
        "Resources": {
            "Project": {"Type": "AWS::CodeBuild::Project", "Properties": project},
            "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "told"}},
            "Policy": {
                "Type": "AWS::SQS::QueuePolicy",
                "Properties": {
                    "Queues": [{"Ref": "Queue"}],
                    "PolicyDocument": {"Statement": [{**allowed, "Resource": queue_arn}]},
                },
            },
            "Rule": {
                "Type": "AWS::Events::Rule",
                "Properties": {
                    "EventPattern": {"source": ["aws.codebuild"]},
                    "Targets": [{"Id": "one", "Arn": queue_arn}],
                },
            },
        }
    }
    cloudformation = aws.client("cloudformation")
    cloudformation.create_stack(StackName="builds", TemplateBody=json.dumps(template))
    cloudformation.get_waiter("stack_create_complete").wait(StackName="builds", WaiterConfig={"Delay": 1})
    resources = cloudformation.describe_stack_resources(StackName="builds")["StackResources"]
    return next(str(one["PhysicalResourceId"]) for one in resources if one["LogicalResourceId"] == "Project")


def status(aws: EmbeddedAws, build: str) -> str:
    return str(aws.client("codebuild").batch_get_builds(ids=[build])["builds"][0]["buildStatus"])


def told(aws: EmbeddedAws, count: int) -> list[dict[str, Any]]:
    """The details of the events that the rule has sent so far."""
    sqs = aws.client("sqs")
    url = sqs.get_queue_url(QueueName="told")["QueueUrl"]
    found: list[dict[str, Any]] = []

    def enough() -> bool:
        for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
            found.append(json.loads(message["Body"])["detail"])
        return len(found) >= count

    eventually(enough, f"{count} events")
    return found


def test_a_started_build_has_run_nothing_and_is_in_progress(aws: EmbeddedAws) -> None:
    name = deploy(aws)
    build = aws.client("codebuild").start_build(projectName=name)["build"]
    assert build["id"].startswith(f"{name}:") and status(aws, build["id"]) == "IN_PROGRESS"
    assert build["environment"]["environmentVariables"] == [{"name": "GREETING", "value": "hello", "type": "PLAINTEXT"}]


def test_who_has_run_a_build_ends_it_and_both_states_are_told_as_events(aws: EmbeddedAws) -> None:
    name = deploy(aws)
    build = aws.client("codebuild").start_build(projectName=name)["build"]["id"]
    failed = {
        "phaseType": "DOWNLOAD_SOURCE",
        "phaseStatus": "FAILED",
        "contexts": [{"statusCode": "CLIENT_ERROR", "message": "repository not found"}],
    }
    where = {"account": aws.account, "region": aws.region}
    aws.control("build-ends", **where, build=build, status="FAILED", phases=[failed])
    assert status(aws, build) == "FAILED"
    begun, ended = told(aws, 2)
    assert begun["build-status"] == "IN_PROGRESS" and ended["build-status"] == "FAILED"
    assert ended["build-id"].endswith(f":build/{build}") and ended["project-name"] == name
    phases = ended["additional-information"]["phases"]
    assert ["CLIENT_ERROR: repository not found"] in [phase["phase-context"] for phase in phases]


def test_a_build_that_ends_untold_is_known_by_asking_only(aws: EmbeddedAws) -> None:
    name = deploy(aws)
    build = aws.client("codebuild").start_build(projectName=name)["build"]["id"]
    aws.control("build-ends", account=aws.account, region=aws.region, build=build, status="SUCCEEDED", told=False)
    assert status(aws, build) == "SUCCEEDED"
    assert [detail["build-status"] for detail in told(aws, 1)] == ["IN_PROGRESS"]


def test_the_same_token_starts_one_build_and_another_token_another(aws: EmbeddedAws) -> None:
    name = deploy(aws)
    start = aws.client("codebuild").start_build
    first, again, other = (
        start(projectName=name, idempotencyToken=token)["build"]["id"] for token in ("one", "one", "two")
    )
    assert first == again != other
    assert aws.client("codebuild").list_builds_for_project(projectName=name)["ids"] == [other, first]


def test_a_stopped_build_has_ended_and_stays_so(aws: EmbeddedAws) -> None:
    name = deploy(aws)
    client = aws.client("codebuild")
    build = client.start_build(projectName=name)["build"]["id"]
    client.stop_build(id=build)
    aws.control("build-ends", account=aws.account, region=aws.region, build=build, status="SUCCEEDED")
    assert status(aws, build) == "STOPPED"


def test_what_is_not_modelled_is_refused_and_not_ignored(aws: EmbeddedAws) -> None:
    name = deploy(aws)
    with pytest.raises(ClientError, match="does not model buildspecOverride"):
        aws.client("codebuild").start_build(projectName=name, buildspecOverride="version: 0.2")
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        aws.client("codebuild").start_build(projectName="nobody")


def test_a_start_is_judged_on_the_project_and_on_what_it_overrides(aws: EmbeddedAws) -> None:
    name = deploy(aws)
    statement = {
        "Action": "codebuild:StartBuild",
        "Resource": f"arn:aws:codebuild:{aws.region}:{aws.account}:project/{name}",
        "Condition": {"Null": {"codebuild:source.buildspec": "true", "codebuild:serviceRole": "true"}},
    }
    caller = Role(aws, statement).client("codebuild")
    caller.start_build(projectName=name)
    for more in ({"buildspecOverride": "x"}, {"serviceRoleOverride": "arn:aws:iam::123456789012:role/other"}):
        with pytest.raises(ClientError, match=DENIED):
            caller.start_build(projectName=name, **more)
    with pytest.raises(ClientError, match=DENIED):
        caller.start_build(projectName="other")


def test_a_look_at_builds_of_several_projects_is_judged_on_each(aws: EmbeddedAws) -> None:
    name = deploy(aws)
    statement = {
        "Action": "codebuild:BatchGetBuilds",
        "Resource": f"arn:aws:codebuild:{aws.region}:{aws.account}:project/{name}",
    }
    build = aws.client("codebuild").start_build(projectName=name)["build"]["id"]
    caller = Role(aws, statement).client("codebuild")
    assert [one["id"] for one in caller.batch_get_builds(ids=[build])["builds"]] == [build]
    for ids in ([build, "removed:1"], ["removed:1", build]):
        with pytest.raises(ClientError, match=DENIED):
            caller.batch_get_builds(ids=ids)
