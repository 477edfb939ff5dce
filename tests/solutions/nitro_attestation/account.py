"""An account as the look sees it: named fakes of the clients, Region by Region, that a test fills and breaks."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError

from tests.variants import Json

ACCOUNT = "123456789012"
TYPES: dict[str, Json] = {
    "m5.large": {"Hypervisor": "nitro", "NetworkInfo": {"EncryptionInTransitSupported": False}},
    "m7g.large": {"Hypervisor": "nitro", "NetworkInfo": {"EncryptionInTransitSupported": True}},
    "m5.metal": {"BareMetal": True, "NetworkInfo": {"EncryptionInTransitSupported": False}},
    "t2.micro": {"Hypervisor": "xen", "NetworkInfo": {"EncryptionInTransitSupported": False}},
    "m5d.large": {
        "Hypervisor": "nitro",
        "NetworkInfo": {"EncryptionInTransitSupported": False},
        "InstanceStorageInfo": {"EncryptionSupport": "required"},
    },
    "i2.xlarge": {"Hypervisor": "xen", "InstanceStorageInfo": {"EncryptionSupport": "unsupported"}},
}


def refused(code: str = "UnauthorizedOperation") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": code}}, "Call")


def instance(instance_type: str, name: str = "i-1", **more: Any) -> Json:
    """An instance as DescribeInstances tells it: with xen as hypervisor, whatever it runs on."""
    found: Json = {
        "InstanceId": name,
        "InstanceType": instance_type,
        "Hypervisor": "xen",
        "State": {"Name": "running"},
        "MetadataOptions": {"HttpTokens": "required"},
        "BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": {"VolumeId": f"vol-{name}"}}],
    }
    return {**found, **more}


class Ec2:
    """EC2 in one Region."""

    meta = SimpleNamespace(region_name="eu-central-1")

    def __init__(self, *instances: Json, encrypted: bool = True, broken: dict[str, Exception] | None = None) -> None:
        self.instances, self.encrypted, self.broken = instances, encrypted, broken or {}
        self.by_default, self.console, self.tokens = True, False, "required"

    def get_paginator(self, operation: str) -> Any:
        ask = getattr(self, operation)
        return type("Paginator", (), {"paginate": staticmethod(lambda **parameters: list(ask(**parameters)))})

    def describe_instances(self) -> Iterator[Json]:
        self._maybe("describe_instances")
        for one in self.instances:  # a page each
            yield {"Reservations": [{"Instances": [one]}]}

    def describe_instance_types(self, Filters: list[Json]) -> Iterator[Json]:  # noqa: N803
        self._maybe("describe_instance_types")
        (asked,) = Filters
        assert asked["Name"] == "instance-type" and len(asked["Values"]) <= 100
        for name in asked["Values"]:
            if name in TYPES:  # a filter leaves out what it does not know
                yield {"InstanceTypes": [{"InstanceType": name, **TYPES[name]}]}

    def describe_volumes(self) -> Iterator[Json]:
        self._maybe("describe_volumes")
        for one in self.instances:
            volume = one["BlockDeviceMappings"][0]["Ebs"]["VolumeId"] if one["BlockDeviceMappings"] else "vol-none"
            yield {"Volumes": [{"VolumeId": volume, "Encrypted": self.encrypted, "KmsKeyId": "key"}]}

    def get_ebs_encryption_by_default(self) -> Json:
        self._maybe("get_ebs_encryption_by_default")
        return {"EbsEncryptionByDefault": self.by_default}

    def get_serial_console_access_status(self) -> Json:
        self._maybe("get_serial_console_access_status")
        return {"SerialConsoleAccessEnabled": self.console}

    def get_instance_metadata_defaults(self) -> Json:
        self._maybe("get_instance_metadata_defaults")
        return {"AccountLevel": {"HttpTokens": self.tokens} if self.tokens else {}}

    def describe_regions(self, Filters: list[Json]) -> Json:  # noqa: N803
        self._maybe("describe_regions")
        assert Filters == [{"Name": "opt-in-status", "Values": ["opt-in-not-required", "opted-in"]}]
        return {"Regions": [{"RegionName": "us-east-1"}, {"RegionName": "eu-central-1"}]}

    def _maybe(self, operation: str) -> None:
        if operation in self.broken:
            raise self.broken[operation]


class CloudTrail:
    """Trails with their status and selectors, as a client of one Region sees them."""

    def __init__(self, *trails: Json, broken: dict[str, Exception] | None = None, region: str = "eu-central-1") -> None:
        self.trails, self.broken, self.region = trails, broken or {}, region

    def at(self, region: str | None) -> "CloudTrail":
        """The client of a Region."""
        return CloudTrail(*self.trails, broken=self.broken, region=region or self.region)

    def describe_trails(self) -> Json:
        self._maybe("describe_trails")
        return {
            "trailList": [
                {"TrailARN": str(n), "IsMultiRegionTrail": one["all"], "HomeRegion": one["home"]}
                for n, one in enumerate(self.trails)
                if one["all"] or one["home"] == self.region  # only those of all Regions are seen from another one
            ]
        }

    def get_trail_status(self, Name: str) -> Json:  # noqa: N803
        self._maybe("get_trail_status")
        return {"IsLogging": self.trails[int(Name)]["on"]}

    def get_event_selectors(self, TrailName: str) -> Json:  # noqa: N803
        """Only the home Region knows them: aws/aws-sdk-go-v2#1957."""
        self._maybe("get_event_selectors")
        if self.trails[int(TrailName)]["home"] != self.region:
            raise refused("TrailNotFoundException")
        return dict(self.trails[int(TrailName)]["selectors"])

    def _maybe(self, operation: str) -> None:
        if operation in self.broken:
            raise self.broken[operation]


BASIC = {"EventSelectors": [{"IncludeManagementEvents": True, "ReadWriteType": "All"}]}
GOOD_TRAIL: Json = {"all": True, "home": "us-east-1", "on": True, "selectors": BASIC}


class Account:
    """Clients by service and Region."""

    def __init__(self, trail: CloudTrail | None = None, **regions: Ec2) -> None:
        self.trail = trail or CloudTrail(GOOD_TRAIL)
        self.regions = {name.replace("_", "-"): ec2 for name, ec2 in regions.items()}

    def __call__(self, service: str, region: str | None = None, /) -> Any:
        if service == "cloudtrail":
            return self.trail.at(region)
        assert service == "ec2"
        return self.regions.get(region or "eu-central-1", Ec2())
