"""SQS -> CodeBuild, S3 -> CloudWatch, SNS: one notification for each scan, with a link that works as stated.

Three kinds of messages arrive here: from the last step of a build, from CodeBuild's event, and from Start, which checks
on each build. Only the build's id is taken from a message: the state comes from CodeBuild, the result from the bucket.
Each time a build is seen to have ended, Start is asked to go on; it knows whether there is anything to do.
"""

import json
import logging
import os
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from graviton_porting_advisor.names import WATCH_SECONDS, prefix_of
from graviton_porting_advisor.report.builds import Build, Told, UnknownMessageError, of_api, read
from graviton_porting_advisor.report.ledger import Ledger
from graviton_porting_advisor.report.message import Link, Scan, metrics, seconds_to_live, subject, text
from graviton_porting_advisor.verdict import Verdict
from shared.aws import client
from shared.faults import FAILED

logger = logging.getLogger(__name__)

LONGEST_SESSION = 3_600
"""Longest session in seconds of a role that is assumed by a role:
https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html."""
GONE = ("NoSuchKey", "404")


def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    """Handles a batch of messages; those that fail come again."""
    records = event.get("Records") if isinstance(event, dict) else None
    if not isinstance(records, list) or not records:
        raise UnknownMessageError(f"not a batch of an SQS queue: {event!r:.300}")
    failures = []
    for record in records:
        try:
            handle(read(record["body"]), record["messageId"])
        except (*FAILED, UnknownMessageError, UnknownBuildError) as fault:
            logger.exception("not told", extra={"reason": str(fault)})
            failures.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failures}


class UnknownBuildError(RuntimeError):
    """CodeBuild does not know a build, and the message does not describe it."""


def handle(told: Told, holder: str) -> None:
    """Sends the notification of a build that has a result or has ended, unless it was sent already.

    Raises:
        UnknownBuildError: nothing is known about it.
    """
    if told.go_on:
        _go_on(watch=True)
        return
    build = _build(told)
    found = _result(build)
    if found is not None or not build.running:
        _tell_once(build, found, holder)
    if not build.running:
        _go_on(watch=False)
    elif told.watch:  # also after the build's own message: the next one starts when it ends
        message = json.dumps({"build": build.id, "watch": True})
        client("sqs").send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody=message, DelaySeconds=WATCH_SECONDS)


def _tell_once(build: Build, found: Mapping[str, Any] | None, holder: str) -> None:
    ledger = Ledger(client("dynamodb"), os.environ["TABLE_NAME"])
    longest = float(os.environ["LONGEST_SECONDS"])
    if not ledger.claim(build.id, holder, now=time.time(), longest=longest):
        logger.info("told already", extra={"build": build.id})
        return
    try:
        _tell(_scan(build, found))
    except FAILED:
        ledger.let_go(build.id)
        raise
    ledger.told(build.id)


def _go_on(*, watch: bool) -> None:
    """Asks Start to start the next builds, and to be called again if any source waits."""
    payload = json.dumps({"go_on": True, "watch": watch}).encode()
    client("lambda").invoke(FunctionName=os.environ["START_FUNCTION"], InvocationType="Event", Payload=payload)


def _build(told: Told) -> Build:
    found = client("codebuild").batch_get_builds(ids=[told.build])["builds"]
    if found:
        try:
            return of_api(found[0])
        except KeyError as error:
            raise UnknownBuildError(f"{told.build} is not a scan: it has no {error}") from None
    if told.event is None:
        raise UnknownBuildError(f"CodeBuild does not know {told.build}")
    return told.event


def _result(build: Build) -> Mapping[str, Any] | None:
    """The result.json of a build; None if it is missing or invalid."""
    key = f"{prefix_of(build.slug, build.id)}result.json"
    try:
        body = client("s3").get_object(Bucket=os.environ["BUCKET"], Key=key)["Body"].read()
    except ClientError as error:
        if error.response["Error"]["Code"] in GONE:
            return None
        raise
    try:
        found: Mapping[str, Any] = json.loads(body)
        Verdict.from_json(found)
    except ValueError:
        logger.warning("not a result", extra={"key": key})
        return None
    return found


def _scan(build: Build, found: Mapping[str, Any] | None) -> Scan:
    verdict = Verdict.from_json(found) if found else build.verdict
    report = f"s3://{os.environ['BUCKET']}/{prefix_of(build.slug, build.id)}report.html" if verdict.has_report else ""
    return Scan(build.id, build.source, verdict, found or {}, report, build.log)


def _tell(scan: Scan) -> None:
    """Publishes the metrics first: publishing them twice does no harm."""
    data = metrics(scan, kinds=os.environ["KIND_METRICS"] == "true")
    client("cloudwatch").put_metric_data(Namespace=os.environ["METRIC_NAMESPACE"], MetricData=data)
    if scan.verdict.passed and os.environ["NOTIFY"] == "problems":
        return
    link = None
    if scan.report:
        bucket, _, key = scan.report.removeprefix("s3://").partition("/")
        role, minutes = os.environ["READER_ROLE_ARN"], int(os.environ["LINK_MINUTES"])
        link = signed(client("sts"), role, bucket, key, minutes, region=os.environ["AWS_REGION"])
    client("sns").publish(TopicArn=os.environ["TOPIC_ARN"], Subject=subject(scan), Message=text(scan, link))
    logger.info("told", extra={"build": scan.build, "result": scan.verdict.result.value})


def signed(
    sts: Any,
    role: str,
    bucket: str,
    key: str,
    minutes: int,
    *,
    region: str,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Link | None:
    """Signs a link with new credentials of the reader, whose expiry is known; None if they expire too soon."""
    taken = sts.assume_role(RoleArn=role, RoleSessionName="report", DurationSeconds=LONGEST_SESSION)["Credentials"]
    began = now()
    seconds = seconds_to_live(minutes, taken["Expiration"], began)
    if seconds < 60:
        return None
    s3 = boto3.client(
        "s3",
        region_name=region,
        aws_access_key_id=taken["AccessKeyId"],
        aws_secret_access_key=taken["SecretAccessKey"],
        aws_session_token=taken["SessionToken"],
        # Uses the Region's endpoint, for which boto3 signs only with virtual-hosted addressing. The global endpoint
        # redirects while a new bucket's name propagates, and the signature is then wrong:
        # https://github.com/boto/boto3/pull/4768
        config=Config(
            signature_version="s3v4", s3={"addressing_style": "virtual", "us_east_1_regional_endpoint": "regional"}
        ),
    )
    url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": key}, ExpiresIn=seconds)
    return Link(url, began + timedelta(seconds=seconds), seconds // 60)
