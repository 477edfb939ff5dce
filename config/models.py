"""What config/config.yaml may say about every solution. The section of one solution is its own ``settings.py``."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

LogRetentionDays = Literal[1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 3653]
TagKey = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=r"^[\w\s.:/=+@-]+$")]
TagValue = Annotated[str, StringConstraints(max_length=256, pattern=r"^[\w\s.:/=+@-]*$")]
VpcId = Annotated[str, Field(pattern=r"^vpc-[0-9a-f]{8,17}$", examples=["vpc-0123456789abcdef0"])]
SubnetId = Annotated[str, Field(pattern=r"^subnet-[0-9a-f]{8,17}$", examples=["subnet-0123456789abcdef0"])]


class Section(BaseModel):
    """A mapping of the file. It refuses unknown keys, so that a typing error is an error and not a silent default."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False)


class Tag(Section):
    """A tag with its value."""

    key: TagKey
    """The tag's key."""
    value: TagValue
    """The tag's value."""


class ExistingVpc(Section):
    """A network that is there already: nothing is created in it but security groups."""

    id: VpcId
    """The VPC's id."""
    subnet_ids: Annotated[tuple[SubnetId, ...], Field(min_length=1, max_length=16)]
    """Subnets for the instances. They must reach the AWS APIs, by whatever way your network has."""

    @model_validator(mode="after")
    def _no_subnet_twice(self) -> Self:
        if len(set(self.subnet_ids)) < len(self.subnet_ids):
            raise ValueError("subnet_ids names a subnet twice; list each once")
        return self


class CommonSettings(Section):
    """What all solutions share: the section ``common``."""

    prefix: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,30}$", examples=["acme"])] | None = None
    """First part of every stack name, so that several copies fit into one account. null: none."""
    region: Annotated[str, Field(pattern=r"^[a-z]{2,4}(-[a-z]+)+-\d$", examples=["eu-central-1"])] | None = None
    """Region to deploy to. null: the Region of your AWS profile."""
    account: Annotated[str, Field(pattern=r"^\d{12}$", examples=["123456789012"])] | None = None
    """Account to deploy to, in quotes. null: the account of your AWS profile."""
    tags: Annotated[dict[TagKey, TagValue], Field(max_length=40)] = {}
    """Tags of every stack; CloudFormation passes them on to the resources."""
    keep_data_on_destroy: bool = False
    """true: queues, tables and buckets outlive `cdk destroy`, and stacks are protected against deletion."""
    log_retention_days: LogRetentionDays = 7
    """Days that log groups keep their events."""
    vpc: ExistingVpc | None = None
    """An existing network for everything that needs one. null: each solution makes its own."""
    permissions_boundary: (
        Annotated[str, Field(pattern=r"^[\w+=,.@/-]{1,128}$", examples=["DeveloperBoundary"])] | None
    ) = None
    """Name of the managed policy that bounds every role created here. null: none."""
    kms_key_arn: (
        Annotated[
            str,
            Field(
                pattern=r"^arn:aws[\w-]*:kms:[\w-]+:\d{12}:key/[\w-]+$",
                examples=["arn:aws:kms:eu-central-1:123456789012:key/1111..."],
            ),
        ]
        | None
    ) = None
    """Customer managed key for queues, tables, topics, logs and volumes, in the Region of `region`, which it needs.
    null: the keys that AWS manages."""
    alarm_topic_arn: (
        Annotated[
            str,
            Field(
                pattern=r"^arn:aws[\w-]*:sns:[\w-]+:\d{12}:[\w-]+$",
                examples=["arn:aws:sns:eu-central-1:123456789012:alarms"],
            ),
        ]
        | None
    ) = None
    """Topic that hears every alarm, in the same Region. null: each stack makes one and names it in its outputs."""
    bootstrap_qualifier: Annotated[str, Field(pattern=r"^[a-z0-9]{1,10}$", examples=["acme1"])] | None = None
    """Qualifier of your `cdk bootstrap`, if it is not the CDK's own."""

    @model_validator(mode="after")
    def _key_and_topic_are_in_the_region(self) -> Self:
        """KMS and CloudWatch know no key and no topic of another Region; of another account they do.

        A key of our own needs the Region by name besides: a table cannot be rendered with it otherwise.
        """
        for key, arn in (("kms_key_arn", self.kms_key_arn), ("alarm_topic_arn", self.alarm_topic_arn)):
            there = arn.split(":")[3] if arn else self.region
            if there != self.region and (self.region or key == "kms_key_arn"):
                got = self.region or "null"
                raise ValueError(f"region must be {there}, the Region of {key}, got {got}; set region: {there}")
        return self

    @model_validator(mode="after")
    def _tags_are_ours_to_set(self) -> Self:
        reserved = [key for key in self.tags if key.lower().startswith("aws:") or key == "solution"]
        if reserved:
            raise ValueError(f"tags {', '.join(reserved)}: 'aws:' belongs to AWS and 'solution' to this app")
        return self


class SolutionSettings(Section):
    """Base of each solution's own section, ``solutions.<slug>``."""

    enabled: bool = True
    """false takes the solution out of `cdk list`."""

    def problems_with(self, common: CommonSettings) -> list[tuple[str, str]]:
        """Rules between this section and ``common``, as (key, message) pairs; none by default."""
        return []
