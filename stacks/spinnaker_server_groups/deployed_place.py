"""What the request bodies take from the deployed stack, besides the settings."""

from config.models import CommonSettings
from stacks.shared.command import CommandError
from stacks.shared.deployed import stack_outputs
from stacks.shared.preflight import Clients
from stacks.spinnaker_server_groups.bodies import Bodies
from stacks.spinnaker_server_groups.place import Place
from stacks.spinnaker_server_groups.settings import SpinnakerServerGroupsSettings

NEEDED = ("VpcId", "PrivateSubnets", "LoadBalancerGroup", "InstanceGroup", "BaseProfile", "ImageId")


def bodies_of(common: CommonSettings, settings: SpinnakerServerGroupsSettings, clients: Clients) -> Bodies:
    """The request bodies for the deployed stack.

    Raises:
        CommandError: the stack is not deployed, or the purposes of an existing network are not known.
    """
    purposes = settings.purposes(common)
    if purposes is None:
        raise CommandError(
            "public_purpose and private_purpose must name the purposes of the subnets of common.vpc, by which "
            "Spinnaker finds them, got null; set them"
        )
    stack = common.stack_name("spinnaker_server_groups")
    outputs = stack_outputs(stack, clients)
    missing = [name for name in NEEDED if name not in (outputs or {})]
    if outputs is None or missing:
        why = f"has no output {', '.join(missing)}" if outputs is not None else "is not deployed here"
        raise CommandError(f"{stack} {why}; deploy it with 'npx cdk deploy -e {stack}'")
    ec2 = clients("ec2")
    subnets = ec2.describe_subnets(SubnetIds=outputs["PrivateSubnets"].split(","))["Subnets"]
    (balancers,) = ec2.describe_security_groups(GroupIds=[outputs["LoadBalancerGroup"]])["SecurityGroups"]
    place = Place(
        region=ec2.meta.region_name,
        zones=tuple(sorted({subnet["AvailabilityZone"] for subnet in subnets})),
        vpc_id=outputs["VpcId"],
        image_id=outputs["ImageId"],
        base_profile=outputs["BaseProfile"],
        load_balancer_group=balancers["GroupName"],
        instance_group=outputs["InstanceGroup"],
        public_purpose=purposes[0],
        private_purpose=purposes[1],
        internal=settings.is_internal(common),
        key_pair=settings.key_pair or outputs.get("KeyPair"),
        kms_key_arn=common.kms_key_arn,
    )
    return Bodies(settings, place)
