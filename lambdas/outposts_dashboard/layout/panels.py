"""The widgets of the sections of AWS's services, as the post shows them. No AWS in here."""

from collections.abc import Iterator, Sequence

from outposts_dashboard.layout.widgets import PALETTE, Block, Ids, Item, Line, Search, colour_of, graph, plain, text
from outposts_dashboard.wanted import Wanted, batches

LINES_IN_GRAPH = 50
"""Lines in a graph that somebody can still read."""
BUCKETS_IN_GRAPH = 20
"""Searches in one graph may be 100 at most."""
DAY = 86_400
TWO_WEEKS = "-P14D"
"""S3 publishes a bucket's metrics once a day, a day or two late: the last 24 hours are often empty."""

# Metrics and their labels.
Metrics = tuple[tuple[str, str], ...]
NETWORK: Metrics = (
    ("NetworkIn", "in"),
    ("NetworkOut", "out"),
    ("NetworkPacketsIn", "packets in"),
    ("NetworkPacketsOut", "packets out"),
)
DISK: Metrics = (
    ("EBSReadBytes", "read"),
    ("EBSWriteBytes", "written"),
    ("EBSReadOps", "read operations"),
    ("EBSWriteOps", "write operations"),
    ("EBSIOBalance%", "I/O balance, %"),
)
VOLUME: Metrics = (
    ("VolumeReadBytes", "read"),
    ("VolumeWriteBytes", "written"),
    ("VolumeReadOps", "read operations"),
    ("VolumeWriteOps", "write operations"),
)
REQUESTS: Metrics = (
    ("RequestCount", "requests"),
    ("HTTPCode_ELB_3XX_Count", "3XX"),
    ("HTTPCode_ELB_4XX_Count", "4XX"),
    ("HTTPCode_ELB_5XX_Count", "5XX"),
)
CONNECTIONS: Metrics = (
    ("ActiveConnectionCount", "active"),
    ("NewConnectionCount", "new"),
    ("RejectedConnectionCount", "rejected"),
    ("ClientTLSNegotiationErrorCount", "TLS errors"),
)


def ec2(items: Sequence[Item], wanted: Wanted, region: str, account: str) -> Iterator[Block]:
    """CPU, network and disk of each instance.

    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/viewing_metrics_with_cloudwatch.html
    """
    for item in items:
        here = (("InstanceId", item["id"]),)
        where = f" on {item['outpost']}" if item["outpost"] else " in the Region"
        title = f"### {plain(item['name'])} · {item['id']} · {item['type']}{where} · {item['state']}"
        cpu = [Line("AWS/EC2", "CPUUtilization", here, "CPU", PALETTE[0], stat="Maximum")]
        if item["nitro"]:
            disks = [("Disk", _several("AWS/EC2", DISK, here, "Sum"))]
        else:
            disks = [(f"Disk {volume}", _volume(volume)) for volume in item["volumes"][:LINES_IN_GRAPH]]
        shown = [
            graph("CPU, %", cpu, region=region, width=8, height=5, axis=(0, 100)),
            graph("Network", _several("AWS/EC2", NETWORK, here, "Average"), region=region, width=8, height=5),
        ]
        shown += [graph(name, lines, region=region, width=8, height=5) for name, lines in disks]
        yield [[text(title)], *([*shown[start : start + 3]] for start in range(0, len(shown), 3))]


def _volume(volume: str) -> list[Line]:
    return _several("AWS/EBS", VOLUME, (("VolumeId", volume),), "Sum")


def load_balancers(items: Sequence[Item], wanted: Wanted, region: str, account: str) -> Iterator[Block]:
    """Requests, connections and response times of each Application Load Balancer, and the health of its targets.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html
    """
    namespace = "AWS/ApplicationELB"
    for item in items:
        here = (("LoadBalancer", item["id"]),)
        first = [
            graph("Requests", _several(namespace, REQUESTS, here, "Sum"), region=region, width=12),
            graph("Connections", _several(namespace, CONNECTIONS, here, "Sum"), region=region, width=12),
        ]
        yield [[text(f"### Application Load Balancer {plain(item['name'])}")], first]
        for groups in batches(item["groups"], LINES_IN_GRAPH):
            shown = []
            for title, metric, stat in (
                ("Target response time, s", "TargetResponseTime", "Average"),
                ("Healthy targets", "HealthyHostCount", "Minimum"),
                ("Unhealthy targets", "UnHealthyHostCount", "Maximum"),
            ):
                lines = [
                    Line(namespace, metric, (("TargetGroup", group), *here), _short(group), colour_of(group), stat=stat)
                    for group in groups
                ]
                shown.append(graph(title, lines, region=region, width=8))
            yield [shown]


