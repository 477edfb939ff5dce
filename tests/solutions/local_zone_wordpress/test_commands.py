"""``python -m stacks local_zone_wordpress``: enable, types, prices, what would stop a deployment, an idle month."""

import argparse
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from config.models import CommonSettings
from stacks.local_zone_wordpress import zone as zone_commands
from stacks.local_zone_wordpress.commands import findings, idle_month
from stacks.local_zone_wordpress.settings import LocalZoneWordpressSettings
from stacks.local_zone_wordpress.zone import ZONE, enable, on_demand, zone_command
from stacks.shared.command import Answer, CommandError
from tests.billed import by_unit
from tests.solutions.local_zone_wordpress.test_opt_in import described

HERE, BOSTON = "us-east-1-atl-2a", "us-east-1-bos-1a"


def product(instance_type: str, price: str, unit: str = "Hrs") -> str:
    dimension = {"unit": unit, "pricePerUnit": {"USD": price}}
    terms = {"OnDemand": {"term": {"priceDimensions": {"rate": dimension}}}}
    return json.dumps({"product": {"attributes": {"instanceType": instance_type}}, "terms": terms})


class Aws:
    """One account: two zones, two pages of types and of prices; opting in takes some looks."""

    def __init__(self, *, opted_in: bool = False, looks: int = 2) -> None:
        self.opted_in, self.looks = opted_in, looks
        self.modified: list[dict[str, str]] = []
        self.asked: list[tuple[str, str | None]] = []
        self.filters: list[dict[str, str]] = []
        self.meta = argparse.Namespace(region_name="us-east-1")
        self.subnets: list[dict[str, Any]] = []
        self.tells_before = False  # EC2 tells nothing of a zone before the opt-in

    def __call__(self, service: str, region: str | None = None, /) -> "Aws":
        self.asked.append((service, region))
        return self

    def describe_availability_zones(self, **_: Any) -> Any:
        if self.modified and not self.opted_in:
            self.looks -= 1
            self.opted_in = self.looks <= 0
        status = "opted-in" if self.opted_in else "not-opted-in"
        return {"AvailabilityZones": [described(name, status) for name in (HERE, BOSTON)]}

    def modify_availability_zone_group(self, **change: str) -> None:
        self.modified.append(change)

    def get_caller_identity(self) -> Any:
        raise ClientError({"Error": {"Code": "AccessDenied"}}, "GetCallerIdentity")

    def get_parameter(self, **_: str) -> Any:
        raise ClientError({"Error": {"Code": "AccessDenied"}}, "GetParameter")

    def get_paginator(self, operation: str) -> Any:
        def pages(**wanted: Any) -> Any:
            if operation == "get_products":
                assert wanted["ServiceCode"] == "AmazonEC2"
                self.filters.append({item["Field"]: item["Value"] for item in wanted["Filters"]})
                assert {item["Type"] for item in wanted["Filters"]} == {"TERM_MATCH"}
                yield {"PriceList": [product("t3.medium", "0.0520000000")]}
                yield {"PriceList": [product("c6i.large", "0.1020000000"), product("t3.medium", "0.0000000000")]}
            elif operation == "describe_subnets":
                yield {"Subnets": self.subnets}
            elif self.opted_in or self.tells_before:
                for name in ("t3.medium", "c6i.large"):
                    yield {"InstanceTypeOfferings": [{"InstanceType": name}]}

        return argparse.Namespace(paginate=pages)


def run(aws: Aws, *words: str) -> Answer:
    parser = argparse.ArgumentParser()
    ZONE.arguments(parser)
    return zone_command(parser.parse_args(words), CommonSettings(), LocalZoneWordpressSettings(), aws)


def test_enabling_asks_for_the_second_word_because_nobody_can_take_it_back() -> None:
    aws = Aws()
    with pytest.raises(CommandError, match="say --yes"):
        run(aws, "enable", HERE)
    assert aws.modified == []


def test_enabling_opts_in_once_and_waits() -> None:
    aws, slept = Aws(looks=3), list[float]()
    answer = enable(argparse.Namespace(yes=True), HERE, aws, sleep=slept.append)
    assert aws.modified == [{"GroupName": "us-east-1-atl-2", "OptInStatus": "opted-in"}]
    assert len(slept) == 2 and answer.data["opt_in_status"] == "opted-in"
    enable(argparse.Namespace(yes=True), HERE, aws, sleep=slept.append)
    assert len(aws.modified) == 1 and len(slept) == 2


def test_waiting_ends() -> None:
    with pytest.raises(CommandError, match="ask again later"):
        enable(argparse.Namespace(yes=True), HERE, Aws(looks=10_000), sleep=lambda _: None)


