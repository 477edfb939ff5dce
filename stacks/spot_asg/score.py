"""The Spot placement score: the question for the configured shape. No AWS in here.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-placement-score.html and
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetSpotPlacementScores.html
"""

from collections.abc import Sequence
from typing import Any

from stacks.spot_asg.settings import SpotAsgSettings


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
