"""The harness can fail: each of these handlers has one well-known fault, and is caught by it."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.parsers import create_parser
from moto.backends import get_backend

from shared.aws import client
from tests.faults.cases import ONE_AFTER_THE_OTHER, short
from tests.faults.running import Verdict, generated, record, run
from tests.faults.subject import Subject, registered
from tests.faults.world.meddling import AnswerLost, Refused, Stopped
from tests.faults.world.refusals import BROKEN, DENIED, THROTTLED, Refusal
from tests.faults.world.wire import Call, ProcessStoppedError, delivery, laboratory
from tests.faults.world.worlds import fresh_world

VALUES = {"a": "1", "b": "2"}


class MovingWorld:
    """Two parameters are to be moved from /in to /out; a third one is nobody's business."""

    def __init__(self) -> None:
        self.env: Mapping[str, str] = {}
        self.event: Any = {"path": "/in", "time": "2026-01-01T00:00:00Z"}
        for name, value in {"/keep/x": "9", **{f"/in/{name}": value for name, value in VALUES.items()}}.items():
            client("ssm").put_parameter(Name=name, Value=value, Type="String")

    def invariant(self) -> None:
        assert under("/in") == {}, f"not moved: {under('/in')}"
        assert under("/out") == VALUES, f"not arrived: {under('/out')}"

    def unharmed(self) -> None:
        assert under("/keep") == {"x": "9"}, "somebody else's parameter is gone"
        assert set(VALUES) <= set(under("/in")) | set(under("/out")), "lost"
        assert set(under("/out")) <= set(VALUES), f"doubled: {under('/out')}"


class QueueWorld:
    """Two messages are to be sent, in one batch, each once."""

    def __init__(self) -> None:
        self.env: Mapping[str, str] = {}
        self.event: Any = {"queue": client("sqs").create_queue(QueueName="out")["QueueUrl"]}

    def invariant(self) -> None:
        sent = {message.body for message in memory("sqs").queues["out"]._messages}
        assert sent == set(VALUES), f"only {sent} arrived"

    def unharmed(self) -> None:
        sent = [message.body for message in memory("sqs").queues["out"]._messages]
        assert len(sent) == len(set(sent)), f"doubled: {sent}"


def memory(service: str) -> Any:
    return get_backend(service)["123456789012"]["us-east-1"]


def under(path: str) -> dict[str, str]:
    parameters = memory("ssm")._parameters
    return {name.rsplit("/", 1)[1]: parameters[name][-1].value for name in parameters if name.startswith(f"{path}/")}


def pages(path: str) -> Iterator[dict[str, Any]]:
    for page in client("ssm").get_paginator("get_parameters_by_path").paginate(Path=path, Recursive=True):
        yield from page["Parameters"]


def save(parameter: dict[str, Any], name: str | None = None) -> None:
    name = name or parameter["Name"].rsplit("/", 1)[1]
    client("ssm").put_parameter(Name=f"/out/{name}", Value=parameter["Value"], Type="String", Overwrite=True)


def delete(parameter: dict[str, Any]) -> None:
    # Deleted already: an earlier attempt whose answer was lost.
    with suppress(client("ssm").exceptions.ParameterNotFound):
        client("ssm").delete_parameter(Name=parameter["Name"])


def sound(event: Any) -> None:
    for parameter in pages(event["path"]):
        save(parameter)
        delete(parameter)


def swallows_a_denial(event: Any) -> None:
    with suppress(ClientError):
        sound(event)


def deletes_before_it_has_saved(event: Any) -> None:
    for parameter in pages(event["path"]):
        delete(parameter)
        save(parameter)


def reads_the_first_page_only(event: Any) -> None:
    for parameter in client("ssm").get_parameters_by_path(Path=event["path"], Recursive=True)["Parameters"]:
        save(parameter)
        delete(parameter)


def stops_at_an_empty_page(event: Any) -> None:
    for page in client("ssm").get_paginator("get_parameters_by_path").paginate(Path=event["path"], Recursive=True):
        if not page["Parameters"]:
            break
        for parameter in page["Parameters"]:
            save(parameter)
            delete(parameter)


