#!/usr/bin/env python3
"""Builds one stack for each enabled solution of config/config.yaml."""

import sys
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path

try:
    from aws_cdk import App, Validations
    from cdk_nag import AwsSolutionsChecks
except ModuleNotFoundError as missing:
    sys.exit(f"the package {missing.name} is missing: run 'make install', then 'source .venv/bin/activate'")

from config.loader import Config, ConfigError
from config.models import CommonSettings
from stacks.catalog import UnknownSolutionError, names_in, refuse_slugs, select
from stacks.configuration import configuration
from stacks.export import ExportError
from stacks.series import SOLUTIONS

CONFIG = Path(__file__).parent / "config" / "config.yaml"
CONTEXT = ("config", "only")
OF_THE_CDK = ("aws:", "@aws", "aws-cdk:", "cdk-")


def build(app: App, config: Config) -> App:
    """Adds the wanted solutions: all that are enabled, or those that ``-c only=`` or ``cdk ... -e`` names."""
    sets = config.stack_sets.solutions if config.stack_sets else {}
    enabled = [solution for solution in SOLUTIONS if config.solutions[solution.slug].enabled or solution.slug in sets]
    for solution in select(enabled, config.common, selection(app)):
        settings = config.solutions[solution.slug]
        if settings.enabled:
            solution.build(app, config.common, settings)
        if config.stack_sets and solution.slug in sets:
            from stacks.stack_sets.stack import add_stack_set  # few need it

            add_stack_set(app, solution, config.common, settings, config.stack_sets)
    return app


def check(app: App) -> App:
    """Makes synthesis fail on any cdk-nag finding that no construct acknowledges with a reason."""
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    return app


def wanted(app: App, common: CommonSettings) -> list[str]:
    """Slugs of the solutions whose sections are needed.

    Raises:
        UnknownSolutionError: the selection names none, or names a stack by its slug.
    """
    refuse_slugs(common, _of_the_cli(app))
    return [solution.slug for solution in select(SOLUTIONS, common, selection(app))]


def selection(app: App) -> list[str]:
    """Patterns of the wanted stacks; empty means all.

    Raises:
        UnknownSolutionError: ``only`` is there and names nothing, as an unset variable of a shell does.
    """
    only = app.node.try_get_context("only")
    if only is None:
        return _of_the_cli(app)
    if names := names_in(str(only)):
        return names
    raise UnknownSolutionError("-c only= names no solution; name one, or leave it out for all")


def _of_the_cli(app: App) -> list[str]:
    """What ``cdk deploy -e NAME`` hands on; without -e it is ["**"], for list and destroy it is empty."""
    return [pattern for pattern in app.node.try_get_context("aws:cdk:bundling-stacks") or [] if pattern != "**"]


def unknown_context(app: App) -> Iterator[str]:
    """A warning for each ``-c KEY=`` that nothing reads."""
    for key in app.node.get_all_context():
        if key not in CONTEXT and not key.startswith(OF_THE_CDK):
            close = get_close_matches(key, CONTEXT, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"this app reads {' and '.join(CONTEXT)}"
            yield f"warning: -c {key}= has no effect; {hint}"


if __name__ == "__main__":
    app = App()
    for warning in unknown_context(app):
        print(warning, file=sys.stderr)
    try:
        path = Path(app.node.try_get_context("config") or CONFIG)
        build(app, configuration(path, lambda common: wanted(app, common)))
    except (ConfigError, UnknownSolutionError, ExportError) as error:
        sys.exit(str(error))
    try:
        check(app).synth()
    except RuntimeError as error:
        if "ValidationFailed" not in str(error):
            raise
        sys.exit(1)  # the findings are printed already
