#!/usr/bin/env python3
"""Builds one stack for each enabled solution of config/config.yaml."""

import sys
from collections.abc import Callable
from pathlib import Path

try:
    from aws_cdk import App, Validations
    from cdk_nag import AwsSolutionsChecks
except ModuleNotFoundError as missing:
    sys.exit(f"the package {missing.name} is missing: run 'make install', then 'source .venv/bin/activate'")

from config.loader import Config, ConfigError, load
from config.models import CommonSettings
from stacks.catalog import SOLUTIONS, UnknownSolutionError, select, settings_by_slug

CONFIG = Path(__file__).parent / "config" / "config.yaml"


def build(app: App, config: Config) -> App:
    """Adds the wanted solutions: all that are enabled, or those that ``-c only=`` or ``cdk ... -e`` names."""
    enabled = [solution for solution in SOLUTIONS if config.solutions[solution.slug].enabled]
    for solution in select(enabled, config.common, selection(app)):
        solution.build(app, config.common, config.solutions[solution.slug])
    return app


def wanted(app: App) -> Callable[[CommonSettings], list[str]]:
    """Which sections to load: those of the wanted stacks, whose names begin with the prefix of ``common``."""
    return lambda common: [solution.slug for solution in select(SOLUTIONS, common, selection(app))]


def check(app: App) -> App:
    """Makes synthesis fail on any cdk-nag finding that no construct acknowledges with a reason."""
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    return app


def selection(app: App) -> list[str]:
    """Patterns of the wanted stacks; empty means all."""
    if only := app.node.try_get_context("only"):
        return [name.strip() for name in str(only).split(",")]
    # What `cdk deploy -e NAME` hands on; without -e it is ["**"], for list and destroy it is empty.
    return [pattern for pattern in app.node.try_get_context("aws:cdk:bundling-stacks") or [] if pattern != "**"]


if __name__ == "__main__":
    app = App()
    try:
        build(app, load(Path(app.node.try_get_context("config") or CONFIG), settings_by_slug(), only=wanted(app)))
    except (ConfigError, UnknownSolutionError) as error:
        sys.exit(str(error))
    try:
        check(app).synth()
    except RuntimeError as error:
        if "ValidationFailed" not in str(error):
            raise
        sys.exit(1)  # the findings are printed already
