"""plan, compare and report: offline with a price file, from AWS without one, and no answer without a price."""

import io
import json
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from config.models import CommonSettings
from stacks.capacity_planner import commands
from stacks.capacity_planner.settings import CapacityPlannerSettings, read_price_file
from stacks.program import main
from stacks.shared.billing import BillingUnit, read_prices
from stacks.shared.command import CommandError
from tests.solutions.capacity_planner.given import X
from tests.solutions.capacity_planner.price_answers import UNUSED, USED, Pricing, SavingsPlans, both
from tests.variants import ROOT

WORKLOADS, PRICES = ROOT / "config/capacity_workloads.yaml", ROOT / "config/capacity_prices.yaml"
SETTINGS = CapacityPlannerSettings()


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    status = main(["capacity_planner", *arguments])
    captured = capsys.readouterr()
    return status, captured.out + captured.err


@pytest.fixture(autouse=True)
def no_account(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is planned from a price file asks no account: there are no credentials and no Region."""
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_ACCESS_KEY_ID"):
        monkeypatch.delenv(name, raising=False)


def test_the_first_example_of_the_readme_runs_offline(capsys: pytest.CaptureFixture[str]) -> None:
    status, said = run(capsys, "plan", str(WORKLOADS), "--prices", str(PRICES), "--date", "2026-11-25")
    assert status == 0
    rows = {line.split()[0]: line for line in said.splitlines() if line.startswith(" ") and line.split()}
    assert "474.50" in rows["shop"] and "17,082.00" in rows["shop"]
    assert "On-Demand" in rows["tests"] and "260.71" in rows["tests"]
    flat = " ".join(said.split())
    assert "cancel them on 2027-01-25" in flat and "24 days ago" in flat and "Not counted: Fargate" in flat


def test_plan_in_json_is_the_same_and_money_is_text(capsys: pytest.CaptureFixture[str]) -> None:
    status, said = run(capsys, "plan", str(WORKLOADS), "--prices", str(PRICES), "--json")
    found = json.loads(said)
    assert status == 0 and found["ok"] and found["currency"] == "USD"
    shop = next(each for each in found["workloads"] if each["name"] == "shop")
    advice = shop["stages"][0]["recommended"]
    assert advice["monthly"] == "474.50" and advice["commitment_an_hour"] == "0.65"
    assert advice["break_even"] == {"use_percent": "65.0", "hours_a_week": "109.2", "months": "7.8"}
    assert not any(isinstance(value, float) for value in _leaves(found))


def _leaves(value: Any) -> list[Any]:
    if isinstance(value, dict | list):
        items = value.values() if isinstance(value, dict) else value
        return [leaf for item in items for leaf in _leaves(item)]
    return [value]


def test_compare_shows_every_option_and_what_has_no_price(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("compare", str(WORKLOADS), "--prices", str(PRICES), "--workload", "reports")
    status, said = run(capsys, *arguments)
    assert status == 0 and "469.29" in said and "109.2 h/week" in said and "no price" in said
    status, said = run(capsys, *arguments, "--json")
    (workload,) = json.loads(said)["workloads"]
    assert len(workload["options"]) == 26
    assert {each["option"]: each["reserves_capacity"] for each in workload["options"]}["On-Demand"] is False


def test_no_answer_without_the_price_that_it_needs(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    data = X.to_json()
    del data["prices"][0]["savings_plans"]["ec2-instance"]
    prices = tmp_path / "prices.json"
    prices.write_text(json.dumps(data), encoding="utf-8")
    status, said = run(capsys, "plan", str(WORKLOADS), "--prices", str(prices))
    flat = " ".join(said.split())
    assert status == 1
    assert "shop: no price for m5.large Linux/UNIX in us-east-1: savings_plans.ec2-instance.1.No Upfront" in flat
    status, said = run(capsys, "plan", str(WORKLOADS), "--prices", str(prices), "--json")
    shop = json.loads(said)["workloads"][0]
    assert status == 1 and shop["stages"][0]["recommended"] is None and shop["missing_price"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("workloads: [", "is not valid YAML"),
        ("workloads: []", "must be a mapping with a list of workloads"),
        ("workloads: [{name: a}]", "workloads.0.type: must be given"),
    ],
)
def test_a_wrong_file_of_workloads_gets_a_sentence(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, text: str, says: str
) -> None:
    path = tmp_path / "w.yaml"
    path.write_text(text, encoding="utf-8")
    status, said = run(capsys, "plan", str(path), "--prices", str(PRICES))
    assert status == 1 and says in said and str(path) in said


@pytest.mark.parametrize(("file", "says"), [("nowhere.yaml", "does not exist"), ("docs/queue_scaling.png", "UTF-8")])
def test_files_that_cannot_be_read(capsys: pytest.CaptureFixture[str], file: str, says: str) -> None:
    for arguments in ((file, "--prices", str(PRICES)), (str(WORKLOADS), "--prices", file)):
        status, said = run(capsys, "plan", *arguments)
        assert status == 1 and says in said


def test_an_unknown_workload_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    status, said = run(capsys, "compare", str(WORKLOADS), "--prices", str(PRICES), "--workload", "shpo")
    assert status == 1 and "there are: shop, reports" in said


# --- prices from AWS --------------------------------------------------------------------------------------------------


class Aws:
    """Clients of the price APIs, and the Regions they are asked in."""

    def __init__(self) -> None:
        self.regions: dict[str, str | None] = {}
        self.pricing, self.plans = Pricing([USED, UNUSED]), SavingsPlans(both("0.065"), both("0.075", plan="Compute"))

    def __call__(self, service: str, region: str | None = None, /) -> Any:
        self.regions[service] = region
        return {"pricing": self.pricing, "savingsplans": self.plans}[service]


def options(**more: Any) -> SimpleNamespace:
    known = {"file": WORKLOADS, "prices": None, "save_prices": None, "date": None, "workload": None}
    return SimpleNamespace(**{**known, **more})


def test_without_a_price_file_aws_is_asked_and_its_prices_can_be_saved(tmp_path: Path) -> None:
    aws, saved = Aws(), tmp_path / "saved.json"
    answer = commands._plan(options(save_prices=saved), CommonSettings(), SETTINGS, aws)  # type: ignore[arg-type]
    assert answer.ok and aws.regions == {"pricing": "us-east-1", "savingsplans": "us-east-1"}
    assert answer.data["workloads"][0]["stages"][0]["recommended"]["monthly"] == "474.50"
    again = commands._plan(options(prices=saved), CommonSettings(), SETTINGS, None)  # type: ignore[arg-type]
    assert again.data["monthly"] == answer.data["monthly"]
    assert read_price_file(saved).source == "the Price List and Savings Plans APIs"


def test_the_price_file_of_the_settings_is_taken_where_none_is_named() -> None:
    settings = CapacityPlannerSettings(price_file="config/capacity_prices.yaml")
    answer = commands._plan(options(), CommonSettings(), settings, None)  # type: ignore[arg-type]
    assert answer.ok and answer.data["prices"]["source"] == "invented numbers"


@pytest.mark.parametrize(
    ("regions", "says"),
    [(["us-gov-west-1"], "there is no Price List in aws-us-gov"), (["us-east-1", "cn-north-1"], "plan each partition")],
)
def test_partitions_without_or_with_other_prices(tmp_path: Path, regions: list[str], says: str) -> None:
    path = tmp_path / "w.json"
    entries = [{"name": region, "type": "m5.large", "count": 1, "region": region} for region in regions]
    path.write_text(json.dumps({"workloads": entries}), encoding="utf-8")
    with pytest.raises(CommandError, match=says):
        commands._plan(options(file=path), CommonSettings(), SETTINGS, Aws())  # type: ignore[arg-type]


def test_the_commands_hold_no_call_that_buys() -> None:
    for folder in ("stacks/capacity_planner", "lambdas/capacity_planner"):
        for path in (ROOT / folder).rglob("*.py"):
            text = path.read_text(encoding="utf-8")
            for word in (".purchase_", ".create_savings_plan", "create_capacity_reservation", ".run_instances"):
                assert word not in text, path


# --- report and cost --------------------------------------------------------------------------------------------------


class Reports:
    """CloudFormation and S3 of a stack that has looked, or has not."""

    def __init__(self, body: dict[str, Any] | None) -> None:
        self._body = body
        self.exceptions = SimpleNamespace(NoSuchKey=KeyError)
        self.meta = SimpleNamespace(region_name="us-east-1")

    def __call__(self, service: str, region: str | None = None, /) -> Any:
        return self

    def describe_stacks(self, StackName: str) -> dict[str, Any]:  # noqa: N803
        assert StackName == "capacity-planner"
        return {"Stacks": [{"Outputs": [{"OutputKey": "ReportsAddress", "OutputValue": "s3://bucket/reports/"}]}]}

    def get_object(self, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        assert (Bucket, Key) == ("bucket", "latest.json")
        if self._body is None:
            raise KeyError(Key)
        return {"Body": io.BytesIO(json.dumps(self._body).encode())}


LOOK = {
    "at": "2026-11-25T12:00:00+00:00",
    "hours": 24,
    "covered_hours": "1.00",
    "wasted_hours": "2.00",
    "unreserved_hours": "3.00",
    "ending": [{"what": "ri-1", "ends": "2026-12-01", "lost": "the discount"}],
    "idle_while_unreserved": {"m5.large": 2},
    "wasted_money": {"cr-1": "0.20"},
    "shared": {"cr-2": "shared by account 2"},
    "problems": [],
}


def test_the_latest_look_is_reported() -> None:
    answer = commands._report(options(), CommonSettings(), SETTINGS, Reports(LOOK))  # type: ignore[arg-type]
    assert answer.ok and ("wasted hours", "2.00") in answer.rows and ("paid twice", "2 of m5.large") in answer.rows
    broken = commands._report(options(), CommonSettings(), SETTINGS, Reports({**LOOK, "problems": ["x"]}))  # type: ignore[arg-type]
    assert not broken.ok and "x" in broken.notes


def test_before_the_first_look_there_is_a_sentence() -> None:
    with pytest.raises(CommandError, match="there is no report yet"):
        commands._report(options(), CommonSettings(), SETTINGS, Reports(None))  # type: ignore[arg-type]


def test_cost_counts_in_decimal_numbers(tmp_path: Path) -> None:
    path = tmp_path / "prices.yaml"
    path.write_text("on_demand_hour_t3_nano: 0.0052\nalarm_month: 0.1\n", encoding="utf-8")
    prices = read_prices(path)
    assert prices["alarm_month"] == Decimal("0.1")
    assert BillingUnit("on_demand_hour_t3_nano", 3 * 730, "three").money(prices) == Decimal("11.388")
    units = {unit.unit: unit for unit in commands.idle_month(CommonSettings(), SETTINGS)}
    assert units["alarm_month"].quantity == 6 and units["custom_metric_month"].quantity == 7
    third = Decimal(730) / 24
    assert units["lambda_request"].money({"lambda_request": Decimal("0.3")}) == third * Decimal("0.3")


def test_cost_in_json_has_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    status, said = run(capsys, "cost", "--json")
    units = {each["unit"]: each["quantity"] for each in json.loads(said)["idle_month"]}
    assert status == 0 and units["lambda_request"] == pytest.approx(730 / 24)


def test_check_looks_at_prices_plans_and_reservations(monkeypatch: pytest.MonkeyPatch) -> None:
    class Account(Aws):
        def __call__(self, service: str, region: str | None = None, /) -> Any:
            answers = {
                "get_products": {"PriceList": [USED]},
                "describe_savings_plans": {"savingsPlans": [{}, {}], "nextToken": ""},
            }
            listed = SimpleNamespace(paginate=lambda **_: [{"CapacityReservations": [{}] * 100}] * 2)
            known = {name: lambda _a=answer, **_: _a for name, answer in answers.items()}
            return SimpleNamespace(**known, get_paginator=lambda _: listed)

    monkeypatch.setattr(commands, "account_findings", lambda *_: iter(()))
    found = list(commands.findings(CommonSettings(region="eu-west-1"), SETTINGS, Account()))
    assert [(each.what, each.status) for each in found] == [
        ("prices", "ok"),
        ("Savings Plans", "ok"),
        ("reservations", "ok"),
    ]
    assert "2 are active" in found[1].says and "200 in eu-west-1" in found[2].says
    gov = list(commands.findings(CommonSettings(region="us-gov-west-1"), SETTINGS, Account()))
    assert [each.status for each in gov] == ["problem", "unknown", "ok"]
