"""Attribute-based selection as EC2 takes it, checked without EC2. No AWS in here.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_InstanceRequirementsWithMetadataRequest.html; a test compares
the tables with botocore's model of the API.
"""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

Found = tuple[tuple[str | int, ...], str]
"""Where something is, and what is to be said of it."""

CHOICE = ("included", "required", "excluded")
ARCHITECTURES = ("i386", "x86_64", "arm64", "x86_64_mac", "arm64_mac")
VIRTUALIZATIONS = ("hvm", "paravirtual")

WHOLE_RANGES = (
    "VCpuCount", "MemoryMiB", "NetworkInterfaceCount", "BaselineEbsBandwidthMbps", "AcceleratorCount",
    "AcceleratorTotalMemoryMiB",
)  # fmt: skip
RANGES = ("MemoryGiBPerVCpu", "TotalLocalStorageGB", "NetworkBandwidthGbps")
CHOICES = ("BareMetal", "BurstablePerformance", "LocalStorage")
NUMBERS = (
    "SpotMaxPricePercentageOverLowestPrice", "OnDemandMaxPricePercentageOverLowestPrice",
    "MaxSpotPriceAsPercentageOfOptimalOnDemandPrice",
)  # fmt: skip
FLAGS = ("RequireHibernateSupport", "RequireEncryptionInTransit")
LISTS: Mapping[str, tuple[str, ...]] = {
    "CpuManufacturers": ("intel", "amd", "amazon-web-services", "apple"),
    "InstanceGenerations": ("current", "previous"),
    "LocalStorageTypes": ("hdd", "ssd"),
    "AcceleratorTypes": ("gpu", "fpga", "inference", "media"),
    "AcceleratorManufacturers": ("amazon-web-services", "amd", "nvidia", "xilinx", "habana"),
    # Any: new ones come with every generation, and EC2 judges them.
    "AcceleratorNames": (),
    "ExcludedInstanceTypes": (),
    "AllowedInstanceTypes": (),
}
STRUCTURES = ("BaselinePerformanceFactors",)
KNOWN = (*WHOLE_RANGES, *RANGES, *CHOICES, *NUMBERS, *FLAGS, *LISTS, *STRUCTURES)
REQUIRED = ("VCpuCount", "MemoryMiB")


def problems(value: Any) -> Iterator[Found]:
    """What is wrong with a value of ``InstanceRequirementsWithMetadata``."""
    if not isinstance(value, dict):
        yield (), f"must be a mapping with InstanceRequirements, got {value!r:.60}"
        return
    yield from unknown(value, ("ArchitectureTypes", "VirtualizationTypes", "InstanceRequirements"))
    for key, allowed in (("ArchitectureTypes", ARCHITECTURES), ("VirtualizationTypes", VIRTUALIZATIONS)):
        if key in value:
            yield from _under(key, _list(value[key], allowed))
    wanted = value.get("InstanceRequirements")
    if not isinstance(wanted, dict):
        yield ("InstanceRequirements",), "must be a mapping with at least VCpuCount and MemoryMiB"
        return
    yield from _under("InstanceRequirements", _requirements(wanted))


def unknown(value: Mapping[Any, Any], known: tuple[str, ...]) -> Iterator[Found]:
    """The keys that nobody knows."""
    for key in value:
        if key not in known:
            close = get_close_matches(str(key), known, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(known)}"
            yield (str(key),), f"unknown key; {hint}"


def whole(value: Any) -> bool:
    """Whether it is a whole number: YAML's true and false are none."""
    return isinstance(value, int) and not isinstance(value, bool)


def _requirements(wanted: Mapping[str, Any]) -> Iterator[Found]:
    yield from unknown(wanted, KNOWN)
    for key in REQUIRED:
        if key not in wanted:
            yield (key,), "is required and missing; {Min: 0} takes any"
    for key, value in wanted.items():
        if key in WHOLE_RANGES or key in RANGES:
            yield from _under(key, _range(value, whole_numbers=key in WHOLE_RANGES, needs_min=key in REQUIRED))
        elif key in CHOICES and value not in CHOICE:
            yield (key,), f"must be one of {', '.join(CHOICE)}, got {value!r:.60}"
        elif key in NUMBERS and not (whole(value) and value >= 0):
            yield (key,), f"must be a whole number of at least 0, got {value!r:.60}"
        elif key in FLAGS and not isinstance(value, bool):
            yield (key,), f"must be true or false, got {value!r:.60}"
        elif key in LISTS:
            yield from _under(key, _list(value, LISTS[key]))
    prices = [key for key in NUMBERS if key != "OnDemandMaxPricePercentageOverLowestPrice" and key in wanted]
    if len(prices) > 1:
        yield (), f"EC2 takes {' or '.join(prices)}, not both; remove one"
    if "AllowedInstanceTypes" in wanted and "ExcludedInstanceTypes" in wanted:
        yield (), "EC2 takes AllowedInstanceTypes or ExcludedInstanceTypes, not both; remove one"


def _range(value: Any, *, whole_numbers: bool, needs_min: bool) -> Iterator[Found]:
    if not isinstance(value, dict) or not value:
        yield (), f"must be a range such as {{Min: 2, Max: 8}}, got {value!r:.60}"
        return
    yield from unknown(value, ("Min", "Max"))
    if needs_min and "Min" not in value:
        yield ("Min",), "is required and missing; 0 takes any"
    for key in ("Min", "Max"):
        number = value.get(key, 0)
        fits = whole(number) or (isinstance(number, float) and not whole_numbers)
        if not fits or number < 0:
            yield (key,), f"must be a {'whole ' * whole_numbers}number of at least 0, got {number!r:.60}"
            return
    if "Max" in value and value.get("Min", 0) > value["Max"]:
        yield (), f"Min {value['Min']} is above Max {value['Max']}: no type fits"


def _list(value: Any, allowed: tuple[str, ...]) -> Iterator[Found]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        yield (), f"must be a list of texts, got {value!r:.60}"
        return
    for number, item in enumerate(value):
        if allowed and item not in allowed:
            yield (number,), f"must be one of {', '.join(allowed)}, got {item!r:.60}"


def _under(key: str | int, found: Iterator[Found]) -> Iterator[Found]:
    for where, says in found:
        yield (key, *where), says