def saves_again_under_another_name(event: Any) -> None:
    for parameter in pages(event["path"]):
        name = parameter["Name"].rsplit("/", 1)[1]
        save(parameter, f"{name}-2" if name in under("/out") else name)
        delete(parameter)


def fails_when_its_answer_was_lost(event: Any) -> None:
    for parameter in pages(event["path"]):
        save(parameter)
        client("ssm").delete_parameter(Name=parameter["Name"])


def takes_every_event_for_its_own(event: Any) -> None:
    path = event.get("path", "/") if isinstance(event, dict) else "/"
    for parameter in pages(path or "/"):
        if not parameter["Name"].startswith("/out"):
            save(parameter)
            delete(parameter)


def tries_without_end(event: Any) -> None:
    while True:
        with suppress(ClientError):
            return sound(event)


def cleans_up_what_it_never_finished(event: Any) -> None:
    try:
        for parameter in pages(event["path"]):
            save(parameter)
    except ClientError:
        for name in VALUES:
            delete({"Name": f"/in/{name}"})
        raise
    for name in VALUES:
        delete({"Name": f"/in/{name}"})


def looks_at_no_entry(event: Any) -> None:
    """Has the other fault of its kind, too: nothing in its messages tells a second delivery from a first."""
    entries = [{"Id": name, "MessageBody": name} for name in VALUES]
    client("sqs").send_message_batch(QueueUrl=event["queue"], Entries=entries)


class WorkWorld:
    """One message waits for a worker that polls; its event only says how long a poll may take."""

    def __init__(self) -> None:
        self.url = client("sqs").create_queue(QueueName="in", Attributes={"ReceiveMessageWaitTimeSeconds": "20"})[
            "QueueUrl"
        ]
        client("sqs").send_message(QueueUrl=self.url, MessageBody="a")
        self.env: Mapping[str, str] = {"QUEUE_URL": self.url}
        self.event: Any = {"wait": 20}

    def invariant(self) -> None:
        assert under("/out") == {"a": "1"}, "not done"
        assert memory("sqs").queues["in"]._messages == [], "not deleted"

    def unharmed(self) -> None:
        assert under("/out") == {"a": "1"} or memory("sqs").queues["in"]._messages, "lost"

    def time_passes(self) -> None:
        """Makes messages visible again that were received and not deleted."""
        for message in memory("sqs").queues["in"]._messages:
            message.visible_at = 0


def works_once(event: Any) -> None:
    ask = {"QueueUrl": os.environ["QUEUE_URL"], "WaitTimeSeconds": event["wait"]}
    for message in client("sqs").receive_message(**ask).get("Messages", []):
        save({"Value": "1"}, message["Body"])
        client("sqs").delete_message(QueueUrl=os.environ["QUEUE_URL"], ReceiptHandle=message["ReceiptHandle"])


def works_once_and_deletes_first(event: Any) -> None:
    ask = {"QueueUrl": os.environ["QUEUE_URL"], "WaitTimeSeconds": event["wait"]}
    for message in client("sqs").receive_message(**ask).get("Messages", []):
        client("sqs").delete_message(QueueUrl=os.environ["QUEUE_URL"], ReceiptHandle=message["ReceiptHandle"])
        save({"Value": "1"}, message["Body"])


@pytest.fixture(scope="module", autouse=True)
def one_laboratory() -> Iterator[None]:
    with laboratory():
        yield


def bad_cases(subject: Subject, only: str = "") -> dict[str, str]:
    """Returns why each case, or only the one, of a handler ends badly, by where it happens and what."""
    found = {}
    for case in generated(subject):
        name = f"{case.where}: {case.what}"
        if only in ("", name) and (outcome := run(case)).verdict is Verdict.BAD:
            found[name] = outcome.detail
    return found


def moving(deliver: Callable[[Any], Any]) -> Subject:
    return Subject(deliver.__name__, deliver, MovingWorld)


