"""The rates of Savings Plans for one shape: one rate for each plan, term and payment, or none. No AWS in here.

A shape is listed several times: once for each license, and for its unused reserved hours, which a plan pays for too
(https://docs.aws.amazon.com/savingsplans/latest/APIReference/API_DescribeSavingsPlansOfferingRates.html).
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from capacity_planner.price_list import SERVICE, AmbiguousPriceError
from capacity_planner.prices import COMPUTE, EC2_INSTANCE, PAYMENTS
from capacity_planner.shapes import Shape
from shared.money import amount

Json = dict[str, Any]
PLANS = {"Compute": COMPUTE, "EC2Instance": EC2_INSTANCE}
SECONDS = {31_536_000: 1, 94_608_000: 3}
MOST = 1_000


def request(shape: Shape, usage_types: Iterable[str]) -> Json:
    """Parameters of DescribeSavingsPlansOfferingRates, which has no filter for the term."""
    return {
        "savingsPlanTypes": list(PLANS),
        "products": ["EC2"],
        "serviceCodes": [SERVICE],
        "usageTypes": list(usage_types),
        "operations": [shape.operation],
        "maxResults": MOST,
    }


def rates(
    results: Iterable[Mapping[str, Any]], shape: Shape, usage_types: Iterable[str], currency: str
) -> dict[tuple[str, int, str], Decimal]:
    """Rates by plan, years and payment.

    Raises:
        AmbiguousPriceError: two rates fit, or used and unused hours have different ones.
    """
    wanted = {*usage_types}
    found: dict[tuple[str, int, str], dict[str, Decimal]] = {}
    for result in results:
        offering = result["savingsPlanOffering"]
        plan, years = PLANS.get(offering["planType"]), SECONDS.get(int(offering["durationSeconds"]))
        payment, usage = offering["paymentOption"], str(result["usageType"])
        if plan is None or years is None or payment not in PAYMENTS or offering["currency"] != currency:
            continue
        if result["operation"] != shape.operation or usage not in wanted or result["unit"] != "Hrs":
            continue
        rate, by_usage = amount(result["rate"]), found.setdefault((plan, years, payment), {})
        if by_usage.setdefault(usage, rate) != rate:
            raise AmbiguousPriceError(f"{shape}: two rates of {plan}, {years} years, {payment} for {usage}")
    told: dict[tuple[str, int, str], Decimal] = {}
    for key, by_usage in found.items():
        different = {*by_usage.values()}
        if len(different) > 1:
            raise AmbiguousPriceError(f"{shape}: used and unused hours have different rates for {key}: {by_usage}")
        (rate,) = different
        if rate and {*by_usage} == wanted:
            told[key] = rate
    return told
