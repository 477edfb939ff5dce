"""What outlives every instance: the volume with the database and the uploads, its snapshots, its address, secrets."""

from typing import cast

from aws_cdk import Acknowledgment, CfnTag, Duration, Fn, RemovalPolicies, Validations
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_dlm as dlm
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct, IConstruct

from stacks.local_zone_wordpress.settings import LocalZoneWordpressSettings
from stacks.local_zone_wordpress.zone_network import Place, ZoneNetwork
from stacks.shared.alarms import Alarms, published
from stacks.shared.grants import allow_describing, allow_on_pattern, allow_volumes_under, shown_arn
from stacks.shared.guard import Guard
from stacks.shared.solution import SolutionStack

BACKUP_TAG = "local-zone-wordpress"  # of the volume and its snapshots: the name of the stack
POLICY_TAG = "local-zone-wordpress-volume"  # by which the policy finds the one volume
NAMESPACE = "ComputeBlog/LocalZoneWordpress"
PASSWORD_LENGTH, KEYS_LENGTH = 40, 64


class Data(Construct):
    """Volume, snapshots, network interface and secrets.

    Attributes:
        volume: the data volume.
        interface: the network interface whose address WordPress knows, whichever instance has it.
        password: of the database's user.
        admin: password of the site's administrator.
        keys: what WordPress signs its cookies with.
        policy: what takes the snapshots.
    """

    def __init__(
        self,
        place: Place,
        construct_id: str,
        *,
        security_group: ec2.ISecurityGroup,
        after: IConstruct | None,
    ) -> None:
        scope, settings, network = place.stack, place.settings, place.network
        super().__init__(place.stack, construct_id)
        key_arn = scope.encryption_key.key_arn if scope.encryption_key else None
        self.volume = self._volume(scope, settings, network, key_arn)
        if after:
            self.volume.node.add_dependency(after)
        self.interface = ec2.CfnNetworkInterface(
            self,
            "Interface",
            subnet_id=network.private[0].subnet_id,
            group_set=[security_group.security_group_id],
            description="The address of the database",
        )
        self.password = self._secret(scope, "Password", "Password of the database's user", PASSWORD_LENGTH)
        self.admin = self._secret(scope, "Admin", "Password of the site's user admin", PASSWORD_LENGTH)
        self.keys = self._secret(scope, "Keys", "What WordPress signs its cookies with", KEYS_LENGTH)
        self.policy = self._snapshots(scope, settings)

    def _volume(
        self, stack: SolutionStack, settings: LocalZoneWordpressSettings, network: ZoneNetwork, key_arn: str | None
    ) -> ec2.CfnVolume:
        """The volume, under a name of its own for each snapshot that it is made from, and its two guards.

        CloudFormation changes zone, key and snapshot of a volume neither in place nor by replacement
        (https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ec2-volume.html). By
        another logical id it makes the new volume first, moves the database over, and deletes the old one at the end.
        Only restore_from is in the id: a volume of another key or zone is empty unless it comes from a snapshot.
        """
        name = f"Volume{settings.restore_from.title().replace('-', '')}" if settings.restore_from else "Volume"
        volume = ec2.CfnVolume(
            self,
            name,
            availability_zone=network.zone,
            encrypted=True,
            kms_key_id=key_arn,
            size=settings.data_gib,
            snapshot_id=settings.restore_from,
            volume_type=settings.volume_type,
            tags=[
                CfnTag(key="Name", value=f"{stack.stack_name}-data"),
                CfnTag(key=BACKUP_TAG, value=stack.stack_name),
                # Never the value of a volume that common.keep_data_on_destroy has kept: the policy would take snapshots
                # of that one too, which its role may not, and a policy that is refused something takes none any more.
                CfnTag(key=POLICY_TAG, value=_policy_value(stack, name)),
            ],
        )
        if not stack.common.keep_data_on_destroy:  # else it stays itself
            RemovalPolicies.of(volume).snapshot()
        subject = "the volume with the database and the uploads"
        Guard(
            stack,
            "VolumeGuard",
            of=volume,
            subject=subject,
            # The name is in it for stacks that were made from a snapshot when it was not yet in the volume's id.
            guarded={"SnapshotId": f"{settings.restore_from} in {name}" if settings.restore_from else "none"},
            way="Another snapshot, and the first deployment of a version that names the volume after it, makes a new "
            "volume from restore_from in its place. Take a snapshot of the present volume, set restore_from to it, or "
            "to the older one that you want back, and accept_volume_replacement: true. From null on there is no way "
            "back to null, which would be an empty volume: make another stack for that.",
            accepted=settings.accept_volume_replacement,
        )
        # One for each volume: a new snapshot comes with whatever key it likes.
        Guard(
            stack,
            f"{name}PlaceGuard",
            of=volume,
            subject=subject,
            guarded={"AvailabilityZone": network.zone, "KmsKeyId": key_arn or "aws/ebs"},
            way="A volume keeps its key and its zone. For another key take a snapshot, and set restore_from to it and "
            "accept_volume_replacement: true together with the key. For another zone make another stack there, with "
            "restore_from.",
            accepted=False,
        )
        return volume

    def _secret(self, stack: SolutionStack, construct_id: str, description: str, length: int) -> secretsmanager.Secret:
        secret = secretsmanager.Secret(
            self,
            construct_id,
            description=description,
            encryption_key=stack.encryption_key,
            generate_secret_string=secretsmanager.SecretStringGenerator(
                exclude_punctuation=True, include_space=False, password_length=length
            ),
        )
        Validations.of(secret).acknowledge(
            Acknowledgment(
                id="AwsSolutions-SMG4",
                reason="The instances read it at boot; its README says how to change it, which replaces them.",
            )
        )
        return secret

    def _snapshots(self, stack: SolutionStack, settings: LocalZoneWordpressSettings) -> dlm.CfnLifecyclePolicy:
        """https://docs.aws.amazon.com/ebs/latest/userguide/snapshot-ami-policy.html."""
        role = iam.Role(
            self,
            "SnapshotRole",
            assumed_by=iam.ServicePrincipal("dlm.amazonaws.com"),
            description="Takes and deletes snapshots of the data volume",
        )
        # AWS's managed policy has the first one for Local Zones since December 2024:
        # https://docs.aws.amazon.com/ebs/latest/userguide/managed-policies.html
        zones = ("ec2:DescribeAvailabilityZones",) if settings.zone else ()
        allow_describing(role, *zones, "ec2:DescribeInstances", "ec2:DescribeSnapshots", "ec2:DescribeVolumes")
        snapshots = f"arn:{stack.partition}:ec2:{stack.region}::snapshot/*"
        shown = shown_arn(stack, "ec2", "snapshot/*").replace(
            f":{stack.account if stack.common.account else '<AWS::AccountId>'}:", "::"
        )
        role.add_to_policy(
            iam.PolicyStatement(
                actions=["ec2:CreateSnapshot"],
                resources=[f"arn:{stack.partition}:ec2:{stack.region}:{stack.account}:volume/{self.volume.ref}"],
            )
        )
        reason = "A snapshot has no name before it is taken; the condition holds it to those of this stack's volume."
        allow_on_pattern(role, "ec2:CreateSnapshot", "ec2:CreateTags", arn=snapshots, shown=shown, reason=reason)
        allow_on_pattern(
            role,
            "ec2:DeleteSnapshot",
            arn=snapshots,
            shown=shown,
            reason=reason,
            conditions={"StringEquals": {f"aws:ResourceTag/{BACKUP_TAG}": stack.stack_name}},
        )
        if stack.encryption_key:
            # "If the source volume is encrypted, ensure that the roles have permission to use the KMS keys":
            # https://docs.aws.amazon.com/ebs/latest/userguide/dlm-prerequisites.html
            allow_volumes_under(role, stack.encryption_key)
        policies = dlm.CfnLifecyclePolicy
        backup = settings.backup
        policy = policies(
            self,
            "Snapshots",
            description=f"Data volume of {stack.stack_name}",
            execution_role_arn=role.role_arn,
            state="ENABLED",
            policy_details=policies.PolicyDetailsProperty(
                resource_types=["VOLUME"],
                resource_locations=["LOCAL_ZONE" if settings.zone else "CLOUD"],
                target_tags=[CfnTag(key=POLICY_TAG, value=_policy_value(stack, self.volume.node.id))],
                schedules=[
                    policies.ScheduleProperty(
                        name="data",
                        copy_tags=True,
                        create_rule=policies.CreateRuleProperty(
                            interval=backup.every_hours,
                            interval_unit="HOURS",
                            times=[backup.at],
                            location="LOCAL_ZONE" if backup.location == "local-zone" else "CLOUD",
                        ),
                        retain_rule=policies.RetainRuleProperty(count=backup.keep),
                    )
                ],
            ),
        )
        policy.node.add_dependency(cast(IConstruct, role))
        return policy

    def watch(self, stack: SolutionStack, alarms: Alarms) -> None:
        """A message when the policy fails, after which there are no snapshots any more, and no metric says so.

        https://docs.aws.amazon.com/ebs/latest/userguide/monitor-cloudwatch-events.html
        """
        if stack.common.topic_of_others:
            return  # EventBridge would not reach it
        rule = events.Rule(
            self,
            "SnapshotsFail",
            description="Tells of a policy that takes no snapshots of the data volume any more",
            event_pattern=events.EventPattern(
                source=["aws.dlm"],
                detail_type=["DLM Policy State Change"],
                resources=[self.policy.attr_arn],
                detail={"state": ["ERROR"]},
            ),
        )
        at = events.EventField.from_path
        sentence = (
            f"The snapshots of the data volume of {stack.stack_name} fail since {at('$.time')}: {at('$.detail.cause')}"
        )
        alarms.hear(rule, sentence, about="SnapshotsFail")


def _policy_value(stack: SolutionStack, volume: str) -> str:
    """The value of POLICY_TAG, which no other volume has: of this stack's id, and of this volume of it."""
    return f"{Fn.select(2, Fn.split('/', stack.stack_id))}/{volume}"


def told(stack: SolutionStack, name: str, period: Duration) -> cloudwatch.Metric:
    """A metric that an instance of this stack publishes."""
    return published(NAMESPACE, name, by=("Stack", stack.stack_name), period=period)
