"""What goes with what, and what waits for the end of what."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from stacks.leftovers.kind import Kind, named_by
from stacks.leftovers.kinds import KINDS
from stacks.leftovers.looks import is_ending


class Holders:
    """What is left and what ends already, as far as it holds others; to be asked in the order of removal."""

    def __init__(self) -> None:
        self._holders: dict[str, str] = {}
        self._ending: dict[tuple[str, str], list[str]] = defaultdict(list)

    def take(self, arn: str, shown: list[Any]) -> None:
        """Takes one whose command is printed."""
        self._holders |= dict.fromkeys(_going_with(shown), named_by(arn)[1])

    def end(self, solution: str, arn: str, looked: list[Any]) -> None:
        """Takes one that needs no command: it has ended, or ends and holds others until then."""
        of, name = named_by(arn)
        ending = [item for item in looked if is_ending(item)]
        if ending and of in KINDS and KINDS[of].wait:
            self._ending[solution, of].append(name)
            self.take(arn, ending)

    def of(self, arn: str) -> str:
        """With what one goes; empty: with nothing."""
        return self._holders.get(named_by(arn)[1], "")

    def waits(self, solution: str, kind: Kind, region: str) -> Iterator[str]:
        """Commands that end when what may hold one of a kind, and ends already, is gone.

        Each waits for all of its solution: how EC2 describes what ends does not say everything that it holds.
        """
        for holder in kind.held_by:
            if names := self._ending.get((solution, holder)):
                yield KINDS[holder].ended(names, region)


def _going_with(shown: list[Any]) -> Iterator[str]:
    """What is deleted with it: snapshots of an AMI, but for one that an AMI of others has too, and volumes.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_EbsInstanceBlockDevice.html: DeleteOnTermination. Where
    an AMI has that member, it has no volume.
    """
    for item in shown:
        for mapping in item.get("BlockDeviceMappings", ()):
            ebs = mapping.get("Ebs", {})
            if snapshot := ebs.get("SnapshotId"):
                yield snapshot
            if ebs.get("VolumeId") and ebs.get("DeleteOnTermination"):
                yield ebs["VolumeId"]
