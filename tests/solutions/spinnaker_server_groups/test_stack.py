"""What the post on diversified server groups promises, read off the templates."""

import json
import re
from typing import Any

import pytest
import yaml
from syrupy.assertion import SnapshotAssertion

from stacks.spinnaker_server_groups.demo_page import user_data
from stacks.spinnaker_server_groups.settings import PURPOSE_TAG
from tests import variants
from tests.snapshots import TemplateSnapshot, readable
from tests.solutions.spinnaker_server_groups.conftest import bodies_of
from tests.template import Match, Template, synthesized
from tests.variants import ROOT, Json

SLUG = "spinnaker_server_groups"
HOSTS = ("nat", "second", "enterprise")
HOST_FILES = ROOT / "stacks" / SLUG / "user_data" / "host"


@pytest.fixture(scope="module")
def host() -> Template:
    """A host alone, behind a NAT gateway."""
    return synthesized(SLUG, "nat")


def only(of: Template, kind: str, beginning: str = "") -> Json:
    (found,) = [item for name, item in of.find_resources(kind).items() if name.startswith(beginning)]
    return found


def group(of: Template) -> Json:
    properties: Json = only(of, "AWS::AutoScaling::AutoScalingGroup")["Properties"]
    return properties


def launch(of: Template, beginning: str = "LaunchTemplate") -> Json:
    data: Json = only(of, "AWS::EC2::LaunchTemplate", beginning)["Properties"]["LaunchTemplateData"]
    return data


def statements(of: Template, role: str) -> list[Json]:
    return [
        statement
        for name, policy in of.find_resources("AWS::IAM::Policy").items()
        if name.startswith(role)
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
    ]


def allowing(of: Template, role: str, action: str) -> list[Json]:
    return [
        s for s in statements(of, role) if action in (s["Action"] if isinstance(s["Action"], list) else [s["Action"]])
    ]


def purposes(of: Template) -> list[Json]:
    tags = [tag for subnet in of.find_resources("AWS::EC2::Subnet").values() for tag in subnet["Properties"]["Tags"]]
    return [json.loads(tag["Value"]) for tag in tags if tag["Key"] == PURPOSE_TAG]


# The group


def test_the_group_has_the_numbers_of_the_post(default: Template) -> None:
    found = group(default)
    assert (found["MinSize"], found["MaxSize"], found["DesiredCapacity"]) == ("6", "21", "12")
    policy = found["MixedInstancesPolicy"]
    assert policy["InstancesDistribution"] == {
        "OnDemandBaseCapacity": 3,
        "OnDemandPercentageAboveBaseCapacity": 10,
        "OnDemandAllocationStrategy": "prioritized",
        "SpotAllocationStrategy": "price-capacity-optimized",
    }
    types = [item["InstanceType"] for item in policy["LaunchTemplate"]["Overrides"]]
    assert types == [f"{name}.large" for name in ("m4", "m5", "m5a", "m5ad", "m5d", "m5dn", "m5n")]
    assert (found["HealthCheckType"], found["HealthCheckGracePeriod"]) == ("ELB", 600)
    assert found["CapacityRebalance"] is True
    assert len(found["VPCZoneIdentifier"]) == 3


def test_instances_require_imdsv2_and_have_no_credit_specification(default: Template) -> None:
    data = launch(default)
    assert data["MetadataOptions"] == {
        "HttpEndpoint": "enabled",
        "HttpPutResponseHopLimit": 1,
        "HttpTokens": "required",
    }
    assert "CreditSpecification" not in data and "KeyName" not in data


def test_burstable_types_have_the_credits_that_the_body_says(enterprise: Template) -> None:
    assert launch(enterprise)["CreditSpecification"] == {"CpuCredits": "standard"}
    distribution = group(enterprise)["MixedInstancesPolicy"]["InstancesDistribution"]
    assert (distribution["SpotAllocationStrategy"], distribution["SpotInstancePools"]) == ("lowest-price", 3)


def test_no_variant_sets_a_maximum_price(default: Template) -> None:
    for variant in variants.variants_of(SLUG):
        assert "SpotMaxPrice" not in json.dumps(variants.template(variant, SLUG))


