"""``python -m stacks``: lists, checks the configuration, tells costs, and looks at the account."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from config.models import CommonSettings, ExistingVpc
from stacks.__main__ import main
from stacks.series import SOLUTIONS
from stacks.shared.billing import BillingUnit
from stacks.shared.command import Answer, Command, CommandError
from stacks.shared.preflight import Finding
from stacks.sqs_target_scaling.commands import ENDPOINTS as ENDPOINTS_BILLED
from stacks.sqs_target_scaling.commands import VOLUME_GIB, findings, idle_month
from stacks.sqs_target_scaling.settings import SqsTargetScalingSettings
from tests import variants
from tests.answering import Answering
from tests.billed import by_unit
from tests.variants import ROOT


def units(settings: SqsTargetScalingSettings, common: CommonSettings | None = None) -> dict[str, Decimal]:
    return by_unit(idle_month(common or CommonSettings(), settings))


# Listing


def test_without_arguments_the_solutions_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    printed = capsys.readouterr().out
    assert [solution.slug for solution in SOLUTIONS if solution.slug not in printed] == []


def test_the_configuration_can_be_checked_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config"]) == 0
    assert main(["config", "--config", str(ROOT / "tests/config/bad_config/unknown_key.yaml")]) == 1
    assert "did you mean" in capsys.readouterr().err


# Cost


def test_an_idle_default_bills_no_instance_gateway_or_endpoint() -> None:
    billed = units(SqsTargetScalingSettings())
    assert not {"spot_instance_hour", "on_demand_instance_hour", "nat_gateway_hour", "public_ipv4_hour"} & set(billed)


def test_hours_are_those_of_the_smallest_size_split_by_purchase_option() -> None:
    billed = units(SqsTargetScalingSettings(min_instances=4, on_demand_base=2, on_demand_percentage=50))
    assert billed["on_demand_instance_hour"] == 3 * 730
    assert billed["spot_instance_hour"] == 1 * 730
    assert billed["gp3_gib_month"] == 4 * VOLUME_GIB


@pytest.mark.parametrize(("minimum", "base", "percentage", "on_demand"), [(2, 1, 20, 2), (5, 0, 10, 1), (3, 9, 0, 3)])
def test_a_fraction_is_an_on_demand_instance(minimum: int, base: int, percentage: int, on_demand: int) -> None:
    """EC2 "rounds up ... in favor of On-Demand Instances"; half an instance is not 0."""
    settings = SqsTargetScalingSettings(min_instances=minimum, on_demand_base=base, on_demand_percentage=percentage)
    assert units(settings).get("on_demand_instance_hour", 0) == on_demand * 730


@pytest.mark.parametrize("variant", variants.variants_of("sqs_target_scaling"))
def test_what_is_billed_by_the_hour_or_month_is_what_the_template_has(variant: str) -> None:
    config = variants.configuration(variant)
    settings = config.solutions["sqs_target_scaling"]
    assert isinstance(settings, SqsTargetScalingSettings)
    billed = units(settings, config.common)
    resources = variants.templates(variant)["sqs_target_scaling"]["Resources"].values()
    count = {kind: sum(r["Type"] == kind for r in resources) for kind in {r["Type"] for r in resources}}
    assert billed["alarm_month"] == count["AWS::CloudWatch::Alarm"] + 2  # target tracking makes two
    assert billed["dashboard_month"] == count["AWS::CloudWatch::Dashboard"]
    assert billed.get("nat_gateway_hour", 0) == 730 * count.get("AWS::EC2::NatGateway", 0)
    interfaces = [r for r in resources if r.get("Properties", {}).get("VpcEndpointType") == "Interface"]
    assert billed.get("interface_endpoint_hour", 0) == 730 * len(interfaces) * settings.zones
    assert not interfaces or len(interfaces) == ENDPOINTS_BILLED


def test_money_needs_a_price_and_says_what_has_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    prices = tmp_path / "prices.yaml"
    prices.write_text("alarm_month: 0.1\n", encoding="utf-8")
    assert BillingUnit("alarm_month", 8, "").money({"alarm_month": Decimal("0.1")}) == Decimal("0.8")
    assert main(["sqs_target_scaling", "cost", "--prices", str(prices)]) == 0
    printed = capsys.readouterr().out
    assert "1.00" in printed and "no price" in printed


@pytest.mark.parametrize("text", ["- 1", "alarm_month: cheap", "alarm_month: -1", "alarm_month: true", "a: [", None])
def test_a_price_file_that_is_none_gets_a_sentence(
    text: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prices = tmp_path / "prices.yaml"
    if text is not None:
        prices.write_text(text, encoding="utf-8")
    assert main(["sqs_target_scaling", "cost", "--prices", str(prices)]) == 1
    assert str(prices) in capsys.readouterr().err


def test_costs_are_json_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sqs_target_scaling", "cost", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["idle_month"]
    assert {"unit", "quantity", "of"} == set(rows[0])


# Check


def refused(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": code}}, "Operation")


def zones(letters: str) -> dict[str, Any]:
    return {"AvailabilityZones": [{"ZoneName": f"eu-central-1{letter}"} for letter in letters]}


def default_subnets(letters: str) -> list[dict[str, Any]]:
    return [{"Subnets": [{"AvailabilityZone": f"eu-central-1{letter}"}]} for letter in letters]


class Account(Answering):
    """An account that answers every look; what a test sets differs from a healthy one."""

    arn = "arn:aws:sts::123456789012:assumed-role/admin/me"

    def __init__(self, **answers: Any) -> None:
        healthy: dict[str, Any] = {
            "get_caller_identity": {"Account": "123456789012", "Arn": self.arn},
            "get_parameter": {"Parameter": {"Value": "30"}},
            "get_role": {"Role": {"Arn": "arn:aws:iam::123456789012:role/admin"}},
            "simulate_principal_policy": {"EvaluationResults": [{"EvalDecision": "allowed"}]},
            "describe_availability_zones": zones("abc"),
            "default subnets": default_subnets(""),
            "describe_stacks": refused("ValidationError"),
            "get_service_quota": {"Quota": {"Value": 640}},
            "get_instance_types_from_instance_requirements": [
                {"InstanceTypes": [{"InstanceType": "t4g.small"}]},
                {"InstanceTypes": [{"InstanceType": "m7g.large"}]},
            ],
            "describe_subnets": [{"Subnets": [{"SubnetId": "subnet-0123456789abcdef0", "VpcId": "vpc-01234567"}]}],
        }
        super().__init__(healthy | answers)


def look(account: Account, common: CommonSettings | None = None, **settings: Any) -> dict[str, Finding]:
    wanted = SqsTargetScalingSettings.model_validate(settings)
    return {found.what: found for found in findings(common or CommonSettings(), wanted, account)}


def test_a_healthy_account_has_no_problem() -> None:
    found = look(Account())
    assert {finding.status for finding in found.values()} == {"ok"}
    assert set(found) == {"account", "bootstrap", "permissions", "zones", "instance types", "Spot vCPUs"}
    assert found["instance types"].says.startswith("2 fit")


@pytest.mark.parametrize(
    ("what", "answers", "settings", "fix"),
    [
        ("bootstrap", {"get_parameter": refused("ParameterNotFound")}, {}, "cdk bootstrap"),
        ("bootstrap", {"get_parameter": {"Parameter": {"Value": "3"}}}, {}, "cdk bootstrap"),
        (
            "permissions",
            {"simulate_principal_policy": {"EvaluationResults": [{"EvalDecision": "implicitDeny"}]}},
            {},
            "assume it",
        ),
        ("zones", {}, {"zones": 4}, "Set zones to 3"),
        (
            "zones",
            {"default subnets": default_subnets("ac")},
            {"zones": 3},
            "--availability-zone eu-central-1b; or set",
        ),
        ("instance types", {"get_instance_types_from_instance_requirements": [{"InstanceTypes": []}]}, {}, "Widen"),
        ("Spot vCPUs", {"get_service_quota": {"Quota": {"Value": 16}}}, {"max_instances": 10}, "L-34B43A08"),
        (
            "On-Demand vCPUs",
            {"get_service_quota": {"Quota": {"Value": 1}}},
            {"on_demand_percentage": 100},
            "L-1216C47A",
        ),
    ],
)
def test_what_would_stop_a_deployment_is_a_problem_with_its_mend(
    what: str, answers: dict[str, Any], settings: dict[str, Any], fix: str
) -> None:
    found = look(Account(**answers), **settings)[what]
    assert found.status == "problem"
    assert fix in found.fix


def test_the_zones_are_those_that_cloudformation_takes() -> None:
    """https://blog.manabusakai.com/2018/11/cloudformation-getazs-function/: only zones with a default subnet."""
    two = Account(**{"default subnets": default_subnets("ac")})
    assert look(two)["zones"].says == "2 of 2"
    says = "3 wanted, CloudFormation takes eu-central-1a, eu-central-1c only: no other zone has a default subnet"
    assert look(two, zones=3)["zones"].says == says
    assert look(Account(), zones=3)["zones"].says == "3 of 3"


