"""What the post on the Porting Advisor promises, read off the templates."""

import json
from functools import partial
from typing import Any

import pytest
import yaml
from syrupy.assertion import SnapshotAssertion

from stacks.graviton_porting_advisor.builds import FOLDER, OVERRIDES
from tests import variants
from tests.conformance.limits.rule import findings
from tests.prepared import largest, prepared
from tests.prepared import template as prepared_template
from tests.snapshots import TemplateSnapshot, readable
from tests.template import Template, actions, allowed, every_action, synthesized

SLUG = "graviton_porting_advisor"
template = partial(synthesized, SLUG)
Json = dict[str, Any]


def projects(of: Template) -> dict[str, Json]:
    """Properties of the projects by the labels of their sources."""
    found = [each["Properties"] for each in of.find_resources("AWS::CodeBuild::Project").values()]
    return {variables(each)["SOURCE"]: each for each in found}


def variables(project: Json) -> dict[str, Any]:
    return {item["Name"]: item["Value"] for item in project["Environment"]["EnvironmentVariables"]}


def role_of(project: Json) -> str:
    return str(project["ServiceRole"]["Fn::GetAtt"][0]).removesuffix("Role")[:-8]


# The builds


def test_a_build_is_arm_small_limited_and_runs_our_buildspec(default: Template) -> None:
    (project,) = projects(default).values()
    environment = project["Environment"]
    assert environment["Type"] == "ARM_CONTAINER" and environment["ComputeType"] == "BUILD_GENERAL1_SMALL"
    assert environment["Image"] == "aws/codebuild/amazonlinux-aarch64-standard:3.0"
    assert project["TimeoutInMinutes"] == 30 and not environment.get("PrivilegedMode")
    assert yaml.safe_load(project["Source"]["BuildSpec"])["version"] == 0.2
    assert project["Source"]["BuildSpec"] == (FOLDER / "buildspec.yaml").read_text(encoding="utf-8")
    assert variables(project)["TOOL_COMMIT"] == "d5d5890ac2ba78de43a070be5d8097c77b3bc15a"


def test_without_arm_only_the_machine_is_another_one() -> None:
    for project in projects(template("second")).values():
        assert project["Environment"]["Type"] == "LINUX_CONTAINER" and "x86_64" in project["Environment"]["Image"]


IMAGE = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/tools/advisor:1"


def test_an_image_of_yours_is_pulled_by_the_role_and_chooses_no_runtimes(default: Template) -> None:
    of = prepared(SLUG, "own image")
    (project,) = projects(of).values()
    environment = project["Environment"]
    assert (environment["Image"], environment["ImagePullCredentialsType"]) == (IMAGE, "SERVICE_ROLE")
    phases = yaml.safe_load(project["Source"]["BuildSpec"])["phases"]
    (usual,) = projects(default).values()
    assert "ImagePullCredentialsType" not in usual["Environment"]
    wanted = yaml.safe_load(usual["Source"]["BuildSpec"])["phases"]
    assert phases == {name: phase for name, phase in wanted.items() if name != "install"}
    (pulling,) = allowed(of, role_of(project), "ecr:BatchGetImage")
    assert ":ecr:eu-central-1:123456789012:repository/tools/advisor" in json.dumps(pulling["Resource"])
    assert [actions(each) for each in of.statements(role_of(project)) if each["Resource"] == "*"] == [
        ["ecr:GetAuthorizationToken"]
    ]


def test_each_provider_has_its_type_and_address() -> None:
    found = {label: project["Source"] for label, project in projects(template("second")).items()}
    types = {label: source["Type"] for label, source in found.items()}
    assert types == {
        "github/org/a": "GITHUB", "gitlab/org/b": "GITLAB", "codecommit/inside": "CODECOMMIT",
        "s3/sources-of-ours/app.zip": "S3", "s3/sources-of-ours/tree/": "S3",
    }  # fmt: skip
    assert found["github/org/a"]["Location"] == "https://github.com/org/a.git"
    assert found["s3/sources-of-ours/app.zip"]["Location"] == "sources-of-ours/app.zip"
    assert found["gitlab/org/b"]["Auth"]["Type"] == "CODECONNECTIONS"
    assert projects(template("second"))["github/org/a"]["SourceVersion"] == "main"


def test_the_settings_of_a_source_reach_its_build() -> None:
    found = variables(projects(template("second"))["github/org/a"])
    scan = json.loads(found["SCAN"])
    assert scan["exclude"] == ["node_modules", "third_party/x86", "vendor"] and scan["max_issues"] == 7
    assert found["ISSUE_TYPES"] == "+CompilerSpecific,-Intrinsic"
    assert (found["TARGET_OS"], found["SCAN_JARS"]) == ("all", "true")


