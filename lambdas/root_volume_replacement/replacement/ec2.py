"""The calls of a replacement to EC2, by a client that its caller makes. What is not there is None, never an error."""

from collections.abc import Iterator, Mapping
from typing import Any

from root_volume_replacement.names import (
    EXECUTION,
    REPLACE_SNAPSHOT,
    REPLACED_VOLUME,
    ROOT_VOLUME_OF,
    TRUE,
    filters,
    tag_list,
)

Described = Mapping[str, Any]


class RefusedError(Exception):
    """EC2 takes a task for impossible; the message is its own."""


class UnknownYetError(RefusedError):
    """EC2 does not know what the task names, which may have been made just now.

    https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html
    """


class Ec2:
    """What a replacement asks of EC2."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def instance(self, instance_id: str) -> Described | None:
        """Returns an instance."""
        reservation = self._first("describe_instances", "Reservations", {"instance-id": instance_id})
        return reservation["Instances"][0] if reservation else None

    def volume(self, volume_id: str) -> Described | None:
        """Returns a volume."""
        return self._first("describe_volumes", "Volumes", {"volume-id": volume_id})

    def snapshots_of(self, instance_id: str) -> list[Described]:
        """Returns our snapshots of an instance's root volumes."""
        wanted = filters({f"tag:{REPLACE_SNAPSHOT}": TRUE, f"tag:{ROOT_VOLUME_OF}": instance_id})
        return list(self._all("describe_snapshots", "Snapshots", OwnerIds=["self"], Filters=wanted))

    def start_task(
        self,
        instance_id: str,
        *,
        token: str,
        execution: str,
        snapshot_id: str | None,
        image_id: str | None,
        volume_id: str | None,
    ) -> str:
        """Starts a task, or finds the one that was started with this token, and returns its id.

        The tags go to the task, not to a volume: EC2 takes no other resource type here.
        https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateReplaceRootVolumeTask.html

        Raises:
            UnknownYetError: EC2 does not know the snapshot, the image or the volume.
            RefusedError: the task is impossible, however often one asks.
        """
        tags = tag_list({EXECUTION: execution.rsplit(":", 1)[-1]})
        try:
            task = self._client.create_replace_root_volume_task(
                InstanceId=instance_id,
                ClientToken=token,
                TagSpecifications=[{"ResourceType": "replace-root-volume-task", "Tags": tags}],
                **({"SnapshotId": snapshot_id} if snapshot_id else {}),
                **({"ImageId": image_id} if image_id else {}),
                **({"VolumeId": volume_id} if volume_id else {}),
            )["ReplaceRootVolumeTask"]
        except self._client.exceptions.ClientError as error:
            refused = error.response["Error"]
            if refused["Code"].endswith(".NotFound"):
                raise UnknownYetError(f"{refused['Code']}: {refused.get('Message', '')}") from error
            if refused["Code"].startswith(("Invalid", "Incorrect", "Unsupported", "OperationNotPermitted")):
                raise RefusedError(f"{refused['Code']}: {refused.get('Message', '')}") from error
            raise
        return str(task["ReplaceRootVolumeTaskId"])

    def task_state(self, instance_id: str, task_id: str) -> str:
        """Returns the state of a task; a task that EC2 does not show yet is pending."""
        tasks = self._all(
            "describe_replace_root_volume_tasks",
            "ReplaceRootVolumeTasks",
            Filters=filters({"instance-id": instance_id}),
        )
        found = (task["TaskState"] for task in tasks if task["ReplaceRootVolumeTaskId"] == task_id)
        return str(next(found, "pending"))

    def tag_replaced(self, volume_id: str, instance_id: str) -> None:
        """Tags a volume that has been replaced."""
        tags = {REPLACED_VOLUME: TRUE, ROOT_VOLUME_OF: instance_id}
        self._client.create_tags(Resources=[volume_id], Tags=tag_list(tags))

    def statuses(self, instance_id: str) -> list[Described]:
        """Returns the status checks of an instance."""
        wanted = filters({"instance-state-name": "running"})
        return list(
            self._all("describe_instance_status", "InstanceStatuses", InstanceIds=[instance_id], Filters=wanted)
        )

    def delete_volume(self, volume_id: str) -> None:
        """Deletes a volume; EC2 refuses while it is attached."""
        try:
            self._client.delete_volume(VolumeId=volume_id)
        except self._client.exceptions.ClientError as error:
            if error.response["Error"]["Code"] != "InvalidVolume.NotFound":
                raise

    def _first(self, operation: str, key: str, by: Mapping[str, str]) -> Described | None:
        return next(self._all(operation, key, Filters=filters(by)), None)

    def _all(self, operation: str, key: str, **parameters: Any) -> Iterator[Described]:
        for page in self._client.get_paginator(operation).paginate(**parameters):
            yield from page[key]
