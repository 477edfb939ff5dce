"""What the rules on updates find and what stays, each with its reason; and settings that have one value only."""

from collections.abc import Mapping

BY_DESIGN: Mapping[tuple[str, str, str, str], str] = {
    ("odcr_asg", "loss", "Reservations*", "*"): "new ones first, the old ones cancelled after: README, Change it",
    (
        "odcr_asg",
        "loss",
        "NetworkNatAddress*",
        "zone_names*",
    ): "the NAT gateway moves to another zone: README, Change it",
    **{
        ("odcr_asg", rule, "NetworkVpc*", 'zone_names -> ?"us-east-1a", "us-east-1b"?*'): (
            "the first zones of the Region, by their names: CloudFormation compares what Fn::GetAZs has answered"
        )
        for rule in ("collision", "range-overlaps")
    },
    (
        "image_pipelines",
        "loss",
        "*Repository*",
        "common.kms_key_arn*",
    ): "another key is another repository, and the images are built again: README, Limits",
    ("spot_asg", "swap", "Spot*Peak*", "off_peak*"): "two deployments, by a third time between: README, Limits",
    ("local_zone_wordpress", "loss", "*Address*", "nat*"): "another way out has another address: README, Limits",
    (
        "local_zone_wordpress",
        "volume-shrinks",
        "Data*",
        "data_gib*",
    ): "EBS refuses it and nothing is lost: README, Limits",
}
"""Solution, rule, logical id and change, the last two as globs."""

_POLICY_TEXT = "it changes the text of policies only"
_TOGETHER = "its other value needs another key: see TOGETHER"

ONE_VALUE_ONLY: Mapping[str, Mapping[str, str]] = {
    "gpu_monitoring": {"windows_configuration": "the fixture of Windows is another variant's"},
    "image_pipelines": {"accounts": "needs a key, which needs a Region: the variant enterprise"},
    "local_zone_guardrails": dict.fromkeys(
        ("exempt_principal_arns", "extra_actions", "subnet_tag", "subnets_by_target", "zone_ids"), _POLICY_TEXT
    ),
    "outposts_guardrails": dict.fromkeys(
        ("exempt_principal_arns", "extra_actions", "subnet_tag", "subnets_by_target"), _POLICY_TEXT
    ),
    "nitro_attestation": {
        "enclave.cpus": "the types of the variants have one core for enclaves",
        "organization.declarative": "exception_message needs it: the variant organization",
    },
    "outposts_dashboard": {"source.connection_arn": "of the variant nat alone"}
    | dict.fromkeys(("source.kind", "source.repository"), _TOGETHER),
    "outposts_routing": {
        "common.vpc.id": "the VPC that the variant enterprise lists with its ranges",
        "load_balancer.certificate_arn": "a property of the listener",
        "load_balancer.scheme": "internet-facing needs mode coip",
        "vpcs": "of the variant enterprise alone",
    },
    "local_zone_wordpress": {
        "private_subnet_ids": "need common.vpc: the variant enterprise",
        "public_subnet_ids": "need common.vpc: the variant enterprise",
        "wordpress_sha256": "belongs to wordpress_version",
        "wordpress_version": "belongs to wordpress_sha256",
    },
}
"""By solution and key, why no other value is tried."""
