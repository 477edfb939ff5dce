"""The section ``stack_sets``: one solution in many accounts and Regions, by CloudFormation StackSets.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudformation-stackset.html
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import Field

from config.models import CommonSettings
from config.rules import Problem, Section, common_rule, rule
from config.types import RegionName, repeated, unknown_region

# https://docs.aws.amazon.com/organizations/latest/APIReference/API_Organization.html
OrganizationId = Annotated[str, Field(pattern=r"^o-[a-z0-9]{10,32}$", examples=["o-a1b2c3d4e5"])]
# The same for a root: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DeploymentTargets.html
UnitId = Annotated[
    str,
    Field(pattern=r"^(ou-[a-z0-9]{4,32}-[a-z0-9]{8,32}|r-[a-z0-9]{4,32})$", examples=["ou-a1b2-c3d4e5f6"]),
]


class StackSet(Section):
    """Which accounts and Regions have the stack of a solution, and how a change reaches them."""

    organizational_unit_ids: Annotated[tuple[UnitId, ...], Field(min_length=1)]
    """Organizational units or the root, whose accounts have the stack; the management account never has it."""
    regions: Annotated[tuple[RegionName, ...], Field(min_length=1)]
    """Regions of the stacks, in the order in which a change reaches them."""
    auto_deployment: bool = True
    """true: an account that joins a unit gets the stack, and one that leaves loses it."""
    retain_stacks_on_account_removal: bool = False
    """true: an account that leaves a unit keeps the stack."""
    failure_tolerance_percent: Annotated[int, Field(ge=0, le=100)] = 0
    """Accounts of a Region, in percent, that may fail before a change stops."""
    max_concurrent_percent: Annotated[int, Field(ge=1, le=100)] = 100
    """Accounts of a Region, in percent, that a change reaches at once. The concurrency mode may allow fewer."""
    concurrency_mode: Literal["STRICT_FAILURE_TOLERANCE", "SOFT_FAILURE_TOLERANCE"] = "STRICT_FAILURE_TOLERANCE"
    """Strict: never more accounts at once than may fail, and one. Soft: as many as max_concurrent_percent says."""
    region_concurrency: Literal["SEQUENTIAL", "PARALLEL"] = "SEQUENTIAL"
    """Whether a change reaches one Region after the other, or all at once."""

    @rule
    def _nothing_twice(self) -> Iterator[Problem]:
        for key in ("organizational_unit_ids", "regions"):
            for index in repeated(getattr(self, key)):
                yield Problem((key, index), "must not be listed twice; remove one")

    @rule
    def _regions_exist(self) -> Iterator[Problem]:
        for index, region in enumerate(self.regions):
            if hint := unknown_region(region):
                yield Problem(("regions", index), hint, warning=True)

    @rule
    def _only_automatic_removal_retains(self) -> Iterator[Problem]:
        if self.retain_stacks_on_account_removal and not self.auto_deployment:
            yield Problem(
                "retain_stacks_on_account_removal",
                "must be false without auto_deployment; remove it, or set that to true",
            )


class StackSets(Section):
    """Stacks of solutions in the accounts of an organization; the section of its administrator."""

    organization_id: OrganizationId
    """The organization, whose accounts may read the buckets with the code."""
    bucket_prefix: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{1,46}[a-z0-9]$", examples=["acme-stack-sets"])]
    """First part of the names of the buckets with the code, before `-` and the Region. Unique in the world."""
    call_as: Literal["SELF", "DELEGATED_ADMIN"] = "SELF"
    """SELF: deployed from the management account. DELEGATED_ADMIN: from a delegated administrator's."""
    solutions: Annotated[Mapping[str, StackSet], Field(min_length=1)]
    """Solutions, by the keys of `solutions`, whose settings every stack has."""

    def problems_with(self, common: CommonSettings) -> Iterator[Problem]:
        """What is wrong between this section and ``common``."""
        yield from self._broken("common", common)

    def problems_of(self, once: Mapping[str, str]) -> Iterator[Problem]:
        """What is wrong with the solutions that are not meant for every account.

        Args:
            once: where such a solution is deployed instead, by its key: in "one account", or for "one organization".
        """
        for slug in self.__dict__.get("solutions", ()):
            if once.get(slug) == "one organization":
                yield Problem(
                    ("solutions", slug),
                    "must be deployed once for the organization, from its management account; remove it",
                )
            elif slug in once:
                yield Problem(
                    ("solutions", slug), "should be deployed in one account, as it serves one workload", warning=True
                )

    @common_rule
    def _nothing_of_one_account(self, common: CommonSettings) -> Iterator[Problem]:
        of_one = {key: getattr(common, key) for key in ("vpc", "kms_key_arn", "alarm_topic_arn")}
        of_one["linux_images"] = common.linux_images.arm64 or common.linux_images.x86_64
        for key, value in of_one.items():
            if value:
                yield Problem(
                    "solutions",
                    f"must not stand beside common.{key}, which one account and Region has; use two files",
                )

    @common_rule
    def _boundary_is_in_every_account(self, common: CommonSettings) -> Iterator[Problem]:
        if common.permissions_boundary:
            yield Problem(
                "solutions",
                "common.permissions_boundary bounds their roles: a policy of that name must exist in each account, or "
                "the stack fails there",
                warning=True,
            )
