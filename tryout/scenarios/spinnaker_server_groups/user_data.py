"""What becomes of user data in Clouddriver: what a launch template gets, and what its next version gets.

Written from LaunchTemplateService, UserDataProviderAggregator and LocalFileUserDataProperties of clouddriver-aws,
https://github.com/spinnaker/spinnaker, branch release-2026.2.x.
"""

import base64
from pathlib import Path

import yaml

CONFIGURATION = Path(__file__).parents[3] / "stacks/spinnaker_server_groups/user_data/host/clouddriver-local.yml"


def reads_files(configuration: Path = CONFIGURATION) -> bool:
    """Whether Clouddriver looks for user data in files: ``udf.enabled`` of its configuration, true by default."""
    found = yaml.safe_load(configuration.read_text(encoding="utf-8"))
    return bool(found.get("udf", {}).get("enabled", True))


def aggregated(job_s: str | None) -> str | None:
    """Those of the files, which there are none of, and those of a job behind them, without white space around them."""
    text = base64.b64decode(job_s or "", validate=True).decode().strip()
    return base64.b64encode(text.encode()).decode("ascii") if text else None


def of_next_version(before: str | None, *, files: bool) -> str | None:
    """What a modification gives the next version: what the one before has, but only where no files are looked at.

    What the job says of user data is not read.
    """
    return aggregated(None if files else before)
