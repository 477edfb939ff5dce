"""One life in a process of its own. Not in __main__: a process that is spawned does not import that of a package."""

import os
import sys
import tempfile
from pathlib import Path

from tests.lifecycle.report import Life
from tests.lifecycle.stages import live
from tests.variants import ROOT

REPORT = ROOT / ".local" / "lifecycle-report.json"
LONGEST = ("local_zone_wordpress", "spinnaker_server_groups", "sqs_target_scaling", "spot_asg", "custom_health_checks")


def live_alone(slug: str, short: bool) -> Life:
    """Plays a life; what the CDK warns of goes nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())
    with tempfile.TemporaryDirectory(prefix="lifecycle-") as folder:
        return live(slug, Path(folder), short=short)
