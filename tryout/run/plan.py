"""What is tried: every variant of every wanted solution, each with a configuration of its own."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from config.models import CommonSettings
from emulator.client import EmulatorError
from stacks.series import Solution
from tryout.scenario import scenario_of
from tryout.trial import Trial

OTHER_PREFIX = "elsewhere"

Json = dict[str, Any]


def trials(
    config_file: Path,
    common: CommonSettings,
    solutions: Sequence[Solution],
    state: Path,
    only: str | None,
    *,
    first_only: bool,
    exported: bool = False,
) -> Iterator[Trial]:
    """Every variant of every solution; its folder and configuration are written.

    Two variants of a stack cannot live at once, so that only the first can be kept.

    Args:
        exported: they are deployed from their exports, each under another name than the configuration gives its stack.
    """
    raw = yaml.safe_load(config_file.read_text(encoding="utf-8")) or {}
    for solution in solutions:
        variants = [each for each in scenario_of(solution.slug).variants.items() if only in (None, each[0])]
        for variant, overrides in variants[: 1 if first_only else None]:
            data = overridden(raw, solution.slug, overrides)
            folder = state / solution.slug / variant
            trial = Trial(solution.slug, variant, solution.stack_name(common), folder, exported=exported)
            trial.folder.mkdir(parents=True)
            if exported:
                trial.export_config.write_text(yaml.safe_dump(data), encoding="utf-8")
                data["common"]["prefix"] = OTHER_PREFIX
                named = solution.stack_name(common.model_copy(update={"prefix": OTHER_PREFIX}))
                trial = replace(trial, stack=named)
            trial.config.write_text(yaml.safe_dump(data), encoding="utf-8")
            yield trial


def insist_on(variant: str | None, solutions: Sequence[Solution]) -> None:
    """Insists that each of the solutions has the variant, if one is named.

    Raises:
        EmulatorError: one has not; the message names those that there are.
    """
    for solution in solutions:
        known = scenario_of(solution.slug).variants
        if variant not in (None, *known):
            raise EmulatorError(f"{solution.slug} has no variant {variant!r}; there are {', '.join(known)}")


def overridden(raw: Json, slug: str, overrides: Any) -> Json:
    """The user's configuration with a variant's settings, without what is of the user's account."""
    solutions = raw.get("solutions") or {}
    section = {**(solutions.get(slug) or {}), **overrides}
    # The embedded AWS is one account and Region of its own, and has no network or key of the user's.
    common = {key: value for key, value in (raw.get("common") or {}).items() if key in ("prefix", "tags")}
    return {"common": common, "solutions": {**solutions, slug: section}}
