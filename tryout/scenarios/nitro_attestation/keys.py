"""The launch templates and the attested keys of a deployed stack: what is denied, reported and proven."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from tryout.scenario import Deployed, Scenario, expect, step
from tryout.waits import wait_until

QUEUE = "hears-keys"
INTRUDER = "kms-by-iam"


class AttestedKeys(Scenario):
    """The steps of the variant ``attested``."""

    def __init__(self, deployed: Deployed, variant: str) -> None:
        super().__init__(deployed, variant)
        self.ec2, self.kms, self.iam = (deployed.client(name) for name in ("ec2", "kms", "iam"))
        self.cleanup: list[Callable[[], object]] = []

    def __exit__(self, *_: object) -> None:
        """Removes the users and queues of the try-out."""
        for undo in reversed(self.cleanup):
            undo()

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

    @step("the deployed policies give the right answer to every request in the table", "our-model", only=("attested",))
    def proves(self) -> str:
        told = self.deployed.command("prove")
        expect(told["wrong"] == 0 and told["requests"] >= 100, f"{told}")
        return f"{told['requests']} requests on two keys"

    @step(
        "a user with kms:* in IAM is denied Decrypt, ReEncrypt and CreateGrant by the embedded KMS",
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

    @step("a changed policy is reported to the topic, and prove shows what it opens", "our-model", only=("attested",))
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

    @step("a call on another key, and one that only reads, are not reported", "emulated", only=("attested",))
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

    @step("verify refuses a file that is not a document", "real-code", only=("attested",))
    def verifies(self) -> str:
        path = Path(self.deployed.folder) / "document.cbor"
        path.write_bytes(b"\x84\x44\xa1\x01\x38\x22\xa0\x40\x40")
        error = str(self.deployed.command("verify", str(path), ends=1)["error"])
        expect("proves nothing" in error, error)
        return error.rpartition("/")[2]

    # What the steps use

    def _trail_event(self, name: str, key: str, **more: str) -> None:
        """A KMS event as CloudTrail sends it to EventBridge.

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
        """A client of a user whose own policy allows everything in KMS."""
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
        """A queue that is subscribed to the topic, and the messages so far."""
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


def _refusal(call: Callable[..., Any], **parameters: Any) -> str:
    try:
        call(**parameters)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return "nothing"
