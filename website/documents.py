"""The catalogue in README.md: one line a solution, with its cost class and evidence; ``make docs`` writes it."""

from config.models import CommonSettings
from stacks.documents import filled_tables
from stacks.series import SOLUTIONS
from website import facts
from website.markup import NOTHING, plural, table
from website.page import ROOT

README = ROOT / "README.md"


def readme() -> str:
    """README.md with the catalogue as it is to be."""
    return filled_tables(README.read_text(encoding="utf-8"), {"catalogue": _catalogue})


def _catalogue() -> str:
    rows = [
        (
            f"[`{solution.stack_name(CommonSettings())}`](stacks/{solution.slug}/README.md)",
            solution.summary,
            solution.accounts,
            facts.cost_class(solution.slug),
            _evidence(solution.slug),
        )
        for solution in SOLUTIONS
    ]
    return table(("solution", "what it gives", "deployed in", "idle bill", "tried"), rows)


def _evidence(slug: str) -> str:
    tried = facts.tried(slug)
    return plural(sum(one.passed for one in tried), "step") if tried else NOTHING


def main() -> None:
    """Writes what has changed."""
    text = readme()
    if README.read_text(encoding="utf-8") != text:
        README.write_text(text, encoding="utf-8")
        print("wrote README.md")


if __name__ == "__main__":
    main()
