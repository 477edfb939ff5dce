"""What Clouddriver does with user data: in a launch template, and in its next version.

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
    """The files' user data, which is empty, then the job's, stripped of white space."""
    text = base64.b64decode(job_s or "", validate=True).decode().strip()
    return base64.b64encode(text.encode()).decode("ascii") if text else None


def of_next_version(before: str | None, *, files: bool) -> str | None:
    """The user data of the next version: the previous version's, but only where files are not read.

    The job's user data is ignored.
    """
    return aggregated(None if files else before)
