"""Deliveries of CloudWatch alarms, EventBridge rules and Scheduler."""

from collections.abc import Callable, Iterator

from tests.conformance.deliveries.judge import OK, Delivery, Judge, Need, Outcome, fails, unsure
from tests.conformance.deliveries.machines import ARGUMENT, sdk_action
from tests.conformance.policies.evaluation import as_list
from tests.conformance.templates import Json

_SEND = ("sqs:SendMessage",)
_KEY_OF_SENDERS = ("kms:GenerateDataKey", "kms:Decrypt")
# Alarm actions that are no resource of an account: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
_ALARM_ACTIONS = (":automate:", ":swf:", ":ssm:", ":ssm-incidents:", ":aiops:")


def alarms(judge: Judge) -> Iterator[Delivery]:
    """What CloudWatch does when an alarm changes its state."""
    for alarm, properties in judge.of_type("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"):
        if properties.get("ActionsEnabled", True) in (False, "false"):
            continue
        actions = [properties.get(name, []) for name in ("AlarmActions", "OKActions", "InsufficientDataActions")]
        for target in dict.fromkeys(target for some in actions for target in some):
            kind, outcome = _alarm_action(judge, judge.arn_of(alarm), target)
            yield Delivery(kind, alarm, target, outcome)


def _alarm_action(judge: Judge, alarm: str, target: str) -> tuple[str, Outcome]:
    if not target.startswith("arn:"):
        return "alarm → Auto Scaling policy", fails(f"{target} names nothing that the template makes")
    service = target.split(":")[2]
    if service == "sns":
        principal = "cloudwatch.amazonaws.com"
        if judge.owner(target) is None:
            need = Need("topic", principal, ("sns:Publish",))
            return "alarm → SNS topic", Outcome("outside", "the policy of a foreign topic decides", (need,))
        allowed = judge.service(principal, "sns:Publish", target, source_arn=alarm)
        return "alarm → SNS topic", allowed & judge.key_for_service(judge.owner(target), principal)
    if service == "lambda":
        principal = "lambda.alarms.cloudwatch.amazonaws.com"
        return "alarm → Lambda function", judge.service(principal, "lambda:InvokeFunction", target, source_arn=alarm)
    if service == "autoscaling":
        found = OK if judge.owner(target) else Outcome("outside", f"{target} is not in the template")
        return "alarm → Auto Scaling policy", found
    if any(action in target for action in _ALARM_ACTIONS):
        return "alarm → EC2 or Systems Manager action", OK  # by CloudWatch's service-linked roles
    return "alarm → SNS topic", fails(f"CloudWatch has no action on {service}")


def rules(judge: Judge) -> Iterator[Delivery]:
    """What EventBridge does with an event that fits a rule."""
    for rule, properties in judge.of_type("AWS::Events::Rule"):
        if properties.get("State") == "DISABLED":
            continue
        bus = properties.get("EventBusName", "default").split("/")[-1]
        arn = judge.arn_of(rule) if bus == "default" else judge.arn_of(rule).replace(":rule/", f":rule/{bus}/")
        for target in properties.get("Targets", []):
            kind, outcome = _rule_target(judge, arn, target)
            yield Delivery(kind, rule, target["Arn"], outcome)
            yield from _elsewhere(judge, rule, target)
            if queue := target.get("DeadLetterConfig", {}).get("Arn"):
                yield Delivery("rule → dead-letter queue", rule, queue, _rule_queue(judge, arn, queue, standard=True))
        yield from _buckets_of(judge, rule, properties)


def _elsewhere(judge: Judge, rule: str, target: Json) -> Iterator[Delivery]:
    """A target of another account or Region, as far as the configuration names those of the stack.

    EventBridge reaches one of another account by a role of the rule's account, one of another Region not at all, but
    for buses: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-cross-account.html
    """
    arn, common = target["Arn"], judge.template.common
    _, _, service, region, account, _ = (*arn.split(":", 5), *[""] * 6)[:6]
    if not arn.startswith("arn:") or (service == "events" and ":event-bus/" in arn):
        return
    if common.region and region not in ("", common.region):
        yield Delivery("rule → target elsewhere", rule, arn, fails(f"{arn} is of another Region than the rule"))
    elif common.account and account.isdecimal() and account != common.account:
        role = target.get("RoleArn")
        reached = (
            judge.trusts(role, "events.amazonaws.com", judge.arn_of(rule)) if role else fails(f"no role for {arn}")
        )
        yield Delivery("rule → target elsewhere", rule, arn, reached)


