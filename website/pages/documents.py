"""Pages from the repository's own documents, and those that gather what the solutions say."""

import re
from collections.abc import Iterator

from config.models import CommonSettings
from stacks.series import SOLUTIONS
from website import facts
from website.links import Links
from website.markup import table
from website.page import ROOT, Page, headings
from website.pages.landing import evidence_table

_GENERATED = re.compile(r"^<!-- .* -->\n", re.MULTILINE)
DOCUMENTS = (
    ("guide/deploy.md", "docs/guide/deploy.md", "Deploy", "From a checkout to an account, for whoever deploys."),
    ("guide/configure.md", "docs/guide/configure.md", "Configure", "One file for everything, and what an error says."),
    (
        "guide/key_and_topic.md",
        "docs/guide/key_and_topic.md",
        "Key and topic",
        "Policies of your own KMS key and topic.",
    ),
    ("guide/many_accounts.md", "docs/guide/many_accounts.md", "Many accounts", "Without the CDK, and by StackSets."),
    ("guide/proof.md", "docs/guide/proof.md", "Proof", "What an account answers, and a scenario played there."),
    ("guide/regions.md", "docs/regions.md", "Regions", "Which Regions and partitions have each solution."),
    ("guide/operate.md", "docs/guide/operate.md", "Operate", "Upgrades, several copies, removal, and what stays."),
    ("guide/at_night.md", "docs/guide/at_night.md", "On call", "An alarm has fired: where it says what to do."),
    ("guide/moving.md", "docs/guide/moving.md", "Moving here", "From each public sample: which setting replaces what."),
    ("guide/contribute.md", "CONTRIBUTING.md", "Contribute", "How a solution is added, and the conventions."),
    (
        "evidence/tested.md",
        "docs/guide/tested.md",
        "What is tested",
        "Which command proves what, and what is modelled.",
    ),
    (
        "evidence/rules.md",
        "docs/conformance.md",
        "Rules of AWS",
        "The rules that every template obeys, and what they catch.",
    ),
    ("evidence/faults.md", "docs/faults.md", "Faults", "What every handler does when an AWS call fails."),
    (
        "evidence/benchmarks.md",
        "docs/benchmarks.md",
        "Benchmarks",
        "Speed of synthesis and of the functions, as ratios.",
    ),
    (
        "evidence/unverified.md",
        "docs/unconfirmed.md",
        "Not verified",
        "What only an account can confirm, with the command.",
    ),
    ("decisions.md", "docs/decisions.md", "Decisions", "What was decided, and why."),
    ("changelog.md", "CHANGELOG.md", "Changelog", "What has changed."),
    ("security.md", "SECURITY.md", "Security", "How to report a weakness."),
)
"""Page, file, name in the navigation, sentence; a file that is not there yet has no page."""


_BOOST = {"evidence/unverified.md": 0, "guide/at_night.md": 0, "changelog.md": 0, "decisions.md": 0.3}
"""Whose words stand on the pages of the solutions too, or seldom answer a question."""


def register(links: Links) -> None:
    """Says where the documents are."""
    for page, file, _, _ in _present():
        links.pages[file] = page
    links.pages["README.md"] = "index.md"
    links.pages["docs/evidence.json"] = "evidence/index.md"


def pages(links: Links) -> Iterator[Page]:
    """The documents, and the overview of the evidence."""
    text = f"# Evidence\n\n{_LEVELS}\n{evidence_table('../')}\n{_versions()}"
    yield Page("evidence/index.md", "Evidence", text, "What was tried of each solution, on what, and when.", "Overview")
    for page, file, label, description in _present():
        text = links.rewritten(_text(file), file=file, page=page)
        if page == "guide/at_night.md":
            text += f"\n{_every_alarm()}"
        title = next((title for level, title in headings(text) if level == 1), label)
        yield Page(page, title, text, description, label, boost=_BOOST.get(page, 1))
        if page == "evidence/rules.md":
            yield _decision_tables()


def _present() -> Iterator[tuple[str, str, str, str]]:
    return (each for each in DOCUMENTS if (ROOT / each[1]).exists())


def _text(file: str) -> str:
    return _GENERATED.sub("", (ROOT / file).read_text(encoding="utf-8"))


def _every_alarm() -> str:
    parts = ["## Every alarm\n"]
    for solution in SOLUTIONS:
        slug = solution.slug
        rows = [(f"[{one.says}](../solutions/{slug}/alarms.md#{one.anchor})", one.fires) for one in facts.alarms(slug)]
        if rows:
            parts.append(f"### {solution.stack_name(CommonSettings())}\n\n{table(('alarm', 'fires when'), rows)}")
    return "\n".join(parts)


def _decision_tables() -> Page:
    links = [
        f"- [{solution.stack_name(CommonSettings())}](../solutions/{solution.slug}/index.md#which-requests-pass)"
        for solution in SOLUTIONS
        if solution.slug.endswith("_guardrails")
    ]
    text = (
        "# Which requests the guardrails deny\n\nRequests are put to the policies as they are deployed, by a judge "
        "whose answers a test compares with an IAM engine. Rows are requests, columns are ways to configure the "
        "guardrails as columns.\n\n" + "\n".join(links) + "\n"
    )
    return Page("evidence/decisions.md", "Decision tables", text, "Which requests the guardrails deny.", "Guardrails")


def _versions() -> str:
    found = [one.found for solution in SOLUTIONS for one in facts.tried(solution.slug)]
    rows = dict.fromkeys(
        (
            one["date"],
            f"`{one['commit'][:12]}`",
            ", ".join(f"{name} {version}" for name, version in one["versions"].items()),
        )
        for one in found
    )
    return f"## With which versions\n\n{table(('date', 'commit', 'versions'), rows)}" if found else ""


_LEVELS = """\
Nothing here was seen on AWS. `make try` deploys each variant of each solution on the embedded AWS, plays its
scenario, compares it with its source, and destroys it. Each step says what it rests on:

| level | what it means |
| --- | --- |
| delivered code | the code and scripts that are deployed ran, and the step looked at what they did |
| emulated | ministack or moto, which others maintain, gave the answer |
| modelled | this project's own model of a service gave it, after the AWS page that the model names |
| recorded | somebody asked for it, and nothing more is known |
| not run | the machine lacked a program that the step needs |
| not verified on AWS | what an account would have to confirm; each has the command that would |

"""
