"""``python -m stacks leftovers``: what still holds something, and what EC2 does not remove at all."""

import os
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from emulator.client import EmbeddedAws
from stacks.leftovers.listing import Leftover, answer, leftovers
from stacks.leftovers.looks import DESCRIBED
from tests.answering import Answering
from tests.embedded_aws import Stack

TAGS = [{"Key": "solution", "Value": "sqs_target_scaling"}]
REGION = "us-east-1"
NOW = datetime(2026, 3, 1, tzinfo=UTC)
WAIT_INSTANCE = f"aws ec2 wait instance-terminated --instance-ids i-1 --region {REGION}"
WAIT_GATEWAY = f"aws ec2 wait nat-gateway-deleted --nat-gateway-ids nat-1 --region {REGION}"
WAIT_VOLUME = f"aws ec2 wait volume-available --volume-ids vol-1 --region {REGION}"
DELETE_VOLUME = f"aws ec2 delete-volume --volume-id vol-1 --region {REGION}"
RELEASE = f"aws ec2 release-address --allocation-id eipalloc-1 --region {REGION}"


def left(resources: Mapping[str, Mapping[str, Any]], others: Mapping[str, str] | None = None) -> list[Leftover]:
    """What is listed of an account without stacks, as EC2 describes each; *others* have another solution's tag."""
    answers: dict[str, Any] = {"describe_stacks": [{"Stacks": []}]}
    tagged = []
    for resource, described in resources.items():
        kind, name = resource.split("/")
        items = [{"Instances": [described]}] if kind == "instance" else [described]
        answers[DESCRIBED[f"ec2:{kind}"][0]] = {"Items": items}
        tags = [{"Key": "solution", "Value": (others or {}).get(name, "sqs_target_scaling")}]
        tagged.append({"ResourceARN": f"arn:aws:ec2:{REGION}:123456789012:{resource}", "Tags": tags})
    return list(leftovers(Answering(answers | {"get_resources": [{"ResourceTagMappingList": tagged}]}), REGION, NOW))


def instance(state: str, deleted: bool) -> dict[str, Any]:
    ebs = {"VolumeId": "vol-1", "DeleteOnTermination": deleted}
    return {"State": {"Name": state}, "BlockDeviceMappings": [{"DeviceName": "/dev/sdf", "Ebs": ebs}]}


def test_a_volume_of_an_instance_that_shuts_down_is_deleted_when_it_has_ended() -> None:
    (volume,) = left({"instance/i-1": instance("shutting-down", False), "volume/vol-1": {"State": "in-use"}})
    assert volume.remove == f"{WAIT_INSTANCE} && {WAIT_VOLUME} && {DELETE_VOLUME}"


def test_a_volume_that_ends_with_an_instance_that_shuts_down_has_no_command() -> None:
    (volume,) = left({"instance/i-1": instance("shutting-down", True), "volume/vol-1": {"State": "in-use"}})
    assert volume.remove == "" and volume.why.endswith("; goes with i-1")


@pytest.mark.parametrize("state", ["shutting-down", "terminated"])
def test_what_has_ended_or_is_another_solution_s_is_not_waited_for(state: str) -> None:
    others = {"i-1": "gpu_monitoring"} if state == "shutting-down" else {}
    (volume,) = left({"instance/i-1": instance(state, False), "volume/vol-1": {"State": "available"}}, others)
    assert volume.remove == DELETE_VOLUME


def test_a_volume_in_use_waits_whoever_has_it() -> None:
    """An instance that has no tag, or has a person's, is not known; delete-volume would fail, and end the rest."""
    (volume,) = left({"volume/vol-1": {"State": "in-use"}})
    assert volume.remove == f"{WAIT_VOLUME} && {DELETE_VOLUME}"


def test_an_address_of_a_gateway_that_is_being_deleted_waits_for_its_end() -> None:
    (address,) = left({"natgateway/nat-1": {"State": "deleting"}, "elastic-ip/eipalloc-1": {"PublicIp": "192.0.2.1"}})
    assert address.remove == f"{WAIT_GATEWAY} && {RELEASE}"


