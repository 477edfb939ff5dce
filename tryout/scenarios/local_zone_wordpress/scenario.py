"""The site's life: what is scheduled, uploads that hang, and what the README tells people to do, each as it is told.

What a deployment changes is deployed, and its rolling updates end the instances that another launch template has made;
where EBS would copy blocks, these steps copy files.
"""

import shutil
import struct
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, ClassVar

from tryout.deployed import Deployed, Update
from tryout.hosts.programs import program
from tryout.scenario import expect, step
from tryout.scenarios.local_zone_wordpress.front import Front, signed
from tryout.scenarios.local_zone_wordpress.looks import Json
from tryout.scenarios.local_zone_wordpress.site import LocalZoneWordpressSite

OTHER_ZONE = "us-east-1-bos-1a"
SAFETY_SWITCH = "accept_volume_replacement"
SCHEDULE = """$at = gmdate('Y-m-d H:i:s', time() + 3600);
echo wp_insert_post(['post_title' => 'Later', 'post_content' => 'It is time.', 'post_status' => 'future',
  'post_date_gmt' => $at, 'post_date' => get_date_from_gmt($at)]);"""
# What an hour does: the post's date and the event that publishes it are in the past.
AN_HOUR_LATER = """global $wpdb;
$at = gmdate('Y-m-d H:i:s', time() - 1);
$wpdb->update($wpdb->posts, ['post_date_gmt' => $at, 'post_date' => get_date_from_gmt($at)], ['ID' => %s]);
clean_post_cache(%s);
wp_clear_scheduled_hook('publish_future_post', [%s]);
wp_schedule_single_event(time() - 1, 'publish_future_post', [%s]);"""
ASK_ITSELF = "echo wp_remote_retrieve_response_code(wp_remote_get(home_url('/wp-login.php')));"


