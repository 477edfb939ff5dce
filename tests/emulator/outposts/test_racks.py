"""Outposts as their API lists them, and the tags and metrics beside it."""

from typing import Any

import pytest

from emulator.client import EmbeddedAws, EmulatorError
from emulator.services.outposts.racks import PAGE

NAMES = [f"op-{digit * 17}" for digit in "12345"]
TYPES = [f"m5.{number}xlarge" for number in (2, 4, 8, 12, 24)]


def put(aws: EmbeddedAws) -> Any:
    own = {"name": "rack", "owner": aws.account, "state": "ACTIVE", "types": TYPES}
    aws.control(
        "outposts",
        outposts=[{"id": name, **own} for name in NAMES],
        buckets=[{"outpost": NAMES[0], "name": "on-site", "tags": {"site": "here"}}],
    )
    return aws.client("outposts")


def test_lists_come_in_pages(aws: EmbeddedAws) -> None:
    client = put(aws)
    pages = list(client.get_paginator("list_outposts").paginate())
    assert [len(page["Outposts"]) for page in pages] == [PAGE, 2]
    assert [each["OutpostId"] for page in pages for each in page["Outposts"]] == NAMES
    pages = list(client.get_paginator("get_outpost_instance_types").paginate(OutpostId=NAMES[1]))
    assert [each["InstanceType"] for page in pages for each in page["InstanceTypes"]] == TYPES and len(pages) == 2


def test_there_are_none_until_somebody_says_so_and_after_a_reset(aws: EmbeddedAws) -> None:
    assert aws.client("outposts").list_outposts()["Outposts"] == []
    put(aws)
    aws.reset()
    assert aws.client("outposts").list_outposts()["Outposts"] == []


def test_the_tagging_api_shows_buckets_on_outposts_and_load_balancers(aws: EmbeddedAws) -> None:
    put(aws)
    tagging = aws.client("resourcegroupstaggingapi")
    (found,) = tagging.get_resources(TagFilters=[{"Key": "site"}], ResourceTypeFilters=["s3-outposts"])[
        "ResourceTagMappingList"
    ]
    assert found["ResourceARN"].endswith(f":outpost/{NAMES[0]}/bucket/on-site")
    subnets = [subnet["SubnetId"] for subnet in aws.client("ec2").describe_subnets()["Subnets"][:2]]
    tags = [{"Key": "site", "Value": "here"}]
    aws.client("elbv2").create_load_balancer(Name="web", Subnets=subnets, Tags=tags)
    (balancer,) = tagging.get_resources(
        TagFilters=[{"Key": "site", "Values": ["here"]}], ResourceTypeFilters=["elasticloadbalancing:loadbalancer"]
    )["ResourceTagMappingList"]
    assert ":loadbalancer/app/web/" in balancer["ResourceARN"]


def test_metrics_of_aws_s_own_namespaces_are_recorded(aws: EmbeddedAws) -> None:
    datum = {"namespace": "AWS/Outposts", "name": "ConnectedStatus", "dimensions": {"OutpostId": NAMES[0]}, "value": 1}
    aws.control("metrics", account=aws.account, region=aws.region, data=[datum])
    (metric,) = aws.client("cloudwatch").list_metrics(Namespace="AWS/Outposts")["Metrics"]
    assert metric["Dimensions"] == [{"Name": "OutpostId", "Value": NAMES[0]}]


def test_a_control_without_what_it_needs_is_refused(aws: EmbeddedAws) -> None:
    with pytest.raises(EmulatorError, match="KeyError"):
        aws.control("metrics", data=[])
