"""Where Spinnaker is asked to put things."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """Where the server group goes: the outputs of the deployed stack and the settings in ``common``.

    Attributes:
        zones: names of the Availability Zones of the subnets.
        image_id: Amazon Linux 2023, as in the native group since the last deployment.
        base_profile: name of the instance profile of the instances.
        load_balancer_group: name of the security group of load balancers: clouddriver accepts no id there
            (UpsertAmazonLoadBalancerV2AtomicOperation looks for names by SecurityGroupService.getSecurityGroupIds).
        instance_group: id of the security group of instances.
        public_purpose, private_purpose: tags by which Spinnaker finds the subnets.
        internal: whether load balancers have private addresses only.
        key_pair: key pair of the instances; None: none is sent.
        kms_key_arn: key of their volumes; None: the AWS managed key.
    """

    region: str
    zones: tuple[str, ...]
    vpc_id: str
    image_id: str
    base_profile: str
    load_balancer_group: str
    instance_group: str
    public_purpose: str
    private_purpose: str
    internal: bool
    key_pair: str | None = None
    kms_key_arn: str | None = None
