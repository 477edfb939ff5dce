"""Plays everything from the deployment of the appliance to the instance that stops when nobody plays.

The delivered scripts really run while CloudFormation waits, with the permissions of the instance's role. Programs of
Ubuntu and the appliance are stand-ins that accept only documented command lines; no game runs here.
"""

import json
from typing import Any, ClassVar

from emulator.client import EmbeddedAws
from tryout.scenario import expect, step
from tryout.scenarios.game_streaming.booting import REGIONS, Booting
from tryout.scenarios.game_streaming.looks import GameStreamingLooks, zeros
from tryout.scenarios.game_streaming.machine import TOKEN
from tryout.scenarios.game_streaming.offline import FAILURES, few_looks, made
from tryout.steps import STAND_IN

SECRET = "ubuntu-pro-token"  # noqa: S105 - its name
RANGE = "198.51.100.0/24"
CLIENT = "portal"
UPDATE_SECONDS = 300


class GameStreamingScenario(GameStreamingLooks):
    """A host that boots while the deployment waits, its documents, its games, its stop and its replacement."""

    variants: ClassVar[dict[str, dict[str, Any]]] = {
        "post": {"allowed_cidrs": [RANGE]},
        "provider": {
            "oidc": {"issuer": "https://login.example.com", "client_id": "games"},
            "domain": "play.example.com",
            "deliver": "image",
            "hours": {"stop": "cron(0 22 * * ? *)", "start": "cron(0 8 * * ? *)", "time_zone": "Europe/Berlin"},
        },
    }
    in_account: ClassVar[dict[str, dict[str, Any]]] = {"post": {"allowed_cidrs": [RANGE]}}
    emulated = STAND_IN
    account_minutes = 60

    @classmethod
    def prepare(cls, aws: EmbeddedAws) -> bool:
        """The user's secret with the token, and hosts that boot when they are launched."""
        for region in REGIONS:
            secrets = aws.client("secretsmanager", region_name=region)
            known = [one["Name"] for one in secrets.list_secrets()["SecretList"]]
            if SECRET not in known:
                secrets.create_secret(Name=SECRET, SecretString=TOKEN)
        cls.booting = Booting(aws)
        cls.booting.start()
        return True

    # The installation

    @step("the deployment waits while the delivered scripts install the appliance, through a reboot", "real-code")
    def installs(self) -> str:
        machine, runs = self.machine, self.booting.runs[self.instance]
        expect([run.status for run in runs] == [0, -9, 0], f"{[run.status for run in runs]}: {runs[-1].output[-400:]}")
        expect(machine.state["undocumented"] == [], f"{machine.state['undocumented']}")
        events = self.deployed.client("cloudformation").describe_stack_events(StackName=self.deployed.stack_name)
        said = [event.get("ResourceStatusReason", "") for event in events["StackEvents"]]
        signals = [why for why in said if "SUCCESS" in why]
        expect(len(signals) == 1, f"signals: {signals}")
        return f"{len(machine.calls())} calls, {machine.boots} boots, {signals[0]}"

    @step("the token is in no file, argument, log or user data", "real-code")
    def hides(self) -> str:
        machine = self.machine
        log = "".join(run.output for run in self.booting.runs[self.instance])
        expect(TOKEN not in machine.texts() + log, "it is on the disk or in the log")
        expect(not any(TOKEN in word for call in machine.calls() for word in call), "it is an argument")
        return f"{len(log)} characters of log looked through"

    @step("the preseed has the Elastic IP address, the disk by its volume's id, and the provider", "real-code")
    def preseeds(self) -> str:
        preseed = self.machine.state["preseed"]
        wanted = self.deployed.outputs["PublicAddress"]
        expect(preseed["network"]["public-address"] == wanted, f"{preseed}")
        expect(preseed["network"]["listen-address"] == self._described()["PrivateIpAddress"], f"{preseed}")
        expect(preseed["lxd"]["storage-disk"].endswith("/dev/nvme1n1"), f"{preseed}")
        expect(("oidc" in preseed) == (self.variant == "provider"), f"{preseed}")
        return json.dumps(preseed["network"])

    @step("only players can connect, through three port ranges", "emulated", where="anywhere")
    def stays_closed(self) -> str:
        groups = [group["GroupId"] for group in self._described()["SecurityGroups"]]
        rules = sorted(
            (rule["IpProtocol"], rule["FromPort"], rule["ToPort"], each["CidrIp"])
            for group in self.ec2.describe_security_groups(GroupIds=groups)["SecurityGroups"]
            for rule in group["IpPermissions"]
            for each in rule["IpRanges"]
        )
        wanted = [("tcp", 443, 443, RANGE), ("udp", 5349, 5349, RANGE), ("udp", 60000, 60100, RANGE)]
        expect(rules == (wanted if self.variant == "post" else []), f"{rules}")
        return f"{rules or 'nobody'}"

    @step("a second boot attaches, initializes and signals nothing", "real-code")
    def boots_again(self) -> str:
        machine = self.machine
        machine.forget()
        (run,) = machine.boot(**dict(self.booting.environment(self.instance)))
        expect(run.status == 0, run.output[-400:])
        calls = machine.calls()
        expect(not [call for call in calls if call[0] in ("pro", "snap") or "init" in call], f"{calls}")
        return f"{len(calls)} calls"

    @step("every failure sends one FAILURE that names its stage, and never causes a third boot", "real-code")
    def fails(self) -> str:
        stages = []
        for number, (knobs, stage, boots, says) in enumerate(FAILURES):
            host = made(self.deployed.folder / f"failure-{number}")
            few_looks(host)
            root = knobs.get("root_source", "").replace("@", str(host.machine.root))
            runs = host.installed(**knobs | ({"root_source": root} if root else {}))
            expect(host.signals() == [("FAILURE", stage)], f"{knobs}: {host.signals()}")
            last = runs[-1]
            expect(len(runs) == boots and last.status == 1 and says in last.output, f"{knobs}: {last.output[-300:]}")
            kept = "".join(run.output for run in runs) + host.machine.texts()
            expect(TOKEN not in kept, f"{knobs}: the token is in what was printed or kept")
            stages.append(stage)
        return ", ".join(dict.fromkeys(stages))

    # Users, tokens, games

    @step("a link or a token goes into its secret; only an ARN and a version are printed", "real-code")
    def keeps_secrets(self) -> str:
        operation = "Register" if self.variant == "post" else "User"
        run = self._run(operation, Email="you@example.com")
        expect(run.status == 0 and "register=" not in run.output, run.output[-300:])
        if self.variant == "post":
            secret = self.deployed.outputs["RegistrationLinkSecret"]
            link = self.secrets.get_secret_value(SecretId=secret)["SecretString"]
            expect(link == "https://192.0.2.1/?register=you-link", link)
        runs = [self._run("Token", Name=CLIENT) for _ in range(2)]
        expect(all(each.status == 0 and "macaroon" not in each.output for each in runs), runs[-1].output[-300:])
        secret = self._secret_of(CLIENT)
        values = [
            self.secrets.get_secret_value(SecretId=secret, VersionStage=stage)["SecretString"]
            for stage in ("AWSCURRENT", "AWSPREVIOUS")
        ]
        expect(values == [f"macaroon-{CLIENT}-2", f"macaroon-{CLIENT}-1"], f"{values}")
        expect(self._run("Revoke", Name=CLIENT).status == 0, "the token could not be revoked")
        expect(self.secrets.get_secret_value(SecretId=secret)["SecretString"] == "revoked", "its secret has it still")
        expect(self.machine.state["accounts"] == {}, "the gateway knows it still")
        return runs[-1].output.split()[-1]

    @step("a game for x86 is refused; one for Arm is uploaded and made ready on the instance", "real-code")
    def delivers(self) -> str:
        refused = self.deployed.command("deliver", str(self._game("x86", "lib/x86_64/libgame.so")), ends=1)
        expect(not refused["ok"], f"{refused}")
        folder = self._game("arm", "lib/arm64-v8a/libgame.so")
        self.deployed.command("validate", str(folder))
        self.deployed.command("deliver", str(folder))
        listed = self.deployed.client("s3").list_objects_v2(Bucket=self.deployed.outputs["PackagesBucket"])
        (package,) = [one["Key"].removeprefix("packages/").removesuffix(".zip") for one in listed["Contents"]]
        operation = "Application" if self.variant == "post" else "Image"
        run = self._run(operation, Name="rocks", Package=package)
        expect(run.status == 0 and "is ready" in run.output, run.output[-300:])
        if self.variant == "post":
            self.machine.set(bootstrap_ends="error")
            broken = self._run(operation, Name="rocks", Package=package)
            expect(broken.status == 1 and "ended in error" in broken.output, broken.output[-300:])
        return run.output.strip()

    # The bill

    @step("the schedules stop and start only this instance", "recorded", only=("provider",))
    def keeps_hours(self) -> str:
        scheduler = self.deployed.client("scheduler")
        found = [scheduler.get_schedule(Name=one["Name"]) for one in scheduler.list_schedules()["Schedules"]]
        targets = {one["Target"]["Arn"].rpartition(":")[2]: json.loads(one["Target"]["Input"]) for one in found}
        wanted = {"InstanceIds": [self.instance]}
        expect(targets == {"stopInstances": wanted, "startInstances": wanted}, f"{targets}")
        return f"{sorted(targets)}; universal targets are not run here"

    @step(
        "without reports nothing stops; after an idle hour the instance checks again; a game keeps it running",
        "real-code",
    )
    def stops_when_idle(self) -> str:
        verdicts = []
        self.deployed.aws.age_metrics(86_400)  # another variant may have left a game in the same namespace
        self.deployed.aws.control("age-launches", seconds=10_800)
        verdicts.append(self._idle())
        self.deployed.client("cloudwatch").put_metric_data(
            Namespace=self.deployed.stack_name, MetricData=zeros(self.deployed.settings.idle_minutes + 1)
        )
        verdicts.append(self._idle())
        expect(verdicts == ["games cannot be read", "idle"], f"{verdicts}")
        self.machine.set(instances=[{"type": "regular", "status": "running"}])
        verdicts.append(self._last_look())
        self.machine.set(instances=[])
        verdicts.append(self._idle())
        verdicts.append(self._last_look())
        expect(self.machine.state["powered_off"] and self.machine.state["unschedulable"], "it takes games")
        self.ec2.stop_instances(InstanceIds=[self.instance])  # as EC2 does with an instance that has shut down
        verdicts.append(self._idle())
        self.ec2.start_instances(InstanceIds=[self.instance])
        (boot,) = self.machine.boot(**dict(self.booting.environment(self.instance)))
        expect(boot.status == 0 and not self.machine.state["unschedulable"], boot.output[-300:])
        self.machine.set(instances=[{"type": "regular", "status": "running"}])
        report = f"bash {self.machine.root}/opt/game-streaming/report.sh"
        run = self.machine.run(report, **dict(self.booting.environment(self.instance)))
        expect(run.status == 0, run.output[-300:])
        self.deployed.aws.control("age-launches", seconds=10_800)
        verdicts.append(self._idle())
        wanted = ["games cannot be read", "idle", "goes on", "idle", "stops", "not running"]
        expect(verdicts == [*wanted, "a game runs, or is being prepared"], f"{verdicts}")
        return "; ".join(verdicts)

    # Its successor

    @step("a change of initial settings is refused; in two steps a new instance takes over the address", "our-model")
    def is_replaced(self) -> str:
        refused = self.deployed.update(self.deployed.synthesized("another-channel", data_gib=200))
        expect(not refused.complete and any("instance: false" in why for why in refused.reasons), f"{refused.reasons}")
        address = self.deployed.outputs["PublicAddress"]
        gone = self.deployed.update(self.deployed.synthesized("without", instance=False))
        expect(gone.complete, f"{gone.reasons}")
        expect(self._described()["State"]["Name"] == "terminated", "the instance is still there")
        new = self.deployed.update(self.deployed.synthesized("with", data_gib=200), seconds=UPDATE_SECONDS)
        expect(new.complete, f"{new.reasons}")
        outputs = self.deployed.outputs_now()
        expect(outputs["PublicAddress"] == address and outputs["InstanceId"] != self.instance, f"{outputs}")
        old, self.instance = self.instance, outputs["InstanceId"]
        found = self.ec2.describe_addresses(PublicIps=[address])["Addresses"][0]
        expect(found["NetworkInterfaceId"] in str(self._described()["NetworkInterfaces"]), f"{found}")
        expect(self.machine.state["preseed"]["network"]["public-address"] == address, "it was told another address")
        return f"{old} gone, {self.instance} at {address}"


SCENARIO = GameStreamingScenario
