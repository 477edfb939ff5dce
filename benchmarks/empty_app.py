"""The app of nobody: no stack, with the same checks."""

from aws_cdk import App, Validations
from cdk_nag import AwsSolutionsChecks


def main() -> None:
    """Synthesizes it."""
    app = App()
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    app.synth()


if __name__ == "__main__":
    main()
