"""Emptier: empties the bucket when it is deleted, and never else."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from moto import mock_aws

from shared import aws, custom_resource
from shared.emptier import handler

BUCKET = "trail-of-ours"


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, Any]]]:
    heard: list[dict[str, Any]] = []
    monkeypatch.setattr(custom_resource, "upload", lambda url, body: heard.append(json.loads(body)))
    with mock_aws():
        aws.client.cache_clear()
        aws.client("s3").create_bucket(Bucket=BUCKET)
        for number in range(3):
            aws.client("s3").put_object(Bucket=BUCKET, Key=f"AWSLogs/{number}", Body=b"")
        yield heard
    aws.client.cache_clear()


def ask(kind: str, physical_id: str | None = BUCKET, bucket: str = BUCKET) -> None:
    event = {
        "RequestType": kind,
        "ResponseURL": "https://answer.example",
        "StackId": "stack",
        "RequestId": "r",
        "LogicalResourceId": "Emptied",
        "ResourceProperties": {"BucketName": bucket},
    }
    handler.lambda_handler({**event, **({"PhysicalResourceId": physical_id} if physical_id else {})}, None)


def objects() -> int:
    return int(aws.client("s3").list_objects_v2(Bucket=BUCKET)["KeyCount"])


@pytest.mark.parametrize("kind", ["Create", "Update"])
def test_nothing_but_a_deletion_empties(kind: str, answers: list[dict[str, Any]]) -> None:
    ask(kind)
    assert objects() == 3
    assert [(a["Status"], a["PhysicalResourceId"]) for a in answers] == [("SUCCESS", BUCKET)]


def test_a_deletion_empties_however_often_it_comes(answers: list[dict[str, Any]]) -> None:
    ask("Delete")
    ask("Delete")
    assert objects() == 0
    assert [answer["Status"] for answer in answers] == ["SUCCESS", "SUCCESS"]


def test_a_bucket_that_is_gone_is_empty(answers: list[dict[str, Any]]) -> None:
    ask("Delete", "gone", "gone")
    assert answers[0]["Status"] == "SUCCESS"


def test_a_creation_that_failed_owns_no_bucket(answers: list[dict[str, Any]]) -> None:
    ask("Delete", "Emptied")
    assert objects() == 3


def test_many_pages_are_emptied_and_too_many_are_said(
    answers: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = [{"Contents": [{"Key": f"AWSLogs/{number}"}]} for number in range(3)]
    monkeypatch.setattr(handler, "MOST_PAGES", 2)
    s3 = aws.client("s3")
    paginator = type("Paginator", (), {"paginate": lambda self, **_: iter(pages)})
    monkeypatch.setattr(s3, "get_paginator", lambda name: paginator())
    ask("Delete")
    assert answers[0]["Status"] == "FAILED" and "delete it again" in answers[0]["Reason"]
    assert objects() == 1
    monkeypatch.setattr(handler, "MOST_PAGES", 3)
    ask("Delete")
    assert answers[1]["Status"] == "SUCCESS" and objects() == 0


def test_an_object_that_may_not_be_deleted_fails_the_deletion(
    answers: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = {"Errors": [{"Key": "AWSLogs/0", "Code": "AccessDenied"}]}
    monkeypatch.setattr(aws.client("s3"), "delete_objects", lambda **_: refused)
    ask("Delete")
    assert answers[0]["Status"] == "FAILED" and "AccessDenied" in answers[0]["Reason"]
