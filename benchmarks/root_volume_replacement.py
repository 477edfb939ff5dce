"""The clean-up's plan for ever more snapshots: time, memory and calls, read page by page as from EC2."""

import time
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.table import Table

COUNTS = (12_500, 25_000, 50_000)
PAGE = 1000
SNAPSHOTS_OF_ONE = 100
GROWTH_LIMIT = 1.5
"""How much more time each snapshot of the largest account may take than of the smallest: linear is 1."""


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


def measure(console: Console) -> tuple[list[dict[str, object]], bool]:
    """Prints the table.

    Returns:
        The rows for the report, and whether the time grows no faster than the limit.
    """
    table = Table("snapshots planned", "planned", "s", "µs each", "peak, MiB", "calls", box=None)
    rows: list[dict[str, object]] = []
    each: list[float] = []
    for count in COUNTS:
        seconds = min(_run(count)[0] for _ in range(2))  # without tracemalloc, which slows it down
        tracemalloc.start()
        _, planned, calls = _run(count)
        peak = tracemalloc.get_traced_memory()[1] / 2**20
        tracemalloc.stop()
        each.append(1e6 * seconds / count)
        said = ", ".join(f"{number} {call}" for call, number in calls.items())
        table.add_row(f"{count:,}", f"{planned:,}", f"{seconds:.2f}", f"{each[-1]:.1f}", f"{peak:.0f}", said)
        rows.append({"snapshots": count, "seconds": seconds, "peak_mib": peak, "calls": dict(calls)})
    console.print(table)
    growth = each[-1] / each[0]
    console.print(f"\ntime for each snapshot, largest to smallest account: {growth:.2f}, limit {GROWTH_LIMIT}")
    return rows, growth <= GROWTH_LIMIT


def _run(count: int) -> tuple[float, int, Counter[str]]:
    from root_volume_replacement.clean_up.plan import plan
    from root_volume_replacement.clean_up.reading import read_account
    from root_volume_replacement.instances import OptIn

    account: Any = Account(count)
    started = time.process_time()
    found = plan(read_account(account, account, OptIn("opt", "in")), keep=3, grace=3600, now=10**9)
    return time.process_time() - started, len(found.deletions), account.calls
