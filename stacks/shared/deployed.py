"""What a deployed stack says of itself."""

from botocore.exceptions import ClientError

from stacks.shared.command import CommandError
from stacks.shared.preflight import Clients


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