def _rule_queue(judge: Judge, rule: str, queue: str, *, standard: bool) -> Outcome:
    """By the queue's policy only; the role of the target plays no part."""
    owner = judge.owner(queue)
    if standard and owner and judge.properties(owner).get("FifoQueue"):
        return fails(f"{owner} is a FIFO queue")
    allowed = judge.service("events.amazonaws.com", "sqs:SendMessage", queue, source_arn=rule)
    return allowed & judge.key_for_service(owner, "events.amazonaws.com")


def _rule_target(judge: Judge, rule: str, target: Json) -> tuple[str, Outcome]:
    arn, role = target["Arn"], target.get("RoleArn")
    if not arn.startswith("arn:"):
        return "rule → another target by role", fails(f"{arn} names nothing that the template makes")
    service, kind = arn.split(":")[2], arn.split(":")[-1].split("/")[0]
    if service == "lambda":
        return "rule → Lambda function", judge.service(
            "events.amazonaws.com", "lambda:InvokeFunction", arn, source_arn=rule
        )
    if service == "sqs":
        owner = judge.owner(arn)
        fifo = owner and judge.properties(owner).get("FifoQueue")
        if fifo and not target.get("SqsParameters", {}).get("MessageGroupId"):
            return "rule → SQS queue", fails(f"{owner} is a FIFO queue and the target has no MessageGroupId")
        return "rule → SQS queue", _rule_queue(judge, rule, arn, standard=False)
    if service == "sns":
        return ("rule → SNS topic by role", _topic_by_role(judge, rule, target)) if role else (
            "rule → SNS topic", _topic(judge, arn)
        )  # fmt: skip
    if service == "logs":
        return "rule → log group", _log_group(judge, arn, role)
    if service == "events" and ":event-bus/" in arn and not role:
        return "rule → another target by role", judge.service(
            "events.amazonaws.com", "events:PutEvents", arn, source_arn=rule
        )
    by_role = {
        "states": ("rule → Step Functions", ("states:StartExecution",), arn),
        "codepipeline": ("rule → CodePipeline", ("codepipeline:StartPipelineExecution",), arn),
        "imagebuilder": ("rule → Image Builder", ("imagebuilder:StartImagePipelineExecution",), arn),
        "kinesis": ("rule → another target by role", ("kinesis:PutRecord", "kinesis:PutRecords"), arn),
        "firehose": ("rule → another target by role", ("firehose:PutRecord", "firehose:PutRecordBatch"), arn),
        "events": ("rule → another target by role", ("events:PutEvents",), arn),
        "codebuild": ("rule → another target by role", ("codebuild:StartBuild",), arn),
        "batch": ("rule → another target by role", ("batch:SubmitJob",), arn),
        "ecs": ("rule → another target by role", ("ecs:RunTask",), _task_of(target)),
        "ssm": (
            "rule → Systems Manager Automation",
            ("ssm:StartAutomationExecution",) if kind == "automation-definition" else ("ssm:SendCommand",),
            arn,
        ),
    }  # fmt: skip
    if service not in by_role:
        return "rule → another target by role", unsure(f"this rule does not know targets of {service}")
    name, actions, resource = by_role[service]
    outcome = judge.trusts(role, "events.amazonaws.com", rule) & judge.role(role, actions, resource)
    if name == "rule → Systems Manager Automation":
        outcome &= _passed_role(judge, target)
    return name, outcome


def _task_of(target: Json) -> str:
    return str(target.get("EcsParameters", {}).get("TaskDefinitionArn", target["Arn"]))


def _passed_role(judge: Judge, target: Json) -> Outcome:
    """An automation runs as the role of its document, which who starts it must be allowed to pass."""
    document = judge.named(target["Arn"].split("/")[-1].split(":")[0], "AWS::SSM::Document")
    if document is None:
        return OK
    role = judge.properties(document)["Content"].get("assumeRole")
    if not role or not role.startswith("arn:"):
        return OK
    context = {"iam:passedtoservice": ("ssm.amazonaws.com",)}
    return judge.role(target.get("RoleArn"), ("iam:PassRole",), role, context)


def _topic(judge: Judge, arn: str) -> Outcome:
    """EventBridge sends no aws:SourceArn to a topic: a condition on it never holds.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html
    """
    owner = judge.owner(arn)
    if owner is None:
        need = Need("topic", "events.amazonaws.com", ("sns:Publish",))
        return Outcome("outside", "the policy of a foreign topic decides", (need,))
    allowed = judge.service("events.amazonaws.com", "sns:Publish", arn, source_arn=None)
    return allowed & judge.key_for_service(owner, "events.amazonaws.com")


def _topic_by_role(judge: Judge, rule: str, target: Json) -> Outcome:
    role, arn = target["RoleArn"], target["Arn"]
    outcome = judge.trusts(role, "events.amazonaws.com", rule) & judge.role(role, ("sns:Publish",), arn)
    outcome &= judge.key_for_role(judge.owner(arn), role, _KEY_OF_SENDERS)
    if judge.owner(arn) is None:  # it may be another account's, to which only a role leads
        return outcome
    return outcome & unsure("the English page advises against a role for topics, its translations allow it")


