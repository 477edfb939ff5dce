"""Report: each scan is told of once, whoever says that it has ended, and the link lives as long as it says."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from graviton_porting_advisor.names import prefix_of
from graviton_porting_advisor.report.builds import UnknownMessageError, of_api, read
from graviton_porting_advisor.report.handler import signed
from graviton_porting_advisor.report.message import Link, Scan, metrics, seconds_to_live, subject, text
from graviton_porting_advisor.verdict import Result, Verdict, failed
from tests.solutions.graviton_porting_advisor.faults import (
    BUILD,
    ReportWorld,
    _state,
    asked_of_start,
    deliver,
    messages,
)

NOW = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
VARIABLES = {"SOURCE": "github/org/a", "SLUG": "github-org-a-1"}


def event(status: str, phase: str = "", why: str = "", **more: Any) -> str:
    """An event in the form of https://docs.aws.amazon.com/codebuild/latest/userguide/sample-build-notifications-ref.html."""
    phases = [{"phase-context": [], "phase-type": "SUBMITTED", "phase-status": "SUCCEEDED"}]
    if phase:
        phases.append({"phase-context": [why], "phase-type": phase, "phase-status": "FAILED"})
    detail = {
        "build-status": status,
        "project-name": "project",
        "build-id": "arn:aws:codebuild:us-west-2:123456789012:build/project:8745a7a9",
        "additional-information": {
            "environment": {
                "environment-variables": [
                    {"name": name, "type": "PLAINTEXT", "value": value} for name, value in VARIABLES.items()
                ]
            },
            "build-start-time": "Sep 1, 2017 4:12:29 PM",
            "logs": {"deep-link": "https://console.aws.amazon.com/log"},
            "phases": phases,
        },
        "current-phase": "COMPLETED",
        "current-phase-context": "[]",
    }
    return json.dumps({"detail-type": "CodeBuild Build State Change", "time": "2017-09-01T16:14:28Z", "detail": detail})


def test_the_id_of_a_build_is_the_tail_of_its_arn_and_its_start_is_not_read() -> None:
    told = read(event("SUCCEEDED"))
    assert told.build == "project:8745a7a9" and told.event and told.event.source == "github/org/a"
    assert prefix_of("slug", told.build) == prefix_of("slug", f"arn:x:build/{told.build}") == "reports/slug/8745a7a9/"


@pytest.mark.parametrize(
    ("status", "phase", "why", "result", "says"),
    [
        ("FAILED", "DOWNLOAD_SOURCE", ": repository not found", Result.UNREADABLE, "could not be read: repository not"),
        ("STOPPED", "", "", Result.STOPPED, "was stopped"),
        ("TIMED_OUT", "BUILD", "", Result.TIMED_OUT, "out of time"),
        ("FAULT", "PROVISIONING", "no host", Result.LOST, "PROVISIONING: no host"),
        ("FAILED", "POST_BUILD", "exit status 1", Result.LOST, "POST_BUILD: exit status 1"),
    ],
)
def test_an_end_without_a_result_is_told_by_what_codebuild_says(
    status: str, phase: str, why: str, result: Result, says: str
) -> None:
    built = read(event(status, phase, why)).event
    assert built
    assert (built.verdict.result, built.verdict.passed) == (result, False) and says in built.verdict.says


def test_the_api_and_the_event_say_the_same_of_a_build() -> None:
    found = of_api(
        {
            "id": "project:8745a7a9",
            "buildStatus": "FAILED",
            "environment": {"environmentVariables": [{"name": n, "value": v} for n, v in VARIABLES.items()]},
            "phases": [
                {"phaseType": "SUBMITTED", "phaseStatus": "SUCCEEDED"},
                {"phaseType": "DOWNLOAD_SOURCE", "phaseStatus": "FAILED", "contexts": [{"message": "no access"}]},
            ],
            "logs": {"deepLink": "https://console.aws.amazon.com/log"},
        }
    )
    assert found == read(event("FAILED", "DOWNLOAD_SOURCE", ": no access")).event


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"detail": {}}', '{"build": 7}', "null"])
def test_what_is_no_message_about_a_build_is_refused(body: str) -> None:
    with pytest.raises(UnknownMessageError):
        read(body)


# The link


@pytest.mark.parametrize(
    ("wanted", "left", "minutes"), [(60, 20, 19), (60, 61, 60), (15, 60, 15), (60, 0, 0), (60, -5, 0)]
)
def test_a_link_is_promised_for_no_longer_than_its_credentials_live(wanted: int, left: int, minutes: int) -> None:
    assert seconds_to_live(wanted, NOW + timedelta(minutes=left), NOW) // 60 == minutes


class Sts:
    """Credentials that live for so many minutes."""

    def __init__(self, minutes: int) -> None:
        self._minutes = minutes

    def assume_role(self, **asked: Any) -> Any:
        assert asked["DurationSeconds"] == 3600, "more is refused where a role takes a role"
        keys = {"AccessKeyId": "ASIA", "SecretAccessKey": "secret", "SessionToken": "token"}
        return {"Credentials": {**keys, "Expiration": NOW + timedelta(minutes=self._minutes, seconds=30)}}


