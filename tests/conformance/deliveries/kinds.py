"""The kinds of delivery: the page that decides, what to do where it is denied, and how many there are at least."""

from dataclasses import dataclass

_DOCS = "https://docs.aws.amazon.com/"
_REPOST = "https://repost.aws/knowledge-center/"


@dataclass(frozen=True)
class Kind:
    """One kind of delivery.

    Attributes:
        floor: how many the variants hold at least, each template counted once; a rule that finds fewer is blind.
            0: no solution has it yet, and a template written for the test does.
    """

    page: str
    fix: str
    floor: int = 0


def _docs(path: str, fix: str, floor: int = 0) -> Kind:
    return Kind(_DOCS + path, fix, floor)


_TRUST = "Let the role trust the service, without a condition that its source cannot meet"
_ROLE = "Grant the actions to the role, on this resource"
_RULE_ROLE = "Give the target a role that events.amazonaws.com may take and that may start it"
_QUEUE_POLICY = "Let the queue's policy allow sqs:SendMessage to the service, with the sender's ARN as aws:SourceArn"
_BUCKET_POLICY = "Let the bucket's policy allow the service, and put the bucket's policy first"

KINDS: dict[str, Kind] = {
    # CloudWatch, EventBridge, Scheduler
    "alarm → SNS topic": Kind(
        _REPOST + "cloudwatch-receive-sns-for-alarm-trigger",
        "Let the topic's policy allow sns:Publish to cloudwatch.amazonaws.com; a policy replaces the default one",
        366,
    ),
    "alarm → Auto Scaling policy": Kind(
        _REPOST + "cloudwatch-receive-sns-for-alarm-trigger", "Name a scaling policy of the stack", 8
    ),
    "alarm → Lambda function": _docs(
        "AmazonCloudWatch/latest/monitoring/alarms-and-actions-Lambda.html",
        "Add a permission of the function for lambda.alarms.cloudwatch.amazonaws.com, with the alarm's ARN",
    ),
    "alarm → EC2 or Systems Manager action": _docs(
        "AmazonCloudWatch/latest/monitoring/using-service-linked-roles.html", "Name an action that CloudWatch has"
    ),
    "rule → Lambda function": _docs(
        "eventbridge/latest/userguide/eb-use-resource-based.html",
        "Add a permission of the function for events.amazonaws.com, with the rule's ARN",
        95,
    ),
    "rule → SQS queue": _docs(
        "AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html", _QUEUE_POLICY, 24
    ),
    "rule → SNS topic": _docs(
        "eventbridge/latest/userguide/eb-use-resource-based.html",
        "Let the topic's policy allow sns:Publish to events.amazonaws.com, without a condition",
        15,
    ),
    "rule → SNS topic by role": _docs(
        "eventbridge/latest/userguide/eb-use-resource-based.html",
        "Take the role away, and let the topic's policy allow events.amazonaws.com without a condition",
    ),
    "rule → target elsewhere": _docs(
        "eventbridge/latest/userguide/eb-service-cross-account.html",
        "Give the target a role, which the target's policy must allow; or let the settings refuse another account's",
    ),
    "rule → Step Functions": _docs("eventbridge/latest/userguide/eb-use-identity-based.html", _RULE_ROLE, 14),
    "rule → CodePipeline": _docs("eventbridge/latest/userguide/eb-use-identity-based.html", _RULE_ROLE, 4),
    "rule → Image Builder": _docs("eventbridge/latest/userguide/eb-use-identity-based.html", _RULE_ROLE, 2),
    "rule → Systems Manager Automation": _docs(
        "systems-manager/latest/userguide/running-automations-event-bridge.html",
        "Give the target a role that may start the automation and pass the automation's own role",
    ),
    "rule → another target by role": _docs("eventbridge/latest/userguide/eb-use-identity-based.html", _RULE_ROLE),
    "rule → log group": Kind(
        _REPOST + "cloudwatch-log-group-eventbridge",
        "Name the group /aws/events/…, and let a resource policy of CloudWatch Logs allow events.amazonaws.com and "
        "delivery.logs.amazonaws.com logs:CreateLogStream and logs:PutLogEvents",
        7,
    ),
    "rule → dead-letter queue": _docs("eventbridge/latest/userguide/eb-rule-dlq.html", _QUEUE_POLICY, 77),
    "schedule → Lambda function": _docs("scheduler/latest/UserGuide/setting-up.html", _ROLE, 7),
    "schedule → SQS queue": _docs("scheduler/latest/UserGuide/setting-up.html", _ROLE, 5),
    "schedule → Step Functions": _docs("scheduler/latest/UserGuide/setting-up.html", _ROLE, 3),
    "schedule → CodePipeline": _docs("scheduler/latest/UserGuide/setting-up.html", _ROLE, 4),
    "schedule → another target": _docs("scheduler/latest/UserGuide/managing-targets-universal.html", _ROLE),
    "schedule → dead-letter queue": _docs(
        "scheduler/latest/UserGuide/configuring-schedule-dlq.html",
        "Grant sqs:SendMessage to the schedule's role, and kms:GenerateDataKey and kms:Decrypt on the queue's key",
        19,
    ),
    "schedule: confused deputy": _docs(
        "scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html",
        "Let the trust's condition name the schedule group, not a schedule",
        19,
    ),
    # Step Functions
    "state → Lambda function": _docs("step-functions/latest/dg/service-integration-iam-templates.html", _ROLE, 63),
    "state → Step Functions .sync:2": _docs(
        "step-functions/latest/dg/connect-stepfunctions.html",
        "Grant states:StartExecution, DescribeExecution and StopExecution on executions, and PutTargets, PutRule and "
        "DescribeRule on the managed rule",
        7,
    ),
    "state → another service": _docs("step-functions/latest/dg/service-integration-iam-templates.html", _ROLE),
    "state machine → its role": _docs("step-functions/latest/dg/service-integration-iam-templates.html", _TRUST, 21),
    "state machine → log group": _docs(
        "step-functions/latest/dg/bp-cwl.html",
        "Grant the eight log-delivery actions on *, end the group's ARN in ':*', name it below /aws/vendedlogs/",
        21,
    ),
    "state machine → X-Ray": _docs("step-functions/latest/dg/concepts-xray-tracing.html", _ROLE, 21),
    # Lambda, SQS, SNS, S3, CloudFormation
    "SQS queue → Lambda": _docs(
        "lambda/latest/dg/services-sqs-configure.html",
        "Grant the role receive, delete and attributes, and the key; hide messages as long as the function may run",
        14,
    ),
    "SQS queue → dead-letter queue": _docs(
        "AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html",
        "Make both queues standard or both FIFO, and let RedriveAllowPolicy name the source",
        24,
    ),
    "Lambda → async destination": _docs("lambda/latest/dg/invocation-async-retain-records.html", _ROLE, 9),
    "Lambda → dead-letter queue": _docs("lambda/latest/dg/invocation-async-retain-records.html", _ROLE),
    "Lambda → its role": _docs("lambda/latest/dg/lambda-intro-execution-role.html", _TRUST, 220),
    "Lambda → log group": _docs("lambda/latest/dg/lambda-intro-execution-role.html", _ROLE, 220),
    "Lambda → key of its environment": _docs("lambda/latest/dg/configuration-envvars-encryption.html", _ROLE, 63),
    "Lambda → VPC": _docs("lambda/latest/dg/configuration-vpc.html", _ROLE, 1),
    "custom resource → Lambda function": _docs(
        "AWSCloudFormation/latest/UserGuide/template-custom-resources.html", "Name a function of the stack", 194
    ),
    "SNS topic → subscriber": _docs(
        "sns/latest/dg/subscribe-sqs-queue-to-sns-topic.html",
        "Let the subscriber's policy allow sns.amazonaws.com, with the topic's ARN as aws:SourceArn",
    ),
    "SNS topic → dead-letter queue": _docs("sns/latest/dg/sns-configure-dead-letter-queue.html", _QUEUE_POLICY),
    "S3 bucket → EventBridge": _docs(
        "AmazonS3/latest/userguide/EventBridge.html", "Set EventBridgeEnabled in the bucket's notifications", 6
    ),
    "S3 bucket → function, queue, topic": _docs(
        "AmazonS3/latest/userguide/grant-destinations-permissions-to-s3.html",
        "Let the target's policy allow s3.amazonaws.com, with the bucket's ARN as aws:SourceArn",
    ),
    # Logs
    "CloudTrail → S3 bucket": _docs(
        "awscloudtrail/latest/userguide/create-s3-bucket-policy-for-cloudtrail.html", _BUCKET_POLICY, 5
    ),
    "CloudTrail: after the bucket's policy": _docs(
        "awscloudtrail/latest/userguide/create-s3-bucket-policy-for-cloudtrail.html", _BUCKET_POLICY, 5
    ),
    "CloudTrail → its key": _docs(
        "awscloudtrail/latest/userguide/create-kms-key-policy-for-cloudtrail.html",
        "Let the key's policy allow cloudtrail.amazonaws.com kms:GenerateDataKey* and kms:DescribeKey",
        2,
    ),
    "CloudTrail → SNS topic": _docs(
        "awscloudtrail/latest/userguide/cloudtrail-permissions-for-sns-notifications.html",
        "Let the topic's policy allow cloudtrail.amazonaws.com sns:Publish",
    ),
    "CloudTrail → log group": _docs(
        "awscloudtrail/latest/userguide/cloudtrail-required-policy-for-cloudwatch-logs.html", _ROLE
    ),
    "VPC flow log → log group": _docs("vpc/latest/userguide/flow-logs-iam-role.html", _ROLE, 60),
    "VPC flow log → S3 bucket": _docs("vpc/latest/userguide/flow-logs-s3-permissions.html", _BUCKET_POLICY),
    "CloudWatch Logs → key of a log group": _docs(
        "AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html",
        "Let the key's policy allow logs.REGION.amazonaws.com to use it",
        172,
    ),
    "S3 access log → bucket": _docs("AmazonS3/latest/userguide/enable-server-access-logging.html", _BUCKET_POLICY),
    "load balancer → bucket of its access log": _docs(
        "elasticloadbalancing/latest/application/enable-access-logging.html", _BUCKET_POLICY
    ),
    "load balancer → no access log": _docs(
        "elasticloadbalancing/latest/application/enable-access-logging.html", "Nothing is delivered", 5
    ),
    # CodePipeline, CodeBuild, Image Builder
    "CodePipeline → its role": _docs("codepipeline/latest/userguide/how-to-custom-role.html", _TRUST, 4),
    "CodePipeline → artefact bucket": _docs("codepipeline/latest/userguide/how-to-custom-role.html", _ROLE, 4),
    "CodePipeline → CodeBuild": _docs("codepipeline/latest/userguide/how-to-custom-role.html", _ROLE, 8),
    "CodePipeline → S3 source": _docs("codepipeline/latest/userguide/how-to-custom-role.html", _ROLE, 1),
    "CodePipeline → connection": _docs("codepipeline/latest/userguide/how-to-custom-role.html", _ROLE, 1),
    "CodePipeline → CodeCommit": _docs("codepipeline/latest/userguide/how-to-custom-role.html", _ROLE, 2),
    "CodePipeline → another action": _docs("codepipeline/latest/userguide/how-to-custom-role.html", _ROLE),
    "CodeBuild → its role": _docs("codebuild/latest/userguide/setting-up-service-role.html", _TRUST, 8),
    "CodeBuild → artefact bucket": _docs("codebuild/latest/userguide/setting-up-service-role.html", _ROLE, 8),
    "CodeBuild → key": _docs("codebuild/latest/userguide/setting-up-service-role.html", _ROLE, 8),
    "CodeBuild → log group": _docs("codebuild/latest/userguide/setting-up-service-role.html", _ROLE, 8),
    "Image Builder → execution role": _docs(
        "imagebuilder/latest/userguide/manage-image-lifecycle-prerequisites.html", _TRUST, 16
    ),
    "Image Builder → passes the build role": _docs(
        "IAM/latest/UserGuide/id_roles_use_passrole.html", "Grant the execution role iam:PassRole on the build role", 16
    ),
    "Image Builder → instance profile": _docs(
        "IAM/latest/UserGuide/id_roles_use_switch-role-ec2_instance-profiles.html", _TRUST, 10
    ),
    "Image Builder → SNS topic": _docs(
        "imagebuilder/latest/userguide/integ-sns.html",
        "Take the Deny away, and let the key's policy allow AWSServiceRoleForImageBuilder",
        10,
    ),
    "Image Builder → SNS topic by execution role": _docs("imagebuilder/latest/userguide/integ-sns.html", _ROLE, 16),
    "Image Builder → log group (ImageLogGroupName)": _docs(
        "imagebuilder/latest/APIReference/API_PipelineLoggingConfiguration.html",
        "Name the group below /aws/imagebuilder/, or give the pipeline an execution role that may write to it",
        18,
    ),
    "Image Builder → log group (PipelineLogGroupName)": _docs(
        "imagebuilder/latest/APIReference/API_PipelineLoggingConfiguration.html",
        "Name the group below /aws/imagebuilder/, or give the pipeline an execution role that may write to it",
        18,
    ),
    "Image Builder lifecycle → its role": _docs(
        "imagebuilder/latest/userguide/manage-image-lifecycle-prerequisites.html", _ROLE, 17
    ),
    # Systems Manager, FIS, DLM, Auto Scaling, EC2
    "SSM Automation → its role": _docs("systems-manager/latest/userguide/automation-setup-iam.html", _TRUST, 21),
    "SSM step → AWS API": _docs("systems-manager/latest/userguide/automation-setup-iam.html", _ROLE, 91),
    "SSM step without permissions": _docs("systems-manager/latest/userguide/automation-actions.html", "-", 21),
    "SSM association → document": _docs("systems-manager/latest/userguide/automation-setup-iam.html", _TRUST, 7),
    "SSM document that is not an Automation": _docs(
        "systems-manager/latest/userguide/setup-instance-permissions.html", "-", 7
    ),
    "FIS → its role": _docs("fis/latest/userguide/getting-started-iam-service-role.html", _TRUST, 7),
    "FIS → action": _docs("fis/latest/userguide/fis-actions-reference.html", _ROLE, 7),
    "FIS → stop condition": _docs("fis/latest/userguide/stop-conditions.html", "Name an alarm of the stack", 7),
    "FIS → its log": _docs("fis/latest/userguide/monitoring-logging.html", _ROLE),
    "DLM → its role": _docs("ebs/latest/userguide/service-role.html", _TRUST, 9),
    "DLM → snapshots": _docs("ebs/latest/userguide/service-role.html", _ROLE, 9),
    "DLM → key of the volumes": _docs(
        "ebs/latest/userguide/dlm-prerequisites.html", "Grant the role the use of the key, as EBS wants it", 2
    ),
    "Auto Scaling → key of the volumes": _docs(
        "autoscaling/ec2/userguide/key-policy-requirements-EBS-encryption.html",
        "Let the key's policy allow AWSServiceRoleForAutoScaling to use it and to create grants",
        53,
    ),
    "Auto Scaling → notification": _docs(
        "autoscaling/ec2/userguide/ec2-auto-scaling-sns-notifications.html", "Take the Deny away, and allow the key"
    ),
    "lifecycle hook → EventBridge only": _docs(
        "autoscaling/ec2/userguide/prepare-for-lifecycle-notifications.html", "Nothing is needed", 27
    ),
    "lifecycle hook → target": _docs("autoscaling/ec2/userguide/prepare-for-lifecycle-notifications.html", _ROLE),
    "instance profile → its role": _docs(
        "IAM/latest/UserGuide/id_roles_use_switch-role-ec2_instance-profiles.html", _TRUST, 81
    ),
    # The policies themselves
    "role → encrypted resource (customer's key)": _docs(
        "kms/latest/developerguide/control-access.html",
        "Grant the role the key that the resource is encrypted with",
        118,
    ),
    "role → encrypted resource (AWS's own key)": _docs(
        "kms/latest/developerguide/concepts.html", "Nothing is needed", 125
    ),
    "trust policy: principal and condition": _docs(
        "IAM/latest/UserGuide/confused-deputy.html", "Name a service that exists, and values that it sends", 485
    ),
    "role: does anything that it trusts use it?": _docs(
        "IAM/latest/UserGuide/best-practices.html", "Make the role only where something uses it", 485
    ),
    "SNS policy: principal and condition": _docs("IAM/latest/UserGuide/confused-deputy.html", "As of trusts", 79),
    "SQS policy: principal and condition": _docs("IAM/latest/UserGuide/confused-deputy.html", "As of trusts", 103),
    "S3 policy: principal and condition": _docs("IAM/latest/UserGuide/confused-deputy.html", "As of trusts", 10),
    "Logs policy: principal and condition": _docs("IAM/latest/UserGuide/confused-deputy.html", "As of trusts", 7),
}