def test_another_account_than_the_configured_one_is_a_problem() -> None:
    assert look(Account(), CommonSettings(account="210987654321"))["account"].status == "problem"


def test_a_subnet_of_another_network_is_a_problem() -> None:
    vpc = ExistingVpc(id="vpc-76543210", subnet_ids=("subnet-0123456789abcdef0",))
    assert "subnet-0123456789abcdef0" in look(Account(), CommonSettings(vpc=vpc))["network"].says


@pytest.mark.parametrize(
    ("code", "emulator", "fix"),
    [
        ("AccessDenied", False, "Allow your role this call"),
        ("UnauthorizedOperation", True, "Allow your role this call"),
        ("InternalError", False, ""),
        ("400", True, "The emulator does not offer this call"),
    ],
)
def test_what_cannot_be_looked_at_is_unknown_and_only_a_denial_is_called_one(
    code: str, emulator: bool, fix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if emulator:
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")
    found = look(Account(describe_availability_zones=refused(code)))["zones"]
    assert (found.status, found.fix) == ("unknown", fix)


@pytest.mark.parametrize("error", [refused("ExpiredToken"), EndpointConnectionError(endpoint_url="https://sts")])
def test_without_credentials_or_connection_nothing_more_is_looked_at(error: Exception) -> None:
    with pytest.raises(type(error)):
        look(Account(get_caller_identity=error))


# Commands of a solution's own


def offer(monkeypatch: pytest.MonkeyPatch, run: Any) -> None:
    command = Command("greet", "greets", run, lambda parser: parser.add_argument("--name", default="you"))
    monkeypatch.setattr("stacks.sqs_target_scaling.commands.COMMANDS", (command,), raising=False)


def greeting(options: Any, common: CommonSettings, settings: Any, clients: Any) -> Answer:
    return Answer(
        ("name", "latency"), [(options.name, str(settings.acceptable_latency_seconds))], {"name": "you"}, ["done"]
    )


def test_a_solution_offers_commands_of_its_own(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    offer(monkeypatch, greeting)
    assert main(["sqs_target_scaling", "greet", "--name", "Ada"]) == 0
    printed = capsys.readouterr().out
    assert "Ada" in printed and "300" in printed and "done" in printed
    assert main([]) == 0
    assert "sqs_target_scaling: greet" in capsys.readouterr().out


def test_a_command_answers_programs_in_json(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    offer(monkeypatch, greeting)
    assert main(["sqs_target_scaling", "greet", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"name": "you"}


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (CommandError("nobody to greet"), "nobody to greet"),
        (refused("AccessDenied"), "Operation: AccessDenied"),
        (EndpointConnectionError(endpoint_url="https://ec2"), "check your AWS profile"),
    ],
)
def test_a_command_that_cannot_says_why_in_a_sentence(
    error: Exception, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*_: Any) -> Answer:
        raise error

    offer(monkeypatch, run)
    assert main(["sqs_target_scaling", "greet"]) == 1
    assert said in capsys.readouterr().err
