"""Tracker: the newest image of each pipeline and Region, whatever order the news come in."""

import itertools
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws

from image_pipelines.tracker import handler
from image_pipelines.tracker.newest import Output, outputs
from shared import aws
from stacks.image_pipelines import names

ARN = "arn:aws:imagebuilder:us-east-1:123456789012"
PIPELINES = {"stack-gold": "gold", "stack-job-container": "job"}


def image(number: int, name: str = "stack-gold", status: str = "AVAILABLE", **made: Any) -> dict[str, Any]:
    amis = [
        {"region": "us-east-1", "image": f"ami-{number}", "accountId": "123456789012"},
        {"region": "eu-west-1", "image": f"ami-{number}-copy", "accountId": "123456789012"},
        {"region": "us-east-1", "image": "ami-of-another-account", "accountId": "210987654321"},
    ]
    return {
        "arn": f"{ARN}:image/{name}/1.0.7/{number}",
        "dateCreated": f"2026-01-{number:02}T00:00:00.000Z",
        "state": {"status": status},
        "outputResources": made or {"amis": amis},
    }


# What an image leaves


def test_each_region_of_our_own_account() -> None:
    found = list(outputs(image(1), "123456789012", PIPELINES))
    assert [(one.id, one.image) for one in found] == [("gold#eu-west-1", "ami-1-copy"), ("gold#us-east-1", "ami-1")]


def test_a_container_by_its_most_particular_address() -> None:
    uris = ["repo:latest", "repo:1.0.7-1"]
    made = image(1, "stack-job-container", containers=[{"region": "us-east-1", "imageUris": uris}])
    assert [one.image for one in outputs(made, "123456789012", PIPELINES)] == ["repo:1.0.7-1"]


@pytest.mark.parametrize("status", ["PENDING", "BUILDING", "FAILED", "CANCELLED", "DEPRECATED", "DELETED"])
def test_nothing_of_an_image_that_is_not_available(status: str) -> None:
    assert list(outputs(image(1, status=status), "123456789012", PIPELINES)) == []


@pytest.mark.parametrize("name", ["stack-gold-2", "other"])
def test_nothing_of_another_s_image(name: str) -> None:
    assert list(outputs(image(1, name), "123456789012", PIPELINES)) == []


# The handler


def test_a_container_s_images_are_called_as_the_stack_calls_them() -> None:
    assert names.CONTAINER == handler.CONTAINER


class Builder:
    """Image Builder with some images, one a page."""

    def __init__(self, *images: dict[str, Any]) -> None:
        self.images = {one["arn"]: one for one in images}
        self.broken: set[str] = set()

    def get_image(self, imageBuildVersionArn: str) -> dict[str, Any]:  # noqa: N803
        if imageBuildVersionArn in self.broken:
            raise ClientError({"Error": {"Code": "ServiceException", "Message": "no"}}, "GetImage")
        return {"image": self.images[imageBuildVersionArn]}

    def get_paginator(self, operation: str) -> Any:
        assert operation == "list_image_pipeline_images"
        return self

    def paginate(self, imagePipelineArn: str) -> Iterator[dict[str, Any]]:  # noqa: N803
        if imagePipelineArn in self.broken:
            raise ClientError({"Error": {"Code": "ServiceException", "Message": "no"}}, "ListImagePipelineImages")
        name = imagePipelineArn.rsplit("/", 1)[-1]
        yield {"imageSummaryList": []}
        for one in self.images.values():
            if f"/{name}/" in one["arn"]:
                yield {"imageSummaryList": [one]}


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name, value in {
        "TABLE_NAME": "newest",
        "ACCOUNT": "123456789012",
        "AMIS": "gold",
        "CONTAINERS": "job",
        "PIPELINE_ARNS": f"{ARN}:image-pipeline/stack-",
        "STACK_NAME": "stack",
    }.items():
        monkeypatch.setenv(name, value)
    aws.client.cache_clear()
    with mock_aws():
        dynamodb = boto3.resource("dynamodb", "us-east-1")
        yield dynamodb.create_table(
            TableName="newest",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
    aws.client.cache_clear()


def use(monkeypatch: pytest.MonkeyPatch, builder: Builder) -> None:
    real = aws.client
    monkeypatch.setattr(handler, "client", lambda name: builder if name == "imagebuilder" else real(name))


def hears(*arns: str) -> dict[str, int]:
    event = {"detail-type": "EC2 Image Builder Image State Change", "resources": list(arns)}
    return handler.lambda_handler(event, None)


def records(table: Any) -> dict[str, str]:
    return {item["id"]: item["image"] for item in table.scan()["Items"]}


@pytest.mark.parametrize("order", list(itertools.permutations([1, 2, 3])))
def test_in_any_order_the_newest_is_recorded(
    table: Any, monkeypatch: pytest.MonkeyPatch, order: tuple[int, ...]
) -> None:
    use(monkeypatch, Builder(*(image(number) for number in order)))
    for number in (*order, order[0]):
        hears(f"{ARN}:image/stack-gold/1.0.7/{number}")
    assert records(table) == {"gold#us-east-1": "ami-3", "gold#eu-west-1": "ami-3-copy"}


def test_the_daily_look_finds_what_no_event_told(table: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    job = image(4, "stack-job-container", containers=[{"region": "us-east-1", "imageUris": ["repo:1.0.7-4"]}])
    use(monkeypatch, Builder(image(2), image(1), image(3, status="FAILED"), job))
    answer = handler.lambda_handler({"detail-type": "Scheduled Event"}, None)
    assert answer == {"recorded": 3, "older": 0}
    assert records(table) == {
        "gold#us-east-1": "ami-2",
        "gold#eu-west-1": "ami-2-copy",
        "job#us-east-1": "repo:1.0.7-4",
    }


def test_one_that_fails_stops_no_other_and_is_told(table: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    builder = Builder(image(1), image(2))
    builder.broken = {f"{ARN}:image/stack-gold/1.0.7/2"}
    use(monkeypatch, builder)
    with pytest.raises(handler.NotTrackedError, match="1 could not be tracked"):
        hears(*reversed(builder.images))
    assert records(table)["gold#us-east-1"] == "ami-1"


@given(st.permutations(range(1, 8)))
def test_the_newest_of_one_look_is_the_one_that_was_begun_last(numbers: list[int]) -> None:
    found: dict[str, Output] = {}
    for output in (o for n in numbers for o in outputs(image(n), "123456789012", PIPELINES)):
        if output.id not in found or found[output.id].created < output.created:
            found[output.id] = output
    assert found["gold#us-east-1"].image == "ami-7"
