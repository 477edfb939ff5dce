"""The widgets of the section of Outposts: their capacity, and what is left of it. No AWS in here."""

from collections.abc import Iterator, Sequence

from outposts_dashboard.layout.widgets import (
    PALETTE,
    Block,
    Ids,
    Item,
    Line,
    Search,
    Widget,
    colour_of,
    graph,
    plain,
    text,
)
from outposts_dashboard.wanted import Wanted, batches

TYPES_IN_GRAPH = 20
"""Types, two lines each, in a graph that somebody can still read."""


def outposts(items: Sequence[Item], wanted: Wanted, region: str, account: str) -> Iterator[Block]:
    """Capacity: types used and available, EBS, S3, and the service link.

    https://docs.aws.amazon.com/outposts/latest/userguide/outposts-cloudwatch-metrics.html
    """
    for item in items:
        name = f" {plain(item['name'])}" if item["name"] else ""
        title = f"### Outpost {item['id']}{name}"
        if item["state"] != "ACTIVE":
            yield [[text(f"{title}: its state is {item['state']}, it publishes no metrics")]]
            continue
        owner = item["owner"] if item["owner"] != account else ""
        whose = f", of account {owner}" if owner else ""
        graphs = list(_types(item, region, owner))
        yield [[text(title + whose)], [graphs[0]]]
        yield from ([[more]] for more in graphs[1:])
        yield [_capacity(item, wanted, region, owner)]


def _types(item: Item, region: str, owner: str) -> Iterator[Widget]:
    """Used and available instances of each type: two shades of one colour.

    UsedInstanceType_Count has a dimension for the account that uses them, so that it is searched for and summed.
    """
    outpost, title = item["id"], "Instances used and available"
    used = f'{{AWS/Outposts,Account,InstanceType,OutpostId}} MetricName="UsedInstanceType_Count" OutpostId="{outpost}"'
    if item["types"] is None:
        free = f'{{AWS/Outposts,InstanceType,OutpostId}} MetricName="AvailableInstanceType_Count" OutpostId="{outpost}"'
        label = "${PROP('Dim.InstanceType')} "
        both: list[Line | Search] = [
            Search("used", used, label + "used", account=owner),
            Search("available", free, label + "available", account=owner),
        ]
        yield graph(title, both, region=region, width=24)
        return
    if not item["types"]:
        yield text("It has no instance types.")
    for batch in batches(item["types"], TYPES_IN_GRAPH):
        ids = Ids()
        lines: list[Line | Search] = []
        for kind in batch:
            query = f'{used} InstanceType="{kind}"'
            dark, light = colour_of(kind, 0.35), colour_of(kind, 0.65)
            lines += [
                Search(ids.of("used", kind), query, f"{kind} used", colour=dark, summed=True, account=owner),
                Line(
                    "AWS/Outposts",
                    "AvailableInstanceType_Count",
                    (("InstanceType", kind), ("OutpostId", outpost)),
                    f"{kind} available",
                    light,
                    account=owner,
                ),
            ]
        yield graph(title, lines, region=region, width=24)


def _capacity(item: Item, wanted: Wanted, region: str, owner: str) -> list[Widget]:
    outpost = item["id"]
    here = (("OutpostId", outpost),)
    volumes = f'{{AWS/Outposts,OutpostId,VolumeType}} OutpostId="{outpost}" MetricName="EBSVolumeTypeCapacity'
    ebs = [
        Search("used", f'{volumes}UtilizationGB"', "${PROP('Dim.VolumeType')} used", account=owner),
        Search("available", f'{volumes}AvailabilityGB"', "${PROP('Dim.VolumeType')} available", account=owner),
    ]
    s3 = [
        Line(wanted.s3_namespace, metric, here, label, colour, account=owner)
        for metric, label, colour in (
            ("OutpostTotalBytes", "total", PALETTE[0]),
            ("OutpostFreeBytes", "free", PALETTE[2]),
        )
    ]
    link = [Line("AWS/Outposts", "ConnectedStatus", here, "connected", PALETTE[2], stat="Minimum", account=owner)]
    return [
        graph("EBS capacity, GB", ebs, region=region, width=8),
        graph("S3 capacity, bytes", s3, region=region, width=8),
        graph("Service link: below 1 is impaired", link, region=region, width=8, axis=(0, 1)),
    ]
