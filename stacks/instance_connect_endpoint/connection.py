"""The connection that the doctor looks at: endpoint, instance and security groups as EC2 describes them."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from stacks.instance_connect_endpoint.settings import InstanceConnectEndpointSettings
from stacks.shared.preflight import Clients

Json = dict[str, Any]


@dataclass(frozen=True)
class Connection:
    """A connection that somebody wants to make, and what AWS tells of it.

    Attributes:
        instance_id: where to.
        port: which port there.
        client_ip: the address that people come from, if it is known.
        principal: the ARN of who connects; None: the caller.
    """

    clients: Clients
    settings: InstanceConnectEndpointSettings
    endpoint_id: str
    instance_id: str
    port: int
    client_ip: str | None
    principal: str | None

    @cached_property
    def endpoint(self) -> Json:
        """The endpoint as EC2 describes it."""
        found: list[Json] = self.clients("ec2").describe_instance_connect_endpoints(
            InstanceConnectEndpointIds=[self.endpoint_id]
        )["InstanceConnectEndpoints"]
        return found[0]

    @cached_property
    def instance(self) -> Json:
        """The instance as EC2 describes it."""
        (reservation,) = self.clients("ec2").describe_instances(InstanceIds=[self.instance_id])["Reservations"]
        found: Json = reservation["Instances"][0]
        return found

    @property
    def instance_groups(self) -> list[str]:
        """The security groups of the network interface that has the instance's address."""
        address = self.instance.get("PrivateIpAddress")
        for interface in self.instance.get("NetworkInterfaces", []):
            addresses = [item.get("PrivateIpAddress") for item in interface.get("PrivateIpAddresses", [])]
            if address and address in addresses:
                return [group["GroupId"] for group in interface["Groups"]]
        return [group["GroupId"] for group in self.instance.get("SecurityGroups", [])]

    def permissions(self, groups: list[str], direction: str) -> list[Json]:
        """All rules of some groups in one direction."""
        if not groups:  # EC2 would describe all groups
            return []
        found = self.clients("ec2").describe_security_groups(GroupIds=groups)["SecurityGroups"]
        return [permission for group in found for permission in group[direction]]
