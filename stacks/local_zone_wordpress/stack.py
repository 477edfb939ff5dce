"""WordPress in a Local Zone: the post's architecture, closed by default and with data that outlives its instances.

Post: https://aws.amazon.com/blogs/compute/automating-your-workload-deployments-in-aws-local-zones/
"""

from aws_cdk import aws_ec2 as ec2
from constructs import Construct, IDependable

from config.models import CommonSettings
from stacks.local_zone_wordpress.data import BACKUP_TAG, Data
from stacks.local_zone_wordpress.edge import EdgeInstance
from stacks.local_zone_wordpress.front import ApplicationBalancer, SelfManagedBalancer, open_to_readers
from stacks.local_zone_wordpress.opt_in import ZoneOptIn
from stacks.local_zone_wordpress.settings import LocalZoneWordpressSettings
from stacks.local_zone_wordpress.tiers import Database, Web
from stacks.local_zone_wordpress.way_out import WayOut
from stacks.local_zone_wordpress.zone_network import Place, ZoneNetwork
from stacks.series import Solution
from stacks.shared.alarms import Alarms
from stacks.shared.solution import SolutionStack

MISSING_MINUTES = 20  # a boot may take fifteen
MARIADB, NFS = ec2.Port.tcp(3306), ec2.Port.tcp(2049)


class LocalZoneWordpressStack(SolutionStack):
    """Opt-in, network, data, database, WordPress, front door, alarms."""

    def __init__(
        self, scope: Construct, solution: Solution, common: CommonSettings, settings: LocalZoneWordpressSettings
    ) -> None:
        super().__init__(scope, solution, common)
        opt_in = ZoneOptIn(self, "ZoneOptIn", settings) if settings.zone else None
        after = opt_in.resource if opt_in else None
        network = ZoneNetwork(self, "Network", settings, after=after)
        place = Place(self, settings, network)
        database_group, web_group, front_group = _groups(network, settings)
        boots_need: list[IDependable] = [network]
        edges: dict[str, EdgeInstance] = {}
        if network.own:
            way_out = WayOut(place, "WayOut", clients=[database_group, web_group])
            boots_need.append(way_out)
            if way_out.edge:
                edges["Nat"] = way_out.edge
                boots_need.append(way_out.edge)
        data = Data(place, "Data", security_group=database_group, after=after)
        data.volume.node.add_dependency(network.guard)  # it cannot move either
        database = Database(
            place,
            "Database",
            security_group=database_group,
            data=data,
            after=boots_need,
        )
        alarms = Alarms(self, "Alarms")
        front: SelfManagedBalancer | ApplicationBalancer
        if settings.load_balancer == "application":
            front = ApplicationBalancer(place, "Front", security_group=front_group, after=after)
            address = front.address
        else:
            front = SelfManagedBalancer(place, "Front", security_group=front_group)
            edges["Balancer"] = front.edge
            address = front.edge.address.attr_public_ip
        web = Web(
            place,
            "Web",
            security_group=web_group,
            data=data,
            site=front.site,
            after=[*boots_need, database],
        )
        if isinstance(front, ApplicationBalancer):
            front.register(web)
        front.watch(alarms, web)
        data.watch(self, alarms)
        database.watch(alarms, self)
        for name, group in (("Database", database), ("Web", web)):
            alarms.when_above(
                f"Missing{name}",
                group.missing(),
                0,
                says=f"The group {name} has too few instances in service for {MISSING_MINUTES} minutes",
                minutes=MISSING_MINUTES,
            )
        for name, edge in edges.items():
            alarms.when_above(
                f"{name}Fails",
                edge.failed_checks(),
                0,
                says=f"The instance {name} fails its status checks",
                minutes=2,
                about="EdgeFails",
            )
        self._outputs(settings, data, web, front.site, address)

    def _outputs(self, settings: LocalZoneWordpressSettings, data: Data, web: Web, site: str, address: str) -> None:
        region = f"--region {self.region}"
        self.output("SiteUrl", site, "The site; allowed_cidrs says who may reach it")
        self.output("Address", address, "Where the name of the site must point, if domain is set")
        self.output(
            "AdminPassword",
            f"aws secretsmanager get-secret-value {region} --secret-id {data.admin.secret_arn} "
            "--query SecretString --output text",
            "Shows the password of the user admin at /wp-login.php",
        )
        self.output("WebGroupName", web.group.auto_scaling_group_name, "Auto Scaling group of the WordPress instances")
        self.output("DataVolume", data.volume.ref, "Volume with the database and the uploads")
        self.output(
            "Snapshots",
            f"aws ec2 describe-snapshots {region} --owner-ids self --query 'Snapshots[].[SnapshotId,StartTime]' "
            f"--filters Name=tag:{BACKUP_TAG},Values={self.stack_name} --output text",
            "Lists the backups, which outlive the stack; delete each with: aws ec2 delete-snapshot --snapshot-id ID",
        )


def _groups(
    network: ZoneNetwork, settings: LocalZoneWordpressSettings
) -> tuple[ec2.SecurityGroup, ec2.SecurityGroup, ec2.SecurityGroup]:
    """Of the database, of WordPress and of the front door; each names the next."""
    database = network.security_group("DatabaseGroup", "MariaDB and uploads for WordPress")
    web = network.security_group("WebGroup", "WordPress for the load balancer")
    front = network.security_group("FrontGroup", "HTTP and HTTPS for the readers of the site")
    port = ec2.Port.tcp(settings.web_port)
    for each in (database, web):
        each.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(443), "AWS APIs, packages and WordPress")
    for wanted, what in ((MARIADB, "MariaDB"), (NFS, "Uploads")):
        database.add_ingress_rule(web, wanted, what)
        web.add_egress_rule(database, wanted, what)
    web.add_ingress_rule(front, port, "From the load balancer")
    front.add_egress_rule(web, port, "To WordPress")
    open_to_readers(front, settings)
    return database, web, front
