"""The registry: each package of ``emulator.services`` declares a service, and the server connects what it finds."""

import pkgutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import Any

from emulator import services as package
from emulator.core import api, patch
from emulator.core.api import Around, Json, Operation, ServiceHandler
from emulator.core.resource import ResourceType, gets_the_tags_of_its_stack, handlers, recorded

Listener = Callable[..., object]
"""Hears news within the server (``emulator.core.events``)."""
Control = Callable[[Json], Json]
Deliver = Callable[[str, str, Json], object]
"""Delivers an event of EventBridge: ARN of the target, id of the event, the event."""


@dataclass(frozen=True)
class Need:
    """A permission that a call needs besides its own: AWS calls it a dependent action.

    https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html

    Attributes:
        keys: condition keys.
    """

    action: str
    resource: str
    keys: Json = field(default_factory=dict)


@dataclass(frozen=True)
class Made:
    """What an API makes, for ``emulator.core.eventual``.

    Attributes:
        element: of its answer, in XML, which holds the id.
        unknown: the code of the error of whoever names an id that does not exist.
        listed: whether lists have it all the same: what is complete after minutes there, and at once here.
        named: its kind in the names of the APIs that list it; empty: as in the element.
    """

    element: str
    unknown: str
    listed: bool = False
    named: str = ""

    def missing_in(self, action: str) -> bool:
        """Whether an API lists resources of this kind, and may lack it."""
        stem = self.element.removesuffix("Id").removesuffix("Arn")
        return not self.listed and (self.named or stem[0].upper() + stem[1:]) in action


@dataclass(frozen=True)
class IamRules:
    """What IAM has to know of a service's calls; see ``emulator.core.iam``.

    Attributes:
        resource: the ARN that a call is judged on; None keeps the one that was found.
        keys: condition keys of a call.
        resource_keys: condition keys of the resource of a call, by its ARN.
        actions: the IAM actions that calls need, where those are not their own names.
        besides: actions of other services that a caller needs besides an action, because the service does them for it.
        needs: what a call needs besides, when that depends on what it names.
        tags: what the tagging API shows of it and aws:ResourceTag is judged by: ARN and tags.
    """

    resource: Callable[[Any], str | None] = lambda _: None
    keys: Callable[[Any], Json] = lambda _: {}
    resource_keys: Callable[[str], Json] = lambda _: {}
    actions: Mapping[str, str] = field(default_factory=dict)
    besides: Mapping[str, Sequence[str]] = field(default_factory=dict)
    needs: Callable[[Any], Iterable[Need]] = lambda _: ()
    tags: Mapping[str, Callable[[], Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Service:
    """One AWS service, as far as we change what ministack or moto make of it.

    Attributes:
        name: that requests are signed for.
        operations: answered by us: names in snake case where they are put into moto, else the API's own.
        beneath: who answers all others; None: nobody else, or who did before.
        types, recorded: CloudFormation types, by calls, and those that are only asked for.
        owns: types of ministack that go away: they would fill services that nobody asks any more.
        wraps: types of ministack that are changed: the handler before, the handler after.
        makes: what its APIs make that other calls may not know at once, by the API's name.
        controls: control endpoints, by name: ``POST /_emulator/<name>``.
        listens: who hears which news.
        targets: what delivers to targets of EventBridge, by the service in their ARN.
        scopes: accounts and Regions that it is used in, for what a minute brings.
        measure: what it publishes each minute in an account and Region; react: what it makes then of what is published.
        at_start: what it does once, when it is connected.
        tick: what it does several times a second.
        modelled, not_judged: its words in README's table, by what they are about.
    """

    name: str
    operations: Mapping[str, Operation | Around] = field(default_factory=dict)
    beneath: ServiceHandler | None = None
    types: Mapping[str, ResourceType] = field(default_factory=dict)
    recorded: Sequence[str] = ()
    owns: str | None = None
    wraps: Mapping[str, Callable[[Json], Json]] = field(default_factory=dict)
    makes: Mapping[str, Made] = field(default_factory=dict)
    controls: Mapping[str, Control] = field(default_factory=dict)
    listens: Mapping[str, Sequence[Listener]] = field(default_factory=dict)
    targets: Mapping[str, Deliver] = field(default_factory=dict)
    scopes: Callable[[], set[tuple[str, str]]] = set
    measure: Callable[[], object] | None = None
    react: Callable[[], object] | None = None
    tick: Callable[[], object] | None = None
    at_start: Callable[[], object] | None = None
    iam: IamRules = IamRules()
    modelled: Sequence[str] = ()
    not_judged: Sequence[str] = ()

    def connect(self) -> None:
        """Puts its operations where they are answered."""
        if self.name in api.IN_MOTO:
            api.serve(self.name, self.operations)
        elif self.operations:
            plain = {name: item for name, item in self.operations.items() if not isinstance(item, Around)}
            api.serve_json(self.name, plain, self.beneath)
            return
        if self.beneath is not None:
            api.route(self.name, self.beneath)


@cache
def services() -> tuple[Service, ...]:
    """All of them, in the order of their folders' names."""
    names = sorted(module.name for module in pkgutil.iter_modules(package.__path__))
    return tuple(import_module(f"{package.__name__}.{name}").SERVICE for name in names)


def ask(news: str, *details: Any) -> list[Any]:
    """Tells news to every service that listens, and returns what they answer."""
    return [listener(*details) for service in services() for listener in service.listens.get(news, ())]


def tell(news: str, *details: Any) -> None:
    """Tells news to every service that listens."""
    ask(news, *details)


def connect() -> None:
    """Connects every service, and applies every patch."""
    from emulator.core import iam  # which asks the services, too

    found = services()
    api.start_moto()
    patch.apply()
    iam.collect_tags(found)
    for name in list(handlers):
        if name.startswith(tuple(service.owns for service in found if service.owns)):
            del handlers[name]
    for service in found:
        service.connect()
        if service.at_start is not None:
            service.at_start()
        for name in service.recorded:
            handlers[name] = recorded(name).handler()
        for name, resource_type in service.types.items():
            handlers[name] = resource_type.handler()
            if resource_type.ec2_tags or resource_type.tag_map:
                gets_the_tags_of_its_stack(name, "map" if resource_type.tag_map else "list")
        for name, wrap in service.wraps.items():
            handlers[name] = wrap(handlers[name])
