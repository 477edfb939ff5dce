"""Private names of ministack and moto: each is used or replaced once, beside the service that needs it, and pinned.

ministack has no plugin API and moto's models are not an interface, so both are pinned exactly. Whoever needs a private
name says what it takes; one parametrized test compares that with what is there, so that an upgrade says what has moved.
"""

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

Replacement = TypeVar("Replacement", bound=Callable[..., Any])


@dataclass
class Private:
    """A private name that is used.

    Attributes:
        takes: the parameters of a function, as its signature names them; None: it is no function.
        original: what was there when it was registered.
    """

    owner: Any
    name: str
    takes: str | None
    original: Any

    @property
    def label(self) -> str:
        """Owner and name, for people."""
        return f"{getattr(self.owner, '__name__', type(self.owner).__name__)}.{self.name}"


@dataclass
class Patch(Private):
    """A private function that is replaced by one of ours, which gets the original first."""

    replacement: Callable[..., Any] = field(kw_only=True)
    applied: bool = False

    def apply(self) -> None:
        """Puts the replacement in its place; doing it twice does no harm."""
        if self.applied:
            return
        self.applied = True
        replaced = functools.partial(self.replacement, self.original)
        # A method must stay a function: a partial object would not be bound to its instance.
        setattr(self.owner, self.name, functools.wraps(self.original)(lambda *args, **more: replaced(*args, **more)))


registry: list[Private] = []


def private(owner: Any, name: str, takes: str | None = None) -> Any:
    """Registers that a private name is used, and returns what it stands for."""
    found = getattr(owner, name)
    registry.append(Private(owner, name, takes, found))
    return found


def patch(owner: Any, name: str, takes: str) -> Callable[[Replacement], Replacement]:
    """Replaces a private function when its service is connected: the decorated one gets the original and its arguments.

    Raises:
        ValueError: somebody else replaces it already; it is to be wrapped once and to ask the services.
    """

    def register(replacement: Replacement) -> Replacement:
        if any(isinstance(item, Patch) and (item.owner, item.name) == (owner, name) for item in registry):
            raise ValueError(f"{owner.__name__}.{name} is replaced already")
        registry.append(Patch(owner, name, takes, getattr(owner, name), replacement=replacement))
        return replacement

    return register


def apply(module: str = "emulator") -> None:
    """Applies every patch of a module and of those below it."""
    for item in registry:
        if isinstance(item, Patch) and f"{item.replacement.__module__}.".startswith(f"{module}."):
            item.apply()


def parameters(function: Callable[..., Any]) -> str:
    """What a function takes, as ``private`` and ``patch`` write it."""
    return " ".join(inspect.signature(function).parameters)
