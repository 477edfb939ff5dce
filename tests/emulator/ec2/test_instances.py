"""An instance of a stack: another size stops and starts it, what it boots from replaces it."""

from emulator.client import EmbeddedAws
from tests.embedded_aws import Stack


def test_another_type_keeps_the_instance_and_another_image_replaces_it(aws: EmbeddedAws, stack: Stack) -> None:
    def deployed(verb: str, image: str, size: str) -> tuple[str, str, str]:
        properties = {"ImageId": image, "InstanceType": size}
        resources = {"Host": {"Type": "AWS::EC2::Instance", "Properties": properties}}
        made = (stack.create if verb == "create" else stack.update)(resources)["Host"]
        (found,) = aws.client("ec2").describe_instances(InstanceIds=[made])["Reservations"][0]["Instances"]
        return made, found["InstanceType"], found["State"]["Name"]

    first, size, state = deployed("create", "ami-1", "t3.micro")
    assert (size, state) == ("t3.micro", "running")
    assert deployed("update", "ami-1", "t3.large") == (first, "t3.large", "running")
    aws.client("ec2").stop_instances(InstanceIds=[first])
    assert deployed("update", "ami-1", "t3.micro") == (first, "t3.micro", "stopped")
    assert deployed("update", "ami-2", "t3.micro")[0] != first