CAUGHT = [
    (swallows_a_denial, "ssm.PutParameter: denied", "it returned as if all were done"),
    (deletes_before_it_has_saved, "ssm.DeleteParameter: stopped after it", "harmed: lost"),
    (saves_again_under_another_name, "ssm.PutParameter: stopped after it", "doubled"),
    (reads_the_first_page_only, "ssm.GetParametersByPath: answered in two pages", "returned as if"),
    (stops_at_an_empty_page, "ssm.GetParametersByPath: empty pages among them", "returned as if"),
    (fails_when_its_answer_was_lost, "ssm.DeleteParameter: its answer lost once", "should have got over this"),
    (takes_every_event_for_its_own, "foreign event: of another source", "somebody else's parameter is gone"),
    (tries_without_end, "ssm.PutParameter: denied", "calls, the last one to ssm"),
    (cleans_up_what_it_never_finished, "ssm.PutParameter #2: denied", "harmed: lost"),
]


def test_a_sound_handler_passes_every_case() -> None:
    assert bad_cases(moving(sound)) == {}


@pytest.mark.parametrize(("deliver", "case", "why"), CAUGHT, ids=[deliver.__name__ for deliver, _, _ in CAUGHT])
def test_a_handler_is_caught_that(deliver: Callable[[Any], Any], case: str, why: str) -> None:
    assert why in bad_cases(moving(deliver), case)[case]


CAUGHT_BY_ALL_CASES_ONLY = {reads_the_first_page_only, stops_at_an_empty_page, fails_when_its_answer_was_lost}


@pytest.mark.parametrize("deliver", [deliver for deliver, _, _ in CAUGHT if deliver not in CAUGHT_BY_ALL_CASES_ONLY])
def test_the_short_form_catches_it_too(deliver: Callable[[Any], Any]) -> None:
    assert any(run(case).verdict is Verdict.BAD for case in short(generated(moving(deliver))))


def test_the_short_form_passes_a_sound_handler() -> None:
    ended = [run(case).verdict for case in short(generated(moving(sound)))]
    assert ended and Verdict.BAD not in ended


def test_in_the_short_form_what_an_event_harms_is_seen_whichever_comes_after() -> None:
    def takes_all_for_an_empty_one(event: Any) -> None:
        if event == {}:
            delete({"Name": "/keep/x"})
        elif isinstance(event, dict) and "path" in event:
            sound(event)

    bad = [case for case in short(generated(moving(takes_all_for_an_empty_one))) if run(case).verdict is Verdict.BAD]
    assert [case.what for case in bad] == [ONE_AFTER_THE_OTHER]


@pytest.mark.parametrize(
    ("case", "why"),
    [
        ("sqs.SendMessageBatch: one entry failing for good", "returned as if"),
        ("sqs.SendMessageBatch: its answer lost once", "doubled"),
        ("event: delivered twice", "doubled"),
    ],
)
def test_a_handler_of_batches_is_caught_by(case: str, why: str) -> None:
    assert why in bad_cases(Subject("sender", looks_at_no_entry, QueueWorld), case)[case]


@pytest.mark.parametrize(
    ("worker", "bad"),
    [
        (works_once, {}),
        (works_once_and_deletes_first, {"sqs.DeleteMessage: stopped after it": "harmed: lost"}),
    ],
)
def test_a_worker_that_polls_is_a_subject_like_any_other(worker: Callable[[Any], Any], bad: dict[str, str]) -> None:
    subject = Subject("worker", worker, WorkWorld, comes_again=WorkWorld.time_passes)
    found = bad_cases(subject, next(iter(bad), ""))
    assert list(found) == list(bad)
    assert all(why in found[case] for case, why in bad.items())


def test_a_call_that_is_refused_has_no_effect() -> None:
    world = fresh_world(MovingWorld)
    put = Call("ssm", "PutParameter", 1)
    with delivery({}, Refused(put, DENIED, lasting=True)) as wire, pytest.raises(ClientError, match="AccessDenied"):
        sound(world.event)
    assert [str(call) for call in wire.calls] == ["ssm.GetParametersByPath", "ssm.PutParameter"]
    assert under("/out") == {}


