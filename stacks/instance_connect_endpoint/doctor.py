"""``python -m stacks instance_connect_endpoint doctor``: why a connection would fail, and what fixes it. Reads only."""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Literal

from config.models import CommonSettings
from stacks.instance_connect_endpoint.rules import Peer, allows, is_open_to_everyone, is_within
from stacks.instance_connect_endpoint.settings import InstanceConnectEndpointSettings, keeps_client_ip
from stacks.shared import deployed
from stacks.shared.command import Answer, Command, CommandError
from stacks.shared.preflight import ROOT_USER, Clients, Finding, looked_at, policy_source

Json = dict[str, Any]
SLUG = "instance-connect-endpoint"
LOOKS = ("ec2:DescribeInstances", "ec2:DescribeInstanceConnectEndpoints")


def stack_outputs(common: CommonSettings, clients: Clients) -> dict[str, str]:
    """Outputs of the deployed stack; none if it is not deployed."""
    return deployed.stack_outputs("-".join(filter(None, [common.prefix, SLUG])), clients) or {}


@dataclass(frozen=True)
class Patient:
    """One connection that is wanted.

    Attributes:
        instance_id: where to.
        port: which port there.
        client_ip: the address that people come from, if it is known.
        principal: the ARN of who connects; None: the caller.
    """

    clients: Clients
    settings: InstanceConnectEndpointSettings
    endpoint_id: str
    instance_id: str
    port: int
    client_ip: str | None
    principal: str | None

    @cached_property
    def endpoint(self) -> Json:
        """The endpoint as EC2 describes it."""
        found: list[Json] = self.clients("ec2").describe_instance_connect_endpoints(
            InstanceConnectEndpointIds=[self.endpoint_id]
        )["InstanceConnectEndpoints"]
        return found[0]

    @cached_property
    def instance(self) -> Json:
        """The instance as EC2 describes it."""
        (reservation,) = self.clients("ec2").describe_instances(InstanceIds=[self.instance_id])["Reservations"]
        found: Json = reservation["Instances"][0]
        return found

    @property
    def instance_groups(self) -> list[str]:
        """The security groups of the network interface that has the instance's address."""
        address = self.instance.get("PrivateIpAddress")
        for interface in self.instance.get("NetworkInterfaces", []):
            addresses = [item.get("PrivateIpAddress") for item in interface.get("PrivateIpAddresses", [])]
            if address and address in addresses:
                return [group["GroupId"] for group in interface["Groups"]]
        return [group["GroupId"] for group in self.instance.get("SecurityGroups", [])]

    def permissions(self, groups: list[str], direction: str) -> list[Json]:
        """All rules of some groups in one direction."""
        if not groups:  # EC2 would describe all groups
            return []
        found = self.clients("ec2").describe_security_groups(GroupIds=groups)["SecurityGroups"]
        return [permission for group in found for permission in group[direction]]


def examine(patient: Patient) -> Iterator[Finding]:
    """One finding for each thing that a connection needs."""
    yield looked_at("port", lambda: _port(patient))
    yield looked_at("endpoint", lambda: _endpoint(patient))
    yield looked_at("instance", lambda: _instance(patient))
    yield looked_at("group of the endpoint", lambda: _way_out(patient))
    yield looked_at("group of the instance", lambda: _way_in(patient))
    if patient.settings.preserve_client_ip:
        yield looked_at("client address", lambda: _client(patient, "client_cidrs"))
    if patient.settings.source_cidrs:
        yield looked_at("address of the call", lambda: _client(patient, "source_cidrs", "address of the call"))
    yield from _rights(patient)


def _port(patient: Patient) -> Finding:
    if patient.port in patient.settings.ports:
        return Finding("port", "ok", f"{patient.port}")
    if patient.port in (22, 3389):
        return Finding("port", "problem", f"{patient.port} is not in ports", f"Add {patient.port} to ports, deploy")
    fix = "Use 22 or 3389; for another, forward it with ssh -L through a connection to 22"
    return Finding("port", "problem", f"an endpoint does not take {patient.port}", fix)


def _endpoint(patient: Patient) -> Finding:
    state = patient.endpoint["State"]
    if state in ("create-complete", "update-complete"):
        return Finding("endpoint", "ok", f"{patient.endpoint_id} in {patient.endpoint['SubnetId']}")
    says = f"{patient.endpoint_id} is {state} {patient.endpoint.get('StateMessage', '')}".strip()
    if state.endswith("-in-progress"):
        fix = "Wait a minute"
    elif state == "update-failed":
        fix = "It is as it was before the change: correct what the message names, and change it again"
    else:
        fix = "Deploy with endpoint: false, then with true"
    return Finding("endpoint", "problem", says, fix)


