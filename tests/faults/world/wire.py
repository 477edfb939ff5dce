"""Between botocore and moto: sees each call of a subject pass, writes it down, and lets a fault meddle with it.

The hooks are botocore's own events (https://boto3.amazonaws.com/v1/documentation/api/latest/guide/events.html), put in
front of every session's handlers, so that a subject may make its clients as it likes.
"""

import gc
import json
import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import moto.core.models
from botocore import handlers
from botocore.awsrequest import AWSResponse
from botocore.retries.quota import RetryQuota
from moto import mock_aws
from moto.core.base_backend import BaseBackend
from moto.core.botocore_stubber import BotocoreStubber, MockRawResponse

from shared import aws
from tests.faults.world import worlds
from tests.faults.world.made import Made
from tests.faults.world.pages import Paging, paging

MOST_CALLS = 300
_ROOT = Path(__file__).parents[3]
# Functions, and those that stand in for one in the harness's own tests.
_CODE = (str(_ROOT / "lambdas"), str(_ROOT / "tests" / "faults" / "test_"))

ENVIRONMENT = {
    # Where moto also looks for the addresses it serves: another Region would cost a second set of backends.
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "MOTO_EC2_LOAD_DEFAULT_AMIS": "false",
}


class ProcessStoppedError(BaseException):
    """The process is gone, as by a kill or a timeout: no handler of exceptions sees it."""


class EndlessError(BaseException):
    """The subject goes on calling and calling."""


@dataclass(frozen=True)
class Call:
    """One AWS call of a subject: the nth of its operation.

    Attributes:
        unknown: the code with which the service says that it does not know yet what the call names, when an earlier
            call of the same delivery has made that.
        path: the lines of the project's code that led to it: of the calls that a loop makes, it is the same.
    """

    service: str
    operation: str
    nth: int
    paging: Paging | None = field(default=None, compare=False)
    takes_entries: bool = field(default=False, compare=False)
    unknown: str = field(default="", compare=False)
    path: tuple[tuple[str, int], ...] = field(default=(), compare=False)

    def __str__(self) -> str:
        return f"{self.service}.{self.operation}" + (f" #{self.nth}" if self.nth > 1 else "")


class Fault:
    """Something that goes wrong with one call. Each method may look on, change what it is given, answer, or raise."""

    def __init__(self, target: Call, *, lasting: bool = False) -> None:
        self.target = target
        self.lasting = lasting
        self.happened = False

    def meant(self, call: Call) -> bool:
        """Whether this call is the target or, when the fault lasts, one of the same operation after it."""
        same = (call.service, call.operation) == (self.target.service, self.target.operation)
        return same and (call.nth >= self.target.nth if self.lasting else call.nth == self.target.nth)

    def parameters(self, call: Call, parameters: dict[str, Any]) -> None:
        """Before the request is made of the parameters."""

    def instead(self, call: Call, parameters: dict[str, Any]) -> dict[str, Any] | None:
        """Before the call is made: the answer, if it shall not be made at all."""
        return None

    def attempt(self, call: Call, passage: "Passage") -> Any:
        """On each attempt at the call: the HTTP response, None for the true one."""
        return None

    def answer(self, call: Call, parameters: dict[str, Any], parsed: dict[str, Any]) -> None:
        """After the call took effect, before its answer reaches the subject."""


@dataclass
class Passage:
    """One attempt at a call: how often it was tried, and the way to AWS."""

    number: int
    protocol: str
    event_name: str
    request: Any

    def proceed(self) -> Any:
        """Lets the request have its effect and returns the true response."""
        return _answered(self.event_name, self.request)


class Wire:
    """What passes while one event is delivered."""

    def __init__(self, fault: Fault | None = None) -> None:
        self.fault = fault
        self.calls: list[Call] = []
        self.stopped = False
        self._made = Made()
        self._counts: Counter[tuple[str, str]] = Counter()
        self._current = threading.local()
        self._lock = threading.Lock()

    def stop(self) -> None:
        """Ends the process: from now on none of its calls gets out, not even from a `finally`."""
        self.stopped = True
        raise ProcessStoppedError

    def on_parameters(self, params: dict[str, Any], model: Any, context: dict[str, Any]) -> None:
        if self.stopped:
            raise ProcessStoppedError
        service, operation = model.service_model.service_name, model.name
        with self._lock:
            self._counts[service, operation] += 1
            nth, unknown = self._counts[service, operation], self._made.named(service, params)
            call = Call(service, operation, nth, paging(model), _takes_entries(model), unknown, _path())
            self.calls.append(call)
        if len(self.calls) > MOST_CALLS:
            raise EndlessError(f"more than {MOST_CALLS} calls, the last one to {call}")
        if operation == "ReceiveMessage":
            # moto waits for messages in earnest; what is not there now does not come.
            params["WaitTimeSeconds"] = 0
        context["faults"] = (call, params)
        if self.fault:
            self.fault.parameters(call, params)

    def on_call(self, model: Any, context: dict[str, Any], url: str) -> tuple[Any, dict[str, Any]] | None:
        call, params = context["faults"]
        self._current.call, self._current.attempts = call, 0
        self._current.protocol = model.service_model.resolved_protocol
        answer = self.fault.instead(call, params) if self.fault else None
        if answer is None:
            return None
        return AWSResponse(url, 200, {}, None), answer

    def on_attempt(self, event_name: str, request: Any) -> Any:
        here = self._current
        here.attempts += 1
        passage = Passage(here.attempts, here.protocol, event_name, request)
        response = self.fault.attempt(here.call, passage) if self.fault else None
        return passage.proceed() if response is None else response

    def on_answer(self, parsed: dict[str, Any], context: dict[str, Any]) -> None:
        call, params = context["faults"]
        with self._lock:
            self._made.by(call.service, call.operation, parsed)
        if self.fault and parsed.get("ResponseMetadata", {}).get("HTTPStatusCode", 200) < 300:
            self.fault.answer(call, params, parsed)


