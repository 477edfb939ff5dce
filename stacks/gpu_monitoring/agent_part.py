"""What all sections of a configuration of the CloudWatch agent are made of."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Interval = Annotated[int, Field(ge=1, le=172_800)]
Word = Annotated[str, Field(min_length=1, max_length=255)]
Text = Annotated[str, Field(min_length=1, max_length=4_096)]
DimensionValue = Annotated[str, Field(min_length=1, max_length=1_024)]
Dimensions = Annotated[dict[str, DimensionValue], Field(max_length=30)]
Words = Annotated[tuple[Word, ...], Field(min_length=1)]
Resources = Annotated[tuple[Text, ...], Field(max_length=256)]


class Part(BaseModel):
    """A mapping of the file; a key that the documentation does not name is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class Named(Part):
    """A section that may say whose telemetry it is.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-Agent-Configuration-File-Details.html
    """

    service_name: Word | None = Field(default=None, alias="service.name")
    environment: Annotated[str, Field(min_length=1, max_length=259)] | None = Field(
        default=None, alias="deployment.environment"
    )


class Credentials(Part):
    """The role by which the agent sends."""

    role_arn: Annotated[str, Field(min_length=1, max_length=2_048)] | None = None
