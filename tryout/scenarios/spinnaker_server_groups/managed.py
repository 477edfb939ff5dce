"""The calls that clouddriver makes from the bodies, with the managed role that the host's role assumes.

The embedded AWS evaluates the role's policy for each. The calls are those of clouddriver-aws's operations
(UpsertAmazonLoadBalancerV2AtomicOperation, AutoScalingWorker, LaunchTemplateService, DestroyAsgAtomicOperation).
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from tryout.hosts.metadata import InstanceMetadata
from tryout.scenario import Deployed, expect
from tryout.scenarios.spinnaker_server_groups.user_data import aggregated, of_next_version, reads_files
from tryout.waits import wait_until

Json = dict[str, Any]
DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"}


class ManagedRole:
    """Clients of the managed role."""

    def __init__(self, deployed: Deployed) -> None:
        self._deployed, outputs = deployed, deployed.outputs
        metadata = InstanceMetadata(outputs["HostInstanceId"], deployed.client)
        role = metadata.value("meta-data/iam/security-credentials/")
        host = json.loads(metadata.value(f"meta-data/iam/security-credentials/{role}") or "{}")
        sts = self._client("sts", host["AccessKeyId"], host["SecretAccessKey"], host["Token"])
        arn = deployed.client("iam").get_role(RoleName=outputs["ManagedRole"])["Role"]["Arn"]
        found = sts.assume_role(RoleArn=arn, RoleSessionName="Spinnaker")["Credentials"]
        keys = (found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"])
        self.ec2, self.elb = self._client("ec2", *keys), self._client("elbv2", *keys)
        self.autoscaling = self._client("autoscaling", *keys)
        self._templates: dict[str, str] = {}

    def _client(self, service: str, key: str, secret: str, token: str) -> Any:
        credentials = {"aws_access_key_id": key, "aws_secret_access_key": secret, "aws_session_token": token}
        return self._deployed.aws.client(service, **credentials)

    def balance(self, job: Mapping[str, Any], name: str) -> tuple[str, str, str]:
        """Creates what ``upsertLoadBalancer`` asks for; returns the ARNs of balancer, target group and listener."""
        (group,), (listener,) = job["targetGroups"], job["listeners"]
        subnets = self._subnets(job["subnetType"])
        named = [{"Name": "group-name", "Values": job["securityGroups"]}, {"Name": "vpc-id", "Values": [job["vpcId"]]}]
        groups = [each["GroupId"] for each in self.ec2.describe_security_groups(Filters=named)["SecurityGroups"]]
        balancer = self.elb.create_load_balancer(
            Name=name,
            Subnets=subnets,
            SecurityGroups=groups,
            Type="application",
            Scheme="internet-facing",
        )["LoadBalancers"][0]["LoadBalancerArn"]
        target = self.elb.create_target_group(
            Name=group["name"],
            Protocol=group["protocol"],
            Port=group["port"],
            VpcId=job["vpcId"],
            TargetType=group["targetType"],
            HealthCheckIntervalSeconds=group["healthCheckInterval"],
            HealthyThresholdCount=group["healthyThreshold"],
        )["TargetGroups"][0]["TargetGroupArn"]
        delay = {
            "Key": "deregistration_delay.timeout_seconds",
            "Value": str(group["attributes"]["deregistrationDelay"]),
        }
        self.elb.modify_target_group_attributes(TargetGroupArn=target, Attributes=[delay])
        forward = [{"Type": "forward", "TargetGroupArn": target}]
        made = self.elb.create_listener(
            LoadBalancerArn=balancer, Protocol=listener["protocol"], Port=listener["port"], DefaultActions=forward
        )
        return balancer, target, made["Listeners"][0]["ListenerArn"]

    def launch(self, job: Mapping[str, Any], name: str, target: str, desired: int) -> None:
        """Creates what ``createServerGroup`` asks for, with fewer instances."""
        data = {
            "ImageId": job["amiName"],
            "InstanceType": job["instanceType"],
            "IamInstanceProfile": {"Name": job["iamRole"]},
            "KeyName": job["keyPair"],
            "SecurityGroupIds": job["securityGroups"],
            "UserData": aggregated(job["base64UserData"]),
            "MetadataOptions": {"HttpTokens": "required"},
        }
        made = self.ec2.create_launch_template(LaunchTemplateName=name, LaunchTemplateData=data)
        self._templates[name] = made["LaunchTemplate"]["LaunchTemplateId"]
        self.group(job, name, self._templates[name], target, desired)
        wait_until(f"{desired} instances of {name}", lambda: len(self.members(name)) == desired)

    def group(self, job: Mapping[str, Any], name: str, template: str, target: str, desired: int) -> None:
        """Creates only the group."""
        overrides = [{"InstanceType": each["instanceType"]} for each in job["launchTemplateOverridesForInstanceType"]]
        self.autoscaling.create_auto_scaling_group(
            AutoScalingGroupName=name,
            MinSize=0,
            MaxSize=desired,
            DesiredCapacity=desired,
            VPCZoneIdentifier=",".join(self._subnets(job["subnetType"])),
            TargetGroupARNs=[target],
            HealthCheckType=job["healthCheckType"],
            HealthCheckGracePeriod=job["healthCheckGracePeriod"],
            CapacityRebalance=job["capacityRebalance"],
            MixedInstancesPolicy={
                "LaunchTemplate": {
                    "LaunchTemplateSpecification": {"LaunchTemplateId": template, "Version": "$Latest"},
                    "Overrides": overrides,
                },
                "InstancesDistribution": {
                    "OnDemandBaseCapacity": job["onDemandBaseCapacity"],
                    "OnDemandPercentageAboveBaseCapacity": job["onDemandPercentageAboveBaseCapacity"],
                    "SpotAllocationStrategy": job["spotAllocationStrategy"],
                },
            },
        )

    def members(self, name: str) -> list[str]:
        """The instances of a group."""
        found = self.autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"]
        return [instance["InstanceId"] for group in found for instance in group["Instances"]]

    def destroy(self, name: str) -> None:
        """Disables and deletes a group with its launch template, as destroyServerGroup does."""
        processes = ["Launch", "Terminate", "AddToLoadBalancer"]
        self.autoscaling.suspend_processes(AutoScalingGroupName=name, ScalingProcesses=processes)
        self.autoscaling.resume_processes(AutoScalingGroupName=name, ScalingProcesses=processes)
        self.autoscaling.delete_auto_scaling_group(AutoScalingGroupName=name, ForceDelete=True)
        wait_until(f"the end of {name}", lambda: not self.members(name))
        self.ec2.delete_launch_template(LaunchTemplateId=self._templates.pop(name))

    def template(self, name: str) -> str:
        """The launch template of a group."""
        return self._templates[name]

    def modify(self, job: Mapping[str, Any], name: str) -> None:
        """Creates the next version of a group's launch template, as updateLaunchTemplate does."""
        template = {"LaunchTemplateId": self._templates[name]}
        # What the job leaves out, Clouddriver takes from the previous version: buildLaunchTemplateDataForModify.
        newest = self.newest(name)
        kept_on: Json = {key: newest[key] for key in ("IamInstanceProfile", "SecurityGroupIds") if key in newest}
        data: Json = {
            **kept_on,
            "ImageId": job["amiName"],
            "InstanceType": job["instanceType"],
            "KeyName": job["keyPair"],
            "MetadataOptions": {"HttpTokens": "required"},
        }
        if kept := of_next_version(self.user_data(name), files=reads_files()):
            data["UserData"] = kept
        made = self.version(template["LaunchTemplateId"], data)
        overrides = [{"InstanceType": each["instanceType"]} for each in job["launchTemplateOverridesForInstanceType"]]
        self.autoscaling.update_auto_scaling_group(
            AutoScalingGroupName=name,
            MixedInstancesPolicy={
                "LaunchTemplate": {
                    "LaunchTemplateSpecification": {**template, "Version": str(made)},
                    "Overrides": overrides,
                }
            },
        )

    def version(self, template: str, data: Json) -> int:
        """Creates a version of a launch template with the call's data, and nothing from the previous version."""
        made = self.ec2.create_launch_template_version(LaunchTemplateId=template, LaunchTemplateData=data)
        return int(made["LaunchTemplateVersion"]["VersionNumber"])

    def user_data(self, name: str) -> str | None:
        """User data of the newest version of a group's launch template, in Base64."""
        found = self.newest(name).get("UserData")
        return None if found is None else str(found)

    def newest(self, name: str) -> Json:
        """The data of the newest version of a group's launch template."""
        asked = {"LaunchTemplateId": self._templates[name], "Versions": ["$Latest"]}
        (newest,) = self.ec2.describe_launch_template_versions(**asked)["LaunchTemplateVersions"]
        return dict(newest["LaunchTemplateData"])

    def unbalance(self, balancer: str, target: str, listener: str) -> None:
        """Deletes the three, as deleteLoadBalancer does."""
        self.elb.delete_listener(ListenerArn=listener)
        self.elb.delete_target_group(TargetGroupArn=target)
        self.elb.delete_load_balancer(LoadBalancerArn=balancer)

    def _subnets(self, purpose: str) -> list[str]:
        value = json.dumps({"purpose": purpose}, separators=(",", ":"))
        wanted = [{"Name": "tag:immutable_metadata", "Values": [value]}]
        return [subnet["SubnetId"] for subnet in self.ec2.describe_subnets(Filters=wanted)["Subnets"]]


def denied(what: str, call: Callable[[], object]) -> None:
    """Expects that a call is denied."""
    try:
        call()
    except ClientError as error:
        expect(error.response["Error"]["Code"] in DENIED, f"{what}: {error}")
        return
    expect(False, f"{what}: allowed")
