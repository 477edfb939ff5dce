"""Gateways: one to the internet cannot be detached while something in its VPC has a public address.

An address that a NAT gateway holds cannot be released.

The routes of a gateway endpoint follow its route tables. moto makes and deletes them with the endpoint only, so that
after a change of its tables it could not be deleted. "When you create or modify an endpoint, you specify the VPC route
tables [...] A route is automatically added to each": https://docs.aws.amazon.com/vpc/latest/userguide/vpce-gateway.html.

"Network vpc-... has some mapped public address(es). Please unmap those public address(es) before detaching the
gateway": https://github.com/buildkite/elastic-ci-stack-for-aws/issues/934 and
https://github.com/hortonworks/cloudbreak/pull/1538 met it where a stack had deleted both at once.
"""

from collections.abc import Iterator
from typing import Any

from emulator.core.api import Around, Json, Operation, client_error
from emulator.services.ec2.patches import backend
from emulator.services.ec2.resources import listed, refuse_if


def _may_be_detached(parameters: Json) -> None:
    vpc = parameters["VpcId"]
    message = (
        f"Network {vpc} has some mapped public address(es). Please unmap those public address(es) before detaching the "
        "gateway."
    )
    refuse_if(any(found == vpc for found in _with_public_addresses()), message)


def _with_public_addresses() -> Iterator[Any]:
    """The VPC of everything that has one."""
    here = backend()
    yield from (each.vpc_id for each in here.all_instances() if each.state == "running" and each.public_ip)
    yield from (each.eni.subnet.vpc_id for each in here.addresses if each.association_id and each.eni)
    yield from (each.vpc_id for each in here.nat_gateways.values() if each.state == "available")


def _may_be_released(parameters: Json) -> None:
    """First it must be disassociated: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ReleaseAddress.html."""
    name = parameters.get("AllocationId")
    there = [each for each in backend().nat_gateways.values() if each.state == "available"]
    if any(address["allocationId"] == name for each in there for address in each.address_set if address):
        raise client_error("InvalidIPAddress.InUse", f"The address {name} is in use.")


def _deleted(parameters: Json, _answer: Any) -> None:
    """Frees the Elastic IPs of a NAT gateway that is deleted.

    "Deleting a NAT gateway disassociates its Elastic IP address, but does not release the address from your account"
    (https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-working-with.html).
    """
    here = backend()
    held = {each["allocationId"] for each in here.nat_gateways[parameters["NatGatewayId"]].address_set if each}
    for address in here.addresses:
        if address.allocation_id in held and address.association_id:
            here.disassociate_address(association_id=address.association_id)


def _modified(parameters: Json, _answer: Any) -> None:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyVpcEndpoint.html."""
    here = backend()
    name = parameters["VpcEndpointId"]
    if prefixes := here.vpc_end_points[name].destination_prefix_list_id:
        for table in listed(parameters, "RemoveRouteTableIds"):
            here.delete_route(table, prefixes)
        for table in listed(parameters, "AddRouteTableIds"):
            here.create_route(table, None, gateway_id=name, destination_prefix_list_id=prefixes)


OPERATIONS: dict[str, Operation | Around] = {
    "delete_nat_gateway": Around(after=_deleted),
    "detach_internet_gateway": Around(_may_be_detached),
    "modify_vpc_endpoint": Around(after=_modified),
    "release_address": Around(_may_be_released),
}
