"""Outposts and the instance types that each of them can run."""

import logging
from collections.abc import Callable
from typing import Any

from outposts_dashboard.wanted import Wanted
from shared.faults import FAILED

PAGE = 1000  # https://docs.aws.amazon.com/outposts/latest/APIReference/API_ListOutposts.html

Clients = Callable[[str], Any]

logger = logging.getLogger(__name__)


def discover(clients: Clients, wanted: Wanted) -> list[dict[str, Any]]:
    """The account's Outposts and those that the settings name, with their types, sorted by id.

    An Outpost that is not ACTIVE is listed with its state and without types. Those of the settings that the account's
    list lacks are taken for active; their types are not asked for, because the account may not be allowed to.
    """
    client = clients("outposts")
    pages = client.get_paginator("list_outposts").paginate(PaginationConfig={"PageSize": PAGE})
    found = {each["OutpostId"]: each for page in pages for each in page["Outposts"]}
    listed = [_described(client, each, wanted) for each in found.values()]
    others = [
        {"id": name, "name": "", "owner": owner, "state": "ACTIVE", "types": None}
        for name, owner in wanted.other_outposts.items()
        if name not in found
    ]
    return sorted([*listed, *others], key=lambda each: str(each["id"]))


def _described(client: Any, outpost: dict[str, Any], wanted: Wanted) -> dict[str, Any]:
    name = outpost["OutpostId"]
    state = outpost.get("LifeCycleStatus", "UNKNOWN")
    return {
        "id": name,
        "name": outpost.get("Name", ""),
        "owner": wanted.other_outposts.get(name, outpost.get("OwnerId", "")),
        "state": state,
        "types": _types(client, name) if state == "ACTIVE" else [],
    }


def _types(client: Any, outpost_id: str) -> list[str] | None:
    """Every page of one Outpost's types: the API knows no list of those of all Outposts.

    None where they cannot be read, as of one that another account shares: its metrics are then found by a search.
    """
    try:
        pages = client.get_paginator("get_outpost_instance_types").paginate(
            OutpostId=outpost_id, PaginationConfig={"PageSize": PAGE}
        )
        return sorted({each["InstanceType"] for page in pages for each in page["InstanceTypes"]})
    except FAILED as fault:
        logger.warning("types of an Outpost not read", extra={"outpost": outpost_id, "reason": str(fault)})
        return None
