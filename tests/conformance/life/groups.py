"""What an Auto Scaling group must say, because what the service takes by itself works against it later."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tests.conformance.findings import Finding, Rule

GRACE = "https://docs.aws.amazon.com/autoscaling/ec2/userguide/health-check-grace-period.html"
UPDATES = "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-updatepolicy.html"
RESERVATIONS = "https://docs.aws.amazon.com/autoscaling/ec2/userguide/target-capacity-reservations.html"
DISTRIBUTION = "https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_InstancesDistribution.html"

LONGEST_PAUSE = 3_600
PAUSE = re.compile(r"PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?")

Json = dict[str, Any]


def findings(resources: Mapping[str, Json], where: str) -> Iterator[Finding]:
    """Groups that end slow starters or replace all at once, that EC2 refuses when they change, that hide a target."""
    for name, resource in resources.items():
        if resource["Type"] != "AWS::AutoScaling::AutoScalingGroup":
            continue
        group = resource["Properties"]
        grace, warmup = (int(group.get(key, 0)) for key in ("HealthCheckGracePeriod", "DefaultInstanceWarmup"))
        if group.get("HealthCheckType") == "ELB" and grace < warmup:
            reason = f"an instance that needs its {warmup} s to start fails the checks that begin after {grace} s"
            fix = "let the grace period be at least the warm-up"
            yield Finding(where, name, "grace", "fails", reason, GRACE, fix)
        if (pause := _pause(resource)) is not None and pause < (starts := _starts_in(group)):
            reason = f"an update goes on {pause} s after each batch, which needs {starts} s until it serves"
            fix = "give PauseTime the warm-up, or wait for signals"
            yield Finding(where, name, "pause", "fails", reason, UPDATES, fix)
        policy = group.get("MixedInstancesPolicy", {})
        overrides = policy.get("LaunchTemplate", {}).get("Overrides", [])
        strategy = policy.get("InstancesDistribution", {}).get("OnDemandAllocationStrategy")
        if policy and strategy is None:
            reason = "a change between types and attributes keeps the strategy of before"
            fix = "name OnDemandAllocationStrategy"
            yield Finding(where, name, "strategy", "fails", reason, DISTRIBUTION, fix)
        elif strategy == "prioritized" and any("InstanceRequirements" in override for override in overrides):
            reason = "prioritized does not go with attributes"
            yield Finding(where, name, "strategy", "fails", reason, DISTRIBUTION, "use lowest-price")
        if "CapacityReservationSpecification" not in group and _names_reservations(resources, group):
            reason = "a target that the group had before goes on, and hides the one of its launch template"
            fix = "say CapacityReservationPreference: default"
            yield Finding(where, name, "reservations", "unsure", reason, RESERVATIONS, fix)


def _pause(resource: Json) -> int | None:
    """Seconds between two batches of a rolling update; None where there is none, or where signals end the wait."""
    update = resource.get("UpdatePolicy", {}).get("AutoScalingRollingUpdate")
    if update is None or update.get("WaitOnResourceSignals"):
        return None
    found = PAUSE.fullmatch(update.get("PauseTime", "PT0S"))
    assert found, update
    hours, minutes, seconds = (int(number or 0) for number in found.groups())
    return 3_600 * hours + 60 * minutes + seconds


def _starts_in(group: Json) -> int:
    """Seconds that a new instance takes in service until it serves; launching hooks are waited for before that."""
    return min(int(group.get("DefaultInstanceWarmup", 0)), LONGEST_PAUSE)


def _names_reservations(resources: Mapping[str, Json], group: Json) -> bool:
    """Whether the launch template of a group names reservations."""
    template = group.get("LaunchTemplate", {}).get("LaunchTemplateId", {}).get("Ref")
    data = resources[template]["Properties"]["LaunchTemplateData"] if template else {}
    return "CapacityReservationTarget" in data.get("CapacityReservationSpecification", {})


RULES = (
    Rule(
        "groups",
        "a rolling update waits until each batch serves: for signals, or for the warm-up",
        UPDATES,
        ("no pause beside a warm-up",),
    ),
    Rule(
        "groups",
        "health checks of target groups begin when the warm-up is over, not before",
        GRACE,
        ("a grace period below the warm-up",),
    ),
    Rule(
        "groups",
        "the On-Demand allocation strategy is said, and fits types or attributes",
        DISTRIBUTION,
        ("a strategy that is left out", "prioritized with attributes"),
    ),
    Rule(
        "groups",
        "a group whose launch template names capacity reservations says that it names none itself",
        RESERVATIONS,
        ("a preference that is left out",),
    ),
)
