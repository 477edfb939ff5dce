"""What an account shows, what an attested key denies as deployed, and what is told when somebody changes it.

The embedded KMS takes no attestation documents and judges no grants: what a key allows is the word of the delivered
evaluator over the policy that is deployed. Organizations stores policies and enforces none.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from botocore.exceptions import ClientError

from stacks.guardrails.judge import Request, judge
from tryout.scenario import Deployed, Scenario, expect, step
from tryout.waits import wait_until

FOLDER = "tryout/scenarios/nitro_attestation/measurements"
ELSEWHERE = "us-west-2"
IMAGE = "ami-0123456789abcdef0"
QUEUE = "hears-keys"
INTRUDER = "kms-by-iam"


class NitroAttestationScenario(Scenario):
    """The default look, and everything that can be switched on."""

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

    def __init__(self, deployed: Deployed, variant: str) -> None:
        super().__init__(deployed, variant)
        self.ec2, self.kms, self.iam = (deployed.client(name) for name in ("ec2", "kms", "iam"))
        self.elsewhere = deployed.aws.client("ec2", region_name=ELSEWHERE)
        self.cleanup: list[Callable[[], object]] = []

    def __exit__(self, *_: object) -> None:
        """Ends the instances, and takes away who and what was only there to try."""
        for undo in reversed(self.cleanup):
            undo()

    # Only Nitro

    @step("an empty account: the look sees two Regions, and no alarm rings", "real-code", only=("default",))
    def empty(self) -> str:
        found = self._look()
        expect(found["regions"] == 2 and found["XenInstances"] == found["RegionsNotSeen"] == 0, f"{found}")
        expect(found["TrailMissing"] == 1, f"{found}")
        expect(self._alarm("XenInstances") != "ALARM", "it rings")
        return f"{found}"

    @step(
        "Nitro, bare metal, and a stopped Xen instance in another Region: one finding, and its alarm rings",
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
        wait_until("the alarm", lambda: self._alarm("XenInstances") == "ALARM")
        return f"{found}; the alarm is in ALARM"

    @step("the report says of each statement how far it goes, and names the instance", "real-code", only=("default",))
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
        "the instance is resized to Nitro, a trail is switched on, EBS encrypts by default: the report follows",
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
        expect(opened["holds"] == "no" and "serial console is open" in opened["says"], f"{opened}")
        return f"{holds}; with the serial console open in us-east-1: {opened['says']}"

    # Launch templates

    @step("each template launches with IMDSv2, an encrypted volume and its own role", "emulated", only=("attested",))
    def launches(self) -> str:
        seen = []
        for name in ("Enclave", "Tpm"):
            template = self.deployed.outputs[f"{name}TemplateId"]
            data = self.ec2.describe_launch_template_versions(LaunchTemplateId=template)["LaunchTemplateVersions"][0][
                "LaunchTemplateData"
            ]
            expect(data["MetadataOptions"]["HttpTokens"] == "required", f"{data['MetadataOptions']}")
            expect(all(one["Ebs"]["Encrypted"] for one in data["BlockDeviceMappings"]), f"{data}")
            expect(bool(data["IamInstanceProfile"]) and "KeyName" not in data, f"{data}")
            seen.append(f"{name}: {data['InstanceType']}")
        return ", ".join(seen)

    # Attested keys

    @step("the deployed policies have the right answer to every request of the table", "our-model", only=("attested",))
    def proves(self) -> str:
        told = self.deployed.command("prove")
        expect(told["wrong"] == 0 and told["requests"] >= 100, f"{told}")
        return f"{told['requests']} requests on two keys"

    @step(
        "somebody with kms:* by IAM is denied Decrypt, ReEncrypt and CreateGrant by the embedded KMS",
        "emulated",
        only=("attested",),
    )
    def denies(self) -> str:
        intruder = self._intruder()
        key = self.deployed.outputs["TpmKeyArn"]
        sealed = self.kms.encrypt(KeyId=key, Plaintext=b"secret")["CiphertextBlob"]
        calls: dict[str, dict[str, Any]] = {
            "decrypt": {"KeyId": key, "CiphertextBlob": sealed},
            "generate_data_key": {"KeyId": key, "KeySpec": "AES_256"},
            "create_grant": {
                "KeyId": key,
                "GranteePrincipal": self.deployed.outputs["TpmRoleArn"],
                "Operations": ["Decrypt"],
            },
            "put_key_policy": {"KeyId": key, "Policy": "{}"},
        }
        for name, parameters in calls.items():
            code = _refusal(getattr(intruder, name), **parameters)
            expect(code == "AccessDeniedException", f"{name}: {code}")
        expect(bool(intruder.describe_key(KeyId=key)["KeyMetadata"]), "it may not even look")
        return f"{', '.join(calls)}: AccessDeniedException; describe_key is allowed"

    @step("a changed policy is told to the topic, and prove says what it opens", "our-model", only=("attested",))
    def tells(self) -> str:
        key = self.deployed.outputs["TpmKeyArn"]
        messages = self._subscribed()
        right = self.kms.get_key_policy(KeyId=key)["Policy"]
        statements = json.loads(right)["Statement"]
        root = next(one["Principal"]["AWS"] for one in statements if one["Sid"] == "Looking")
        opened = {"Sid": "Open", "Effect": "Allow", "Principal": {"AWS": root}, "Action": "kms:*", "Resource": "*"}
        changed = json.dumps({"Version": "2012-10-17", "Statement": [*statements, opened]})
        self.kms.put_key_policy(KeyId=key, Policy=changed)
        self._trail_event("PutKeyPolicy", key)
        wait_until("the message", lambda: any("PutKeyPolicy" in text and key in text for text in messages()))
        found = self.deployed.command("prove", ends=1)
        wrong = {row["request"] for row in found["rows"] if row["right"] != row["found"]}
        expect("PutKeyPolicy by an IAM administrator" in wrong, f"{wrong}")
        self.kms.put_key_policy(KeyId=key, Policy=right)
        expect(self.deployed.command("prove")["wrong"] == 0, "the right policy is not back")
        return f"a message with the caller; {found['wrong']} requests had the wrong answer until the policy was back"

    @step("a call on another key, and one that only reads, are not told", "emulated", only=("attested",))
    def silent(self) -> str:
        messages = self._subscribed()
        key = self.deployed.outputs["EnclaveKeyArn"]
        self._trail_event("PutKeyPolicy", key.rpartition("/")[0] + "/11111111-2222-3333-4444-555555555555")
        self._trail_event("DescribeKey", key)
        self._trail_event("CreateGrant", key, errorCode="AccessDenied")
        wait_until("the message", lambda: any("CreateGrant" in text for text in messages()))
        told = [text for text in messages() if "PutKeyPolicy" in text or "DescribeKey" in text]
        expect(not told, f"{told}")
        return "of three events one message, that of a refused CreateGrant"

    @step("a file that is no document proves nothing", "real-code", only=("attested",))
    def verifies(self) -> str:
        path = Path(self.deployed.folder) / "document.cbor"
        path.write_bytes(b"\x84\x44\xa1\x01\x38\x22\xa0\x40\x40")
        error = str(self.deployed.command("verify", str(path), ends=1)["error"])
        expect("proves nothing" in error, error)
        return error.rpartition("/")[2]

    # Policies of Organizations

    @step(
        "the stored policies are those of the settings, and the first has fewer than 1,000 characters",
        "emulated",
        only=("organization",),
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
        "what is stored denies Xen by each way to start it, and lets Nitro and metal pass",
        "our-model",
        only=("organization",),
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
        """The report, which ends with 1 here: there is always something to look at."""
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

    def _alarm(self, name: str) -> str:
        (alarm,) = [each for each in self.deployed.resources["AWS::CloudWatch::Alarm"] if name in each]
        state: str = self.deployed.client("cloudwatch").describe_alarms(AlarmNames=[alarm])["MetricAlarms"][0][
            "StateValue"
        ]
        return state

    def _trail(self) -> None:
        trail, s3 = self.deployed.client("cloudtrail"), self.deployed.client("s3")
        s3.create_bucket(Bucket="trail-of-all-regions")
        self.cleanup.append(lambda: s3.delete_bucket(Bucket="trail-of-all-regions"))
        trail.create_trail(Name="all", S3BucketName="trail-of-all-regions", IsMultiRegionTrail=True)
        self.cleanup.append(lambda: trail.delete_trail(Name="all"))
        trail.start_logging(Name="all")

    def _trail_event(self, name: str, key: str, **more: str) -> None:
        """An event of KMS as CloudTrail hands it to EventBridge.

        https://docs.aws.amazon.com/kms/latest/developerguide/ct-put-key-policy.html
        """
        detail = {
            "eventVersion": "1.11",
            "userIdentity": {"type": "IAMUser", "arn": f"arn:aws:iam::{key.split(':')[4]}:user/{INTRUDER}"},
            "eventTime": "2026-11-25T12:00:00Z",
            "eventSource": "kms.amazonaws.com",
            "eventName": name,
            "awsRegion": key.split(":")[3],
            "requestParameters": {"keyId": key},
            "resources": [{"accountId": key.split(":")[4], "type": "AWS::KMS::Key", "ARN": key}],
            **more,
        }
        self.deployed.aws.control(
            "put-event",
            account=self.deployed.aws.account,
            region=self.deployed.aws.region,
            source="aws.kms",
            detail_type="AWS API Call via CloudTrail",
            detail=detail,
        )

    def _intruder(self) -> Any:
        """A client of a user whose own policy gives everything of KMS."""
        self.iam.create_user(UserName=INTRUDER)
        self.cleanup.append(lambda: self.iam.delete_user(UserName=INTRUDER))
        statement = {"Effect": "Allow", "Action": "kms:*", "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self.iam.put_user_policy(UserName=INTRUDER, PolicyName="all", PolicyDocument=document)
        self.cleanup.append(lambda: self.iam.delete_user_policy(UserName=INTRUDER, PolicyName="all"))
        made = self.iam.create_access_key(UserName=INTRUDER)["AccessKey"]
        self.cleanup.append(lambda: self.iam.delete_access_key(UserName=INTRUDER, AccessKeyId=made["AccessKeyId"]))
        return self.deployed.aws.client(
            "kms", aws_access_key_id=made["AccessKeyId"], aws_secret_access_key=made["SecretAccessKey"]
        )

    def _subscribed(self) -> Callable[[], list[str]]:
        """A queue that hears the topic, and what it has heard so far."""
        sqs, sns = self.deployed.client("sqs"), self.deployed.client("sns")
        topic = self.deployed.outputs["AlarmTopicArn"]
        queue = sqs.create_queue(QueueName=f"{QUEUE}-{len(self.cleanup)}")["QueueUrl"]
        self.cleanup.append(lambda: sqs.delete_queue(QueueUrl=queue))
        arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
        }
        sqs.set_queue_attributes(
            QueueUrl=queue, Attributes={"Policy": json.dumps({"Version": "2012-10-17", "Statement": [statement]})}
        )
        subscribed = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, ReturnSubscriptionArn=True)
        self.cleanup.append(lambda: sns.unsubscribe(SubscriptionArn=subscribed["SubscriptionArn"]))
        heard: list[str] = []

        def messages() -> list[str]:
            for message in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", []):
                heard.append(message["Body"])
            return heard

        return messages


_PLACE = "arn:aws:ec2:us-east-1:123456789012"


def _refusal(call: Callable[..., Any], **parameters: Any) -> str:
    try:
        call(**parameters)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return "nothing"


SCENARIO = NitroAttestationScenario
