"""Section ``solutions.instance_connect_endpoint`` of config/config.yaml."""

from collections.abc import Iterator
from ipaddress import IPv4Network
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from config.models import CommonSettings, Problem, SolutionSettings, Tag, common_rule, rule
from config.types import Cidr, InstanceType, repeated
from stacks.shared.instance_attributes import is_arm

WIDEST_PREFIX = 8
NO_CLIENT_IP = frozenset({"c1", "cg1", "cg2", "g1", "hi1", "m1", "m2", "m3", "t1"})
"""Families that an endpoint which preserves the client's address cannot connect to:
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/connect-with-ec2-instance-connect-endpoint.html"""


def _narrow(text: str) -> str:
    if IPv4Network(text).prefixlen < WIDEST_PREFIX:
        raise ValueError(f"must be a /{WIDEST_PREFIX} or narrower: no port is opened to the internet here; narrow it")
    return text


NarrowCidr = Annotated[Cidr, Field(examples=["203.0.113.0/24"]), AfterValidator(_narrow)]
# https://docs.aws.amazon.com/ec2-instance-connect/latest/APIReference/API_SendSSHPublicKey.html: InstanceOSUser, whose
# second form, of names that begin with a digit, is written here without looking ahead.
OsUser = Annotated[
    str,
    Field(
        max_length=32,
        pattern=r"^([A-Za-z_][A-Za-z0-9@._-]{0,30}[A-Za-z0-9$_-]?|[0-9]+[A-Za-z@._-][A-Za-z0-9@._-]*[A-Za-z0-9$_-]?)$",
        examples=["ec2-user"],
    ),
]
Principal = Annotated[
    str,
    Field(
        pattern=r"^(root|(user|assumed-role|federated-user)/(\*|(\*?[\w+=,.@/-])+\*?))$",
        examples=["assumed-role/Operators/*"],
    ),
]


ARN_CHARACTERS, MOST_CHARACTERS = 48, 1_700


class InstanceConnectEndpointSettings(SolutionSettings):
    """SSH and RDP to private instances: no internet gateway, no public address, no bastion host."""

    endpoint: bool = True
    """false removes the endpoint (step 1 of 2 when replacing it)."""
    accept_endpoint_replacement: bool = False
    """true lets an update replace the endpoint. It works only into another VPC: a VPC has one endpoint at most."""
    ports: Annotated[tuple[Literal[22, 3389], ...], Field(min_length=1, max_length=2)] = (22,)
    """Ports to connect to: 22 (SSH), 3389 (RDP); an endpoint allows no others."""
    preserve_client_ip: bool = False
    """true: instances see the client's address and admit client_cidrs. false: they see the endpoint's."""
    client_cidrs: Annotated[tuple[NarrowCidr, ...], Field(max_length=30)] = ()
    """With preserve_client_ip: public IPv4 ranges of the clients, /8 or narrower."""
    linux_instance_type: InstanceType | None = "t4g.nano"
    """Type of the private Linux demo instance, which bills by the hour. null: none."""
    windows_instance_type: InstanceType | None = None
    """Type of a private Windows demo instance, for example t3.medium. null: none."""
    tunnel_seconds: Annotated[int, Field(ge=1, le=3_600)] = 3_600
    """Longest connection that the data-plane policy allows, in seconds; AWS allows an hour."""
    private_cidrs: Annotated[tuple[NarrowCidr, ...], Field(max_length=20)] = ()
    """Private IPv4 ranges that the data-plane policy allows as destinations. Empty: the solution's own VPC, or all
    private ranges with common.vpc, whose range is not known before deployment."""
    source_cidrs: Annotated[tuple[NarrowCidr, ...], Field(max_length=20)] = ()
    """Public IPv4 ranges from which the data-plane policy allows tunnels and SSH keys. Empty: from anywhere."""
    instance_tag: Tag = Tag(key="instance-connect", value="allowed")
    """Tag of the instances that accept SSH keys from the data-plane policy; the demo instances have it."""
    os_users: Annotated[tuple[OsUser, ...], Field(min_length=1, max_length=10)] = ("ec2-user",)
    """Operating system users that the data-plane policy may push SSH keys for; the first is in the outputs."""
    trail: Literal["existing", "create"] | None = None
    """Log tunnels and alert on those opened by other principals, from an existing trail or a new one. null: neither."""
    expected_principals: Annotated[tuple[Principal, ...], Field(max_length=50)] = ()
    """With trail: principals whose tunnels do not raise an alert, as the ends of their ARNs, * a wildcard."""

    @property
    def linux_architecture(self) -> Literal["arm64", "x86_64"]:
        """Processor architecture of the Linux demo instance."""
        return "arm64" if self.linux_instance_type and is_arm(self.linux_instance_type) else "x86_64"

    @rule
    def _principals_fit(self) -> Iterator[Problem]:
        # With the beginning of an ARN each, in one pattern of 2,048 characters, of which the rest takes some 300:
        # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html
        length = sum(len(principal) + ARN_CHARACTERS for principal in self.expected_principals)
        if length > MOST_CHARACTERS:
            yield Problem(
                "expected_principals",
                f"must have at most {MOST_CHARACTERS} characters, {ARN_CHARACTERS} more for each, has {length}; use "
                "wildcards, such as assumed-role/Operators/*",
            )

    @common_rule
    def _strangers_can_be_told(self, common: CommonSettings) -> Iterator[Problem]:
        if self.trail and common.topic_of_others:
            yield Problem(
                "trail",
                f"must be null with common.alarm_topic_arn of account {common.topic_of_others}, which EventBridge does "
                "not reach; leave the topic out, or name one of this account",
            )

    @rule
    def _no_port_twice(self) -> Iterator[Problem]:
        for index in repeated(self.ports):
            yield Problem(("ports", index), "must not be listed twice; remove one")

    @rule
    def _demo_instances_have_their_ports(self) -> Iterator[Problem]:
        for key, port in (("linux_instance_type", 22), ("windows_instance_type", 3389)):
            if getattr(self, key) and port not in self.ports:
                yield Problem(key, f"must be null without port {port}; set it to null, or add {port} to ports")

    @rule
    def _windows_is_x86(self) -> Iterator[Problem]:
        if self.windows_instance_type and is_arm(self.windows_instance_type):
            yield Problem("windows_instance_type", "must be of architecture x86_64 for Windows; choose t3.medium or so")

    @rule
    def _principals_are_of_a_trail(self) -> Iterator[Problem]:
        if self.expected_principals and self.trail is None:
            yield Problem("expected_principals", "must be empty without trail; set trail to existing or create")

    @rule
    def _client_ranges_are_of_clients(self) -> Iterator[Problem]:
        if self.preserve_client_ip and not self.client_cidrs:
            yield Problem(
                "preserve_client_ip", "must be false without client_cidrs, or no client can connect; set them"
            )
        if self.client_cidrs and not self.preserve_client_ip:
            yield Problem("client_cidrs", "must be empty without preserve_client_ip; remove it, or set that to true")

    @rule
    def _client_ip_can_be_preserved(self) -> Iterator[Problem]:
        for key in ("linux_instance_type", "windows_instance_type"):
            kind = getattr(self, key)
            if kind and self.preserve_client_ip and not keeps_client_ip(kind):
                yield Problem(key, "must be of a newer family with preserve_client_ip; choose t3, t4g or newer")


def keeps_client_ip(instance_type: str) -> bool:
    """Whether an endpoint that preserves the client's address can connect to a type."""
    return instance_type.partition(".")[0] not in NO_CLIENT_IP
