"""What every solution's stack has in common."""

from typing import Any, cast

from aws_cdk import (
    App,
    CfnMapping,
    CfnOutput,
    CliCredentialsStackSynthesizer,
    DefaultStackSynthesizer,
    Environment,
    Fn,
    RemovalPolicies,
    Stack,
)
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from constructs import Construct

from config.models import CommonSettings
from stacks.series import Solution

# What holds the user's data, and stays with common.keep_data_on_destroy.
DATA_TYPES = [
    "AWS::SQS::Queue",
    "AWS::DynamoDB::GlobalTable",
    "AWS::S3::Bucket",
    "AWS::ECR::Repository",
    "AWS::EC2::Volume",
    "AWS::SecretsManager::Secret",
    "AWS::KMS::Key",  # what it has encrypted is lost with it
]


NAME_TO_COME = "nameofthestacktocome"
"""Stands in an exported template where the stack's name belongs; stacks/export puts a reference in its place."""


class ExportedApp(App):
    """An app whose one stack is deployed without the CDK: its name, and the bucket of its assets, are known only then.

    The CDK's own synthesizer for whoever deploys by credentials of their own needs no bootstrap, and writes names in
    ``${}`` as ``Fn::Sub``: two of them make parameters of a bucket. BootstraplessSynthesizer refuses assets, and a
    synthesizer of ours would do what this one does.

    Args:
        any_name: whether the stack's name is still to come; else it is what ``cdk deploy`` gives it.
        bucket_in_each_region: whether the parameter is the first part of names that end with the Region.
    """

    bucket, prefix = "AssetsBucket", "AssetsPrefix"

    def __init__(self, *, any_name: bool = True, bucket_in_each_region: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self.stack_name = NAME_TO_COME if any_name else None
        self._bucket = f"${{{self.bucket}}}" + ("-${AWS::Region}" if bucket_in_each_region else "")

    def synthesizer(self) -> CliCredentialsStackSynthesizer:
        """Where the template finds its assets."""
        return CliCredentialsStackSynthesizer(file_assets_bucket_name=self._bucket, bucket_prefix=f"${{{self.prefix}}}")


class SolutionStack(Stack):
    """Base of each solution's stack: one rule for names, descriptions, tags, encryption, removal and outputs.

    Attributes:
        solution: the catalogue's entry.
        common: the section ``common`` of the configuration.
        encryption_key: the customer managed key of ``common.kms_key_arn``, if any.

    Args:
        synthesizer: another than the CDK's own under ``common.bootstrap_qualifier``.
    """

    def __init__(
        self,
        scope: Construct,
        solution: Solution,
        common: CommonSettings,
        *,
        synthesizer: DefaultStackSynthesizer | None = None,
    ) -> None:
        exported = scope if isinstance(scope, ExportedApp) else None
        super().__init__(
            scope,
            solution.stack_name(common),
            stack_name=exported.stack_name if exported else None,
            description=f"{solution.title} - {solution.blog_url}",
            env=Environment(account=common.account, region=common.region),
            synthesizer=exported.synthesizer()
            if exported
            else synthesizer or DefaultStackSynthesizer(qualifier=common.bootstrap_qualifier),
            tags={**common.tags, "solution": solution.slug},
            termination_protection=common.keep_data_on_destroy,
            suppress_template_indentation=True,  # a template has 1,000,000 bytes, blanks included
        )
        self.solution = solution
        self.common = common
        self.encryption_key = (
            kms.Key.from_key_arn(self, "EncryptionKey", common.kms_key_arn) if common.kms_key_arn else None
        )
        if common.permissions_boundary:
            policy = iam.ManagedPolicy.from_managed_policy_name(self, "Boundary", common.permissions_boundary)
            iam.PermissionsBoundary.of(self).apply(policy)
        kept = DATA_TYPES if common.keep_data_on_destroy else []
        RemovalPolicies.of(self).destroy(exclude_resource_types=kept)
        if kept:
            RemovalPolicies.of(self).retain(apply_to_resource_types=kept)

    @property
    def availability_zones(self) -> list[str]:
        """The first zones of the Region, whichever they are: synthesis asks no account for their names.

        The CDK looks them up as soon as account and Region are known, and refuses a Local Zone that the account has not
        opted in to yet, which the deployment itself does.
        """
        return [Fn.select(number, Fn.get_azs()) for number in range(2)]

    def log_group(self, scope: Construct, construct_id: str, *, below: str = "", name: str = "") -> logs.LogGroup:
        """A log group of our own: the service's would keep its events for ever and outlive the stack.

        Args:
            below: beginning of the group's name, with a slash at both ends, where a service asks for one. The name of
                the stack and ``name`` follow, so that two copies of a stack do not meet.
        """
        group = logs.LogGroup(scope, construct_id, encryption_key=self.encryption_key)
        resource = cast(logs.CfnLogGroup, group.node.default_child)
        resource.retention_in_days = self.common.log_retention_days
        if below:
            resource.log_group_name = Fn.join("", [below, Fn.ref("AWS::StackName"), f"/{name}"])
        return group

    def output(self, name: str, value: str, description: str) -> None:
        """Prints a value after ``cdk deploy``; the name is part of the stack's contract."""
        CfnOutput(self, name, value=value, description=description)

    def console_url(self, path: str) -> str:
        """Address of a page of the AWS Management Console, in whatever partition the stack lands."""
        consoles = self.node.try_find_child("Consoles") or CfnMapping(self, "Consoles", mapping=_CONSOLES)
        assert isinstance(consoles, CfnMapping)
        return f"https://{consoles.find_in_map(self.partition, 'host')}/{path}"


# Hosts of the console: https://docs.aws.amazon.com/awsconsolehelpdocs/latest/gsg/getting-started.html, and the guides
# "Getting started with AWS services in China" and "AWS GovCloud (US) sign-up".
_CONSOLES = {
    "aws": {"host": "console.aws.amazon.com"},
    "aws-cn": {"host": "console.amazonaws.cn"},
    "aws-us-gov": {"host": "console.amazonaws-us-gov.com"},
}
