"""Section ``solutions.outposts_dashboard`` of config/config.yaml."""

import json
from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, field_validator, model_validator

from config.models import CommonSettings, Section, SolutionSettings, TagKey, TagValue

# A dashboard's name has 255 characters at most; a prefix, a value of the tag and a page's number come to this one.
LONGEST_NAME = 120
Account = Annotated[str, Field(pattern=r"^\d{12}$", examples=["123456789012"])]
OutpostId = Annotated[str, Field(pattern=r"^op-[0-9a-f]{17}$", examples=["op-0123456789abcdef0"])]


class Source(Section):
    """Where the pipeline takes its code from."""

    kind: Literal["asset", "codecommit", "codeconnections"] = "asset"
    """asset: this checkout, uploaded by each deployment. The others: a repository of yours that has it."""
    repository: Annotated[str, StringConstraints(pattern=r"^[\w.-]{1,100}(/[\w.-]{1,100})?$")] | None = None
    """Name of the repository: as CodeCommit has it, or owner/name."""
    branch: Annotated[str, StringConstraints(pattern=r"^[\w./-]{1,200}$")] = "main"
    """Branch of the repository."""
    connection_arn: (
        Annotated[
            str,
            Field(
                pattern=r"^arn:aws[\w-]*:(codeconnections|codestar-connections):[\w-]+:\d{12}:connection/[\w-]+$",
            ),
        ]
        | None
    ) = None
    """The connection, for codeconnections; it must have been confirmed in the console."""

    @model_validator(mode="after")
    def _names_what_its_kind_needs(self) -> Self:
        if self.kind == "asset":
            if self.repository or self.connection_arn:
                raise ValueError("source.kind is asset, which has no repository or connection_arn; leave them out")
            return self
        if not self.repository:
            raise ValueError(f"source.kind is {self.kind}; name the repository")
        if self.kind == "codeconnections" and (not self.connection_arn or "/" not in self.repository):
            raise ValueError("source.kind is codeconnections; set connection_arn, and repository as owner/name")
        if self.kind == "codecommit" and (self.connection_arn or "/" in self.repository):
            raise ValueError("source.kind is codecommit; repository is a name without owner, and no connection_arn")
        return self


class OutpostsDashboardSettings(SolutionSettings):
    """Dashboards of the Outposts of an account and of what is tagged."""

    dashboard_name: Annotated[str, Field(pattern=rf"^[A-Za-z0-9_-]{{1,{LONGEST_NAME}}}$")] = (
        "Automated-CloudWatch-Dashboard"
    )
    """Name of the dashboard, behind common.prefix if there is one."""
    tag_name: TagKey = "OutpostID"
    """Key of the tag by which resources are found."""
    tag_values: Annotated[tuple[TagValue, ...], Field(max_length=1_000)] = ()
    """Values of the tag that count. Empty: every value."""
    dashboards: Literal["together", "by-tag-value"] = "together"
    """together: one series of dashboards for all. by-tag-value: one for each value, an Outpost's id for example."""
    explorer: bool = False
    """Whether the post's explorer widget is on top, which finds resources by the tag itself."""
    refresh: Literal["function", "pipeline"] = "function"
    """function: a function writes the dashboards in seconds. pipeline: the post's, which deploys a stack of them."""
    debounce_seconds: Annotated[int, Field(ge=1, le=300)] = 20
    """function: so long do events wait for each other, to be answered together."""
    refresh_minutes: Annotated[int, Field(ge=5, le=10_080)] = 60
    """A refresh without any event, for what tells no events."""
    source: Source = Source()
    """pipeline: where its code comes from."""
    deployed_stack: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9-]{0,79}$")] = (
        "Deploy-AutomatedCloudWatchDashboard"
    )
    """pipeline: name of the stack that it deploys, behind common.prefix if there is one."""
    s3_namespace: Literal["S3Outposts", "AWS/S3Outposts"] = "S3Outposts"
    """Where CloudWatch keeps the metrics of S3 on Outposts; AWS's guide and AWS's sample differ."""
    other_outposts: Annotated[Mapping[OutpostId, Account], Field(max_length=100)] = {}
    """Outposts that other accounts own and share, by id: the account whose metrics are shown."""

    @field_validator("tag_name")
    @classmethod
    def _tag_is_ours_to_ask_for(cls, value: str) -> str:
        if value.lower().startswith("aws:"):
            raise ValueError(f"tag_name {value!r} begins with 'aws:', which nobody can set; choose another")
        return value

    @model_validator(mode="after")
    def _the_pipeline_alone_has_a_source(self) -> Self:
        if len(set(self.tag_values)) < len(self.tag_values):
            raise ValueError("tag_values names a value twice; list each once")
        if self.source.kind != "asset" and self.refresh != "pipeline":
            raise ValueError(f"source.kind is {self.source.kind}, which needs refresh: pipeline")
        return self

    def named(self, common: CommonSettings, name: str) -> str:
        """A name of the settings as it is in the account: two copies with different prefixes do not meet."""
        return "-".join(filter(None, [common.prefix, name]))

    def wanted(self, common: CommonSettings, written_by: str) -> str:
        """What discovery and layout need of the settings, as ``Wanted`` of the functions reads it."""
        fields = {
            "dashboard_name": self.named(common, self.dashboard_name),
            "tag_name": self.tag_name,
            "tag_values": list(self.tag_values),
            "by_tag_value": self.dashboards == "by-tag-value",
            "explorer": self.explorer,
            "s3_namespace": self.s3_namespace,
            "other_outposts": dict(self.other_outposts),
            "written_by": written_by,
        }
        return json.dumps(fields, sort_keys=True, separators=(",", ":"))
