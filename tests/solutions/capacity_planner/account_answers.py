"""What EC2 and Savings Plans answer about an account, and clients that give it page by page."""

from datetime import UTC, datetime, timedelta
from typing import Any

Json = dict[str, Any]
US, THEM = "111111111111", "222222222222"
NOW = datetime(2026, 11, 25, 12, 2, tzinfo=UTC)


def instance(number: int, zone: str = "us-east-1a", **changes: Any) -> Json:
    """A running instance of m5.large."""
    placement = {"AvailabilityZone": zone, "Tenancy": changes.pop("tenancy", "default")}
    return {
        "InstanceId": f"i-{number:017x}",
        "InstanceType": "m5.large",
        "UsageOperation": "RunInstances",
        "PlatformDetails": "Linux/UNIX",
        "Placement": placement,
        "State": {"Name": "running"},
        "LaunchTime": NOW - timedelta(days=30),
        **changes,
    }


def reservation(number: int, total: int, available: int, zone: str = "us-east-1a", **changes: Any) -> Json:
    """A Capacity Reservation of ours."""
    return {
        "CapacityReservationId": f"cr-{number:017x}",
        "OwnerId": US,
        "InstanceType": "m5.large",
        "InstancePlatform": "Linux/UNIX",
        "AvailabilityZone": zone,
        "Tenancy": "default",
        "TotalInstanceCount": total,
        "AvailableInstanceCount": available,
        "State": "active",
        "InstanceMatchCriteria": "open",
        "EndDateType": "unlimited",
        **changes,
    }


def reserved(number: int, count: int, *, zone: str | None = None, **changes: Any) -> Json:
    """Reserved Instances; regional ones have no zone at all."""
    return {
        "ReservedInstancesId": f"ri-{number}",
        "InstanceType": "m5.large",
        "ProductDescription": "Linux/UNIX",
        "InstanceTenancy": "default",
        "InstanceCount": count,
        "State": "active",
        "Scope": "Availability Zone" if zone else "Region",
        "End": NOW + timedelta(days=300),
        **({"AvailabilityZone": zone} if zone else {}),
        **changes,
    }


def savings_plan(number: int, commitment: str, kind: str = "Compute", **changes: Any) -> Json:
    """A Savings Plan; its times are texts."""
    own = {"region": "us-east-1", "ec2InstanceFamily": "m5"} if kind == "EC2Instance" else {}
    return {
        "savingsPlanId": f"sp-{number}",
        "savingsPlanType": kind,
        "state": "active",
        "commitment": commitment,
        "end": "2028-01-01T00:00:00.000Z",
        **own,
        **changes,
    }
