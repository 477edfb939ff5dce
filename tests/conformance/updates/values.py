"""Other legal values of a setting: from the schema of its settings, and a table for what cannot be guessed.

A candidate need not be legal: whoever uses it validates the whole section, as a user's file is validated.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

Json = dict[str, Any]
Others = Mapping[str, tuple[Any, ...]]

# By the key's last name: what the schema cannot say. Values of one key in every solution that has it;
# what is one solution's alone stands in OTHERS of its conformance.py.
OTHERS: Others = {
    "arm64": ("ami-0123456789abcdef0",),
    "x86_64": ("ami-0123456789abcdef1",),
    "allowed_types": (["m7i.*"], ["m7g.*"]),
    "exempt_principal_arns": (["arn:*:iam::*:role/backup"],),
    "expression": ("cron(0 3 ? * sun *)", "rate(2 days)"),
    "extra_actions": ({},),
    "key": ("acme:key",),
    "value": ("other",),
    "max": (131072,),
    "metric_namespace": ("Acme/Metrics",),
    "services_in_zone": (["ec2", "ebs"],),
    "allowed_cidrs": (["198.51.100.0/24"], ["203.0.113.0/24", "198.51.100.0/24"]),
    "alarm_topic_arn": ("arn:aws:sns:us-east-1:123456789012:alarms",),
    "id": ("vpc-0123456789abcdef1",),
    "subnet_ids": (["subnet-0123456789abcdef2", "subnet-0123456789abcdef3"],),
    "client_cidrs": (["203.0.113.0/24"],),
    "excluded_types": (["m1.*"],),
    "instance_type": ("m7i.large", "t4g.small"),
    "kms_key_arn": ("arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555",),
    "load_balancer": (True, "application", "self-managed", {"port": 8080}, None),
    "log_retention_days": (30,),
    "permissions_boundary": ("developers",),
    "reapply": ("rate(1 day)", "cron(0 2 * * ? *)"),
    "regions": ([{"name": "us-west-2"}], ["us-west-2"]),
    "schedule": ("cron(0 4 * * ? *)",),
    "subnets": (["arn:aws:ec2:us-east-1:123456789012:subnet/subnet-0123456789abcdef0"],),
    "tags": ({"project": "changed"},),
    "targets": (["ou-ab12-canary34"],),
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
    "zone": ("us-east-1-bos-1a", "us-east-1-atl-2a"),
    "zones": (["us-west-2-lax-1a"], 3, 4, 2, 1),
}


def others(model: type[BaseModel], current: Json, own: Others) -> Iterator[tuple[str, list[Any]]]:
    """Each setting of a section, by its key, with candidates for another value; nested keys are dotted.

    Args:
        current: the section with every default filled in.
        own: what the solution knows besides OTHERS.
    """
    schema = model.model_json_schema()
    yield from _others(
        schema, schema, current, "", {key: (*own.get(key, ()), *OTHERS.get(key, ())) for key in own.keys() | OTHERS}
    )


def _others(schema: Json, root: Json, current: Json, prefix: str, known: Others) -> Iterator[tuple[str, list[Any]]]:
    for key, field in schema.get("properties", {}).items():
        if key == "enabled":
            continue
        value = current.get(key)
        nested = _model(field, root)
        if nested and isinstance(value, dict):
            yield from _others(nested, root, value, f"{prefix}{key}.", known)
            if None not in _candidates(field, root, value, known.get(key, ())):
                continue
        found = [item for item in _candidates(field, root, value, known.get(key, ())) if item != value]
        yield f"{prefix}{key}", found


def _candidates(field: Json, root: Json, value: Any, known: tuple[Any, ...]) -> list[Any]:
    found: list[Any] = list(known)
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
