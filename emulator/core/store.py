"""State of the services: a value for each account and Region, which registers itself so that a reset forgets it."""

from collections.abc import Callable, Iterator
from typing import Any, Generic, Protocol, TypeVar

from ministack.core import responses
from moto.ec2.models import ec2_backends

from emulator.core.patch import private

T = TypeVar("T")
Scope = tuple[str, str]

# Whose request is being served.
account_id: Callable[[], str] = private(responses, "get_account_id", "")
region: Callable[[], str] = private(responses, "get_region", "")
request_scope: Callable[[str, str], Any] = private(responses, "request_scope", "account_id region")


class Forgetful(Protocol):
    """Something that a reset empties."""

    def clear(self) -> None:
        """Forgets everything."""


stores: list[Forgetful] = []


class Store(Generic[T]):
    """A value of each account and Region, made by *factory* when it is first asked for."""

    def __init__(self, factory: Callable[[], T]) -> None:
        self._factory = factory
        self._values: dict[Scope, T] = {}
        stores.append(self)

    def here(self) -> T:
        """The value of the account and Region of the request."""
        scope = (account_id(), region())
        if scope not in self._values:
            self._values[scope] = self._factory()
        return self._values[scope]

    def everywhere(self) -> Iterator[tuple[Scope, T]]:
        """Account and Region, and the value of each that has one."""
        yield from list(self._values.items())

    def clear(self) -> None:
        """Forgets every value."""
        self._values.clear()


class Ec2Store(Store[T]):
    """The same, kept in moto's EC2 of the account and Region: it is copied and ends with what it belongs to."""

    def __init__(self, name: str, factory: Callable[[], T]) -> None:
        super().__init__(factory)
        self._name = name

    def here(self) -> T:
        """The value of the account and Region of the request."""
        kept = vars(ec2_backends[account_id()][region()])
        if self._name not in kept:
            kept[self._name] = self._factory()
        value: T = kept[self._name]
        return value

    def everywhere(self) -> Iterator[tuple[Scope, T]]:
        """Account and Region, and the value of each that has one."""
        for account, regions in list(ec2_backends.items()):
            for name, backend in list(regions.items()):
                if self._name in vars(backend):
                    yield (account, name), vars(backend)[self._name]

    def clear(self) -> None:
        """Forgets every value."""
        for _, _, backend in ec2_backends.iter_backends():
            vars(backend).pop(self._name, None)


class Setting(Generic[T]):
    """One value for all accounts, which a control endpoint changes and a reset sets back."""

    def __init__(self, default: T) -> None:
        self._default = self.value = default
        stores.append(self)

    def begin(self, value: T) -> None:
        """Sets it, and what a reset sets it back to."""
        self._default = self.value = value

    def clear(self) -> None:
        """Sets it back."""
        self.value = self._default


def reset() -> None:
    """Empties every store."""
    for store in stores:
        store.clear()


def arn(service: str, resource: str, *, account: str | None = None) -> str:
    """The ARN of a resource in the account and Region of the request."""
    return f"arn:aws:{service}:{region()}:{account_id() if account is None else account}:{resource}"
