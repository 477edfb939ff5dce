"""What a build runs, and what whoever starts one must leave as it is."""

from pathlib import Path

FOLDER = Path(__file__).parent / "scan"
# What StartBuild can override; a condition key is present only if the request has the field:
# https://docs.aws.amazon.com/codebuild/latest/userguide/action-context-keys.html
OVERRIDES = (
    "codebuild:environment.environmentVariables",
    "codebuild:environment.image",
    "codebuild:secondarySources",
    "codebuild:serviceRole",
    "codebuild:source.buildspec",
    "codebuild:source.location",
)
