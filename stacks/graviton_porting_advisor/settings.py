"""Section ``solutions.graviton_porting_advisor`` of config/config.yaml."""

import json
import re
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from config.models import CommonSettings, Problem, Section, SolutionSettings, common_rule, rule
from config.schedules import ScheduleExpression, TimeZone
from config.types import ConnectionArn, KmsKeyArn, arn_part, repeated
from stacks.graviton_porting_advisor.issue_types import unknown_type
from stacks.graviton_porting_advisor.sources import SHAPES, Location

COMMIT = "d5d5890ac2ba78de43a070be5d8097c77b3bc15a"
REPOSITORY = "https://github.com/aws/porting-advisor-for-graviton.git"
MOST_SOURCES = 50  # their ARNs must fit into a role's policy
LONGEST_SCAN = 3_000  # characters in a variable of each build; a template has at most 1,000,000


def _folder(text: str) -> str:
    parts = text.rstrip("/").split("/")
    if text.startswith(("/", "~")) or "\\" in text or "\0" in text or any(part in ("", ".", "..") for part in parts):
        raise ValueError("must be a folder or file in the source, such as third_party/x86, without '.' and '..'")
    return "/".join(parts)


Folder = Annotated[str, Field(min_length=1, max_length=200, examples=["third_party/x86"]), AfterValidator(_folder)]


def _with_a_short_repository(image: str) -> str:
    name = re.split("[:@]", image.partition("/")[2])[0]
    if not 2 <= len(name) <= 256:
        raise ValueError(f"must name a repository of 2 to 256 characters, has {len(name)}; correct it")
    return image


# Repositories: https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreateRepository.html. Tags as they can be
# pulled by, https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests: ECR itself says
# only how long they may be.
_WORDS = r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*"
Image = Annotated[
    str,
    Field(
        pattern=rf"^[0-9]{{12}}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(\.cn)?/{_WORDS}(/{_WORDS})*"
        r"(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}|@sha256:[0-9a-f]{64})$",
        examples=["123456789012.dkr.ecr.eu-central-1.amazonaws.com/advisor:1"],
    ),
    AfterValidator(_with_a_short_repository),
]


class Source(Section):
    """A source to scan, with its own build, reports and metrics."""

    location: Annotated[str, Field(max_length=400, pattern=SHAPES, examples=["owner/name", "s3://bucket/app.zip"])]
    """owner/name on GitHub, gitlab:owner/name, bitbucket:owner/name, codecommit:name, s3://bucket/key.zip or s3://bucket/prefix/."""
    ref: Annotated[str, Field(max_length=200, pattern=r"^[\w./-]+$", examples=["main"])] | None = None
    """Branch, tag or commit; for an S3 object, its version. null: the default branch, or the newest object."""
    connection_arn: ConnectionArn | None = None
    """ARN of the connection to a private repository, which must have been confirmed in the console."""
    kms_key_arn: KmsKeyArn | None = None
    """Customer managed key that encrypts the S3 source."""
    exclude: Annotated[tuple[Folder, ...], Field(max_length=50)] = ()
    """Folders and files of this source that are not scanned, besides the common ones."""
    max_issues: Annotated[int, Field(ge=0, le=1_000_000)] | None = None
    """Greatest number of issues with which this source passes. null: the common max_issues."""

    @property
    def place(self) -> Location:
        """The location in its parts."""
        return Location.read(self.location)

    @rule
    def _has_what_its_provider_knows(self) -> Iterator[Problem]:
        provider = self.place.provider
        if provider == "gitlab" and not self.connection_arn:
            yield Problem(
                "connection_arn", "must be set for GitLab, which CodeBuild reads only with a connection; set it"
            )
        if provider in ("codecommit", "s3") and self.connection_arn:
            yield Problem("connection_arn", f"must be null for {provider}, which needs no connection; remove it")
        if provider == "s3" and self.place.key.endswith("/") and self.ref:
            # https://github.com/awslabs/aws-codebuild-jenkins-plugin/issues/72: CodeBuild refuses it
            yield Problem("ref", "must be null for an S3 prefix, whose objects each have a version; remove it")
        if provider != "s3" and self.kms_key_arn:
            yield Problem("kms_key_arn", "must be null except for an S3 source; remove it")


class Accepted(Section):
    """Findings that were reviewed and need no work: counted separately, and they do not fail a scan."""

    path: Annotated[str, Field(min_length=1, max_length=200, examples=["lib/native-*.jar"])]
    """File in the source; * stands for anything."""
    issue_type: Annotated[str, Field(pattern=r"^[A-Za-z0-9]+$", examples=["NativeMethods"])] | None = None
    """Kind of issue. null: every kind, including findings that the tool does not list."""
    reason: Annotated[str, Field(min_length=3, max_length=200, examples=["the arm64 folder of the archive has it"])]
    """Reason, for readers of this file."""

    @rule
    def _kind_is_known(self) -> Iterator[Problem]:
        if self.issue_type and (says := unknown_type(self.issue_type)):
            yield Problem("issue_type", says)


class Tool(Section):
    """The advisor itself."""

    repository: Annotated[str, Field(pattern=r"^https://[\w.-]+(:\d+)?(/[\w.-]+)+$", examples=[REPOSITORY])] = (
        REPOSITORY
    )
    """Address to clone it from: AWS's, or your copy, which builds must reach without signing in."""
    commit: Annotated[str, Field(pattern=r"^[0-9a-f]{40}$", examples=[COMMIT])] = COMMIT
    """Commit that is run; the builds verify it."""


