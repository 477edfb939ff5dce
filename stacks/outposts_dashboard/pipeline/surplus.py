"""Deploy step of the pipeline: ``python surplus.py ASSEMBLY STACK DEPLOYED_BY`` deletes what nobody wants any more."""

import json
import sys
from pathlib import Path

import boto3

from outposts_dashboard.lifecycle.handler import stacks_of


def main(assembly: str, stack: str, deployed_by: str) -> int:
    """Deletes the stacks of this pipeline that its last synthesis has not made.

    Returns:
        0; a deletion that fails is seen by the next run, which tries again.
    """
    artifacts = json.loads((Path(assembly) / "manifest.json").read_text(encoding="utf-8"))["artifacts"]
    wanted = {name for name, artifact in artifacts.items() if artifact["type"] == "aws:cloudformation:stack"}
    cloudformation = boto3.client("cloudformation")
    for found in stacks_of(cloudformation, stack, deployed_by):
        if found["StackName"] not in wanted:
            print(f"deleting {found['StackName']}")
            cloudformation.delete_stack(StackName=found["StackId"])
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:4]))
