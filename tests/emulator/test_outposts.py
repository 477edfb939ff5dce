"""Outposts as their API lists them, the tags and metrics beside it, and pipelines that are started and stopped."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from emulator.client import EmbeddedAws, EmulatorError
from emulator.outposts import PAGE
from tests.emulator.conftest import eventually

NAMES = [f"op-{digit * 17}" for digit in "12345"]
TYPES = [f"m5.{number}xlarge" for number in (2, 4, 8, 12, 24)]


def put(aws: EmbeddedAws) -> Any:
    own = {"name": "rack", "owner": aws.account, "state": "ACTIVE", "types": TYPES}
    aws.control(
        "outposts",
        outposts=[{"id": name, **own} for name in NAMES],
        buckets=[{"outpost": NAMES[0], "name": "on-site", "tags": {"site": "here"}}],
    )
    return aws.client("outposts")


def test_lists_come_in_pages(aws: EmbeddedAws) -> None:
    client = put(aws)
    pages = list(client.get_paginator("list_outposts").paginate())
    assert [len(page["Outposts"]) for page in pages] == [PAGE, 2]
    assert [each["OutpostId"] for page in pages for each in page["Outposts"]] == NAMES
    pages = list(client.get_paginator("get_outpost_instance_types").paginate(OutpostId=NAMES[1]))
    assert [each["InstanceType"] for page in pages for each in page["InstanceTypes"]] == TYPES and len(pages) == 2


def test_there_are_none_until_somebody_says_so_and_after_a_reset(aws: EmbeddedAws) -> None:
    assert aws.client("outposts").list_outposts()["Outposts"] == []
    put(aws)
    aws.reset()
    assert aws.client("outposts").list_outposts()["Outposts"] == []


def test_the_tagging_api_shows_buckets_on_outposts_and_load_balancers(aws: EmbeddedAws) -> None:
    put(aws)
    tagging = aws.client("resourcegroupstaggingapi")
    (found,) = tagging.get_resources(TagFilters=[{"Key": "site"}], ResourceTypeFilters=["s3-outposts"])[
        "ResourceTagMappingList"
    ]
    assert found["ResourceARN"].endswith(f":outpost/{NAMES[0]}/bucket/on-site")
    subnets = [subnet["SubnetId"] for subnet in aws.client("ec2").describe_subnets()["Subnets"][:2]]
    tags = [{"Key": "site", "Value": "here"}]
    aws.client("elbv2").create_load_balancer(Name="web", Subnets=subnets, Tags=tags)
    (balancer,) = tagging.get_resources(
        TagFilters=[{"Key": "site", "Values": ["here"]}], ResourceTypeFilters=["elasticloadbalancing:loadbalancer"]
    )["ResourceTagMappingList"]
    assert ":loadbalancer/app/web/" in balancer["ResourceARN"]


def test_metrics_of_aws_s_own_namespaces_are_recorded(aws: EmbeddedAws) -> None:
    datum = {"namespace": "AWS/Outposts", "name": "ConnectedStatus", "dimensions": {"OutpostId": NAMES[0]}, "value": 1}
    aws.control("metrics", account=aws.account, region=aws.region, data=[datum])
    (metric,) = aws.client("cloudwatch").list_metrics(Namespace="AWS/Outposts")["Metrics"]
    assert metric["Dimensions"] == [{"Name": "OutpostId", "Value": NAMES[0]}]


# Pipelines


def deploy(aws: EmbeddedAws) -> str:
    """A stack of a pipeline and a rule that starts it; returns the pipeline's name."""
    arn = {"Fn::Sub": "arn:aws:codepipeline:${AWS::Region}:${AWS::AccountId}:${Pipeline}"}
    rule = {
        "EventPattern": {"source": ["me"]},
        "Targets": [{"Id": "one", "Arn": arn, "RoleArn": "arn:aws:iam::1:role/r"}],
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


def test_a_control_without_what_it_needs_is_refused(aws: EmbeddedAws) -> None:
    with pytest.raises(EmulatorError, match="KeyError"):
        aws.control("metrics", data=[])


# Rights


def test_a_dashboard_is_judged_by_its_name(aws: EmbeddedAws) -> None:
    iam, sts = aws.client("iam"), aws.client("sts")
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": "*"}]}
    role = iam.create_role(RoleName="writer", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    arn = f"arn:aws:cloudwatch::{aws.account}:dashboard/mine*"
    names = ("cloudwatch:PutDashboard", "cloudwatch:DeleteDashboards")
    allowed = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": names, "Resource": arn}]}
    iam.put_role_policy(RoleName="writer", PolicyName="p", PolicyDocument=json.dumps(allowed))
    taken = sts.assume_role(RoleArn=role, RoleSessionName="writing")["Credentials"]
    client = aws.client(
        "cloudwatch",
        aws_access_key_id=taken["AccessKeyId"],
        aws_secret_access_key=taken["SecretAccessKey"],
        aws_session_token=taken["SessionToken"],
    )
    client.put_dashboard(DashboardName="mine-2", DashboardBody='{"widgets": []}')
    client.delete_dashboards(DashboardNames=["mine-2"])
    with pytest.raises(ClientError, match="not authorized"):
        client.put_dashboard(DashboardName="yours", DashboardBody='{"widgets": []}')
    with pytest.raises(ClientError, match="not authorized"):
        client.delete_dashboards(DashboardNames=["yours"])