@pytest.mark.parametrize(("refusals", "ends", "left_over"), [(0, 0, "ran\n"), (3, 0, "ran\n"), (6, 255, "")])
def test_an_address_is_released_once_ec2_knows_that_its_gateway_is_gone(
    tmp_path: Path, refusals: int, ends: int, left_over: str
) -> None:
    """eformat/sno-for-100#9: AuthFailure, although nat-gateway-deleted was waited for; a later call succeeded."""
    for name, does in {
        "aws": f'echo "$*" >> {tmp_path}/calls; [ "$2" != release-address ] || '
        f"[ $(grep -c release-address {tmp_path}/calls) -gt {refusals} ] || exit 255",
        "sleep": f"echo sleep >> {tmp_path}/calls",
    }.items():
        (tmp_path / name).write_text(f"#!/bin/bash\n{does}\n", encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    gateway, address = left(
        {"natgateway/nat-1": {"State": "available"}, "elastic-ip/eipalloc-1": {"AssociationId": "eipassoc-1"}}
    )
    script = "\n".join(["set -e", gateway.remove, address.remove, "echo ran"])
    here = {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    ended = subprocess.run(["/bin/bash", "-c", script], env=here, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (ends, left_over)
    calls = (tmp_path / "calls").read_text(encoding="utf-8").splitlines()
    assert calls[:2] == [one.removeprefix("aws ") for one in gateway.remove.split(" && ")]
    assert calls.count(RELEASE.removeprefix("aws ")) == min(refusals + 1, 6)


def test_an_address_that_nothing_has_is_released_at_once() -> None:
    (address,) = left({"elastic-ip/eipalloc-1": {"PublicIp": "192.0.2.1"}})
    assert address.remove == RELEASE


def test_a_volume_that_is_kept_is_deleted_behind_its_instance(aws: EmbeddedAws, stack: Stack) -> None:
    ec2 = aws.client("ec2")
    image = ec2.register_image(Name="data", RootDeviceName="/dev/sda1")["ImageId"]
    ebs = {"VolumeSize": 1, "DeleteOnTermination": False}
    tags: Any = [{"ResourceType": kind, "Tags": TAGS} for kind in ("instance", "volume")]
    ec2.run_instances(
        ImageId=image,
        MinCount=1,
        MaxCount=1,
        TagSpecifications=tags,
        BlockDeviceMappings=[{"DeviceName": "/dev/sda1", "Ebs": ebs}],
    )
    clients: Any = lambda service, region=None: aws.client(service)  # noqa: E731
    said = answer(clients, [aws.region], NOW)
    assert [row[1] for row in said.rows] == ["instance", "volume"] and "wait volume-available" in said.lines[1]
    here = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    script = "\n".join(["set -e", *said.lines])
    subprocess.run(["/bin/bash", "-c", script], env=aws.environment() | here, check=True)
    assert answer(clients, [aws.region], NOW).data == []


CANCEL = f"aws ec2 cancel-capacity-reservation --capacity-reservation-id cr-1 --region {REGION}"
LATER = NOW + timedelta(hours=1)


@pytest.mark.parametrize(
    "described",
    [
        {"State": "active"},
        {"State": "active", "CommitmentInfo": {"CommitmentEndDate": NOW}},
        {"State": "assessing", "CommitmentInfo": {"CommitmentEndDate": LATER}},
        {"State": "delayed", "CommitmentInfo": {"CommitmentEndDate": LATER}},
    ],
)
def test_a_reservation_that_ec2_cancels_has_a_command(described: dict[str, Any]) -> None:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CancelCapacityReservation.html."""
    (reservation,) = left({"capacity-reservation/cr-1": described})
    assert reservation.remove == CANCEL


@pytest.mark.parametrize(
    ("described", "why"),
    [
        ({"State": "active", "CommitmentInfo": {"CommitmentEndDate": LATER}}, "committed until 2026-03-01 01:00 UTC"),
        ({"State": "scheduled"}, "create-capacity-reservation-cancellation-quote"),
        ({"State": "pending"}, "EC2 cancels none that is pending"),
        ({"State": "unavailable"}, "EC2 cancels none that is unavailable"),
        ({"State": "cancelling"}, "bills until its commitment has wound down"),
        ({"State": "payment-pending"}, "a Capacity Block cannot be cancelled"),
        ({"State": "active", "ReservationType": "capacity-block"}, "a Capacity Block cannot be cancelled"),
    ],
)
def test_a_reservation_that_ec2_does_not_cancel_is_listed_with_the_reason(described: dict[str, Any], why: str) -> None:
    (reservation,) = left({"capacity-reservation/cr-1": described})
    assert reservation.remove == "" and why in reservation.why
