"""Deploy step of the pipeline: ``python surplus.py ASSEMBLY DISCOVERY STACK DEPLOYED_BY`` deletes surplus stacks."""

import json
import sys
from pathlib import Path

import boto3

from outposts_dashboard.lifecycle.handler import stacks_of


def main(assembly: str, discovery: str, stack: str, deployed_by: str) -> int:
    """Deletes the stacks of this pipeline that its last synthesis has not made.

    What could not be looked at may be what a dashboard is for: nothing goes until everything has been seen.

    Returns:
        0; a deletion that fails is seen by the next run, which tries again.
    """
    if failures := json.loads(Path(discovery).read_text(encoding="utf-8"))["failures"]:
        print(f"nothing is deleted: {', '.join(failures)} could not be read")
        return 0
    artifacts = json.loads((Path(assembly) / "manifest.json").read_text(encoding="utf-8"))["artifacts"]
    wanted = {name for name, artifact in artifacts.items() if artifact["type"] == "aws:cloudformation:stack"}
    cloudformation = boto3.client("cloudformation")
    for found in stacks_of(cloudformation, stack, deployed_by):
        if found["StackName"] not in wanted:
            print(f"deleting {found['StackName']}")
            cloudformation.delete_stack(StackName=found["StackId"])
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:5]))
