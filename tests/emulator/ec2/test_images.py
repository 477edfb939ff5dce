"""A disabled image is shown to who asks for it; an image takes its snapshots with it where that is said."""

import pytest
from botocore.exceptions import ClientError

from emulator.client import EmbeddedAws


def registered(aws: EmbeddedAws) -> tuple[str, str]:
    """An image, and its snapshot."""
    ec2 = aws.client("ec2")
    image = ec2.register_image(Name="gold", RootDeviceName="/dev/sda1")["ImageId"]
    (found,) = ec2.describe_images(ImageIds=[image])["Images"]
    return image, found["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"]


def test_a_disabled_image_is_shown_to_who_asks_for_it(aws: EmbeddedAws) -> None:
    ec2 = aws.client("ec2")
    image, _ = registered(aws)
    ec2.disable_image(ImageId=image)
    assert ec2.describe_images(ImageIds=[image])["Images"] == []
    assert [each["State"] for each in ec2.describe_images(ImageIds=[image], IncludeDisabled=True)["Images"]] == [
        "disabled"
    ]
    ec2.enable_image(ImageId=image)
    assert [each["State"] for each in ec2.describe_images(ImageIds=[image])["Images"]] == ["available"]


@pytest.mark.parametrize("disabled", [False, True])
def test_a_snapshot_stays_while_its_image_does(aws: EmbeddedAws, disabled: bool) -> None:
    ec2 = aws.client("ec2")
    image, snapshot = registered(aws)
    if disabled:
        ec2.disable_image(ImageId=image)
    with pytest.raises(ClientError, match=r"InvalidSnapshot.InUse"):
        ec2.delete_snapshot(SnapshotId=snapshot)
    assert "DeleteSnapshotResults" not in ec2.deregister_image(ImageId=image)
    ec2.delete_snapshot(SnapshotId=snapshot)


def test_snapshots_go_with_an_image_where_that_is_said(aws: EmbeddedAws) -> None:
    ec2 = aws.client("ec2")
    image, snapshot = registered(aws)
    gone = ec2.deregister_image(ImageId=image, DeleteAssociatedSnapshots=True)
    assert gone["DeleteSnapshotResults"] == [{"SnapshotId": snapshot, "ReturnCode": "success"}]
    with pytest.raises(ClientError, match=r"InvalidSnapshot.NotFound"):
        ec2.describe_snapshots(SnapshotIds=[snapshot])
