"""The guard: what it lets through, what it stops, and that CloudFormation always hears of it."""

import io
import json
import urllib.error
from collections.abc import Iterator
from email.message import Message
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from shared import custom_resource
from shared.guard import handler
from shared.guard.changes import changed, is_accepted, refusal

URL = "https://cloudformation-custom-resource-response.example/answer"
OLD = {"SubnetId": "subnet-1", "SecurityGroupIds": ["sg-1"], "PreserveClientIp": "false"}
NEW = {**OLD, "PreserveClientIp": "true"}


def request(kind: str, guarded: Any = None, old: Any = None, accepted: str = "false") -> dict[str, Any]:
    words = {"Subject": "the endpoint", "Way": "Do it in two deployments.", "Accepted": accepted}
    event = {
        "RequestType": kind,
        "ResponseURL": URL,
        "StackId": "arn:aws:cloudformation:eu-west-1:123456789012:stack/tried/1",
        "RequestId": "r-1",
        "LogicalResourceId": "EndpointGuard",
        "ResourceType": "Custom::Guard",
        "ResourceProperties": {**words, "Guarded": OLD if guarded is None else guarded},
    }
    if kind != "Create":
        event["PhysicalResourceId"] = "guard-EndpointGuard"
    if kind == "Update":
        event["OldResourceProperties"] = {**words, "Guarded": OLD if old is None else old}
    return event


class CloudFormation:
    """Knows the status of the stack, and takes answers; it may be unwilling to do either."""

    def __init__(self) -> None:
        self.status = "UPDATE_IN_PROGRESS"
        self.refuses_to_tell = False
        self.failing_uploads = 0
        self.answers: list[dict[str, Any]] = []
        self.asked = 0

    def describe_stacks(self, **_: str) -> Any:
        self.asked += 1
        if self.refuses_to_tell:
            raise ClientError({"Error": {"Code": "Throttling", "Message": "slow down"}}, "DescribeStacks")
        return {"Stacks": [{"StackStatus": self.status}]}

    def upload(self, url: str, body: bytes) -> None:
        if self.failing_uploads:
            self.failing_uploads -= 1
            raise urllib.error.HTTPError(url, 503, "slow down", Message(), io.BytesIO())
        assert url == URL and len(body) <= 4096
        self.answers.append(json.loads(body))

    @property
    def answer(self) -> dict[str, Any]:
        (only,) = self.answers
        return only


@pytest.fixture
def cloudformation(monkeypatch: pytest.MonkeyPatch) -> Iterator[CloudFormation]:
    fake = CloudFormation()
    monkeypatch.setattr(handler, "client", lambda service: fake)
    monkeypatch.setattr(custom_resource, "upload", fake.upload)
    monkeypatch.setattr("shared.custom_resource.time.sleep", lambda seconds: None)
    yield fake


def ask(event: Any) -> None:
    handler.lambda_handler(event, None)


# What it decides


@pytest.mark.parametrize(
    "event",
    [
        request("Create"),
        request("Update"),
        request("Update", NEW, accepted="true"),
        request("Delete"),
        request("Delete", NEW),
    ],
    ids=["create", "update without a change", "accepted update", "delete", "delete of other values"],
)
def test_these_pass_and_cloudformation_is_not_asked(event: Any, cloudformation: CloudFormation) -> None:
    ask(event)
    assert cloudformation.answer == {
        "Status": "SUCCESS",
        "PhysicalResourceId": "guard-EndpointGuard",
        "StackId": event["StackId"],
        "RequestId": "r-1",
        "LogicalResourceId": "EndpointGuard",
    }
    assert cloudformation.asked == 0


def test_a_change_is_stopped_with_what_changes_and_the_way_that_works(cloudformation: CloudFormation) -> None:
    ask(request("Update", NEW))
    assert cloudformation.answer["Status"] == "FAILED"
    assert cloudformation.answer["PhysicalResourceId"] == "guard-EndpointGuard"
    assert cloudformation.answer["Reason"] == (
        "stopped before anything happened to the endpoint. PreserveClientIp: false -> true. Do it in two deployments."
    )


@pytest.mark.parametrize("status", ["UPDATE_ROLLBACK_IN_PROGRESS", "ROLLBACK_IN_PROGRESS"])
def test_a_rollback_is_never_stopped(status: str, cloudformation: CloudFormation) -> None:
    cloudformation.status = status
    ask(request("Update", OLD, old=NEW))
    assert cloudformation.answer["Status"] == "SUCCESS"


