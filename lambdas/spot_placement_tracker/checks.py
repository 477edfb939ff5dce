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
from spot_placement_tracker.values import (
    UNITS,
    capacity_problems,
    name_problems,
    region_problems,
    region_warnings,
    several,
    type_problems,
    type_warnings,
)

WIDTH, HEIGHT = 24, 6
"""Of a graph, where the file says nothing: as the public tracker's code has it. Its page says 6 by 6."""
DASHBOARD_KEYS = ("Dashboard", "DefaultWidgetHeight", "DefaultWidgetWidth", "Sps")
SHAPES = ("InstanceTypes", "InstanceRequirementsWithMetadata")
KEYS = (
    "ConfigurationName", *SHAPES, "RegionNames", "SingleAvailabilityZone", "TargetCapacity", "TargetCapacityUnitType",
    "AlarmBelowScore", "IncludeLocalZones",
)  # fmt: skip
OPTIONAL = ("AlarmBelowScore", "IncludeLocalZones")

_DASHBOARD = re.compile(r"[A-Za-z0-9_-]{1,255}")


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
    """Collects problems and warnings while it reads."""

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
            self.problems += name_problems(value.get("ConfigurationName"), (*at, "ConfigurationName"))
        shape = self._shape(value, at)
        if "RegionNames" in value:
            self.problems += region_problems(value["RegionNames"], (*at, "RegionNames"))
            self.warnings += region_warnings(value["RegionNames"], (*at, "RegionNames"))
        if "TargetCapacity" in value:
            self.problems += capacity_problems(value["TargetCapacity"], (*at, "TargetCapacity"))
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
        for capacity in several(value["TargetCapacity"]):
            yield Question(
                name=value["ConfigurationName"],
                shape=shape,
                regions=tuple(value["RegionNames"]),
                single_zone=bool(single),
                unit=str(unit),
                capacity=capacity,
                alarm_below=below,
                local_zones=local,
            )

    def _shape(self, value: Mapping[str, Any], at: Where) -> dict[str, Any]:
        present = [key for key in SHAPES if key in value]
        if len(present) != 1:
            says = "has both InstanceTypes and InstanceRequirementsWithMetadata; EC2 takes one, remove the other"
            none = "needs InstanceTypes or InstanceRequirementsWithMetadata"
            self.problems.append((at, says if present else none))
            return {}
        (key,) = present
        if key == "InstanceTypes":
            self.problems += type_problems(value[key], (*at, key))
            self.warnings += type_warnings(value[key], (*at, key))
        else:
            self.problems += [((*at, key, *where), says) for where, says in problems(value[key])]
        return {key: value[key]}

    def _between(self, value: Mapping[str, Any], key: str, low: int, high: int, default: int, at: Where) -> int:
        number = value.get(key, default)
        if not (whole(number) and low <= number <= high):
            self.problems.append(((*at, key), f"must be a whole number from {low} to {high}, got {number!r:.60}"))
            return default
        return int(number)

    def _unknown(self, value: Mapping[Any, Any], known: tuple[str, ...], at: Where) -> None:
        """Only a warning: the public tracker takes files with any keys besides."""
        self.warnings += [((*at, *where), f"{says}; it has no effect") for where, says in unknown(value, known)]

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
