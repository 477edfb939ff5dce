"""What Spinnaker's services refuse of a job: a model of Front50, Orca and clouddriver-aws, written from their sources.

https://github.com/spinnaker/spinnaker, branch release-2026.2.x. Spinnaker ignores fields that it does not know; here
they are refused, since one that is misspelt is never meant.
"""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

Job = Mapping[str, Any]

# clouddriver-aws: BasicAmazonDeployDescription, without what only Netflix's own classic networks had.
DEPLOY = {
    "amiName", "application", "associateIPv6Address", "associatePublicIpAddress", "availabilityZones", "base64UserData",
    "blockDevices", "capacity", "capacityRebalance", "cooldown", "ebsOptimized", "enableEnclave", "enabledMetrics",
    "freeFormDetails", "healthCheckGracePeriod", "healthCheckType", "iamRole", "instanceMonitoring", "instanceType",
    "keyPair", "launchTemplateOverridesForInstanceType", "licenseSpecifications", "lifecycleHooks",
    "onDemandAllocationStrategy", "onDemandBaseCapacity", "onDemandPercentageAboveBaseCapacity", "placement",
    "requireIMDSv2", "securityGroups", "setLaunchTemplate", "spotAllocationStrategy", "spotInstancePools", "stack",
    "subnetIds", "subnetType", "suspendedProcesses", "tags", "targetGroups", "terminationPolicies",
    "unlimitedCpuCredits", "useAmiBlockDeviceMappings",
}  # fmt: skip
# ModifyServerGroupLaunchTemplateDescription.
MODIFY = {
    "amiName", "asgName", "associateIPv6Address", "associatePublicIpAddress", "base64UserData", "blockDevices",
    "copySourceCustomBlockDeviceMappings", "ebsOptimized", "enableEnclave", "iamRole", "imageId", "instanceMonitoring",
    "instanceType", "keyPair", "launchTemplateOverridesForInstanceType", "onDemandAllocationStrategy",
    "onDemandBaseCapacity", "onDemandPercentageAboveBaseCapacity", "requireIMDV2", "securityGroups",
    "securityGroupsAppendOnly", "spotAllocationStrategy", "spotInstancePools", "spotPrice", "subnetType",
    "unlimitedCpuCredits",
}  # fmt: skip
# UpsertAmazonLoadBalancerV2Description and its TargetGroup, Attributes, Listener and Action.
BALANCER = {
    "deletionProtection", "idleTimeout", "ipAddressType", "isInternal", "listeners", "loadBalancerType",
    "loadBalancingCrossZone", "name", "regionZones", "securityGroups", "subnetType", "targetGroups", "vpcId",
}  # fmt: skip
TARGET_GROUP = {
    "attributes", "healthCheckInterval", "healthCheckMatcher", "healthCheckPath", "healthCheckPort",
    "healthCheckProtocol", "healthCheckTimeout", "healthyThreshold", "name", "port", "protocol", "targetType",
    "unhealthyThreshold",
}  # fmt: skip
ATTRIBUTES = {"deregistrationDelay", "stickinessDuration", "stickinessEnabled", "stickinessType"}
LISTENER = {"certificates", "defaultActions", "port", "protocol", "rules", "sslPolicy"}
# AmazonBlockDevice; `size` and the others in its builder.
BLOCK_DEVICE = {
    "deleteOnTermination", "deviceName", "encrypted", "iops", "kmsKeyId", "size", "snapshotId", "throughput",
    "virtualName", "volumeType",
}  # fmt: skip
DELETE_BALANCER = {"loadBalancerName", "loadBalancerType", "regions", "vpcId"}
ON_A_GROUP = {"asgName", "moniker", "reason", "serverGroupName"}
APPLICATION = {"cloudProviders", "email", "instancePort", "name", "providerSettings"}
EVERYWHERE = {"account", "cloudProvider", "credentials", "region", "type"}

BURSTABLE = ("t2.", "t3.", "t3a.", "t4g.")  # InstanceTypeUtils
GROUP = re.compile(r"^([a-zA-Z0-9_.]+)(-[^v].*?)?-v(\d{3,})$")


class World(Protocol):
    """What Spinnaker's caches have of the AWS account."""

    account: str
    region: str

    def subnets(self, purpose: str) -> list[tuple[str, str]]:
        """VPC and zone of each subnet with the purpose in its tag."""

    def security_groups(self) -> dict[str, str]:
        """Names of the security groups by their ids."""

    def instance_profiles(self) -> set[str]:
        """Names of the instance profiles."""

    def key_pairs(self) -> set[str]:
        """Names of the key pairs."""

    def images(self) -> set[str]:
        """Ids of the images."""


