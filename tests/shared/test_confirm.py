"""``python -m stacks SOLUTION confirm``: what reading and dry runs answer, what is refused, and what stays open."""

import json
import re
from typing import Any

import pytest
from botocore.exceptions import ClientError

from stacks import program
from stacks.__main__ import main
from stacks.confirmation import entries_of, looks_of
from stacks.odcr_asg import confirm as odcr_asg
from stacks.series import SOLUTIONS
from stacks.spinnaker_server_groups.settings import UBUNTU
from tests.answering import Answering

SLUGS = [solution.slug for solution in SOLUTIONS]
READS = re.compile(
    r"^`(aws [a-z0-9-]+ (describe|list|get)-[^`]*|[^`]*--dry-run[^`]*|python -m stacks \w+ (check|zone)[^`]*)`"
)
# What is asked by reading, once something is there that only a deployment, or somebody, brings about.
NEEDS_MORE = {
    "nitro_attestation": ("The values of `ec2:Attribute/InstanceType`",),
    "local_zone_guardrails": (
        "Whether EC2 tells `ec2:Subnet` in a launch that names no",
        "Whether RequestSpotInstances asks",
        "Whether a launch that names an existing interface",
        "That the name of an access point of a directory bucket",
    ),
    "outposts_guardrails": ("Whether `ec2:SourceOutpostArn` is told",),
    "outposts_routing": ("How many addresses a load balancer takes",),
    "spinnaker_server_groups": ("How EC2 Auto Scaling rounds",),
    "spot_placement_tracker": ("That a dry run of GetSpotPlacementScores", "Whether a type must exist"),
    "sqs_target_scaling": ("How late `NumberOfMessagesSent` comes",),
}
IDENTITY = {"Account": "123456789012", "Arn": "arn:aws:iam::123456789012:user/ada"}


def error(code: str, operation: str, message: str = "no") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


def asked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], slug: str, answers: dict[str, Any]
) -> tuple[int, dict[str, dict[str, Any]]]:
    """The status, and the rows that a look has answered, by the first words of their entries."""
    account = Answering({"get_caller_identity": IDENTITY, **answers})
    monkeypatch.setattr(program, "clients_of", lambda _: account)
    status = main([slug, "confirm", "--json"])
    rows = [row for row in json.loads(capsys.readouterr().out) if row["answer"] != "deploy"]
    return status, {
        next(look.entry for look in looks_of(slug) if row["entry"].startswith(look.entry)): row for row in rows
    }


# The looks and the entries


@pytest.mark.parametrize("slug", SLUGS)
def test_every_look_answers_one_entry(slug: str) -> None:
    entries = [entry.what for entry in entries_of(slug)]
    assert entries
    for look in looks_of(slug):
        assert sum(entry.startswith(look.entry) for entry in entries) == 1, look.entry
        assert look.asks


@pytest.mark.parametrize("slug", SLUGS)
def test_an_entry_that_reading_answers_has_a_look_or_needs_more_than_reading(slug: str) -> None:
    answered = (*(look.entry for look in looks_of(slug)), *NEEDS_MORE.get(slug, ()))
    open_still = [entry for entry in entries_of(slug) if READS.match(entry.how)]
    assert [entry.what for entry in open_still if not entry.what.startswith(answered)] == []
    for words in NEEDS_MORE.get(slug, ()):
        assert any(entry.what.startswith(words) for entry in open_still), words


# The command


