"""Every event pattern is one of an event that a service sends, with fields that the event has."""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from tests.conformance.events.data import DATA
from tests.conformance.findings import Finding, Rule

SCHEMAS = "https://github.com/cdklabs/awscdk-service-spec (EventBridge's schema registry)"
EC2_SPOT = "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/rebalance-recommendations.html"
CLOUDTRAIL = "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html"

Json = dict[str, Any]

# Source and detail type that the database lacks -> the fields of the detail (None: not looked at) and AWS's page.
DOCUMENTED: Mapping[tuple[str, str], tuple[frozenset[str] | None, str]] = {
    ("aws.ec2", "EC2 Instance Rebalance Recommendation"): (frozenset({"instance-id"}), EC2_SPOT),
    ("aws.imagebuilder", "EC2 Image Builder Image Pipeline Automatically Disabled"): (
        None,
        "https://docs.aws.amazon.com/imagebuilder/latest/userguide/integ-eventbridge.html",
    ),
    ("aws.codecommit", "CodeCommit Repository State Change"): (
        frozenset({"event", "referenceType", "referenceName"}),
        "https://docs.aws.amazon.com/codecommit/latest/userguide/monitoring-events.html",
    ),
    ("", "AWS API Call via CloudTrail"): (None, CLOUDTRAIL),
}
# Fields that an event has beyond those of the database.
DOCUMENTED_FIELDS: Mapping[tuple[str, str], tuple[frozenset[str], str]] = {}
# Detail types of our own, with the function or machine that sends them.
OWN = {"Root Volume Snapshot Wanted": "stacks/root_volume_replacement/snapshots.py"}


@cache
def known() -> Json:
    """The checked-in extract of the database."""
    found: Json = json.loads((DATA / "service_spec.json").read_text(encoding="utf-8"))
    return found


def findings(resources: Mapping[str, Json], where: str) -> list[Finding]:
    """Patterns that no event will ever match."""
    return sorted({finding for name, rule in _rules(resources) for finding in _of(rule, name, where)})


def _rules(resources: Mapping[str, Json]) -> Iterator[tuple[str, Json]]:
    for name, resource in resources.items():
        if resource["Type"] == "AWS::Events::Rule" and "EventPattern" in resource["Properties"]:
            yield name, resource["Properties"]["EventPattern"]


def _of(pattern: Json, name: str, where: str) -> Iterator[Finding]:
    sources = pattern.get("source", [""])
    for kind in pattern.get("detail-type", []):
        if kind in OWN:
            continue
        for source in sources:
            fields = _fields(source, kind)
            if fields is None:
                reason = f"{source or 'no service'} sends no event {kind!r}"
                yield Finding(
                    where, name, "event", "fails", reason, SCHEMAS, "correct it, or name AWS's page in DOCUMENTED"
                )
                continue
            more, _ = DOCUMENTED_FIELDS.get((source, kind), (frozenset(), ""))
            for field in sorted(set(_paths(pattern.get("detail", {}), fields)) - more):
                reason = f"{kind!r} has no field detail.{field}"
                yield Finding(
                    where,
                    name,
                    "event-field",
                    "fails",
                    reason,
                    SCHEMAS,
                    "correct it, or name AWS's page in DOCUMENTED_FIELDS",
                )


def _fields(source: str, kind: str) -> Json | None:
    """The fields of an event's detail; empty where they are not known; None where there is no such event."""
    if (source, kind) in DOCUMENTED:
        fields, _ = DOCUMENTED[source, kind]
        return {field: {} for field in fields or ()}
    found: Json | None = known()["events"].get(source, {}).get(kind)
    return found


def _paths(pattern: Any, fields: Json, prefix: str = "") -> Iterator[str]:
    """Dotted names in a pattern that are no fields."""
    if not isinstance(pattern, dict) or not fields:
        return
    for key, inner in pattern.items():
        if key.startswith("$"):  # $or
            for one in inner:
                yield from _paths(one, fields, prefix)
        elif key not in fields:
            yield f"{prefix}{key}"
        else:
            yield from _paths(inner, fields[key], f"{prefix}{key}.")


RULES = (
    Rule("events", "event", SCHEMAS, ("a misspelt detail type", "a detail type of another service")),
    Rule("events", "event-field", SCHEMAS, ("a field that the event lacks",)),
)
