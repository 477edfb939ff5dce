"""The snapshot of a new root volume: which volumes get one, and that a duplicate never gets a second."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from moto import mock_aws

from root_volume_replacement.instances import OptIn
from root_volume_replacement.ledger import Ledger
from root_volume_replacement.snapshot.handler import CLAIM_SECONDS, GONE_SECONDS, Rules, look
from root_volume_replacement.snapshot.request import requested
from root_volume_replacement.waiting import seconds_until_next

NOW = 1_800_000_000
OPTED_IN = {"Key": "opt", "Value": "in"}


class World:
    """moto's EC2 with an opted-in instance, and the ledger."""

    def __init__(self) -> None:
        self.ec2 = boto3.client("ec2")
        self.dynamodb = boto3.client("dynamodb")
        self.dynamodb.create_table(
            TableName="ledger",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        self.ledger = Ledger(self.dynamodb, "ledger")
        self.instance, self.root = self.launch(OPTED_IN)
        self.pauses: list[float] = []

    def launch(self, *tags: dict[str, str]) -> tuple[str, str]:
        launched = self.ec2.run_instances(
            ImageId="ami-12345678",
            MinCount=1,
            MaxCount=1,
            BlockDeviceMappings=[{"DeviceName": "/dev/sda1", "Ebs": {"VolumeSize": 8, "VolumeType": "gp3"}}],
            TagSpecifications=[{"ResourceType": "instance", "Tags": list(tags)}] if tags else [],
        )["Instances"][0]["InstanceId"]
        (described,) = self.ec2.describe_instances(InstanceIds=[launched])["Reservations"][0]["Instances"]
        return launched, described["BlockDeviceMappings"][0]["Ebs"]["VolumeId"]

    def volume(self) -> str:
        zone = self.ec2.describe_availability_zones()["AvailabilityZones"][0]["ZoneName"]
        return str(self.ec2.create_volume(AvailabilityZone=zone, Size=1)["VolumeId"])

    def look(self, event: Any, before: Any = None, *, later: int = 0, holder: str = "me", client: Any = None) -> Any:
        return look(
            self.ec2,
            client or self.ec2,
            self.ledger,
            {"event": event, "before": before},
            rules=Rules(OptIn("opt", "in"), poll_seconds=15, attach_seconds=900),
            holder=holder,
            now=NOW + later,
            pause=self.pauses.append,
        )

    def snapshots(self) -> list[Any]:
        tagged = [{"Name": "tag:replace-snapshot", "Values": ["true"]}]
        return list(self.ec2.describe_snapshots(OwnerIds=["self"], Filters=tagged)["Snapshots"])


@pytest.fixture
def world() -> Iterator[World]:
    with mock_aws():
        yield World()


def created(volume: str) -> dict[str, Any]:
    """The post's event; the ARN as EBS writes it."""
    return {
        "id": "01234567-0123-0123-0123-012345678901",
        "detail-type": "EBS Volume Notification",
        "source": "aws.ec2",
        "resources": [f"arn:aws:ec2:us-east-1:012345678901:volume/{volume}"],
        "detail": {"result": "available", "cause": "", "event": "createVolume", "request-id": "0"},
    }


def wanted(event_id: str, **detail: str) -> dict[str, Any]:
    return {"id": event_id, "source": "me", "detail-type": "Root Volume Snapshot Wanted", "detail": detail}


def test_a_root_volume_gets_one_tagged_snapshot_that_the_ledger_knows(world: World) -> None:
    result = world.look(created(world.root))
    (snapshot,) = world.snapshots()
    assert {tag["Key"]: tag["Value"] for tag in snapshot["Tags"]} == {
        "replace-snapshot": "true",
        "root-volume-of": world.instance,
        "snapshot-cause": "createVolume",
    }
    assert (result["next"], result["snapshot_id"]) == ("done", snapshot["SnapshotId"])
    record = world.ledger.read(snapshot["SnapshotId"])
    assert record and (record["instance_id"], record["volume_id"]) == (world.instance, world.root)


def test_a_duplicate_brings_no_second_one(world: World) -> None:
    for _ in range(3):
        assert world.look(created(world.root))["next"] == "done"
    assert len(world.snapshots()) == 1


def test_of_two_at_once_only_one_takes_it(world: World) -> None:
    world.ledger.claim(f"claim#{world.root}#createVolume", "the other", at=NOW, expires_at=NOW + 1)
    assert world.look(created(world.root))["next"] == "wait"
    assert world.snapshots() == []


def test_a_claim_of_one_that_has_died_is_taken_over(world: World) -> None:
    world.ledger.claim(f"claim#{world.root}#createVolume", "the dead", at=NOW, expires_at=NOW + 1)
    assert world.look(created(world.root), later=CLAIM_SECONDS)["next"] == "done"
    assert len(world.snapshots()) == 1


def test_an_event_of_your_own_takes_another_and_its_duplicate_does_not(world: World) -> None:
    world.look(created(world.root))
    world.look(wanted("a", **{"instance-id": world.instance}))
    world.look(wanted("a", **{"instance-id": world.instance}))
    world.look(wanted("b", **{"volume-id": world.root}))
    assert len(world.snapshots()) == 3


def test_a_volume_that_is_not_attached_yet_is_awaited_and_given_up_in_the_end(world: World) -> None:
    event = created(world.volume())
    first = world.look(event)
    assert (first["next"], first["wait_seconds"]) == ("wait", 15)
    assert world.look(event, first, later=899)["next"] == "wait"
    last = world.look(event, first, later=900)
    assert last["next"] == "done" and "no root volume" in last["outcome"]
    assert world.snapshots() == []


def test_a_data_volume_gets_none(world: World) -> None:
    data = world.volume()
    world.ec2.attach_volume(VolumeId=data, InstanceId=world.instance, Device="/dev/sdf")
    assert world.look(created(data))["outcome"] == "a data volume"
    assert world.snapshots() == []


class Stale:
    """EC2 that shows the attachment of the new root volume, and in the instance's mapping still the old one."""

    def __init__(self, world: World, old: str) -> None:
        self.world, self.old = world, old

    def get_paginator(self, operation: str) -> Any:
        pages = self.world.ec2.get_paginator(operation)
        if operation != "describe_instances":
            return pages

        def paginate(**parameters: Any) -> Iterator[Any]:
            for page in pages.paginate(**parameters):
                for instance in (i for group in page["Reservations"] for i in group["Instances"]):
                    instance["BlockDeviceMappings"][0]["Ebs"]["VolumeId"] = self.old
                yield page

        return type("Pages", (), {"paginate": staticmethod(paginate)})


def test_a_root_volume_that_the_mapping_does_not_show_yet_is_awaited_and_never_taken_for_a_data_volume(
    world: World,
) -> None:
    new, real = world.root, world.ec2
    world.ec2 = Stale(world, "vol-0123456789abcdef0")
    world.ec2.world = type("Of", (), {"ec2": real})()
    first = world.look(created(new), client=real)
    assert first["next"] == "wait" and "vol-0123456789abcdef0" in first["outcome"]
    late = world.look(created(new), first, later=900, client=real)
    assert (late["next"], late["error"]) == ("failed", "RootUnclear"), "it must not end in silence"
    world.ec2 = real
    assert world.look(created(new), first, later=30)["next"] == "done"
    assert len(world.snapshots()) == 1


@pytest.mark.parametrize("hidden", ["BlockDeviceMappings", "instance"])
def test_an_attached_volume_whose_instance_shows_nothing_is_awaited_and_never_given_up_in_silence(
    world: World, hidden: str
) -> None:
    """https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html: what was made may not be shown yet."""
    real, new = world.ec2, world.root

    class Blind:
        """EC2 that shows the attachment, and of the instance nothing, or no mapping."""

        def get_paginator(self, operation: str) -> Any:
            pages = real.get_paginator(operation)
            if operation != "describe_instances":
                return pages

            def paginate(**parameters: Any) -> Iterator[Any]:
                for page in pages.paginate(**parameters) if hidden != "instance" else ():
                    for instance in (i for group in page["Reservations"] for i in group["Instances"]):
                        instance[hidden] = []
                    yield page

            return type("Pages", (), {"paginate": staticmethod(paginate)})

    world.ec2 = Blind()
    first = world.look(created(new), client=real)
    assert first["next"] == "wait"
    late = world.look(created(new), first, later=900, client=real)
    assert (late["next"], late.get("error")) == ("failed", "RootUnclear")


def opted_in_event(instance: str) -> dict[str, Any]:
    arn = f"arn:aws:ec2:us-east-1:123456789012:instance/{instance}"
    detail = {"changed-tag-keys": ["opt"], "service": "ec2", "resource-type": "instance", "tags": {"opt": "in"}}
    return {"id": "1", "detail-type": "Tag Change on Resource", "resources": [arn], "detail": detail}


def test_an_instance_that_opts_in_later_gets_the_snapshot_that_it_has_not_got(world: World) -> None:
    instance, root = world.launch()
    assert world.look(created(root))["outcome"] == "its instance has not opted in"
    event = opted_in_event(instance)
    early = world.look(event)
    assert (early["next"], early["outcome"]) == ("wait", "its instance has not opted in"), "EC2 may not show it yet"
    world.ec2.create_tags(Resources=[instance], Tags=[OPTED_IN])
    assert world.look(event, early, later=15)["next"] == "done"
    (taken,) = world.snapshots()
    assert taken["VolumeId"] == root
    for again in (event, created(root), opted_in_event(instance)):
        world.look(again)
    assert len(world.snapshots()) == 1, "one for a volume, however often its instance is tagged"


def test_a_tag_that_is_gone_again_ends_the_wait(world: World) -> None:
    instance, _ = world.launch()
    first = world.look(opted_in_event(instance))
    assert world.look(opted_in_event(instance), first, later=900)["next"] == "done"
    assert world.snapshots() == []


def test_an_instance_that_has_not_opted_in_gets_none(world: World) -> None:
    _, root = world.launch({"Key": "opt", "Value": "out"})
    assert world.look(created(root))["outcome"] == "its instance has not opted in"
    assert world.snapshots() == []


def test_a_volume_or_an_instance_that_is_gone_ends_it(world: World) -> None:
    assert world.look(created("vol-0123456789abcdef0"), later=0)["next"] == "wait"
    assert world.look(created("vol-0123456789abcdef0"), {"since": NOW}, later=900)["outcome"] == "the volume is gone"
    nobody = wanted("a", **{"instance-id": "i-0123456789abcdef0"})
    assert world.look(nobody)["next"] == "wait", "EC2 may not show it yet"
    gone = world.look(nobody, {"since": NOW}, later=900)
    assert (gone["next"], gone["error"]) == ("failed", "NoRootVolume")


class Starting:
    """EC2 as it shows an instance that was started just now: without its volumes."""

    def __init__(self, ec2: Any, **instance: Any) -> None:
        self.ec2, self.instance = ec2, instance

    def get_paginator(self, operation: str) -> Any:
        def paginate(**parameters: Any) -> Iterator[Any]:
            for page in self.ec2.get_paginator(operation).paginate(**parameters):
                for group in page.get("Reservations", ()):
                    for instance in group["Instances"]:
                        instance.update({"BlockDeviceMappings": [], **self.instance})
                yield page

        return type("Pages", (), {"paginate": staticmethod(paginate)})


def test_an_instance_that_opts_in_while_it_starts_is_awaited_until_it_shows_its_volume(world: World) -> None:
    """run-instances, then create-tags at once: the look of createVolume was before the tag, so this is the last one."""
    real = world.ec2
    world.ec2 = Starting(real)
    first = world.look(opted_in_event(world.instance))
    assert first["next"] == "wait" and world.look(opted_in_event(world.instance), first, later=900)["next"] == "done"
    world.ec2 = real
    assert world.look(opted_in_event(world.instance), first, later=30)["next"] == "done"
    assert [one["VolumeId"] for one in world.snapshots()] == [world.root]


@pytest.mark.parametrize("instance", [{"RootDeviceType": "instance-store"}, {"State": {"Name": "terminated"}}])
def test_an_instance_that_will_never_show_one_is_not_awaited(world: World, instance: dict[str, Any]) -> None:
    world.ec2 = Starting(world.ec2, **instance)
    assert world.look(opted_in_event(world.instance))["next"] == "done"


def test_whoever_asks_for_a_snapshot_is_told_when_there_is_none(world: World) -> None:
    stranger, root = world.launch()
    for asked in ({"instance-id": stranger}, {"volume-id": root}):
        end = world.look(wanted("a", **asked))
        assert (end["next"], end["error"]) == ("failed", "NotOptedIn")
    data = world.volume()
    world.ec2.attach_volume(VolumeId=data, InstanceId=world.instance, Device="/dev/sdf")
    assert world.look(wanted("b", **{"volume-id": data}))["error"] == "NoRootVolume"
    assert world.snapshots() == []


def test_a_snapshot_is_followed_until_it_is_complete_has_failed_or_is_gone(world: World) -> None:
    before = world.look(created(world.root))
    (snapshot,) = world.snapshots()
    backend_state(snapshot["SnapshotId"], "pending")
    assert world.look(created(world.root), before)["next"] == "wait"
    backend_state(snapshot["SnapshotId"], "error")
    failed = world.look(created(world.root), before)
    assert (failed["next"], failed["error"]) == ("failed", "SnapshotFailed")
    world.ec2.delete_snapshot(SnapshotId=snapshot["SnapshotId"])
    assert world.look(created(world.root), before)["next"] == "wait", "EC2 may not show it yet"
    assert world.look(created(world.root), before, later=GONE_SECONDS)["next"] == "done"
    assert world.snapshots() == []


def test_after_a_failed_snapshot_the_next_request_takes_a_new_one(world: World) -> None:
    world.look(created(world.root))
    backend_state(world.snapshots()[0]["SnapshotId"], "error")
    assert world.look(created(world.root))["next"] == "done"
    assert len(world.snapshots()) == 2


class Flaky:
    """Creates snapshots and loses the answers, or refuses."""

    def __init__(self, world: World, *errors: Exception, takes_effect: bool = True) -> None:
        self.world, self.errors, self.takes_effect = world, list(errors), takes_effect

    def create_snapshot(self, **parameters: Any) -> Any:
        if not self.errors:
            return self.world.ec2.create_snapshot(**parameters)
        if self.takes_effect:
            self.world.ec2.create_snapshot(**parameters)
        raise self.errors.pop(0)


LOST = ReadTimeoutError(endpoint_url="https://ec2")
THROTTLED = ClientError({"Error": {"Code": "RequestLimitExceeded"}}, "CreateSnapshot")
DENIED = ClientError({"Error": {"Code": "UnauthorizedOperation"}}, "CreateSnapshot")


def test_a_lost_answer_is_looked_for_before_it_is_tried_again(world: World) -> None:
    assert world.look(created(world.root), client=Flaky(world, LOST))["next"] == "done"
    assert len(world.snapshots()) == 1 and world.pauses == [2.0]


def test_throttling_is_tried_again_and_a_denial_is_not(world: World) -> None:
    assert world.look(created(world.root), client=Flaky(world, THROTTLED, takes_effect=False))["next"] == "done"
    with pytest.raises(ClientError, match="UnauthorizedOperation"):
        world.look(wanted("a", **{"volume-id": world.root}), client=Flaky(world, DENIED, takes_effect=False))
    assert len(world.snapshots()) == 1


@pytest.mark.parametrize(
    ("event", "problem"),
    [
        (None, "not an event"),
        ({"detail-type": "x", "detail": {}}, "detail-type must be"),
        (wanted("a"), "either 'volume-id' or 'instance-id'"),
        (wanted("a", **{"volume-id": "vol-0123456789abcdef0", "instance-id": "i-0123456789abcdef0"}), "either"),
        (wanted("a", **{"volume-id": "i-0123456789abcdef0"}), "is no id such as"),
        (wanted("", **{"volume-id": "vol-0123456789abcdef0"}), "no id"),
        ({**created("vol-1"), "detail": {"event": "createVolume", "result": "failed"}}, "only createVolume"),
        ({**created("vol-1"), "resources": []}, "names no volume"),
        (created("../../etc"), "names no volume"),
        (opted_in_event("vol-0123456789abcdef0"), "names no instance"),
    ],
)
def test_what_is_no_request_is_refused(event: Any, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        requested(event)


def test_the_arn_may_have_an_odd_shape() -> None:
    event = {**created("vol-0123456789abcdef0"), "resources": ["arn:aws:ec2::us-east-1:volume/vol-0123456789abcdef0"]}
    assert requested(event).volume_id == "vol-0123456789abcdef0"


@pytest.mark.parametrize(("elapsed", "seconds"), [(0, 15), (150, 15), (600, 60), (100_000, 600)])
def test_waits_grow_so_that_an_execution_s_history_does_not_end(elapsed: int, seconds: int) -> None:
    assert seconds_until_next(elapsed, 15) == seconds


def backend_state(snapshot_id: str, state: str) -> None:
    from moto.backends import get_backend

    get_backend("ec2")["123456789012"]["us-east-1"].snapshots[snapshot_id].status = state