def test_a_call_whose_answer_is_lost_has_its_effect() -> None:
    world = fresh_world(MovingWorld)
    with delivery({}, AnswerLost(Call("ssm", "PutParameter", 1), lasting=True)), pytest.raises(ReadTimeoutError):
        sound(world.event)
    assert under("/out") == {"a": "1"}
    assert under("/in") == VALUES


def test_a_process_that_is_stopped_gets_no_call_out_any_more() -> None:
    world = fresh_world(MovingWorld)

    def tidies_up(event: Any) -> None:
        try:
            save({"Value": "1"}, "a")
        finally:
            delete({"Name": "/in/a"})

    fault = Stopped(Call("ssm", "PutParameter", 1))
    with delivery({}, fault) as wire, pytest.raises(ProcessStoppedError):
        fault.wire = wire
        tidies_up(world.event)
    assert under("/in") == VALUES


@pytest.mark.parametrize("world", [MovingWorld, QueueWorld])
def test_a_copied_world_is_as_fresh_as_a_built_one(world: Callable[[], Any]) -> None:
    subject = Subject("sound", sound if world is MovingWorld else looks_at_no_entry, world)
    for _ in range(3):
        calls, event = record(subject)
        assert calls
        assert event == fresh_world(world).event


@pytest.mark.parametrize("world", [MovingWorld, QueueWorld, *(subject.world for subject in registered())])
def test_a_world_is_built_once_for_all_of_its_cases(world: Callable[[], Any]) -> None:
    built = []

    def build() -> Any:
        built.append(1)
        return world()

    for _ in range(3):
        fresh_world(build)
    assert len(built) == 1


def test_a_world_that_cannot_be_copied_is_built_each_time() -> None:
    built = []

    def build() -> Any:
        built.append(1)
        world = QueueWorld()
        world.generator = (number for number in range(3))  # type: ignore[attr-defined]
        return world

    for _ in range(3):
        fresh_world(build)
    assert len(built) == 3


def test_a_happy_path_that_fails_is_a_bad_case_itself() -> None:
    def fails(event: Any) -> None:
        raise KeyError("GROUP_NAME")

    assert "GROUP_NAME" in bad_cases(moving(fails))["event: delivered once"]


def test_a_handler_that_hands_its_items_back_has_failed_visibly() -> None:
    def hands_back(event: Any) -> dict[str, Any]:
        try:
            sound(event)
        except ClientError:
            return {"batchItemFailures": [{"itemIdentifier": "1"}]}
        return {"batchItemFailures": []}

    assert bad_cases(moving(hands_back), "ssm.PutParameter: denied") == {}


def test_every_call_is_recorded_with_what_can_go_wrong_with_it() -> None:
    calls, _ = record(moving(sound))
    assert [str(call) for call in calls] == [
        "ssm.GetParametersByPath",
        "ssm.PutParameter",
        "ssm.DeleteParameter",
        "ssm.PutParameter #2",
        "ssm.DeleteParameter #2",
    ]
    assert [bool(call.paging) for call in calls] == [True] + [False] * 4


@pytest.mark.parametrize("refusal", [THROTTLED, DENIED, BROKEN], ids=lambda refusal: str(refusal.code))
@pytest.mark.parametrize(
    ("service", "protocol"),
    [
        ("autoscaling", "query"),
        ("sqs", "json"),
        ("cloudwatch", "smithy-rpc-v2-cbor"),
        ("s3", "rest-xml"),
        ("lambda", "rest-json"),
        ("ec2", "ec2"),
    ],
)
def test_botocore_understands_a_refusal_in(service: str, protocol: str, refusal: Refusal) -> None:
    model = ServiceModel(Loader().load_service_model("sqs", "service-2"))
    response = refusal.response(protocol, f"https://{service}.us-east-1.amazonaws.com/")
    answer = {"status_code": response.status_code, "headers": response.headers, "body": response.content, "context": {}}
    parsed = create_parser(protocol).parse(answer, model.operation_model("ListQueues").output_shape)
    assert parsed["Error"]["Code"] == dict(refusal.spelt).get(protocol, refusal.code)
    assert parsed["ResponseMetadata"]["HTTPStatusCode"] == refusal.status
