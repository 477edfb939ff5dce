"""Deliveries that no solution has yet and those to come will have: each in a small template, allowed, then denied."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.conformance.delivery_breaks.small import (
    arn,
    bucket,
    document,
    function,
    objects,
    permission,
    queue,
    ref,
    resource,
    role,
    statement,
    topic,
)
from tests.conformance.templates import Json


@dataclass(frozen=True)
class Coming:
    """A kind of delivery in a small template, and what takes its permission away.

    Attributes:
        account: of the stack, where the rule asks whether something is another's.
    """

    kind: str
    resources: dict[str, Json]
    denies: Callable[[dict[str, Json]], object]
    account: str | None = None


def without(logical_id: str) -> Callable[[dict[str, Json]], object]:
    return lambda resources: resources.pop(logical_id)


def emptied(logical_id: str) -> Callable[[dict[str, Json]], object]:
    return lambda resources: resources[logical_id]["Properties"].update(Policies=[])


_ALARM = resource("AWS::CloudWatch::Alarm", AlarmActions=[arn("Function")])
_MACHINE = "arn:aws:states:::"


def _rule(target: Any, **more: Any) -> Json:
    return resource("AWS::Events::Rule", Targets=[{"Id": "one", "Arn": target, "RoleArn": arn("Role"), **more}])


def _machine(name: str, **arguments: Any) -> Json:
    state = {"Type": "Task", "Resource": _MACHINE + name, "Arguments": arguments, "End": True}
    definition = {"QueryLanguage": "JSONata", "StartAt": "One", "States": {"One": state}}
    return resource("AWS::StepFunctions::StateMachine", Definition=definition, RoleArn=arn("Role"))


_EVENTS_RULE = {"Fn::Sub": "arn:${AWS::Partition}:events:*:*:rule/StepFunctionsGetEventForCodeBuildStartBuildRule"}
_AUTOMATION = resource(
    "AWS::SSM::Document",
    DocumentType="Automation",
    Content={"assumeRole": arn("Runs"), "mainSteps": []},
)
_DEFINITION = {
    "Fn::Sub": "arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:automation-definition/${Document}"
}
_TRAIL = {"Fn::Sub": "arn:${AWS::Partition}:cloudtrail:${AWS::Region}:${AWS::AccountId}:trail/trail"}
_FLOWS = {"Fn::Sub": "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:*"}

COMING: tuple[Coming, ...] = (
    Coming(
        "alarm → Lambda function",
        {"Alarm": _ALARM, **function(), "May": permission("lambda.alarms.cloudwatch", arn("Alarm"))},
        without("May"),
    ),
    Coming(
        "alarm → SNS topic",
        {
            "Alarm": resource("AWS::CloudWatch::CompositeAlarm", AlarmActions=[ref("Topic")]),
            **topic(statement("sns:Publish", ref("Topic"), "cloudwatch")),
        },
        lambda resources: resources["TopicPolicy"]["Properties"].update(PolicyDocument=document()),
    ),
    Coming(
        "rule → Systems Manager Automation",
        {
            "Rule": _rule(_DEFINITION),
            "Document": _AUTOMATION,
            "Runs": role("ssm"),
            "Role": role(
                "events", statement("ssm:StartAutomationExecution", _DEFINITION), statement("iam:PassRole", arn("Runs"))
            ),
        },
        lambda resources: resources["Role"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"].pop(),
    ),
    Coming(
        "rule → SNS topic by role",
        {"Rule": _rule(ref("Topic")), **topic(), "Role": role("events", statement("sns:Publish", ref("Topic")))},
        emptied("Role"),
    ),
    *(
        Coming(
            "rule → target elsewhere",
            {"Rule": _rule(theirs), "Role": role("events", statement(action, theirs))},
            lambda resources: resources["Rule"]["Properties"]["Targets"][0].pop("RoleArn"),
            account="111122223333",
        )
        for action, theirs in (
            ("sns:Publish", "arn:aws:sns:us-east-1:999999999999:alarms"),
            ("sqs:SendMessage", "arn:aws:sqs:us-east-1:999999999999:events"),
            ("lambda:InvokeFunction", "arn:aws:lambda:us-east-1:999999999999:function:hears"),
        )
    ),
    *(
        Coming(
            "rule → another target by role",
            {
                "Rule": _rule(arn("Target")),
                "Target": resource(kind, ServiceRole="-"),
                "Role": role("events", statement(actions, on)),
            },
            emptied("Role"),
        )
        for kind, actions, on in (
            ("AWS::Kinesis::Stream", ["kinesis:PutRecord", "kinesis:PutRecords"], arn("Target")),
            ("AWS::Events::EventBus", "events:PutEvents", arn("Target")),
            ("AWS::CodeBuild::Project", "codebuild:StartBuild", arn("Target")),
        )
    ),
    Coming(
        "schedule → another target",
        {
            "Schedule": resource("AWS::Scheduler::Schedule", Target={"Arn": ref("Topic"), "RoleArn": arn("Role")}),
            "Topic": resource("AWS::SNS::Topic"),
            "Role": role("scheduler", statement("sns:Publish", ref("Topic"))),
        },
        emptied("Role"),
    ),
    Coming(
        "state → another service",
        {
            "Machine": _machine("codebuild:startBuild.sync", ProjectName=ref("Project")),
            "Project": resource("AWS::CodeBuild::Project", ServiceRole=arn("Builds")),
            "Builds": role("codebuild", statement(["logs:CreateLogStream", "logs:PutLogEvents"], "*")),
            "Role": role(
                "states",
                statement(["codebuild:StartBuild", "codebuild:StopBuild", "codebuild:BatchGetBuilds"], arn("Project")),
                statement(["events:PutTargets", "events:PutRule", "events:DescribeRule"], _EVENTS_RULE),
            ),
        },
        lambda resources: resources["Role"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"].pop(),
    ),
    Coming(
        "state → another service",
        {
            "Machine": _machine("aws-sdk:ec2:describeInstances"),
            "Role": role("states", statement("ec2:DescribeInstances", "*")),
        },
        emptied("Role"),
    ),
    Coming(
        "Lambda → dead-letter queue",
        {
            "Function": resource(
                "AWS::Lambda::Function", Role=arn("Own"), DeadLetterConfig={"TargetArn": arn("Queue")}
            ),
            "Own": role("lambda", statement("sqs:SendMessage", arn("Queue"))),
            "Queue": resource("AWS::SQS::Queue"),
        },
        emptied("Own"),
    ),
    Coming(
        "SNS topic → subscriber",
        {
            "Topic": resource("AWS::SNS::Topic"),
            "One": resource("AWS::SNS::Subscription", TopicArn=ref("Topic"), Protocol="sqs", Endpoint=arn("Queue")),
            **queue("sns", ref("Topic")),
        },
        without("Policy"),
    ),
    Coming(
        "SNS topic → dead-letter queue",
        {
            "Topic": resource("AWS::SNS::Topic"),
            "One": resource(
                "AWS::SNS::Subscription",
                TopicArn=ref("Topic"),
                Protocol="email",
                Endpoint="a@example.com",
                RedrivePolicy={"deadLetterTargetArn": arn("Queue")},
            ),
            **queue("sns", ref("Topic")),
        },
        lambda resources: resources["Queue"]["Properties"].update(KmsMasterKeyId="alias/aws/sqs"),
    ),
    Coming(
        "S3 bucket → function, queue, topic",
        {
            "Bucket": resource(
                "AWS::S3::Bucket",
                NotificationConfiguration={"LambdaConfigurations": [{"Event": "s3:*", "Function": arn("Function")}]},
            ),
            **function(),
            "May": permission("s3", arn("Bucket")),
        },
        lambda resources: resources["May"]["Properties"].update(SourceArn=arn("Function")),
    ),
    Coming(
        "CloudTrail → its key",
        {
            "Trail": resource("AWS::CloudTrail::Trail", S3BucketName="theirs", KMSKeyId=arn("Key")),
            "Key": resource(
                "AWS::KMS::Key",
                KeyPolicy=document(statement(["kms:GenerateDataKey*", "kms:DescribeKey"], "*", "cloudtrail")),
            ),
        },
        lambda resources: resources["Key"]["Properties"].update(KeyPolicy=document()),
    ),
    Coming(
        "CloudTrail → SNS topic",
        {
            "Trail": resource(
                "AWS::CloudTrail::Trail",
                TrailName="trail",
                S3BucketName="theirs",
                SnsTopicName={"Fn::GetAtt": ["Topic", "TopicName"]},
            ),
            **topic(
                statement("sns:Publish", ref("Topic"), "cloudtrail", StringEquals={"aws:SourceArn": _TRAIL}),
            ),
        },
        lambda resources: resources["Trail"]["Properties"].update(TrailName="another"),
    ),
    Coming(
        "CloudTrail → log group",
        {
            "Trail": resource(
                "AWS::CloudTrail::Trail",
                S3BucketName="theirs",
                CloudWatchLogsLogGroupArn=arn("Group"),
                CloudWatchLogsRoleArn=arn("Role"),
            ),
            "Group": resource("AWS::Logs::LogGroup"),
            "Role": role("cloudtrail", statement(["logs:CreateLogStream", "logs:PutLogEvents"], arn("Group"))),
        },
        emptied("Role"),
    ),
    Coming(
        "VPC flow log → S3 bucket",
        {
            "Flow": resource("AWS::EC2::FlowLog", LogDestinationType="s3", LogDestination=arn("Bucket")),
            **bucket(
                statement("s3:PutObject", objects(), "delivery.logs", ArnLike={"aws:SourceArn": _FLOWS}),
                statement("s3:GetBucketAcl", arn("Bucket"), "delivery.logs"),
            ),
        },
        lambda resources: resources["BucketPolicy"]["Properties"]["PolicyDocument"]["Statement"].pop(),
    ),
    Coming(
        "S3 access log → bucket",
        {
            "Logged": resource("AWS::S3::Bucket", LoggingConfiguration={"DestinationBucketName": ref("Bucket")}),
            **bucket(statement("s3:PutObject", objects(), "logging.s3", ArnLike={"aws:SourceArn": arn("Logged")})),
        },
        without("BucketPolicy"),
    ),
    Coming(
        "load balancer → bucket of its access log",
        {
            "Balancer": resource(
                "AWS::ElasticLoadBalancingV2::LoadBalancer",
                LoadBalancerAttributes=[
                    {"Key": "access_logs.s3.enabled", "Value": "true"},
                    {"Key": "access_logs.s3.bucket", "Value": ref("Bucket")},
                ],
            ),
            **bucket(statement("s3:PutObject", objects(), "logdelivery.elasticloadbalancing")),
        },
        without("BucketPolicy"),
    ),
    Coming(
        "FIS → its log",
        {
            "Experiment": resource(
                "AWS::FIS::ExperimentTemplate",
                RoleArn=arn("Role"),
                Actions={},
                StopConditions=[{"Source": "none"}],
                LogConfiguration={"LogSchemaVersion": 2, "CloudWatchLogsConfiguration": {"LogGroupArn": "*"}},
            ),
            "Role": role(
                "fis",
                statement(
                    [
                        "logs:CreateLogDelivery",
                        "logs:PutResourcePolicy",
                        "logs:DescribeResourcePolicies",
                        "logs:DescribeLogGroups",
                    ],
                    "*",
                ),
            ),
        },
        emptied("Role"),
    ),
    Coming(
        "lifecycle hook → target",
        {
            "Hook": resource(
                "AWS::AutoScaling::LifecycleHook",
                LifecycleHookName="leave",
                NotificationTargetARN=arn("Queue"),
                RoleARN=arn("Role"),
            ),
            "Queue": resource("AWS::SQS::Queue"),
            "Role": role("autoscaling", statement("sqs:SendMessage", arn("Queue"))),
        },
        emptied("Role"),
    ),
    Coming(
        "Auto Scaling → notification",
        {
            "Group": resource(
                "AWS::AutoScaling::AutoScalingGroup", NotificationConfigurations=[{"TopicARN": [ref("Topic")]}]
            ),
            **topic(),
        },
        lambda resources: resources["TopicPolicy"]["Properties"].update(
            PolicyDocument=document(
                {"Effect": "Deny", "Principal": "*", "Action": "sns:Publish", "Resource": ref("Topic")}
            )
        ),
    ),
    Coming(
        "CodePipeline → another action",
        {
            "Pipeline": resource(
                "AWS::CodePipeline::Pipeline",
                RoleArn=arn("Role"),
                Stages=[
                    {
                        "Name": "Approve",
                        "Actions": [
                            {
                                "Name": "Ask",
                                "ActionTypeId": {"Category": "Approval", "Provider": "Manual"},
                                "Configuration": {"NotificationArn": ref("Topic")},
                            }
                        ],
                    }
                ],
            ),
            "Topic": resource("AWS::SNS::Topic"),
            "Role": role("codepipeline", statement("sns:Publish", ref("Topic"))),
        },
        emptied("Role"),
    ),
)
# What CloudWatch does to an instance or in Systems Manager it does by service-linked roles of its own.
WITHOUT_A_PERMISSION = {"alarm → EC2 or Systems Manager action"}
