"""The reference of the configuration: a page for each section, and one that lists every key."""

from collections.abc import Iterator

from config.models import CommonSettings
from stacks.series import SOLUTIONS, Solution
from website import facts
from website.links import Links
from website.markup import NOTHING, sentence, table
from website.page import ROOT, Page
from website.reference import BELOW, Setting, settings, summary

_UNSOUGHT = '<div data-search-exclude markdown="1">'
"""Around what the index of the search does without: every visitor loads it."""


def of_solution(solution: Solution, written: str) -> str:
    """A solution's settings: what its README says of them, then every key."""
    name = solution.stack_name(CommonSettings())
    return (
        f"# Settings of {name}\n\n{summary(solution.slug)}\n\n"
        f"They stand below `solutions.{solution.slug}` in the configuration; `python -m stacks config` checks them. "
        f"What all solutions share is on the page [common settings](../../settings/index.md).\n\n"
        f"{written}\n## Every key\n\n{_reference(solution.slug)}"
    )


def pages(links: Links) -> Iterator[Page]:
    """The pages of the section Settings."""
    here = "settings/index.md"
    text = (
        "# Common settings\n\nThe section `common` of the configuration holds for every solution. Each solution has "
        "its own page of settings; [every key](all.md) is listed on one.\n\n"
        f"{_reference('common')}"
    )
    yield Page(here, "Common settings", text, "Settings that all solutions share.", "Common")
    text = (
        "# Settings of stack sets\n\nThe section `stack_sets` publishes solutions into "
        f"[many accounts](../guide/many_accounts.md); null: none.\n\n{_reference('stack_sets')}"
    )
    yield Page("settings/stack_sets.md", "Settings of stack sets", text, "Settings of many accounts.", "Stack sets")
    rows = [
        (f"[`{key}.{setting.key}`]({to}#{setting.anchor})", setting.takes, _code(setting.default))
        for key, to, section in _sections()
        for setting in settings(section)
    ]
    listed = table(("key", "takes", "default"), rows)
    text = f"# Every key\n\n{len(rows):,} keys, with what they take and their default.\n\n{listed}"
    yield Page(
        "settings/all.md", "Every key", text, "All keys of the configuration in one table.", "Every key", boost=0
    )
    shipped = (ROOT / "config" / "config.yaml").read_text(encoding="utf-8")
    text = f"# The shipped file\n\nEvery key with its default, as the repository has it.\n\n```text\n{shipped}```\n"
    links.pages["config/config.yaml"] = "settings/file.md"
    yield Page("settings/file.md", "The shipped file", text, "config/config.yaml.", "The shipped file", boost=0)
    yield Page("settings/errors.md", "What an error says", _errors(), "Messages of the check.", "Errors", boost=0)


def _sections() -> Iterator[tuple[str, str, str]]:
    yield "common", "index.md", "common"
    yield "stack_sets", "stack_sets.md", "stack_sets"
    for solution in SOLUTIONS:
        yield solution.slug, f"../solutions/{solution.slug}/settings.md", solution.slug


def _reference(section: str) -> str:
    refused: dict[str, list[str]] = {}
    known = {setting.key: setting for setting in settings(section)}
    for key, message in facts.refusals(section):
        refused.setdefault(_owner(key, known), []).append(message)
    return "\n".join(_entry(setting, refused.get(setting.key, [])) for setting in settings(section))


def _owner(key: str, known: dict[str, Setting]) -> str:
    """The setting that a message is about: the longest known key that it begins with."""
    parts = key.split(".")
    while parts and ".".join(parts) not in known:
        parts.pop()
    return ".".join(parts)


def _entry(setting: Setting, refused: list[str]) -> str:
    lines = [f"### `{setting.key}` {{ #{setting.anchor} }}", ""]
    if setting.description:
        lines += [sentence(setting.description), ""]
    lines += [_UNSOUGHT, "", f"- Takes: {setting.takes}"]
    default = setting.default if setting.default == BELOW else _code(setting.default)
    lines.append(f"- Default: {default}" if setting.default else "- Must be given where its section is")
    if setting.example:
        lines.append(f"- Example: {_code(setting.example)}")
    lines += ["", "</div>", ""]
    lines += [f"- Refused with: {_plain(message)}" for message in dict.fromkeys(refused)]
    return "\n".join(lines) + "\n"


def _errors() -> str:
    parts = [
        "# What an error says\n\nThe check names the file and line, the key, what is wrong with the value and the "
        "likely fix, all problems at once. These messages come from faulty files of the tests; each links to its key.\n"
    ]
    for key, to, section in _sections():
        known = {setting.key: setting for setting in settings(section)}
        rows = []
        for where, message in facts.refusals(section):
            owner = known.get(_owner(where, known))
            rows.append((f"[`{owner.key}`]({to}#{owner.anchor})" if owner else f"`{where}`", _plain(message)))
        if rows:
            parts.append(f"## `{key}` {{ #errors-{key} }}\n\n{table(('key', 'message'), dict.fromkeys(rows))}")
    return "\n".join(parts)


def _code(text: str) -> str:
    fence = "``" if "`" in text else "`"
    return f"{fence}{text}{fence}" if text else NOTHING


def _plain(message: str) -> str:
    """A message as text, whatever signs it has."""
    return _code(message.replace("|", "¦"))
