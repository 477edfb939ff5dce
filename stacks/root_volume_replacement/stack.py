"""Snapshots, replacements and clean-up of the root volumes of EC2 instances.

Post: https://aws.amazon.com/blogs/compute/quick-restoration-through-replacing-the-root-volumes-of-amazon-ec2/
"""

from aws_cdk import Acknowledgment, Duration, Fn, Validations
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from config.models import CommonSettings
from stacks.catalog import Solution
from stacks.root_volume_replacement.clean_up import CleanUp, FleetSchedules
from stacks.root_volume_replacement.replacements import Replacements
from stacks.root_volume_replacement.settings import RootVolumeReplacementSettings
from stacks.root_volume_replacement.snapshots import OWN_EVENT, Snapshots
from stacks.shared.alarms import Alarms
from stacks.shared.solution import SolutionStack

MINUTE = Duration.minutes(1)


class RootVolumeReplacementStack(SolutionStack):
    """Three parts around one ledger, which is the proof of what is ours."""

    def __init__(
        self, scope: Construct, solution: Solution, common: CommonSettings, settings: RootVolumeReplacementSettings
    ) -> None:
        super().__init__(scope, solution, common)
        ledger = self._ledger()
        reports = sns.Topic(self, "Reports", enforce_ssl=True, master_key=self.encryption_key)
        undelivered = self._undelivered()
        snapshots = Snapshots(self, "Snapshots", settings, ledger=ledger, undelivered=undelivered)
        replacements = Replacements(self, "Replacements", settings, ledger=ledger, reports=reports)
        clean_up = CleanUp(self, "Cleaning", settings, ledger=ledger, reports=reports, undelivered=undelivered)
        FleetSchedules(self, "FleetSchedules", settings, fleet=replacements.fleet.machine, undelivered=undelivered)
        self._alarms(snapshots, replacements, clean_up, undelivered)
        self._outputs(settings, ledger, reports, snapshots, replacements, clean_up)

    def _ledger(self) -> dynamodb.TableV2:
        keep = self.common.keep_data_on_destroy
        key = self.encryption_key
        return dynamodb.TableV2(
            self,
            "Ledger",
            partition_key=dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING),
            time_to_live_attribute="expires_at",
            encryption=dynamodb.TableEncryptionV2.customer_managed_key(key) if key else None,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=keep
            ),
        )

    def _undelivered(self) -> sqs.Queue:
        """Where events end that could start nothing."""
        key = self.encryption_key
        queue = sqs.Queue(
            self,
            "Undelivered",
            encryption=sqs.QueueEncryption.KMS if key else sqs.QueueEncryption.SQS_MANAGED,
            encryption_master_key=key,
            enforce_ssl=True,
            retention_period=Duration.days(14),
        )
        Validations.of(queue).acknowledge(
            Acknowledgment(id="AwsSolutions-SQS3", reason="It is the dead-letter queue of EventBridge and Scheduler.")
        )
        return queue

    def _alarms(
        self, snapshots: Snapshots, replacements: Replacements, clean_up: CleanUp, undelivered: sqs.Queue
    ) -> None:
        alarms = Alarms(self, "Alarms")
        for name, metric, says in (
            ("Replacements", replacements.machine.failures, "A root volume was not replaced as wanted"),
            ("Fleets", replacements.fleet.failures, "A fleet's replacement has stopped"),
            ("Snapshots", snapshots.machine.failures, "A root volume has no snapshot"),
            (
                "CleanUp",
                clean_up.function.metric_errors(period=MINUTE, statistic=cloudwatch.Stats.SUM),
                "The clean-up did not do all that it had planned",
            ),
            (
                "Undelivered",
                undelivered.metric_approximate_number_of_messages_visible(
                    period=MINUTE, statistic=cloudwatch.Stats.MAXIMUM
                ),
                "An event or a schedule could start nothing",
            ),
        ):
            alarms.when_above(name, metric, 0, says=says)

    def _outputs(
        self,
        settings: RootVolumeReplacementSettings,
        ledger: dynamodb.ITableV2,
        reports: sns.ITopic,
        snapshots: Snapshots,
        replacements: Replacements,
        clean_up: CleanUp,
    ) -> None:
        machine, opt_in = replacements.machine.machine, settings.opt_in
        self.output("ReportTopicArn", reports.topic_arn, "Subscribe here to hear of replacements and clean-up plans")
        self.output("LedgerTable", ledger.table_name, "What was noted, replaced and taken")
        self.output("ReplacementMachineArn", machine.state_machine_arn, "Replaces the root volume of one instance")
        self.output("FleetMachineArn", replacements.fleet.machine.state_machine_arn, "Replaces those of a fleet")
        self.output("SnapshotMachineArn", snapshots.machine.machine.state_machine_arn, "Takes snapshots")
        self.output("CleanUpFunction", clean_up.function.function_name, "Plans, and deletes if it may")
        self.output(
            "OptIn",
            f"aws ec2 create-tags --region {self.region} --resources INSTANCE_ID "
            f"--tags 'Key={opt_in.key},Value={opt_in.value}'",
            "Opts an instance in",
        )
        self.output(
            "StartReplacement",
            Fn.join(
                "",
                [
                    f"aws stepfunctions start-execution --region {self.region} --state-machine-arn ",
                    machine.state_machine_arn,
                    ' --input \'{"instance_id": "INSTANCE_ID", "to": "latest-snapshot"}\'',
                ],
            ),
            "Replaces a root volume",
        )
        detail = r'"{\"instance-id\": \"INSTANCE_ID\"}"'
        entry = f'[{{"Source": "me", "DetailType": "{OWN_EVENT}", "Detail": {detail}}}]'
        self.output(
            "AskForSnapshot",
            f"aws events put-events --region {self.region} --entries '{entry}'",
            "Takes a snapshot of a root volume as it is now",
        )