@dataclass
class Spinnaker:
    """What Spinnaker knows, and what a job does to it.

    Attributes:
        default_key_pair: of the account in clouddriver's configuration; None: no template gives it one.
        groups: server groups by name; the value is whether it is enabled.
        balancers: target groups of each load balancer.
    """

    world: World
    default_key_pair: str | None = None
    applications: set[str] = field(default_factory=set)
    balancers: dict[str, set[str]] = field(default_factory=dict)
    groups: dict[str, bool] = field(default_factory=dict)
    remembered: set[str] = field(default_factory=set)

    def done(self, job: Job) -> list[str]:
        """Does a job.

        Returns:
            Why it fails; nothing if it does not.
        """
        kinds = {
            "createApplication": self._create_application,
            "upsertLoadBalancer": self._upsert_load_balancer,
            "createServerGroup": self._create_server_group,
            "updateLaunchTemplate": self._update_launch_template,
            "disableServerGroup": self._on_a_group,
            "enableServerGroup": self._on_a_group,
            "destroyServerGroup": self._on_a_group,
            "deleteLoadBalancer": self._delete_load_balancer,
            "deleteApplication": self._delete_application,
        }
        handler = kinds.get(str(job.get("type")))
        return list(handler(job)) if handler else [f"no stage is of type {job.get('type')}"]

    # Applications

    def _create_application(self, job: Job) -> Iterator[str]:
        application = job["application"]
        yield from _unknown("application", application, APPLICATION)
        name = application.get("name", "")
        if not re.fullmatch(r"[a-zA-Z_0-9.]{1,250}", name):
            yield f"application {name!r} is not valid for aws"
        elif not str(application.get("email") or "").strip():
            yield "Application must have a non-empty email address"
        else:
            self.applications.add(name)

    def _delete_application(self, job: Job) -> Iterator[str]:
        name = job["application"]["name"]
        yield from _unknown("application", job["application"], APPLICATION)
        clusters = [group for group in {*self.groups, *self.remembered} if group.startswith(f"{name}-v")]
        if clusters:
            yield f"Application has outstanding clusters: {', '.join(sorted(clusters))}"
            return
        named = [each for each in self.world.security_groups().values() if each.partition("-")[0].lower() == name]
        if named:
            yield f"Application has outstanding security groups: {', '.join(named)}"
            return
        self.applications.discard(name)

    # Load balancers

    def _upsert_load_balancer(self, job: Job) -> Iterator[str]:
        found = [*self._provided(job, BALANCER), *self._wrong_balancer(job)]
        yield from found
        if not found:
            self.balancers[job["name"]] = {group["name"] for group in job["targetGroups"]}

    def _wrong_balancer(self, job: Job) -> Iterator[str]:
        if job.get("loadBalancerType") != "application":
            yield "without loadBalancerType it is a classic load balancer"
        for name in (job["name"], *(group["name"] for group in job["targetGroups"])):
            if not re.fullmatch(r"(?!internal-)[A-Za-z0-9]([A-Za-z0-9-]{0,30}[A-Za-z0-9])?", name):
                yield f"{name} is no name of Elastic Load Balancing"
        zones = {zone for vpc, zone in self._subnets(job["subnetType"]) if vpc == job["vpcId"]}
        if len(zones & set(job["regionZones"])) < 2:
            yield f"{job['subnetType']} has no subnets in two zones of {job['vpcId']}"
        if unknown := set(job["securityGroups"]) - set(self.world.security_groups()):
            yield f"no security groups {sorted(unknown)}"
        for group in job["targetGroups"]:
            yield from _wrong_target_group(group)
        listeners = job["listeners"]
        ports = [listener["port"] for listener in listeners]
        if len(ports) != len(set(ports)):
            yield "two listeners of one port"
        for listener in listeners:
            yield from _unknown("listener", listener, LISTENER)
        used = {action["targetGroupName"] for each in listeners for action in each["defaultActions"]}
        made = {group["name"] for group in job["targetGroups"]}
        yield from (f"the target group {name} is used by no action" for name in sorted(made - used))
        yield from (f"an action names the unknown target group {name}" for name in sorted(used - made))

    def _delete_load_balancer(self, job: Job) -> Iterator[str]:
        found = list(self._provided(job, DELETE_BALANCER, region=False))
        yield from found
        if not found and job.get("loadBalancerType") == "application":
            self.balancers.pop(job["loadBalancerName"], None)

    # Server groups

    def _create_server_group(self, job: Job) -> Iterator[str]:
        found = [*self._provided(job, DEPLOY, region=False), *self._wrong_group(job), *_wrong_launch(job)]
        yield from found
        if not found:
            cluster = "-".join(filter(None, [job["application"], job.get("stack"), job.get("freeFormDetails")]))
            taken = [int(match[3]) for name in self.groups if (match := GROUP.match(name))]
            self.groups[f"{cluster}-v{max(taken, default=-1) + 1:03d}"] = True

    def _wrong_group(self, job: Job) -> Iterator[str]:
        yield from (
            f"{name} is missing" for name in ("amiName", "instanceType", "availabilityZones") if name not in job
        )
        if job["application"] not in self.applications:
            yield f"there is no application {job['application']}"
        zones = job["availabilityZones"].get(self.world.region, [])
        own = {zone for _, zone in self._subnets(job["subnetType"])}
        if not zones or set(zones) - own:
            yield f"no subnets of {job['subnetType']} in {zones}"
        capacity = job["capacity"]
        if not capacity["min"] <= capacity["desired"] <= capacity["max"]:
            yield f"the capacity {capacity} is not in order"
        if unknown := set(job["securityGroups"]) - set(self.world.security_groups()):
            yield f"no security groups {sorted(unknown)}"
        known = {name for names in self.balancers.values() for name in names}
        yield from (f"no target group {name}" for name in job.get("targetGroups", ()) if name not in known)
        if job.get("iamRole", "BaseIAMRole") not in self.world.instance_profiles():
            yield f"Invalid IAM Instance Profile name: {job.get('iamRole')}"
        key = job.get("keyPair") or self.default_key_pair
        if key is not None and key not in self.world.key_pairs():
            yield f"The key pair '{key}' does not exist"
        if job["amiName"] not in self.world.images():
            yield f"no image {job['amiName']}"
        if job.get("setLaunchTemplate", True) is not True:
            yield "this account cannot create launch configurations"

    def _update_launch_template(self, job: Job) -> Iterator[str]:
        yield from self._provided(job, MODIFY)
        yield from _wrong_launch(job)
        if job.get("asgName") not in self.groups:
            yield f"no server group {job.get('asgName')}"
        if not set(job) - {"asgName", "securityGroupsAppendOnly", "copySourceCustomBlockDeviceMappings", *EVERYWHERE}:
            yield "No changes requested to launch template or related server group fields"

    def _on_a_group(self, job: Job) -> Iterator[str]:
        yield from self._provided(job, ON_A_GROUP)
        name = job["serverGroupName"]
        moniker, parts = job["moniker"], GROUP.match(name)
        if name not in self.groups or not parts:
            yield f"Server group {name} not found"
            return
        if (moniker["app"], moniker["sequence"]) != (parts[1], int(parts[3])) or not name.startswith(
            moniker["cluster"]
        ):
            yield f"the moniker {moniker} is not of {name}"
            return
        if job["type"] == "destroyServerGroup":
            del self.groups[name]
            self.remembered.add(name)
        else:
            self.groups[name] = job["type"] == "enableServerGroup"

    def _subnets(self, purpose: str) -> list[tuple[str, str]]:
        found = self.world.subnets(purpose)
        return found if len({vpc for vpc, _ in found}) == 1 else []

    def _provided(self, job: Job, fields: set[str], *, region: bool = True) -> Iterator[str]:
        yield from _unknown(str(job.get("type")), job, fields | EVERYWHERE)
        if job.get("cloudProvider") != "aws":
            yield "cloudProvider is not aws"
        if job.get("credentials") != self.world.account:
            yield f"no credentials {job.get('credentials')}"
        if region and job.get("region") != self.world.region:
            yield f"no region {job.get('region')}"


