"""``make pictures``: draws the dashboards that scenarios have kept into docs/pictures."""

import argparse
import datetime
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from config.loader import ConfigError
from stacks.catalog import UnknownSolutionError, names_in, select
from stacks.configuration import configuration
from stacks.series import SOLUTIONS
from tryout.dashboards.body import DashboardError
from tryout.dashboards.kept import Kept, read
from tryout.paths import CONFIG, KEPT, REPOSITORY
from tryout.pictures.drawing import draw
from tryout.scenario import scenario_of

PICTURES = REPOSITORY / "docs" / "pictures"


def main() -> int:
    """Tries what has no dashboard kept yet, then draws.

    Returns:
        0 if every scenario passed and everything was drawn.
    """
    parser = argparse.ArgumentParser(prog="make pictures", description=__doc__)
    parser.add_argument("--solution", default="", help="only these, separated by commas or blanks")
    parser.add_argument("--into", type=Path, default=PICTURES, help="folder for the pictures (docs/pictures)")
    parser.add_argument("--fresh", action="store_true", help="try again, whatever was kept before")
    options = parser.parse_args()
    try:
        slugs = _slugs(options.solution)
        tried = [_try(slug, variant) for slug, variant in to_try(slugs, kept_files(), fresh=options.fresh)]
        drawn = [_draw(path, kept, options.into) for path, kept in kept_files().items() if kept.solution in slugs]
    except (ConfigError, UnknownSolutionError, DashboardError) as error:
        print(f"pictures: {error}", file=sys.stderr)
        return 1
    if not drawn:
        print(f"pictures: {_why_none(slugs)}", file=sys.stderr)
    return 0 if drawn and all(tried) else 1


def _slugs(wanted: str) -> list[str]:
    common = configuration(CONFIG).common
    return [solution.slug for solution in select(SOLUTIONS, common, names_in(wanted))]


def _why_none(slugs: Sequence[str]) -> str:
    if any(scenario_of(slug).pictured for slug in slugs):
        return "no scenario has kept a dashboard; see what failed above"
    return f"{', '.join(slugs)}: {'this solution has' if len(slugs) == 1 else 'these solutions have'} no dashboard"


def kept_files() -> dict[Path, Kept]:
    """What was kept, by file."""
    return {path: read(path) for path in sorted(KEPT.glob("*.json"))}


def to_try(slugs: Sequence[str], files: dict[Path, Kept], *, fresh: bool) -> list[tuple[str, str]]:
    """The variants whose scenario keeps a dashboard, and of which none is there."""
    have = set() if fresh else {(kept.solution, kept.variant) for kept in files.values()}
    wanted = [(slug, variant) for slug in slugs for variant in scenario_of(slug).pictured]
    return [each for each in wanted if each not in have]


def _try(slug: str, variant: str) -> bool:
    command = [sys.executable, "-m", "tryout", "--solution", slug, "--variant", variant]
    return subprocess.run(command, cwd=REPOSITORY, check=False).returncode == 0


def _draw(path: Path, kept: Kept, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    picture = folder / f"{path.stem}.png"
    draw(kept, picture)
    ago = datetime.datetime.now(datetime.UTC) - datetime.datetime.fromisoformat(kept.at)
    when = f"kept {ago.total_seconds() / 60:.0f} minutes ago"
    print(f"{picture}: {kept.summary}; {when} ({kept.variant})")
    return picture


if __name__ == "__main__":
    sys.exit(main())
