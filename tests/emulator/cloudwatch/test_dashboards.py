"""Dashboards are judged by their names."""

import json

import pytest
from botocore.exceptions import ClientError

from emulator.client import EmbeddedAws


def test_a_dashboard_is_judged_by_its_name(aws: EmbeddedAws) -> None:
    iam, sts = aws.client("iam"), aws.client("sts")
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": "*"}]}
    role = iam.create_role(RoleName="writer", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    arn = f"arn:aws:cloudwatch::{aws.account}:dashboard/mine*"
    names = ("cloudwatch:PutDashboard", "cloudwatch:DeleteDashboards")
    allowed = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": names, "Resource": arn}]}
    iam.put_role_policy(RoleName="writer", PolicyName="p", PolicyDocument=json.dumps(allowed))
    taken = sts.assume_role(RoleArn=role, RoleSessionName="writing")["Credentials"]
    client = aws.client(
        "cloudwatch",
        aws_access_key_id=taken["AccessKeyId"],
        aws_secret_access_key=taken["SecretAccessKey"],
        aws_session_token=taken["SessionToken"],
    )
    client.put_dashboard(DashboardName="mine-2", DashboardBody='{"widgets": []}')
    client.delete_dashboards(DashboardNames=["mine-2"])
    with pytest.raises(ClientError, match="not authorized"):
        client.put_dashboard(DashboardName="yours", DashboardBody='{"widgets": []}')
    with pytest.raises(ClientError, match="not authorized"):
        client.delete_dashboards(DashboardNames=["yours"])


def test_a_body_that_cloudwatch_forbids_is_refused(aws: EmbeddedAws) -> None:
    client = aws.client("cloudwatch")
    with pytest.raises(ClientError, match=r"widgets/0.*markdown") as refused:
        client.put_dashboard(DashboardName="d", DashboardBody='{"widgets": [{"type": "text", "properties": {}}]}')
    assert refused.value.response["Error"]["Code"] == "InvalidParameterInput"
    assert client.list_dashboards()["DashboardEntries"] == []
