"""The public parameters of images: Amazon Linux from moto's lists; Windows, Ubuntu and Amazon ECS invented."""

import zlib
from typing import Any

from ministack.services import ssm
from moto.utilities.utils import load_resource

from emulator.core.patch import private
from emulator.core.store import region


class _PublicImages(dict[str, str]):
    """The public AMI parameters of the Region of the request: name -> image id."""

    def __init__(self) -> None:
        super().__init__()
        self._regions: dict[str, dict[str, str]] = {}
        self.windows: set[str] = set()

    def get(self, name: str, default: Any = None) -> Any:
        if name.startswith("/aws/service/ami-windows-latest/"):  # moto has no list of these: any id will do
            image_id = f"ami-{zlib.crc32(name.encode()):017x}"
            self.windows.add(image_id)
            return image_id
        if name.startswith("/aws/service/canonical/ubuntu/server/") and name.endswith("/ami-id"):
            return f"ami-{zlib.crc32(name.encode()):017x}"
        if name.startswith("/aws/service/ecs/optimized-ami/") and name.endswith("/image_id"):
            return f"ami-{zlib.crc32(name.encode()):017x}"
        return self.of(region()).get(name, default)

    def of(self, region_name: str) -> dict[str, str]:
        """All of one Region; none where moto has no list."""
        if region_name not in self._regions:
            try:
                items = load_resource(f"ssm/resources/ami-amazon-linux-latest/{region_name}.json")
            except FileNotFoundError:
                items = []
            self._regions[region_name] = {item["Name"]: item["Value"] for item in items}
        return self._regions[region_name]


images = _PublicImages()
private(ssm, "_PUBLIC_AMI_PARAMETERS")
ssm._PUBLIC_AMI_PARAMETERS = images


def is_windows_image(image_id: str | None) -> bool:
    """Whether an image was named as one of Windows."""
    return image_id in images.windows


def image_architecture(image_id: str | None) -> str | None:
    """``arm64`` or ``x86_64`` of a published image; None when it is another image."""
    names = [name for name, value in images.of(region()).items() if value == image_id]
    return next((kind for kind in ("arm64", "x86_64") if names and names[0].endswith(kind)), None)
