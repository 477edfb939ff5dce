"""The Price List's answer about one shape: exactly one SKU, or none at all. No AWS in here.

A Capacity Reservation has three SKUs: one for used hours, one for unused hours, and one at 0.00 for the reservation
itself; Capacity Blocks, Local Zones, other licenses and tenancies have their own
(https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/using-price-list-query-api.html).
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from capacity_planner.prices import HOURS_A_YEAR, PAYMENTS, YEARS, Fee
from capacity_planner.shapes import Shape
from shared.money import amount

Json = dict[str, Any]
SERVICE = "AmazonEC2"
USED, UNUSED = "Used", "UnusedCapacityReservation"
TENANCY = {"default": "Shared", "dedicated": "Dedicated"}
# The end of the usage type; a Region's prefix precedes it, which us-east-1 may lack.
USAGE = {
    ("default", USED): "BoxUsage",
    ("default", UNUSED): "UnusedBox",
    ("dedicated", USED): "DedicatedUsage",
    ("dedicated", UNUSED): "UnusedDed",
}
OWN_LICENSE = ("RunInstances:00g0", "RunInstances:0800")
BRING_YOUR_OWN = "Bring your own license"


class AmbiguousPriceError(ValueError):
    """The answer does not hold exactly one price; choosing one would be a guess."""


@dataclass(frozen=True)
class Listed:
    """What the Price List says about a shape.

    Attributes:
        used, unused: price of an hour On-Demand, and of an unused hour of a reservation; None: no price.
        usage_types: those of both, for the rates of Savings Plans.
        reserved: standard Reserved Instances by years and payment.
    """

    used: Decimal | None
    unused: Decimal | None
    usage_types: tuple[str, ...]
    reserved: Mapping[tuple[int, str], Fee]


def request(shape: Shape) -> Json:
    """Parameters of GetProducts; every filter is needed to get only the SKUs of this shape."""
    fields = {**_attributes(shape), "marketoption": "OnDemand"}
    filters = [{"Type": "TERM_MATCH", "Field": name, "Value": value} for name, value in fields.items()]
    return {"ServiceCode": SERVICE, "FormatVersion": "aws_v1", "Filters": filters, "MaxResults": 100}


def listed(items: Iterable[str], shape: Shape, currency: str) -> Listed:
    """Reads the strings of the answer's PriceList, in whatever order they come.

    Raises:
        AmbiguousPriceError: several SKUs, terms or dimensions fit, or a price is not hourly.
    """
    products = [json.loads(item, parse_float=Decimal) for item in items]
    used, unused = (_one(products, shape, status) for status in (USED, UNUSED))
    types = tuple(str(each["product"]["attributes"]["usagetype"]) for each in (used, unused) if each)
    return Listed(
        _hourly(used, shape, currency),
        _hourly(unused, shape, currency),
        types,
        dict(_reserved(used, shape, currency)) if used else {},
    )


def _attributes(shape: Shape) -> dict[str, str]:
    return {
        "instanceType": shape.instance_type,
        "regionCode": shape.region,
        "locationType": "AWS Region",
        "operation": shape.operation,
        "tenancy": TENANCY[shape.tenancy],
    }


def _one(products: list[Json], shape: Shape, status: str) -> Json | None:
    """The one SKU of a capacity status."""
    wanted = {**_attributes(shape), "capacitystatus": status}
    found = [product for product in products if _fits(product["product"]["attributes"], wanted, shape)]
    if len(found) > 1:
        skus = ", ".join(sorted(str(product["product"].get("sku")) for product in found))
        raise AmbiguousPriceError(f"{shape}: {len(found)} SKUs are {status}: {skus}")
    return found[0] if found else None


def _fits(attributes: Mapping[str, str], wanted: Mapping[str, str], shape: Shape) -> bool:
    if attributes.get("marketoption", "OnDemand") != "OnDemand":
        return False
    if attributes.get("licenseModel") == BRING_YOUR_OWN and shape.operation not in OWN_LICENSE:
        return False
    usage = USAGE[shape.tenancy, wanted["capacitystatus"]]
    kind = str(attributes.get("usagetype", "")).partition(":")[0].rpartition("-")[2]
    return kind == usage and all(attributes.get(name) == value for name, value in wanted.items())


def _hourly(product: Json | None, shape: Shape, currency: str) -> Decimal | None:
    """The On-Demand price of an hour; None if there is none, never 0."""
    terms = list((product or {}).get("terms", {}).get("OnDemand", {}).values())
    if not terms:
        return None
    if len(terms) > 1 or len(terms[0]["priceDimensions"]) != 1:
        raise AmbiguousPriceError(f"{shape}: more than one On-Demand price")
    (dimension,) = terms[0]["priceDimensions"].values()
    if dimension["unit"] != "Hrs" or dimension.get("beginRange") != "0" or dimension.get("endRange") != "Inf":
        raise AmbiguousPriceError(f"{shape}: the On-Demand price is not one hourly price: {dimension}")
    price = _money(dimension, currency)
    return price or None


def _money(dimension: Json, currency: str) -> Decimal | None:
    """The price in the requested currency; China has its own."""
    found = dimension["pricePerUnit"].get(currency)
    return None if found is None else amount(found)


def _reserved(product: Json, shape: Shape, currency: str) -> dict[tuple[int, str], Fee]:
    """Standard Reserved Instances; regional and zonal ones are not told apart, because they cost the same."""
    found: dict[tuple[int, str], Fee] = {}
    for term in product.get("terms", {}).get("Reserved", {}).values():
        said = term["termAttributes"]
        years, payment = {f"{each}yr": each for each in YEARS}.get(said["LeaseContractLength"]), said["PurchaseOption"]
        if said["OfferingClass"] != "standard" or years is None or payment not in PAYMENTS:
            continue
        by_unit: dict[str, Decimal] = {}
        for dimension in term["priceDimensions"].values():
            price = _money(dimension, currency)
            if dimension["unit"] in by_unit:
                raise AmbiguousPriceError(f"{shape}: two Reserved Instance prices per {dimension['unit']}")
            if price is not None:
                by_unit[dimension["unit"]] = price
        if "Hrs" not in by_unit or (payment != PAYMENTS[0] and "Quantity" not in by_unit):
            continue
        fee = Fee(by_unit.get("Quantity", Decimal(0)), by_unit["Hrs"])
        if (years, payment) in found:
            raise AmbiguousPriceError(f"{shape}: two Reserved Instances of {years} years, {payment}")
        if fee.upfront + fee.hourly * HOURS_A_YEAR:
            found[years, payment] = fee
    return found
