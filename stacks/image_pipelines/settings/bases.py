"""The operating systems that an image can begin with."""

from dataclasses import dataclass

from stacks.image_pipelines.component import Platform


@dataclass(frozen=True)
class Base:
    """Where an operating system's newest image is found, and how it boots.

    Attributes:
        parameter: the public parameter; ``{}`` stands for the architecture as the publisher writes it.
        architectures: our name for it -> the publisher's.
        root_device, root_gib: of the image.
    """

    platform: Platform
    parameter: str
    architectures: dict[str, str]
    root_device: str
    root_gib: int


_UBUNTU = "/aws/service/canonical/ubuntu/server/{}/stable/current/{{}}/hvm/ebs-gp3/ami-id"
_BOTH = {"x86_64": "amd64", "arm64": "arm64"}
_WINDOWS = "/aws/service/ami-windows-latest/Windows_Server-{}-English-Full-Base"
# https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-public-parameters-ami.html and
# https://documentation.ubuntu.com/aws/aws-how-to/instances/find-ubuntu-images/
BASE_IMAGE = "public.ecr.aws/amazonlinux/amazonlinux:2023"
BASES = {
    "al2023": Base(
        "Linux",
        "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-{}",
        {"x86_64": "x86_64", "arm64": "arm64"},
        "/dev/xvda",
        8,
    ),
    "ubuntu-22.04": Base("Linux", _UBUNTU.format("22.04").replace("ebs-gp3", "ebs-gp2"), _BOTH, "/dev/sda1", 8),
    "ubuntu-24.04": Base("Linux", _UBUNTU.format("24.04"), _BOTH, "/dev/sda1", 8),
    "windows-2022": Base("Windows", _WINDOWS.format("2022"), {"x86_64": ""}, "/dev/sda1", 30),
    "windows-2025": Base("Windows", _WINDOWS.format("2025"), {"x86_64": ""}, "/dev/sda1", 30),
}
