"""The smallest app: one stack without a resource, with the same checks."""

from aws_cdk import App, Stack, Validations
from cdk_nag import AwsSolutionsChecks


def main() -> None:
    """Synthesizes it."""
    app = App()
    Stack(app, "empty")
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    app.synth()


if __name__ == "__main__":
    main()
