"""``confirm`` against the embedded AWS as if it were an account: over HTTP, by a profile that may not ask it all."""

import json
import os
from pathlib import Path

import pytest

from emulator.client import EmbeddedAws
from stacks.__main__ import main
from tests.tryout.verify.profiles import Profiles

ALLOWED = {"Effect": "Allow", "Action": ["ssm:ListResourceComplianceSummaries"], "Resource": "*"}


def test_what_is_refused_is_told_beside_what_is_answered(
    aws: EmbeddedAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    profiles, iam = Profiles(aws, tmp_path), aws.client("iam")
    iam.create_user(UserName="looks")
    document = json.dumps({"Version": "2012-10-17", "Statement": [ALLOWED]})
    iam.put_user_policy(UserName="looks", PolicyName="some", PolicyDocument=document)
    key = iam.create_access_key(UserName="looks")["AccessKey"]
    profiles.add("looks", key["AccessKeyId"], key["SecretAccessKey"])
    for name in [name for name in os.environ if name.startswith(("AWS_", "CDK_"))]:
        monkeypatch.delenv(name)
    for name, value in (profiles.variables | {"AWS_PROFILE": "looks", "AWS_REGION": aws.region}).items():
        monkeypatch.setenv(name, value)
    assert main(["credential_guard", "confirm", "--json"]) == 2
    refused, taken = [row for row in json.loads(capsys.readouterr().out) if row["answer"] != "deploy"]
    assert refused["answer"] == "refused" and "GetParameter: AccessDenied" in refused["says"]
    assert taken["answer"] == "confirmed", taken
