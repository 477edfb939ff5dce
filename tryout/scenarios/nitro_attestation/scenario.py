"""What an account shows, what a deployed attested key denies, and what is reported when it is changed.

The embedded KMS supports no attestation documents and evaluates no grants: the delivered evaluator decides what the
deployed policy allows. The embedded Organizations stores policies but does not enforce them.
"""

import json
from typing import Any, ClassVar

from stacks.guardrails.judge import Request, judge
from tryout.account.monitoring import alarm_state
from tryout.scenario import Deployed, expect, step
from tryout.scenarios.nitro_attestation.keys import AttestedKeys
from tryout.steps import BESIDE, EMPTY
from tryout.waits import wait_until

FOLDER = "tryout/scenarios/nitro_attestation/measurements"
ELSEWHERE = "us-west-2"
IMAGE = "ami-0123456789abcdef0"


class NitroAttestationScenario(AttestedKeys):
    """The default look, and everything that can be turned on."""

    variants: ClassVar[dict[str, dict[str, Any]]] = {
        "default": {"regions": ["us-east-1", ELSEWHERE]},
        "attested": {
            "regions": ["us-east-1"],
            "enclave": {
                "instance_type": "m5.xlarge",
                "cpus": 2,
                "memory_mib": 2048,
                "key": {"measurements": [f"{FOLDER}/enclave.json"], "operations": ["Decrypt", "GenerateDataKey"]},
            },
            "tpm": {"image_id": IMAGE, "key": {"measurements": [f"{FOLDER}/tpm.json"], "deletion_days": 7}},
        },
        "organization": {"enclave": None, "organization": {"declarative": True, "deny_legacy_spot": True}},
    }
    in_account: ClassVar[dict[str, dict[str, Any]]] = {"default": {}, "organization": variants["organization"]}
    emulated = BESIDE

    def __init__(self, deployed: Deployed, variant: str) -> None:
        super().__init__(deployed, variant)
        self.elsewhere = deployed.aws.client("ec2", region_name=ELSEWHERE)

    # Only Nitro

    @step(
        "an empty account: the look sees two Regions, and no alarm goes off",
        "real-code",
        only=("default",),
        emulated=EMPTY,
    )
    def empty(self) -> str:
        found = self._look()
        expect(found["regions"] == 2 and found["XenInstances"] == found["RegionsNotSeen"] == 0, f"{found}")
        expect(found["TrailMissing"] == 1, f"{found}")
        expect(alarm_state(self.deployed, "XenInstances") != "ALARM", "it rings")
        return f"{found}"

    @step("the look sees every configured Region, whatever runs there", "real-code", only=("default",), where="account")
    def looks(self) -> str:
        found, wanted = self._look(), len(self.deployed.settings.regions)
        expect(found["regions"] == (wanted or found["regions"]) > found["RegionsNotSeen"] == 0, f"{found}")
        return f"{found}"

    @step(
        "Nitro, bare metal, and a stopped Xen instance in another Region: one finding, and its alarm goes off",
        "real-code",
        only=("default",),
    )
    def finds(self) -> str:
        self._run(self.ec2, "m5.large")
        self._run(self.ec2, "m5.metal")
        stopped = self._run(self.elsewhere, "t2.micro")
        self.elsewhere.stop_instances(InstanceIds=[stopped])
        found = self._look()
        expect((found["XenInstances"], found["UnknownTypes"]) == (1, 0), f"{found}")
        wait_until("the alarm", lambda: alarm_state(self.deployed, "XenInstances") == "ALARM")
        return f"{found}; the alarm is in ALARM"

    @step("the report shows whether each statement holds, and names the instance", "real-code", only=("default",))
    def reports(self) -> str:
        told = self._report()
        regions = {one["region"]: one for one in told["regions"]}
        holds = {one["number"]: one["holds"] for one in regions[ELSEWHERE]["statements"]}
        expect(holds[1] == "no" and holds[2] == holds[7] == "unknown" and holds[6] == "no", f"{holds}")
        (xen,) = [one for one in regions[ELSEWHERE]["instances"] if one["verdict"] == "xen"]
        expect(xen["state"] == "stopped" and xen["source"] == "EC2 API", f"{xen}")
        verdicts = sorted(one["verdict"] for one in regions["us-east-1"]["instances"])
        expect(verdicts == ["bare metal", "nitro"], f"{verdicts}")
        return f"{xen['instance_id']}: {xen['reasons'][0]}; statements of {ELSEWHERE}: {holds}"

    @step(
        "after a resize to Nitro, a trail in another Region and EBS encryption by default, the report has changed",
        "real-code",
        only=("default",),
        needs=(finds,),
    )
    def follows(self) -> str:
        (xen,) = self._instances(self.elsewhere, "t2.micro")
        self.elsewhere.modify_instance_attribute(InstanceId=xen, InstanceType={"Value": "t3.micro"})
        self._trail()
        for ec2 in (self.ec2, self.elsewhere):
            ec2.enable_ebs_encryption_by_default()
            self.cleanup.append(ec2.disable_ebs_encryption_by_default)
        found = self._look()
        expect((found["XenInstances"], found["TrailMissing"]) == (0, 0), f"{found}")
        statements = {one["region"]: one["statements"] for one in self._report()["regions"]}
        holds = {one["number"]: one["holds"] for one in statements[ELSEWHERE]}
        expect(holds[1] == holds[6] == "yes", f"{holds}")
        self.ec2.enable_serial_console_access()
        self.cleanup.append(self.ec2.disable_serial_console_access)
        opened = self._report()["regions"][0]["statements"][0]
        expect(opened["holds"] == "no" and "serial console is allowed" in opened["says"], f"{opened}")
        return f"{holds}; with the serial console open in us-east-1: {opened['says']}"

    # Policies of Organizations

    @step(
        "the stored policies match the settings, and the first has fewer than 1,000 characters",
        "emulated",
        only=("organization",),
        where="anywhere",
    )
    def stored(self) -> str:
        organizations = self.deployed.client("organizations")
        told = self.deployed.command("policies")
        sizes = {}
        for output, name in (("OnlyNitro", "service control policy"), ("Declarative", "declarative policy")):
            policy_id = self.deployed.outputs[f"{output}PolicyId"]
            content = organizations.describe_policy(PolicyId=policy_id)["Policy"]["Content"]
            expect(content == told[name], f"{name}: {content}")
            sizes[name] = len(content)
        expect(sizes["service control policy"] < 1_000, f"{sizes}")
        return f"{sizes}"

    @step(
        "the stored policy denies every way to start Xen, and allows Nitro and metal",
        "our-model",
        only=("organization",),
        where="anywhere",
    )
    def decides(self) -> str:
        organizations = self.deployed.client("organizations")
        stored = organizations.describe_policy(PolicyId=self.deployed.outputs["OnlyNitroPolicyId"])["Policy"]["Content"]
        wanted = {"t2.micro": "denied", "p3.2xlarge": "denied", "m7g.large": "passes", "i3.metal": "passes"}
        for instance_type, right in wanted.items():
            for action in ("ec2:RunInstances", "ec2:StartInstances", "ec2:CreateFleet"):
                keys = {"ec2:InstanceType": instance_type, "ec2:MetadataHttpTokens": "required"}
                request = Request(action, "arn:aws:iam::123456789012:role/developer", {f"{_PLACE}:instance/*": keys})
                found = judge([json.loads(stored)], request).decision
                expect(found == right, f"{action} of {instance_type}: {found}")
        return ", ".join(f"{name} {right}" for name, right in wanted.items())

    # What the steps use

    def _look(self) -> dict[str, Any]:
        event = {"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}
        return dict(self.deployed.invoke("Look", event))

    def _report(self) -> dict[str, Any]:
        """The report, which ends with 1 here: some instance always needs attention."""
        return dict(self.deployed.command("report", ends=1))

    def _run(self, ec2: Any, instance_type: str) -> str:
        images = ec2.describe_images(Owners=["amazon"])["Images"]
        made = ec2.run_instances(
            ImageId=images[0]["ImageId"] if images else IMAGE,
            InstanceType=instance_type,
            MinCount=1,
            MaxCount=1,
            MetadataOptions={"HttpTokens": "required"},
        )
        found: str = made["Instances"][0]["InstanceId"]
        self.cleanup.append(lambda: ec2.terminate_instances(InstanceIds=[found]))
        return found

    def _instances(self, ec2: Any, instance_type: str) -> list[str]:
        filters = [
            {"Name": "instance-type", "Values": [instance_type]},
            {"Name": "instance-state-name", "Values": ["running", "stopped", "stopping"]},
        ]
        pages = ec2.get_paginator("describe_instances").paginate(Filters=filters)
        return [one["InstanceId"] for page in pages for kept in page["Reservations"] for one in kept["Instances"]]

    def _trail(self) -> None:
        """A trail for all Regions whose home is another Region, which alone has its selectors."""
        trail, s3 = self.deployed.aws.client("cloudtrail", region_name=ELSEWHERE), self.deployed.client("s3")
        s3.create_bucket(Bucket="trail-of-all-regions")
        self.cleanup.append(lambda: s3.delete_bucket(Bucket="trail-of-all-regions"))
        trail.create_trail(Name="all", S3BucketName="trail-of-all-regions", IsMultiRegionTrail=True)
        self.cleanup.append(lambda: trail.delete_trail(Name="all"))
        trail.start_logging(Name="all")


_PLACE = "arn:aws:ec2:us-east-1:123456789012"


SCENARIO = NitroAttestationScenario
