"""CloudFormation -> SSM: a parameter that others build on exists before they do, and parameters go with their stack.

Its first value is the base image's newest AMI, or, where only its name has changed, the value under the old name. All
later values are written by Image Builder, none by a deployment. A parameter that was there before the stack stays as it
is, also when the stack is deleted: only one that carries the stack's tag, or that was absent when the stack was made,
is deleted with it. The physical id says which. What Image Builder has written first carries no tag: it gets one when
its name is left, so that a rollback, which comes back to it, knows it again.

It is of the data type text. One of the type aws:ec2:image changes some time after the call that has written it, and
builds that follow an image would still read the one before:
https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html.
"""

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from shared.aws import client
from shared.custom_resource import answer

logger = logging.getLogger(__name__)

TAG = "image-pipelines-stack"
OURS, FOUND = "ours:", "found:"
PATIENCE, PAUSE_SECONDS = 10, 3.0
"""Half a minute for a request until a permission is known that the same deployment has changed:
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
    wanted, ask = request["ResourceProperties"], Patient()
    if request["RequestType"] == "Delete":
        _delete(ask, request)
        return str(request["PhysicalResourceId"])
    if request["RequestType"] == "Update":
        if request["OldResourceProperties"]["Name"] == wanted["Name"]:
            _create_if_absent(ask, request)  # a Region that has left the list keeps its copy: this may be rolled back
            return str(request["PhysicalResourceId"])
        _mark(ask, request)
    # Where the name of before has failed, the rollback comes with the id of this one, whatever tag that has:
    # https://github.com/aws/aws-cdk/issues/17040.
    is_back = request.get("PhysicalResourceId") == f"{OURS}{wanted['Name']}"
    return f"{OURS if _create_if_absent(ask, request) or is_back else FOUND}{wanted['Name']}"


class Patient:
    """Calls SSM, again while the role may not: the same deployment has changed its policy seconds ago."""

    def __init__(self) -> None:
        self._left = PATIENCE

    def __call__(self, call: Callable[..., Any], **wanted: Any) -> Any:
        """The answer.

        Raises:
            botocore.exceptions.ClientError: SSM refuses, or still does not allow it.
        """
        while True:
            try:
                return call(**wanted)
            except ClientError as error:
                if not self._left or error.response["Error"]["Code"] != "AccessDeniedException":
                    raise
                logger.info("not allowed yet", extra={"error": str(error)})
                self._left -= 1
                time.sleep(PAUSE_SECONDS)


def _create_if_absent(ask: Patient, request: Mapping[str, Any]) -> bool:
    """Whether the parameter is this stack's: made by it, or still to be made by Image Builder."""
    ssm, wanted, stack = client("ssm"), request["ResourceProperties"], str(request["StackId"])
    name = wanted["Name"]
    there = _value(ask, name) is not None
    if there or not wanted.get("Source"):
        return not there or _owner(ask, ssm, name) == stack
    image = _moved(ask, request) or ask(ssm.get_parameter, Name=wanted["Source"])["Parameter"]["Value"]
    try:
        ask(
            ssm.put_parameter,
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
        return _owner(ask, ssm, name) == stack
    logger.info("seeded", extra={"parameter": name, "image": image})
    return True


def _moved(ask: Patient, request: Mapping[str, Any]) -> str | None:
    """The value under the old name, if the parameter has only got another: an image of gold stays one."""
    old = request.get("OldResourceProperties") or {}
    same = old and old.get("Source") == request["ResourceProperties"]["Source"]
    return _value(ask, old["Name"]) if same else None


def _mark(ask: Patient, request: Mapping[str, Any]) -> None:
    """Gives the parameter that is left the stack's tag, if it is ours and no stack has tagged it."""
    ssm, name = client("ssm"), request["OldResourceProperties"]["Name"]
    if request["PhysicalResourceId"] != f"{OURS}{name}" or _owner(ask, ssm, name) is not None:
        return
    try:
        ask(
            ssm.add_tags_to_resource,
            ResourceType="Parameter",
            ResourceId=name,
            Tags=[{"Key": TAG, "Value": request["StackId"]}],
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "InvalidResourceId":  # there is none, or it went away meanwhile
            raise


def _value(ask: Patient, name: str) -> str | None:
    found = ask(client("ssm").get_parameters, Names=[name])["Parameters"]
    return str(found[0]["Value"]) if found else None


def _owner(ask: Patient, ssm: Any, name: str) -> str | None:
    """The stack that has tagged a parameter; None if none has, or there is no such parameter."""
    try:
        tags = ask(ssm.list_tags_for_resource, ResourceType="Parameter", ResourceId=name)["TagList"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "InvalidResourceId":
            raise
        return None
    return next((str(tag["Value"]) for tag in tags if tag["Key"] == TAG), None)


def _delete(ask: Patient, request: Mapping[str, Any]) -> None:
    """Deletes a parameter that is ours, and what Image Builder has written in each Region that gets a copy."""
    wanted = request["ResourceProperties"]
    name = wanted["Name"]
    if request["PhysicalResourceId"] != f"{OURS}{name}" or wanted.get("Keep") == "true":
        return
    for region in (None, *wanted.get("Regions", [])):
        ssm = client("ssm", region=region)
        if _owner(ask, ssm, name) not in (None, request["StackId"]):  # a stack of that Region has made it
            logger.warning("left to its stack", extra={"parameter": name, "region": region})
            continue
        try:
            ask(ssm.delete_parameter, Name=name)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ParameterNotFound":
                raise
