"""Refresh: one look for a batch, one at a time, and nothing but our own dashboards written or deleted."""

import json
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from hypothesis import given, settings
from hypothesis import strategies as st
from moto import mock_aws

from outposts_dashboard.ledger import BusyError, Ledger, Lock, NoSettingsError
from outposts_dashboard.refresh import handler
from outposts_dashboard.refresh.events import SETTLED_SECONDS, UnknownEventError, newest, seen_already
from shared import aws
from tests.solutions.outposts_dashboard.test_discovery import wanted

NAME = "board"
NOW = 1_800_000_000.0


class Nothing:
    """The client of any service: its lists are empty."""

    def get_paginator(self, _: str) -> Any:
        keys = ("Outposts", "Reservations", "InstanceTypes", "ResourceTagMappingList", "AutoScalingGroups")
        page: dict[str, list[Any]] = {key: [] for key in (*keys, "DBInstances", "TargetGroups", "LoadBalancers")}
        return SimpleNamespace(paginate=lambda **_: [page])


class Instances(Nothing):
    """An account with so many tagged instances."""

    def __init__(self, count: int) -> None:
        tags = [{"Key": "OutpostID", "Value": "op-1"}]
        self.found = [
            {"InstanceId": f"i-{number:04}", "InstanceType": "m5.large", "State": {"Name": "running"}, "Tags": tags}
            for number in range(count)
        ]

    def get_paginator(self, operation: str) -> Any:
        if operation != "describe_instances":
            return super().get_paginator(operation)
        return SimpleNamespace(paginate=lambda **_: [{"Reservations": [{"Instances": self.found}]}])


class Denied(Nothing):
    """A service that refuses everything."""

    def get_paginator(self, operation: str) -> Any:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "not for you"}}, operation)


