"""Where the code of the pipeline comes from, this checkout or a repository, and which event tells of a change."""

from pathlib import Path
from typing import Any

from aws_cdk import IgnoreMode
from aws_cdk import aws_codepipeline as codepipeline
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk.aws_s3_assets import Asset
from constructs import Construct

from stacks.outposts_dashboard.builds import FOLDER
from stacks.outposts_dashboard.settings import OutpostsDashboardSettings
from stacks.shared.solution import SolutionStack

REPOSITORY = Path(__file__).parents[2]
# What the builds need of this repository, and nothing else: another change of it is no new run.
SOURCE = ("lambdas/outposts_dashboard", "lambdas/shared", FOLDER)
FILES = ("requirements.txt", "package.json", "package-lock.json")
LOCATION = "Source"

Json = dict[str, Any]


def source_action(
    scope: SolutionStack, parent: Construct, settings: OutpostsDashboardSettings, role: iam.Role
) -> tuple[Json, str | None]:
    """The action that takes the source, which *role* is allowed here.

    Returns:
        The action, and the key of the asset in the bootstrap bucket; None with a repository.
    """
    source = settings.source
    if source.kind == "asset":
        asset = Asset(parent, "Code", path=str(REPOSITORY), exclude=_all_but(), ignore_mode=IgnoreMode.GIT)
        # An asset's key is the hash of what is in it: a changed source is another key, and so another pipeline.
        asset_arn = asset.bucket.arn_for_objects(asset.s3_object_key)
        allowed = ["s3:GetObject", "s3:GetObjectTagging", "s3:GetObjectVersion", "s3:GetObjectVersionTagging"]
        role.add_to_policy(iam.PolicyStatement(actions=allowed, resources=[asset_arn]))
        of_bucket = ["s3:GetBucketAcl", "s3:GetBucketLocation", "s3:GetBucketVersioning"]
        role.add_to_policy(iam.PolicyStatement(actions=of_bucket, resources=[asset.bucket.bucket_arn]))
        where = {"S3Bucket": asset.s3_bucket_name, "S3ObjectKey": asset.s3_object_key}
        taken = action("Source", "Source", "S3", {**where, "PollForSourceChanges": "false"}, output=LOCATION)
        return taken, asset.s3_object_key
    assert source.repository  # the settings insist on it
    if source.kind == "codecommit":
        # https://docs.aws.amazon.com/codepipeline/latest/userguide/how-to-custom-role.html
        actions = ["CancelUploadArchive", "GetBranch", "GetCommit", "GetUploadArchiveStatus", "UploadArchive"]
        arn = scope.format_arn(service="codecommit", resource=source.repository)
        role.add_to_policy(iam.PolicyStatement(actions=[f"codecommit:{one}" for one in actions], resources=[arn]))
        repository = {"RepositoryName": source.repository, "BranchName": source.branch}
        configuration = {**repository, "PollForSourceChanges": "false"}
        return action("Source", "Source", "CodeCommit", configuration, output=LOCATION), None
    assert source.connection_arn
    service = source.connection_arn.split(":")[2]
    role.add_to_policy(iam.PolicyStatement(actions=[f"{service}:UseConnection"], resources=[source.connection_arn]))
    configuration = {
        "ConnectionArn": source.connection_arn,
        "FullRepositoryId": source.repository,
        "BranchName": source.branch,
        "DetectChanges": "true",
    }
    return action("Source", "Source", "CodeStarSourceConnection", configuration, output=LOCATION), None


def commits(scope: SolutionStack, settings: OutpostsDashboardSettings) -> events.EventPattern | None:
    """A change of the branch in CodeCommit, whose action here does not poll; a connection tells of changes itself.

    https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-trigger-source-repo-changes-console.html
    """
    source = settings.source
    if source.kind != "codecommit" or not source.repository:
        return None
    return events.EventPattern(
        source=["aws.codecommit"],
        detail_type=["CodeCommit Repository State Change"],
        resources=[scope.format_arn(service="codecommit", resource=source.repository)],
        detail={
            "event": ["referenceCreated", "referenceUpdated"],
            "referenceType": ["branch"],
            "referenceName": [source.branch],
        },
    )


def _all_but() -> list[str]:
    """Patterns, as .gitignore has them, that leave of this repository what the builds need."""
    patterns = ["/*"]
    kept: set[str] = set()
    for path in (*SOURCE, *FILES):
        parts = path.split("/")
        for depth in range(1, len(parts) + 1):
            above = "/".join(parts[:depth])
            if above not in kept:
                kept.add(above)
                patterns.append(f"!/{above}")
                if depth < len(parts):
                    patterns.append(f"/{above}/*")
    return [*patterns, "__pycache__", "*.pyc"]


def action(
    name: str,
    category: str,
    provider: str,
    configuration: dict[str, str],
    *,
    inputs: list[str] | None = None,
    output: str | None = None,
) -> Json:
    """An action of AWS's own, with the properties of its CloudFormation type."""
    kinds = codepipeline.CfnPipeline
    return {
        "name": name,
        "action_type_id": kinds.ActionTypeIdProperty(category=category, owner="AWS", provider=provider, version="1"),
        "configuration": configuration,
        "input_artifacts": [kinds.InputArtifactProperty(name=one) for one in inputs or []],
        "output_artifacts": [kinds.OutputArtifactProperty(name=output)] if output else None,
    }
