"""What Systems Manager, Fault Injection Service, Data Lifecycle Manager and EC2 Auto Scaling do."""

import json
from collections.abc import Callable, Iterator
from typing import Any

from tests.conformance.deliveries.judge import (
    AUTO_SCALING_ROLE,
    OK,
    Delivery,
    Judge,
    Outcome,
    fails,
    unsure,
)
from tests.conformance.policies.evaluation import as_list
from tests.conformance.templates import Json

_SEND_KEY = ("kms:GenerateDataKey", "kms:Decrypt")
_EBS_KEY = (
    "kms:CreateGrant",
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncrypt*",
)
# https://docs.aws.amazon.com/ebs/latest/userguide/ebs-encryption-requirements.html
_VOLUME_KEY = (
    "kms:CreateGrant",
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
)
_STEPS_WITHOUT_PERMISSIONS = {"aws:sleep", "aws:branch", "aws:pause", "aws:loop", "aws:assertAwsResourceProperty"}
# https://docs.aws.amazon.com/fis/latest/userguide/fis-actions-reference.html, "Permissions" of each action
_EXPERIMENTS: dict[str, tuple[tuple[str, str], ...]] = {
    "aws:ec2:send-spot-instance-interruptions": (("ec2:SendSpotInstanceInterruptions", "instance"),),
    "aws:ec2:stop-instances": (("ec2:StopInstances", "instance"), ("ec2:StartInstances", "instance")),
    "aws:ec2:terminate-instances": (("ec2:TerminateInstances", "instance"),),
    "aws:ec2:reboot-instances": (("ec2:RebootInstances", "instance"),),
    "aws:fis:wait": (),
}


def automations(judge: Judge) -> Iterator[Delivery]:
    """Automation documents: their role, and the API of each step."""
    for document, properties in judge.of_type("AWS::SSM::Document"):
        content = properties["Content"]
        if properties.get("DocumentType") != "Automation":
            yield Delivery("SSM document that is not an Automation", document, "the instance's role", OK)
            continue
        role = content.get("assumeRole", "")
        if not role.startswith("arn:"):
            yield Delivery("SSM Automation → its role", document, role, OK)  # as whoever starts it
            continue
        trusted = judge.trusts(role, "ssm.amazonaws.com", judge.arn("ssm:{r}:{a}:automation-execution/«execution»"))
        yield Delivery("SSM Automation → its role", document, role, trusted)
        for step in content["mainSteps"]:
            name = f"{document}/{step['name']}"
            if step["action"] in _STEPS_WITHOUT_PERMISSIONS and "Service" not in step.get("inputs", {}):
                yield Delivery("SSM step without permissions", name, step["action"], OK)
            else:
                yield Delivery("SSM step → AWS API", name, step["action"], _step(judge, role, step))


def _step(judge: Judge, role: str, step: Json) -> Outcome:
    inputs = step.get("inputs", {})
    if "Service" not in inputs:
        return unsure(f"this rule does not know {step['action']}")
    action = f"{inputs['Service']}:{inputs['Api']}"
    if action == "ec2:RunInstances":
        return _run_instances(judge, role, inputs)
    return judge.role(role, (action,), _resource(judge, action, inputs))


def _resource(judge: Judge, action: str, inputs: Json) -> str:
    """The resource of the calls that our documents make; any other may be any."""
    if name := inputs.get("AutoScalingGroupName"):
        return judge.arn(f"autoscaling:{{r}}:{{a}}:autoScalingGroup:«uuid»:autoScalingGroupName/{name}")
    api = action.split(":")[1]
    if api.startswith(("Describe", "List")):
        return "*"
    if "InstanceIds" in inputs:
        return judge.arn("ec2:{r}:{a}:instance/«instance»")
    return "«resource»"


