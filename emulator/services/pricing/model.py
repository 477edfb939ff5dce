"""GetProducts for EC2: SKUs as AWS has them, beside those that a careless caller takes for them (our model).

https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_pricing_GetProducts.html
The prices are invented: 0.10 for m5.large of Linux, and what follows from its size and licence.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from emulator.core.api import Json, client_error
from emulator.core.store import Setting, region

# https://docs.aws.amazon.com/general/latest/gr/billing.html; a host of another Region does not resolve.
ENDPOINTS = ("us-east-1", "eu-central-1", "ap-south-1", "cn-northwest-1")
MOST = 100
# Pages so small that the wanted SKU is not on the first one.
PAGE = 3
MATCHES = ("TERM_MATCH", "EQUALS")
FIELDS = (
    "instanceType", "regionCode", "locationType", "operation", "tenancy", "capacitystatus", "marketoption",
    "licenseModel", "usagetype", "instanceFamily", "operatingSystem", "preInstalledSw", "servicecode",
)  # fmt: skip
SIZES = {"nano": 0.0625, "micro": 0.125, "small": 0.25, "medium": 0.5, "large": 1.0, "xlarge": 2.0}
LICENSES = {"RunInstances": 1.0, "RunInstances:0800": 1.0, "RunInstances:0002": 1.92, "RunInstances:0010": 1.6}
OWN_LICENSE = "RunInstances:0800"


@dataclass(frozen=True)
class Tariff:
    """What AWS asks now.

    Attributes:
        times: all prices as a multiple of the invented ones.
        expire: how many tokens of the next pages are refused as expired.
        refuse: the code with which every call is refused; None: it is answered.
    """

    times: float = 1.0
    expire: int = 0
    refuse: str | None = None


tariff: Setting[Tariff] = Setting(Tariff())


def put(request: Json) -> Json:
    """``price-list {"times": x, "expire": n, "refuse": code}``: other prices, tokens that expire, calls that fail."""
    tariff.value = Tariff(**request)
    return {}


def get_products(parameters: Json) -> Json:
    """Pages of strings of JSON, one for each SKU."""
    if region() not in ENDPOINTS:
        raise client_error("InvalidEndpointException", f"api.pricing.{region()}.amazonaws.com does not resolve")
    if tariff.value.refuse:
        raise client_error(tariff.value.refuse, "Rate exceeded")
    if parameters.get("ServiceCode") != "AmazonEC2":
        raise client_error("NotFoundException", "The embedded AWS has prices of AmazonEC2 only")
    most = parameters.get("MaxResults", MOST)
    if not 1 <= most <= MOST or len(parameters.get("Filters", [])) > 50:
        raise client_error("InvalidParameterException", "Input Parameters are invalid")
    found = [item for item in _products(parameters) if _fits(item, parameters)]
    return _page(found, parameters.get("NextToken"), min(most, PAGE))


def _page(found: list[Json], token: str | None, most: int) -> Json:
    start = 0
    if token is not None:
        if tariff.value.expire:
            tariff.value = Tariff(tariff.value.times, tariff.value.expire - 1)
            raise client_error("ExpiredNextTokenException", "The pagination token expired")
        if not token.startswith("next:"):
            raise client_error("InvalidNextTokenException", "The pagination token is invalid")
        start = int(token.removeprefix("next:"))
    more = {"NextToken": f"next:{start + most}"} if start + most < len(found) else {}
    return {"FormatVersion": "aws_v1", "PriceList": [json.dumps(each) for each in found[start : start + most]], **more}


def _fits(item: Json, parameters: Json) -> bool:
    attributes = item["product"]["attributes"]
    for each in parameters.get("Filters", []):
        if each["Type"] not in MATCHES or each["Field"] not in FIELDS:
            raise client_error("InvalidParameterException", f"{each['Type']} of {each['Field']} is not known here")
        if attributes.get(each["Field"]) != each["Value"]:
            return False
    return True


def _products(parameters: Json) -> Iterator[Json]:
    """Everything of the asked type and Region, the wanted ones last."""
    asked = {each["Field"]: each["Value"] for each in parameters.get("Filters", [])}
    kind, place = asked.get("instanceType", "m5.large"), asked.get("regionCode", "us-east-1")
    if kind.rpartition(".")[2] not in SIZES:
        return
    for operation in (OWN_LICENSE, "RunInstances:0010", "RunInstances:0002", "RunInstances"):
        yield _product(kind, place, operation, market="CapacityBlock", scale=0.7)
        yield _product(kind, place, operation, zone=True, scale=1.5)
        for tenancy, scale in (("Dedicated", 1.3), ("Shared", 1.0)):
            for status in ("AllocatedCapacityReservation", "UnusedCapacityReservation", "Used"):
                yield _product(kind, place, operation, tenancy=tenancy, status=status, scale=scale)


def price_of(kind: str, operation: str) -> float:
    """An hour of a type On-Demand."""
    return 0.10 * SIZES[kind.rpartition(".")[2]] * LICENSES[operation] * tariff.value.times


def usage_type(kind: str, place: str, tenancy: str, status: str) -> str:
    """With a prefix of the Region, which us-east-1 lacks."""
    names = {
        "Used": ("BoxUsage", "DedicatedUsage"),
        "UnusedCapacityReservation": ("UnusedBox", "UnusedDed"),
        "AllocatedCapacityReservation": ("Reservation", "DedicatedRes"),
    }
    prefix = "" if place == "us-east-1" else f"{place.upper().replace('-', '')[:4]}-"
    return f"{prefix}{names[status][tenancy == 'Dedicated']}:{kind}"


def _product(
    kind: str,
    place: str,
    operation: str,
    *,
    tenancy: str = "Shared",
    status: str = "Used",
    market: str = "OnDemand",
    zone: bool = False,
    scale: float = 1.0,
) -> Json:
    usage = usage_type(kind, place, tenancy, status)
    price = 0.0 if status.startswith("Allocated") else price_of(kind, operation) * scale
    sku = f"SKU{abs(hash((kind, place, operation, tenancy, status, market, zone))) % 10**12:012}"
    attributes = {
        "servicecode": "AmazonEC2",
        "instanceType": kind,
        "regionCode": place,
        "locationType": "AWS Local Zone" if zone else "AWS Region",
        "operation": operation,
        "tenancy": tenancy,
        "capacitystatus": status,
        "marketoption": market,
        "licenseModel": "Bring your own license" if operation == OWN_LICENSE else "No License required",
        "usagetype": usage,
    }
    term = f"{sku}.JRTCKXETXF"
    dimension = {
        "unit": "Hrs",
        "beginRange": "0",
        "endRange": "Inf",
        "pricePerUnit": {_currency(place): f"{price:.10f}"},
    }
    terms: Json = {
        "OnDemand": {term: {"offerTermCode": "JRTCKXETXF", "priceDimensions": {f"{term}.6YS6EN2CT7": dimension}}}
    }
    if status == "Used" and market == "OnDemand" and not zone:
        terms["Reserved"] = dict(_reserved(sku, price, _currency(place)))
    product = {"productFamily": "Compute Instance", "sku": sku, "attributes": attributes}
    return {"product": product, "serviceCode": "AmazonEC2", "terms": terms, "version": "1"}


def _currency(place: str) -> str:
    return "CNY" if place.startswith("cn-") else "USD"


def _reserved(sku: str, price: float, currency: str) -> Iterator[tuple[str, Json]]:
    """Sixty percent for a year, forty for three; half of it at once if partly upfront; convertible ones dearer."""
    for years, share in ((1, 0.6), (3, 0.4)):
        for payment, upfront in (("No Upfront", 0.0), ("Partial Upfront", 0.5), ("All Upfront", 1.0)):
            for offering, dearer in (("standard", 1.0), ("convertible", 1.2)):
                hourly = price * share * dearer
                offer = f"{sku}.{years}{payment[0]}{offering[0]}"
                dimensions: Json = {
                    f"{offer}.6YS6EN2CT7": {"unit": "Hrs", "pricePerUnit": {currency: f"{hourly * (1 - upfront):.10f}"}}
                }
                if upfront:
                    fee = hourly * upfront * 8_760 * years
                    dimensions[f"{offer}.2TG2D8R56U"] = {"unit": "Quantity", "pricePerUnit": {currency: f"{fee:g}"}}
                said = {"LeaseContractLength": f"{years}yr", "OfferingClass": offering, "PurchaseOption": payment}
                yield offer, {"termAttributes": said, "priceDimensions": dimensions}
