"""The app against an empty one, and with one solution against a hand-written app that has only its stack."""

import json
import sys
from collections.abc import Callable, Sequence
from typing import Any

from benchmarks.measured import Measured
from benchmarks.sheet import Sheet
from benchmarks.timing import REPOSITORY, pair
from stacks.series import SOLUTIONS, Solution

ALL_LIMIT = 5.0
ONE_LIMIT = 1.1
RUNS = 3


def all_solutions() -> Measured:
    """Synthesis of every solution with its checks, against that of a stack without a resource."""
    commands = [sys.executable, "app.py"], [sys.executable, "-m", "benchmarks.empty_app"]
    timed = pair(*commands, runs=RUNS, variables={"CDK_CONTEXT_JSON": _context()})
    figures = (str(len(SOLUTIONS)), f"{timed.ours:.2f}", f"{timed.other:.2f}", f"{timed.ratio:.2f}", str(ALL_LIMIT))
    return Measured(
        "all",
        Sheet("All solutions", ("solutions", "app.py, s", "empty app, s", "ratio", "limit"), [figures]),
        f"Seconds of processor time, median of {RUNS} runs side by side, validation and cdk-nag included in both.",
        [{"solutions": len(SOLUTIONS), "ratio": timed.ratio, "limit": ALL_LIMIT}],
        [f"all solutions: {timed.ratio:.2f} times an empty app"] if timed.ratio > ALL_LIMIT else [],
    )


def each_solution(wanted: Sequence[Solution], status: Callable[[str], None], *, quick: bool) -> Measured:
    """The app with one solution, ``-c only=``, against an app that has only its stack."""
    texts, rows = [], list[dict[str, Any]]()
    for number, solution in enumerate(wanted):
        status(f"timing the app with {solution.slug}")
        commands = [sys.executable, "app.py"], [sys.executable, "-m", "benchmarks.one_stack_app", solution.slug]
        variables = {"CDK_CONTEXT_JSON": _context(solution.slug)}
        # The first reads the files that all share. One run is enough, unless it is above the limit.
        timed = pair(*commands, runs=1, variables=variables, warm=number == 0 and not quick)
        if timed.ratio > ONE_LIMIT and not quick:
            timed = pair(*commands, runs=RUNS, variables=variables, warm=False)
        texts.append((solution.slug, f"{timed.ours:.2f}", f"{timed.other:.2f}", f"{timed.ratio:.2f}", str(ONE_LIMIT)))
        rows.append({"solution": solution.slug, "ratio": timed.ratio, "limit": ONE_LIMIT})
    return Measured(
        "synth",
        Sheet("One solution", ("app.py -c only=", "s", "one-stack app, s", "ratio", "limit"), texts),
        "Seconds of processor time. The one-stack app has no configuration file, no catalogue and no selection.",
        rows,
        [f"{row['solution']}: {row['ratio']:.2f} times its own app" for row in rows if row["ratio"] > ONE_LIMIT],
    )


def _context(slug: str = "") -> str:
    """What the CLI hands to app.py: the flags of cdk.json, and the selection."""
    flags = json.loads((REPOSITORY / "cdk.json").read_text(encoding="utf-8"))["context"]
    return json.dumps({**flags, "only": slug} if slug else flags)