def _run_instances(judge: Judge, role: str, inputs: Json) -> Outcome:
    """https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ExamplePolicies_EC2.html#iam-example-runinstances"""
    template = judge.named(str(inputs.get("LaunchTemplate", {}).get("LaunchTemplateId")), "AWS::EC2::LaunchTemplate")
    data = judge.properties(template)["LaunchTemplateData"] if template else {}
    outcome = OK
    kinds = ["instance", "network-interface", "security-group", "subnet", "volume"]
    for kind in (*kinds, *(["launch-template"] if template else [])):
        outcome &= judge.role(role, ("ec2:RunInstances",), judge.arn(f"ec2:{{r}}:{{a}}:{kind}/«{kind}»"))
    outcome &= judge.role(role, ("ec2:RunInstances",), judge.arn("ec2:{r}::image/«image»"))
    tagged = {one["ResourceType"] for one in (*inputs.get("TagSpecifications", []), *data.get("TagSpecifications", []))}
    created = {"ec2:createaction": ("RunInstances",)}
    for kind in sorted(tagged):
        outcome &= judge.role(role, ("ec2:CreateTags",), judge.arn(f"ec2:{{r}}:{{a}}:{kind}/«{kind}»"), created)
    profile = data.get("IamInstanceProfile", {}) | inputs.get("IamInstanceProfile", {})
    if profile:
        owner = judge.owner(profile.get("Arn")) or judge.named(str(profile.get("Name")), "AWS::IAM::InstanceProfile")
        passed = judge.arn(f"iam::{{a}}:role/{judge.properties(owner)['Roles'][0]}") if owner else "«role»"
        context = {"iam:passedtoservice": ("ec2.amazonaws.com",)}
        outcome &= judge.role(role, ("iam:PassRole",), passed, context)
    return outcome


def associations(judge: Judge) -> Iterator[Delivery]:
    """State Manager: a document on instances runs by their role, an Automation by its own."""
    for association, properties in judge.of_type("AWS::SSM::Association"):
        outcome = OK
        for role in as_list(properties.get("Parameters", {}).get("AutomationAssumeRole")):
            outcome = judge.trusts(role, "ssm.amazonaws.com")
        yield Delivery("SSM association → document", association, properties["Name"], outcome)


def experiments(judge: Judge) -> Iterator[Delivery]:
    """Fault Injection Service, by the role of the experiment template."""
    for experiment, properties in judge.of_type("AWS::FIS::ExperimentTemplate"):
        role = properties["RoleArn"]
        source = judge.arn("fis:{r}:{a}:experiment/«experiment»")
        yield Delivery("FIS → its role", experiment, role, judge.trusts(role, "fis.amazonaws.com", source))
        for name, action in properties["Actions"].items():
            yield Delivery("FIS → action", f"{experiment}/{name}", action["ActionId"], _experiment(judge, role, action))
        for stop in properties["StopConditions"]:
            if stop["Source"] != "none":
                foreign = stop["Value"].startswith("arn:")
                missing = Outcome("outside", "a foreign alarm") if foreign else fails("no such alarm")
                outcome = OK if judge.owner(stop["Value"]) else missing
                yield Delivery("FIS → stop condition", experiment, stop["Value"], outcome)
        logs = properties.get("LogConfiguration", {})
        if "CloudWatchLogsConfiguration" in logs:
            # https://docs.aws.amazon.com/fis/latest/userguide/monitoring-logging.html
            wanted = (
                "logs:CreateLogDelivery",
                "logs:PutResourcePolicy",
                "logs:DescribeResourcePolicies",
                "logs:DescribeLogGroups",
            )
            yield Delivery("FIS → its log", experiment, "CloudWatch Logs", judge.role(role, wanted, "*"))
        if "S3Configuration" in logs:
            allowed = judge.role(role, ("logs:CreateLogDelivery",), "*")
            yield Delivery("FIS → its log", experiment, "S3", allowed)


def _experiment(judge: Judge, role: str, action: Json) -> Outcome:
    if action["ActionId"] not in _EXPERIMENTS:
        return unsure(f"this rule does not know {action['ActionId']}")
    outcome = OK
    for wanted, kind in _EXPERIMENTS[action["ActionId"]]:
        outcome &= judge.role(role, (wanted,), judge.arn(f"ec2:{{r}}:{{a}}:{kind}/«{kind}»"))
    return outcome


