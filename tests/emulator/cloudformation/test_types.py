"""Every CloudFormation type of ours is created, changed and deleted by a stack, and its API sees what became of it."""

import copy
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from emulator.client import EmbeddedAws
from tests.embedded_aws import Stack

Resources = dict[str, Any]

IMAGE = "{{resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64}}"


def _resource(kind: str, depends_on: str | None = None, **properties: Any) -> dict[str, Any]:
    described = {"Type": kind, "Properties": properties}
    return described | ({"DependsOn": depends_on} if depends_on else {})


def _ref(name: str) -> dict[str, str]:
    return {"Ref": name}


def _att(name: str, attribute: str) -> dict[str, list[str]]:
    return {"Fn::GetAtt": [name, attribute]}


def network() -> Resources:
    """Every type of a network."""
    zone = {"Fn::Select": [0, {"Fn::GetAZs": ""}]}
    return {
        "Vpc": _resource("AWS::EC2::VPC", CidrBlock="10.0.0.0/16", EnableDnsHostnames=False),
        "Subnet": _resource("AWS::EC2::Subnet", VpcId=_ref("Vpc"), CidrBlock="10.0.0.0/24", AvailabilityZone=zone),
        "Gateway": _resource("AWS::EC2::InternetGateway"),
        "Attachment": _resource("AWS::EC2::VPCGatewayAttachment", VpcId=_ref("Vpc"), InternetGatewayId=_ref("Gateway")),
        "Table": _resource("AWS::EC2::RouteTable", VpcId=_ref("Vpc")),
        "Association": _resource(
            "AWS::EC2::SubnetRouteTableAssociation", RouteTableId=_ref("Table"), SubnetId=_ref("Subnet")
        ),
        "Address": _resource("AWS::EC2::EIP", Domain="vpc"),
        "Nat": _resource("AWS::EC2::NatGateway", SubnetId=_ref("Subnet"), AllocationId=_att("Address", "AllocationId")),
        "Route": _resource(
            "AWS::EC2::Route",
            "Attachment",
            RouteTableId=_ref("Table"),
            DestinationCidrBlock="0.0.0.0/0",
            GatewayId=_ref("Gateway"),
        ),
        "Group": _resource(
            "AWS::EC2::SecurityGroup",
            GroupDescription="Tried",
            VpcId=_ref("Vpc"),
            SecurityGroupIngress=[{"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "CidrIp": "10.0.0.0/16"}],
        ),
        "Ingress": _resource(
            "AWS::EC2::SecurityGroupIngress",
            GroupId=_att("Group", "GroupId"),
            IpProtocol="tcp",
            FromPort=443,
            ToPort=443,
            SourceSecurityGroupId=_att("Group", "GroupId"),
        ),
        "Egress": _resource(
            "AWS::EC2::SecurityGroupEgress",
            GroupId=_att("Group", "GroupId"),
            IpProtocol="tcp",
            FromPort=443,
            ToPort=443,
            CidrIp="10.0.0.0/16",
        ),
        "S3": _resource(
            "AWS::EC2::VPCEndpoint",
            VpcId=_ref("Vpc"),
            ServiceName={"Fn::Sub": "com.amazonaws.${AWS::Region}.s3"},
            VpcEndpointType="Gateway",
            RouteTableIds=[_ref("Table")],
        ),
        "Sqs": _resource(
            "AWS::EC2::VPCEndpoint",
            VpcId=_ref("Vpc"),
            ServiceName={"Fn::Sub": "com.amazonaws.${AWS::Region}.sqs"},
            VpcEndpointType="Interface",
            SubnetIds=[_ref("Subnet")],
            SecurityGroupIds=[_att("Group", "GroupId")],
            PrivateDnsEnabled=True,
        ),
        "Logs": _resource("AWS::Logs::LogGroup", RetentionInDays=7),
        "LogsRole": _resource(
            "AWS::IAM::Role",
            AssumeRolePolicyDocument={
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Action": "sts:AssumeRole",
                        "Principal": {"Service": "vpc-flow-logs.amazonaws.com"},
                    }
                ],
            },
        ),
        "Flow": _resource(
            "AWS::EC2::FlowLog",
            ResourceId=_ref("Vpc"),
            ResourceType="VPC",
            TrafficType="REJECT",
            LogGroupName=_ref("Logs"),
            LogDestinationType="cloud-watch-logs",
            DeliverLogsPermissionArn=_att("LogsRole", "Arn"),
        ),
    }


