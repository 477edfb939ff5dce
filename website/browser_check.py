"""``make look``: opens every page of the built site in Chromium and says what is wrong."""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator

from stacks.series import SOLUTIONS
from website import facts
from website.build import SITE
from website.diagrams import NoBrowserError, browser
from website.page import ROOT
from website.pages.landing import themes

_CHECK = ROOT / "website" / "browser" / "check.mjs"


def searches() -> Iterator[dict[str, str]]:
    """What people type, and the page that they want: every problem, and of each kind some words from the texts."""
    for solution in SOLUTIONS:
        here = f"solutions/{solution.slug}/"
        yield from ({"words": phrase, "page": here} for phrase in solution.problems)
        yield {"words": solution.slug.replace("_", "-"), "page": here}
        for alarm in facts.alarms(solution.slug)[:1]:
            yield {"words": alarm.says, "page": here}
    yield {"words": "acceptable_latency_seconds", "page": "solutions/sqs_target_scaling/settings/"}
    yield {"words": "alarm_topic_arn", "page": "settings/"}
    yield {"words": "must not begin with 'aws:', which belongs to AWS", "page": "settings/"}
    yield {"words": "metric-math, which cannot scale out from zero", "page": "solutions/sqs_target_scaling/settings/"}


def commands() -> Iterator[tuple[str, str]]:
    """Pages that the first one leads to, and the command on each that a visitor copies: one of each theme."""
    for slugs in themes().values():
        yield f"solutions/{slugs[0]}/", f"make try SOLUTION={slugs[0]}"


def main() -> int:
    """Looks.

    Returns:
        0 only if nothing was found.
    """
    parser = argparse.ArgumentParser(prog="make look")
    parser.add_argument("--strict", action="store_true", help="fail where there is no browser")
    parser.add_argument("pages", nargs="*", help="only pages whose address begins so, and no search")
    options = parser.parse_args()
    began = time.monotonic()
    try:
        work: dict[str, object] = {"browser": browser(), "root": str(SITE / "html"), "pages": options.pages}
        work["searches"] = [] if options.pages else list(searches())
        work["commands"] = {} if options.pages else dict(commands())
    except NoBrowserError as error:
        print(f"not run: {error}", file=sys.stderr)
        return 1 if options.strict else 0
    ended = subprocess.run(["node", str(_CHECK)], input=json.dumps(work), text=True, check=False)  # noqa: S607
    print(f"{time.monotonic() - began:.0f} s", file=sys.stderr)
    return ended.returncode


if __name__ == "__main__":
    sys.exit(main())
