"""Section ``solutions.outposts_dashboard`` of config/config.yaml."""

import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import Field

from config.models import CommonSettings, Problem, Section, SolutionSettings, common_rule, rule
from config.types import AccountId, ConnectionArn, OutpostId, SoughtTagValue, TagKey, arn_part, repeated

# A dashboard's name has 255 characters at most; a prefix, a value of the tag and a page's number come to this one.
LONGEST_NAME = 120
LONGEST_VARIABLE = 4_096
"""Characters of a variable of CodeBuild, by the error of a longer one:
https://github.com/wolfeidau/buildkite-serverless-agent/issues/35."""


class Source(Section):
    """Source of the pipeline's code."""

    kind: Literal["asset", "codecommit", "codeconnections"] = "asset"
    """asset: this checkout, uploaded by each deployment. The others: a repository of yours that contains it."""
    repository: (
        Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,100}(/[A-Za-z0-9_.-]{1,100})?$", examples=["acme/solutions"])]
        | None
    ) = None
    """Name of the repository: as CodeCommit has it, or owner/name."""
    branch: Annotated[str, Field(max_length=200, pattern=r"^[\w./-]+$", examples=["main"])] = "main"
    """Branch of the repository."""
    connection_arn: ConnectionArn | None = None
    """codeconnections: the connection, which must have been confirmed in the console."""

    @rule
    def _names_what_its_kind_needs(self) -> Iterator[Problem]:
        if self.kind == "asset":
            for key in ("repository", "connection_arn"):
                if getattr(self, key):
                    yield Problem(key, "must be null with kind asset; remove it, or choose another kind")
            return
        owner = self.kind == "codeconnections"
        shape = "owner/name" if owner else "the name alone"
        if not self.repository:
            yield Problem("repository", f"must be set with kind {self.kind}; write {shape}")
        elif ("/" in self.repository) != owner:
            yield Problem("repository", f"must be {shape} with kind {self.kind}; correct it")
        if owner and not self.connection_arn:
            yield Problem("connection_arn", "must be set with kind codeconnections; name the connection")
        if not owner and self.connection_arn:
            yield Problem("connection_arn", "must be null with kind codecommit; remove it")


class OutpostsDashboardSettings(SolutionSettings):
    """Dashboards of the Outposts of an account and of what is tagged."""

    dashboard_name: Annotated[str, Field(pattern=rf"^[A-Za-z0-9_-]{{1,{LONGEST_NAME}}}$", examples=["Outposts"])] = (
        "Automated-CloudWatch-Dashboard"
    )
    """Name of the dashboard, preceded by common.prefix if there is one."""
    tag_name: TagKey = "OutpostID"
    """Key of the tag by which resources are found."""
    tag_values: Annotated[tuple[SoughtTagValue, ...], Field(max_length=1_000)] = ()
    """Values of the tag to include. Empty: every value."""
    dashboards: Literal["together", "by-tag-value"] = "together"
    """together: one series of dashboards for all. by-tag-value: one for each value, an Outpost's id for example."""
    explorer: bool = False
    """true: the post's explorer widgets come first; they find resources by the tag when the dashboard is open."""
    refresh: Literal["function", "pipeline"] = "function"
    """function: a function writes the dashboards within seconds. pipeline: the post's, which deploys them as stacks."""
    debounce_seconds: Annotated[int, Field(ge=1, le=300)] = 20
    """function: how long to batch events, in seconds."""
    refresh_minutes: Annotated[int, Field(ge=5, le=10_080)] = 60
    """Minutes between two refreshes without an event, for changes that send none."""
    source: Source = Source()
    """pipeline: source of its code."""
    deployed_stack: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9-]{0,79}$", examples=["Deploy-Dashboards"])] = (
        "Deploy-AutomatedCloudWatchDashboard"
    )
    """pipeline: name of the stack that it deploys, preceded by common.prefix if there is one."""
    s3_namespace: Literal["S3Outposts", "AWS/S3Outposts"] = "S3Outposts"
    """CloudWatch namespace of S3 on Outposts; AWS's guide and AWS's sample differ."""
    other_outposts: Annotated[Mapping[OutpostId, AccountId], Field(max_length=100)] = {}
    """Outposts that other accounts own and share, by id: the account whose metrics are shown."""

    @rule
    def _tag_is_yours_to_set(self) -> Iterator[Problem]:
        if self.tag_name.lower().startswith("aws:"):
            yield Problem("tag_name", "must not begin with 'aws:', which belongs to AWS; choose another key")

    @rule
    def _no_value_twice(self) -> Iterator[Problem]:
        for index in repeated(self.tag_values):
            yield Problem(("tag_values", index), "must not be listed twice; remove one")

    @rule
    def _the_pipeline_alone_has_a_source(self) -> Iterator[Problem]:
        if self.source.kind != "asset" and self.refresh != "pipeline":
            yield Problem(("source", "kind"), "must be asset with refresh function; set it, or refresh to pipeline")

    @common_rule
    def _build_takes_the_settings(self, common: CommonSettings) -> Iterator[Problem]:
        """The pipeline's build gets them as one variable; the function reads them from its table."""
        size = len(self.wanted(common, f"stack {common.stack_name('outposts_dashboard')}"))
        if self.refresh == "pipeline" and size > LONGEST_VARIABLE:
            yield Problem(
                "tag_values" if self.tag_values else "other_outposts",
                f"must be shorter with refresh pipeline: its build takes {LONGEST_VARIABLE} characters of settings, "
                f"these have {size}; list less, or set refresh to function",
            )

    @common_rule
    def _connection_is_of_the_region(self, common: CommonSettings) -> Iterator[Problem]:
        arn = self.source.connection_arn
        if arn and common.region and arn_part(arn, "region") != common.region:
            yield Problem(
                ("source", "connection_arn"), f"must be of common.region {common.region}; correct one of the two"
            )

    def named(self, common: CommonSettings, name: str) -> str:
        """A name of the settings with the prefix, so that two copies of the stack do not share it."""
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
