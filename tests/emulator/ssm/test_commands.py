"""Who may send a command: judged on the document and on each instance.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssystemsmanager.html
"""

import json

import pytest
from botocore.exceptions import ClientError

from emulator.client import EmbeddedAws
from tests.emulator.receivers import role

CONTENT = {"schemaVersion": "2.2", "mainSteps": []}


@pytest.mark.parametrize(
    ("document", "instance", "sent"),
    [("look", "own", True), ("look", "other", False), ("other", "own", False), ("AWS-RunShellScript", "own", False)],
)
def test_a_command_needs_its_document_and_each_instance(
    aws: EmbeddedAws, document: str, instance: str, sent: bool
) -> None:
    ec2, ssm = aws.client("ec2"), aws.client("ssm")
    made = ec2.run_instances(ImageId="ami-12345678", MinCount=2, MaxCount=2)["Instances"]
    ids = dict(zip(("own", "other"), (one["InstanceId"] for one in made), strict=True))
    for name in ("look", "other"):
        ssm.create_document(Name=name, DocumentType="Command", Content=json.dumps(CONTENT))
    place = f"{aws.region}:{aws.account}"
    resources = [f"arn:aws:ssm:{place}:document/look", f"arn:aws:ec2:{place}:instance/{ids['own']}"]
    allowed = {"Effect": "Allow", "Action": "ssm:SendCommand", "Resource": resources}
    arn = role(aws, "asker", "lambda.amazonaws.com", allowed)
    taken = aws.client("sts").assume_role(RoleArn=arn, RoleSessionName="asker")["Credentials"]
    asker = aws.client(
        "ssm",
        aws_access_key_id=taken["AccessKeyId"],
        aws_secret_access_key=taken["SecretAccessKey"],
        aws_session_token=taken["SessionToken"],
    )
    if sent:
        asker.send_command(DocumentName=document, InstanceIds=[ids[instance]])
        return
    with pytest.raises(ClientError, match="AccessDenied"):
        asker.send_command(DocumentName=document, InstanceIds=[ids[instance]])