class LocalZoneWordpressScenario(LocalZoneWordpressSite):
    """The site as in the base; then scheduled posts, lost uploads, certificates, growth, restore, another zone."""

    long_waits: ClassVar[dict[str, int]] = {"local-zone": 60}

    def __init__(self, deployed: Deployed, variant: str) -> None:
        super().__init__(deployed, variant)
        self.changes: Json = {}
        self.second: LocalZoneWordpressScenario | None = None

    def __exit__(self, *raised: object) -> None:
        """Ends the servers, those of the stack beside too."""
        if self.second:
            self.second.__exit__(*raised)
        super().__exit__(*raised)

    # Without a deployment

    @step(
        "a scheduled post appears by the timer, and the site reaches itself, though its address is shut to it",
        "real-code",
        only=("local-zone",),
        needs=(LocalZoneWordpressSite.rotated,),
    )
    def scheduled(self) -> str:
        done = self._boot_web("web-1", self._member("WebGroup"))  # the password is another one since
        site = done.path("/opt/wordpress/site")
        post = self._php(site, SCHEDULE)
        expect(post.isdigit(), f"the post was not taken: {post}")
        (started,) = [value for name, value in done.directives("wordpress-cron") if name == "ExecStart"]
        command = started.replace("/usr/bin/php", program("php")).split()

        def published() -> bool:
            ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
            expect(ran.returncode == 0 and not ran.stdout, f"{ran.returncode}: {ran.stdout[-300:]} {ran.stderr[-300:]}")
            return "It is time." in self._get("/")[1]

        expect(not published(), "it is there an hour early")
        said = self._php(site, AN_HOUR_LATER.replace("%s", post))
        expect(published(), f"it has not appeared; {said}")
        answer = self._php(site, ASK_ITSELF)
        expect(answer == "200", f"the site is answered {answer} by itself")
        return "published by wordpress-cron.service; wp_remote_get of its own address: 200"

    @step(
        "uploads that hang, as over NFS without the database's instance, stop neither the site nor its health check",
        "real-code",
        only=("local-zone",),
        needs=(scheduled,),
    )
    def hanging(self) -> str:
        uploads = self.servers.folder / "web-1/opt/wordpress/site/wp-content/uploads"
        (uploads / "picture.png").write_bytes(b"a picture")
        path = "/wp-content/uploads/picture.png"
        expect(self._get(path) == (200, "a picture"), f"{self._get(path)}")
        with ThreadPoolExecutor(8) as readers:
            with self.servers.frozen("uploads", children=True):
                waiting = [readers.submit(self._get, path) for _ in range(8)]
                seen = {path: self._get(path)[0] for path in ("/healthz", "/wp-login.php")}
                expect(not any(each.done() for each in waiting), "the uploads do not hang")
            answers = {each.result()[0] for each in waiting}
        expect(set(seen.values()) == {200}, f"{seen}")
        expect(answers == {200}, f"{answers} once they are there again")
        return f"{seen} while 8 readers wait for a picture"

    # With deployments

    @step(
        "certificate_secret_arn: the load balancer serves it, takes the renewed one, and keeps it when a bad one comes",
        "real-code",
        only=("local-zone",),
        needs=(LocalZoneWordpressSite.balancer, hanging),
    )
    def certificate(self) -> str:
        secrets = self.deployed.client("secretsmanager")
        first, renewed = (signed(name, self.servers.folder) for name in ("first", "renewed"))
        arn = secrets.create_secret(Name="site-certificate", SecretString=first)["ARN"]
        expect(self._deploy(certificate_secret_arn=arn).complete, "the stack does not take the certificate")
        instance = self._balancer()
        done = self._boot("balancer-2", instance, {})
        with Front(done, self._environment(instance)) as front:
            expect(front.serves(first), "another certificate is served")
            secrets.put_secret_value(SecretId=arn, SecretString=renewed)
            expect(front.renew() == 0 and front.serves(renewed), "the renewed one is not served")
            secrets.put_secret_value(SecretId=arn, SecretString="no certificate")
            expect(front.renew() == 1 and front.serves(renewed), "a bad one is taken")
        secrets.delete_secret(SecretId=arn, ForceDeleteWithoutRecovery=True)
        return "renewed without a restart; a bad one is left alone"

    @step(
        "data_gib: a larger volume, the next instance grows the file system; a smaller one is refused",
        "real-code",
        only=("local-zone",),
        needs=(scheduled,),
    )
    def grown(self) -> str:
        before = self._blocks()
        expect(self._deploy(data_gib=40).complete, "the stack does not take the size")
        (volume,) = self.ec2.describe_volumes(VolumeIds=[self.volume])["Volumes"]
        expect(self.deployed.outputs_now()["DataVolume"] == self.volume and volume["Size"] == 40, f"{volume['Size']}")
        new = self._replace_database()
        with self._image().open("r+b") as file:
            file.truncate(2 * self._image().stat().st_size)
        self._boot_database("database-3", new)
        expect(self._blocks() == 2 * before, f"{before} -> {self._blocks()} blocks")
        refused = self._deploy(data_gib=30)
        expect(not refused.complete and "smaller" in " ".join(refused.reasons), f"{refused.reasons}")
        return f"{before} -> {self._blocks()} blocks; {refused.reasons[-1][-60:]}"

    @step(
        "restore_from: stopped without the safety switch; with it the snapshot's state is there, and a last one left",
        "real-code",
        only=("local-zone",),
        needs=(grown,),
    )
    def restored(self) -> str:
        snapshot = self._snapshot()
        self._sql(self._secret("Password"), "INSERT INTO wordpress.kept VALUES ('later')")
        stopped = self._deploy(restore_from=snapshot)
        expect(not stopped.complete and SAFETY_SWITCH in " ".join(stopped.reasons), f"{stopped.reasons}")
        lost, holder = self.volume, self._member("DatabaseGroup")
        self.servers.end("mariadb")
        done = self._deploy(restore_from=snapshot, **{SAFETY_SWITCH: True})
        expect(done.complete and not done.left, f"{done.reasons[:3]} {done.left}")
        new = self._member("DatabaseGroup")
        expect(new != holder, f"the rolling update has not replaced {holder}, which holds {lost}")
        self.volume = self.deployed.outputs_now()["DataVolume"]
        (volume,) = self.ec2.describe_volumes(VolumeIds=[self.volume])["Volumes"]
        expect(volume["SnapshotId"] == snapshot and self.volume != lost, f"{volume}")
        shutil.copytree(self.servers.folder / snapshot, self.servers.folder / self.volume, symlinks=True)
        self._boot_database("database-4", new)
        kept = self._sql(self._secret("Password"), "SELECT word FROM wordpress.kept")
        expect(kept == "x", f"the snapshot's rows are {kept}")
        expect("wordpress_logged_in" in self._log_in(self._secret("Admin")), "nobody can log in")
        last = self._snapshots_of(lost)
        expect(len(last) == 2, f"{last} are left of {lost}")
        return f"{lost} -> {self.volume}, of {snapshot}; {last} are left"

    @step(
        "another zone: the guard names the way, which works: a stack there from a snapshot, with its own password; and "
        "its snapshot restored here boots WordPress anew",
        "real-code",
        only=("local-zone",),
        needs=(restored,),
    )
    def moved(self) -> str:
        stopped = self._deploy(zone=OTHER_ZONE)
        expect(not stopped.complete, "the network has moved")
        expect("common.prefix and restore_from" in " ".join(stopped.reasons), f"{stopped.reasons}")
        snapshot = self._snapshot()
        there: Json = {"zone": OTHER_ZONE, "restore_from": snapshot, "web_port": self.web_port + 1}
        changes = {**self.changes, **there, SAFETY_SWITCH: False}
        other = self.deployed.beside("beside", "moved", **changes)
        beside = self.second = LocalZoneWordpressScenario(other, self.variant)
        (volume,) = self.ec2.describe_volumes(VolumeIds=[beside.volume])["Volumes"]
        expect((volume["AvailabilityZone"], volume["SnapshotId"]) == (OTHER_ZONE, snapshot), f"{volume}")
        shutil.copytree(self.servers.folder / snapshot, beside.servers.folder / beside.volume, symlinks=True)
        beside._boot_database("database-1", beside._member("DatabaseGroup"))
        beside._boot_web("web-1", beside._member("WebGroup"))
        expect("It is time." in beside._get("/")[1], "the posts are gone")
        expect("wordpress_logged_in" in beside._log_in(beside._secret("Admin")), "its own password is refused")
        expect("wordpress_logged_in" not in beside._log_in(self._secret("Admin")), "the first stack's counts there")
        theirs = beside._snapshot()
        shutil.copytree(beside.servers.folder / theirs, self.servers.folder / theirs, symlinks=True)
        self._restore_foreign(theirs)
        other.destroy()
        return (
            f"{beside.volume} in {OTHER_ZONE} has the posts; admin has the password of {other.stack_name}, and back "
            "here that of this stack"
        )

    def _restore_foreign(self, snapshot: str) -> None:
        """Another stack's snapshot knows other passwords: WordPress must boot again, which a launch template says."""
        before = self._web_template()
        self.servers.end("mariadb")
        done = self._deploy(restore_from=snapshot, **{SAFETY_SWITCH: True})
        expect(done.complete and not done.left, f"{done.reasons[:3]} {done.left}")
        self.volume = self.deployed.outputs_now()["DataVolume"]
        expect(self._web_template() != before, "the launch template of WordPress is the same: nothing boots anew")
        shutil.copytree(self.servers.folder / snapshot, self.servers.folder / self.volume, symlinks=True)
        self._boot_database("database-5", self._member("DatabaseGroup"))
        self._boot_web("web-1", self._member("WebGroup"))
        expect("It is time." in self._get("/")[1], "the posts are gone")
        expect("wordpress_logged_in" in self._log_in(self._secret("Admin")), "the own password is refused")

    def _web_template(self) -> str:
        """The version of the launch template that CloudFormation has given the group of WordPress."""
        (group,) = [each for each in self._groups() if "WebGroup" in each["AutoScalingGroupName"]]
        return str(group["LaunchTemplate"]["Version"])

    # What steps do

    def _deploy(self, **changes: Any) -> Update:
        """Updates the stack; what is complete is kept for the next update."""
        wanted = self.changes | changes
        number = len(list(self.deployed.folder.glob("update-*.yaml")))
        update = self.deployed.update(self.deployed.synthesized(f"update-{number}", **wanted))
        if update.complete:
            self.changes = wanted
        return update

    def _php(self, site: Path, code: str) -> str:
        """What PHP prints with WordPress loaded."""
        words = [program("php"), "-d", "display_errors=stderr", "-r", f"require '{site}/wp-load.php'; {code}"]
        done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
        return done.stdout.strip() or done.stderr[-300:]

    def _replace_database(self) -> str:
        """Ends the database's instance; the group starts another one, which has not booted yet."""
        lost = self._member("DatabaseGroup")
        self.groups.terminate_instance_in_auto_scaling_group(InstanceId=lost, ShouldDecrementDesiredCapacity=False)
        return self._member("DatabaseGroup")

    def _image(self) -> Path:
        return self.servers.folder / self.volume / "image"

    def _blocks(self) -> int:
        """Blocks of the file system: https://docs.kernel.org/filesystems/ext4/super.html."""
        with self._image().open("rb") as file:
            file.seek(1024 + 4)
            return int(struct.unpack("<I", file.read(4))[0])

    def _snapshot(self) -> str:
        """A snapshot of the data volume in the middle of everything, with its files."""
        snapshot = str(self.ec2.create_snapshot(VolumeId=self.volume)["SnapshotId"])
        with self.servers.frozen("mariadb"):
            shutil.copytree(self.servers.folder / self.volume, self.servers.folder / snapshot, symlinks=True)
        return snapshot

    def _snapshots_of(self, volume: str) -> list[str]:
        filters = [{"Name": "volume-id", "Values": [volume]}]
        found = self.ec2.describe_snapshots(OwnerIds=["self"], Filters=filters)["Snapshots"]
        return [str(each["SnapshotId"]) for each in found]


SCENARIO = LocalZoneWordpressScenario
