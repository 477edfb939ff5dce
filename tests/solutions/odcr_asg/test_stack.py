"""What the post on reserved capacity across zones promises, read off the templates."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml
from syrupy.assertion import SnapshotAssertion

from stacks.odcr_asg.settings import DOCUMENTS
from tests import variants
from tests.prepared import prepared
from tests.snapshots import TemplateSnapshot, readable
from tests.template import Match, Template, every_action, synthesized
from tests.variants import Json

SLUG = "odcr_asg"
EVERY = pytest.mark.parametrize("variant", variants.variants_of(SLUG))


template = partial(synthesized, SLUG)


@pytest.fixture(scope="module")
def nat() -> Template:
    """Four named zones, dedicated, with an end date, targeted by the launch template, without drills."""
    return template("nat")


def properties(of: Template, kind: str) -> list[Json]:
    return [resource["Properties"] for resource in of.find_resources(kind).values()]


def one(of: Template, kind: str) -> Json:
    (found,) = properties(of, kind)
    return found


# The reservations


def test_three_zones_reserve_three_instances_each_for_the_group_only(default: Template) -> None:
    found = properties(default, "AWS::EC2::CapacityReservation")
    assert [item["InstanceCount"] for item in found] == [3, 3, 3]
    assert {item["InstanceMatchCriteria"] for item in found} == {"targeted"}
    assert {item["EndDateType"] for item in found} == {"unlimited"}
    assert not [item for item in found if "EndDate" in item]


@EVERY
def test_each_zone_reserves_what_the_others_need_without_it(variant: str) -> None:
    found = properties(template(variant), "AWS::EC2::CapacityReservation")
    required = int(one(template(variant), "AWS::AutoScaling::AutoScalingGroup")["MinSize"])
    (count,) = {item["InstanceCount"] for item in found}
    assert (len(found) - 1) * count >= required > (len(found) - 1) * (count - 1)


@EVERY
def test_type_platform_tenancy_and_zones_are_those_of_the_launch_template_and_the_group(variant: str) -> None:
    of = template(variant)
    data = one(of, "AWS::EC2::LaunchTemplate")["LaunchTemplateData"]
    reservations = properties(of, "AWS::EC2::CapacityReservation")
    for item in reservations:
        assert item["InstanceType"] == data["InstanceType"]
        assert item["InstancePlatform"] == "Linux/UNIX"
        assert item["Tenancy"] == data.get("Placement", {}).get("Tenancy", "default")
    subnets = one(of, "AWS::AutoScaling::AutoScalingGroup")["VPCZoneIdentifier"]
    made = of.find_resources("AWS::EC2::Subnet")
    if made:
        zones = [made[subnet["Ref"]]["Properties"]["AvailabilityZone"] for subnet in subnets]
        assert [item["AvailabilityZone"] for item in reservations] == zones
    else:
        assert [item["AvailabilityZone"]["Fn::GetAtt"] for item in reservations] == [
            ["ZonesOfSubnets", f"Zone{number}"] for number in range(1, len(subnets) + 1)
        ]
    image = next(p["Default"] for p in of.to_json()["Parameters"].values() if "Image::Id" in p["Type"])
    assert "al2023" in image
    assert image.endswith("arm64") == (data["InstanceType"].split(".")[0] == "t4g")


def test_zones_can_be_named_and_reservations_end(nat: Template) -> None:
    found = properties(nat, "AWS::EC2::CapacityReservation")
    assert [item["AvailabilityZone"] for item in found] == ["eu-west-1a", "eu-west-1b", "eu-west-1c", "eu-west-1d"]
    assert {(item["EndDateType"], item["EndDate"]) for item in found} == {("limited", "2027-01-31T18:00:00Z")}


def test_the_pool_can_be_targeted_and_takes_reservations_only(default: Template) -> None:
    pool = one(default, "AWS::ResourceGroups::Group")
    assert pool["Configuration"] == [
        {"Type": "AWS::EC2::CapacityReservationPool"},
        {
            "Type": "AWS::ResourceGroups::Generic",
            "Parameters": [{"Name": "allowed-resource-types", "Values": ["AWS::EC2::CapacityReservation"]}],
        },
    ]
    assert [arn["Fn::GetAtt"] for arn in pool["Resources"]] == [
        [name, "CapacityReservationArn"] for name in default.find_resources("AWS::EC2::CapacityReservation")
    ]


# The group


@EVERY
def test_the_pool_is_named_in_exactly_one_place(variant: str) -> None:
    of = template(variant)
    (pool,) = of.find_resources("AWS::ResourceGroups::Group")
    in_template = one(of, "AWS::EC2::LaunchTemplate")["LaunchTemplateData"].get("CapacityReservationSpecification")
    in_group = one(of, "AWS::AutoScaling::AutoScalingGroup")["CapacityReservationSpecification"]
    assert bool(in_template) != ("CapacityReservationTarget" in in_group)
    assert json.dumps([in_template, in_group]).count(json.dumps({"Fn::GetAtt": [pool, "Arn"]})) == 1


def test_the_group_takes_reservations_first_and_then_balances(default: Template) -> None:
    default.has_resource_properties(
        "AWS::AutoScaling::AutoScalingGroup",
        {
            "MinSize": "6",
            "MaxSize": "12",
            "DesiredCapacity": Match.absent(),
            "AvailabilityZoneDistribution": {"CapacityDistributionStrategy": "reservations-then-balanced"},
            "CapacityReservationSpecification": {
                "CapacityReservationPreference": "capacity-reservations-first",
                "CapacityReservationTarget": {"CapacityReservationResourceGroupArns": [Match.any_value()]},
            },
            "MixedInstancesPolicy": Match.absent(),
            "LaunchTemplate": Match.any_value(),
            "AvailabilityZoneImpairmentPolicy": Match.absent(),
        },
    )


def test_the_launch_template_can_name_the_pool_as_in_the_post(nat: Template) -> None:
    nat.has_resource_properties(
        "AWS::EC2::LaunchTemplate",
        {
            "LaunchTemplateData": {
                "CapacityReservationSpecification": {
                    "CapacityReservationTarget": {"CapacityReservationResourceGroupArn": Match.any_value()}
                },
                "Placement": {"Tenancy": "dedicated"},
            }
        },
    )
    group = one(nat, "AWS::AutoScaling::AutoScalingGroup")
    # Not left out: a group that named the pool itself before would go on to, and hide what the launch template says.
    assert group["CapacityReservationSpecification"] == {"CapacityReservationPreference": "default"}
    assert group["AvailabilityZoneDistribution"] == {"CapacityDistributionStrategy": "balanced-best-effort"}


def test_a_zonal_shift_is_possible_where_it_is_wanted(enterprise: Template) -> None:
    policy = one(enterprise, "AWS::AutoScaling::AutoScalingGroup")["AvailabilityZoneImpairmentPolicy"]
    assert policy == {"ZonalShiftEnabled": True, "ImpairedZoneHealthCheckBehavior": "ReplaceUnhealthy"}


def test_a_zone_that_stays_in_zone_names_keeps_its_reservation() -> None:
    """By its place in the list it would get a second one first, which EC2 may not have."""
    ids = [
        {
            name: resource["Properties"]["AvailabilityZone"]
            for name, resource in prepared(SLUG, zones).find_resources("AWS::EC2::CapacityReservation").items()
        }
        for zones in ("a and b", "b and c")
    ]
    before, after = ids
    assert {name: before[name] for name in before.keys() & after.keys()} == {
        name: "us-east-1b" for name, zone in after.items() if zone == "us-east-1b"
    }


def test_a_change_keeps_the_required_instances_in_service(default: Template) -> None:
    (group,) = default.find_resources("AWS::AutoScaling::AutoScalingGroup").values()
    rolling = group["UpdatePolicy"]["AutoScalingRollingUpdate"]
    assert (rolling["MaxBatchSize"], rolling["MinInstancesInService"]) == (1, 6)
    assert rolling["PauseTime"] == "PT1M", "each new instance has its time to start"


def test_instances_may_do_nothing_and_reach_s3_and_dynamodb_only(default: Template) -> None:
    assert default.statements("InstancesRole") == []
    for kind in ("InternetGateway", "NatGateway", "SecurityGroupIngress"):
        default.resource_count_is(f"AWS::EC2::{kind}", 0)
    assert {item["VpcEndpointType"] for item in properties(default, "AWS::EC2::VPCEndpoint")} == {"Gateway"}


def test_the_user_data_is_for_the_users_application(default: Template) -> None:
    script = json.dumps(one(default, "AWS::EC2::LaunchTemplate")["LaunchTemplateData"]["UserData"])
    assert "install and start your application here" in script


# An existing network


def test_the_zones_of_an_existing_network_are_found_at_deployment(enterprise: Template) -> None:
    asked = one(enterprise, "Custom::SubnetZones")
    assert asked["SubnetIds"] == ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
    assert every_action(enterprise, "SubnetZonesRole") >= {"ec2:DescribeSubnets"}
    enterprise.resource_count_is("AWS::Lambda::Function", 1)
    enterprise.resource_count_is("AWS::EC2::VPC", 0)


def test_a_network_of_our_own_needs_no_function(default: Template) -> None:
    default.resource_count_is("AWS::Lambda::Function", 0)


# Alarms and outputs


@EVERY
def test_alarms_look_at_the_reservations_of_all_zones_together(variant: str) -> None:
    of = template(variant)
    reservations = of.find_resources("AWS::EC2::CapacityReservation")
    for alarm in properties(of, "AWS::CloudWatch::Alarm"):
        dimensions = [query["MetricStat"]["Metric"]["Dimensions"] for query in alarm["Metrics"][1:]]
        ids = [[{"Name": "CapacityReservationId", "Value": {"Ref": name}}] for name in reservations]
        assert dimensions == ids
        assert alarm["Metrics"][0]["Expression"] == " + ".join(query["Id"] for query in alarm["Metrics"][1:])
        assert alarm["TreatMissingData"] == "notBreaching"


def test_the_first_instance_without_a_reservation_is_announced_and_so_are_hours_in_which_some_idle(
    default: Template,
) -> None:
    used_up = {"ComparisonOperator": "GreaterThanThreshold", "Threshold": 8, "EvaluationPeriods": 1}
    idle = {"ComparisonOperator": "LessThanThreshold", "Threshold": 6, "EvaluationPeriods": 3}
    default.resource_count_is("AWS::CloudWatch::Alarm", 2)
    for wanted, statistic, period in ((used_up, "Minimum", 300), (idle, "Maximum", 3600)):
        queries = Match.array_with([Match.object_like({"MetricStat": {"Stat": statistic, "Period": period}})])
        default.has_resource_properties("AWS::CloudWatch::Alarm", {**wanted, "Metrics": queries})


def test_the_posts_three_outputs_are_there(default: Template) -> None:
    outputs = default.to_json()["Outputs"]
    (group,) = default.find_resources("AWS::AutoScaling::AutoScalingGroup")
    subnets = one(default, "AWS::AutoScaling::AutoScalingGroup")["VPCZoneIdentifier"]
    assert outputs["AutoScalingGroupName"]["Value"] == {"Ref": group}
    assert outputs["SubnetForManuallyAddedInstance"]["Value"] == subnets[0]
    assert outputs["SubnetsToKeepWhenDroppingASGAZ"]["Value"] == {"Fn::Join": ["", [subnets[0], ",", subnets[1]]]}


# Drills


def documents(of: Template) -> dict[str, Json]:
    return {item["Content"]["description"].split()[0]: item["Content"] for item in properties(of, "AWS::SSM::Document")}


def test_three_drills_are_there_and_nothing_starts_them(default: Template) -> None:
    assert set(documents(default)) == {"Scales", "Takes", "Starts"}
    for kind in (
        "AWS::Events::Rule",
        "AWS::Scheduler::Schedule",
        "AWS::SSM::Association",
        "AWS::SSM::MaintenanceWindow",
    ):
        default.resource_count_is(kind, 0)
    outputs = default.to_json()["Outputs"]
    for name in ("ScaleOutDrill", "LoseZoneDrill", "OutsiderDrill"):
        assert "aws ssm start-automation-execution" in json.dumps(outputs[name])


def test_drills_can_be_left_out(nat: Template) -> None:
    nat.resource_count_is("AWS::SSM::Document", 0)
    assert not [name for name in nat.to_json()["Outputs"] if name.endswith("Drill")]


@pytest.mark.parametrize("path", sorted(DOCUMENTS.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_drill_puts_everything_back_however_it_ends(path: Path) -> None:
    steps = yaml.safe_load(path.read_text(encoding="utf-8"))["mainSteps"]
    changes = next(n for n, step in enumerate(steps) if not step["inputs"].get("Api", "").startswith("Describe"))
    last = steps[-1]
    assert last["isEnd"] and not last["inputs"]["Api"].startswith("Describe")
    back = len(steps) - 1 - (path.stem == "outsider")  # what the outsider ends is found by its tag first
    for step in steps[changes:back]:
        assert step["onFailure"] == step["onCancel"] == f"step:{steps[back]['name']}", step["name"]


def test_documents_have_no_placeholder_left_and_name_their_role(default: Template) -> None:
    for document in documents(default).values():
        assert "@" not in json.dumps(document)
        role = document["assumeRole"]["Fn::GetAtt"][0]
        trust = default.find_resources("AWS::IAM::Role")[role]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        assert trust[0]["Principal"] == {"Service": "ssm.amazonaws.com"}
        assert trust[0]["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


def test_the_drill_beyond_the_reservations_asks_for_one_more_in_each_zone(default: Template) -> None:
    assert documents(default)["Scales"]["parameters"]["DesiredCapacity"]["default"] == 12


def test_each_drill_may_do_what_its_steps_do_and_no_more(default: Template) -> None:
    describes = {"autoscaling:DescribeAutoScalingGroups", "ec2:DescribeCapacityReservations"}
    assert every_action(default, "DrillsScaleOutRole") == describes | {"autoscaling:SetDesiredCapacity"}
    assert every_action(default, "DrillsLoseZoneRole") == describes | {"autoscaling:UpdateAutoScalingGroup"}
    assert every_action(default, "DrillsOutsiderRole") == {
        "ec2:CreateTags",
        "ec2:DescribeCapacityReservations",
        "ec2:DescribeInstances",
        "ec2:RunInstances",
        "ec2:TerminateInstances",
        "iam:PassRole",
    }


def test_drills_change_this_group_only_and_end_only_what_they_started(default: Template) -> None:
    (group,) = default.find_resources("AWS::AutoScaling::AutoScalingGroup")
    for role in ("DrillsScaleOutRole", "DrillsLoseZoneRole"):
        (change,) = [s for s in default.statements(role) if isinstance(s["Action"], str)]
        assert change["Resource"]["Fn::Join"][1][-1] == {"Ref": group}
    (change,) = [s for s in default.statements("DrillsLoseZoneRole") if isinstance(s["Action"], str)]
    assert change["Condition"] == {
        "ForAllValues:StringEquals": {
            "autoscaling:VPCZoneIdentifiers": one(default, "AWS::AutoScaling::AutoScalingGroup")["VPCZoneIdentifier"]
        },
        "Null": {"autoscaling:VPCZoneIdentifiers": "false"},
    }
    by_action: dict[str, Any] = {str(s["Action"]): s for s in default.statements("DrillsOutsiderRole")}
    tag = {"StringEquals": {"aws:ResourceTag/odcr-asg-drill": "odcr-asg"}}
    assert by_action["ec2:TerminateInstances"]["Condition"] == tag


@pytest.mark.parametrize("variant", [variants.DEFAULT, "enterprise"])
def test_the_outsider_starts_in_its_subnet_with_the_groups_security_group_and_launch_template_only(
    variant: str,
) -> None:
    """EC2 judges RunInstances on each of these, whatever the request overrides.

    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ExamplePolicies_EC2.html#iam-example-runinstances
    """
    of = template(variant)
    launches = [s for s in of.statements("DrillsOutsiderRole") if s["Action"] == "ec2:RunInstances"]
    data = one(of, "AWS::EC2::LaunchTemplate")["LaunchTemplateData"]
    (subnet, *_) = one(of, "AWS::AutoScaling::AutoScalingGroup")["VPCZoneIdentifier"]
    kinds = set()
    for statement in launches:
        assert "launch-template" in json.dumps(statement["Condition"]["ArnEquals"]["ec2:LaunchTemplate"])
        resources = statement["Resource"]
        for arn in resources if isinstance(resources, list) else [resources]:
            *_, kind = json.dumps(arn).partition(":ec2:")[2].rpartition("/")[0].split(":")
            kinds.add(kind)
            if kind == "instance":
                assert statement["Condition"]["StringEquals"] == {"ec2:InstanceType": data["InstanceType"]}
            if kind == "subnet":
                assert json.dumps(subnet).strip('"') in json.dumps(arn)
            if kind == "security-group":
                assert json.dumps(data["SecurityGroupIds"][0]) in json.dumps(arn)
    assert kinds == {"instance", "image", "volume", "network-interface", "subnet", "security-group", "launch-template"}


@pytest.mark.parametrize("variant", [variants.DEFAULT, "enterprise"])
def test_the_outsider_tags_whatever_its_launch_template_tags_because_its_role_may_tag_nothing_else(
    variant: str,
) -> None:
    """EC2 asks for ec2:CreateTags once for each resource that gets tags, with the tags of that resource.

    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/supported-iam-actions-tagging.html
    """
    of = template(variant)
    (start,) = [step for step in documents(of)["Starts"]["mainSteps"] if step["name"] == "Start"]
    by_kind = {item["ResourceType"]: item["Tags"] for item in start["inputs"]["TagSpecifications"]}
    in_template = one(of, "AWS::EC2::LaunchTemplate")["LaunchTemplateData"]["TagSpecifications"]
    assert by_kind.keys() == {item["ResourceType"] for item in in_template}
    (may,) = [s for s in of.statements("DrillsOutsiderRole") if s["Action"] == "ec2:CreateTags"]
    needed = may["Condition"]["StringEquals"]
    for tags in by_kind.values():
        assert needed.items() >= {(f"aws:RequestTag/{tag['Key']}", tag["Value"]) for tag in tags} != set()


# What an enterprise prescribes


def test_the_enterprise_settings_reach_every_resource_that_they_are_about(enterprise: Template) -> None:
    key = "arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555"
    enterprise.all_resources_properties("AWS::Logs::LogGroup", {"KmsKeyId": key, "RetentionInDays": 365})
    enterprise.all_resources_properties(
        "AWS::EC2::LaunchTemplate", {"LaunchTemplateData": {"BlockDeviceMappings": [{"Ebs": {"KmsKeyId": key}}]}}
    )
    for role in properties(enterprise, "AWS::IAM::Role"):
        assert "policy/developers" in json.dumps(role["PermissionsBoundary"])
    for alarm in properties(enterprise, "AWS::CloudWatch::Alarm"):
        assert alarm["AlarmActions"] == ["arn:aws:sns:eu-central-1:123456789012:alarms"]
    assert "kms:CreateGrant" in every_action(enterprise, "DrillsOutsiderRole")


@pytest.mark.parametrize("variant", [variants.DEFAULT, "enterprise"])
def test_template(variant: str, snapshot: SnapshotAssertion) -> None:
    assert readable(variants.template(variant, SLUG)) == snapshot(extension_class=TemplateSnapshot)
