"""Every 15 minutes: EC2 + Compliance -> CloudWatch: how many hosts do not run Credential Guard, how many are silent.

The event says only that time has passed. A repeated one publishes the same numbers again. If the hosts or their audits
cannot be read, nothing is published and the function fails, which has an alarm of its own.
"""

import logging
import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from credential_guard.watch.fleet import State, Verdict, judge, values
from credential_guard.watch.reading import audits, detailed, hosts
from shared.aws import client
from shared.faults import FAILED

logger = logging.getLogger(__name__)

EXPLAINED = 20
"""Hosts whose reason is looked up for the log in one run, one call each."""
LOGGED_TOGETHER = 100


def lambda_handler(event: Any, context: Any) -> dict[str, int]:
    """Counts the hosts, with the settings from the environment."""
    return watch(
        client("ec2"),
        client("ssm"),
        client("cloudwatch"),
        tag=(os.environ["TAG_KEY"], os.environ["TAG_VALUE"]),
        compliance_type=os.environ["COMPLIANCE_TYPE"],
        silent=timedelta(hours=int(os.environ["SILENT_HOURS"])),
        namespace=os.environ["METRIC_NAMESPACE"],
        now=datetime.now(UTC),
    )


def watch(
    ec2: Any,
    ssm: Any,
    cloudwatch: Any,
    *,
    tag: tuple[str, str],
    compliance_type: str,
    silent: timedelta,
    namespace: str,
    now: datetime,
) -> dict[str, int]:
    """Publishes the metrics of all hosts, logs those not running or silent, and returns the number of each state."""
    reported = audits(ssm, compliance_type)
    verdicts = [judge(host, reported.get(host.id), silent, now) for host in hosts(ec2, tag)]
    minute = now.replace(second=0, microsecond=0)
    cloudwatch.put_metric_data(
        Namespace=namespace,
        MetricData=[
            {"MetricName": name, "Value": value, "Unit": "Count", "Timestamp": minute}
            for name, value in values(verdicts)
        ],
    )
    _log(ssm, compliance_type, verdicts)
    result = {state.value: sum(verdict.state is state for verdict in verdicts) for state in State}
    logger.info("watched", extra={"hosts": result})
    return result


def _log(ssm: Any, compliance_type: str, verdicts: Sequence[Verdict]) -> None:
    silent = [verdict.host.id for verdict in verdicts if verdict.state is State.SILENT]
    for start in range(0, len(silent), LOGGED_TOGETHER):
        logger.warning("silent", extra={"instances": silent[start : start + LOGGED_TOGETHER]})
    failing = [verdict.host.id for verdict in verdicts if verdict.state is State.NOT_RUNNING]
    for start in range(0, len(failing), LOGGED_TOGETHER):
        logger.warning("not running", extra={"instances": failing[start : start + LOGGED_TOGETHER]})
    try:
        explained = detailed(ssm, compliance_type, failing[:EXPLAINED])
    except FAILED as fault:  # the metrics are published; the reasons only help a reader of the log
        logger.warning("reasons could not be read", extra={"fault": str(fault)})
        return
    for instance_id, audit in explained.items():
        logger.warning("reason", extra={"instance": instance_id, "reason": audit.details.get("reason", "")})
