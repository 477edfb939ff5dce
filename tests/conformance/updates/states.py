"""Templates of one solution under a configuration that exists in memory only, and the changes to compare."""

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from config.loader import broken_rules
from config.models import CommonSettings
from stacks.catalog import settings_by_slug
from stacks.series import SOLUTIONS, Solution
from tests.conformance.told import told
from tests.conformance.updates.values import Json, others, with_value
from tests.variants import ROOT, configuration_text, variants_of

# Another prefix, Region or account is another stack and no update.
ANOTHER_STACK = {"prefix", "region", "account"}
ANOTHER_IN_EACH_STATE = ("bootstrap_qualifier", "kms_key_arn", "vpc")
REGION: Json = {"region": "us-east-1"}


@dataclass(frozen=True)
class State:
    """A configuration of one solution: the sections as a user would write them."""

    slug: str
    name: str
    common: Json = field(hash=False)
    section: Json = field(hash=False)

    @property
    def text(self) -> str:
        """The same as text, for caches and messages."""
        return json.dumps([self.slug, self.common, self.section], sort_keys=True)


@dataclass(frozen=True)
class Change:
    """One setting with another value."""

    before: State
    key: str
    value: Any
    after: State

    def __str__(self) -> str:
        return f"[{self.before.name}] {self.key} -> {json.dumps(self.value)[:90]}"


def states(slug: str, *, all_of_them: bool) -> list[State]:
    """The default state, with a Region, without which a key is refused; in the long form the variants' and more."""
    default = State(slug, "default", REGION, {})
    if not all_of_them:
        return [default]
    found = [default]
    for variant in variants_of(slug):
        data = yaml.safe_load(configuration_text(variant))
        section = json.loads(json.dumps(data["solutions"].get(slug) or {}, default=_text))
        if section:
            found.append(State(slug, variant, data["common"], section))
    found += [State(slug, json.dumps(section)[1:60], REGION, section) for section in _tables(slug, "STATES")]
    return found


def _tables(slug: str, name: str) -> tuple[Json, ...]:
    sections: tuple[Json, ...] = ()
    return told(slug, name, sections)


def _text(value: Any) -> str:
    return value.isoformat()  # type: ignore[no-any-return]


def changes(before: State, *, most: int) -> Iterator[tuple[str, list[Change]]]:
    """Every setting that the state has, with up to so many changes that are legal: none is a setting to look at."""
    for values in _tables(before.slug, "TOGETHER"):
        after = State(before.slug, before.name, before.common, {**before.section, **values})
        if read(after.text) and _dump(after.text) != _dump(before.text):
            yield ", ".join(values), [Change(before, " + ".join(values), list(values.values()), after)]
    legal_before = read(before.text)
    if legal_before is None:
        raise ValueError(f"{before.name} of {before.slug} is no legal configuration")
    common, settings = legal_before
    for of, model, section in (
        ("common", CommonSettings, before.common),
        ("section", settings_by_slug()[before.slug], before.section),
    ):
        current = json.loads((common if of == "common" else settings).model_dump_json())
        for key, candidates in others(model, current, told(before.slug, "OTHERS", {})):
            first = key.split(".")[0]
            if of == "common" and (
                first in ANOTHER_STACK or (before.name != "default" and first not in ANOTHER_IN_EACH_STATE)
            ):
                continue  # that does the same in every state
            found: list[Change] = []
            for value in candidates:
                # What is nested is changed in what the section holds with its defaults: a part alone may lack the rest.
                base = with_value(section, key.split(".")[0], current[key.split(".")[0]]) if "." in key else section
                changed = with_value(base, key, value)
                after = (
                    State(before.slug, before.name, changed, before.section)
                    if of == "common"
                    else State(before.slug, before.name, before.common, changed)
                )
                if len(found) < most and read(after.text) and _dump(after.text) != _dump(before.text):
                    found.append(Change(before, f"common.{key}" if of == "common" else key, value, after))
            yield (f"common.{key}" if of == "common" else key), found


@cache
def read(text: str) -> tuple[CommonSettings, Any] | None:
    """Its settings, if they are legal."""
    slug, common_json, section_json = json.loads(text)
    try:
        common = CommonSettings.model_validate_json(json.dumps(common_json), strict=True)
        settings = settings_by_slug()[slug].model_validate_json(json.dumps(section_json), strict=True)
    except ValidationError:
        return None
    told = [*(problem for _, problem in broken_rules(common, {slug: settings})), *settings.problems_with(common)]
    return None if any(not problem.warning for problem in told) else (common, settings)


def legal(state: State) -> bool:
    """Whether the settings take it."""
    return read(state.text) is not None


def _dump(text: str) -> str:
    settled = read(text)
    return settled[0].model_dump_json() + settled[1].model_dump_json() if settled else ""


@cache
def _flags() -> Json:
    flags: Json = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]
    # Nothing is deployed: the files of the functions stay where they are.
    return flags | {"aws:cdk:disable-asset-staging": True}


def solution(slug: str) -> Solution:
    """The catalogue's entry."""
    return next(found for found in SOLUTIONS if found.slug == slug)


@cache
def template(text: str) -> Json:
    """The template of a state, by its text; built by the one CDK of this process, and kept."""
    from aws_cdk import App  # takes seconds, and starts its language kernel

    settled = read(text)
    assert settled
    common, settings = settled
    slug = json.loads(text)[0]
    with tempfile.TemporaryDirectory(prefix="update-") as outdir:
        app = App(context=_flags(), outdir=outdir, builtin_cloud_formation_validation=False, tree_metadata=False)
        stack = solution(slug).build(app, common, settings)
        app.synth()
        # As it was written: through the library it would come back piece by piece.
        found: Json = json.loads((Path(outdir) / stack.template_file).read_text(encoding="utf-8"))
    return found
