"""What the post on the Outposts dashboard promises, and what the issue adds, read off the templates."""

import ast
import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml
from syrupy.assertion import SnapshotAssertion

from config.models import CommonSettings
from outposts_dashboard.wanted import Wanted
from stacks.outposts_dashboard.commands import ALARMS, idle_month
from stacks.outposts_dashboard.pipeline import surplus
from stacks.outposts_dashboard.settings import OutpostsDashboardSettings
from tests import variants
from tests.conformance.life.order import Life
from tests.snapshots import TemplateSnapshot, readable
from tests.solutions.outposts_dashboard.test_discovery import wanted
from tests.solutions.outposts_dashboard.test_layout import discovery, instance
from tests.solutions.outposts_dashboard.test_lifecycle import OWNER, Stacks
from tests.template import Match, Template, every_action, synthesized
from tests.variants import ROOT, Json

SLUG = "outposts_dashboard"
FOLDER = "stacks/outposts_dashboard/pipeline"
FUNCTION, PIPELINES = variants.DEFAULT, ("enterprise", "nat", "math")


template = partial(synthesized, SLUG)


def without_hash(logical_id: str) -> str:
    return logical_id[:-8]


def stages(of: Template) -> dict[str, Json]:
    (pipeline,) = of.find_resources("AWS::CodePipeline::Pipeline").values()
    return {stage["Name"]: stage["Actions"][0] for stage in pipeline["Properties"]["Stages"]}


# Triggers


@pytest.mark.parametrize("variant", [FUNCTION, *PIPELINES])
def test_a_changed_tag_starts_a_refresh_by_exactly_the_rule_of_the_post(variant: str) -> None:
    template(variant).has_resource_properties(
        "AWS::Events::Rule",
        {
            "EventPattern": {
                "source": ["aws.tag"],
                "detail-type": ["Tag Change on Resource"],
                "detail": {"changed-tag-keys": ["OutpostID"]},
            },
            "Targets": [Match.object_like({"DeadLetterConfig": Match.any_value()})],
        },
    )


def test_instances_and_groups_start_the_function_and_not_the_pipeline(default: Template, enterprise: Template) -> None:
    assert len(default.find_resources("AWS::Events::Rule")) == 3
    assert len(enterprise.find_resources("AWS::Events::Rule")) == 1


@pytest.mark.parametrize("variant", [FUNCTION, "enterprise"])
def test_a_schedule_sees_what_tells_no_events(variant: str) -> None:
    template(variant).has_resource_properties("AWS::Scheduler::Schedule", {"ScheduleExpression": "rate(1 hour)"})


def test_events_wait_for_each_other(default: Template) -> None:
    default.has_resource_properties(
        "AWS::Lambda::EventSourceMapping",
        {"BatchSize": 1000, "MaximumBatchingWindowInSeconds": 20, "ScalingConfig": {"MaximumConcurrency": 2}},
    )


@pytest.mark.parametrize("variant", [FUNCTION, "enterprise"])
def test_whatever_starts_a_refresh_is_deleted_before_the_dashboards_are(variant: str) -> None:
    resources = variants.template(variant, SLUG)["Resources"]
    (begun,) = [name for name, one in resources.items() if one["Type"] == "Custom::Dashboards"]
    starting = [
        name
        for name, one in resources.items()
        if one["Type"] in ("AWS::Events::Rule", "AWS::Scheduler::Schedule", "AWS::Lambda::EventSourceMapping")
    ]
    assert starting and all(begun in resources[name]["DependsOn"] for name in starting)


def test_a_refresh_under_way_keeps_its_permissions_until_the_deletion_has_waited_for_it(default: Template) -> None:
    (begun,) = default.find_resources("Custom::Dashboards").values()
    refresh = [name for name in begun["DependsOn"] if name.startswith("Refresh")]
    kinds = {one["Type"] for name, one in variants.template(FUNCTION, SLUG)["Resources"].items() if name in refresh}
    assert {"AWS::IAM::Policy", "AWS::IAM::Role", "AWS::Lambda::Function"} <= kinds