def test_no_secret_is_in_the_variables_which_events_carry_in_clear() -> None:
    names = {name for project in projects(template("second")).values() for name in variables(project)}
    assert names == {
        "SOURCE", "SLUG", "SCAN", "TOOL_REPOSITORY", "TOOL_COMMIT", "TARGET_OS", "ISSUE_TYPES", "SCAN_JARS", "BUCKET",
        "QUEUE_URL",
    }  # fmt: skip


# Least privilege


@pytest.mark.parametrize("variant", [variants.DEFAULT, "second"])
def test_a_build_writes_below_the_folder_of_its_source_and_reads_no_report(variant: str) -> None:
    of = template(variant)
    for project in projects(of).values():
        role, slug = role_of(project), variables(project)["SLUG"]
        (statement,) = allowed(of, role, "s3:PutObject")
        assert f"/reports/{slug}/*" in json.dumps(statement["Resource"])
        reading = json.dumps([each["Resource"] for each in allowed(of, role, "s3:GetObject")])
        assert "/reports/" not in reading
        assert not {"sqs:ReceiveMessage", "sts:AssumeRole", "logs:CreateLogGroup"} & every_action(of, role)
        assert not [each for each in of.statements(role) if each["Resource"] == "*"]


def test_a_build_reads_its_own_source_and_no_other_one() -> None:
    of = template("second")
    found = projects(of)
    objects = {label: json.dumps(of.statements(role_of(project))) for label, project in found.items()}
    assert "sources-of-ours/app.zip" in objects["s3/sources-of-ours/app.zip"]
    assert [label for label, text in objects.items() if "sources-of-ours/tree/*" in text] == [
        "s3/sources-of-ours/tree/"
    ]
    assert [label for label, text in objects.items() if "codecommit:GitPull" in text] == ["codecommit/inside"]
    assert [label for label, text in objects.items() if "UseConnection" in text] == ["gitlab/org/b"]


def test_start_may_start_the_projects_as_they_are_and_nothing_else() -> None:
    of = template("second")
    (statement,) = allowed(of, "StartRole", "codebuild:StartBuild")
    assert statement["Condition"] == {"Null": dict.fromkeys(OVERRIDES, "true")}
    assert {"codebuild:source.buildspec", "codebuild:serviceRole", "codebuild:environment.image"} <= set(OVERRIDES)
    assert len(statement["Resource"]) == 5 and "*" not in json.dumps(statement["Resource"])


def test_the_reader_reads_reports_only_and_its_session_is_an_hour(default: Template) -> None:
    assert every_action(default, "ReportingReader") == {"s3:GetObject"}
    for statement in default.statements("ReportingReader"):
        assert "reports/*/*/report." in json.dumps(statement["Resource"])
    (reader,) = [
        role["Properties"]
        for name, role in default.find_resources("AWS::IAM::Role").items()
        if name.startswith("ReportingReader")
    ]
    assert reader["MaxSessionDuration"] == 3600


def test_only_metrics_and_logs_of_functions_know_no_resource(default: Template) -> None:
    found = [actions(each) for each in default.statements() if each["Resource"] == "*"]
    assert found == [["cloudwatch:PutMetricData"]]


# The bucket


