"""Reads a YAML file into plain values, remembering of each where it stands and how it was typed."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from config.document import ConfigError, Document, Location, Place, Said, named

LARGEST_FILE = 256 * 1024  # bytes; the longest sensible file is a fiftieth of this
MOST_VALUES = 20_000  # aliases can make a small file enormous
DEEPEST = 50  # levels; an alias can contain itself

_TAG = "tag:yaml.org,2002:"
_DECIMAL = re.compile(r"[-+]?(0|[1-9]\d*)(\.\d*)?([eE][-+]?\d+)?")
_INFINITE = re.compile(r"[-+]?\.(inf|nan)", re.IGNORECASE)
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-prefixes, and PEM.
_SECRET = re.compile(r"(?<![A-Z0-9])(AKIA|ASIA)[A-Z0-9]{16}(?![A-Z0-9])|-----BEGIN")


def read(path: Path, option: str) -> Document:
    """Reads and parses a file.

    Args:
        option: how the program that reads is given another file; for the message.

    Raises:
        ConfigError: it cannot be read, or is not YAML.
    """
    text = _text(path, option)
    try:
        root = _compose(text)
        if root is None:
            raise ConfigError(f"{path} is empty; it needs the keys 'common' and 'solutions'")
        if not isinstance(root, yaml.MappingNode):
            raise ConfigError(f"{path}:1: must be a mapping with the keys 'common' and 'solutions'")
        return _Reader(path).document(root)
    except yaml.MarkedYAMLError as error:
        raise ConfigError(_not_yaml(path, text, error)) from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigError(f"{path} is not valid YAML: {str(error).splitlines()[0]}") from None


def _text(path: Path, option: str) -> str:
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise ConfigError(f"{path} is larger than {LARGEST_FILE // 1024} KiB; is it the right file?")
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(f"{path} does not exist; name another with {option}") from None
    except IsADirectoryError:
        raise ConfigError(f"{path} is a directory; name the file in it with {option}") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not UTF-8 text: byte {error.start} cannot be read") from None
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from None


class _Loader(yaml.SafeLoader):
    """Composes no deeper than people write; the composer calls itself for each level."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        self.depth += 1
        if self.depth > DEEPEST:
            raise ValueError(_TOO_DEEP)
        found: yaml.Node | None = super().compose_node(parent, index)
        self.depth -= 1
        return found


_TOO_DEEP = f"deeper than {DEEPEST} levels; does an alias contain itself?"


def _compose(text: str) -> yaml.Node | None:
    """The file's nodes: by libyaml where PyYAML has it, forty times faster, and by Python for what that refuses."""
    try:
        if hasattr(yaml, "CSafeLoader") and _depth(text) <= DEEPEST:
            return yaml.compose(text, Loader=yaml.CSafeLoader)
    except yaml.YAMLError:
        pass  # Python's loader has better words for it
    return yaml.compose(text, Loader=_Loader)


def _depth(text: str) -> int:
    """Levels of nesting; events do not nest, while libyaml's composer calls itself until the stack is full."""
    depth = deepest = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        deepest = max(deepest, depth)
    return deepest


def _not_yaml(path: Path, text: str, error: yaml.MarkedYAMLError) -> str:
    lines = text.splitlines() or [""]
    mark, opened = error.problem_mark, error.context_mark
    # Where a bracket or quote is never closed, the parser gives up far below, or behind the end, of where it is.
    open_ended = opened is not None and "block" not in str(error.context)
    line = min((opened if open_ended and opened else mark).line + 1 if mark else 1, len(lines))
    problem = f"{error.context}, {error.problem}" if str(error.problem).startswith("but ") else str(error.problem)
    if opened is not None and open_ended and ("quoted" in str(error.context) or "flow" in str(error.context)):
        what = "quote" if "quoted" in str(error.context) else "bracket"
        problem += f"; the {what} that this line opens is not closed correctly"
    if mark and mark.line < len(lines) and "\t" in lines[mark.line]:
        problem += "; a tab is in this line, YAML indents with spaces"
    return f"{path}:{line}: is not valid YAML: {problem}"