def test_each_way_of_refreshing_has_its_own_function_to_take_away_what_it_made(
    default: Template, enterprise: Template
) -> None:
    def behind(of: Template) -> str:
        (begun,) = of.find_resources("Custom::Dashboards").values()
        return str(begun["Properties"]["ServiceToken"]["Fn::GetAtt"][0])

    assert behind(default) != behind(enterprise), "where refresh changes, the old one would have the new one's rights"


# Rights


def calls_of_the_sections() -> set[str]:
    """The operations that the modules of the sections ask for."""
    found: set[str] = set()
    for path in (ROOT / "lambdas/outposts_dashboard/sections").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "get_paginator":
                (name,) = node.args
                assert isinstance(name, ast.Constant)
                found.add("".join(part.title() for part in str(name.value).split("_")).replace("Db", "DB"))
    return found


def test_discovery_may_call_what_it_calls_and_nothing_else(default: Template, enterprise: Template) -> None:
    from stacks.outposts_dashboard.rights import DISCOVERY

    assert {action.partition(":")[2] for action in DISCOVERY} == calls_of_the_sections()
    assert set(DISCOVERY) <= every_action(default, "RefreshRole") and set(DISCOVERY) <= every_action(
        enterprise, "DiscoverRole"
    )


def test_the_function_writes_dashboards_of_its_name_only(default: Template) -> None:
    (policy,) = [
        one for name, one in default.find_resources("AWS::IAM::Policy").items() if name.startswith("RefreshRole")
    ]
    (writing,) = [
        one for one in policy["Properties"]["PolicyDocument"]["Statement"] if one["Action"] == "cloudwatch:PutDashboard"
    ]
    ends = [json.dumps(resource).rpartition(":dashboard/")[2].rstrip('"]}') for resource in writing["Resource"]]
    assert ends == ["Automated-CloudWatch-Dashboard", "Automated-CloudWatch-Dashboard-*"]


def test_the_build_that_deploys_has_the_roles_of_the_bootstrap_and_no_rights_of_its_own(enterprise: Template) -> None:
    allowed = every_action(enterprise, "DeployRole")
    assert "sts:AssumeRole" in allowed and "cloudwatch:PutDashboard" not in allowed and "iam:PassRole" not in allowed
    assert "cdk-acme1-deploy-role-123456789012-eu-central-1" in json.dumps(enterprise.to_json())


def test_the_pipeline_reads_its_source_and_its_artifacts_as_codepipeline_asks(enterprise: Template) -> None:
    of_buckets = {"s3:GetBucketAcl", "s3:GetBucketLocation", "s3:GetBucketVersioning"}
    assert of_buckets | {"s3:GetObjectVersionTagging"} <= every_action(enterprise, "ByPipelineRole")


# The function


def test_the_pipeline_may_do_with_a_codecommit_repository_what_codepipeline_asks() -> None:
    asked = {"CancelUploadArchive", "GetBranch", "GetCommit", "GetUploadArchiveStatus", "UploadArchive"}
    found = {action for action in every_action(template("math"), "ByPipelineRole") if action.startswith("codecommit:")}
    assert found == {f"codecommit:{action}" for action in asked}


def test_a_commit_starts_the_pipeline_whose_action_does_not_poll() -> None:
    (rule,) = [one for name, one in template("math").find_resources("AWS::Events::Rule").items() if "Commits" in name]
    pattern = rule["Properties"]["EventPattern"]
    assert pattern["detail-type"] == ["CodeCommit Repository State Change"]
    assert pattern["detail"]["referenceName"] and pattern["detail"]["referenceType"] == ["branch"]
    assert "ToStart" in json.dumps(rule["Properties"]["Targets"]) or "Pipeline" in json.dumps(
        rule["Properties"]["Targets"]
    )


def test_other_sources_tell_of_changes_themselves(enterprise: Template) -> None:
    assert not [name for name in enterprise.find_resources("AWS::Events::Rule") if "Commits" in name]


def test_the_pipeline_runs_when_its_builds_have_their_rights(enterprise: Template) -> None:
    (pipeline,) = enterprise.find_resources("AWS::CodePipeline::Pipeline").values()
    for role in ("DiscoverRoleDefaultPolicy", "DeployRoleDefaultPolicy", "ByPipelineRoleDefaultPolicy"):
        assert any(name.startswith(role) for name in pipeline["DependsOn"]), role


