"""Deliveries to, from and around Lambda functions, queues, topics and buckets."""

import json
from collections.abc import Callable, Iterator

from tests.conformance.deliveries.judge import OK, Delivery, Judge, Outcome, fails
from tests.conformance.templates import Json

_SEND_KEY = ("kms:GenerateDataKey", "kms:Decrypt")
_INTERFACES = (
    "ec2:CreateNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:DeleteNetworkInterface",
    "ec2:AssignPrivateIpAddresses",
    "ec2:UnassignPrivateIpAddresses",
)


def functions(judge: Judge) -> Iterator[Delivery]:
    """What the Lambda service does as the role of a function."""
    for function, properties in judge.of_type("AWS::Lambda::Function"):
        role = properties["Role"]
        trusted = judge.trusts(role, "lambda.amazonaws.com", judge.arn_of(function))
        yield Delivery("Lambda → its role", function, str(role), trusted)
        name = properties.get("LoggingConfig", {}).get("LogGroup") or f"/aws/lambda/{judge.name_of(function)}"
        streams = judge.arn(f"logs:{{r}}:{{a}}:log-group:{name}:log-stream:«stream»")
        written = judge.role(role, ("logs:CreateLogStream", "logs:PutLogEvents"), streams)
        yield Delivery("Lambda → log group", function, name, written)
        if (key := properties.get("KmsKeyArn")) and properties.get("Environment", {}).get("Variables"):
            read = judge.role(role, ("kms:Decrypt",), key)
            yield Delivery("Lambda → key of its environment", function, key, read)
        if properties.get("VpcConfig", {}).get("SubnetIds"):
            yield Delivery("Lambda → VPC", function, "VPC", judge.role(role, _INTERFACES, "*"))
        if target := properties.get("DeadLetterConfig", {}).get("TargetArn"):
            yield Delivery("Lambda → dead-letter queue", function, target, _by_role(judge, role, target))


def destinations(judge: Judge) -> Iterator[Delivery]:
    """Where Lambda writes what became of an asynchronous invocation, as the role of the function."""
    for config, properties in judge.of_type("AWS::Lambda::EventInvokeConfig"):
        named = properties["FunctionName"]
        function = judge.named(named, "AWS::Lambda::Function") or judge.owner(named)
        for end in ("OnFailure", "OnSuccess"):
            target = properties.get("DestinationConfig", {}).get(end, {}).get("Destination")
            if target:
                role = judge.properties(function)["Role"] if function else None
                yield Delivery("Lambda → async destination", config, target, _by_role(judge, role, target))


def _by_role(judge: Judge, role: object, target: str) -> Outcome:
    actions = {
        "sqs": ("sqs:SendMessage",),
        "sns": ("sns:Publish",),
        "lambda": ("lambda:InvokeFunction",),
        "events": ("events:PutEvents",),
        "s3": ("s3:PutObject", "s3:ListBucket"),
    }
    service = target.split(":")[2] if target.startswith("arn:") else "?"
    if service not in actions:
        return fails(f"Lambda has no destination of {service}")
    outcome = OK
    for action in actions[service]:
        outcome &= judge.role(role, (action,), f"{target}/«key»" if action == "s3:PutObject" else target)
    return outcome & judge.key_for_role(judge.owner(target), role, _SEND_KEY)


_POLLS = {
    "sqs": ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"),
    "dynamodb": ("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"),
    "kinesis": ("kinesis:DescribeStream", "kinesis:GetRecords", "kinesis:GetShardIterator"),
}


def event_sources(judge: Judge) -> Iterator[Delivery]:
    """What Lambda polls, as the role of the function."""
    for mapping, properties in judge.of_type("AWS::Lambda::EventSourceMapping"):
        named, arn = properties["FunctionName"], properties.get("EventSourceArn", "")
        function = judge.named(named, "AWS::Lambda::Function") or judge.owner(named)
        service = arn.split(":")[2] if arn.startswith("arn:") else ""
        if not function or service not in _POLLS:
            yield Delivery(
                "SQS queue → Lambda", mapping, arn, Outcome("outside", f"an event source of {service or '?'}")
            )
            continue
        caller = judge.properties(function)
        outcome = judge.role(caller["Role"], _POLLS[service], arn)
        outcome &= judge.key_for_role(judge.owner(arn), caller["Role"], ("kms:Decrypt",))
        if (queue := judge.owner(arn)) and service == "sqs":
            outcome &= _fits(judge.properties(queue), caller, properties)
        yield Delivery("SQS queue → Lambda", mapping, arn, outcome)


def _fits(queue: Json, function: Json, mapping: Json) -> Outcome:
    """https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html"""
    visibility, timeout = int(queue.get("VisibilityTimeout", 30)), int(function.get("Timeout", 3))
    if visibility < timeout:
        return fails(f"messages are hidden for {visibility} s, less than the function's {timeout} s")
    batch, window = int(mapping.get("BatchSize", 10)), int(mapping.get("MaximumBatchingWindowInSeconds", 0))
    if batch > 10 and window < 1:
        return fails(f"a batch of {batch} needs MaximumBatchingWindowInSeconds of 1 or more")
    if queue.get("FifoQueue") and (batch > 10 or window):
        return fails("a FIFO queue has batches of at most 10 and no window")
    return OK


def dead_letter_queues(judge: Judge) -> Iterator[Delivery]:
    """Where SQS moves messages that nobody could handle."""
    for queue, properties in judge.of_type("AWS::SQS::Queue"):
        redrive = properties.get("RedrivePolicy")
        redrive = json.loads(redrive) if isinstance(redrive, str) else redrive
        if not redrive:
            continue
        target = judge.owner(redrive["deadLetterTargetArn"])
        yield Delivery(
            "SQS queue → dead-letter queue", queue, redrive["deadLetterTargetArn"], _redriven(judge, queue, target)
        )


