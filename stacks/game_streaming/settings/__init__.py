"""Section ``solutions.game_streaming`` of config/config.yaml."""

import re
from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from config.models import CommonSettings, Problem, SolutionSettings, common_rule, rule
from config.ranges import admits_everybody
from config.types import Cidr, ZoneName, arn_part, repeated
from stacks.game_streaming.releases import OLDEST, Release, driver_series
from stacks.game_streaming.settings.names import UBUNTU, Client, Domain, GameType, Image, SecretName
from stacks.game_streaming.settings.sections import Hours, Oidc, Session
from stacks.game_streaming.sizes import DISK_FACTOR, Fit, fit, least_disk, smallest

Gibibytes = Annotated[int, Field(le=16384)]


class GameStreamingSettings(SolutionSettings):
    """Android games on G5g, streamed to phones by the Anbox Cloud Appliance."""

    ignored_with_vpc: ClassVar[tuple[str, ...]] = ("zone",)

    instance: bool = True
    """false removes the instance with its volumes and keeps the address (step 1 of 2 when replacing it)."""
    instance_type: GameType = "g5g.2xlarge"
    """Instance type; `python -m stacks game_streaming sessions` shows what fits."""
    image: Image = UBUNTU
    """Image: ubuntu, an AMI id, or the parameter of the Marketplace image, which needs a subscription."""
    ubuntu: Literal["22.04", "24.04"] = "24.04"
    """Ubuntu release, with image ubuntu."""
    zone: ZoneName | None = None
    """Availability Zone. null: the first of the Region, which may lack G5g; see `check`."""
    root_gib: Annotated[Gibibytes, Field(ge=50)] = 50
    """Size of the root volume in GiB."""
    data_gib: Annotated[Gibibytes, Field(ge=100)] = 100
    """Size of the data volume in GiB; the storage pool on it cannot grow."""
    domain: Domain | None = None
    """DNS name of yours that resolves to the address. null: none, only the address."""
    allowed_cidrs: Annotated[tuple[Cidr, ...], Field(max_length=20)] = ()
    """IPv4 ranges of the players; each takes three of a security group's 60 rules. Empty: nobody."""
    confirm_open_to_the_world: bool = False
    """Safety switch: must be true before allowed_cidrs may contain 0.0.0.0/0."""
    pro_token_secret: SecretName = "ubuntu-pro-token"  # noqa: S105 - a name
    """Name or ARN of the secret that you create with your Ubuntu Pro token. A Marketplace image does not use it."""
    clients: Annotated[tuple[Client, ...], Field(max_length=10)] = ("portal",)
    """Clients of the stream gateway, each with its own secret, which `token` and `revoke` write."""
    channel: Annotated[str, Field(pattern=r"^(latest|\d+\.\d+)/stable$", examples=["1.30/stable"])] = "1.30/stable"
    """Channel of the appliance's snap, which is held there; another one needs a new instance."""
    oidc: Oidc | None = None
    """OpenID Connect provider of the dashboard. null: Ubuntu SSO, with registration."""
    deliver: Literal["application", "image"] = "application"
    """What a delivered game becomes: an application, which Anbox Cloud removes in 1.32, or an image."""
    session: Session = Session()
    """Resources of one session; an instance type on which none fits is refused."""
    idle_minutes: Annotated[int, Field(ge=15, le=1440)] | None = 60
    """Minutes without a game after which the instance stops. null: never."""
    hours: Hours | None = None
    """Schedule on which the instance stops and starts: {stop: "cron(0 22 * * ? *)"}. Running games are lost."""

    @property
    def release(self) -> Release:
        """The release of the channel."""
        return Release.of(self.channel)

    @property
    def fit(self) -> Fit:
        """How many sessions fit."""
        return fit(self.instance_type, self.session.demand, self.data_gib)

    @property
    def image_parameter(self) -> str | None:
        """Public parameter of the image; None if image is an AMI id.

        https://documentation.ubuntu.com/aws/aws-how-to/instances/find-ubuntu-images/
        """
        if self.image != UBUNTU:
            return self.image if self.image.startswith("/") else None
        volume = "ebs-gp3" if self.ubuntu == "24.04" else "ebs-gp2"
        return f"/aws/service/canonical/ubuntu/server/{self.ubuntu}/stable/current/arm64/hvm/{volume}/ami-id"

    @property
    def driver_series(self) -> str:
        """Series of NVIDIA's driver for the release; empty if it is not known."""
        return driver_series(self.release)

    @property
    def installed(self) -> dict[str, str]:
        """What the appliance reads only at its initialization: changing it needs a new instance."""
        oidc = self.oidc
        return {
            "image": f"{self.image} {self.ubuntu}" if self.image == UBUNTU else self.image,
            "root_gib": str(self.root_gib),
            "data_gib": str(self.data_gib),
            "domain": self.domain or "none",
            "channel": self.channel,
            "oidc": " ".join(filter(None, [oidc.issuer, oidc.client_id, oidc.audience])) if oidc else "none",
        }

    @rule
    def _ranges_once(self) -> Iterator[Problem]:
        for index in repeated(self.allowed_cidrs):
            yield Problem(("allowed_cidrs", index), "must not be listed twice; remove one")

    @rule
    def _clients_once(self) -> Iterator[Problem]:
        # Their secrets' logical ids in the template have only letters and digits.
        for index in repeated([re.sub(r"[-_]", "", client) for client in self.clients]):
            yield Problem(("clients", index), "must differ from the others by more than - and _; rename one")

    @rule
    def _not_everybody(self) -> Iterator[Problem]:
        if admits_everybody(self.allowed_cidrs) is not None and not self.confirm_open_to_the_world:
            yield Problem(
                "allowed_cidrs",
                "must not open the instance to everybody; list your ranges, or set confirm_open_to_the_world to true",
            )

    @rule
    def _a_session_fits(self) -> Iterator[Problem]:
        if self.fit.sessions:
            return
        other = smallest(self.session.demand, self.data_gib)
        way = f"choose {other}" if other else "lower session, or raise data_gib"
        yield Problem("instance_type", f"must have room for one session: {'; '.join(self.fit.short)}; {way}")

    @rule
    def _disk_for_bootstrap_and_session(self) -> Iterator[Problem]:
        least = least_disk(self.session.disk_gb)
        if self.data_gib < least:
            yield Problem(
                "data_gib",
                f"should be at least {least:g}, {DISK_FACTOR} times session.disk_gb: bootstrap and a session each "
                "take it; raise it now, because the pool cannot grow",
                warning=True,
            )

    @rule
    def _channel_is_supported(self) -> Iterator[Problem]:
        release = self.release
        if not release.latest and release < OLDEST:
            yield Problem(
                "channel", f"must be {OLDEST}/stable or newer, because older releases are not supported; correct it"
            )

    @rule
    def _applications_go(self) -> Iterator[Problem]:
        # https://documentation.ubuntu.com/anbox-cloud/reference/deprecation-notices/
        if self.deliver != "application":
            return
        if self.release.without_applications:
            yield Problem(
                "deliver", f"must be image with channel {self.channel}, because 1.32 has no applications; set image"
            )
        elif self.release.applications_deprecated:
            yield Problem(
                "channel",
                "should be 1.30/stable with deliver application: applications are deprecated since 1.31 and removed in "
                "1.32; set it, or set deliver to image",
                warning=True,
            )

    @common_rule
    def _secret_is_of_the_region(self, common: CommonSettings) -> Iterator[Problem]:
        secret = self.pro_token_secret
        if common.region and secret.startswith("arn:") and arn_part(secret, "region") != common.region:
            yield Problem("pro_token_secret", f"must be in common.region {common.region}; correct one of the two")

    @common_rule
    def _an_image_needs_its_region(self, common: CommonSettings) -> Iterator[Problem]:
        if self.image.startswith("ami-") and not common.region:
            yield Problem("image", "must come with common.region, the AMI's Region; set common.region")

    @common_rule
    def _g5g_is_there(self, common: CommonSettings) -> Iterator[Problem]:
        # For other Regions `check` asks EC2, because a Region may get G5g any day.
        if self.instance and (common.region or "").startswith("cn-"):
            yield Problem("instance", "must be false in China, which has no G5g; set false, or enabled: false")

    @common_rule
    def _zone_is_of_the_region(self, common: CommonSettings) -> Iterator[Problem]:
        if self.zone and common.region and self.zone[:-1] != common.region:
            yield Problem("zone", f"must be in common.region {common.region}; correct one of the two")
