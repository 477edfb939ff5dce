"""The bucket for reports and prices, and the price file that a deployment uploads."""

import json
from hashlib import sha256
from pathlib import Path

from aws_cdk import AssetHashType, Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_assets as assets
from constructs import Construct

from capacity_planner.store import LATEST, PRICES, REPORTS
from stacks.capacity_planner.settings import CapacityPlannerSettings
from stacks.shared.emptied_bucket import EmptiedBucket
from stacks.shared.grants import allow_on_pattern
from stacks.shared.private_bucket import PrivateBucket
from stacks.shared.python_function import PythonFunction
from stacks.shared.solution import SolutionStack

CACHE = Path(__file__).parents[2] / ".local" / "capacity_planner"


class Storage(Construct):
    """The bucket.

    Attributes:
        emptied: what writes to the bucket must depend on this; it is the bucket itself where the data is kept.
    """

    def __init__(self, scope: SolutionStack, construct_id: str, *, report_days: int) -> None:
        super().__init__(scope, construct_id)
        self._stack = scope
        self.bucket = PrivateBucket(
            scope,
            self,
            "Bucket",
            unlogged="It holds reports that each look renews; CloudTrail can log access to them.",
            lifecycle_rules=[s3.LifecycleRule(prefix=REPORTS, expiration=Duration.days(report_days))],
        )
        self.emptied: Construct = self.bucket
        if not scope.common.keep_data_on_destroy:
            self.emptied = EmptiedBucket(scope, self, "Emptied", bucket=self.bucket)

    @property
    def address(self) -> str:
        """Where the reports are."""
        return f"s3://{self.bucket.bucket_name}/{REPORTS}"

    def allow(self, function: PythonFunction) -> None:
        """Allows a function to read and write prices and reports, and to see that one is missing."""
        role = function.own_role
        role.add_to_policy(
            iam.PolicyStatement(
                actions=["s3:GetObject", "s3:PutObject"],
                resources=[self.bucket.arn_for_objects(name) for name in (PRICES, LATEST)],
            )
        )
        bucket = self.bucket.node.default_child
        assert isinstance(bucket, s3.CfnBucket)
        allow_on_pattern(
            role,
            "s3:GetObject",
            "s3:PutObject",
            arn=self.bucket.arn_for_objects(f"{REPORTS}*"),
            shown=f"<{self._stack.get_logical_id(bucket)}.Arn>/{REPORTS}*",
            reason="Reports are named by their day and event; these are the reports of one bucket.",
        )
        # Without it S3 answers AccessDenied for an object that does not exist.
        role.add_to_policy(iam.PolicyStatement(actions=["s3:ListBucket"], resources=[self.bucket.bucket_arn]))
        if self._stack.encryption_key:
            self._stack.encryption_key.grant(role, "kms:Decrypt", "kms:GenerateDataKey")


def price_file(scope: Construct, settings: CapacityPlannerSettings) -> assets.Asset | None:
    """The price file as JSON, which a function reads without a YAML library; the same prices give the same file."""
    prices = settings.prices()
    if prices is None:
        return None
    text = json.dumps(prices.to_json(), indent=2, sort_keys=True)
    digest = sha256(text.encode()).hexdigest()
    path = CACHE / f"{digest}.json"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return assets.Asset(scope, "PriceFile", path=str(path), asset_hash=digest, asset_hash_type=AssetHashType.CUSTOM)
