"""CloudFormation -> SSM: a parameter that others build on exists before they do, and parameters go with their stack.

Its first value is the base image's newest AMI, or, where only its name has changed, the value under the old name. All
later values are written by Image Builder, none by a deployment. A parameter that was there before the stack stays as it
is, also when the stack is deleted: only one that carries the stack's tag, or that was absent when the stack was made,
is deleted with it. The physical id says which.

It is of the data type text. One of the type aws:ec2:image changes some time after the call that has written it, and
builds that follow an image would still read the one before:
https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html.
"""

import logging
import time
from collections.abc import Mapping
from typing import Any

import boto3
from botocore.exceptions import ClientError

from shared.aws import client
from shared.custom_resource import answer

logger = logging.getLogger(__name__)

TAG = "image-pipelines-stack"
OURS, FOUND = "ours:", "found:"
ATTEMPTS, PAUSE_SECONDS = 10, 3.0
"""Half a minute until a permission is known that the same deployment has changed:
https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency."""


def lambda_handler(event: Any, context: Any) -> str:
    """Answers one request of CloudFormation."""
    return answer(event, seed)


def seed(request: Mapping[str, Any]) -> str:
    """Creates the parameter if it is to have a first value and is absent; deletes it with its stack if it is ours.

    Raises:
        KeyError: the request lacks a property.
        botocore.exceptions.ClientError: SSM refuses.
    """
    wanted = request["ResourceProperties"]
    name = wanted["Name"]
    if request["RequestType"] == "Delete":
        return _delete(request["PhysicalResourceId"], wanted)
    if request["RequestType"] == "Update" and request["OldResourceProperties"]["Name"] == name:
        _create_if_absent(request)
        left = set(request["OldResourceProperties"].get("Regions", [])) - set(wanted.get("Regions", []))
        _delete(request["PhysicalResourceId"], {**wanted, "Regions": sorted(left)}, here=False)
        return str(request["PhysicalResourceId"])
    ours = _create_if_absent(request)
    return f"{OURS if ours else FOUND}{name}"


def _create_if_absent(request: Mapping[str, Any]) -> bool:
    """Whether the parameter is this stack's: made by it, or still to be made by Image Builder."""
    ssm, wanted, stack = client("ssm"), request["ResourceProperties"], request["StackId"]
    name = wanted["Name"]
    there = _value(ssm, name) is not None
    if there or not wanted.get("Source"):
        return not there or _tagged(ssm, name, stack)
    image = _moved(ssm, request) or ssm.get_parameter(Name=wanted["Source"])["Parameter"]["Value"]
    try:
        _put(
            ssm,
            1 if request["RequestType"] == "Create" else ATTEMPTS,
            Name=name,
            Value=image,
            Type="String",
            DataType="text",
            Description="Newest AMI of a pipeline; EC2 Image Builder writes it",
            Tags=[{"Key": TAG, "Value": stack}],
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ParameterAlreadyExists":  # Image Builder was faster
            raise
        return _tagged(ssm, name, stack)
    logger.info("seeded", extra={"parameter": name, "image": image})
    return True


def _put(ssm: Any, attempts: int, **wanted: Any) -> None:
    """Writes it, again while the role may not: another path has changed its policy seconds ago."""
    for left in reversed(range(attempts)):
        try:
            ssm.put_parameter(**wanted)
            return
        except ClientError as error:
            if not left or error.response["Error"]["Code"] != "AccessDeniedException":
                raise
            logger.info("not allowed yet", extra={"error": str(error)})
            time.sleep(PAUSE_SECONDS)


def _moved(ssm: Any, request: Mapping[str, Any]) -> str | None:
    """The value under the old name, if the parameter has only got another: an image of gold stays one."""
    old = request.get("OldResourceProperties") or {}
    same = old and old.get("Source") == request["ResourceProperties"]["Source"]
    return _value(ssm, old["Name"]) if same else None


def _value(ssm: Any, name: str) -> str | None:
    found = ssm.get_parameters(Names=[name])["Parameters"]
    return str(found[0]["Value"]) if found else None


def _tagged(ssm: Any, name: str, stack: str) -> bool:
    try:
        tags = ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId=name)["TagList"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "InvalidResourceId":  # it went away meanwhile
            raise
        return False
    return {"Key": TAG, "Value": stack} in tags


def _delete(physical_id: str, wanted: Mapping[str, Any], *, here: bool = True) -> str:
    """Deletes a parameter that is ours, in the Regions that are named and, unless told otherwise, in this one."""
    if physical_id == f"{OURS}{wanted['Name']}" and wanted.get("Keep") != "true":
        clients = [client("ssm")] if here else []
        clients += [boto3.client("ssm", region_name=name) for name in wanted.get("Regions", [])]
        for ssm in clients:  # Image Builder has written it in each Region that gets a copy
            try:
                ssm.delete_parameter(Name=wanted["Name"])
            except ClientError as error:
                if error.response["Error"]["Code"] != "ParameterNotFound":
                    raise
    return physical_id
