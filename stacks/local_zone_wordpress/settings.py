"""Section ``solutions.local_zone_wordpress`` of config/config.yaml."""

from ipaddress import IPv4Network
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from config.models import CommonSettings, Section, SolutionSettings, SubnetId
from stacks.shared.instance_attributes import is_arm

InstanceType = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*\.[a-z0-9-]+$", examples=["t3.medium"])]
ZoneName = Annotated[str, Field(pattern=r"^[a-z]{2,4}(-[a-z]+)+-\d-[a-z]{3}-\d[a-z]$", examples=["<Region>-atl-2a"])]
SnapshotId = Annotated[str, Field(pattern=r"^snap-[0-9a-f]{8,17}$", examples=["snap-0123456789abcdef0"])]
Cidr = Annotated[str, Field(pattern=r"^\d{1,3}(\.\d{1,3}){3}/\d{1,2}$", examples=["203.0.113.0/24"])]
SMALLEST_PREFIX, LARGEST_PREFIX = 16, 24  # of the VPC; four subnets of /26 fit into the smallest


class BackupSettings(Section):
    """Snapshots of the data volume, taken by Data Lifecycle Manager."""

    every_hours: Literal[1, 2, 3, 4, 6, 8, 12, 24] = 24
    """Hours between two."""
    at: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$", examples=["03:00"])] = "03:00"
    """Time of the first one of a day, UTC."""
    keep: Annotated[int, Field(ge=1, le=1_000)] = 7
    """So many are kept."""
    location: Literal["region", "local-zone"] = "region"
    """Where they are stored: in the parent Region, or in the zone itself, where it has snapshots of its own."""


