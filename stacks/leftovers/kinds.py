"""What stacks of this app may leave: why, what it bills, and the command that removes it."""

from collections.abc import Mapping

from stacks.leftovers.kind import Kind, is_associated, is_in_use
from stacks.leftovers.reservations import kept_by_ec2

KEPT = "kept with common.keep_data_on_destroy"
# No command of the AWS CLI empties a versioned bucket: `aws s3 rb --force` leaves versions, and so fails
# (https://docs.aws.amazon.com/cli/latest/reference/s3/rb.html). boto3, which has printed this, does; what is behind the
# name is `--region`, and the Region.
EMPTY_AND_DELETE = (
    'python -c \'import boto3, sys; bucket = boto3.resource("s3", region_name=sys.argv[3]).Bucket(sys.argv[1]); '
    "bucket.object_versions.delete(); bucket.delete()'"
)

KINDS: Mapping[str, Kind] = {
    "cloudwatch:alarm": Kind(
        "alarm",
        bills="alarm_month",
        remove="aws cloudwatch delete-alarms --alarm-names {name}",
        types=("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"),
    ),
    "dynamodb:table": Kind(
        "table",
        KEPT,
        "its storage",
        "aws dynamodb delete-table --table-name {name}",
        types=("AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable"),
    ),
    "ec2:capacity-reservation": Kind(
        "capacity reservation",
        bills="as its instances do, used or not: on_demand_hour_<type>",
        remove="aws ec2 cancel-capacity-reservation --capacity-reservation-id {name}",
        stays=kept_by_ec2,
        types=("AWS::EC2::CapacityReservation",),
    ),
    "ec2:elastic-ip": Kind(
        "Elastic IP address",
        bills="public_ipv4_hour",
        remove="aws ec2 release-address --allocation-id {name}",
        # https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ReleaseAddress.html: associated with nothing.
        held_by=("ec2:instance", "ec2:natgateway"),
        # EC2 may refuse it for some seconds after `wait nat-gateway-deleted`, as people report: with AuthFailure
        # (https://github.com/eformat/sno-for-100/issues/9), or since the interface is not found
        # (https://github.com/hashicorp/terraform-provider-aws/issues/49299). No waiter of EC2 looks at addresses.
        held=is_associated,
        # Of a Local Zone: "If you provide an incorrect network border group, you receive an InvalidAddress.NotFound
        # error", and so does who names none: https://github.com/hashicorp/terraform-provider-aws/pull/16724.
        named_too={"NetworkBorderGroup": "--network-border-group"},
        types=("AWS::EC2::EIP",),
        named="PublicIp",
    ),
    "ec2:image": Kind(
        "AMI",
        "images outlive the stack that builds them",
        "its snapshots: snapshot_gib_month",
        "aws ec2 deregister-image --delete-associated-snapshots --image-id {name}",
    ),
    "ec2:instance": Kind(
        "instance",
        bills="on_demand_hour_<type>",
        remove="aws ec2 terminate-instances --instance-ids {name}",
        wait="aws ec2 wait instance-terminated --instance-ids {name}",
        types=("AWS::EC2::Instance",),
    ),
    "ec2:key-pair": Kind(
        "key pair",
        bills="nothing",
        remove="aws ec2 delete-key-pair --key-pair-id {name}",
        types=("AWS::EC2::KeyPair",),
        named="KeyName",
    ),
    "ec2:natgateway": Kind(
        "NAT gateway",
        bills="nat_gateway_hour",
        remove="aws ec2 delete-nat-gateway --nat-gateway-id {name}",
        wait="aws ec2 wait nat-gateway-deleted --nat-gateway-ids {name}",
        types=("AWS::EC2::NatGateway",),
    ),
    "ec2:snapshot": Kind(
        "snapshot",
        "snapshots of data outlive their stack",
        "snapshot_gib_month",
        "aws ec2 delete-snapshot --snapshot-id {name}",
        # https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteSnapshot.html: of an AMI that is registered;
        # https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/disable-an-ami.html: or disabled.
        held_by=("ec2:image",),
    ),
    "ec2:volume": Kind(
        "volume",
        KEPT,
        "gp3_gib_month",
        "aws ec2 delete-volume --volume-id {name}",
        # https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteVolume.html: attached to no instance.
        held_by=("ec2:instance",),
        held=is_in_use,
        until="aws ec2 wait volume-available --volume-ids {name}",
        types=("AWS::EC2::Volume",),
    ),
    "ecr:repository": Kind(
        "repository",
        KEPT,
        "its images' storage",
        "aws ecr delete-repository --force --repository-name {name}",
        types=("AWS::ECR::Repository",),
    ),
    "imagebuilder:component": Kind(
        "component",
        "kept with old_versions: keep",
        "nothing",
        "aws imagebuilder delete-component --component-build-version-arn {arn}",
        # https://docs.aws.amazon.com/imagebuilder/latest/APIReference/API_DeleteComponent.html
        held_by=("imagebuilder:container-recipe", "imagebuilder:image-recipe"),
        types=("AWS::ImageBuilder::Component",),
    ),
    "imagebuilder:container-recipe": Kind(
        "container recipe",
        "kept with old_versions: keep",
        "nothing",
        "aws imagebuilder delete-container-recipe --container-recipe-arn {arn}",
        types=("AWS::ImageBuilder::ContainerRecipe",),
    ),
    "imagebuilder:image": Kind(
        "image of Image Builder",
        "images outlive the stack that builds them",
        "nothing; its AMIs do",
        "aws imagebuilder delete-image --image-build-version-arn {arn}",
        # Recipes build on it: https://docs.aws.amazon.com/imagebuilder/latest/APIReference/API_DeleteImage.html,
        # and https://docs.aws.amazon.com/imagebuilder/latest/userguide/delete-resources.html: recipes first.
        held_by=("imagebuilder:container-recipe", "imagebuilder:image-recipe"),
        types=("AWS::ImageBuilder::Image",),
    ),
    "imagebuilder:image-recipe": Kind(
        "image recipe",
        "kept with old_versions: keep",
        "nothing",
        "aws imagebuilder delete-image-recipe --image-recipe-arn {arn}",
        types=("AWS::ImageBuilder::ImageRecipe",),
    ),
    "kms:key": Kind(
        "key",
        f"{KEPT}: what it has encrypted is lost with it",
        "kms_key_month",
        "aws kms schedule-key-deletion --pending-window-in-days 30 --key-id {name}",
        types=("AWS::KMS::Key", "AWS::KMS::ReplicaKey"),
    ),
    "lambda:function": Kind(
        "function",
        bills="nothing until it runs",
        remove="aws lambda delete-function --function-name {name}",
        types=("AWS::Lambda::Function",),
    ),
    "logs:log-group": Kind(
        "log group",
        "made anew by what was still writing",
        "its storage",
        "aws logs delete-log-group --log-group-name {name}",
        held_by=("ec2:instance", "lambda:function"),  # which would make it anew,
        types=("AWS::Logs::LogGroup",),
    ),
    "s3": Kind(
        "bucket",
        KEPT,
        "its storage",
        EMPTY_AND_DELETE + " {name}",
        types=("AWS::S3::Bucket",),
    ),
    "secretsmanager:secret": Kind(
        "secret",
        KEPT,
        "secret_month",
        "aws secretsmanager delete-secret --recovery-window-in-days 30 --secret-id {arn}",
        types=("AWS::SecretsManager::Secret",),
    ),
    "sns": Kind(
        "topic",
        bills="nothing until it is used",
        remove="aws sns delete-topic --topic-arn {arn}",
        types=("AWS::SNS::Topic",),
    ),
    "sqs": Kind(
        "queue",
        KEPT,
        "nothing until it is used",
        "aws sqs delete-queue --queue-url {queue}",
        types=("AWS::SQS::Queue",),
    ),
}
"""By service and type of resource, as ARNs have them."""


def turn(kind: str) -> int:
    """In which turn a kind is removed: behind all that hold it."""
    holders = KINDS[kind].held_by if kind in KINDS else ()
    return max((turn(holder) + 1 for holder in holders), default=0)


LAUNCHED = frozenset(
    {
        "ec2:coip-pool",
        "ec2:elastic-ip",
        "ec2:image",
        "ec2:instance",
        "ec2:network-interface",
        "ec2:replace-root-volume-task",
        "ec2:snapshot",
        "ec2:spot-instances-request",
        "ec2:volume",
        "imagebuilder:image",
    }
)
"""What the parts of a stack make while it is there: groups, functions, pipelines, Data Lifecycle Manager."""
