"""What a solution bills in a month in which nothing happens, in the units of the price list."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path

import yaml

from shared.money import HOURS as HOURS
from shared.money import amount
from stacks.shared.exact_yaml import load_exact
from stacks.shared.files import UnreadableError, read_text

UNITS = frozenset(
    {
        "advanced_parameter_month",
        "alarm_month",
        "application_load_balancer_hour",
        "codebuild_build",
        "custom_metric_month",
        "dashboard_month",
        "get_metric_data_metric",
        "gp2_gib_month",
        "gp3_gib_month",
        "interface_endpoint_hour",
        "kms_key_month",
        "lambda_request",
        "metrics_insights_alarm_month",
        "nat_gateway_hour",
        "on_demand_instance_hour",
        "public_ipv4_hour",
        "put_metric_data_request",
        "scheduler_invocation",
        "secret_month",
        "service_control_policy_month",
        "snapshot_gib_month",
        "spot_instance_hour",
        "sqs_request",
    }
)
"""All units but those of an instance type; ``on_demand_instance_hour`` is of whatever type EC2 chooses."""

OF_A_TYPE = re.compile(r"on_demand_hour_(windows_)?[a-z][a-z0-9_]*_[a-z0-9]+")
MINUTES = HOURS * 60


class PriceError(Exception):
    """The price file is unusable; the message is meant for the user."""


@dataclass(frozen=True)
class BillingUnit:
    """A quantity of a billed unit in an idle month.

    Attributes:
        unit: key of the price file, for example ``nat_gateway_hour``.
        quantity: units a month.
        of: what of the solution uses them.
    """

    unit: str
    quantity: float | Decimal
    of: str

    def money(self, prices: Mapping[str, Decimal]) -> Decimal | None:
        """What it costs at these prices, not rounded; None if they do not name the unit."""
        return None if self.unit not in prices else amount(self.quantity) * prices[self.unit]


def instance_hours(kind: str, quantity: float, of: str, *, system: str = "") -> BillingUnit:
    """Hours of On-Demand instances of one type: each type has a price, so each has a unit of its own.

    Args:
        system: an operating system that is billed in addition, as Windows is.
    """
    return BillingUnit("_".join(filter(None, ["on_demand_hour", system, re.sub("[^a-z0-9]", "_", kind)])), quantity, of)


def read_prices(path: Path) -> dict[str, Decimal]:
    """Reads a price file: YAML, ``unit: price of one``, in whatever currency its owner uses. A unit may lack a price.

    Raises:
        PriceError: the file cannot be read, names a unit twice or one that nothing bills, or a
            price is not a number of at least 0.
    """
    try:
        node = yaml.compose(text := read_text(path), Loader=yaml.SafeLoader)
        if isinstance(node, yaml.MappingNode) and (twice := list(_twice(node))):
            raise PriceError("\n".join(f"{path}: {problem}" for problem in twice))
        data = load_exact(text)
    except UnreadableError as error:
        raise PriceError(str(error)) from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise PriceError(f"{path}:{line}: is not valid YAML: {error.problem}") from None
    except (yaml.YAMLError, ValueError, RecursionError):
        raise PriceError(f"{path} is not a valid price file; write lines such as 'nat_gateway_hour: 0.05'") from None
    if not isinstance(data, dict):
        raise PriceError(f"{path} must be a mapping of units to prices, for example 'nat_gateway_hour: 0.05'")
    if problems := [*_unknown(data), *_unusable(data)]:
        raise PriceError("\n".join(f"{path}: {problem}" for problem in problems))
    return {str(unit): amount(price) for unit, price in data.items() if price is not None}


def _twice(node: yaml.MappingNode) -> Iterator[str]:
    first: dict[str, int] = {}
    for key, _ in node.value:
        line = key.start_mark.line + 1
        if key.value in first:
            yield f"{key.value}: is on line {first[key.value]} and on line {line}; keep one"
        first.setdefault(str(key.value), line)


def _unusable(data: Mapping[object, object]) -> Iterator[str]:
    for unit, price in data.items():
        if price is None:
            continue
        if isinstance(price, str):
            yield f"{unit}: must be a number of at least 0, got {price!r}"
            continue
        try:
            amount(price)
        except ValueError as error:
            yield f"{unit}: {error}"


def _unknown(prices: Mapping[object, object]) -> Iterator[str]:
    for unit in map(str, prices):
        if unit not in UNITS and not OF_A_TYPE.fullmatch(unit):
            close = get_close_matches(unit, sorted(UNITS), n=1)
            hint = f"did you mean {close[0]!r}?" if close else "'python -m stacks cost --units' lists them"
            yield f"{unit}: is not a unit of these solutions; {hint}"