def _redriven(judge: Judge, queue: str, target: str | None) -> Outcome:
    if target is None:
        return Outcome("outside", "a foreign dead-letter queue")
    theirs = judge.properties(target)
    if bool(theirs.get("FifoQueue")) != bool(judge.properties(queue).get("FifoQueue")):
        return fails(f"{queue} and {target} are not both standard or both FIFO")
    allowed = theirs.get("RedriveAllowPolicy", {})
    if allowed.get("redrivePermission") == "denyAll":
        return fails(f"{target} takes messages of no queue")
    if allowed.get("redrivePermission") == "byQueue" and judge.arn_of(queue) not in allowed.get("sourceQueueArns", []):
        return fails(f"{target} does not name {queue} in RedriveAllowPolicy")
    return OK


def subscriptions(judge: Judge) -> Iterator[Delivery]:
    """Where SNS sends what is published, and what it could not send."""
    found = list(judge.of_type("AWS::SNS::Subscription"))
    for topic, properties in judge.of_type("AWS::SNS::Topic"):
        own = properties.get("Subscription", [])
        found += [(f"{topic}/{index}", {**one, "TopicArn": judge.arn_of(topic)}) for index, one in enumerate(own)]
    for name, properties in found:
        topic_arn, target = properties["TopicArn"], properties.get("Endpoint", "")
        yield Delivery("SNS topic → subscriber", name, target, _subscriber(judge, topic_arn, target, properties))
        redrive = properties.get("RedrivePolicy") or {}
        redrive = json.loads(redrive) if isinstance(redrive, str) else redrive
        if queue := redrive.get("deadLetterTargetArn"):
            yield Delivery("SNS topic → dead-letter queue", name, queue, _to_queue(judge, "sns", queue, topic_arn))


def _subscriber(judge: Judge, topic: str, target: str, properties: Json) -> Outcome:
    protocol = properties["Protocol"]
    if protocol == "sqs":
        owner = judge.owner(target)
        if owner and judge.properties(owner).get("FifoQueue") and not topic.endswith(".fifo"):
            return fails(f"{owner} is a FIFO queue and the topic is not")
        return _to_queue(judge, "sns", target, topic)
    if protocol == "lambda":
        return judge.service("sns.amazonaws.com", "lambda:InvokeFunction", target, source_arn=topic)
    if protocol == "firehose":
        role = properties.get("SubscriptionRoleArn")
        actions = ("firehose:PutRecord", "firehose:PutRecordBatch", "firehose:DescribeDeliveryStream")
        return judge.trusts(role, "sns.amazonaws.com", topic) & judge.role(role, actions, target)
    return OK  # e-mail, text messages, HTTP: whoever receives them confirms


def _to_queue(judge: Judge, service: str, queue: str, source: str) -> Outcome:
    principal = f"{service}.amazonaws.com"
    allowed = judge.service(principal, "sqs:SendMessage", queue, source_arn=source)
    return allowed & judge.key_for_service(judge.owner(queue), principal)


def bucket_notifications(judge: Judge) -> Iterator[Delivery]:
    """Where S3 sends events of a bucket, set by the bucket or by the CDK's custom resource."""
    found = [(i, i, p.get("NotificationConfiguration", {})) for i, p in judge.of_type("AWS::S3::Bucket")]
    for name, properties in judge.of_type("Custom::S3BucketNotifications"):
        bucket = judge.named(properties["BucketName"], "AWS::S3::Bucket")
        found.append((name, bucket or "", properties.get("NotificationConfiguration", {})))
    for name, bucket, config in found:
        source = judge.arn_of(bucket) if bucket else "«bucket»"
        for one in (*config.get("LambdaConfigurations", []), *config.get("LambdaFunctionConfigurations", [])):
            target = one.get("Function") or one["LambdaFunctionArn"]
            allowed = judge.service("s3.amazonaws.com", "lambda:InvokeFunction", target, source_arn=source)
            yield Delivery("S3 bucket → function, queue, topic", name, target, allowed)
        for one in config.get("QueueConfigurations", []):
            target = one.get("Queue") or one["QueueArn"]
            yield Delivery("S3 bucket → function, queue, topic", name, target, _to_queue(judge, "s3", target, source))
        for one in config.get("TopicConfigurations", []):
            target = one.get("Topic") or one["TopicArn"]
            allowed = judge.service("s3.amazonaws.com", "sns:Publish", target, source_arn=source)
            allowed &= judge.key_for_service(judge.owner(target), "s3.amazonaws.com")
            yield Delivery("S3 bucket → function, queue, topic", name, target, allowed)


def custom_resources(judge: Judge) -> Iterator[Delivery]:
    """CloudFormation invokes the function of a custom resource with the permissions of whoever deploys."""
    for logical_id, kind in judge.types.items():
        if kind.startswith("Custom::") or kind == "AWS::CloudFormation::CustomResource":
            token = judge.properties(logical_id)["ServiceToken"]
            owner = judge.owner(token)
            there = owner is not None and judge.types[owner] in ("AWS::Lambda::Function", "AWS::SNS::Topic")
            foreign = ":lambda:" in token or ":sns:" in token
            outcome = (
                OK if there else Outcome("outside", "a foreign function") if foreign else fails("no such function")
            )
            yield Delivery("custom resource → Lambda function", logical_id, token, outcome)


RULES: tuple[Callable[[Judge], Iterator[Delivery]], ...] = (
    functions,
    destinations,
    event_sources,
    dead_letter_queues,
    subscriptions,
    bucket_notifications,
    custom_resources,
)
