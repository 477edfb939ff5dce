"""``python -m stacks odcr_asg``: what it bills, what would stop it, and what its reservations cover."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from config.models import CommonSettings, ExistingVpc
from stacks.__main__ import main
from stacks.odcr_asg.commands import findings, idle_month
from stacks.odcr_asg.settings import OdcrAsgSettings
from stacks.shared.preflight import Finding
from tests import variants
from tests.shared.test_commands import Account, default_subnets


def units(common: CommonSettings, settings: OdcrAsgSettings) -> Counter[str]:
    found: Counter[str] = Counter()
    for unit in idle_month(common, settings):
        found[unit.unit] += int(unit.quantity)
    return +found


# Cost


def test_idle_reservations_bill_as_running_instances_do() -> None:
    rows = [unit for unit in idle_month(CommonSettings(), OdcrAsgSettings()) if unit.quantity]
    hours = {unit.of: unit.quantity for unit in rows if unit.unit == "on_demand_hour_t4g_nano"}
    assert list(hours.values()) == [6 * 730, 3 * 730]
    assert "3 idle reservations of t4g.nano, each like a running instance" in hours


@pytest.mark.parametrize("variant", variants.variants_of("odcr_asg"))
def test_what_is_billed_by_the_hour_or_month_is_what_the_template_has(variant: str) -> None:
    config = variants.configuration(variant)
    settings = config.solutions["odcr_asg"]
    assert isinstance(settings, OdcrAsgSettings)
    billed = units(config.common, settings)
    resources = variants.templates(variant)["odcr_asg"]["Resources"].values()
    count = Counter(resource["Type"] for resource in resources)
    reserved = sum(r["Properties"]["InstanceCount"] for r in resources if r["Type"] == "AWS::EC2::CapacityReservation")
    kind = settings.instance_type.replace(".", "_")
    assert billed[f"on_demand_hour_{kind}"] == 730 * reserved
    alarms = [r["Properties"]["Metrics"] for r in resources if r["Type"] == "AWS::CloudWatch::Alarm"]
    assert billed["alarm_month"] == sum("MetricStat" in query for metrics in alarms for query in metrics)
    assert billed["nat_gateway_hour"] == 730 * count["AWS::EC2::NatGateway"]
    interfaces = [r for r in resources if r.get("Properties", {}).get("VpcEndpointType") == "Interface"]
    assert not interfaces and "interface_endpoint_hour" not in billed


def test_public_instances_bill_their_addresses() -> None:
    assert units(CommonSettings(), OdcrAsgSettings(network="public"))["public_ipv4_hour"] == 6 * 730


# Check


def answers(**changed: Any) -> Account:
    kind = {
        "InstanceType": "t4g.nano",
        "ProcessorInfo": {"SupportedArchitectures": ["arm64"]},
        "VCpuInfo": {"DefaultVCpus": 2},
    }
    zones = [{"ZoneName": f"eu-central-1{letter}"} for letter in "abc"]
    offered = [{"Location": zone["ZoneName"]} for zone in zones]
    return Account(
        **{
            "describe_availability_zones": {"AvailabilityZones": zones},
            "describe_instance_type_offerings": [{"InstanceTypeOfferings": offered}],
            "describe_instance_types": {"InstanceTypes": [kind]},
            **changed,
        }
    )


def look(account: Account, common: CommonSettings | None = None, **settings: Any) -> dict[str, Finding]:
    wanted = OdcrAsgSettings.model_validate(settings)
    return {found.what: found for found in findings(common or CommonSettings(), wanted, account)}


def test_a_healthy_account_has_no_problem() -> None:
    found = look(answers())
    assert {finding.status for finding in found.values()} == {"ok"}
    assert found["zones of the type"].says == "t4g.nano in eu-central-1a, eu-central-1b, eu-central-1c"
    says = "9 reserved, at most 12 wanted: 3 on unreserved capacity"
    assert found["beyond the reservations"].says == says
    # 9 reserved, of which 3 idle in a lost zone, and 6 outside of reservations; 2 vCPUs each.
    assert found["On-Demand vCPUs"].says == "30 of 640 needed at most"


def test_a_group_within_its_reservations_needs_no_unreserved_capacity() -> None:
    assert look(answers(), max_instances=9)["beyond the reservations"].says.endswith("none on unreserved capacity")


@pytest.mark.parametrize(
    ("what", "account", "settings", "fix"),
    [
        (
            "zones of the type",
            {"describe_instance_type_offerings": [{"InstanceTypeOfferings": [{"Location": "eu-central-1b"}]}]},
            {},
            "Set zone_names to some of eu-central-1b",
        ),
        ("zones of the type", {"describe_instance_type_offerings": [{"InstanceTypeOfferings": []}]}, {}, "another"),
        ("zones of the type", {}, {"zone_names": ("eu-central-1a", "eu-central-1d")}, "Set zone_names"),
        ("instance type", {}, {"instance_type": "m7i.large"}, "another instance_type"),
        ("On-Demand vCPUs", {"get_service_quota": {"Quota": {"Value": 5}}}, {}, "L-1216C47A"),
        ("end date", {}, {"end_date": datetime(2020, 1, 1, tzinfo=UTC)}, "Set a later end_date"),
        ("zones", {}, {"zones": 4}, "Set zones to 3"),
        ("zones", {"default subnets": default_subnets("ac")}, {}, "eu-central-1b; or name zones in zone_names"),
        (
            "group size",
            {
                "describe_stacks": {
                    "Stacks": [{"Outputs": [{"OutputKey": "AutoScalingGroupName", "OutputValue": "group"}]}]
                },
                "describe_auto_scaling_groups": [{"AutoScalingGroups": [{"MinSize": 5}]}],
            },
            {},
            "--auto-scaling-group-name group --min-size 6",
        ),
    ],
)
def test_what_would_stop_a_deployment_is_a_problem_with_its_mend(
    what: str, account: dict[str, Any], settings: dict[str, Any], fix: str
) -> None:
    found = look(answers(**account), **settings)[what]
    assert found.status == "problem"
    assert fix in found.fix


def test_the_type_is_looked_for_in_the_zones_that_are_taken() -> None:
    account = answers(**{"default subnets": default_subnets("bc")})
    assert look(account, zones=2)["zones of the type"].says == "t4g.nano in eu-central-1b, eu-central-1c"
    named = look(account, zone_names=("eu-central-1a", "eu-central-1b"))
    assert named["zones"].status == "ok" and named["zones of the type"].says.endswith("eu-central-1a, eu-central-1b")


def test_a_type_of_another_family_is_compared_with_the_quota_of_that_family() -> None:
    kinds = [
        {"InstanceType": kind, "ProcessorInfo": {"SupportedArchitectures": ["x86_64"]}, "VCpuInfo": {"DefaultVCpus": 4}}
        for kind in ("inf2.xlarge", "q1.large")
    ]
    account = answers(describe_instance_types={"InstanceTypes": kinds}, get_service_quota={"Quota": {"Value": 0}})
    found = look(account, instance_type="inf2.xlarge")["On-Demand vCPUs"]
    assert found.status == "problem" and "L-1945791B" in found.fix
    unknown = look(account, instance_type="q1.large")["On-Demand vCPUs"]
    assert unknown.status == "unknown" and "q1.large" in unknown.says


def test_what_has_ended_is_not_told_to_end_later() -> None:
    """Nothing about an expired reservation can be modified, so a deployment with a later date would fail.

    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/capacity-reservations-modify.html
    """
    assert "destroy it first" in look(answers(), end_date=datetime(2020, 1, 1, tzinfo=UTC))["end date"].fix


RESERVATION = "cr-0123456789abcdef0"
KINDS = [
    {"InstanceType": kind, "ProcessorInfo": {"SupportedArchitectures": ["arm64"]}, "VCpuInfo": {"DefaultVCpus": 2}}
    for kind in ("t4g.nano", "t4g.small")
]


def deployed(place: str, **reserved: Any) -> Account:
    """The account with a stack that has three reservations of eu-central-1a at a place."""
    there = {"InstanceType": "t4g.nano", "Tenancy": "default", "AvailabilityZone": "eu-central-1a", "State": "active"}
    resource = {
        "ResourceType": "AWS::EC2::CapacityReservation",
        "LogicalResourceId": f"ReservationsZone{place}5F8038ED",
        "PhysicalResourceId": RESERVATION,
    }
    reservation = {**there, "CapacityReservationId": RESERVATION, "TotalInstanceCount": 3, **reserved}
    return answers(
        describe_instance_types={"InstanceTypes": KINDS},
        describe_stacks={"Stacks": [{"Outputs": []}]},
        list_stack_resources=[{"StackResourceSummaries": [resource]}],
        describe_capacity_reservations=[{"CapacityReservations": [reservation]}],
    )


@pytest.mark.parametrize(
    ("reserved", "needed"),
    [
        ({}, 30),  # stays, and is counted among the new ones
        ({"InstanceType": "t4g.small"}, 30 + 3 * 2),
        ({"Tenancy": "dedicated"}, 30 + 3 * 2),
        ({"AvailabilityZone": "eu-central-1d"}, 30 + 3 * 2),
        ({"InstanceType": "inf2.xlarge"}, 30),  # another quota
        ({"InstanceType": "t4g.small", "State": "cancelled"}, 30),
    ],
)
def test_reservations_that_are_replaced_count_together_with_the_new_ones(reserved: dict[str, Any], needed: int) -> None:
    assert look(deployed("1", **reserved))["On-Demand vCPUs"].says == f"{needed} of 640 needed at most"


@pytest.mark.parametrize(
    ("place", "zone_names", "stays"),
    [
        ("A", ("eu-central-1a", "eu-central-1b"), True),
        ("A", ("eu-central-1b", "eu-central-1a"), True),
        ("A", ("eu-central-1b", "eu-central-1c"), False),
        ("1", ("eu-central-1a", "eu-central-1b"), False),  # from a number of zones to their names
        ("1", (), True),
        ("2", (), False),
    ],
)
def test_a_reservation_stays_as_long_as_its_place_has_its_zone(
    place: str, zone_names: tuple[str, ...], stays: bool
) -> None:
    says = [look(account, zone_names=zone_names)["On-Demand vCPUs"].says for account in (answers(), deployed(place))]
    before, after = (int(text.split()[0]) for text in says)
    assert after - before == (0 if stays else 3 * 2)


def test_the_end_date_is_told_while_it_is_to_come() -> None:
    assert look(answers(), end_date=datetime.now(UTC) + timedelta(days=9))["end date"].status == "ok"


def test_the_zones_of_an_existing_network_are_those_of_its_subnets() -> None:
    ids = ("subnet-0123456789abcdef0", "subnet-0123456789abcdef1")
    subnets = [
        {"SubnetId": name, "VpcId": "vpc-01234567", "AvailabilityZone": f"eu-central-1{letter}"}
        for name, letter in zip(ids, "ba", strict=True)
    ]
    common = CommonSettings(vpc=ExistingVpc(id="vpc-01234567", subnet_ids=ids))
    found = look(answers(describe_subnets=[{"Subnets": subnets}]), common)
    assert found["zones of the type"].says == "t4g.nano in eu-central-1a, eu-central-1b"


# Plan


@pytest.mark.parametrize(
    ("wanted", "rows"), [(6, [(6, 0)] * 4), (7, [(7, 0)] + [(6, 1)] * 3), (12, [(9, 3)] + [(6, 6)] * 3)]
)
def test_the_plan_says_what_is_covered_with_each_zone_lost(
    wanted: int, rows: list[tuple[int, int]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["odcr_asg", "plan", "--wanted", str(wanted), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    found = [(sum(case["covered"].values()), sum(case["uncovered"].values())) for case in answer["cases"]]
    assert found == rows
    assert list(answer["reserved"].values()) == [3, 3, 3]


def test_the_plan_names_zones_and_what_idles(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "nat.yaml").write_text(variants.configuration_text("nat"), encoding="utf-8")
    assert main(["odcr_asg", "plan", "--config", str(tmp_path / "nat.yaml")]) == 0
    printed = capsys.readouterr().out
    assert "eu-west-1d" in printed and "5 bill idle" in printed


def test_a_size_that_the_group_cannot_have_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["odcr_asg", "plan", "--wanted", "13"]) == 1
    assert "--wanted 13 is not between 0 and max_instances 12" in capsys.readouterr().err
