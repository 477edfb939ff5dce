"""Section ``solutions.instance_connect_endpoint`` of config/config.yaml."""

from ipaddress import AddressValueError, IPv4Network, NetmaskValueError
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from config.models import Section, SolutionSettings, TagKey, TagValue
from stacks.shared.instance_attributes import is_arm

WIDEST_PREFIX = 8
NO_CLIENT_IP = frozenset({"c1", "cg1", "cg2", "g1", "hi1", "m1", "m2", "m3", "t1"})
"""Families that an endpoint which preserves the client's address cannot connect to:
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/connect-with-ec2-instance-connect-endpoint.html"""


def _network(text: str) -> str:
    try:
        network = IPv4Network(text)
    except (AddressValueError, NetmaskValueError, ValueError) as error:
        raise ValueError(f"{text!r} is no IPv4 range: {error}") from None
    if network.prefixlen < WIDEST_PREFIX:
        raise ValueError(f"{text} is wider than a /{WIDEST_PREFIX}: nothing here opens a port to the internet")
    return text


Cidr = Annotated[str, Field(examples=["203.0.113.0/24"]), AfterValidator(_network)]
InstanceType = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*\.[a-z0-9-]+$", examples=["t4g.nano"])]
OsUser = Annotated[str, Field(pattern=r"^[A-Za-z_][\w.@-]{0,30}$", examples=["ec2-user"])]
Principal = Annotated[
    str,
    Field(
        pattern=r"^(root|(user|assumed-role|federated-user)/(\*?[\w+=,.@/-])+\*?)$",
        examples=["assumed-role/Operators/*"],
    ),
]


class InstanceTag(Section):
    """A tag that an instance must have."""

    key: TagKey = "instance-connect"
    """Key of the tag; aws: belongs to AWS."""
    value: TagValue = "allowed"
    """Value of the tag."""

    @model_validator(mode="after")
    def _is_ours_to_set(self) -> Self:
        if self.key.lower().startswith("aws:"):
            raise ValueError(f"{self.key} begins with aws:, which belongs to AWS; choose another key")
        return self


ARN_CHARACTERS, MOST_CHARACTERS = 48, 1_700


class InstanceConnectEndpointSettings(SolutionSettings):
    """SSH and RDP to private instances: no internet gateway, no public address, no bastion host."""

    endpoint: bool = True
    """false removes the endpoint: the first of two deployments that replace it."""
    accept_endpoint_replacement: bool = False
    """true lets an update replace the endpoint. It works only into another VPC: a VPC has one endpoint at most."""
    ports: Annotated[tuple[Literal[22, 3389], ...], Field(min_length=1, max_length=2)] = (22,)
    """What may be connected to: 22 (SSH), 3389 (RDP); an endpoint takes no other."""
    preserve_client_ip: bool = False
    """true: instances see the client's address, and let client_cidrs in. false: they see the endpoint's."""
    client_cidrs: Annotated[tuple[Cidr, ...], Field(max_length=30)] = ()
    """With preserve_client_ip: the public IPv4 ranges that people connect from, /8 or narrower."""
    linux_instance_type: InstanceType | None = "t4g.nano"
    """Type of the private Linux demo instance, which bills by the hour. null: none."""
    windows_instance_type: InstanceType | None = None
    """Type of a private Windows demo instance, for example t3.medium. null: none."""
    tunnel_seconds: Annotated[int, Field(ge=1, le=3_600)] = 3_600
    """The longest connection that the data-plane policy allows; an hour is the most that AWS allows."""
    private_cidrs: Annotated[tuple[Cidr, ...], Field(max_length=20)] = ()
    """Private IPv4 ranges that the data-plane policy lets people connect to. Empty: the solution's own VPC, or all
    private ranges with common.vpc, whose range is not known before deployment."""
    instance_tag: InstanceTag = InstanceTag()
    """Instances with this tag take the SSH keys of people with the data-plane policy; the demo instances have it."""
    os_users: Annotated[tuple[OsUser, ...], Field(min_length=1, max_length=10)] = ("ec2-user",)
    """Users of the operating system whose SSH keys the data-plane policy may push; the first is in the outputs."""
    trail: Literal["existing", "create"] | None = None
    """Logs tunnels, and tells of those that others open, from CloudTrail: your trail's events, or a new trail."""
    expected_principals: Annotated[tuple[Principal, ...], Field(max_length=50)] = ()
    """With trail: whose tunnels are no news, as the ends of their ARNs in CloudTrail, * a wildcard. Empty: none."""

    @property
    def linux_architecture(self) -> Literal["arm64", "x86_64"]:
        """Processor architecture of the Linux demo instance."""
        return "arm64" if self.linux_instance_type and is_arm(self.linux_instance_type) else "x86_64"

    @model_validator(mode="after")
    def _principals_fit(self) -> Self:
        # With the beginning of an ARN each, in one pattern of 2,048 characters, of which the rest takes some 300:
        # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html
        length = sum(len(principal) + ARN_CHARACTERS for principal in self.expected_principals)
        if length > MOST_CHARACTERS:
            raise ValueError(
                f"expected_principals must have at most {MOST_CHARACTERS} characters, {ARN_CHARACTERS} more for each, "
                f"got {length}; use wildcards, such as assumed-role/Operators/*"
            )
        return self

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if len(set(self.ports)) < len(self.ports):
            raise ValueError("ports names a port twice; list each once")
        for key, port in (("linux_instance_type", 22), ("windows_instance_type", 3389)):
            if getattr(self, key) and port not in self.ports:
                raise ValueError(f"{key} needs port {port}; add it to ports, or set {key} to null")
        if self.windows_instance_type and is_arm(self.windows_instance_type):
            raise ValueError(f"windows_instance_type {self.windows_instance_type} is arm64, Windows needs x86_64")
        if self.expected_principals and self.trail is None:
            raise ValueError("expected_principals has no effect without trail; set trail to existing or create")
        return self

    @model_validator(mode="after")
    def _client_ip_can_be_preserved(self) -> Self:
        if self.preserve_client_ip and not self.client_cidrs:
            raise ValueError("preserve_client_ip needs client_cidrs, or instances would let nobody in")
        if self.client_cidrs and not self.preserve_client_ip:
            raise ValueError("client_cidrs has no effect without preserve_client_ip; remove it, or set that to true")
        for kind in filter(None, (self.linux_instance_type, self.windows_instance_type)):
            if self.preserve_client_ip and not keeps_client_ip(kind):
                raise ValueError(f"{kind} cannot be reached with preserve_client_ip; choose a newer instance family")
        return self


def keeps_client_ip(instance_type: str) -> bool:
    """Whether an endpoint that preserves the client's address can connect to a type."""
    return instance_type.partition(".")[0] not in NO_CLIENT_IP
