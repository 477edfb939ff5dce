"""Plays the post's choice, offline and with AWS's prices; then the look at an account: covered, wasted, ending."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from botocore.exceptions import ClientError

from tryout.account.monitoring import alarm_state, latest_value
from tryout.scenario import Deployed, Scenario, expect, step
from tryout.steps import BESIDE, EMPTY, PLANTED
from tryout.waits import wait_until

WORKLOADS, PRICES = "config/capacity_workloads.yaml", "config/capacity_prices.yaml"
TYPE, MANY = "m5.large", 20


class CapacityPlannerScenario(Scenario):
    """The README's first example; then instances, reservations, purchases, failing prices, and events of AWS Health."""

    variants: ClassVar[dict[str, dict[str, Any]]] = {"default": {}}
    in_account: ClassVar[dict[str, dict[str, Any]]] = {"default": {}}

    def __init__(self, deployed: Deployed, variant: str) -> None:
        super().__init__(deployed, variant)
        self.ec2, self.s3 = deployed.client("ec2"), deployed.client("s3")
        self.cloudwatch = deployed.client("cloudwatch")
        self.bucket = deployed.outputs["ReportsAddress"].removeprefix("s3://").partition("/")[0]
        self.zone = f"{deployed.aws.region}a"
        self.reservations: list[str] = []
        self.instances: list[str] = []

    def __exit__(self, *_: object) -> None:
        """Removes what belongs to no stack."""
        for name, empty in (("reserved-instances", "purchases"), ("savings-plans", "plans")):
            self.deployed.aws.control(name, **{empty: []})
        self.deployed.aws.control("price-list")
        if self.instances:
            self.ec2.terminate_instances(InstanceIds=self.instances)
        for name in self.reservations:
            self.ec2.cancel_capacity_reservation(CapacityReservationId=name)

    # The command

    @step(
        "the README's first example: six workloads planned from a price file, without an account",
        "real-code",
        where="anywhere",
    )
    def plans_offline(self) -> str:
        found = self.deployed.command("plan", WORKLOADS, "--prices", PRICES, "--date", "2026-11-25")
        advice = {
            each["name"]: (each["stages"][0]["recommended"]["option"], each["stages"][0]["recommended"]["monthly"])
            for each in found["workloads"]
        }
        wanted = {
            "shop": ("ODCR + EC2 Instance Savings Plan", "474.50"),
            "reports": ("ODCR + EC2 Instance Savings Plan", "474.50"),
            "campaign": ("ODCR", "730.00"),
            "api": ("ODCR + Compute Savings Plan", "547.50"),
            "tests": ("On-Demand", "260.71"),
            "ledger": ("ODCR + EC2 Instance Savings Plan", "94.90"),
        }
        expect(advice == wanted, f"{advice}")
        return ", ".join(f"{name}: {option} {money}" for name, (option, money) in advice.items())

    @step("every option of a workload, with its break-even in use and in months", "real-code", where="anywhere")
    def compares(self) -> str:
        found = self.deployed.command("compare", WORKLOADS, "--prices", PRICES, "--workload", "reports")
        options = [each for each in found["workloads"][0]["options"] if "monthly" in each]
        table = {each["option"]: (each["monthly"], each["break_even"]["months"]) for each in options}
        expect(table["ODCR"] == ("730.00", None), f"{table}")
        expect(table["ODCR + EC2 Instance Savings Plan"] == ("474.50", "7.8"), f"{table}")
        expect({each["option"] for each in options if not each["reserves_capacity"]} == {"On-Demand"}, f"{options}")
        return f"{len(options)} priced options; {table}"

    @step(
        "the same from the Price List and Savings Plans, over pages, expired tokens and foreign SKUs",
        "our-model",
        emulated=PLANTED,
    )
    def asks_aws(self) -> str:
        self.deployed.aws.control("price-list", expire=1)
        saved = self.deployed.folder / "saved.json"
        found = self.deployed.command("plan", WORKLOADS, "--save-prices", str(saved))
        card = json.loads(saved.read_text(encoding="utf-8"))["prices"][0]
        expect((card["on_demand"], card["unused_reservation"]) == ("0.1", "0.1"), f"{card}")
        expect(card["savings_plans"]["ec2-instance"]["1"]["No Upfront"] == "0.065", f"{card}")
        expect(len(card["reserved"]["3"]) == 3, f"{card}")
        shop = found["workloads"][0]["stages"][0]["recommended"]
        return f"one SKU of each kind; {shop['option']}, {shop['years']} years, {shop['payment']}: {shop['monthly']}"

    # The look

    @step(
        "a look at an empty account publishes metrics, stores a report and sends no message",
        "real-code",
        emulated=EMPTY,
    )
    def empty(self) -> str:
        done = self._look()
        expect(not done["told"] and not done["problems"], f"{done}")
        expect(self._value("Looks") == 1, "the look was not published")
        return f"{done['report']}: nothing covered, wasted or unreserved"

    @step(
        "idle reserved capacity beside instances that run outside it: reported, measured, and both alarms go off",
        "our-model",
        emulated=BESIDE,
    )
    def wastes(self) -> str:
        # Targeted: running instances do not enter it by themselves, as after a start that does not name it.
        self._reserve(MANY, InstanceMatchCriteria="targeted")
        image = self.ec2.run_instances(
            ImageId="ami-12345678",
            InstanceType=TYPE,
            MinCount=2,
            MaxCount=2,
            Placement={"AvailabilityZone": self.zone},
        )
        self.instances += [each["InstanceId"] for each in image["Instances"]]
        self._measured(self.reservations[0], used=0, available=MANY)
        done = self._look()
        report = self._report()
        expect(done["told"], f"{done}")
        expect(report["wasted_hours"] == f"{MANY * 24:.2f}", report["wasted_hours"])
        expect(report["wasted_money"] == {self.reservations[0]: f"{MANY * 24 * 0.1:.2f}"}, f"{report['wasted_money']}")
        expect(list(report["idle_while_unreserved"].values()) == [2], f"{report['idle_while_unreserved']}")
        for name in ("WastedHours", "IdleWhileUnreserved"):
            wait_until(f"the alarm {name}", lambda name=name: alarm_state(self.deployed, name) == "ALARM")  # type: ignore[misc]
        return f"{report['wasted_hours']} hours, {report['wasted_money']} USD; both alarms ring"

    @step(
        "running instances are planned together with the plan that already pays for one of them",
        "our-model",
        emulated=PLANTED,
    )
    def plans_account(self) -> str:
        self.deployed.aws.control("savings-plans", plans=[self._plan("0.08")])
        self._look()
        (workload,) = self._report()["plan"]["workloads"]
        (stage, *_) = workload["stages"]
        expect((workload["count"], stage["count"]) == (2, 1), f"{workload}")
        return f"2 run, 1 is paid by the plan: {stage['recommended']['sentence']}"

    @step(
        "a reservation, a zonal Reserved Instance and a plan that end soon: reported with what is lost",
        "our-model",
        emulated=PLANTED,
    )
    def ends(self) -> str:
        soon = datetime.now(UTC) + timedelta(days=10)
        self._reserve(1, EndDateType="limited", EndDate=soon)
        purchase = {
            "ReservedInstancesId": "ri-1",
            "InstanceType": TYPE,
            "ProductDescription": "Linux/UNIX",
            "InstanceTenancy": "default",
            "InstanceCount": 4,
            "State": "active",
            "Scope": "Availability Zone",
            "AvailabilityZone": self.zone,
            "End": soon.isoformat(),
        }
        self.deployed.aws.control("reserved-instances", purchases=[purchase])
        self.deployed.aws.control("savings-plans", plans=[{**self._plan("0.08"), "end": soon.isoformat()}])
        self._look()
        lost = [each["lost"] for each in self._report()["ending"]]
        expect(len(lost) == 3 and any(each.startswith("the capacity and the discount") for each in lost), f"{lost}")
        wait_until("the alarm", lambda: alarm_state(self.deployed, "EndingSoon") == "ALARM")
        return "; ".join(lost)

    @step(
        "both events of AWS Health about a reservation: each starts a look that reports it with what was measured",
        "our-model",
        emulated=PLANTED,
    )
    def hinted(self) -> str:
        name = self.reservations[0]
        line = f"{name} | {self.zone} | {TYPE} | Linux/UNIX | 0.0%"
        for summary, lines in ((False, [name]), (True, [line])):
            before = self._keys()
            self._health(lines, summary=summary)
            wait_until("its report", lambda before=before: len(self._keys() - before) == 1)  # type: ignore[misc]
            (key,) = self._keys() - before
            wait_until("the latest report", lambda: name in self._report()["health_hints"])
            said = self._report(key)["health_hints"][name]
            expect(("seven days" in said) is summary, said)
        return f"{said}; two looks"

    @step(
        "the prices are old and no newer ones can be read: the look uses the old ones and says so",
        "real-code",
        emulated=PLANTED,
    )
    def stale(self) -> str:
        kept = json.loads(self.s3.get_object(Bucket=self.bucket, Key="prices.json")["Body"].read())
        old = {**kept, "date": "2026-01-01"}
        self.s3.put_object(Bucket=self.bucket, Key="prices.json", Body=json.dumps(old).encode())
        self.deployed.aws.control("price-list", refuse="AccessDeniedException")
        done = self._look()
        self.deployed.aws.control("price-list")
        expect(any("price cards are from 2026-01-01" in problem for problem in done["problems"]), f"{done}")
        wait_until("the alarm", lambda: alarm_state(self.deployed, "Problems") == "ALARM")
        found = self._look()
        expect(not found["problems"] and self._report()["plan"]["prices"]["date"] != "2026-01-01", f"{found}")
        return f"{done['problems'][-1]}; read anew in the next look"

    @step("the function can never buy: its own role denies every purchase it tries", "real-code", where="anywhere")
    def never_buys(self) -> str:
        (role,) = {name for name in self.deployed.resources["AWS::IAM::Role"] if "-LookRole" in name}
        arn = self.deployed.client("iam").get_role(RoleName=role)["Role"]["Arn"]
        tried = [
            "ec2:CreateCapacityReservation",
            "ec2:PurchaseReservedInstancesOffering",
            "savingsplans:CreateSavingsPlan",
        ]
        answer = self.deployed.client("iam").simulate_principal_policy(PolicySourceArn=arn, ActionNames=tried)
        found = {each["EvalActionName"]: each["EvalDecision"] for each in answer["EvaluationResults"]}
        expect(set(found) == set(tried) and set(found.values()) == {"explicitDeny"}, f"{found}")
        return f"{', '.join(tried)}: explicitDeny"

    @step("the report command shows the latest look", "real-code", emulated=EMPTY)
    def reports(self) -> str:
        found = self.deployed.command("report")
        expect(found == self._report(), "another report")
        return f"{found['wasted_hours']} wasted, {len(found['ending'])} ending"

    # What the steps use

    def _look(self) -> dict[str, Any]:
        number = len(self._keys())
        event = {"id": f"look-{number}", "source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}
        return dict(self.deployed.invoke("LookFunction", event))

    def _health(self, lines: list[str], *, summary: bool) -> None:
        aws = self.deployed.aws
        aws.control("health-underused", account=aws.account, region=aws.region, reservations=lines, summary=summary)

    def _reserve(self, count: int, **more: Any) -> None:
        made = self.ec2.create_capacity_reservation(
            InstanceType=TYPE,
            InstancePlatform="Linux/UNIX",
            AvailabilityZone=self.zone,
            InstanceCount=count,
            **more,
        )
        self.reservations.append(made["CapacityReservation"]["CapacityReservationId"])

    def _measured(self, reservation: str, *, used: int, available: int) -> None:
        """A day of the points that EC2 publishes every five minutes."""
        now = datetime.now(UTC).replace(second=0, microsecond=0)
        start = now - timedelta(minutes=now.minute % 5)
        dimensions = [{"Name": "CapacityReservationId", "Value": reservation}]
        data = [
            {
                "MetricName": name,
                "Dimensions": dimensions,
                "Value": value,
                "Timestamp": start - timedelta(minutes=5 * n),
            }
            for n in range(24 * 12 + 5)  # more at the beginning: the window of a look ends ten minutes ago
            for name, value in (("UsedInstanceCount", used), ("AvailableInstanceCount", available))
        ]
        for first in range(0, len(data), 500):
            self.cloudwatch.put_metric_data(
                Namespace="AWS/EC2CapacityReservations", MetricData=data[first : first + 500]
            )

    def _plan(self, commitment: str) -> dict[str, Any]:
        return {
            "savingsPlanId": "sp-1",
            "savingsPlanType": "Compute",
            "state": "active",
            "commitment": commitment,
            "start": "2026-01-01T00:00:00.000Z",
            "end": "2029-01-01T00:00:00.000Z",
        }

    def _keys(self) -> set[str]:
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix="reports/")
        return {each["Key"] for page in pages for each in page.get("Contents", [])}

    def _report(self, key: str = "latest.json") -> dict[str, Any]:
        try:
            found: dict[str, Any] = json.loads(self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read())
        except ClientError:
            return {"health_hints": {}}
        return found

    def _value(self, name: str) -> float:
        return latest_value(self.deployed, self.deployed.settings.metric_namespace, name, "Planner")


SCENARIO = CapacityPlannerScenario
