"""What is tracked: dashboards, their questions to EC2, and the series of their answers. No AWS in here.

Names and dimensions of the metrics are those of the public tracker, whose history goes on:
https://github.com/aws-solutions-library-samples/guidance-for-ec2-spot-placement-score-tracker
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from shared.placement_scores import Score

Json = dict[str, Any]


@dataclass(frozen=True, order=True)
class Place:
    """A Region, or one of its zones.

    Attributes:
        zone_id: empty for the whole Region.
    """

    region: str
    zone_id: str = ""

    def __str__(self) -> str:
        return f"{self.region} {self.zone_id}".strip()


@dataclass(frozen=True)
class Series:
    """One metric: a question's score in one place."""

    name: str
    dimensions: Mapping[str, str]

    def datum(self, value: float) -> Json:
        """A value of the series, as PutMetricData takes it."""
        dimensions = [{"Name": name, "Value": value} for name, value in self.dimensions.items()]
        return {"MetricName": self.name, "Dimensions": dimensions, "Unit": "Count", "Value": value}

    def query(self, query_id: str, period: int, statistic: str) -> Json:
        """The series as GetMetricData takes it, but for the namespace."""
        dimensions = [{"Name": name, "Value": value} for name, value in self.dimensions.items()]
        metric = {"MetricName": self.name, "Dimensions": dimensions}
        return {"Id": query_id, "MetricStat": {"Metric": metric, "Period": period, "Stat": statistic}}


@dataclass(frozen=True)
class Question:
    """One request of GetSpotPlacementScores.

    Attributes:
        shape: ``InstanceTypes`` or ``InstanceRequirementsWithMetadata``, and its value.
        alarm_below: the score that at least one place should have; None: no alarm.
        local_zones: whether Local Zones count too; None: as EC2 has it, and as the public tracker asks.
    """

    name: str
    shape: Mapping[str, Any]
    regions: tuple[str, ...]
    single_zone: bool
    unit: str
    capacity: int
    alarm_below: int | None = None
    local_zones: bool | None = None

    @property
    def title(self) -> str:
        """What people call it."""
        return f"{self.name}-{self.unit}-{self.capacity}"

    def request(self) -> Json:
        """Parameters of the call: what the public tracker sends, to the letter.

        EC2 takes only so many new questions a day, and no page says which change makes a question a new one. So
        nothing is sorted, completed or cleaned: not even a type that the file names twice.
        """
        return {
            "TargetCapacity": self.capacity,
            **self.shape,
            "TargetCapacityUnitType": self.unit,
            "SingleAvailabilityZone": self.single_zone,
            "RegionNames": list(self.regions),
            **({} if self.local_zones is None else {"IncludeLocalZones": self.local_zones}),
        }

    @cached_property
    def workload(self) -> str:
        """The same for questions that differ in nothing but their capacity."""
        asked = [self.name, self.shape, self.regions, self.single_zone, self.unit, self.local_zones]
        return json.dumps(asked, sort_keys=True)

    @cached_property
    def key(self) -> str:
        """The same for the same question of the same name, on however many dashboards it is."""
        return json.dumps([self.name, self.request()], sort_keys=True)

    def places(self, zones: Iterable[Place] = ()) -> list[Place]:
        """Where its scores are: its Regions, or those of the known zones that belong to them.

        Args:
            zones: as ``zones_of`` found them.
        """
        regions = list(dict.fromkeys(self.regions))
        if not self.single_zone:
            return [Place(region) for region in regions]
        return sorted((zone for zone in zones if zone.region in regions), key=lambda z: (regions.index(z.region), z))

    def series(self, place: Place) -> Series:
        """The series of its score in a place."""
        dimensions = {
            "Region": place.region,
            "DiversificationName": self.name,
            "UnitType": self.unit,
            "TargetCapacity": str(self.capacity),
        }
        name = f"{self.name}-{place.region}-{self.unit}-{self.capacity}"
        if not place.zone_id:
            return Series(name, dimensions)
        return Series(f"{name}-{place.zone_id}", {**dimensions, "AvailabilityZoneId": place.zone_id})

    def data(self, scores: Iterable[Score]) -> list[Json]:
        """The scores as PutMetricData takes them."""
        return [self.series(Place(score.region, score.zone_id)).datum(float(score.score)) for score in scores]

    def missed(self, scores: Sequence[Score]) -> bool:
        """Whether no place reaches the score below which an alarm rings."""
        return self.alarm_below is not None and max((each.score for each in scores), default=0) < self.alarm_below

    def zones_of(self, metrics: Iterable[Mapping[str, str]]) -> list[Place]:
        """The zones that were ever scored for it.

        Args:
            metrics: the dimensions of each metric of the namespace.
        """
        wanted = {"DiversificationName": self.name, "UnitType": self.unit, "TargetCapacity": str(self.capacity)}
        return sorted(
            {
                Place(each["Region"], each["AvailabilityZoneId"])
                for each in metrics
                if "AvailabilityZoneId" in each and "Region" in each and wanted.items() <= each.items()
            }
        )

    def to_json(self) -> Json:
        """Everything about it as JSON knows it."""
        known = {name: getattr(self, name) for name in type(self).__dataclass_fields__}
        return {**known, "shape": dict(self.shape), "regions": list(self.regions)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Question":
        """The question of ``to_json``."""
        known = {name: value[name] for name in cls.__dataclass_fields__ if name in value}  # an older plan has fewer
        return cls(**{**known, "regions": tuple(value["regions"])})


@dataclass(frozen=True)
class Dashboard:
    """One dashboard of the file.

    Attributes:
        width, height: of each graph, in units of CloudWatch's grid of 24 columns.
    """

    name: str
    width: int
    height: int
    questions: tuple[Question, ...]

    def to_json(self) -> Json:
        """Everything about it as JSON knows it."""
        return {**vars(self), "questions": [question.to_json() for question in self.questions]}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Dashboard":
        """The dashboard of ``to_json``."""
        questions = tuple(Question.from_json(each) for each in value["questions"])
        return cls(str(value["name"]), int(value["width"]), int(value["height"]), questions)


def questions_of(dashboards: Iterable[Dashboard]) -> list[Question]:
    """Every question once, in the order of the file: one on two dashboards is asked once."""
    return list({each.key: each for dashboard in dashboards for each in dashboard.questions}.values())


def workloads(questions: Iterable[Question]) -> Iterator[list[Question]]:
    """The questions that differ in nothing but their capacity, each group from the smallest to the largest."""
    found: dict[str, list[Question]] = {}
    for question in questions:
        found.setdefault(question.workload, []).append(question)
    for group in found.values():
        yield sorted(group, key=lambda question: question.capacity)
