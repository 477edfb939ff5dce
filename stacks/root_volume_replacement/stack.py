"""Snapshots, replacements and clean-up of the root volumes of EC2 instances.

Post: https://aws.amazon.com/blogs/compute/quick-restoration-through-replacing-the-root-volumes-of-amazon-ec2/
"""

from aws_cdk import Fn
from aws_cdk import aws_sns as sns
from constructs import Construct

from config.models import CommonSettings
from stacks.root_volume_replacement.clean_up import CleanUp, FleetSchedules
from stacks.root_volume_replacement.replacements import Replacements
from stacks.root_volume_replacement.rights import Parts
from stacks.root_volume_replacement.settings import RootVolumeReplacementSettings
from stacks.root_volume_replacement.snapshots import OWN_EVENT, Snapshots
from stacks.series import Solution
from stacks.shared.alarms import Alarms, errors_of, waiting_in
from stacks.shared.queue import UnreadQueue
from stacks.shared.solution import SolutionStack
from stacks.shared.table import Table


class RootVolumeReplacementStack(SolutionStack):
    """Three parts around one ledger, which is the proof of what is ours."""

    def __init__(
        self, scope: Construct, solution: Solution, common: CommonSettings, settings: RootVolumeReplacementSettings
    ) -> None:
        super().__init__(scope, solution, common)
        ledger = Table(self, self, "Ledger", key="id", expires="expires_at")
        reports = sns.Topic(self, "Reports", enforce_ssl=True, master_key=self.encryption_key)
        undelivered = UnreadQueue(self, self, "Undelivered")
        parts = Parts(settings, ledger, reports, undelivered)
        snapshots = Snapshots(self, "Snapshots", parts)
        replacements = Replacements(self, "Replacements", parts)
        clean_up = CleanUp(self, "Cleaning", parts)
        FleetSchedules(self, "FleetSchedules", settings, fleet=replacements.fleet.machine, undelivered=undelivered)
        self._alarms(snapshots, replacements, clean_up, undelivered)
        self._outputs(settings, ledger, reports, snapshots, replacements, clean_up)

    def _alarms(
        self, snapshots: Snapshots, replacements: Replacements, clean_up: CleanUp, undelivered: UnreadQueue
    ) -> None:
        alarms = Alarms(self, "Alarms")
        for name, metric, says in (
            ("Replacements", replacements.machine.failures, "A root volume was not replaced as wanted"),
            ("Fleets", replacements.fleet.failures, "A fleet's replacement has stopped"),
            ("Snapshots", snapshots.machine.failures, "A root volume has no snapshot"),
            ("CleanUp", errors_of(clean_up.function), "The clean-up did not do all that it had planned"),
            ("Undelivered", waiting_in(undelivered), "An event or a schedule could not start its target"),
        ):
            alarms.when_above(name, metric, 0, says=says)
        # None on silence: replacements are made on demand, the schedules are the user's, and an alarm looks back a week
        # at most. What a schedule cannot start is in Undelivered.

    def _outputs(
        self,
        settings: RootVolumeReplacementSettings,
        ledger: Table,
        reports: sns.ITopic,
        snapshots: Snapshots,
        replacements: Replacements,
        clean_up: CleanUp,
    ) -> None:
        machine, opt_in = replacements.machine.machine, settings.opt_in
        self.output("ReportTopicArn", reports.topic_arn, "Subscribe here to hear of replacements and clean-up plans")
        self.output("LedgerTable", ledger.table_name, "The ledger of root volumes and snapshots")
        self.output("ReplacementMachineArn", machine.state_machine_arn, "Replaces the root volume of one instance")
        self.output("FleetMachineArn", replacements.fleet.machine.state_machine_arn, "Replaces those of a fleet")
        self.output("SnapshotMachineArn", snapshots.machine.machine.state_machine_arn, "Takes snapshots")
        self.output("CleanUpFunction", clean_up.function.function_name, "Plans the clean-up, and deletes if it may")
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