def _log_group(judge: Judge, arn: str, role: str | None) -> Outcome:
    if role:
        return fails("a target that is a log group takes no role")
    group = arn.removesuffix(":*")
    outcome = OK
    for principal in ("events.amazonaws.com", "delivery.logs.amazonaws.com"):
        for action in ("logs:CreateLogStream", "logs:PutLogEvents"):
            outcome &= judge.service(principal, action, f"{group}:log-stream:«stream»", source_arn=None)
    if not group.split(":log-group:")[1].startswith("/aws/events/"):
        outcome &= unsure("some of AWS's pages ask for a name that begins with /aws/events/")
    return outcome


def _buckets_of(judge: Judge, rule: str, properties: Json) -> Iterator[Delivery]:
    """A rule that hears a bucket: the bucket must send its events to EventBridge."""
    pattern = properties.get("EventPattern", {})
    if "aws.s3" not in pattern.get("source", []):
        return
    for name in pattern.get("detail", {}).get("bucket", {}).get("name", []):
        bucket = judge.named(name, "AWS::S3::Bucket") if isinstance(name, str) else None
        if bucket is None:
            yield Delivery("S3 bucket → EventBridge", str(name), rule, Outcome("outside", "a foreign bucket"))
            continue
        sent = judge.properties(bucket).get("NotificationConfiguration", {}).get("EventBridgeConfiguration", {})
        on = sent.get("EventBridgeEnabled", False) if isinstance(sent, dict) else False
        yield Delivery(
            "S3 bucket → EventBridge", bucket, rule, OK if on else fails(f"{bucket} sends no events to EventBridge")
        )


_SCHEDULED: dict[str, tuple[str, str]] = {
    "lambda": ("schedule → Lambda function", "lambda:InvokeFunction"),
    "sqs": ("schedule → SQS queue", "sqs:SendMessage"),
    "states": ("schedule → Step Functions", "states:StartExecution"),
    "codepipeline": ("schedule → CodePipeline", "codepipeline:StartPipelineExecution"),
    "sns": ("schedule → another target", "sns:Publish"),
    "events": ("schedule → another target", "events:PutEvents"),
    "kinesis": ("schedule → another target", "kinesis:PutRecord"),
    "firehose": ("schedule → another target", "firehose:PutRecord"),
    "ecs": ("schedule → another target", "ecs:RunTask"),
    "codebuild": ("schedule → another target", "codebuild:StartBuild"),
    "inspector": ("schedule → another target", "inspector:StartAssessmentRun"),
    "sagemaker": ("schedule → another target", "sagemaker:StartPipelineExecution"),
}


def schedules(judge: Judge) -> Iterator[Delivery]:
    """What Scheduler does: always by the role of the schedule."""
    for schedule, properties in judge.of_type("AWS::Scheduler::Schedule"):
        target = properties["Target"]
        arn, role = target["Arn"], target["RoleArn"]
        # https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html
        group = judge.arn(f"scheduler:{{r}}:{{a}}:schedule-group/{properties.get('GroupName', 'default')}")
        trusted = judge.trusts(role, "scheduler.amazonaws.com", group)
        yield Delivery("schedule: confused deputy", schedule, str(role), trusted)
        service = arn.split(":")[2] if arn.startswith("arn:") else ""
        if ":::aws-sdk:" in arn:
            name, (kind, action) = ARGUMENT, ("schedule → another target", sdk_action(":".join(arn.split(":")[-2:])))
        else:
            name, (kind, action) = arn, _SCHEDULED.get(service, ("schedule → another target", ""))
        if action:
            outcome = trusted & judge.role(role, (action,), name)
            if service in ("sqs", "sns"):
                outcome &= judge.key_for_role(judge.owner(arn), role, _KEY_OF_SENDERS)
        else:
            outcome = unsure(f"this rule does not know targets of {service}")
        yield Delivery(kind, schedule, arn, outcome)
        for queue in as_list(target.get("DeadLetterConfig", {}).get("Arn")):
            owner = judge.owner(queue)
            dead = judge.role(role, _SEND, queue) & judge.key_for_role(owner, role, _KEY_OF_SENDERS)
            if owner and judge.properties(owner).get("FifoQueue"):
                dead = fails(f"{owner} is a FIFO queue")
            yield Delivery("schedule → dead-letter queue", schedule, queue, dead)


RULES: tuple[Callable[[Judge], Iterator[Delivery]], ...] = (alarms, rules, schedules)