def worker_group(target: float = 12, echo: str = "one") -> Resources:
    """Every type of a scaling group, in a network of one public subnet."""
    parts = network()
    kept = {name: parts[name] for name in ("Vpc", "Subnet", "Group")}
    dimensions = [{"Name": "QueueName", "Value": "work"}]
    return kept | {
        "Template": _resource(
            "AWS::EC2::LaunchTemplate",
            LaunchTemplateData={
                "ImageId": IMAGE,
                "SecurityGroupIds": [_att("Group", "GroupId")],
                "UserData": {"Fn::Base64": f"#!/bin/sh\necho {echo}\n"},
                "MetadataOptions": {"HttpTokens": "required"},
                "BlockDeviceMappings": [
                    {"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 8, "VolumeType": "gp3", "Encrypted": True}}
                ],
            },
        ),
        "Workers": _resource(
            "AWS::AutoScaling::AutoScalingGroup",
            MinSize="1",
            MaxSize="4",
            VPCZoneIdentifier=[_ref("Subnet")],
            CapacityRebalance=True,
            MixedInstancesPolicy={
                "InstancesDistribution": {"OnDemandBaseCapacity": 0, "OnDemandPercentageAboveBaseCapacity": 0},
                "LaunchTemplate": {
                    "LaunchTemplateSpecification": {
                        "LaunchTemplateId": _ref("Template"),
                        "Version": _att("Template", "LatestVersionNumber"),
                    },
                    "Overrides": [{"InstanceRequirements": {"VCpuCount": {"Min": 2}, "MemoryMiB": {"Min": 4096}}}],
                },
            },
            LifecycleHookSpecificationList=[
                {
                    "LifecycleHookName": "drain",
                    "LifecycleTransition": "autoscaling:EC2_INSTANCE_TERMINATING",
                    "HeartbeatTimeout": 300,
                    "DefaultResult": "CONTINUE",
                }
            ],
            MetricsCollection=[{"Granularity": "1Minute", "Metrics": ["GroupInServiceInstances"]}],
            Tags=[{"Key": "role", "Value": "worker", "PropagateAtLaunch": True}],
        )
        | {"UpdatePolicy": {"AutoScalingRollingUpdate": {"MinInstancesInService": 1}}},
        "Hook": _resource(
            "AWS::AutoScaling::LifecycleHook",
            AutoScalingGroupName=_ref("Workers"),
            LifecycleTransition="autoscaling:EC2_INSTANCE_TERMINATING",
            HeartbeatTimeout=60,
        ),
        "Backlog": _resource(
            "AWS::AutoScaling::ScalingPolicy",
            AutoScalingGroupName=_ref("Workers"),
            PolicyType="TargetTrackingScaling",
            TargetTrackingConfiguration={
                "TargetValue": target,
                "CustomizedMetricSpecification": {
                    "Namespace": "Tried",
                    "MetricName": "BPI",
                    "Statistic": "Average",
                    "Dimensions": dimensions,
                },
            },
        ),
        "Latency": _resource(
            "AWS::AutoScaling::ScalingPolicy",
            AutoScalingGroupName=_ref("Workers"),
            PolicyType="TargetTrackingScaling",
            TargetTrackingConfiguration={
                "TargetValue": 300,
                "CustomizedMetricSpecification": {
                    "Metrics": [
                        {
                            "Id": "visible",
                            "ReturnData": False,
                            "MetricStat": {
                                "Stat": "Sum",
                                "Metric": {
                                    "Namespace": "AWS/SQS",
                                    "MetricName": "ApproximateNumberOfMessagesVisible",
                                    "Dimensions": dimensions,
                                },
                            },
                        },
                        {"Id": "latency", "Expression": "visible * 25", "ReturnData": True},
                    ]
                },
            },
        ),
        "LeaveZero": _resource(
            "AWS::AutoScaling::ScalingPolicy",
            AutoScalingGroupName=_ref("Workers"),
            PolicyType="StepScaling",
            AdjustmentType="ExactCapacity",
            StepAdjustments=[{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 2}],
        ),
    }


def test_a_network_is_made_changed_and_removed(aws: EmbeddedAws, stack: Stack) -> None:
    ec2 = aws.client("ec2")
    made = stack.create(network())
    assert made["Ingress"].startswith("sgr-")
    changed = copy.deepcopy(network())
    changed["Vpc"]["Properties"]["EnableDnsHostnames"] = True
    changed["Subnet"]["Properties"]["MapPublicIpOnLaunch"] = True
    changed["Subnet"]["Properties"]["Tags"] = [{"Key": "Name", "Value": "first"}]
    changed["Group"]["Properties"]["SecurityGroupIngress"][0] |= {"FromPort": 8080, "ToPort": 8080}
    changed["Sqs"]["Properties"]["PrivateDnsEnabled"] = False
    changed["Route"]["Properties"].pop("GatewayId")
    changed["Route"]["Properties"]["NatGatewayId"] = _ref("Nat")
    assert stack.update(changed) == made, "all in place"

    vpc_id = made["Vpc"]
    assert ec2.describe_vpc_attribute(VpcId=vpc_id, Attribute="enableDnsHostnames")["EnableDnsHostnames"]["Value"]
    (subnet,) = ec2.describe_subnets(SubnetIds=[made["Subnet"]])["Subnets"]
    assert subnet["MapPublicIpOnLaunch"]
    assert {"Key": "Name", "Value": "first"} in subnet["Tags"]
    (group,) = ec2.describe_security_groups(GroupIds=[made["Group"]])["SecurityGroups"]
    assert sorted(rule["FromPort"] for rule in group["IpPermissions"]) == [443, 8080]
    (table,) = ec2.describe_route_tables(RouteTableIds=[made["Table"]])["RouteTables"]
    assert made["Nat"] in [route.get("NatGatewayId") for route in table["Routes"]]

    stack.delete()
    assert [vpc["IsDefault"] for vpc in ec2.describe_vpcs()["Vpcs"]] == [True]
    assert ec2.describe_addresses()["Addresses"] == []
    assert ec2.describe_network_interfaces()["NetworkInterfaces"] == []
    assert ec2.describe_flow_logs()["FlowLogs"] == []
    assert {gateway["State"] for gateway in ec2.describe_nat_gateways()["NatGateways"]} == {"deleted"}
    assert {endpoint["State"] for endpoint in ec2.describe_vpc_endpoints()["VpcEndpoints"]} == {"deleted"}


def test_a_group_is_made_changed_in_place_and_removed(aws: EmbeddedAws, stack: Stack) -> None:
    ec2, scaling = aws.client("ec2"), aws.client("autoscaling")
    made = stack.create(worker_group(), Outputs={"Policy": {"Value": _att("Backlog", "PolicyName")}})
    (group,) = scaling.describe_auto_scaling_groups()["AutoScalingGroups"]
    (member,) = group["Instances"]
    assert (member["LifecycleState"], group["CapacityRebalance"]) == ("InService", True)
    assert [item["Metric"] for item in group["EnabledMetrics"]] == ["GroupInServiceInstances"]
    (instance,) = ec2.describe_instances(InstanceIds=[member["InstanceId"]])["Reservations"][0]["Instances"]
    assert instance["InstanceLifecycle"] == "spot"
    assert instance["SubnetId"] == made["Subnet"]
    assert [item["GroupId"] for item in instance["SecurityGroups"]] == [made["Group"]]
    assert instance["MetadataOptions"]["HttpTokens"] == "required"
    tags = {tag["Key"]: tag["Value"] for tag in instance["Tags"]}
    assert (tags["role"], tags["aws:autoscaling:groupName"]) == ("worker", made["Workers"])
    assert made["Backlog"].endswith(f":autoScalingGroupName/{made['Workers']}:policyName/{stack.outputs()['Policy']}")

    scaling.set_desired_capacity(AutoScalingGroupName=made["Workers"], DesiredCapacity=3)
    changed = worker_group(target=24, echo="two")
    changed["Workers"]["Properties"]["MaxSize"] = "6"
    changed["Hook"]["Properties"]["HeartbeatTimeout"] = 90
    assert stack.update(changed) == made, "all in place"
    (group,) = scaling.describe_auto_scaling_groups()["AutoScalingGroups"]
    assert (group["MaxSize"], group["DesiredCapacity"]) == (6, 3)
    states = sorted(each["LifecycleState"] for each in group["Instances"])
    assert states == ["InService"] * 3 + ["Terminating:Wait"] * 3, "they are replaced, and drain"
    specification = group["MixedInstancesPolicy"]["LaunchTemplate"]["LaunchTemplateSpecification"]
    assert specification["Version"] == "2"
    policies = {item["PolicyARN"]: item for item in scaling.describe_policies()["ScalingPolicies"]}
    assert policies[made["Backlog"]]["TargetTrackingConfiguration"]["TargetValue"] == 24
    metrics = policies[made["Latency"]]["TargetTrackingConfiguration"]["CustomizedMetricSpecification"]["Metrics"]
    assert [metric["Id"] for metric in metrics if metric["ReturnData"]] == ["latency"]
    hooks = scaling.describe_lifecycle_hooks(AutoScalingGroupName=made["Workers"])["LifecycleHooks"]
    assert sorted(hook["HeartbeatTimeout"] for hook in hooks) == [90, 300]

    stack.delete()
    assert scaling.describe_auto_scaling_groups()["AutoScalingGroups"] == []
    assert scaling.describe_policies()["ScalingPolicies"] == []
    assert ec2.describe_launch_templates()["LaunchTemplates"] == []
    ended = {item["State"]["Name"] for found in ec2.describe_instances()["Reservations"] for item in found["Instances"]}
    assert ended == {"terminated"}
    assert ec2.describe_network_interfaces()["NetworkInterfaces"] == []
    assert ec2.describe_volumes()["Volumes"] == []


def test_the_live_target_survives_an_update_that_does_not_touch_the_policy(aws: EmbeddedAws, stack: Stack) -> None:
    scaling = aws.client("autoscaling")
    made = stack.create(worker_group())
    name = made["Backlog"].rsplit("/", 1)[-1]
    (policy,) = scaling.describe_policies(PolicyNames=[name])["ScalingPolicies"]
    live = policy["TargetTrackingConfiguration"] | {"TargetValue": 6.0}
    scaling.put_scaling_policy(
        AutoScalingGroupName=made["Workers"],
        PolicyName=name,
        PolicyType="TargetTrackingScaling",
        TargetTrackingConfiguration=live,
    )
    stack.update(worker_group(echo="two"))
    (policy,) = scaling.describe_policies(PolicyNames=[name])["ScalingPolicies"]
    assert policy["TargetTrackingConfiguration"]["TargetValue"] == 6


def test_what_was_deployed_is_what_get_template_answers(aws: EmbeddedAws, stack: Stack) -> None:
    resources = network()
    stack.create(resources)
    body = aws.client("cloudformation").get_template(StackName=stack.name)["TemplateBody"]
    assert (json.loads(body) if isinstance(body, str) else body)["Resources"] == resources


def test_an_unknown_type_fails_and_says_where_to_add_it(stack: Stack) -> None:
    with pytest.raises(ClientError, match=r"\[AWS::EC2::TransitGateway\].*add it to emulator/services"):
        stack.create({"Hub": _resource("AWS::EC2::TransitGateway")})


def test_zones_without_a_default_subnet_are_not_taken_as_long_as_one_has_one(aws: EmbeddedAws, stack: Stack) -> None:
    """https://dev.classmethod.jp/en/articles/cloudformation-getazs-missing-azs."""
    ec2 = aws.client("ec2")
    zone = {"Fn::Select": [1, {"Fn::GetAZs": {"Ref": "AWS::Region"}}]}
    volume = {"Data": _resource("AWS::EC2::Volume", AvailabilityZone=zone, Size=1)}

    def made() -> str:
        stack.create(volume)
        (found,) = ec2.describe_volumes()["Volumes"]
        stack.delete()
        return str(found["AvailabilityZone"])

    def end(*zones: str) -> None:
        for subnet in ec2.describe_subnets(Filters=[{"Name": "default-for-az", "Values": ["true"]}])["Subnets"]:
            if not zones or subnet["AvailabilityZone"] in zones:
                ec2.delete_subnet(SubnetId=subnet["SubnetId"])

    assert made() == "us-east-1b"
    end("us-east-1b")
    assert made() == "us-east-1c"
    end("us-east-1c", "us-east-1d", "us-east-1e", "us-east-1f")
    with pytest.raises(AssertionError, match="ROLLBACK_COMPLETE"):
        stack.create(volume)
    stack.delete()
    end()
    assert made() == "us-east-1b"


def test_a_subnet_in_a_local_zone_makes_it_no_zone_of_templates(aws: EmbeddedAws, stack: Stack) -> None:
    """Its name comes first in the alphabet, and a default subnet it has none."""
    ec2 = aws.client("ec2")
    ec2.modify_availability_zone_group(GroupName="us-east-1-bos-1", OptInStatus="opted-in")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    ec2.create_subnet(VpcId=vpc, CidrBlock="10.9.1.0/24", AvailabilityZone="us-east-1-bos-1a")
    zone = {"Fn::Select": [0, {"Fn::GetAZs": ""}]}
    stack.create({"Data": _resource("AWS::EC2::Volume", AvailabilityZone=zone, Size=1)})
    (found,) = ec2.describe_volumes()["Volumes"]
    assert found["AvailabilityZone"] == "us-east-1a"
    stack.delete()


def test_a_volume_is_never_replaced_by_an_update(aws: EmbeddedAws, stack: Stack) -> None:
    """CloudFormation refuses zone, key and snapshot, and EBS a smaller size; both roll back to what was there."""
    zone = {"Fn::Select": [0, {"Fn::GetAZs": ""}]}
    properties: dict[str, Any] = {"AvailabilityZone": zone, "Size": 2, "Encrypted": True}
    (volume,) = stack.create({"Data": _resource("AWS::EC2::Volume", **properties)}).values()
    ec2 = aws.client("ec2")
    snapshot = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
    other_zone = {"Fn::Select": [1, {"Fn::GetAZs": ""}]}
    changes: list[dict[str, Any]] = [
        {"SnapshotId": snapshot},
        {"AvailabilityZone": other_zone},
        {"KmsKeyId": "a"},
        {"Size": 1},
    ]
    for change in changes:
        with pytest.raises(AssertionError, match=r"ROLLBACK_COMPLETE.*(Updates are not supported|smaller)"):
            stack.update({"Data": _resource("AWS::EC2::Volume", **properties | change)})
        assert [found["VolumeId"] for found in ec2.describe_volumes()["Volumes"]] == [volume]
    stack.update({"Data": _resource("AWS::EC2::Volume", **properties | {"Size": 3})})
    (found,) = ec2.describe_volumes()["Volumes"]
    assert (found["VolumeId"], found["Size"]) == (volume, 3)


def test_a_volume_under_another_name_leaves_a_snapshot_of_the_old_one(aws: EmbeddedAws, stack: Stack) -> None:
    properties: dict[str, Any] = {"AvailabilityZone": {"Fn::Select": [0, {"Fn::GetAZs": ""}]}, "Size": 2}
    kept = {"DeletionPolicy": "Snapshot"}
    old = stack.create({"Data": _resource("AWS::EC2::Volume", **properties) | kept})["Data"]
    ec2 = aws.client("ec2")
    snapshot = ec2.create_snapshot(VolumeId=old)["SnapshotId"]
    new = stack.update({"Restored": _resource("AWS::EC2::Volume", SnapshotId=snapshot, **properties) | kept})
    (found,) = ec2.describe_volumes()["Volumes"]
    assert (found["VolumeId"], found["SnapshotId"]) == (new["Restored"], snapshot)
    taken = ec2.describe_snapshots(Filters=[{"Name": "volume-id", "Values": [old]}])["Snapshots"]
    assert len(taken) == 2


def _group(name: str, **more: Any) -> dict[str, Any]:
    vpc = _resource("AWS::EC2::VPC", CidrBlock="10.0.0.0/16")
    described = {"GroupName": name, "GroupDescription": "one", "VpcId": _ref("Vpc"), **more}
    return {"Vpc": vpc, "Group": _resource("AWS::EC2::SecurityGroup", **described)}


def test_what_is_replaced_is_made_beside_the_old_one_under_a_new_generated_name(aws: EmbeddedAws, stack: Stack) -> None:
    """The old one goes in the clean-up, after its dependents were updated."""
    resources = _group("named")
    del resources["Group"]["Properties"]["GroupName"]
    interface: dict[str, Any] = {"SubnetId": _ref("Subnet"), "GroupSet": [_ref("Group")]}
    subnet: dict[str, Any] = {"VpcId": _ref("Vpc"), "CidrBlock": "10.0.0.0/24"}
    resources |= {"Subnet": _resource("AWS::EC2::Subnet", **subnet)}
    resources |= {"Interface": _resource("AWS::EC2::NetworkInterface", **interface)}
    before = stack.create(resources)
    resources["Group"]["Properties"]["GroupDescription"] = "another"
    after = stack.update(resources)
    ec2 = aws.client("ec2")
    found = ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [before["Vpc"]]}])["SecurityGroups"]
    ours = {group["GroupId"]: group["GroupName"] for group in found if group["GroupName"] != "default"}
    assert list(ours) == [after["Group"]] != [before["Group"]]
    events = aws.client("cloudformation").describe_stack_events(StackName=stack.name)["StackEvents"]
    assert not [event for event in events if event["ResourceStatus"].endswith("FAILED")]


