"""The testing function: which load it sends, what it refuses, and what becomes of entries that SQS does not take."""

import json
import math
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws

from shared import aws
from sqs_target_scaling.testing.handler import PAUSES, NotSentError, lambda_handler, send
from sqs_target_scaling.testing.messages import Load, batches, requested

DEFAULTS = {"messages": 50, "duration_seconds": 25.0, "run": "request-1"}


class Sqs:
    """Takes batches, except the entries whose number is given: as often as given, each the sender's fault or not."""

    def __init__(self, failing: dict[int, int] | None = None, *, sender_fault: bool = False) -> None:
        self.failing = dict(failing or {})
        self.sender_fault = sender_fault
        self.batches: list[list[dict[str, str]]] = []
        self.taken: list[dict[str, Any]] = []

    def send_message_batch(self, QueueUrl: str, Entries: list[dict[str, str]]) -> dict[str, Any]:  # noqa: N803
        self.batches.append(Entries)
        failed = []
        for entry in Entries:
            number = int(entry["Id"])
            if self.failing.get(number, 0):
                self.failing[number] -= 1
                failed.append({"Id": entry["Id"], "SenderFault": self.sender_fault, "Code": "InternalError"})
            else:
                self.taken.append(json.loads(entry["MessageBody"]))
        return {"Failed": failed} if failed else {"Successful": []}


def sent(sqs: Sqs, messages: int = 25) -> tuple[dict[str, Any], list[float]]:
    pauses: list[float] = []
    result = send(sqs, Load(messages, 0.5, "run"), queue_url="https://sqs/work", pause=pauses.append)
    return result, pauses


def test_a_load_goes_out_in_batches_of_ten() -> None:
    sqs = Sqs()
    assert sent(sqs) == ({"sent": 25, "run": "run"}, [])
    assert [len(batch) for batch in sqs.batches] == [10, 10, 5]
    assert sqs.taken[24] == {"id": "run-24", "duration_seconds": 0.5}


@given(st.integers(min_value=1, max_value=200))
def test_the_batches_hold_every_message_exactly_once(messages: int) -> None:
    parts = list(batches(Load(messages, 1, "run")))
    ids = [json.loads(entry["MessageBody"])["id"] for part in parts for entry in part]
    assert ids == [f"run-{number}" for number in range(messages)]
    assert all(1 <= len(part) <= 10 and len({entry["Id"] for entry in part}) == len(part) for part in parts)


def test_only_the_entries_that_failed_are_sent_again() -> None:
    sqs = Sqs({3: 1, 7: 2})
    result, pauses = sent(sqs)
    assert result["sent"] == 25
    assert [[entry["Id"] for entry in batch] for batch in sqs.batches[1:3]] == [["3", "7"], ["7"]]
    assert sorted(body["id"] for body in sqs.taken) == sorted(f"run-{number}" for number in range(25))
    assert pauses == list(PAUSES[:2])


def test_what_fails_every_time_is_counted_in_an_error_and_stops_no_other_batch() -> None:
    sqs = Sqs({3: 99, 4: 99})
    with pytest.raises(NotSentError, match="2 of 25 messages of run 'run' were not sent"):
        sent(sqs)
    assert len(sqs.taken) == 23
    assert len(sqs.batches) == 3 + len(PAUSES)


def test_an_entry_that_is_the_sender_s_fault_is_not_sent_again() -> None:
    sqs = Sqs({3: 99}, sender_fault=True)
    with pytest.raises(NotSentError, match="1 of 25"):
        sent(sqs)
    assert len(sqs.batches) == 3


@given(st.dictionaries(st.integers(0, 24), st.integers(1, 6)))
def test_whatever_fails_and_how_often_no_message_is_taken_twice_and_the_count_is_right(failing: dict[int, int]) -> None:
    sqs = Sqs(failing)
    lost = sum(times > len(PAUSES) for times in failing.values())
    if lost:
        with pytest.raises(NotSentError, match=f"^{lost} of 25"):
            sent(sqs)
    else:
        sent(sqs)
    ids = [body["id"] for body in sqs.taken]
    assert len(ids) == len(set(ids)) == 25 - lost


@pytest.mark.parametrize(
    ("event", "load"),
    [
        ({}, Load(50, 25.0, "request-1")),
        ({"messages": 1}, Load(1, 25.0, "request-1")),
        ({"duration_seconds": 0}, Load(50, 0, "request-1")),
        ({"messages": 10_000, "duration_seconds": 43_200, "run": "again.1"}, Load(10_000, 43_200, "again.1")),
    ],
)
def test_what_the_event_does_not_say_comes_from_the_environment(event: dict[str, Any], load: Load) -> None:
    assert requested(event, DEFAULTS) == load


@pytest.mark.parametrize("value", [0, -1, 10_001, 5.0, "5", None, True, [5]])
def test_a_wrong_number_of_messages_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="messages must be a whole number from 1 to 10000, got"):
        requested({"messages": value}, DEFAULTS)


@pytest.mark.parametrize("value", [-0.1, 43_200.1, math.inf, -math.inf, math.nan, "5", None, False])
def test_a_wrong_duration_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="duration_seconds must be a number from 0 to 43200, got"):
        requested({"duration_seconds": value}, DEFAULTS)


@pytest.mark.parametrize("value", ["", "a b", "x" * 101, 5, None, "run\n"])
def test_a_wrong_run_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="run must be"):
        requested({"run": value}, DEFAULTS)


def test_an_unknown_key_is_refused_with_what_is_allowed() -> None:
    with pytest.raises(ValueError, match=r"unknown key 'count' with value 5; allowed are 'messages', 'duration_sec"):
        requested({"count": 5}, DEFAULTS)


@pytest.mark.parametrize("event", [None, [], "50", 50])
def test_an_event_that_is_no_object_is_refused(event: Any) -> None:
    with pytest.raises(ValueError, match="the event must be an object"):
        requested(event, DEFAULTS)


@pytest.fixture(scope="module")
def queue() -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as monkeypatch, mock_aws():
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        aws.client.cache_clear()
        yield boto3.resource("sqs").create_queue(QueueName="work")
        aws.client.cache_clear()


def test_the_entry_point_sends_what_its_environment_says_under_its_request_id(
    queue: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"QUEUE_URL": queue.url, "MESSAGE_COUNT": "3", "DURATION_SECONDS": "0.25"}.items():
        monkeypatch.setenv(name, value)
    assert lambda_handler({}, SimpleNamespace(aws_request_id="r1")) == {"sent": 3, "run": "r1"}
    bodies = [json.loads(message.body) for message in queue.receive_messages(MaxNumberOfMessages=10)]
    assert bodies == [{"id": f"r1-{number}", "duration_seconds": 0.25} for number in range(3)]


def test_a_client_is_made_once_and_gives_up_before_its_function_does(queue: Any) -> None:
    client = aws.client("sqs")
    assert client is aws.client("sqs")
    config = client.meta.config
    assert config.retries == {"mode": "standard", "total_max_attempts": 5}
    assert (config.connect_timeout, config.read_timeout) == (3, 10)
