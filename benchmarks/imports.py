"""``python -m benchmarks.imports MODULE...``: the import of each beside that of boto3, as a line of JSON.

Nearly all of a handler's import is that of boto3. What it takes beyond that is little, and is timed by itself: in a
process that has boto3 already. Side by side with boto3 alone it would be the difference of two large times that vary.
"""

import json
import sys
import time
from collections.abc import Iterator, Sequence
from importlib import import_module
from statistics import median
from typing import Any

from benchmarks.alone import alone, peak

START = time.process_time()
"""Seconds until here: of Python itself."""
COMMON = "boto3"
EVERY = 6
"""After so many modules boto3 is imported anew, TIMES times: what the machine does meanwhile changes both sides."""
TIMES, ROUNDS = 3, 5


def measured(modules: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Figures of each module, each in a process of its own.

    Yields:
        module; seconds and peak of its import, with the start of Python; common: whether it imports boto3; boto3:
        median seconds of boto3's nearby; beyond: median seconds of what it takes more than boto3.
    """
    for start in range(0, len(modules), EVERY):
        some = modules[start : start + EVERY]
        boto3 = median(alone(_whole, COMMON)["seconds"] for _ in range(TIMES))
        for module, beyond in zip(some, alone(_beyond, some), strict=True):
            yield {"module": module, **alone(_whole, module), "boto3": boto3, "beyond": beyond}


def _whole(module: str) -> dict[str, Any]:
    """Its import, with the start of Python."""
    return {"seconds": START + _imported(module), "peak": peak(), "common": COMMON in sys.modules}


def _imported(module: str) -> float:
    started = time.process_time()
    import_module(module)
    return time.process_time() - started


def _beyond(modules: Sequence[str]) -> list[float]:
    """The seconds of each module in a process that has boto3, in rounds through all of them."""
    import_module(COMMON)
    rounds = [[alone(_imported, module) for module in modules] for _ in range(ROUNDS)]
    return [median(each) for each in zip(*rounds, strict=True)]


if __name__ == "__main__":
    for figures in measured(sys.argv[1:]):
        print(json.dumps(figures), flush=True)
