"""Images: a disabled one is shown to who asks for it, and its snapshots go with it where that is said.

"A disabled AMI does not appear in DescribeImages API calls by default":
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DisableImage.html. moto keeps no snapshot in two images.
"""

from typing import Any

from emulator.core.api import Around, Json, Operation
from emulator.services.ec2.patches import backend


def _shown(parameters: Json, answer: Any) -> None:
    if parameters.get("IncludeDisabled") is not True:
        # The public images of Windows are no objects of moto's, and never disabled.
        found = answer["Images"]
        answer["Images"] = [image for image in found if isinstance(image, dict) or image.state != "disabled"]


def _deregistered(parameters: Json, answer: Any) -> None:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeregisterImage.html, DeleteAssociatedSnapshots."""
    if parameters.get("DeleteAssociatedSnapshots") is not True:
        return
    here = backend()
    theirs = [name for name, snapshot in here.snapshots.items() if snapshot.from_ami == parameters["ImageId"]]
    for name in theirs:
        here.delete_snapshot(name)
    answer["DeleteSnapshotResults"] = [{"SnapshotId": name, "ReturnCode": "success"} for name in theirs]


OPERATIONS: dict[str, Operation | Around] = {
    "deregister_image": Around(after=_deregistered),
    "describe_images": Around(after=_shown),
}
