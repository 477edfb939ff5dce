"""The happy path of the function of game_streaming."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from moto.backends import get_backend

from shared.aws import client
from tests.faults.subject import Subject, lambda_function

ACCOUNT, REGION = "123456789012", "us-east-1"
NAMESPACE = "game-streaming"


class IdleWorld:
    """An instance on which nobody has played for an hour."""

    def __init__(self) -> None:
        made = client("ec2").run_instances(ImageId="ami-12345678", MinCount=1, MaxCount=1)
        self.instance = made["Instances"][0]["InstanceId"]
        get_backend("ec2")[ACCOUNT][REGION].get_instance(self.instance).launch_time -= timedelta(hours=3)
        now = datetime.now(UTC).replace(second=0, microsecond=0)
        client("cloudwatch").put_metric_data(
            Namespace=NAMESPACE,
            MetricData=[
                {"MetricName": name, "Value": 0.0, "Timestamp": now - timedelta(minutes=minute)}
                for name in ("RegularInstances", "BaseInstances")
                for minute in range(60)
            ],
        )
        made_document = client("ssm").create_document(
            Content='{"schemaVersion": "2.2", "mainSteps": []}', Name="idle", DocumentType="Command"
        )
        self.env: Mapping[str, str] = {
            "DOCUMENT": made_document["DocumentDescription"]["Name"],
            "INSTANCE_ID": self.instance,
            "IDLE_MINUTES": "30",
            "METRIC_NAMESPACE": NAMESPACE,
        }
        self.event: Any = {"detail-type": "Scheduled Event", "time": "2026-01-01T12:00:00Z"}

    def stop(self) -> None:
        """As the instance does by itself."""
        client("ec2").stop_instances(InstanceIds=[self.instance])

    def _asked(self) -> set[tuple[str, str]]:
        found = client("ssm").list_commands()["Commands"]
        return {(one["DocumentName"], instance) for one in found for instance in one["InstanceIds"]}

    def _published(self) -> set[float]:
        data = get_backend("cloudwatch")[ACCOUNT][REGION].metric_data
        return {item.value for item in data if (item.namespace, item.name) == (NAMESPACE, "UnreadableGames")}

    def invariant(self) -> None:
        assert self._asked() == {("idle", self.instance)}, self._asked()
        assert self._published() == {0.0}

    def unharmed(self) -> None:
        """Whatever happens the games of an idle instance are readable, and nobody else is asked to stop."""
        assert self._published() <= {0.0}
        assert self._asked() <= {("idle", self.instance)}, self._asked()


SUBJECTS: list[Subject] = [lambda_function("game_streaming.idle", IdleWorld)]
