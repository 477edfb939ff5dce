"""What becomes of an image: its copies in other Regions, and its age."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from config.models import Problem, Section, rule
from config.types import KmsKeyArn, RegionName, SoughtTagValue, TagKey, arn_part, unknown_region


class TargetRegion(Section):
    """Another Region that gets a copy of every AMI."""

    name: RegionName
    """The Region."""
    kms_key_arn: KmsKeyArn | None = None
    """Customer managed key there, required with common.kms_key_arn. null: the key that AWS manages."""

    @rule
    def _region_exists(self) -> Iterator[Problem]:
        if hint := unknown_region(self.name):
            yield Problem("name", hint, warning=True)

    @rule
    def _key_is_there(self) -> Iterator[Problem]:
        if self.kms_key_arn and arn_part(self.kms_key_arn, "region") != self.name:
            yield Problem("kms_key_arn", f"must be a key of {self.name}; correct one of the two")


class Lifecycle(Section):
    """What happens to old images. Deletion needs the safety switch allow_deletion."""

    deprecate_after_days: Annotated[int, Field(ge=1, le=1_000)] | None = 90
    """Age in days at which AMIs are deprecated: hidden by default, they still launch. null: never."""
    disable_after_days: Annotated[int, Field(ge=1, le=1_000)] | None = None
    """Age in days at which AMIs are disabled, the newest too: they cannot launch, and can be enabled again. Choose more
    than the days between two builds. null: never."""
    delete_after_days: Annotated[int, Field(ge=1, le=1_000)] | None = None
    """Age in days at which images are deleted, with AMIs and snapshots; needs allow_deletion. null: never."""
    retain_at_least: Annotated[int, Field(ge=1, le=10)] = 3
    """Newest images of a pipeline that are never deleted."""
    spare_launched_days: Annotated[int, Field(ge=1, le=365)] = 30
    """Keep AMIs launched within this many days, and those with keep_tag."""
    keep_tag: tuple[TagKey, SoughtTagValue] = ("keep", "true")
    """Key and value of the tag of AMIs to keep."""
    allow_deletion: bool = False
    """Safety switch: must be true before any role is permitted to delete anything."""

    @rule
    def _order(self) -> Iterator[Problem]:
        earlier, least = "", 0
        for name in ("deprecate_after_days", "disable_after_days", "delete_after_days"):
            days = getattr(self, name)
            if days is not None and days <= least:
                yield Problem(
                    name,
                    f"must be above {earlier}, which is {least}: images are deprecated, then disabled, then deleted; "
                    "change one",
                )
            elif days is not None:
                earlier, least = name, days

    @rule
    def _deletion_is_allowed(self) -> Iterator[Problem]:
        if self.delete_after_days and not self.allow_deletion:
            yield Problem(
                "delete_after_days", "must be null without allow_deletion, the safety switch; set that to true"
            )
