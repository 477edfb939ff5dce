"""Single values of the public tracker's file: what EC2 or CloudWatch would refuse, and what is odd. No AWS in here.

Limits are those of https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetSpotPlacementScores.html. Each
function yields what is to be said of a value, with its place.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from spot_placement_tracker.document import Where
from spot_placement_tracker.requirements import Found, whole

UNITS = ("vcpu", "memory-mib", "units")
MOST_REGIONS, MOST_TYPES, MOST_CAPACITY = 10, 1_000, 2_000_000_000
DIVERSE = 3
"""Fewer types, the page above says, always score low."""
LONGEST_NAME = 180
"""So that a metric's name, which has Region, unit, capacity and zone too, stays below CloudWatch's 255 characters."""

PARTITIONS = {
    "cn-": "aws-cn",
    "us-gov-": "aws-us-gov",
    "us-iso-": "aws-iso",
    "us-isob-": "aws-iso-b",
    "eu-isoe-": "aws-iso-e",
    "us-isof-": "aws-iso-f",
    "eusc-": "aws-eusc",
}
"""How the names of Regions outside of the partition ``aws`` begin, as botocore's partitions.json has them."""

_TYPE = re.compile(r"[a-z0-9-]{1,20}\.[a-z0-9-]{1,20}")
_REGION = re.compile(r"[a-z]{2,4}(-[a-z]+)+-\d")
_NAME = re.compile(r"[ -~]*")


def partition_of(region: str) -> str:
    """The partition of a Region by its name: https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html."""
    return next((name for start, name in PARTITIONS.items() if region.startswith(start)), "aws")


def name_problems(name: Any, at: Where) -> Iterator[Found]:
    """Of a configuration's name."""
    if not isinstance(name, str) or not name.strip():
        quotes = "; put it in quotes" if isinstance(name, int | float) else ""
        yield at, f"must be a text, got {name!r:.60}{quotes}"
    elif len(name) > LONGEST_NAME or name.startswith(":") or not _NAME.fullmatch(name):
        yield at, f"must be at most {LONGEST_NAME} ASCII characters and not begin with ':', as CloudWatch takes it"


def type_problems(value: Any, at: Where) -> Iterator[Found]:
    """Of a list of instance types."""
    if not _is_list(value, MOST_TYPES):
        yield at, f"must be a list of 1 to {MOST_TYPES} instance types, got {value!r:.60}"
        return
    for number, item in enumerate(value):
        if not isinstance(item, str) or not _TYPE.fullmatch(item):
            yield (*at, number), f"must be an instance type such as m7g.large, got {item!r:.60}"


def type_warnings(value: Any, at: Where) -> Iterator[Found]:
    """Of instance types: listed twice, too few, or too few but for those that differ by instance storage alone.

    The user guide counts types by their names, m5.8xlarge and m5a.8xlarge as two; the API's page counts a type with and
    without instance storage as one, so that such a list may be scored low:
    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-placement-score.html#sps-limitations
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetSpotPlacementScores.html
    """
    if not _is_list(value, MOST_TYPES):
        return
    yield from _listed_twice(value, at)
    different = {*map(str, value)}
    if len(different) < DIVERSE:
        yield at, f"lists {len(different)}: EC2 always scores fewer than {DIVERSE} types low"
    elif len(kinds := {*map(_without_storage, different)}) < DIVERSE:
        yield at, f"lists {', '.join(sorted(kinds))} with and without instance storage: EC2 may score them low"


def region_problems(value: Any, at: Where) -> Iterator[Found]:
    """Of a list of Regions."""
    if not _is_list(value, MOST_REGIONS):
        count = f"{len(value)} Regions" if isinstance(value, list) else f"{value!r:.60}"
        yield at, f"must be a list of 1 to {MOST_REGIONS} Regions, which is EC2's limit, got {count}"
        return
    for number, item in enumerate(value):
        if not isinstance(item, str) or not _REGION.fullmatch(item):
            yield (*at, number), f"must be a Region's name such as eu-west-1, got {item!r:.60}"
    found = {partition_of(str(item)) for item in value}
    if len(found) > 1:
        yield at, f"must have Regions of one partition, which an account is of, got {', '.join(sorted(found))}"


def region_warnings(value: Any, at: Where) -> Iterator[Found]:
    """Of Regions: listed twice."""
    if _is_list(value, MOST_REGIONS):
        yield from _listed_twice(value, at)


def capacity_problems(value: Any, at: Where) -> Iterator[Found]:
    """Of a capacity, or a list of them."""
    capacities = several(value)
    if not capacities:
        yield at, "must be a number, or a list of at least one"
    for number, item in enumerate(capacities):
        if not (whole(item) and 1 <= item <= MOST_CAPACITY):
            where = (*at, number) if isinstance(value, list) else at
            yield where, f"must be a whole number from 1 to {MOST_CAPACITY}, got {item!r:.60}"
        elif capacities.index(item) < number:
            yield (*at, number), f"names {item} twice; list each once"


def several(value: Any) -> list[Any]:
    """A list, or the one value that stands for it."""
    return value if isinstance(value, list) else [value]


def _is_list(value: Any, most: int) -> bool:
    return isinstance(value, list) and 1 <= len(value) <= most


def _listed_twice(value: Sequence[Any], at: Where) -> Iterator[Found]:
    for number, item in enumerate(value):
        if value.index(item) < number:
            yield (*at, number), f"{item} is listed twice"


def _without_storage(name: str) -> str:
    """``m5n.large`` of m5dn.large: the d of a family is its instance storage."""
    return re.sub(r"^([a-z]+\d+[a-z]*?)d([a-z-]*\.)", r"\1\2", name)
