"""What CloudWatch says of a deployed stack: its alarms and its own metrics."""

from datetime import UTC, datetime, timedelta

from tryout.deployed import Deployed
from tryout.steps import expect

RECENT = timedelta(minutes=10)


def alarm_state(deployed: Deployed, name: str) -> str:
    """The state of the stack's alarm with this word in its name."""
    found = [each for each in deployed.resources["AWS::CloudWatch::Alarm"] if name in each]
    expect(len(found) == 1, f"{len(found)} alarms are named {name}: {found}")
    alarms = deployed.client("cloudwatch").describe_alarms(AlarmNames=found)["MetricAlarms"]
    return str(alarms[0]["StateValue"])


def latest_value(deployed: Deployed, namespace: str, name: str, dimension: str) -> float:
    """What the stack has published last of a metric, whose one dimension has the stack's name."""
    now = datetime.now(UTC)
    points = deployed.client("cloudwatch").get_metric_statistics(
        Namespace=namespace,
        MetricName=name,
        Dimensions=[{"Name": dimension, "Value": deployed.stack_name}],
        StartTime=now - RECENT,
        EndTime=now + timedelta(minutes=1),
        Period=60,
        Statistics=["Maximum"],
    )["Datapoints"]
    expect(bool(points), f"nothing was published of {name}")
    return float(max(points, key=lambda point: point["Timestamp"])["Maximum"])
