"""The tags that prove a resource to be of a stack, and of one part of it. No AWS in here."""

from collections.abc import Iterable, Mapping
from typing import Any

STACK, PART = "outposts-routing-stack", "outposts-routing-part"


def tags_of(request: Mapping[str, Any]) -> list[dict[str, str]]:
    """The tags of what a request of CloudFormation makes."""
    return [{"Key": STACK, "Value": request["StackId"]}, {"Key": PART, "Value": request["LogicalResourceId"]}]


def specification(kind: str, request: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The same as EC2 takes them when it makes something.

    Args:
        kind: EC2's name of the type, for example ``elastic-ip``.
    """
    return [{"ResourceType": kind, "Tags": tags_of(request)}]


def is_of(tags: Iterable[Mapping[str, str]] | None, request: Mapping[str, Any]) -> bool:
    """Whether a resource with these tags was made for the same resource of the same stack."""
    found = {tag["Key"]: tag["Value"] for tag in tags or ()}
    return all(found.get(tag["Key"]) == tag["Value"] for tag in tags_of(request))
