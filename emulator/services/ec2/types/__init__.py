"""CloudFormation types of EC2: each a few calls to its API."""

from emulator.core.resource import ResourceType
from emulator.services.ec2.types import instances, local_gateways, network, reservations

TYPES: dict[str, ResourceType] = {**network.TYPES, **instances.TYPES, **local_gateways.TYPES, **reservations.TYPES}
