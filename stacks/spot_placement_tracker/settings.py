"""Section ``solutions.spot_placement_tracker`` of config/config.yaml. What is tracked stands in a file of its own."""

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Annotated

from pydantic import Field

from config.models import CommonSettings, Problem, SolutionSettings, common_rule
from config.types import FilePath, MetricNamespace, path_problem
from spot_placement_tracker.checks import Reading, read
from spot_placement_tracker.values import partition_of

ROOT = Path(__file__).parents[2]

_reading = lru_cache(maxsize=4)(read)  # the rules, the stack and its checks each ask for what the file says


class SpotPlacementTrackerSettings(SolutionSettings):
    """Spot placement scores over time, after the public tracker and beyond it."""

    file: FilePath = "config/spot_placement_tracker.yaml"
    """File of dashboards and configurations, in the public tracker's format; a path below this repository."""
    every_minutes: Annotated[int, Field(ge=1, le=60)] = 5
    """Minutes between two rounds of questions."""
    report_every_hours: Annotated[int, Field(ge=1, le=24)] = 6
    """Hours between two reports of best hours, best days and largest sizes; each report reads every series once."""
    report_days: Annotated[int, Field(ge=7, le=63)] = 14
    """Days that a report looks back; whole weeks compare the days of the week fairly."""
    take_over_dashboards: bool = False
    """true: existing dashboards with the names in the file are overwritten, and deleted with the stack."""
    reserve_concurrency: bool = True
    """true: no two rounds, and no two reports, run at once. false for accounts with no concurrency to spare."""
    metric_namespace: MetricNamespace = "Spot Placement Score Metrics"
    """CloudWatch namespace of the scores, that of the public tracker; not AWS/..., which is for AWS services."""

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
        return _reading(self.path.read_text(encoding="utf-8"))

    @common_rule
    def _file_is_valid(self, common: CommonSettings) -> Iterator[Problem]:
        """All problems of the file, with their lines."""
        if problem := path_problem(self.file):
            yield Problem("file", problem)
            return
        try:
            reading = self.read()
        except FileNotFoundError:
            yield Problem("file", "must name an existing file below this repository; correct the path")
        except IsADirectoryError:
            yield Problem("file", "must name a file, not a directory; correct the path")
        except UnicodeDecodeError as error:
            yield Problem("file", f"must name a file of UTF-8 text; byte {error.start} cannot be read")
        except OSError as error:
            yield Problem("file", f"must name a file that can be read; {error.strerror}")
        else:
            for problem in reading.problems:
                yield Problem("file", f"must name a valid file; line {problem}")
            yield from self._of_one_partition(reading, common)

    @staticmethod
    def _of_one_partition(reading: Reading, common: CommonSettings) -> Iterator[Problem]:
        """EC2 knows the Regions of its own partition only, and refuses a question with another one."""
        questions = [question for board in reading.dashboards for question in board.questions]
        regions = {region for question in questions for region in question.regions}
        here = partition_of(common.region or "")
        if others := sorted(region for region in regions if common.region and partition_of(region) != here):
            says = f"{', '.join(others)} are of another one than common.region {common.region}; track them there"
            yield Problem("file", f"should name Regions of one partition: {says}", warning=True)
