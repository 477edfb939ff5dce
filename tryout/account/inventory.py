"""What an account holds, to tell whether a destroyed stack has left something behind."""

from collections.abc import Callable, Iterator
from typing import Any

Client = Callable[[str], Any]

# Service, operation, where the items are, and what tells one from another. Everything that a stack here can make.
_LISTS = (
    ("sqs", "list_queues", "QueueUrls", None),
    ("lambda", "list_functions", "Functions", "FunctionName"),
    ("logs", "describe_log_groups", "logGroups", "logGroupName"),
    ("dynamodb", "list_tables", "TableNames", None),
    ("sns", "list_topics", "Topics", "TopicArn"),
    ("events", "list_rules", "Rules", "Name"),
    ("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
    ("cloudwatch", "list_dashboards", "DashboardEntries", "DashboardName"),
    ("iam", "list_roles", "Roles", "RoleName"),
    ("iam", "list_instance_profiles", "InstanceProfiles", "InstanceProfileName"),
    ("s3", "list_buckets", "Buckets", "Name"),
    ("autoscaling", "describe_auto_scaling_groups", "AutoScalingGroups", "AutoScalingGroupName"),
    ("autoscaling", "describe_scheduled_actions", "ScheduledUpdateGroupActions", "ScheduledActionName"),
    ("elbv2", "describe_load_balancers", "LoadBalancers", "LoadBalancerArn"),
    ("elbv2", "describe_target_groups", "TargetGroups", "TargetGroupArn"),
    ("autoscaling", "describe_policies", "ScalingPolicies", "PolicyARN"),
    ("ec2", "describe_vpcs", "Vpcs", "VpcId"),
    ("ec2", "describe_subnets", "Subnets", "SubnetId"),
    ("ec2", "describe_route_tables", "RouteTables", "RouteTableId"),
    ("ec2", "describe_security_groups", "SecurityGroups", "GroupId"),
    ("ec2", "describe_internet_gateways", "InternetGateways", "InternetGatewayId"),
    ("ec2", "describe_nat_gateways", "NatGateways", "NatGatewayId"),
    ("ec2", "describe_addresses", "Addresses", "AllocationId"),
    ("ec2", "describe_vpc_endpoints", "VpcEndpoints", "VpcEndpointId"),
    ("ec2", "describe_flow_logs", "FlowLogs", "FlowLogId"),
    ("ec2", "describe_launch_templates", "LaunchTemplates", "LaunchTemplateId"),
    ("ec2", "describe_network_interfaces", "NetworkInterfaces", "NetworkInterfaceId"),
    ("ec2", "describe_volumes", "Volumes", "VolumeId"),
    ("ec2", "describe_instance_connect_endpoints", "InstanceConnectEndpoints", "InstanceConnectEndpointId"),
    ("ec2", "describe_key_pairs", "KeyPairs", "KeyPairId"),
    ("ec2", "describe_local_gateway_route_tables", "LocalGatewayRouteTables", "LocalGatewayRouteTableId"),
    (
        "ec2",
        "describe_local_gateway_virtual_interface_groups",
        "LocalGatewayVirtualInterfaceGroups",
        "LocalGatewayVirtualInterfaceGroupId",
    ),
    ("ec2", "describe_coip_pools", "CoipPools", "PoolId"),
    ("resource-groups", "list_groups", "GroupIdentifiers", "GroupName"),
    ("ssm", "list_documents", "DocumentIdentifiers", "Name"),
)


def inventory(client: Client) -> set[str]:
    """Names of everything in the account and Region that bills or takes up a name; ended instances are gone."""
    return {*_listed(client), *_instances(client), *_reservations(client), *_policies(client), *_keys(client)}


def waiting(client: Client) -> set[str]:
    """KMS keys that wait for their deletion: nobody can use them, nothing is billed, and only time ends them."""
    return {f"kms Keys {key}" for key, state in _key_states(client) if state == "PendingDeletion"}


def _keys(client: Client) -> Iterator[str]:
    yield from (f"kms Keys {key}" for key, state in _key_states(client) if state != "PendingDeletion")


def _key_states(client: Client) -> Iterator[tuple[str, str]]:
    kms = client("kms")
    for page in kms.get_paginator("list_keys").paginate():
        for key in page["Keys"]:
            yield key["KeyId"], kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["KeyState"]


def _listed(client: Client) -> Iterator[str]:
    for service, operation, items, key in _LISTS:
        connection = client(service)
        if connection.can_paginate(operation):
            pages = connection.get_paginator(operation).paginate()
        else:
            pages = [getattr(connection, operation)()]
        for page in pages:
            for item in page.get(items, []):
                if item if key is None else item.get("State") != "deleted":
                    yield f"{service} {items} {item if key is None else item[key]}"


def _instances(client: Client) -> Iterator[str]:
    for page in client("ec2").get_paginator("describe_instances").paginate():
        for reservation in page["Reservations"]:
            for instance in reservation["Instances"]:
                if instance["State"]["Name"] != "terminated":
                    yield f"ec2 Instances {instance['InstanceId']}"


def _reservations(client: Client) -> Iterator[str]:
    for page in client("ec2").get_paginator("describe_capacity_reservations").paginate():
        for reservation in page["CapacityReservations"]:
            if reservation["State"] == "active":
                yield f"ec2 CapacityReservations {reservation['CapacityReservationId']}"


def _policies(client: Client) -> Iterator[str]:
    for kind in ("SERVICE_CONTROL_POLICY", "DECLARATIVE_POLICY_EC2"):
        pages = client("organizations").get_paginator("list_policies").paginate(Filter=kind)
        for page in pages:
            for policy in page["Policies"]:
                yield f"organizations Policies {policy['Name']}"
