"""What bills by the hour or month is what the template has: ``idle_month`` counts by hand what the stack makes."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from config.loader import Config
from stacks.catalog import commands_of
from stacks.shared.billing import HOURS, OF_A_TYPE, UNITS, read_prices
from tests import variants

Json = dict[str, Any]
CASES = variants.every()

# Dashboards that a function of the stack writes, from what it finds or from a file.
WRITTEN_LATER = {"outposts_dashboard", "spot_placement_tracker"}

# Types that bill by the hour or month and that no solution has; one that gets it gets a unit, and a rule below.
NOT_YET = {
    "AWS::Cassandra::Table",
    "AWS::DocDB::DBInstance",
    "AWS::EC2::ClientVpnEndpoint",
    "AWS::EC2::Host",
    "AWS::EC2::TransitGatewayAttachment",
    "AWS::EC2::VPNConnection",
    "AWS::EFS::FileSystem",
    "AWS::ElastiCache::CacheCluster",
    "AWS::ElastiCache::ReplicationGroup",
    "AWS::ElasticLoadBalancing::LoadBalancer",
    "AWS::FSx::FileSystem",
    "AWS::GlobalAccelerator::Accelerator",
    "AWS::NetworkFirewall::Firewall",
    "AWS::RDS::DBCluster",
    "AWS::RDS::DBInstance",
    "AWS::Route53::HealthCheck",
    "AWS::Route53::HostedZone",
    "AWS::Synthetics::Canary",
    "AWS::WAFv2::WebACL",
}


def of_type(resources: Json, kind: str) -> list[Json]:
    return [each.get("Properties", {}) for each in resources.values() if each["Type"] == kind]


def alarms(resources: Json) -> Iterator[str]:
    """The unit of each metric that an alarm watches: https://aws.amazon.com/cloudwatch/pricing/."""
    for alarm in of_type(resources, "AWS::CloudWatch::Alarm"):
        queries = alarm.get("Metrics", [])
        insights = any(str(query.get("Expression", "")).startswith("SELECT") for query in queries)
        if insights:
            yield "metrics_insights_alarm_month"
        else:
            yield from ["alarm_month"] * (sum("MetricStat" in query for query in queries) or 1)
    for policy in of_type(resources, "AWS::AutoScaling::ScalingPolicy"):
        if policy["PolicyType"] == "TargetTrackingScaling":
            yield from ["alarm_month"] * 2  # one for scaling out, one for scaling in, made by Auto Scaling


def in_the_template(resources: Json) -> Counter[str]:
    """Quantity of each unit that can be read from the template."""
    found = Counter(alarms(resources))
    for endpoint in of_type(resources, "AWS::EC2::VPCEndpoint"):
        if endpoint.get("VpcEndpointType") == "Interface":
            found["interface_endpoint_hour"] += HOURS * len(endpoint["SubnetIds"])
    found["nat_gateway_hour"] += HOURS * len(of_type(resources, "AWS::EC2::NatGateway"))
    balancers = of_type(resources, "AWS::ElasticLoadBalancingV2::LoadBalancer")
    by_a_function = of_type(
        resources, "Custom::CoipLoadBalancer"
    )  # CloudFormation cannot give it customer-owned addresses
    found["application_load_balancer_hour"] += HOURS * (len(balancers) + len(by_a_function))
    assert {each.get("Type", "application") for each in balancers} <= {"application"}
    found["secret_month"] += len(of_type(resources, "AWS::SecretsManager::Secret"))
    found["kms_key_month"] += len(of_type(resources, "AWS::KMS::Key"))
    found["service_control_policy_month"] += len(of_type(resources, "AWS::Organizations::Policy"))
    parameters = of_type(resources, "AWS::SSM::Parameter")
    found["advanced_parameter_month"] += sum(each.get("Tier") == "Advanced" for each in parameters)
    found["dashboard_month"] += len(of_type(resources, "AWS::CloudWatch::Dashboard"))
    return found


def billed(slug: str, config: Config) -> Counter[str]:
    found: Counter[str] = Counter()
    for unit in commands_of(slug).idle_month(config.common, config.solutions[slug]):
        found[unit.unit] += unit.quantity
    return found


@pytest.mark.parametrize(("variant", "slug"), CASES)
def test_what_bills_by_the_hour_or_month_is_what_the_template_has(variant: str, slug: str) -> None:
    counted, found = (
        billed(slug, variants.configuration(variant)),
        in_the_template(variants.template(variant, slug)["Resources"]),
    )
    if slug in WRITTEN_LATER:
        assert found.pop("dashboard_month") == 0 < counted["dashboard_month"]
    assert {name: counted[name] for name in found} == dict(found)


@pytest.mark.parametrize(("variant", "slug"), CASES)
def test_instances_and_reservations_of_the_template_are_billed(variant: str, slug: str) -> None:
    resources, counted = variants.template(variant, slug)["Resources"], billed(slug, variants.configuration(variant))
    reserved = sum(each["InstanceCount"] for each in of_type(resources, "AWS::EC2::CapacityReservation"))
    groups = of_type(resources, "AWS::AutoScaling::AutoScalingGroup")
    smallest = sum(int(str(each.get("DesiredCapacity", each["MinSize"]))) for each in groups)
    alone = len(of_type(resources, "AWS::EC2::Instance"))
    hours = sum(quantity for name, quantity in counted.items() if name.startswith(("on_demand_", "spot_instance")))
    # An instance in a reservation bills once. A schedule gives a group another size for a part of the day.
    sizes = [max(reserved, smallest)]
    sizes += [int(each["MinSize"]) for each in of_type(resources, "AWS::AutoScaling::ScheduledAction")]
    assert HOURS * (alone + min(sizes)) <= hours <= HOURS * (alone + max(sizes))


@pytest.mark.parametrize(("variant", "slug"), CASES)
def test_every_address_and_volume_of_the_template_is_billed(variant: str, slug: str) -> None:
    resources, counted = variants.template(variant, slug)["Resources"], billed(slug, variants.configuration(variant))
    assert counted["public_ipv4_hour"] >= HOURS * len(of_type(resources, "AWS::EC2::EIP"))
    volumes = sum(each["Size"] for each in of_type(resources, "AWS::EC2::Volume"))
    assert sum(quantity for name, quantity in counted.items() if name.endswith("_gib_month")) >= volumes
    assert not NOT_YET & {each["Type"] for each in resources.values()}


@pytest.mark.parametrize(("variant", "slug"), CASES)
def test_every_unit_may_stand_in_a_price_file(variant: str, slug: str) -> None:
    unknown = [
        name
        for name in billed(slug, variants.configuration(variant))
        if name not in UNITS and not OF_A_TYPE.fullmatch(name)
    ]
    assert unknown == []


def test_a_price_file_of_every_unit_is_read(tmp_path: Any) -> None:
    path = tmp_path / "prices.yaml"
    path.write_text("".join(f"{name}: 1\n" for name in sorted(UNITS)), encoding="utf-8")
    assert read_prices(path) == dict.fromkeys(UNITS, 1)
