"""The load balancer on the Outpost with addresses of the pool, which CloudFormation has no type for."""

import logging
import time
from collections.abc import Mapping
from typing import Any

from outposts_routing.coip.plan import balancer_name, differences
from outposts_routing.ownership import tags_of
from shared.aws import client
from shared.custom_resource import Facts, RefusedError
from shared.patience import ROUND_SECONDS, ROUNDS, found_at_last, once_known

logger = logging.getLogger(__name__)

Request = Mapping[str, Any]
SERVES = ("active", "active_impaired")


def make_balancer(request: Request) -> tuple[str, Facts]:
    """An Application Load Balancer with addresses of the pool, which only its creation can choose.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateLoadBalancer.html

    Raises:
        RefusedError: it is there already, in another place or of another scheme, which cannot be changed.
    """
    wanted = request["ResourceProperties"]
    balancer = (
        _own_balancer(request)
        or client("elbv2").create_load_balancer(
            Name=balancer_name(request["StackId"], request["LogicalResourceId"]),
            Type="application",
            Scheme=wanted["Scheme"],
            Subnets=[wanted["SubnetId"]],
            SecurityGroups=wanted["SecurityGroupIds"],
            CustomerOwnedIpv4Pool=wanted["PoolId"],
            Tags=tags_of(request),
        )["LoadBalancers"][0]
    )
    if differing := differences(balancer, wanted):
        # On the way back of a failed update it is as it is wanted again.
        raise RefusedError(
            f"the load balancer has {differing}, which needs a new one; remove load_balancer from the configuration, "
            "deploy, and put it back"
        )
    arn = balancer["LoadBalancerArn"]
    once_known(
        lambda: client("elbv2").modify_load_balancer_attributes(
            LoadBalancerArn=arn,
            Attributes=[{"Key": "routing.http.drop_invalid_header_fields.enabled", "Value": "true"}],
        )
    )
    _wait_until_it_serves(arn)
    return arn, {"DNSName": balancer["DNSName"]}


def _wait_until_it_serves(arn: str) -> None:
    """The call succeeds before the load balancer serves: on a rack without capacity its state becomes failed.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_LoadBalancerState.html
    """
    elbv2 = client("elbv2")
    for last in [*[False] * (ROUNDS - 1), True]:
        (found,) = once_known(lambda: elbv2.describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"])
        state = found["State"]
        if state["Code"] in SERVES:
            return
        if last or state["Code"] == "failed":
            reason = state.get("Reason") or "Elastic Load Balancing gives no reason"
            raise RefusedError(
                f"the load balancer is {state['Code']}: {reason}; has the Outpost free capacity for it, and the pool "
                "free addresses?"
            )
        logger.info("not there yet", extra={"arn": arn, "state": state["Code"]})
        time.sleep(ROUND_SECONDS)


def remove_balancer(request: Request) -> None:
    """Deletes it and waits until its interfaces are gone: before that, its security group and subnet cannot be deleted.

    Its addresses come back a while later, for which the range waits.

    Raises:
        RefusedError: an interface is still there after ten minutes.
    """
    balancer = found_at_last(lambda: _own_balancer(request))
    if balancer is None:
        return
    client("elbv2").delete_load_balancer(LoadBalancerArn=balancer["LoadBalancerArn"])
    for last in [*[False] * (ROUNDS - 1), True]:
        left = _interfaces(balancer["LoadBalancerArn"])
        if not left:
            return
        if last:
            raise RefusedError(f"{', '.join(left)} of the deleted load balancer are still there; try again later")
        logger.info("interfaces are there yet", extra={"interfaces": left})
        time.sleep(ROUND_SECONDS)


def _interfaces(arn: str) -> list[str]:
    """Elastic Load Balancing names its interfaces after the load balancer.

    https://repost.aws/knowledge-center/elb-find-load-balancer-IP
    """
    filters = [{"Name": "description", "Values": [f"ELB {arn.partition(':loadbalancer/')[2]}"]}]
    pages = client("ec2").get_paginator("describe_network_interfaces").paginate(Filters=filters)
    return [each["NetworkInterfaceId"] for page in pages for each in page["NetworkInterfaces"]]


def _own_balancer(request: Request) -> dict[str, Any] | None:
    elbv2 = client("elbv2")
    name = balancer_name(request["StackId"], request["LogicalResourceId"])
    try:
        found = elbv2.describe_load_balancers(Names=[name])["LoadBalancers"]
    except elbv2.exceptions.LoadBalancerNotFoundException:
        return None
    return found[0] if found else None
