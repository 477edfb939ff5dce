"""The post's dashboard in seconds: two Outposts, tagged resources, and dashboards that follow what changes."""

import json
import sys
from typing import Any, ClassVar

from emulator.client import EmbeddedAws
from tryout.scenario import expect, step
from tryout.scenarios.outposts_dashboard.looks import (
    COMING,
    DAY,
    OTHER,
    OWNER,
    PIPELINE,
    RACK,
    REPOSITORY,
    TYPES,
    OutpostsDashboardLooks,
)
from tryout.steps import BESIDE, EMPTY, PLANTED
from tryout.waits import wait_until

TAG = {"Key": "OutpostID", "Value": RACK}
ROUNDS, ROUND_SECONDS = 12, 300
DAYS = 10
QUICK = {"debounce_seconds": 1}


class OutpostsDashboardScenario(OutpostsDashboardLooks):
    """Two Outposts with two pages of types each, one that is not there yet, and resources that come and go."""

    variants: ClassVar[dict[str, dict[str, Any]]] = {
        "function": QUICK,
        "pipeline": {"refresh": "pipeline"},
    }
    pictured = ("function",)
    in_account: ClassVar[dict[str, dict[str, Any]]] = {"function": {"dashboard_name": "verify-outposts-dashboard"}}
    emulated = BESIDE

    @classmethod
    def prepare(cls, aws: EmbeddedAws) -> bool:
        """Nothing is on premises."""
        aws.control("outposts")
        return True

    # refresh: function

    @step(
        "an account without anything gets a dashboard that says so",
        "real-code",
        only=("function",),
        emulated=EMPTY,
    )
    def says_that_there_is_nothing(self) -> str:
        wait_until("the first dashboard", lambda: self.name in self._dashboards())
        said = self._texts()
        expect("Nothing to show yet" in said, said)
        return "written by the deployment: 'Nothing to show yet'"

    @step("the deployment has written the dashboard of what there is", "real-code", only=("function",), where="account")
    def shows_the_account(self) -> str:
        wait_until("the first dashboard", lambda: self.name in self._dashboards())
        return f"{len(self._widgets())} widgets"

    @step("two Outposts, and what is tagged, appear within seconds of a tag event", "real-code", only=("function",))
    def shows_what_there_is(self) -> str:
        self._outposts()
        self.instances = self._launch(3, TAG, {"Key": "Name", "Value": "web"})
        self._launch_untagged()
        wait_until("both Outposts and three instances", lambda: self._texts().count("### web") == 3)
        said = self._texts()
        expect(f"### Outpost {RACK}" in said and f"of account {OWNER}" in said, said)
        expect(f"{COMING} ordered: its state is PENDING" in said, said)
        kinds = {kind for kind in TYPES for widget in self._widgets() if f"{kind} used" in json.dumps(widget)}
        expect(kinds == set(TYPES), f"only {kinds} are shown")
        return "types of both pages of both Outposts, three instances of one reservation, a PENDING Outpost by name"

    @step("a burst of tag changes is a few refreshes, not one for each", "real-code", only=("function",))
    def waits_for_others(self) -> str:
        before = self._refreshes()
        for _ in range(40):
            self.ec2.delete_tags(Resources=[self.instances[0]], Tags=[{"Key": TAG["Key"]}])
            self.ec2.create_tags(Resources=[self.instances[0]], Tags=[TAG])
        wait_until("all messages to be gone", self._queue_is_empty)
        made = self._refreshes() - before
        # A second of waiting for others; how many seconds 80 calls take is a matter of the machine.
        expect(1 <= made <= 20, f"80 tag changes led to {made} refreshes")
        return f"80 tag changes, {made} refreshes"

    @step("an instance that is terminated disappears; the others stay", "real-code", only=("function",))
    def forgets(self) -> str:
        gone = self.instances.pop()
        self.ec2.terminate_instances(InstanceIds=[gone])
        wait_until(f"{gone} to disappear", lambda: gone not in self._texts())
        expect(all(one in self._texts() for one in self.instances), "others have disappeared too")
        return f"{gone} is gone from the dashboard"

    @step(
        "a bucket of the Region and one on the Outpost join; a name with dots is all right",
        "real-code",
        only=("function",),
    )
    def shows_other_services(self) -> str:
        s3 = self.deployed.client("s3")
        bucket = f"plans.{self.deployed.aws.account}"
        s3.create_bucket(Bucket=bucket)
        self.buckets.append(bucket)
        s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": [TAG]})
        self._outposts(buckets=[{"outpost": RACK, "name": "on-site", "tags": {"OutpostID": RACK}}])
        self._refresh()
        wait_until("both buckets", lambda: bucket in self._body() and "on-site" in self._body())
        return f"{bucket} in the Region and on-site on {RACK}"

    @step("the schedule asks for a refresh by its role", "emulated", only=("function",), emulated=PLANTED)
    def refreshes_by_schedule(self) -> str:
        (schedule,) = self.deployed.resources["AWS::Scheduler::Schedule"]
        before = self._refreshes()
        self.deployed.aws.control("fire-schedule", **self._where(), name=schedule.rpartition("|")[2])
        wait_until("a refresh", lambda: self._refreshes() > before)
        return "scheduler.amazonaws.com assumes the role, which may send to the queue"

    @step("a dashboard of somebody else is neither overwritten nor deleted", "real-code", only=("function",))
    def leaves_others_alone(self) -> str:
        foreign = f"{self.name}-page-99"
        self.cloudwatch.put_dashboard(DashboardName=foreign, DashboardBody='{"widgets": []}')
        self._refresh()
        wait_until("a refresh", self._queue_is_empty)
        expect(foreign in self._dashboards(), f"{foreign} is gone")
        return f"{foreign} is still there"

    @step("the dashboard as it is, with the metrics of an hour", "emulated", only=("function",), emulated=PLANTED)
    def is_kept(self) -> str:
        aws = self.deployed.aws
        for day in range(DAYS):
            aws.control("metrics", **self._where(), data=self._metrics_of_day(day))
            aws.age_metrics(DAY)
        for number in range(ROUNDS):
            aws.control("metrics", **self._where(), data=self._metrics(number))
            aws.control("metrics", account=OWNER, region=aws.region, data=self._metrics_of_owner(number))
            aws.age_metrics(ROUND_SECONDS)
        return self.deployed.keep_dashboard(self.name)

    # refresh: pipeline

    @step(
        "a deployment starts the pipeline, whose build step writes discovery.json by its own rights",
        "real-code",
        only=("pipeline",),
    )
    def discovers(self) -> str:
        self._outposts()
        self.instances = self._launch(2, TAG, {"Key": "Name", "Value": "web"})
        expect(bool(self._runs("InProgress")), "no run has been started")
        said = self._build("Discover", "discover.py", self._variable("Discover", "WANTED"), str(self._discovery))
        found = json.loads(self._discovery.read_text(encoding="utf-8"))
        expect(not found["failures"], f"sections failed: {found['failures']}")
        expect(len(found["sections"]["ec2"]) == 2, f"found {found['sections']['ec2']}")
        return said.splitlines()[-1]

    @step(
        "the deploy step synthesizes from that file and deploys a stack for each dashboard",
        "real-code",
        only=("pipeline",),
    )
    def deploys(self) -> str:
        assembly = self.deployed.folder / "dashboards.out"
        stack, owner = self._variable("Deploy", "STACK_NAME"), self._variable("Deploy", "DEPLOYED_BY")
        app = f"{sys.executable} {PIPELINE / 'app.py'} {self._discovery} {stack} {owner}"
        role = self._credentials("Deploy")
        cdk = str(REPOSITORY / "node_modules/.bin/cdk")
        self._run([cdk, "synth", "--quiet", "--output", str(assembly), "--app", app], role)
        self._run([cdk, "deploy", "--all", "--app", str(assembly), "--require-approval", "never"], role)
        self._run(
            [sys.executable, str(PIPELINE / "surplus.py"), str(assembly), str(self._discovery), stack, owner], role
        )
        self.deployed.aws.control(
            "pipeline-run", **self._where(), pipeline=self.deployed.outputs["PipelineName"], status="Succeeded"
        )
        expect("### web" in self._texts(), self._texts())
        return f"stack {stack}, by the rights of the build; cdk destroy of this one has to remove it"

    @step("a changed tag starts the pipeline once more", "our-model", only=("pipeline",))
    def follows_the_tag(self) -> str:
        self.ec2.create_tags(Resources=self.instances, Tags=[{"Key": "OutpostID", "Value": OTHER}])
        wait_until("another run", lambda: bool(self._runs("InProgress")))
        return "a run is in progress; cdk destroy has to stop it"


SCENARIO = OutpostsDashboardScenario
