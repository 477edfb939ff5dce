"""A routing domain: a route table of the local gateway with its VPCs, virtual interfaces and routes."""

from collections.abc import Sequence
from typing import Any

from aws_cdk import Aws, CfnResource, CfnTag, Duration
from aws_cdk import aws_ec2 as ec2
from constructs import Construct, IConstruct

from stacks.outposts_routing.advice import COIP
from stacks.outposts_routing.coip import CustomerOwned
from stacks.outposts_routing.functions import HANDOVER_SECONDS, STACK_TAG, Functions
from stacks.outposts_routing.load_balancer import Front
from stacks.outposts_routing.network import OwnNetwork, own_interfaces, own_network
from stacks.outposts_routing.settings.domain import Domain
from stacks.shared.guard import Guard
from stacks.shared.lifecycle import LifecycleResource
from stacks.shared.solution import SolutionStack

RACK_SECONDS = 60
TWO_DEPLOYMENTS = (
    "In two deployments, both with accept_outage: true: first attached: false, then attached: true with the change."
)
STOPS = "Traffic between the Outpost and the network on premises stops meanwhile, and addresses change. "
OUTAGE = f"{STOPS}Set accept_outage: true and deploy again, or take the careful way. {TWO_DEPLOYMENTS}"


class RoutingDomain(Construct):
    """Everything of one routing domain.

    What depends on the mode has the mode in its logical id, and what depends on the pool the pool's range:
    CloudFormation makes the new beside the old, and deletes the old from its dependents down.

    Attributes:
        rack: the custom resource that knows the ids of the rack.
        content: everything of the mode, which guards come before.
    """

    def __init__(
        self,
        scope: SolutionStack,
        construct_id: str,
        domain: Domain,
        *,
        functions: Functions,
        outpost_arn: str | None,
        local_gateway_id: str | None,
        accept_outage: bool,
        has_domains: bool,
        common_vpc_id: str | None,
        label: str,
    ) -> None:
        super().__init__(scope, construct_id)
        self._stack, self._domain, self._label = scope, domain, label
        own_group = bool(domain.virtual_interfaces)
        self.rack = LifecycleResource(
            self,
            "Rack",
            kind="OutpostsRack",
            function=functions.rack,
            timeout=Duration.seconds(3 * RACK_SECONDS),
            properties={
                "OutpostArn": outpost_arn,
                "LocalGatewayId": local_gateway_id,
                "VirtualInterfaceGroupId": domain.virtual_interface_group_id,
                "MakesGroup": str(own_group).lower(),
                "Attached": None if domain.attached else "false",
            },
        )
        self._gateway = self.rack.get_att_string("LocalGatewayId")
        self._construct_id = construct_id
        self._group: str = self.rack.get_att_string("VirtualInterfaceGroupId")
        self._interfaces: Sequence[CfnResource] = ()
        if own_group:
            self._group, self._interfaces = own_interfaces(self, domain, gateway_id=self._gateway, guard=self._guard)
        # Route tables of Outpost subnets, and VPCs, by what their constructs are called: never by a place in a list.
        self._tables = {_letters(table): table for vpc in domain.vpcs for table in vpc.route_table_ids}
        self._vpcs = {_letters(vpc.id): vpc.id for vpc in domain.vpcs}
        self._own: OwnNetwork | None = None
        if domain.vpc_cidr and scope.common.vpc is None:
            self._own = self._network()
        if common_vpc_id:
            self._vpcs[_letters(common_vpc_id)] = common_vpc_id
        self.content = content = Construct(self, "Coip" if domain.mode == COIP else "Direct")
        if domain.attached:
            self._attach(content, functions)
        Guard(
            scope,
            f"{construct_id}Guard",
            of=content,
            subject=f"the routing domain {label}",
            guarded={
                "Mode": domain.mode,
                "Attached": str(domain.attached).lower(),
                "CoipCidr": domain.coip_cidr or "",
                "LocalGatewayId": self._gateway,
            },
            way=STOPS + TWO_DEPLOYMENTS if has_domains else OUTAGE,
            accepted=accept_outage,
        )
        if domain.attached:
            self._guard_attached(has_domains)

    def _guard_attached(self, has_domains: bool) -> None:
        """Guards that are removed with what they guard: after attached: false they stop nothing.

        On a first-generation rack the resources of another mode have ids of their own, and so has the first guard; the
        guard with the switch decides about that change. On a rack with routing domains the old route table must be
        deleted before its VIF group joins another domain: the second guard stops a change of the mode, and no switch
        opens it. The first is there on both: virtual interfaces of the stack's own come with rack_generation: 2.
        https://docs.aws.amazon.com/outposts/latest/network-userguide/routing-domains.html
        """
        guarded = {
            "CoipCidr": self._domain.coip_cidr or "",
            "LocalGatewayId": self._gateway,
            "VirtualInterfaceGroupId": self._group,
        }
        subject = "what depends on the local gateway"
        way = f"The new resources would collide with the old ones. {TWO_DEPLOYMENTS}"
        by_mode = "CoipAttached" if self._domain.mode == COIP else "DirectAttached"
        self._guard(by_mode, self.content, subject, guarded, way)
        if has_domains:
            self._guard("Attached", self.content, subject, guarded | {"Mode": self._domain.mode}, way)

    def _guard(self, name: str, of: IConstruct, subject: str, guarded: dict[str, Any], way: str) -> Guard:
        """Stops a change that would fail or orphan what runs; no switch opens it, and *way* says what to do instead."""
        return Guard(
            self._stack,
            f"{self._construct_id}{name}Guard",
            of=of,
            subject=f"{subject} of the routing domain {self._label}",
            guarded=guarded,
            way=way,
            accepted=False,
        )

    def _network(self) -> OwnNetwork:
        own = own_network(self._stack, self, self._domain, rack=self.rack, guard=self._guard)
        self._tables["Own"] = own.route_table_id
        self._vpcs["OwnVpc"] = own.vpc.vpc_id
        self._stack.output(f"{self._name}VpcId", own.vpc.vpc_id, f"VPC of the routing domain {self._label}")
        self._stack.output(f"{self._name}SubnetId", own.subnet.ref, "Its subnet on the Outpost")
        return own

    @property
    def _name(self) -> str:
        return self.node.id

    def _attach(self, content: Construct, functions: Functions) -> None:
        domain, tags = self._domain, [CfnTag(key=STACK_TAG, value=Aws.STACK_ID)]
        table = ec2.CfnLocalGatewayRouteTable(
            content, "RouteTable", local_gateway_id=self._gateway, mode=domain.mode, tags=tags
        )
        handover = LifecycleResource(
            self,
            "Handover",
            kind="Handover",
            function=functions.handover,
            timeout=Duration.seconds(2 * HANDOVER_SECONDS),
            properties={
                "RouteTableId": table.ref,
                "VpcIds": list(self._vpcs.values()),
                "VirtualInterfaceGroupId": self._group,
                "Destinations": list(domain.local_gateway_routes),
            },
        )
        interfaces = ec2.CfnLocalGatewayRouteTableVirtualInterfaceGroupAssociation(
            content,
            "VirtualInterfaces",
            local_gateway_route_table_id=table.ref,
            local_gateway_virtual_interface_group_id=self._group,
            tags=tags,
        )
        for needed in (handover, *self._interfaces):
            interfaces.node.add_dependency(needed)
        for destination in domain.local_gateway_routes:
            route = ec2.CfnLocalGatewayRoute(
                content,
                f"To{_in_words(destination)}",
                destination_cidr_block=destination,
                local_gateway_route_table_id=table.ref,
                local_gateway_virtual_interface_group_id=self._group,
            )
            route.node.add_dependency(interfaces)
        associations = []
        for called, vpc_id in self._vpcs.items():
            association = ec2.CfnLocalGatewayRouteTableVPCAssociation(
                content, called, local_gateway_route_table_id=table.ref, vpc_id=vpc_id, tags=tags
            )
            association.node.add_dependency(handover)
            associations.append(association)
        self._route(associations)
        self._stack.output(f"{self._name}RouteTableId", table.ref, f"Local gateway route table, mode {domain.mode}")
        front = None
        if domain.load_balancer and self._own:
            front = Front(self, "Front", domain, vpc=self._own.vpc)
        ready: list[CfnResource] = [interfaces, *associations]
        if domain.mode == COIP:
            assert domain.coip_cidr and functions.coip
            CustomerOwned(
                content,
                f"Pool{_in_words(domain.coip_cidr)}",
                domain,
                stack=self._stack,
                function=functions.coip,
                table_id=table.ref,
                after=ready,
                subnet=self._own.subnet if self._own else None,
                front=front,
                name=self._name,
            )
        elif front and self._own:
            front.direct(content, self._stack, subnet_id=self._own.subnet.ref, after=ready, name=self._name)

    def _route(self, associations: Sequence[CfnResource]) -> None:
        """Routes of the Outpost subnets; one to the local gateway is refused before the VPC is associated."""
        for called, table_id in self._tables.items():
            for cidr in self._domain.routed_cidrs if called == "Own" else self._domain.on_premises_cidrs:
                route = ec2.CfnRoute(
                    self,
                    f"{called}To{_in_words(cidr)}",
                    route_table_id=table_id,
                    destination_cidr_block=cidr,
                    local_gateway_id=self._gateway,
                )
                for association in associations:
                    route.node.add_dependency(association)


def _letters(resource_id: str) -> str:
    return resource_id.title().replace("-", "")


def _in_words(cidr: str) -> str:
    return cidr.replace(".", "x").replace("/", "m")
