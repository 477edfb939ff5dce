"""``python -m stacks graviton_porting_advisor``: what would stop a scan, scans on demand, and links."""

import io
import json
from argparse import Namespace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from config.models import CommonSettings
from stacks.graviton_porting_advisor.commands import findings, report, scan
from stacks.graviton_porting_advisor.settings import GravitonPortingAdvisorSettings
from stacks.shared.command import CommandError
from tests.answering import Answering

OUTPUTS = {
    "StartFunction": "start",
    "ReportsBucket": "reports",
    "ReaderRoleArn": "arn:aws:iam::123456789012:role/reader",
}
CONNECTION = "arn:aws:codeconnections:eu-central-1:123456789012:connection/1234abcd-12ab-34cd-56ef-1234567890ab"
SOURCES = [
    {"location": "org/a"},
    {"location": "gitlab:org/b", "connection_arn": CONNECTION},
    {"location": "s3://bucket/a.zip"},
]


def settings(**more: Any) -> GravitonPortingAdvisorSettings:
    return GravitonPortingAdvisorSettings.model_validate({"sources": SOURCES, **more})


def project(label: str) -> dict[str, Any]:
    return {"name": f"project-{label}", "environment": {"environmentVariables": [{"name": "SOURCE", "value": label}]}}


def account(**more: Any) -> Answering:
    slug = settings().sources[0].place.slug
    result = {"result": "above-max", "passed": False, "issues": 37, "files": 1, "says": "37 issues"}
    images = ["aws/codebuild/amazonlinux-aarch64-standard:3.0"]
    return Answering(
        {
            "get_caller_identity": {"Account": "123456789012", "Arn": "arn:aws:iam::123456789012:root"},
            "get_parameter": {"Parameter": {"Value": "30"}},
            "list_curated_environment_images": {
                "platforms": [{"languages": [{"images": [{"name": name} for name in images]}]}]
            },
            "list_service_quotas": [
                {"Quotas": [{"QuotaName": f"Concurrently running builds for {m}/Small environment", "Value": 1.0}]}
                for m in ("ARM", "Linux")
            ],
            "get_connection": {"Connection": {"ConnectionStatus": "PENDING"}},
            "describe_stacks": {
                "Stacks": [{"Outputs": [{"OutputKey": k, "OutputValue": v} for k, v in OUTPUTS.items()]}]
            },
            "list_stack_resources": [
                {
                    "StackResourceSummaries": [
                        {"ResourceType": "AWS::CodeBuild::Project", "PhysicalResourceId": "one"},
                        {"ResourceType": "AWS::S3::Bucket", "PhysicalResourceId": "reports"},
                    ]
                }
            ],
            "batch_get_projects": {"projects": [project("github/org/a"), project("gitlab/org/b")]},
            "invoke": {"Payload": io.BytesIO(json.dumps({"builds": ["one:1"]}).encode())},
            "list_objects_v2": [
                {
                    "Contents": [
                        {"Key": f"reports/{slug}/1/result.json", "LastModified": datetime(2026, 1, 1, tzinfo=UTC)}
                    ]
                }
            ],
            "get_object": {"Body": io.BytesIO(json.dumps(result).encode())},
            "assume_role": {
                "Credentials": {
                    "AccessKeyId": "ASIA",
                    "SecretAccessKey": "s",
                    "SessionToken": "t",
                    "Expiration": datetime.now(UTC) + timedelta(hours=1),
                }
            },
            **more,
        }
    )


def found(aws: Answering, chosen: GravitonPortingAdvisorSettings) -> dict[str, tuple[str, str]]:
    return {one.what: (one.status, one.says) for one in findings(CommonSettings(), chosen, aws)}


def test_check_names_what_would_stop_the_first_scan() -> None:
    said = found(account(list_objects_v2={}), settings())
    assert said["builds"][0] == "ok"
    assert said["gitlab/org/b"] == ("problem", "its connection is PENDING")
    assert said["s3/bucket/a.zip"] == ("problem", "it does not exist")
    assert found(account(list_objects_v2={}), settings(arm=False))["builds"][0] == "problem"