class _Reader:
    """Turns nodes into values."""

    def __init__(self, path: Path) -> None:
        self._found = Document(path)
        self._merger = yaml.SafeLoader("")

    def document(self, root: yaml.MappingNode) -> Document:
        """The whole file."""
        self._found.places[()] = Place(1, "a mapping")
        self._found.data = self._mapping(root, ())
        return self._found

    def _value(self, node: yaml.Node, where: Location) -> Any:
        if len(where) > DEEPEST:
            raise ValueError(_TOO_DEEP)
        if len(self._found.places) > MOST_VALUES:
            raise ValueError(f"more than {MOST_VALUES} values; are these aliases of aliases?")
        if isinstance(node, yaml.MappingNode):
            self._tagged(node, where, "map")
            return self._mapping(node, where)
        if isinstance(node, yaml.SequenceNode):
            self._tagged(node, where, "seq")
            return self._sequence(node, where)
        assert isinstance(node, yaml.ScalarNode)
        return self._scalar(node, where)

    def _mapping(self, node: yaml.MappingNode, where: Location) -> dict[str, Any]:
        for name, line, first in _twice(node):
            message = f"must not be set twice, first in line {first}; remove one"
            self._found.problems.append(Said(line, named((*where, name)), message))
        if any(key.tag == f"{_TAG}merge" for key, _ in node.value):
            self._merger.flatten_mapping(node)
        found = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self._refuse(where, key, "must have text as keys, not lists or mappings")
                continue
            name, at = key.value, (*where, key.value)
            self._found.places[at] = Place(key.start_mark.line + 1, _typed(value))
            if _SECRET.search(name):
                self._found.places[at] = Place(key.start_mark.line + 1, "something that is not shown here")
                self._refuse(where, key, "must not hold a secret; keep it in AWS Secrets Manager")
                continue
            found[name] = self._value(value, at)
        return found

    def _sequence(self, node: yaml.SequenceNode, where: Location) -> list[Any]:
        for index, item in enumerate(node.value):
            self._found.places[*where, index] = Place(item.start_mark.line + 1, _typed(item))
        return [self._value(item, (*where, index)) for index, item in enumerate(node.value)]

    def _scalar(self, node: yaml.ScalarNode, where: Location) -> Any:
        text = str(node.value)
        kind = node.tag.removeprefix(_TAG)
        if _SECRET.search(text):
            self._found.places[where] = Place(self._found.places[where].line, "something that is not shown here")
            self._refuse(where, node, "must not be a secret; keep it in AWS Secrets Manager")
        elif kind == "null":
            return None
        elif kind == "bool":
            return self._merger.construct_yaml_bool(node)
        elif kind in ("int", "float"):
            return self._number(node, where)
        elif kind not in ("str", "timestamp", "value", "merge"):
            self._tagged(node, where, "str")
        return text

    def _number(self, node: yaml.ScalarNode, where: Location) -> Any:
        """A number as people write it; YAML 1.1 knows octal, hexadecimal and base 60 as well."""
        text, whole = str(node.value), node.tag.endswith("int")
        if _INFINITE.fullmatch(text):
            self._refuse(where, node, f"must be a finite number, got {text}")
            return None
        try:
            value = self._merger.construct_yaml_int(node) if whole else self._merger.construct_yaml_float(node)
        except (ValueError, OverflowError):
            self._refuse(where, node, f"must be a number, got {text}")
            return None
        if not _DECIMAL.fullmatch(text) and ":" in text:
            self._refuse(where, node, f'must be in quotes, got {text}, which YAML reads as {value}; write "{text}"')
        elif not _DECIMAL.fullmatch(text):
            self._refuse(
                where,
                node,
                f"must be a plain decimal number, got {text}, which YAML reads as {value}; put it in quotes "
                "if it is text, else write it without leading zeros, letters and underscores",
            )
        return value

    def _tagged(self, node: yaml.Node, where: Location, expected: str) -> None:
        if node.tag != f"{_TAG}{expected}":
            tag = node.tag.replace(_TAG, "!!")
            self._refuse(
                where, node, f"must be plain text, a number, a list or a mapping, got the tag {tag}; remove it"
            )

    def _refuse(self, where: Location, node: yaml.Node, message: str) -> None:
        self._found.problems.append(Said(node.start_mark.line + 1, named(where) or "the file", message))
        self._found.unusable.append(where)


def _typed(node: yaml.Node) -> str:
    """A value as it stands in the file, short enough for a message."""
    if isinstance(node, yaml.MappingNode):
        return "a mapping"
    if isinstance(node, yaml.SequenceNode):
        return "a list" if node.value else "an empty list"
    text = " ".join(str(node.value).split(" "))
    if not text and node.tag.endswith("null"):
        return "nothing"
    if getattr(node, "style", None):
        text = f'"{text}"'
    text = text.replace("\n", "\\n")
    return text if len(text) <= 60 else f"{text[:57]}..."


def _twice(node: yaml.MappingNode) -> Iterator[tuple[str, int, int]]:
    first: dict[str, int] = {}
    for key, _ in node.value:
        if key.tag != f"{_TAG}merge":
            name, line = str(key.value), key.start_mark.line + 1
            if name in first:
                yield name, line, first[name]
            first.setdefault(name, line)
