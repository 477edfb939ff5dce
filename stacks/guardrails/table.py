"""The tables in the READMEs that say which requests pass."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from stacks.catalog import settings_by_slug
from stacks.guardrails.judge import Json, Request, Value, judge
from stacks.guardrails.settings import GuardrailSettings

REQUESTS = Path(__file__).parent / "documents" / "requests.yaml"


@dataclass(frozen=True)
class Example:
    """A request of the table, in words and as a judge wants it."""

    says: str
    request: Request


@dataclass(frozen=True)
class Column:
    """Settings under which the requests are judged."""

    says: str
    settings: GuardrailSettings

    @property
    def documents(self) -> list[Json]:
        """The policies of these settings."""
        return [json.loads(policy.text("aws")) for policy in self.settings.policies]


@cache
def _file() -> dict[str, Any]:
    """The file with the names in angle brackets replaced."""
    text = REQUESTS.read_text(encoding="utf-8")
    for name, value in yaml.safe_load(text)["names"].items():
        text = text.replace(f"<{name}>", value)
    found: dict[str, Any] = yaml.safe_load(text)
    return found


def examples() -> Iterator[Example]:
    """Every request, in the order of the table."""
    for item in _file()["requests"]:
        resources = {
            arn: {key: _value(value) for key, value in (keys or {}).items()} for arn, keys in item["touches"].items()
        }
        principal = item.get("by", _file()["names"]["user"])
        yield Example(item["says"], Request(item["action"], principal, resources))


def columns(slug: str) -> list[Column]:
    """The settings that the table of a solution compares."""
    model = settings_by_slug()[slug]
    found = []
    for says, settings in _file()["columns"][slug].items():
        loaded = model.model_validate_json(json.dumps(settings))
        assert isinstance(loaded, GuardrailSettings)
        found.append(Column(says, loaded))
    return found


def decisions(slug: str) -> str:
    """The table of a solution, as Markdown."""
    compared = [(column.says, column.documents) for column in columns(slug)]
    lines = ["| call | request | " + " | ".join(says for says, _ in compared) + " |"]
    lines.append("| --- | --- |" + " --- |" * len(compared))
    for example in examples():
        cells = [_cell(documents, example.request) for _, documents in compared]
        lines.append(f"| `{example.request.action}` | {example.says} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _cell(documents: list[Json], request: Request) -> str:
    verdict = judge(documents, request)
    return "passes" if verdict.decision == "passes" else f"**{verdict.decision}**: {', '.join(verdict.sids)}"


def _value(value: Any) -> Value:
    return tuple(value) if isinstance(value, list) else str(value)
