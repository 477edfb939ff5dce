"""``app.py`` and the catalogue: which stacks a selection means, and what is said of one that means none."""

import json
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from config.models import CommonSettings
from stacks.catalog import UnknownSolutionError, names_in, settings_by_slug
from stacks.configuration import configuration
from stacks.export import ExportError
from stacks.series import SOLUTIONS
from tests.variants import ROOT

SLUG, NAME = "sqs_target_scaling", "sqs-target-scaling"


def program() -> Any:
    """app.py, which loads the CDK: every worker collects this module, and one runs its tests."""
    import app

    return app


def app(**context: Any) -> Any:
    """An app with this context; ``bundling`` stands for what the CDK CLI hands on of ``-e``."""
    if "bundling" in context:
        context["aws:cdk:bundling-stacks"] = context.pop("bundling")
    node = SimpleNamespace(try_get_context=context.get, get_all_context=lambda: context)
    return SimpleNamespace(node=node)


@pytest.mark.parametrize("only", [SLUG, NAME, f"{SLUG},", f" {NAME} ", "sqs-*"])
def test_only_takes_slugs_names_and_patterns(only: str) -> None:
    assert program().wanted(app(only=only), CommonSettings()) == [SLUG]


def test_several_are_separated_by_commas_or_blanks() -> None:
    assert program().wanted(app(only="odcr-asg, spot_asg  sqs-*"), CommonSettings()) == ["odcr_asg", "spot_asg", SLUG]
    assert names_in("a b,c , d,") == ["a", "b", "c", "d"]


@pytest.mark.parametrize("pattern", ["acme-sqs-target-scaling-stack-set", "acme-*-scaling-stack-set"])
def test_the_administrators_stack_of_a_stack_set_is_one_of_its_solution(pattern: str) -> None:
    assert program().wanted(app(bundling=[pattern]), CommonSettings(prefix="acme")) == [SLUG]


def test_the_assets_of_stack_sets_are_of_all_solutions() -> None:
    names = ["stack-set-assets-eu-central-1"]
    assert program().wanted(app(bundling=names), CommonSettings()) == [solution.slug for solution in SOLUTIONS]


def test_a_solution_whose_stack_must_have_its_own_name_is_no_stack_set(tmp_path: Path) -> None:
    from aws_cdk import App

    config = tmp_path / "config.yaml"
    config.write_text(
        """
solutions: {image_pipelines: {enabled: false}}
stack_sets:
  organization_id: o-a1b2c3d4e5
  bucket_prefix: acme-sets
  solutions: {image_pipelines: {organizational_unit_ids: [r-a1b2], regions: [eu-central-1]}}
""",
        encoding="utf-8",
    )
    context = {**json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"], "only": "image_pipelines"}
    outdir = str(tmp_path / "cdk.out")
    with pytest.raises(ExportError, match="image_pipelines cannot be a stack set, which names its stacks itself"):
        program().build(App(context=context, outdir=outdir), configuration(config, lambda _: ["image_pipelines"]))


@pytest.mark.parametrize("only", ["", " ", ","])
def test_an_empty_only_is_refused(only: str) -> None:
    with pytest.raises(UnknownSolutionError, match="names no solution"):
        program().selection(app(only=only))


@pytest.mark.parametrize("bundling", [None, [], ["**"]])
def test_without_a_selection_all_are_wanted(bundling: list[str] | None) -> None:
    assert program().wanted(app(bundling=bundling), CommonSettings()) == [solution.slug for solution in SOLUTIONS]


@pytest.mark.parametrize(
    ("pattern", "common", "said"),
    [
        (SLUG, {}, f"the stack is '{NAME}'"),
        (NAME, {"prefix": "acme"}, f"the stack is 'acme-{NAME}'"),
        ("sqs-target-scalin", {}, f"did you mean '{NAME}'"),
    ],
)
def test_the_cli_selects_by_names_of_stacks_and_a_slug_is_answered_with_the_name(
    pattern: str, common: Mapping[str, Any], said: str
) -> None:
    with pytest.raises(UnknownSolutionError, match=said):
        program().wanted(app(bundling=[pattern]), CommonSettings(**common))


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("confg", "did you mean 'config'?"),
        ("onyl", "did you mean 'only'?"),
        ("stage", "this app reads config and only"),
        ("config", None),
        ("only", None),
        ("@aws-cdk/core:flag", None),
        ("aws:cdk:bundling-stacks", None),
    ],
)
def test_context_that_nothing_reads_is_said(key: str, said: str | None) -> None:
    warnings = list(program().unknown_context(app(**{key: "x"})))
    assert (said in warnings[0]) if said else not warnings


def test_the_settings_of_a_solution_are_imported_when_they_are_looked_up() -> None:
    settings = settings_by_slug()
    assert SLUG in settings and "nope" not in settings and list(settings) == [s.slug for s in SOLUTIONS]
    assert settings[SLUG].__name__ == "SqsTargetScalingSettings"
