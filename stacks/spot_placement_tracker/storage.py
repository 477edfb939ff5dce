"""The bucket of the file, what a deployment stores there, and the rule that reports a change."""

from aws_cdk import CustomResource, Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_assets as assets
from constructs import Construct

from spot_placement_tracker.store import FILE, PLAN
from stacks.shared.grants import allow_reading_asset
from stacks.shared.lifecycle import LifecycleResource
from stacks.shared.private_bucket import PrivateBucket
from stacks.shared.python_function import PythonFunction
from stacks.shared.solution import SolutionStack
from stacks.spot_placement_tracker.rights import allow_dashboards
from stacks.spot_placement_tracker.settings import SpotPlacementTrackerSettings
from stacks.spot_placement_tracker.yaml_layer import YamlLayer

OLD_VERSIONS_DAYS = 90
TIMEOUT_SECONDS = 300


class Storage(Construct):
    """Bucket and first file.

    Attributes:
        bucket: holds the file, which people may change, and the plan that the functions make of it.
        stored: the custom resource that stores the file; what reads the file depends on it.
        layer: PyYAML, for functions that read the file.
    """

    def __init__(
        self, scope: SolutionStack, construct_id: str, settings: SpotPlacementTrackerSettings, tracker: str
    ) -> None:
        super().__init__(scope, construct_id)
        self._stack = scope
        self.bucket = PrivateBucket(
            scope,
            self,
            "Bucket",
            unlogged="It holds one small file; CloudTrail can log who changes it.",
            versioned=True,  # an upload that was a mistake can be taken back
            lifecycle_rules=[s3.LifecycleRule(noncurrent_version_expiration=Duration.days(OLD_VERSIONS_DAYS))],
        )
        # Not event_bridge_enabled of the construct: that would bring the CDK's own function.
        resource = self.bucket.node.default_child
        assert isinstance(resource, s3.CfnBucket)
        resource.notification_configuration = s3.CfnBucket.NotificationConfigurationProperty(
            event_bridge_configuration=s3.CfnBucket.EventBridgeConfigurationProperty(event_bridge_enabled=True)
        )
        self.layer = YamlLayer(self, "Yaml")
        self.stored = self._stored(settings, tracker)

    def allow(self, function: PythonFunction, *actions: str, key: str) -> None:
        """Allows a function actions on one object of the bucket, and on its encryption key."""
        function.own_role.add_to_policy(
            iam.PolicyStatement(actions=list(actions), resources=[self.bucket.arn_for_objects(key)])
        )
        if self._stack.encryption_key:
            writes = ["kms:GenerateDataKey"] if "s3:PutObject" in actions else []
            self._stack.encryption_key.grant(function.own_role, "kms:Decrypt", *writes)

    def allow_listing(self, function: PythonFunction) -> None:
        """Lets S3 say that an object is gone: without this right it says that access is denied."""
        function.own_role.add_to_policy(
            iam.PolicyStatement(actions=["s3:ListBucket"], resources=[self.bucket.bucket_arn])
        )

    def on_change(self, construct_id: str, function: PythonFunction) -> None:
        """Calls a function whenever the file has changed or is deleted.

        https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
        """
        rule = events.Rule(
            self,
            construct_id,
            description="The stored file has changed",
            event_pattern=events.EventPattern(
                source=["aws.s3"],
                detail_type=["Object Created", "Object Deleted"],
                detail={"bucket": {"name": [self.bucket.bucket_name]}, "object": {"key": [FILE]}},
            ),
            targets=[targets.LambdaFunction(function)],
        )
        rule.node.add_dependency(self.stored)

    def _stored(self, settings: SpotPlacementTrackerSettings, tracker: str) -> CustomResource:
        file = assets.Asset(self, "File", path=str(settings.path))
        function = PythonFunction(
            self._stack,
            "Deployment",
            handler="deployment",
            description="Stores the file of a deployment, and deletes what the stack has written when it is deleted",
            environment={},
            timeout_seconds=TIMEOUT_SECONDS,
            memory_mib=512,
        )
        function.add_layers(self.layer)
        role = function.own_role
        allow_reading_asset(role, file)
        for name in (FILE, PLAN):
            self.allow(function, "s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion", key=name)
        self.allow_listing(function)
        role.add_to_policy(iam.PolicyStatement(actions=["s3:ListBucketVersions"], resources=[self.bucket.bucket_arn]))
        allow_dashboards(self._stack, function)
        stored = LifecycleResource(
            self,
            "Stored",
            kind="StoredFile",
            function=function,
            timeout=Duration.seconds(3 * TIMEOUT_SECONDS),
            properties={
                "Bucket": self.bucket.bucket_name,
                "SourceBucket": file.s3_bucket_name,
                "SourceKey": file.s3_object_key,
                "MetricNamespace": settings.metric_namespace,
                "Tracker": tracker,
                "ReportDays": str(settings.report_days),
                "EveryMinutes": str(settings.every_minutes),
                "TakeOver": str(settings.take_over_dashboards).lower(),
                "KeepData": str(self._stack.common.keep_data_on_destroy).lower(),
            },
        )
        assert self.bucket.policy
        stored.node.add_dependency(self.bucket.policy)
        return stored
