"""Section ``solutions.spinnaker_server_groups`` of config/config.yaml: the post's numbers are the defaults."""

from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from config.models import CommonSettings, Problem, SolutionSettings, common_rule, rule
from config.ranges import admits_everybody
from config.types import Cidr, InstanceType, SecretArn, SubnetId, repeated
from stacks.shared.instance_attributes import of_another_architecture, on_demand_of
from stacks.spinnaker_server_groups.settings.host import HostSettings
from stacks.spinnaker_server_groups.settings.spinnaker import AccountName, GateUrl, Purpose, sends_in_the_clear

STACK_NAME = "spinnaker-server-groups"
UBUNTU = "/aws/service/canonical/ubuntu/server/24.04/stable/current/amd64/hvm/ebs-gp3/ami-id"
"""Parameter with the image of the host: https://documentation.ubuntu.com/aws/aws-how-to/instances/find-ubuntu-images/"""
BURSTABLE = frozenset({"t2", "t3", "t3a", "t4g"})
"""Families with CPU credits, as Spinnaker knows them: clouddriver-aws, InstanceTypeUtils.isBurstingSupportedByAllTypes
of https://github.com/spinnaker/spinnaker."""
PURPOSE_TAG = "immutable_metadata"
"""Tag of a subnet whose JSON Spinnaker reads: clouddriver-aws, AmazonSubnetCachingAgent and its SubnetData."""


