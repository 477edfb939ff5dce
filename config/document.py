"""A file of the configuration as it was read: values, where each stands, and what is wrong with them."""

from collections.abc import MutableMapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Location = tuple[str | int, ...]


class ConfigError(Exception):
    """The configuration is unusable; the message is meant for the user and names every problem."""


@dataclass(frozen=True)
class Place:
    """Where a value stands, and what stands there."""

    line: int
    text: str


@dataclass(frozen=True, order=True)
class Said:
    """A problem at its place in the file."""

    line: int
    key: str
    message: str = field(compare=False)  # what a key has several problems with stays in its order


@dataclass
class Document:
    """A file that is YAML: its values, their places, and what is wrong with single values already.

    Attributes:
        unusable: places whose value must not be looked at, because it is not what its author meant.
    """

    path: Path
    data: dict[str, Any] = field(default_factory=dict)
    places: MutableMapping[Location, Place] = field(default_factory=dict)
    problems: list[Said] = field(default_factory=list)
    unusable: list[Location] = field(default_factory=list)
    warnings: list[Said] = field(default_factory=list)

    def line(self, where: Location) -> int:
        """The line of a key, or of the closest one above it that is in the file."""
        return next((self.places[where[:n]].line for n in range(len(where), -1, -1) if where[:n] in self.places), 1)

    def say(self, where: Location, message: str) -> None:
        """Notes a problem."""
        self.problems.append(Said(self.line(where), named(where), message))

    def refusal(self) -> ConfigError:
        """All problems, one a line."""
        listed = [f"  {self.path}:{one.line}: {one.key}: {one.message}" for one in sorted(self.problems)]
        return ConfigError("\n".join([f"{len(listed)} problem{'s' * (len(listed) != 1)} in {self.path}:", *listed]))


def named(where: Location) -> str:
    """A place as people say it: the keys with dots, then "check 1, port"."""
    text = ""
    for part in where:
        if isinstance(part, int):
            before, _, last = text.rpartition(" " if " " in text else ".")
            comma = "," if before and not before.endswith(",") else ""
            text = f"{before}{comma}{' ' if before else ''}{last.removesuffix('s')} {part + 1}"
        elif text and text[-1].isdigit() and " " in text:
            text += f", {part}"
        else:
            text += f".{part}" if text else str(part)
    return text
