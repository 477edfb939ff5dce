"""The Price List is as strict as AWS's: pages, tokens that expire, foreign SKUs, and endpoints in few Regions."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from emulator.client import EmbeddedAws
from emulator.services.pricing.model import PAGE

SHAPE = {"instanceType": "m5.large", "regionCode": "us-east-1", "operation": "RunInstances", "tenancy": "Shared"}


def asked(**fields: str) -> dict[str, Any]:
    filters = [{"Type": "TERM_MATCH", "Field": name, "Value": value} for name, value in fields.items()]
    return {"ServiceCode": "AmazonEC2", "FormatVersion": "aws_v1", "Filters": filters, "MaxResults": 100}


def attributes(aws: EmbeddedAws, **fields: str) -> list[dict[str, str]]:
    pages = aws.client("pricing").get_paginator("get_products").paginate(**asked(**fields))
    return [json.loads(item)["product"]["attributes"] for page in pages for item in page["PriceList"]]


def test_items_are_text_and_the_used_hours_are_not_on_the_first_page(aws: EmbeddedAws) -> None:
    first = aws.client("pricing").get_products(**asked(**SHAPE))
    assert len(first["PriceList"]) == PAGE and first["NextToken"]
    assert all(isinstance(item, str) for item in first["PriceList"])
    used = [json.loads(item)["product"]["attributes"]["capacitystatus"] for item in first["PriceList"]]
    assert "Used" not in used[:1] or len(attributes(aws, **SHAPE)) > PAGE


def test_each_filter_is_needed(aws: EmbeddedAws) -> None:
    full = {**SHAPE, "locationType": "AWS Region", "marketoption": "OnDemand", "capacitystatus": "Used"}
    assert len(attributes(aws, **full)) == 1
    for name in ("operation", "tenancy", "locationType", "marketoption", "capacitystatus"):
        fewer = {key: value for key, value in full.items() if key != name}
        assert len(attributes(aws, **fewer)) > 1, name


def test_the_reservation_itself_costs_nothing_and_its_unused_hours_do(aws: EmbeddedAws) -> None:
    pages = (
        aws.client("pricing")
        .get_paginator("get_products")
        .paginate(**asked(**SHAPE, locationType="AWS Region", marketoption="OnDemand"))
    )
    prices = {}
    for item in (json.loads(item) for page in pages for item in page["PriceList"]):
        (term,) = item["terms"]["OnDemand"].values()
        (dimension,) = term["priceDimensions"].values()
        prices[item["product"]["attributes"]["capacitystatus"]] = dimension["pricePerUnit"]["USD"]
    assert prices == {
        "Used": "0.1000000000",
        "UnusedCapacityReservation": "0.1000000000",
        "AllocatedCapacityReservation": "0.0000000000",
    }


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"MaxResults": 100, "NextToken": "guessed"}, "InvalidNextTokenException"),
        ({"ServiceCode": "AmazonS3"}, "NotFoundException"),
    ],
)
def test_what_it_refuses(aws: EmbeddedAws, changes: dict[str, Any], code: str) -> None:
    with pytest.raises(ClientError, match=code):
        aws.client("pricing").get_products(**{**asked(**SHAPE), **changes})


def test_tokens_expire_when_they_are_told_to(aws: EmbeddedAws) -> None:
    aws.control("price-list", expire=1)
    client = aws.client("pricing")
    token = client.get_products(**asked(**SHAPE))["NextToken"]
    with pytest.raises(ClientError, match="ExpiredNextTokenException"):
        client.get_products(**asked(**SHAPE), NextToken=token)
    assert client.get_products(**asked(**SHAPE), NextToken=token)["PriceList"]


def test_another_region_has_no_endpoint(aws: EmbeddedAws) -> None:
    with pytest.raises(ClientError, match="does not resolve"):
        aws.client("pricing", region_name="eu-west-1").get_products(**asked(**SHAPE))