_aws = BotocoreStubber()
_aws.enabled = True
OURS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {}
"""Answers of services of JSON that moto lacks, by ``<service>.<operation>``, whose parameters they get."""


def _answered(event_name: str, request: Any) -> Any:
    """What AWS answers: moto's, or that of a solution's own for a service that moto does not have."""
    operation = event_name.removeprefix("before-send.")
    if operation not in OURS:
        return _aws(event_name, request)
    body = json.dumps(OURS[operation](json.loads(request.body or b"{}")))
    return AWSResponse(request.url, 200, {"content-type": "application/json"}, MockRawResponse(body))


_made_out: dict[type, dict[str, Any]] = {}
_addresses_of = BaseBackend.urls.fget


def _addresses(backend: Any) -> dict[str, Any]:
    """What a service of moto answers where. moto makes it out anew for each call, and loads a module for S3."""
    found = _made_out.get(type(backend))
    if found is None:
        found = _made_out[type(backend)] = _addresses_of(backend)
    return found


_wire: Wire | None = None
_open = False


@contextmanager
def laboratory() -> Iterator[None]:
    """Holds an AWS in memory, into which the wire leads; `worlds` fills it.

    Nobody sleeps in it. Each retry has its token: a process lives for one delivery, the clients here for hundreds, and
    what one case took of their quota another would miss.
    """
    global _open
    with ExitStack() as stack:
        stack.enter_context(patch.dict(os.environ, ENVIRONMENT))
        for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_MAX_ATTEMPTS", "AWS_RETRY_MODE"):
            os.environ.pop(name, None)
        stack.enter_context(mock_aws())
        # botocore asks every `before-send` handler, also after one has answered: with moto's own handler at work a
        # call that the wire refuses would take effect all the same.
        stack.enter_context(patch.object(moto.core.models.botocore_stubber, "enabled", False))
        stack.enter_context(patch.object(time, "sleep", lambda seconds: None))
        stack.enter_context(patch.object(RetryQuota, "acquire", lambda self, amount: True))
        stack.enter_context(patch.object(BaseBackend, "urls", property(_addresses)))
        aws.client.cache_clear()
        worlds.forget()
        # Copies of worlds come and go by the thousand: the collector need not look through all of botocore each time.
        gc.freeze()
        _open = True
        try:
            yield
        finally:
            _open = False
            gc.unfreeze()
            aws.client.cache_clear()
            # moto's objects close their files while there still are modules to import, not when Python ends.
            worlds.forget()
            worlds.empty()
            gc.collect()


@contextmanager
def delivery(environment: Mapping[str, str], fault: Fault | None = None) -> Iterator[Wire]:
    """Leads the calls made within over a wire, with the environment of the subject."""
    global _wire
    with patch.dict(os.environ, environment):
        _wire = wire = Wire(fault)
        try:
            yield wire
        finally:
            _wire = None


def _path() -> tuple[tuple[str, int], ...]:
    frame, lines = sys._getframe(2), []
    while frame:
        if frame.f_code.co_filename.startswith(_CODE):
            lines.append((frame.f_code.co_filename, frame.f_lineno))
        frame = frame.f_back  # type: ignore[assignment]
    return tuple(lines)


def _takes_entries(model: Any) -> bool:
    """Whether the operation takes a batch and answers for each of its entries, as SendMessageBatch does."""
    inputs = model.input_shape.members if model.input_shape else {}
    outputs = model.output_shape.members if model.output_shape else {}
    return "Entries" in inputs and "Failed" in outputs


def _before_parameter_build(params: dict[str, Any], model: Any, context: dict[str, Any], **_: Any) -> None:
    if _wire:
        _wire.on_parameters(params, model, context)


def _before_call(model: Any, params: dict[str, Any], context: dict[str, Any], **_: Any) -> Any:
    return _wire.on_call(model, context, params["url"]) if _wire else None


def _before_send(event_name: str, request: Any, **_: Any) -> Any:
    if _wire:
        return _wire.on_attempt(event_name, request)
    return _answered(event_name, request) if _open else None


def _after_call(parsed: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
    if _wire:
        _wire.on_answer(parsed, context)


handlers.BUILTIN_HANDLERS[:0] = [
    ("before-parameter-build", _before_parameter_build, handlers.REGISTER_FIRST),
    ("before-call", _before_call, handlers.REGISTER_FIRST),
    ("before-send", _before_send, handlers.REGISTER_FIRST),
    ("after-call", _after_call, handlers.REGISTER_FIRST),
]
