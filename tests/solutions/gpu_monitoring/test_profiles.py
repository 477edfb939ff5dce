"""Attach and Release: who gets the profile, who keeps their own, and who loses ours."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from gpu_monitoring.attach.handler import NotAttachedError, attach
from gpu_monitoring.attach.request import RequestError, instances_of
from gpu_monitoring.release.handler import act

TAG = ("gpu-monitoring", "enabled")


def state_changed(instance_id: Any) -> dict[str, Any]:
    return {
        "detail-type": "EC2 Instance State-change Notification",
        "detail": {"instance-id": instance_id, "state": "running"},
    }


def tagged(*ids: str) -> dict[str, Any]:
    arns = [f"arn:aws:ec2:us-east-1:123456789012:instance/{name}" for name in ids]
    return {"detail-type": "Tag Change on Resource", "resources": arns, "detail": {"service": "ec2"}}


@pytest.mark.parametrize(
    ("event", "ids"),
    [
        ({"look_at": "all"}, None),
        (state_changed("i-0123456789abcdef0"), ["i-0123456789abcdef0"]),
        (tagged("i-0123456789abcdef0", "i-01234567"), ["i-0123456789abcdef0", "i-01234567"]),
    ],
)
def test_an_event_says_where_to_look(event: Any, ids: list[str] | None) -> None:
    assert instances_of(event) == ids


@pytest.mark.parametrize(
    "event", [None, [], {}, {"look_at": "some"}, state_changed(None), state_changed("*"), tagged(), tagged("vol-1")]
)
def test_another_event_looks_nowhere(event: Any) -> None:
    """Above all not everywhere."""
    with pytest.raises(RequestError):
        instances_of(event)


class Account:
    """moto with two profiles."""

    def __init__(self) -> None:
        self.ec2, iam = boto3.client("ec2"), boto3.client("iam")
        self.arns = []
        for name in ("ours", "theirs"):
            self.arns.append(iam.create_instance_profile(InstanceProfileName=name)["InstanceProfile"]["Arn"])
        self.ours, self.theirs = self.arns

    def launch(self, *, tag: bool = True, profile: str | None = None) -> str:
        tags = [{"Key": TAG[0], "Value": TAG[1] if tag else "no"}]
        launched = self.ec2.run_instances(
            ImageId="ami-12345678",
            MinCount=1,
            MaxCount=1,
            TagSpecifications=[{"ResourceType": "instance", "Tags": tags}],
            **({"IamInstanceProfile": {"Arn": profile}} if profile else {}),
        )
        return str(launched["Instances"][0]["InstanceId"])

    def profiles(self) -> dict[str, str]:
        found = self.ec2.describe_iam_instance_profile_associations()["IamInstanceProfileAssociations"]
        return {item["InstanceId"]: item["IamInstanceProfile"]["Arn"] for item in found}

    def attach(self, ids: list[str] | None = None) -> dict[str, list[str]]:
        return attach(self.ec2, profile_arn=self.ours, tag=TAG, ids=ids)


@pytest.fixture
def account() -> Iterator[Account]:
    with mock_aws():
        yield Account()


def test_tagged_instances_without_a_profile_get_ours_and_no_other_is_touched(account: Account) -> None:
    bare, stopped, own, untagged = (
        account.launch(), account.launch(), account.launch(profile=account.theirs), account.launch(tag=False),
    )  # fmt: skip
    account.ec2.stop_instances(InstanceIds=[stopped])
    assert sorted(account.attach()["attached"]) == sorted([bare, stopped])
    assert account.profiles() == {bare: account.ours, stopped: account.ours, own: account.theirs}
    assert untagged not in account.profiles()


def test_a_second_event_finds_nothing_to_do(account: Account) -> None:
    bare, other = account.launch(), account.launch()
    assert account.attach([bare])["attached"] == [bare]
    assert account.attach([bare]) == {"attached": [], "over": []}
    assert other not in account.profiles()


def test_an_instance_that_is_gone_or_ended_is_no_failure(account: Account) -> None:
    ended = account.launch()
    account.ec2.terminate_instances(InstanceIds=[ended])
    assert account.attach([ended, "i-0123456789abcdef0"]) == {"attached": [], "over": []}


class Refusing:
    """EC2 that shows three instances, and refuses two of them in different ways."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def get_paginator(self, _: str) -> Any:
        pages = [{"Reservations": [{"Instances": [{"InstanceId": name} for name in ("i-1", "i-2", "i-3")]}]}]
        return type("Paginator", (), {"paginate": staticmethod(lambda **_: pages)})

    def associate_iam_instance_profile(self, InstanceId: str, **_: Any) -> None:  # noqa: N803
        self.asked.append(InstanceId)
        code = {"i-1": "UnauthorizedOperation", "i-2": "IncorrectState"}.get(InstanceId)
        if code:
            raise ClientError({"Error": {"Code": code, "Message": ""}}, "AssociateIamInstanceProfile")


def test_one_that_is_refused_stops_no_other_and_who_was_quicker_is_no_failure() -> None:
    ec2 = Refusing()
    with pytest.raises(NotAttachedError, match=r"i-1.*UnauthorizedOperation") as raised:
        attach(ec2, profile_arn="arn", tag=TAG, ids=None)
    assert ec2.asked == ["i-1", "i-2", "i-3"] and "i-2" not in str(raised.value)


# Release


def request(kind: str, account: Account, physical_id: str | None = None) -> dict[str, Any]:
    return {
        "RequestType": kind,
        "ResourceProperties": {"ProfileArn": account.ours},
        **({"PhysicalResourceId": physical_id} if physical_id else {}),
    }


def test_only_the_end_of_the_profile_takes_it_off_and_only_ours(account: Account) -> None:
    bare, own = account.launch(), account.launch(profile=account.theirs)
    account.attach()
    for kind in ("Create", "Update"):
        assert act(account.ec2, request(kind, account, account.ours)) == account.ours
        assert bare in account.profiles()
    assert act(account.ec2, request("Delete", account, account.ours)) == account.ours
    assert account.profiles() == {own: account.theirs}
    assert act(account.ec2, request("Delete", account, account.ours)) == account.ours, "a second time does no harm"


def test_a_profile_that_was_replaced_is_released_and_the_new_one_stays(account: Account) -> None:
    """CloudFormation deletes the old physical id after the update; the properties are the new ones by then."""
    old, new = account.launch(profile=account.theirs), account.launch(profile=account.ours)
    assert act(account.ec2, request("Update", account, account.theirs)) == account.ours
    act(account.ec2, request("Delete", account, account.theirs))
    assert account.profiles() == {new: account.ours} and old not in account.profiles()


def test_a_creation_that_failed_releases_nothing(account: Account) -> None:
    """Its physical id is what custom_resource answers for it: the logical id."""
    bare = account.launch(profile=account.ours)
    act(account.ec2, request("Delete", account, "Profile"))
    assert bare in account.profiles()


def test_another_request_is_refused(account: Account) -> None:
    with pytest.raises(ValueError, match="no such request"):
        act(account.ec2, request("Scan", account))