def test_the_user_data_of_the_group_is_that_of_the_bodies(default: Template) -> None:
    assert launch(default)["UserData"] == {"Fn::Base64": user_data()}


def test_no_image_is_named(default: Template) -> None:
    for variant in variants.variants_of(SLUG):
        assert not re.search(r"\bami-[0-9a-f]{8,17}\b", json.dumps(variants.template(variant, SLUG)))


def test_the_group_waits_for_the_listener(default: Template) -> None:
    waits = only(default, "AWS::AutoScaling::AutoScalingGroup")["DependsOn"]
    (listener,) = default.find_resources("AWS::ElasticLoadBalancingV2::Listener")
    assert listener in waits


# The load balancer


def test_target_group_and_load_balancer_say_the_numbers_of_the_body(default: Template) -> None:
    balancer = bodies_of().load_balancer()["job"][0]
    (body,) = balancer["targetGroups"]
    found = only(default, "AWS::ElasticLoadBalancingV2::TargetGroup")["Properties"]
    same = {
        "Port": "port",
        "Protocol": "protocol",
        "TargetType": "targetType",
        "HealthCheckProtocol": "healthCheckProtocol",
        "HealthCheckPort": "healthCheckPort",
        "HealthCheckPath": "healthCheckPath",
        "HealthCheckIntervalSeconds": "healthCheckInterval",
        "HealthCheckTimeoutSeconds": "healthCheckTimeout",
        "HealthyThresholdCount": "healthyThreshold",
        "UnhealthyThresholdCount": "unhealthyThreshold",
    }
    assert {name: found[name] for name in same} == {name: body[field] for name, field in same.items()}
    assert found["Matcher"] == {"HttpCode": body["healthCheckMatcher"]}
    attributes = {item["Key"]: item["Value"] for item in found["TargetGroupAttributes"]}
    assert attributes["deregistration_delay.timeout_seconds"] == str(body["attributes"]["deregistrationDelay"]) == "90"
    default.has_resource_properties(
        "AWS::ElasticLoadBalancingV2::LoadBalancer",
        {
            "Scheme": "internet-facing",
            "LoadBalancerAttributes": Match.array_with([{"Key": "idle_timeout.timeout_seconds", "Value": "60"}]),
        },
    )
    assert balancer["idleTimeout"] == 60


def test_instances_are_reached_by_the_load_balancers_alone(default: Template) -> None:
    (rule,) = [item["Properties"] for item in default.find_resources("AWS::EC2::SecurityGroupIngress").values()]
    assert (rule["FromPort"], rule["ToPort"]) == (80, 80)
    balancers = json.dumps(rule["SourceSecurityGroupId"])
    assert "NetworkLoadBalancers" in balancers and "NetworkInstances" in json.dumps(rule["GroupId"])
    for found in default.find_resources("AWS::EC2::SecurityGroup").values():
        assert "SecurityGroupIngress" not in found["Properties"]


def test_visitors_are_those_whom_the_settings_admit() -> None:
    admitted = only(synthesized(SLUG, "account"), "AWS::EC2::SecurityGroup", "NetworkLoadBalancers")["Properties"]
    (rule,) = admitted["SecurityGroupIngress"]
    assert (rule["CidrIp"], rule["FromPort"], rule["ToPort"]) == ("203.0.113.0/24", 80, 80)


# The network


def test_each_zone_has_a_public_and_a_private_subnet_with_the_purposes_of_the_bodies(default: Template) -> None:
    place = bodies_of().place
    found = [item["purpose"] for item in purposes(default)]
    assert sorted(found) == sorted([place.public_purpose, place.private_purpose] * 3)
    public = [json.dumps(item) for item in default.find_resources("AWS::EC2::Subnet").values()]
    assert not [subnet for subnet in public if '"MapPublicIpOnLaunch": true' in subnet]


def test_only_subnets_have_the_tag(default: Template) -> None:
    tagged = [item["Type"] for item in default.to_json()["Resources"].values() if PURPOSE_TAG in json.dumps(item)]
    assert tagged == ["AWS::EC2::Subnet"] * 6


