"""The part of the answers of EC2 and Savings Plans that counts. No AWS in here.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CapacityReservation.html
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ReservedInstances.html
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, TypeVar

from capacity_planner.reading import is_zone_of
from capacity_planner.shapes import PLATFORMS, Shape
from shared.money import amount

Json = Mapping[str, Any]
T = TypeVar("T")
# Reservations and purchases name some platforms differently from instances.
PURCHASED_PLATFORMS: Mapping[str, str] = {
    **PLATFORMS,
    "Windows with SQL Server": PLATFORMS["Windows with SQL Server Standard"],
    "Linux with SQL Server Standard": PLATFORMS["SQL Server Standard"],
    "Linux with SQL Server Web": PLATFORMS["SQL Server Web"],
    "Linux with SQL Server Enterprise": PLATFORMS["SQL Server Enterprise"],
    "RHEL with SQL Server Standard": PLATFORMS["Red Hat Enterprise Linux with SQL Server Standard"],
    "RHEL with SQL Server Enterprise": PLATFORMS["Red Hat Enterprise Linux with SQL Server Enterprise"],
    "RHEL with SQL Server Web": PLATFORMS["Red Hat Enterprise Linux with SQL Server Web"],
    "RHEL with HA": PLATFORMS["Red Hat Enterprise Linux with HA"],
    "RHEL with HA and SQL Server Standard": PLATFORMS["Red Hat Enterprise Linux with SQL Server Standard and HA"],
    "RHEL with HA and SQL Server Enterprise": PLATFORMS["Red Hat Enterprise Linux with SQL Server Enterprise and HA"],
    "Ubuntu Pro": PLATFORMS["Ubuntu Pro Linux"],
}
BILLED = ("active", "cancelling")
"""States in which a reservation bills; a future-dated one that is being cancelled has no capacity any more."""
OURS, OTHERS_PAY, SHARED, SHARED_WE_PAY = "ours", "others pay the unused hours", "shared with us", "shared, we pay"
VPC = " (Amazon VPC)"


@dataclass(frozen=True)
class Running:
    """A running On-Demand Instance in an Availability Zone.

    Attributes:
        reservation: the one that it runs in.
    """

    id: str
    shape: Shape
    zone: str
    launched: datetime
    reservation: str | None = None


@dataclass(frozen=True)
class Reservation:
    """An On-Demand Capacity Reservation.

    Attributes:
        party: who owns it and who pays for its unused hours, one of OURS, OTHERS_PAY, SHARED and SHARED_WE_PAY.
    """

    id: str
    shape: Shape
    zone: str
    total: int
    available: int
    state: str
    ends: datetime | None
    targeted: bool
    party: str
    owner: str
    payer: str

    @property
    def our_waste(self) -> bool:
        """Whether this account pays for the hours in which nothing runs."""
        return self.party in (OURS, SHARED_WE_PAY)


@dataclass(frozen=True)
class Reserved:
    """Reserved Instances of one purchase.

    Attributes:
        zone: None for a regional one.
    """

    id: str
    shape: Shape
    zone: str | None
    count: int
    ends: date


@dataclass(frozen=True)
class SavingsPlan:
    """A Savings Plan that applies to EC2.

    Attributes:
        region, family: those of an EC2 Instance Savings Plan; None: any.
    """

    id: str
    region: str | None
    family: str | None
    commitment: Decimal
    ends: date

    @property
    def is_compute(self) -> bool:
        """Whether it applies to every family and Region."""
        return self.family is None


@dataclass(frozen=True)
class Inventory:
    """Everything that counts in one account and Region.

    Attributes:
        left_out: how many instances, reservations and purchases do not count, by reason.
    """

    account: str
    region: str
    running: tuple[Running, ...] = ()
    reservations: tuple[Reservation, ...] = ()
    reserved: tuple[Reserved, ...] = ()
    plans: tuple[SavingsPlan, ...] = ()
    left_out: tuple[tuple[str, int], ...] = ()


def inventory(
    account: str,
    region: str,
    *,
    instances: Iterable[Json],
    reservations: Iterable[Json],
    reserved: Iterable[Json],
    plans: Iterable[Json],
) -> Inventory:
    """Reads the items of the four lists, all pages of each."""
    out: Counter[str] = Counter()
    return Inventory(
        account,
        region,
        _present(_running(item, region, out) for item in instances),
        _present(_reservation(item, account, region, out) for item in reservations),
        _present(_reserved(item, region, out) for item in reserved),
        _present(_plan(item) for item in plans),
        tuple(sorted(out.items())),
    )


def _present(found: Iterable[T | None]) -> tuple[T, ...]:
    return tuple(each for each in found if each is not None)


def _running(item: Json, region: str, out: Counter[str]) -> Running | None:
    """An instance; None if no Capacity Reservation of the Region could hold it."""
    if item["State"]["Name"] != "running":
        return None
    placement = item["Placement"]
    zone, tenancy = placement["AvailabilityZone"], placement.get("Tenancy", "default")
    operation = item.get("UsageOperation") or PLATFORMS.get(str(item.get("PlatformDetails")))
    reasons = {
        f"instances that are {item.get('InstanceLifecycle')}": bool(item.get("InstanceLifecycle")),
        "instances on Dedicated Hosts": tenancy == "host",
        "instances on an Outpost": bool(item.get("OutpostArn")),
        "instances in Local Zones or Wavelength Zones": not is_zone_of(zone, region),
        "instances without a usage operation": not operation,
    }
    if reason := next((reason for reason, applies in reasons.items() if applies), None):
        out[reason] += 1
        return None
    shape = Shape(item["InstanceType"], region, str(operation), tenancy)
    launched = item["LaunchTime"]
    return Running(item["InstanceId"], shape, zone, launched, item.get("CapacityReservationId"))


def _reservation(item: Json, account: str, region: str, out: Counter[str]) -> Reservation | None:
    if item["State"] not in BILLED:
        return None
    operation = PURCHASED_PLATFORMS.get(item["InstancePlatform"])
    reasons = {
        "Capacity Blocks": item.get("ReservationType", "default") != "default",
        "interruptible reservations": bool(item.get("Interruptible")),
        "reservations on an Outpost": bool(item.get("OutpostArn")),
        f"reservations of {item['InstancePlatform']}": operation is None,
    }
    if reason := next((reason for reason, applies in reasons.items() if applies), None):
        out[reason] += 1
        return None
    owner = item["OwnerId"]
    payer = item.get("UnusedReservationBillingOwnerId") or owner
    parties = {(True, True): OURS, (True, False): OTHERS_PAY, (False, False): SHARED, (False, True): SHARED_WE_PAY}
    return Reservation(
        id=item["CapacityReservationId"],
        shape=Shape(item["InstanceType"], region, str(operation), item.get("Tenancy", "default")),
        zone=item["AvailabilityZone"],
        total=item["TotalInstanceCount"],
        available=item["AvailableInstanceCount"],
        state=item["State"],
        ends=item.get("EndDate"),
        targeted=item.get("InstanceMatchCriteria") == "targeted",
        party=parties[owner == account, payer == account],
        owner=owner,
        payer=payer,
    )


def _reserved(item: Json, region: str, out: Counter[str]) -> Reserved | None:
    """An active purchase; regional ones have no zone."""
    if item["State"] != "active":
        return None
    platform = str(item["ProductDescription"]).removesuffix(VPC)
    operation = PURCHASED_PLATFORMS.get(platform)
    if operation is None:
        out[f"purchases of Reserved Instances of {platform}"] += 1
        return None
    shape = Shape(item["InstanceType"], region, operation, item.get("InstanceTenancy", "default"))
    zone = item.get("AvailabilityZone") if item.get("Scope") != "Region" else None
    return Reserved(item["ReservedInstancesId"], shape, zone, item["InstanceCount"], _day(item["End"]))


def _plan(item: Json) -> SavingsPlan | None:
    """An active plan that may apply to EC2; SageMaker's and databases' do not."""
    if item["state"] != "active" or item["savingsPlanType"] not in ("Compute", "EC2Instance"):
        return None
    own = item["savingsPlanType"] == "EC2Instance"
    return SavingsPlan(
        item["savingsPlanId"],
        item["region"] if own else None,
        item["ec2InstanceFamily"] if own else None,
        amount(item["commitment"]),
        _day(item["end"]),
    )


def _day(value: datetime | str) -> date:
    """A time of EC2, or a text of Savings Plans."""
    return (datetime.fromisoformat(value) if isinstance(value, str) else value).astimezone(UTC).date()
