"""Answers of the Price List and of Savings Plans as AWS shapes them, and clients that give them page by page."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

Json = dict[str, Any]
ON_DEMAND, HOURS, FEE = "JRTCKXETXF", "6YS6EN2CT7", "2TG2D8R56U"


def sku(name: str, price: str | None, *, currency: str = "USD", reserved: Json | None = None, **attributes: str) -> str:
    """One item of PriceList: text, as AWS sends it."""
    known = {
        "instanceType": "m5.large",
        "regionCode": "us-east-1",
        "locationType": "AWS Region",
        "operation": "RunInstances",
        "tenancy": "Shared",
        "capacitystatus": "Used",
        "marketoption": "OnDemand",
        "licenseModel": "No License required",
        "usagetype": "BoxUsage:m5.large",
        **attributes,
    }
    terms: Json = {}
    if price is not None:
        offer, rate = f"{name}.{ON_DEMAND}", f"{name}.{ON_DEMAND}.{HOURS}"
        dimension = {"unit": "Hrs", "beginRange": "0", "endRange": "Inf", "pricePerUnit": {currency: price}}
        terms["OnDemand"] = {offer: {"offerTermCode": ON_DEMAND, "priceDimensions": {rate: dimension}}}
    if reserved:
        terms["Reserved"] = reserved
    product = {"productFamily": "Compute Instance", "sku": name, "attributes": known}
    return json.dumps({"product": product, "serviceCode": "AmazonEC2", "terms": terms})


def reserved_term(years: int, payment: str, hourly: str, upfront: str | None = None, kind: str = "standard") -> Json:
    """One entry of terms.Reserved; the fee may be a whole number."""
    dimensions = {HOURS: {"unit": "Hrs", "pricePerUnit": {"USD": hourly}}}
    if upfront is not None:
        dimensions[FEE] = {"unit": "Quantity", "pricePerUnit": {"USD": upfront}}
    said = {"LeaseContractLength": f"{years}yr", "OfferingClass": kind, "PurchaseOption": payment}
    return {f"term-{years}-{payment}-{kind}": {"termAttributes": said, "priceDimensions": dimensions}}


USED = sku("USED", "0.1000000000", reserved=reserved_term(1, "Partial Upfront", "0.0300000000", "263"))
UNUSED = sku("UNUSED", "0.1000000000", capacitystatus="UnusedCapacityReservation", usagetype="UnusedBox:m5.large")
ALLOCATED = sku(
    "ALLOCATED", "0.0000000000", capacitystatus="AllocatedCapacityReservation", usagetype="Reservation:m5.large"
)
BESIDE = (
    sku("DEDICATED", "0.1300000000", tenancy="Dedicated", usagetype="DedicatedUsage:m5.large"),
    sku("BLOCK", "0.0700000000", marketoption="CapacityBlock"),
    sku("LOCAL", "0.1500000000", locationType="AWS Local Zone", usagetype="LAX1-BoxUsage:m5.large"),
    sku("SQL", "0.5800000000", operation="RunInstances:0004"),
    sku("BYOL", "0.1000000000", operation="RunInstances:0800", licenseModel="Bring your own license"),
)


def rate(value: str, *, plan: str = "EC2Instance", payment: str = "No Upfront", years: int = 1, **more: Any) -> Json:
    """One searchResult."""
    offering = {
        "offeringId": "0a-1",
        "paymentOption": payment,
        "planType": plan,
        "durationSeconds": 31_536_000 * years,
        "currency": more.pop("currency", "USD"),
    }
    return {
        "savingsPlanOffering": offering,
        "rate": value,
        "unit": "Hrs",
        "productType": "EC2",
        "serviceCode": "AmazonEC2",
        "usageType": "BoxUsage:m5.large",
        "operation": "RunInstances",
        "properties": [{"name": "region", "value": "us-east-1"}],
        **more,
    }


def both(value: str, **more: Any) -> list[Json]:
    """A rate of the used and of the unused hours."""
    return [rate(value, **more), rate(value, usageType="UnusedBox:m5.large", **more)]


class Pricing:
    """GetProducts, in pages; a page may be an error."""

    def __init__(self, *pages: Sequence[str] | ClientError) -> None:
        self.pages, self.requests = list(pages), list[Json]()

    def get_products(self, **request: Any) -> Json:
        self.requests.append(request)
        number = int(request.get("NextToken", 0))
        page = self.pages[number]
        if isinstance(page, ClientError):
            self.pages.pop(number)
            raise page
        return {"PriceList": list(page), **({"NextToken": str(number + 1)} if number + 1 < len(self.pages) else {})}


class SavingsPlans:
    """Rates, in pages; the last one has an empty token."""

    def __init__(self, *pages: Sequence[Mapping[str, Any]], last: Mapping[str, str] | None = None) -> None:
        self._pages, self.requests = pages, list[Json]()
        self._last = {"nextToken": ""} if last is None else last

    def describe_savings_plans_offering_rates(self, **request: Any) -> Json:
        self.requests.append(request)
        number = int(request.get("nextToken", 0))
        more = {"nextToken": str(number + 1)} if number + 1 < len(self._pages) else self._last
        return {"searchResults": list(self._pages[number]), **more}


def refused(code: str) -> ClientError:
    """An error of a client."""
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "GetProducts")
