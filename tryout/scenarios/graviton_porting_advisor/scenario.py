"""Builds whose buildspec really runs scan sources, and each end is reported once."""

import json
import re
from typing import Any, ClassVar

from botocore.exceptions import ClientError

from emulator.client import EmbeddedAws
from tryout.scenario import expect, step
from tryout.scenarios.graviton_porting_advisor.looks import BUCKET, INTRINSIC, GravitonPortingAdvisorLooks, archive_of
from tryout.steps import PLANTED, STAND_IN
from tryout.waits import wait_until

HUB, STORE, LOST = "github/org/intrinsics", f"s3/{BUCKET}/app.zip", "github/org/private"
DAYS = 12
REPORTS = ["report.html", "report.json", "result.json", "scan.log"]


class GravitonPortingAdvisorScenario(GravitonPortingAdvisorLooks):
    """A repository with more issues than allowed, a clean archive in S3, and a repository that cannot be read."""

    variants: ClassVar[dict[str, dict[str, Any]]] = {
        "default": {
            "sources": [
                {"location": "org/intrinsics", "max_issues": 36},
                {"location": f"s3://{BUCKET}/app.zip"},
                {"location": "org/private"},
            ],
            "exclude": ["third_party"],
            "type_metrics": True,
            "builds_at_once": 2,
        },
    }
    pictured = ("default",)
    in_account: ClassVar[dict[str, dict[str, Any]]] = {"default": {}}
    emulated = STAND_IN
    account_minutes = 25

    @classmethod
    def prepare(cls, aws: EmbeddedAws) -> bool:
        """A bucket with a source from a pipeline."""
        s3 = aws.client("s3")
        where = {} if aws.region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": aws.region}}
        s3.create_bucket(Bucket=BUCKET, **where)
        body = archive_of({"app.c": "int x;\n", "third_party/x86.c": INTRINSIC, "go.mod": "module x\n\ngo 1.15\n"})
        s3.put_object(Bucket=BUCKET, Key="app.zip", Body=body)
        return False

    @step("two builds start, as many as may run at a time, and the third source waits", "real-code")
    def starts(self) -> str:
        for source in (HUB, STORE, LOST):
            self._start(source)
        states = [self._status(source) for source, build in self.builds.items() if build]
        expect(states == ["IN_PROGRESS"] * 2, f"the builds are {states}")
        expect(set(self.builds) == {HUB, STORE, LOST} and not self.builds[LOST], f"{self.builds}")
        return "two builds in progress, by the function's permission to start them as they are; the third waits"

    @step(
        "a build of each source ends in CodeBuild, and its report is in the bucket",
        "real-code",
        where="account",
    )
    def scans(self) -> str:
        self._start()
        wait_until("a build of each source", lambda: all(self._newest(each) for each in self.builds))
        self.builds = {source: self._newest(source) for source in self.builds}
        wait_until("the end of each build", lambda: all(self._status(each) != "IN_PROGRESS" for each in self.builds))
        ends = {source: self._status(source) for source in self.builds}
        missing = [source for source in self.builds if self._uploaded(source) != REPORTS]
        expect(not missing, f"no report of {missing}; the builds ended {ends}")
        return f"{ends}"

    @step(
        "the buildspec of an S3 source runs with its role, and its last step reports before CodeBuild does", "real-code"
    )
    def passes(self) -> str:
        ran = self._run(STORE)
        expect(ran.statuses == {"build": 0, "post_build": 0}, ran.output[-600:])
        expect(self._uploaded(STORE) == REPORTS, f"uploaded {self._uploaded(STORE)}")
        said = self._hear(STORE, "ok: 0 issues in 2 files")
        expect("remarks, which are not issues" in said, said)
        return "0 issues without the excluded folder, 1 remark; told while the build was still in progress"

    @step("CodeBuild's event about the same build causes no second notification", "emulated")
    def tells_once(self) -> str:
        self._end(STORE, "SUCCEEDED")
        wait_until("the event to be dealt with", self._all_told)
        expect(len(self._of(STORE)) == 1, f"{len(self._of(STORE))} notifications")
        return "one notification by the build, none by the event"

    @step("the end of a build starts the source that waits", "real-code")
    def goes_on(self) -> str:
        wait_until("the build of the third source", lambda: bool(self._newest(LOST)))
        self.builds[LOST] = self._newest(LOST)
        expect(self._running() == 2, f"{self._running()} builds run")
        return "two builds in progress again, and nobody waits"

    @step("37 intrinsics in one file count as 37 and not 11, and max_issues 36 fails", "real-code")
    def fails(self) -> str:
        source = self._folder / "intrinsics"
        source.mkdir()
        (source / "many.c").write_text(INTRINSIC * 37, encoding="utf-8")
        ran = self._run(HUB, source)
        expect(ran.statuses == {"build": 1, "post_build": 0}, ran.output[-600:])
        expect(self._uploaded(HUB) == REPORTS, f"uploaded {self._uploaded(HUB)}")
        self._end(HUB, "FAILED", phases=[{"phaseType": "BUILD", "phaseStatus": "FAILED"}])
        self._hear(HUB, "above-max: 37 issues in 1 files; at most 36 are allowed")
        return "both reports are uploaded although the build has failed"

    @step("the link opens the report without signing in, for the stated time", "emulated")
    def opens(self) -> str:
        said = self._hear(HUB, "Works for")
        found = re.search(r"Report: (\S+)\nWorks for (\d+) minutes", said)
        expect(found is not None, said)
        assert found
        kind, text = self._opened(found[1])
        expect(kind.startswith("text/html") and "1 files scanned." in text, f"{kind}: {text[:200]}")
        (seconds,) = re.findall(r"X-Amz-Expires=(\d+)", found[1])
        expect(int(seconds) // 60 == int(found[2]), f"signed for {seconds} s, said {found[2]} minutes")
        return f"text/html, signed by the reader for {found[2]} minutes"

    @step("a source that CodeBuild cannot download is reported from CodeBuild's event", "our-model")
    def tells_of_unreadable(self) -> str:
        context = {"statusCode": "CLIENT_ERROR", "message": "repository not found for primary source"}
        failed = {"phaseType": "DOWNLOAD_SOURCE", "phaseStatus": "FAILED", "contexts": [context]}
        self._end(LOST, "FAILED", phases=[failed])
        self._hear(LOST, "unreadable: The source could not be read: CLIENT_ERROR: repository not found")
        return "nothing of ours ran, and it is told all the same"

    @step("a build whose end is not announced is found by the message that checks on it", "emulated")
    def finds_the_lost(self) -> str:
        self._start(LOST)
        self._end(LOST, "TIMED_OUT", told=False)
        message = {"messageId": "watch", "body": json.dumps({"build": self.builds[LOST], "watch": True})}
        answer = self.deployed.invoke("ReportFunction", {"Records": [message]})
        expect(answer == {"batchItemFailures": []}, f"{answer}")
        self._hear(LOST, "timed-out: The build ran out of time")
        return "the message that SQS holds back for 15 minutes, delivered at once"

    @step("a build's role can neither write another source's report nor read another source", "emulated")
    def keeps_apart(self) -> str:
        s3 = self._client("s3", HUB)
        slug = self._variables(self._projects()[STORE])["SLUG"]
        for what, call, asked in (
            ("to write another source's report", s3.put_object, {"Bucket": self.reports, "Key": f"reports/{slug}/x"}),
            ("to read a report", s3.get_object, {"Bucket": self.reports, "Key": f"reports/{slug}/x"}),
            ("to read another source", s3.get_object, {"Bucket": BUCKET, "Key": "app.zip"}),
        ):
            try:
                call(**asked)
            except ClientError as error:
                expect("AccessDenied" in str(error), f"{what}: {error}")
            else:
                expect(False, f"{what} was not denied")
        return "AccessDenied each time"

    @step("the command lists the newest results, with links of its own", "real-code")
    def reports_are_listed(self) -> str:
        found = {item["source"]: item for item in self.deployed.command("report", HUB, STORE, ends=1)}
        results = {source: item["result"] for source, item in found.items()}
        expect(results == {HUB: "above-max", STORE: "ok"}, f"{results}")
        kind, _ = self._opened(found[STORE]["link"])
        expect(kind.startswith("text/html"), kind)
        return "above-max and ok, and status 1 because one does not pass"

    @step("the dashboard shows the trend of some days", "emulated", emulated=PLANTED)
    def is_kept(self) -> str:
        for day in range(DAYS):
            self.deployed.aws.control("metrics", **self._where(), data=self._metrics(day))
            self.deployed.aws.age_metrics(86_400)
        return self.deployed.keep_dashboard(self.deployed.outputs["DashboardName"])

    @step(
        "the schedule starts builds with its role, and cdk destroy finds running and waiting ones",
        "emulated",
        emulated=PLANTED,
    )
    def is_scheduled(self) -> str:
        expect(self._running() == 0, f"{self._running()} builds run")
        (schedule,) = self.deployed.resources["AWS::Scheduler::Schedule"]
        self.deployed.aws.control("fire-schedule", **self._where(), name=schedule.rpartition("|")[2])
        wait_until("two builds", lambda: self._running() == 2)
        return "two builds in progress and a source that waits: cdk destroy closes the line, and stops them"

    def _newest(self, source: str) -> str:
        project = self._projects()[source]["name"]
        ids = self.codebuild.list_builds_for_project(projectName=project)["ids"]
        return str(ids[0]) if ids else ""

    def _running(self) -> int:
        ids = [
            build
            for project in self._projects().values()
            for build in self.codebuild.list_builds_for_project(projectName=project["name"])["ids"]
        ]
        builds = self.codebuild.batch_get_builds(ids=ids)["builds"]
        return sum(build["buildStatus"] == "IN_PROGRESS" for build in builds)

    def _metrics(self, day: int) -> list[dict[str, Any]]:
        """The metrics of a day's scans: one source is ported, another one stays clean."""
        namespace = self.deployed.outputs["MetricNamespace"]
        kinds = {
            "Intrinsic": max(0, 30 - 3 * day),
            "InlineAsm": max(0, 12 - day),
            "PreprocessorError": 4 if day < 6 else 1,
        }
        values = [
            ("FailedScans", {}, 1 if day in (0, 1, 4) else 0),
            ("Issues", {"Source": HUB}, sum(kinds.values())),
            ("Issues", {"Source": STORE}, 2 if day < 3 else 0),
            ("AcceptedIssues", {"Source": HUB}, min(6, day)),
            ("AcceptedIssues", {"Source": STORE}, 1),
            ("Remarks", {"Source": HUB}, 3),
            ("Remarks", {"Source": STORE}, 1),
            ("Files", {"Source": HUB}, 350 + 5 * day),
            ("Files", {"Source": STORE}, 120),
            *(("IssuesOfKind", {"Source": HUB, "Kind": kind}, count) for kind, count in kinds.items()),
        ]
        return [
            {"namespace": namespace, "name": name, "dimensions": dimensions, "value": float(value)}
            for name, dimensions, value in values
        ]


SCENARIO = GravitonPortingAdvisorScenario
