"""What the network says to a connection: its port, the endpoint, the instance, and the security groups of both."""

from collections.abc import Iterator, Sequence
from typing import Literal

from stacks.instance_connect_endpoint.connection import Connection
from stacks.instance_connect_endpoint.rules import Peer, allows, is_open_to_everyone, is_within, prefix_lists
from stacks.instance_connect_endpoint.settings import keeps_client_ip
from stacks.shared.preflight import Finding, looked_at


def network_findings(connection: Connection) -> Iterator[Finding]:
    """One finding for each thing on the way of a connection: port, endpoint, instance, groups, the client's address."""
    yield looked_at("port", lambda: _port(connection))
    yield looked_at("endpoint", lambda: _endpoint(connection))
    yield looked_at("instance", lambda: _instance(connection))
    yield looked_at("group of the endpoint", lambda: _way_out(connection))
    yield looked_at("group of the instance", lambda: _way_in(connection))
    if connection.settings.preserve_client_ip:
        yield looked_at("client address", lambda: _client(connection, "client_cidrs"))
    if connection.settings.source_cidrs:
        yield looked_at("address of the call", lambda: _client(connection, "source_cidrs", "address of the call"))


def _port(connection: Connection) -> Finding:
    if connection.port in connection.settings.ports:
        return Finding("port", "ok", f"{connection.port}")
    if connection.port in (22, 3389):
        return Finding(
            "port", "problem", f"{connection.port} is not in ports", f"Add {connection.port} to ports, deploy"
        )
    fix = "Use 22 or 3389; for another, forward it with ssh -L through a connection to 22"
    return Finding("port", "problem", f"an endpoint does not take {connection.port}", fix)


def _endpoint(connection: Connection) -> Finding:
    state = connection.endpoint["State"]
    if state in ("create-complete", "update-complete"):
        return Finding("endpoint", "ok", f"{connection.endpoint_id} in {connection.endpoint['SubnetId']}")
    says = f"{connection.endpoint_id} is {state} {connection.endpoint.get('StateMessage', '')}".strip()
    if state.endswith("-in-progress"):
        fix = "Wait a minute"
    elif state == "update-failed":
        fix = "It is as it was before the change: correct what the message names, and change it again"
    else:
        fix = "Deploy with endpoint: false, then with true"
    return Finding("endpoint", "problem", says, fix)


def _instance(connection: Connection) -> Finding:
    instance = connection.instance
    state, kind = instance["State"]["Name"], instance["InstanceType"]
    if state != "running":
        fix = (
            f"aws ec2 start-instances --instance-ids {connection.instance_id}" if state == "stopped" else "Use another"
        )
        return Finding("instance", "problem", f"{connection.instance_id} is {state}", fix)
    if "PrivateIpAddress" not in instance:
        says = f"{connection.instance_id} has no private IPv4 address, which the commands of the outputs connect to"
        return Finding("instance", "problem", says, "Use an instance in a subnet with IPv4")
    preserves = connection.endpoint.get("PreserveClientIp")
    if preserves and instance.get("VpcId") != connection.endpoint["VpcId"]:
        says = f"it is in {instance.get('VpcId')}, the endpoint in {connection.endpoint['VpcId']}"
        return Finding("instance", "problem", says, "With preserve_client_ip both must be in one VPC: set it to false")
    if preserves and not keeps_client_ip(kind):
        fix = "Set preserve_client_ip to false, or choose a newer instance type"
        return Finding("instance", "problem", f"{kind} cannot be reached with preserve_client_ip", fix)
    return Finding("instance", "ok", f"{connection.instance_id}, {kind}, is running")


def _way_out(connection: Connection) -> Finding:
    groups = connection.endpoint["SecurityGroupIds"]
    peer = Peer.of(connection.instance_groups, [connection.instance["PrivateIpAddress"]])
    listed = ", ".join(groups)
    permissions = connection.permissions(groups, "IpPermissionsEgress")
    if allows(permissions, connection.port, peer):
        return Finding("group of the endpoint", "ok", f"{listed} lets out to the instance's {connection.port}")
    if named := prefix_lists(permissions, connection.port):
        return _unread("group of the endpoint", listed, named)
    says = f"{listed} lets nothing out to {connection.port} of {', '.join(connection.instance_groups)}"
    fix = f"Give the instance the group of the output InstanceGroupId, or allow {connection.port} outbound"
    return Finding("group of the endpoint", "problem", says, fix)


def _way_in(connection: Connection) -> Finding:
    endpoint, port = connection.endpoint, connection.port
    permissions = connection.permissions(connection.instance_groups, "IpPermissions")
    listed = ", ".join(connection.instance_groups)
    if is_open_to_everyone(permissions, port):
        says = f"{listed} lets everyone in to {port}"
        return Finding("group of the instance", "problem", says, "Remove that rule; the endpoint does not need it")
    if endpoint.get("PreserveClientIp"):
        ranges = [connection.client_ip] if connection.client_ip else list(connection.settings.client_cidrs)
        missing = f"people from {', '.join(ranges)}"
    else:
        ranges, missing = _addresses(connection), f"the endpoint ({', '.join(endpoint['SecurityGroupIds'])})"
    if allows(permissions, port, Peer.of(endpoint["SecurityGroupIds"], ranges)):
        return Finding("group of the instance", "ok", f"{listed} lets in to {port}")
    if named := prefix_lists(permissions, port):
        return _unread("group of the instance", listed, named)
    fix = f"Give the instance the group of the output InstanceGroupId, or allow {port} inbound from there"
    return Finding("group of the instance", "problem", f"{listed} does not let in {missing} to {port}", fix)


def _unread(what: str, groups: str, named: list[str]) -> Finding:
    fix = f"aws ec2 get-managed-prefix-list-entries --prefix-list-id {named[0]}"
    return Finding(what, "unknown", f"{groups} allows {', '.join(named)}, which is not looked into", fix)


def _addresses(connection: Connection) -> list[str]:
    interfaces = connection.endpoint.get("NetworkInterfaceIds", [])
    if not interfaces:
        return []
    found = connection.clients("ec2").describe_network_interfaces(NetworkInterfaceIds=interfaces)["NetworkInterfaces"]
    return [interface["PrivateIpAddress"] for interface in found]


def _client(
    connection: Connection, setting: Literal["client_cidrs", "source_cidrs"], what: str = "client address"
) -> Finding:
    ranges: Sequence[str] = getattr(connection.settings, setting)
    if connection.client_ip is None:
        return Finding(what, "unknown", "not given", "Add --client-ip with your public address")
    if is_within(connection.client_ip, ranges):
        return Finding(what, "ok", f"{connection.client_ip} is in {setting}")
    says = f"{connection.client_ip} is not in {', '.join(ranges)}"
    return Finding(what, "problem", says, f"Add it to {setting}, deploy")
