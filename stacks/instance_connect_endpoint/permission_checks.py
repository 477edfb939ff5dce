"""What IAM says to a connection by the principal's own policies, without those of its session and organization."""

from collections.abc import Iterator, Mapping, Sequence

from stacks.instance_connect_endpoint.connection import Connection
from stacks.shared.preflight import ROOT_USER, Finding, looked_at, policy_source

LOOKS = ("ec2:DescribeInstances", "ec2:DescribeInstanceConnectEndpoints")


def permission_findings(connection: Connection) -> Iterator[Finding]:
    """One finding for each permission that a connection needs."""
    yield looked_at("right to open a tunnel", lambda: _may_tunnel(connection))
    if connection.port == 22:
        yield looked_at("right to push a key", lambda: _may_push_key(connection))
    yield looked_at("right to look", lambda: _simulated(connection, "right to look", LOOKS, "*", {}))


def _may_tunnel(connection: Connection) -> Finding:
    keys = {
        "ec2-instance-connect:remotePort": ("numeric", str(connection.port)),
        "ec2-instance-connect:privateIpAddress": ("ip", connection.instance["PrivateIpAddress"]),
        "ec2-instance-connect:maxTunnelDuration": ("numeric", str(connection.settings.tunnel_seconds)),
    }
    arn = connection.endpoint["InstanceConnectEndpointArn"]
    return _simulated(connection, "right to open a tunnel", ("ec2-instance-connect:OpenTunnel",), arn, keys)


def _may_push_key(connection: Connection) -> Finding:
    what, wanted = "right to push a key", connection.settings.instance_tag
    tags = {tag["Key"]: tag["Value"] for tag in connection.instance.get("Tags", [])}
    keys = {f"aws:ResourceTag/{name}": ("string", value) for name, value in tags.items()}
    keys["ec2:osuser"] = ("string", connection.settings.os_users[0])
    arn = connection.endpoint["InstanceConnectEndpointArn"].rsplit(":", 1)[0] + f":instance/{connection.instance_id}"
    found = _simulated(connection, what, ("ec2-instance-connect:SendSSHPublicKey",), arn, keys)
    if found.status == "problem" and tags.get(wanted.key) != wanted.value:
        fix = f"Tag the instance {wanted.key}={wanted.value}, or bring a key that it knows"
        return Finding(what, "problem", f"{found.says}; it lacks the tag", fix)
    return found


def _simulated(
    connection: Connection, what: str, actions: Sequence[str], resource: str, keys: Mapping[str, tuple[str, str]]
) -> Finding:
    source = connection.principal
    if source is None:
        source = policy_source(connection.clients, connection.clients("sts").get_caller_identity()["Arn"])
    if source is None:
        return Finding(what, "ok", ROOT_USER)
    if keys and connection.settings.source_cidrs:
        # IAM's simulation takes a key that is not given for one that the call has not: a range never fits it.
        # https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
        if connection.client_ip is None:
            return Finding(what, "unknown", "source_cidrs decides by your public address", "Add --client-ip with it")
        keys = {**keys, "aws:SourceIp": ("ip", connection.client_ip)}
    answer = connection.clients("iam").simulate_principal_policy(
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
