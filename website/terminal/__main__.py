"""``make recording``: runs ``make try`` for one solution, and writes docs/pictures/try.cast and try.svg."""

import subprocess
import sys
import time
from collections.abc import Iterator

from website.page import ROOT
from website.terminal.drawing import Event, cast, picture

WIDTH = 112
SOLUTION = "local-zone-guardrails"
"""The one whose try-out is short enough to be read."""
PICTURES = ROOT / "docs" / "pictures"


def main() -> int:
    """Records.

    Returns:
        what the command returned; a recording of a failure is not kept.
    """
    command = ["make", "--no-print-directory", "try", f"SOLUTION={SOLUTION}", "LANES=1"]
    shown = f"make try SOLUTION={SOLUTION}"
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    events = list(_lines(process))
    if returned := process.wait():
        print("\n".join(text for _, text in events), file=sys.stderr)
        return returned
    recording = cast(shown, events, WIDTH)
    (PICTURES / "try.cast").write_text(recording, encoding="utf-8")
    (PICTURES / "try.svg").write_text(picture(recording), encoding="utf-8")
    print(f"wrote docs/pictures/try.cast and try.svg: {len(events)} lines in {events[-1][0]:.0f} s")
    return 0


def _lines(process: subprocess.Popen[str]) -> Iterator[Event]:
    began = time.monotonic()
    assert process.stdout
    for line in process.stdout:
        yield time.monotonic() - began, line.rstrip("\n")


if __name__ == "__main__":
    sys.exit(main())
