"""YAML whose numbers keep what is written: 0.1 is a decimal number, and never passes through a float."""

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
        yaml.YAMLError: it is not valid YAML.
    """
    return yaml.load(text, Loader=ExactLoader)  # noqa: S506 (a safe loader)
