"""Rates and plans (our model): both terms, every payment, licences and the unused hours of reservations in one list.

https://docs.aws.amazon.com/savingsplans/latest/APIReference/API_DescribeSavingsPlansOfferingRates.html
"""

from collections.abc import Iterator

from emulator.core.api import Json, client_error
from emulator.core.store import Setting, region
from emulator.services.pricing.model import LICENSES, SIZES, price_of

# https://docs.aws.amazon.com/general/latest/gr/savingsplans.html: one global endpoint, and those of China.
ENDPOINTS = ("us-east-1", "cn-north-1", "cn-northwest-1")
SHARES = {("Compute", 1): 0.75, ("EC2Instance", 1): 0.65, ("Compute", 3): 0.55, ("EC2Instance", 3): 0.45}
PAYMENTS = {"No Upfront": 1.0, "Partial Upfront": 0.97, "All Upfront": 0.94}
SECONDS = 31_536_000
# Pages so small that one shape needs several.
PAGE = 10

plans: Setting[tuple[Json, ...]] = Setting(())


def put(request: Json) -> Json:
    """``savings-plans {"plans": [...]}``: members of the API's SavingsPlan; takes the place of what was there."""
    plans.value = tuple(request["plans"])
    return {"plans": len(plans.value)}


def describe_savings_plans(parameters: Json) -> Json:
    """https://docs.aws.amazon.com/savingsplans/latest/APIReference/API_DescribeSavingsPlans.html."""
    _answered_here()
    states = parameters.get("states")
    found = [plan for plan in plans.value if not states or plan["state"] in states]
    return _page("savingsPlans", found, parameters, 1)


def describe_savings_plans_offering_rates(parameters: Json) -> Json:
    """Everything that fits; there is no filter for the term."""
    _answered_here()
    most = int(parameters.get("maxResults") or 1_000)
    if most > 1_000:
        raise client_error("ValidationException", "maxResults must be at most 1000")
    found = [each for each in _rates(parameters) if _fits(each, parameters)]
    return _page("searchResults", found, parameters, min(most, PAGE))


def _answered_here() -> None:
    if region() not in ENDPOINTS:
        raise client_error("InvalidEndpointException", f"there is no endpoint of Savings Plans in {region()}")


def _page(name: str, found: list[Json], parameters: Json, most: int) -> Json:
    """The last page has an empty token, not none."""
    start = int(parameters.get("nextToken") or 0)
    following = start + most
    return {name: found[start:following], "nextToken": str(following) if following < len(found) else ""}


def _fits(rate: Json, parameters: Json) -> bool:
    offering = rate["savingsPlanOffering"]
    for key, value in (
        ("savingsPlanPaymentOptions", offering["paymentOption"]),
        ("savingsPlanTypes", offering["planType"]),
        ("products", rate["productType"]),
        ("serviceCodes", rate["serviceCode"]),
        ("usageTypes", rate["usageType"]),
        ("operations", rate["operation"]),
    ):
        if parameters.get(key) and value not in parameters[key]:
            return False
    return True


def _rates(parameters: Json) -> Iterator[Json]:
    """For every asked usage type, with each licence: the caller has to choose its own."""
    for usage in parameters.get("usageTypes") or ["BoxUsage:m5.large"]:
        kind = usage.rpartition(":")[2]
        if kind.rpartition(".")[2] not in SIZES:
            continue
        scale = 1.3 if "Ded" in usage else 1.0
        for operation in LICENSES:
            for (plan, years), share in SHARES.items():
                for payment, discount in PAYMENTS.items():
                    rate = price_of(kind, operation) * scale * share * discount
                    yield _rate(plan, years, payment, f"{rate:.10f}".rstrip("0"), usage, operation)


def _rate(plan: str, years: int, payment: str, rate: str, usage: str, operation: str) -> Json:
    offering = {
        "offeringId": f"{years}a-{len(payment)}-{len(plan)}",
        "paymentOption": payment,
        "planType": plan,
        "durationSeconds": SECONDS * years,
        "currency": "CNY" if region().startswith("cn-") else "USD",
        "planDescription": f"{years} year {payment} {plan} Savings Plan",
    }
    return {
        "savingsPlanOffering": offering,
        "rate": rate,
        "unit": "Hrs",
        "productType": "EC2",
        "serviceCode": "AmazonEC2",
        "usageType": usage,
        "operation": operation,
        "properties": [{"name": "tenancy", "value": "dedicated" if "Ded" in usage else "shared"}],
    }
