"""The app that somebody would write who has only this one stack: no configuration file, no catalogue, no selection."""

import sys
from importlib import import_module

from aws_cdk import App, Validations
from cdk_nag import AwsSolutionsChecks

from config.models import CommonSettings
from stacks.series import SOLUTIONS


def main() -> None:
    """Synthesizes the stack of the slug given as argument, with its defaults."""
    solution = next(solution for solution in SOLUTIONS if solution.slug == sys.argv[1])
    idea = solution.slug.title().replace("_", "")
    settings = getattr(import_module(f"stacks.{solution.slug}.settings"), f"{idea}Settings")
    stack = getattr(import_module(f"stacks.{solution.slug}.stack"), f"{idea}Stack")
    app = App()
    stack(app, solution, CommonSettings(tags={"project": "compute-blog-solutions"}), settings())
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    app.synth()


if __name__ == "__main__":
    main()