def s3(items: Sequence[Item], wanted: Wanted, region: str, account: str) -> Iterator[Block]:
    """Size and objects of the buckets of the Region, a point a day; bytes used of those on Outposts.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/metrics-dimensions.html. Which dimensions the buckets on
    Outposts have, no page says: they are searched for by their names.
    """
    in_region = [item["id"] for item in items if not item["outpost"]]
    for names in batches(in_region, LINES_IN_GRAPH):
        row = []
        for title, metric, storage in (
            ("Size of buckets, bytes", "BucketSizeBytes", "StandardStorage"),
            ("Objects in buckets", "NumberOfObjects", "AllStorageTypes"),
        ):
            lines = [
                Line("AWS/S3", metric, (("BucketName", name), ("StorageType", storage)), name, colour_of(name))
                for name in names
            ]
            row.append(graph(title, lines, region=region, width=12, period=DAY, start=TWO_WEEKS))
        yield [row]
    on_outposts = [item for item in items if item["outpost"]]
    for start in range(0, len(on_outposts), BUCKETS_IN_GRAPH):
        ids = Ids()
        searches = [
            Search(
                ids.of("bucket", item["id"]),
                f'Namespace="{wanted.s3_namespace}" MetricName="BucketUsedBytes" "{item["id"]}" "{item["outpost"]}"',
                f"{item['id']} on {item['outpost']}",
                colour=colour_of(item["id"]),
                summed=True,
            )
            for item in on_outposts[start : start + BUCKETS_IN_GRAPH]
        ]
        yield [[graph("Buckets on Outposts, bytes used", searches, region=region, width=24)]]


def auto_scaling(items: Sequence[Item], wanted: Wanted, region: str, account: str) -> Iterator[Block]:
    """Instances in service and desired of all groups.

    https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-metrics.html
    """
    for names in batches([item["id"] for item in items if item["metrics"]], LINES_IN_GRAPH):
        row = []
        for title, metric in (
            ("Instances in service", "GroupInServiceInstances"),
            ("Instances desired", "GroupDesiredCapacity"),
        ):
            lines = [
                Line("AWS/AutoScaling", metric, (("AutoScalingGroupName", name),), name, colour_of(name))
                for name in names
            ]
            row.append(graph(title, lines, region=region, width=12, period=60))
        yield [row]
    for names in batches([item["id"] for item in items if not item["metrics"]], LINES_IN_GRAPH):
        listed = ", ".join(plain(name) for name in names)
        said = f"Without group metrics, and so without a graph: {listed}. `aws autoscaling enable-metrics-collection`"
        yield [[text(f"{said} with `--granularity 1Minute` turns them on.", height=2)]]


def rds(items: Sequence[Item], wanted: Wanted, region: str, account: str) -> Iterator[Block]:
    """CPU, connections and free storage of each database.

    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-metrics.html
    """
    for item in items:
        here = (("DBInstanceIdentifier", item["id"]),)
        where = f" on {item['outpost']}" if item["outpost"] else ""
        row = [
            graph(title, [Line("AWS/RDS", metric, here, metric, PALETTE[0], stat=stat)], region=region, width=8)
            for title, metric, stat in (
                ("CPU, %", "CPUUtilization", "Maximum"),
                ("Connections", "DatabaseConnections", "Maximum"),
                ("Free storage, bytes", "FreeStorageSpace", "Minimum"),
            )
        ]
        yield [[text(f"### Database {plain(item['id'])} · {item['engine']} · {item['class']}{where}")], row]


def _several(namespace: str, metrics: Metrics, here: tuple[tuple[str, str], ...], stat: str) -> list[Line]:
    """The same metrics each time, each with a colour of its own."""
    return [
        Line(namespace, metric, here, label, colour, stat=stat)
        for (metric, label), colour in zip(metrics, PALETTE, strict=False)
    ]


def _short(group: str) -> str:
    return group.split("/")[1] if "/" in group else group
