"""Section ``solutions.root_volume_replacement`` of config/config.yaml."""

from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from config.models import Section, SolutionSettings, Tag

ScheduleExpression = Annotated[
    str,
    Field(pattern=r"^(cron\([^()]{9,100}\)|rate\([1-9]\d{0,4} (minute|hour|day)s?\))$", examples=["cron(0 3 * * ? *)"]),
]
TimeZone = Annotated[str, Field(pattern=r"^[A-Za-z]+(/[A-Za-z0-9_+-]+){0,2}$", examples=["Europe/Berlin"])]


class FleetSchedule(Section):
    """Replacements that start by themselves."""

    expression: ScheduleExpression
    """When, as EventBridge Scheduler writes it."""
    timezone: TimeZone = "UTC"
    """In which time zone."""
    to: Literal["launch-state", "latest-snapshot"]
    """What the root volumes are restored to."""
    tag: Tag | None = None
    """Only opted-in instances that have this tag too. null: all that have opted in."""


class CleanUpSettings(Section):
    """What is removed of what this solution has left behind, and when."""

    mode: Literal["dry-run", "delete"] = "dry-run"
    """dry-run: the plan is sent, and nothing is deleted. delete: it is sent, then done; needs allow_deletion."""
    schedule: ScheduleExpression = "cron(0 3 * * ? *)"
    """When, as EventBridge Scheduler writes it."""
    timezone: TimeZone = "UTC"
    """In which time zone."""
    keep: Annotated[int, Field(ge=1, le=1_000)] = 3
    """So many newest snapshots of each instance stay."""
    grace_hours: Annotated[int, Field(ge=1, le=8_760)] = 168
    """Nothing is deleted before it is so old, detached so long, or its instance gone so long."""
    most_deletions: Annotated[int, Field(ge=1, le=1_000)] = 500
    """At most so many deletions in one run."""


class RootVolumeReplacementSettings(SolutionSettings):
    """Snapshots, replacements and clean-up of the root volumes of instances that have opted in."""

    opt_in: Tag = Tag(key="root-volume-replacement", value="enabled")
    """The tag by which an instance opts in; no other is ever touched."""
    snapshot_new_volumes: bool = True
    """Whether a new root volume gets a snapshot at once. false: only events of your own take one."""
    attach_minutes: Annotated[int, Field(ge=1, le=1_440)] = 15
    """A volume that is not attached so long after its creation is no root volume."""
    poll_seconds: Annotated[int, Field(ge=1, le=300)] = 15
    """Seconds between two looks at a volume, a task or an instance, at first; later they become more."""
    task_minutes: Annotated[int, Field(ge=1, le=1_440)] = 60
    """A replacement task that takes longer has failed."""
    checks_minutes: Annotated[int, Field(ge=1, le=1_440)] = 30
    """An instance that does not pass its status checks so long after the task has failed."""
    old_volume: Literal["keep", "delete"] = "keep"
    """What becomes of the old root volume once the new one has passed; delete needs allow_deletion."""
    allow_deletion: bool = False
    """The second key: without it no function has the right to delete anything."""
    wave_size: Annotated[int, Field(ge=1, le=100)] = 5
    """So many instances of a fleet are replaced at once."""
    most_instances: Annotated[int, Field(ge=1, le=1_000)] = 500
    """A fleet of more is refused."""
    schedules: Annotated[tuple[FleetSchedule, ...], Field(max_length=20)] = ()
    """Fleets that are replaced on a schedule."""
    clean_up: CleanUpSettings = CleanUpSettings()
    """What is removed of what this solution has left behind, and when."""

    @field_validator("opt_in")
    @classmethod
    def _tag_is_ours_to_ask_for(cls, value: Tag) -> Tag:
        if value.key.lower().startswith("aws:"):
            raise ValueError(f"opt_in.key {value.key!r} begins with 'aws:', which nobody can set; choose another")
        return value

    @model_validator(mode="after")
    def _deleting_takes_two_keys(self) -> Self:
        if self.allow_deletion:
            return self
        if self.old_volume == "delete":
            raise ValueError("old_volume is delete, which needs the second key; set allow_deletion to true")
        if self.clean_up.mode == "delete":
            raise ValueError("clean_up.mode is delete, which needs the second key; set allow_deletion to true")
        return self

    @property
    def deletes_old_volumes(self) -> bool:
        """Whether replacements delete the old volume: both keys are turned."""
        return self.allow_deletion and self.old_volume == "delete"

    @property
    def cleans_up(self) -> bool:
        """Whether the clean-up deletes: both keys are turned."""
        return self.allow_deletion and self.clean_up.mode == "delete"
