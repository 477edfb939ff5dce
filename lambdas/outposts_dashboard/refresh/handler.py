"""SQS -> the APIs of each section -> PutDashboard: one refresh for a whole batch of events.

Tag changes, instances and groups that change, and a schedule put messages into a queue. Every batch leads to the same
refresh, whatever is in it, so that a message may come twice, late or in any order. One refresh runs at a time: if
another one is in progress, the function records a request and ends, and the one in progress starts over.
"""

import logging
import os
import time
from collections.abc import Callable, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from outposts_dashboard.discovery import discover
from outposts_dashboard.layout.pages import LONGEST_NAME, Dashboard, dashboards
from outposts_dashboard.ledger import BusyError, Ledger, Lock, NoSettingsError
from outposts_dashboard.refresh.events import newest, seen_already
from outposts_dashboard.wanted import Wanted, batches
from shared.aws import client

logger = logging.getLogger(__name__)

MOST_DELETED = (
    100  # names in a call: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DeleteDashboards.html
)
# The error's code and the name of its shape: which one comes is a matter of the protocol.
NOT_FOUND = ("ResourceNotFound", "DashboardNotFoundError")
FAULTS = (ClientError, BotoCoreError)
MARGIN_SECONDS = 30
"""Between the end of the last round and the time at which the lock of this refresh counts as dead."""
RETRY_SECONDS = 30
"""After a failure. The queue hides a batch for six times the function's timeout, far more than a retry needs."""
MOST_HURRIED = 10
"""Messages in a call of ChangeMessageVisibilityBatch. The rest of a batch finds later that it was seen."""


class NotOursError(RuntimeError):
    """A dashboard of the wanted name is there, and this stack has not written it."""


class NotWrittenError(RuntimeError):
    """CloudWatch has refused dashboards; the others are written."""


class StillLockedError(RuntimeError):
    """The lock of a failed refresh could not be released: a retry before its time would find it taken, and end."""


# The last three are of settings or answers that are not as they should be.
FAILURES = (*FAULTS, BusyError, NotOursError, NotWrittenError, NoSettingsError, LookupError, TypeError, ValueError)


def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    """Takes one batch, for the settings that the table has."""
    sent = newest(event)
    try:
        return _handle(sent, context)
    except StillLockedError:  # until the lock counts as dead
        _hurry(event["Records"], int(os.environ["LONGEST_SECONDS"]) + 1)
        raise
    except FAILURES:
        _hurry(event["Records"], RETRY_SECONDS)
        raise


def _handle(sent: float, context: Any) -> dict[str, Any]:
    ledger = Ledger(client("dynamodb"), os.environ["TABLE_NAME"])
    if seen_already(sent, ledger.began()):
        return {"refreshed": False, "because": "a refresh that began later has seen it"}
    holder = context.aws_request_id
    now = time.time()
    until = now + int(os.environ["LONGEST_SECONDS"])
    try:
        lock = ledger.take(holder, now=now, until=until)
        if lock is not Lock.TAKEN:
            logger.info("not refreshed", extra={"because": lock.value})
            return {"refreshed": False, "because": lock.value}
        return _rounds(ledger, holder, until)
    except FAILURES:
        try:
            ledger.drop(holder)  # also where taking it has failed: an answer may be lost, and the lock ours
        except FAULTS as fault:
            raise StillLockedError(f"the lock is kept until its time: {fault}") from fault
        raise


def _hurry(records: Sequence[dict[str, Any]], seconds: int) -> None:
    """Has the batch tried again after these seconds.

    An error alone does not reset the visibility, as Lambda's page says:
    https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
    """
    entries = [
        {"Id": str(number), "ReceiptHandle": record["receiptHandle"], "VisibilityTimeout": seconds}
        for number, record in enumerate(records[:MOST_HURRIED])
    ]
    try:
        client("sqs").change_message_visibility_batch(QueueUrl=os.environ["QUEUE_URL"], Entries=entries)
    except FAULTS as fault:
        logger.warning("tried again late", extra={"reason": str(fault)})  # the queue's own time is left


def _rounds(ledger: Ledger, holder: str, until: float) -> dict[str, Any]:
    """Refreshes again for as long as others request it: their messages are gone from the queue.

    Where requests go on for longer than a function may run, a message of its own stands for the last of them.
    """
    while True:
        began = time.time()
        wanted = Wanted.read(ledger.wanted())  # a deployment may have been what has come meanwhile
        result = refresh(client, ledger, wanted, region=os.environ["AWS_REGION"], account=os.environ["ACCOUNT_ID"])
        # A section that could not be read has not been seen: an event about it is not done yet.
        if ledger.release(holder, began=0 if result["failed"] else began):
            break
        now = time.time()
        if now + (now - began) + MARGIN_SECONDS > until:
            ledger.drop(holder)  # before the message: whoever gets that must not find the lock taken
            client("sqs").send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody="requested")
            break
    return {"refreshed": True, **result}


