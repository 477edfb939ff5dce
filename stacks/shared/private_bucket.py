"""A bucket that nobody outside reads."""

from typing import Any

from aws_cdk import Acknowledgment, Duration, Validations
from aws_cdk import aws_s3 as s3
from constructs import Construct

from stacks.shared.solution import SolutionStack


class PrivateBucket(s3.Bucket):
    """A bucket without public access, by TLS only, encrypted with the customer's key if there is one.

    Args:
        unlogged: why the bucket has no access log.
        options: further properties of the bucket; its objects go with the logs unless ``lifecycle_rules`` says else.
    """

    def __init__(
        self, stack: SolutionStack, scope: Construct, construct_id: str, *, unlogged: str, **options: Any
    ) -> None:
        key = stack.encryption_key
        with_the_logs = s3.LifecycleRule(expiration=Duration.days(stack.common.log_retention_days))
        properties = {"lifecycle_rules": [with_the_logs]} | options
        super().__init__(
            scope,
            construct_id,
            encryption=s3.BucketEncryption.KMS if key else s3.BucketEncryption.S3_MANAGED,
            encryption_key=key,
            bucket_key_enabled=True if key else None,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            **properties,
        )
        Validations.of(self).acknowledge(Acknowledgment(id="AwsSolutions-S1", reason=unlogged))
