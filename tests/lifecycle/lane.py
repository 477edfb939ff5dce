"""One life in a process of its own. Not in __main__: a process that is spawned does not import that of a package."""

import os
import sys
import tempfile
from pathlib import Path

import typeguard

from tests.lifecycle.report import Life, Stage
from tests.lifecycle.stages import live
from tests.variants import ROOT

REPORT = ROOT / ".local" / "lifecycle-report.json"
LONGEST = (
    "image_pipelines",
    "local_zone_wordpress",
    "game_streaming",
    "outposts_routing",
    "spinnaker_server_groups",
    "graviton_porting_advisor",
    "sqs_target_scaling",
    "custom_health_checks",
    "spot_asg",
)


def live_alone(slug: str, short: bool) -> Life:
    """Plays a life; what the CDK warns of goes nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())
    # The library checks the types of each argument, which takes a fifth of the time; make test has done that.
    typeguard.check_type = lambda *_, **__: None
    with tempfile.TemporaryDirectory(prefix="lifecycle-") as folder:
        try:
            return live(slug, Path(folder), short=short)
        except Exception as error:  # one solution's end must not be that of all
            return Life(slug, [Stage("begun", findings=[f"{type(error).__name__}: {error}"])])
