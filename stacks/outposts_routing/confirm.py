"""Looks at the interfaces on Outposts."""

import re

from config.models import CommonSettings
from stacks.outposts_routing.settings import OutpostsRoutingSettings
from stacks.shared.confirming import Look, Seen
from stacks.shared.preflight import Clients

TAKEN = re.compile(r"ELB app/[^/]+/[0-9a-f]+$")


def _interfaces(common: CommonSettings, settings: OutpostsRoutingSettings, clients: Clients) -> Seen:
    pages = clients("ec2").get_paginator("describe_network_interfaces").paginate()
    found = [each for page in pages for each in page["NetworkInterfaces"] if each.get("OutpostArn")]
    balancers = {str(each["Description"]) for each in found if "ELB" in str(each.get("Description"))}
    if not balancers:
        return Seen("open", f"{len(found)} interfaces are on Outposts, none of a load balancer")
    fits = all(TAKEN.match(each) for each in balancers)
    return Seen("confirmed" if fits else "refuted", "; ".join(sorted(balancers)))


LOOKS = (Look("That Elastic Load Balancing describes its interfaces", ("ec2:DescribeNetworkInterfaces",), _interfaces),)
