"""A section of the file, and the rules between its keys."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import FunctionType
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict

_Rule = TypeVar("_Rule", bound=Callable[..., Iterator["Problem"]])


@dataclass(frozen=True)
class Problem:
    """What a rule has to say about one key.

    Attributes:
        key: the key, or the way to it below the section whose rule this is: ``("off_peak", "instances")``.
        message: "must ...; do ...". The loader adds ", got ..." with the text that stands in the file.
        warning: whether the configuration is usable all the same.
    """

    key: str | tuple[str | int, ...]
    message: str
    warning: bool = False

    @property
    def path(self) -> tuple[str | int, ...]:
        """The key as a path."""
        return (self.key,) if isinstance(self.key, str) else self.key


class UnreadableKeyError(Exception):
    """A rule reads a key whose value has a problem of its own; nothing can be said about both together."""


def rule(method: _Rule) -> _Rule:
    """Marks a method of a section as a rule between its keys: a generator of problems."""
    method.rule_of = "section"  # type: ignore[attr-defined]
    return method


def common_rule(method: _Rule) -> _Rule:
    """Marks a method of a solution's settings as a rule between them and ``common``, which it is given."""
    method.rule_of = "common"  # type: ignore[attr-defined]
    return method


@cache
def _rules(model: type[BaseModel], kind: str) -> tuple[str, ...]:
    named = (
        name
        for parent in reversed(model.__mro__)
        for name, value in vars(parent).items()
        if isinstance(value, FunctionType) and getattr(value, "rule_of", None) == kind
    )
    return tuple(dict.fromkeys(named))


class Section(BaseModel):
    """A mapping of the file. It refuses unknown keys, so that a typing error is an error and not a silent default.

    Rules between its keys are methods marked with ``@rule``. They are no validators of pydantic: the loader runs them
    also when other keys are wrong, so that a file is answered with everything at once.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True, allow_inf_nan=False)

    renamed: ClassVar[Mapping[str, str]] = {}
    """Former names of keys, accepted for one release with a warning, and the present ones."""

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            # The loader takes a key out of a section when its value is wrong; a rule that reads it has nothing to say.
            if name in type(self).model_fields:
                raise UnreadableKeyError(name)
            return super().__getattr__(name)

    def problems(self) -> Iterator[Problem]:
        """What is wrong between the keys of this section; its sections are asked for themselves."""
        yield from self._broken("section")

    def _broken(self, kind: str, *arguments: Any) -> Iterator[Problem]:
        for name in _rules(type(self), kind):
            try:
                yield from getattr(self, name)(*arguments)
            except UnreadableKeyError:
                continue
