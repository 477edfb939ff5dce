"""Section ``solutions.spot_placement_tracker`` of config/config.yaml; a file says what is tracked."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator

from config.models import CommonSettings, SolutionSettings
from spot_placement_tracker.checks import Reading, read

ROOT = Path(__file__).parents[2]


class SpotPlacementTrackerSettings(SolutionSettings):
    """Spot placement scores over time, after the public tracker and beyond it."""

    file: Annotated[str, Field(min_length=1, max_length=1_024)] = "config/spot_placement_tracker.yaml"
    """The public tracker's file of dashboards and configurations; a path below this repository, or an absolute one."""
    every_minutes: Annotated[int, Field(ge=1, le=60)] = 5
    """Minutes between two rounds of questions."""
    report_every_hours: Annotated[int, Field(ge=1, le=24)] = 6
    """Hours between two reports of best hours, best days and largest sizes. Each reads every series once."""
    report_days: Annotated[int, Field(ge=7, le=63)] = 14
    """Days that a report looks back; whole weeks compare the days of the week fairly."""
    take_over_dashboards: bool = False
    """true: dashboards of the file's names that somebody else has written are overwritten, and deleted at the end."""
    reserve_concurrency: bool = True
    """true: no two rounds, and no two reports, run at once. false for accounts with no concurrency to spare."""
    metric_namespace: Annotated[
        str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._#/-]{0,254}$", examples=["Spot Placement Score Metrics"])
    ] = "Spot Placement Score Metrics"
    """CloudWatch namespace of the scores: the public tracker's, whose history goes on. Not AWS/..., which is AWS's."""

    @field_validator("metric_namespace")
    @classmethod
    def _namespace_is_ours(cls, value: str) -> str:
        if value.startswith("AWS/"):
            raise ValueError(f"{value!r} begins with AWS/, which CloudWatch keeps for AWS services; choose another")
        return value

    @property
    def path(self) -> Path:
        """Where the file is."""
        return ROOT / self.file

    def read(self) -> Reading:
        """Reads the file.

        Raises:
            OSError: it cannot be read.
            UnicodeDecodeError: it is no text.
        """
        return read(self.path.read_text(encoding="utf-8"))

    def problems_with(self, common: CommonSettings) -> list[tuple[str, str]]:
        """Everything that is wrong with the file, by its own lines."""
        if not self.enabled:
            return []
        try:
            found = self.read().problems
        except OSError as error:
            return [("file", f"{self.file} cannot be read: {error.strerror}; name a file below this repository")]
        except UnicodeDecodeError as error:
            return [("file", f"{self.file} is not UTF-8 text: byte {error.start} cannot be read")]
        return [("file", f"{self.file}:{problem}") for problem in found]
