"""Every few minutes: CloudWatch + EC2 -> Systems Manager: stops an instance on which nobody has played for a while.

CloudWatch's data is minutes old, so a document makes the instance check again and stop itself if no game runs. The
event says only that time has passed; a late or repeated one looks again, and asking twice changes nothing. If the games
cannot be read, nothing is stopped; a metric and its alarm report it. Another alarm reports an instance that was asked
to stop and keeps running.
"""

import logging
import os
from datetime import UTC, datetime, timedelta
from typing import Any

from game_streaming.idle.decision import Machine, Reports, Verdict, judge
from shared.aws import client
from shared.metric_data import results

logger = logging.getLogger(__name__)
METRICS = ("RegularInstances", "BaseInstances")
DELIVERY_SECONDS = 120
"""Time for Systems Manager to deliver the command: it ends before the next look and before a new start."""


def lambda_handler(event: Any, context: Any) -> dict[str, str]:
    """Looks at the instance that the environment names."""
    return look(
        client("ec2"),
        client("cloudwatch"),
        client("ssm"),
        document=os.environ["DOCUMENT"],
        instance_id=os.environ["INSTANCE_ID"],
        namespace=os.environ["METRIC_NAMESPACE"],
        window=timedelta(minutes=int(os.environ["IDLE_MINUTES"])),
        now=datetime.now(UTC),
    )


def look(
    ec2: Any,
    cloudwatch: Any,
    ssm: Any,
    *,
    document: str,
    instance_id: str,
    namespace: str,
    window: timedelta,
    now: datetime,
) -> dict[str, str]:
    """Publishes whether the games could be read, and asks an idle instance to stop."""
    regular, base = _reports(cloudwatch, namespace, window, now)
    verdict = judge(_machine(ec2, instance_id, now), regular, base, window, now)
    cloudwatch.put_metric_data(
        Namespace=namespace,
        MetricData=[
            {
                "MetricName": name,
                "Value": float(verdict is found),
                "Unit": "Count",
                "Timestamp": now.replace(second=0, microsecond=0),
            }
            for name, found in (("UnreadableGames", Verdict.UNREADABLE), ("AskedToStop", Verdict.IDLE))
        ],
    )
    if verdict is Verdict.IDLE:
        ssm.send_command(DocumentName=document, InstanceIds=[instance_id], TimeoutSeconds=DELIVERY_SECONDS)
    logger.info("looked", extra={"verdict": verdict.value, "instance": instance_id})
    return {"verdict": verdict.value}


def _machine(ec2: Any, instance_id: str, now: datetime) -> Machine:
    """The instance's state; one that is gone is not running. LaunchTime is the last start.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Instance.html
    """
    filters = [{"Name": "instance-id", "Values": [instance_id]}]
    pages = ec2.get_paginator("describe_instances").paginate(Filters=filters)
    for page in pages:
        for reservation in page["Reservations"]:
            for instance in reservation["Instances"]:
                return Machine(instance["State"]["Name"] == "running", instance["LaunchTime"])
    return Machine(False, now)


def _reports(cloudwatch: Any, namespace: str, window: timedelta, now: datetime) -> list[Reports]:
    """The instance's reports in the window, by minute."""
    queries = [
        {
            "Id": f"m{number}",
            "MetricStat": {
                "Metric": {"Namespace": namespace, "MetricName": name},
                "Period": 60,
                "Stat": "Maximum",
            },
        }
        for number, name in enumerate(METRICS)
    ]
    found: list[dict[datetime, float]] = [{}, {}]
    for result in results(cloudwatch, MetricDataQueries=queries, StartTime=now - window, EndTime=now):
        found[int(result["Id"][1:])].update(zip(result["Timestamps"], result["Values"], strict=True))
    return list(found)
