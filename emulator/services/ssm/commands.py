"""Command documents on single instances, and the CloudWatch agent as far as they install and configure it (our model).

A document runs step after step with the permissions of the instance's role: the precondition ``platformType`` leaves a
step out, ``aws:runDocument`` runs one of two documents of AWS, ``onFailure: exit`` ends it. Scripts are not run.
https://docs.aws.amazon.com/systems-manager/latest/userguide/documents-command-ssm-plugin-reference.html

The agent does not start with an NVIDIA section where there is no nvidia-smi: internal/check_plugins_unix.go of
https://github.com/aws/amazon-cloudwatch-agent, and #756 there. The section is switched off on Windows: #632.
"""

import json
import uuid
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from botocore.exceptions import ClientError

from emulator.core.api import Json, Operation, client_error
from emulator.core.store import Store, request_scope
from emulator.services.ec2.patches import role_of_profile
from emulator.services.ssm.roles import Clients, clients_of

PACKAGE, AGENT = "AWS-ConfigureAWSPackage", "AmazonCloudWatch-ManageAgent"
_SCRIPTS = ("aws:runShellScript", "aws:runPowerShellScript")


@dataclass
class Agent:
    """The CloudWatch agent of one instance; its configuration is what was fetched for it.

    Attributes:
        driver: whether there is an NVIDIA driver, with nvidia-smi.
        sends_gpus: whether a script was left there that asks nvidia-smi and sends to the agent's StatsD port.
    """

    driver: bool = False
    sends_gpus: bool = False
    installed: bool = False
    configuration: Json | None = None


agents: Store[dict[str, Agent]] = Store(dict)
_invocations: Store[dict[str, Json]] = Store(dict)


def found_agents(request: Json) -> Json:
    """``cloudwatch-agents {"account", "region"}``: the agent of each instance; no API shows it."""
    found = dict(agents.everywhere()).get((request["account"], request["region"]), {})
    return {"agents": {instance_id: asdict(agent) for instance_id, agent in found.items()}}


def install_drivers(request: Json) -> Json:
    """``nvidia-drivers {"account", "region", "instances": [id]}``: they have an NVIDIA driver from now on."""
    with request_scope(request["account"], request["region"]):
        for instance_id in request["instances"]:
            agents.here().setdefault(instance_id, Agent()).driver = True
    return {"drivers": len(request["instances"])}


def run(instance: Json, document: Json) -> Json:
    """Runs a document on an instance; returns its invocation as ListCommandInvocations describes it."""
    plugins: list[Json] = []
    invocation: Json = {
        "CommandId": str(uuid.uuid4()),
        "InstanceId": instance["InstanceId"],
        "Status": "Success",
        "CommandPlugins": plugins,
    }
    _invocations.here()[invocation["CommandId"]] = invocation
    for step, failure in _steps(instance, document):
        plugins.append({"Name": step, "Status": "Failed" if failure else "Success", "Output": failure})
        if failure:
            invocation["Status"] = "Failed"
    return invocation


def _steps(instance: Json, document: Json) -> Iterator[tuple[str, str]]:
    """Name of each step that ran, and what it was told when it failed."""
    clients = clients_of(role_of_profile(instance["IamInstanceProfile"]["Arn"]), instance["InstanceId"])
    agent = agents.here().setdefault(instance["InstanceId"], Agent())
    system = "Windows" if instance.get("Platform") == "windows" else "Linux"
    for step in document["mainSteps"]:
        wanted = step.get("precondition", {}).get("StringEquals", ["platformType", system])[1]
        if wanted != system:
            continue
        try:
            _act(clients, step, agent, windows=system == "Windows")
            yield step["name"], ""
        except (ClientError, ValueError, LookupError) as error:
            yield step["name"], str(error)
            if step.get("onFailure") == "exit":
                return


def _act(clients: Clients, step: Json, agent: Agent, *, windows: bool) -> None:
    if step["action"] in _SCRIPTS:
        agent.sends_gpus |= any("nvidia-smi" in line for line in step["inputs"]["runCommand"])
        return  # there is no such shell here
    if step["action"] != "aws:runDocument":
        raise LookupError(f"{step['action']} is not modelled")
    inputs = step["inputs"]
    given = inputs["documentParameters"]
    if inputs["documentPath"] == PACKAGE:
        agent.installed = given["action"] == "Install" and given["name"] == "AmazonCloudWatchAgent"
    elif inputs["documentPath"] == AGENT:
        if not agent.installed:
            raise ValueError("the CloudWatch agent is not installed")
        found = clients("ssm").get_parameter(Name=given["optionalConfigurationLocation"])["Parameter"]["Value"]
        configuration = json.loads(found)
        collected = configuration.get("metrics", {}).get("metrics_collected", {})
        if "nvidia_gpu" in collected and not (windows or agent.driver):
            raise ValueError("the agent does not start: nvidia_smi needs /usr/bin/nvidia-smi, which is not there")
        agent.configuration = configuration
    else:
        raise LookupError(f"{inputs['documentPath']} is not modelled")


def list_command_invocations(request: Json) -> Json:
    """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ListCommandInvocations.html."""
    if "CommandId" not in request:
        raise client_error("InvalidCommandId", "CommandId is missing")
    found = [_invocations.here()[name] for name in (request["CommandId"],) if name in _invocations.here()]
    details = bool(request.get("Details"))
    return {"CommandInvocations": [{**item, **({} if details else {"CommandPlugins": []})} for item in found]}


OPERATIONS: dict[str, Operation] = {"ListCommandInvocations": list_command_invocations}
