"""What ``check`` of this solution adds: types, quotas, subnet purposes, and what Spinnaker has left behind."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from config.models import CommonSettings
from stacks.shared.instance_types import vcpus
from stacks.shared.preflight import Clients, Finding, looked_at
from stacks.spinnaker_server_groups.settings import PURPOSE_TAG, SpinnakerServerGroupsSettings

CLEAN_UP = "Before you destroy the stack: python -m stacks spinnaker_server_groups post clean-up"


def own_findings(
    common: CommonSettings, settings: SpinnakerServerGroupsSettings, clients: Clients
) -> Iterator[Finding]:
    """Finds what would stop a deployment, or Spinnaker afterwards."""
    yield looked_at("instance types", lambda: _types(settings, clients))
    if settings.host:
        host_type = settings.host.instance_type
        yield looked_at("host type", lambda: _host_type(host_type, clients))
    on_demand = settings.on_demand(settings.max_instances)
    yield looked_at("Spot vCPUs", lambda: _vcpus(settings, clients, settings.max_instances - on_demand, spot=True))
    yield looked_at("On-Demand vCPUs", lambda: _vcpus(settings, clients, on_demand, spot=False))
    yield looked_at("subnet purposes", lambda: _purposes(common, settings, clients))
    yield looked_at("server groups", lambda: _server_groups(settings, clients))
    yield looked_at("load balancer", lambda: _load_balancer(settings, clients))
    yield looked_at("launch templates", lambda: _left_behind(settings, clients))
    yield looked_at("security groups", lambda: _namesakes(settings, clients))
    if settings.key_pair:
        yield looked_at("key pair", lambda: _key_pair(settings.key_pair or "", clients))


def _types(settings: SpinnakerServerGroupsSettings, clients: Clients) -> Finding:
    """Where the types are offered: a zone without a type means one pool less, a Region without it is a problem."""
    pages = (
        clients("ec2")
        .get_paginator("describe_instance_type_offerings")
        .paginate(
            LocationType="availability-zone",
            Filters=[{"Name": "instance-type", "Values": list(settings.types)}],
        )
    )
    pools = [(item["InstanceType"], item["Location"]) for page in pages for item in page["InstanceTypeOfferings"]]
    offered = {name for name, _ in pools}
    if missing := [name for name in settings.types if name not in offered]:
        return Finding("instance types", "problem", f"not in this Region: {', '.join(missing)}", "Change types")
    zones = len({zone for _, zone in pools})
    gaps = len(settings.types) * zones - len(pools)
    says = f"{len(settings.types)} types in {zones} zones of the Region: {len(pools)} pools"
    return Finding("instance types", "ok", says + (f"; {gaps} pairs of type and zone do not exist" if gaps else ""))


def _host_type(name: str, clients: Clients) -> Finding:
    filters = [{"Name": "instance-type", "Values": [name]}]
    if clients("ec2").describe_instance_type_offerings(LocationType="region", Filters=filters)["InstanceTypeOfferings"]:
        return Finding("host type", "ok", f"{name} is offered here")
    return Finding("host type", "problem", f"{name} is not in this Region", "Change host.instance_type")


def _vcpus(settings: SpinnakerServerGroupsSettings, clients: Clients, instances: int, *, spot: bool) -> Finding:
    pages = (
        clients("ec2")
        .get_paginator("describe_instance_types")
        .paginate(Filters=[{"Name": "instance-type", "Values": list(settings.types)}])
    )
    most = max((item["VCpuInfo"]["DefaultVCpus"] for page in pages for item in page["InstanceTypes"]), default=0)
    groups = 2 if settings.native_group else 1  # and Spinnaker's server group
    what = "Spot vCPUs" if spot else "On-Demand vCPUs"
    return vcpus(clients, settings.types, instances * most * groups, what, spot=spot)


def _purposes(common: CommonSettings, settings: SpinnakerServerGroupsSettings, clients: Clients) -> Finding:
    what = "subnet purposes"
    purposes = settings.purposes(common)
    if purposes is None:
        fix = "Set public_purpose and private_purpose before you post to Spinnaker"
        return Finding(what, "ok", "the purposes of common.vpc are not known", fix)
    pages = (
        clients("ec2")
        .get_paginator("describe_subnets")
        .paginate(Filters=[{"Name": "tag-key", "Values": [PURPOSE_TAG]}])
    )
    vpcs: dict[str, set[str]] = {}
    for subnet in (subnet for page in pages for subnet in page["Subnets"]):
        purpose = _purpose(subnet)
        if purpose is None:
            fix = f"Correct its tag {PURPOSE_TAG}: because of it Spinnaker finds no subnet in the Region"
            return Finding(what, "problem", f"{subnet['SubnetId']} has a tag that is not JSON with a purpose", fix)
        vpcs.setdefault(purpose, set()).add(subnet["VpcId"])
    for purpose in purposes:
        if len(found := vpcs.get(purpose, set())) > 1:
            fix = "Set another purpose, or another prefix: Spinnaker ignores a purpose that two VPCs have"
            return Finding(what, "problem", f"{purpose} is in {', '.join(sorted(found))}", fix)
    if common.vpc and (missing := [purpose for purpose in purposes if common.vpc.id not in vpcs.get(purpose, ())]):
        fix = f'Tag your subnets: {PURPOSE_TAG} = {{"purpose":"{missing[0]}"}}'
        return Finding(what, "problem", f"no subnet of {common.vpc.id} has {', '.join(missing)}", fix)
    return Finding(what, "ok", f"{' and '.join(purposes)}, in one VPC at most")


def _purpose(subnet: Mapping[str, Any]) -> str | None:
    (value,) = [tag["Value"] for tag in subnet["Tags"] if tag["Key"] == PURPOSE_TAG]
    try:
        found = json.loads(value)
    except ValueError:
        return None
    purpose = found.get("purpose") if isinstance(found, dict) else None
    return purpose if isinstance(purpose, str) else None


def _groups(settings: SpinnakerServerGroupsSettings, clients: Clients) -> list[str]:
    pages = clients("autoscaling").get_paginator("describe_auto_scaling_groups").paginate()
    names = [str(group["AutoScalingGroupName"]) for page in pages for group in page["AutoScalingGroups"]]
    return [name for name in names if name.startswith(f"{settings.application}-v")]


def _server_groups(settings: SpinnakerServerGroupsSettings, clients: Clients) -> Finding:
    if found := _groups(settings, clients):
        return Finding("server groups", "ok", f"Spinnaker has made {', '.join(found)}", CLEAN_UP)
    return Finding("server groups", "ok", "Spinnaker has made none")


def _load_balancer(settings: SpinnakerServerGroupsSettings, clients: Clients) -> Finding:
    """Spinnaker's load balancer is in this stack's subnets, and its target group may stay behind."""
    what, elb = "load balancer", clients("elbv2")
    balancers = elb.get_paginator("describe_load_balancers").paginate()
    targets = elb.get_paginator("describe_target_groups").paginate()
    names = [item["LoadBalancerName"] for page in balancers for item in page["LoadBalancers"]]
    names += [item["TargetGroupName"] for page in targets for item in page["TargetGroups"]]
    if found := [name for name in (settings.load_balancer_name, settings.target_group_name) if name in names]:
        return Finding(what, "ok", f"Spinnaker has made {' and '.join(found)}", CLEAN_UP)
    return Finding(what, "ok", "Spinnaker has made none")


def _namesakes(settings: SpinnakerServerGroupsSettings, clients: Clients) -> Finding:
    """Security groups that Spinnaker mistakes for the application's, which it then refuses to delete.

    orca-applications, VerifyApplicationHasNoDependenciesTask: it compares the name up to the first hyphen, in any case.
    """
    what = "security groups"
    pages = clients("ec2").get_paginator("describe_security_groups").paginate()
    names = [str(group["GroupName"]) for page in pages for group in page["SecurityGroups"]]
    if found := [name for name in names if name.partition("-")[0].lower() == settings.application]:
        fix = "Set another application: Spinnaker mistakes these for the application's and cannot delete it"
        return Finding(what, "problem", f"named like the application: {', '.join(sorted(found))}", fix)
    return Finding(what, "ok", f"none is named like {settings.application}")


def _left_behind(settings: SpinnakerServerGroupsSettings, clients: Clients) -> Finding:
    """Spinnaker leaves a launch template behind when a deployment fails halfway."""
    names = [{"Name": "launch-template-name", "Values": [f"{settings.application}-v*"]}]
    pages = clients("ec2").get_paginator("describe_launch_templates").paginate(Filters=names)
    templates = [str(item["LaunchTemplateName"]) for page in pages for item in page["LaunchTemplates"]]
    groups = tuple(_groups(settings, clients))
    if left := [name for name in templates if not name.startswith(groups or ("\0",))]:
        fix = "Delete them: aws ec2 delete-launch-template --launch-template-name NAME"
        return Finding("launch templates", "ok", f"left behind by Spinnaker: {', '.join(left)}", fix)
    return Finding("launch templates", "ok", "none left behind")


def _key_pair(name: str, clients: Clients) -> Finding:
    found = clients("ec2").describe_key_pairs(Filters=[{"Name": "key-name", "Values": [name]}])["KeyPairs"]
    if not found:
        return Finding("key pair", "problem", f"{name} does not exist here", "Create it, or correct key_pair")
    return Finding("key pair", "ok", f"{name} exists")
