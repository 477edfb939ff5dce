"""The buckets of the code: one in each Region, because Lambda reads a function's code from its own Region only.

https://docs.aws.amazon.com/lambda/latest/api/API_FunctionCode.html
"""

import json
from collections.abc import Sequence
from pathlib import Path

from aws_cdk import App, DefaultStackSynthesizer, ISynthesisSession, Stack
from aws_cdk import aws_iam as iam

from config.models import CommonSettings
from config.stack_sets import StackSets
from stacks.series import STACK_SET, Solution
from stacks.shared.emptied_bucket import EmptiedBucket
from stacks.shared.preflight import CDK_QUALIFIER
from stacks.shared.private_bucket import PrivateBucket
from stacks.shared.solution import SolutionStack

# What the CDK CLI does with a bucket before and while it puts a file there, as its bootstrap template allows it:
# https://github.com/aws/aws-cdk-cli/blob/main/packages/aws-cdk/lib/api/bootstrap/bootstrap-template.yaml
_PUBLISHING = (
    "s3:AbortMultipartUpload",
    "s3:GetBucketLocation",
    "s3:GetEncryptionConfiguration",
    "s3:GetObject",
    "s3:ListBucket",
    "s3:PutObject",
)
_GUIDE = "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/what-is-cfnstacksets.html"


def bucket_of(stack_sets: StackSets, region: str) -> str:
    """The name of a Region's bucket: a template refers to it before anybody knows where it lands."""
    return f"{stack_sets.bucket_prefix}-{region}"


class AssetsStack(SolutionStack):
    """A Region's bucket, which the accounts of the organization may read and nobody else.

    Who reads is the execution role of StackSets in an account, in whose name Lambda fetches code, and the instances of
    a solution whose user data does; both carry the organization's id.
    """

    def __init__(self, app: App, common: CommonSettings, stack_sets: StackSets, region: str) -> None:
        solution = Solution(
            slug=f"{STACK_SET}-assets-{region}".replace("-", "_"),
            summary="code of stack sets",
            title="Code of stack sets",
            blog_url=_GUIDE,
            services=("S3",),
            accounts="one account",
            problems=(),
        )
        # S3's own keys: the key of an account cannot be used by all others. And the bucket goes with its stack: it
        # holds code that is made again, and one that stayed would have the fixed name that the next deployment needs.
        own = {"region": region, "kms_key_arn": None, "keep_data_on_destroy": False}
        super().__init__(app, solution, common.model_copy(update=own))
        self.termination_protection = common.keep_data_on_destroy
        bucket = PrivateBucket(
            self,
            self,
            "Assets",
            unlogged="It holds the code that this repository shows, and templates refer to it by hashes.",
            bucket_name=bucket_of(stack_sets, region),
            lifecycle_rules=[],  # the newest stack of an account may be years younger than its code
        )
        EmptiedBucket(self, self, "AssetsEmptied", bucket=bucket)
        bucket.add_to_resource_policy(
            iam.PolicyStatement(
                sid="OrganizationReads",
                # S3 does not take it for public: "principal (e.g. aws:PrincipalOrgID)", says
                # https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
                principals=[iam.OrganizationPrincipal(stack_sets.organization_id)],
                actions=["s3:GetObject"],
                resources=[bucket.arn_for_objects("*")],
            )
        )
        bucket.add_to_resource_policy(
            iam.PolicyStatement(
                sid="BootstrapPublishes",
                principals=[iam.ArnPrincipal(publishing_role(self, common, region))],
                actions=[*_PUBLISHING],
                resources=[bucket.bucket_arn, bucket.arn_for_objects("*")],
            )
        )
        self.output("Bucket", bucket.bucket_name, "Code of stack sets in this Region")


def publishing_role(stack: Stack, common: CommonSettings, region: str) -> str:
    """ARN of the role by which ``cdk deploy`` stores assets in a Region; ``cdk bootstrap`` has made it."""
    name = f"cdk-{common.bootstrap_qualifier or CDK_QUALIFIER}-file-publishing-role-{stack.account}-{region}"
    return f"arn:{stack.partition}:iam::{stack.account}:role/{name}"


class Publishing(DefaultStackSynthesizer):
    """Has ``cdk deploy`` put files into the buckets of several Regions before it deploys the stack.

    The asset manifest takes several destinations of a file, and the CLI publishes to each; the library only writes one,
    in the stack's own Region. https://docs.aws.amazon.com/cdk/api/v2/docs/aws-cdk-lib.cloud_assembly_schema.FileAsset.html

    Args:
        files: in the folder of the assembly already, by the keys that they get.
    """

    def __init__(self, common: CommonSettings, stack_sets: StackSets, regions: Sequence[str]) -> None:
        super().__init__(qualifier=common.bootstrap_qualifier)
        self._common, self._stack_sets, self._regions = common, stack_sets, regions
        self.files: dict[str, str] = {}

    def reusable_bind(self, stack: Stack) -> "Publishing":
        """Binds itself, where the library would bind a copy that does not know this class."""
        self._for = stack
        self.bind(stack)
        return self

    def synthesize(self, session: ISynthesisSession) -> None:
        """Adds the files to the manifest that the library has written."""
        super().synthesize(session)
        path = Path(session.assembly.outdir) / f"{self._for.artifact_id}.assets.json"
        manifest = json.loads(path.read_text(encoding="utf-8"))
        for key, file in self.files.items():
            manifest["files"][key] = {
                "displayName": key,
                "source": {"path": file, "packaging": "file"},
                "destinations": {region: self._destination(region, key) for region in self._regions},
            }
        path.write_text(json.dumps(manifest, indent=2), encoding="utf-8")

    def _destination(self, region: str, key: str) -> dict[str, str]:
        name = (
            f"cdk-{self._common.bootstrap_qualifier or CDK_QUALIFIER}-file-publishing-role-${{AWS::AccountId}}-{region}"
        )
        return {
            "bucketName": bucket_of(self._stack_sets, region),
            "objectKey": key,
            "region": region,
            "assumeRoleArn": f"arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:role/{name}",
        }