def test_a_confirmed_entry_ends_well_and_the_others_say_what_would_tell(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    account = Answering({"get_caller_identity": IDENTITY, "get_parameter": {"Parameter": {"Value": "ami-1"}}})
    monkeypatch.setattr(program, "clients_of", lambda _: account)
    assert main(["spinnaker-server-groups", "confirm"]) == 0
    printed = capsys.readouterr().out
    assert re.search(r"confirmed +That Canonical's parameter .* 1 of 1 are here", printed)
    assert re.search(r"deploy +Whether EC2 Auto Scaling refuses", printed)
    assert f"1 of {len(entries_of('spinnaker_server_groups'))} answered" in printed


def test_a_dry_run_is_told_by_its_code_which_need_not_mean_that_a_launch_is_taken(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (look,) = [look for look in looks_of("odcr_asg") if look.entry.startswith("Which instance types")]
    monkeypatch.setattr("stacks.odcr_asg.confirm.LOOKS", (look,))
    answers = {"get_parameter": IMAGE, "run_instances": error("DryRunOperation", "RunInstances")}
    _, rows = asked(monkeypatch, capsys, "odcr_asg", answers)
    (row,) = rows.values()
    assert row["says"].startswith("t2.micro: DryRunOperation, ")


def test_a_refuted_entry_ends_with_1(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    answers = {"get_parameter": error("ParameterNotFound", "GetParameter")}
    status, rows = asked(monkeypatch, capsys, "spinnaker_server_groups", answers)
    (row,) = rows.values()
    assert status == 1 and row["answer"] == "refuted" and UBUNTU in row["says"]


def test_a_refusal_in_the_middle_stops_no_other_look(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = {
        "get_parameter": error("AccessDeniedException", "GetParameter"),
        "list_resource_compliance_summaries": {"ResourceComplianceSummaryItems": []},
    }
    status, rows = asked(monkeypatch, capsys, "credential_guard", answers)
    assert status == 2
    assert [row["answer"] for row in rows.values()] == ["refused", "confirmed"]
    assert "GetParameter: AccessDeniedException" in rows["That the parameter of a TPM image exists for each"]["says"]


def test_what_is_refused_or_open_still_does_not_count_as_answered(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = {
        "get_parameter": error("AccessDeniedException", "GetParameter"),
        "list_resource_compliance_summaries": {"ResourceComplianceSummaryItems": []},
    }
    account = Answering({"get_caller_identity": IDENTITY, **answers})
    monkeypatch.setattr(program, "clients_of", lambda _: account)
    assert main(["credential_guard", "confirm"]) == 2
    whole = len(entries_of("credential_guard"))
    assert f"1 of {whole} answered by reading and dry runs" in capsys.readouterr().out
    account.answers["describe_instance_types"] = [{"InstanceTypes": []}]
    assert main(["gpu_monitoring", "confirm"]) == 0  # open: the Region has no such type
    assert f"0 of {len(entries_of('gpu_monitoring'))} answered" in capsys.readouterr().out


def test_credentials_that_do_not_count_are_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    account = Answering({"get_caller_identity": error("ExpiredToken", "GetCallerIdentity")})
    monkeypatch.setattr(program, "clients_of", lambda _: account)
    assert main(["credential_guard", "confirm"]) == 1
    assert capsys.readouterr().err == "GetCallerIdentity: ExpiredToken: no\n"


def gpu(count: int) -> list[dict[str, Any]]:
    return [{"InstanceTypes": [{"InstanceType": "g6f.large", "GpuInfo": {"Gpus": [{"Count": count}]}}]}]


def skus(*usage_types: str) -> list[dict[str, Any]]:
    return [{"PriceList": [json.dumps({"product": {"attributes": _sku(each)}, "terms": {}}) for each in usage_types]}]


def _sku(usage_type: str) -> dict[str, str]:
    unused = "UnusedCapacityReservation" if "Unused" in usage_type else "Used"
    return {
        "capacitystatus": unused,
        "usagetype": usage_type,
        "instanceType": "m5.large",
        "regionCode": "us-east-1",
        "locationType": "AWS Region",
        "operation": "RunInstances",
        "tenancy": "Dedicated" if "Ded" in usage_type else "Shared",
    }


def types(**hypervisors: str) -> list[dict[str, Any]]:
    found = [{"InstanceType": f"{family}.2xlarge", "Hypervisor": said} for family, said in hypervisors.items()]
    return [{"InstanceTypes": found}]


ALL_XEN = dict.fromkeys(("f1", "g2", "g3", "p2", "p3"), "xen")
SCHEMA = {"definitions": {"AvailabilityZoneDistribution": {"properties": {odcr_asg.PROPERTY: {"type": "string"}}}}}
ENUM = {"type": "string", "enum": ["balanced-only", odcr_asg.STRATEGY]}
KNOWING = {"definitions": {"AvailabilityZoneDistribution": {"properties": {odcr_asg.PROPERTY: ENUM}}}}
LESS = {"properties": {odcr_asg.PROPERTY: {"type": "string", "enum": ["balanced-only"]}}}
IMAGE = {"Parameter": {"Value": "ami-1"}}
QUOTA = {"QuotaName": "EC2 Instance Connect Endpoints per Region", "Value": 5.0}
COMPONENT = {"arn": "arn:aws:imagebuilder:us-east-1:aws:component/stig-build-windows/2.1.1/1"}


@pytest.mark.parametrize(
    ("slug", "words", "answers", "answer"),
    [
        ("gpu_monitoring", "That `Count`", {"describe_instance_types": gpu(0)}, "confirmed"),
        ("gpu_monitoring", "That `Count`", {"describe_instance_types": gpu(1)}, "refuted"),
        ("gpu_monitoring", "That `Count`", {"describe_instance_types": [{"InstanceTypes": []}]}, "open"),
        ("nitro_attestation", "That f1", {"describe_instance_types": types(**ALL_XEN)}, "confirmed"),
        ("nitro_attestation", "That f1", {"describe_instance_types": types(p2="xen")}, "seen"),
        ("nitro_attestation", "That f1", {"describe_instance_types": types(p3="nitro")}, "refuted"),
        ("odcr_asg", "That CloudFormation accepts", {"describe_type": {"Schema": json.dumps(SCHEMA)}}, "open"),
        ("odcr_asg", "That CloudFormation accepts", {"describe_type": {"Schema": json.dumps(KNOWING)}}, "confirmed"),
        ("odcr_asg", "That CloudFormation accepts", {"describe_type": {"Schema": json.dumps(LESS)}}, "refuted"),
        (
            "odcr_asg",
            "Which instance types",
            {"get_parameter": IMAGE, "run_instances": error("DryRunOperation", "RunInstances")},
            "seen",
        ),
        (
            "odcr_asg",
            "Which instance types",
            {"get_parameter": IMAGE, "run_instances": error("UnauthorizedOperation", "RunInstances")},
            "refused",
        ),
        (
            "capacity_planner",
            "That SKUs of unused",
            {"get_products": skus("DedicatedUsage:m5.large", "UnusedDed:m5.large")},
            "confirmed",
        ),
        ("capacity_planner", "That SKUs of unused", {"get_products": skus("DedicatedUsage:m5.large")}, "refuted"),
        ("capacity_planner", "That the filters", {"get_products": skus("BoxUsage:m5.large")}, "refuted"),
        ("outposts_dashboard", "That the tagging", {"get_resources": {"ResourceTagMappingList": []}}, "confirmed"),
        (
            "outposts_dashboard",
            "That the tagging",
            {"get_resources": error("InvalidParameterException", "GetResources")},
            "refuted",
        ),
        (
            "image_pipelines",
            "That `Level`",
            {
                "list_components": [{"componentVersionList": [{**COMPONENT, "name": "stig-build-windows"}]}],
                "get_component": {"component": {**COMPONENT, "parameters": [{"name": "Level"}]}},
            },
            "confirmed",
        ),
        (
            "image_pipelines",
            "That `Level`",
            {"list_components": [{"componentVersionList": []}]},
            "open",
        ),
        (
            "instance_connect_endpoint",
            "Whether an account",
            {
                "list_service_quotas": [
                    {"Quotas": [{"QuotaName": "EC2 Instance Connect Endpoints per Region", "Value": 5.0}]}
                ]
            },
            "confirmed",
        ),
        ("instance_connect_endpoint", "Whether an account", {"list_service_quotas": [{"Quotas": []}]}, "open"),
    ],
)
def test_a_look_reads_what_aws_answers(
    slug: str,
    words: str,
    answers: dict[str, Any],
    answer: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    account = Answering({"get_caller_identity": IDENTITY, **answers})
    (look,) = [look for look in looks_of(slug) if look.entry.startswith(words)]
    monkeypatch.setattr(f"stacks.{slug}.confirm.LOOKS", (look,))
    monkeypatch.setattr(program, "clients_of", lambda _: account)
    main([slug, "confirm", "--json"])
    (row,) = [row for row in json.loads(capsys.readouterr().out) if row["answer"] != "deploy"]
    assert row["answer"] == answer, row
