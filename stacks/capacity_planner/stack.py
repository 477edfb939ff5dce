"""Looks at the account's reservations every day and reports what they cover, what is wasted and what ends.

Post: https://aws.amazon.com/blogs/compute/selecting-cost-effective-capacity-reservations-for-your-business-critical-workloads-on-amazon-ec2/
"""

import json
from typing import cast

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from constructs import Construct

from capacity_planner.health import CODES, DETAIL_TYPE, SERVICE, SOURCE
from capacity_planner.report import DOUBLED, ENDING, LOOKS, PLANNER, PROBLEMS, WASTED
from config.models import CommonSettings
from stacks.capacity_planner.rights import allow_looking, allow_telling, deny_buying
from stacks.capacity_planner.settings import CapacityPlannerSettings
from stacks.capacity_planner.storage import Storage, price_file
from stacks.series import Solution
from stacks.shared.alarms import Alarms, published
from stacks.shared.boto3_layer import Boto3Layer
from stacks.shared.grants import allow_reading_asset
from stacks.shared.python_function import PythonFunction
from stacks.shared.solution import SolutionStack

LOOKS_OF_SILENCE = 2


class CapacityPlannerStack(SolutionStack):
    """A function that looks at the account every day, a bucket of its reports, and alarms."""

    def __init__(
        self, scope: Construct, solution: Solution, common: CommonSettings, settings: CapacityPlannerSettings
    ) -> None:
        super().__init__(scope, solution, common)
        self._settings = settings
        storage = Storage(self, "Storage", report_days=settings.report_days)
        alarms = Alarms(self, "Alarms")
        look = self._look(storage, alarms)
        self._when(look, storage)
        self._rings(alarms, look)
        self.output("ReportsAddress", storage.address, "Reports of all looks, and the prices with their date")
        self.output("LookFunction", look.function_name, "Invoke it to look now")

    def _look(self, storage: Storage, alarms: Alarms) -> PythonFunction:
        settings = self._settings
        assumed = {
            "hours_a_week": settings.hours_a_week,
            "months": settings.months,
            "strict": settings.strict,
            "may_change": list(settings.may_change),
        }
        file = price_file(self, settings)
        look = PythonFunction(
            self,
            "Look",
            handler="look",
            description="Looks at instances, reservations and plans, and reports what is covered, wasted and ending",
            environment={
                "ACCOUNT": self.account,
                "BUCKET": storage.bucket.bucket_name,
                "METRIC_NAMESPACE": settings.metric_namespace,
                "PLANNER": self.stack_name,
                "TOPIC_ARN": alarms.topic.topic_arn,
                "EVERY_HOURS": str(settings.every_hours),
                "NOTICE_DAYS": str(settings.notice_days),
                "PRICE_DAYS": str(settings.price_days),
                "ASSUMED": json.dumps(assumed),
                **({"PRICE_FILE": f"{file.s3_bucket_name}/{file.s3_object_key}"} if file else {}),
            },
            timeout_seconds=900,
            memory_mib=512,
        )
        # The runtime's boto3 may be too old to say whether a reservation is interruptible.
        services = ("cloudwatch", "ec2", "pricing", "s3", "savingsplans", "sns")
        look.add_layers(Boto3Layer(self, "Boto3", services=services))
        allow_looking(self, look, settings.metric_namespace, prices=file is None)
        allow_telling(self, look, alarms.topic)
        deny_buying(look)
        storage.allow(look)
        if file:
            allow_reading_asset(look.own_role, file)
        return look

    def _when(self, look: PythonFunction, storage: Storage) -> None:
        every = events.Rule(
            self,
            "Every",
            description="Starts a look at the account",
            schedule=events.Schedule.rate(Duration.hours(self._settings.every_hours)),
            targets=[targets.LambdaFunction(look)],
        )
        hint = events.Rule(
            self,
            "Underused",
            description="Starts a look when AWS Health reports a reservation that is hardly used",
            event_pattern=events.EventPattern(
                source=[SOURCE],
                detail_type=[DETAIL_TYPE],
                detail={"service": [SERVICE], "eventTypeCode": list(CODES)},
            ),
            targets=[targets.LambdaFunction(look)],
        )
        for rule in (every, hint):
            # On deletion nothing may be written after the bucket has been emptied.
            rule.node.add_dependency(storage.emptied)

    def _rings(self, alarms: Alarms, look: PythonFunction) -> None:
        settings = self._settings
        between = Duration.hours(settings.every_hours)

        def own(name: str, period: Duration) -> cloudwatch.Metric:
            return published(settings.metric_namespace, name, by=(PLANNER, self.stack_name), period=period)

        for construct_id, name, above, says in (
            ("WastedHours", WASTED, settings.alarm_wasted_hours, "Reserved hours are paid for and not used"),
            ("EndingSoon", ENDING, 0, "Reservations, Reserved Instances or Savings Plans end soon"),
            ("IdleWhileUnreserved", DOUBLED, 0, "Reserved capacity is idle while as many instances run outside it"),
            ("Problems", PROBLEMS, 0, "A look could not see everything"),
        ):
            alarm = alarms.when_above(construct_id, own(name, Duration.hours(1)), above, says=says)
            # The alarm keeps the state that the last look gave it: most hours have no point.
            cast(cloudwatch.CfnAlarm, alarm.node.default_child).treat_missing_data = "ignore"
        alarms.when_silent(
            "NoLook",
            own(LOOKS, between),
            rounds=LOOKS_OF_SILENCE,
            says="There has been no look at the account for two periods",
        )
        alarms.on_errors(look)