@pytest.fixture
def ledger(kept_clients: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ledger]:
    with mock_aws():
        aws.client("dynamodb").create_table(
            TableName="ledger",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        for name, value in (
            ("TABLE_NAME", "ledger"),
            ("ACCOUNT_ID", "123456789012"),
            ("AWS_REGION", "us-east-1"),
            ("METRIC_NAMESPACE", "Tried"),
            ("LONGEST_SECONDS", "310"),
            ("QUEUE_URL", "https://queue"),
        ):
            monkeypatch.setenv(name, value)
        found = Ledger(aws.client("dynamodb"), "ledger")
        found.want(wanted().text())
        yield found


def clients(**services: Any) -> Any:
    """CloudWatch is moto's, the others have nothing unless said otherwise."""
    return lambda service: services.get(service) or (aws.client(service) if service == "cloudwatch" else Nothing())


def refresh(ledger: Ledger, **services: Any) -> dict[str, Any]:
    return handler.refresh(clients(**services), ledger, wanted(), region="us-east-1", account="123456789012")


def boards() -> dict[str, str]:
    cloudwatch = aws.client("cloudwatch")
    names = [one["DashboardName"] for one in cloudwatch.list_dashboards()["DashboardEntries"]]
    return {name: cloudwatch.get_dashboard(DashboardName=name)["DashboardBody"] for name in names}


def event(sent: float = NOW, count: int = 1) -> dict[str, Any]:
    attributes = {"SentTimestamp": str(int(sent * 1000))}
    record = {"eventSource": "aws:sqs", "attributes": attributes, "body": "whatever"}
    return {"Records": [{**record, "receiptHandle": f"r-{number}"} for number in range(count)]}


class Refusing:
    """CloudWatch, which refuses the bodies of some dashboards and has something to say to the others."""

    def __init__(self, *refused: str) -> None:
        self.refused = refused

    def __getattr__(self, name: str) -> Any:
        return getattr(aws.client("cloudwatch"), name)

    def put_dashboard(self, DashboardName: str, DashboardBody: str) -> Any:  # noqa: N803
        if DashboardName in self.refused:
            error = {"Code": "InvalidParameterInput", "Message": "The field Type must be present"}
            raise ClientError({"Error": error}, "PutDashboard")
        aws.client("cloudwatch").put_dashboard(DashboardName=DashboardName, DashboardBody=DashboardBody)
        return {"DashboardValidationMessages": [{"DataPath": "/widgets/0", "Message": "nothing to show"}]}


class Queue:
    """A queue that remembers what it is sent, and when its messages are shown again."""

    def __init__(self, fault: Exception | None = None) -> None:
        self.fault = fault
        self.seen_again: dict[str, int] = {}
        self.sent: list[str] = []

    def send_message(self, QueueUrl: str, MessageBody: str) -> None:  # noqa: N803
        if self.fault:
            raise self.fault
        self.sent.append(MessageBody)

    def change_message_visibility_batch(self, QueueUrl: str, Entries: list[dict[str, Any]]) -> None:  # noqa: N803
        assert len(Entries) <= 10 == handler.MOST_HURRIED
        if self.fault:
            raise self.fault
        self.seen_again |= {entry["ReceiptHandle"]: entry["VisibilityTimeout"] for entry in Entries}


def deliver(monkeypatch: pytest.MonkeyPatch, what: Any, request: str = "r-1", **services: Any) -> Any:
    def made(service: str) -> Any:
        return aws.client(service) if service == "dynamodb" else clients(**{"sqs": Queue(), **services})(service)

    monkeypatch.setattr(handler, "client", made)
    return handler.lambda_handler(what, SimpleNamespace(aws_request_id=request))


# Dashboards


def test_the_dashboard_is_written_and_noted_as_ours(ledger: Ledger) -> None:
    result = refresh(ledger)
    assert list(boards()) == [NAME] == sorted(ledger.ours())
    assert (result["dashboards"], result["failed"]) == (1, [])


def test_pages_that_are_not_wanted_any_more_are_deleted(ledger: Ledger) -> None:
    assert refresh(ledger, ec2=Instances(200))["dashboards"] == 2
    result = refresh(ledger, ec2=Instances(1))
    assert result["deleted"] == ["board-page-2"]
    assert list(boards()) == [NAME] == sorted(ledger.ours())


def test_a_dashboard_of_an_earlier_name_goes_with_the_name(ledger: Ledger) -> None:
    refresh(ledger)
    renamed = wanted(dashboard_name="new")
    handler.refresh(clients(), ledger, renamed, region="us-east-1", account="123456789012")
    assert list(boards()) == ["new"]


def test_what_was_not_written_by_this_stack_is_never_deleted(ledger: Ledger) -> None:
    for name in ("board-page-2", "board-of-mine", "other"):
        aws.client("cloudwatch").put_dashboard(DashboardName=name, DashboardBody='{"widgets": []}')
    refresh(ledger)
    assert set(boards()) == {NAME, "board-page-2", "board-of-mine", "other"}


def test_a_dashboard_of_somebody_else_is_not_overwritten_and_that_is_told(ledger: Ledger) -> None:
    aws.client("cloudwatch").put_dashboard(DashboardName="board-page-2", DashboardBody='{"widgets": []}')
    with pytest.raises(handler.NotOursError, match="board-page-2"):
        refresh(ledger, ec2=Instances(200))
    assert boards()["board-page-2"] == '{"widgets": []}', "overwritten"
    assert "i-0000" in boards()[NAME], "the others were not written"


def test_a_dashboard_that_somebody_has_deleted_stops_nothing(ledger: Ledger) -> None:
    refresh(ledger, ec2=Instances(400))
    aws.client("cloudwatch").delete_dashboards(DashboardNames=["board-page-2"])
    assert refresh(ledger, ec2=Instances(1))["deleted"] == ["board-page-2", "board-page-3", "board-page-4"]
    assert list(boards()) == [NAME] == sorted(ledger.ours())


def test_a_section_that_fails_is_on_the_dashboard_and_in_a_metric(ledger: Ledger) -> None:
    result = refresh(ledger, rds=Denied(), ec2=Instances(1))
    assert result["failed"] == ["rds"]
    assert "Could not be read" in boards()[NAME] and "i-0000" in boards()[NAME]
    metrics = aws.client("cloudwatch").list_metrics(Namespace="Tried")["Metrics"]
    assert {metric["MetricName"] for metric in metrics} == {
        "FailedSections",
        "Dashboards",
        "Resources",
        "ValidationMessages",
    }


def test_a_body_that_is_refused_leaves_the_other_dashboards(ledger: Ledger) -> None:
    refresh(ledger, ec2=Instances(400))
    before = boards()[NAME]
    with pytest.raises(handler.NotWrittenError, match=rf"{NAME}: .*field Type"):
        refresh(ledger, ec2=Instances(200), cloudwatch=Refusing(NAME))
    assert boards()[NAME] == before and "i-0199" in boards()["board-page-2"]
    assert "board-page-4" not in boards(), "what is not wanted any more goes all the same"
    metrics = aws.client("cloudwatch").list_metrics(Namespace="Tried")["Metrics"]
    assert "ValidationMessages" in {metric["MetricName"] for metric in metrics}


def test_what_cloudwatch_says_to_a_body_is_logged_and_counted(
    ledger: Ledger, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: dict[str, float] = {}
    monkeypatch.setattr(handler, "_count", lambda _cloudwatch, _wanted, values: counted.update(values))
    refresh(ledger, ec2=Instances(200), cloudwatch=Refusing())
    assert counted["ValidationMessages"] == 2
    assert [vars(record)["dashboard"] for record in caplog.records if "with warnings" in record.message] == [
        NAME,
        "board-page-2",
    ]
    refresh(ledger)
    assert counted["ValidationMessages"] == 0


def test_a_failed_refresh_is_tried_again_within_a_minute(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    queue = Queue()
    with pytest.raises(handler.NotWrittenError):
        deliver(monkeypatch, event(count=25), sqs=queue, cloudwatch=Refusing(NAME))
    assert queue.seen_again == {f"r-{number}": 30 for number in range(10)}
    assert deliver(monkeypatch, event(), sqs=queue)["refreshed"], "the lock is free"


def test_a_lock_that_cannot_be_had_is_tried_again_soon_too(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_: Any, **__: Any) -> Lock:
        raise BusyError("too fast")

    queue = Queue()
    monkeypatch.setattr(Ledger, "take", busy)
    with pytest.raises(BusyError):
        deliver(monkeypatch, event(), sqs=queue)
    assert queue.seen_again == {"r-0": 30}


def test_a_queue_that_cannot_be_told_does_not_hide_the_failure(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    denied = ClientError({"Error": {"Code": "AccessDenied", "Message": ""}}, "ChangeMessageVisibilityBatch")
    with pytest.raises(handler.NotWrittenError):
        deliver(monkeypatch, event(), sqs=Queue(denied), cloudwatch=Refusing(NAME))


def test_while_a_section_fails_no_dashboard_is_deleted(ledger: Ledger) -> None:
    refresh(ledger, ec2=Instances(200))
    assert refresh(ledger, ec2=Denied())["deleted"] == []
    assert set(boards()) == {NAME, "board-page-2"} == ledger.ours()
    assert refresh(ledger)["deleted"] == ["board-page-2"]


def test_the_second_refresh_asks_nothing_about_names(ledger: Ledger) -> None:
    refresh(ledger)
    cloudwatch = aws.client("cloudwatch")
    calls: list[str] = []
    cloudwatch.meta.events.register("before-call.cloudwatch.*", lambda model, **_: calls.append(model.name))
    refresh(ledger)
    assert calls == ["PutDashboard", "PutMetricData"]


# Once for many


def test_a_batch_is_one_refresh(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    assert deliver(monkeypatch, event(count=1_000))["refreshed"] is True


def test_messages_that_a_later_refresh_has_seen_are_done(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: NOW)
    assert deliver(monkeypatch, event(NOW - 60))["refreshed"] is True
    assert deliver(monkeypatch, event(NOW - SETTLED_SECONDS))["refreshed"] is False
    assert deliver(monkeypatch, event(NOW - SETTLED_SECONDS + 1))["refreshed"] is True


def test_a_refresh_with_a_failed_section_has_not_seen_everything(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "time", lambda: NOW)
    deliver(monkeypatch, event(NOW - 60), rds=Denied())
    assert deliver(monkeypatch, event(NOW - 60))["refreshed"] is True


def test_a_refresh_that_finds_another_requests_one_and_ends(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    rounds: list[dict[str, Any]] = []
    real = handler.refresh

    def interrupted(*arguments: Any, **named: Any) -> dict[str, Any]:
        if not rounds:
            rounds.append(deliver(monkeypatch, event(), request="r-2"))
        result = real(*arguments, **named)
        rounds.append(result)
        return result

    monkeypatch.setattr(handler, "refresh", interrupted)
    assert deliver(monkeypatch, event())["refreshed"] is True
    assert rounds[0] == {"refreshed": False, "because": Lock.REQUESTED.value}
    assert len(rounds) == 3, "it has not looked again"
    assert ledger.held_until() == 0


@pytest.mark.parametrize(
    ("requested", "rounds", "sent"), [(5, 6, 0), (10_000, 14, 1)], ids=["a burst", "without an end"]
)
@pytest.mark.parametrize("refused", [False, True], ids=["", "no message can be sent"])
def test_requests_are_served_as_long_as_the_function_may_run_and_the_last_by_another_message(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, requested: int, rounds: int, sent: int, refused: bool
) -> None:
    """The messages of the requests are gone: nobody else would show what they were about before the schedule does."""
    clock = [NOW]
    made: list[str] = []

    def slow(*_: Any, **__: Any) -> dict[str, Any]:
        made.append("round")
        if len(made) <= requested:
            assert ledger.take("r-2", now=clock[0], until=clock[0] + 310) is Lock.REQUESTED
        clock[0] += 20
        return {"failed": []}

    monkeypatch.setattr(time, "time", lambda: clock[0])
    monkeypatch.setattr(handler, "refresh", slow)
    queue = Queue(ClientError({"Error": {"Code": "AccessDenied"}}, "SendMessage") if refused else None)
    if refused and sent:  # then the batch itself comes again, which no refresh has seen
        with pytest.raises(ClientError):
            deliver(monkeypatch, event(), sqs=queue)
        assert ledger.began() == 0
    else:
        assert deliver(monkeypatch, event(), sqs=queue)["refreshed"] is True
        assert queue.sent == ["requested"] * sent
    assert len(made) == rounds and clock[0] < NOW + 310
    assert ledger.held_until() == 0, "the lock is not released"


def test_a_lock_that_cannot_be_released_is_waited_for(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """A retry within a minute would find the dead refresh at work, leave it a request, and end as if all were done."""

    def throttled(*_: Any) -> None:
        raise ClientError({"Error": {"Code": "ThrottlingException"}}, "UpdateItem")

    queue = Queue()
    monkeypatch.setattr(Ledger, "drop", throttled)
    with pytest.raises(handler.StillLockedError):
        deliver(monkeypatch, event(), sqs=queue, cloudwatch=Refusing(NAME))
    assert queue.seen_again == {"r-0": 311}, "one second after the lock counts as dead"
    assert ledger.held_until() > 0


def test_settings_that_cannot_be_read_leave_no_lock_and_are_tried_again_soon(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.want('{"of": "another version"}')
    queue = Queue()
    with pytest.raises(KeyError):
        deliver(monkeypatch, event(), sqs=queue)
    assert ledger.held_until() == 0 and queue.seen_again == {"r-0": 30}


def test_a_lock_whose_answer_was_lost_is_released(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kept, it would take the retry for a request of another refresh, and nothing would be shown."""
    real = Ledger.take

    def lost(self: Ledger, holder: str, *, now: float, until: float) -> Lock:
        real(self, holder, now=now, until=until)
        raise ReadTimeoutError(endpoint_url="https://dynamodb")

    monkeypatch.setattr(Ledger, "take", lost)
    with pytest.raises(ReadTimeoutError):
        deliver(monkeypatch, event())
    assert ledger.held_until() == 0
    monkeypatch.setattr(Ledger, "take", real)
    assert deliver(monkeypatch, event(), request="r-2")["refreshed"] is True


def test_settings_that_change_meanwhile_are_those_of_the_next_look(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = handler.refresh

    def deployed(*arguments: Any, **named: Any) -> dict[str, Any]:
        result = real(*arguments, **named)
        ledger.want(wanted(dashboard_name="new").text())
        return result

    monkeypatch.setattr(handler, "refresh", deployed)
    deliver(monkeypatch, event())
    deliver(monkeypatch, event())
    assert list(boards()) == ["new"]


def test_without_settings_nothing_is_written_and_the_pen_is_free(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws.client("dynamodb").delete_item(TableName="ledger", Key={"id": {"S": "settings"}})
    with pytest.raises(NoSettingsError, match="deploy the stack again"):
        deliver(monkeypatch, event())
    assert boards() == {} and ledger.held_until() == 0


def test_after_a_failure_the_pen_is_free_and_the_failure_is_seen(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws.client("cloudwatch").put_dashboard(DashboardName=NAME, DashboardBody='{"widgets": []}')
    with pytest.raises(handler.NotOursError):
        deliver(monkeypatch, event())
    assert ledger.held_until() == 0


def test_a_stack_that_is_being_deleted_writes_nothing(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger.close()
    assert deliver(monkeypatch, event()) == {"refreshed": False, "because": Lock.CLOSED.value}
    assert boards() == {}


@pytest.mark.parametrize(
    "what",
    [None, {}, {"Records": []}, {"Records": [{"eventSource": "aws:s3"}]}, {"Records": [{"eventSource": "aws:sqs"}]}],
)
def test_an_event_that_is_no_batch_fails_visibly(what: Any, ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnknownEventError):
        deliver(monkeypatch, what)
    assert boards() == {}


# The lock


def test_one_holds_the_lock(ledger: Ledger) -> None:
    assert ledger.take("a", now=NOW, until=NOW + 10) is Lock.TAKEN
    assert ledger.take("a", now=NOW, until=NOW + 10) is Lock.TAKEN, "the same one, whose answer was lost"
    assert ledger.take("b", now=NOW, until=NOW + 10) is Lock.REQUESTED
    assert ledger.release("a", began=NOW) is False
    assert ledger.release("a", began=NOW) is True
    assert ledger.release("a", began=NOW) is True, "the answer was lost"
    assert ledger.take("b", now=NOW, until=NOW + 10) is Lock.TAKEN
    assert ledger.began() == NOW


def test_a_holder_that_is_dead_loses_the_lock(ledger: Ledger) -> None:
    ledger.take("a", now=NOW, until=NOW + 10)
    assert ledger.take("b", now=NOW + 11, until=NOW + 21) is Lock.TAKEN
    ledger.drop("a")
    assert ledger.held_until() == NOW + 21, "the dead one has taken it away"


def test_closing_is_undone_by_opening(ledger: Ledger) -> None:
    ledger.close()
    assert ledger.take("a", now=NOW, until=NOW + 10) is Lock.CLOSED
    ledger.open()
    assert ledger.take("a", now=NOW, until=NOW + 10) is Lock.TAKEN


@settings(deadline=None, max_examples=40)
@given(st.lists(st.floats(1e9, 2e9), min_size=1), st.floats(1e9, 2e9))
def test_only_what_is_older_than_the_look_counts_as_seen(sent: list[float], began: float) -> None:
    batch = {"Records": [record for one in sent for record in event(one)["Records"]]}
    assert newest(batch) == pytest.approx(max(sent), abs=0.001)
    if seen_already(newest(batch), began):
        assert max(sent) < began


def test_the_same_account_gives_the_same_bodies(ledger: Ledger) -> None:
    refresh(ledger, ec2=Instances(200))
    first = boards()
    refresh(ledger, ec2=Instances(200))
    assert boards() == first and json.loads(first[NAME])["widgets"]
