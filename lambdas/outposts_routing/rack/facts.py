"""Which local gateway and which group of virtual interfaces are meant. No AWS in here."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from outposts_routing.ownership import STACK

Json = Mapping[str, Any]
GOING = ("deleting", "deleted")
"""States of a group of virtual interfaces that nothing can be associated with any more
(https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_LocalGatewayVirtualInterfaceGroup.html)."""


class RackError(ValueError):
    """The account's Outposts and the settings do not fit; the message is meant for whoever deploys."""


def gateway_of(gateways: Iterable[Json], *, outpost_arn: str | None, gateway_id: str | None, account: str) -> Json:
    """Returns the local gateway of the settings; if they name none, the account's only one.

    Raises:
        RackError: none or several fit, or it is not this account's. Only the owner of a local gateway can make route
            tables for it (https://docs.aws.amazon.com/outposts/latest/userguide/outposts-local-gateways.html).
    """
    found = [
        gateway
        for gateway in gateways
        if gateway["State"] == "available"
        and outpost_arn in (None, gateway["OutpostArn"])
        and gateway_id in (None, gateway["LocalGatewayId"])
    ]
    wanted = " and ".join(filter(None, (gateway_id, outpost_arn))) or "an Outposts rack"
    gateway = _only(
        found,
        none=f"no local gateway here belongs to {wanted}; correct outpost_arn and local_gateway_id",
        several=f"{_listed(found, 'LocalGatewayId')} are all here; set outpost_arn to choose one",
    )
    if gateway["OwnerId"] != account:
        raise RackError(
            f"{gateway['LocalGatewayId']} belongs to account {gateway['OwnerId']}, and only that account can make "
            "route tables for it; deploy there"
        )
    return gateway


def group_of(groups: Iterable[Json], *, group_id: str | None, gateway_id: str, stack_id: str) -> str:
    """Returns the id of the group of virtual interfaces; without a name the local gateway's only one.

    One that is being deleted is none, and neither is one of the stack's own: settings without virtual_interfaces mean
    that of the rack, while CloudFormation deletes the stack's own at the end only, of an update and of its rollback.

    Raises:
        RackError: none or several fit.
    """
    found = [
        group
        for group in groups
        if group_id in (None, group["LocalGatewayVirtualInterfaceGroupId"])
        and group.get("ConfigurationState") not in GOING
        and not any(tag["Key"] == STACK and tag["Value"] == stack_id for tag in group.get("Tags", ()))
    ]
    ids = _listed(found, "LocalGatewayVirtualInterfaceGroupId")
    group = _only(
        found,
        none=f"{gateway_id} has no {group_id or 'virtual interface group'}; correct virtual_interface_group_id",
        several=f"{gateway_id} has {ids}; set virtual_interface_group_id to choose one",
    )
    return str(group["LocalGatewayVirtualInterfaceGroupId"])


def _only(found: Sequence[Json], *, none: str, several: str) -> Json:
    if len(found) == 1:
        return found[0]
    raise RackError(several if found else none)


def _listed(found: Iterable[Json], key: str) -> str:
    return ", ".join(sorted(item[key] for item in found))
