"""Associations of State Manager: kept, and run on the instances of their targets when somebody says so (our model).

https://docs.aws.amazon.com/systems-manager/latest/userguide/state-manager-about.html. On AWS an association also runs
when it is made, by its schedule, and when an instance comes that its targets name; here StartAssociationsOnce runs it.
It runs its Command document on each running managed node that has one of the tags.
"""

import contextvars
import threading
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime

from emulator.core.api import Json, Operation, call, client_error
from emulator.core.store import Store
from emulator.services.ssm import commands, nodes
from emulator.services.ssm.automation import document_named

_associations: Store[dict[str, Json]] = Store(dict)
_executions: Store[dict[str, list[Json]]] = Store(dict)
_PROPERTIES = (
    "ApplyOnlyAtCronInterval",
    "AssociationName",
    "CalendarNames",
    "DocumentVersion",
    "MaxConcurrency",
    "MaxErrors",
    "ComplianceSeverity",
    "Parameters",
    "ScheduleExpression",
    "SyncCompliance",
    "Targets",
)


def _named(association_id: str) -> Json:
    found = _associations.here().get(association_id)
    if found is None:
        raise client_error("AssociationDoesNotExist", f"The association {association_id} does not exist")
    return found


def create_association(request: Json) -> Json:
    """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CreateAssociation.html."""
    document_named(request["Name"])
    if request.get("ApplyOnlyAtCronInterval") and str(request.get("ScheduleExpression", "")).startswith("rate"):
        raise client_error("InvalidSchedule", "ApplyOnlyAtCronInterval is not supported for rate expressions")
    kept = {name: request[name] for name in _PROPERTIES if name in request}
    made = {"AssociationId": str(uuid.uuid4()), "AssociationVersion": "1", "Name": request["Name"], **kept}
    _associations.here()[made["AssociationId"]] = made
    return {"AssociationDescription": made}


def update_association(request: Json) -> Json:
    """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_UpdateAssociation.html: a new version.

    "When you update an association, [...] the association immediately runs against the specified targets"; here it does
    not.
    """
    changed = _named(request["AssociationId"])
    version = str(int(changed["AssociationVersion"]) + 1)
    changed |= {name: request[name] for name in ("Name", *_PROPERTIES) if name in request}
    changed["AssociationVersion"] = version
    return {"AssociationDescription": changed}


def delete_association(request: Json) -> Json:
    """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DeleteAssociation.html."""
    _named(request["AssociationId"])
    del _associations.here()[request["AssociationId"]]
    return {}


def list_associations(_request: Json) -> Json:
    """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ListAssociations.html; no filters."""
    return {"Associations": list(_associations.here().values())}


def start_associations_once(request: Json) -> Json:
    """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_StartAssociationsOnce.html."""
    for association_id in request["AssociationIds"]:
        association = _named(association_id)
        execution: Json = {
            "AssociationId": association_id,
            "AssociationVersion": association["AssociationVersion"],
            "ExecutionId": str(uuid.uuid4()),
            "Status": "InProgress",
            "CreatedTime": datetime.now(UTC),
            "_targets": [],
        }
        _executions.here().setdefault(association_id, []).append(execution)
        context = contextvars.copy_context()  # account and Region of the request
        threading.Thread(target=context.run, args=(_run, association, execution), daemon=True).start()
    return {}


def _run(association: Json, execution: Json) -> None:
    try:
        document = document_named(association["Name"])
        for instance in _reached(association):
            execution["_targets"].append(_run_on(instance, document, execution))
        good = all(target["Status"] == "Success" for target in execution["_targets"])
        execution["Status"] = "Success" if good else "Failed"
    except Exception as error:  # what is wrong with a document fails its execution, not the server
        execution |= {"Status": "Failed", "DetailedStatus": f"{type(error).__name__}: {error}"}


def _reached(association: Json) -> Iterator[Json]:
    seen: set[str] = set()
    for target in association.get("Targets", []):
        filters = [
            {"Name": target["Key"], "Values": target["Values"]},
            {"Name": "instance-state-name", "Values": ["running"]},
        ]
        for reservation in call("ec2", "DescribeInstances", Filters=filters)["Reservations"]:
            for instance in reservation["Instances"]:
                if nodes.is_managed(instance) and instance["InstanceId"] not in seen:
                    seen.add(instance["InstanceId"])
                    yield instance


def _run_on(instance: Json, document: Json, execution: Json) -> Json:
    command = commands.run(instance, document)
    return {
        "AssociationId": execution["AssociationId"],
        "ExecutionId": execution["ExecutionId"],
        "ResourceId": instance["InstanceId"],
        "ResourceType": "ManagedInstance",
        "Status": command["Status"],
        "OutputSource": {"OutputSourceId": command["CommandId"], "OutputSourceType": "RunCommand"},
    }


def _shown(execution: Json) -> Json:
    return {name: value for name, value in execution.items() if not name.startswith("_")}


def describe_association_executions(request: Json) -> Json:
    """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeAssociationExecutions.html."""
    _named(request["AssociationId"])
    found = reversed(_executions.here().get(request["AssociationId"], []))
    return {"AssociationExecutions": [_shown(execution) for execution in found]}


def describe_association_execution_targets(request: Json) -> Json:
    """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeAssociationExecutionTargets.html."""
    for execution in _executions.here().get(request["AssociationId"], []):
        if execution["ExecutionId"] == request["ExecutionId"]:
            return {"AssociationExecutionTargets": execution["_targets"]}
    raise client_error("AssociationExecutionDoesNotExist", f"The execution {request['ExecutionId']} does not exist")


OPERATIONS: dict[str, Operation] = {
    "CreateAssociation": create_association,
    "UpdateAssociation": update_association,
    "DeleteAssociation": delete_association,
    "DescribeAssociation": lambda request: {"AssociationDescription": _named(request["AssociationId"])},
    "ListAssociations": list_associations,
    "StartAssociationsOnce": start_associations_once,
    "DescribeAssociationExecutions": describe_association_executions,
    "DescribeAssociationExecutionTargets": describe_association_execution_targets,
}
