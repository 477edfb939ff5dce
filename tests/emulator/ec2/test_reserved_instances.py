"""Reserved Instances are shown as EC2 has them, and instances say by which operation they are billed."""

from typing import Any

import pytest

from emulator.client import EmbeddedAws, EmulatorError

REGIONAL: dict[str, Any] = {
    "ReservedInstancesId": "ri-1",
    "InstanceType": "m5.large",
    "ProductDescription": "Linux/UNIX",
    "InstanceTenancy": "default",
    "InstanceCount": 2,
    "State": "active",
    "Scope": "Region",
    "End": "2027-01-01T00:00:00+00:00",
}
ZONAL = {**REGIONAL, "Scope": "Availability Zone", "AvailabilityZone": "us-east-1a", "State": "retired"}


def test_a_regional_one_has_no_zone(aws: EmbeddedAws) -> None:
    aws.control("reserved-instances", purchases=[REGIONAL, ZONAL])
    ec2 = aws.client("ec2")
    active = ec2.describe_reserved_instances(Filters=[{"Name": "state", "Values": ["active"]}])["ReservedInstances"]
    assert [each["Scope"] for each in active] == ["Region"] and "AvailabilityZone" not in active[0]
    assert active[0]["End"].year == 2027 and len(ec2.describe_reserved_instances()["ReservedInstances"]) == 2


@pytest.mark.parametrize(
    "wrong", [{"AvailabilityZone": "us-east-1a"}, {"Scope": "Availability Zone"}, {"State": "new"}]
)
def test_what_ec2_does_not_have_cannot_be_put_there(aws: EmbeddedAws, wrong: dict[str, str]) -> None:
    with pytest.raises(EmulatorError, match="not as EC2 has it"):
        aws.control("reserved-instances", purchases=[{**REGIONAL, **wrong}])


def test_instances_show_their_usage_operation(aws: EmbeddedAws) -> None:
    ec2 = aws.client("ec2")
    ec2.run_instances(ImageId="ami-12345678", MinCount=1, MaxCount=1, InstanceType="m5.large")
    (reservation,) = ec2.describe_instances()["Reservations"]
    (instance,) = reservation["Instances"]
    assert (instance["UsageOperation"], instance["PlatformDetails"]) == ("RunInstances", "Linux/UNIX")