def test_the_signature_says_the_same_time_as_the_message() -> None:
    link = signed(Sts(20), "role", "bucket", "reports/a/1/report.html", 60, region="us-east-1", now=lambda: NOW)
    assert link and link.minutes == 20 and link.until == NOW + timedelta(minutes=20)
    parts = urlsplit(link.url)
    query = parse_qs(parts.query)
    assert query["X-Amz-Expires"] == ["1200"] and query["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    said = text(scan(Result.OK), link)
    assert "Works for 20 minutes, until 2026-01-01 12:20 UTC" in said and "ExpiredToken" in said


@pytest.mark.parametrize(
    ("region", "domain"),
    [("us-east-1", "amazonaws.com"), ("eu-central-1", "amazonaws.com"), ("cn-north-1", "amazonaws.com.cn")],
)
def test_a_link_is_of_the_regions_own_endpoint(region: str, domain: str) -> None:
    link = signed(Sts(60), "role", "bucket", "report.html", 60, region=region, now=lambda: NOW)
    assert link and urlsplit(link.url).hostname == f"bucket.s3.{region}.{domain}"


def test_credentials_that_are_about_to_end_sign_nothing() -> None:
    assert signed(Sts(0), "role", "bucket", "key", 60, region="eu-west-1", now=lambda: NOW) is None


# What is said and measured


def scan(result: Result, **more: Any) -> Scan:
    verdict = Verdict(
        result, passed=result is Result.OK, says="words", issues=12, kinds={"Intrinsic": 10, "Capped": 2}, **more
    )
    return Scan("project:1", "github/org/ä", verdict, {"version": "abc", "tool": "d5d5"}, "s3://bucket/key")


def test_a_subject_is_short_and_ascii() -> None:
    assert subject(scan(Result.ABOVE_MAX)) == "[FAIL] above-max: github/org/?"
    long = Scan("b", "s3/" + "x" * 300, failed(Result.LOST, ""), {})
    assert len(subject(long)) < 100


def test_every_message_says_that_no_issue_is_no_guarantee() -> None:
    for one in (scan(Result.OK), Scan("b", "s", failed(Result.CRASHED, "why"), {})):
        assert "No issues are no guarantee" in text(one, None)
    said = text(scan(Result.OK, remarks=["go 1.15"], remark_count=1), Link("https://link", NOW, 60))
    assert "Remarks, which are not issues:\n  go 1.15" in said and "Issues by kind: Intrinsic 10, Capped 2" in said


def test_the_trend_has_totals_always_and_kinds_by_setting() -> None:
    names = [item["MetricName"] for item in metrics(scan(Result.OK), kinds=False)]
    assert names == ["FailedScans", "Issues", "AcceptedIssues", "Remarks", "Files"]
    by_kind = [item for item in metrics(scan(Result.OK), kinds=True) if item["MetricName"] == "IssuesOfKind"]
    assert [(item["Dimensions"][1]["Value"], item["Value"]) for item in by_kind] == [
        ("Intrinsic", 10.0),
        ("Capped", 2.0),
    ]


def test_a_scan_without_a_report_draws_no_line_to_zero() -> None:
    (only,) = metrics(Scan("b", "s", failed(Result.CRASHED, "why"), {}), kinds=True)
    assert (only["MetricName"], only["Value"]) == ("FailedScans", 1.0)


def test_the_end_of_a_build_that_is_told_by_three_is_notified_once(
    fresh_aws: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = ReportWorld()
    for name, value in world.env.items():
        monkeypatch.setenv(name, value)
    own, watch = ({"build": BUILD}, {"build": BUILD, "watch": True})
    bodies = [json.dumps(own), json.dumps(watch), event("FAILED").replace("project:8745a7a9", BUILD)]
    for number, body in enumerate(bodies):
        answer = deliver("report")({"Records": [{"messageId": f"m-{number}", "body": body}]})
        assert answer == {"batchItemFailures": []}
    assert world.sent() == ["[FAIL] above-max: github/org/a"]
    assert asked_of_start() == [("start", "Event", {"go_on": True, "watch": False})] * 3, "it knows what is left to do"


def test_a_build_that_has_told_itself_is_looked_after_until_its_end(
    fresh_aws: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = ReportWorld()
    for name, value in world.env.items():
        monkeypatch.setenv(name, value)
    _state()[BUILD] = "IN_PROGRESS"
    watch = {"build": BUILD, "watch": True}
    for number, message in enumerate(({"build": BUILD}, watch)):
        deliver("report")({"Records": [{"messageId": f"m-{number}", "body": json.dumps(message)}]})
    assert world.sent() == ["[FAIL] above-max: github/org/a"] and asked_of_start() == []
    assert messages("ended") == [watch]


def test_a_message_that_says_go_on_is_handed_to_start(fresh_aws: None, monkeypatch: pytest.MonkeyPatch) -> None:
    world = ReportWorld()
    for name, value in world.env.items():
        monkeypatch.setenv(name, value)
    deliver("report")({"Records": [{"messageId": "m", "body": json.dumps({"go_on": True, "watch": True})}]})
    assert asked_of_start() == [("start", "Event", {"go_on": True, "watch": True})] and world.sent() == []
