"""Spot placement scores as EC2 answers them. No AWS in here.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetSpotPlacementScores.html
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

TOO_MANY_QUESTIONS = "MaxConfigLimitExceeded"
"""The error of a new question beyond those that EC2 takes in 24 hours; one that was asked in that time is answered."""


@dataclass(frozen=True)
class Score:
    """How likely a request succeeds in a Region, or in one of its zones: 1 to 10.

    Attributes:
        zone_id: of the zone, for example euw1-az2; empty for a whole Region.
    """

    region: str
    zone_id: str
    score: int

    def data(self, zone_names: Mapping[str, str]) -> dict[str, object]:
        """The score as JSON knows it."""
        zone = {"zone_id": self.zone_id, "zone": zone_names.get(self.zone_id)} if self.zone_id else {}
        return {"region": self.region, **zone, "score": self.score}


def scores(pages: Iterable[Mapping[str, Any]]) -> list[Score]:
    """Returns the scores of all pages, the best first, those of the same score by name."""
    found = [
        Score(item["Region"], item.get("AvailabilityZoneId", ""), int(item["Score"]))
        for page in pages
        for item in page["SpotPlacementScores"]
    ]
    return sorted(found, key=lambda score: (-score.score, score.region, score.zone_id))
