"""Takes messages from an SQS queue one at a time, works on them and says how long each took.

The consumer of the AWS Compute Blog post "Scaling an ASG using target tracking with a dynamic SQS target". A message
asks for `duration_seconds` of work; the time it took is published as MsgProcessingDuration. A message is deleted only
after its effect is in the results table, so one in hand when the machine dies comes back. Put your work into `work`.
"""

import json
import math
import os
import queue
import signal
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from datetime import datetime
from functools import partial
from http.client import HTTPException
from threading import Event, Thread
from time import monotonic, time
from typing import Any

import boto3
from botocore.config import Config

LONGEST_SECONDS = 43_200  # SQS keeps a message in flight for twelve hours at most, counted from its receive
ANSWER_SECONDS = 30  # how old a receive may be when its answer is here
LEAVE_SECONDS = 15  # what an interrupted worker keeps in hand to give its message back
RETRY_SECONDS = 5
HOOK_ATTEMPTS = 12
KEEP_RESULTS_SECONDS = 7 * 86_400


class InterruptedWorkError(Exception):
    """The Spot Instance will be gone before the work can end."""


def log(event: str, **facts: Any) -> None:
    """Writes one outcome as one JSON line to standard output, which systemd hands to the journal."""
    sys.stdout.write(json.dumps({"event": event} | facts) + "\n")
    sys.stdout.flush()


def why(fault: Exception) -> str:
    """Returns an error as one short text."""
    return f"{type(fault).__name__}: {fault}"[:300]


def code(fault: Exception) -> str:
    """Returns the code of an error that AWS answered, an empty text for any other error."""
    return str(getattr(fault, "response", {}).get("Error", {}).get("Code", ""))


@dataclass(frozen=True)
class Settings:
    """What the environment says, under the same names in capitals."""

    queue_url: str
    queue_name: str
    results_table: str
    metric_namespace: str
    hook_name: str
    aws_region: str
    heartbeat_seconds: float  # the visibility timeout is three of them: two may fail before somebody else tries
    longest_message_seconds: float  # after that a message in hand is no longer kept, nor the instance that has it
    watch_seconds: float = 5.0
    poll_seconds: float = 20.0
    hook_beat_seconds: float = 120.0  # the terminating hook waits several of these for the next one

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> "Settings":
        """Returns the settings. Raises ValueError: one sentence that names every variable to set."""
        found: dict[str, Any] = {f.name: environment.get(f.name.upper()) or f.default for f in fields(cls)}
        wrong = [name.upper() for name, value in found.items() if value is MISSING]
        for name in [f.name for f in fields(cls) if f.type is float and found[f.name] is not MISSING]:
            try:
                found[name] = float(found[name])
            except ValueError:
                found[name] = math.nan
            most = LONGEST_SECONDS if name == "longest_message_seconds" else LONGEST_SECONDS / 4
            if not 0 < found[name] <= most:
                wrong.append(f"{name.upper()} (seconds, above 0, at most {most:g})")
        if wrong:
            raise ValueError(f"set in the environment: {', '.join(wrong)}")
        return cls(**found)


@dataclass(frozen=True)
class Clock:
    """Time: seconds since the epoch, seconds that never jump, and a wait that an event cuts short."""

    now: Callable[[], float] = time
    monotonic: Callable[[], float] = monotonic
    wait: Callable[[Event, float], bool] = Event.wait


@dataclass(frozen=True)
class Job:
    """One message's request: work for so many seconds, once for each id."""

    id: str
    duration_seconds: float

    @classmethod
    def parse(cls, body: str, longest: float = LONGEST_SECONDS) -> "Job":
        """Returns the job of a body like {"id": "a", "duration_seconds": 25}. Raises ValueError, quoting nothing."""
        try:
            content = json.loads(body)
        except RecursionError:
            raise ValueError("too deeply nested") from None
        name, seconds = (content.get("id"), content.get("duration_seconds")) if isinstance(content, dict) else (0, 0)
        # DynamoDB takes keys of 1 to 2,048 bytes; half a surrogate pair, which JSON can spell, cannot be encoded.
        if not isinstance(name, str) or not 0 < len(name.encode()) <= 2048:
            raise ValueError("id is not a text of 1 to 2048 bytes")
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds <= longest:
            raise ValueError(f"duration_seconds is not a number from 0 to {longest:g}")
        return cls(name, float(seconds))


