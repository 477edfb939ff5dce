"""Root volumes that are replaced, which moto lacks, and the events of new volumes.

After https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/replace-root.html and
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateReplaceRootVolumeTask.html (our model). A task is
pending, then in progress, then it ends; its states change when it is looked at, after PENDING_SECONDS each, unless
tasks are held. Encryption, boot modes and what an image must have in common with the instance are not looked at.
"""

import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from emulator import events, seams

PENDING_SECONDS = 0.3
held = threading.Event()
ENDS = ("succeeded", "failed", "failed-detached")


@dataclass
class Task:
    """One task, and how it is to end."""

    id: str
    instance_id: str
    token: str | None
    parameters: dict[str, Any]
    end: str
    tags: list[dict[str, str]]
    started: float = field(default_factory=time.time)
    completed: float | None = None
    state: str = "pending"

    def described(self) -> dict[str, Any]:
        """As EC2 describes it."""
        answer = {
            "ReplaceRootVolumeTaskId": self.id,
            "InstanceId": self.instance_id,
            "TaskState": self.state,
            "StartTime": _time(self.started),
            "Tags": self.tags,
        }
        if self.completed:
            answer["CompleteTime"] = _time(self.completed)
        chosen = {name: self.parameters[name] for name in ("SnapshotId", "ImageId") if self.parameters.get(name)}
        return answer | chosen


def create_replace_root_volume_task(parameters: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateReplaceRootVolumeTask.html."""
    volumes = seams.volumes()
    tasks = _tasks(volumes)
    token = parameters.get("ClientToken")
    wanted = {name: parameters.get(name) for name in ("InstanceId", "SnapshotId", "ImageId")}
    for task in tasks.values():
        if token and task.token == token:
            if {name: task.parameters.get(name) for name in wanted} != wanted:
                raise seams.client_error("IdempotentParameterMismatch", "The client token was used for another request")
            return {"ReplaceRootVolumeTask": task.described()}
    _refuse(volumes, parameters)
    specifications = parameters.get("TagSpecification") or parameters.get("TagSpecifications") or []
    for specification in specifications:
        if specification.get("ResourceType") != "replace-root-volume-task":
            message = f"'{specification.get('ResourceType')}' is not a valid taggable resource type for this operation."
            raise seams.client_error("InvalidParameterValue", message)
    tags = [tag for each in specifications for tag in each.get("Tag") or each.get("Tags") or []]
    number = len(tasks) + 1
    task = Task(f"replacevol-{number:017x}", parameters["InstanceId"], token, parameters, volumes.next_task_ends, tags)
    volumes.next_task_ends = "succeeded"
    tasks[task.id] = task
    return {"ReplaceRootVolumeTask": task.described()}


def describe_replace_root_volume_tasks(parameters: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeReplaceRootVolumeTasks.html."""
    volumes = seams.volumes()
    wanted = set(parameters.get("ReplaceRootVolumeTaskId") or parameters.get("ReplaceRootVolumeTaskIds") or [])
    instances: set[str] = set()
    for one in parameters.get("Filter") or parameters.get("Filters") or []:
        if one["Name"] != "instance-id":
            raise seams.client_error("InvalidParameterValue", f"The filter '{one['Name']}' is invalid")
        instances |= set(one.get("Value") or one.get("Values") or [])
    tasks = _tasks(volumes)
    for task in tasks.values():
        _proceed(volumes, task)
    found = [
        task.described()
        for task in tasks.values()
        if (not wanted or task.id in wanted) and (not instances or task.instance_id in instances)
    ]
    return {"ReplaceRootVolumeTasks": found}


def next_task_ends(request: dict[str, Any]) -> dict[str, Any]:
    """``POST /_emulator/root-volume-task {"ends": state}``: how the next task of each account is to end."""
    if request["ends"] not in ENDS:
        raise ValueError(f"ends must be one of {', '.join(ENDS)}")
    for volumes in seams.every_volumes():
        volumes.next_task_ends = request["ends"]
    return {"ends": request["ends"]}


def hold_tasks(request: dict[str, Any]) -> dict[str, Any]:
    """``POST /_emulator/hold-root-volume-tasks {"held": bool}``: whether tasks stay as they are (our model)."""
    if request["held"]:
        held.set()
    else:
        held.clear()
    return {"held": held.is_set()}


def age_snapshots(request: dict[str, Any]) -> dict[str, Any]:
    """``POST /_emulator/age-snapshots {"seconds": n}``: moves every snapshot n seconds into the past (our model)."""
    return {"aged": sum(volumes.age_snapshots(float(request["seconds"])) for volumes in seams.every_volumes())}


def volume_created(volume_id: str) -> None:
    """Follows https://docs.aws.amazon.com/ebs/latest/userguide/ebs-cloud-watch-events.html#create-volume.

    It comes when the volume is made, before anything is attached.
    """
    arn = f"arn:aws:ec2:{seams.region()}:{seams.account_id()}:volume/{volume_id}"
    detail = {"result": "available", "cause": "", "event": "createVolume", "request-id": volume_id}
    events.put_event("aws.ec2", "EBS Volume Notification", detail, arn)


def _refuse(volumes: Any, parameters: dict[str, Any]) -> None:
    instance = volumes.instance(parameters["InstanceId"])
    if instance.state != "running":
        raise seams.client_error("IncorrectInstanceState", f"The instance '{instance.id}' is not in the running state.")
    if parameters.get("SnapshotId") and parameters.get("ImageId"):
        message = "The parameters SnapshotId and ImageId cannot be used together"
        raise seams.client_error("InvalidParameterCombination", message)
    snapshot_id = parameters.get("SnapshotId")
    if snapshot_id and volumes.volume_of_snapshot(snapshot_id) not in volumes.lineage(instance.id):
        message = f"The snapshot '{snapshot_id}' does not belong to the lineage of the instance's root volumes"
        raise seams.client_error("InvalidParameterValue", message)


def _proceed(volumes: Any, task: Task) -> None:
    if held.is_set():
        return
    age = time.time() - task.started
    if task.state == "pending" and age >= PENDING_SECONDS:
        task.state = "in-progress"
    if task.state == "in-progress" and age >= 2 * PENDING_SECONDS:
        task.state, task.completed = task.end, time.time()
        if task.end == "succeeded":
            volumes.replace_root(task.instance_id, task.parameters.get("SnapshotId"), task.parameters.get("ImageId"))
        elif task.end == "failed-detached":
            volumes.detach_root(task.instance_id)


def _tasks(volumes: Any) -> dict[str, Task]:
    found: dict[str, Task] = volumes.tasks
    return found


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def install() -> None:
    """Puts them into moto, and listens to its volumes."""
    seams.serve_action("ec2", "create_replace_root_volume_task", create_replace_root_volume_task)
    seams.serve_action("ec2", "describe_replace_root_volume_tasks", describe_replace_root_volume_tasks)
    seams.on_volume_created(volume_created)
