"""Amazon EC2, by moto: what moto lacks, what it answers too simply, and what IAM has to know of it."""

from emulator.core.api import moto_handler
from emulator.core.events import INSTANCE_STATE, LAUNCHED, TAGS_CHANGED, VOLUME_CREATED
from emulator.core.service import IamRules, Service
from emulator.services.ec2 import (
    account_settings,
    capacity_reservations,
    images,
    instance_types,
    instances,
    launches,
    root_volumes,
    spot,
)
from emulator.services.ec2.made import MADE
from emulator.services.ec2.networks import gateways, instance_connect, local_zones
from emulator.services.ec2.racks import customer_addresses, local_gateways
from emulator.services.ec2.types import TYPES

SERVICE = Service(
    "ec2",
    operations={
        "describe_availability_zones": local_zones.describe_availability_zones,
        "modify_availability_zone_group": local_zones.modify_availability_zone_group,
        "get_spot_placement_scores": spot.get_spot_placement_scores,
        "get_instance_types_from_instance_requirements": instance_types.get_instance_types_from_instance_requirements,
        **account_settings.OPERATIONS,
        **instance_connect.ENDPOINTS.operations(),
        "modify_instance_connect_endpoint": instance_connect.modify_instance_connect_endpoint,
        **capacity_reservations.OPERATIONS,
        **root_volumes.OPERATIONS,
        **images.OPERATIONS,
        **gateways.OPERATIONS,
        **local_gateways.OPERATIONS,
        **customer_addresses.OPERATIONS,
    },
    beneath=moto_handler,
    types=TYPES,
    owns="AWS::EC2::",
    makes=MADE,
    controls={
        "age-launches": instances.age_launches,
        "age-snapshots": root_volumes.age_snapshots,
        "hold-root-volume-tasks": root_volumes.hold_tasks,
        "put-event": instance_connect.put_aws_event,
        "reserved-instances": capacity_reservations.put_purchases,
        "root-volume-task": root_volumes.next_task_ends,
        "spot-notice": spot.notice,
        "spot-questions": spot.limit_questions,
    },
    listens={
        INSTANCE_STATE: (capacity_reservations.instance_state_changed, instances.state_changed),
        LAUNCHED: (instances.launched, capacity_reservations.launched),
        TAGS_CHANGED: (instances.tags_changed,),
        VOLUME_CREATED: (root_volumes.volume_created,),
    },
    measure=capacity_reservations.publish_metrics,
    modelled=(
        "events of instances, tags and volumes, and what ends with an instance",
        "capacity reservations, root volume replacement tasks, Instance Connect Endpoints",
        "local gateways with their route tables and customer-owned addresses, Local Zones",
        "public Windows images by their ids, serial console and metadata defaults of an account",
        "attribute-based instance types, Spot notices, placement scores (invented)",
        "gateways that cannot be detached while there are public addresses, addresses that a NAT gateway holds",
        "disabled images, snapshots that go with their image",
        "what a role has just made is not known everywhere at once, with EVENTUAL=1",
    ),
    not_judged=(
        "traffic, capacity that EC2 lacks, prices, quotas of instances and addresses",
        "all but one resource of a call that names several, but for launches",
        "keys of volumes and snapshots, the time that opting in to a Local Zone takes",
        "BGP sessions, sharing, prefix lists of local gateways",
    ),
    iam=IamRules(
        resource=instances.judged_on,
        keys=instances.keys_of_call,
        resource_keys=instances.keys_of_resource,
        needs=launches.needs,
        tags={"ec2": instances.tags},
    ),
)
