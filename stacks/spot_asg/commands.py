"""What ``python -m stacks spot_asg`` can do."""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from config.models import CommonSettings
from shared.placement_scores import TOO_MANY_QUESTIONS, scores
from stacks.shared.billing import HOURS, BillingUnit
from stacks.shared.command import Answer, Command, CommandError
from stacks.shared.deployed import group_size
from stacks.shared.instance_types import fitting_types, vcpus
from stacks.shared.preflight import Clients, Finding, common_findings, looked_at
from stacks.spot_asg.score import question
from stacks.spot_asg.settings import SpotAsgSettings

COST_NOTE = (
    "For a month at the smallest size without interruptions; the instances that EC2 adds are billed in addition."
)
VOLUME_GIB = 8
# Five connections, each asking every 20 seconds: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
POLLS = 5 * HOURS * 3600 / 20
INTERRUPT = "aws:ec2:send-spot-instance-interruptions"
# Spot Instances that this action may interrupt in one experiment, five unless raised:
# https://docs.aws.amazon.com/general/latest/gr/fis.html
INTERRUPTED_AT_ONCE = "L-F3F4B54A"


def idle_month(common: CommonSettings, settings: SpotAsgSettings) -> Iterator[BillingUnit]:
    """What bills in a month in which the group has its smallest size and nothing is interrupted."""
    hours = _instance_hours(settings, settings.min_instances, HOURS)
    if settings.off_peak:
        off_peak = HOURS * _share_of_day(settings.off_peak.begins, settings.off_peak.ends)
        on = _instance_hours(settings, settings.off_peak.instances, off_peak)
        off = _instance_hours(settings, settings.min_instances, HOURS - off_peak)
        hours = (on[0] + off[0], on[1] + off[1])
    yield BillingUnit("on_demand_instance_hour", hours[0], "instances")
    yield BillingUnit("spot_instance_hour", hours[1], "instances")
    yield BillingUnit("gp3_gib_month", VOLUME_GIB * sum(hours) / HOURS, "root volumes of the instances")
    if common.vpc is None:
        nat = settings.network == "nat"
        public = sum(hours) if settings.network == "public" else HOURS * nat
        yield BillingUnit("public_ipv4_hour", public, "addresses of the instances or the NAT gateway")
        yield BillingUnit("nat_gateway_hour", HOURS * nat, "NAT gateway")
    yield BillingUnit("application_load_balancer_hour", HOURS * settings.load_balancer, "internal load balancer")
    yield BillingUnit("alarm_month", alarms(settings), "alarms; one that compares two metrics is two")
    yield BillingUnit("dashboard_month", 1, "dashboard")
    yield BillingUnit("sqs_request", POLLS, "Lambda's polls of the queue of leaving instances")


def alarms(settings: SpotAsgSettings) -> int:
    """Metrics that alarms watch: CloudWatch bills each."""
    return 7 + 2 * bool(settings.experiment_instances)


def _instance_hours(settings: SpotAsgSettings, instances: int, hours: float) -> tuple[float, float]:
    on_demand = settings.on_demand(instances)
    return on_demand * hours, (instances - on_demand) * hours


def _share_of_day(begins: str, ends: str) -> float:
    first, last = (int(time[:2]) * 60 + int(time[3:]) for time in (begins, ends))
    return (last - first) % 1440 / 1440


def findings(common: CommonSettings, settings: SpotAsgSettings, clients: Clients) -> Iterator[Finding]:
    """What would stop a deployment, and what would make the two minutes before an interruption too short."""
    zones = len(common.vpc.subnet_ids) if common.vpc else settings.zones
    yield from common_findings(common, clients, settings.zones)
    found: dict[str, int] = {}
    yield looked_at("instance types", lambda: _types(settings, clients, zones, found))
    on_demand = settings.on_demand(settings.max_instances)
    if most := max(found.values(), default=0):
        spot = settings.max_instances - on_demand
        yield vcpus(clients, list(found), spot * most, "Spot vCPUs", spot=True)
        if on_demand:
            yield vcpus(clients, list(found), on_demand * most, "On-Demand vCPUs", spot=False)
    smallest = [settings.min_instances, *([settings.off_peak.instances] if settings.off_peak else [])]
    yield group_size("spot_asg", "GroupName", common, smallest, clients)
    for arn in settings.target_group_arns:
        yield looked_at(f"target group {arn.split('/')[1]}", lambda arn=arn: _delay(settings, clients, arn))  # type: ignore[misc]
    if settings.experiment_instances:
        yield looked_at("fault injection", lambda: _fis(settings, clients))


def _types(settings: SpotAsgSettings, clients: Clients, zones: int, found: dict[str, int]) -> Finding:
    """Which types there are, and how many pools: a type in a zone, or in a subnet of an existing network.

    Args:
        found: takes the types, with the vCPUs that one may have at most; 0: no bound.
    """
    if not settings.types:
        fitting = fitting_types(clients, settings.architecture, settings.attributes.requirements(settings.generations))
        found |= dict.fromkeys(fitting, settings.attributes.vcpu.max or 0)
        if not found:
            fix = "Widen attributes.vcpu or attributes.memory_mib, or change architecture"
            return Finding("instance types", "problem", "no type of this Region fits", fix)
        few = "" if len(found) >= 10 else "; more pools make interruptions rarer: widen attributes"
        return Finding("instance types", "ok", f"{len(found)} fit, in {zones} zones: {len(found) * zones} pools{few}")
    # A filter, because asking for types by name fails as a whole when the Region lacks one.
    wanted = [{"Name": "instance-type", "Values": list(settings.types)}]
    pages = clients("ec2").get_paginator("describe_instance_types").paginate(Filters=wanted)
    described = [item for page in pages for item in page["InstanceTypes"]]
    found |= {item["InstanceType"]: item["VCpuInfo"]["DefaultVCpus"] for item in described}
    offered = {item["InstanceType"]: item["ProcessorInfo"]["SupportedArchitectures"] for item in described}
    if missing := [name for name in settings.types if name not in offered]:
        return Finding("instance types", "problem", f"not in this Region: {', '.join(missing)}", "Change types")
    if other := [name for name in settings.types if settings.architecture not in offered[name]]:
        return Finding("instance types", "problem", f"not {settings.architecture}: {', '.join(other)}", "Change types")
    return Finding("instance types", "ok", f"{len(offered)} in {zones} zones: {len(offered) * zones} pools")


