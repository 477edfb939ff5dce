"""The two tiers in the private subnet: the database on its volume, and WordPress."""

from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from constructs import IDependable

from stacks.local_zone_wordpress.data import NAMESPACE, Data, told
from stacks.local_zone_wordpress.group import ReadyGroup
from stacks.local_zone_wordpress.user_data import read, script, watch
from stacks.local_zone_wordpress.zone_network import Place
from stacks.shared.alarms import Alarms
from stacks.shared.grants import allow_describing, allow_grants_to_aws, allow_metrics, allow_on_pattern, shown_arn
from stacks.shared.solution import SolutionStack

DATABASE_GROUP, WEB_GROUP = "DatabaseGroup", "WebGroup"
DATA = "/opt/wordpress/data"
MOST_USED = 85  # percent of the data volume
SILENT_ROUNDS = 5  # of five minutes; a boot may take three


class Database(ReadyGroup):
    """One instance, replaced by the group whenever it fails; it takes the volume and the address over.

    An update ends the old instance before the new one starts, because a volume has one holder.
    """

    def __init__(
        self,
        place: Place,
        construct_id: str,
        *,
        security_group: ec2.ISecurityGroup,
        data: Data,
        after: Sequence[IDependable],
    ) -> None:
        scope, settings = place.stack, place.settings
        super().__init__(
            place,
            construct_id,
            security_group=security_group,
            instance_type=settings.database_type,
            user_data=script(
                scope,
                "database.sh",
                logical_id=DATABASE_GROUP,
                VOLUME=data.volume.ref,
                GIB=str(settings.data_gib),
                INTERFACE=data.interface.ref,
                PASSWORD=data.password.secret_arn,
                CONFIG=read("database.cnf"),
                WATCH=watch(
                    scope,
                    # WordPress needs both: MariaDB, and NFS for the uploads. One word for systemd, and its own shell.
                    """/bin/bash -c '/usr/bin/mariadb --execute="DO 1" && : </dev/tcp/127.0.0.1/2049'""",
                    tells=f"DATA={DATA} NAMESPACE={NAMESPACE} NAME={scope.stack_name}",
                ),
            ),
            logical_id=DATABASE_GROUP,
            minimum=1,
            maximum=1,
            minimum_during_update=0,
            description="Database: takes its volume and its address, and reads its password",
            after=after,
        )
        allow_reading(self.role, data.password.secret_arn, scope)
        allow_metrics(self.role, NAMESPACE)
        allow_describing(
            self.role,
            "ec2:DescribeNetworkInterfaces",
            "ec2:DescribeVolumes",
        )
        here = f"arn:{scope.partition}:ec2:{scope.region}:{scope.account}"
        self.role.add_to_policy(
            iam.PolicyStatement(
                actions=["ec2:AttachVolume", "ec2:AttachNetworkInterface"],
                resources=[f"{here}:volume/{data.volume.ref}", f"{here}:network-interface/{data.interface.ref}"],
            )
        )
        if scope.encryption_key:
            # EC2 grants itself the use of the volume's key with the permissions of whoever attaches it. This one action
            # is enough to attach, as the CDK's own Volume was deployed with: https://github.com/aws/aws-cdk/pull/8219.
            allow_grants_to_aws(self.role, scope.encryption_key)
        # Both actions know the tags of the instance, and those of its group are tags of it:
        # https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
        # https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-tagging.html
        allow_on_pattern(
            self.role,
            "ec2:AttachVolume",
            "ec2:AttachNetworkInterface",
            arn=f"{here}:instance/*",
            shown=shown_arn(scope, "ec2", "instance/*"),
            reason="An instance is made after its role; the condition holds it to those of this group.",
            conditions={"StringLike": {"aws:ResourceTag/aws:autoscaling:groupName": f"{self.name_prefix}*"}},
        )

    def watch(self, alarms: Alarms, stack: SolutionStack) -> None:
        """Alarms on the metric that health.sh publishes every five minutes while MariaDB and NFS answer.

        One is on silence: the group counts an instance whose boot has failed as in service until its health check ends
        it, so that the alarm on missing instances does not see boots that fail one after another.
        """
        used = told(stack, "DataUsed", Duration.minutes(5))
        alarms.when_above("DataFills", used, MOST_USED, says=f"The data volume is more than {MOST_USED} % full")
        silent = alarms.when_silent(
            "DatabaseSilent", used, rounds=SILENT_ROUNDS, says="MariaDB or NFS has not answered for a while"
        )
        # A stack of this name may have told before: the alarm waits for this one's database.
        silent.node.add_dependency(self.group)


class Web(ReadyGroup):
    """WordPress on several instances; an update starts a new one before it ends an old one, if max_instances allows."""

    def __init__(
        self,
        place: Place,
        construct_id: str,
        *,
        security_group: ec2.ISecurityGroup,
        data: Data,
        site: str,
        after: Sequence[IDependable],
    ) -> None:
        scope, settings = place.stack, place.settings
        port = str(settings.web_port)
        super().__init__(
            place,
            construct_id,
            security_group=security_group,
            instance_type=settings.web_type,
            user_data=script(
                scope,
                "web.sh",
                logical_id=WEB_GROUP,
                VERSION=settings.wordpress_version,
                SHA256=settings.wordpress_sha256,
                DATABASE=data.interface.attr_primary_private_ip_address,
                # A volume from another stack's snapshot has other users, and files that nobody has mounted yet.
                VOLUME=data.volume.ref,
                PASSWORD=data.password.secret_arn,
                ADMIN=data.admin.secret_arn,
                KEYS=data.keys.secret_arn,
                SITE_URL=site,
                TITLE=settings.title,
                ADMIN_EMAIL=settings.admin_email,
                WEB_PORT=port,
                CONFIG=read("wp-config.php"),
                INSTALL=read("install.php"),
                HEALTHZ=read("healthz.php"),
                NGINX=read("web.conf"),
                POOL=read("php-pool.conf"),
                UPLOADS=read("uploads.conf"),
                UPLOADS_UNIT=read("wordpress-uploads.service"),
                LOOPBACK=read("loopback.php"),
                CRON=read("wordpress-cron.service"),
                CRON_TIMER=read("wordpress-cron.timer"),
                WATCH=watch(scope, f"/usr/bin/curl -fsS --max-time 5 http://127.0.0.1:{port}/healthz"),
            ),
            logical_id=WEB_GROUP,
            minimum=settings.min_instances,
            maximum=settings.max_instances,
            # With room for one more, the new one comes first; the group must then not be at its maximum.
            minimum_during_update=settings.min_instances
            if settings.max_instances > settings.min_instances
            else settings.min_instances - 1,
            description="WordPress: reads its three secrets",
            after=after,
        )
        for secret in (data.password, data.admin, data.keys):
            allow_reading(self.role, secret.secret_arn, scope)


def allow_reading(role: iam.IRole, secret_arn: str, stack: SolutionStack) -> None:
    """Lets a role read the value of one secret, and use the customer managed key that it is encrypted with."""
    role.add_to_principal_policy(iam.PolicyStatement(actions=["secretsmanager:GetSecretValue"], resources=[secret_arn]))
    if stack.encryption_key:
        role.add_to_principal_policy(
            iam.PolicyStatement(actions=["kms:Decrypt"], resources=[stack.encryption_key.key_arn])
        )
