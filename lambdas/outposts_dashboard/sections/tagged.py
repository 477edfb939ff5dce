"""Resources of several services by their tag, from the Resource Groups Tagging API."""

from typing import Any

from outposts_dashboard.wanted import Wanted, batches, tags_of

# https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_GetResources.html
PAGE = 100
MOST_VALUES = 20


def tagged(client: Any, wanted: Wanted, *kinds: str) -> dict[str, str]:
    """ARNs of the tagged resources of some kinds, such as ``s3``, each with its value of the tag.

    The API may still show what was deleted a while ago, and resources that had the tag once.
    """
    found: dict[str, str] = {}
    for values in list(batches(wanted.tag_values, MOST_VALUES)) or [[]]:
        pages = client.get_paginator("get_resources").paginate(
            TagFilters=[{"Key": wanted.tag_name, **({"Values": values} if values else {})}],
            ResourceTypeFilters=list(kinds),
            PaginationConfig={"PageSize": PAGE},
        )
        for resource in (one for page in pages for one in page["ResourceTagMappingList"]):
            value = tags_of(resource.get("Tags")).get(wanted.tag_name)
            if value is not None and wanted.matches(value):
                found[resource["ResourceARN"]] = value
    return found
