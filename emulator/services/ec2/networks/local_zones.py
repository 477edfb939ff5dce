"""Local Zones, which moto lacks: told, opted in to, and only then good for subnets (our model).

A handful of zones of one Region, as https://docs.aws.amazon.com/local-zones/latest/ug/available-local-zones.html lists
them; what they offer is an example, not AWS's list, and is told after the opt-in only
(https://github.com/openshift/installer/issues/7137). Opting in, which takes minutes there, is done at once here.
"""

from typing import Any

from emulator.core.api import client_error
from emulator.core.store import Ec2Store, region
from emulator.services.ec2 import patches
from emulator.services.ec2.resources import filtered

REGION = "us-east-1"
# Zone -> zone id, parent zone, parent zone id.
ZONES = {
    "us-east-1-atl-2a": ("use1-atl2-az1", "us-east-1d", "use1-az4"),
    "us-east-1-bos-1a": ("use1-bos1-az1", "us-east-1d", "use1-az4"),
    "us-east-1-mia-1a": ("use1-mia1-az1", "us-east-1a", "use1-az6"),
}
OFFERED = ("c5.2xlarge", "c6i.large", "m6i.large", "r5.2xlarge", "t3.medium", "t3.xlarge", "t3.2xlarge")
_FILTERS = {
    "group-name": "GroupName",
    "opt-in-status": "OptInStatus",
    "parent-zone-name": "ParentZoneName",
    "region-name": "RegionName",
    "state": "State",
    "zone-id": "ZoneId",
    "zone-name": "ZoneName",
    "zone-type": "ZoneType",
}


def describe_availability_zones(parameters: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeAvailabilityZones.html.

    "AllAvailabilityZones: Include all Availability Zones, Local Zones, and Wavelength Zones regardless of your opt-in
    status. If you do not use this parameter, the results include only the zones for the Regions where you have chosen
    the option to opt in."
    """
    everything = str(parameters.get("AllAvailabilityZones", False)).lower() == "true"
    found = [_availability_zone(zone) for zone in patches.availability_zones() if zone.name not in ZONES]
    found += [zone for zone in _local_zones() if everything or zone["OptInStatus"] == "opted-in"]
    for field, names in (("ZoneName", parameters.get("ZoneNames")), ("ZoneId", parameters.get("ZoneIds"))):
        found = [zone for zone in found if not names or zone[field] in names]
    return {"AvailabilityZones": filtered(found, parameters, _FILTERS)}


def modify_availability_zone_group(parameters: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyAvailabilityZoneGroup.html.

    "The only valid value is opted-in. You must contact AWS Support to opt out of a Local Zone or Wavelength Zone
    group."
    """
    group = parameters["GroupName"]
    members = [zone for zone in ZONES if zone[:-1] == group] if region() == REGION else []
    if not members:
        raise client_error("InvalidParameterValue", f"Invalid availability zone group: '{group}'")
    if parameters["OptInStatus"] != "opted-in":
        raise client_error("InvalidParameterValue", f"Invalid opt-in status: '{parameters['OptInStatus']}'")
    for zone in members:
        if zone not in _opted_in.here():
            _opted_in.here()[zone] = True
            patches.add_zone(REGION, zone, ZONES[zone][0])
            patches.offer_types(REGION, zone, OFFERED)
    return {"Return": True}


def _availability_zone(zone: Any) -> dict[str, Any]:
    return {
        "State": zone.state,
        "OptInStatus": "opt-in-not-required",
        "Messages": [],
        "RegionName": zone.region_name,
        "ZoneName": zone.name,
        "ZoneId": zone.zone_id,
        "GroupName": zone.region_name,
        "NetworkBorderGroup": zone.region_name,
        "ZoneType": zone.zone_type,
    }


def _local_zones() -> list[dict[str, Any]]:
    if region() != REGION:
        return []
    return [
        {
            "State": "available",
            "OptInStatus": "opted-in" if name in _opted_in.here() else "not-opted-in",
            "Messages": [],
            "RegionName": REGION,
            "ZoneName": name,
            "ZoneId": zone_id,
            "GroupName": name[:-1],
            "NetworkBorderGroup": name[:-1],
            "ZoneType": "local-zone",
            "ParentZoneName": parent,
            "ParentZoneId": parent_id,
        }
        for name, (zone_id, parent, parent_id) in ZONES.items()
    ]


class _OptedIn(Ec2Store[dict[str, bool]]):
    """The zones that were opted in to; forgetting them takes them from moto, too."""

    def clear(self) -> None:
        """Forgets them."""
        super().clear()
        patches.remove_local_zones()


_opted_in = _OptedIn("local_zones", dict)
