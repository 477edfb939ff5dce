"""The post's cycle in seconds: a new volume, its snapshot, the replacement, and the clean-up that deletes only ours."""

import json
from typing import Any, ClassVar

from tryout.scenario import expect, step
from tryout.scenarios.root_volume_replacement.looks import (
    RootVolumeReplacementLooks,
)
from tryout.steps import BESIDE
from tryout.waits import wait_until

# What minutes are in an account is seconds here. The clean-up keeps one snapshot, and nothing younger than an hour.
QUICK = {"poll_seconds": 1, "attach_minutes": 1, "settle_seconds": 1, "wave_size": 1, "allow_deletion": True}
CLEAN_UP = {"keep": 1, "grace_hours": 1}


class RootVolumeReplacementScenario(RootVolumeReplacementLooks):
    """Instances that have opted in get snapshots and new root volumes; one that has not is left alone."""

    variants: ClassVar[dict[str, dict[str, Any]]] = {
        "clean-up": {**QUICK, "clean_up": {**CLEAN_UP, "mode": "delete"}},
        "dry-run": {**QUICK, "old_volume": "delete", "clean_up": CLEAN_UP},
    }
    in_account: ClassVar[dict[str, dict[str, Any]]] = {
        "dry-run": {"opt_in": {"key": "verify-root-volumes", "value": "nobody"}}
    }
    emulated = BESIDE

    # Snapshots

    @step("a new root volume of an opted-in instance gets one tagged snapshot, a stranger's none", "real-code")
    def takes_a_snapshot(self) -> str:
        self.stranger = self._launch()
        self.instance = self._launch(self.opted_in)
        wait_until("a complete execution for each volume", lambda: self._ended("SnapshotMachineArn") >= self.before + 2)
        (snapshot,) = self._snapshots()
        tags = {tag["Key"]: tag["Value"] for tag in snapshot["Tags"]}
        expect(tags["replace-snapshot"] == "true", f"its tags are {tags}")
        expect(snapshot["VolumeId"] == self._root(self.instance), f"it is of {snapshot['VolumeId']}")
        return f"{snapshot['SnapshotId']} of {snapshot['VolumeId']}; nothing of {self.stranger}"

    @step("the same event again, three at once, and a data volume bring no second one", "real-code", only=("clean-up",))
    def stays_one(self) -> str:
        ended = self._ended("SnapshotMachineArn")
        root = self._root(self.instance)
        event = {
            "detail-type": "EBS Volume Notification",
            "resources": [f"arn:aws:ec2:{self.deployed.aws.region}:{self.deployed.aws.account}:volume/{root}"],
            "detail": {"event": "createVolume", "result": "available"},
        }
        for _ in range(3):
            self._start("SnapshotMachineArn", event)
        zone = self.ec2.describe_volumes(VolumeIds=[root])["Volumes"][0]["AvailabilityZone"]
        data = self.ec2.create_volume(AvailabilityZone=zone, Size=1)["VolumeId"]
        self.ec2.attach_volume(VolumeId=data, InstanceId=self.instance, Device="/dev/sdf")
        wait_until("the end of all four", lambda: self._ended("SnapshotMachineArn") >= ended + 4)
        expect(len(self._snapshots()) == 1, f"there are {len(self._snapshots())}")
        return "one snapshot still"

    @step("where nothing has opted in the clean-up plans nothing", "real-code", only=("dry-run",), where="account")
    def plans_nothing(self) -> str:
        result = self._clean_up()
        expect((result["planned"], result["deleted"]) == (0, 0), f"{result}")
        return f"{result}"

    @step("an event of the user's own takes another", "real-code")
    def takes_another(self) -> str:
        detail = json.dumps({"instance-id": self.instance})
        entry = {"Source": "me", "DetailType": "Root Volume Snapshot Wanted", "Detail": detail}
        self.deployed.client("events").put_events(Entries=[entry])
        wait_until("a second snapshot", lambda: len(self._snapshots()) == 2)
        return "two snapshots, one of them wanted by an event"

    @step("an instance that opts in later gets the snapshot that it has not got", "real-code", only=("clean-up",))
    def opts_in_later(self) -> str:
        late = self._launch()
        ended, root = self._ended("SnapshotMachineArn"), self._root(late)
        self.ec2.create_tags(Resources=[late], Tags=[self.opted_in])
        wait_until("its execution", lambda: self._ended("SnapshotMachineArn") > ended)
        wait_until("its snapshot", lambda: root in {one["VolumeId"] for one in self._snapshots()})
        return f"tag -> event -> {root}"

    # Replacements

    @step(
        "a replacement notes the old volume, tags it, checks the new one and keeps the old",
        "our-model",
        only=("clean-up",),
    )
    def replaces(self) -> str:
        old = self._root(self.instance)
        output = self._replaced(self.instance, "latest-snapshot")
        new = self._root(self.instance)
        (kept,) = self.ec2.describe_volumes(VolumeIds=[old])["Volumes"]
        tags = {tag["Key"]: tag["Value"] for tag in kept["Tags"]}
        expect(new != old and output["new"]["id"] == new, f"the root volume is {new}: {output}")
        expect(tags.get("replaced-volume") == "true" and tags.get("root-volume-of") == self.instance, f"tags: {tags}")
        self._hear("Root volume replaced")
        task = self.ec2.describe_replace_root_volume_tasks()["ReplaceRootVolumeTasks"][0]
        return f"{old} -> {new} by {task['ReplaceRootVolumeTaskId']}, from {task['SnapshotId']}; the old one is kept"

    @step("the old volume is the quick way back", "our-model", only=("clean-up",))
    def goes_back(self) -> str:
        (old,) = self.ec2.describe_volumes(Filters=[{"Name": "tag:root-volume-of", "Values": [self.instance]}])[
            "Volumes"
        ]
        back = {"instance_id": self.instance, "to": "volume", "volume_id": old["VolumeId"]}
        end = self._end(self._start("ReplacementMachineArn", back))
        expect(end["status"] == "SUCCEEDED", f"it ended {end.get('error')}: {end.get('cause')}")
        expect(self._root(self.instance) == old["VolumeId"], f"the root volume is {self._root(self.instance)}")
        return f"{old['VolumeId']} again"

    @step("two requests at once are one task; another wish meanwhile is refused", "our-model", only=("clean-up",))
    def locks(self) -> str:
        before = self._tasks()
        wanted = {"instance_id": self.instance, "to": "launch-state"}
        self.deployed.aws.control("hold-root-volume-tasks", held=True)
        both = [self._start("ReplacementMachineArn", wanted) for _ in range(2)]
        wait_until("the lock", lambda: self._tasks() > before)
        wait_until("the second to join the first", lambda: any(self._has_joined(execution) for execution in both))
        other = self._start("ReplacementMachineArn", {"instance_id": self.instance, "to": "latest-snapshot"})
        refused = self._end(other)
        self.deployed.aws.control("hold-root-volume-tasks", held=False)
        ends = [*(self._end(execution) for execution in both), refused]
        outcomes = sorted(json.loads(end["output"]).get("outcome", "") for end in ends[:2])
        expect(outcomes == ["joined", "replaced"], f"they ended {outcomes}")
        expect(ends[2].get("error") == "Busy", f"the other one ended {ends[2]}")
        expect(self._tasks() == before + 1, f"{self._tasks() - before} tasks were started")
        return "replaced, joined, and Busy; one task"

    @step("an instance that has not opted in is refused", "real-code", only=("clean-up",))
    def refuses(self) -> str:
        end = self._end(self._start("ReplacementMachineArn", {"instance_id": self.stranger, "to": "launch-state"}))
        expect(end.get("error") == "NotOptedIn", f"it ended {end}")
        return str(end["cause"])

    @step(
        "a task that ends failed-detached fails visibly, rings the alarm and deletes nothing",
        "our-model",
        only=("clean-up",),
    )
    def fails_visibly(self) -> str:
        victim = self._launch(self.opted_in)
        volumes = {volume["VolumeId"] for volume in self.ec2.describe_volumes()["Volumes"]}
        self.deployed.aws.control("root-volume-task", ends="failed-detached")
        end = self._end(self._start("ReplacementMachineArn", {"instance_id": victim, "to": "launch-state"}))
        expect(end.get("error") == "TaskFailedDetached", f"it ended {end}")
        after = {volume["VolumeId"] for volume in self.ec2.describe_volumes()["Volumes"]}
        expect(volumes <= after, f"{volumes - after} are gone")
        wait_until("the alarm", lambda: self._alarm("Replacements") == "ALARM")
        self.ec2.terminate_instances(InstanceIds=[victim])
        return f"{end['cause']}; the alarm rings"

    @step("a fleet by tag goes in waves and stops after the first that fails", "our-model", only=("clean-up",))
    def stops_the_fleet(self) -> str:
        role = {"Key": "role", "Value": "ci"}
        fleet = sorted(self._launch(self.opted_in, role) for _ in range(3))
        roots = {instance: self._root(instance) for instance in fleet}
        request = {"to": "launch-state", "tag": {"key": "role", "value": "ci"}}
        self.deployed.aws.control("root-volume-task", ends="failed")
        stopped = self._end(self._start("FleetMachineArn", request))
        expect(stopped.get("error") == "FleetStopped", f"it ended {stopped}")
        expect("(TaskFailed)" in stopped["cause"], f"it names another error: {stopped['cause']}")
        expect(all(self._root(instance) == roots[instance] for instance in fleet), "some were replaced")
        done = self._end(self._start("FleetMachineArn", {**request, "wave_size": 3}))
        expect(done["status"] == "SUCCEEDED", f"it ended {done}")
        expect(all(self._root(instance) != roots[instance] for instance in fleet), "some were not replaced")
        self.ec2.terminate_instances(InstanceIds=fleet)
        return f"{stopped['cause']}; then all three in one wave"

    # Clean-up

    @step("nothing younger than the grace period is planned", "real-code", only=("clean-up",))
    def spares_the_young(self) -> str:
        result = self._clean_up()
        expect((result["planned"], result["deleted"]) == (0, 0), f"{result}")
        return f"kept: {result['kept']}"

    @step("the plan is sent, then done; what carries our tags and is not ours stays", "real-code", only=("clean-up",))
    def cleans_up(self) -> str:
        root, count = self._root(self.instance), len(self._snapshots())
        # Somebody else's, with our tags on them: no record says that they are ours.
        tags = [{"Key": "replaced-volume", "Value": "true"}, {"Key": "root-volume-of", "Value": self.instance}]
        zone = self.ec2.describe_volumes(VolumeIds=[root])["Volumes"][0]["AvailabilityZone"]
        lookalike = self.ec2.create_volume(AvailabilityZone=zone, Size=1)["VolumeId"]
        self.ec2.create_tags(Resources=[lookalike], Tags=tags)
        self._age()
        result = self._clean_up()
        left = {volume["VolumeId"] for volume in self.ec2.describe_volumes()["Volumes"]}
        expect({lookalike, root} <= left, f"{ {lookalike, root} - left } is gone")
        expect(result["deleted"] == result["planned"] > 0, f"{result}")
        expect(len(self._snapshots()) < count, f"there still are {count} snapshots")
        self._hear("are being deleted")
        freed = self._clean_up()  # snapshots that only a volume was made of which is gone now
        again = self._clean_up()
        expect(again["planned"] == 0, f"after {freed['planned']} in a second run a third planned {again['planned']}")
        return f"{result['deleted']} deleted; kept: {result['kept']}"

    @step(
        "with both keys a replacement deletes the old volume once the new one has passed",
        "our-model",
        only=("dry-run",),
    )
    def deletes_the_old_one(self) -> str:
        old = self._root(self.instance)
        output = self._replaced(self.instance, "latest-snapshot")
        left = {volume["VolumeId"] for volume in self.ec2.describe_volumes()["Volumes"]}
        expect(old not in left and output["old_volume"] == "deleted", f"{old} is still there: {output}")
        return f"{old} is gone, {output['new']['id']} has passed its checks"

    @step("the dry run sends a plan and deletes nothing; its role could not", "real-code", only=("dry-run",))
    def plans_only(self) -> str:
        self._age()
        count = len(self._snapshots())
        result = self._clean_up()
        expect(result["planned"] > 0 and result["deleted"] == 0, f"{result}")
        expect(len(self._snapshots()) == count, "snapshots are gone")
        self._hear("could be deleted")
        return f"{result['planned']} planned, none deleted"


SCENARIO = RootVolumeReplacementScenario
