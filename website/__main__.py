"""``make site``: builds the site into .local/site/html, and says how large it is."""

import argparse
import subprocess
import sys
import time

from website.build import NoGeneratorError, build
from website.diagrams import NoBrowserError
from website.links import BrokenLinkError
from website.page import ROOT


def main() -> int:
    """Builds.

    Returns:
        0 only if every link leads somewhere.
    """
    parser = argparse.ArgumentParser(prog="make site")
    parser.add_argument("--strict", action="store_true", help="fail where diagrams cannot be drawn")
    options = parser.parse_args()
    began = time.monotonic()
    try:
        html = build(strict=options.strict)
    except (BrokenLinkError, NoBrowserError, NoGeneratorError) as error:
        print(f"site: {error}", file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as error:
        print(f"site: {error.cmd[0]} ended with {error.returncode}", file=sys.stderr)
        return 1
    files = [path for path in html.rglob("*") if path.is_file()]
    pages, size = sum(path.suffix == ".html" for path in files), sum(path.stat().st_size for path in files)
    seconds = time.monotonic() - began
    print(f"site: {pages} pages, {size / 1e6:.1f} MB in {seconds:.1f} s: {html.relative_to(ROOT)}/index.html")
    return 0


if __name__ == "__main__":
    sys.exit(main())
