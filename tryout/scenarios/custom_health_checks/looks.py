"""What the steps of the scenario look at, and what they do again and again."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from tryout.hosts.processes import Fleet, WorkerProcess
from tryout.hosts.user_data import Service
from tryout.loaded import path_with_aws
from tryout.scenario import Deployed, Scenario
from tryout.waits import wait_until

TAG, PASSED, FAILED = "Compliance-Check", "Successful", "Failed"
PORT = 18_473  # of the endpoint that mode instance checks, on the loopback interface of this machine
TABLE = "tried-inventory"
PATIENCE = 120  # seconds for the script, each of whose looks starts the AWS CLI several times
# What is minutes in an account is seconds here.
QUICK_SCRIPT = {"POLL_SECONDS": "0.3", "HEARTBEAT_SECONDS": "2", "LONGEST_WAIT_SECONDS": "3600"}


class CustomHealthChecksLooks(Scenario):
    """The stack, and what happens in it."""

    def __init__(self, deployed: Deployed, variant: str) -> None:
        super().__init__(deployed, variant)
        self.fleet = Fleet(deployed)
        self.group = deployed.outputs["GroupName"]
        self.ec2, self.autoscaling = deployed.client("ec2"), deployed.client("autoscaling")
        self.events = deployed.client("events")
        self.dynamodb = deployed.client("dynamodb")
        self.endpoint: Answering | None = None
        self.service: Service | None = None
        self.pooled = ""

    def __exit__(self, *_: object) -> None:
        """Ends the scripts and the endpoint, and removes the table."""
        self.fleet.stop()
        if self.endpoint:
            self.endpoint.stop()
        if self.variant == "instance" and TABLE in self.dynamodb.list_tables()["TableNames"]:
            self.dynamodb.delete_table(TableName=TABLE)

    def _members(self) -> list[dict[str, Any]]:
        found = self.autoscaling.describe_auto_scaling_instances()["AutoScalingInstances"]
        return [member for member in found if member["AutoScalingGroupName"] == self.group]

    def _states(self) -> dict[str, str]:
        return {member["InstanceId"]: member["LifecycleState"] for member in self._members()}

    def _in(self, state: str) -> list[str]:
        return [name for name, found in self._states().items() if found == state]

    def _until(self, instance: str, state: str) -> None:
        wait_until(f"{instance} in {state}", lambda: self._states().get(instance) == state, seconds=PATIENCE)

    @staticmethod
    def _looked_again(script: WorkerProcess) -> bool:
        kinds = [event["event"] for event in script.events()]
        return kinds.count("started") == 2 and kinds[-1] in ("looked", "heartbeat")

    def _tag(self, instance: str) -> str | None:
        (reservation,) = self.ec2.describe_instances(InstanceIds=[instance])["Reservations"]
        return {tag["Key"]: tag["Value"] for tag in reservation["Instances"][0]["Tags"]}.get(TAG)

    def _mark(self, instance: str, value: str) -> None:
        self.ec2.create_tags(Resources=[instance], Tags=[{"Key": TAG, "Value": value}])

    def _start(self, instance: str) -> WorkerProcess:
        assert self.service
        folder = self.deployed.folder / f"state-{instance}"
        path = path_with_aws(self.deployed.folder / "programs")
        return self.fleet.start(instance, self.service, STATE_DIRECTORY=str(folder), PATH=path, **QUICK_SCRIPT)

    def _enter_in_table(self, instance: str) -> None:
        if TABLE not in self.dynamodb.list_tables()["TableNames"]:
            self.dynamodb.create_table(
                TableName=TABLE,
                KeySchema=[{"AttributeName": "instance_id", "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": "instance_id", "AttributeType": "S"}],
                BillingMode="PAY_PER_REQUEST",
            )
        self.dynamodb.put_item(TableName=TABLE, Item={"instance_id": {"S": instance}})


class Answering:
    """An HTTP server on the loopback interface that says 200 to everything, and keeps what it is sent."""

    def __init__(self, port: int = PORT) -> None:
        self.received: list[bytes] = []
        received = self.received

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def do_PUT(self) -> None:
                received.append(self.rfile.read(int(self.headers["Content-Length"])))
                self.do_GET()

            def log_message(self, format: str, *args: object) -> None:
                """Says nothing."""

        self._server = HTTPServer(("127.0.0.1", port), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def __enter__(self) -> "Answering":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Stops serving."""
        self._server.shutdown()
        self._server.server_close()
