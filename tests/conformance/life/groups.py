"""What an Auto Scaling group must say, because what the service takes by itself works against it later."""

from collections.abc import Iterator, Mapping
from typing import Any

from tests.conformance.findings import Finding, Rule

GRACE = "https://docs.aws.amazon.com/autoscaling/ec2/userguide/health-check-grace-period.html"
RESERVATIONS = "https://docs.aws.amazon.com/autoscaling/ec2/userguide/target-capacity-reservations.html"
DISTRIBUTION = "https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_InstancesDistribution.html"

Json = dict[str, Any]


def findings(resources: Mapping[str, Json], where: str) -> Iterator[Finding]:
    """Groups that end slow starters, that EC2 refuses when they change from types to attributes, that hide a target."""
    for name, resource in resources.items():
        if resource["Type"] != "AWS::AutoScaling::AutoScalingGroup":
            continue
        group = resource["Properties"]
        grace, warmup = (int(group.get(key, 0)) for key in ("HealthCheckGracePeriod", "DefaultInstanceWarmup"))
        if group.get("HealthCheckType") == "ELB" and grace < warmup:
            reason = f"an instance that needs its {warmup} s to start fails the checks that begin after {grace} s"
            fix = "let the grace period be at least the warm-up"
            yield Finding(where, name, "grace", "fails", reason, GRACE, fix)
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


def _names_reservations(resources: Mapping[str, Json], group: Json) -> bool:
    """Whether the launch template of a group names reservations."""
    template = group.get("LaunchTemplate", {}).get("LaunchTemplateId", {}).get("Ref")
    data = resources[template]["Properties"]["LaunchTemplateData"] if template else {}
    return "CapacityReservationTarget" in data.get("CapacityReservationSpecification", {})


RULES = (
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
