"""The instances that a group runs: from its launch template, in its subnets, of its purchase options (our model).

Which instance type a mixed instances policy gets is the smallest that fits, not what an allocation strategy chooses.
"""

from collections import Counter
from typing import Any

from emulator.core.api import call
from emulator.services.autoscaling import zones
from emulator.services.autoscaling.patches import member_of
from emulator.services.ec2.instance_types import smallest_matching
from emulator.services.ssm.images import image_architecture

# What images call their root volume: Amazon Linux, and most others.
ROOT_DEVICES = ("/dev/xvda", "/dev/sda1")


def run(group: Any, count: int) -> list[Any]:
    """Runs instances from the group's launch template, in the subnets that have the fewest."""
    members = []
    specification = launch_template(group)
    template = _template_data(specification)
    tags = {tag["Key"]: tag["Value"] for tag in group.tags if tag.get("PropagateAtLaunch")}
    tags["aws:autoscaling:groupName"] = group.name
    pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
    for (market, subnet), number in _shares(group, template, count).items():
        launched = call(
            "ec2",
            "RunInstances",
            MinCount=number,
            MaxCount=number,
            LaunchTemplate=specification,
            InstanceType=_instance_type(group, template),
            TagSpecifications=[{"ResourceType": "instance", "Tags": pairs}],
            **_placement(group, subnet),
            **_from_template(template),
            **zones.launch_parameters(group),
            **({"InstanceMarketOptions": {"MarketType": "spot"}} if market == "spot" else {}),
        )
        for instance in launched["Instances"]:
            protected = bool(group.new_instances_protected_from_scale_in)
            member = member_of(group, instance["InstanceId"], protected=protected)
            member.launched_from = specification
            members.append(member)
    return members


def _shares(group: Any, template: dict[str, Any], count: int) -> Counter[tuple[str, str | None]]:
    """How many of *count* instances go to which market and subnet."""
    on_demand, spot = _purchase_options(group, count)
    subnets: list[str | None] = [*group.vpc_zone_identifier.split(",")] if group.vpc_zone_identifier else [None]
    used = Counter(dict.fromkeys(subnets, 0))
    used.update(member.instance.subnet_id for member in group.instance_states if member.instance.subnet_id in used)
    shares: Counter[tuple[str, str | None]] = Counter()
    next_subnet = zones.subnet_chooser(group, template)
    for market in ["on-demand"] * on_demand + ["spot"] * spot:
        subnet = next_subnet(used)
        used[subnet] += 1
        shares[market, subnet] += 1
    return shares


def launch_template(group: Any) -> dict[str, str]:
    """Id and version of the launch template that a group launches from."""
    template = group.ec2_launch_template
    return {"LaunchTemplateId": template.id, "Version": str(group.launch_template_version)}


def _template_data(specification: dict[str, str]) -> dict[str, Any]:
    found = call(
        "ec2",
        "DescribeLaunchTemplateVersions",
        LaunchTemplateId=specification["LaunchTemplateId"],
        Versions=[specification["Version"]],
    )
    data: dict[str, Any] = found["LaunchTemplateVersions"][0]["LaunchTemplateData"]
    return data


def _from_template(template: dict[str, Any]) -> dict[str, Any]:
    """What RunInstances of AWS takes from a launch template and moto's does not."""
    taken: dict[str, Any] = {}
    if profile := template.get("IamInstanceProfile"):
        taken["IamInstanceProfile"] = profile
    interfaces = template.get("NetworkInterfaces") or [{}]
    groups = template.get("SecurityGroupIds") or interfaces[0].get("Groups")
    if groups:
        taken["SecurityGroupIds"] = groups
    if mappings := template.get("BlockDeviceMappings"):
        taken["BlockDeviceMappings"] = [_with_default_deletion(mapping) for mapping in mappings]
    if options := template.get("MetadataOptions"):
        taken["MetadataOptions"] = {name: value for name, value in options.items() if name != "State"}
    return taken


def _with_default_deletion(mapping: dict[str, Any]) -> dict[str, Any]:
    """A root volume goes with its instance unless a template says otherwise; the others stay.

    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/preserving-volumes-on-termination.html
    """
    if mapping["DeviceName"] not in ROOT_DEVICES or "Ebs" not in mapping:
        return mapping
    return {**mapping, "Ebs": {"DeleteOnTermination": True, **mapping["Ebs"]}}


def _placement(group: Any, subnet: str | None) -> dict[str, Any]:
    return {"SubnetId": subnet} if subnet else {"Placement": {"AvailabilityZone": group.availability_zones[0]}}


def _instance_type(group: Any, template: dict[str, Any]) -> str:
    """The type of the first override, the smallest that its requirements allow, or the template's."""
    policy = group.mixed_instances_policy or {}
    for override in (policy.get("LaunchTemplate") or {}).get("Overrides") or []:
        if override.get("InstanceType"):
            return str(override["InstanceType"])
        if requirements := override.get("InstanceRequirements"):
            # A group launches what its image runs on.
            architecture = image_architecture(template.get("ImageId"))
            return smallest_matching(requirements, [architecture] if architecture else [])
    return str(template.get("InstanceType") or "m1.small")


def _purchase_options(group: Any, count: int) -> tuple[int, int]:
    """How many of the next *count* instances are On-Demand and how many Spot.

    Follows https://docs.aws.amazon.com/autoscaling/ec2/userguide/mixed-instances-groups-set-up-overview.html: the base
    comes first, then the percentage of what is above it; a fraction "rounds up to the next integer in favor of
    On-Demand Instances".
    """
    policy = group.mixed_instances_policy
    if not policy:
        return count, 0
    distribution = policy.get("InstancesDistribution") or {}
    base = int(distribution.get("OnDemandBaseCapacity") or 0)
    share = distribution.get("OnDemandPercentageAboveBaseCapacity")
    percent = 100 if share is None else int(share)
    total = group.desired_capacity
    wanted = total if total <= base else base + -(-(total - base) * percent // 100)
    running = sum(1 for member in group.instance_states if member.instance.lifecycle != "spot")
    on_demand = max(0, min(count, wanted - running))
    return on_demand, count - on_demand
