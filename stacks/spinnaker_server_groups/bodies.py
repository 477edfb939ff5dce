"""The requests to Gate, built from the settings and the outputs of the deployed stack.

Field by field as Spinnaker reads them: clouddriver-aws of https://github.com/spinnaker/spinnaker, the classes
BasicAmazonDeployDescription, UpsertAmazonLoadBalancerV2Description, ModifyServerGroupLaunchTemplateDescription and
EnableDisableAsgDescription, and orca-applications for the application. Spinnaker ignores a field that no class has.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stacks.spinnaker_server_groups.demo_page import user_data_base64
from stacks.spinnaker_server_groups.health import (
    HEALTH_CODES,
    HEALTH_INTERVAL_SECONDS,
    HEALTH_PATH,
    HEALTH_TIMEOUT_SECONDS,
    HEALTHY_TIMES,
    IDLE_SECONDS,
    PORT,
    ROOT_DEVICE,
    ROOT_GIB,
    UNHEALTHY_TIMES,
)
from stacks.spinnaker_server_groups.place import Place
from stacks.spinnaker_server_groups.settings import SpinnakerServerGroupsSettings

Json = dict[str, Any]

AWS = "aws"
SERVER_GROUP = re.compile(r"^(?P<cluster>.+)-v(?P<sequence>\d{3,})$")
REASON = "python -m stacks spinnaker_server_groups"


class ServerGroupNameError(ValueError):
    """The name is not that of a server group; the message is for the user."""


@dataclass(frozen=True)
class Bodies:
    """The requests of one application, each a body of ``POST /tasks``."""

    settings: SpinnakerServerGroupsSettings
    place: Place

    def application(self) -> Json:
        """Creates the application. Front50 refuses one without an email address."""
        provided = {AWS: {"useAmiBlockDeviceMappings": True}}
        application = {
            "name": self.settings.application,
            "email": self.settings.email,
            "cloudProviders": AWS,
            "instancePort": PORT,
            "providerSettings": provided,
        }
        return self._task("Create Application", {"type": "createApplication", "application": application})

    def load_balancer(self) -> Json:
        """Creates or changes the load balancer, its target group and its listener."""
        settings, place = self.settings, self.place
        target_group = {
            "name": settings.target_group_name,
            "protocol": "HTTP",
            "port": PORT,
            "targetType": "instance",
            "healthCheckProtocol": "HTTP",
            "healthCheckPort": "traffic-port",
            "healthCheckPath": HEALTH_PATH,
            "healthCheckInterval": HEALTH_INTERVAL_SECONDS,
            "healthCheckTimeout": HEALTH_TIMEOUT_SECONDS,
            "healthyThreshold": HEALTHY_TIMES,
            "unhealthyThreshold": UNHEALTHY_TIMES,
            "healthCheckMatcher": HEALTH_CODES,
            "attributes": {"deregistrationDelay": settings.deregistration_seconds},
        }
        forward = {"type": "forward", "targetGroupName": settings.target_group_name}
        job = {
            "type": "upsertLoadBalancer",
            "name": settings.load_balancer_name,
            "loadBalancerType": "application",
            "cloudProvider": AWS,
            "credentials": settings.account_name,
            "region": place.region,
            "vpcId": place.vpc_id,
            "regionZones": list(place.zones),
            "subnetType": place.public_purpose,
            # Without it, clouddriver decides by whether the purpose contains "internal".
            "isInternal": place.internal,
            "securityGroups": [place.load_balancer_group],
            "idleTimeout": IDLE_SECONDS,
            "deletionProtection": False,
            "targetGroups": [target_group],
            "listeners": [{"protocol": "HTTP", "port": PORT, "defaultActions": [forward], "rules": []}],
        }
        return self._task("Create Load Balancer", job)

    def server_group(self) -> Json:
        """Creates the next server group of the cluster, which has the application's name."""
        settings, place = self.settings, self.place
        job = {
            "type": "createServerGroup",
            **self._provider(),
            "account": settings.account_name,
            "application": settings.application,
            "stack": "",
            "freeFormDetails": "",
            "capacity": {
                "min": settings.min_instances,
                "max": settings.max_instances,
                "desired": settings.desired_instances,
            },
            "availabilityZones": {place.region: list(place.zones)},
            "subnetType": place.private_purpose,
            "securityGroups": [place.instance_group],
            "iamRole": place.base_profile,
            "healthCheckType": "ELB",
            "healthCheckGracePeriod": settings.grace_seconds,
            "targetGroups": [settings.target_group_name],
            "capacityRebalance": True,
            "associatePublicIpAddress": False,
            "requireIMDSv2": True,
            "setLaunchTemplate": True,
            "base64UserData": user_data_base64(),
            **self._launch(),
        }
        return self._task("Create Server Group", job)

    def modify(self, server_group: str) -> Json:
        """Changes the launch template and the mix of a server group; running instances stay as they are.

        The user data stays too where Clouddriver has ``udf.enabled: false``, as this stack's host has: it then copies
        that of the previous version and ignores the job's (LaunchTemplateService). With the default it replaces
        it with the files in /apps/nflx-udf, where there are none.
        """
        changed = {
            "type": "updateLaunchTemplate",
            **self._provider(),
            "region": self.place.region,
            "asgName": _named(server_group, self.settings),
            "requireIMDV2": True,  # this job spells it so
            **self._launch(),
        }
        return self._task(f"Modify {server_group}", changed)

    def disable(self, server_group: str) -> Json:
        """Takes a server group out of its target group; its instances keep running."""
        return self._task(f"Disable {server_group}", self._on("disableServerGroup", server_group))

    def enable(self, server_group: str) -> Json:
        """Puts a server group back into its target group."""
        return self._task(f"Enable {server_group}", self._on("enableServerGroup", server_group))

    def destroy(self, server_group: str) -> Json:
        """Deletes a server group with its instances and its launch template."""
        return self._task(f"Destroy {server_group}", self._on("destroyServerGroup", server_group))

    def delete_load_balancer(self) -> Json:
        """Deletes listeners, target group and load balancer; it succeeds if they are gone already."""
        job = {
            "type": "deleteLoadBalancer",
            "cloudProvider": AWS,
            "credentials": self.settings.account_name,
            "loadBalancerName": self.settings.load_balancer_name,
            "loadBalancerType": "application",
            "regions": [self.place.region],
            "vpcId": self.place.vpc_id,
        }
        return self._task("Delete Load Balancer", job)

    def delete_application(self) -> Json:
        """Deletes the application, which Spinnaker refuses while it knows one of its server groups."""
        application = {"name": self.settings.application, "cloudProviders": AWS}
        return self._task("Delete Application", {"type": "deleteApplication", "application": application})

    def clean_up(self, server_groups: list[str]) -> list[Json]:
        """The tasks of a clean-up, in order. In one task with all jobs, a failure would skip the rest."""
        return [*map(self.destroy, server_groups), self.delete_load_balancer(), self.delete_application()]

    def _launch(self) -> Json:
        """The fields of the launch template and the mixed instances policy."""
        settings, place = self.settings, self.place
        volume = {
            "deviceName": ROOT_DEVICE,
            "size": ROOT_GIB,
            "volumeType": "gp3",
            "encrypted": True,
            "kmsKeyId": place.kms_key_arn,
            "deleteOnTermination": True,
        }
        return _without_none(
            {
                "amiName": place.image_id,
                "instanceType": settings.types[0],
                "launchTemplateOverridesForInstanceType": [{"instanceType": name} for name in settings.types],
                "onDemandBaseCapacity": settings.on_demand_base,
                "onDemandPercentageAboveBaseCapacity": settings.on_demand_percentage,
                "spotAllocationStrategy": settings.allocation_strategy,
                "spotInstancePools": settings.lowest_price_pools,
                "unlimitedCpuCredits": settings.unlimited_cpu_credits,
                "keyPair": place.key_pair,
                # Without block devices, clouddriver adds its own for each type.
                "blockDevices": [_without_none(volume)],
                "instanceMonitoring": False,
            }
        )

    def _provider(self) -> Json:
        return {"cloudProvider": AWS, "credentials": self.settings.account_name}

    def _on(self, job: str, server_group: str) -> Json:
        parts = SERVER_GROUP.match(_named(server_group, self.settings))
        assert parts
        return {
            "type": job,
            **self._provider(),
            "region": self.place.region,
            "serverGroupName": server_group,
            "asgName": server_group,
            "moniker": {
                "app": self.settings.application,
                "cluster": parts["cluster"],
                "sequence": int(parts["sequence"]),
            },
            "reason": REASON,
        }

    def _task(self, what: str, job: Json) -> Json:
        return {
            "application": self.settings.application,
            "description": f"{what}: {self.settings.application}",
            "job": [job],
        }


def _named(server_group: str, settings: SpinnakerServerGroupsSettings) -> str:
    parts = SERVER_GROUP.match(server_group)
    if not parts or parts["cluster"].partition("-")[0] != settings.application:
        raise ServerGroupNameError(
            f"--server-group must name one of {settings.application}, such as {settings.application}-v000, "
            f"got {server_group}; correct it"
        )
    return server_group


def _without_none(fields: Mapping[str, Any]) -> Json:
    return {name: value for name, value in fields.items() if value is not None}
