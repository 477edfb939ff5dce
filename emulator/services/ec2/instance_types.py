"""Which instance types meet attribute-based requirements, from moto's catalogue of instance types (our model).

Follows https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_InstanceRequirementsRequest.html for the attributes
that it knows; the others are not judged. Prices are not known, so price limits exclude nothing.
"""

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Any

from emulator.core.api import Json, client_error
from emulator.services.ec2.patches import CATALOGUE


def matching(
    requirements: dict[str, Any], architectures: Iterable[str] = (), virtualization: Iterable[str] = ()
) -> list[str]:
    """The names of the types that meet *requirements*, the smallest first."""
    wanted, kinds = set(architectures), set(virtualization)
    found = [
        item
        for item in CATALOGUE.values()
        if _meets(item, requirements)
        and (not wanted or wanted & set(item["ProcessorInfo"]["SupportedArchitectures"]))
        and (not kinds or kinds & set(item["SupportedVirtualizationTypes"]))
    ]
    found.sort(
        key=lambda item: (item["VCpuInfo"]["DefaultVCpus"], item["MemoryInfo"]["SizeInMiB"], item["InstanceType"])
    )
    return [item["InstanceType"] for item in found]


def smallest_matching(requirements: dict[str, Any], architectures: Iterable[str] = ()) -> str:
    """The first of ``matching``. Raises a ValidationError when nothing matches, as a launch on AWS fails then."""
    found = matching(requirements, architectures)
    if not found:
        raise client_error("ValidationError", "No instance type satisfies the required instance attributes")
    return found[0]


def _meets(item: dict[str, Any], requirements: dict[str, Any]) -> bool:
    name = item["InstanceType"]
    processors = item["VCpuInfo"]["DefaultVCpus"]
    memory = item["MemoryInfo"]["SizeInMiB"]
    allowed, excluded = requirements.get("AllowedInstanceTypes"), requirements.get("ExcludedInstanceTypes") or []
    generations = requirements.get("InstanceGenerations") or []
    makers = requirements.get("CpuManufacturers") or []
    return (
        _within(processors, requirements.get("VCpuCount"))
        and _within(memory, requirements.get("MemoryMiB"))
        and _within(memory / 1024 / processors, requirements.get("MemoryGiBPerVCpu"))
        and (not allowed or any(fnmatchcase(name, pattern) for pattern in allowed))
        and not any(fnmatchcase(name, pattern) for pattern in excluded)
        and (not generations or ("current" if item["CurrentGeneration"] else "previous") in generations)
        and (not makers or _maker(item) in makers)
        # Bare metal, burstable and accelerated types are excluded unless they are asked for.
        and _included(item["BareMetal"], requirements.get("BareMetal"))
        and _included(item["BurstablePerformanceSupported"], requirements.get("BurstablePerformance"))
        and _stores(item, requirements)
        and (
            bool(requirements.get("AcceleratorCount"))
            or not (item.get("GpuInfo") or item.get("InferenceAcceleratorInfo"))
        )
    )


def _stores(item: dict[str, Any], requirements: dict[str, Any]) -> bool:
    """Whether its instance store is as required; a type without one has 0 GB, and no kind of disk."""
    store = item.get("InstanceStorageInfo") or {}
    kinds = {disk["Type"] for disk in store.get("Disks", [])}
    wanted = requirements.get("LocalStorageTypes") or []
    return (
        _included(bool(store), requirements.get("LocalStorage") or "included")
        and (not wanted or not store or bool(kinds & set(wanted)))
        and _within(store.get("TotalSizeInGB", 0), requirements.get("TotalLocalStorageGB"))
    )


def _within(value: float, limits: dict[str, Any] | None) -> bool:
    low, high = (limits or {}).get("Min"), (limits or {}).get("Max")
    return (low is None or value >= float(low)) and (high is None or value <= float(high))


def _included(has: bool, choice: str | None) -> bool:
    return {"included": True, "required": has, "excluded": not has}[choice or "excluded"]


def _maker(item: dict[str, Any]) -> str:
    maker = str(item["ProcessorInfo"].get("Manufacturer", ""))
    return {"Intel": "intel", "AMD": "amd", "AWS": "amazon-web-services", "Apple": "apple"}.get(maker, maker.lower())


def get_instance_types_from_instance_requirements(parameters: Json) -> Json:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetInstanceTypesFromInstanceRequirements.html."""
    found = matching(
        parameters["InstanceRequirements"],
        parameters.get("ArchitectureTypes") or [],
        parameters.get("VirtualizationTypes") or [],
    )
    return {"InstanceTypes": [{"InstanceType": name} for name in found]}
