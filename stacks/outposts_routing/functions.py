"""The three functions behind the custom resources, and what each may do."""

from aws_cdk import Aws
from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.outposts_routing.advice import COIP
from stacks.outposts_routing.settings import OutpostsRoutingSettings
from stacks.shared.grants import allow_describing, allow_on_pattern, shown_arn
from stacks.shared.python_function import PythonFunction
from stacks.shared.solution import SolutionStack

STACK_TAG = "outposts-routing-stack"  # lambdas/outposts_routing/ownership.py writes and reads it
TABLE, GROUP = "local-gateway-route-table", "local-gateway-virtual-interface-group"
ASSOCIATIONS = {
    "local-gateway-route-table-vpc-association": "LocalGatewayRouteTableVpcAssociation",
    "local-gateway-route-table-virtual-interface-group-association": (
        "LocalGatewayRouteTableVirtualInterfaceGroupAssociation"
    ),
}
OURS = "Its id is known when it is there; the tag of this stack holds it to its own."
MADE = "It gets its id when it is made, with the tag of this stack."
COIP_SECONDS, HANDOVER_SECONDS = 900, 900


class Functions(Construct):
    """Rack, Coip and Handover.

    Attributes:
        rack: finds the local gateway, the group of virtual interfaces and the zone.
        handover: takes associations from a route table whose mode changes.
        coip: makes what CloudFormation has no type for. None while no domain has mode coip.
    """

    def __init__(self, scope: SolutionStack, construct_id: str, settings: OutpostsRoutingSettings) -> None:
        super().__init__(scope, construct_id)
        self._stack = scope
        self.rack = PythonFunction(
            scope,
            "Rack",
            handler="rack",
            description="Finds the local network of the Outpost",
            environment={},
            timeout_seconds=60,
        )
        allow_describing(
            self.rack.own_role,
            "ec2:DescribeLocalGateways",
            "ec2:DescribeLocalGatewayVirtualInterfaceGroups",
        )
        self._let_read_outpost(settings)
        self.handover = PythonFunction(
            scope,
            "Handover",
            handler="handover",
            description="Frees VPCs and virtual interfaces when the mode changes",
            environment={},
            timeout_seconds=HANDOVER_SECONDS,
        )
        self._let_hand_over()
        self.coip: PythonFunction | None = None
        if any(domain.mode == COIP and domain.attached for domain in settings.domains.values()):
            self.coip = PythonFunction(
                scope,
                "Coip",
                handler="coip",
                description="Makes and removes customer-owned addresses",
                environment={},
                timeout_seconds=COIP_SECONDS,
            )
            self._let_own_addresses(self.coip.own_role)

    def _let_read_outpost(self, settings: OutpostsRoutingSettings) -> None:
        if settings.outpost_arn:
            self.rack.own_role.add_to_policy(
                iam.PolicyStatement(actions=["outposts:GetOutpost"], resources=[settings.outpost_arn])
            )
            return
        allow_on_pattern(
            self.rack.own_role,
            "outposts:GetOutpost",
            arn=self._stack.format_arn(service="outposts", resource="outpost", resource_name="*"),
            shown=shown_arn(self._stack, "outposts", "outpost/*"),
            reason="Which Outpost it is, is what the function finds out.",
        )

    def _let_hand_over(self) -> None:
        role = self.handover.own_role
        allow_describing(
            role,
            "ec2:DescribeLocalGatewayRouteTables",
            "ec2:DescribeLocalGatewayRouteTableVirtualInterfaceGroupAssociations",
            "ec2:DescribeLocalGatewayRouteTableVpcAssociations",
        )
        creating = [f"ec2:Create{name}" for name in ASSOCIATIONS.values()]
        self._allow(
            role,
            TABLE,
            "ec2:CreateLocalGatewayRoute",
            "ec2:DeleteLocalGatewayRoute",
            "ec2:SearchLocalGatewayRoutes",
            *creating,
            ours=True,
        )
        self._allow(
            role,
            "prefix-list",
            "ec2:DeleteLocalGatewayRoute",
            reason="A route to a prefix list goes with its route table, whichever list that is.",
        )
        for kind, name in ASSOCIATIONS.items():
            self._allow(role, kind, f"ec2:Delete{name}", ours=True)
            self._allow(role, kind, f"ec2:Create{name}", made=True)
            self._let_tag(role, kind, f"Create{name}")
        for kind, action in ((GROUP, creating[1]), (GROUP, "ec2:CreateLocalGatewayRoute"), ("vpc", creating[0])):
            self._allow(role, kind, action, reason="What an old route table had, it gets back, whichever that was.")
        role.add_to_policy(
            iam.PolicyStatement(actions=["cloudformation:DescribeStacks"], resources=[self._stack.stack_id])
        )

    def _let_own_addresses(self, role: iam.IRole) -> None:
        allow_describing(
            role,
            "ec2:DescribeAddresses",
            "ec2:DescribeCoipPools",
            "ec2:DescribeSubnets",
        )
        self._allow(role, TABLE, "ec2:CreateCoipPool", ours=True)
        self._allow(role, "coip-pool", "ec2:CreateCoipPool", made=True)
        self._allow(
            role,
            "coip-pool",
            "ec2:CreateCoipCidr",
            "ec2:DeleteCoipCidr",
            "ec2:DeleteCoipPool",
            "ec2:GetCoipPoolUsage",
            ours=True,
        )
        self._allow(role, "elastic-ip", "ec2:AllocateAddress", made=True)
        moving = ("ec2:AssociateAddress", "ec2:DisassociateAddress")
        self._allow(role, "elastic-ip", *moving, "ec2:ReleaseAddress", ours=True)
        self._allow(
            role, "network-interface", *moving, reason="Interfaces come and go; the address that moves is this stack's."
        )
        self._let_tag(role, "coip-pool", "CreateCoipPool")
        self._let_tag(role, "elastic-ip", "AllocateAddress")
        self._let_make_balancer(role)
        self._allow(
            role,
            "subnet",
            "ec2:ModifySubnetAttribute",
            reason="A subnet is out of the configuration before its attribute is set back.",
        )

    def _let_make_balancer(self, role: iam.IRole) -> None:
        """Elastic Load Balancing calls EC2 with the permissions of its caller.

        https://docs.aws.amazon.com/elasticloadbalancing/latest/userguide/elb-api-permissions.html, and for a pool
        ec2:DescribeCoipPools and ec2:GetCoipPoolUsage: kubernetes-sigs/aws-load-balancer-controller#1803. The last one
        of these is in that controller's policy and not on AWS's page.
        """
        allow_describing(
            role,
            "ec2:DescribeAccountAttributes",
            "ec2:DescribeInternetGateways",
            "ec2:DescribeNetworkInterfaces",
            "ec2:DescribeSecurityGroups",
            "ec2:DescribeVpcs",
            "elasticloadbalancing:DescribeLoadBalancers",
        )
        self._allow(
            role,
            "vpc",
            "ec2:GetSecurityGroupsForVpc",
            reason="It reads which security groups a load balancer in a VPC may have.",
        )
        allow_on_pattern(
            role,
            "elasticloadbalancing:AddTags",
            "elasticloadbalancing:CreateLoadBalancer",
            "elasticloadbalancing:DeleteLoadBalancer",
            "elasticloadbalancing:ModifyLoadBalancerAttributes",
            arn=self._stack.format_arn(
                service="elasticloadbalancing", resource="loadbalancer", resource_name="app/coip-*/*"
            ),
            shown=shown_arn(self._stack, "elasticloadbalancing", "loadbalancer/app/coip-*/*"),
            reason="A load balancer gets its id when it is made; its name is made of this stack's id.",
        )

    def _allow(
        self, role: iam.IRole, kind: str, *actions: str, ours: bool = False, made: bool = False, reason: str = ""
    ) -> None:
        """Allows actions on EC2's resources of a kind: those with this stack's tag, or those made with it, or all."""
        key = f"aws:{'ResourceTag' if ours else 'RequestTag'}/{STACK_TAG}"
        allow_on_pattern(
            role,
            *actions,
            arn=self._stack.format_arn(service="ec2", resource=kind, resource_name="*"),
            shown=shown_arn(self._stack, "ec2", f"{kind}/*"),
            reason=reason or (OURS if ours else MADE),
            conditions={"StringEquals": {key: Aws.STACK_ID}} if ours or made else None,
        )

    def _let_tag(self, role: iam.IRole, kind: str, while_calling: str) -> None:
        allow_on_pattern(
            role,
            "ec2:CreateTags",
            arn=self._stack.format_arn(service="ec2", resource=kind, resource_name="*"),
            shown=shown_arn(self._stack, "ec2", f"{kind}/*"),
            reason=MADE,
            conditions={"StringEquals": {"ec2:CreateAction": while_calling}},
        )
