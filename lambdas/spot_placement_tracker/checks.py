"""The public tracker's file: what it says, and everything that is wrong with it at once. No AWS in here.

Its format is the one of
https://github.com/aws-solutions-library-samples/guidance-for-ec2-spot-placement-score-tracker, which checks nothing but
that keys are there. ``TargetCapacity`` may also be a list, ``AlarmBelowScore`` is ours, ``IncludeLocalZones`` EC2's.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from spot_placement_tracker.document import Document, NotYamlError, Where, parse
from spot_placement_tracker.questions import Dashboard, Place, Question
from spot_placement_tracker.requirements import Found, problems, unknown, whole

UNITS = ("vcpu", "memory-mib", "units")
WIDTH, HEIGHT = 24, 6
"""Of a graph, where the file says nothing: as the public tracker's code has it. Its page says 6 by 6."""
MOST_REGIONS, MOST_TYPES, MOST_CAPACITY = 10, 1_000, 2_000_000_000
"""https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetSpotPlacementScores.html"""
DIVERSE = 3
"""Fewer types, the page above says, always score low."""
LONGEST_NAME = 180
"""So that a metric's name, which has Region, unit, capacity and zone too, stays below CloudWatch's 255 characters."""
DASHBOARD_KEYS = ("Dashboard", "DefaultWidgetHeight", "DefaultWidgetWidth", "Sps")
SHAPES = ("InstanceTypes", "InstanceRequirementsWithMetadata")
KEYS = (
    "ConfigurationName", *SHAPES, "RegionNames", "SingleAvailabilityZone", "TargetCapacity", "TargetCapacityUnitType",
    "AlarmBelowScore", "IncludeLocalZones",
)  # fmt: skip
OPTIONAL = ("AlarmBelowScore", "IncludeLocalZones")

_DASHBOARD = re.compile(r"[A-Za-z0-9_-]{1,255}")
_TYPE = re.compile(r"[a-z0-9-]{1,20}\.[a-z0-9-]{1,20}")
_REGION = re.compile(r"[a-z]{2,4}(-[a-z]+)+-\d")
_NAME = re.compile(r"[ -~]*")


def _variation(name: str) -> str:
    """``m5.large`` of m5d.large and m5dn.large: "m5.8xlarge and m5a.8xlarge are variations of one type" to EC2.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetSpotPlacementScores.html
    """
    return re.sub(r"^([a-z]+\d+)[a-z-]*\.", r"\1.", name)


@dataclass(frozen=True)
class Reading:
    """What a file says.

    Attributes:
        dashboards: of a file without problems; empty otherwise.
        problems: what must be corrected, each with its line and key.
        warnings: what works and is hardly meant, likewise.
    """

    dashboards: tuple[Dashboard, ...] = ()
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def read(text: str) -> Reading:
    """Reads a file, whatever it is."""
    try:
        document = parse(text)
    except NotYamlError as error:
        return Reading(problems=(str(error),))
    checked = _Check(document)
    dashboards = checked.file(document.value)
    wrong = checked.told(checked.problems)
    return Reading(() if wrong else dashboards, wrong, checked.told(checked.warnings))


