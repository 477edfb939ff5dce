"""IAM is enforced: what a role may not do is denied, and what it may do is not."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from emulator.client import EmbeddedAws
from tests.emulator.conftest import Stack

DENIED = "AccessDenied|UnauthorizedOperation"


class Role:
    """A role with one statement, and clients that have assumed it."""

    def __init__(self, aws: EmbeddedAws, *statements: dict[str, Any]) -> None:
        self._aws = aws
        trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "*"}}
        document = {"Version": "2012-10-17", "Statement": [trust]}
        iam = aws.client("iam")
        self._arn = iam.create_role(RoleName="tried", AssumeRolePolicyDocument=json.dumps(document))["Role"]["Arn"]
        allowed = [{"Effect": "Allow", "Resource": "*", **statement} for statement in statements]
        policy = json.dumps({"Version": "2012-10-17", "Statement": allowed})
        iam.put_role_policy(RoleName="tried", PolicyName="tried", PolicyDocument=policy)

    def client(self, service: str) -> Any:
        session = self._aws.client("sts").assume_role(RoleArn=self._arn, RoleSessionName="tried")["Credentials"]
        return self._aws.client(
            service,
            aws_access_key_id=session["AccessKeyId"],
            aws_secret_access_key=session["SecretAccessKey"],
            aws_session_token=session["SessionToken"],
        )


@pytest.fixture
def groups(aws: EmbeddedAws) -> dict[str, str]:
    """The ARNs of two groups, the first tagged."""
    template = aws.client("ec2").create_launch_template(LaunchTemplateName="t", LaunchTemplateData={"ImageId": "ami-1"})
    api = aws.client("autoscaling")
    for name, tags in (("ours", [{"Key": "team", "Value": "a"}]), ("theirs", [])):
        api.create_auto_scaling_group(
            AutoScalingGroupName=name,
            MinSize=1,
            MaxSize=3,
            AvailabilityZones=["us-east-1a"],
            LaunchTemplate={"LaunchTemplateId": template["LaunchTemplate"]["LaunchTemplateId"]},
            Tags=tags,
        )
    found = api.describe_auto_scaling_groups()["AutoScalingGroups"]
    return {group["AutoScalingGroupName"]: group["AutoScalingGroupARN"] for group in found}


def test_a_metric_is_judged_by_its_namespace(aws: EmbeddedAws) -> None:
    condition = {"StringEquals": {"cloudwatch:namespace": "Ours"}}
    cloudwatch = Role(aws, {"Action": "cloudwatch:PutMetricData", "Condition": condition}).client("cloudwatch")
    data = [{"MetricName": "Any", "Value": 1}]
    cloudwatch.put_metric_data(Namespace="Ours", MetricData=data)
    with pytest.raises(ClientError, match=DENIED):
        cloudwatch.put_metric_data(Namespace="Theirs", MetricData=data)
    with pytest.raises(ClientError, match=DENIED):
        cloudwatch.list_metrics()


def test_a_dashboard_is_known_by_its_arn_which_has_no_region(aws: EmbeddedAws) -> None:
    allowed = ["cloudwatch:DeleteDashboards", "cloudwatch:GetDashboard", "cloudwatch:PutDashboard"]
    ours = f"arn:aws:cloudwatch::{aws.account}:dashboard/ours"
    cloudwatch = Role(aws, {"Action": allowed, "Resource": ours}).client("cloudwatch")
    cloudwatch.put_dashboard(DashboardName="ours", DashboardBody='{"widgets": []}')
    assert cloudwatch.get_dashboard(DashboardName="ours")["DashboardBody"]
    with pytest.raises(ClientError, match=DENIED):
        cloudwatch.put_dashboard(DashboardName="theirs", DashboardBody='{"widgets": []}')
    with pytest.raises(ClientError, match=DENIED):
        cloudwatch.delete_dashboards(DashboardNames=["theirs"])
    cloudwatch.delete_dashboards(DashboardNames=["ours"])


def test_a_call_that_moto_serves_is_judged_too(aws: EmbeddedAws, groups: dict[str, str]) -> None:
    role = Role(aws, {"Action": ["autoscaling:DescribeAutoScalingGroups", "ec2:DescribeVpcs"]})
    role.client("ec2").describe_vpcs()
    role.client("autoscaling").describe_auto_scaling_groups()
    with pytest.raises(ClientError, match=DENIED):
        role.client("ec2").describe_instances()
    with pytest.raises(ClientError, match=DENIED):
        role.client("autoscaling").set_desired_capacity(AutoScalingGroupName="ours", DesiredCapacity=2)


@pytest.mark.parametrize("form", ["exact", "any-id", "tag", "old-tag"])
def test_a_group_is_known_by_its_arn_and_its_tags(aws: EmbeddedAws, groups: dict[str, str], form: str) -> None:
    exact = groups["ours"]
    any_id = exact.split(":autoScalingGroup:")[0] + ":autoScalingGroup:*:autoScalingGroupName/ours"
    statements: dict[str, dict[str, Any]] = {
        "exact": {"Resource": exact},
        "any-id": {"Resource": any_id},
        "tag": {"Condition": {"StringEquals": {"aws:ResourceTag/team": "a"}}},
        "old-tag": {"Condition": {"StringEquals": {"autoscaling:ResourceTag/team": "a"}}},
    }
    api = Role(aws, {"Action": "autoscaling:*", **statements[form]}).client("autoscaling")
    api.set_desired_capacity(AutoScalingGroupName="ours", DesiredCapacity=2)
    with pytest.raises(ClientError, match=DENIED):
        api.set_desired_capacity(AutoScalingGroupName="theirs", DesiredCapacity=2)


def test_an_instance_of_a_group_is_judged_on_the_group(aws: EmbeddedAws, groups: dict[str, str]) -> None:
    members = aws.client("autoscaling").describe_auto_scaling_instances()["AutoScalingInstances"]
    ids = {member["AutoScalingGroupName"]: member["InstanceId"] for member in members}
    action = {"Action": "autoscaling:TerminateInstanceInAutoScalingGroup", "Resource": groups["ours"]}
    api = Role(aws, action).client("autoscaling")
    api.terminate_instance_in_auto_scaling_group(InstanceId=ids["ours"], ShouldDecrementDesiredCapacity=False)
    with pytest.raises(ClientError, match=DENIED):
        api.terminate_instance_in_auto_scaling_group(InstanceId=ids["theirs"], ShouldDecrementDesiredCapacity=False)


def test_a_signal_is_judged_on_what_the_call_says(aws: EmbeddedAws, stack: Stack) -> None:
    """By name on stack/NAME/* literally, which a policy with the stack's id does not match; by id on the id."""
    stack.create({"Topic": {"Type": "AWS::SNS::Topic"}})
    (found,) = aws.client("cloudformation").describe_stacks(StackName=stack.name)["Stacks"]
    api = Role(aws, {"Action": "cloudformation:SignalResource", "Resource": found["StackId"]}).client("cloudformation")
    told = {"LogicalResourceId": "Topic", "UniqueId": "i-1", "Status": "SUCCESS"}
    with pytest.raises(ClientError, match=DENIED):
        api.signal_resource(StackName=stack.name, **told)
    with pytest.raises(ClientError, match="ValidationError"):  # allowed, but nobody waits
        api.signal_resource(StackName=found["StackId"], **told)


LOOKING = [
    f"ec2:Describe{what}"
    for what in ("AccountAttributes", "Addresses", "InternetGateways", "SecurityGroups", "Subnets", "Vpcs")
]


@pytest.mark.parametrize("missing", [None, *LOOKING])
def test_a_load_balancer_needs_what_its_service_does_for_the_caller(aws: EmbeddedAws, missing: str | None) -> None:
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/userguide/elb-api-permissions.html."""
    subnets = [found["SubnetId"] for found in aws.client("ec2").describe_subnets()["Subnets"]][:2]
    allowed = ["elasticloadbalancing:*", *(action for action in LOOKING if action != missing)]
    balancers = Role(aws, {"Action": allowed}).client("elbv2")
    if missing:
        with pytest.raises(ClientError, match=DENIED):
            balancers.create_load_balancer(Name="tried", Subnets=subnets)
    else:
        assert balancers.create_load_balancer(Name="tried", Subnets=subnets)["LoadBalancers"]


def test_describe_calls_know_no_resource(aws: EmbeddedAws, groups: dict[str, str]) -> None:
    api = Role(aws, {"Action": "autoscaling:DescribePolicies", "Resource": groups["ours"]}).client("autoscaling")
    with pytest.raises(ClientError, match=DENIED):
        api.describe_policies(AutoScalingGroupName="ours")


@pytest.mark.parametrize("key", ["ec2:ResourceTag/team", "aws:ResourceTag/team"])
def test_an_instance_is_known_by_its_tags(aws: EmbeddedAws, key: str) -> None:
    ec2 = aws.client("ec2")
    ids = [
        ec2.run_instances(
            ImageId="ami-1",
            MinCount=1,
            MaxCount=1,
            TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "team", "Value": team}]}],
        )["Instances"][0]["InstanceId"]
        for team in ("a", "b")
    ]
    role = Role(aws, {"Action": "ec2:StopInstances", "Condition": {"StringEquals": {key: "a"}}}).client("ec2")
    role.stop_instances(InstanceIds=[ids[0]])
    with pytest.raises(ClientError, match=DENIED):
        role.stop_instances(InstanceIds=[ids[1]])


def test_a_target_group_is_judged_by_its_name_and_a_listener_by_its_load_balancer(aws: EmbeddedAws) -> None:
    arns = [f"arn:aws:elasticloadbalancing:*:*:{kind}/ours/*" for kind in ("targetgroup", "loadbalancer/app")]
    allowed = {"Action": "elasticloadbalancing:*", "Resource": arns}
    elb = Role(aws, allowed, {"Action": "ec2:Describe*"}).client("elbv2")
    vpc = aws.client("ec2").describe_vpcs()["Vpcs"][0]["VpcId"]
    wanted = {"Protocol": "HTTP", "Port": 80, "VpcId": vpc}
    made = elb.create_target_group(Name="ours", **wanted)["TargetGroups"][0]["TargetGroupArn"]
    with pytest.raises(ClientError, match=DENIED):
        elb.create_target_group(Name="theirs", **wanted)
    elb.delete_target_group(TargetGroupArn=made)


@pytest.mark.parametrize(("kind", "allowed"), [("launch-template", True), ("instance", False)])
def test_a_launch_template_is_judged_as_one(aws: EmbeddedAws, kind: str, allowed: bool) -> None:
    ec2 = Role(aws, {"Action": "ec2:*LaunchTemplate", "Resource": f"arn:aws:ec2:*:*:{kind}/*"}).client("ec2")
    wanted = {"LaunchTemplateName": "ours", "LaunchTemplateData": {"ImageId": "ami-1"}}
    if not allowed:
        with pytest.raises(ClientError, match=DENIED):
            ec2.create_launch_template(**wanted)
        return
    made = ec2.create_launch_template(**wanted)["LaunchTemplate"]["LaunchTemplateId"]
    ec2.delete_launch_template(LaunchTemplateId=made)
