"""CloudFormation -> EC2: takes the instance profile off every instance before it is deleted.

IAM deletes a profile that instances have. They would keep a reference to nothing, and a later deployment would find
that they have a profile already.
"""

import logging
from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from shared.aws import client
from shared.custom_resource import answer

logger = logging.getLogger(__name__)

GONE = {"InvalidAssociationID.NotFound", "InvalidInstanceID.NotFound", "IncorrectState"}


def lambda_handler(event: Any, context: Any) -> str:
    """Does what CloudFormation asks for; the physical id is the profile's ARN."""
    return answer(event, lambda request: act(client("ec2"), request))


def act(ec2: Any, request: Mapping[str, Any]) -> str:
    """Releases the profile when its custom resource goes, also because the profile was replaced by another.

    Raises:
        ValueError: when the request is none that CloudFormation sends.
        botocore.exceptions.ClientError: when EC2 refuses.
    """
    kind = request["RequestType"]
    if kind not in ("Create", "Update", "Delete"):
        raise ValueError(f"no such request: {kind!r:.100}")
    if kind != "Delete":
        return str(request["ResourceProperties"]["ProfileArn"])
    profile_arn = str(request["PhysicalResourceId"])
    released = list(release(ec2, profile_arn))
    logger.info("released", extra={"profile": profile_arn, "instances": released})
    return profile_arn


def release(ec2: Any, profile_arn: str) -> Iterator[str]:
    """Ends every association of the profile, and yields the instances."""
    states = [{"Name": "state", "Values": ["associating", "associated"]}]
    pages = ec2.get_paginator("describe_iam_instance_profile_associations").paginate(Filters=states)
    found = [item for page in pages for item in page["IamInstanceProfileAssociations"]]
    for item in found:
        if item["IamInstanceProfile"]["Arn"] == profile_arn:
            try:
                ec2.disassociate_iam_instance_profile(AssociationId=item["AssociationId"])
            except ClientError as refused:
                if refused.response["Error"]["Code"] not in GONE:
                    raise
            yield item["InstanceId"]
