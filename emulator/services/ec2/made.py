"""What EC2's APIs make that other calls may not know at once, and how EC2 says so.

https://docs.aws.amazon.com/ec2/latest/devguide/errors-overview.html; codes of local gateways and customer-owned
addresses, which that page does not name, are those of ``Kind``.
"""

from collections.abc import Mapping

from emulator.core.service import Made
from emulator.services.ec2.capacity_reservations import RESERVATIONS
from emulator.services.ec2.networks.instance_connect import ENDPOINTS
from emulator.services.ec2.racks.local_gateways import (
    GROUP_ASSOCIATIONS,
    GROUPS,
    INTERFACES,
    POOLS,
    TABLES,
    VPC_ASSOCIATIONS,
)
from emulator.services.ec2.root_volumes import TASKS

_KINDS = (RESERVATIONS, ENDPOINTS, GROUP_ASSOCIATIONS, GROUPS, INTERFACES, POOLS, TABLES, VPC_ASSOCIATIONS, TASKS)

MADE: Mapping[str, Made] = {
    "AllocateAddress": Made("allocationId", "InvalidAllocationID.NotFound", named="Address"),
    "CopyImage": Made("imageId", "InvalidAMIID.NotFound", listed=True),
    "CopySnapshot": Made("snapshotId", "InvalidSnapshot.NotFound", listed=True),
    "CreateImage": Made("imageId", "InvalidAMIID.NotFound", listed=True),
    "CreateLaunchTemplate": Made("launchTemplateId", "InvalidLaunchTemplateId.NotFound"),
    "CreateNetworkInterface": Made("networkInterfaceId", "InvalidNetworkInterfaceID.NotFound"),
    "CreateSecurityGroup": Made("groupId", "InvalidGroup.NotFound"),
    "CreateSnapshot": Made("snapshotId", "InvalidSnapshot.NotFound", listed=True),
    "CreateVolume": Made("volumeId", "InvalidVolume.NotFound"),
    "RunInstances": Made("instanceId", "InvalidInstanceID.NotFound"),
    **{
        f"Create{kind.name}": Made(kind.id_member[0].lower() + kind.id_member[1:], f"Invalid{kind.name}Id.NotFound")
        for kind in _KINDS
    },
}
"""By the API's name."""