@dataclass
class _Check:
    """Collects what is to be said while it reads."""

    document: Document
    problems: list[Found] = field(default_factory=list)
    warnings: list[Found] = field(default_factory=list)

    def told(self, found: Sequence[Found]) -> tuple[str, ...]:
        """In the order of the lines."""
        lines = sorted((self.document.line(where), number, where, says) for number, (where, says) in enumerate(found))
        return tuple(f"{line}: {'.'.join(map(str, where)) or 'the file'}: {says}" for line, _, where, says in lines)

    def file(self, value: Any) -> tuple[Dashboard, ...]:
        """Returns the dashboards that can be understood."""
        self.problems += [(where, "is here twice; keep one") for where in self.document.twice]
        if not isinstance(value, list) or not value:
            self.problems.append(((), "must be a list of dashboards, each with the keys Dashboard and Sps"))
            return ()
        found = [each for number, item in enumerate(value) if (each := self._dashboard(item, (number,)))]
        self._names_once(value)
        self._series_once(found)
        return tuple(dashboard for dashboard, _ in found)

    def _dashboard(self, value: Any, at: Where) -> tuple[Dashboard, list[Where]] | None:
        if not isinstance(value, dict):
            self.problems.append((at, f"must be a mapping with the keys Dashboard and Sps, got {value!r:.60}"))
            return None
        self._unknown(value, DASHBOARD_KEYS, at)
        name = value.get("Dashboard")
        if not isinstance(name, str) or not _DASHBOARD.fullmatch(name):
            says = f"must be the dashboard's name, of letters, digits, - and _, got {name!r:.60}"
            self.problems.append(((*at, "Dashboard"), says))
        width = self._between(value, "DefaultWidgetWidth", 1, 24, WIDTH, at)
        height = self._between(value, "DefaultWidgetHeight", 1, 1_000, HEIGHT, at)
        listed = value.get("Sps")
        if not isinstance(listed, list) or not listed:
            self.problems.append(((*at, "Sps"), "must be a list of at least one configuration"))
            return None
        questions: list[Question] = []
        places: list[Where] = []
        for number, item in enumerate(listed):
            found = list(self._configuration(item, (*at, "Sps", number)))
            questions += found
            places += [(*at, "Sps", number)] * len(found)
        return Dashboard(str(name), width, height, tuple(questions)), places

    def _configuration(self, value: Any, at: Where) -> Iterator[Question]:
        """Yields a question for each capacity, if the configuration has no problem."""
        if not isinstance(value, dict):
            self.problems.append((at, f"must be a mapping of a configuration, got {value!r:.60}"))
            return
        before = len(self.problems)
        self._unknown(value, KEYS, at)
        for key in KEYS:
            if key not in (*SHAPES, *OPTIONAL) and key not in value:
                self.problems.append(((*at, key), "is required and missing"))
        if len(self.problems) == before or "ConfigurationName" in value:
            self._name(value.get("ConfigurationName"), (*at, "ConfigurationName"))
        shape = self._shape(value, at)
        regions = self._regions(value["RegionNames"], (*at, "RegionNames")) if "RegionNames" in value else ()
        capacities = (
            self._capacities(value["TargetCapacity"], (*at, "TargetCapacity")) if "TargetCapacity" in value else []
        )
        unit, single = value.get("TargetCapacityUnitType"), value.get("SingleAvailabilityZone")
        if "TargetCapacityUnitType" in value and unit not in UNITS:
            says = f"must be one of {', '.join(UNITS)}, got {unit!r:.60}"
            self.problems.append(((*at, "TargetCapacityUnitType"), says))
        if "SingleAvailabilityZone" in value and not isinstance(single, bool):
            self.problems.append(((*at, "SingleAvailabilityZone"), f"must be True or False, got {single!r:.60}"))
        local = value.get("IncludeLocalZones")
        if local is not None and not isinstance(local, bool):
            self.problems.append(((*at, "IncludeLocalZones"), f"must be True or False, got {local!r:.60}"))
        below = value.get("AlarmBelowScore")
        if below is not None and not (whole(below) and 1 < below <= 10):
            says = f"must be a score from 2 to 10, or null for no alarm, got {below!r:.60}"
            self.problems.append(((*at, "AlarmBelowScore"), says))
        if len(self.problems) > before:
            return
        for capacity in capacities:
            yield Question(
                name=value["ConfigurationName"],
                shape=shape,
                regions=tuple(regions),
                single_zone=bool(single),
                unit=str(unit),
                capacity=capacity,
                alarm_below=below,
                local_zones=local,
            )

    def _name(self, name: Any, at: Where) -> None:
        if not isinstance(name, str) or not name.strip():
            quotes = "; put it in quotes" if isinstance(name, int | float) else ""
            self.problems.append((at, f"must be a text, got {name!r:.60}{quotes}"))
        elif len(name) > LONGEST_NAME or name.startswith(":") or not _NAME.fullmatch(name):
            says = f"must be at most {LONGEST_NAME} ASCII characters and not begin with ':', as CloudWatch takes it"
            self.problems.append((at, says))

    def _shape(self, value: Mapping[str, Any], at: Where) -> dict[str, Any]:
        present = [key for key in SHAPES if key in value]
        if len(present) != 1:
            says = "has both InstanceTypes and InstanceRequirementsWithMetadata; EC2 takes one, remove the other"
            none = "needs InstanceTypes or InstanceRequirementsWithMetadata"
            self.problems.append((at, says if present else none))
            return {}
        (key,) = present
        if key == "InstanceTypes":
            self._types(value[key], (*at, key))
        else:
            self.problems += [((*at, key, *where), says) for where, says in problems(value[key])]
        return {key: value[key]}

    def _types(self, value: Any, at: Where) -> None:
        if not isinstance(value, list) or not 1 <= len(value) <= MOST_TYPES:
            self.problems.append((at, f"must be a list of 1 to {MOST_TYPES} instance types, got {value!r:.60}"))
            return
        for number, item in enumerate(value):
            if not isinstance(item, str) or not _TYPE.fullmatch(item):
                self.problems.append(((*at, number), f"must be an instance type such as m7g.large, got {item!r:.60}"))
        self._warn_twice(value, at)
        if len(set(map(str, value))) >= DIVERSE and len(kinds := {_variation(str(item)) for item in value}) == 1:
            (kind,) = kinds
            self.warnings.append((at, f"lists variations of {kind}: EC2 scores them as one type, and always low"))
        if len(set(map(str, value))) < DIVERSE:
            says = f"lists {len(set(map(str, value)))}: EC2 always scores fewer than {DIVERSE} types low"
            self.warnings.append((at, says))

    def _regions(self, value: Any, at: Where) -> list[str]:
        if not isinstance(value, list) or not 1 <= len(value) <= MOST_REGIONS:
            count = f"{len(value)} Regions" if isinstance(value, list) else f"{value!r:.60}"
            self.problems.append(
                (at, f"must be a list of 1 to {MOST_REGIONS} Regions, which is EC2's limit, got {count}")
            )
            return []
        for number, item in enumerate(value):
            if not isinstance(item, str) or not _REGION.fullmatch(item):
                says = f"must be a Region's name such as eu-west-1, got {item!r:.60}"
                self.problems.append(((*at, number), says))
        if 0 < sum(str(item).startswith("cn-") for item in value) < len(value):
            self.problems.append((at, "must not have Regions of China and others; they are different partitions"))
        self._warn_twice(value, at)
        return [str(item) for item in value]

    def _capacities(self, value: Any, at: Where) -> list[int]:
        capacities = value if isinstance(value, list) else [value]
        if not capacities:
            self.problems.append((at, "must be a number, or a list of at least one"))
        for number, item in enumerate(capacities):
            if not (whole(item) and 1 <= item <= MOST_CAPACITY):
                where = (*at, number) if isinstance(value, list) else at
                self.problems.append((where, f"must be a whole number from 1 to {MOST_CAPACITY}, got {item!r:.60}"))
            elif capacities.index(item) < number:
                self.problems.append(((*at, number), f"names {item} twice; list each once"))
        return capacities

    def _between(self, value: Mapping[str, Any], key: str, low: int, high: int, default: int, at: Where) -> int:
        number = value.get(key, default)
        if not (whole(number) and low <= number <= high):
            self.problems.append(((*at, key), f"must be a whole number from {low} to {high}, got {number!r:.60}"))
            return default
        return int(number)

    def _unknown(self, value: Mapping[Any, Any], known: tuple[str, ...], at: Where) -> None:
        """Only a warning: the public tracker takes files with any keys besides."""
        self.warnings += [((*at, *where), f"{says}; it has no effect") for where, says in unknown(value, known)]

    def _warn_twice(self, value: Sequence[Any], at: Where) -> None:
        for number, item in enumerate(value):
            if value.index(item) < number:
                self.warnings.append(((*at, number), f"{item} is listed twice"))

    def _names_once(self, value: Sequence[Any]) -> None:
        names = [item.get("Dashboard") if isinstance(item, dict) else None for item in value]
        for number, name in enumerate(names):
            if isinstance(name, str) and names.index(name) < number:
                at = (number, "Dashboard")
                self.problems.append((at, f"a dashboard {name!r} is here already; they would overwrite each other"))

    def _series_once(self, found: Sequence[tuple[Dashboard, list[Where]]]) -> None:
        """Refuses two configurations that publish under one name; the same one twice is asked once."""
        publishers: dict[tuple[str, str, int, bool, str], tuple[Question, int]] = {}
        for dashboard, places in found:
            for question, at in zip(dashboard.questions, places, strict=True):
                for place in [Place(region) for region in dict.fromkeys(question.regions)]:
                    key = (question.name, question.unit, question.capacity, question.single_zone, place.region)
                    first, line = publishers.setdefault(key, (question, self.document.line(at)))
                    if (first.shape, first.local_zones) != (question.shape, question.local_zones):
                        other = "instance types" if first.shape != question.shape else "IncludeLocalZones"
                        says = (
                            f"{question.title!r} is in line {line} already, with other {other}: both would be "
                            f"one metric in {place}; give one another name"
                        )
                        self.problems.append(((*at, "ConfigurationName"), says))
                        break
