"""The instance metadata service, for a worker that runs as a process of this machine; and that of an emulated instance.

Follows https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-categories.html; only IMDSv2. botocore
finds it by ``AWS_EC2_METADATA_SERVICE_ENDPOINT`` (``AWS_EC2_METADATA_DISABLED`` must not be true then).
"""

import contextlib
import datetime
import json
import secrets
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from botocore.exceptions import BotoCoreError, ClientError

TOKEN_HEADER = "X-aws-ec2-metadata-token"  # noqa: S105
LIFETIME_HEADER = "X-aws-ec2-metadata-token-ttl-seconds"
LONGEST_TOKEN = 21_600


class MetadataServer(ABC):
    """A metadata server on 127.0.0.1 that speaks version 2 only; what it knows, ``value`` says."""

    def __init__(self) -> None:
        self._tokens: dict[str, float] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """What AWS_EC2_METADATA_SERVICE_ENDPOINT must say."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def environment(self) -> dict[str, str]:
        """What an instance's process needs to be set to find it; no credentials, which come from here."""
        return {
            "AWS_EC2_METADATA_SERVICE_ENDPOINT": self.url,
            "AWS_EC2_METADATA_DISABLED": "false",
            # One process answers for all instances here, on a machine that may be busy; botocore gives up after 1 s.
            "AWS_METADATA_SERVICE_TIMEOUT": "10",
        }

    def start(self) -> None:
        """Serves from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Stops serving. Doing it twice does no harm."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    @abstractmethod
    def value(self, path: str) -> str | None:
        """The answer to ``/latest/<path>``; None is 404."""

    def _issue_token(self, seconds: str | None) -> str | None:
        """A session token; None when its life is not between one second and six hours."""
        if not (seconds or "").isdigit() or not 1 <= int(seconds or 0) <= LONGEST_TOKEN:
            return None
        token = secrets.token_urlsafe(32)
        self._tokens[token] = time.monotonic() + int(seconds or 0)
        return token

    def _knows(self, token: str | None) -> bool:
        return self._tokens.get(token or "", 0.0) > time.monotonic()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        """IMDSv2 (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html)."""
        metadata = self

        class Handler(BaseHTTPRequestHandler):
            def do_PUT(self) -> None:
                token = None
                if self.path == "/latest/api/token" and "X-Forwarded-For" not in self.headers:
                    token = metadata._issue_token(self.headers.get(LIFETIME_HEADER))
                self._answer(
                    200 if token else 400, token or "", {LIFETIME_HEADER: self.headers.get(LIFETIME_HEADER, "")}
                )

            def do_GET(self) -> None:
                if not metadata._knows(self.headers.get(TOKEN_HEADER)):
                    self._answer(401, "")
                    return
                try:
                    value = metadata.value(self.path.removeprefix("/latest/"))
                except (ClientError, BotoCoreError) as error:
                    self._answer(500, str(error))
                    return
                self._answer(404 if value is None else 200, value or "")

            def _answer(self, status: int, text: str, headers: dict[str, str] | None = None) -> None:
                body = text.encode()
                self.send_response(status)
                for name, item in {"Content-Length": str(len(body)), **(headers or {})}.items():
                    self.send_header(name, item)
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # a worker was killed while it asked
                    self.end_headers()
                    self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Says nothing: the worker's own log is the one to read."""

        return Handler