def test_two_copies_have_no_purpose_in_common() -> None:
    names = [
        {item["purpose"] for item in purposes(synthesized(SLUG, variant))} for variant in ("account", "nat", "default")
    ]
    assert (
        not names[0] & names[1]
        and not names[1] & names[2]
        and all("account" in name or "known" in name for name in names[0])
    )


def test_ranges_do_not_overlap_in_any_number_of_zones(default: Template) -> None:
    blocks = [item["Properties"]["CidrBlock"] for item in default.find_resources("AWS::EC2::Subnet").values()]
    assert len(blocks) == len(set(blocks)) == 6


def test_an_idle_default_has_no_gateway_that_bills(default: Template) -> None:
    default.resource_count_is("AWS::EC2::NatGateway", 0)
    default.has_resource_properties("AWS::EC2::VPCEndpoint", {"VpcEndpointType": "Gateway"})


# The host


@pytest.mark.parametrize("variant", HOSTS)
def test_the_host_is_in_a_private_subnet_without_ingress_and_key_pair(variant: str) -> None:
    of = synthesized(SLUG, variant)
    data = launch(of, "HostTemplate")
    assert data["MetadataOptions"]["HttpTokens"] == "required"
    assert data["MetadataOptions"]["HttpPutResponseHopLimit"] == 2
    assert "KeyName" not in data and "NetworkInterfaces" not in data
    group = only(of, "AWS::EC2::SecurityGroup", "HostSecurityGroup")["Properties"]
    assert "SecurityGroupIngress" not in group
    for rule in of.find_resources("AWS::EC2::SecurityGroupIngress").values():
        assert "Host" not in json.dumps(rule["Properties"]["GroupId"])
    subnet = only(of, "AWS::EC2::Instance")["Properties"]["SubnetId"]
    assert "Private" in json.dumps(subnet) or variant == "enterprise"


def test_a_failed_installation_is_a_failed_deployment(host: Template) -> None:
    (name,) = host.find_resources("AWS::EC2::Instance")
    found = only(host, "AWS::EC2::Instance")
    assert found["CreationPolicy"] == {"ResourceSignal": {"Count": 1, "Timeout": "PT60M"}}
    assert f"logical_id='{name}'" in json.dumps(launch(host, "HostTemplate")["UserData"])
    (statement,) = allowing(host, "HostRolesHost", "cloudformation:SignalResource")
    assert statement["Resource"] == {"Ref": "AWS::StackId"}


def test_only_another_generation_replaces_the_host(host: Template) -> None:
    reference = only(host, "AWS::EC2::Instance")["Properties"]["LaunchTemplate"]
    assert reference["Version"] == "1"
    (first,), (second,) = (
        set(synthesized(SLUG, name).find_resources("AWS::EC2::Instance")) for name in ("nat", "second")
    )
    assert (first, second) == ("SpinnakerHost1", "SpinnakerHost2")


def test_in_another_vpc_the_host_has_a_template_whose_first_version_names_the_group_of_that_vpc() -> None:
    """https://docs.aws.amazon.com/vpc/latest/userguide/security-groups.html: a group is of one VPC."""
    found = [
        only(synthesized(SLUG, name), "AWS::EC2::Instance")["Properties"]["LaunchTemplate"]
        for name in ("nat", "enterprise")
    ]
    own, of_enterprise = (reference["LaunchTemplateId"]["Ref"] for reference in found)
    assert [reference["Version"] for reference in found] == ["1", "1"] and own != of_enterprise


def test_deck_and_gate_are_reached_through_session_manager(host: Template) -> None:
    outputs = host.to_json()["Outputs"]
    for name, port in (("ForwardDeck", 9000), ("ForwardGate", 8084)):
        command = json.dumps(outputs[name]["Value"])
        assert "AWS-StartPortForwardingSession" in command and f"portNumber={port},localPortNumber={port}" in command


