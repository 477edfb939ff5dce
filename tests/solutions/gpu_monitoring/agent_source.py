"""``python -m tests.solutions.gpu_monitoring.agent_source FOLDER``: measurements.yaml beside the agent's own lists.

FOLDER is a clone of https://github.com/aws/amazon-cloudwatch-agent. What an agent does not have on its lists it drops
without a word, and what is missing on ours is refused without need: run this when the agent has a new release.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from stacks.gpu_monitoring.measurements import LINUX

LISTS = "translator/translate/metrics/config/registered_metrics.go"
NOT_USED = {"nvidia_smi"}
"""The agent's own NVIDIA section, which the solution refuses."""


def registered(source: str) -> dict[str, set[str]]:
    """The measurements of each section on Linux, as the agent's source has them."""
    (linux,) = re.findall(r"Registered_Metrics_Linux\b[^{]*\{(.*?)\n\}", source, re.DOTALL)
    sections = re.findall(r'"(\w+)":\s*\{(.*?)\}', linux, re.DOTALL)
    return {name: set(re.findall(r'"([^"]+)"', listed)) for name, listed in sections if name not in NOT_USED}


def differences(agent: dict[str, set[str]]) -> Iterator[str]:
    """What one list has and the other lacks, a line for each section."""
    for section in sorted(agent.keys() | LINUX.keys()):
        theirs, ours = agent.get(section, set()), LINUX.get(section, frozenset())
        if missing := sorted(theirs - ours):
            yield f"{section}: measurements.yaml lacks {', '.join(missing)}"
        if gone := sorted(ours - theirs):
            yield f"{section}: the agent lacks {', '.join(gone)}"


if __name__ == "__main__":
    found = list(differences(registered((Path(sys.argv[1]) / LISTS).read_text(encoding="utf-8"))))
    print("\n".join(found) or "the lists are alike")
    sys.exit(bool(found))
