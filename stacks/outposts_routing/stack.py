"""An Outposts rack and your network: direct VPC routing, or a pool of customer-owned IP addresses.

Post:
https://aws.amazon.com/blogs/compute/how-to-choose-between-coip-and-direct-vpc-routing-modes-on-aws-outposts-rack/
"""

from collections.abc import Sequence

from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from config.models import CommonSettings
from stacks.outposts_routing.domain import RoutingDomain
from stacks.outposts_routing.functions import Functions
from stacks.outposts_routing.settings import OutpostsRoutingSettings
from stacks.outposts_routing.settings.parts import MAIN
from stacks.series import Solution
from stacks.shared.guard import Guard
from stacks.shared.solution import SolutionStack


class OutpostsRoutingStack(SolutionStack):
    """The routing domains of one Outpost; on a first-generation rack there is one."""

    def __init__(
        self, scope: Construct, solution: Solution, common: CommonSettings, settings: OutpostsRoutingSettings
    ) -> None:
        super().__init__(scope, solution, common)
        functions = Functions(self, "Functions", settings)
        listed = [vpc.id for domain in settings.domains.values() for vpc in domain.vpcs]
        unlisted = common.vpc.id if common.vpc and common.vpc.id not in listed else None
        domains = []
        for name, domain in settings.domains.items():
            built = RoutingDomain(
                self,
                name.title(),
                domain,
                functions=functions,
                outpost_arn=settings.outpost_arn,
                local_gateway_id=settings.local_gateway_id,
                accept_outage=settings.accept_outage,
                has_domains=settings.rack_generation > 1,
                common_vpc_id=unlisted if name == MAIN else None,
                label=name,
            )
            domains.append(built)
            if name == MAIN:
                self.output(
                    "LocalGatewayId",
                    built.rack.get_att_string("LocalGatewayId"),
                    "The local gateway, target of your routes",
                )
        self._keep_vpcs_in_their_domains(settings, domains)
        if settings.ipam_pool_id:
            self._reserve(settings, settings.ipam_pool_id)

    def _keep_vpcs_in_their_domains(self, settings: OutpostsRoutingSettings, domains: Sequence[RoutingDomain]) -> None:
        """A VPC is with one route table of a rack at a time, and CloudFormation makes the new association first."""
        held = {
            f"Vpc{vpc.id}": name for name, domain in settings.domains.items() if domain.attached for vpc in domain.vpcs
        }
        if not held:
            return
        guard = Guard(
            self,
            "VpcsGuard",
            of=domains[0].content,
            subject="the VPCs of the routing domains",
            guarded=held,
            way="In two deployments: first without the VPC, then with it in its new domain.",
            accepted=False,
        )
        for domain in domains[1:]:
            domain.content.node.add_dependency(guard)

    def _reserve(self, settings: OutpostsRoutingSettings, pool_id: str) -> None:
        """Manual allocations, as the post advises; IPAM sees the ranges of VPCs by itself."""
        for cidr, what in settings.reserved_cidrs.items():
            ec2.CfnIPAMAllocation(
                self,
                f"Aside{cidr.replace('.', 'x').replace('/', 'm')}",
                ipam_pool_id=pool_id,
                cidr=cidr,
                description=f"{self.solution.slug}: {what}",
            )