def test_spinnaker_passes_one_role_to_ec2_and_the_body_names_its_profile(host: Template) -> None:
    (statement,) = allowing(host, "HostRolesManaged", "iam:PassRole")
    (role,) = [name for name in host.find_resources("AWS::IAM::Role") if name.startswith("BaseRole")]
    assert statement["Resource"] == {"Fn::GetAtt": [role, "Arn"]}
    assert statement["Condition"] == {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}
    (profile,) = [name for name in host.find_resources("AWS::IAM::InstanceProfile") if name.startswith("Profile")]
    assert host.to_json()["Outputs"]["BaseProfile"]["Value"] == {"Ref": profile}
    assert only(host, "AWS::IAM::InstanceProfile", "Profile")["Properties"]["Roles"] == [{"Ref": role}]
    assert not statements(host, "BaseRole")


def test_only_the_host_assumes_the_managed_role_and_may_do_little_else(host: Template) -> None:
    managed = only(host, "AWS::IAM::Role", "HostRolesManaged")["Properties"]
    (trust,) = managed["AssumeRolePolicyDocument"]["Statement"]
    (name,) = [name for name in host.find_resources("AWS::IAM::Role") if name.startswith("HostRolesHost")]
    assert trust["Principal"] == {"AWS": {"Fn::GetAtt": [name, "Arn"]}}
    actions = {
        action
        for s in statements(host, "HostRolesHost")
        for action in ([s["Action"]] if isinstance(s["Action"], str) else s["Action"])
    }
    agent = {action for action in actions if action.startswith(("ssm:", "ssmmessages:", "ec2messages:"))}
    assert "ssmmessages:OpenDataChannel" in agent
    assert actions - agent == {
        "cloudformation:SignalResource",
        "ec2:DescribeAvailabilityZones",
        "ec2:DescribeRegions",
        "s3:GetObject",
        "sts:AssumeRole",
    }


def test_no_role_has_power_over_the_account(host: Template) -> None:
    text = json.dumps(host.to_json())
    assert "PowerUserAccess" not in text and "AmazonS3FullAccess" not in text
    for action in ("autoscaling:DeleteAutoScalingGroup", "elasticloadbalancing:DeleteLoadBalancer"):
        (statement,) = allowing(host, "HostRolesManaged", action)
        assert "demoapp-" in json.dumps(statement["Resource"])
    (statement,) = allowing(host, "HostRolesManaged", "ec2:TerminateInstances")
    assert statement["Condition"] == {"StringLike": {"aws:ResourceTag/aws:autoscaling:groupName": "demoapp-v*"}}
    for action in ("ec2:CreateLaunchTemplateVersion", "ec2:DeleteLaunchTemplate"):
        (statement,) = allowing(host, "HostRolesManaged", action)
        assert statement["Condition"] == {"Null": {"aws:ResourceTag/Name": "true"}}
    for found in host.find_resources("AWS::EC2::LaunchTemplate").values():
        (tags,) = found["Properties"]["TagSpecifications"]
        assert tags["ResourceType"] == "launch-template" and "Name" in {tag["Key"] for tag in tags["Tags"]}
    (statement,) = allowing(host, "HostRolesManaged", "iam:CreateServiceLinkedRole")
    assert "spot.amazonaws.com" in statement["Condition"]["StringEquals"]["iam:AWSServiceName"]


def test_a_key_pair_that_exists_is_clouddriver_s_default(host: Template) -> None:
    (name,) = host.find_resources("AWS::EC2::KeyPair")
    assert host.to_json()["Outputs"]["KeyPair"]["Value"] == {"Ref": name}
    assert {"Ref": name} in launch(host, "HostTemplate")["UserData"]["Fn::Base64"]["Fn::Join"][1]


# The host's configuration, as Spinnaker's documentation has it


def configuration(name: str) -> Any:
    return yaml.safe_load((HOST_FILES / name).read_text(encoding="utf-8"))


