"""Section ``host``: a Spinnaker of your own."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from config.models import Problem, Section, rule
from config.types import InstanceType
from stacks.shared.instance_attributes import is_arm

Version = Annotated[str, Field(pattern=r"^\d{4}\.\d{1,2}\.\d{1,3}$", examples=["2026.2.3"])]


class HostSettings(Section):
    """A Spinnaker of your own on one instance in a private subnet, from the project's kustomization on k3s."""

    instance_type: InstanceType = "m6i.xlarge"
    """Instance type, x86_64; Spinnaker's documentation asks for at least 4 cores and 16 GiB."""
    volume_gib: Annotated[int, Field(ge=40, le=16_384)] = 60
    """Size of its root volume in GiB, for container images and Spinnaker's database."""
    spinnaker_version: Version = "2026.2.3"
    """Tag of Spinnaker's container images."""
    kustomize_commit: Annotated[
        str, Field(pattern=r"^[0-9a-f]{40}$", examples=["7ded656f6319f01a093816faf1214f722f1e6227"])
    ] = "7ded656f6319f01a093816faf1214f722f1e6227"
    """Commit of github.com/spinnaker/spinnaker with the spinnaker-kustomize to install, and its components/mysql."""
    k3s_version: Annotated[str, Field(pattern=r"^v\d+\.\d+\.\d+\+k3s\d+$", examples=["v1.35.5+k3s1"])] = "v1.35.5+k3s1"
    """Release of k3s, the Kubernetes that Spinnaker runs in."""
    generation: Annotated[int, Field(ge=1, le=999)] = 1
    """Number of the host. A higher one, or another VPC, replaces it and loses its applications and pipelines."""

    @rule
    def _is_x86(self) -> Iterator[Problem]:
        if is_arm(self.instance_type):
            yield Problem("instance_type", "must be of architecture x86_64; choose one such as m6i.xlarge")