@pytest.mark.parametrize("variant", [variants.DEFAULT, "key"])
def test_the_bucket_is_private_encrypted_and_forgets(variant: str) -> None:
    bucket = template(variant).only("AWS::S3::Bucket")
    assert all(bucket["PublicAccessBlockConfiguration"].values())
    (rule,) = bucket["LifecycleConfiguration"]["Rules"]
    assert rule["ExpirationInDays"] == 90
    (by_default,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    kind = by_default["ServerSideEncryptionByDefault"]["SSEAlgorithm"]
    assert kind == ("aws:kms" if variant == "key" else "AES256")


def test_no_statement_of_the_bucket_allows_anybody(default: Template) -> None:
    policy = default.only("AWS::S3::BucketPolicy")["PolicyDocument"]["Statement"]
    assert [each for each in policy if each["Effect"] == "Allow" and "*" in json.dumps(each["Principal"])] == []


# The ends of builds


def test_every_end_is_heard_and_no_beginning(default: Template) -> None:
    (rule,) = [each["Properties"] for each in default.find_resources("AWS::Events::Rule").values()]
    pattern = rule["EventPattern"]
    assert pattern["detail"]["build-status"] == [{"anything-but": ["IN_PROGRESS"]}]
    (project,) = default.find_resources("AWS::CodeBuild::Project")
    assert pattern["detail"]["project-name"] == [{"Ref": project}]
    assert rule["Targets"][0]["DeadLetterConfig"]


def test_report_and_start_may_go_on_for_longer_than_lambda_lets_a_loop_go_on(default: Template) -> None:
    loops = {
        each["Properties"]["Description"]: each["Properties"].get("RecursiveLoop")
        for each in default.find_resources("AWS::Lambda::Function").values()
    }
    assert {description for description, loop in loops.items() if loop == "Allow"} == {
        "Sends one notification for each scan, and publishes its metrics",
        "Starts a build for each source, a limited number at a time",
    }


def test_the_end_of_a_build_lets_the_next_one_go_on_and_a_deletion_closes_the_line(default: Template) -> None:
    functions = default.find_resources("AWS::Lambda::Function")
    (start,) = [name for name in functions if name.startswith("Start")]
    (asking,) = allowed(default, "ReportRole", "lambda:InvokeFunction")
    assert asking["Resource"] == {"Fn::GetAtt": [start, "Arn"]}
    variables = functions[start]["Properties"]["Environment"]["Variables"]
    assert variables["BUILDS_AT_ONCE"] == "5"
    for role in ("StartRole", "LifecycleRole"):
        (writing,) = allowed(default, role, "dynamodb:UpdateItem")
        assert writing["Resource"] == {"Fn::GetAtt": [variables["TABLE_NAME"]["Ref"], "Arn"]}


def test_fifty_sources_fit_into_the_patterns_and_into_a_stack() -> None:
    """Names as long as GitHub lets them be: the ARNs of fifty such projects fit once into the policy of a role."""
    found = Template(prepared_template(largest(SLUG)[0]))
    assert len(found.to_json()["Resources"]) <= 400
    apart = found.find_resources("AWS::IAM::ManagedPolicy")  # where a role's own policy is full: with less room
    assert "codebuild:" not in json.dumps(apart) and not [name for name in apart if name.startswith("Start")]
    assert [str(one) for one in findings(found.to_json(), "fifty")] == []
    heard = [
        name["Ref"]
        for rule in found.find_resources("AWS::Events::Rule").values()
        for name in rule["Properties"]["EventPattern"]["detail"]["project-name"]
    ]
    assert sorted(heard) == sorted(found.find_resources("AWS::CodeBuild::Project"))


def test_the_schedule_asks_start_for_every_project(default: Template) -> None:
    target = default.only("AWS::Scheduler::Schedule")["Target"]
    (project,) = default.find_resources("AWS::CodeBuild::Project")
    assert f'"Ref": "{project}"' in json.dumps(target["Input"])
    assert "<aws.scheduler.scheduled-time>" in json.dumps(target["Input"])
    assert target["DeadLetterConfig"] and target["RetryPolicy"]["MaximumRetryAttempts"] == 3
    assert not template("second").find_resources("AWS::Scheduler::Schedule")


# Life


def test_builds_are_stopped_before_the_bucket_is_emptied(default: Template) -> None:
    (emptied,) = default.find_resources("Custom::EmptiedBucket")
    (stopped,) = default.find_resources("Custom::StoppedBuilds").values()
    assert emptied in stopped["DependsOn"]
    (schedule,) = default.find_resources("AWS::Scheduler::Schedule").values()
    (name,) = default.find_resources("Custom::StoppedBuilds")
    assert name in schedule["DependsOn"], "nothing starts a build while builds are being stopped"


def test_a_build_has_its_permissions_before_codebuild_looks_at_the_source() -> None:
    of = template("second")
    policies = of.find_resources("AWS::IAM::Policy")
    for project in of.find_resources("AWS::CodeBuild::Project").values():
        assert [name for name in project["DependsOn"] if name in policies]


def test_kinds_are_measured_and_drawn_by_setting() -> None:
    for variant, kinds in ((variants.DEFAULT, False), ("second", True)):
        of = template(variant)
        body = json.dumps(of.only("AWS::CloudWatch::Dashboard")["DashboardBody"])
        assert ("IssuesOfKind" in body) is kinds


@pytest.mark.parametrize("variant", [variants.DEFAULT, "enterprise", "second"])
def test_template(variant: str, snapshot: SnapshotAssertion) -> None:
    found = variants.template(variant, SLUG)
    assert readable(found) == snapshot(extension_class=TemplateSnapshot)
