"""Looks at the Price List and the rates of Savings Plans, as the planner asks for them."""

import json
from typing import Any

from capacity_planner import plan_rates, price_list
from capacity_planner.price_source import CURRENCIES, ENDPOINTS, PLAN_ENDPOINTS, pages, partition_of
from capacity_planner.shapes import PLATFORMS, Shape
from config.models import CommonSettings
from stacks.capacity_planner.settings import CapacityPlannerSettings
from stacks.shared.confirming import Look, Seen
from stacks.shared.preflight import Clients
from stacks.shared.session import region_of

TYPE = "m5.large"
USED, UNUSED = price_list.USED, price_list.UNUSED


def _sku(clients: Clients, shape: Shape) -> tuple[list[dict[str, Any]], price_list.Listed]:
    """Every attribute set of the answer, and what the planner reads in it.

    Raises:
        AmbiguousPriceError: several SKUs fit.
    """
    pricing = clients("pricing", ENDPOINTS[partition_of(shape.region)])
    listed = pricing.get_paginator("get_products").paginate(**price_list.request(shape))
    items = [item for page in listed for item in page["PriceList"]]
    attributes = [json.loads(item)["product"]["attributes"] for item in items]
    return attributes, price_list.listed(items, shape, CURRENCIES[partition_of(shape.region)])


def _one_each(common: CommonSettings, settings: CapacityPlannerSettings, clients: Clients) -> Seen:
    region, seen = region_of(common).name, []
    if partition_of(region) not in ENDPOINTS:
        return Seen("open", "there is no Price List in this partition")
    shapes = [
        Shape(TYPE, region, PLATFORMS[platform], tenancy)
        for platform in ("Linux/UNIX", "Windows", "Red Hat Enterprise Linux")
        for tenancy in ("default", "dedicated")
    ]
    for shape in shapes:
        try:
            _, found = _sku(clients, shape)
        except price_list.AmbiguousPriceError as error:
            return Seen("refuted", str(error))
        if len(found.usage_types) != 2:
            return Seen("refuted", f"{shape}: usage types {found.usage_types or 'none'}")
        seen.append(f"{shape.platform}, {shape.tenancy}: {' and '.join(found.usage_types)}")
    return Seen("confirmed", f"{TYPE} in {region}: {'; '.join(seen)}")


def _dedicated(common: CommonSettings, settings: CapacityPlannerSettings, clients: Clients) -> Seen:
    region = region_of(common).name
    if partition_of(region) not in ENDPOINTS:
        return Seen("open", "there is no Price List in this partition")
    attributes, _ = _sku(clients, Shape(TYPE, region, tenancy="dedicated"))
    unused = [each for each in attributes if each.get("capacitystatus") == UNUSED]
    types = sorted({str(each.get("usagetype")) for each in unused})
    fits = bool(types) and all("UnusedDed:" in each for each in types)
    return Seen("confirmed" if fits else "refuted", f"{UNUSED}, Dedicated: {', '.join(types) or 'none'}")


def _both_rates(common: CommonSettings, settings: CapacityPlannerSettings, clients: Clients) -> Seen:
    region = region_of(common).name
    where = PLAN_ENDPOINTS.get(partition_of(region))
    if where is None:
        return Seen("open", "no Savings Plans are asked in this partition")
    shape = Shape(TYPE, region)
    _, found = _sku(clients, shape)
    request = plan_rates.request(shape, found.usage_types)
    offered = list(
        pages(clients("savingsplans", where).describe_savings_plans_offering_rates, "searchResults", **request)
    )
    counts = {usage: sum(each["usageType"] == usage for each in offered) for usage in found.usage_types}
    fits = len(counts) == 2 and len(set(counts.values())) == 1 and all(counts.values())
    return Seen("confirmed" if fits else "refuted", f"rates by usage type: {counts or 'none'}")


LOOKS = (
    Look("That the filters leave exactly one used", ("pricing:GetProducts",), _one_each),
    Look("That SKUs of unused hours of dedicated tenancy", ("pricing:GetProducts",), _dedicated),
    Look(
        "That every rate of a Savings Plan comes for",
        ("pricing:GetProducts", "savingsplans:DescribeSavingsPlansOfferingRates"),
        _both_rates,
    ),
)
