"""``python -m benchmarks.planner MODULE``: the runs of one planner, as JSON; no other work is in its memory."""

import json
import sys
from dataclasses import asdict
from importlib import import_module

from benchmarks.growth import Growing
from benchmarks.timing import LAMBDAS

if __name__ == "__main__":
    sys.path.insert(0, str(LAMBDAS))
    growing: Growing = import_module(f"benchmarks.{sys.argv[1]}").GROWING
    print(json.dumps([asdict(each) for each in growing.figures()]))
