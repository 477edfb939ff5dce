"""Extracts what AWS publishes of the events and metrics that the templates use.

``python -m tests.conformance.events.data`` writes it anew.

The npm package @aws-cdk/aws-service-spec (a pinned development dependency) is a compressed database of 30 MB: events
with their fields from EventBridge's schema registry, metrics with their dimension sets from CloudWatch's own list. Its
part for the services of this repository is checked in, with the version, so that tests need no Node package.
"""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
PACKAGE = ROOT / "node_modules/@aws-cdk/aws-service-spec"
DATA = Path(__file__).parent
# Those of the patterns and of the metrics in the templates.
SOURCES = (
    "aws.autoscaling",
    "aws.ec2",
    "aws.dlm",
    "aws.ec2-instance-connect",
    "aws.imagebuilder",
    "aws.organizations",
    "aws.ssm",
    "aws.s3",
    "aws.states",
    "aws.tag",
    "aws.codepipeline",
    "aws.codebuild",
    "aws.health",
)
NAMESPACES = (
    "AWS/ApplicationELB",
    "AWS/AutoScaling",
    "AWS/DynamoDB",
    "AWS/EC2",
    "AWS/EC2CapacityReservations",
    "AWS/EC2Spot",
    "AWS/Events",
    "AWS/Lambda",
    "AWS/Logs",
    "AWS/NATGateway",
    "AWS/Outposts",
    "AWS/S3",
    "AWS/SNS",
    "AWS/SQS",
    "AWS/Scheduler",
    "AWS/States",
    "AWS/EBS",
    "AWS/CodeBuild",
)

Json = dict[str, Any]


def extract(database: Json) -> Json:
    """Events by source and detail type, with their detail's fields; metrics by namespace, with their dimension sets."""
    tables = {
        name: {row["$id"]: row for row in table["entities"]}
        for name, table in database["schema"].items()
        if table["type"] == "entities"
    }
    links = {name: table["forward"] for name, table in database["schema"].items() if table["type"] == "rel"}
    events: Json = {}
    for event in tables["event"].values():
        if event["source"] in SOURCES:
            found = _fields(tables["eventTypeDefinition"], event["rootProperty"]["$ref"], ())
            events.setdefault(event["source"], {})[event["detailType"]] = found
    metrics: Json = {}
    for number, metric in tables["metric"].items():
        if metric["namespace"] in NAMESPACES:
            sets = [tables["dimensionSet"][link["$id"]] for link in links["usesDimensionSet"].get(number, [])]
            named = sorted({tuple(sorted(dimension["name"] for dimension in one["dimensions"])) for one in sets})
            known = metrics.setdefault(metric["namespace"], {}).setdefault(metric["name"], [])
            known += [list(one) for one in named if list(one) not in known]
    return {"events": events, "metrics": metrics}


def _fields(definitions: Json, number: str, above: tuple[str, ...]) -> Json:
    """Names of the fields, nested; a field without fields of its own has none."""
    if number in above:
        return {}
    return {
        name: next((_fields(definitions, ref, (*above, number)) for ref in _refs(field["type"])), {})
        for name, field in sorted(definitions[number]["properties"].items())
    }


def _refs(kind: Json) -> Iterator[str]:
    if kind["type"] == "ref":
        yield kind["reference"]["$ref"]
    elif "element" in kind:
        yield from _refs(kind["element"])
    for one in kind.get("types", []):
        yield from _refs(one)


def main() -> None:
    """Writes the extract."""
    version = json.loads((PACKAGE / "package.json").read_text(encoding="utf-8"))["version"]
    database = json.loads(gzip.decompress((PACKAGE / "db.json.gz").read_bytes()))
    written = {"package": "@aws-cdk/aws-service-spec", "version": version, **extract(database)}
    DATA.mkdir(exist_ok=True)
    (DATA / "service_spec.json").write_text(json.dumps(written, indent=1, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