class SpinnakerServerGroupsSettings(SolutionSettings):
    """A server group over many types, zones and purchase options: natively, and for Spinnaker."""

    ignored_with_vpc: ClassVar[tuple[str, ...]] = ("network", "zones")
    regional_arns: ClassVar[tuple[str, ...]] = ("token_secret_arn",)

    native_group: bool = True
    """false: no group and load balancer of this stack; Spinnaker makes its own from the request bodies."""
    types: Annotated[tuple[InstanceType, ...], Field(min_length=2, max_length=40)] = (
        "m4.large",
        "m5.large",
        "m5a.large",
        "m5ad.large",
        "m5d.large",
        "m5dn.large",
        "m5n.large",
    )
    """Instance types to diversify over, in the order of your preference; at most 40."""
    architecture: Literal["arm64", "x86_64"] = "x86_64"
    """Processor architecture of the types and of their image."""
    cpu_credits: Literal["standard", "unlimited"] | None = None
    """CPU credits, only where every type is burstable. null: EC2's default for each type."""
    min_instances: Annotated[int, Field(ge=0, le=1_000)] = 6
    """Smallest size of the group."""
    max_instances: Annotated[int, Field(ge=1, le=1_000)] = 21
    """Largest size of the group; rebalancing may exceed it by a tenth for a while."""
    desired_instances: Annotated[int, Field(ge=0, le=1_000)] = 12
    """Size of the group; a deployment that changes the group sets it again."""
    on_demand_base: Annotated[int, Field(ge=0, le=1_000)] = 3
    """On-Demand base capacity: number of instances that are On-Demand before any is Spot."""
    on_demand_percentage: Annotated[int, Field(ge=0, le=99)] = 10
    """On-Demand percentage of the instances above the base; the rest is Spot."""
    allocation_strategy: Literal[
        "price-capacity-optimized", "capacity-optimized", "capacity-optimized-prioritized", "lowest-price"
    ] = "price-capacity-optimized"
    """How EC2 chooses among the Spot pools; the post uses capacity-optimized, which AWS recommended at the time."""
    lowest_price_pools: Annotated[int, Field(ge=1, le=20)] | None = None
    """lowest-price only: number of cheapest pools to use in each zone. null: EC2's default, 2."""
    grace_seconds: Annotated[int, Field(ge=0, le=7_200)] = 600
    """Health check grace period: seconds after the start of an instance before failed health checks count."""
    deregistration_seconds: Annotated[int, Field(ge=0, le=110)] = 90
    """Deregistration delay in seconds, below the 120 of a Spot interruption notice; the post recommends at most 90."""
    network: Literal["endpoints", "nat"] = "endpoints"
    """Egress of the private subnets: S3's gateway endpoint only, or a NAT gateway too, which bills its hours."""
    zones: Annotated[int, Field(ge=2, le=6)] = 3
    """Availability Zones of the solution's own network, each with a public and a private subnet."""
    public_subnet_ids: Annotated[tuple[SubnetId, ...], Field(max_length=6)] = ()
    """With common.vpc: its public subnets, in at least two zones, for an internet-facing load balancer."""
    scheme: Literal["internet-facing", "internal"] | None = None
    """Whether the load balancers have public addresses. null: yes, as in the post, unless common.vpc is set without
    public_subnet_ids."""
    allowed_cidrs: Annotated[tuple[Cidr, ...], Field(max_length=40)] = ()
    """IPv4 ranges that may call the load balancers. Empty: nobody; 0.0.0.0/0: everybody, with
    confirm_open_to_the_world."""
    confirm_open_to_the_world: bool = False
    """Safety switch: true silences the warning about allowed_cidrs that admit everybody."""
    application: Annotated[str, Field(pattern=r"^[a-z][a-z0-9]{0,19}$", examples=["demoapp"])] = "demoapp"
    """Name of the Spinnaker application: letters and digits, because a hyphen ends the name of an application in the
    name of a server group, and the load balancer's name begins with it."""
    email: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", examples=["owner@example.com"])] = (
        "owner@example.com"
    )
    """Email address of the application's owner, which Spinnaker requires."""
    account_name: AccountName = "my-aws-account"
    """Name of the AWS account in Spinnaker's configuration; every request names it as its credentials."""
    key_pair: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:@+=-]{1,64}$", examples=["ops"])] | None = None
    """Key pair of the instances that Spinnaker launches. null: the host's, or without a host none is sent;
    your Spinnaker then uses its account's default, which must exist."""
    public_purpose: Purpose | None = None
    """Purpose in the tag of the public subnets, by which Spinnaker finds them. null: the stack's name with -public."""
    private_purpose: Purpose | None = None
    """Purpose in the tag of the private subnets. null: the stack's name with -private."""
    gate_url: GateUrl = "http://localhost:8084/api/v1"
    """Address of Gate, Spinnaker's API, with the path before /tasks."""
    token_secret_arn: SecretArn | None = None
    """ARN of the secret that holds Gate's API token; the variable SPINNAKER_TOKEN comes first. null: none."""
    host: HostSettings | None = None
    """A Spinnaker of your own. null: none; {}: one with the defaults. It bills an instance and needs network nat."""

    @property
    def load_balancer_name(self) -> str:
        """Name of the load balancer that Spinnaker makes."""
        return f"{self.application}-lb"

    @property
    def target_group_name(self) -> str:
        """Name of the target group that Spinnaker makes."""
        return f"{self.application}-targetgroup"

    def is_internal(self, common: CommonSettings) -> bool:
        """Whether the load balancers have private addresses only."""
        if self.scheme is None:
            return common.vpc is not None and not self.public_subnet_ids
        return self.scheme == "internal"

    def on_demand(self, instances: int) -> int:
        """How many of this number of instances are On-Demand."""
        return on_demand_of(instances, base=self.on_demand_base, percentage=self.on_demand_percentage)

    @property
    def unlimited_cpu_credits(self) -> bool | None:
        """``cpu_credits`` as a request to Spinnaker has it."""
        return None if self.cpu_credits is None else self.cpu_credits == "unlimited"

    def purposes(self, common: CommonSettings) -> tuple[str, str] | None:
        """Purposes of the public and the private subnets; None if those of an existing network are not set.

        They contain the stack's name, because Spinnaker ignores a purpose that two VPCs of a Region have.
        """
        public, private = self.public_purpose, self.private_purpose
        if common.vpc and not (public and private):
            return None
        name = "-".join(filter(None, (common.prefix, STACK_NAME)))
        return public or f"{name}-public", private or f"{name}-private"

    @rule
    def _nothing_twice(self) -> Iterator[Problem]:
        for key in ("types", "public_subnet_ids", "allowed_cidrs"):
            for index in repeated(getattr(self, key)):
                yield Problem((key, index), "must not be listed twice; remove one")

    @rule
    def _one_architecture(self) -> Iterator[Problem]:
        yield from of_another_architecture("types", self.types, self.architecture)

    @rule
    def _credits_are_of_burstable_types(self) -> Iterator[Problem]:
        others = [name for name in self.types if name.partition(".")[0] not in BURSTABLE]
        if self.cpu_credits and others:
            yield Problem(
                "cpu_credits",
                f"must be null with {', '.join(others)} in types: EC2 launches none of these with CPU credits, "
                "and Spinnaker refuses the request; remove it, or list only types of t2, t3, t3a and t4g",
            )

    @rule
    def _sizes_fit(self) -> Iterator[Problem]:
        if self.min_instances > self.max_instances:
            yield Problem("min_instances", f"must be at most max_instances, which is {self.max_instances}; change one")
        elif not self.min_instances <= self.desired_instances <= self.max_instances:
            yield Problem(
                "desired_instances",
                f"must be between min_instances and max_instances, {self.min_instances} and {self.max_instances}; "
                "change one",
            )
        if self.on_demand_base >= self.max_instances:
            yield Problem(
                "on_demand_base",
                f"must be below max_instances, which is {self.max_instances}, or no instance is Spot; lower it",
            )

    @rule
    def _pools_are_of_lowest_price(self) -> Iterator[Problem]:
        if self.lowest_price_pools is not None and self.allocation_strategy != "lowest-price":
            yield Problem(
                "lowest_price_pools", f"must be null with allocation_strategy {self.allocation_strategy}; remove it"
            )

    @rule
    def _application_is_no_word_of_elb(self) -> Iterator[Problem]:
        # https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateLoadBalancer.html
        if self.application == "internal":
            yield Problem(
                "application",
                "must not be internal, because the name of a load balancer must not begin with internal-; rename it",
            )

    @rule
    def _open_to_the_world(self) -> Iterator[Problem]:
        index = admits_everybody(self.allowed_cidrs)
        if index is not None and not self.confirm_open_to_the_world:
            yield Problem(
                ("allowed_cidrs", index),
                "should be the ranges of your visitors: the page is open to the world, without TLS; set "
                "confirm_open_to_the_world to true if you mean it",
                warning=True,
            )

    @rule
    def _purposes_differ(self) -> Iterator[Problem]:
        if self.public_purpose and self.public_purpose == self.private_purpose:
            yield Problem(
                "private_purpose",
                "must differ from public_purpose, or load balancers get private subnets too; rename it",
            )

    @rule
    def _a_token_travels_encrypted(self) -> Iterator[Problem]:
        if self.token_secret_arn and sends_in_the_clear(self.gate_url):
            yield Problem(
                "gate_url", "must begin with https if token_secret_arn is set, except for localhost; correct it"
            )

    @common_rule
    def _the_host_has_egress(self, common: CommonSettings) -> Iterator[Problem]:
        if self.host and not common.vpc and self.network != "nat":
            yield Problem(
                "network",
                "must be nat with host, which downloads Spinnaker from the internet; set nat, or remove host",
            )

    @common_rule
    def _application_is_not_the_stack(self, common: CommonSettings) -> Iterator[Problem]:
        first = "-".join(filter(None, (common.prefix, STACK_NAME))).partition("-")[0]
        if self.application == first:
            yield Problem(
                "application",
                f"must not be {first}, with which the names of this stack's security groups begin: Spinnaker mistakes "
                "them for the application's and cannot delete it; rename it",
            )

    @common_rule
    def _load_balancer_has_subnets(self, common: CommonSettings) -> Iterator[Problem]:
        if self.public_subnet_ids and not common.vpc:
            yield Problem("public_subnet_ids", "must be empty without common.vpc; remove it")
        if not common.vpc or not self.native_group:
            return
        if self.scheme == "internet-facing" and len(self.public_subnet_ids) < 2:
            yield Problem(
                "public_subnet_ids",
                "must name two public subnets of common.vpc, in two zones, for an internet-facing load balancer; add "
                "them, or set scheme to internal",
            )
        if len(self.public_subnet_ids or common.vpc.subnet_ids) < 2:
            yield Problem(
                "native_group",
                "must be false with a single subnet in common.vpc, because a load balancer needs two; add one",
            )
