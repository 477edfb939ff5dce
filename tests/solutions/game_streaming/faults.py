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
        self.env: Mapping[str, str] = {
            "INSTANCE_ID": self.instance,
            "IDLE_MINUTES": "30",
            "METRIC_NAMESPACE": NAMESPACE,
        }
        self.event: Any = {"detail-type": "Scheduled Event", "time": "2026-01-01T12:00:00Z"}

    def _state(self) -> str:
        found = client("ec2").describe_instances(InstanceIds=[self.instance])
        return str(found["Reservations"][0]["Instances"][0]["State"]["Name"])

    def _published(self) -> set[float]:
        data = get_backend("cloudwatch")[ACCOUNT][REGION].metric_data
        return {item.value for item in data if (item.namespace, item.name) == (NAMESPACE, "UnreadableGames")}

    def invariant(self) -> None:
        assert self._state() == "stopped", self._state()
        assert self._published() == {0.0}

    def unharmed(self) -> None:
        """Whatever happens the games of an idle instance are readable, and it is stopped or it runs."""
        assert self._published() <= {0.0}
        assert self._state() in ("running", "stopped"), self._state()


SUBJECTS: list[Subject] = [lambda_function("game_streaming.idle", IdleWorld)]
