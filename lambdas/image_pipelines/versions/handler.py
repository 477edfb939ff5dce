"""CloudFormation -> Image Builder (reads only) -> CloudFormation: the version that a component or a recipe gets.

The physical id is the version. It stays as long as name, major and minor version and content stay, and new content gets
a version that nothing has: no component, recipe or image of that name, those included that a change has left behind.
A rollback keeps the resource whose id was the old version, so nothing is asked then. Deleting does nothing.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from image_pipelines.versions.choice import free_version
from shared.aws import client
from shared.custom_resource import answer

DECISIVE = ("Kind", "Name", "MajorMinor", "Content")

# What has versions of a name: the call, the list in its answer. An image has its recipe's name and version.
LISTS = {
    "component": (("list_components", "componentVersionList"),),
    "image-recipe": (("list_image_recipes", "imageRecipeSummaryList"), ("list_images", "imageVersionList")),
    "container-recipe": (("list_container_recipes", "containerRecipeSummaryList"), ("list_images", "imageVersionList")),
}


def lambda_handler(event: Any, context: Any) -> str:
    """Answers one request of CloudFormation."""
    return answer(event, version)


def version(request: Mapping[str, Any]) -> str:
    """Returns the version, which is the physical id.

    Raises:
        ExhaustedError: there is none left.
        KeyError: the request lacks a property.
    """
    if request["RequestType"] == "Delete":
        return str(request["PhysicalResourceId"])
    wanted = request["ResourceProperties"]
    old = request.get("OldResourceProperties") or {}
    if old and all(old.get(name) == wanted[name] for name in DECISIVE):
        return str(request["PhysicalResourceId"])
    return free_version(wanted["MajorMinor"], wanted["Content"], set(_taken(wanted["Kind"], wanted["Name"])))


def _taken(kind: str, name: str) -> Iterator[str]:
    """Versions of that name, of everything of this account that has them."""
    builder = client("imagebuilder")
    for operation, items in LISTS[kind]:
        pages = builder.get_paginator(operation).paginate(owner="Self", filters=[{"name": "name", "values": [name]}])
        for item in (item for page in pages for item in page[items]):
            found = re.fullmatch(r"arn:[^/]+/([^/]+)/(\d+\.\d+\.\d+)(?:/\d+)?", item["arn"])
            if found and found[1] == name:
                yield found[2]
