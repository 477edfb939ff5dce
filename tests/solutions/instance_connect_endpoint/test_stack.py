"""What the post on EC2 Instance Connect Endpoint promises, read off the templates."""

import json
import re
import shlex
from functools import partial
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from stacks.instance_connect_endpoint.paste import Paste
from stacks.instance_connect_endpoint.settings import InstanceConnectEndpointSettings
from tests import variants
from tests.snapshots import TemplateSnapshot, readable
from tests.template import Match, synthesized
from tests.variants import ROOT, Json

SLUG = "instance_connect_endpoint"
DEFAULT, ENTERPRISE = variants.DEFAULT, "enterprise"
WITHOUT_ENDPOINT = "nat"  # the variant that has taken the endpoint out, and has a trail of its own
EVERY = pytest.mark.parametrize("variant", variants.variants_of(SLUG))


template = partial(synthesized, SLUG)


def resources(variant: str = DEFAULT) -> dict[str, Json]:
    found: dict[str, Json] = variants.template(variant, SLUG)["Resources"]
    return found


def of_type(kind: str, variant: str = DEFAULT) -> dict[str, Json]:
    return {name: item["Properties"] for name, item in resources(variant).items() if item["Type"] == kind}


def statements(policy: str, variant: str = DEFAULT) -> dict[str, Json]:
    (found,) = [p for name, p in of_type("AWS::IAM::ManagedPolicy", variant).items() if policy in name]
    return {statement["Sid"]: statement for statement in found["PolicyDocument"]["Statement"]}


