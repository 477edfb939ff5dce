"""What ``python -m stacks sqs_target_scaling`` can do."""

from collections.abc import Iterator

from config.models import CommonSettings
from stacks.shared.billing import HOURS, MINUTES, BillingUnit
from stacks.shared.instance_types import fitting_types, vcpus
from stacks.shared.preflight import Clients, Finding, common_findings, looked_at
from stacks.sqs_target_scaling.settings import SqsTargetScalingSettings

COST_NOTE = "For a month without messages; messages and the instances that process them are billed in addition."
VOLUME_GIB = 8
ENDPOINTS = 3  # sqs, monitoring, autoscaling


def idle_month(common: CommonSettings, settings: SqsTargetScalingSettings) -> Iterator[BillingUnit]:
    """What bills in a month without a message. On-Demand and Spot hours are of whatever types EC2 chooses."""
    on_demand = settings.on_demand(settings.minimum)
    yield BillingUnit("on_demand_instance_hour", HOURS * on_demand, "workers")
    yield BillingUnit("spot_instance_hour", HOURS * (settings.minimum - on_demand), "workers")
    yield BillingUnit("gp3_gib_month", VOLUME_GIB * settings.minimum, "root volumes of the workers")
    if common.vpc is None:
        public = settings.minimum if settings.network == "public" else int(settings.network == "nat")
        yield BillingUnit("public_ipv4_hour", HOURS * public, "addresses of the workers or the NAT gateway")
        yield BillingUnit("nat_gateway_hour", HOURS * (settings.network == "nat"), "NAT gateway")
        endpoints = ENDPOINTS * settings.zones if settings.network == "endpoints" else 0
        yield BillingUnit("interface_endpoint_hour", HOURS * endpoints, "interface endpoints")
    yield BillingUnit("alarm_month", alarms(settings), "alarms, with the two of the target tracking policy")
    yield BillingUnit("dashboard_month", 1, "dashboard")
    if settings.strategy == "dynamic-target":
        updates = MINUTES / settings.target_update_minutes
        yield BillingUnit("custom_metric_month", 2, "BPI and BacklogWithoutInstances")
        yield BillingUnit("lambda_request", MINUTES + updates, "Metric-Publisher and Target-Setter")
        yield BillingUnit("put_metric_data_request", MINUTES, "Metric-Publisher")
        yield BillingUnit("get_metric_data_metric", 2 * updates, "Target-Setter")
        yield BillingUnit("sqs_request", MINUTES, "Metric-Publisher")
    if settings.strategy == "demand":
        yield BillingUnit("custom_metric_month", 2, "Demand and BacklogWithoutInstances")
        yield BillingUnit("lambda_request", MINUTES, "Demand-Publisher")
        yield BillingUnit("put_metric_data_request", MINUTES, "Demand-Publisher")
        yield BillingUnit("get_metric_data_metric", 3 * MINUTES, "Demand-Publisher")
        yield BillingUnit("sqs_request", MINUTES, "Demand-Publisher")
    if settings.minimum:
        yield BillingUnit("sqs_request", settings.minimum * HOURS * 3600 / 20, "long polls of idle workers")


def alarms(settings: SqsTargetScalingSettings) -> int:
    """Alarms of an idle month: ours, and the two that target tracking makes for its policy."""
    functions = {"dynamic-target": 3, "demand": 2, "metric-math": 1}[settings.strategy]
    scheduled = functions - 1  # whose silence rings, too; Testing runs when somebody wants it
    return 2 + functions + scheduled + (settings.minimum == 0) + 2


def findings(common: CommonSettings, settings: SqsTargetScalingSettings, clients: Clients) -> Iterator[Finding]:
    """What would stop a deployment: the common things, instance types that fit, and vCPU quotas."""
    yield from common_findings(common, clients, settings.zones)
    found: list[str] = []
    yield looked_at("instance types", lambda: _types(settings, clients, found))
    most = settings.instances.vcpu.max or 192
    on_demand = settings.on_demand(settings.max_instances)
    if spot := settings.max_instances - on_demand:
        yield vcpus(clients, found, spot * most, "Spot vCPUs", spot=True)
    if on_demand:
        yield vcpus(clients, found, on_demand * most, "On-Demand vCPUs", spot=False)


def _types(settings: SqsTargetScalingSettings, clients: Clients, found: list[str]) -> Finding:
    """Which types there are; *found* takes them."""
    found += fitting_types(clients, settings.architecture, settings.instances.requirements(["current"]))
    if not found:
        fix = "Widen instances.vcpu or instances.memory_mib, or change architecture"
        return Finding("instance types", "problem", "no type of this Region fits", fix)
    few = "" if len(found) >= 10 else "; more pools make Spot interruptions rarer: widen the requirements"
    return Finding("instance types", "ok", f"{len(found)} fit{few}")