@pytest.mark.parametrize("status", ["UPDATE_ROLLBACK_COMPLETE", "UPDATE_COMPLETE", "UPDATE_IN_PROGRESS"])
def test_a_stack_that_has_been_rolled_back_before_is_guarded_again(status: str, cloudformation: CloudFormation) -> None:
    cloudformation.status = status
    ask(request("Update", NEW))
    assert cloudformation.answer["Status"] == "FAILED"


def test_a_request_that_comes_twice_gets_the_same_answer(cloudformation: CloudFormation) -> None:
    for _ in range(2):
        ask(request("Update", NEW))
    first, second = cloudformation.answers
    assert first == second and first["Status"] == "FAILED"


def test_in_doubt_it_stops(cloudformation: CloudFormation) -> None:
    cloudformation.refuses_to_tell = True
    ask(request("Update", NEW))
    assert cloudformation.answer["Status"] == "FAILED"
    assert "Throttling" in cloudformation.answer["Reason"]


@pytest.mark.parametrize("missing", ["OldResourceProperties", "Guarded", "Accepted"])
def test_a_request_that_lacks_something_is_answered_too(missing: str, cloudformation: CloudFormation) -> None:
    event = request("Update", NEW)
    event.pop(missing, None)
    event["ResourceProperties"].pop(missing, None)
    ask(event)
    assert cloudformation.answer["Status"] == "FAILED"


def test_a_property_that_was_not_guarded_before_is_no_change() -> None:
    assert changed({"A": "1"}, {"A": "1", "B": "2"}) == {}
    assert changed({"A": "1", "B": "2"}, {"A": "1"}) == {}


@pytest.mark.parametrize(("value", "accepted"), [("true", True), (True, True), ("false", False), ("", False)])
def test_text_that_says_false_accepts_nothing(value: Any, accepted: bool) -> None:
    assert is_accepted(value) is accepted


def test_a_list_is_shown_as_people_write_it() -> None:
    assert "SecurityGroupIds: sg-1,sg-2 -> sg-3" in refusal(
        "it", {"SecurityGroupIds": (["sg-1", "sg-2"], ["sg-3"])}, ""
    )


names = st.sampled_from(["A", "B", "C"])
values = st.dictionaries(names, st.text(max_size=3), max_size=3)


@given(values, values)
def test_changes_are_those_of_common_names_and_symmetrical(old: dict[str, str], new: dict[str, str]) -> None:
    found = changed(old, new)
    assert found.keys() == {name for name in old.keys() & new.keys() if old[name] != new[name]}
    assert {name: (b, a) for name, (a, b) in found.items()} == changed(new, old)


# That CloudFormation hears of it


def test_an_upload_that_fails_is_tried_again(cloudformation: CloudFormation) -> None:
    cloudformation.failing_uploads = len(custom_resource.PAUSES)
    ask(request("Create"))
    assert cloudformation.answer["Status"] == "SUCCESS"


def test_an_upload_that_never_succeeds_fails_the_function_so_that_lambda_repeats_it(
    cloudformation: CloudFormation,
) -> None:
    cloudformation.failing_uploads = 99
    with pytest.raises(OSError, match="slow down"):
        ask(request("Create"))


def test_a_bug_fails_the_resource_and_the_function(
    cloudformation: CloudFormation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handler, "changed", lambda *_: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        ask(request("Update", NEW))
    assert cloudformation.answer["Status"] == "FAILED"


def test_a_long_reason_is_cut(cloudformation: CloudFormation) -> None:
    event = request("Update", NEW)
    event["ResourceProperties"]["Way"] = "ä" * 10_000
    ask(event)
    assert len(cloudformation.answer["Reason"]) == custom_resource.LONGEST_REASON


@pytest.mark.parametrize("event", [None, [], {}, {"RequestType": "Create"}])
def test_what_is_no_request_fails_visibly(event: Any, cloudformation: CloudFormation) -> None:
    with pytest.raises(ValueError, match="not a request of CloudFormation"):
        ask(event)
    assert cloudformation.answers == []


def test_the_answer_is_put_without_a_content_type(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Any] = []

    def urlopen(wanted: Any, timeout: float) -> Any:
        sent.append(wanted)
        return io.BytesIO()

    monkeypatch.setattr("urllib.request.urlopen", urlopen)
    custom_resource.upload(URL, b"{}")
    (wanted,) = sent
    assert (wanted.get_method(), wanted.data, wanted.headers) == ("PUT", b"{}", {"Content-type": ""})
