"""The launch templates: a parent of enclaves, and an instance that attests with its NitroTPM.

They have no network settings: name subnet and security group at launch. Nothing here opens SSH. The roles have only the
permissions that are granted here; the key's policy names them.
"""

from typing import Literal, cast

import jsii
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.nitro_attestation import types
from stacks.nitro_attestation.enclave import enclave_script
from stacks.nitro_attestation.settings import Enclave, Tpm
from stacks.shared.grants import allow_agent, allow_metrics
from stacks.shared.launch_template import HardenedLaunchTemplate, amazon_linux
from stacks.shared.solution import SolutionStack


class AttestingTemplate(HardenedLaunchTemplate):
    """IMDSv2, one hop, encrypted root volume, no hibernation, and a role of its own."""

    def __init__(
        self,
        scope: SolutionStack,
        construct_id: Literal["Enclave", "Tpm"],
        *,
        image: ec2.IMachineImage,
        instance_type: str,
        enclaves: bool,
        root_device: str,
        volume_gib: int,
        description: str,
        user_data: ec2.UserData | None = None,
    ) -> None:
        own_role = iam.Role(
            scope,
            f"{construct_id}Role",
            assumed_by=iam.ServicePrincipal("ec2.amazonaws.com"),
            description=description,
        )
        super().__init__(
            scope,
            construct_id,
            image=image,
            root_device=root_device,
            volume_gib=volume_gib,
            key=scope.encryption_key,  # for the volumes; an attested key cannot encrypt them
            instance_type=instance_type,
            role=own_role,
            user_data=user_data,
            nitro_enclave_enabled=enclaves,
            hibernation_configured=False,
        )
        self.own_role = own_role
        scope.output(
            f"{construct_id}TemplateId", self.launch_template_id or "", "Launch template; name a subnet at launch"
        )


def enclave_template(stack: SolutionStack, settings: Enclave, namespace: str) -> AttestingTemplate:
    """The parent of enclaves, which reports whether it is ready."""
    script = enclave_script(
        settings, namespace=namespace, stack=stack.stack_name, region=stack.region, suffix=stack.url_suffix
    )
    template = AttestingTemplate(
        stack,
        "Enclave",
        image=amazon_linux(stack, types.architecture(settings.instance_type)),
        instance_type=settings.instance_type,
        enclaves=True,
        root_device="/dev/xvda",
        volume_gib=settings.volume_gib,
        description="Parents of enclaves, which report whether they are ready",
        user_data=ec2.UserData.custom(script),
    )
    allow_metrics(template.own_role, namespace)
    if settings.session_manager:
        allow_agent(template.own_role)
    return template


@jsii.implements(ec2.IMachineImage)
class _Image:
    """An image by its id; the CDK's own class needs the Region at synthesis."""

    def __init__(self, image_id: str) -> None:
        self._image_id = image_id

    def get_image(self, scope: Construct) -> ec2.MachineImageConfig:
        """The image, for whatever Region the stack is deployed to."""
        nothing = ec2.UserData.custom("")
        return ec2.MachineImageConfig(image_id=self._image_id, os_type=ec2.OperatingSystemType.LINUX, user_data=nothing)


def tpm_template(stack: SolutionStack, settings: Tpm) -> AttestingTemplate:
    """The attestable instance. It has no user data, because everything that it runs is measured."""
    template = AttestingTemplate(
        stack,
        "Tpm",
        image=_Image(settings.image_id),
        instance_type=settings.instance_type,
        enclaves=False,
        root_device=settings.root_device,
        volume_gib=settings.volume_gib,
        description="Instances that attest with their NitroTPM",
    )
    resource = cast(ec2.CfnLaunchTemplate, template.node.default_child)
    resource.add_property_deletion_override("LaunchTemplateData.UserData")
    return template
