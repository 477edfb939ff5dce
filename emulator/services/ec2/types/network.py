"""AWS::EC2 types of a network."""

from typing import Any

from botocore.exceptions import ClientError

from emulator.core.api import call
from emulator.core.resource import Properties, ResourceType, described, without_tags


def _found(operation: str, **where: str) -> list[dict[str, Any]]:
    filters = [{"Name": name.replace("_", "-"), "Values": [value]} for name, value in where.items()]
    answer = call("ec2", operation, Filters=filters)
    return next(value for value in answer.values() if isinstance(value, list))


# --- VPC and subnets --------------------------------------------------------------------------------------------------


def _create_vpc(properties: Properties) -> str:
    vpc_id = str(call("ec2", "CreateVpc", without_tags(properties))["Vpc"]["VpcId"])
    _update_vpc(vpc_id, {}, properties)
    return vpc_id


def _update_vpc(vpc_id: str, _old: Properties, new: Properties) -> None:
    for attribute in ("EnableDnsSupport", "EnableDnsHostnames"):
        if attribute in new:
            call("ec2", "ModifyVpcAttribute", {"VpcId": vpc_id, attribute: {"Value": new[attribute]}})


def _vpc_attributes(vpc_id: str, _properties: Properties) -> dict[str, Any]:
    vpc = call("ec2", "DescribeVpcs", VpcIds=[vpc_id])["Vpcs"][0]
    return {
        "VpcId": vpc_id,
        "CidrBlock": vpc["CidrBlock"],
        "CidrBlockAssociations": [item["AssociationId"] for item in vpc.get("CidrBlockAssociationSet", [])],
        "DefaultSecurityGroup": _found("DescribeSecurityGroups", vpc_id=vpc_id, group_name="default")[0]["GroupId"],
        "DefaultNetworkAcl": _found("DescribeNetworkAcls", vpc_id=vpc_id)[0]["NetworkAclId"],
    }


def _create_subnet(properties: Properties) -> str:
    subnet_id = str(call("ec2", "CreateSubnet", without_tags(properties))["Subnet"]["SubnetId"])
    _update_subnet(subnet_id, {}, properties)
    return subnet_id


def _update_subnet(subnet_id: str, _old: Properties, new: Properties) -> None:
    if "MapPublicIpOnLaunch" in new:
        value = {"Value": new["MapPublicIpOnLaunch"]}
        call("ec2", "ModifySubnetAttribute", SubnetId=subnet_id, MapPublicIpOnLaunch=value)


# --- security groups --------------------------------------------------------------------------------------------------

_PEERS = {
    "CidrIp": ("IpRanges", "CidrIp"),
    "CidrIpv6": ("Ipv6Ranges", "CidrIpv6"),
    "SourcePrefixListId": ("PrefixListIds", "PrefixListId"),
    "DestinationPrefixListId": ("PrefixListIds", "PrefixListId"),
    "SourceSecurityGroupId": ("UserIdGroupPairs", "GroupId"),
    "DestinationSecurityGroupId": ("UserIdGroupPairs", "GroupId"),
}


def _permission(rule: Properties) -> dict[str, Any]:
    """A CloudFormation rule as the IpPermission of the API."""
    peer = next(name for name in _PEERS if name in rule)
    ranges, member = _PEERS[peer]
    note = {"Description": rule["Description"]} if "Description" in rule else {}
    ports: dict[str, Any] = {name: rule[name] for name in ("IpProtocol", "FromPort", "ToPort") if name in rule}
    return {**ports, ranges: [{member: rule[peer], **note}]}


