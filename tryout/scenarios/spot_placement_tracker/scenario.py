"""The post's tracker: scores are collected and drawn, a changed file is followed, and two weeks tell the best hours."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Self

import yaml

from tryout.account.monitoring import alarm_state, latest_value
from tryout.scenario import Deployed, Scenario, expect, step
from tryout.steps import BESIDE, CLOCK, PLANTED
from tryout.waits import wait_until

MINUTES = 60
TAKEN = 6  # of the file's questions: EC2 says in 24 hours how many new ones it takes, and no document does
MANY = 200
BOARD = "spot-placement-scores"
NIGHT, SUNDAY = 3, 6  # when the history scores best


class SpotPlacementTrackerScenario(Scenario):
    """A round, a refusal, changed and broken files, two weeks of history, and two hundred configurations."""

    variants: ClassVar[dict[str, dict[str, Any]]] = {"default": {}}
    pictured = ("default",)
    # A tracker that is deployed there already keeps its dashboards and its series.
    in_account: ClassVar[dict[str, dict[str, Any]]] = {
        "default": {"take_over_dashboards": False, "metric_namespace": "Verify Spot Placement Score Metrics"}
    }
    account_minutes = 25

    def __init__(self, deployed: Deployed, variant: str) -> None:
        super().__init__(deployed, variant)
        self.cloudwatch, self.s3 = deployed.client("cloudwatch"), deployed.client("s3")
        self.bucket, _, self.key = deployed.outputs["FileAddress"].removeprefix("s3://").partition("/")
        self.namespace = deployed.settings.metric_namespace
        self.shipped = self.s3.get_object(Bucket=self.bucket, Key=self.key)["Body"].read()

    def __enter__(self) -> Self:
        """EC2 takes as many questions as it is asked."""
        self.deployed.aws.control("spot-questions", most=None)
        return self

    def __exit__(self, *_: object) -> None:
        """Lets others ask whatever they like, and takes a dashboard away that no stack knows."""
        self.deployed.aws.control("spot-questions", most=None)
        if "somebody-elses" in self._boards():
            self.cloudwatch.delete_dashboards(DashboardNames=["somebody-elses"])

    @step(
        "the deployment has stored the file and drawn its dashboard, without a call to EC2",
        "real-code",
        where="anywhere",
    )
    def deploys(self) -> str:
        expect(self.shipped == self.deployed.settings.path.read_bytes(), "another file is stored")
        widgets = self._widgets(BOARD)
        graphs = [widget for widget in widgets if widget["type"] == "metric"]
        expect(len(graphs) == 8, f"{len(graphs)} graphs")
        expect("No data yet" in self._text(BOARD), self._text(BOARD))
        return f"{BOARD}: {len(graphs)} graphs, and a text that waits for data"

    @step(
        "a round publishes every score under the public tracker's names and dimensions", "real-code", where="anywhere"
    )
    def publishes(self) -> str:
        done = self._round()
        expect(done["asked"] == 8 and not done["refused"], f"{done}")
        metric = self._metric("One family-eu-west-1-vcpu-50")
        expect(
            metric
            == {
                "Region": "eu-west-1",
                "DiversificationName": "One family",
                "UnitType": "vcpu",
                "TargetCapacity": "50",
            },
            f"{metric}",
        )
        zonal = [name for name in self._metrics() if "-euw1-az" in name]
        expect(len(zonal) == 6, f"{zonal}")
        return f"8 questions, {self._value('PublishedScores'):g} scores; {zonal[0]}"

    @step(
        "EC2 takes six new questions, answers them again and refuses two: the others go on, and an alarm rings",
        "real-code",
        emulated=PLANTED,
    )
    def refuses(self) -> str:
        self.deployed.aws.control("spot-questions", most=TAKEN)
        for _ in range(2):  # an alarm rings at the second round
            done = self._round()
            self._later()
        codes = {refused["code"] for refused in done["refused"]}
        expect(len(done["refused"]) == 8 - TAKEN and codes == {"MaxConfigLimitExceeded"}, f"{done}")
        wait_until("the alarm", lambda: alarm_state(self.deployed, "RefusedConfigurations") == "ALARM")
        self.deployed.aws.control("spot-questions", most=None)
        return f"{TAKEN} tracked twice, {len(done['refused'])} MaxConfigLimitExceeded each time, the alarm is in ALARM"

    @step(
        "a configuration scores less than its AlarmBelowScore everywhere: an alarm rings", "real-code", emulated=CLOCK
    )
    def rings(self) -> str:
        first = yaml.safe_load(self.shipped)[0]
        minds = [{**each, "AlarmBelowScore": 10, "TargetCapacity": 100} for each in first["Sps"][:1]]
        self._upload([{**first, "Sps": [*minds, *first["Sps"][3:]]}])
        wait_until("the line in its graph", lambda: "annotations" in self._widgets(BOARD)[0]["properties"])
        for _ in range(2):
            self._round()
            self._later()
        wait_until("the alarm", lambda: alarm_state(self.deployed, "BelowAlarmScore") == "ALARM")
        self._put(self.shipped)
        wait_until("the shipped file", lambda: "annotations" not in self._widgets(BOARD)[0]["properties"])
        return "a line at 10 in its graph, two rounds below, the alarm is in ALARM"

    @step(
        "another file is uploaded: dashboards appear, change and go within seconds, without a deployment",
        "real-code",
        emulated=BESIDE,
    )
    def follows(self) -> str:
        self.cloudwatch.put_dashboard(DashboardName="somebody-elses", DashboardBody='{"widgets": []}')
        first = yaml.safe_load(self.shipped)[0]
        second = {**first, "Dashboard": "second", "Sps": first["Sps"][:1]}
        self._upload([{**first, "Sps": first["Sps"][1:]}, second])
        wait_until("the second dashboard", lambda: "second" in self._boards())
        wait_until("fewer graphs", lambda: len(self._widgets(BOARD)) == 5 + len(self._texts(BOARD)))
        self._put(self.shipped)
        wait_until("its end", lambda: "second" not in self._boards())
        expect("somebody-elses" in self._boards(), "a dashboard of somebody else is gone")
        return "one added, one changed, one deleted; somebody else's stays"

    @step(
        "a broken file, and a dashboard's name that is taken: told by an alarm, and the last good file goes on",
        "real-code",
        emulated=BESIDE,
    )
    def survives(self) -> str:
        before = self._widgets(BOARD)
        self._put(b"- Dashboard: spot-placement-scores\n  Sps:\n  - {ConfigurationName: half, TargetCapacity: 0}\n")
        wait_until("the problems", lambda: len(self._plan()["problems"]) > 3)
        problems = len(self._plan()["problems"])
        done = self._round()
        expect(done["asked"] == 8, f"{done}")
        expect(self._value("FileProblems") == problems, f"{self._value('FileProblems')}")
        wait_until("the alarm", lambda: alarm_state(self.deployed, "FileProblems") == "ALARM")
        expect(self._widgets(BOARD) == before, "the dashboard has changed")
        first = yaml.safe_load(self.shipped)[0]
        self._upload([{**first, "Dashboard": "somebody-elses"}])
        wait_until("the other problem", lambda: "has not written" in str(self._plan()["problems"]))
        expect(self._widgets("somebody-elses") == [], "a dashboard of somebody else was overwritten")
        self._put(self.shipped)
        wait_until("the good file", lambda: not self._plan()["problems"] and BOARD in self._boards())
        return f"{problems} problems at once, 8 questions still asked; somebody else's dashboard is not touched"

    @step(
        "two weeks of scores: the report names the best hour, the best day and the largest size",
        "real-code",
        emulated=PLANTED,
    )
    def reports(self) -> str:
        self._history()
        self._invoke("Dashboards")
        text = self._text(BOARD)
        row = next(line for line in text.splitlines() if line.startswith("Any that fits-vcpu-50 | eu-west-1 |"))
        expect(f"{NIGHT:02}:00" in row and "Sunday" in row, row)
        size = next(line for line in text.splitlines() if line.startswith("Any that fits-vcpu | eu-west-1 |"))
        expect("| 50 |" in size, size)
        zonal = next(line for line in text.splitlines() if "eu-west-1 euw1-az1" in line)
        expect(f"{NIGHT:02}:00" in zonal, zonal)
        told = self.deployed.command("report")
        sizes = {(each["configuration"], each["region"]): each["largest"] for each in told["sizes"]}
        expect(sizes["Any that fits", "eu-west-1"] == 50, f"{sizes}")
        return f"{row}; {len(told['series'])} series; of 25, 50 and 100 vCPUs 50 keep the score"

    @step("the dashboard shows these two weeks", "emulated", emulated=PLANTED)
    def shows(self) -> str:
        return self.deployed.keep_dashboard(BOARD)

    @step(
        "two hundred configurations: one round asks all, and no limit of a dashboard or a request is passed",
        "real-code",
        emulated=BESIDE,
    )
    def many(self) -> str:
        first = yaml.safe_load(self.shipped)[0]
        shapes = [{**first["Sps"][0], "ConfigurationName": f"shape {n}", "TargetCapacity": 10 + n} for n in range(MANY)]
        self._upload([{**first, "Sps": shapes}])
        wait_until("the plan", lambda: len(self._plan()["dashboards"][0]["questions"]) == MANY)
        done = self._round()
        expect(done["asked"] == MANY and not done["refused"], f"{done}")
        bodies = [self._widgets(name) for name in self._boards() if name.startswith(BOARD)]
        metrics = [sum(len(w["properties"].get("metrics", [])) for w in body) for body in bodies]
        expect(all(len(body) <= 500 for body in bodies) and max(metrics) <= 2500, f"{metrics}")
        self._put(self.shipped)
        wait_until("the shipped file", lambda: len(self._plan()["dashboards"][0]["questions"]) == 8)
        return f"{MANY} questions, {done['published']} metrics, {len(bodies)} dashboard with {sum(metrics)} of them"

    # What the steps use

    def _round(self) -> dict[str, Any]:
        return self._invoke("Collector")

    def _invoke(self, name: str) -> dict[str, Any]:
        event = {"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}
        return dict(self.deployed.invoke(name, event))

    def _later(self) -> None:
        self.deployed.aws.age_metrics(MINUTES * self.deployed.settings.every_minutes)

    def _boards(self) -> set[str]:
        return {entry["DashboardName"] for entry in self.cloudwatch.list_dashboards()["DashboardEntries"]}

    def _widgets(self, name: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.cloudwatch.get_dashboard(DashboardName=name)["DashboardBody"])[
            "widgets"
        ]
        return found

    def _texts(self, name: str) -> list[str]:
        return [w["properties"]["markdown"] for w in self._widgets(name) if w["type"] == "text"]

    def _text(self, name: str) -> str:
        return "\n".join(self._texts(name))

    def _metrics(self) -> dict[str, dict[str, str]]:
        pages = self.cloudwatch.get_paginator("list_metrics").paginate(Namespace=self.namespace)
        return {
            metric["MetricName"]: {each["Name"]: each["Value"] for each in metric["Dimensions"]}
            for page in pages
            for metric in page["Metrics"]
        }

    def _metric(self, name: str) -> dict[str, str]:
        wait_until(f"{name} among the metrics", lambda: name in self._metrics())
        return self._metrics()[name]

    def _value(self, name: str) -> float:
        return latest_value(self.deployed, self.namespace, name, "Tracker")

    def _plan(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.s3.get_object(Bucket=self.bucket, Key="plan.json")["Body"].read())
        return found

    def _upload(self, dashboards: list[dict[str, Any]]) -> None:
        self._put(yaml.safe_dump(dashboards, sort_keys=False).encode())

    def _put(self, body: bytes) -> None:
        self.s3.put_object(Bucket=self.bucket, Key=self.key, Body=body)

    def _history(self) -> None:
        """Publishes two weeks of scores, four an hour, as the graphs show them."""
        now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
        data = []
        for name, dimensions in self._metrics().items():
            if "TargetCapacity" not in dimensions:
                continue
            wanted = [{"Name": key, "Value": value} for key, value in dimensions.items()]
            for quarters in range(1, 14 * 24 * 4):
                at = now - timedelta(minutes=15 * quarters)
                datum = {"MetricName": name, "Dimensions": wanted, "Unit": "Count", "Timestamp": at}
                data.append({**datum, "Value": _invented(at, dimensions)})
        for start in range(0, len(data), 1_000):
            self.cloudwatch.put_metric_data(Namespace=self.namespace, MetricData=data[start : start + 1_000])


def _invented(at: datetime, of: Mapping[str, str]) -> int:
    """A score of the history: it dips by day, by the clock of the Region, and large sizes and late zones score less."""
    hour = (at.hour + {"eu-central-1": 1, "us-east-1": -5}.get(of["Region"], 0)) % 24
    score = 8 - 3 * (8 <= hour < 18) - (18 <= hour < 23) + (hour == NIGHT) + (at.weekday() == SUNDAY)
    score -= (
        (of["Region"] == "eu-central-1")
        + 3 * (of["TargetCapacity"] == "100")
        + 2 * (of["DiversificationName"] == "One family")
    )
    return max(1, min(10, score - {"1": 0, "2": 1, "3": 3}.get(of.get("AvailabilityZoneId", "1")[-1], 0)))


SCENARIO = SpotPlacementTrackerScenario
