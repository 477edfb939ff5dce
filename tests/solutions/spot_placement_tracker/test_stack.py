"""What the post on Spot placement scores promises, read off the templates."""

import json
import socket
import subprocess
import sys
from functools import partial
from pathlib import Path
from zipfile import ZipFile

import boto3
import botocore.session
import pytest
from botocore.client import BaseClient
from syrupy.assertion import SnapshotAssertion

from config.models import CommonSettings
from stacks.series import SOLUTIONS
from stacks.spot_placement_tracker.settings import SpotPlacementTrackerSettings
from tests import variants
from tests.snapshots import TemplateSnapshot, readable
from tests.template import Match, Template, every_action, synthesized
from tests.variants import Json

SLUG = "spot_placement_tracker"
NAMESPACE = "Spot Placement Score Metrics"


template = partial(synthesized, SLUG)


def functions(of: Template) -> dict[str, Json]:
    return {
        name.rstrip("0123456789ABCDEF"): resource["Properties"]
        for name, resource in of.find_resources("AWS::Lambda::Function").items()
    }


def test_synthesis_makes_no_call_and_no_connection(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The public tracker asks EC2 for scores when it is synthesized, which takes credentials and new questions."""

    def no(*_: object, **__: object) -> None:
        raise AssertionError("synthesis called AWS")

    monkeypatch.setattr(BaseClient, "_make_api_call", no)
    monkeypatch.setattr(socket.socket, "connect", no)
    from aws_cdk import App

    app = App(outdir=str(tmp_path), builtin_cloud_formation_validation=False)
    solution = next(each for each in SOLUTIONS if each.slug == SLUG)
    solution.build(app, CommonSettings(), SpotPlacementTrackerSettings())
    app.synth()
    assert (tmp_path / "spot-placement-tracker.template.json").exists()


def test_the_collector_runs_every_five_minutes_and_the_report_every_six_hours(default: Template) -> None:
    rates = {
        rule["Properties"]["ScheduleExpression"]
        for rule in default.find_resources("AWS::Events::Rule").values()
        if "ScheduleExpression" in rule["Properties"]
    }
    assert rates == {"rate(5 minutes)", "rate(6 hours)"}


def test_rates_follow_the_settings(enterprise: Template) -> None:
    rates = json.dumps(enterprise.find_resources("AWS::Events::Rule"))
    assert "rate(1 minute)" in rates and "rate(1 day)" in rates


def test_the_collector_may_ask_publish_and_read_the_plan_and_nothing_else(default: Template) -> None:
    assert every_action(default, "CollectorRole") == {
        "cloudwatch:PutMetricData",
        "ec2:GetSpotPlacementScores",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "s3:GetObject",
        "s3:ListBucket",
    }


@pytest.mark.parametrize(("variant", "namespace"), [("default", NAMESPACE), ("enterprise", "Acme/Placement Scores")])
def test_one_namespace_is_allowed_published_watched_and_drawn(variant: str, namespace: str) -> None:
    of = template(variant)
    (published,) = [each for each in of.statements("CollectorRole") if each["Action"] == "cloudwatch:PutMetricData"]
    assert published["Condition"] == {"StringEquals": {"cloudwatch:namespace": namespace}}
    for name in ("Collector", "Dashboards"):
        assert functions(of)[name]["Environment"]["Variables"]["METRIC_NAMESPACE"] == namespace
    (stored,) = of.find_resources("Custom::StoredFile").values()
    assert stored["Properties"]["MetricNamespace"] == namespace
    own = {
        alarm["Properties"]["MetricName"]
        for alarm in of.find_resources("AWS::CloudWatch::Alarm", {"Properties": {"Namespace": namespace}}).values()
    }
    assert own == {"RefusedConfigurations", "FileProblems", "BelowAlarmScore"}


def test_who_writes_dashboards_may_not_ask_ec2_or_publish(default: Template) -> None:
    for role in ("DashboardsRole", "DeploymentRole"):
        allowed = every_action(default, role)
        assert {"cloudwatch:PutDashboard", "cloudwatch:DeleteDashboards", "cloudwatch:GetMetricData"} <= allowed
        assert not {"cloudwatch:PutMetricData", "ec2:GetSpotPlacementScores"} & allowed
    assert "s3:DeleteObjectVersion" not in every_action(default, "DashboardsRole")


def test_rounds_do_not_overlap_and_are_not_repeated(default: Template, enterprise: Template) -> None:
    assert functions(default)["Collector"]["ReservedConcurrentExecutions"] == 1
    assert functions(default)["Collector"]["Timeout"] == 300
    assert functions(default)["Dashboards"]["ReservedConcurrentExecutions"] == 1
    assert "ReservedConcurrentExecutions" not in functions(enterprise)["Collector"]
    assert functions(enterprise)["Collector"]["Timeout"] == 60
    default.has_resource_properties("AWS::Lambda::EventInvokeConfig", {"MaximumRetryAttempts": 0})


@pytest.mark.parametrize("variant", ["default", "enterprise"])
def test_a_changed_file_reaches_the_dashboards_without_a_deployment(variant: str) -> None:
    of = template(variant)
    (bucket,) = of.find_resources("AWS::S3::Bucket")
    of.has_resource_properties(
        "AWS::Events::Rule",
        {
            "EventPattern": {
                "source": ["aws.s3"],
                "detail-type": ["Object Created", "Object Deleted"],
                "detail": {"bucket": {"name": [{"Ref": bucket}]}, "object": {"key": ["configuration.yaml"]}},
            },
            "Targets": [Match.object_like({"Arn": {"Fn::GetAtt": [Match.string_like_regexp("Dashboards"), "Arn"]}})],
        },
    )
    of.has_resource_properties(
        "AWS::S3::Bucket",
        {
            "NotificationConfiguration": {"EventBridgeConfiguration": {"EventBridgeEnabled": True}},
            "VersioningConfiguration": {"Status": "Enabled"},
        },
    )
    assert not of.find_resources("AWS::CloudWatch::Dashboard")


def test_nothing_is_scheduled_or_heard_before_the_file_is_stored_or_after_it_is_taken_away(default: Template) -> None:
    (stored,) = default.find_resources("Custom::StoredFile")
    for name, rule in default.find_resources("AWS::Events::Rule").items():
        assert stored in rule["DependsOn"], name


def test_everything_is_encrypted_with_the_customers_key_and_kept(enterprise: Template) -> None:
    (bucket,) = enterprise.find_resources("AWS::S3::Bucket").values()
    assert bucket["DeletionPolicy"] == "Retain"
    (rule,) = bucket["Properties"]["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    assert "kms:GenerateDataKey" in every_action(enterprise, "DashboardsRole")
    assert "kms:GenerateDataKey" not in every_action(enterprise, "CollectorRole")
    (stored,) = enterprise.find_resources("Custom::StoredFile").values()
    assert stored["Properties"]["KeepData"] == stored["Properties"]["TakeOver"] == "true"


def test_outputs_say_where_the_file_and_each_dashboard_are(default: Template, enterprise: Template) -> None:
    assert set(default.find_outputs("*")) == {"AlarmTopicArn", "DashboardUrl1", "FileAddress"}
    assert set(enterprise.find_outputs("*")) == {"DashboardUrl1", "DashboardUrl2", "FileAddress"}


def test_warnings_of_the_file_are_told_at_synthesis(tmp_path: Path) -> None:
    metadata = json.dumps(
        json.loads((variants.assembly("enterprise") / "acme-spot-placement-tracker.metadata.json").read_text())
    )
    assert "two_dashboards.yaml:5: 0.Sps.0.InstanceTypes.1: c7g.large is listed twice" in metadata


def test_the_layer_reads_yaml_without_anything_compiled(tmp_path: Path) -> None:
    from stacks.spot_placement_tracker.yaml_layer import write_archive

    archive = tmp_path / "layer.zip"
    write_archive(archive)
    with ZipFile(archive) as packed:
        assert all(name.endswith((".py", "LICENSE")) for name in packed.namelist())
        assert "python/yaml/LICENSE" in packed.namelist()
        packed.extractall(tmp_path)
    # Isolated and without site-packages, as in the function.
    script = (
        "import sys; sys.path.append(sys.argv[1]); import yaml; print(yaml.safe_load('[a, {b: 1}]'), yaml.__file__)"
    )
    command = [sys.executable, "-I", "-S", "-c", script, str(tmp_path / "python")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == f"['a', {{'b': 1}}] {tmp_path}/python/yaml/__init__.py\n"


def test_the_same_package_gives_the_same_layer(tmp_path: Path) -> None:
    from stacks.spot_placement_tracker.yaml_layer import write_archive

    for name in ("first.zip", "second.zip"):
        write_archive(tmp_path / name)
    assert (tmp_path / "first.zip").read_bytes() == (tmp_path / "second.zip").read_bytes()


def test_the_collector_brings_a_boto3_that_knows_local_zones(default: Template) -> None:
    """A runtime's may refuse the parameter: https://docs.aws.amazon.com/lambda/latest/dg/lambda-python.html."""
    (collector,) = [f for n, f in default.find_resources("AWS::Lambda::Function").items() if n.startswith("Collector")]
    (layer,) = collector["Properties"]["Layers"]
    described = default.find_resources("AWS::Lambda::LayerVersion")[layer["Ref"]]["Properties"]["Description"]
    assert described == f"boto3 {boto3.__version__}"
    model = botocore.session.get_session().get_service_model("ec2")
    shape = model.operation_model("GetSpotPlacementScores").input_shape
    assert shape is not None and "IncludeLocalZones" in shape.members


@pytest.mark.parametrize("variant", ["default", "enterprise"])
def test_template(variant: str, snapshot: SnapshotAssertion) -> None:
    assert readable(variants.template(variant, SLUG)) == snapshot(extension_class=TemplateSnapshot)