def _instance(patient: Patient) -> Finding:
    instance = patient.instance
    state, kind = instance["State"]["Name"], instance["InstanceType"]
    if state != "running":
        fix = f"aws ec2 start-instances --instance-ids {patient.instance_id}" if state == "stopped" else "Use another"
        return Finding("instance", "problem", f"{patient.instance_id} is {state}", fix)
    if "PrivateIpAddress" not in instance:
        says = f"{patient.instance_id} has no private IPv4 address, which the commands of the outputs connect to"
        return Finding("instance", "problem", says, "Use an instance in a subnet with IPv4")
    preserves = patient.endpoint.get("PreserveClientIp")
    if preserves and instance.get("VpcId") != patient.endpoint["VpcId"]:
        says = f"it is in {instance.get('VpcId')}, the endpoint in {patient.endpoint['VpcId']}"
        return Finding("instance", "problem", says, "With preserve_client_ip both must be in one VPC: set it to false")
    if preserves and not keeps_client_ip(kind):
        fix = "Set preserve_client_ip to false, or choose a newer instance type"
        return Finding("instance", "problem", f"{kind} cannot be reached with preserve_client_ip", fix)
    return Finding("instance", "ok", f"{patient.instance_id}, {kind}, is running")


def _way_out(patient: Patient) -> Finding:
    groups = patient.endpoint["SecurityGroupIds"]
    peer = Peer.of(patient.instance_groups, [patient.instance["PrivateIpAddress"]])
    listed = ", ".join(groups)
    if allows(patient.permissions(groups, "IpPermissionsEgress"), patient.port, peer):
        return Finding("group of the endpoint", "ok", f"{listed} lets out to the instance's {patient.port}")
    says = f"{listed} lets nothing out to {patient.port} of {', '.join(patient.instance_groups)}"
    fix = f"Give the instance the group of the output InstanceGroupId, or allow {patient.port} outbound"
    return Finding("group of the endpoint", "problem", says, fix)


def _way_in(patient: Patient) -> Finding:
    endpoint, port = patient.endpoint, patient.port
    permissions = patient.permissions(patient.instance_groups, "IpPermissions")
    listed = ", ".join(patient.instance_groups)
    if is_open_to_everyone(permissions, port):
        says = f"{listed} lets everyone in to {port}"
        return Finding("group of the instance", "problem", says, "Remove that rule; the endpoint does not need it")
    if endpoint.get("PreserveClientIp"):
        ranges = [patient.client_ip] if patient.client_ip else list(patient.settings.client_cidrs)
        missing = f"people from {', '.join(ranges)}"
    else:
        ranges, missing = _addresses(patient), f"the endpoint ({', '.join(endpoint['SecurityGroupIds'])})"
    if allows(permissions, port, Peer.of(endpoint["SecurityGroupIds"], ranges)):
        return Finding("group of the instance", "ok", f"{listed} lets in to {port}")
    fix = f"Give the instance the group of the output InstanceGroupId, or allow {port} inbound from there"
    return Finding("group of the instance", "problem", f"{listed} does not let in {missing} to {port}", fix)


def _addresses(patient: Patient) -> list[str]:
    interfaces = patient.endpoint.get("NetworkInterfaceIds", [])
    if not interfaces:
        return []
    found = patient.clients("ec2").describe_network_interfaces(NetworkInterfaceIds=interfaces)["NetworkInterfaces"]
    return [interface["PrivateIpAddress"] for interface in found]


def _client(
    patient: Patient, setting: Literal["client_cidrs", "source_cidrs"], what: str = "client address"
) -> Finding:
    ranges: Sequence[str] = getattr(patient.settings, setting)
    if patient.client_ip is None:
        return Finding(what, "unknown", "not given", "Add --client-ip with your public address")
    if is_within(patient.client_ip, ranges):
        return Finding(what, "ok", f"{patient.client_ip} is in {setting}")
    says = f"{patient.client_ip} is not in {', '.join(ranges)}"
    return Finding(what, "problem", says, f"Add it to {setting}, deploy")


def _rights(patient: Patient) -> Iterator[Finding]:
    """What IAM would say, of the principal's own policies; SCPs and sessions are not looked at."""
    yield looked_at("right to open a tunnel", lambda: _may_tunnel(patient))
    if patient.port == 22:
        yield looked_at("right to push a key", lambda: _may_push_key(patient))
    yield looked_at("right to look", lambda: _simulated(patient, "right to look", LOOKS, "*", {}))


