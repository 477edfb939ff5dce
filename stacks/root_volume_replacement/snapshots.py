"""The snapshot of every new root volume, and of those that an event of the user's own asks for."""

from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from stacks.root_volume_replacement.machine import Machine
from stacks.root_volume_replacement.rights import allow_on_every
from stacks.root_volume_replacement.settings import RootVolumeReplacementSettings
from stacks.shared.grants import allow_describing, of_this_account
from stacks.shared.python_function import PythonFunction
from stacks.shared.solution import SolutionStack
from stacks.shared.table import Table

OWN_EVENT = "Root Volume Snapshot Wanted"


class Snapshots(Construct):
    """Rules, a state machine that waits for the attachment, and the function that looks.

    Attributes:
        machine: the state machine.
    """

    def __init__(
        self,
        scope: SolutionStack,
        construct_id: str,
        settings: RootVolumeReplacementSettings,
        *,
        ledger: Table,
        undelivered: sqs.IQueue,
    ) -> None:
        super().__init__(scope, construct_id)
        function = PythonFunction(
            scope,
            "Snapshot",
            handler="snapshot",
            description="Looks at a volume, and takes a snapshot if it is a new root volume",
            environment={
                "OPT_IN_KEY": settings.opt_in.key,
                "OPT_IN_VALUE": settings.opt_in.value,
                "TABLE_NAME": ledger.table_name,
                "POLL_SECONDS": str(settings.poll_seconds),
                "ATTACH_SECONDS": str(60 * settings.attach_minutes),
            },
            timeout_seconds=60,
        )
        allow_describing(function.own_role, "ec2:DescribeInstances", "ec2:DescribeVolumes", "ec2:DescribeSnapshots")
        allow_on_every(
            scope,
            function,
            "ec2:CreateSnapshot",
            "volume",
            reason="Whose root volume it is, only its instance says, which the function asks.",
        )
        allow_on_every(
            scope,
            function,
            "ec2:CreateSnapshot",
            "snapshot",
            conditions={"StringEquals": {"aws:RequestTag/replace-snapshot": "true"}},
            reason="A snapshot that is to be made has no name; a condition holds it to our tag.",
        )
        allow_on_every(
            scope,
            function,
            "ec2:CreateTags",
            "snapshot",
            conditions={"StringEquals": {"ec2:CreateAction": "CreateSnapshot"}},
            reason="A snapshot that is to be made has no name; a condition allows tags at its creation only.",
        )
        ledger.allow(function.own_role, "dynamodb:GetItem", "dynamodb:PutItem")
        self.machine = Machine(
            scope,
            "SnapshotMachine",
            definition="snapshot",
            function=function,
            substitutions={"SnapshotFunctionArn": function.function_arn},
        )
        role = iam.Role(
            self,
            "EventsRole",
            assumed_by=of_this_account(scope, "events.amazonaws.com"),
            description="Events that start the state machine of snapshots",
        )
        target = targets.SfnStateMachine(self.machine.machine, role=role, dead_letter_queue=undelivered)
        if settings.snapshot_new_volumes:
            events.Rule(
                self,
                "Created",
                description="A new volume may be a root volume",
                event_pattern=events.EventPattern(
                    source=["aws.ec2"],
                    detail_type=["EBS Volume Notification"],
                    detail={"event": ["createVolume"], "result": ["available"]},
                ),
                targets=[target],
            )
            # https://docs.aws.amazon.com/tag-editor/latest/userguide/tag-monitor.html
            events.Rule(
                self,
                "OptedIn",
                description="An instance has opted in, perhaps after its volume was made",
                event_pattern=events.EventPattern(
                    source=["aws.tag"],
                    detail_type=["Tag Change on Resource"],
                    detail={
                        "service": ["ec2"],
                        "resource-type": ["instance"],
                        "changed-tag-keys": [settings.opt_in.key],
                        "tags": {settings.opt_in.key: [settings.opt_in.value]},
                    },
                ),
                targets=[target],
            )
        events.Rule(
            self,
            "Wanted",
            description="An event of your own asks for a snapshot",
            event_pattern=events.EventPattern(detail_type=[OWN_EVENT], account=[scope.account]),
            targets=[target],
        )
