"""The file as text: what YAML makes of it, and in which line each value is. No AWS in here."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

LARGEST = 1024 * 1024
"""Characters; 200 configurations of forty types each are a quarter of it."""
MOST_VALUES = 200_000  # aliases can make a small file enormous
DEEPEST = 20  # levels; an alias can contain itself

Where = tuple[str | int, ...]


class NotYamlError(ValueError):
    """The text is no YAML document of one; the message says where it ends to be one."""


@dataclass(frozen=True)
class Document:
    """A parsed file.

    Attributes:
        twice: keys that a mapping has twice, of which YAML would take the last without a word.
    """

    value: Any
    lines: dict[Where, int]
    twice: list[Where]

    def line(self, where: Where) -> int:
        """The line of a value, or of the nearest one around it that is there."""
        return next((self.lines[where[:n]] for n in range(len(where), -1, -1) if where[:n] in self.lines), 1)


def parse(text: str) -> Document:
    """Parses a file.

    Raises:
        NotYamlError: it cannot be parsed, or is larger than any sensible file.
    """
    if len(text) > LARGEST:
        raise NotYamlError(f"1: is longer than {LARGEST} characters; is it the right file?")
    try:
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        if node is None:
            raise NotYamlError("1: is empty; it must be a list of dashboards")
        lines: dict[Where, int] = {}
        twice: list[Where] = []
        for where, line in _places(node, ()):
            if where in lines:
                twice.append(where)
            lines[where] = line
            if len(lines) > MOST_VALUES:
                raise NotYamlError(f"1: has more than {MOST_VALUES} values; are these aliases of aliases?")
        return Document(loader.construct_document(node), lines, twice)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        raise NotYamlError(f"{mark.line + 1 if mark else 1}: is not YAML: {error.problem}") from None
    except (yaml.YAMLError, ValueError, RecursionError, TypeError) as error:
        if isinstance(error, NotYamlError):
            raise
        raise NotYamlError(f"1: is not YAML: {str(error).splitlines()[0] if str(error) else 'too deep'}") from None


def _places(node: yaml.Node, where: Where) -> Iterator[tuple[Where, int]]:
    if len(where) > DEEPEST:
        raise NotYamlError(f"{node.start_mark.line + 1}: is deeper than {DEEPEST} levels; does an alias hold itself?")
    if not where or isinstance(where[-1], int):
        yield where, node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            inner = (*where, str(key.value))
            yield inner, key.start_mark.line + 1
            yield from _places(value, inner)
    if isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            yield from _places(item, (*where, number))
