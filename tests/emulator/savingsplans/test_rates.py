"""Rates come mixed and in pages, the last one with an empty token; plans are those that somebody has put there."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from emulator.client import EmbeddedAws
from emulator.services.savingsplans.model import PAGE

PLAN = {"savingsPlanId": "sp-1", "savingsPlanType": "Compute", "state": "active", "commitment": "0.5"}
ASKED: dict[str, Any] = {"usageTypes": ["BoxUsage:m5.large"], "operations": ["RunInstances"]}


def test_both_terms_every_payment_and_an_empty_token_at_the_end(aws: EmbeddedAws) -> None:
    client = aws.client("savingsplans")
    pages: list[dict[str, Any]] = []
    more: dict[str, str] = {}
    while not pages or more["nextToken"]:
        pages.append(client.describe_savings_plans_offering_rates(**ASKED, **more))
        more = {"nextToken": pages[-1]["nextToken"]}
    assert [len(page["searchResults"]) for page in pages] == [PAGE, 2] and pages[-1]["nextToken"] == ""
    offerings = [each["savingsPlanOffering"] for page in pages for each in page["searchResults"]]
    assert {each["durationSeconds"] for each in offerings} == {31_536_000, 94_608_000}
    assert len({each["paymentOption"] for each in offerings}) == 3


def test_without_an_operation_every_licence_is_there(aws: EmbeddedAws) -> None:
    client = aws.client("savingsplans")
    found = client.describe_savings_plans_offering_rates(usageTypes=ASKED["usageTypes"])["searchResults"]
    assert "RunInstances" in {each["operation"] for each in found}


def test_plans_are_filtered_by_their_state(aws: EmbeddedAws) -> None:
    aws.control("savings-plans", plans=[PLAN, {**PLAN, "savingsPlanId": "sp-2", "state": "retired"}])
    found = aws.client("savingsplans").describe_savings_plans(states=["active"])
    assert [each["savingsPlanId"] for each in found["savingsPlans"]] == ["sp-1"] and found["nextToken"] == ""


def test_there_is_one_endpoint(aws: EmbeddedAws) -> None:
    with pytest.raises(ClientError, match="no endpoint"):
        aws.client("savingsplans", region_name="eu-west-1", endpoint_url=aws.endpoint_url).describe_savings_plans()