def refresh(
    clients: Callable[[str], Any], ledger: Ledger, wanted: Wanted, *, region: str, account: str
) -> dict[str, Any]:
    """Writes the dashboards, removes those of ours that are not wanted any more, and counts.

    Raises:
        NotOursError: a name is taken by somebody else's dashboard; the others are written.
        NotWrittenError: CloudWatch has refused dashboards; the others are written.
        botocore.exceptions.ClientError: a dashboard cannot be deleted, or nothing can be listed. That a section cannot
            be read is no failure of the refresh: the dashboard says it, and so does a metric.
    """
    found = discover(clients, wanted, region=region, account=account, faults=FAULTS)
    cloudwatch = clients("cloudwatch")
    shown = dashboards(found, wanted)
    ours = ledger.ours()
    foreign = _foreign(cloudwatch, shown, ours, wanted)
    refused: dict[str, str] = {}
    messages = 0
    for dashboard in shown:
        if dashboard.name not in foreign:
            if dashboard.name not in ours:
                ledger.claim(dashboard.name)
            try:
                messages += _put(cloudwatch, dashboard)
            except FAULTS as fault:
                refused[dashboard.name] = str(fault)
    # What could not be looked at may be what a dashboard is for: nothing goes until everything has been seen.
    surplus = [] if found["failures"] else sorted(ours - {dashboard.name for dashboard in shown})
    delete(cloudwatch, ledger, surplus)
    failed = sorted(found["failures"])
    if failed:
        logger.error("sections could not be read", extra={"failures": found["failures"]})
    resources = sum(len(items) for items in found["sections"].values())
    counts = {"FailedSections": len(failed), "Dashboards": len(shown) - len(refused), "Resources": resources}
    _count(cloudwatch, wanted, {**counts, "ValidationMessages": messages})
    if refused:
        raise NotWrittenError("; ".join(f"{name}: {reason}" for name, reason in refused.items()))
    if foreign:
        raise NotOursError(f"not written by this stack, and so left alone: {', '.join(sorted(foreign))}")
    result = {"dashboards": len(shown), "resources": resources, "deleted": surplus, "failed": failed}
    logger.info("refreshed", extra=result)
    return result


def _put(cloudwatch: Any, dashboard: Dashboard) -> int:
    """Writes one, and counts what CloudWatch has to say: a body that it takes may have widgets that show nothing.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutDashboard.html
    """
    answer = cloudwatch.put_dashboard(DashboardName=dashboard.name, DashboardBody=dashboard.body)
    said = answer.get("DashboardValidationMessages") or []
    if said:
        logger.error(
            "CloudWatch has accepted a dashboard with warnings", extra={"dashboard": dashboard.name, "messages": said}
        )
    return len(said)


def _foreign(cloudwatch: Any, shown: Sequence[Dashboard], ours: set[str], wanted: Wanted) -> set[str]:
    """Those of the wanted names that are taken. Nothing is asked as long as all dashboards are known as ours."""
    new = {dashboard.name for dashboard in shown} - ours
    if too_long := [name for name in new if len(name) > LONGEST_NAME]:
        raise NotOursError(f"CloudWatch takes no name of more than {LONGEST_NAME} characters: {too_long[0]}")
    if not new:
        return set()
    pages = cloudwatch.get_paginator("list_dashboards").paginate(DashboardNamePrefix=wanted.dashboard_name)
    return new & {entry["DashboardName"] for page in pages for entry in page.get("DashboardEntries", [])}


def delete(cloudwatch: Any, ledger: Ledger, names: Sequence[str]) -> None:
    """Deletes dashboards of ours. One that is gone already is no failure and does not keep the others."""
    for batch in batches(names, MOST_DELETED):
        # One that does not exist, and none of the call is deleted.
        if not _deleted(cloudwatch, batch):
            for name in batch:
                _deleted(cloudwatch, [name])
        for name in batch:
            ledger.forget(name)


def _deleted(cloudwatch: Any, names: Sequence[str]) -> bool:
    """Deletes dashboards; False if one of them does not exist."""
    try:
        cloudwatch.delete_dashboards(DashboardNames=list(names))
    except ClientError as error:
        if error.response["Error"]["Code"] not in NOT_FOUND:
            raise
        return False
    return True


def _count(cloudwatch: Any, wanted: Wanted, values: dict[str, float]) -> None:
    dimensions = [{"Name": "DashboardName", "Value": wanted.dashboard_name}]
    data = [{"MetricName": name, "Value": float(value), "Dimensions": dimensions} for name, value in values.items()]
    cloudwatch.put_metric_data(Namespace=os.environ["METRIC_NAMESPACE"], MetricData=data)
