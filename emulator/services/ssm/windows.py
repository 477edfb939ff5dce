"""The public Windows images that Systems Manager names, as DescribeImages describes them; moto has none of them.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/launch-instance-with-uefi-sb.html: those with TPM in their names
have ``BootMode`` uefi and ``TpmSupport`` v2.0; of the others neither is said here, as AWS leaves it out where none is
set (https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Image.html).
"""

from datetime import UTC, datetime
from typing import Any

from moto.ec2.models.amis import AmiBackend

from emulator.core.api import Json
from emulator.core.patch import patch
from emulator.services.ssm.images import is_tpm_image, is_windows_image

_MADE = datetime(2026, 1, 14, tzinfo=UTC)
_OWNER = "801119661308"  # of AWS's Windows images


def windows_image(image_id: str) -> Json:
    """What EC2 says of one."""
    of_tpm: Json = {"BootMode": "uefi", "TpmSupport": "v2.0"} if is_tpm_image(image_id) else {}
    return {
        "ImageId": image_id,
        "ImageOwnerAlias": "amazon",
        "OwnerId": _OWNER,
        "Public": True,
        "State": "available",
        "ImageType": "machine",
        "Architecture": "x86_64",
        "Hypervisor": "xen",  # of every image, whatever it runs on
        "VirtualizationType": "hvm",
        "Platform": "windows",
        "PlatformDetails": "Windows",
        "UsageOperation": "RunInstances:0002",
        "CreationDate": _MADE,
        "RootDeviceType": "ebs",
        "RootDeviceName": "/dev/sda1",
        "EnaSupport": True,
        **of_tpm,
    }


@patch(AmiBackend, "describe_images", "self ami_ids filters exec_users owners")
def _described(original: Any, backend: Any, ami_ids: Any = (), *arguments: Any, **more: Any) -> Any:
    """Those that are named by id; whoever lists images finds moto's."""
    ours = [name for name in ami_ids or () if is_windows_image(name)]
    others = [name for name in ami_ids or () if name not in ours]
    found = original(backend, others, *arguments, **more) if others or not ours else []
    return [*map(windows_image, ours), *found]
