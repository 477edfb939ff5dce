"""What config/config.yaml may say about every solution. The section of one solution is its own ``settings.py``."""

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from config.rules import Problem, Section, common_rule, rule
from config.types import (
    AccountId,
    ImageId,
    KmsKeyArn,
    PolicyName,
    RegionName,
    SubnetId,
    TagKey,
    TagValue,
    TopicArn,
    VpcId,
    arn_part,
    repeated,
    unknown_region,
)

__all__ = [
    "CommonSettings", "ExistingVpc", "LinuxImages", "LogRetentionDays", "Problem", "Section", "SolutionSettings", "Tag",
    "common_rule", "rule",
]  # fmt: skip

LogRetentionDays = Literal[1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 3653]


class Tag(Section):
    """A tag with its value."""

    key: TagKey
    """The tag's key."""
    value: TagValue
    """The tag's value."""

    @rule
    def _is_yours_to_set(self) -> Iterator[Problem]:
        if self.key.lower().startswith("aws:"):
            yield Problem("key", "must not begin with 'aws:', which belongs to AWS; choose another key")


class ExistingVpc(Section):
    """An existing network: nothing is created in it but security groups."""

    id: VpcId
    """The VPC's id."""
    subnet_ids: Annotated[tuple[SubnetId, ...], Field(min_length=1, max_length=16)]
    """Subnets for the instances, with egress to the AWS APIs."""

    @rule
    def _no_subnet_twice(self) -> Iterator[Problem]:
        for index in repeated(self.subnet_ids):
            yield Problem(("subnet_ids", index), "must not be listed twice; remove one")


class LinuxImages(Section):
    """The Amazon Linux 2023 that instances boot: a newest image restarts what runs, at whatever deployment is next."""

    arm64: ImageId | None = None
    """AMI for Arm, in the Region of `region`. null: the newest at each deployment."""
    x86_64: ImageId | None = None
    """AMI for Intel and AMD, in the Region of `region`. null: the newest at each deployment."""


