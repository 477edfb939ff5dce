"""A trail for accounts that have none: without one, CloudTrail hands no call to EventBridge."""

from aws_cdk import aws_cloudtrail as cloudtrail
from constructs import Construct

from stacks.shared.emptied_bucket import EmptiedBucket
from stacks.shared.private_bucket import PrivateBucket
from stacks.shared.solution import SolutionStack


class NewTrail(Construct):
    """Management events of this Region that change something, in a bucket that forgets them with the logs.

    The first copy of management events is free of charge; further trails for the same events are not
    (https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-trail-manage-costs.html).
    """

    def __init__(self, scope: SolutionStack, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        unlogged = "CloudTrail alone writes here; its own log is this trail."
        bucket = PrivateBucket(scope, self, "Bucket", unlogged=unlogged)
        trail = cloudtrail.Trail(
            self,
            "Trail",
            bucket=bucket,
            encryption_key=scope.encryption_key,
            is_multi_region_trail=False,
            include_global_service_events=False,
            management_events=cloudtrail.ReadWriteType.WRITE_ONLY,
        )
        if not scope.common.keep_data_on_destroy:
            emptied = EmptiedBucket(scope, self, "Emptied", bucket=bucket)
            # Deleted in the opposite order: the trail, its right to write, what it wrote, the bucket.
            assert bucket.policy
            bucket.policy.node.add_dependency(emptied)
        assert bucket.policy
        trail.node.add_dependency(bucket.policy)
