"""Items of Compliance, as managed nodes put them (our model), which ministack and moto lack.

https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutComplianceItems.html: COMPLETE replaces what was
there, PARTIAL adds to it, an older execution is dropped, and an equal content hash changes nothing. No event is sent:
for custom types none is documented.
"""

from typing import Any

from emulator.core.api import Json, Operation, client_error, model_of
from emulator.core.store import Store
from emulator.fullmodel.full_model import problems_of
from emulator.services.ssm import nodes

_TYPES_OF_A_NODE = 10

Key = tuple[str, str]
_reported: Store[dict[Key, Json]] = Store(dict)


def put_compliance_items(request: Json) -> Json:
    """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutComplianceItems.html."""
    kind, resource = request["ComplianceType"], request["ResourceId"]
    shape = model_of("ssm").operation_model("PutComplianceItems").input_shape
    if unfit := list(problems_of("ssm", shape, request, "")):
        raise client_error("ValidationException", "; ".join(unfit))
    if request["ResourceType"] != "ManagedInstance":
        raise client_error("InvalidResourceType", f"The resource type {request['ResourceType']} is not valid")
    if resource not in {node["InstanceId"] for node in nodes.nodes()}:
        raise client_error("InvalidResourceId", f"The resource {resource} is no managed node")
    here = _reported.here()
    types = {known for name, known in here if name == resource} | {kind}
    if len(types) > _TYPES_OF_A_NODE:
        raise client_error("ComplianceTypeCountLimitExceededException", f"{resource} has too many compliance types")
    old, at = here.get((resource, kind)), request["ExecutionSummary"]["ExecutionTime"]
    if old and (at < old["summary"]["ExecutionTime"] or _same(request, old)):
        return {}
    kept = {} if request.get("UploadType", "COMPLETE") == "COMPLETE" or not old else dict(old["items"])
    kept |= {item.get("Id", str(number)): item for number, item in enumerate(request["Items"])}
    here[resource, kind] = {
        "summary": request["ExecutionSummary"],
        "items": kept,
        "hash": request.get("ItemContentHash"),
    }
    return {}


def _same(request: Json, old: Json) -> bool:
    return bool(request.get("ItemContentHash")) and request["ItemContentHash"] == old["hash"]


def _wanted(request: Json, kind: str) -> bool:
    for one in request.get("Filters", []):
        if one["Key"] != "ComplianceType" or one.get("Type", "EQUAL") != "EQUAL":
            raise client_error("InvalidFilter", f"The filter {one['Key']} is not part of the embedded AWS")
        if kind not in one["Values"]:
            return False
    return True


def list_compliance_items(request: Json) -> Json:
    """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ListComplianceItems.html: of one resource."""
    ids = request.get("ResourceIds", [])
    if len(ids) != 1:
        raise client_error("ValidationException", "Specify one resource id")
    found = [
        {
            "ComplianceType": kind,
            "ResourceType": "ManagedInstance",
            "ResourceId": resource,
            "ExecutionSummary": kept["summary"],
            **item,
        }
        for (resource, kind), kept in _reported.here().items()
        if resource == ids[0] and _wanted(request, kind)
        for item in kept["items"].values()
    ]
    return {"ComplianceItems": found}


def list_resource_compliance_summaries(request: Json) -> Json:
    """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ListResourceComplianceSummaries.html."""
    found = [_summary(*key, kept) for key, kept in _reported.here().items() if _wanted(request, key[1])]
    return {"ResourceComplianceSummaryItems": found}


def _summary(resource: str, kind: str, kept: Json) -> Json:
    bad = [item for item in kept["items"].values() if item["Status"] != "COMPLIANT"]
    counts: dict[str, Any] = {
        "CompliantSummary": {"CompliantCount": len(kept["items"]) - len(bad)},
        "NonCompliantSummary": {"NonCompliantCount": len(bad)},
    }
    return {
        "ComplianceType": kind,
        "ResourceType": "ManagedInstance",
        "ResourceId": resource,
        "Status": "NON_COMPLIANT" if bad else "COMPLIANT",
        "ExecutionSummary": kept["summary"],
        **counts,
    }


OPERATIONS: dict[str, Operation] = {
    "PutComplianceItems": put_compliance_items,
    "ListComplianceItems": list_compliance_items,
    "ListResourceComplianceSummaries": list_resource_compliance_summaries,
}
