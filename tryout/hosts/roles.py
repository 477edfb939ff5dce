"""Clients with the permissions of an instance: what an agent or a script on it calls is judged as on AWS."""

from typing import Any

from tryout.account.aws import Aws


def client_of(aws: Aws, instance: dict[str, Any], service: str) -> Any:
    """A client with the role of an instance's profile.

    Args:
        instance: as DescribeInstances describes it.
    """
    name = instance["IamInstanceProfile"]["Arn"].rpartition("/")[2]
    role = aws.client("iam").get_instance_profile(InstanceProfileName=name)["InstanceProfile"]["Roles"][0]["Arn"]
    given = aws.client("sts").assume_role(RoleArn=role, RoleSessionName=instance["InstanceId"])["Credentials"]
    return aws.client(
        service,
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
    )
