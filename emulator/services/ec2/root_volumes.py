"""Root volumes that are replaced, which moto lacks, and the events of new volumes.

After https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/replace-root.html and
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateReplaceRootVolumeTask.html (our model). A task is
pending, then in progress, then it ends; its states change when it is looked at, after PENDING_SECONDS each, unless
tasks are held. Encryption, boot modes and what an image must have in common with the instance are not looked at.
"""

import time
from datetime import UTC, datetime
from typing import Any

from emulator.core.api import Json, Operation, client_error
from emulator.core.events import put_event
from emulator.core.store import Ec2Store, Setting, arn, request_scope
from emulator.services.ec2 import patches
from emulator.services.ec2.patches import RootVolumes
from emulator.services.ec2.resources import Kind

PENDING_SECONDS = 0.1
ENDS = ("succeeded", "failed", "failed-detached")
_CHOSEN = ("SnapshotId", "ImageId", "VolumeId")

held: Setting[bool] = Setting(False)
_next_ends: Ec2Store[dict[str, str]] = Ec2Store("next_root_volume_task", dict)


def _new(parameters: Json, _made: str) -> Json:
    _refuse(parameters)
    chosen = {name: parameters[name] for name in _CHOSEN if parameters.get(name)}
    return {
        "InstanceId": parameters["InstanceId"],
        "TaskState": "pending",
        "StartTime": _time(time.time()),
        **chosen,
        "_token": parameters.get("ClientToken"),
        "_started": time.time(),
        "_end": _next_ends.here().pop("ends", "succeeded"),
    }


TASKS = Kind(
    "ReplaceRootVolumeTask",
    "replace-root-volume-task",
    "replacevol",
    made=_new,
    shown=lambda task: {name: value for name, value in task.items() if not name.startswith("_")},
    filters={"instance-id": "InstanceId"},
    verbs=("Create", "Describe"),
)


def create_replace_root_volume_task(parameters: Json) -> Json:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateReplaceRootVolumeTask.html."""
    token = parameters.get("ClientToken")
    for task in TASKS.items.values():
        if token and task["_token"] == token:
            if any(task.get(name) != parameters.get(name) for name in ("InstanceId", *_CHOSEN)):
                raise client_error("IdempotentParameterMismatch", "The client token was used for another request")
            return {"ReplaceRootVolumeTask": TASKS.described(task)}
    return TASKS.create(parameters)


def describe_replace_root_volume_tasks(parameters: Json) -> Json:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeReplaceRootVolumeTasks.html."""
    for task in TASKS.items.values():
        _proceed(task)
    return TASKS.describe(parameters)


def next_task_ends(request: Json) -> Json:
    """``root-volume-task {"ends": state}``: how the next task of each account is to end."""
    if request["ends"] not in ENDS:
        raise ValueError(f"ends must be one of {', '.join(ENDS)}")
    for here in patches.every_backend():
        with request_scope(here.account_id, here.region_name):
            _next_ends.here()["ends"] = request["ends"]
    return {"ends": request["ends"]}


def hold_tasks(request: Json) -> Json:
    """``hold-root-volume-tasks {"held": bool}``: whether tasks stay as they are (our model)."""
    held.value = bool(request["held"])
    return {"held": held.value}


def age_snapshots(request: Json) -> Json:
    """``age-snapshots {"seconds": n}``: moves every snapshot n seconds into the past (our model)."""
    return {"aged": patches.age_snapshots(float(request["seconds"]))}


def volume_created(volume_id: str) -> None:
    """Follows https://docs.aws.amazon.com/ebs/latest/userguide/ebs-cloud-watch-events.html#create-volume.

    It comes when the volume is made, before anything is attached.
    """
    detail = {"result": "available", "cause": "", "event": "createVolume", "request-id": volume_id}
    put_event("aws.ec2", "EBS Volume Notification", detail, arn("ec2", f"volume/{volume_id}"))


def _refuse(parameters: Json) -> None:
    volumes = RootVolumes(patches.backend())
    instance = volumes.instance(parameters["InstanceId"])
    if instance.state != "running":
        raise client_error("IncorrectInstanceState", f"The instance '{instance.id}' is not in the running state.")
    if sum(bool(parameters.get(name)) for name in _CHOSEN) > 1:
        message = "The parameters SnapshotId, ImageId and VolumeId cannot be used together"
        raise client_error("InvalidParameterCombination", message)
    if (volume_id := parameters.get("VolumeId")) and not volumes.is_free(volume_id):
        raise client_error("IncorrectState", f"The volume '{volume_id}' is not 'available'.")
    snapshot_id = parameters.get("SnapshotId")
    if snapshot_id and volumes.volume_of_snapshot(snapshot_id) not in volumes.lineage(instance.id):
        message = f"The snapshot '{snapshot_id}' does not belong to the lineage of the instance's root volumes"
        raise client_error("InvalidParameterValue", message)


def _proceed(task: dict[str, Any]) -> None:
    if held.value:
        return
    volumes, age = RootVolumes(patches.backend()), time.time() - task["_started"]
    if task["TaskState"] == "pending" and age >= PENDING_SECONDS:
        task["TaskState"] = "in-progress"
    if task["TaskState"] == "in-progress" and age >= 2 * PENDING_SECONDS:
        task["TaskState"], task["CompleteTime"] = task["_end"], _time(time.time())
        if task["_end"] == "succeeded":
            if not volumes.replace(task["InstanceId"], *(task.get(name) for name in _CHOSEN)):
                task["TaskState"] = "failed"
        elif task["_end"] == "failed-detached":
            volumes.detach(task["InstanceId"])


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


OPERATIONS: dict[str, Operation] = {
    "create_replace_root_volume_task": create_replace_root_volume_task,
    "describe_replace_root_volume_tasks": describe_replace_root_volume_tasks,
}
