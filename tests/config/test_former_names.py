"""A key that has got another name is accepted under the former one for a release, with a warning at its line."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, ClassVar

import pytest
from pydantic import Field

from config.loader import ConfigError, load
from config.models import Problem, Section, SolutionSettings, rule


class Part(Section):
    renamed: ClassVar[dict[str, str]] = {"most": "max_parts"}

    max_parts: Annotated[int, Field(le=5)] = 1


class ExampleSettings(SolutionSettings):
    renamed: ClassVar[dict[str, str]] = {"bits": "parts"}

    parts: tuple[Part, ...] = ()
    by_name: dict[str, Part] = Field(default_factory=dict)

    @rule
    def _few(self) -> Iterator[Problem]:
        if len(self.parts) > 2:
            yield Problem("parts", "must have at most 2 items; remove one")


def loaded(path: Path, text: str) -> tuple[ExampleSettings, list[str]]:
    path.write_text(text, encoding="utf-8")
    warnings: list[str] = []
    settings = load(path, {"example": ExampleSettings}, warn=warnings.append).solutions["example"]
    assert isinstance(settings, ExampleSettings)
    return settings, warnings


def test_former_names_work_at_every_depth_and_warn_at_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    text = "solutions:\n  example:\n    bits:\n      - most: 3\n    by_name:\n      a: {most: 4}\n"
    settings, warnings = loaded(path, text)
    assert [part.max_parts for part in settings.parts] == [3] and settings.by_name["a"].max_parts == 4
    assert [line.removeprefix(f"{path}:").split(": is called")[0] for line in warnings] == [
        "3: warning: solutions.example.bits",
        "4: warning: solutions.example, part 1, most",
        "6: warning: solutions.example.by_name.a.most",
    ]
    assert "rename it" in warnings[0]


def test_present_names_are_silent(tmp_path: Path) -> None:
    assert loaded(tmp_path / "config.yaml", "solutions: {example: {parts: [{max_parts: 2}]}}")[1] == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "solutions:\n  example:\n    bits: [{most: 9}]",
            ":3: solutions.example, part 1, max_parts: must be at most 5",
        ),
        ("solutions:\n  example:\n    bits: []\n    parts: []", ":3: solutions.example.bits: must be removed"),
    ],
)
def test_a_problem_with_a_former_name_is_at_its_line(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ConfigError) as raised:
        loaded(tmp_path / "config.yaml", text)
    assert says in str(raised.value)
