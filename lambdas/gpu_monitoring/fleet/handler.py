"""Every few minutes: EC2 + CloudWatch -> CloudWatch: utilisation and waste of the fleet, and who is idle or silent.

The event says only that time has passed. A repeated one publishes the same values again, and all of them are levels and
no counts, so that an average over any time stays right. When the fleet cannot be read, nothing is published.
"""

import logging
import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from gpu_monitoring.fleet.reading import machines, readings
from gpu_monitoring.fleet.waste import Rules, State, Value, Verdict, judge, values
from shared.aws import client
from shared.scheduled import due

logger = logging.getLogger(__name__)

DATA_AT_ONCE = 1_000  # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html
LOGGED_TOGETHER = 100


class PublishError(RuntimeError):
    """Some datapoints were not taken; the others were."""


def lambda_handler(event: Any, context: Any) -> dict[str, int]:
    """Counts, by the rules of the environment."""
    now = datetime.now(UTC)
    return count(
        client("ec2"),
        client("cloudwatch"),
        tag=(os.environ["OPT_IN_KEY"], os.environ["OPT_IN_VALUE"]),
        rules=Rules(
            idle_percent=float(os.environ["IDLE_PERCENT"]),
            idle_hours=float(os.environ["IDLE_HOURS"]),
            silent=timedelta(minutes=float(os.environ["SILENT_MINUTES"])),
        ),
        namespace=os.environ["METRIC_NAMESPACE"],
        now=now,
        due=due(event, now),
    )


def count(
    ec2: Any,
    cloudwatch: Any,
    *,
    tag: tuple[str, str],
    rules: Rules,
    namespace: str,
    now: datetime,
    due: datetime | None = None,
) -> dict[str, int]:
    """Publishes the fleet's metrics; returns the number of instances by state.

    Args:
        due: the time that the metrics get; None: now.

    Raises:
        PublishError: when some datapoints were not taken.
        MetricDataError, botocore.exceptions.ClientError: when the fleet could not be read; nothing is published then.
    """
    verdicts = look(ec2, cloudwatch, tag=tag, rules=rules, now=now)
    publish(cloudwatch, namespace, list(values(verdicts)), due or now)
    found = {state.value: [v.machine.id for v in verdicts if v.state is state] for state in State}
    for state in (State.IDLE, State.SILENT, State.UNSEEN):
        ids = found[state.value]
        for start in range(0, len(ids), LOGGED_TOGETHER):
            logger.warning(state.value, extra={"instances": ids[start : start + LOGGED_TOGETHER]})
    result = {state: len(ids) for state, ids in found.items()}
    logger.info("counted", extra={"instances": result})
    return result


def look(ec2: Any, cloudwatch: Any, *, tag: tuple[str, str], rules: Rules, now: datetime) -> list[Verdict]:
    """Judges every running instance with the tag."""
    found = machines(ec2, tag)
    reported = readings(cloudwatch, found, window=rules.silent, horizon=rules.horizon, now=now)
    return [judge(machine, reported[machine.id], rules, now) for machine in found]


def publish(cloudwatch: Any, namespace: str, data: Sequence[Value], now: datetime) -> None:
    """Publishes datapoints, as many at a time as one call takes; one call that fails does not stop the others.

    Raises:
        PublishError: naming what went wrong.
    """
    failed = []
    minute = now.replace(second=0, microsecond=0)
    for batch in _batches([_datum(value, minute) for value in data]):
        try:
            cloudwatch.put_metric_data(Namespace=namespace, MetricData=batch)
        except (ClientError, BotoCoreError) as fault:
            failed.append(f"{len(batch)} datapoints: {fault}")
    if failed:
        raise PublishError("; ".join(failed))


def _datum(value: Value, minute: datetime) -> dict[str, Any]:
    named = [{"Name": value.dimension[0], "Value": value.dimension[1]}] if value.dimension else []
    return {
        "MetricName": value.name,
        "Dimensions": named,
        "Timestamp": minute,
        "Value": value.value,
        "Unit": value.unit,
    }


def _batches(data: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    for start in range(0, len(data), DATA_AT_ONCE):
        yield data[start : start + DATA_AT_ONCE]
