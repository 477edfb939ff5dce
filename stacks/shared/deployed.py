"""What a deployed stack says of itself."""

from collections.abc import Sequence

from botocore.exceptions import ClientError

from config.models import CommonSettings
from stacks.shared.command import CommandError
from stacks.shared.preflight import Clients, Finding, looked_at


def stack_outputs(stack: str, clients: Clients) -> dict[str, str] | None:
    """Outputs of a stack; None if it is not deployed here."""
    try:
        (found,) = clients("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    except ClientError as error:
        # https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html: "If the stack
        # doesn't exist, a ValidationError is returned."
        if error.response["Error"]["Code"] != "ValidationError":
            raise
        return None
    return {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])}


def stack_output(stack: str, name: str, clients: Clients) -> str:
    """One output of a stack that must be deployed.

    Raises:
        CommandError: it is not deployed, or by a version or configuration without this output.
    """
    outputs = stack_outputs(stack, clients)
    deploy = f"deploy it with 'npx cdk deploy -e {stack}'"
    if outputs is None:
        raise CommandError(f"{stack} is not deployed in {clients('cloudformation').meta.region_name}; {deploy}")
    if name not in outputs:
        raise CommandError(f"{stack} has no output {name}; {deploy}")
    return outputs[name]


def group_size(slug: str, output: str, common: CommonSettings, minimums: Sequence[int], clients: Clients) -> Finding:
    """Whether the smallest size of a deployed group is a configured one.

    What a schedule or a person has set stays: a deployment changes a size only where the template's own changes
    (IgnoreUnmodifiedGroupSizeProperties,
    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-updatepolicy.html).

    Args:
        output: that has the group's name.
        minimums: what it may be, the usual one first.
    """
    stack = common.stack_name(slug)

    def look() -> Finding:
        name = (stack_outputs(stack, clients) or {}).get(output)
        if name is None:
            return Finding("group size", "ok", "nothing is deployed yet")
        pages = clients("autoscaling").get_paginator("describe_auto_scaling_groups")
        groups = [group for page in pages.paginate(AutoScalingGroupNames=[name]) for group in page["AutoScalingGroups"]]
        found = next((int(group["MinSize"]) for group in groups), None)
        if found is None or found in minimums:
            return Finding("group size", "ok", f"at least {found}" if groups else "no group")
        usual, *_ = minimums
        return Finding(
            "group size",
            "problem",
            f"the group has at least {found} instances, {usual} is configured; a deployment leaves it",
            f"Run: aws autoscaling update-auto-scaling-group --auto-scaling-group-name {name} --min-size {usual}, "
            "and set the desired capacity",
        )

    return looked_at("group size", look)
