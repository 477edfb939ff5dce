"""The app against an empty one, and with one solution against a hand-written app that has only its stack."""

import json
import sys
from collections.abc import Callable, Sequence
from typing import Any

from benchmarks.measured import Measured
from benchmarks.sheet import Sheet
from benchmarks.timing import MARGIN, MOST, REPOSITORY, Pair, pair
from stacks.series import SOLUTIONS, Solution

ALL_LIMIT = 5.0
ONE_LIMIT = 1.1
ALL_RUNS = 2
UNCHECKED = {"CDK_VALIDATION": "false"}
"""Switches CloudFormation's own validation off, and nothing else:
https://docs.aws.amazon.com/cdk/api/v2/docs/aws-cdk-lib.AppProps.html#builtincloudformationvalidation."""


def all_solutions() -> Measured:
    """Synthesis of every solution with its checks, against that of a stack without a resource."""
    commands = [sys.executable, "app.py"], [sys.executable, "-m", "benchmarks.empty_app"]
    timed = pair(*commands, limit=ALL_LIMIT, least=ALL_RUNS, variables={"CDK_CONTEXT_JSON": _context()})
    return Measured(
        "all",
        Sheet(
            "All solutions",
            ("solutions", "app.py, s", "empty app, s", "ratio", "limit", "runs"),
            [(str(len(SOLUTIONS)), *_figures(timed, ALL_LIMIT))],
        ),
        "Seconds of processor time, median of the runs, side by side, validation and cdk-nag included in both.",
        [{"solutions": len(SOLUTIONS), "ratio": timed.ratio, "limit": ALL_LIMIT, "runs": timed.runs}],
        [f"all solutions: {timed.ratio:.2f} times an empty app"] if timed.ratio > ALL_LIMIT else [],
    )


def each_solution(wanted: Sequence[Solution], status: Callable[[str], None], *, quick: bool) -> Measured:
    """The app with one solution, ``-c only=``, against an app that has only its stack."""
    texts, rows = [], list[dict[str, Any]]()
    for number, solution in enumerate(wanted):
        status(f"timing the app with {solution.slug}")
        commands = [sys.executable, "app.py"], [sys.executable, "-m", "benchmarks.one_stack_app", solution.slug]
        variables = {"CDK_CONTEXT_JSON": _context(solution.slug), **UNCHECKED}
        if not number and not quick:
            pair(*commands, limit=ONE_LIMIT, most=1, variables=variables)  # reads the files that all share
        timed = pair(*commands, limit=ONE_LIMIT, variables=variables, most=1 if quick else MOST)
        texts.append((solution.slug, *_figures(timed, ONE_LIMIT)))
        rows.append({"solution": solution.slug, "ratio": timed.ratio, "limit": ONE_LIMIT, "runs": timed.runs})
    return Measured(
        "synth",
        Sheet("One solution", ("app.py -c only=", "s", "one-stack app, s", "ratio", "limit", "runs"), texts),
        "Seconds of processor time, median of the runs, side by side. The one-stack app has no configuration file, no "
        "catalogue and no selection. cdk-nag is included in both; CloudFormation's own validation, which takes as long "
        f"for the same template, is left out of both. One run, and up to {MOST} where the ratio is not {MARGIN:.0%} "
        "below the limit.",
        rows,
        [f"{row['solution']}: {row['ratio']:.2f} times its own app" for row in rows if row["ratio"] > ONE_LIMIT],
    )


def _figures(timed: Pair, limit: float) -> tuple[str, ...]:
    return f"{timed.ours:.2f}", f"{timed.other:.2f}", f"{timed.ratio:.2f}", str(limit), str(timed.runs)


def _context(slug: str = "") -> str:
    """What the CLI hands to app.py: the flags of cdk.json, and the selection."""
    flags = json.loads((REPOSITORY / "cdk.json").read_text(encoding="utf-8"))["context"]
    return json.dumps({**flags, "only": slug} if slug else flags)