def _delay(settings: SpotAsgSettings, clients: Clients, arn: str) -> Finding:
    name = f"target group {arn.split('/')[1]}"
    elbv2 = clients("elbv2")
    (group,) = elbv2.describe_target_groups(TargetGroupArns=[arn])["TargetGroups"]
    if group["TargetType"] != "instance":
        return Finding(name, "problem", f"its targets are of type {group['TargetType']}", "Use one of type instance")
    attributes = elbv2.describe_target_group_attributes(TargetGroupArn=arn)["Attributes"]
    values = {item["Key"]: item["Value"] for item in attributes}
    delay = int(values.get("deregistration_delay.timeout_seconds", 300))
    if delay > settings.drain_seconds:
        says = f"its deregistration delay is {delay} s, drain_seconds is {settings.drain_seconds}"
        return Finding(
            name, "problem", says, f"Set the delay to {settings.drain_seconds} s; a Spot interruption does not wait"
        )
    return Finding(name, "ok", f"deregistration delay {delay} s")


def _fis(settings: SpotAsgSettings, clients: Clients) -> Finding:
    """Whether FIS is here, and starts an experiment with so many targets."""
    clients("fis").get_action(id=INTERRUPT)
    quotas = clients("service-quotas")
    most = quotas.get_service_quota(ServiceCode="fis", QuotaCode=INTERRUPTED_AT_ONCE)["Quota"]["Value"]
    says = f"experiment_instances is {settings.experiment_instances}, FIS interrupts at most {most:g} at once"
    if settings.experiment_instances > most:
        fix = f"Ask for more in Service Quotas ({INTERRUPTED_AT_ONCE}), or lower experiment_instances"
        return Finding("fault injection", "problem", says, fix)
    return Finding("fault injection", "ok", says)


# --- score ------------------------------------------------------------------------------------------------------------


def _score_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--by", choices=("regions", "zones"), default="regions", help="what to score (regions)")
    parser.add_argument("--capacity", type=int, help="Spot Instances to score for (score.capacity)")
    parser.add_argument("--at-least", type=int, help="fail if the Region of the deployment scores less, 1 to 10")


def _score(options: Namespace, common: CommonSettings, settings: SpotAsgSettings, clients: Clients) -> Answer:
    """Scores the configured shape; zones are those of the Region of the deployment."""
    ec2 = clients("ec2")
    here = ec2.meta.region_name
    capacity = options.capacity or settings.scored_capacity
    zonal = options.by == "zones"
    asked = question(settings, capacity, (here,) if zonal else settings.score.regions, single_zone=zonal)
    try:
        found = scores(ec2.get_paginator("get_spot_placement_scores").paginate(**asked))
    except ClientError as error:
        if error.response["Error"]["Code"] != TOO_MANY_QUESTIONS:
            raise
        raise CommandError(
            "EC2 takes only so many new questions in 24 hours, and this one is new; ask one of before again "
            "(same shape, capacity and Regions), or wait"
        ) from None
    names = _zone_names(ec2) if zonal else {}
    here_scores = max((score.score for score in found if score.region == here), default=0)
    missed = options.at_least is not None and here_scores < options.at_least
    notes = [f"{here} scores {here_scores or 'not at all'}, less than {options.at_least}."] if missed else []
    return Answer(
        columns=("Region", *(("zone", "zone id") if zonal else ()), "score"),
        rows=[
            [each.region, *([names.get(each.zone_id, ""), each.zone_id] if zonal else []), str(each.score)]
            for each in found
        ],
        data={"request": asked, "scores": [each.data(names) for each in found], "ok": bool(found) and not missed},
        notes=_notes(settings, capacity, zonal=zonal) + notes,
        ok=bool(found) and not missed,
    )


def _zone_names(ec2: Any) -> dict[str, str]:
    zones = ec2.describe_availability_zones()["AvailabilityZones"]
    return {zone["ZoneId"]: zone["ZoneName"] for zone in zones}


def _notes(settings: SpotAsgSettings, capacity: int, *, zonal: bool) -> list[str]:
    shape = f"{len(settings.types)} types" if settings.types else "any type that has the attributes"
    whole = "a zone's is for all of them in that zone alone" if zonal else "a Region's is for all its zones together"
    return [
        f"\nHow likely {capacity} Spot Instances of {shape} are to be had now, 1 to 10; {whole}.",
        "EC2 names the ten best. A score is no promise, and says nothing about tomorrow.",
    ]


COMMANDS = (
    Command(
        name="score",
        help="how likely Regions or zones can give the configured Spot Instances now",
        run=_score,
        arguments=_score_arguments,
    ),
)
