"""The post's test: instances wait, a tag turns Successful, and only then they enter service."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, ClassVar

from tryout.hosts.processes import Fleet, WorkerProcess, boot, wait_until
from tryout.hosts.user_data import Service
from tryout.scenario import Deployed, Scenario, Step, expect, step

TAG, PASSED, FAILED = "Compliance-Check", "Successful", "Failed"
PORT = 18_473  # of the endpoint that mode instance checks, on the loopback interface of this machine
TABLE = "tried-inventory"
PATIENCE = 120  # seconds for the script, each of whose looks starts the AWS CLI several times
# What is minutes in an account is seconds here.
QUICK_SCRIPT = {"POLL_SECONDS": "0.3", "HEARTBEAT_SECONDS": "2", "LONGEST_WAIT_SECONDS": "3600"}


class CustomHealthChecksScenario(Scenario):
    """Mode event: tag, launch event and sweep, in any order. Mode instance: the script itself runs."""

    variants: ClassVar[dict[str, dict[str, Any]]] = {
        "event": {"mode": "event", "warm_pool": {"min_size": 1, "max_prepared": 3}},
        "instance": {
            "mode": "instance",
            "heartbeat_seconds": 3600,  # of the hook itself; on a busy machine the second instance waits for long
            "checks": [
                {"kind": "tag"},
                {"kind": "http", "port": PORT, "path": "/health"},
                {"kind": "table", "table": TABLE},
            ],
        },
    }

    def __init__(self, deployed: Deployed, variant: str) -> None:
        super().__init__(deployed, variant)
        self.fleet = Fleet(deployed)
        self.group = deployed.outputs["GroupName"]
        self.ec2, self.autoscaling = deployed.client("ec2"), deployed.client("autoscaling")
        self.functions, self.events = deployed.client("lambda"), deployed.client("events")
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

    def steps(self) -> Iterator[Step]:
        """Those of the variant; both begin with the group."""
        cls = type(self)
        script = {cls.installs, cls.needs_all, cls.lets_itself_in, cls.survives_reboot, cls.gives_itself_up}
        both = {cls.waits, cls.protects}
        for each in super().steps():
            if each.run in both or (each.run in script) == (self.variant == "instance"):
                yield each

    # Both modes

    @step(
        "the group's first instances wait for the hook, protected and with the tag that is not yet right", "our-model"
    )
    def waits(self) -> str:
        waiting = self._in("Pending:Wait")
        expect(len(waiting) == 2, f"{self._states()}")
        expect(self._tag(waiting[0]) == "UnSuccessful", f"the tag is {self._tag(waiting[0])}")
        (hook,) = self.autoscaling.describe_lifecycle_hooks(AutoScalingGroupName=self.group)["LifecycleHooks"]
        (group,) = self.autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[self.group])[
            "AutoScalingGroups"
        ]
        expect(all(member["ProtectedFromScaleIn"] for member in group["Instances"]), f"{group['Instances']}")
        return f"2 in Pending:Wait, {hook['HeartbeatTimeout']} s, then {hook['DefaultResult']}"

    # Mode event

    @step("one tag turns Successful: that instance enters service, the other waits on", "real-code")
    def tag_lets_in(self) -> str:
        chosen, other = self._in("Pending:Wait")
        self._mark(chosen, PASSED)
        self._until(chosen, "InService")
        expect(self._states()[other] == "Pending:Wait", f"the other is in {self._states()[other]}")
        return "CreateTags -> event -> function -> CONTINUE"

    @step("the same events again, twice and late, change nothing", "real-code")
    def duplicates(self) -> str:
        (served,) = self._in("InService")
        before = self._states()
        arn = f"arn:aws:ec2:us-east-1:123456789012:instance/{served}"
        tag = {"detail-type": "Tag Change on Resource", "resources": [arn], "detail": {"tags": {TAG: PASSED}}}
        launch = {"detail-type": "EC2 Instance-launch Lifecycle Action", "detail": {"EC2InstanceId": served}}
        answers = [self._invoke(event) for event in (tag, tag, launch, launch)]
        expect(answers == [{}] * 4, f"it answered {answers}")
        expect(self._states() == before, f"{before} became {self._states()}")
        return "4 deliveries, no call to complete a hook"

    @step("a tag whose event is lost is found by the sweep", "real-code")
    def swept(self) -> str:
        (waiting,) = self._in("Pending:Wait")
        (pooled,) = self._in("Warmed:Pending:Wait")
        rules = [
            rule["Name"] for rule in self.events.list_rules()["Rules"] if "aws.tag" in rule.get("EventPattern", "")
        ]
        for rule in rules:
            self.events.disable_rule(Name=rule)
        self._mark(waiting, PASSED)
        expect(self._states()[waiting] == "Pending:Wait", "nobody has told the function, and it knew")
        answer = self._invoke({"group": self.group})
        for rule in rules:
            self.events.enable_rule(Name=rule)
        expect(answer == {"CONTINUE": [waiting], "nothing": [pooled]}, f"it answered {answer}")
        self._until(waiting, "InService")
        return f"rule disabled, tag set, sweep: {answer}"

    @step("a failure value gives the instance up at once, and another takes its place in the warm pool", "real-code")
    def gives_up(self) -> str:
        (bad,) = self._in("Warmed:Pending:Wait")
        self._mark(bad, FAILED)
        wait_until("its end", lambda: bad not in self._states())
        wait_until("another in its place", lambda: len(self._in("Warmed:Pending:Wait")) == 1)
        (self.pooled,) = self._in("Warmed:Pending:Wait")
        return "ABANDON long before the time-out"

    @step("an instance on its way into the warm pool waits for its checks, too, and is stopped then", "real-code")
    def enters_pool(self) -> str:
        self._mark(self.pooled, PASSED)
        self._until(self.pooled, "Warmed:Stopped")
        return "Warmed:Pending:Wait -> Warmed:Stopped"

    @step("on its way out it waits a second time; the launch event finds the tag right already", "real-code")
    def leaves_pool(self) -> str:
        self.autoscaling.set_desired_capacity(AutoScalingGroupName=self.group, DesiredCapacity=3)
        self._until(self.pooled, "InService")
        return "Warmed:Stopped -> Pending:Wait -> InService, and nobody has changed the tag"

    # Mode instance

    @step("the deployed user data installs the script and its unit, which starts at every boot", "real-code")
    def installs(self) -> str:
        (template,) = self.deployed.resources["AWS::EC2::LaunchTemplate"]
        machine = boot(self.deployed, template, self._in("Pending:Wait")[0])
        self.service = machine.service("custom-health-check")
        expect(["systemctl", "enable", "--now", "custom-health-check"] in machine.calls, "the unit was not started")
        checks = machine.path("/etc/custom-health-check.checks").read_text().split()
        return f"{len(machine.written())} files; checks: {', '.join(checks)}; dnf and systemctl are stand-ins"

    @step(
        "the script waits and sends heartbeats; a right tag alone is not enough when there are more checks", "real-code"
    )
    def needs_all(self) -> str:
        first = self._start(self._in("Pending:Wait")[0])
        wait_until("a heartbeat", lambda: bool(first.events("heartbeat")), seconds=PATIENCE)
        self._mark(first.instance_id, PASSED)
        self.endpoint = Answering()
        begun = len(first.events("looked"))
        wait_until("two more looks", lambda: len(first.events("looked")) > begun + 1, seconds=PATIENCE)
        verdicts = {event["verdict"] for event in first.events("looked")}
        expect(verdicts == {"pending"}, f"the verdicts are {verdicts}")
        healthy = {member["HealthStatus"].lower() for member in self._members()}
        expect(healthy == {"healthy"}, f"instances are {healthy}")
        return f"{len(first.events('looked'))} looks, all pending; nobody was marked unhealthy"

    @step("when the table has an entry for it, too, the instance lets itself in", "real-code")
    def lets_itself_in(self) -> str:
        (first,) = self.fleet.workers
        self._enter_in_table(first.instance_id)
        self._until(first.instance_id, "InService")
        wait_until("the script's end", lambda: first.exit_status == 0, seconds=PATIENCE)
        expect(len(self._in("Pending:Wait")) == 1, "the other did not wait on")
        return " -> ".join(event["event"] for event in first.events()[-3:])

    @step("a script that was killed in the middle goes on after a reboot where it was", "real-code")
    def survives_reboot(self) -> str:
        victim = self._start(self._in("Pending:Wait")[0])
        wait_until("a look", lambda: bool(victim.events("looked")), seconds=PATIENCE)
        waited = int(victim.events("looked")[-1]["waited"])
        victim.kill()
        again = self._start(victim.instance_id)
        wait_until("a look after the reboot", lambda: self._looked_again(again), seconds=PATIENCE)
        self._enter_in_table(victim.instance_id)
        self._mark(victim.instance_id, PASSED)
        self._until(victim.instance_id, "InService")
        looks = [int(event["waited"]) for event in again.events("looked")]
        expect(looks[-1] >= waited, f"it has forgotten that it had waited {waited} s: {looks}")
        return f"{waited} s before, {looks[-1]} s after, then InService"

    @step("a failure value makes a new instance give itself up at once", "real-code")
    def gives_itself_up(self) -> str:
        self.autoscaling.set_desired_capacity(AutoScalingGroupName=self.group, DesiredCapacity=3)
        (bad,) = self._in("Pending:Wait")
        self._mark(bad, FAILED)
        script = self._start(bad)
        wait_until("its end", lambda: bad not in self._states(), seconds=PATIENCE)
        wait_until("the log", lambda: bool(script.events("abandoned")))
        return f"{script.events('looked')[-1]['verdict']} after {script.events('looked')[-1]['waited']} s, and replaced"

    # Both, at the end

    @step("scale-in leaves protected instances alone, until the stack's end takes their protection away", "real-code")
    def protects(self) -> str:
        before = set(self._in("InService"))
        self.autoscaling.update_auto_scaling_group(AutoScalingGroupName=self.group, MinSize=0, DesiredCapacity=0)
        expect(set(self._in("InService")) == before, f"{before} became {self._states()}")
        with Answering(port=0) as cloudformation:
            (name,) = [n for n in self.deployed.resources["AWS::Lambda::Function"] if "Unprotect" in n]
            names = {"StackId": "s", "RequestId": "r", "LogicalResourceId": "l"}
            event = {"RequestType": "Delete", "ResponseURL": cloudformation.url, **names}
            self._invoke({**event, "ResourceProperties": {"GroupName": self.group}}, name)
            said = json.loads(cloudformation.received[-1])
        expect(said["Status"] == "SUCCESS", f"CloudFormation was told {said}")
        kept = [
            m["InstanceId"] for m in self._members() if m["ProtectedFromScaleIn"] and "Wait" not in m["LifecycleState"]
        ]
        expect(not kept, f"still protected: {kept}")
        self.autoscaling.set_desired_capacity(AutoScalingGroupName=self.group, DesiredCapacity=0)
        expect(not self._in("InService"), f"{self._states()}")
        return f"{len(before)} instances stayed; unprotected, all of them left"

    # What the steps look at

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

    # What the steps do

    def _mark(self, instance: str, value: str) -> None:
        self.ec2.create_tags(Resources=[instance], Tags=[{"Key": TAG, "Value": value}])

    def _invoke(self, event: dict[str, Any], name: str = "") -> Any:
        answer = self.functions.invoke(
            FunctionName=name or self.deployed.outputs["CheckerFunction"], Payload=json.dumps(event).encode()
        )
        said = json.loads(answer["Payload"].read() or b"null")
        expect(not answer.get("FunctionError"), f"the function has failed: {said}")
        return said

    def _start(self, instance: str) -> WorkerProcess:
        assert self.service
        folder = self.deployed.folder / f"state-{instance}"
        return self.fleet.start(instance, self.service, STATE_DIRECTORY=str(folder), **QUICK_SCRIPT)

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


SCENARIO = CustomHealthChecksScenario
