"""What user data and documents of Systems Manager call by the AWS CLI, as the actions that IAM asks for."""

import json
import re
from collections.abc import Iterator
from functools import cache

from botocore import xform_name
from botocore.exceptions import UnknownServiceError
from botocore.loaders import Loader

from tests.mutation.handlers import action_of
from tests.mutation.mutants import Json

_CALL = re.compile(r"\baws ((?:--[\w-]+(?:[ =][^\s-]\S*)? )*)([a-z][\w-]+) ([a-z][\w-]+)")
# https://docs.aws.amazon.com/cli/latest/reference/s3/cp.html and
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cfn-signal.html
_OTHERS = {"aws s3 cp ": "s3:GetObject", "cfn-signal ": "cloudformation:SignalResource"}


def calls_of(template: Json) -> dict[str, set[str]]:
    """The actions that the scripts of instances call, by the logical id of the instance's role."""
    documents = [one for one in template["Resources"].values() if one["Type"] == "AWS::SSM::Document"]
    of_all = set().union(*(actions(json.dumps(one)) for one in documents), set())
    return {role: actions(text) | of_all for role, text in _scripts(template)}


def actions(text: str) -> set[str]:
    """The actions of the calls of the AWS CLI in a text."""
    found = {action for words, action in _OTHERS.items() if words in text}
    for _, service, command in _CALL.findall(text):
        if command in _operations(service):
            found.add(action_of(service, _operations(service)[command]))
    return found


def _scripts(template: Json) -> Iterator[tuple[str, str]]:
    """Role and what its instances and launch templates have, as text."""
    resources = template["Resources"]
    for name, resource in resources.items():
        if resource["Type"] == "AWS::IAM::InstanceProfile":
            role = resource["Properties"]["Roles"][0]
            users = (
                json.dumps(one)
                for one in resources.values()
                if one["Type"] in ("AWS::EC2::LaunchTemplate", "AWS::EC2::Instance")
            )
            yield str(role.get("Ref", "")), " ".join(text for text in users if f'"{name}"' in text)


@cache
def _operations(service: str) -> dict[str, str]:
    """The operations of a service by their commands."""
    try:
        model = Loader().load_service_model(service, "service-2")
    except UnknownServiceError:
        return {}
    return {xform_name(name, "-"): name for name in model["operations"]}
