"""A trail for accounts that have none: without one, CloudTrail hands no call to EventBridge."""

from typing import cast

from aws_cdk import Acknowledgment, CfnElement, CustomResource, Duration, Validations
from aws_cdk import aws_cloudtrail as cloudtrail
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from stacks.shared.grants import allow_on_pattern
from stacks.shared.python_function import PythonFunction
from stacks.shared.solution import SolutionStack


class NewTrail(Construct):
    """Management events of this Region that change something, in a bucket that forgets them with the logs.

    The first copy of management events is free of charge; further trails for the same events are not
    (https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-trail-manage-costs.html).
    """

    def __init__(self, scope: SolutionStack, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        key = scope.encryption_key
        bucket = s3.Bucket(
            self,
            "Bucket",
            encryption=s3.BucketEncryption.KMS if key else s3.BucketEncryption.S3_MANAGED,
            encryption_key=key,
            bucket_key_enabled=True if key else None,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            lifecycle_rules=[s3.LifecycleRule(expiration=Duration.days(scope.common.log_retention_days))],
        )
        Validations.of(bucket).acknowledge(
            Acknowledgment(id="AwsSolutions-S1", reason="CloudTrail alone writes here; its own log is this trail.")
        )
        trail = cloudtrail.Trail(
            self,
            "Trail",
            bucket=bucket,
            encryption_key=key,
            is_multi_region_trail=False,
            include_global_service_events=False,
            management_events=cloudtrail.ReadWriteType.WRITE_ONLY,
        )
        if not scope.common.keep_data_on_destroy:
            emptied = self._empty_on_destroy(scope, bucket)
            # Deleted in the opposite order: the trail, its right to write, what it wrote, the bucket.
            assert bucket.policy
            bucket.policy.node.add_dependency(emptied)
        assert bucket.policy
        trail.node.add_dependency(bucket.policy)

    def _empty_on_destroy(self, stack: SolutionStack, bucket: s3.Bucket) -> CustomResource:
        emptier = PythonFunction(
            stack,
            "TrailEmptier",
            handler="trail_emptier",
            description="Empties the trail's bucket when the stack is destroyed",
            environment={},
            timeout_seconds=900,
        )
        emptier.own_role.add_to_policy(iam.PolicyStatement(actions=["s3:ListBucket"], resources=[bucket.bucket_arn]))
        allow_on_pattern(
            emptier.own_role,
            "s3:DeleteObject",
            arn=bucket.arn_for_objects("*"),
            shown=f"<{stack.get_logical_id(cast(CfnElement, bucket.node.default_child))}.Arn>/*",
            reason="Emptying takes every object of this one bucket.",
        )
        emptied = CustomResource(
            self,
            "Emptied",
            resource_type="Custom::EmptiedBucket",
            service_token=emptier.function_arn,
            properties={"BucketName": bucket.bucket_name},
        )
        emptied.node.add_dependency(emptier.own_role)
        return emptied
