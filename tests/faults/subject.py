"""What is registered: a plain callable that takes an event, and the world of its happy path."""

import importlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Protocol
from uuid import NAMESPACE_OID, uuid5

from tests import solutions

Event = Any


class World(Protocol):
    """A prepared AWS, one fresh for every case, and what must be true of it afterwards.

    Both looks raise AssertionError with a sentence. They may be taken more than once, so they must not use up what
    they look at.
    """

    env: Mapping[str, str]
    event: Event

    def invariant(self) -> None:
        """The event's work is done: all of it, once."""

    def unharmed(self) -> None:
        """Whatever has happened or not: nothing is lost, doubled, or wrongly changed or deleted."""


def reports_failed_items(result: Any) -> bool:
    """Whether a handler of batches has handed items back, as it should with those that failed.

    https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
    """
    return isinstance(result, dict) and bool(result.get("batchItemFailures"))


@dataclass(frozen=True)
class Subject:
    """A callable under test.

    Args:
        name: for people: `<slug>.<function>`.
        deliver: takes the event as its runtime would hand it over.
        world: makes a fresh world.
        module: the handler module that this covers, where it is one.
        foreign: events that reach the callable and are not meant for it, beside the general ones.
        tells: whether a result that was returned says that something failed.
        comes_again: for a worker that polls: makes its work come again although it returned, as a message that it did
            not delete becomes visible again. It may then return with the work undone, if it does it the next time.
    """

    name: str
    deliver: Callable[[Event], Any]
    world: Callable[[], World]
    module: str | None = None
    foreign: tuple[Event, ...] = ()
    tells: Callable[[Any], bool] = reports_failed_items
    comes_again: Callable[[Any], None] | None = None


def lambda_function(
    path: str,
    world: Callable[[], World],
    foreign: tuple[Event, ...] = (),
    *,
    case: str = "",
    tells: Callable[[Any], bool] = reports_failed_items,
) -> Subject:
    """Registers lambdas/<slug>/<function>/handler.py under its path `<slug>.<function>`.

    Args:
        case: which of several worlds of the function it is.
    """
    module = f"{path}.handler"

    def deliver(event: Event) -> Any:
        context = SimpleNamespace(aws_request_id=request_id(event))
        return importlib.import_module(module).lambda_handler(event, context)

    return Subject(f"{path} ({case})" if case else path, deliver, world, module, foreign, tells)


def says(key: str) -> Callable[[Any], bool]:
    """Whether a result has something under a key: what could not be done is no error of the function, it tells."""
    return lambda result: isinstance(result, dict) and bool(result.get(key))


def request_id(event: Event) -> str:
    """Returns the request id under which an event is invoked: the same one when Lambda delivers it again."""
    return str(uuid5(NAMESPACE_OID, json.dumps(event, sort_keys=True, default=str)))


def registered() -> Iterator[Subject]:
    """Yields the subjects of every solution's ``faults`` module, in the order of the slugs."""
    for path in sorted(Path(solutions.__file__).parent.glob("*/faults.py")):
        yield from importlib.import_module(f"{solutions.__name__}.{path.parent.name}.faults").SUBJECTS


def by_handler() -> dict[str, list[Subject]]:
    """The subjects of each handler, which may have several worlds; what is no handler is alone."""
    found: dict[str, list[Subject]] = {}
    for subject in registered():
        found.setdefault(subject.module or subject.name, []).append(subject)
    return {subjects[0].name: subjects for subjects in found.values()}
