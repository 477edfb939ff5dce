"""The judge of calls: what AWS would refuse is refused here, and what it takes is taken."""

import os
import subprocess
import sys
from pathlib import Path

import boto3
import pytest
from botocore.config import Config

from emulator.settings import FULL_MODEL
from tests.conformance.requests import UnfitRequestError, compiled


def client(service: str) -> object:
    return boto3.client(service, region_name="us-east-1", config=Config(retries={"total_max_attempts": 1}))


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "told"),
    [
        ("ec2", "create_volume", {"AvailabilityZone": "us-east-1a", "VolumeType": "gp9"}, "VolumeType is 'gp9'"),
        ("ssm", "put_parameter", {"Name": "n" * 2_049, "Value": "v"}, "at most 2048"),
        ("imagebuilder", "get_image", {"imageBuildVersionArn": "no-arn"}, "does not match"),
        (
            "autoscaling",
            "describe_auto_scaling_groups",
            {"Filters": [{"Name": "tag-key", "Values": ["\x00"]}]},
            "match",
        ),
        ("lambda", "update_function_configuration", {"FunctionName": "f", "Timeout": 0}, "at least 1"),
        ("sns", "tag_resource", {"ResourceArn": "a" * 1_012, "Tags": []}, "at most 1011"),
    ],
)
def test_a_call_that_aws_would_refuse_fails(service: str, operation: str, parameters: object, told: str) -> None:
    with pytest.raises(UnfitRequestError, match=told.replace("(", r"\(")):
        getattr(client(service), operation)(**parameters)  # type: ignore[arg-type]


def test_nothing_that_a_handler_catches_hides_it() -> None:
    from botocore.exceptions import BotoCoreError, ClientError

    assert not issubclass(UnfitRequestError, (BotoCoreError, ClientError, ValueError, LookupError, TypeError, OSError))


@pytest.mark.parametrize(
    ("pattern", "value"),
    [
        (r"[\p{L}\p{Z}\p{N}_.:/=+\-@]*", "Über uns: a/b"),
        (r"\p{ASCII}+", "plain"),
        (r"[\u0020-\uD7FF\uE000-\uFFFD\uD800\uDC00-\uDBFF\uDFFF\r\n\t]*", "group \U0001f600"),
        (r"[\w-_]*", "a-b_c"),
    ],
)
def test_patterns_of_javas_flavour_are_read(pattern: str, value: str) -> None:
    found = compiled(pattern)
    assert found and found.fullmatch(value)


def test_a_process_with_the_folder_on_its_path_is_judged_without_knowing(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import boto3\nec2 = boto3.client('ec2', region_name='us-east-1')\n"
        "ec2.create_volume(AvailabilityZone='a', VolumeType='gp9')\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(FULL_MODEL)}
    done = subprocess.run(
        [sys.executable, "-s", str(script)], env=environment, capture_output=True, text=True, check=False
    )
    assert "UnfitRequestError: ec2.CreateVolume would be refused: VolumeType is 'gp9'" in done.stderr
