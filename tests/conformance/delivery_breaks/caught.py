"""Which kinds of delivery each break of ``breaks.BREAKS`` turns into a denial: what the rules are seen to catch."""

_BY_TRUST_AND_ROLE = frozenset(
    {
        "VPC flow log → log group",
        "rule → CodePipeline",
        "rule → Image Builder",
        "rule → Step Functions",
        "schedule → CodePipeline",
        "schedule → Lambda function",
        "schedule → SQS queue",
        "schedule → Step Functions",
    }
)
_BY_TRUST = _BY_TRUST_AND_ROLE | frozenset(
    {
        "CodeBuild → its role",
        "CodePipeline → its role",
        "DLM → its role",
        "FIS → its role",
        "Image Builder lifecycle → its role",
        "Image Builder → execution role",
        "Image Builder → instance profile",
        "Lambda → its role",
        "SSM Automation → its role",
        "instance profile → its role",
        "schedule → another target",
        "schedule: confused deputy",
        "state machine → its role",
    }
)
_BY_ROLE = _BY_TRUST_AND_ROLE | frozenset(
    {
        "CodeBuild → artefact bucket",
        "CodeBuild → key",
        "CodeBuild → log group",
        "CodePipeline → CodeBuild",
        "CodePipeline → CodeCommit",
        "CodePipeline → S3 source",
        "CodePipeline → artefact bucket",
        "CodePipeline → connection",
        "DLM → key of the volumes",
        "DLM → snapshots",
        "FIS → action",
        "Image Builder lifecycle → its role",
        "Image Builder → SNS topic by execution role",
        "Lambda → VPC",
        "Lambda → async destination",
        "Lambda → key of its environment",
        "Lambda → log group",
        "SQS queue → Lambda",
        "SSM step → AWS API",
        "schedule → dead-letter queue",
        "state machine → X-Ray",
        "state machine → log group",
        "state → Lambda function",
        "state → Step Functions .sync:2",
    }
)

CAUGHT: dict[str, frozenset[str]] = {
    "permissions of functions removed": frozenset({"rule → Lambda function"}),
    "policies of queues removed": frozenset({"rule → SQS queue", "rule → dead-letter queue"}),
    "policies of buckets removed": frozenset({"CloudTrail → S3 bucket", "CloudTrail: after the bucket's policy"}),
    "policies of CloudWatch Logs removed": frozenset({"rule → log group"}),
    "policies of topics reduced to their Deny": frozenset({"alarm → SNS topic", "rule → SNS topic"}),
    "every trust given to another service": _BY_TRUST,
    "every trust given to another account": _BY_TRUST | {"trust policy: principal and condition"},
    "every role emptied": _BY_ROLE | {"schedule → another target", "Image Builder → passes the build role"},
    "every permission pointed at another resource": _BY_ROLE | {"role → encrypted resource (customer's key)"},
    "AWS's own keys on queues and topics": frozenset(
        {"alarm → SNS topic", "rule → SNS topic", "rule → SQS queue", "rule → dead-letter queue"}
    ),
    "another rule in aws:SourceArn": frozenset(
        {
            "SQS policy: principal and condition",
            "rule → Lambda function",
            "rule → SQS queue",
            "rule → dead-letter queue",
        }
    ),
    "messages hidden for 1 s": frozenset({"SQS queue → Lambda"}),
    "FIFO dead-letter queues": frozenset(
        {
            "SQS queue → dead-letter queue",
            "rule → SQS queue",
            "rule → dead-letter queue",
            "schedule → dead-letter queue",
        }
    ),
    "a bucket that sends no events": frozenset({"S3 bucket → EventBridge"}),
    "every DependsOn removed": frozenset({"CloudTrail: after the bucket's policy"}),
    "Image Builder without an execution role, its log groups renamed": frozenset(
        {"Image Builder → log group (ImageLogGroupName)", "Image Builder → log group (PipelineLogGroupName)"}
    ),
    "policies of topics that deny everybody": frozenset(
        {
            "Image Builder → SNS topic",
            "Image Builder → SNS topic by execution role",
            "alarm → SNS topic",
            "rule → SNS topic",
        }
    ),
    "policies that allow a service that does not exist": _BY_TRUST
    | {
        "CloudTrail → S3 bucket",
        "Logs policy: principal and condition",
        "S3 policy: principal and condition",
        "SNS policy: principal and condition",
        "SQS policy: principal and condition",
        "alarm → SNS topic",
        "rule → SNS topic",
        "rule → SQS queue",
        "rule → dead-letter queue",
        "rule → log group",
        "trust policy: principal and condition",
    },
    "alarms removed": frozenset({"FIS → stop condition"}),
    "targets removed": frozenset(
        {"alarm → Auto Scaling policy", "custom resource → Lambda function", "rule → another target by role"}
    ),
    "another key everywhere": frozenset(
        {
            "CodeBuild → artefact bucket",
            "CodeBuild → key",
            "CodePipeline → artefact bucket",
            "DLM → key of the volumes",
            "Image Builder → SNS topic by execution role",
            "Lambda → async destination",
            "Lambda → key of its environment",
            "SQS queue → Lambda",
            "role → encrypted resource (customer's key)",
            "schedule → SQS queue",
            "schedule → dead-letter queue",
        }
    ),
}
# These kinds have no permission of their own, or one that lies outside the template; beside each the reason.
NOTHING_TO_BREAK: dict[str, str] = {
    "Auto Scaling → key of the volumes": "the policy of the user's key decides",
    "CloudWatch Logs → key of a log group": "the policy of the user's key decides",
    "SSM association → document": "documents run by the role of the instance",
    "SSM document that is not an Automation": "it runs by the role of the instance",
    "SSM step without permissions": "it calls nothing",
    "lifecycle hook → EventBridge only": "nothing is delivered",
    "load balancer → no access log": "nothing is delivered",
    "role → encrypted resource (AWS's own key)": "AWS's own keys let every role of the account through",
}
