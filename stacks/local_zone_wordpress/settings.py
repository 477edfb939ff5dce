"""Section ``solutions.local_zone_wordpress`` of config/config.yaml."""

from collections.abc import Iterator
from ipaddress import IPv4Network
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from config.models import CommonSettings, Problem, Section, SolutionSettings, common_rule, rule
from config.ranges import admits_everybody, never_routed
from config.schedules import TimeOfDay
from config.types import CertificateArn, Cidr, InstanceType, LocalZoneName, SecretArn, SnapshotId, SubnetId, repeated
from stacks.shared.instance_attributes import is_arm

SMALLEST_PREFIX, LARGEST_PREFIX = 16, 24  # of the VPC; four subnets of /26 fit into the smallest
# fmt: off
XEN = frozenset((
    "t1", "t2", "m1", "m2", "m3", "m4", "c1", "c3", "c4", "cc2", "cg1", "cr1", "r3", "r4",
    "x1", "x1e", "d2", "f1", "g2", "g3", "g3s", "h1", "hi1", "hs1", "i2", "i3", "p2", "p3",
))
# fmt: on
"""Families without NVMe volumes, which a boot finds by their ids:
https://docs.aws.amazon.com/ec2/latest/instancetypes/ec2-nitro-instances.html"""
WORDPRESS_SHA256 = "11fd65eccbf4dd5de5ecb3724b55f92c56d6c1ea967497fe9374bcdd7a6fbda6"
LABEL = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
DomainName = Annotated[str, Field(pattern=rf"^{LABEL}(\.{LABEL})+$", max_length=253, examples=["blog.example.com"])]


class BackupSettings(Section):
    """Snapshots of the data volume, taken by Data Lifecycle Manager."""

    every_hours: Literal[1, 2, 3, 4, 6, 8, 12, 24] = 24
    """Hours between two snapshots."""
    at: TimeOfDay = "03:00"
    """Time of the first snapshot of a day in UTC, in quotes."""
    keep: Annotated[int, Field(ge=1, le=1_000)] = 7
    """Number of snapshots to keep."""
    location: Literal["region", "local-zone"] = "region"
    """Where they are stored: in the parent Region, or in the zone itself, where it has snapshots of its own."""


