"""Small templates for tests: what they need of CloudFormation, in a line each."""

from typing import Any

from config.models import CommonSettings, SolutionSettings
from tests.conformance.templates import Json, Template

KEY = "arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555"


def small(resources: dict[str, Json], region: str | None = None, account: str | None = None) -> Template:
    """A template of these resources, as a stack of the app would have it."""
    common = CommonSettings(region=region, account=account)
    return Template("small", "sqs_target_scaling", {"Resources": resources}, SolutionSettings(), common)


def arn(logical_id: str) -> Json:
    return {"Fn::GetAtt": [logical_id, "Arn"]}


def ref(logical_id: str) -> Json:
    return {"Ref": logical_id}


def resource(kind: str, **properties: Any) -> Json:
    return {"Type": kind, "Properties": properties}


def statement(action: Any, on: Any, service: str = "", **conditions: Any) -> Json:
    """One Allow; with a service as its principal, and conditions as ``ArnLike={...}``."""
    found: Json = {"Effect": "Allow", "Action": action, "Resource": on}
    if service:
        found["Principal"] = {"Service": f"{service}.amazonaws.com"}
    if conditions:
        found["Condition"] = conditions
    return found


def document(*statements: Json) -> Json:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def role(service: str, *allowed: Json) -> Json:
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": f"{service}.amazonaws.com"}}
    policies = [{"PolicyName": "own", "PolicyDocument": document(*allowed)}] if allowed else []
    return resource("AWS::IAM::Role", AssumeRolePolicyDocument=document(trust), Policies=policies)


def function() -> dict[str, Json]:
    return {"Function": resource("AWS::Lambda::Function", Role=arn("Own")), "Own": role("lambda")}


def permission(service: str, source: Any) -> Json:
    return resource(
        "AWS::Lambda::Permission",
        Action="lambda:InvokeFunction",
        FunctionName=arn("Function"),
        Principal=f"{service}.amazonaws.com",
        SourceArn=source,
    )


def queue(service: str, source: Any) -> dict[str, Json]:
    """A queue to which a service may send from one source."""
    allow = statement("sqs:SendMessage", arn("Queue"), service, ArnEquals={"aws:SourceArn": source})
    policy = resource("AWS::SQS::QueuePolicy", Queues=[ref("Queue")], PolicyDocument=document(allow))
    return {"Queue": resource("AWS::SQS::Queue"), "Policy": policy}


def topic(*allowed: Json) -> dict[str, Json]:
    policy = resource("AWS::SNS::TopicPolicy", Topics=[ref("Topic")], PolicyDocument=document(*allowed))
    return {"Topic": resource("AWS::SNS::Topic"), "TopicPolicy": policy}


def bucket(*allowed: Json, **properties: Any) -> dict[str, Json]:
    policy = resource("AWS::S3::BucketPolicy", Bucket=ref("Bucket"), PolicyDocument=document(*allowed))
    return {"Bucket": resource("AWS::S3::Bucket", **properties), "BucketPolicy": policy}


def objects(of: str = "Bucket") -> Json:
    return {"Fn::Join": ["", [arn(of), "/*"]]}
