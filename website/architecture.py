"""A diagram of a template: what starts what, which code acts on which state; the parts that every stack has are folded.

Roles, policies, permissions, log groups and subnets are no boxes: a role is an arrow from who has it to what it allows.
Alarms are one box.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Json = Mapping[str, Any]

TRIGGERS, CODE, HOSTS, STATE, SEEN = "What starts it", "Code", "Hosts and network", "State", "Seen by people"
ROLES: Mapping[str, tuple[str, str, str]] = {
    "AWS::Events::Rule": (TRIGGERS, "([", "])"),
    "AWS::Scheduler::Schedule": (TRIGGERS, "([", "])"),
    "AWS::Lambda::Function": (CODE, "[[", "]]"),
    "AWS::StepFunctions::StateMachine": (CODE, "{{", "}}"),
    "AWS::CodeBuild::Project": (CODE, "[[", "]]"),
    "AWS::CodePipeline::Pipeline": (CODE, "{{", "}}"),
    "AWS::SSM::Document": (CODE, "{{", "}}"),
    "AWS::SSM::Association": (TRIGGERS, "([", "])"),
    "AWS::ImageBuilder::ImagePipeline": (CODE, "{{", "}}"),
    "AWS::FIS::ExperimentTemplate": (CODE, "{{", "}}"),
    "AWS::DLM::LifecyclePolicy": (CODE, "{{", "}}"),
    "AWS::AutoScaling::AutoScalingGroup": (HOSTS, "[", "]"),
    "AWS::EC2::Instance": (HOSTS, "[", "]"),
    "AWS::EC2::InstanceConnectEndpoint": (HOSTS, "[", "]"),
    "AWS::EC2::CapacityReservation": (HOSTS, "[", "]"),
    "AWS::EC2::LocalGatewayRouteTable": (HOSTS, "[", "]"),
    "AWS::EC2::NetworkInterface": (HOSTS, "[", "]"),
    "AWS::ResourceGroups::Group": (HOSTS, "[", "]"),
    "AWS::ElasticLoadBalancingV2::LoadBalancer": (HOSTS, "[", "]"),
    "AWS::EC2::Volume": (STATE, "[(", ")]"),
    "AWS::S3::Bucket": (STATE, "[(", ")]"),
    "AWS::DynamoDB::GlobalTable": (STATE, "[(", ")]"),
    "AWS::SQS::Queue": (STATE, "[/", "/]"),
    "AWS::SSM::Parameter": (STATE, "[(", ")]"),
    "AWS::SecretsManager::Secret": (STATE, "[(", ")]"),
    "AWS::KMS::Key": (STATE, "[(", ")]"),
    "AWS::Organizations::Policy": (STATE, "[(", ")]"),
    "AWS::SNS::Topic": (SEEN, "[/", "/]"),
    "AWS::CloudWatch::Dashboard": (SEEN, "[", "]"),
}
"""Types that are boxes: their role, and how Mermaid opens and closes the box."""
KINDS: Mapping[str, str] = {
    "GlobalTable": "table",
    "AutoScalingGroup": "Auto Scaling group",
    "ImagePipeline": "image pipeline",
    "InstanceConnectEndpoint": "EC2 Instance Connect Endpoint",
    "ExperimentTemplate": "FIS experiment",
    "Group": "resource group",
    "Policy": "policy",
}
SERVICES: Mapping[str, str] = {
    "autoscaling": "Amazon EC2 Auto Scaling",
    "cloudwatch": "CloudWatch metrics",
    "codebuild": "CodeBuild",
    "ec2": "Amazon EC2",
    "organizations": "Organizations",
    "outposts": "AWS Outposts",
    "pricing": "Price List",
    "savingsplans": "Savings Plans",
    "ssm": "Systems Manager",
}
"""What a role may act on that is not in the template, by the prefix of its actions."""
LONGEST = 30
"""Letters of a name in a box."""
READS = re.compile(r"(Get|BatchGet|List|Describe|Query|Scan|Receive|Head|Filter|Search|Lookup|Select)")


@dataclass
class _Graph:
    """Boxes and arrows that were found."""

    template: Json
    boxes: dict[str, str] = field(default_factory=dict)
    arrows: dict[tuple[str, str], set[str]] = field(default_factory=lambda: defaultdict(set))
    dashed: set[tuple[str, str]] = field(default_factory=set)

    @property
    def resources(self) -> Mapping[str, Json]:
        """Of the template."""
        found: Mapping[str, Json] = self.template["Resources"]
        return found

    def of_type(self, *types: str) -> Iterator[tuple[str, Json]]:
        """Logical ids and properties."""
        for name, resource in self.resources.items():
            if resource["Type"] in types:
                yield name, resource.get("Properties", {})

    def arrow(self, begin: str, end: str, label: str = "", *, dashed: bool = False) -> None:
        """From one box to another, once."""
        if begin in self.boxes and end in self.boxes and begin != end:
            self.arrows[begin, end].update([label] if label else [])
            if dashed:
                self.dashed.add((begin, end))


def diagram(template: Json) -> str:
    """Mermaid of a template; empty where fewer than two boxes are joined."""
    graph = _Graph(template)
    helpers = _helpers(graph)
    for name, resource in graph.resources.items():
        if resource["Type"] in ROLES and name not in helpers:
            graph.boxes[name] = resource["Type"]
    _starts(graph)
    _acts(graph)
    _alarms(graph)
    return _written(graph) if len(graph.arrows) > 1 else ""


def _helpers(graph: _Graph) -> set[str]:
    """Functions that only custom resources call: they work while a stack is deployed."""
    tokens = {
        name
        for resource in graph.resources.values()
        if resource["Type"].startswith("Custom::") or resource["Type"] == "AWS::CloudFormation::CustomResource"
        for name in _references(resource["Properties"].get("ServiceToken"))
    }
    called = {
        name
        for kind in ("AWS::Events::Rule", "AWS::Scheduler::Schedule", "AWS::Lambda::EventSourceMapping")
        for _, properties in graph.of_type(kind)
        for name in _references(properties)
    }
    return tokens - called


def _starts(graph: _Graph) -> None:
    for name, properties in graph.of_type("AWS::Events::Rule"):
        for target in properties.get("Targets", []):
            for end in _references(target.get("Arn")):
                graph.arrow(name, end)
            for end in _references(target.get("DeadLetterConfig")):
                graph.arrow(name, end, "fails", dashed=True)
    for name, properties in graph.of_type("AWS::Scheduler::Schedule"):
        for end in _references([properties["Target"].get("Arn"), properties["Target"].get("Input")]):
            graph.arrow(name, end)
    for _, properties in graph.of_type("AWS::Lambda::EventSourceMapping"):
        for begin in _references(properties["EventSourceArn"]):
            for end in _references(properties["FunctionName"]):
                graph.arrow(begin, end)
    for name, properties in graph.of_type("AWS::SQS::Queue"):
        for end in _references(properties.get("RedrivePolicy")):
            graph.arrow(name, end, "fails", dashed=True)
    for name, properties in graph.of_type("AWS::Lambda::Function"):
        for end in _references(properties.get("DeadLetterConfig")):
            graph.arrow(name, end, "fails", dashed=True)
    for _, properties in graph.of_type("AWS::Lambda::EventInvokeConfig"):
        for begin in _references(properties["FunctionName"]):
            for end in _references(properties.get("DestinationConfig")):
                graph.arrow(begin, end, "fails", dashed=True)
    for name, properties in graph.of_type("AWS::SSM::Association"):
        for end in _references([properties.get("Name"), properties.get("Targets")]):
            graph.arrow(name, end)
    groups = {end: name for name, p in graph.of_type(*_GROUPS) for end in _references(p.get("TargetGroupARNs"))}
    for _, properties in graph.of_type("AWS::ElasticLoadBalancingV2::Listener"):
        for begin in _references(properties["LoadBalancerArn"]):
            for end in _references(properties["DefaultActions"]):
                graph.arrow(begin, groups.get(end, ""))


_GROUPS = ("AWS::AutoScaling::AutoScalingGroup", "AWS::EC2::Instance")


def _acts(graph: _Graph) -> None:
    """An arrow from whoever has a role to what its policies name."""
    for actor, role in _roles(graph):
        for statement in _statements(graph, role):
            actions = [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]
            ends = {name for name in _references(statement.get("Resource")) if name in graph.boxes}
            for end in ends:
                graph.arrow(actor, end, _verbs(actions))
            if not ends:
                for service in {action.partition(":")[0] for action in actions} & SERVICES.keys():
                    graph.boxes[f"service_{service}"] = ""
                    graph.arrow(actor, f"service_{service}", _verbs(a for a in actions if a.startswith(service)))


def _roles(graph: _Graph) -> Iterator[tuple[str, str]]:
    profiles = {
        name: role for name, p in graph.of_type("AWS::IAM::InstanceProfile") for role in _references(p.get("Roles"))
    }
    templates = {
        name: profiles[one]
        for name, p in graph.of_type("AWS::EC2::LaunchTemplate")
        for one in _references(p["LaunchTemplateData"].get("IamInstanceProfile"))
        if one in profiles
    }
    for name in list(graph.boxes):
        properties = graph.resources[name].get("Properties", {})
        for key in ("Role", "RoleArn", "ServiceRole", "ExecutionRole", "IamInstanceProfile"):
            for one in _references(properties.get(key)):
                yield name, profiles.get(one, one)
        for one in _references([properties.get("LaunchTemplate"), properties.get("MixedInstancesPolicy")]):
            if one in templates:
                yield name, templates[one]


def _statements(graph: _Graph, role: str) -> Iterator[Json]:
    for _, properties in graph.of_type("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"):
        if role in _references(properties.get("Roles")):
            yield from (each for each in properties["PolicyDocument"]["Statement"] if each["Effect"] == "Allow")
    for policy in graph.resources.get(role, {}).get("Properties", {}).get("Policies", []):
        yield from (each for each in policy["PolicyDocument"]["Statement"] if each["Effect"] == "Allow")


def _alarms(graph: _Graph) -> None:
    alarms = list(graph.of_type("AWS::CloudWatch::Alarm"))
    if not alarms:
        return
    graph.boxes["alarms"] = ""
    for _, properties in alarms:
        for end in _references(properties.get("AlarmActions")):
            graph.arrow("alarms", end)


def _verbs(actions: Any) -> str:
    names = [action.partition(":")[2] for action in actions]
    kinds = {"reads" if READS.match(name) else "changes" for name in names}
    return " and ".join(sorted(kinds, reverse=True))


def _references(value: Any) -> list[str]:
    """Logical ids that a value refers to."""
    if isinstance(value, Mapping):
        if isinstance(value.get("Ref"), str):
            return [value["Ref"]]
        if "Fn::GetAtt" in value:
            return [value["Fn::GetAtt"][0]]
        return [name for each in value.values() for name in _references(each)]
    if isinstance(value, str):
        return []
    return [name for each in value for name in _references(each)] if isinstance(value, Sequence) else []


def _written(graph: _Graph) -> str:
    lines = ["flowchart LR"]
    joined = {name for arrow in graph.arrows for name in arrow}
    by_role: dict[str, list[str]] = defaultdict(list)
    for name, kind in graph.boxes.items():
        if name in joined or kind:
            by_role[_role(graph, name)].append(name)
    for number, role in enumerate((TRIGGERS, CODE, HOSTS, STATE, SEEN, "")):
        boxes = [f"    {name}{_box(graph, name)}" for name in by_role.get(role, [])]
        if boxes and role:
            lines += [f"  subgraph role{number} [{role}]", *boxes, "  end"]
        else:
            lines += [box[2:] for box in boxes]
    for (begin, end), labels in graph.arrows.items():
        fails = (begin, end) in graph.dashed
        words = {"fails"} if fails else {one for each in labels for one in each.split(" and ")}
        label = " and ".join(sorted(words, reverse=True))
        said = f"|{label}|" if label and label != "reads" else ""
        lines.append(f"  {begin} {'-.->' if fails else '-->'}{said} {end}")
    return "\n".join(lines) + "\n"


def _role(graph: _Graph, name: str) -> str:
    if name == "alarms":
        return SEEN
    return ROLES[graph.boxes[name]][0] if graph.boxes[name] else ""


def _box(graph: _Graph, name: str) -> str:
    if name == "alarms":
        return f'["{len(list(graph.of_type("AWS::CloudWatch::Alarm")))} alarms"]'
    if not graph.boxes[name]:
        return f'(["{SERVICES[name.removeprefix("service_")]}"])'
    _, begin, end = ROLES[graph.boxes[name]]
    return f'{begin}"{_label(graph, name)}"{end}'


def _label(graph: _Graph, name: str) -> str:
    properties, kind = graph.resources[name].get("Properties", {}), graph.boxes[name].rpartition("::")[2]
    if kind == "Rule":
        if expression := properties.get("ScheduleExpression"):
            return _every(expression)
        pattern = properties.get("EventPattern", {})
        said = [one for one in pattern.get("detail-type", pattern.get("source", [])) if isinstance(one, str)]
        return "<br>".join(said[:2]) or "event"
    if kind == "Schedule" and isinstance(properties.get("ScheduleExpression"), str):
        return _every(properties["ScheduleExpression"])
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", re.sub(r"[0-9A-F]{8}$", "", name))
    what = KINDS.get(kind, re.sub(r"(?<=[a-z])(?=[A-Z])", " ", kind).lower())
    short = " ".join(
        dict.fromkeys(word for word in words.split() if word.lower() not in {*what.lower().split(), "asg"})
    )
    short = f"{short[:LONGEST]}…" if len(short) > LONGEST + 1 else short
    return f"{short}<br>{what}" if short else what


def _every(expression: str) -> str:
    if rate := re.fullmatch(r"rate\((.*)\)", expression):
        return f"every {rate[1].removeprefix('1 ')}"
    return expression
