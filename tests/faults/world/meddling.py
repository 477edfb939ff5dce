"""The faults themselves: what a network, a service or a machine does to a call."""

from copy import deepcopy
from typing import Any

from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError

from tests.faults.world.refusals import BROKEN, Refusal
from tests.faults.world.wire import Call, Fault, Passage, Wire

Parameters = dict[str, Any]


class Refused(Fault):
    """The service answers with an error: once, or to every attempt at this call and the later ones like it."""

    def __init__(self, target: Call, refusal: Refusal, *, lasting: bool) -> None:
        super().__init__(target, lasting=lasting)
        self.refusal = refusal

    def attempt(self, call: Call, passage: Passage) -> Any:
        if not self.meant(call) or (self.happened and not self.lasting):
            return None
        self.happened = True
        return self.refusal.response(passage.protocol, passage.request.url)


class TimedOut(Fault):
    """No connection, or no answer, to any attempt; the service has done nothing."""

    def __init__(self, target: Call, *, connected: bool) -> None:
        super().__init__(target, lasting=True)
        self.connected = connected

    def attempt(self, call: Call, passage: Passage) -> Any:
        if self.meant(call):
            self.happened = True
            error = ReadTimeoutError if self.connected else ConnectTimeoutError
            raise error(endpoint_url=passage.request.url, error="the fault harness")
        return None


class AnswerLost(Fault):
    """The service did what it was asked, and nobody heard of it: once, or on every attempt."""

    def attempt(self, call: Call, passage: Passage) -> Any:
        if self.meant(call) and (self.lasting or not self.happened):
            self.happened = True
            passage.proceed()
            raise ReadTimeoutError(endpoint_url=passage.request.url, error="the fault harness")
        return None


class Stopped(Fault):
    """The process stops after the call took effect, before the next line of its code."""

    wire: Wire | None = None

    def answer(self, call: Call, parameters: Parameters, parsed: Parameters) -> None:
        if self.meant(call) and self.wire:
            self.happened = True
            self.wire.stop()


class Paged(Fault):
    """The answer comes in pages; the second one may be empty, or fail for good."""

    def __init__(self, target: Call, *, empty_between: bool = False, second_fails: bool = False) -> None:
        super().__init__(target)
        self.empty_between = empty_between
        self.second_fails = second_fails
        self._pages: list[Parameters] = []
        self._failing: set[Call] = set()

    def parameters(self, call: Call, parameters: Parameters) -> None:
        if self.second_fails and self._asked(call, parameters):
            self._failing.add(call)

    def instead(self, call: Call, parameters: Parameters) -> Parameters | None:
        page = self._asked(call, parameters)
        return deepcopy(self._pages[page]) if page and not self.second_fails else None

    def attempt(self, call: Call, passage: Passage) -> Any:
        return BROKEN.response(passage.protocol, passage.request.url) if call in self._failing else None

    def answer(self, call: Call, parameters: Parameters, parsed: Parameters) -> None:
        if self.meant(call) and self.target.paging:
            self.happened = True
            self._pages = self.target.paging.split(parsed, empty_between=self.empty_between)
            parsed.clear()
            parsed.update(deepcopy(self._pages[0]))

    def _asked(self, call: Call, parameters: Parameters) -> int | None:
        paging = self.target.paging
        same = (call.service, call.operation) == (self.target.service, self.target.operation)
        return paging.continued(parameters) if paging and same else None


class EntryFailed(Fault):
    """A batch succeeds but for its first entry, which the service did not take: once, or each time it is sent."""

    _entry: Parameters | None = None
    _failed: bool = False

    def parameters(self, call: Call, parameters: Parameters) -> None:
        self._failed = False
        entries = list(parameters.get("Entries", []))
        if not self.meant(call) or not entries or (self.happened and not self.lasting):
            return
        self._entry = self._entry or entries[0]
        if self._entry in entries:
            self.happened = self._failed = True
            # A new list: this one belongs to the subject.
            parameters["Entries"] = [entry for entry in entries if entry != self._entry]

    def instead(self, call: Call, parameters: Parameters) -> Parameters | None:
        return {"Successful": [], "Failed": []} if self._failed and not parameters["Entries"] else None

    def answer(self, call: Call, parameters: Parameters, parsed: Parameters) -> None:
        if self._failed and self._entry:
            error = {"Id": self._entry["Id"], "SenderFault": False, "Code": "InternalError", "Message": "fault harness"}
            parsed.setdefault("Failed", []).append(error)
