"""Every few minutes: EC2 -> CloudWatch. As the public tracker's function, but a refusal does not stop it.

The event says only that it is time. A late or repeated one publishes the scores of now, so it needs no memory. Which
questions there are says the plan, which the other functions make of the stored file.
"""

import logging
import os
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from shared.aws import client
from shared.placement_scores import Score, scores
from shared.scheduled import due
from spot_placement_tracker.collector.collecting import MOST_DATA, RefusedError, Round, ask_all
from spot_placement_tracker.questions import Json, Question, questions_of
from spot_placement_tracker.store import Store

logger = logging.getLogger(__name__)


def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    """Asks and publishes, for the bucket, the namespace and the stack that the environment names."""
    started = time.monotonic()
    now = datetime.now(UTC)
    budget = float(os.environ["BUDGET_SECONDS"])
    return collect(
        client("ec2", attempts=2),  # the next round is near, and this one must end in time
        client("cloudwatch"),
        Store(client("s3"), os.environ["BUCKET"]),
        namespace=os.environ["METRIC_NAMESPACE"],
        tracker=os.environ["TRACKER"],
        seconds_left=lambda: started + budget - time.monotonic(),
        due=due(event, now),
    )


def collect(
    ec2: Any,
    cloudwatch: Any,
    store: Store,
    *,
    namespace: str,
    tracker: str,
    seconds_left: Any,
    due: datetime | None = None,
) -> dict[str, Any]:
    """Publishes every score that EC2 gives, and how many questions it refused.

    Args:
        due: the time of the counts, on which alarms look by rounds; None: CloudWatch's own.

    Raises:
        botocore.exceptions.ClientError: the plan cannot be read, or the metrics cannot be published. What EC2 refuses
            is no error of this function: a metric, its alarm and the log tell of it.
    """
    plan = store.plan()
    waiting: list[Json] = []
    published = 0

    def publish(data: Sequence[Json], *, now: bool) -> None:
        """A full request at once; and everything at once when the time is over, so that no answer is lost with it."""
        nonlocal published
        waiting.extend(data)
        while len(waiting) >= MOST_DATA or (waiting and now):
            cloudwatch.put_metric_data(Namespace=namespace, MetricData=waiting[:MOST_DATA])
            published += len(waiting[:MOST_DATA])
            del waiting[:MOST_DATA]

    found = ask_all(
        questions_of(plan.dashboards),
        lambda question: ask(ec2, question),
        seconds_left=seconds_left,
        answered=lambda data: publish(data, now=seconds_left() <= 0),
    )
    _tell(found, plan.problems)
    counts = found.counts(tracker, len(plan.problems))
    publish([{**each, "Timestamp": due} for each in counts] if due else counts, now=True)
    return {
        "asked": len(found.answered) + len(found.refused),
        "published": published,
        "refused": [{"question": question.title, "code": code} for question, code, _ in found.refused],
    }


def ask(ec2: Any, question: Question) -> Sequence[Score]:
    """Asks one question, all pages of it.

    Raises:
        RefusedError: EC2 does not answer it: MaxConfigLimitExceeded for one question too many in 24 hours,
            UnsupportedOperation where there are no scores, and whatever else.
    """
    try:
        return scores(ec2.get_paginator("get_spot_placement_scores").paginate(**question.request()))
    except ClientError as error:
        refused = error.response["Error"]
        raise RefusedError(refused["Code"], refused.get("Message", "")) from error
    except BotoCoreError as error:
        raise RefusedError(type(error).__name__, str(error)) from error


def _tell(found: Round, problems: Sequence[str]) -> None:
    for question, code, message in found.refused:
        logger.error("refused", extra={"question": question.title, "code": code, "reason": message})
    for question in found.below:
        logger.warning("below its alarm score", extra={"question": question.title, "score": question.alarm_below})
    for problem in problems:
        logger.error("the stored file has a problem", extra={"problem": problem})
    logger.info("asked", extra={"answered": len(found.answered), "refused": len(found.refused)})