def test_types_come_from_every_page_and_from_the_zone_s_region() -> None:
    aws = Aws(opted_in=True)
    assert run(aws, "types", HERE).data == {"zone": HERE, "instance_types": ["c6i.large", "t3.medium"]}
    assert set(aws.asked) == {("ec2", "us-east-1")}


def test_prices_have_every_filter_and_every_page() -> None:
    aws = Aws(opted_in=True)
    answer = run(aws, "prices", HERE)
    assert [(item["instance_type"], item["hour"]) for item in answer.data["prices"]] == [
        ("c6i.large", "0.1020000000"),
        ("t3.medium", "0.0520000000"),
    ]
    assert answer.rows[1] == ("t3.medium", "0.0520000000 USD")
    assert aws.filters == [
        {
            "regionCode": "us-east-1-atl-2",
            "operatingSystem": "Linux",
            "tenancy": "Shared",
            "preInstalledSw": "NA",
            "capacitystatus": "Used",
            "marketoption": "OnDemand",
        }
    ]
    json.dumps(answer.data)


def test_prices_of_one_type_are_asked_for_by_its_name() -> None:
    aws = Aws(opted_in=True)
    run(aws, "prices", HERE, "--type", "t3.medium", "--operating-system", "Windows")
    assert (aws.filters[0]["instanceType"], aws.filters[0]["operatingSystem"]) == ("t3.medium", "Windows")


@pytest.mark.parametrize("unit", ["Quantity", "GB"])
def test_a_price_that_is_none_of_an_hour_is_no_price(unit: str) -> None:
    assert on_demand(json.loads(product("t3.medium", "1.0", unit))) == {}
    assert on_demand({"product": {"attributes": {"instanceType": "t3.medium"}}}) == {}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("types",), "which zone"),
        (("types", "us-east-1-atl-9z"), f"nearest here: {HERE}"),
        (("types", "us-esat-1-atl-2a"), "there is no Region us-esat-1; nearest: us-"),
        (("types", "us-east-1a"), "no name of a Local Zone"),
        (("types", HERE, "--type", "t3.nano"), "does not offer t3.nano (nearest: t3.medium)"),
    ],
)
def test_what_is_not_there_is_refused_with_the_nearest(words: tuple[str, ...], says: str) -> None:
    with pytest.raises(CommandError) as refused:
        run(Aws(opted_in=True), *words)
    assert says in str(refused.value)


def statuses(aws: Aws, **values: Any) -> dict[str, str]:
    settings = LocalZoneWordpressSettings.model_validate(values)
    named = {"zone": zone_commands.look_for_zone, "instance types": zone_commands.look_for_types}
    return {name: look(settings, aws).status for name, look in named.items()}


def test_before_the_opt_in_prices_are_told_and_types_are_unknown() -> None:
    """https://github.com/openshift/installer/issues/7137: a zone that is not opted in to has no offerings."""
    assert run(Aws(), "prices", HERE, "--type", "t3.medium").rows
    answer = run(Aws(), "types", HERE, "--type", "t3.medium")
    assert answer.rows == [] and "only to accounts that have opted in" in answer.notes[0]
    assert statuses(Aws(), zone=HERE) == {"zone": "ok", "instance types": "unknown"}


def test_what_only_some_zones_have_is_unknown() -> None:
    wanted = {"zone": HERE, "nat": "gateway", "load_balancer": "application", "allow_http": True}
    settings = LocalZoneWordpressSettings.model_validate({**wanted, "backup": {"location": "local-zone"}})
    found = {finding.what: finding.status for finding in findings(CommonSettings(), settings, Aws(opted_in=True))}
    for what in ("load balancer", "NAT gateway", "volume type", "backup"):
        assert found[what] == "unknown"
    plain = LocalZoneWordpressSettings.model_validate({"zone": HERE, "volume_type": "gp2"})
    names = {finding.what for finding in findings(CommonSettings(), plain, Aws(opted_in=True))}
    assert not names & {"load balancer", "NAT gateway", "volume type", "backup"}


