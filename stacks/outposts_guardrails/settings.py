"""Section ``solutions.outposts_guardrails`` of config/config.yaml."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from config.models import Problem, rule
from stacks.guardrails import statements
from stacks.guardrails.fields import Switches
from stacks.guardrails.settings import GuardrailSettings
from stacks.guardrails.statements import PARTITION, Statement
from stacks.guardrails.warnings import subnet_warnings

OutpostPattern = Annotated[
    str,
    Field(
        pattern=r"^arn:(\*|aws[a-z-]*):outposts:[a-z0-9*-]+:[0-9*]{1,12}:outpost/(op-[0-9a-f*]{1,32}|\*)$",
        examples=["arn:*:outposts:*:111122223333:outpost/op-0123456789abcdef0"],
    ),
]


class OutpostsSwitches(Switches):
    """Which statements there are, by their Sid in the post."""

    DenySnapshotsToRegion: bool = True
    """No snapshot of a volume on the Outpost is stored in the Region."""
    DenySnapshotsNotOutposts: bool = True
    """No snapshot is copied to an Outpost, and none that is stored on one is shared."""
    DenyNotOutpostSubnet: bool = True
    """No instance or interface is made outside the subnets of the Outpost. Without subnets or a tag: left out."""


class OutpostsGuardrailsSettings(GuardrailSettings):
    """Guardrails that keep data on AWS Outposts."""

    statements: OutpostsSwitches = OutpostsSwitches()
    """Which statements there are."""
    outpost_arn_pattern: OutpostPattern | None = None
    """ARN, with *, of the Outposts that the snapshot statements are about. null: all, as in the post."""

    deny_all_sharing: bool = False
    """true: deny sharing of any snapshot. AWS's list names no key that tells ModifySnapshotAttribute of an Outpost."""

    allow_copies_to_outpost: bool = False
    """true: snapshots and images may be copied, which is how they get to an Outpost; nothing can be copied from one.
    The post denies that."""

    @property
    def outposts(self) -> str:
        """The pattern that is in force."""
        return self.outpost_arn_pattern or f"arn:{PARTITION}:outposts:*:*:outpost/*"

    @property
    def allowed_copies(self) -> tuple[str, ...]:
        """CopyImage makes no copy of what is on an Outpost, and AWS lists no key that tells a copy to an Outpost.

        CopyVolumes is not among them: its copy is in the same Availability Zone, an Outpost's volumes are in one of the
        Region, and the call has no parameter or key for an Outpost.
        https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CopyImage.html,
        https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CopyVolumes.html
        """
        return ("ec2:CopyImage",) if self.allow_copies_to_outpost else ()

    def groups(self) -> dict[str, list[Statement]]:
        """Three policies, as in the post."""
        groups = super().groups()
        groups["Snapshots"] = list(
            statements.outpost_snapshots(
                self, self.outposts, all_sharing=self.deny_all_sharing, copies=self.allow_copies_to_outpost
            )
        )
        if self.switched_on("DenyNotOutpostSubnet"):
            groups["Subnets"] = list(statements.subnets(self, "DenyNotOutpostSubnet"))
        return groups

    def warnings(self) -> Iterator[tuple[str, str]]:
        """What synthesis says about these settings, each with an id."""
        yield from super().warnings()
        yield from subnet_warnings(self, "DenyNotOutpostSubnet")
        if self.switched_on("DenySnapshotsNotOutposts") and not self.deny_all_sharing:
            yield (
                "sharing",
                "DenySnapshotsNotOutposts: AWS's list names no ec2:OutpostArn for ModifySnapshotAttribute. If EC2 does "
                "not tell it, snapshots on the Outpost can be shared; deny_all_sharing does not depend on it",
            )

    @rule
    def _subnets_of_an_outpost_have_no_zone(self) -> Iterator[Problem]:
        if self.subnet_condition == "zone":
            yield Problem(
                "subnet_condition",
                "must be arn, arn-and-id or tag: subnets of an Outpost are in a zone of the Region; choose one",
            )

    @rule
    def _outpost_is_of_the_partition(self) -> Iterator[Problem]:
        if self.partition and self.outposts.split(":")[1] not in ("*", PARTITION, self.partition):
            yield Problem("outpost_arn_pattern", f"must be of partition {self.partition}; correct one of the two")
