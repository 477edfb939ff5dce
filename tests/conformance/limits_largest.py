"""The largest legal settings of each solution: the sizes that users can come to, as sections of the configuration."""

from typing import Any

Json = dict[str, Any]

COMMON: Json = {
    "prefix": "a" * 31,
    "region": "ap-southeast-1",
    "kms_key_arn": "arn:aws:kms:ap-southeast-1:123456789012:key/11111111-2222-3333-4444-555555555555",
    "alarm_topic_arn": f"arn:aws:sns:ap-southeast-1:123456789012:{'t' * 200}",
}
_KEY = "11111111-2222-3333-4444-555555555555"
_LONG_VALUE, _LONG_KEY = "v" * 200, "k" * 100


def _subnet(number: int) -> str:
    return f"arn:aws:ec2:ap-southeast-1:123456789012:subnet/subnet-{number:017x}"


def _nitro_key(kind: str) -> Json:
    """All principals that a key takes, with names as long as IAM allows."""
    roles = [f"arn:aws:iam::123456789012:role/{'r' * 60}{n:02}" for n in range(60)]
    return {
        "measurements": [f"tests/solutions/nitro_attestation/measurements/{kind}.json"],
        "operations": ["Decrypt", "GenerateDataKey"],
        "workload_arns": roles[:20],
        "producer_arns": roles[20:40],
        "administrator_arns": roles[40:],
    }


LARGEST: dict[str, list[tuple[Json, Json]]] = {
    "outposts_dashboard": [
        (COMMON, {"refresh": "pipeline", "tag_values": [f"op-{n:017x}" for n in range(150)]}),
        (COMMON, {"tag_values": [f"op-{n:017x}" for n in range(1000)]}),
    ],
    "instance_connect_endpoint": [
        (
            COMMON,
            {
                "ports": [22, 3389],
                "windows_instance_type": "m7i.large",
                "trail": "create",
                "os_users": [f"user{n}" + "u" * 25 for n in range(10)],
                "private_cidrs": [f"10.{n}.0.0/16" for n in range(20)],
                "expected_principals": [f"assumed-role/Operators-of-team-{n:02}/*" for n in range(20)],
            },
        ),
    ],
    "odcr_asg": [(COMMON, {"network": "nat", "zones": 6, "required_instances": 6, "max_instances": 12})],
    "spot_asg": [
        (
            COMMON,
            {
                "network": "nat",
                "zones": 6,
                "load_balancer": True,
                "types": [f"m{n}i.24xlarge" for n in range(1, 41)],
                "architecture": "x86_64",
            },
        ),
    ],
    "custom_health_checks": [
        (COMMON, {"checks": [{"kind": "tag", "key": f"{n}{_LONG_KEY}", "success": "s" * 40} for n in range(9)]}),
        (
            COMMON,
            {
                "mode": "instance",
                "network": "endpoints",
                "zones": 6,
                "checks": [
                    {"kind": "table", "table": f"t{n}" + "t" * 100, "attribute": "a", "success": _LONG_VALUE[:60]}
                    for n in range(10)
                ],
            },
        ),
    ],
    "graviton_porting_advisor": [
        (
            COMMON,
            {
                "sources": [
                    {"location": f"{'o' * 39}/{'r' * 90}{n}", "exclude": [f"{e}{'x' * 95}" for e in range(26)]}
                    for n in range(100)
                ],
                "schedule": "rate(1 day)",
                "type_metrics": True,
            },
        ),
    ],
    "image_pipelines": [
        (
            COMMON | {"prefix": "a" * 20},
            {
                "workloads": [  # each the parent of the next
                    {
                        "name": f"w{n:02}" + "n" * 37,
                        "parent": f"w{n - 1:02}" + "n" * 37 if n else "gold",
                        "schedule": {"start_condition": "always"},
                    }
                    for n in range(30)
                ],
                "regions": [
                    {"name": name, "kms_key_arn": f"arn:aws:kms:{name}:123456789012:key/{_KEY}"}
                    for name in (
                        f"{part}-{n}" for part in ("ap-northeast", "ap-southwest", "eu-north") for n in range(1, 8)
                    )
                ][:20],
                "accounts": ["210987654321"],
                "lifecycle": {"delete_after_days": 365, "allow_deletion": True},
                "network": "nat",
            },
        ),
        (
            COMMON | {"prefix": "a" * 20},
            {
                "workloads": [
                    {
                        "name": f"w{n:02}" + "n" * 37,
                        "kind": "container",
                        "base_image": "public.ecr.aws/amazonlinux/amazonlinux:2023",
                        "components": ["stacks/image_pipelines/components/web.yaml"],
                    }
                    for n in range(30)
                ],
            },
        ),
    ],
    "sqs_target_scaling": [(COMMON, {"network": "endpoints", "zones": 6})],
    "root_volume_replacement": [
        (
            COMMON,
            {
                "old_volume": "delete",
                "allow_deletion": True,
                "schedules": [
                    {
                        "expression": "rate(1 day)",
                        "to": "latest-snapshot",
                        "tag": {"key": _LONG_KEY, "value": _LONG_VALUE},
                    }
                    for _ in range(20)
                ],
            },
        ),
    ],
    "outposts_routing": [
        (
            COMMON,
            {
                "on_premises_cidrs": [f"192.168.{n}.0/24" for n in range(50)],
                "vpcs": [
                    {"id": f"vpc-{n:017x}", "cidrs": [f"10.{n}.0.0/16"], "route_table_ids": [f"rtb-{n:017x}"]}
                    for n in range(1, 5)
                ],
            },
        ),
    ],
    "local_zone_wordpress": [
        (COMMON, {"allowed_cidrs": [f"198.51.{n}.0/24" for n in range(50)]}),
    ],
    "gpu_monitoring": [
        (COMMON, {"linux_configuration": "tests/solutions/gpu_monitoring/agent/large.json", "attach_profile": True})
    ],
    "credential_guard": [
        (
            COMMON,
            {
                "network": "endpoints",
                "rdp": "instance-connect-endpoint",
                "tag": {"key": _LONG_KEY, "value": _LONG_VALUE},
                "calendars": [f"{n}{'c' * 120}" for n in range(5)],
            },
        ),
    ],
    "spot_placement_tracker": [(COMMON, {"report_days": 28})],
    "nitro_attestation": [
        (
            COMMON,
            {
                "regions": [
                    f"{part}-{n}" for part in ("ap-northeast", "eu-north", "us-west", "sa-east") for n in range(1, 10)
                ],
                "enclave": {"key": _nitro_key("enclave")},
                "tpm": {"image_id": "ami-0123456789abcdef0", "key": _nitro_key("tpm")},
                "organization": {"declarative": True, "deny_legacy_spot": True, "exception_message": "m" * 9_000},
            },
        ),
    ],
    "local_zone_guardrails": [(COMMON, {"subnets": [_subnet(n) for n in range(60)]})],
    "outposts_guardrails": [(COMMON, {"subnets": [_subnet(n) for n in range(60)]})],
}