def test_a_resource_with_a_name_of_its_own_is_not_replaced_under_that_name(aws: EmbeddedAws, stack: Stack) -> None:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-name.html."""
    before = stack.create(_group("named"))
    with pytest.raises(AssertionError, match=r"ROLLBACK_COMPLETE.*custom-named resource.*Rename named"):
        stack.update(_group("named", GroupDescription="another"))
    assert stack.update(_group("renamed", GroupDescription="another"))["Group"] != before["Group"]


def test_what_there_can_be_but_one_of_collides_with_the_one_that_is_there(aws: EmbeddedAws, stack: Stack) -> None:
    """A subnet's range in the VPC: the new one is refused while the old one is there."""
    zones = [zone["ZoneName"] for zone in aws.client("ec2").describe_availability_zones()["AvailabilityZones"]]

    def resources(zone: str) -> Resources:
        subnet: dict[str, Any] = {"VpcId": _ref("Vpc"), "CidrBlock": "10.0.0.0/24", "AvailabilityZone": zone}
        return {"Vpc": _group("x")["Vpc"], "Subnet": _resource("AWS::EC2::Subnet", **subnet)}

    stack.create(resources(zones[0]))
    with pytest.raises(AssertionError, match=r"ROLLBACK_COMPLETE.*InvalidSubnet.Conflict"):
        stack.update(resources(zones[1]))


@pytest.mark.parametrize("by_change_set", [False, True])
def test_another_type_under_a_logical_id_is_refused(aws: EmbeddedAws, stack: Stack, by_change_set: bool) -> None:
    """https://github.com/aws/aws-sam-cli/issues/6786 has the words."""
    stack.create({"One": _resource("AWS::SNS::Topic")})
    changed = {"Resources": {"One": _resource("AWS::SQS::Queue")}}
    cloudformation = aws.client("cloudformation")
    what = {"StackName": stack.name, "TemplateBody": json.dumps(changed)}
    with pytest.raises(ClientError, match=r"Update of resource type is not permitted.*: \[One\]"):
        if by_change_set:
            cloudformation.create_change_set(ChangeSetName="tried", **what)
        else:
            cloudformation.update_stack(**what)
