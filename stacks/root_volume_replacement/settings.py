"""Section ``solutions.root_volume_replacement`` of config/config.yaml."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from config.models import Problem, Section, SolutionSettings, Tag, rule
from config.schedules import ScheduleExpression, TimeZone

DEFINITIONS = Path(__file__).parent / "state_machines"


class FleetSchedule(Section):
    """Replacements that start by themselves."""

    expression: ScheduleExpression
    """Cron or rate expression of EventBridge Scheduler."""
    timezone: TimeZone = "UTC"
    """IANA name of the time zone of the schedule."""
    to: Literal["launch-state", "latest-snapshot"]
    """State to restore the root volumes to."""
    tag: Tag | None = None
    """Only opted-in instances that have this tag too. null: all that have opted in."""


class CleanUpSettings(Section):
    """Clean-up of volumes and snapshots that this solution has left."""

    mode: Literal["dry-run", "delete"] = "dry-run"
    """dry-run: only send the plan. delete: send the plan, then delete; needs allow_deletion."""
    schedule: ScheduleExpression = "cron(0 3 * * ? *)"
    """Cron or rate expression of EventBridge Scheduler."""
    timezone: TimeZone = "UTC"
    """IANA name of the time zone of the schedule."""
    keep: Annotated[int, Field(ge=1, le=1_000)] = 3
    """Newest snapshots of each instance to keep."""
    grace_hours: Annotated[int, Field(ge=1, le=8_760)] = 168
    """Hours before deletion: since creation, since detachment, and since the instance is gone."""
    most_deletions: Annotated[int, Field(ge=1, le=1_000)] = 500
    """Most deletions in one run."""


class RootVolumeReplacementSettings(SolutionSettings):
    """Snapshots, replacements and clean-up of the root volumes of instances that have opted in."""

    opt_in: Tag = Tag(key="root-volume-replacement", value="enabled")
    """The tag by which an instance opts in; no other is ever touched."""
    snapshot_new_volumes: bool = True
    """true: snapshot every new root volume at once. false: only your own events take snapshots."""
    attach_minutes: Annotated[int, Field(ge=1, le=1_440)] = 15
    """Minutes for a new volume to be attached; volumes not attached within this time are ignored."""
    poll_seconds: Annotated[int, Field(ge=1, le=300)] = 15
    """Seconds between the first two checks of a volume, task or instance; later ones are further apart."""
    task_minutes: Annotated[int, Field(ge=1, le=1_440)] = 60
    """Minutes after which a replacement task has failed."""
    checks_minutes: Annotated[int, Field(ge=1, le=1_440)] = 30
    """Minutes for an instance to pass its status checks after the task; later it has failed."""
    settle_seconds: Annotated[int, Field(ge=0, le=3_600)] = 120
    """Seconds after the task before status checks count; EC2 makes them every minute."""
    old_volume: Literal["keep", "delete"] = "keep"
    """What happens to the old root volume once the new one has passed; delete needs allow_deletion."""
    allow_deletion: bool = False
    """Safety switch: must be true before any function is permitted to delete anything."""
    wave_size: Annotated[int, Field(ge=1, le=100)] = 5
    """Instances of a fleet that are replaced at once."""
    most_instances: Annotated[int, Field(ge=1, le=1_000)] = 500
    """Most instances of a fleet; a larger one is refused."""
    schedules: Annotated[tuple[FleetSchedule, ...], Field(max_length=20)] = ()
    """Fleets that are replaced on a schedule."""
    clean_up: CleanUpSettings = CleanUpSettings()
    """Clean-up of volumes and snapshots that this solution has left."""

    @rule
    def _deletion_is_allowed(self) -> Iterator[Problem]:
        for at, value in ((("old_volume",), self.old_volume), (("clean_up", "mode"), self.clean_up.mode)):
            if value == "delete" and not self.allow_deletion:
                yield Problem(at, "must not be delete without allow_deletion, the safety switch; set that to true")

    @property
    def deletes_old_volumes(self) -> bool:
        """Whether replacements delete the old volume: the setting and the safety switch say so."""
        return self.allow_deletion and self.old_volume == "delete"

    @property
    def cleans_up(self) -> bool:
        """Whether the clean-up deletes: the setting and the safety switch say so."""
        return self.allow_deletion and self.clean_up.mode == "delete"
