"""The public parameters of images: Amazon Linux from moto's lists; Windows, Ubuntu and Amazon ECS invented.

AWS publishes new images every week or two (https://github.com/aws/aws-cdk/issues/12484): here if somebody says so.
"""

import zlib
from typing import Any

from ministack.services import ssm
from moto.utilities.utils import load_resource

from emulator.core.patch import private
from emulator.core.store import Setting, region


class _PublicImages(dict[str, str]):
    """The public AMI parameters of the Region of the request: name -> image id."""

    def __init__(self) -> None:
        super().__init__()
        self._regions: dict[str, dict[str, str]] = {}
        self.windows: set[str] = set()
        self.tpm: set[str] = set()
        self._names: dict[str, str] = {}

    def get(self, name: str, default: Any = None) -> Any:
        found = self._first(name, default)
        if found is not default and released.value:
            found = f"ami-{zlib.crc32(f'{found} {released.value}'.encode()):017x}"
            self._names[found] = name
            self.windows |= {found} if name.startswith(_WINDOWS) else set()
            self.tpm |= {found} if name.startswith(f"{_WINDOWS}TPM-") else set()
        return found

    def _first(self, name: str, default: Any) -> Any:
        """The image before any release."""
        if name.startswith(_WINDOWS):  # moto has no list of these: any id will do
            image_id = f"ami-{zlib.crc32(name.encode()):017x}"
            self.windows.add(image_id)
            if name.startswith(f"{_WINDOWS}TPM-"):
                self.tpm.add(image_id)
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

    def name_of(self, image_id: str | None) -> str | None:
        """The parameter that has or had the image, of the Region of the request."""
        first = {value: name for name, value in self.of(region()).items()}
        return self._names.get(image_id or "") or first.get(image_id or "")


# How many times new images were published.
released: Setting[int] = Setting(0)
_WINDOWS = "/aws/service/ami-windows-latest/"
images = _PublicImages()
private(ssm, "_PUBLIC_AMI_PARAMETERS")
ssm._PUBLIC_AMI_PARAMETERS = images


def is_windows_image(image_id: str | None) -> bool:
    """Whether an image was named as one of Windows."""
    return image_id in images.windows


def is_tpm_image(image_id: str | None) -> bool:
    """Whether an image was named as one with NitroTPM and Secure Boot."""
    return image_id in images.tpm


def image_architecture(image_id: str | None) -> str | None:
    """``arm64`` or ``x86_64`` of a published image; None when it is another image."""
    name = images.name_of(image_id) or ""
    return next((kind for kind in ("arm64", "x86_64") if name.endswith(kind)), None)


def release(_request: dict[str, Any]) -> dict[str, Any]:
    """``release-images {}``: each public parameter of an image names another one from now on (our model)."""
    released.value += 1
    return {"releases": released.value}
