"""Birth and death: what an instance or a function needs must be there before it, and outlive it.

CloudFormation knows references and DependsOn only. What has no dependents is made whenever, and deleted at once: an
instance then boots without a way out, or drains without one, until its hooks run out of time.
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-dependson.html
"""

from collections.abc import Iterator, Mapping
from functools import cached_property

from tests.conformance.findings import Finding, Rule
from tests.conformance.policies.evaluation import as_list
from tests.conformance.updates.model import Json, needed, references

DEPENDS_ON = "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-dependson.html"
HOOKS = "https://docs.aws.amazon.com/autoscaling/ec2/userguide/lifecycle-hooks-overview.html"
CUSTOM = "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudformation-customresource.html"
RENEWED = "https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_RecordLifecycleActionHeartbeat.html"
PIPELINE = "https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-about-starting.html"
SCHEDULER = "https://docs.aws.amazon.com/scheduler/latest/UserGuide/setting-up.html"

HEARTBEAT = "autoscaling:RecordLifecycleActionHeartbeat"
# What runs instances: by itself, or through what it starts.
RUNS_INSTANCES = ("AWS::AutoScaling::AutoScalingGroup", "AWS::EC2::Instance", "Custom::ImageBuild")
CALLS_BY_A_ROLE = {"AWS::Scheduler::Schedule": "Target", "AWS::Lambda::EventSourceMapping": "FunctionName"}


class Life:
    """The order that a template's references and DependsOn make."""

    def __init__(self, resources: Mapping[str, Json]) -> None:
        self.resources = resources

    def kind(self, name: str) -> str:
        """The type of a resource."""
        found: str = self.resources[name]["Type"]
        return found

    def of(self, *kinds: str) -> list[str]:
        """Logical ids of these types."""
        return [name for name in self.resources if self.kind(name) in kinds]

    def named(self, name: str, key: str) -> set[str]:
        """Logical ids that one property refers to."""
        value = self.resources[name].get("Properties", {}).get(key)
        return {found for found, _ in references(value) if found in self.resources}

    @cached_property
    def _direct(self) -> dict[str, set[str]]:
        return {name: needed(resource) & set(self.resources) for name, resource in self.resources.items()}

    def before(self, name: str) -> set[str]:
        """Everything that is there before it, and outlives it."""
        found: set[str] = set()
        waiting = [name]
        while waiting:
            more = self._direct[waiting.pop()] - found
            found |= more
            waiting += more
        return found

    def policies(self, role: str) -> set[str]:
        """Policies that are resources of their own."""
        return {
            name
            for name in self.of("AWS::IAM::Policy", "AWS::IAM::RolePolicy", "AWS::IAM::ManagedPolicy")
            if role in self.named(name, "Roles") | self.named(name, "RoleName")
        }

    def actions(self, policy: str) -> set[str]:
        """What a policy allows."""
        statements = as_list(self.resources[policy]["Properties"].get("PolicyDocument", {}).get("Statement"))
        allows = [one for one in statements if one["Effect"] == "Allow"]
        return {action for one in allows for action in as_list(one.get("Action"))}

    def subnets(self, name: str) -> set[str]:
        """Subnets of an instance or a group, or of what it starts."""
        found = {other for other in self.before(name) if self.kind(other) == "AWS::EC2::Subnet"}
        direct = set()
        for key in ("VPCZoneIdentifier", "SubnetId", "NetworkInterfaces"):
            direct |= self.named(name, key)
        interfaces = {sub for other in direct if other in self.resources for sub in self.named(other, "SubnetId")}
        mine = (direct | interfaces) & set(self.of("AWS::EC2::Subnet"))
        return mine or found

    def ways(self, subnet: str) -> set[str]:
        """What makes a subnet useful: its route table's association and routes, and all that these lead to."""
        found: set[str] = set()
        for association in self.of("AWS::EC2::SubnetRouteTableAssociation"):
            if subnet not in self.named(association, "SubnetId"):
                continue
            tables = self.named(association, "RouteTableId")
            routes = {route for route in self.of("AWS::EC2::Route") if tables & self.named(route, "RouteTableId")}
            gateways = {
                point for point in self.of("AWS::EC2::VPCEndpoint") if tables & self.named(point, "RouteTableIds")
            }
            if routes or gateways:  # a table that leads nowhere is needed by nobody
                found |= {association, *routes, *gateways}
            for route in routes:
                found |= self._beyond(route)
        interfaces = [point for point in self.of("AWS::EC2::VPCEndpoint") if subnet in self.named(point, "SubnetIds")]
        for point in interfaces:
            found |= {point, *self._rules(self.named(point, "SecurityGroupIds"))}
        return found

    def _beyond(self, route: str) -> set[str]:
        """What a route leads to: the gateway's attachment, the NAT gateway or instance with its own way out."""
        found: set[str] = set()
        for key in ("GatewayId", "NatGatewayId", "InstanceId"):
            for target in self.named(route, key):
                if key == "GatewayId":
                    attachments = self.of("AWS::EC2::VPCGatewayAttachment")
                    found |= {a for a in attachments if target in self.named(a, "InternetGatewayId")}
                    continue
                found.add(target)
                for subnet in self.subnets(target):
                    if route not in (ways := self.ways(subnet)):
                        found |= ways
        return found

    def _rules(self, groups: set[str]) -> set[str]:
        return {
            rule
            for rule in self.of("AWS::EC2::SecurityGroupIngress", "AWS::EC2::SecurityGroupEgress")
            if groups & self.named(rule, "GroupId")
        }

    def roles(self, name: str) -> set[str]:
        """Roles that an instance has, or by which a function or service acts."""
        near = self.before(name)
        if self.kind(name) in ("AWS::AutoScaling::AutoScalingGroup", "AWS::EC2::Instance"):
            templates = {o for o in near if self.kind(o) in ("AWS::EC2::LaunchTemplate", "AWS::IAM::InstanceProfile")}
            profiles = {
                p for t in templates for p in self._direct[t] | {t} if self.kind(p) == "AWS::IAM::InstanceProfile"
            }
            return {role for p in profiles for role in self.named(p, "Roles")}
        return set()