class CommonSettings(Section):
    """Settings that all solutions share: the section ``common``."""

    prefix: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,30}$", examples=["acme"])] | None = None
    """First part of every stack name, so that several copies fit into one account. null: none."""
    region: RegionName | None = None
    """Region to deploy to. null: the Region of your AWS profile."""
    account: AccountId | None = None
    """Account to deploy to, in quotes. null: the account of your AWS profile."""
    tags: Annotated[Mapping[TagKey, TagValue], Field(max_length=40)] = {}
    """Tags of every stack; CloudFormation passes them on to the resources."""
    keep_data_on_destroy: bool = False
    """true: queues, tables and buckets outlive `cdk destroy`, and stacks are protected against deletion."""
    log_retention_days: LogRetentionDays = 7
    """Days that log groups keep their events."""
    vpc: ExistingVpc | None = None
    """An existing network for everything that needs one. null: each solution creates its own."""
    permissions_boundary: PolicyName | None = None
    """Name of the managed policy that bounds every role created here, behind its path if it has one. null: none."""
    kms_key_arn: KmsKeyArn | None = None
    """Customer managed key for queues, tables, topics, logs and volumes, in the Region of `region`, which it needs.
    null: the keys that AWS manages."""
    alarm_topic_arn: TopicArn | None = None
    """Topic that receives every alarm. null: each stack creates one and names it in its outputs."""
    runbook_url: (
        Annotated[
            str,
            # An alarm's description has 1,024 characters, and so must have what comes before and after the address.
            Field(pattern=r"^https://[A-Za-z0-9._~:/%@-]{1,392}$", examples=["https://example.org/runbooks"]),
        ]
        | None
    ) = None
    """Address at which you serve this project's site: an alarm's description, and so its mail, ends with the link to
    what to do. null: it names the section of the solution's README."""
    linux_images: LinuxImages = LinuxImages()
    """AMIs of Amazon Linux 2023, so that no deployment restarts instances because an image is new."""
    bootstrap_qualifier: Annotated[str, Field(pattern=r"^[a-z0-9]{1,10}$", examples=["acme1"])] | None = None
    """Qualifier of your `cdk bootstrap`, if it is not the CDK's own."""

    def stack_name(self, slug: str) -> str:
        """Name of the stack of a solution, which users type after ``cdk deploy``."""
        return "-".join(filter(None, [self.prefix, slug.replace("_", "-")]))

    @rule
    def _tags_are_yours_to_set(self) -> Iterator[Problem]:
        for key in self.tags:
            if key.lower().startswith("aws:"):
                yield Problem(
                    ("tags", key), f"must not begin with 'aws:', which belongs to AWS, got {key!r}; rename it"
                )
            if key.lower() == "solution":
                yield Problem(("tags", key), f"must not be the tag of this app, got {key!r}; rename it")

    @rule
    def _tags_differ_by_more_than_case(self) -> Iterator[Problem]:
        # https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html: IAM does not tell keys apart by their case.
        first: dict[str, str] = {}
        for key in self.tags:
            if (other := first.setdefault(key.lower(), key)) != key:
                yield Problem(
                    ("tags", key), f"must differ from {other!r} by more than case, for IAM, got {key!r}; remove one"
                )

    @rule
    def _region_exists(self) -> Iterator[Problem]:
        if self.region and (hint := unknown_region(self.region)):
            yield Problem("region", hint, warning=True)

    @rule
    def _arns_are_of_the_region(self) -> Iterator[Problem]:
        for key in ("kms_key_arn", "alarm_topic_arn"):
            arn = getattr(self, key)
            if arn and self.region and arn_part(arn, "region") != self.region:
                yield Problem(key, f"must be of common.region {self.region}; correct one of the two")

    @rule
    def _a_key_needs_the_region_by_name(self) -> Iterator[Problem]:
        # A table cannot be rendered with a customer managed key in a stack whose Region nobody knows.
        if self.kms_key_arn and not self.region:
            there = arn_part(self.kms_key_arn, "region")
            yield Problem("region", f"must be {there}, the Region of kms_key_arn, got null; set region: {there}")

    @rule
    def _images_need_the_region_by_name(self) -> Iterator[Problem]:
        for architecture in ("arm64", "x86_64"):
            image = getattr(self.linux_images, architecture)
            if image and not self.region:
                yield Problem(
                    "region", f"must be the Region of linux_images.{architecture} {image}, got null; set region"
                )

    @property
    def topic_of_others(self) -> str | None:
        """The account of ``alarm_topic_arn``, if it is known to be another one.

        EventBridge delivers to a topic of another account by a role only, which no stack here makes:
        https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-cross-account.html
        """
        owner = arn_part(self.alarm_topic_arn, "account") if self.alarm_topic_arn else self.account
        return owner if self.account and owner != self.account else None

    @rule
    def _arns_are_of_the_account(self) -> Iterator[Problem]:
        for key in ("kms_key_arn", "alarm_topic_arn"):
            arn = getattr(self, key)
            if arn and self.account and arn_part(arn, "account") != self.account:
                yield Problem(
                    key,
                    f"should be of common.account {self.account}; if it is shared, its policy must allow that account",
                    warning=True,
                )


class SolutionSettings(Section):
    """Base of each solution's own section, ``solutions.<slug>``."""

    ignored_with_vpc: ClassVar[tuple[str, ...]] = ()
    """Keys that describe the solution's own network, and so mean nothing with ``common.vpc``."""
    regional_arns: ClassVar[tuple[str, ...]] = ()
    """Keys that hold ARNs of resources that must be in the Region of the deployment."""

    enabled: bool = True
    """false takes the solution out of `cdk list`."""

    def problems_with(self, common: CommonSettings) -> Iterator[Problem]:
        """What is wrong between this section and ``common``."""
        yield from self._broken("common", common)

    @common_rule
    def _nothing_is_ignored(self, common: CommonSettings) -> Iterator[Problem]:
        for key in self.ignored_with_vpc if common.vpc else ():
            # A file may state the default of every key, as config/config.yaml does.
            if key in self.model_fields_set and getattr(self, key) != type(self).model_fields[key].default:
                yield Problem(
                    key, "must be left out with common.vpc, whose subnets decide; remove it, or remove common.vpc"
                )

    @common_rule
    def _arns_are_of_the_region(self, common: CommonSettings) -> Iterator[Problem]:
        for key in self.regional_arns if common.region else ():
            value = getattr(self, key)
            for index, arn in enumerate((value,) if isinstance(value, str) else value or ()):
                if arn_part(arn, "region") != common.region:
                    at = key if isinstance(value, str) else (key, index)
                    yield Problem(at, f"must be of common.region {common.region}; correct one of the two")
