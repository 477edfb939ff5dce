"""What Step Functions does: every integration of every state, its logs and its traces.

A resource of the form ``arn:…:states:::service:api.sync`` waits for an event of a managed rule:
https://docs.aws.amazon.com/step-functions/latest/dg/connect-to-resource.html
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from tests.conformance.deliveries.judge import OK, Delivery, Judge, Outcome, fails, unsure
from tests.conformance.templates import Json

_SEND_KEY = ("kms:GenerateDataKey", "kms:Decrypt")
_EVENTS = ("events:PutTargets", "events:PutRule", "events:DescribeRule")
_LOGS = (
    "logs:CreateLogDelivery",
    "logs:GetLogDelivery",
    "logs:UpdateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:DescribeResourcePolicies",
    "logs:DescribeLogGroups",
)
_TRACES = ("xray:PutTraceSegments", "xray:PutTelemetryRecords", "xray:GetSamplingRules", "xray:GetSamplingTargets")
# Of an integration: the argument that names the resource, the actions on it, those for .sync, and the managed rule.
# https://docs.aws.amazon.com/step-functions/latest/dg/service-integration-iam-templates.html, a page per service
_INTEGRATIONS: dict[str, tuple[str, tuple[str, ...], tuple[str, ...], str]] = {
    "lambda:invoke": ("FunctionName", ("lambda:InvokeFunction",), (), ""),
    "sns:publish": ("TopicArn", ("sns:Publish",), (), ""),
    "sqs:sendMessage": ("QueueUrl", ("sqs:SendMessage",), (), ""),
    "events:putEvents": ("", ("events:PutEvents",), (), ""),
    "dynamodb:getItem": ("TableName", ("dynamodb:GetItem",), (), ""),
    "dynamodb:putItem": ("TableName", ("dynamodb:PutItem",), (), ""),
    "dynamodb:updateItem": ("TableName", ("dynamodb:UpdateItem",), (), ""),
    "dynamodb:deleteItem": ("TableName", ("dynamodb:DeleteItem",), (), ""),
    "codebuild:startBuild": (
        "ProjectName",
        ("codebuild:StartBuild",),
        ("codebuild:StopBuild", "codebuild:BatchGetBuilds"),
        "StepFunctionsGetEventForCodeBuildStartBuildRule",
    ),
    "batch:submitJob": (
        "",
        ("batch:SubmitJob",),
        ("batch:DescribeJobs", "batch:TerminateJob"),
        "StepFunctionsGetEventsForBatchJobsRule",
    ),
    "ecs:runTask": (
        "TaskDefinition",
        ("ecs:RunTask",),
        ("ecs:StopTask", "ecs:DescribeTasks"),
        "StepFunctionsGetEventsForECSTaskRule",
    ),
}
_EXECUTIONS_RULE = "StepFunctionsGetEventsForStepFunctionsExecutionRule"
# Integrations of the SDK whose action has another name or prefix than the API.
_PREFIXES = {
    "sfn": "states",
    "cloudwatchlogs": "logs",
    "eventbridge": "events",
    "ec2": "ec2",
    "imagebuilder": "imagebuilder",
}


def machines(judge: Judge) -> Iterator[Delivery]:
    """Everything that a state machine touches."""
    for machine, properties in judge.of_type("AWS::StepFunctions::StateMachine"):
        role = properties["RoleArn"]
        trusted = judge.trusts(role, "states.amazonaws.com", judge.arn_of(machine))
        yield Delivery("state machine → its role", machine, str(role), trusted)
        for destination in properties.get("LoggingConfiguration", {}).get("Destinations", []):
            group = destination["CloudWatchLogsLogGroup"]["LogGroupArn"]
            yield Delivery("state machine → log group", machine, group, _logs(judge, role, group))
        if properties.get("TracingConfiguration", {}).get("Enabled"):
            yield Delivery("state machine → X-Ray", machine, "X-Ray", judge.role(role, _TRACES, "*"))
        for name, state in states(definition(properties)):
            yield from _task(judge, f"{machine}/{name}", role, state)


def definition(properties: Json) -> Json:
    """The definition of a state machine, its substitutions made."""
    found = properties.get("Definition") or properties.get("DefinitionString", "{}")
    text = found if isinstance(found, str) else json.dumps(found)
    for name, value in properties.get("DefinitionSubstitutions", {}).items():
        text = text.replace(f"${{{name}}}", json.dumps(str(value))[1:-1])
    parsed: Json = json.loads(text)
    return parsed


def states(machine: Json) -> Iterator[tuple[str, Json]]:
    """Every state, those inside of Map and Parallel too."""
    for name, state in machine.get("States", {}).items():
        yield name, state
        for inner in (*state.get("Branches", []), state.get("ItemProcessor", {}), state.get("Iterator", {})):
            yield from states(inner)


def _task(judge: Judge, source: str, role: str, state: Json) -> Iterator[Delivery]:
    if state.get("Type") != "Task":
        return
    resource = state["Resource"]
    if ":lambda:" in resource and ":function:" in resource:
        allowed = judge.role(role, ("lambda:InvokeFunction",), resource)
        yield Delivery("state → Lambda function", source, resource, allowed)
        return
    if ":states:::" not in resource:
        yield Delivery("state → another service", source, resource, OK)  # an activity: whoever polls needs permissions
        return
    arguments: Json = state.get("Arguments") or state.get("Parameters") or {}
    api = resource.split(":states:::")[1]
    if api.startswith("states:startExecution"):
        yield _nested(judge, source, role, api, arguments)
        return
    if api.startswith("aws-sdk:"):
        yield Delivery("state → another service", source, resource, _sdk(judge, role, api))
        return
    bare = re.sub(r"\.(sync(:2)?|waitForTaskToken)$", "", api)
    if bare not in _INTEGRATIONS:
        yield Delivery("state → another service", source, resource, unsure(f"this rule does not know {bare}"))
        return
    name, actions, waiting, rule = _INTEGRATIONS[bare]
    target = _target(judge, bare, arguments.get(name, arguments.get(f"{name}.$", "*")) if name else "*")
    outcome = judge.role(role, actions, target)
    if ".sync" in api:
        outcome &= judge.role(role, waiting, "*" if bare.startswith(("batch", "ecs")) else target)
        outcome &= judge.role(role, _EVENTS, judge.arn(f"events:{{r}}:{{a}}:rule/{rule}"))
    if bare.startswith(("sns", "sqs")):
        outcome &= judge.key_for_role(judge.owner(target), role, _SEND_KEY)
    yield Delivery(
        "state → Lambda function" if bare == "lambda:invoke" else "state → another service", source, target, outcome
    )


def _target(judge: Judge, api: str, named: Any) -> str:
    if not isinstance(named, str) or named.startswith(("$", "{%")):
        return "«argument»"
    if named.startswith("arn:"):
        return named
    types = {"lambda": "AWS::Lambda::Function", "sqs": "AWS::SQS::Queue", "codebuild": "AWS::CodeBuild::Project"}
    types["dynamodb"] = "AWS::DynamoDB::GlobalTable"
    owner = judge.named(named, types.get(api.split(":")[0], ""))
    return judge.arn_of(owner) if owner else "«argument»" if named != "*" else "*"


def _nested(judge: Judge, source: str, role: str, api: str, arguments: Json) -> Delivery:
    """https://docs.aws.amazon.com/step-functions/latest/dg/connect-stepfunctions.html"""
    machine = arguments.get("StateMachineArn", "«argument»")
    outcome = judge.role(role, ("states:StartExecution",), machine)
    if ".sync" not in api:
        return Delivery("state → another service", source, machine, outcome)
    executions = machine.replace(":stateMachine:", ":execution:") + ":«execution»"
    outcome &= judge.role(role, ("states:DescribeExecution", "states:StopExecution"), executions)
    outcome &= judge.role(role, _EVENTS, judge.arn(f"events:{{r}}:{{a}}:rule/{_EXECUTIONS_RULE}"))
    return Delivery("state → Step Functions .sync:2", source, machine, outcome)


def _sdk(judge: Judge, role: str, api: str) -> Outcome:
    return judge.role(role, (sdk_action(api.removeprefix("aws-sdk:")),), ARGUMENT)


ARGUMENT = "«argument»"
"""The resource of a call to an API that is an argument: any will do."""


def sdk_action(api: str) -> str:
    """The action of an API, ``service:callName``, has its name in most services."""
    service, call = api.split(":")
    call = re.sub(r"\.waitForTaskToken$", "", call)
    return f"{_PREFIXES.get(service, service)}:{call[0].upper()}{call[1:]}"


def _logs(judge: Judge, role: str, group: str) -> Outcome:
    """https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html, and bp-cwl.html on the name."""
    if not group.endswith(":*"):
        return fails("the ARN of the log group must end in ':*'")
    outcome = judge.role(role, _LOGS, "*")
    if ":log-group:/aws/vendedlogs/" not in group:
        outcome &= unsure("a group outside /aws/vendedlogs/ takes room in the account's one policy of 5,120 characters")
    return outcome


RULES: tuple[Callable[[Judge], Iterator[Delivery]], ...] = (machines,)