class InstanceMetadata:
    """The instance metadata service, version 2 only: every request carries a token, none goes through a proxy."""

    def __init__(self, endpoint: str, seconds: float = 2.0) -> None:
        self._latest, self._seconds, self._token = endpoint.rstrip("/") + "/latest/", seconds, ""
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def get(self, item: str) -> str | None:
        """Returns an item, None where there is none. Raises OSError or HTTPException."""
        for last in (False, True):
            try:
                self._token = self._token or self._ask("PUT", "api/token", "token-ttl-seconds", "21600")
                return self._ask("GET", f"meta-data/{item}", "token", self._token)
            except urllib.error.HTTPError as fault:
                if fault.code == 404:
                    return None
                if fault.code != 401 or last:
                    raise
                self._token = ""  # it expired
        return None

    def _ask(self, method: str, path: str, header: str, value: str) -> str:
        headers = {f"X-aws-ec2-metadata-{header}": value}
        request = urllib.request.Request(self._latest + path, method=method, headers=headers)  # noqa: S310 - link-local
        with self._opener.open(request, timeout=self._seconds) as answer:
            return str(answer.read().decode())


@dataclass
class Drain:
    """Why and until when the worker may go on: the watch writes it, the worker reads it, nothing takes it back."""

    clock: Clock = field(default_factory=Clock)
    log: Callable[..., None] = log
    reasons: set[str] = field(default_factory=set)  # "terminated", "spot", "signal"
    begun: Event = field(default_factory=Event)  # receive no more
    leave: Event = field(default_factory=Event)  # nor wait for the terminating hook
    noticed: Event = field(default_factory=Event)
    abandon_at: float = math.inf  # on the clock's monotonic scale

    def begin(self, reason: str, seconds_left: float = math.inf) -> None:
        """Starts draining; for Spot with the seconds until the instance is gone. Said again, it changes nothing."""
        if reason not in self.reasons:
            self.reasons.add(reason)
            self.abandon_at = min(self.abandon_at, self.clock.monotonic() + seconds_left - LEAVE_SECONDS)
            self.log("draining", reason=reason)
            (self.noticed if reason == "spot" else self.leave).set()
            self.begun.set()

    def pause(self, seconds: float) -> None:
        """Waits. Raises InterruptedWorkError as soon as it is known that the instance will not live that long."""
        ends_at = self.clock.monotonic() + seconds
        self.clock.wait(self.noticed, seconds)
        if ends_at > self.abandon_at:
            raise InterruptedWorkError
        self.clock.wait(Event(), ends_at - self.clock.monotonic())


def work(job: Job, drain: Drain) -> None:
    """REPLACE THIS BY YOUR WORK: it waits for the job's seconds, as the post's consumer does.

    It may take as long as `longest_message_seconds` says, scale-in or not, raise what it likes (the message comes back
    later) and be called again for the same job. Between its steps it calls `drain.pause(0)`, which raises
    InterruptedWorkError when the Spot Instance is about to go.
    """
    drain.pause(job.duration_seconds)


class Watch:
    """Looks for reasons to drain: the group's target lifecycle state, a Spot interruption notice, a signal.

    docs.aws.amazon.com/autoscaling/ec2/userguide/retrieving-target-lifecycle-state-through-imds.html and
    docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-instance-termination-notices.html, which advises to look every 5 s.
    """

    def __init__(self, metadata: InstanceMetadata, drain: Drain) -> None:
        self._metadata, self._drain, self.instance_id = metadata, drain, "unknown"
        # Its put is made for signal handlers; Event.set may wait for a lock that the interrupted thread holds.
        self.signals: queue.SimpleQueue[int] = queue.SimpleQueue()

    def look(self) -> None:
        """Takes one look. What fails is logged, and seen at the next look."""
        try:
            if self.instance_id == "unknown":
                self.instance_id = self._metadata.get("instance-id") or "unknown"
            if self._metadata.get("autoscaling/target-lifecycle-state") == "Terminated":
                self._drain.begin("terminated")
            if notice := self._metadata.get("spot/instance-action"):
                gone_at = datetime.fromisoformat(json.loads(notice)["time"]).timestamp()
                self._drain.begin("spot", gone_at - self._drain.clock.now())
        except (OSError, HTTPException, ValueError, LookupError, TypeError) as fault:
            self._drain.log("metadata-failed", error=why(fault))

    def run(self, seconds: float) -> None:
        """Looks every so many seconds, for ever; a signal is noticed at once."""
        while True:
            try:
                self.signals.get(timeout=seconds)
                self._drain.begin("signal")
            except queue.Empty:
                self.look()


