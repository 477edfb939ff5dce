"""What an image of Image Builder leaves in each Region. No AWS in here.

https://docs.aws.amazon.com/imagebuilder/latest/APIReference/API_Image.html
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_ARN = re.compile(r"arn:[^/]+:image/(?P<name>[^/]+)/(?P<version>\d+\.\d+\.\d+)/(?P<build>\d+)")


@dataclass(frozen=True)
class Output:
    """An AMI or a container image in one Region.

    Attributes:
        image: an AMI's id, or a container image's address.
        source: ARN of the Image Builder image.
        created: when that was begun, an ISO 8601 time in UTC; what is newer is decided by it.
    """

    pipeline: str
    region: str
    image: str
    source: str
    created: str

    @property
    def id(self) -> str:
        """Of the record that it replaces if it is newer."""
        return f"{self.pipeline}#{self.region}"


def outputs(image: Mapping[str, Any], account: str, pipelines: Mapping[str, str]) -> Iterator[Output]:
    """What an image that is available has left, in this account.

    Args:
        image: as GetImage or a list describes it.
        account: copies in other accounts are not ours to name.
        pipelines: name of an image -> name of its pipeline; other images leave nothing.
    """
    arn = _ARN.fullmatch(image["arn"])
    if arn is None or arn["name"] not in pipelines or image.get("state", {}).get("status") != "AVAILABLE":
        return
    made = image.get("outputResources", {})
    found = {ami["region"]: ami["image"] for ami in made.get("amis", []) if ami.get("accountId", account) == account}
    # The last address is the most particular: the tag with version and build.
    found |= {item["region"]: item["imageUris"][-1] for item in made.get("containers", []) if item.get("imageUris")}
    for region, output in sorted(found.items()):
        yield Output(pipelines[arn["name"]], region, output, image["arn"], image["dateCreated"])