class InstanceMetadata(MetadataServer):
    """The metadata of one emulated instance; *client* makes boto3 clients of the account's root user.

    Its credentials are those of the instance's role, from STS of the embedded AWS, which enforces the role's policies.
    """

    def __init__(self, instance_id: str, client: Callable[[str], Any]) -> None:
        super().__init__()
        self.instance_id = instance_id
        self._ec2, self._groups = client("ec2"), client("autoscaling")
        self._iam, self._sts = client("iam"), client("sts")
        self._interruption: datetime.datetime | None = None

    def interrupt(self, seconds: float = 120) -> None:
        """Announces a Spot interruption in *seconds*: AWS gives "a warning that is issued two minutes before".

        https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-instance-termination-notices.html
        """
        self._interruption = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=seconds)

    def value(self, path: str) -> str | None:
        """The answer to ``/latest/<path>``; None is 404.

        Units ask for their fate several times a second, which costs one call at most: EC2 is asked only for the rest.
        """
        if path.startswith("meta-data/iam/security-credentials/"):
            return self._credentials(self._described(), path.rsplit("/", 1)[-1])
        answers: dict[str, Callable[[], str | None]] = {
            "meta-data/instance-id": lambda: self.instance_id,
            "meta-data/local-ipv4": lambda: str(self._described()["PrivateIpAddress"]),
            "meta-data/instance-type": lambda: str(self._described()["InstanceType"]),
            "meta-data/instance-life-cycle": lambda: str(self._described().get("InstanceLifecycle", "on-demand")),
            "meta-data/placement/region": lambda: self._zone()[:-1],
            "meta-data/placement/availability-zone": self._zone,
            "meta-data/autoscaling/target-lifecycle-state": self._target_lifecycle_state,
            "meta-data/spot/instance-action": self._instance_action,
            "dynamic/instance-identity/document": lambda: self._identity(self._described()),
        }
        answer = answers.get(path)
        return answer() if answer else None

    def _described(self) -> dict[str, Any]:
        found = self._ec2.describe_instances(InstanceIds=[self.instance_id])
        return dict(found["Reservations"][0]["Instances"][0])

    def _zone(self) -> str:
        return str(self._described()["Placement"]["AvailabilityZone"])

    def _role(self, instance: dict[str, Any]) -> dict[str, Any] | None:
        profile = instance.get("IamInstanceProfile")
        if not profile:
            return None
        name = profile["Arn"].rsplit("/", 1)[-1]
        roles = self._iam.get_instance_profile(InstanceProfileName=name)["InstanceProfile"]["Roles"]
        return dict(roles[0]) if roles else None

    def _credentials(self, instance: dict[str, Any], name: str) -> str | None:
        """The name of the role, or with the name its credentials."""
        role = self._role(instance)
        if role is None or name not in ("", role["RoleName"]):
            return None
        if not name:
            return str(role["RoleName"])
        # On AWS the session of an instance is named after the instance.
        answer = self._sts.assume_role(RoleArn=role["Arn"], RoleSessionName=self.instance_id)["Credentials"]
        return json.dumps(
            {
                "Code": "Success",
                "Type": "AWS-HMAC",
                "LastUpdated": _timestamp(datetime.datetime.now(datetime.UTC)),
                "AccessKeyId": answer["AccessKeyId"],
                "SecretAccessKey": answer["SecretAccessKey"],
                "Token": answer["SessionToken"],
                "Expiration": _timestamp(answer["Expiration"]),
            }
        )

    def _target_lifecycle_state(self) -> str | None:
        """The steady state that the instance is in or on its way to; 404 outside a group.

        https://docs.aws.amazon.com/autoscaling/ec2/userguide/retrieving-target-lifecycle-state-through-imds.html
        """
        found = self._groups.describe_auto_scaling_instances(InstanceIds=[self.instance_id])["AutoScalingInstances"]
        if not found:
            instance = self._described()
            was_member = any(tag["Key"] == "aws:autoscaling:groupName" for tag in instance.get("Tags", []))
            return "Terminated" if was_member and instance["State"]["Name"] == "terminated" else None
        state = str(found[0]["LifecycleState"])
        for prefix, target in (
            ("Terminating", "Terminated"),
            ("Pending", "InService"),
            ("EnteringStandby", "Standby"),
            ("Warmed:Pending", "Warmed:Stopped"),
        ):
            if state.startswith(prefix):
                return target
        return state

    def _instance_action(self) -> str | None:
        if self._interruption is None:
            return None
        return json.dumps({"action": "terminate", "time": _timestamp(self._interruption)})

    def _identity(self, instance: dict[str, Any]) -> str:
        zone = instance["Placement"]["AvailabilityZone"]
        return json.dumps(
            {
                "accountId": self._sts.get_caller_identity()["Account"],
                "architecture": instance["Architecture"],
                "availabilityZone": zone,
                "imageId": instance["ImageId"],
                "instanceId": self.instance_id,
                "instanceType": instance["InstanceType"],
                "pendingTime": _timestamp(instance["LaunchTime"]),
                "privateIp": instance.get("PrivateIpAddress"),
                "region": zone[:-1],
                "version": "2017-09-30",
            }
        )


def _timestamp(moment: datetime.datetime) -> str:
    return moment.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