def snapshot_lifecycles(judge: Judge) -> Iterator[Delivery]:
    """https://docs.aws.amazon.com/ebs/latest/userguide/dlm-prerequisites.html"""
    for policy, properties in judge.of_type("AWS::DLM::LifecyclePolicy"):
        role = properties["ExecutionRoleArn"]
        trusted = judge.trusts(role, "dlm.amazonaws.com", judge.arn_of(policy))
        yield Delivery("DLM → its role", policy, role, trusted)
        volumes, snapshots = judge.arn("ec2:{r}:{a}:volume/«volume»"), judge.arn("ec2:{r}::snapshot/«snapshot»")
        outcome = judge.role(role, ("ec2:DescribeInstances", "ec2:DescribeVolumes", "ec2:DescribeSnapshots"), "*")
        of_instances = "INSTANCE" in properties["PolicyDetails"].get("ResourceTypes", [])
        call = "ec2:CreateSnapshots" if of_instances else "ec2:CreateSnapshot"
        for one in [one for one, _ in judge.of_type("AWS::EC2::Volume")] or [""]:
            outcome &= judge.role(
                role, (call,), judge.arn(f"ec2:{{r}}:{{a}}:volume/{judge.ref(one)}") if one else volumes
            )
        outcome &= judge.role(role, (call, "ec2:CreateTags", "ec2:DeleteSnapshot"), snapshots)
        if "AWS::StackId" not in json.dumps(judge.raw[policy]["Properties"]["PolicyDetails"].get("TargetTags", [])):
            # A stack of this name before may have kept what it has tagged: the policy targets that too.
            outcome &= judge.role(role, (call,), judge.arn("ec2:{r}:{a}:volume/<kept>"))
        yield Delivery("DLM → snapshots", policy, "snapshots", outcome)
        for volume in [one for one, _ in judge.of_type("AWS::EC2::Volume") if judge.key_of(one)]:
            outcome = judge.key_for_role(volume, role, _VOLUME_KEY)
            yield Delivery("DLM → key of the volumes", policy, str(judge.key_of(volume)), outcome)


def groups(judge: Judge) -> Iterator[Delivery]:
    """EC2 Auto Scaling: the key of its volumes, its hooks, whom it notifies."""
    for group, properties in judge.of_type("AWS::AutoScaling::AutoScalingGroup"):
        yield Delivery("Auto Scaling → key of the volumes", group, "volumes", _volumes(judge, properties))
        for hook in properties.get("LifecycleHookSpecificationList", []):
            yield _hook(judge, f"{group}/{hook['LifecycleHookName']}", hook)
        for one in properties.get("NotificationConfigurations", []):
            for topic in as_list(one["TopicARN"]):
                caller = judge.arn(f"iam::{{a}}:{AUTO_SCALING_ROLE}")
                denied = judge.denies(topic, caller, "sns:Publish")
                outcome = fails(f"the policy of {topic} denies it") if denied else OK
                outcome &= judge.key_for_service(
                    judge.owner(topic), AUTO_SCALING_ROLE, ("kms:GenerateDataKey*", "kms:Decrypt")
                )
                yield Delivery("Auto Scaling → notification", group, topic, outcome)
    for hook, properties in judge.of_type("AWS::AutoScaling::LifecycleHook"):
        yield _hook(judge, hook, properties)


def _hook(judge: Judge, name: str, hook: Json) -> Delivery:
    target, role = hook.get("NotificationTargetARN"), hook.get("RoleARN")
    if not target:
        return Delivery("lifecycle hook → EventBridge only", name, "-", OK)
    action = "sqs:SendMessage" if ":sqs:" in target else "sns:Publish"
    outcome = judge.trusts(role, "autoscaling.amazonaws.com") & judge.role(role, (action,), target)
    outcome &= judge.key_for_role(judge.owner(target), role, _SEND_KEY)
    return Delivery("lifecycle hook → target", name, target, outcome)


def _volumes(judge: Judge, group: Json) -> Outcome:
    outcome = OK
    for found in _specifications(group):
        template = judge.named(str(found.get("LaunchTemplateId")), "AWS::EC2::LaunchTemplate")
        if template is None:
            outcome &= Outcome("outside", "a foreign launch template")
            continue
        for mapping in judge.properties(template)["LaunchTemplateData"].get("BlockDeviceMappings", []):
            key = mapping.get("Ebs", {}).get("KmsKeyId")
            if key:
                outcome &= judge.key(key, AUTO_SCALING_ROLE, _EBS_KEY)
    return outcome


def _specifications(group: Json) -> Iterator[dict[str, Any]]:
    if "LaunchTemplate" in group:
        yield group["LaunchTemplate"]
    mixed = group.get("MixedInstancesPolicy", {}).get("LaunchTemplate", {})
    if mixed:
        yield mixed["LaunchTemplateSpecification"]
        yield from (
            one["LaunchTemplateSpecification"]
            for one in mixed.get("Overrides", [])
            if "LaunchTemplateSpecification" in one
        )


def profiles(judge: Judge) -> Iterator[Delivery]:
    """EC2 takes the role of an instance profile."""
    for profile, properties in judge.of_type("AWS::IAM::InstanceProfile"):
        role = judge.arn(f"iam::{{a}}:role/{properties['Roles'][0]}")
        yield Delivery("instance profile → its role", profile, role, judge.trusts(role, "ec2.amazonaws.com"))


RULES: tuple[Callable[[Judge], Iterator[Delivery]], ...] = (
    automations,
    associations,
    experiments,
    snapshot_lifecycles,
    groups,
    profiles,
)