class GravitonPortingAdvisorSettings(SolutionSettings):
    """AWS's Porting Advisor for your sources, on a schedule, with correct counts."""

    sources: Annotated[tuple[Source, ...], Field(min_length=1, max_length=MOST_SOURCES)] = (
        Source(location="aws/porting-advisor-for-graviton"),
    )
    """Repositories and S3 sources to scan."""
    schedule: ScheduleExpression | None = "cron(0 3 ? * MON *)"
    """Cron or rate expression of EventBridge Scheduler. null: on demand only."""
    timezone: TimeZone = "UTC"
    """IANA name of the time zone of the schedule."""
    issue_types: Annotated[tuple[str, ...], Field(max_length=21)] = ()
    """Kinds of issues to report: a list, or +Kind and -Kind to change the tool's own choice. Empty: the tool's own."""
    target_os: Literal["linux", "windows", "all"] = "linux"
    """Operating system that the code will run on."""
    exclude: Annotated[tuple[Folder, ...], Field(max_length=50)] = ()
    """Folders and files, from a source's root, that are removed from every source before its scan."""
    scan_jars: bool = False
    """true: look for native methods in JAR files; each build then builds the tool's scanner from Maven Central."""
    max_issues: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    """Greatest number of issues with which a source passes."""
    accepted: Annotated[tuple[Accepted, ...], Field(max_length=50)] = ()
    """Findings that are counted separately and do not fail a scan."""
    warn_only: Annotated[tuple[Literal["nothing-scanned", "incomplete"], ...], Field(max_length=2)] = ()
    """Results that are reported but pass: nothing-scanned, incomplete."""
    tool: Tool = Tool()
    """The advisor's repository and commit."""
    arm: bool = True
    """false: builds on x86-64, for Regions without Arm builds; the counts are the same."""
    image: Image | None = None
    """Your image in ECR in the same Region, with bash, git and Python 3.11 to 3.13. null: AWS's own."""
    compute: Literal["small", "medium", "large"] = "small"
    """Size of the build machines."""
    builds_at_once: Annotated[int, Field(ge=1, le=MOST_SOURCES)] = 5
    """Number of builds at a time; the other sources wait for their turn. An account's quota may be small."""
    build_minutes: Annotated[int, Field(ge=5, le=480)] = 30
    """Minutes after which a build is stopped."""
    notify: Literal["all", "problems"] = "all"
    """all: every scan sends a notification. problems: those that do not pass."""
    link_minutes: Annotated[int, Field(ge=5, le=60)] = 60
    """Minutes for which a notification's link works; a role's session, and so the link, ends after an hour."""
    report_days: Annotated[int, Field(ge=1, le=3_650)] = 90
    """Days that reports are kept."""
    type_metrics: bool = False
    """true: a metric for each kind of issue of each source, besides the totals."""

    @rule
    def _kinds_are_known(self) -> Iterator[Problem]:
        for index, name in enumerate(self.issue_types):
            if says := unknown_type(name):
                yield Problem(("issue_types", index), says)
        signed = [name.startswith(("+", "-")) for name in self.issue_types]
        if any(signed) and not all(signed):
            yield Problem("issue_types", "must all begin with + or -, or none of them; use one form")

    @rule
    def _no_source_twice(self) -> Iterator[Problem]:
        for index in repeated([source.place.identity for source in self.sources]):
            yield Problem(("sources", index, "location"), "must not be listed twice; remove one")

    @rule
    def _settings_of_a_build_fit(self) -> Iterator[Problem]:
        for index, source in enumerate(self.sources):
            if (size := len(self.variables(source)["SCAN"])) > LONGEST_SCAN:
                says = f"must have at most {LONGEST_SCAN} characters together with accepted, got {size}"
                yield Problem(("sources", index, "exclude"), f"{says}; name whole folders and use patterns")

    @common_rule
    def _connections_keys_and_image_are_of_the_region(self, common: CommonSettings) -> Iterator[Problem]:
        if self.image and common.region and self.image.split(".")[3] != common.region:
            yield Problem("image", f"must be in ECR in common.region {common.region}; copy it there")
        for index, source in enumerate(self.sources if common.region else ()):
            for key in ("connection_arn", "kms_key_arn"):
                arn = getattr(source, key)
                if arn and arn_part(arn, "region") != common.region:
                    says = f"must be in common.region {common.region}; correct one of the two"
                    yield Problem(("sources", index, key), says)

    @property
    def issue_type_option(self) -> str:
        """The value of ``--issue-types``; empty for the tool's own choice."""
        return ",".join(self.issue_types)

    def excluded(self, source: Source) -> list[str]:
        """The folders and files that are removed from a source before its scan."""
        return list(dict.fromkeys([*self.exclude, *source.exclude]))

    def most_issues(self, source: Source) -> int:
        """Greatest number of issues with which a source passes."""
        return self.max_issues if source.max_issues is None else source.max_issues

    def variables(self, source: Source) -> dict[str, str]:
        """The variables of a source's build that come from the settings."""
        scan = {
            "exclude": self.excluded(source),
            "max_issues": self.most_issues(source),
            "accepted": [each.model_dump(include={"path", "issue_type"}) for each in self.accepted],
            "warn_only": list(self.warn_only),
        }
        return {
            "SOURCE": source.place.label,
            "SLUG": source.place.slug,
            "SCAN": json.dumps(scan, sort_keys=True, separators=(",", ":")),
            "TOOL_REPOSITORY": self.tool.repository,
            "TOOL_COMMIT": self.tool.commit,
            "TARGET_OS": self.target_os,
            **({"ISSUE_TYPES": self.issue_type_option} if self.issue_types else {}),
            "SCAN_JARS": str(self.scan_jars).lower(),
        }
