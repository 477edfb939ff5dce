"""Section ``solutions.gpu_monitoring`` of config/config.yaml."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from config.models import Problem, SolutionSettings, Tag, rule
from config.schedules import AssociationSchedule
from config.types import FilePath, TargetTagKey, path_problem
from stacks.gpu_monitoring.agent import read, statsd_port
from stacks.gpu_monitoring.measurements import System

ROOT = Path(__file__).parents[2]
DOCUMENTS = Path(__file__).parent / "documents"
INSIGHTS_HOURS = 3
"""How far back alarms on Metrics Insights look
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-limits.html)."""


class OptInTag(Tag):
    """The tag of the instances that get the agent, by which State Manager selects them."""

    key: TargetTagKey
    """The tag's key."""


class GpuMonitoringSettings(SolutionSettings):
    """The CloudWatch agent on tagged instances, a dashboard of their GPUs, and alarms on what is wasted."""

    opt_in: OptInTag = OptInTag(key="gpu-monitoring", value="enabled")
    """The tag of the instances that get the agent; no other is ever touched."""
    linux_configuration: FilePath | None = None
    """JSON file with the agent's configuration on Linux, by its path below the repository. null: the solution's own."""
    windows_configuration: FilePath | None = None
    """The same for Windows."""
    reapply: AssociationSchedule = "rate(1 day)"
    """Schedule on which State Manager installs and configures the agent again; new instances get it at once."""
    attach_profile: bool = False
    """true: tagged instances that have no instance profile get the solution's. One that is there is never replaced."""
    idle_percent: Annotated[float, Field(gt=0, le=100)] = 5
    """Utilization in percent below which a GPU is idle; an instance is idle when all its GPUs are."""
    idle_hours: Annotated[int, Field(ge=1, le=336)] = 2
    """Hours that an instance is idle before the alarm fires; above 3, the alarm uses a metric of the solution."""
    memory_percent: Annotated[float, Field(gt=0, lt=100)] = 90
    """Memory use in percent above which the memory of a GPU is nearly full."""
    fleet_minutes: Literal[5, 10, 15, 30, 60] = 15
    """Minutes between two measurements of the fleet's utilization and waste."""
    silent_minutes: Annotated[int, Field(ge=10, le=1_440)] = 15
    """Minutes without data before a running instance counts as silent; a new one has as long to
    report, and one that starts again 15 minutes at most, bare metal 35."""

    @rule
    def _agent_takes_the_configuration(self) -> Iterator[Problem]:
        files: tuple[tuple[str, System, str | None], ...] = (
            ("linux_configuration", "linux", self.linux_configuration),
            ("windows_configuration", "windows", self.windows_configuration),
        )
        for key, system, file in files:
            if file is None:
                continue
            if problem := path_problem(file):
                yield Problem(key, problem)
                continue
            for problem in read(ROOT / file, system)[1]:
                yield Problem(key, f"must name a valid configuration; {problem}")

    @rule
    def _no_gap_between_two_looks(self) -> Iterator[Problem]:
        if self.silent_minutes < self.fleet_minutes:
            yield Problem(
                "silent_minutes",
                f"must be at least fleet_minutes, which is {self.fleet_minutes}, or silence between two measurements "
                "goes unnoticed; raise it",
            )

    def configuration_file(self, system: System) -> Path:
        """The agent's configuration on Linux or Windows."""
        own = self.linux_configuration if system == "linux" else self.windows_configuration
        return ROOT / own if own else DOCUMENTS / f"{system}.json"

    def configuration(self, system: System) -> str:
        """The same as the parameter holds it."""
        return read(self.configuration_file(system), system)[0]

    def statsd_port(self, system: System) -> int:
        """The port of 127.0.0.1 on which the agent takes the values of GPUs."""
        port = statsd_port(self.configuration(system))
        assert port, "a rule of these settings demands it"
        return port

    @property
    def idle_by_insights(self) -> bool:
        """Whether the alarm can look at the agent's own metrics."""
        return self.idle_hours <= INSIGHTS_HOURS