@pytest.mark.parametrize("variant", [FUNCTION, "enterprise"])
def test_the_schedule_begins_when_its_role_has_its_policy(variant: str) -> None:
    (schedule,) = template(variant).find_resources("AWS::Scheduler::Schedule").values()
    assert any("SchedulerRoleDefaultPolicy" in name for name in schedule["DependsOn"])


def test_the_function_may_have_a_failed_batch_tried_again_and_send_a_message_of_its_own(default: Template) -> None:
    assert {"sqs:ChangeMessageVisibility", "sqs:SendMessage"} <= every_action(default, "RefreshRole")


def test_the_queue_shows_a_failed_batch_again_when_the_lock_of_a_dead_refresh_is_over(default: Template) -> None:
    (queue,) = [
        q for name, q in default.find_resources("AWS::SQS::Queue").items() if "RedrivePolicy" in q["Properties"]
    ]
    functions = [f["Properties"] for f in default.find_resources("AWS::Lambda::Function").values()]
    (refresh,) = [f for f in functions if "LONGEST_SECONDS" in f.get("Environment", {}).get("Variables", {})]
    longest = int(refresh["Environment"]["Variables"]["LONGEST_SECONDS"])
    assert queue["Properties"]["VisibilityTimeout"] > longest > refresh["Timeout"]


def test_the_function_has_the_settings_as_it_reads_them(default: Template) -> None:
    (begun,) = default.find_resources("Custom::Dashboards").values()
    assert Wanted.read(begun["Properties"]["Wanted"]).tag_name == "OutpostID"
    for function in default.find_resources("AWS::Lambda::Function").values():
        assert "OutpostID" not in json.dumps(function), "an environment has no room for any number of values"


# The pipeline


@pytest.mark.parametrize("variant", PIPELINES)
def test_the_pipeline_is_v2_and_looks_before_it_deploys(variant: str) -> None:
    of = template(variant)
    of.has_resource_properties("AWS::CodePipeline::Pipeline", {"PipelineType": "V2", "ExecutionMode": "SUPERSEDED"})
    found = stages(of)
    assert list(found) == ["Source", "Build", "Deploy"]
    assert found["Build"]["OutputArtifacts"] == [{"Name": "Discovery"}]
    assert [one["Name"] for one in found["Deploy"]["InputArtifacts"]] == ["Source", "Discovery"]


@pytest.mark.parametrize(
    ("variant", "provider"), [("enterprise", "S3"), ("nat", "CodeStarSourceConnection"), ("math", "CodeCommit")]
)
def test_the_source_is_the_asset_or_a_repository_by_setting(variant: str, provider: str) -> None:
    assert stages(template(variant))["Source"]["ActionTypeId"]["Provider"] == provider


def test_the_asset_has_what_the_builds_need_and_a_changed_one_is_a_new_run(enterprise: Template) -> None:
    key = stages(enterprise)["Source"]["Configuration"]["S3ObjectKey"]
    enterprise.has_resource_properties("Custom::Dashboards", {"SourceKey": key})
    folder = variants.assembly("enterprise") / f"asset.{key.removesuffix('.zip')}"
    found = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert {f"{FOLDER}/{name}" for name in ("app.py", "deploy.yaml", "discover.py", "discover.yaml")} <= found
    assert {"requirements.txt", "package.json", "package-lock.json", "lambdas/shared/aws.py"} <= found
    strays = [
        name
        for name in found
        if not name.startswith((FOLDER, "lambdas/outposts_dashboard", "lambdas/shared")) and "/" in name
    ]
    assert strays == [] and not [name for name in found if "__pycache__" in name]


@pytest.mark.parametrize("name", ["discover.yaml", "deploy.yaml"])
def test_a_buildspec_runs_scripts_that_exist(name: str) -> None:
    spec = yaml.safe_load((ROOT / FOLDER / name).read_text(encoding="utf-8"))
    commands = " ".join(spec["phases"]["build"]["commands"])
    scripts = [word.strip('"') for word in commands.replace("=", " ").split() if word.strip('"').endswith(".py")]
    assert scripts and all((ROOT / script).exists() for script in scripts)


