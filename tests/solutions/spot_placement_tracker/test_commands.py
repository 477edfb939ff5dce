"""``python -m stacks spot_placement_tracker``: what it bills, what would stop it, what it checks and reports."""

import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from config.models import CommonSettings
from spot_placement_tracker.checks import read
from stacks import program
from stacks.shared.preflight import Finding
from stacks.spot_placement_tracker.commands import findings, idle_month
from stacks.spot_placement_tracker.settings import SpotPlacementTrackerSettings
from tests import variants

FILE = variants.ROOT / "config/spot_placement_tracker.yaml"
BROKEN = variants.ROOT / "tests/solutions/spot_placement_tracker/placement_scores/broken.yaml"
ADDRESS = "s3://tracked/configuration.yaml"
NO_ANSWER: dict[str, Any] = {"MetricDataResults": [{"Id": "s0", "StatusCode": "InternalError", "Values": []}]}


def refused(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": code}}, "Call")


def history() -> list[dict[str, Any]]:
    """Two weeks, of which only the first series is published, and is best at three."""
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    moments = [hour - timedelta(hours=ago) for ago in range(1, 24 * 14)]
    values = [9.0 if moment.hour == 3 else 5.0 for moment in moments]
    return [{"MetricDataResults": [{"Id": "s0", "Timestamps": moments, "Values": values}]}]


REGIONS = ("eu-west-1", "eu-central-1", "us-east-1")
TYPES = ("m7g.large", "m7g.xlarge", "m7g.2xlarge")


def offered(name: str, *classes: str) -> dict[str, Any]:
    return {"InstanceType": name, "SupportedUsageClasses": list(classes or ("on-demand", "spot"))}


class Account:
    """An account that answers every look; what a test sets differs from a healthy one with a deployed stack."""

    def __init__(self, **answers: Any) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.answers: dict[str, Any] = {
            "get_caller_identity": {"Account": "123456789012", "Arn": "arn:aws:iam::123456789012:root"},
            "get_parameter": {"Parameter": {"Value": "30"}},
            "get_spot_placement_scores": refused("DryRunOperation"),
            "get_account_settings": {"AccountLimit": {"UnreservedConcurrentExecutions": 1_000}},
            "get_dashboard": refused("ResourceNotFound"),
            "describe_regions": {"Regions": [{"RegionName": name} for name in REGIONS]},
            "describe_instance_types": [{"InstanceTypes": [offered(name) for name in TYPES]}],
            "get_service_quota": {"Quota": {"Value": 1_000.0}},
            "describe_stacks": {"Stacks": [{"Outputs": [{"OutputKey": "FileAddress", "OutputValue": ADDRESS}]}]},
            "get_object": lambda: {"Body": io.BytesIO(FILE.read_bytes())},
            "list_metrics": [{"Metrics": []}],
            "get_metric_data": history(),
            **answers,
        }

    def __call__(self, service: str, region: str | None = None, /) -> "Account":
        return self

    def get_paginator(self, operation: str) -> Any:
        def paginate(**parameters: Any) -> Any:
            return self._answer(operation, parameters)

        return type("Paginator", (), {"paginate": staticmethod(paginate)})

    def __getattr__(self, operation: str) -> Any:
        if operation == "meta":
            return type("Meta", (), {"region_name": "eu-west-1"})
        return lambda **parameters: self._answer(operation, parameters)

    def _answer(self, operation: str, parameters: dict[str, Any]) -> Any:
        self.asked.append((operation, parameters))
        answer = self.answers[operation]
        if isinstance(answer, Exception):
            raise answer
        return answer() if callable(answer) else answer


def look(account: Account, **settings: Any) -> dict[str, Finding]:
    validated = SpotPlacementTrackerSettings.model_validate(settings)
    return {finding.what: finding for finding in findings(CommonSettings(), validated, account)}


def run(monkeypatch: pytest.MonkeyPatch, account: Account, *words: str) -> int:
    monkeypatch.setattr(program, "clients_of", lambda _: account)
    return program.main(["spot_placement_tracker", *words])


# Cost


@pytest.mark.parametrize("variant", variants.variants_of("spot_placement_tracker"))
def test_what_is_billed_by_the_month_is_what_there_is(variant: str) -> None:
    config = variants.configuration(variant)
    settings = config.solutions["spot_placement_tracker"]
    assert isinstance(settings, SpotPlacementTrackerSettings)
    billed = {unit.unit: unit.quantity for unit in idle_month(config.common, settings)}
    kinds = [item["Type"] for item in variants.templates(variant)["spot_placement_tracker"]["Resources"].values()]
    assert billed["alarm_month"] == kinds.count("AWS::CloudWatch::Alarm")
    assert billed["dashboard_month"] == len(settings.read().dashboards)
    assert billed["put_metric_data_request"] == 730 * 60 / settings.every_minutes
    # Three Regions for six questions, ten zones for each of two, and four of the tracker's own; China has two Regions.
    others = {"enterprise": 10 + 2 + 4, "china": 42 - 6}
    assert billed["custom_metric_month"] == others.get(variant, 42)


# Check


def test_a_healthy_account_has_no_problem_and_is_asked_nothing_that_counts() -> None:
    account = Account()
    found = look(account)
    assert {finding.status for finding in found.values()} == {"ok"}, found
    (asked,) = [parameters for operation, parameters in account.asked if operation == "get_spot_placement_scores"]
    assert asked["DryRun"] is True


@pytest.mark.parametrize(
    ("what", "answers", "status", "says"),
    [
        (
            "placement scores",
            {"get_spot_placement_scores": refused("UnsupportedOperation")},
            "problem",
            "EC2 gives no placement scores in this Region",
        ),
        (
            "placement scores",
            {"get_spot_placement_scores": refused("UnauthorizedOperation")},
            "unknown",
            "Call: UnauthorizedOperation",
        ),
        (
            "types and Regions",
            {"describe_regions": {"Regions": [{"RegionName": "eu-west-1"}, {"RegionName": "us-east-1"}]}},
            "problem",
            "no Regions of this partition: eu-central-1",
        ),
        (
            "types and Regions",
            {"describe_instance_types": [{"InstanceTypes": [offered("m7g.large")]}]},
            "unknown",
            "no types of this Region: m7g.2xlarge, m7g.xlarge",
        ),
        (
            "types and Regions",
            {"describe_instance_types": [{"InstanceTypes": [offered("m7g.large", "on-demand")]}]},
            "problem",
            "not offered as Spot Instances: m7g.large",
        ),
        (
            "Spot quota",
            {"get_service_quota": {"Quota": {"Value": 32.0}}},
            "unknown",
            "100 vCPUs are asked about, 32 are allowed here (L-34B43A08)",
        ),
        (
            "concurrency",
            {"get_account_settings": {"AccountLimit": {"UnreservedConcurrentExecutions": 10}}},
            "problem",
            "10 are unreserved, and 100 must stay so",
        ),
        (
            "dashboard spot-placement-scores",
            {"get_dashboard": {"DashboardBody": "{}"}},
            "problem",
            "it exists, and this stack has not written it",
        ),
        (
            "dashboard spot-placement-scores",
            {"get_dashboard": {"DashboardBody": f"from `{ADDRESS}`"}},
            "ok",
            "this stack has written it",
        ),
        (
            "dashboard spot-placement-scores",
            {"get_dashboard": {"DashboardBody": "{}"}, "describe_stacks": refused("ValidationError")},
            "problem",
            "it exists, and this stack has not written it",
        ),
    ],
)
def test_what_is_found_says_what_it_is(what: str, answers: dict[str, Any], status: str, says: str) -> None:
    finding = look(Account(**answers))[what]
    assert (finding.status, finding.says) == (status, says) and (finding.status == "ok" or finding.fix)


@pytest.mark.parametrize(
    ("types", "quotas"),
    [
        ("[m7g.large, c7g.large, r7g.large]", {"L-34B43A08"}),
        ("[g6.xlarge, g5.xlarge, m7g.large]", {"L-34B43A08", "L-3819A6DF"}),
        ("[p5.48xlarge]", {"L-C4BD4855"}),
        ("[u-6tb1.metal]", set()),  # none is known
    ],
)
def test_types_are_compared_with_the_quotas_of_their_own_families(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, types: str, quotas: set[str]
) -> None:
    file = f"""
- Dashboard: d
  Sps:
    - {{ConfigurationName: c, InstanceTypes: {types}, RegionNames: [eu-west-1], SingleAvailabilityZone: False,
       TargetCapacity: 100, TargetCapacityUnitType: vcpu}}
    - {{ConfigurationName: c, InstanceTypes: [m7g.large], RegionNames: [eu-west-1], SingleAvailabilityZone: False,
       TargetCapacity: 1000, TargetCapacityUnitType: units}}
"""
    monkeypatch.setattr(SpotPlacementTrackerSettings, "read", lambda _: read(file))
    account = Account(get_service_quota={"Quota": {"Value": 60.0}})
    finding = look(account)["Spot quota"]
    assert {asked["QuotaCode"] for operation, asked in account.asked if operation == "get_service_quota"} == quotas
    assert finding.status == ("unknown" if len(quotas) == 1 else "ok"), finding  # 60 are too few, twice 60 are not


def test_what_the_settings_allow_is_no_problem() -> None:
    account = Account(get_dashboard={"DashboardBody": "{}"}, get_account_settings=refused("AccessDenied"))
    found = look(account, take_over_dashboards=True, reserve_concurrency=False)
    assert {finding.status for finding in found.values()} == {"ok"} and "concurrency" not in found


# Validate


def test_a_good_file_is_counted_without_aws(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    account = Account()
    assert run(monkeypatch, account, "validate", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {
        "dashboards": 1, "questions": 8, "regional_series": 18, "problems": [], "warnings": [], "ok": True,
    }  # fmt: skip
    assert account.asked == []


def test_a_broken_file_ends_with_every_problem_and_status_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, Account(), "validate", str(BROKEN), "--json") == 1
    problems = json.loads(capsys.readouterr().out)["problems"]
    assert len(problems) == 7 and problems[0].startswith("1: 0.Dashboard: must be the dashboard's name")


def test_a_file_that_is_not_there_gets_a_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, Account(), "validate", f"{tmp_path}/none.yaml") == 1
    assert capsys.readouterr().err == f"{tmp_path}/none.yaml does not exist\n"


# Report


def test_the_report_reads_the_deployed_file_and_tells_hour_day_and_size(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, Account(), "report", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    (series,) = told["series"]
    assert (series["configuration"], series["region"], series["capacity"]) == ("One family", "eu-west-1", 25)
    assert series["best_hour"]["label"] == "03:00" and series["best_hour"]["mean"] == 9.0
    assert told["sizes"][0] == {
        "configuration": "One family", "unit": "vcpu", "region": "eu-west-1", "zone_id": "",
        "sizes": [25, 50, 100], "largest": 25, "not_answered": [50, 100],
    }  # fmt: skip


def test_a_report_for_people_names_them_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, Account(), "report") == 0
    assert "03:00" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("answers", "words", "says"),
    [
        ({"describe_stacks": refused("ValidationError")}, (), "deploy it with"),
        ({"get_object": lambda: {"Body": io.BytesIO(b"- {}")}}, (), f"{ADDRESS}:1: 0.Dashboard: must be"),
        ({}, ("--days", "64"), "--days must be 1 to 63, got 64"),
        ({"get_metric_data": [NO_ANSWER]}, (), "GetMetricData answered InternalError for s0; try again"),
        ({"describe_stacks": refused("AccessDenied")}, (), "Call: AccessDenied"),
    ],
)
def test_what_keeps_a_report_from_being_made_is_told(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    answers: dict[str, Any],
    words: tuple[str, ...],
    says: str,
) -> None:
    assert run(monkeypatch, Account(**answers), "report", *words) == 1
    assert says in capsys.readouterr().err


def test_no_data_is_said_and_fails(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, Account(get_metric_data=[{"MetricDataResults": []}]), "report", "--json") == 1
    assert json.loads(capsys.readouterr().out)["series"] == []
