"""The Spot placement score: the question for the configured shape, and its answer. No AWS in here.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-placement-score.html and
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetSpotPlacementScores.html
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stacks.spot_asg.settings import SpotAsgSettings


@dataclass(frozen=True)
class Score:
    """How likely a request succeeds in a Region, or in one of its zones: 1 to 10."""

    region: str
    zone_id: str
    score: int

    def data(self, zone_names: Mapping[str, str]) -> dict[str, object]:
        """The score as JSON knows it."""
        zone = {"zone_id": self.zone_id, "zone": zone_names.get(self.zone_id)} if self.zone_id else {}
        return {"region": self.region, **zone, "score": self.score}


def question(settings: SpotAsgSettings, capacity: int, regions: Sequence[str], *, single_zone: bool) -> dict[str, Any]:
    """Returns the parameters of GetSpotPlacementScores: always the same for the same settings.

    EC2 counts every new question, so the Regions are sorted and nothing changes with the day.
    """
    asked: dict[str, Any] = {
        "TargetCapacity": capacity,
        "TargetCapacityUnitType": "units",
        "SingleAvailabilityZone": single_zone,
    }
    if regions:
        asked["RegionNames"] = sorted(regions)
    if settings.types:
        asked["InstanceTypes"] = list(settings.types)
    else:
        asked["InstanceRequirementsWithMetadata"] = {
            "ArchitectureTypes": [settings.architecture],
            "VirtualizationTypes": ["hvm"],
            "InstanceRequirements": settings.attributes.requirements(settings.generations),
        }
    return asked


def scores(pages: Iterable[Mapping[str, Any]]) -> list[Score]:
    """Returns the scores of all pages, the best first, those of the same score by name."""
    found = [
        Score(item["Region"], item.get("AvailabilityZoneId", ""), int(item["Score"]))
        for page in pages
        for item in page["SpotPlacementScores"]
    ]
    return sorted(found, key=lambda score: (-score.score, score.region, score.zone_id))
