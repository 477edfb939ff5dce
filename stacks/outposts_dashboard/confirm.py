"""Looks at Outposts, at their metrics, and at what the tagging API knows."""

from botocore.exceptions import ClientError

from config.models import CommonSettings
from stacks.outposts_dashboard.settings import OutpostsDashboardSettings
from stacks.shared.confirming import Look, Seen
from stacks.shared.preflight import Clients

NAMESPACES = ("S3Outposts", "AWS/S3Outposts")
UNTAGGABLE = "InvalidParameterException"


def _metrics(clients: Clients, namespace: str) -> dict[str, list[str]]:
    """Names of metrics with those of their dimensions."""
    pages = clients("cloudwatch").get_paginator("list_metrics").paginate(Namespace=namespace)
    return {
        metric["MetricName"]: sorted(each["Name"] for each in metric["Dimensions"])
        for page in pages
        for metric in page["Metrics"]
    }


def _s3(common: CommonSettings, settings: OutpostsDashboardSettings, clients: Clients) -> Seen:
    found = {namespace: metrics for namespace in NAMESPACES if (metrics := _metrics(clients, namespace))}
    if not found:
        return Seen("open", "nothing is published under either name here")
    used = {name: metrics.get("BucketUsedBytes", []) for name, metrics in found.items()}
    return Seen("confirmed" if list(found) == [settings.s3_namespace] else "refuted", f"BucketUsedBytes: {used}")


def _second_generation(common: CommonSettings, settings: OutpostsDashboardSettings, clients: Clients) -> Seen:
    pages = clients("outposts").get_paginator("list_outposts").paginate()
    generations = {str(each.get("Generation", "not told")) for page in pages for each in page["Outposts"]}
    found = _metrics(clients, "AWS/Outposts")
    if not generations or not found:
        return Seen("open", f"Outposts here: {sorted(generations) or 'none'}, {len(found)} metrics")
    told = "; ".join(f"{name}: {', '.join(dimensions)}" for name, dimensions in sorted(found.items()))
    return Seen("seen", f"generations {sorted(generations)}: {told}")


def _shared(common: CommonSettings, settings: OutpostsDashboardSettings, clients: Clients) -> Seen:
    own = clients("sts").get_caller_identity()["Account"]
    pages = clients("outposts").get_paginator("list_outposts").paginate()
    owners = {each["OutpostId"]: each["OwnerId"] for page in pages for each in page["Outposts"]}
    if others := sorted(name for name, owner in owners.items() if owner != own):
        return Seen("confirmed", f"of other accounts: {', '.join(others)}")
    return Seen("open", f"{len(owners)} Outposts are listed, none of another account")


def _tagging(common: CommonSettings, settings: OutpostsDashboardSettings, clients: Clients) -> Seen:
    """https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_GetResources.html."""
    try:
        answer = clients("resourcegroupstaggingapi").get_resources(ResourceTypeFilters=["s3-outposts"])
    except ClientError as error:
        if error.response["Error"]["Code"] != UNTAGGABLE:
            raise
        return Seen("refuted", str(error.response["Error"].get("Message", UNTAGGABLE)))
    return Seen("confirmed", f"taken; {len(answer['ResourceTagMappingList'])} resources")


def _types(common: CommonSettings, settings: OutpostsDashboardSettings, clients: Clients) -> Seen:
    outposts = clients("outposts")
    own = clients("sts").get_caller_identity()["Account"]
    pages = outposts.get_paginator("list_outposts").paginate()
    listed = {each["OutpostId"]: each["OwnerId"] for page in pages for each in page["Outposts"]}
    others = [name for name, owner in {**listed, **settings.other_outposts}.items() if owner != own]
    if not others:
        return Seen("open", "no Outpost of another account is known here")
    try:
        found = outposts.get_outpost_instance_types(OutpostId=others[0])["InstanceTypes"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "NotFoundException":
            raise
        return Seen("refuted", f"{others[0]}: {error}")
    return Seen("confirmed", f"{others[0]}: {len(found)} types")


LOOKS = (
    Look("The namespace of S3 on Outposts", ("cloudwatch:ListMetrics",), _s3),
    Look(
        "That metrics of second-generation racks",
        ("outposts:ListOutposts", "cloudwatch:ListMetrics"),
        _second_generation,
    ),
    Look("That ListOutposts lists Outposts that are shared", ("outposts:ListOutposts",), _shared),
    Look("That the tagging API knows `s3-outposts`", ("tag:GetResources",), _tagging),
    Look(
        "Whether GetOutpostInstanceTypes finds an Outpost",
        ("outposts:ListOutposts", "outposts:GetOutpostInstanceTypes"),
        _types,
    ),
)