def test_the_stacks_of_the_dashboards_are_named_and_tagged_as_the_deletion_looks_for_them(tmp_path: Path) -> None:
    from aws_cdk import App

    from stacks.outposts_dashboard.pipeline import app as dashboards_app

    settings = wanted(dashboard_name="board")
    found = discovery(ec2=[instance(f"i-{number}") for number in range(130)])
    file = tmp_path / "discovery.json"
    file.write_text(json.dumps({**found, "wanted": json.loads(settings.text())}), encoding="utf-8")
    templates: list[dict[str, bytes]] = []
    for folder in ("one", "two"):
        app = App(outdir=str(tmp_path / folder))
        assembly = dashboards_app.build(app, str(file), "Deploy", "arn:owner", "acme1").synth()
        assert {stack.stack_name: stack.tags["deployed-by"] for stack in assembly.stacks} == {
            "Deploy": "arn:owner",
            "Deploy-page-2": "arn:owner",
        }
        templates.append({stack.stack_name: Path(stack.template_full_path).read_bytes() for stack in assembly.stacks})
    assert templates[0] == templates[1], "the same discovery gave another template"
    names = [
        one["Properties"]["DashboardName"]
        for text in templates[0].values()
        for one in json.loads(text)["Resources"].values()
        if one["Type"] == "AWS::CloudWatch::Dashboard"
    ]
    assert names == ["board", "board-page-2"]


