"""One life in a process of its own. Not in __main__: a process that is spawned does not import that of a package."""

import os
import sys
import tempfile
from pathlib import Path

from tests.lifecycle.report import Life, Stage
from tests.lifecycle.stages import live
from tests.variants import ROOT

REPORT = ROOT / ".local" / "lifecycle-report.json"
LONGEST = ("local_zone_wordpress", "spinnaker_server_groups", "sqs_target_scaling", "spot_asg", "custom_health_checks")


def live_alone(slug: str, short: bool) -> Life:
    """Plays a life; what the CDK warns of goes nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())
    with tempfile.TemporaryDirectory(prefix="lifecycle-") as folder:
        try:
            return live(slug, Path(folder), short=short)
        except Exception as error:  # one solution's end must not be that of all
            return Life(slug, [Stage("begun", findings=[f"{type(error).__name__}: {error}"])])