def _wrong_target_group(group: Job) -> Iterator[str]:
    yield from _unknown("target group", group, TARGET_GROUP)
    yield from _unknown("attributes", group["attributes"], ATTRIBUTES)
    if not isinstance(group["healthCheckPort"], str):
        yield "healthCheckPort is no text"
    for name in ("port", "healthCheckInterval", "healthCheckTimeout", "healthyThreshold", "unhealthyThreshold"):
        if type(group[name]) is not int:
            yield f"{name} is no whole number"
    if type(group["attributes"]["deregistrationDelay"]) is not int:
        yield "deregistrationDelay is no whole number"


def _wrong_launch(job: Job) -> Iterator[str]:
    overrides = job.get("launchTemplateOverridesForInstanceType", [])
    types = {job["instanceType"], *(each["instanceType"] for each in overrides)}
    if len(overrides) > 40:
        yield "more than 40 overrides"
    for each in overrides:
        yield from _unknown("override", each, {"instanceType", "priority", "weightedCapacity"})
    if job.get("unlimitedCpuCredits") is not None and not all(name.startswith(BURSTABLE) for name in types):
        yield "bursting.not.supported.by.instanceType"
    if job.get("spotInstancePools") and job.get("spotAllocationStrategy") != "lowest-price":
        yield "spotInstancePools.not.supported.for.spotAllocationStrategy"
    for device in job.get("blockDevices", ()):
        yield from _unknown("block device", device, BLOCK_DEVICE)
    data = job.get("base64UserData", "")
    try:
        base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        yield "Invalid BASE64 encoding of user data"


def _unknown(what: str, found: Job, fields: set[str]) -> Iterator[str]:
    for name in sorted(set(found) - fields):
        yield f"{what} has no field {name}"