class Heartbeat:
    """Keeps something alive while its block runs: calls `beat` every so many seconds from a thread of its own."""

    def __init__(self, beat: Callable[[], bool], seconds: float, drain: Drain) -> None:
        self._beat, self._seconds, self._drain, self._over = beat, seconds, drain, Event()
        self._thread = Thread(target=self.run, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(timeout=RETRY_SECONDS)

    def run(self) -> None:
        """Beats until the block ends or a beat says False; one that fails is tried again soon, and the work goes on."""
        pause = self._seconds
        while not self._drain.clock.wait(self._over, pause):
            try:
                if not self._beat():
                    return
                pause = self._seconds
            except Exception as fault:
                pause = min(self._seconds, RETRY_SECONDS)
                self._drain.log("heartbeat-failed", error=why(fault))


@dataclass
class Worker:
    """Brings one message after the other to its end, with boto3's clients (which threads may share)."""

    settings: Settings
    drain: Drain
    watch: Watch
    sqs: Any
    dynamodb: Any
    cloudwatch: Any
    autoscaling: Any
    work: Callable[[Job, Drain], None] = work
    heartbeat: Callable[..., Any] = Heartbeat

    def run(self) -> None:
        """Works until told to drain, then lets the group's terminating hook go on if that is what waits."""
        while not self.drain.begun.is_set():
            self.work_once()
        self.drain.log("drained", reasons=sorted(self.drain.reasons))
        # After a Spot notice alone the group may still start its hook, and only this process completes it.
        while not self.drain.clock.wait(self.drain.leave, 60):
            pass
        self.watch.look()  # a signal may be the first sign of a termination
        if "terminated" in self.drain.reasons:
            self.complete_hook()
        self.drain.log("stopped")

    def work_once(self) -> None:
        """Receives at most one message and brings it to its end. Raises nothing: what fails comes back later."""
        try:
            answer = self.sqs.receive_message(
                QueueUrl=self.settings.queue_url,
                MaxNumberOfMessages=1,  # a backlog per instance counts on one message at a time
                WaitTimeSeconds=min(20, math.ceil(self.settings.poll_seconds)),
                MessageSystemAttributeNames=["ApproximateReceiveCount"],
            )
            for message in answer.get("Messages", []):
                self._handle(message, message["ReceiptHandle"])
        except Exception as fault:
            self.drain.log("failed", error=why(fault))
            self.drain.clock.wait(self.drain.begun, RETRY_SECONDS)

    def _handle(self, message: Mapping[str, Any], receipt: str) -> None:
        received_at = self.drain.clock.monotonic()
        receives = int(message.get("Attributes", {}).get("ApproximateReceiveCount", 0))
        facts = {"message": message["MessageId"], "receives": receives}
        if self.drain.begun.is_set():
            self._set_visibility(receipt, 0)
            return self.drain.log("released", reason="draining", **facts)
        try:
            job = Job.parse(message["Body"], self.settings.longest_message_seconds)
        except ValueError as fault:
            # Visible again at once, so that the redrive policy soon moves it to the dead letters.
            self.drain.log("malformed", error=why(fault), **facts)
            return self._set_visibility(receipt, 0)
        self.drain.log("received", id=job.id, **facts)
        try:
            seconds = self._once_only(job, receipt, received_at)
        except InterruptedWorkError:
            self._set_visibility(receipt, 0)
            return self.drain.log("released", id=job.id, reason="spot", **facts)
        self.sqs.delete_message(QueueUrl=self.settings.queue_url, ReceiptHandle=receipt)
        if seconds is None:
            self.drain.log("duplicate", id=job.id, **facts)
            return self._publish("DuplicateMessages", "Count", 1)
        self.drain.log("done", id=job.id, seconds=round(seconds, 3), **facts)
        return self._publish("MsgProcessingDuration", "Seconds", seconds)

    def _once_only(self, job: Job, receipt: str, received_at: float) -> float | None:
        """Returns the seconds the work took, None if its effect was there already."""
        clock, table, key = self.drain.clock, self.settings.results_table, {"message_id": {"S": job.id}}
        # Asked before the work: a duplicate of an hour's work should not cost another hour.
        if "Item" in self.dynamodb.get_item(TableName=table, Key=key, ConsistentRead=True):
            return None
        started = clock.monotonic()
        keep, stay = partial(self._keep, receipt, received_at), partial(self._stay, received_at)
        with (
            self.heartbeat(keep, self.settings.heartbeat_seconds, self.drain),
            self.heartbeat(stay, self.settings.hook_beat_seconds, self.drain),
        ):
            self.work(job, self.drain)
            seconds, now = clock.monotonic() - started, int(clock.now())
            numbers = {"finished_at": now, "expires_at": now + KEEP_RESULTS_SECONDS}
            item = {name: {"N": str(value)} for name, value in numbers.items()} | {
                "duration_seconds": {"N": f"{job.duration_seconds:.3f}"},
                "instance_id": {"S": self.watch.instance_id},
            }
            new = "attribute_not_exists(message_id)"
            try:
                self.dynamodb.put_item(TableName=table, Item=item | key, ConditionExpression=new)
            except Exception as fault:
                if code(fault) == "ConditionalCheckFailedException":
                    return None
                raise
        return seconds

    def _keep(self, receipt: str, received_at: float) -> bool:
        """Keeps the message in hand invisible; False once it has had its time.

        SQS refuses what passes twelve hours since the receive:
        docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html
        """
        elapsed = self.drain.clock.monotonic() - received_at
        left = math.floor(LONGEST_SECONDS - ANSWER_SECONDS - elapsed)
        if left < 1 or elapsed >= self.settings.longest_message_seconds:
            self.drain.log("too-long", seconds=round(elapsed))
            return False
        self._set_visibility(receipt, min(math.ceil(3 * self.settings.heartbeat_seconds), left))
        return True

    def _stay(self, received_at: float) -> bool:
        """Renews the terminating hook while a message is in hand; False once that has had its time.

        docs.aws.amazon.com/autoscaling/ec2/APIReference/API_RecordLifecycleActionHeartbeat.html
        """
        if "terminated" in self.drain.reasons:
            for state, names in self._hooks():
                if state == "Terminating:Wait":
                    self.autoscaling.record_lifecycle_action_heartbeat(**names)
        return self.drain.clock.monotonic() - received_at < self.settings.longest_message_seconds

    def _hooks(self) -> list[tuple[str, dict[str, str]]]:
        """The instance's lifecycle state and the names of its hook; nothing once it has left its group."""
        instance_id, hook = self.watch.instance_id, self.settings.hook_name
        asked = self.autoscaling.describe_auto_scaling_instances(InstanceIds=[instance_id])
        return [
            (
                instance["LifecycleState"],
                {
                    "AutoScalingGroupName": instance["AutoScalingGroupName"],
                    "LifecycleHookName": hook,
                    "InstanceId": instance_id,
                },
            )
            for instance in asked["AutoScalingInstances"]
        ]

    def _set_visibility(self, receipt: str, seconds: int) -> None:
        request = {"QueueUrl": self.settings.queue_url, "ReceiptHandle": receipt, "VisibilityTimeout": seconds}
        self.sqs.change_message_visibility(**request)

    def _publish(self, metric: str, unit: str, value: float) -> None:
        dimensions = [{"Name": "QueueName", "Value": self.settings.queue_name}]
        datum = {"MetricName": metric, "Dimensions": dimensions, "Unit": unit, "Value": value}
        try:
            self.cloudwatch.put_metric_data(Namespace=self.settings.metric_namespace, MetricData=[datum])
        except Exception as fault:
            self.drain.log("metric-failed", metric=metric, error=why(fault))

    def complete_hook(self) -> None:
        """Lets the terminating hook go on. What fails for a minute is left to the hook's own timeout."""
        for _ in range(HOOK_ATTEMPTS):
            state = ""
            try:
                self.watch.look()  # the instance's own id may not have been found yet
                for current, names in self._hooks():
                    state = current
                    self.autoscaling.complete_lifecycle_action(**names, LifecycleActionResult="CONTINUE")
                return self.drain.log("hook-completed", hook=self.settings.hook_name, state=state)
            except Exception as fault:
                self.drain.log("hook-failed", hook=self.settings.hook_name, state=state, error=why(fault))
                # No hook waits. In these two states it may do so soon, for the metadata can be ahead of it.
                if code(fault) == "ValidationError" and state not in ("InService", "Terminating"):
                    return None
            self.drain.clock.wait(Event(), RETRY_SECONDS)
        return None


def main() -> int:
    """Runs this machine's worker. Returns 0 when it has drained, 1 without credentials, 2 without its settings."""
    try:
        settings = Settings.read(os.environ)
    except ValueError as fault:
        sys.stderr.write(f"sqs-worker: {fault}\n")
        return 2
    drain = Drain()
    endpoint = os.environ.get("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://169.254.169.254")
    watch = Watch(InstanceMetadata(endpoint), drain)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: watch.signals.put(number))
    # A receive takes up to 20 s; standard mode retries with backoff what AWS calls transient.
    config = Config(retries={"mode": "standard", "max_attempts": 5}, connect_timeout=5, read_timeout=30)
    names = ("sqs", "dynamodb", "cloudwatch", "autoscaling")
    session = boto3.Session(region_name=settings.aws_region)
    if session.get_credentials() is None:
        # botocore asks the metadata service once, and its clients never again: the unit starts a new process.
        log("failed", error="no credentials from the instance metadata; is there an instance profile?")
        return 1
    clients = [session.client(name, config=config) for name in names]
    watch.look()  # before the first receive: started again on an instance that leaves, it takes nothing
    Thread(target=watch.run, args=(settings.watch_seconds,), daemon=True).start()
    log("started", instance=watch.instance_id, queue=settings.queue_name)
    Worker(settings, drain, watch, *clients).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