def findings(resources: Mapping[str, Json], where: str) -> list[Finding]:
    """What may be made too late, or deleted too early."""
    life = Life(resources)
    rules = (_instances, _hooks, _answers, _schedules, _pipelines)
    return sorted({finding for rule in rules for finding in rule(life, where)})


def _instances(life: Life, where: str) -> Iterator[Finding]:
    for name in life.of(*RUNS_INSTANCES):
        there = life.before(name)
        ways = {way for subnet in life.subnets(name) for way in life.ways(subnet)} - {name}
        for missing in sorted(ways - there - _hangs_on(life, name)):
            reason = f"{missing} ({life.kind(missing)}) may come after it, and may go before it has drained"
            yield Finding(where, name, "connectivity", "fails", reason, HOOKS, "node.add_dependency(network)")
        for role in life.roles(name):
            for missing in sorted(life.policies(role) - there - _hangs_on(life, name)):
                reason = f"{missing}, a policy of its role, may come after it or go before it"
                yield Finding(where, name, "own-policies", "fails", reason, DEPENDS_ON, "node.add_dependency(role)")


def _hooks(life: Life, where: str) -> Iterator[Finding]:
    """An instance that ends its group's wait by itself works meanwhile, and no one knows for how long."""
    for name in life.of("AWS::AutoScaling::AutoScalingGroup"):
        for role in life.roles(name):
            allowed = {action for policy in life.policies(role) for action in life.actions(policy)}
            if "autoscaling:CompleteLifecycleAction" in allowed and HEARTBEAT not in allowed:
                reason = f"its instances complete a hook and may not renew it: longer work is killed ({role})"
                yield Finding(where, name, "hook-renewed", "fails", reason, RENEWED, f"Allow {HEARTBEAT}, and call it")


def _hangs_on(life: Life, name: str) -> set[str]:
    """What cannot be there before it, because it needs it itself."""
    return {other for other in life.resources if name in life.before(other)}


def _answers(life: Life, where: str) -> Iterator[Finding]:
    for name in life.resources:
        token = life.named(name, "ServiceToken")
        targets = token or (
            life.named(name, "FunctionName") if life.kind(name) == "AWS::Lambda::EventSourceMapping" else set()
        )
        there = life.before(name)
        for function in targets:
            if life.kind(function) != "AWS::Lambda::Function":
                continue
            for role in life.named(function, "Role"):
                for missing in sorted(life.policies(role) - there):
                    reason = f"{missing}, a policy of {function}, may come after it or go before it"
                    rule = "custom-resource" if token else "event-source"
                    yield Finding(where, name, rule, "fails", reason, CUSTOM, "node.add_dependency(function.own_role)")


def _pipelines(life: Life, where: str) -> Iterator[Finding]:
    """A pipeline runs as soon as it is there, by its own role and those of its builds."""
    for name in life.of("AWS::CodePipeline::Pipeline"):
        there = life.before(name)
        builds = {other for other in there if life.kind(other) == "AWS::CodeBuild::Project"}
        roles = life.named(name, "RoleArn") | {role for build in builds for role in life.named(build, "ServiceRole")}
        for missing in sorted({policy for role in roles for policy in life.policies(role)} - there):
            reason = f"{missing}, by which a run acts, may come after the first one or go before the last"
            yield Finding(where, name, "pipeline", "fails", reason, PIPELINE, "node.add_dependency(role)")


def _schedules(life: Life, where: str) -> Iterator[Finding]:
    for name in life.of("AWS::Scheduler::Schedule"):
        there = life.before(name)
        for role in life.named(name, "Target"):
            if life.kind(role) != "AWS::IAM::Role":
                continue
            for missing in sorted(life.policies(role) - there - _hangs_on(life, name)):
                reason = f"{missing}, by which it acts, may come after its first run"
                yield Finding(where, name, "schedule", "fails", reason, SCHEDULER, "node.add_dependency(role)")


RULES = (
    Rule(
        "life",
        "connectivity",
        HOOKS,
        ("a group without its routes", "without its NAT gateway", "without its endpoints"),
    ),
    Rule("life", "own-policies", DEPENDS_ON, ("a group without the policy of its role",)),
    Rule("life", "hook-renewed", RENEWED, ("an instance that completes a hook and may not renew it",)),
    Rule("life", "custom-resource", CUSTOM, ("a custom resource without its function's policy",)),
    Rule("life", "event-source", CUSTOM, ("an event source mapping without its function's policy",)),
    Rule("life", "schedule", SCHEDULER, ("a schedule without its role's policy",)),
    Rule("life", "pipeline", PIPELINE, ("a pipeline without the policies of its builds",)),
)
