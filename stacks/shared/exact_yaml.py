"""YAML whose numbers keep what is written, 0.1 as a decimal number and never through a float; no key stands twice."""

from decimal import Decimal
from typing import Any

import yaml


class ExactLoader(yaml.SafeLoader):
    """The safe loader, but for numbers with a fraction."""


def _decimal(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> Decimal | float:
    written = str(loader.construct_scalar(node)).replace("_", "")
    try:
        return Decimal(written)
    except ArithmeticError:  # .inf, .nan and 1:30.5, which mean nothing in money
        number: float = loader.construct_yaml_float(node)
        return number


ExactLoader.add_constructor("tag:yaml.org,2002:float", _decimal)


def load_exact(text: str) -> Any:
    """The value of a text.

    Raises:
        yaml.YAMLError: it is not valid YAML, or a mapping has a key twice, of which YAML would take the last.
    """
    try:
        loader = ExactLoader(text)
        node = loader.get_single_node()
        if node is None:
            return None
        _once(node, set())
        return loader.construct_document(node)
    except (ValueError, RecursionError) as error:  # a day that no month has, or an alias that holds itself
        raise yaml.YAMLError(str(error)) from None


def _once(node: yaml.Node, seen: set[int]) -> None:
    if id(node) in seen:  # an alias
        return
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _once(item, seen)
    if isinstance(node, yaml.MappingNode):
        lines: dict[str, int] = {}
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                line = key.start_mark.line + 1
                if key.value in lines:
                    problem = f"{key.value} is on line {lines[key.value]} and on line {line}; keep one"
                    raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
                lines[key.value] = line
            _once(value, seen)
