"""How many sessions fit on a G5g instance, by the placement rules of the Anbox Management Service.

Allocation rates of 4 for vCPUs and 2 for memory: https://documentation.ubuntu.com/anbox-cloud/howto/cluster/configure-nodes/
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

CPU_RATE, MEMORY_RATE, GPU_SLOTS = 4, 2, 32
KEPT_FREE = 0.05
"""Share of the storage pool that stays free."""
DISK_FACTOR = 2.2
"""Bootstrap and one session each take the disk of a game, and a share of the pool stays free."""


def least_disk(disk_gb: float) -> float:
    """The smallest data volume for a game with this disk size."""
    return round(DISK_FACTOR * disk_gb, 1)


@dataclass(frozen=True)
class Size:
    """An instance type: vCPUs, memory in GiB, T4G GPUs (https://aws.amazon.com/ec2/instance-types/g5g/)."""

    vcpus: int
    memory_gib: int
    gpus: int


SIZES: Mapping[str, Size] = {
    "g5g.xlarge": Size(4, 8, 1),
    "g5g.2xlarge": Size(8, 16, 1),
    "g5g.4xlarge": Size(16, 32, 1),
    "g5g.8xlarge": Size(32, 64, 1),
    "g5g.16xlarge": Size(64, 128, 2),
    "g5g.metal": Size(64, 128, 2),
}


@dataclass(frozen=True)
class Demand:
    """What one session of a game takes: vCPUs, GB of memory and of disk, GPU slots."""

    cpus: int
    memory_gb: float
    disk_gb: float
    gpu_slots: int


@dataclass(frozen=True)
class Fit:
    """Sessions of a game on an instance type.

    Attributes:
        sessions: how many fit at the same time.
        limits: how many each resource allows, by name.
        short: why none fits, one text for each resource that is too small.
    """

    sessions: int
    limits: Mapping[str, int]
    short: tuple[str, ...]

    @property
    def limit(self) -> str:
        """The resource that allows the fewest."""
        return min(self.limits, key=lambda name: self.limits[name])


def fit(instance_type: str, demand: Demand, data_gib: int) -> Fit:
    """How many sessions fit.

    Args:
        data_gib: size of the data volume, which holds the storage pool.
    """
    size = SIZES[instance_type]
    cpus, memory = CPU_RATE * size.vcpus, MEMORY_RATE * size.memory_gib
    disk = math.floor(data_gib * (1 - KEPT_FREE))
    limits = {"vCPUs": cpus // demand.cpus, "memory": math.floor(memory / demand.memory_gb)}
    limits["disk"] = math.floor(disk / demand.disk_gb)
    short = []
    if not limits["vCPUs"]:
        short.append(f"{demand.cpus} vCPUs > {cpus}, which is {CPU_RATE} times {size.vcpus}")
    if not limits["memory"]:
        short.append(f"{demand.memory_gb:g}GB > {memory:g}GB of memory, which is {MEMORY_RATE} times {size.memory_gib}")
    if not limits["disk"]:
        short.append(f"{demand.disk_gb:g}GB of disk > {disk}GB of the data volume")
    if demand.gpu_slots:
        limits["GPU slots"] = GPU_SLOTS // demand.gpu_slots
        if not limits["GPU slots"]:
            short.append(f"{demand.gpu_slots} GPU slots > {GPU_SLOTS}")
    return Fit(min(limits.values()), limits, tuple(short))


def smallest(demand: Demand, data_gib: int) -> str | None:
    """The smallest type on which a session fits; None if there is none."""
    return next((name for name in SIZES if fit(name, demand, data_gib).sessions), None)


@cache
def offered() -> Mapping[str, list[str]]:
    """Zone ids with G5g by Region, from public data."""
    text = Path(__file__).with_name("offered.yaml").read_text(encoding="utf-8")
    found: dict[str, list[str]] = yaml.safe_load(text)
    return found
