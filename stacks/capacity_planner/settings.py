"""Section ``solutions.capacity_planner`` of config/config.yaml."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import Field

from capacity_planner.price_file import PricesError, read_prices
from capacity_planner.price_source import ENDPOINTS, partition_of
from capacity_planner.prices import Prices
from config.models import CommonSettings, Problem, SolutionSettings, common_rule, rule
from config.types import FilePath, MetricNamespace, path_problem, repeated
from stacks.shared.exact_yaml import load_exact
from stacks.shared.files import UnreadableError, read_text

ROOT = Path(__file__).parents[2]
Change = Literal["family", "region", "fargate", "lambda"]


class CapacityPlannerSettings(SolutionSettings):
    """Options to reserve and pay for EC2 capacity, compared, and a daily report on the account's reservations."""

    every_hours: Annotated[int, Field(ge=1, le=24)] = 24
    """Hours between two looks at the account, and also the hours that a look measures."""
    notice_days: Annotated[int, Field(ge=1, le=365)] = 45
    """Days before its end from which a reservation, Reserved Instance or Savings Plan is reported."""
    price_days: Annotated[int, Field(ge=1, le=90)] = 7
    """Days after which the prices in the bucket are read again."""
    price_file: FilePath | None = None
    """YAML file of prices to use instead of AWS's, by its path below the repository. null: the Price List and
    Savings Plans APIs are called."""
    hours_a_week: Annotated[int, Field(ge=1, le=168)] = 168
    """Hours a week that running instances are assumed to run."""
    months: Annotated[int, Field(ge=1, le=120)] = 12
    """Months that running instances are assumed to be needed."""
    strict: bool = True
    """true: the capacity of running instances must be reserved, even if other options cost less."""
    may_change: tuple[Change, ...] = ()
    """What may change about the running instances within these months: family, region, fargate, lambda."""
    alarm_wasted_hours: Annotated[int, Field(ge=0, le=1_000_000)] = 24
    """Reserved but unused instance-hours in one look above which an alarm goes off."""
    report_days: Annotated[int, Field(ge=1, le=3_650)] = 400
    """Days that reports stay in the bucket."""
    metric_namespace: MetricNamespace = "Capacity Planner"
    """CloudWatch namespace of the metrics; not AWS/..., which is for AWS services."""

    def prices(self) -> Prices | None:
        """The prices of the file, if there is one.

        Raises:
            UnreadableError: it cannot be read.
            PricesError: it is not a valid price file.
        """
        return None if self.price_file is None else read_price_file(ROOT / self.price_file)

    @rule
    def _no_change_twice(self) -> Iterator[Problem]:
        for index in repeated(self.may_change):
            yield Problem(("may_change", index), "must not be listed twice; remove one")

    @rule
    def _price_file_is_valid(self) -> Iterator[Problem]:
        if self.price_file is None:
            return
        if problem := path_problem(self.price_file):
            yield Problem("price_file", problem)
            return
        try:
            self.prices()
        except UnreadableError as error:
            yield Problem("price_file", f"must name a file that can be read; {error}")
        except PricesError as error:
            for line in str(error).splitlines():
                yield Problem("price_file", f"must name a valid price file; {line}")

    @common_rule
    def _prices_are_there(self, common: CommonSettings) -> Iterator[Problem]:
        partition = partition_of(common.region) if common.region else "aws"
        if partition not in ENDPOINTS and self.price_file is None:
            yield Problem(
                "price_file", f"must name a price file in {partition}, which has no Price List; write and name one"
            )


def read_price_file(path: Path) -> Prices:
    """The prices of a YAML or JSON file.

    Raises:
        UnreadableError: it cannot be read.
        PricesError: it is not a valid price file.
    """
    try:
        data = load_exact(read_text(path))
    except yaml.YAMLError as error:
        raise PricesError(f"is not valid YAML: {getattr(error, 'problem', error)}") from None
    return read_prices(data)
