"""What a deployment does with its file, and the end of a stack with all that it wrote."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from moto import mock_aws

from shared import aws, custom_resource
from shared.metric_data import MetricDataError
from spot_placement_tracker.dashboards.following import NotWrittenError
from spot_placement_tracker.deployment import handler
from spot_placement_tracker.store import FILE, PLAN, Store
from tests.solutions.spot_placement_tracker.test_dashboards import BUCKET, TEXT, by_hand, followed, names

ASSETS = "assets"


@pytest.fixture
def answers(kept_clients: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, Any]]]:
    heard: list[dict[str, Any]] = []
    monkeypatch.setattr(custom_resource, "upload", lambda url, body: heard.append(json.loads(body)))
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    with mock_aws():
        s3 = aws.client("s3")
        for bucket in (BUCKET, ASSETS):
            s3.create_bucket(Bucket=bucket)
        s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        s3.put_object(Bucket=ASSETS, Key="first", Body=TEXT.encode())
        s3.put_object(Bucket=ASSETS, Key="second", Body=TEXT.replace("scores", "second").encode())
        s3.put_object(Bucket=ASSETS, Key="broken", Body=b"- {}")
        yield heard


def ask(
    kind: str, source: str = "first", *, before: str | None = None, physical_id: str = BUCKET, **changes: str
) -> None:
    properties = {
        "Bucket": BUCKET,
        "SourceBucket": ASSETS,
        "SourceKey": source,
        "MetricNamespace": "Spot Placement Score Metrics",
        "Tracker": "stack",
        "ReportDays": "14",
        "EveryMinutes": "5",
        "TakeOver": "false",
        "KeepData": "false",
        **changes,
    }
    event = {
        "RequestType": kind,
        "ResponseURL": "https://answer.example",
        "StackId": "stack",
        "RequestId": "r",
        "LogicalResourceId": "Stored",
        "ResourceProperties": properties,
    }
    old = {"OldResourceProperties": {**properties, "SourceKey": before}} if before else {}
    ident = {} if kind == "Create" else {"PhysicalResourceId": physical_id}
    handler.lambda_handler({**event, **old, **ident}, None)


def stored() -> str:
    text: str = aws.client("s3").get_object(Bucket=BUCKET, Key=FILE)["Body"].read().decode()
    return text


def objects() -> int:
    return sum(len(page.get(kind, [])) for page in aws.client("s3").get_paginator("list_object_versions").paginate(
        Bucket=BUCKET) for kind in ("Versions", "DeleteMarkers"))  # fmt: skip


def test_a_creation_stores_the_file_and_draws(answers: list[dict[str, Any]]) -> None:
    ask("Create")
    assert (answers[-1]["Status"], answers[-1]["PhysicalResourceId"]) == ("SUCCESS", BUCKET)
    assert stored() == TEXT and names() == {"scores"}


def test_another_file_replaces_the_stored_one(answers: list[dict[str, Any]]) -> None:
    ask("Create")
    ask("Update", "second", before="first")
    assert names() == {"second"} and answers[-1]["Status"] == "SUCCESS"


def test_a_deployment_for_other_reasons_keeps_what_people_have_uploaded(answers: list[dict[str, Any]]) -> None:
    ask("Create")
    aws.client("s3").put_object(Bucket=BUCKET, Key=FILE, Body=TEXT.replace("scores", "theirs").encode())
    ask("Update", before="first")
    assert "theirs" in stored() and names() == {"theirs"}


def test_a_broken_upload_of_people_does_not_stop_a_deployment(answers: list[dict[str, Any]]) -> None:
    ask("Create")
    aws.client("s3").put_object(Bucket=BUCKET, Key=FILE, Body=b"- {}")
    ask("Update", before="first")
    assert answers[-1]["Status"] == "SUCCESS" and names() == {"scores"}


def test_a_broken_file_of_the_deployment_fails_it_with_its_words(answers: list[dict[str, Any]]) -> None:
    ask("Create", "broken")
    assert answers[-1]["Status"] == "FAILED"
    assert answers[-1]["Reason"].startswith(f"s3://{BUCKET}/{FILE}:1: 0.Dashboard: must be the dashboard's name")


def test_somebody_elses_dashboard_fails_it_unless_taken_over(answers: list[dict[str, Any]]) -> None:
    by_hand("scores")
    ask("Create")
    assert "has not written" in answers[-1]["Reason"]
    ask("Create", TakeOver="true")
    assert answers[-1]["Status"] == "SUCCESS"


def test_the_end_takes_all_away_however_often_it_comes(answers: list[dict[str, Any]]) -> None:
    by_hand("somebody-elses")
    ask("Create")
    ask("Update", "second", before="first")
    aws.client("s3").delete_object(Bucket=BUCKET, Key=FILE)
    ask("Delete")
    ask("Delete")
    assert [answer["Status"] for answer in answers] == ["SUCCESS"] * 4
    assert objects() == 0 and names() == {"somebody-elses"}


def test_an_event_that_is_late_leaves_nothing_in_the_emptied_bucket(answers: list[dict[str, Any]]) -> None:
    """A rule may match for a moment after its deletion, and the end of the file is an event."""
    ask("Create")
    ask("Delete")
    found = followed(Store(aws.client("s3"), BUCKET))
    assert "is gone" in found.problems[0]
    assert objects() == 0 and names() == set()


def test_kept_data_stays_and_the_dashboards_go(answers: list[dict[str, Any]]) -> None:
    ask("Create")
    ask("Delete", KeepData="true")
    assert objects() > 0 and names() == set()


def test_what_others_have_put_into_the_bucket_stays(answers: list[dict[str, Any]]) -> None:
    ask("Create")
    aws.client("s3").put_object(Bucket=BUCKET, Key="notes", Body=b"mine")
    ask("Delete")
    assert objects() == 1 and answers[-1]["Status"] == "SUCCESS"


def test_a_refused_creation_is_taken_away_under_whatever_id(answers: list[dict[str, Any]]) -> None:
    by_hand("scores")
    ask("Create")
    assert answers[-1]["Status"] == "FAILED" and objects() > 0
    ask("Delete", physical_id=answers[-1]["PhysicalResourceId"])
    assert answers[-1]["Status"] == "SUCCESS" and objects() == 0 and names() == {"scores"}


def test_a_bucket_that_is_gone_has_nothing_to_take_away(answers: list[dict[str, Any]]) -> None:
    ask("Delete", Bucket="gone", physical_id="gone")
    assert answers[-1]["Status"] == "SUCCESS"


def test_a_later_deployment_is_not_refused_so_that_no_rollback_is(answers: list[dict[str, Any]]) -> None:
    ask("Create")
    by_hand("second")
    ask("Update", "second", before="first")
    assert answers[-1]["Status"] == "SUCCESS"
    plan = json.loads(aws.client("s3").get_object(Bucket=BUCKET, Key=PLAN)["Body"].read())
    assert "has not written" in plan["problems"][0]


@pytest.mark.parametrize("error", [NotWrittenError("scores: refused"), MetricDataError("s0: InternalError")])
def test_what_cloudwatch_refuses_fails_the_first_deployment_with_its_words_and_no_later_one(
    answers: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
) -> None:
    """The stored file may be one that people have uploaded: the rollback would look at it too, and fail as well."""

    def refuse(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(handler, "follow", refuse)
    ask("Create")
    assert answers[-1]["Status"] == "FAILED"
    assert answers[-1]["Reason"] == f"the dashboards cannot be written: {error}"
    caplog.clear()
    for source, before in (("second", "first"), ("first", "second")):
        ask("Update", source, before=before)
        assert answers[-1]["Status"] == "SUCCESS" and "do not follow the file" in caplog.text