@pytest.mark.parametrize(("failures", "deleted"), [({}, ["id/Deploy-page-2"]), ({"ec2": "denied"}, [])])
def test_the_deploy_step_deletes_what_is_not_wanted_only_when_everything_was_seen(
    failures: Json, deleted: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloudformation = Stacks(("Deploy", OWNER), ("Deploy-page-2", OWNER), ("Deploy-mine", "me"))
    monkeypatch.setattr("boto3.client", lambda _: cloudformation)
    file = tmp_path / "discovery.json"
    file.write_text(json.dumps({"failures": failures}), encoding="utf-8")
    made = {"artifacts": {"Deploy": {"type": "aws:cloudformation:stack"}}}
    (tmp_path / "manifest.json").write_text(json.dumps(made), encoding="utf-8")
    assert surplus.main(str(tmp_path), str(file), "Deploy", OWNER) == 0
    assert cloudformation.deleted == deleted


def test_a_stack_has_a_name_that_cloudformation_takes() -> None:
    from stacks.outposts_dashboard.pipeline import app as dashboards_app

    assert dashboards_app.stack_name("Deploy", "board", "board-op-1") == "Deploy-op-1"
    odd = dashboards_app.stack_name("Deploy", "board", "board-a_b")
    assert odd.startswith("Deploy-a-b-") and odd != dashboards_app.stack_name("Deploy", "board", "board-a-b")


@pytest.mark.parametrize("variant", PIPELINES)
def test_a_run_under_way_keeps_its_rights_until_the_deletion_has_waited_for_its_end(variant: str) -> None:
    """What the custom resource comes after is deleted after it: builds, roles, their policies, logs and artifacts."""
    life = Life(template(variant).to_json()["Resources"])
    (begun,) = life.of("Custom::Dashboards")
    builds, pipelines = life.of("AWS::CodeBuild::Project"), life.of("AWS::CodePipeline::Pipeline")
    roles = {role for build in builds for role in life.named(build, "ServiceRole")}
    roles |= {role for pipeline in pipelines for role in life.named(pipeline, "RoleArn")}
    policies = {policy for role in roles for policy in life.policies(role)}
    logs = {log for build in builds for log in life.named(build, "LogsConfig")}
    assert len(roles) == 3 and len(policies) >= 3 and len(logs) == 2
    stores = {store for pipeline in pipelines for store in life.named(pipeline, "ArtifactStore")}
    assert {*builds, *pipelines, *roles, *policies, *logs, *stores} <= life.before(begun)


# What cannot be delivered


@pytest.mark.parametrize("variant", PIPELINES)
def test_eventbridge_may_leave_a_tag_event_that_started_no_pipeline_in_the_queue(variant: str) -> None:
    of = template(variant)
    rules = [{"Fn::GetAtt": [rule, "Arn"]} for rule in of.find_resources("AWS::Events::Rule")]
    (queue,) = of.find_resources("AWS::SQS::Queue")
    (policy,) = of.find_resources("AWS::SQS::QueuePolicy").values()
    (allowed,) = [s for s in policy["Properties"]["PolicyDocument"]["Statement"] if s["Effect"] == "Allow"]
    assert allowed == {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": {"Fn::GetAtt": [queue, "Arn"]},
        "Condition": {"ArnEquals": {"aws:SourceArn": rules}},
    }


@pytest.mark.parametrize(
    "variant, starts",
    [
        ("account", set()),
        ("enterprise", {"codepipeline:StartPipelineExecution"}),
    ],
)
def test_the_schedule_may_leave_dead_letters_in_the_queue_also_under_a_key_of_yours(
    variant: str, starts: set[str]
) -> None:
    of = template(variant)
    (schedule,) = of.find_resources("AWS::Scheduler::Schedule").values()
    role = schedule["Properties"]["Target"]["RoleArn"]["Fn::GetAtt"][0]
    needed = {"sqs:SendMessage", "kms:Decrypt", "kms:GenerateDataKey"}
    assert every_action(of, without_hash(role)) == starts | needed
    (trust,) = of.find_resources("AWS::IAM::Role")[role]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert set(trust["Condition"]["StringEquals"]) == {"aws:SourceAccount", "aws:SourceArn"}


@pytest.mark.parametrize(
    ("variant", "metric"), [(FUNCTION, "Invocations"), ("enterprise", "Builds"), ("math", "Builds")]
)
def test_refreshes_that_do_not_come_any_more_ring_an_alarm(variant: str, metric: str) -> None:
    alarms = template(variant).find_resources("AWS::CloudWatch::Alarm")
    (silent,) = [alarm["Properties"] for name, alarm in alarms.items() if "RefreshSilent" in name]
    (seen,) = [each["MetricStat"] for each in silent["Metrics"] if "MetricStat" in each]
    assert (seen["Metric"]["MetricName"], seen["Period"], seen["Stat"]) == (metric, 3_600, "Sum")
    assert (silent["EvaluationPeriods"], silent["Threshold"], silent["TreatMissingData"]) == (3, 1, "ignore")


@pytest.mark.parametrize(("minutes", "periods"), [(5, 3), (1_440, 3), (1_441, 4), (2_880, 4), (10_080, 7)])
def test_an_alarm_on_silence_looks_back_as_far_as_cloudwatch_lets_it(minutes: int, periods: int) -> None:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html: a week at most."""
    from stacks.outposts_dashboard.triggers import silence

    period, rounds = silence(minutes)
    assert rounds == periods and period.to_minutes() == min(minutes, 1_440)
    assert minutes <= period.to_minutes() * rounds <= 7 * 1_440


# All of it


@pytest.mark.parametrize("variant", [FUNCTION, "enterprise"])
def test_the_outputs_name_what_a_user_does_next(variant: str) -> None:
    outputs = template(variant).to_json()["Outputs"]
    assert {"DashboardName", "DashboardUrl", "RefreshNow"} <= set(outputs)


def test_the_key_of_the_enterprise_reaches_what_holds_data(enterprise: Template) -> None:
    key: Any = "arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555"
    enterprise.all_resources_properties("AWS::SQS::Queue", {"KmsMasterKeyId": key})
    enterprise.all_resources_properties("AWS::CodeBuild::Project", {"EncryptionKey": key})
    enterprise.all_resources_properties("AWS::Lambda::Function", {"KmsKeyArn": key})


@pytest.mark.parametrize("variant", [FUNCTION, "enterprise"])
def test_the_billing_units_are_those_of_the_template(variant: str) -> None:
    refresh = "function" if variant == FUNCTION else "pipeline"
    settings = OutpostsDashboardSettings.model_validate({"refresh": refresh})
    units = {unit.unit: unit.quantity for unit in idle_month(CommonSettings(), settings)}
    assert units["alarm_month"] == ALARMS[refresh] == len(template(variant).find_resources("AWS::CloudWatch::Alarm"))
    assert ("codebuild_build" in units) is (refresh == "pipeline")


@pytest.mark.parametrize("variant", [FUNCTION, *PIPELINES])
def test_template(variant: str, snapshot: SnapshotAssertion) -> None:
    assert readable(variants.template(variant, SLUG)) == snapshot(extension_class=TemplateSnapshot)