class LocalZoneWordpressSettings(SolutionSettings):
    """WordPress close to its readers: a VPC that reaches into a Local Zone, and all of the site in it."""

    zone: (
        Annotated[str, Field(pattern=r"^[a-z]{2,4}(-[a-z]+)+-\d-[a-z]{3}-\d[a-z]$", examples=["<Region>-atl-2a"])]
        | None
    ) = None
    """Name of the Local Zone. null: the first Availability Zone of the Region, to rehearse; no account opts in to
    anything that way."""
    opt_in: bool = True
    """true: the deployment opts the account in to the zone's group, which only AWS Support can undo. false: it fails
    if the account has not."""
    nat: Literal["instance", "gateway"] = "instance"
    """How private instances reach the internet; a NAT gateway only where the zone has them."""
    load_balancer: Literal["self-managed", "application"] = "self-managed"
    """self-managed: nginx on an instance, in any zone. application: an Application Load Balancer, where the zone has
    them."""
    certificate_arn: (
        Annotated[
            str,
            Field(
                pattern=r"^arn:aws[\w-]*:acm:[\w-]+:\d{12}:certificate/[\w-]+$",
                examples=["arn:<partition>:acm:<Region>:123456789012:certificate/1111..."],
            ),
        ]
        | None
    ) = None
    """application: certificate of AWS Certificate Manager for HTTPS."""
    certificate_secret_arn: (
        Annotated[
            str,
            Field(
                pattern=r"^arn:aws[\w-]*:secretsmanager:[\w-]+:\d{12}:secret:[\w/+=.@-]+$",
                examples=["arn:<partition>:secretsmanager:<Region>:123456789012:secret:site-AbCdEf"],
            ),
        ]
        | None
    ) = None
    """self-managed: secret with the certificate chain and its key, in PEM, one after the other. null: the instance
    signs its own, which browsers warn of."""
    allow_http: bool = False
    """application: true serves plain HTTP where there is no certificate, as the post does."""
    domain: Annotated[str, Field(pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)+$", examples=["blog.example.com"])] | None = None
    """Name of the site, which you point at the address in the outputs. null: that address itself."""
    allowed_cidrs: tuple[Cidr, ...] = ()
    """Who may reach the site. Empty: nobody yet; 0.0.0.0/0: everybody."""
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
    restore_from: (
        Annotated[str, Field(pattern=r"^snap-[0-9a-f]{8,17}$", examples=["snap-0123456789abcdef0"])] | None
    ) = None
    """Snapshot that the data volume is made from. null: an empty volume. Another one makes another volume."""
    accept_volume_replacement: bool = False
    """true: lets another restore_from through, which replaces the data volume, and so its data."""
    wordpress_version: Annotated[str, Field(pattern=r"^\d+\.\d+(\.\d+)?$", examples=["6.9.7"])] = "6.9.7"
    """Release of WordPress."""
    wordpress_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] = (
        "11fd65eccbf4dd5de5ecb3724b55f92c56d6c1ea967497fe9374bcdd7a6fbda6"
    )
    """SHA-256 of that release's tar.gz; a boot with any other file fails."""
    title: Annotated[str, Field(pattern=r"^[\w .,:!?()-]{1,100}$")] = "WordPress in a Local Zone"
    """Title of the site."""
    admin_email: Annotated[str, Field(pattern=r"^[\w.+-]+@[\w-]+(\.[\w-]+)+$")] = "admin@example.com"
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

    @model_validator(mode="after")
    def _replacement(self) -> Self:
        if self.accept_volume_replacement and not self.restore_from:
            raise ValueError(
                "accept_volume_replacement must be false while restore_from is null, got true: an empty volume would "
                "replace the data; set restore_from to a snapshot"
            )
        return self

    @model_validator(mode="after")
    def _front_door(self) -> Self:
        if self.load_balancer == "application":
            if self.certificate_secret_arn:
                raise ValueError("certificate_secret_arn is for load_balancer self-managed; here set certificate_arn")
            if not self.certificate_arn and not self.allow_http:
                raise ValueError(
                    "an Application Load Balancer needs certificate_arn for HTTPS; "
                    "set it, or allow_http: true to serve passwords in plain text"
                )
            if self.certificate_arn and self.allow_http:
                raise ValueError("allow_http has no effect with certificate_arn: HTTP leads to HTTPS then; remove one")
        elif self.certificate_arn or self.allow_http:
            key = "certificate_arn" if self.certificate_arn else "allow_http"
            raise ValueError(f"{key} is for load_balancer application; self-managed always serves HTTPS")
        return self

    @model_validator(mode="after")
    def _numbers_fit(self) -> Self:
        if self.min_instances > self.max_instances:
            raise ValueError(
                f"min_instances {self.min_instances} is above max_instances {self.max_instances}; raise or lower one"
            )
        names = ("web_type", "database_type", "edge_type")
        arm = [name for name in names if is_arm(getattr(self, name))]
        if arm and len(arm) < len(names):
            raise ValueError(f"{', '.join(arm)} is of Graviton and the others are not; choose one architecture for all")
        if self.backup.location == "local-zone" and self.zone is None:
            raise ValueError("backup.location local-zone needs a zone; set zone, or location to region")
        return self

    @model_validator(mode="after")
    def _networks_are_networks(self) -> Self:
        for key, cidrs in (("vpc_cidr", (self.vpc_cidr,)), ("allowed_cidrs", self.allowed_cidrs)):
            for cidr in cidrs:
                try:
                    IPv4Network(cidr)
                except ValueError as error:
                    raise ValueError(f"{key}: {error}") from None
        length = IPv4Network(self.vpc_cidr).prefixlen
        if not SMALLEST_PREFIX <= length <= LARGEST_PREFIX:
            raise ValueError(f"vpc_cidr {self.vpc_cidr}: must be a /{SMALLEST_PREFIX} to /{LARGEST_PREFIX}")
        return self

    @model_validator(mode="after")
    def _existing_subnets(self) -> Self:
        if bool(self.private_subnet_ids) != bool(self.public_subnet_ids):
            raise ValueError("private_subnet_ids and public_subnet_ids belong together; set both, or neither")
        if self.private_subnet_ids and self.zone is None:
            raise ValueError("private_subnet_ids need zone: that of the subnets; set it")
        if self.private_subnet_ids:
            for key in ("nat", "vpc_cidr"):
                if getattr(self, key) != type(self).model_fields[key].default:
                    raise ValueError(f"{key} has no effect with private_subnet_ids; remove one of them")
        return self

    def problems_with(self, common: CommonSettings) -> list[tuple[str, str]]:
        """The zone's Region, and the network that existing subnets are in."""
        problems = []
        if self.zone and common.region and not self.zone.startswith(f"{common.region}-"):
            problems.append(("zone", f"{self.zone} does not extend common.region {common.region}; correct one of them"))
        if self.private_subnet_ids and common.vpc is None:
            problems.append(("private_subnet_ids", "need common.vpc: the network that they are in; set it"))
        return problems
