"""``python -m stacks instance_connect_endpoint doctor``: why a connection would fail, and what fixes it. Reads only."""

from argparse import ArgumentParser, Namespace
from dataclasses import asdict

from config.models import CommonSettings
from stacks.instance_connect_endpoint.connection import Connection
from stacks.instance_connect_endpoint.network_checks import network_findings
from stacks.instance_connect_endpoint.permission_checks import permission_findings
from stacks.instance_connect_endpoint.settings import InstanceConnectEndpointSettings
from stacks.shared import deployed
from stacks.shared.command import Answer, Command, CommandError
from stacks.shared.preflight import Clients

SLUG = "instance-connect-endpoint"


def stack_outputs(common: CommonSettings, clients: Clients) -> dict[str, str]:
    """Outputs of the deployed stack; none if it is not deployed."""
    return deployed.stack_outputs(common.stack_name(SLUG), clients) or {}


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
    connection = Connection(
        clients, settings, outputs["EndpointId"], instance_id, port, options.client_ip, options.principal
    )
    found = [*network_findings(connection), *permission_findings(connection)]
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
