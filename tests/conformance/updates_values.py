"""Other legal values of a setting: from the schema of its settings, and a table for what cannot be guessed.

A candidate need not be legal: whoever uses it validates the whole section, as a user's file is validated.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

Json = dict[str, Any]

# By the key's last name: what the schema cannot say. Values of one key in every solution that has it.
OTHERS: Mapping[str, tuple[Any, ...]] = {
    "accounts": (["210987654321"],),
    "administrator_arns": (["arn:aws:iam::123456789012:role/other-administrator"],),
    "admin_email": ("other@example.com",),
    "arm64": ("ami-0123456789abcdef0",),
    "x86_64": ("ami-0123456789abcdef1",),
    "allowed_types": (["m7i.*"], ["m7g.*"]),
    "backup": ({"every_hours": 6, "keep": 28},),
    "branch": ("release",),
    "dashboard_name": ("Another",),
    "database_type": ("t3.large",),
    "deployed_stack": ("Deploy-Another",),
    "edge_type": ("t3.small", "t3.medium"),
    "exempt_principal_arns": (["arn:*:iam::*:role/backup"],),
    "expression": ("cron(0 3 ? * sun *)", "rate(2 days)"),
    "extra_actions": ({},),
    "generations": (["current"], ["current", "previous"]),
    "instance_types": (["t4g.large"],),
    "keep_tag": (["keep", "yes"],),
    "key": ("acme:key",),
    "value": ("other",),
    "max": (131072,),
    "measurements": (
        ["tests/solutions/nitro_attestation/measurements/tpm_next.json"],
        ["tests/solutions/nitro_attestation/measurements/enclave_next.json"],
    ),
    "metric_namespace": ("Acme/Metrics",),
    "parameter_path": ("/imagebuilder/acme",),
    "services_in_zone": (["ec2", "ebs"],),
    "tag_name": ("Another",),
    "title": ("Another title",),
    "unreached_on_premises_cidrs": (["192.0.2.0/24"],),
    "version": ("3.1",),
    "web_type": ("t3.large",),
    "workload_arns": (["arn:aws:iam::123456789012:role/other-workload"],),
    "workloads": (
        [
            {"name": "web", "components": ["stacks/image_pipelines/components/web.yaml"]},
            {"name": "batch", "parent": "web"},
        ],
        [
            {
                "name": "web",
                "kind": "container",
                "base_image": "public.ecr.aws/amazonlinux/amazonlinux:2023",
                "components": ["stacks/image_pipelines/components/web.yaml"],
            },
        ],
    ),
    "allowed_cidrs": (["198.51.100.0/24"], ["203.0.113.0/24", "198.51.100.0/24"]),
    "alarm_topic_arn": ("arn:aws:sns:us-east-1:123456789012:alarms",),
    "at": ("05:00",),
    "id": ("vpc-0123456789abcdef1",),
    "image_id": ("ami-0123456789abcdef1",),
    "subnet_ids": (["subnet-0123456789abcdef2", "subnet-0123456789abcdef3"],),
    "attributes": ({"vcpu": {"min": 4, "max": 8}, "memory_mib": {"min": 8192}},),
    "begins": ("06:00", "21:00"),
    "ends": ("20:00", "07:00"),
    "certificate_secret_arn": ("arn:aws:secretsmanager:us-east-1:123456789012:secret:site-AbCdEf",),
    "checks": (
        [{"kind": "tag"}, {"kind": "http", "port": 8080}],
        [{"kind": "table", "table": "inventory"}, {"kind": "http", "port": 9090}],
    ),
    "client_cidrs": (["203.0.113.0/24"],),
    "coip_cidr": ("172.17.0.0/26", "172.16.0.0/25"),
    "components": ([],),
    "elastic_ip_addresses": ({"web": "172.16.0.10"},),
    "elastic_ips": ({"web": None}, {"web": None, "spare": "eni-0123456789abcdef1"}),
    "end_date": ("2027-01-31T19:00:00Z", "2028-01-31T19:00:00Z"),
    "excluded_types": (["m1.*"],),
    "expected_principals": (["user/break-glass"],),
    "experiment_regions": (["us-west-2"],),
    "file": ("tests/solutions/spot_placement_tracker/placement_scores/two_dashboards.yaml",),
    "instance_type": ("m7i.large", "t4g.small"),
    "kms_key_arn": ("arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555",),
    "linux_configuration": ("tests/solutions/gpu_monitoring/agent/large.json",),
    "linux_instance_type": ("m7i-flex.large", None),
    "load_balancer": (True, "application", "self-managed", {"port": 8080}, None),
    "local_gateway_routes": (["192.168.0.0/16"],),
    "log_retention_days": (30,),
    "more_domains": ({},),
    "on_premises_cidrs": (["192.168.0.0/16"], ["192.168.0.0/16", "192.0.2.0/24"]),
    "off_peak": ({"begins": "20:00", "ends": "06:00", "time_zone": "Europe/Berlin", "instances": 3}, None),
    "operations": (["Decrypt", "GenerateDataKey"], ["Decrypt"]),
    "os_users": (["admin"],),
    "other_outposts": ({"op-0123456789abcdef1": "210987654321"},),
    "pcrs": (["PCR4", "PCR12", "PCR7"], ["PCR0", "PCR1"]),
    "permissions_boundary": ("developers",),
    "ports": ([22, 3389], [22]),
    "private_cidrs": (["10.0.0.0/16"],),
    "producer_arns": (["arn:aws:iam::123456789012:role/other-producer"],),
    "reapply": ("rate(1 day)", "cron(0 2 * * ? *)"),
    "regions": ([{"name": "us-west-2"}], ["us-west-2"]),
    "root_device": ("/dev/sda1",),
    "restore_from": ("snap-0123456789abcdef0", "snap-0123456789abcdef1"),
    "schedule": ("cron(0 4 * * ? *)",),
    "schedules": (
        [{"expression": "rate(1 day)", "to": "launch-state"}],
        [{"expression": "rate(7 days)", "to": "launch-state"}],
    ),
    "source_cidrs": (["203.0.113.0/24"],),
    "subnet_cidr": ("10.0.0.0/23", "10.0.4.0/22"),
    "subnets": (["arn:aws:ec2:us-east-1:123456789012:subnet/subnet-0123456789abcdef0"],),
    "tag_values": (["op-0123456789abcdef0"],),
    "tags": ({"project": "changed"},),
    "target_group_arns": (["arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/web/0123456789abcdef"],),
    "targets": (["ou-ab12-canary34"],),
    "time_zone": ("Europe/Berlin", "Asia/Tokyo"),
    "timezone": ("Europe/Berlin", "Asia/Tokyo"),
    "types": (
        ["m7i.large", "m6a.large", "c7i.xlarge", "r6i.large"],
        ["m7i.large", "m6i.large", "c7i.xlarge", "r6i.large"],
    ),
    "vpc": (
        {"id": "vpc-0123456789abcdef0", "subnet_ids": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]},
        None,
    ),
    "vpc_cidr": ("10.1.0.0/24", "10.1.0.0/16"),
    "warm_pool": ({"min_size": 1}, None),
    "windows_configuration": ("tests/solutions/gpu_monitoring/agent/windows.json",),
    "windows_instance_type": ("m7i.large", None),
    "zone": ("us-east-1-bos-1a", "us-east-1-atl-2a"),
    "zone_names": (["us-east-1a", "us-east-1b"], ["us-east-1b", "us-east-1c"], ["us-east-1b", "us-east-1a"]),
    "zones": (["us-west-2-lax-1a"], 3, 4, 2, 1),
}


def others(model: type[BaseModel], current: Json) -> Iterator[tuple[str, list[Any]]]:
    """Each setting of a section, by its key, with candidates for another value; nested keys are dotted.

    Args:
        current: the section with every default filled in.
    """
    schema = model.model_json_schema()
    yield from _others(schema, schema, current, "")


def _others(schema: Json, root: Json, current: Json, prefix: str) -> Iterator[tuple[str, list[Any]]]:
    for key, field in schema.get("properties", {}).items():
        if key == "enabled":
            continue
        value = current.get(key)
        nested = _model(field, root)
        if nested and isinstance(value, dict):
            yield from _others(nested, root, value, f"{prefix}{key}.")
            if None not in _candidates(field, root, value, key):
                continue
        found = [item for item in _candidates(field, root, value, key) if item != value]
        yield f"{prefix}{key}", found


def _candidates(field: Json, root: Json, value: Any, key: str) -> list[Any]:
    found: list[Any] = list(OTHERS.get(key, ()))
    for option in _options(field, root):
        found += option.get("enum", []) or ([option["const"]] if "const" in option else [])
        match option.get("type"):
            case "boolean":
                found += [True, False]
            case "null":
                found.append(None)
            case "integer" | "number":
                found += _numbers(option, value)
            case "object" if "properties" in option:
                found.append({})
        found += [
            example
            for example in [*field.get("examples", []), *option.get("examples", [])]
            if "..." not in str(example)
        ]
    return found


def _numbers(option: Json, value: Any) -> list[Any]:
    least, most = option.get("minimum", option.get("exclusiveMinimum")), option.get("maximum")
    numbers = [value + 1, value - 1, value * 2] if isinstance(value, int | float) else []
    return [number for number in [*numbers, least, most] if number is not None]


def _model(field: Json, root: Json) -> Json | None:
    return next((option for option in _options(field, root) if "properties" in option), None)


def _options(field: Json, root: Json) -> list[Json]:
    options: list[Json] = []
    for option in field.get("anyOf", [field]):
        if "$ref" in option:
            option = root["$defs"][option["$ref"].rsplit("/", 1)[-1]]
        options.append(option)
    return options


def with_value(section: Json, key: str, value: Any) -> Json:
    """A copy of a section in which one key, which may be dotted, has another value."""
    first, _, rest = key.partition(".")
    return {**section, first: with_value(section.get(first) or {}, rest, value) if rest else value}
