"""The clean-up's plan for ever more snapshots: time, memory and calls, read page by page as from EC2."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from benchmarks.growth import Growing, Ran, timed

PAGE = 1000
SNAPSHOTS_OF_ONE = 100


class Account:
    """EC2 and the ledger of an account with so many snapshots of ours; counts the calls."""

    def __init__(self, snapshots: int) -> None:
        self.snapshots = snapshots
        self.calls: Counter[str] = Counter()

    def get_paginator(self, operation: str) -> Any:
        """Pages of 1,000, as EC2's."""
        makers = {"describe_snapshots": self._snapshot, "describe_instances": self._reservation}
        counts = {"describe_snapshots": self.snapshots, "describe_instances": self.snapshots // SNAPSHOTS_OF_ONE}
        keys = {
            "describe_snapshots": "Snapshots",
            "describe_instances": "Reservations",
            "describe_volumes": "Volumes",
            "describe_images": "Images",
        }
        account = self

        class Pages:
            def paginate(self, **_: Any) -> Iterator[dict[str, Any]]:
                count = counts.get(operation, 0)
                for start in range(0, max(count, 1), PAGE):
                    account.calls[operation] += 1
                    numbers = range(start, min(start + PAGE, count))
                    yield {keys[operation]: [makers[operation](number) for number in numbers]}

        return Pages()

    def everything(self) -> Iterator[dict[str, Any]]:
        """The ledger's items; a page of a scan is 1 MB, about 6,000 of them."""
        for number in range(self.snapshots):
            if number % 6_000 == 0:
                self.calls["scan"] += 1
            owner = number // SNAPSHOTS_OF_ONE
            yield {"id": f"snap-{number:x}", "instance_id": f"i-{owner:x}", "volume_id": f"vol-{owner:x}", "at": number}

    def _snapshot(self, number: int) -> dict[str, Any]:
        owner = number // SNAPSHOTS_OF_ONE
        tags = {"replace-snapshot": "true", "root-volume-of": f"i-{owner:x}"}
        return {
            "SnapshotId": f"snap-{number:x}",
            "VolumeId": f"vol-{owner:x}",
            "State": "completed",
            "StartTime": datetime.fromtimestamp(number, UTC),
            "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
        }

    def _reservation(self, number: int) -> dict[str, Any]:
        tags = [{"Key": "opt", "Value": "in"}]
        return {"Instances": [{"InstanceId": f"i-{number:x}", "State": {"Name": "running"}, "Tags": tags}]}


def run(count: int) -> Ran:
    """Reads the account and plans what to delete."""
    from root_volume_replacement.clean_up.plan import plan
    from root_volume_replacement.clean_up.reading import read_account
    from root_volume_replacement.instances import OptIn

    account: Any = Account(count)

    def work() -> int:
        found = plan(read_account(account, account, OptIn("opt", "in")), keep=3, grace=3600, now=10**9)
        return len(found.deletions)

    return timed(work, account.calls)


GROWING = Growing("root_volume_replacement", "snapshots", "planned", (12_500, 25_000, 50_000), run)