def _may_tunnel(patient: Patient) -> Finding:
    keys = {
        "ec2-instance-connect:remotePort": ("numeric", str(patient.port)),
        "ec2-instance-connect:privateIpAddress": ("ip", patient.instance["PrivateIpAddress"]),
        "ec2-instance-connect:maxTunnelDuration": ("numeric", str(patient.settings.tunnel_seconds)),
    }
    arn = patient.endpoint["InstanceConnectEndpointArn"]
    return _simulated(patient, "right to open a tunnel", ("ec2-instance-connect:OpenTunnel",), arn, keys)


def _may_push_key(patient: Patient) -> Finding:
    what, wanted = "right to push a key", patient.settings.instance_tag
    tags = {tag["Key"]: tag["Value"] for tag in patient.instance.get("Tags", [])}
    keys = {f"aws:ResourceTag/{name}": ("string", value) for name, value in tags.items()}
    keys["ec2:osuser"] = ("string", patient.settings.os_users[0])
    arn = patient.endpoint["InstanceConnectEndpointArn"].rsplit(":", 1)[0] + f":instance/{patient.instance_id}"
    found = _simulated(patient, what, ("ec2-instance-connect:SendSSHPublicKey",), arn, keys)
    if found.status == "problem" and tags.get(wanted.key) != wanted.value:
        fix = f"Tag the instance {wanted.key}={wanted.value}, or bring a key that it knows"
        return Finding(what, "problem", f"{found.says}; it lacks the tag", fix)
    return found


def _simulated(
    patient: Patient, what: str, actions: Sequence[str], resource: str, keys: Mapping[str, tuple[str, str]]
) -> Finding:
    source = patient.principal
    if source is None:
        source = policy_source(patient.clients, patient.clients("sts").get_caller_identity()["Arn"])
    if source is None:
        return Finding(what, "ok", ROOT_USER)
    if keys and patient.settings.source_cidrs:
        # IAM's simulation takes a key that is not given for one that the call has not: a range never fits it.
        # https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
        if patient.client_ip is None:
            return Finding(what, "unknown", "source_cidrs decides by your public address", "Add --client-ip with it")
        keys = {**keys, "aws:SourceIp": ("ip", patient.client_ip)}
    answer = patient.clients("iam").simulate_principal_policy(
        PolicySourceArn=source,
        ActionNames=list(actions),
        ResourceArns=[resource],
        ContextEntries=[
            {"ContextKeyName": name, "ContextKeyValues": [value], "ContextKeyType": kind}
            for name, (kind, value) in keys.items()
        ],
    )
    who = source.rsplit(":", 1)[-1]
    refused = {r["EvalActionName"]: r["EvalDecision"] for r in answer["EvaluationResults"]}
    refused = {action: decision for action, decision in refused.items() if decision != "allowed"}
    if not refused:
        return Finding(what, "ok", f"{who} may")
    listed = ", ".join(f"{decision} for {action}" for action, decision in refused.items())
    denied = "explicitDeny" in refused.values()
    fix = "Find the policy that denies it" if denied else "Attach the policy of the output DataPlanePolicyArn"
    return Finding(what, "problem", f"{who}: {listed}", fix)


def doctor(
    options: Namespace, common: CommonSettings, settings: InstanceConnectEndpointSettings, clients: Clients
) -> Answer:
    """Runs the command.

    Raises:
        CommandError: there is no endpoint, or no instance is named.
    """
    outputs = stack_outputs(common, clients)
    if "EndpointId" not in outputs:
        raise CommandError(f"there is no endpoint: deploy {SLUG}, with endpoint: true")
    port = options.port or settings.ports[0]
    instance_id = options.instance or outputs.get("WindowsInstanceId" if port == 3389 else "LinuxInstanceId")
    if instance_id is None:
        raise CommandError("there is no demo instance: name yours with --instance")
    patient = Patient(clients, settings, outputs["EndpointId"], instance_id, port, options.client_ip, options.principal)
    found = list(examine(patient))
    problems = sum(finding.status == "problem" for finding in found)
    notes = [f"{problems} problem{'s' * (problems != 1)}"] if problems else ["Nothing here would stop it."]
    return Answer(
        ("", "what", "found", "what to do"),
        [(finding.status, finding.what, finding.says, finding.fix) for finding in found],
        [asdict(finding) for finding in found],
        [*notes, "Not looked at: network ACLs, service control policies, the instance's own firewall and sshd."],
        ok=not problems,
    )


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--instance", metavar="ID", help="where to; default: the demo instance")
    parser.add_argument("--port", type=int, help="22 or 3389; default: the first of ports")
    parser.add_argument(
        "--client-ip", metavar="ADDRESS", help="your public address, with preserve_client_ip or source_cidrs"
    )
    parser.add_argument("--principal", metavar="ARN", help="user or role that connects; default: you")


DOCTOR = Command("doctor", "why a connection would fail, and what fixes it", doctor, _arguments)