def test_clouddriver_is_configured_as_documented() -> None:
    # https://spinnaker.io/docs/setup/install/providers/aws/aws-ec2/, its page on launch templates, and
    # CredentialsConfig.Account and Region of clouddriver-aws, where Regions are objects.
    aws = configuration("clouddriver-local.yml")["aws"]
    (account,) = aws["accounts"]
    assert set(account) == {"name", "accountId", "assumeRole", "defaultKeyPair", "regions"}
    assert aws["primaryAccount"] == account["name"] and account["assumeRole"] == "@MANAGED_ROLE@"
    assert account["accountId"] == "@ACCOUNT_ID@" and account["regions"] == [{"name": "@REGION@"}]
    assert configuration("clouddriver-local.yml")["udf"] == {"enabled": False}, "modify would drop the user data"
    assert aws["features"]["launch-templates"] == {"enabled": True, "all-applications": {"enabled": True}}
    assert 'accountId: "@ACCOUNT_ID@"' in (HOST_FILES / "clouddriver-local.yml").read_text(encoding="utf-8")


def test_clouddriver_assumes_the_role_by_an_arn_of_the_stack_s_partition(host: Template) -> None:
    """AssumeRoleAmazonCredentials makes arn:aws:iam:: of a mere name, in China and GovCloud too."""
    parts = launch(host, "HostTemplate")["UserData"]["Fn::Base64"]["Fn::Join"][1]
    (at,) = [number for number, part in enumerate(parts) if str(part).endswith("managed_role='")]
    (role,) = [name for name in host.find_resources("AWS::IAM::Role") if name.startswith("HostRolesManaged")]
    assert parts[at + 1] == {"Fn::GetAtt": [role, "Arn"]}


def test_orca_launches_with_the_account_that_there_is() -> None:
    assert configuration("orca-local.yml")["default"]["bake"]["account"] == "@ACCOUNT_NAME@"


def test_nothing_is_stored_in_s3_and_no_halyard_is_used() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in (*HOST_FILES.iterdir(), HOST_FILES.parent / "host.sh"))
    assert "s3:\n" not in text and "front50-local" not in text and "halyard" not in text.lower()
    assert "upstream/components/mysql" in configuration("kustomization.yaml")["components"]


def test_images_are_of_the_configured_version() -> None:
    images = {item["name"]: item["newTag"] for item in configuration("kustomization.yaml")["images"]}
    assert set(images.values()) == {"@SPINNAKER_VERSION@", "8.0"}
    services = [path.rpartition("/")[2] for path in configuration("kustomization.yaml")["resources"][1:]]
    assert {f"ghcr.io/spinnaker/{service}" for service in services} | {"mysql"} == set(images)
    off = configuration("spinnaker-local.yml")["services"]
    assert not {name for name, service in off.items() if service.get("enabled") is False} & set(services)


def test_deck_calls_gate_where_session_manager_forwards_it() -> None:
    path = configuration("gate-local.yml")["server"]["servlet"]["context-path"]
    assert f"'http://localhost:8084{path}'" in (HOST_FILES / "settings-local.js").read_text(encoding="utf-8")
    assert bodies_of().settings.gate_url == f"http://localhost:8084{path}"
    assert configuration("spinnaker-local.yml")["services"]["deck"]["baseUrl"] == "http://localhost:9000"


# What an enterprise prescribes


def test_the_enterprise_settings_reach_every_resource_that_they_are_about(enterprise: Template) -> None:
    key = "arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555"
    for found in enterprise.find_resources("AWS::EC2::LaunchTemplate").values():
        (volume,) = found["Properties"]["LaunchTemplateData"]["BlockDeviceMappings"]
        assert volume["Ebs"]["KmsKeyId"] == key
    for role in enterprise.find_resources("AWS::IAM::Role").values():
        assert "policy/developers" in json.dumps(role["Properties"]["PermissionsBoundary"])
    for kind in ("VPC", "Subnet", "NatGateway"):
        enterprise.resource_count_is(f"AWS::EC2::{kind}", 0)
    enterprise.has_resource_properties("AWS::ElasticLoadBalancingV2::LoadBalancer", {"Scheme": "internal"})


@pytest.mark.parametrize("variant", [variants.DEFAULT, "nat"])
def test_template(variant: str, snapshot: SnapshotAssertion) -> None:
    assert readable(variants.template(variant, SLUG)) == snapshot(extension_class=TemplateSnapshot)