def actions(policy: str, variant: str = DEFAULT) -> set[str]:
    found: set[str] = set()
    for statement in statements(policy, variant).values():
        found.update([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
    return found


def group_of(name: str, variant: str = DEFAULT) -> tuple[str, Json]:
    (found,) = [(key, p) for key, p in of_type("AWS::EC2::SecurityGroup", variant).items() if name in key]
    return found


def rules(kind: str, variant: str = DEFAULT) -> list[Json]:
    return list(of_type(f"AWS::EC2::SecurityGroup{kind}", variant).values())


def joined(value: Any) -> str:
    """An output as its reader gets it, references by name."""
    if isinstance(value, str):
        return value
    if "Fn::Join" in value:
        return "".join(joined(part) for part in value["Fn::Join"][1])
    return ".".join(value["Fn::GetAtt"]) if "Fn::GetAtt" in value else str(value["Ref"])


def output(name: str, variant: str = DEFAULT) -> str:
    return joined(variants.template(variant, SLUG)["Outputs"][name]["Value"])


# The network


def test_there_is_one_endpoint_in_a_private_subnet_of_a_vpc_without_a_way_out() -> None:
    stack = template()
    stack.resource_count_is("AWS::EC2::InstanceConnectEndpoint", 1)
    for kind in ("InternetGateway", "NatGateway", "EIP", "Route", "VPCEndpoint"):
        stack.resource_count_is(f"AWS::EC2::{kind}", 0)
    (subnet,) = of_type("AWS::EC2::Subnet")
    stack.has_resource_properties("AWS::EC2::InstanceConnectEndpoint", {"SubnetId": {"Ref": subnet}})
    stack.has_resource_properties("AWS::EC2::Subnet", {"MapPublicIpOnLaunch": False})


def test_an_existing_network_gets_two_security_groups_and_nothing_else() -> None:
    stack = template(ENTERPRISE)
    for kind in ("VPC", "Subnet", "RouteTable"):
        stack.resource_count_is(f"AWS::EC2::{kind}", 0)
    stack.resource_count_is("AWS::EC2::SecurityGroup", 2)
    stack.all_resources_properties("AWS::EC2::SecurityGroup", {"VpcId": "vpc-0123456789abcdef0"})
    stack.has_resource_properties("AWS::EC2::InstanceConnectEndpoint", {"SubnetId": "subnet-0123456789abcdef0"})


def test_the_groups_name_each_other() -> None:
    endpoint, instances = group_of("Endpoint")[0], group_of("Instances")[0]
    (out,) = rules("Egress")
    (into,) = rules("Ingress")
    for rule, owner, peer in ((out, endpoint, "Destination"), (into, instances, "Source")):
        other = instances if owner == endpoint else endpoint
        assert rule["GroupId"] == {"Fn::GetAtt": [owner, "GroupId"]}
        assert rule[f"{peer}SecurityGroupId"] == {"Fn::GetAtt": [other, "GroupId"]}
        assert (rule["IpProtocol"], rule["FromPort"], rule["ToPort"]) == ("tcp", 22, 22)


@EVERY
def test_nothing_comes_into_the_endpoint_and_no_group_lets_everything_out(variant: str) -> None:
    for name in ("Endpoint", "Instances"):
        logical_id, group = group_of(name, variant)
        # Without a rule of its own in the template EC2 would let everything out.
        assert [rule["CidrIp"] for rule in group["SecurityGroupEgress"]] == ["255.255.255.255/32"]
        assert logical_id not in [rule["GroupId"]["Fn::GetAtt"][0] for rule in rules("Egress", variant)] or name == (
            "Endpoint"
        )
    assert "SecurityGroupIngress" not in group_of("Endpoint", variant)[1]
    assert "0.0.0.0/0" not in json.dumps(resources(variant)) and "::/0" not in json.dumps(resources(variant))


def test_a_preserved_client_address_is_let_in_by_its_ranges_and_by_no_group() -> None:
    _, instances = group_of("Instances", ENTERPRISE)
    let_in = {(rule["CidrIp"], rule["FromPort"]) for rule in instances["SecurityGroupIngress"]}
    assert let_in == {(cidr, port) for cidr in ("203.0.113.0/24", "198.51.100.0/24") for port in (22, 3389)}
    assert rules("Ingress", ENTERPRISE) == []
    template(ENTERPRISE).has_resource_properties("AWS::EC2::InstanceConnectEndpoint", {"PreserveClientIp": True})
    template().has_resource_properties("AWS::EC2::InstanceConnectEndpoint", {"PreserveClientIp": False})


# The instances


def test_the_linux_instance_is_private_small_and_has_neither_role_nor_key() -> None:
    (instance,) = of_type("AWS::EC2::Instance").values()
    (interface,) = instance["NetworkInterfaces"]
    assert interface["AssociatePublicIpAddress"] is False
    assert interface["GroupSet"] == [{"Fn::GetAtt": [group_of("Instances")[0], "GroupId"]}]
    assert {"Key": "instance-connect", "Value": "allowed"} in instance["Tags"]
    (launch,) = of_type("AWS::EC2::LaunchTemplate").values()
    data = launch["LaunchTemplateData"]
    assert data["InstanceType"] == "t4g.nano"
    assert "IamInstanceProfile" not in data and "KeyName" not in data
    assert data["MetadataOptions"]["HttpTokens"] == "required"


@pytest.mark.parametrize(("variant", "suffix"), [(DEFAULT, "arm64"), (WITHOUT_ENDPOINT, "x86_64")])
def test_the_image_has_the_architecture_of_the_instance_type(variant: str, suffix: str) -> None:
    images = [p["Default"] for p in template(variant).to_json()["Parameters"].values() if "Image" in p["Type"]]
    assert len(images) == 1 and "al2023" in images[0] and images[0].endswith(suffix)


def test_windows_comes_by_setting_with_a_key_that_decrypts_its_password() -> None:
    stack = template(ENTERPRISE)
    stack.resource_count_is("AWS::EC2::Instance", 1)
    stack.has_resource_properties("AWS::EC2::KeyPair", {"KeyType": "rsa"})
    (key,) = of_type("AWS::EC2::KeyPair", ENTERPRISE)
    stack.has_resource_properties(
        "AWS::EC2::LaunchTemplate", {"LaunchTemplateData": {"InstanceType": "m7i.large", "KeyName": {"Ref": key}}}
    )
    template().resource_count_is("AWS::EC2::KeyPair", 0)


# The policies


def test_the_data_plane_opens_tunnels_through_this_endpoint_to_what_the_settings_say() -> None:
    tunnel = statements("DataPlane")["OpenTunnel"]
    assert tunnel["Resource"] == {"Fn::GetAtt": ["Endpoint", "InstanceConnectEndpointArn"]}
    (vpc,) = of_type("AWS::EC2::VPC")
    assert tunnel["Condition"] == {
        "NumericEquals": {"ec2-instance-connect:remotePort": ["22"]},
        "IpAddress": {"ec2-instance-connect:privateIpAddress": [{"Fn::GetAtt": [vpc, "CidrBlock"]}]},
        "NumericLessThanEquals": {"ec2-instance-connect:maxTunnelDuration": "3600"},
    }
    condition = statements("DataPlane", ENTERPRISE)["OpenTunnel"]["Condition"]
    assert condition == {
        "NumericEquals": {"ec2-instance-connect:remotePort": ["22", "3389"]},
        "IpAddress": {
            "ec2-instance-connect:privateIpAddress": ["10.20.0.0/16"],
            "aws:SourceIp": ["203.0.113.0/24"],
        },
        "NumericLessThanEquals": {"ec2-instance-connect:maxTunnelDuration": "900"},
    }


def test_keys_are_pushed_to_tagged_instances_and_named_users_only() -> None:
    condition = statements("DataPlane", ENTERPRISE)["PushKey"]["Condition"]
    assert condition == {
        "StringEquals": {"ec2:osuser": ["ec2-user"], "aws:ResourceTag/access": "operators"},
        "IpAddress": {"aws:SourceIp": ["203.0.113.0/24"]},
    }


def test_building_and_connecting_are_separate_rights() -> None:
    assert actions("DataPlane") == {
        "ec2-instance-connect:OpenTunnel",
        "ec2-instance-connect:SendSSHPublicKey",
        "ec2:DescribeInstances",
        "ec2:DescribeInstanceConnectEndpoints",
    }
    assert actions("ControlPlane") == {
        "ec2:CreateInstanceConnectEndpoint",
        "ec2:ModifyInstanceConnectEndpoint",
        "ec2:DeleteInstanceConnectEndpoint",
        "ec2:DescribeInstanceConnectEndpoints",
        "ec2:CreateNetworkInterface",
        "ec2:CreateTags",
        "iam:CreateServiceLinkedRole",
    }


def test_the_control_plane_is_held_to_this_subnet() -> None:
    found = statements("ControlPlane")
    (subnet,) = of_type("AWS::EC2::Subnet")
    assert found["DeleteHere"]["Action"] == "ec2:DeleteInstanceConnectEndpoint"
    assert found["DeleteHere"]["Condition"] == {"StringEquals": {"ec2:SubnetID": {"Ref": subnet}}}
    assert [sid for sid, statement in found.items() if statement["Resource"] == "*"] == ["Look"]
    # AWS's list does not name that key for a change: this endpoint is named itself, while there is one.
    (endpoint,) = of_type("AWS::EC2::InstanceConnectEndpoint")
    assert found["ChangeThisOne"]["Resource"] == {"Fn::GetAtt": [endpoint, "InstanceConnectEndpointArn"]}
    assert "Condition" not in found["ChangeThisOne"]
    assert "ChangeThisOne" not in statements("ControlPlane", WITHOUT_ENDPOINT)


@EVERY
def test_nobody_has_the_policies_until_they_are_attached(variant: str) -> None:
    for policy in of_type("AWS::IAM::ManagedPolicy", variant).values():
        assert not {"Users", "Groups", "Roles"} & policy.keys()


def test_while_the_endpoint_is_out_the_policies_stay_and_nobody_can_tunnel() -> None:
    stack = template(WITHOUT_ENDPOINT)
    for kind in ("AWS::EC2::InstanceConnectEndpoint", "Custom::Guard"):
        stack.resource_count_is(kind, 0)
    assert "OpenTunnel" not in statements("DataPlane", WITHOUT_ENDPOINT)
    before, after = of_type("AWS::IAM::ManagedPolicy"), of_type("AWS::IAM::ManagedPolicy", WITHOUT_ENDPOINT)
    assert before.keys() == after.keys()


def test_the_output_of_the_password_has_a_policy_for_its_calls() -> None:
    found = statements("WindowsPassword", ENTERPRISE)
    (instance,) = of_type("AWS::EC2::Instance", ENTERPRISE)
    assert found["ReadPassword"]["Action"] == "ec2:GetPasswordData"
    assert joined(found["ReadPassword"]["Resource"]).endswith(f":instance/{instance}")
    assert found["ReadPrivateKey"]["Action"] == "ssm:GetParameter"
    assert ":parameter/ec2/keypair/" in joined(found["ReadPrivateKey"]["Resource"])
    command = output("WindowsPassword", ENTERPRISE)
    assert "ssm get-parameter" in command and "ec2 get-password-data" in command


def test_people_may_be_held_to_the_ranges_that_they_call_from() -> None:
    ranges = ["203.0.113.0/24"]
    found = statements("DataPlane", ENTERPRISE)
    for sid in ("OpenTunnel", "PushKey"):
        assert found[sid]["Condition"]["IpAddress"]["aws:SourceIp"] == ranges
    assert "aws:SourceIp" not in json.dumps(statements("DataPlane"))


# The guard


def test_the_endpoint_waits_for_the_guard_which_has_all_that_replaces_it() -> None:
    endpoint = resources()["Endpoint"]
    (guard,) = of_type("Custom::Guard")
    assert guard in endpoint["DependsOn"]
    replacing = {name: endpoint["Properties"][name] for name in ("SubnetId", "SecurityGroupIds", "PreserveClientIp")}
    assert resources()[guard]["Properties"]["Guarded"] == replacing
    assert endpoint["Properties"].keys() == replacing.keys()


def test_the_guard_names_the_two_step_way_and_accepts_nothing_by_itself() -> None:
    (guard,) = of_type("Custom::Guard").values()
    assert "endpoint: false" in guard["Way"] and "endpoint: true" in guard["Way"]
    assert "accept_endpoint_replacement" in guard["Way"]
    assert guard["Accepted"] is False


def test_the_guard_may_ask_for_its_own_stack_and_nothing_else_and_carries_no_other_code() -> None:
    (policy,) = [p for n, p in of_type("AWS::IAM::Policy").items() if n.startswith("GuardFunctionRole")]
    allowed = {
        s["Action"]: s["Resource"] for s in policy["PolicyDocument"]["Statement"] if isinstance(s["Action"], str)
    }
    assert allowed == {"cloudformation:DescribeStacks": {"Ref": "AWS::StackId"}}
    (function,) = of_type("AWS::Lambda::Function").values()
    assert function["Handler"] == "shared.guard.handler.lambda_handler"


# Who connects


def test_nothing_watches_until_it_is_asked_for() -> None:
    for kind in ("AWS::Events::Rule", "AWS::CloudWatch::Alarm", "AWS::CloudTrail::Trail", "AWS::SNS::Topic"):
        template().resource_count_is(kind, 0)


def test_every_tunnel_is_logged_and_those_of_strangers_are_told() -> None:
    every, strangers = [
        next(rule for name, rule in of_type("AWS::Events::Rule", ENTERPRISE).items() if part in name)
        for part in ("Every", "Strangers")
    ]
    call = {
        "eventSource": ["ec2-instance-connect.amazonaws.com"],
        "eventName": ["OpenTunnel"],
        "requestParameters": {"instanceConnectEndpointId": [{"Fn::GetAtt": ["Endpoint", "Id"]}, {"exists": False}]},
    }
    assert every["EventPattern"] == {"detail-type": ["AWS API Call via CloudTrail"], "detail": call}
    expected = ["arn:*:123456789012:assumed-role/Operators/*", "arn:*:123456789012:user/break-glass"]
    # Somebody without an ARN is a stranger, and anything-but matches nothing that is absent.
    who = {"userIdentity": {"arn": [{"anything-but": {"wildcard": expected}}, {"exists": False}]}}
    assert strangers["EventPattern"]["detail"] == {**call, **who}
    (target,) = strangers["Targets"]
    assert target["Arn"] == "arn:aws:sns:eu-central-1:123456789012:alarms" and "RoleArn" not in target
    sentence = target["InputTransformer"]["InputTemplate"]
    (heading,) = re.findall(r"/alarms/#([\w-]+)", sentence)
    readme = (ROOT / f"stacks/{SLUG}/README.md").read_text(encoding="utf-8")
    assert f"### {heading.replace('-', ' ').capitalize()}" in readme


def test_an_existing_trail_is_used_and_a_new_one_made_by_setting() -> None:
    template(ENTERPRISE).resource_count_is("AWS::CloudTrail::Trail", 0)
    template(WITHOUT_ENDPOINT).has_resource_properties(
        "AWS::CloudTrail::Trail",
        {"IsLogging": True, "EventSelectors": [{"ReadWriteType": "WriteOnly", "IncludeManagementEvents": True}]},
    )


def test_the_new_trails_bucket_is_emptied_after_nobody_can_write_to_it() -> None:
    found = resources(WITHOUT_ENDPOINT)
    (trail,) = [r for r in found.values() if r["Type"] == "AWS::CloudTrail::Trail"]
    (policy_id,) = of_type("AWS::S3::BucketPolicy", WITHOUT_ENDPOINT)
    (emptied_id,) = of_type("Custom::EmptiedBucket", WITHOUT_ENDPOINT)
    assert policy_id in trail["DependsOn"]
    assert emptied_id in found[policy_id]["DependsOn"]


def test_eventbridge_writes_to_a_group_below_its_own_prefix() -> None:
    (group,) = [r for name, r in of_type("AWS::Logs::LogGroup", ENTERPRISE).items() if name.startswith("TunnelLogTun")]
    assert group["LogGroupName"]["Fn::Join"][1] == ["/aws/events/", {"Ref": "AWS::StackName"}, "/tunnels"]


def test_the_saved_query_prints_who_whence_and_whither() -> None:
    (query,) = of_type("AWS::Logs::QueryDefinition", ENTERPRISE).values()
    for column in ("userIdentity.arn", "sourceIPAddress", "privateIpAddress", "remotePort"):
        assert column in query["QueryString"]
    assert len(query["LogGroupNames"]) == 1


def test_eventbridge_may_publish_to_the_topic_by_its_policy_as_aws_asks_without_a_condition() -> None:
    """https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html."""
    (strangers,) = [p for name, p in of_type("AWS::Events::Rule", WITHOUT_ENDPOINT).items() if "Strangers" in name]
    (target,) = strangers["Targets"]
    assert "RoleArn" not in target
    (policy,) = of_type("AWS::SNS::TopicPolicy", WITHOUT_ENDPOINT).values()
    of_events = {"Service": "events.amazonaws.com"}
    (allowed,) = [s for s in policy["PolicyDocument"]["Statement"] if s["Principal"] == of_events]
    assert (allowed["Effect"], allowed["Action"], allowed["Resource"]) == ("Allow", "sns:Publish", target["Arn"])
    assert "Condition" not in allowed


@pytest.mark.parametrize("rule", ["Every", "Strangers"])
def test_an_alarm_tells_of_events_that_did_not_arrive(rule: str) -> None:
    (logical_id,) = [name for name in of_type("AWS::Events::Rule", ENTERPRISE) if rule in name]
    template(ENTERPRISE).has_resource_properties(
        "AWS::CloudWatch::Alarm",
        {
            "MetricName": "FailedInvocations",
            "Dimensions": [{"Name": "RuleName", "Value": {"Ref": logical_id}}],
            "AlarmActions": [Match.any_value()],
        },
    )


# What to paste


def test_ssh_by_one_click_and_by_proxy_command() -> None:
    one_click = shlex.split(output("Ssh"))
    assert one_click[:3] == ["aws", "ec2-instance-connect", "ssh"]
    assert one_click[one_click.index("--connection-type") + 1] == "eice"
    assert "endpointId=Endpoint.Id,maxTunnelDuration=3600" in one_click
    push, ssh = output("SshWithProxyCommand").split(" && ")
    assert shlex.split(push)[:3] == ["aws", "ec2-instance-connect", "send-ssh-public-key"]
    words = shlex.split(ssh)
    (proxy,) = [word for word in words if word.startswith("ProxyCommand=")]
    assert words[0] == "ssh" and "open-tunnel" in proxy and proxy.endswith("--instance-id %h")


class Outputs:
    """Stands for the stack: what it puts out."""

    region = "eu-central-1"

    def __init__(self) -> None:
        self.said: dict[str, str] = {}

    def output(self, name: str, value: str, _: str) -> None:
        self.said[name] = value


def test_a_user_whose_name_ends_with_a_dollar_sign_is_pasted_as_it_is() -> None:
    stack: Any = Outputs()
    Paste(stack, InstanceConnectEndpointSettings(os_users=("host$",)), endpoint_id="eice-1").write(None, None, None)
    said = shlex.join(["host$"])
    assert f"--os-user {said} " in stack.said["Ssh"] and f" {said}@INSTANCE_ID " in stack.said["SshWithProxyCommand"]
    assert "host$@" not in stack.said["SshWithProxyCommand"], "a shell writes its arguments in the place of $@"


def test_rdp_by_a_tunnel_as_long_as_the_policy_allows() -> None:
    words = shlex.split(output("Rdp", ENTERPRISE))
    assert words[:3] == ["aws", "ec2-instance-connect", "open-tunnel"]
    for option, value in {"--remote-port": "3389", "--local-port": "13389", "--max-tunnel-duration": "900"}.items():
        assert words[words.index(option) + 1] == value
    assert "get-password-data" in output("WindowsPassword", ENTERPRISE)


def test_without_a_demo_instance_the_commands_say_where_its_id_goes() -> None:
    assert "--instance-id INSTANCE_ID" in output("Ssh", ENTERPRISE)


@pytest.mark.parametrize("variant", [DEFAULT, ENTERPRISE])
def test_template(variant: str, snapshot: SnapshotAssertion) -> None:
    assert readable(variants.template(variant, SLUG)) == snapshot(extension_class=TemplateSnapshot)
