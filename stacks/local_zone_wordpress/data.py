"""What outlives every instance: the volume with the database and the uploads, its snapshots, its address, secrets."""

from typing import cast

from aws_cdk import Acknowledgment, CfnTag, Validations
from aws_cdk import aws_dlm as dlm
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct, IConstruct

from stacks.local_zone_wordpress.settings import LocalZoneWordpressSettings
from stacks.local_zone_wordpress.zone_network import ZoneNetwork
from stacks.shared.grants import allow_on_any_resource, allow_on_pattern, shown_arn
from stacks.shared.guard import Guard
from stacks.shared.solution import SolutionStack

BACKUP_TAG = "local-zone-wordpress"
PASSWORD_LENGTH, KEYS_LENGTH = 40, 64


class Data(Construct):
    """Volume, snapshots, network interface and secrets.

    Attributes:
        volume: the data volume.
        interface: the network interface whose address WordPress knows, whichever instance has it.
        password: of the database's user.
        admin: password of the site's administrator.
        keys: what WordPress signs its cookies with.
    """

    def __init__(
        self,
        scope: SolutionStack,
        construct_id: str,
        settings: LocalZoneWordpressSettings,
        *,
        network: ZoneNetwork,
        security_group: ec2.ISecurityGroup,
        after: IConstruct | None,
    ) -> None:
        super().__init__(scope, construct_id)
        key_arn = scope.encryption_key.key_arn if scope.encryption_key else None
        self.volume = ec2.CfnVolume(
            self,
            "Volume",
            availability_zone=network.zone,
            encrypted=True,
            kms_key_id=key_arn,
            size=settings.data_gib,
            snapshot_id=settings.restore_from,
            volume_type=settings.volume_type,
            # Another name for each stack, so that the policy takes no snapshots of another one's volume.
            tags=[
                CfnTag(key="Name", value=f"{scope.stack_name}-data"),
                CfnTag(key=BACKUP_TAG, value=scope.stack_name),
            ],
        )
        if after:
            self.volume.node.add_dependency(after)
        Guard(
            scope,
            "VolumeGuard",
            of=self.volume,
            subject="the volume with the database and the uploads",
            guarded={
                "AvailabilityZone": network.zone,
                "KmsKeyId": key_arn or "aws/ebs",
                "SnapshotId": settings.restore_from or "none",
            },
            way="Each of these replaces the volume by an empty one, or by an older state. Take a snapshot first, set "
            "restore_from to it, and set accept_volume_replacement: true for this one deployment.",
            accepted=settings.accept_volume_replacement,
        )
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
        self._snapshots(scope, settings)

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

    def _snapshots(self, stack: SolutionStack, settings: LocalZoneWordpressSettings) -> None:
        """https://docs.aws.amazon.com/ebs/latest/userguide/snapshot-ami-policy.html."""
        role = iam.Role(
            self,
            "SnapshotRole",
            assumed_by=iam.ServicePrincipal("dlm.amazonaws.com"),
            description="Takes and deletes snapshots of the data volume",
        )
        allow_on_any_resource(
            role,
            "ec2:DescribeInstances",
            "ec2:DescribeSnapshots",
            "ec2:DescribeVolumes",
            reason="Describing knows no resource.",
        )
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
                target_tags=[CfnTag(key=BACKUP_TAG, value=stack.stack_name)],
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
