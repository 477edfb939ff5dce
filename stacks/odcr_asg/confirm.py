"""Looks at CloudFormation's schema of a group, and at dry runs of dedicated launches."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from config.models import CommonSettings
from stacks.odcr_asg.settings import OdcrAsgSettings
from stacks.shared.confirming import Look, Seen
from stacks.shared.preflight import DENIED, Clients

STRATEGY, PROPERTY = "reservations-then-balanced", "CapacityDistributionStrategy"
IMAGES = {
    architecture: f"/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-{architecture}"
    for architecture in ("x86_64", "arm64")
}
TYPES = (("t2.micro", "x86_64"), ("t3.micro", "x86_64"), ("t4g.nano", "arm64"), ("m7i.large", "x86_64"))


def _schema(common: CommonSettings, settings: OdcrAsgSettings, clients: Clients) -> Seen:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeType.html."""
    answer = clients("cloudformation").describe_type(Type="RESOURCE", TypeName="AWS::AutoScaling::AutoScalingGroup")
    known = [each["enum"] for each in _properties(json.loads(answer["Schema"])) if "enum" in each]
    if not known:
        return Seen("open", f"the Region's schema says nothing of the values of {PROPERTY}")
    return Seen("confirmed" if STRATEGY in known[0] else "refuted", f"the Region's schema has {', '.join(known[0])}")


def _properties(schema: Any) -> list[dict[str, Any]]:
    """Every definition of the property, however deep."""
    if isinstance(schema, list):
        return [found for each in schema for found in _properties(each)]
    if not isinstance(schema, dict):
        return []
    own = schema.get(PROPERTY)
    deeper = [found for each in schema.values() for found in _properties(each)]
    return [own, *deeper] if isinstance(own, dict) else deeper


def _dedicated(common: CommonSettings, settings: OdcrAsgSettings, clients: Clients) -> Seen:
    """Dry runs launch nothing: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RunInstances.html.

    They ask for the permission first, so that DryRunOperation alone need not say that a launch would be taken.
    """
    ec2, seen = clients("ec2"), {}
    for name, architecture in TYPES:
        image = clients("ssm").get_parameter(Name=IMAGES[architecture])["Parameter"]["Value"]
        placement = {"Tenancy": "dedicated"}
        try:
            ec2.run_instances(
                ImageId=image, InstanceType=name, Placement=placement, MinCount=1, MaxCount=1, DryRun=True
            )
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in DENIED:
                raise
            seen[name] = code
    return Seen("seen", ", ".join(f"{name}: {code}" for name, code in seen.items()))


def _unused(common: CommonSettings, settings: OdcrAsgSettings, clients: Clients) -> Seen:
    """https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/capacity-reservation-cw-metrics.html."""
    active = [{"Name": "state", "Values": ["active"]}]
    pages = clients("ec2").get_paginator("describe_capacity_reservations").paginate(Filters=active)
    unused = [
        str(each["CapacityReservationId"])
        for page in pages
        for each in page["CapacityReservations"]
        if each["AvailableInstanceCount"] == each["TotalInstanceCount"]
    ]
    if not unused:
        return Seen("open", "no reservation here is unused at the moment")
    now = datetime.now(UTC)
    points = clients("cloudwatch").get_metric_statistics(
        Namespace="AWS/EC2CapacityReservations",
        MetricName="UsedInstanceCount",
        Dimensions=[{"Name": "CapacityReservationId", "Value": unused[0]}],
        StartTime=now - timedelta(hours=1),
        EndTime=now,
        Period=300,
        Statistics=["Maximum"],
    )["Datapoints"]
    return Seen("seen", f"{unused[0]}: {len(points)} points of an hour, {sorted({each['Maximum'] for each in points})}")


LOOKS = (
    Look(
        "Whether UsedInstanceCount goes on, as 0,",
        ("ec2:DescribeCapacityReservations", "cloudwatch:GetMetricStatistics"),
        _unused,
    ),
    Look("That CloudFormation accepts `reservations-then-balanced`", ("cloudformation:DescribeType",), _schema),
    Look("Which instance types EC2 refuses with", ("ssm:GetParameter", "ec2:RunInstances"), _dedicated),
)
