"""Section ``solutions.gpu_monitoring`` of config/config.yaml."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from config.models import SolutionSettings, Tag
from stacks.gpu_monitoring.agent import read
from stacks.gpu_monitoring.measurements import System

ROOT = Path(__file__).parents[2]
DOCUMENTS = Path(__file__).parent / "documents"
INSIGHTS_HOURS = 3
"""So far back alarms on Metrics Insights see
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-limits.html)."""

FileName = Annotated[str, Field(min_length=1, max_length=255, examples=["config/agent-linux.json"])]
Rate = Annotated[
    str,
    Field(pattern=r"^(rate\([1-9]\d{0,4} (minute|hour|day)s?\)|cron\([^()]{9,100}\))$", examples=["rate(1 day)"]),
]


class GpuMonitoringSettings(SolutionSettings):
    """The CloudWatch agent on tagged instances, a dashboard of their GPUs, and alarms on what is wasted."""

    opt_in: Tag = Tag(key="gpu-monitoring", value="enabled")
    """The tag of the instances that get the agent; no other is ever touched."""
    linux_configuration: FileName | None = None
    """JSON file with the agent's configuration on Linux, relative to the repository. null: the solution's own."""
    windows_configuration: FileName | None = None
    """The same for Windows."""
    reapply: Rate = "rate(1 day)"
    """How often State Manager installs and configures the agent again, besides on new and changed instances."""
    attach_profile: bool = False
    """true: tagged instances that have no instance profile get the solution's. One that is there is never replaced."""
    idle_percent: Annotated[float, Field(gt=0, le=100)] = 5
    """An instance all of whose GPUs always compute less than this is idle; in percent."""
    idle_hours: Annotated[int, Field(ge=1, le=336)] = 2
    """So long it must have been idle for the alarm; up to 3 by Metrics Insights, beyond by a metric of our own."""
    memory_percent: Annotated[float, Field(gt=0, lt=100)] = 90
    """The memory of a GPU is nearly full above this; in percent."""
    fleet_minutes: Literal[5, 10, 15, 30, 60] = 15
    """How often the fleet's utilisation and waste are counted."""
    silent_minutes: Annotated[int, Field(ge=10, le=1_440)] = 15
    """A running instance that has reported nothing for so long is silent, a new one is given as long."""

    @field_validator("opt_in")
    @classmethod
    def _tag_is_ours_to_ask_for(cls, value: Tag) -> Tag:
        if value.key.lower().startswith("aws:"):
            raise ValueError(f"opt_in.key {value.key!r} begins with 'aws:', which nobody can set; choose another")
        return value

    @field_validator("linux_configuration", "windows_configuration")
    @classmethod
    def _agent_takes_it(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None:
            return None
        _, problems = read(ROOT / value, "linux" if info.field_name == "linux_configuration" else "windows")
        if problems:
            raise ValueError(f"{value}: {'; '.join(problems)}")
        return value

    @field_validator("reapply")
    @classmethod
    def _state_manager_takes_it(cls, value: str) -> str:
        """https://docs.aws.amazon.com/systems-manager/latest/userguide/reference-cron-and-rate-expressions.html."""
        number, unit = value.removeprefix("rate(").rstrip(")").split(" ")[:2] if value.startswith("rate") else ("0", "")
        if unit.startswith("minute") and int(number) < 30:
            raise ValueError(f"{value!r} is too often for State Manager; the least is rate(30 minutes)")
        return value

    @model_validator(mode="after")
    def _no_gap_between_two_looks(self) -> Self:
        if self.silent_minutes < self.fleet_minutes:
            raise ValueError(
                f"silent_minutes {self.silent_minutes} is below fleet_minutes {self.fleet_minutes}: what happens "
                f"between two looks would be missed; set it to {self.fleet_minutes} or more"
            )
        return self

    def configuration_file(self, system: System) -> Path:
        """The agent's configuration on Linux or Windows."""
        own = self.linux_configuration if system == "linux" else self.windows_configuration
        return ROOT / own if own else DOCUMENTS / f"{system}.json"

    def configuration(self, system: System) -> str:
        """The same as the parameter holds it."""
        return read(self.configuration_file(system), system)[0]

    @property
    def idle_by_insights(self) -> bool:
        """Whether the alarm can look at the agent's own metrics."""
        return self.idle_hours <= INSIGHTS_HOURS
