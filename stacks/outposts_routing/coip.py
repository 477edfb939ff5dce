"""Mode coip: the pool of customer-owned addresses, and who has one."""

from collections.abc import Sequence
from typing import Any

from aws_cdk import CfnResource, CustomResource, Duration
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from stacks.outposts_routing.functions import COIP_SECONDS
from stacks.outposts_routing.load_balancer import Front
from stacks.outposts_routing.settings.domain import Domain
from stacks.shared.lifecycle import LifecycleResource
from stacks.shared.python_function import PythonFunction
from stacks.shared.solution import SolutionStack


class CustomerOwned(Construct):
    """A pool, its range and what uses its addresses, each a resource: CloudFormation deletes them in the reverse order.

    Args:
        after: associations without which addresses lead nowhere.
        subnet: the solution's own subnet, if it has one.
        front: the load balancer's surroundings, if there is to be one.
        name: begins the names of the outputs.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        domain: Domain,
        *,
        stack: SolutionStack,
        function: PythonFunction,
        table_id: str,
        after: Sequence[CfnResource],
        subnet: ec2.CfnSubnet | None,
        front: Front | None,
        name: str,
    ) -> None:
        super().__init__(scope, construct_id)
        self._function = function
        pool = self._resource("Pool", "CoipPool", {"RouteTableId": table_id, "Cidr": domain.coip_cidr})
        self._pool_id = pool.ref
        pool.node.add_dependency(*after)
        self._range = self._resource("Range", "CoipCidr", {"PoolId": self._pool_id, "Cidr": domain.coip_cidr})
        mapped = {"OwnSubnet": subnet.ref} if subnet and domain.map_coip_on_launch else {}
        mapped |= {listed.title().replace("-", ""): listed for vpc in domain.vpcs for listed in vpc.coip_subnet_ids}
        for called, subnet_id in mapped.items():
            self._user(called, "CoipSubnet", {"SubnetId": subnet_id})
        for address, interface in domain.elastic_ips.items():
            chosen = {"Address": domain.elastic_ip_addresses[address]} if address in domain.elastic_ip_addresses else {}
            made = self._user(f"Address{address}", "CoipAddress", {"NetworkInterfaceId": interface, **chosen})
            stack.output(
                f"{name}Address{address.title()}",
                made.get_att_string("CustomerOwnedIp"),
                f"Customer-owned address {address}" + (f" of {interface}" if interface else ""),
            )
        if front and subnet:
            made = self._user(
                "LoadBalancer",
                "CoipLoadBalancer",
                {
                    "SubnetId": subnet.ref,
                    "SecurityGroupIds": [front.security_group.security_group_id],
                    "Scheme": front.scheme,
                },
            )
            targets = front.listen(self, made.ref)
            stack.output(f"{name}TargetGroupArn", targets, "Register your instances here")
            stack.output(
                f"{name}LoadBalancer", made.get_att_string("DNSName"), "Load balancer with addresses of the pool"
            )
        stack.output(f"{name}PoolId", self._pool_id, f"Pool of {domain.coip_cidr}")

    def _user(self, construct_id: str, kind: str, properties: dict[str, Any]) -> CustomResource:
        made = self._resource(construct_id, kind, {"PoolId": self._pool_id, **properties})
        made.node.add_dependency(self._range)
        return made

    def _resource(self, construct_id: str, kind: str, properties: dict[str, Any]) -> CustomResource:
        return LifecycleResource(
            self,
            construct_id,
            kind=kind,
            function=self._function,
            properties=properties,
            timeout=Duration.seconds(2 * COIP_SECONDS),
        )