def _authorize(direction: str, group_id: str, rule: Properties) -> str | None:
    try:
        operation = f"AuthorizeSecurityGroup{direction}"
        rules = call("ec2", operation, GroupId=group_id, IpPermissions=[_permission(rule)])["SecurityGroupRules"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "InvalidPermission.Duplicate":
            raise
        return None
    return str(rules[0]["SecurityGroupRuleId"])


def _create_security_group(properties: Properties) -> str:
    vpc_id = properties.get("VpcId") or _found("DescribeVpcs", is_default="true")[0]["VpcId"]
    name, description = properties["GroupName"], properties["GroupDescription"]
    made = call("ec2", "CreateSecurityGroup", GroupName=name, Description=description, VpcId=vpc_id)
    group_id = str(made["GroupId"])
    if properties.get("SecurityGroupEgress"):
        # The rule that allows all outbound traffic is there only where a template says nothing about egress.
        everything = {"IpProtocol": "-1", "CidrIp": "0.0.0.0/0"}
        call("ec2", "RevokeSecurityGroupEgress", GroupId=group_id, IpPermissions=[_permission(everything)])
    _update_security_group(group_id, {}, properties)
    return group_id


def _update_security_group(group_id: str, old: Properties, new: Properties) -> None:
    for direction in ("Ingress", "Egress"):
        before, after = old.get(f"SecurityGroup{direction}") or [], new.get(f"SecurityGroup{direction}") or []
        for rule in before:
            if rule not in after:
                call("ec2", f"RevokeSecurityGroup{direction}", GroupId=group_id, IpPermissions=[_permission(rule)])
        for rule in after:
            if rule not in before:
                _authorize(direction, group_id, rule)


def _security_group_rule(direction: str) -> ResourceType:
    return ResourceType(
        create=lambda properties: _authorize(direction, properties["GroupId"], properties) or "duplicate",
        delete=lambda rule_id, properties: call(
            "ec2", f"RevokeSecurityGroup{direction}", GroupId=properties["GroupId"], SecurityGroupRuleIds=[rule_id]
        ),
        attributes=lambda rule_id, _: {"Id": rule_id},
    )


# --- routes, gateways and endpoints -----------------------------------------------------------------------------------


def _create_route(properties: Properties) -> str:
    call("ec2", "CreateRoute", properties)
    return f"{properties['RouteTableId']}|{_destination(properties)}"


def _destination(properties: Properties) -> str:
    names = ("DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId")
    return next(str(properties[name]) for name in names if name in properties)


def _create_endpoint(properties: Properties) -> str:
    return str(call("ec2", "CreateVpcEndpoint", without_tags(properties))["VpcEndpoint"]["VpcEndpointId"])


def _update_endpoint(endpoint_id: str, old: Properties, new: Properties) -> None:
    changes: dict[str, Any] = {}
    for name, api in (
        ("RouteTableIds", "RouteTableIds"),
        ("SubnetIds", "SubnetIds"),
        ("SecurityGroupIds", "SecurityGroupIds"),
    ):
        before, after = set(old.get(name) or []), set(new.get(name) or [])
        changes |= {f"Add{api}": sorted(after - before), f"Remove{api}": sorted(before - after)}
    changes |= {name: new[name] for name in ("PolicyDocument", "PrivateDnsEnabled") if name in new}
    call(
        "ec2",
        "ModifyVpcEndpoint",
        {name: value for name, value in changes.items() if value != []},
        VpcEndpointId=endpoint_id,
    )


def _delete_nat_gateway(gateway_id: str, _properties: Properties) -> None:
    """moto keeps the network interface of a deleted gateway."""
    gateway = call("ec2", "DescribeNatGateways", NatGatewayIds=[gateway_id])["NatGateways"][0]
    call("ec2", "DeleteNatGateway", NatGatewayId=gateway_id)
    for address in gateway.get("NatGatewayAddresses", []):
        call("ec2", "DeleteNetworkInterface", NetworkInterfaceId=address["NetworkInterfaceId"])


def _allocation(address: str) -> str:
    return str(call("ec2", "DescribeAddresses", PublicIps=[address])["Addresses"][0]["AllocationId"])


def _release(address: str, _properties: Properties) -> None:
    found = call("ec2", "DescribeAddresses", PublicIps=[address])["Addresses"][0]
    if "AssociationId" in found:
        call("ec2", "DisassociateAddress", AssociationId=found["AssociationId"])
    call("ec2", "ReleaseAddress", AllocationId=found["AllocationId"])


def _create_flow_log(properties: Properties) -> str:
    answer = call("ec2", "CreateFlowLogs", without_tags(properties), ResourceIds=[properties["ResourceId"]])
    if answer.get("Unsuccessful"):
        raise ValueError(answer["Unsuccessful"][0]["Error"]["Message"])
    return str(answer["FlowLogIds"][0])


TYPES = {
    "AWS::EC2::VPC": ResourceType(
        create=_create_vpc,
        update=_update_vpc,
        replaced_by=frozenset({"CidrBlock"}),
        delete=lambda vpc_id, _: call("ec2", "DeleteVpc", VpcId=vpc_id),
        attributes=_vpc_attributes,
        ec2_tags=True,
    ),
    "AWS::EC2::Subnet": ResourceType(
        create=_create_subnet,
        update=_update_subnet,
        replaced_by=frozenset({"VpcId", "CidrBlock", "AvailabilityZone"}),
        delete=lambda subnet_id, _: call("ec2", "DeleteSubnet", SubnetId=subnet_id),
        attributes=described(
            "DescribeSubnets",
            "SubnetIds",
            {name: f"Subnets[0].{name}" for name in ("SubnetId", "VpcId", "CidrBlock", "AvailabilityZone")},
        ),
        ec2_tags=True,
    ),
    "AWS::EC2::InternetGateway": ResourceType(
        create=lambda _: str(call("ec2", "CreateInternetGateway")["InternetGateway"]["InternetGatewayId"]),
        delete=lambda gateway_id, _: call("ec2", "DeleteInternetGateway", InternetGatewayId=gateway_id),
        attributes=lambda gateway_id, _: {"InternetGatewayId": gateway_id},
        ec2_tags=True,
    ),
    "AWS::EC2::VPCGatewayAttachment": ResourceType(
        create=lambda properties: f"IGW|{call('ec2', 'AttachInternetGateway', properties) and properties['VpcId']}",
        delete=lambda _, properties: call("ec2", "DetachInternetGateway", properties),
    ),
    "AWS::EC2::RouteTable": ResourceType(
        create=lambda properties: str(
            call("ec2", "CreateRouteTable", without_tags(properties))["RouteTable"]["RouteTableId"]
        ),
        delete=lambda table_id, _: call("ec2", "DeleteRouteTable", RouteTableId=table_id),
        attributes=lambda table_id, _: {"RouteTableId": table_id},
        ec2_tags=True,
    ),
    "AWS::EC2::Route": ResourceType(
        create=_create_route,
        update=lambda _, _old, new: call("ec2", "ReplaceRoute", new),
        replaced_by=frozenset({"RouteTableId", "DestinationCidrBlock", "DestinationIpv6CidrBlock"}),
        delete=lambda _, properties: call("ec2", "DeleteRoute", properties),
        attributes=lambda _, properties: {"CidrBlock": _destination(properties)},
    ),
    "AWS::EC2::SubnetRouteTableAssociation": ResourceType(
        create=lambda properties: str(call("ec2", "AssociateRouteTable", properties)["AssociationId"]),
        delete=lambda association_id, _: call("ec2", "DisassociateRouteTable", AssociationId=association_id),
        attributes=lambda association_id, _: {"Id": association_id},
    ),
    "AWS::EC2::EIP": ResourceType(
        create=lambda properties: str(
            call("ec2", "AllocateAddress", {"Domain": "vpc", **without_tags(properties)})["PublicIp"]
        ),
        delete=_release,
        attributes=lambda address, _: {"PublicIp": address, "AllocationId": _allocation(address)},
    ),
    "AWS::EC2::NatGateway": ResourceType(
        create=lambda properties: str(
            call("ec2", "CreateNatGateway", without_tags(properties))["NatGateway"]["NatGatewayId"]
        ),
        delete=_delete_nat_gateway,
        attributes=lambda gateway_id, _: {"NatGatewayId": gateway_id},
        ec2_tags=True,
    ),
    "AWS::EC2::VPCEndpoint": ResourceType(
        create=_create_endpoint,
        update=_update_endpoint,
        replaced_by=frozenset({"VpcId", "ServiceName", "VpcEndpointType"}),
        delete=lambda endpoint_id, _: call("ec2", "DeleteVpcEndpoints", VpcEndpointIds=[endpoint_id]),
        attributes=described(
            "DescribeVpcEndpoints",
            "VpcEndpointIds",
            {"Id": "VpcEndpoints[0].VpcEndpointId", "NetworkInterfaceIds": "VpcEndpoints[0].NetworkInterfaceIds"},
        ),
        ec2_tags=True,
    ),
    "AWS::EC2::SecurityGroup": ResourceType(
        create=_create_security_group,
        update=_update_security_group,
        replaced_by=frozenset({"GroupName", "GroupDescription", "VpcId"}),
        delete=lambda group_id, _: call("ec2", "DeleteSecurityGroup", GroupId=group_id),
        attributes=described(
            "DescribeSecurityGroups",
            "GroupIds",
            {
                "GroupId": "SecurityGroups[0].GroupId",
                "Id": "SecurityGroups[0].GroupId",
                "VpcId": "SecurityGroups[0].VpcId",
            },
        ),
        name="GroupName",
        ec2_tags=True,
    ),
    "AWS::EC2::SecurityGroupIngress": _security_group_rule("Ingress"),
    "AWS::EC2::SecurityGroupEgress": _security_group_rule("Egress"),
    "AWS::EC2::FlowLog": ResourceType(
        create=_create_flow_log,
        delete=lambda log_id, _: call("ec2", "DeleteFlowLogs", FlowLogIds=[log_id]),
        attributes=lambda log_id, _: {"Id": log_id},
        ec2_tags=True,
    ),
}