@pytest.mark.parametrize(
    ("common", "status"),
    [
        ({}, None),
        ({"alarm_topic_arn": "arn:aws:sns:us-east-1:123456789012:alarms"}, "ok"),
        ({"alarm_topic_arn": "arn:aws:sns:us-east-1:999999999999:alarms"}, "problem"),
        ({"alarm_topic_arn": "arn:aws:sns:eu-west-1:123456789012:alarms"}, "problem"),
        ({"alarm_topic_arn": "arn:aws:sns:us-east-1:999999999999:alarms", "account": "123456789012"}, "ok"),
    ],
    ids=["none", "its own", "of another account", "of another Region", "of another account, without the rule"],
)
def test_check_says_whether_the_topic_hears_of_snapshots_that_fail(
    common: dict[str, str], status: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = LocalZoneWordpressSettings.model_validate({"zone": HERE})
    wanted = CommonSettings.model_validate({"region": "us-east-1", **common})
    aws = Aws(opted_in=True)
    caller = {"Account": "123456789012", "Arn": "arn:aws:iam::123456789012:role/deployer"}
    monkeypatch.setattr(aws, "get_caller_identity", lambda: caller)
    monkeypatch.setattr(aws, "simulate_principal_policy", aws.get_parameter, raising=False)
    found = {finding.what: finding.status for finding in findings(wanted, settings, aws)}
    assert found.get("topic") == status


@pytest.mark.parametrize("key", ["web_type", "database_type", "edge_type"])
def test_types_without_nvme_volumes_are_refused(key: str) -> None:
    settings = LocalZoneWordpressSettings.model_validate({key: "t2.medium"})
    assert [p.key for p in settings._types_have_volumes_by_id()] == [key]


def test_check_finds_zone_and_types() -> None:
    assert statuses(Aws(opted_in=True), zone=HERE) == {"zone": "ok", "instance types": "ok"}
    assert statuses(Aws(), zone=HERE, opt_in=False)["zone"] == "problem"
    assert statuses(Aws(), zone="us-east-1-atl-9z")["zone"] == "problem"
    assert statuses(Aws(), zone="us-west-2-lax-1a")["zone"] == "problem"
    assert statuses(Aws(opted_in=True), zone=HERE, web_type="t3.nano")["instance types"] == "problem"


@pytest.mark.parametrize(("web_type", "status"), [("t3.medium", "ok"), ("m7i.large", "problem")])
def test_a_rehearsal_looks_for_its_types_where_templates_put_it(web_type: str, status: str) -> None:
    """https://github.com/ned1313/Getting-Started-Terraform/issues/44: one zone of a Region may lack a type."""
    aws = Aws()
    aws.tells_before, aws.subnets = True, [{"AvailabilityZone": "us-east-1a"}]
    settings = LocalZoneWordpressSettings.model_validate({"web_type": web_type})
    found = {finding.what: finding for finding in findings(CommonSettings(), settings, aws)}
    assert found["instance types"].status == status and "us-east-1a" in found["instance types"].says


def test_check_finds_subnets_that_are_elsewhere() -> None:
    subnets = {"private_subnet_ids": ["subnet-01234567"], "public_subnet_ids": ["subnet-12345678"]}
    settings = LocalZoneWordpressSettings.model_validate({"zone": HERE, **subnets})
    common = CommonSettings.model_validate({"vpc": {"id": "vpc-01234567", "subnet_ids": ["subnet-23456789"]}})
    aws = Aws(opted_in=True)
    for zone, gives, status in ((HERE, True, "ok"), (HERE, False, "problem"), ("us-east-1a", True, "problem")):
        aws.subnets = [
            {"SubnetId": name, "VpcId": "vpc-01234567", "AvailabilityZone": zone, "MapPublicIpOnLaunch": gives}
            for name in ("subnet-01234567", "subnet-12345678")
        ]
        found = {finding.what: finding for finding in findings(common, settings, aws)}
        assert found["subnets in the zone"].status == status


@pytest.mark.parametrize(
    ("values", "instances", "gateways", "balancers"),
    [
        ({}, 4, 0, 0),
        ({"load_balancer": "application", "allow_http": True, "nat": "gateway"}, 2, 1, 1),
        ({"min_instances": 3, "max_instances": 3}, 6, 0, 0),
    ],
)
def test_an_idle_month(values: dict[str, Any], instances: int, gateways: int, balancers: int) -> None:
    settings = LocalZoneWordpressSettings.model_validate(values)
    totals = by_unit(idle_month(CommonSettings(), settings))
    hours = {name: quantity for name, quantity in totals.items() if name.startswith("on_demand_hour_")}
    assert sum(hours.values()) == 730 * instances
    assert hours["on_demand_hour_t3_medium"] == 730 * instances
    assert totals.get("nat_gateway_hour", 0) == 730 * gateways
    assert totals.get("application_load_balancer_hour", 0) == 730 * balancers
    assert totals["gp3_gib_month"] == 8 * instances + 20
    # The database tells of its volume each five minutes, a load balancer of our own of the site each minute.
    assert totals.get("custom_metric_month", 0) == 2 * (1 - balancers) + 1
    assert totals["put_metric_data_request"] == 730 * (60 * (1 - balancers) + 12)
