"""Where an image goes: its copies, the parameters that hold it, and launch templates.

The keys are CloudFormation's own: the CDK has no types for a part of them.
"""

from typing import Any

from aws_cdk import aws_ecr as ecr

from stacks.image_pipelines.settings import ImagePipelinesSettings
from stacks.shared.solution import SolutionStack


def of_a_container(region: str, repository: ecr.IRepository) -> list[Any]:
    """To one repository, under the tag ``latest`` besides its version."""
    target = {"Service": "ECR", "RepositoryName": repository.repository_name}
    to = {"TargetRepository": target, "ContainerTags": ["latest"]}
    return [{"region": region, "containerDistributionConfiguration": to}]


def of_an_ami(
    stack: SolutionStack,
    settings: ImagePipelinesSettings,
    *,
    name: str,
    pipeline: str,
    parameter: str,
    parent_parameter: str | None,
    launch_template_id: str | None,
) -> list[Any]:
    """To this Region and the others of the settings.

    Args:
        name: of the AMIs, before the time of their build.
        pipeline: its name in the settings, for a tag.
        parameter: holds the newest AMI in each Region; launch templates and instance refreshes take it for an image.
        parent_parameter: holds it for the recipes of children, here only. It is text: a value of the type
            aws:ec2:image changes some time after Image Builder has written it, and the event that starts the children
            may be faster (https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html).
    """
    everywhere = [(stack.region, stack.common.kms_key_arn)]
    everywhere += [(region.name, region.kms_key_arn) for region in settings.regions]
    found: list[dict[str, Any]] = []
    for region, key in everywhere:
        ami: dict[str, Any] = {"Name": f"{name}-{{{{ imagebuilder:buildDate }}}}", "AmiTags": {"pipeline": pipeline}}
        if key:
            ami["KmsKeyId"] = key
        if settings.accounts:
            ami["LaunchPermissionConfiguration"] = {"UserIds": list(settings.accounts)}
        written = [{"parameterName": parameter, "dataType": "aws:ec2:image"}]
        found.append({"region": region, "amiDistributionConfiguration": ami, "ssmParameterConfigurations": written})
    if parent_parameter:
        found[0]["ssmParameterConfigurations"].append({"parameterName": parent_parameter, "dataType": "text"})
    if launch_template_id:
        template = {"launchTemplateId": launch_template_id, "setDefaultVersion": True}
        found[0]["launchTemplateConfigurations"] = [template]
    return found
