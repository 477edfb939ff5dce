"""The file of workloads: every key, and a sentence for whatever is wrong with it."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from capacity_planner.prices import PAYMENTS
from capacity_planner.workload_file import WorkloadsError, read_workloads
from stacks.shared.exact_yaml import load_exact
from tests.variants import ROOT

ENTRY: dict[str, Any] = {"name": "w", "type": "m5.large", "region": "us-east-1", "count": 10}


def problems(*entries: Any) -> str:
    with pytest.raises(WorkloadsError) as raised:
        read_workloads({"workloads": list(entries)})
    return str(raised.value)


def test_what_is_not_said_has_a_default() -> None:
    (found,) = read_workloads({"workloads": [ENTRY]})
    assert (found.months, found.strict, found.payments) == (12, True, PAYMENTS) and found.hours_a_week == 168
    assert found.shape.operation == "RunInstances" and found.shape.tenancy == "default" and not found.zones


def test_everything_may_be_said() -> None:
    text = """
region: eu-central-1
workloads:
- {name: a, type: r6i.4xlarge, platform: Windows with SQL Server Standard, tenancy: dedicated, count: 7,
   zones: [eu-central-1a, eu-central-1b], hours_a_week: 37.5, held_hours_a_week: 40, months: 30, strict: false,
   may_change: [family, lambda], payments: [No Upfront], max_years: 1,
   owned: [{kind: zonal-ri, count: 1, zone: eu-central-1a, ends: 2027-03-31, name: ri-1},
           {kind: compute-sp, commitment: 0.1, ends: 2027-03-31}, {kind: odcr, count: 2, zone: eu-central-1b}]}
"""
    (found,) = read_workloads(load_exact(text))
    assert found.shape.region == "eu-central-1" and found.shape.operation == "RunInstances:0006"
    assert found.zones == {"eu-central-1a": 4, "eu-central-1b": 3}
    assert found.hours_a_week == Decimal("37.5") and found.owned[1].commitment == Decimal("0.1")
    assert found.owned[0].ends == date(2027, 3, 31) and found.owned[2].ends is None


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"name": None}, "name: must be given"),
        ({"count": 0}, "count: must be a whole number from 1 to 100000, got 0"),
        ({"count": True}, "count: must be a whole number"),
        ({"count": "ten"}, "count: must be a whole number"),
        ({"platform": "BeOS"}, "platform: must be one of Linux/UNIX"),
        ({"tenancy": "host"}, "tenancy: must be one of default, dedicated"),
        ({"hours_a_week": 169}, "hours_a_week: must be above 0 and at most 168"),
        ({"hours_a_week": 0}, "hours_a_week: must be above 0"),
        ({"hours_a_week": "many"}, "hours_a_week: must be a number"),
        ({"hours_a_week": 60, "held_hours_a_week": 50}, "held_hours_a_week: must be at least hours_a_week"),
        ({"months": 0}, "months: must be a whole number from 1 to 120"),
        ({"strict": "yes"}, "strict: must be true or false"),
        ({"may_change": ["zone"]}, "may_change: must be a list of family, region, fargate, lambda"),
        ({"payments": []}, "payments: must name at least one"),
        ({"max_years": 2}, "max_years: must be 1 or 3"),
        ({"zones": ["eu-west-1a"]}, "zones: must be Availability Zones of us-east-1, got 'eu-west-1a'"),
        ({"zones": ["us-east-1-lax-1a"]}, "zones: must be Availability Zones of us-east-1"),
        ({"zones": {"us-east-1a": 3}}, "zones: must add up to count, which is 10, got 3"),
        ({"zones": ["us-east-1a", "us-east-1a"]}, "zones: must be different zones"),
        ({"zones": 3}, "zones: must be a list of zones, or a mapping"),
        ({"cuont": 3}, "cuont: unknown key"),
        ({"owned": 3}, "owned: must be a list"),
        ({"owned": [{"kind": "gift"}]}, "owned.0.kind: must be one of regional-ri"),
        ({"owned": [{"kind": "ec2-sp", "ends": "2027-01-01"}]}, "owned.0.commitment: must be a number"),
        ({"owned": [{"kind": "zonal-ri", "count": 1, "ends": "2027-01-01"}]}, "owned.0.zone: must be the Availability"),
        ({"owned": [{"kind": "odcr", "count": 1}]}, "owned.0.zone: must be the Availability Zone of us-east-1"),
        (
            {"owned": [{"kind": "odcr", "count": 1, "zone": "eu-west-1a"}]},
            "owned.0.zone: must be the Availability Zone",
        ),
        ({"owned": [{"kind": "regional-ri", "zone": "us-east-1a"}]}, "owned.0.zone: must not be given for regional-ri"),
        (
            {"owned": [{"kind": "regional-ri", "commitment": 1}]},
            "owned.0.commitment: must not be given for regional-ri",
        ),
        (
            {"owned": [{"kind": "ec2-sp", "count": 3}]},
            "owned.0.count: must not be given for ec2-sp, which has commitment",
        ),
        ({"owned": [{"kind": "compute-sp", "commitment": 0}]}, "owned.0.commitment: must be above 0"),
        ({"owned": [{"kind": "compute-sp", "commitment": 10**7}]}, "owned.0.commitment: must be at most 1000000"),
        ({"owned": [{"kind": "odcr", "name": 7}]}, "owned.0.name: must be a text, got 7"),
        ({"zones": {"us-east-1a": True}, "count": 1}, "zones: must be a list of zones, or a mapping"),
        ({"owned": [{"kind": "regional-ri", "count": 1}]}, "owned.0.ends: must be the day it ends"),
        ({"owned": [{"kind": "odcr", "count": 1, "end": 1}]}, "owned.0.end: must not be given for odcr"),
    ],
)
def test_a_wrong_value_gets_a_sentence_with_its_place(changes: dict[str, Any], says: str) -> None:
    assert f"workloads.0.{says}" in problems({**ENTRY, **changes})


def test_everything_wrong_is_said_at_once() -> None:
    said = problems({**ENTRY, "count": 0, "months": 0}, {**ENTRY, "name": "w"}, "text")
    assert len(said.splitlines()) == 4
    assert "workloads.1.name: must not be used twice" in said and "workloads.2.name: must be a mapping" in said


@pytest.mark.parametrize("data", [None, [], {}, {"workloads": []}, {"workloads": {}}])
def test_what_is_no_list_of_workloads_is_refused(data: Any) -> None:
    with pytest.raises(WorkloadsError, match="a list of workloads"):
        read_workloads(data)


def test_a_region_is_needed_somewhere() -> None:
    entry = {key: value for key, value in ENTRY.items() if key != "region"}
    assert "workloads.0.region: must be given" in problems(entry)
    assert read_workloads({"workloads": [entry]}, "eu-west-1")[0].shape.region == "eu-west-1"


def test_the_shipped_workloads_are_read() -> None:
    text = (ROOT / "config/capacity_workloads.yaml").read_text(encoding="utf-8")
    assert len(read_workloads(load_exact(text))) == 6


def test_a_time_is_its_day() -> None:
    """YAML makes a time of it, which no day can be compared with."""
    text = "{kind: regional-ri, count: 1, ends: 2027-05-31T00:00:00Z}"
    (found,) = read_workloads({"workloads": [{**ENTRY, "owned": [load_exact(text)]}]})
    assert found.owned[0].ends == date(2027, 5, 31) and type(found.owned[0].ends) is date
