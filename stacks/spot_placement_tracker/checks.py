"""What ``python -m stacks spot_placement_tracker check`` looks at in an account."""

from collections.abc import Iterator

from botocore.exceptions import ClientError

from config.models import CommonSettings
from spot_placement_tracker.dashboards.following import GONE
from spot_placement_tracker.dashboards.layout import is_ours
from spot_placement_tracker.questions import Question, questions_of
from stacks.shared.deployed import stack_outputs
from stacks.shared.instance_types import quota_code
from stacks.shared.preflight import Clients, Finding, looked_at
from stacks.spot_placement_tracker.settings import SpotPlacementTrackerSettings

SLUG = "spot_placement_tracker"
RESERVED = 2
"""Concurrent executions that the stack reserves: one for each of its two periodic functions."""
LEFT_UNRESERVED = 100
"""Lambda keeps so much of an account's concurrency for functions that reserve none
(https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html)."""
SPOT, STANDARD_QUOTA = "Spot quota", "L-34B43A08"
"""Of vCPUs of standard types (https://docs.aws.amazon.com/ec2/latest/instancetypes/ec2-instance-quotas.html)."""


def findings_of(common: CommonSettings, settings: SpotPlacementTrackerSettings, clients: Clients) -> Iterator[Finding]:
    """What of this solution would stop a deployment, or leave it without scores."""
    yield looked_at("placement scores", lambda: _scores(settings, clients))
    yield looked_at("types and Regions", lambda: _known(settings, clients))
    yield looked_at(SPOT, lambda: _quota(settings, clients))
    if settings.reserve_concurrency:
        yield looked_at("concurrency", lambda: _concurrency(clients))
    for dashboard in settings.read().dashboards:
        yield looked_at(
            f"dashboard {dashboard.name}",
            lambda name=dashboard.name: _dashboard(common, settings, clients, name),  # type: ignore[misc]
        )


def _scores(settings: SpotPlacementTrackerSettings, clients: Clients) -> Finding:
    """A dry run: it tells whether the call may be made here, and asks no question that would count.

    What a Region without placement scores answers: https://github.com/redhat-developer/mapt/issues/600.
    """
    (question, *_) = questions_of(settings.read().dashboards)
    try:
        clients("ec2").get_spot_placement_scores(**question.request(), DryRun=True)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code == "UnsupportedOperation":
            says = "EC2 gives no placement scores in this Region"
            return Finding("placement scores", "problem", says, "Deploy into another one; it can ask about any Region")
        if code != "DryRunOperation":
            raise
    return Finding("placement scores", "ok", "EC2 gives them here; the function has a role of its own")


def _known(settings: SpotPlacementTrackerSettings, clients: Clients) -> Finding:
    """EC2 refuses a whole question for one type or Region that it does not know: InvalidParameterValue.

    Types are asked of this Region; another one may have more, so that an unknown type is no problem for certain.
    """
    questions = questions_of(settings.read().dashboards)
    ec2 = clients("ec2")
    regions = {region["RegionName"] for region in ec2.describe_regions(AllRegions=True)["Regions"]}
    if strange := sorted({region for question in questions for region in question.regions} - regions):
        says = f"no Regions of this partition: {', '.join(strange)}"
        return Finding("types and Regions", "problem", says, "Correct RegionNames; EC2 refuses the whole question")
    wanted = {name for question in questions for name in question.shape.get("InstanceTypes", ())}
    if not wanted:
        return Finding("types and Regions", "ok", f"{len(regions)} Regions are known")
    pages = ec2.get_paginator("describe_instance_types").paginate()
    found = {each["InstanceType"]: each for page in pages for each in page["InstanceTypes"]}
    if no_spot := sorted(name for name in wanted & found.keys() if "spot" not in found[name]["SupportedUsageClasses"]):
        says = f"not offered as Spot Instances: {', '.join(no_spot)}"
        return Finding("types and Regions", "problem", says, "Take them out of InstanceTypes")
    if strange := sorted(wanted - found.keys()):
        says = f"no types of this Region: {', '.join(strange)}"
        return Finding("types and Regions", "unknown", says, "Correct InstanceTypes, unless another Region has them")
    return Finding("types and Regions", "ok", f"{len(wanted)} types are known here")


def _quota(settings: SpotPlacementTrackerSettings, clients: Clients) -> Finding:
    """EC2 gives a score whatever the quota is; but nobody can launch more than the quotas of the types allow."""
    asked: dict[tuple[str, ...], int] = {}
    for question in questions_of(settings.read().dashboards):
        if question.unit == "vcpu" and (codes := _quotas_of(question)):
            asked[codes] = max(asked.get(codes, 0), question.capacity)
    quotas = clients("service-quotas")
    allowed = {
        code: quotas.get_service_quota(ServiceCode="ec2", QuotaCode=code)["Quota"]["Value"]
        for code in sorted({code for codes in asked for code in codes})
    }
    short = [
        f"{capacity} vCPUs are asked about, {total:g} are allowed here ({', '.join(codes)})"
        for codes, capacity in asked.items()
        if (total := sum(allowed[code] for code in codes)) < capacity
    ]
    if short:
        return Finding(SPOT, "unknown", "; ".join(short), "Ask for more in Service Quotas, or lower TargetCapacity")
    return Finding(SPOT, "ok", f"up to {max(asked.values(), default=0)} vCPUs are asked about and allowed here")


def _quotas_of(question: Question) -> tuple[str, ...]:
    """The quotas that its types count against together; of attributes, which name no types, the one of most types."""
    if "InstanceTypes" not in question.shape:
        return (STANDARD_QUOTA,)
    codes = {quota_code(name, spot=True) for name in question.shape["InstanceTypes"]}
    return tuple(sorted(code for code in codes if code))


def _concurrency(clients: Clients) -> Finding:
    limits = clients("lambda").get_account_settings()["AccountLimit"]
    left = int(limits["UnreservedConcurrentExecutions"])
    if left < LEFT_UNRESERVED + RESERVED:
        says = f"{left} are unreserved, and {LEFT_UNRESERVED} must stay so"
        return Finding("concurrency", "problem", says, "Set reserve_concurrency: false, or ask for more concurrency")
    return Finding("concurrency", "ok", f"{RESERVED} of {left} would be reserved")


def _dashboard(common: CommonSettings, settings: SpotPlacementTrackerSettings, clients: Clients, name: str) -> Finding:
    what = f"dashboard {name}"
    try:
        body = clients("cloudwatch").get_dashboard(DashboardName=name)["DashboardBody"]
    except ClientError as error:
        if error.response["Error"]["Code"] not in GONE:
            raise
        return Finding(what, "ok", "the name is free")
    address = (stack_outputs(common.stack_name(SLUG), clients) or {}).get("FileAddress")
    if address and is_ours(body, address):
        return Finding(what, "ok", "this stack has written it")
    if settings.take_over_dashboards:
        return Finding(what, "ok", "somebody else's; take_over_dashboards lets the stack overwrite it")
    fix = "Destroy the stack that made it, rename one, or set take_over_dashboards: true; the metrics stay"
    return Finding(what, "problem", "it exists, and this stack has not written it", fix)