class LocalZoneWordpressSettings(SolutionSettings):
    """WordPress close to its readers: a VPC that reaches into a Local Zone, and all of the site in it."""

    regional_arns: ClassVar[tuple[str, ...]] = ("certificate_arn", "certificate_secret_arn")

    zone: LocalZoneName | None = None
    """Name of the Local Zone. null: the first Availability Zone of the Region, to rehearse; no account opts in to
    anything that way."""
    opt_in: bool = True
    """true: the deployment opts the account in to the zone's group, which only AWS Support can undo. false: it fails
    if the account has not."""
    nat: Literal["instance", "gateway"] = "instance"
    """Egress of private instances; a NAT gateway only where the zone has them."""
    load_balancer: Literal["self-managed", "application"] = "self-managed"
    """self-managed: nginx on an instance, in any zone. application: an Application Load Balancer, where the zone has
    them."""
    certificate_arn: CertificateArn | None = None
    """application: certificate of AWS Certificate Manager for HTTPS."""
    certificate_secret_arn: SecretArn | None = None
    """self-managed: secret with the certificate chain and its key, in PEM, one after the other. null: the instance
    signs its own, which browsers warn of."""
    allow_http: bool = False
    """application: true serves plain HTTP where there is no certificate, as the post does."""
    domain: DomainName | None = None
    """Name of the site, which you point at the address in the outputs. null: that address itself."""
    # On two ports each, which is what a security group takes:
    # https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html
    allowed_cidrs: Annotated[tuple[Cidr, ...], Field(max_length=30)] = ()
    """IPv4 ranges of the visitors. Empty: nobody; 0.0.0.0/0: everybody, with confirm_open_to_the_world."""
    confirm_open_to_the_world: bool = False
    """Safety switch: true silences the warning about allowed_cidrs that admit everybody."""
    web_type: InstanceType = "t3.medium"
    """Type of the WordPress instances."""
    database_type: InstanceType = "t3.medium"
    """Type of the database's instance."""
    edge_type: InstanceType = "t3.medium"
    """Type of the NAT instance and of a self-managed load balancer."""
    min_instances: Annotated[int, Field(ge=1, le=50)] = 1
    """Smallest number of WordPress instances."""
    max_instances: Annotated[int, Field(ge=1, le=50)] = 2
    """Largest number; one more than the smallest lets an update begin with a new one."""
    web_port: Annotated[int, Field(ge=1024, le=65_535)] = 8080
    """Port of the WordPress instances, for the load balancer alone."""
    data_gib: Annotated[int, Field(ge=1, le=16_384)] = 20
    """Size of the volume with the database and the uploads, in GiB."""
    volume_type: Literal["gp3", "gp2"] = "gp3"
    """Type of all volumes; older zones have gp2 only."""
    backup: BackupSettings = BackupSettings()
    """Snapshots of the data volume."""
    restore_from: SnapshotId | None = None
    """Snapshot that the data volume is made from. null: an empty volume. Another one makes another volume."""
    accept_volume_replacement: bool = False
    """Safety switch: must be true before another restore_from may replace the data volume, and so its data."""
    wordpress_version: Annotated[str, Field(pattern=r"^\d+\.\d+(\.\d+)?$", examples=["6.9.7"])] = "6.9.7"
    """Release of WordPress."""
    wordpress_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", examples=[WORDPRESS_SHA256])] = WORDPRESS_SHA256
    """SHA-256 of that release's tar.gz; a boot with any other file fails."""
    title: Annotated[str, Field(max_length=100, pattern=r"^[\w .,:!?()-]+$", examples=["My site"])] = (
        "WordPress in a Local Zone"
    )
    """Title of the site."""
    admin_email: Annotated[str, Field(pattern=r"^[\w.+-]+@[\w-]+(\.[\w-]+)+$", examples=["admin@example.com"])] = (
        "admin@example.com"
    )
    """Address of the administrator."""
    vpc_cidr: Cidr = "172.31.100.0/24"
    """Addresses of the VPC, as in the post's sample: a /16 to /24."""
    private_subnet_ids: tuple[SubnetId, ...] = ()
    """Subnets of common.vpc in the zone, for WordPress and database, with a way out. Empty: a VPC of its own, because
    the subnets of common.vpc are in the Region."""
    public_subnet_ids: tuple[SubnetId, ...] = ()
    """With private_subnet_ids: subnets of common.vpc in the zone for the load balancer; for a self-managed one the
    first must give public addresses at launch."""

    @property
    def border_group(self) -> str | None:
        """The group of the zone, which advertises its public addresses; None outside of a Local Zone."""
        return self.zone[:-1] if self.zone else None

    @property
    def own_network(self) -> bool:
        """Whether the stack makes its VPC."""
        return not self.private_subnet_ids

    @property
    def instance_types(self) -> list[str]:
        """The types that the zone must offer."""
        edge = self.load_balancer == "self-managed" or (self.own_network and self.nat == "instance")
        return list(dict.fromkeys([self.web_type, self.database_type, *([self.edge_type] if edge else [])]))

    @rule
    def _replacement_has_data(self) -> Iterator[Problem]:
        if self.accept_volume_replacement and not self.restore_from:
            yield Problem(
                "accept_volume_replacement",
                "must be false while restore_from is null: an empty volume would replace the data; set restore_from",
            )

    @rule
    def _certificate_is_of_its_load_balancer(self) -> Iterator[Problem]:
        if self.load_balancer == "application":
            if self.certificate_secret_arn:
                yield Problem(
                    "certificate_secret_arn",
                    "must be null with load_balancer application; remove it, and set certificate_arn",
                )
        else:
            for key in ("certificate_arn", "allow_http"):
                if getattr(self, key):
                    yield Problem(
                        key, "must be left out with load_balancer self-managed, which always serves HTTPS; remove it"
                    )

    @rule
    def _application_has_a_certificate(self) -> Iterator[Problem]:
        if self.load_balancer != "application":
            return
        if not self.certificate_arn and not self.allow_http:
            yield Problem(
                "certificate_arn",
                "must be set with load_balancer application, for HTTPS; set it, or allow_http to true, which serves "
                "passwords in plain text",
            )
        if self.certificate_arn and self.allow_http:
            yield Problem(
                "allow_http",
                "must be false with certificate_arn: HTTP is redirected to HTTPS then; remove one of the two",
            )

    @rule
    def _sizes_fit(self) -> Iterator[Problem]:
        if self.min_instances > self.max_instances:
            yield Problem("min_instances", f"must be at most max_instances, which is {self.max_instances}; change one")

    @rule
    def _types_have_volumes_by_id(self) -> Iterator[Problem]:
        for key in ("web_type", "database_type", "edge_type"):
            family, _, size = getattr(self, key).partition(".")
            if family in XEN and not size.startswith("metal"):
                yield Problem(key, f"must be built on Nitro, got {getattr(self, key)}; choose t3, m5, c5 or newer")

    @rule
    def _one_architecture(self) -> Iterator[Problem]:
        for key in ("web_type", "edge_type"):
            if is_arm(getattr(self, key)) != is_arm(self.database_type):
                yield Problem(
                    key,
                    f"must be of the architecture of database_type, which is {self.database_type}; choose one for all",
                )

    @rule
    def _snapshots_have_a_zone(self) -> Iterator[Problem]:
        if self.backup.location == "local-zone" and self.zone is None:
            yield Problem(
                ("backup", "location"), "must not be local-zone without zone; set zone, or location to region"
            )

    @rule
    def _vpc_has_its_size(self) -> Iterator[Problem]:
        network = IPv4Network(self.vpc_cidr)
        if not SMALLEST_PREFIX <= network.prefixlen <= LARGEST_PREFIX:
            yield Problem("vpc_cidr", f"must be a /{SMALLEST_PREFIX} to /{LARGEST_PREFIX}; change its length")
        if reserved := never_routed(self.vpc_cidr):
            yield Problem("vpc_cidr", f"must not be in {reserved}, which no VPC takes; choose a private range")
        elif not network.is_private:
            yield Problem(
                "vpc_cidr",
                "should be a private range, such as 10.1.0.0/24; a public one hides its owner from the VPC",
                warning=True,
            )

    @rule
    def _site_is_meant_for_everybody(self) -> Iterator[Problem]:
        index = admits_everybody(self.allowed_cidrs)
        if index is not None and not self.confirm_open_to_the_world:
            yield Problem(
                ("allowed_cidrs", index),
                "should name the ranges of your visitors: the site is open to the world; set "
                "confirm_open_to_the_world to true if you mean it",
                warning=True,
            )

    @rule
    def _subnets_come_in_twos(self) -> Iterator[Problem]:
        for key, other in (
            ("private_subnet_ids", "public_subnet_ids"),
            ("public_subnet_ids", "private_subnet_ids"),
        ):
            if getattr(self, other) and not getattr(self, key):
                yield Problem(key, f"must be set with {other}; set both, or neither")
            for index in repeated(getattr(self, key)):
                yield Problem((key, index), "must not be listed twice; remove one")

    @rule
    def _existing_subnets(self) -> Iterator[Problem]:
        if self.private_subnet_ids and self.zone is None:
            yield Problem("zone", "must be set with private_subnet_ids; name the zone of the subnets")
        for key in ("nat", "vpc_cidr"):
            if self.private_subnet_ids and getattr(self, key) != type(self).model_fields[key].default:
                yield Problem(key, "must be left out with private_subnet_ids; remove one of the two")

    @common_rule
    def _zone_is_of_the_region(self, common: CommonSettings) -> Iterator[Problem]:
        if self.zone and common.region and not self.zone.startswith(f"{common.region}-"):
            yield Problem("zone", f"must be a zone of common.region {common.region}; correct one of the two")

    @common_rule
    def _subnets_have_a_network(self, common: CommonSettings) -> Iterator[Problem]:
        if self.private_subnet_ids and common.vpc is None:
            yield Problem("private_subnet_ids", "must be empty without common.vpc, their network; set it")
