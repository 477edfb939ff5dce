"""``python -m stacks spot_asg``: what it bills, what would stop it, and how it scores."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from hypothesis import given
from hypothesis import strategies as st

from config.models import CommonSettings
from shared.placement_scores import scores
from stacks import program
from stacks.shared.preflight import Finding
from stacks.spot_asg.commands import findings, idle_month
from stacks.spot_asg.score import question
from stacks.spot_asg.settings import SpotAsgSettings
from tests import variants
from tests.answering import Answering
from tests.billed import by_unit

TARGET_GROUP = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/web/0123456789abcdef"
LISTED = ("m7g.large", "c7g.large", "r7g.large")


def refused(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": code}}, "GetSpotPlacementScores")


def described(name: str) -> dict[str, Any]:
    return {
        "InstanceType": name,
        "ProcessorInfo": {"SupportedArchitectures": ["arm64"]},
        "VCpuInfo": {"DefaultVCpus": 2},
    }


class Account(Answering):
    """An account in eu-central-1 that answers every look; what a test sets differs from a healthy one."""

    def __init__(self, **answers: Any) -> None:
        healthy: dict[str, Any] = {
            "get_caller_identity": {"Account": "123456789012", "Arn": "arn:aws:iam::123456789012:root"},
            "get_parameter": {"Parameter": {"Value": "30"}},
            "describe_availability_zones": {
                "AvailabilityZones": [
                    {"ZoneId": f"euc1-az{n}", "ZoneName": f"eu-central-1{z}"} for n, z in enumerate("abc", 1)
                ]
            },
            "default subnets": [{"Subnets": []}],
            "describe_stacks": refused("ValidationError"),
            "get_service_quota": {"Quota": {"Value": 640}},
            "get_instance_types_from_instance_requirements": [
                {"InstanceTypes": [{"InstanceType": f"t{n}.large"} for n in range(6)]},
                {"InstanceTypes": [{"InstanceType": f"m{n}.large"} for n in range(6)]},
            ],
            "describe_instance_types": [{"InstanceTypes": [described(name) for name in LISTED]}],
            "describe_target_groups": {"TargetGroups": [{"TargetType": "instance"}]},
            "describe_target_group_attributes": {
                "Attributes": [{"Key": "deregistration_delay.timeout_seconds", "Value": "60"}]
            },
            "get_action": {"action": {}},
            "get_spot_placement_scores": [
                {"SpotPlacementScores": [{"Region": "eu-west-1", "Score": 3}, {"Region": "eu-north-1", "Score": 9}]},
                {"SpotPlacementScores": [{"Region": "eu-central-1", "Score": 7}]},
            ],
        }
        super().__init__(healthy | answers)


def look(account: Account, **settings: Any) -> dict[str, Finding]:
    validated = SpotAsgSettings.model_validate(settings)
    return {finding.what: finding for finding in findings(CommonSettings(), validated, account)}


def units(common: CommonSettings, settings: SpotAsgSettings) -> dict[str, Decimal]:
    return by_unit(idle_month(common, settings))


# Cost


def test_an_idle_default_bills_neither_instance_nor_gateway_nor_load_balancer() -> None:
    assert set(units(CommonSettings(), SpotAsgSettings())) == {"alarm_month", "dashboard_month", "sqs_request"}


def test_off_peak_hours_bill_as_long_as_they_last() -> None:
    hours = {"begins": "20:00", "ends": "06:00", "instances": 2}
    billed = units(CommonSettings(), SpotAsgSettings.model_validate({"off_peak": hours}))
    assert float(billed["spot_instance_hour"]) == pytest.approx(2 * 730 * 10 / 24)
    assert float(billed["gp3_gib_month"]) == pytest.approx(2 * 8 * 10 / 24)


@pytest.mark.parametrize("variant", variants.variants_of("spot_asg"))
def test_what_is_billed_by_the_hour_or_month_is_what_the_template_has(variant: str) -> None:
    config = variants.configuration(variant)
    settings = config.solutions["spot_asg"]
    assert isinstance(settings, SpotAsgSettings)
    billed = units(config.common, settings)
    resources = variants.templates(variant)["spot_asg"]["Resources"].values()
    alarms = [item["Properties"] for item in resources if item["Type"] == "AWS::CloudWatch::Alarm"]
    watched = [query for alarm in alarms for query in alarm.get("Metrics", [alarm]) if "Expression" not in query]
    kinds = [item["Type"] for item in resources]
    assert billed["alarm_month"] == len(watched)
    assert billed["dashboard_month"] == kinds.count("AWS::CloudWatch::Dashboard")
    assert billed.get("nat_gateway_hour", 0) == 730 * kinds.count("AWS::EC2::NatGateway")
    balancers = kinds.count("AWS::ElasticLoadBalancingV2::LoadBalancer")
    assert billed.get("application_load_balancer_hour", 0) == 730 * balancers
    assert not [item for item in resources if item.get("Properties", {}).get("VpcEndpointType") == "Interface"]


# Check


def test_a_healthy_account_has_no_problem_and_is_told_its_pools() -> None:
    found = look(Account(), target_group_arns=[TARGET_GROUP])
    assert {finding.status for finding in found.values()} == {"ok"}
    assert found["instance types"].says == "12 fit, in 3 zones: 36 pools"
    assert found["fault injection"].status == "ok"


def test_listed_types_are_looked_up() -> None:
    assert look(Account(), types=LISTED)["instance types"].says == "3 in 3 zones: 9 pools"


@pytest.mark.parametrize(
    ("what", "answers", "settings", "says"),
    [
        ("instance types", {"get_instance_types_from_instance_requirements": []}, {}, "no type of this Region fits"),
        ("instance types", {}, {"types": [*LISTED, "x9.huge"]}, "not in this Region: x9.huge"),
        ("instance types", {}, {"types": LISTED, "architecture": "x86_64"}, "not x86_64: m7g.large"),
        ("Spot vCPUs", {"get_service_quota": {"Quota": {"Value": 8}}}, {}, "24 are needed"),
        ("Spot vCPUs", {"get_service_quota": {"Quota": {"Value": 8}}}, {"types": LISTED}, "12 are needed"),
        (
            "zones",
            {"default subnets": [{"Subnets": [{"AvailabilityZone": "eu-central-1b"}]}]},
            {},
            "eu-central-1b only",
        ),
        (
            "group size",
            {
                "describe_stacks": {"Stacks": [{"Outputs": [{"OutputKey": "GroupName", "OutputValue": "spot"}]}]},
                "describe_auto_scaling_groups": [{"AutoScalingGroups": [{"MinSize": 500}]}],
            },
            {},
            "at least 500 instances, 0 is configured; a deployment leaves it",
        ),
        (
            "target group web",
            {"describe_target_group_attributes": {"Attributes": []}},
            {"target_group_arns": [TARGET_GROUP]},
            "its deregistration delay is 300 s, drain_seconds is 60",
        ),
        (
            "target group web",
            {"describe_target_groups": {"TargetGroups": [{"TargetType": "ip"}]}},
            {"target_group_arns": [TARGET_GROUP]},
            "its targets are of type ip",
        ),
    ],
)
def test_a_problem_says_what_it_is(what: str, answers: dict[str, Any], settings: dict[str, Any], says: str) -> None:
    finding = look(Account(**answers), **settings)[what]
    assert finding.status == "problem" and says in finding.says and finding.fix


def test_the_size_of_the_off_peak_hours_is_no_problem_as_long_as_there_are_such_hours() -> None:
    account = Account(
        describe_stacks={"Stacks": [{"Outputs": [{"OutputKey": "GroupName", "OutputValue": "spot"}]}]},
        describe_auto_scaling_groups=[{"AutoScalingGroups": [{"MinSize": 2}]}],
    )
    assert look(account, off_peak={"instances": 2})["group size"].status == "ok"
    left = look(account)["group size"]
    assert left.status == "problem" and "--auto-scaling-group-name spot --min-size 0" in left.fix


def test_an_experiment_with_more_targets_than_fis_takes_is_a_problem() -> None:
    """Five Spot Instances an experiment, until the quota is raised; StartExperiment would refuse more.

    https://docs.aws.amazon.com/general/latest/gr/fis.html
    """
    account = Account(get_service_quota={"Quota": {"Value": 5}})
    assert look(account, experiment_instances=5)["fault injection"].status == "ok"
    refused = look(account, experiment_instances=6)["fault injection"]
    assert refused.status == "problem" and "L-F3F4B54A" in refused.fix


def test_a_region_without_fis_is_unknown_and_without_an_experiment_not_asked() -> None:
    nowhere = Account(get_action=EndpointConnectionError(endpoint_url="https://fis.example"))
    assert look(nowhere)["fault injection"].status == "unknown"
    assert "fault injection" not in look(nowhere, experiment_instances=0)


# Score


def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, account: Account, *words: str, section: str = "{}") -> int:
    config = tmp_path / "config.yaml"
    config.write_text(f"solutions: {{spot_asg: {section}}}\n", encoding="utf-8")
    monkeypatch.setattr(program, "clients_of", lambda _: account)
    return program.main(["spot_asg", "score", "--config", str(config), *words])


def test_regions_are_listed_best_first_from_every_page(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, tmp_path, Account(), "--json") == 0
    answer = json.loads(capsys.readouterr().out)
    assert [(score["region"], score["score"]) for score in answer["scores"]] == [
        ("eu-north-1", 9),
        ("eu-central-1", 7),
        ("eu-west-1", 3),
    ]


def test_zones_have_their_names_and_are_those_of_the_region_of_the_deployment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    zone = {"Region": "eu-central-1", "AvailabilityZoneId": "euc1-az2", "Score": 8}
    account = Account(get_spot_placement_scores=[{"SpotPlacementScores": [zone]}])
    section = "{score: {regions: [us-east-1]}}"
    assert run(monkeypatch, tmp_path, account, "--by", "zones", "--json", section=section) == 0
    (score,) = json.loads(capsys.readouterr().out)["scores"]
    assert score == {"region": "eu-central-1", "zone_id": "euc1-az2", "zone": "eu-central-1b", "score": 8}
    assert account.asked[0]["RegionNames"] == ["eu-central-1"] and account.asked[0]["SingleAvailabilityZone"] is True


@pytest.mark.parametrize(("least", "status"), [("7", 0), ("8", 1)])
def test_a_pipeline_can_stop_where_the_score_is_too_low(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str], least: str, status: int
) -> None:
    assert run(monkeypatch, tmp_path, Account(), "--at-least", least) == status
    assert ("eu-central-1 scores 7, less than 8" in capsys.readouterr().out) is bool(status)


def test_no_answer_is_no_success(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert run(monkeypatch, tmp_path, Account(get_spot_placement_scores=[{"SpotPlacementScores": []}])) == 1


def test_too_many_new_questions_get_an_advice_and_other_refusals_their_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, tmp_path, Account(get_spot_placement_scores=refused("MaxConfigLimitExceeded"))) == 1
    assert "only so many new questions in 24 hours" in capsys.readouterr().err
    assert run(monkeypatch, tmp_path, Account(get_spot_placement_scores=refused("UnauthorizedOperation"))) == 1
    assert "UnauthorizedOperation" in capsys.readouterr().err


@given(st.permutations(["eu-west-1", "us-east-1", "ap-south-1"]), st.booleans())
def test_the_order_of_the_regions_makes_no_new_question(regions: list[str], single_zone: bool) -> None:
    asked = question(SpotAsgSettings(), 6, regions, single_zone=single_zone)
    assert asked == question(SpotAsgSettings(), 6, sorted(regions), single_zone=single_zone)


def test_the_question_is_the_configured_shape() -> None:
    attributes = question(SpotAsgSettings(), 6, (), single_zone=False)
    assert "RegionNames" not in attributes and "InstanceTypes" not in attributes
    wanted = attributes["InstanceRequirementsWithMetadata"]
    assert wanted["ArchitectureTypes"] == ["arm64"]
    assert wanted["InstanceRequirements"]["VCpuCount"] == {"Min": 2, "Max": 4}
    types = question(SpotAsgSettings(types=LISTED), 6, (), single_zone=False)
    assert types["InstanceTypes"] == list(LISTED) and "InstanceRequirementsWithMetadata" not in types


def test_a_tie_is_ordered_by_name() -> None:
    pages = [{"SpotPlacementScores": [{"Region": name, "Score": 5} for name in ("b", "a")]}]
    assert [score.region for score in scores(pages)] == ["a", "b"]
