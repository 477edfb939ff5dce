"""Which jobs Spinnaker's services refuse: a model of Front50, Orca and clouddriver-aws, written from their sources.

https://github.com/spinnaker/spinnaker, branch release-2026.2.x; each refusal has the text of the class that raises it.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from tryout.scenarios.spinnaker_server_groups.fields import (
    APPLICATION,
    BALANCER,
    DELETE_BALANCER,
    DEPLOY,
    EVERYWHERE,
    MODIFY,
    ON_A_GROUP,
)
from tryout.scenarios.spinnaker_server_groups.refusal import Refusal, failed, invalid
from tryout.scenarios.spinnaker_server_groups.user_data import aggregated, of_next_version
from tryout.scenarios.spinnaker_server_groups.validators import (
    invalid_balancer,
    invalid_launch,
    unknown_fields,
    wrong_user_data,
)

Job = Mapping[str, Any]

GROUP = re.compile(r"^([a-zA-Z0-9_.]+)(-[^v].*?)?-v(\d{3,})$")


class World(Protocol):
    """What Spinnaker's caches know about the AWS account."""

    account: str
    region: str

    def subnets(self, purpose: str) -> list[tuple[str, str]]:
        """VPC and zone of each subnet with the purpose in its tag."""

    def security_groups(self) -> dict[str, tuple[str, str]]:
        """Name and VPC of each security group, by its id."""

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
        default_key_pair: the account's in clouddriver's configuration; None: it has none.
        files: whether clouddriver looks for user data in files, as it does by default.
        groups: server groups by name; the value is whether it is enabled.
        user_data: that of the newest version of each group's launch template, in Base64; None: it has none.
        balancers: target groups of each load balancer.
    """

    world: World
    default_key_pair: str | None = None
    files: bool = True
    applications: set[str] = field(default_factory=set)
    balancers: dict[str, set[str]] = field(default_factory=dict)
    groups: dict[str, bool] = field(default_factory=dict)
    user_data: dict[str, str | None] = field(default_factory=dict)
    remembered: set[str] = field(default_factory=set)

    def done(self, job: Job) -> list[Refusal]:
        """Runs a job.

        Returns:
            Why it fails; empty if it succeeds.
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
        if not handler:  # NoSuchStageDefinitionBuilderException
            sentence = f"No StageDefinitionBuilder implementation for {job.get('type')} found"
            return [Refusal("Unexpected Task Failure", sentence)]
        return list(handler(job))

    # Applications

    def _create_application(self, job: Job) -> Iterator[Refusal]:
        application = job["application"]
        yield from unknown_fields("application", application, APPLICATION)
        name = application.get("name", "")
        if not re.fullmatch(r"[a-zA-Z_0-9.]{1,250}", name):  # orca-applications, ApplicationNameValidator
            sentence = f"Invalid application name, errors: [Invalid application name '{name}'.]"
            yield Refusal("Unexpected Task Failure", sentence)
        elif not str(application.get("email") or "").strip():  # front50-core, HasEmailValidator
            yield Refusal("Validation Failed.", "Application must have a non-empty email")
        else:
            self.applications.add(name)

    def _delete_application(self, job: Job) -> Iterator[Refusal]:
        # orca-applications, VerifyApplicationHasNoDependenciesTask
        name = job["application"]["name"]
        yield from unknown_fields("application", job["application"], APPLICATION)
        clusters = [group for group in {*self.groups, *self.remembered} if group.startswith(f"{name}-v")]
        named = [group for group, _ in self.world.security_groups().values() if _application(group) == name.lower()]
        in_use = [what for what, found in (("clusters", clusters), ("security groups", named)) if found]
        yield from (
            Refusal("Application in use", f"Application is associated with one or more {what}") for what in in_use
        )
        if not in_use:
            self.applications.discard(name)

    # Load balancers

    def _upsert_load_balancer(self, job: Job) -> Iterator[Refusal]:
        found = [*self._provided(job, BALANCER), *invalid_balancer(job)] or list(self._failed_balancer(job))
        yield from found
        if not found:
            self.balancers[job["name"]] = {group["name"] for group in job["targetGroups"]}

    def _failed_balancer(self, job: Job) -> Iterator[Refusal]:
        """UpsertAmazonLoadBalancerV2AtomicOperation, and the calls that Elastic Load Balancing refuses."""
        # SecurityGroupService.getSecurityGroupIds: it looks for names in the VPC and accepts no ids.
        names = {name for name, vpc in self.world.security_groups().values() if vpc == job["vpcId"]}
        if missing := [group for group in job["securityGroups"] if group not in names]:
            yield from failed(f"Missing security groups: {','.join(missing)}")
        for name in (job["name"], *(group["name"] for group in job["targetGroups"])):
            if not re.fullmatch(r"(?!internal-)[A-Za-z0-9]([A-Za-z0-9-]{0,30}[A-Za-z0-9])?", name):
                yield from failed(f"{name} is no name of Elastic Load Balancing")
        found = self.world.subnets(job["subnetType"])
        zones = {zone for vpc, zone in found if vpc == job["vpcId"]}
        if {vpc for vpc, _ in found} != {job["vpcId"]} or len(zones & set(job["regionZones"])) < 2:
            yield from failed(f"{job['subnetType']} has no subnets in two zones of {job['vpcId']} alone")

    def _delete_load_balancer(self, job: Job) -> Iterator[Refusal]:
        found = list(self._provided(job, DELETE_BALANCER, region=False))
        yield from found
        if not found and job.get("loadBalancerType") == "application":
            self.balancers.pop(job["loadBalancerName"], None)

    # Server groups

    def _create_server_group(self, job: Job) -> Iterator[Refusal]:
        # An application that does not exist is not an error: CheckIfApplicationExistsTaskConfig.auditModeEnabled.
        found = [*self._provided(job, DEPLOY, region=False), *self._invalid_group(job), *invalid_launch(job)]
        found = found or list(self._failed_group(job))
        yield from found
        if not found:
            cluster = "-".join(filter(None, [job["application"], job.get("stack"), job.get("freeFormDetails")]))
            taken = [int(match[3]) for name in self.groups if (match := GROUP.match(name))]
            name = f"{cluster}-v{max(taken, default=-1) + 1:03d}"
            self.groups[name], self.user_data[name] = True, aggregated(job.get("base64UserData"))

    def _invalid_group(self, job: Job) -> Iterator[Refusal]:
        """BasicAmazonDeployDescriptionValidator."""
        key = "basicAmazonDeployDescription"
        for name in ("application", "amiName", "instanceType", "availabilityZones"):
            if not job.get(name):
                yield from invalid(f"{key}.{name}.empty")
        if set(job.get("availabilityZones", ())) - {self.world.region}:
            yield from invalid("Region not configured")
        least, desired, most = (job["capacity"][name] for name in ("min", "desired", "max"))
        if least > most:
            yield from invalid(f"min size ({least}) > max size ({most})")
        if not least <= desired <= most:
            yield from invalid(f"desired capacity ({desired}) is not within min/max ({least}/{most}) range")

    def _failed_group(self, job: Job) -> Iterator[Refusal]:
        """BasicAmazonDeployHandler and AsgBuilder, and the calls that EC2 refuses."""
        known = {name for names in self.balancers.values() for name in names}
        if unknown := [name for name in job.get("targetGroups", ()) if name not in known]:
            yield from failed(f"Unable to find target groups named [{', '.join(unknown)}]")
        if job["amiName"] not in self.world.images():
            yield from failed(f"unable to resolve AMI imageId from {job['amiName']} in {self.world.region}")
        # SecurityGroupService.resolveSecurityGroupIdsWithSubnetType: here ids are taken as they are.
        if unknown := [group for group in job["securityGroups"] if group not in self.world.security_groups()]:
            yield from failed(f"Missing security groups: {','.join(unknown)}")
        zones = job["availabilityZones"][self.world.region]
        subnets = self.world.subnets(job["subnetType"])
        if not {zone for _, zone in subnets} & set(zones):
            yield from failed(f"No suitable subnet was found for internal subnet purpose '{job['subnetType']}'!")
        elif len({vpc for vpc, _ in subnets}) > 1:
            yield from failed("the subnets of a group are in one VPC")
        if job.get("iamRole", "BaseIAMRole") not in self.world.instance_profiles():
            yield from failed(f"Invalid IAM Instance Profile name: {job.get('iamRole')}")
        key = job.get("keyPair") or self.default_key_pair
        if key is not None and key not in self.world.key_pairs():
            yield from failed(f"The key pair '{key}' does not exist")
        if job.get("setLaunchTemplate", True) is not True:
            yield from failed("this account cannot create launch configurations")
        yield from wrong_user_data(job)

    def _update_launch_template(self, job: Job) -> Iterator[Refusal]:
        found = [*self._provided(job, MODIFY), *invalid_launch(job)]
        if not set(job) - {"asgName", "securityGroupsAppendOnly", "copySourceCustomBlockDeviceMappings", *EVERYWHERE}:
            found += invalid("No changes requested to launch template or related server group fields")
        if "base64UserData" in job:
            found += invalid("base64UserData is not what the new version gets")
        if job.get("asgName") not in self.groups:
            found += failed(f"Failed to get server group {job.get('asgName')}.")
        yield from found
        if not found:
            self.user_data[job["asgName"]] = of_next_version(self.user_data[job["asgName"]], files=self.files)

    def _on_a_group(self, job: Job) -> Iterator[Refusal]:
        yield from self._provided(job, ON_A_GROUP)
        name = job["serverGroupName"]
        moniker, parts = job["moniker"], GROUP.match(name)
        if name not in self.groups or not parts:
            yield from failed(f"Server group {name} not found")
            return
        if (moniker["app"], moniker["sequence"]) != (parts[1], int(parts[3])) or not name.startswith(
            moniker["cluster"]
        ):
            yield from failed(f"the moniker {moniker} is not of {name}")
            return
        if job["type"] == "destroyServerGroup":
            del self.groups[name], self.user_data[name]
            self.remembered.add(name)
        else:
            self.groups[name] = job["type"] == "enableServerGroup"

    def _provided(self, job: Job, fields: set[str], *, region: bool = True) -> Iterator[Refusal]:
        yield from unknown_fields(str(job.get("type")), job, fields | EVERYWHERE)
        if job.get("cloudProvider") != "aws":
            yield from invalid("cloudProvider is not aws")
        if job.get("credentials") != self.world.account:  # AbstractAtomicOperationsCredentialsConverter
            yield from invalid(f"credentials not found (name: {job.get('credentials')}, names: {self.world.account})")
        if region and job.get("region") != self.world.region:
            yield from invalid("region.not.configured")


def _application(group: str) -> str:
    """The application in a security group's name, as Frigga parses it."""
    return group.partition("-")[0].lower()
