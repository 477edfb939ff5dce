"""Price file X and workloads of the acceptance cases; all prices are invented."""

from datetime import date
from pathlib import Path
from typing import Any

from capacity_planner.options import Option
from capacity_planner.planning import Planned, WorkloadPlan, plan
from capacity_planner.prices import Prices
from capacity_planner.workload_file import read_workloads
from capacity_planner.workloads import Workload
from stacks.capacity_planner.settings import read_price_file

TODAY = date(2026, 11, 25)
X = read_price_file(Path(__file__).parent / "price_files" / "x.yaml")
"""m5.large Linux: On-Demand and unused 0.10; Compute SP 0.075; EC2 SP 0.065; RI 1 year Partial 262.80 + 0.03/h."""


def workload(**changes: Any) -> Workload:
    """Ten m5.large in two zones."""
    given = {"name": "w", "type": "m5.large", "count": 10, "zones": ["us-east-1a", "us-east-1b"], **changes}
    (read,) = read_workloads({"region": "us-east-1", "workloads": [given]})
    return read


def planned(prices: Prices = X, **changes: Any) -> WorkloadPlan:
    """The plan of such a workload."""
    (found,) = plan([workload(**changes)], prices, TODAY).workloads
    return found


def stage(prices: Prices = X, **changes: Any) -> Planned:
    """Its only stage."""
    (found,) = planned(prices, **changes).stages
    return found


def option(kind: str, prices: Prices = X, **changes: Any) -> Option:
    """Its only priced option of a kind."""
    priced = [each for each in planned(prices, **changes).compared if each.offer.kind == kind]
    (found,) = [each for each in priced if isinstance(each, Option)]
    return found
