"""An association of State Manager, run once and looked at, by the API as a user does it."""

from typing import Any

from tryout.waits import wait_until


def run_once(ssm: Any, association_id: str) -> dict[str, dict[str, str]]:
    """Runs an association on its targets; returns what each step that ran was told, by instance and step.

    An empty text: it went well.
    """
    ssm.start_associations_once(AssociationIds=[association_id])

    def newest() -> dict[str, Any]:
        found = ssm.describe_association_executions(AssociationId=association_id)["AssociationExecutions"]
        return dict(max(found, key=lambda execution: execution["CreatedTime"]))

    wait_until("the end of the association", lambda: newest()["Status"] != "InProgress")
    targets = ssm.describe_association_execution_targets(
        AssociationId=association_id, ExecutionId=newest()["ExecutionId"]
    )["AssociationExecutionTargets"]
    return {target["ResourceId"]: _told(ssm, target) for target in targets}


def _told(ssm: Any, target: dict[str, Any]) -> dict[str, str]:
    """https://docs.aws.amazon.com/systems-manager/latest/userguide/state-manager-associations-history-viewing.html."""
    command = target["OutputSource"]["OutputSourceId"]
    found = ssm.list_command_invocations(CommandId=command, InstanceId=target["ResourceId"], Details=True)
    (invocation,) = found["CommandInvocations"]
    return {
        plugin["Name"]: plugin["Output"] if plugin["Status"] == "Failed" else ""
        for plugin in invocation["CommandPlugins"]
    }