@pytest.mark.parametrize(
    ("sources", "at_once", "status"), [(50, 6, "ok"), (50, 7, "problem"), (6, 50, "ok"), (7, 50, "problem")]
)
def test_check_finds_builds_for_which_codebuild_has_no_place(sources: int, at_once: int, status: str) -> None:
    many = settings(sources=[{"location": f"org/{number}"} for number in range(sources)], builds_at_once=at_once)
    assert found(account(), many)["builds at a time"][0] == status
    assert found(account(list_service_quotas=[{"Quotas": []}]), many)["builds at a time"][0] == "unknown"


@pytest.mark.parametrize(
    ("name", "which"),
    [("advisor:1", {"imageTag": "1"}), (f"a/b@sha256:{'0' * 64}", {"imageDigest": f"sha256:{'0' * 64}"})],
)
def test_check_looks_for_an_image_of_yours(name: str, which: dict[str, str]) -> None:
    own = settings(image=f"123456789012.dkr.ecr.eu-central-1.amazonaws.com/{name}")
    assert found(account(list_objects_v2={}, describe_images={"imageDetails": [which]}), own)["builds"][0] == "ok"
    gone = ClientError({"Error": {"Code": "ImageNotFoundException", "Message": ""}}, "DescribeImages")
    assert found(account(list_objects_v2={}, describe_images=gone), own)["builds"][0] == "problem"
    denied = ClientError({"Error": {"Code": "AccessDeniedException", "Message": ""}}, "DescribeImages")
    assert found(account(list_objects_v2={}, describe_images=denied), own)["builds"][0] == "unknown"


def test_an_object_and_a_prefix_are_looked_for_as_they_are_named() -> None:
    other = {"Contents": [{"Key": "a.zip.old"}]}
    assert found(account(list_objects_v2=other), settings())["s3/bucket/a.zip"][0] == "problem"
    prefix = settings(sources=[{"location": "s3://bucket/a.zip.old/"}])
    assert found(account(list_objects_v2=other), prefix)["s3/bucket/a.zip.old/"][0] == "ok"


def test_scan_starts_what_is_named_and_refuses_what_the_stack_does_not_have() -> None:
    answer = scan(Namespace(source=["github/org/a"]), CommonSettings(), settings(), account())
    assert answer.rows == [["github/org/a", "one:1"]]
    waits = {"Payload": io.BytesIO(b'{"builds": [""]}')}
    answer = scan(Namespace(source=["github/org/a"]), CommonSettings(), settings(), account(invoke=waits))
    assert answer.rows == [["github/org/a", "waits for its turn"]]
    with pytest.raises(CommandError, match="does not scan github/org/z; it scans github/org/a, gitlab/org/b"):
        scan(Namespace(source=["github/org/z"]), CommonSettings(), settings(), account())


def test_scan_says_what_was_not_started() -> None:
    failed = {"FunctionError": "Unhandled", "Payload": io.BytesIO(b'{"errorMessage": "one: no capacity"}')}
    with pytest.raises(CommandError, match="one: no capacity"):
        scan(Namespace(source=["github/org/a"]), CommonSettings(), settings(), account(invoke=failed))


def test_report_lists_results_with_links_and_ends_with_1_if_one_does_not_pass() -> None:
    answer = report(Namespace(source=["github/org/a"]), CommonSettings(), settings(), account())
    assert not answer.ok and answer.rows == [["github/org/a", "above-max", "37", "59 min"]]
    assert "X-Amz-Signature" in answer.lines[1] and "ExpiredToken" in answer.notes[0]


def test_report_says_of_a_source_that_it_was_never_scanned() -> None:
    answer = report(Namespace(source=[]), CommonSettings(), settings(), account(list_objects_v2=[{}]))
    assert answer.ok and {row[1] for row in answer.rows} == {"never scanned"}
    with pytest.raises(CommandError, match="have no source"):
        report(Namespace(source=["x"]), CommonSettings(), settings(), account())
