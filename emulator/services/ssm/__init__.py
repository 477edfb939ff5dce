"""AWS Systems Manager: parameters and tags by ministack, documents and commands by moto, the rest ours."""

import json
from collections.abc import Iterator

from emulator.core.api import Answer, Json, handler_of, moto_handler
from emulator.core.events import TIME_PASSED
from emulator.core.iam import Call
from emulator.core.service import IamRules, Need, Service
from emulator.core.store import account_id, arn
from emulator.services.ssm import associations, automation, commands, compliance, images, nodes, parameters, windows
from emulator.services.ssm.types import TYPES

__all__ = ["SERVICE", "windows"]

_ministack = handler_of("ssm")


async def _beneath(method: str, path: str, headers: dict[str, str], body: bytes, query: Json) -> Answer:
    """Parameters and tags are ministack's, as is CloudFormation; commands and documents moto's, as is EC2."""
    target = headers.get("x-amz-target", "")
    handler = _ministack if "Parameter" in target or "Tags" in target else moto_handler
    return await handler(method, path, headers, body, query)


def _judged_on(call: Call) -> str:
    """A public parameter's ARN has no account; of several names the first is judged, an execution as its document, as a
    command is, whose document has no account if it is AWS's.

    https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-finding-public-parameters.html
    https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssystemsmanager.html
    """
    found = call.found
    if call.action == "GetParameters":
        found = arn("ssm", f"parameter/{json.loads(call.body)['Names'][0].lstrip('/')}")
    if call.action == "StartAutomationExecution":
        asked = json.loads(call.body)
        found = arn("ssm", f"automation-definition/{asked['DocumentName']}:{asked.get('DocumentVersion', '$DEFAULT')}")
    if call.action == "SendCommand":
        name = json.loads(call.body)["DocumentName"]
        of_aws = name.lower().startswith(("aws", "amazon", "amzn"))
        found = arn("ssm", f"document/{name}", account="" if of_aws else account_id())
    return found.replace(f":{account_id()}:parameter/aws/service/", "::parameter/aws/service/")


def _needs(call: Call) -> Iterator[Need]:
    """A command is judged on its document, and on each instance besides."""
    if call.action == "SendCommand":
        for instance in json.loads(call.body).get("InstanceIds", ()):
            yield Need("ssm:SendCommand", arn("ec2", f"instance/{instance}"))


SERVICE = Service(
    "ssm",
    operations={
        **automation.OPERATIONS,
        **associations.OPERATIONS,
        **commands.OPERATIONS,
        **compliance.OPERATIONS,
        **nodes.OPERATIONS,
        "PutParameter": parameters.put_parameter,
    },
    beneath=_beneath,
    listens={TIME_PASSED: (parameters.time_passed,)},
    tick=parameters.settle,
    types=TYPES,
    controls={
        "cloudwatch-agents": commands.found_agents,
        "nvidia-drivers": commands.install_drivers,
        "release-images": images.release,
    },
    modelled=(
        "parameters whose value is an image: they change a moment after the call",
        "Automation documents of API calls, under their role",
        "managed nodes by the role of their instance, items of Compliance",
        "associations that are run once, Command documents as far as they install and configure the CloudWatch agent",
    ),
    not_judged=(
        "scripts, schedules of associations, approvals, loops, time that steps sleep",
        "trust of the role that a document names, quotas of automations at once",
        "whether the image of a parameter exists",
    ),
    iam=IamRules(resource=_judged_on, needs=_needs),
)
