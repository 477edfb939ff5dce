"""On a schedule: EC2 + ledger -> plan -> SNS, and only then, and only if both keys are turned, -> deletions.

The event says only that the time has come. What may go follows from the account as it is, so a late or repeated event
does no harm. EC2 itself refuses to delete a volume that is attached or a snapshot that an image uses, and the role
may delete only what carries our tags.
"""

import logging
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from root_volume_replacement.clean_up.plan import Deletion, plan
from root_volume_replacement.clean_up.reading import read_account
from root_volume_replacement.clean_up.words import message, subject
from root_volume_replacement.instances import OptIn
from root_volume_replacement.ledger import Ledger
from shared.aws import client

logger = logging.getLogger(__name__)

GONE = ("InvalidVolume.NotFound", "InvalidSnapshot.NotFound")
LOGGED_TOGETHER = 100


class NotCleanedError(RuntimeError):
    """Something of the plan could not be deleted; the rest was."""


@dataclass(frozen=True)
class Rules:
    """What the stack's settings say; *acting* needs both keys."""

    acting: bool
    keep: int
    grace_seconds: int
    most: int


def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    """Plans, sends the plan, and acts if it may."""
    environment = os.environ
    return clean_up(
        client("ec2"),
        Ledger(client("dynamodb"), environment["TABLE_NAME"]),
        opt_in=OptIn(environment["OPT_IN_KEY"], environment["OPT_IN_VALUE"]),
        rules=Rules(
            acting=environment["MODE"] == "delete" and environment["ALLOW_DELETION"] == "true",
            keep=int(environment["KEEP"]),
            grace_seconds=int(environment["GRACE_SECONDS"]),
            most=int(environment["MOST_DELETIONS"]),
        ),
        report=lambda title, text: client("sns").publish(
            TopicArn=environment["REPORT_TOPIC_ARN"], Subject=title, Message=text
        ),
        now=int(time.time()),
    )


def clean_up(
    ec2: Any, ledger: Ledger, *, opt_in: OptIn, rules: Rules, report: Callable[[str, str], object], now: int
) -> dict[str, Any]:
    """Plans, sends the plan if it is not empty, and acts if it may.

    Raises:
        NotCleanedError: naming what could not be deleted.
        botocore.exceptions.ClientError: when a call that reads, or the report, has failed; then nothing is deleted.
    """
    found = plan(read_account(ec2, ledger, opt_in), keep=rules.keep, grace=rules.grace_seconds, now=now)
    chosen = found.deletions[: rules.most]
    for start in range(0, len(chosen), LOGGED_TOGETHER):
        logger.info("planned", extra={"ids": [item.id for item in chosen[start : start + LOGGED_TOGETHER]]})
    if chosen:
        report(subject(chosen, acting=rules.acting), message(found, chosen, acting=rules.acting))
    for instance_id in found.newly_gone:
        ledger.record(f"gone#{instance_id}", at=now)
    for instance_id in found.back:
        ledger.forget(f"gone#{instance_id}")
    for record_id in found.forget[: rules.most]:
        ledger.forget(record_id)
    failed = _delete(ec2, chosen) if rules.acting else {}
    result = {
        "acting": rules.acting,
        "planned": len(found.deletions),
        "deleted": len(chosen) - len(failed) if rules.acting else 0,
        "kept": dict(found.kept),
    }
    logger.info("cleaned up", extra={**result, "failed": failed})
    if failed:
        raise NotCleanedError(f"{len(failed)} of {len(chosen)} were not deleted: {failed}")
    return result


def _delete(ec2: Any, chosen: Sequence[Deletion]) -> dict[str, str]:
    """Deletes each, and returns what could not be deleted, and why; one that is gone already is done."""
    failed: dict[str, str] = {}
    for item in chosen:
        try:
            if item.kind == "volume":
                ec2.delete_volume(VolumeId=item.id)
            else:
                ec2.delete_snapshot(SnapshotId=item.id)
        except ClientError as error:
            if error.response["Error"]["Code"] not in GONE:
                failed[item.id] = error.response["Error"]["Code"]
        except BotoCoreError as error:
            failed[item.id] = str(error)
    return failed
