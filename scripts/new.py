"""``make new SLUG=...``: a solution that passes every check but the promises of its post.

It writes what scripts/new_solution has, with the slug in place of its example's, an entry at the end of
stacks/series.py and a section at the end of config/config.yaml. The example counts instances by a schedule: a part that
the new solution does not need is deleted, not left.
"""

import argparse
import keyword
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
EXAMPLE = "instance_counter"
LIBRARIES = ("shared", "guardrails")
ENTRY = """    Solution(
        slug="{slug}",
        summary="the problem that it solves, in a line",
        title="The title of the post",
        blog_url="https://aws.amazon.com/blogs/compute/{hyphens}/",
        services=("EC2", "CloudWatch", "EventBridge", "Lambda"),
        accounts="one account",
        problems=(
            "{words}: what somebody types who has the problem",
            "{words}: in other words",
            "{words}: as an error message says it",
            "{words}: as a manager says it",
            "{words}: with the name of the service",
        ),
    ),
)
"""
SECTION = """
  {slug}:
    enabled: true
    look_every_minutes: 60              # between two looks
    most_instances: 100                 # an alarm rings above it
"""
NEXT = """new: {slug} can be deployed. Now, from CONTRIBUTING.md:
  1. change it part by part, from stacks/{slug}/settings.py down; its placeholders in stacks/series.py, too
  2. after each part: python -m pytest -q tests -k {slug}       (with --snapshot-update to accept its templates)
  3. make try SOLUTION={slug}; make faults SOLUTION={slug}
  4. make docs check test
"""


class RefusedError(Exception):
    """There is no such new solution; the message says why and what to do."""


def files(slug: str, root: Path) -> dict[Path, str]:
    """The new files and their text.

    Raises:
        RefusedError: the slug is none, or taken.
    """
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", slug) or len(slug) > 40 or keyword.iskeyword(slug):
        raise RefusedError(f"SLUG must be snake_case with at most 40 characters, such as {EXAMPLE}, got {slug!r}")
    template = root / "scripts" / "new_solution"
    found = {
        root / str(path.relative_to(template)).replace("SLUG", slug).removesuffix(".txt"): _filled(
            path.read_text(encoding="utf-8"), slug
        )
        for path in sorted(template.rglob("*.txt"))
    }
    modules = [path.relative_to(root) for path in found if path.suffix == ".py"]
    packages = {root / folder for path in modules for folder in path.parents if slug in folder.parts}
    found |= {folder / "__init__.py": "" for folder in packages}
    taken = [path for path in (root / "stacks" / slug, root / "lambdas" / slug, *found) if _has_something(path)]
    if taken or slug in LIBRARIES:
        where = taken[0].relative_to(root) if taken else f"stacks/{slug}"
        raise RefusedError(f"SLUG {slug!r} is taken: {where} is there; choose another one, or delete it first")
    return found


def _has_something(path: Path) -> bool:
    """What git has removed leaves folders of compiled files behind."""
    return path.is_file() or any(each.is_file() for each in path.rglob("*") if "__pycache__" not in each.parts)


def _filled(text: str, slug: str) -> str:
    names = {EXAMPLE: slug, EXAMPLE.replace("_", "-"): slug.replace("_", "-"), _idea(EXAMPLE): _idea(slug)}
    for example, name in names.items():
        text = text.replace(example, name)
    return text


def _idea(slug: str) -> str:
    return slug.title().replace("_", "")


def write(slug: str, root: Path) -> list[Path]:
    """Writes the files, the entry and the section; returns what is new or changed."""
    new = files(slug, root)
    for path, text in new.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    series, config = root / "stacks" / "series.py", root / "config" / "config.yaml"
    words = {"slug": slug, "hyphens": slug.replace("_", "-"), "words": slug.replace("_", " ")}
    listed = series.read_text(encoding="utf-8")
    assert listed.endswith("\n)\n")
    series.write_text(listed.removesuffix(")\n") + ENTRY.format(**words), encoding="utf-8")
    config.write_text(
        config.read_text(encoding="utf-8").rstrip("\n") + "\n" + SECTION.format(**words), encoding="utf-8"
    )
    # The order of the imports hangs on the slug.
    python = [str(path) for path in new if path.suffix == ".py"]
    for command in (["check", "--quiet", "--fix", "--select", "I"], ["format", "--quiet"]):
        subprocess.run([sys.executable, "-m", "ruff", *command, *python], cwd=root, check=True)
    return [*new, series, config]


def main() -> int:
    """Writes the solution, or says what comes next."""
    parser = argparse.ArgumentParser(prog="make new")
    parser.add_argument("slug", metavar="SLUG", nargs="?", default="")
    parser.add_argument("--next", action="store_true", help="write nothing, say what comes next")
    options = parser.parse_args()
    slug = options.slug.replace("-", "_")
    if options.next:
        print(NEXT.format(slug=slug), end="")
        return 0
    try:
        written = write(slug, ROOT)
    except RefusedError as error:
        print(f"new: {error}", file=sys.stderr)
        return 2
    for path in written:
        print(f"new: {path.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
