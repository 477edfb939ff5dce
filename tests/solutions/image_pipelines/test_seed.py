"""Seed: the parameter is created where it is absent, never overwritten, and deleted only if it is this stack's."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from image_pipelines.seed import handler
from image_pipelines.seed.handler import seed
from shared import aws

NAME, SOURCE = "/imagebuilder/stack/gold", "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64"
STACK = "arn:aws:cloudformation:us-east-1:123456789012:stack/stack/1"


@pytest.fixture
def ssm() -> Iterator[Any]:
    aws.client.cache_clear()
    with mock_aws():
        yield boto3.client("ssm", "us-east-1")
    aws.client.cache_clear()


def request(kind: str = "Create", source: str = SOURCE, **more: Any) -> dict[str, Any]:
    wanted = {"Name": NAME, "Source": source, "Regions": ["eu-west-1"], "Keep": "false"}
    return {"RequestType": kind, "StackId": STACK, "ResourceProperties": wanted, **more}


def value(ssm: Any) -> str | None:
    found = ssm.get_parameters(Names=[NAME])["Parameters"]
    return found[0]["Value"] if found else None


def test_an_absent_parameter_gets_the_base_image_and_a_type_that_changes_at_once(ssm: Any) -> None:
    """An image that is written as aws:ec2:image is there some time after the call, and no type can be changed."""
    assert seed(request()) == f"ours:{NAME}"
    assert value(ssm) == ssm.get_parameter(Name=SOURCE)["Parameter"]["Value"]
    (described,) = ssm.describe_parameters(ParameterFilters=[{"Key": "Name", "Values": [NAME]}])["Parameters"]
    assert described["DataType"] == "text"


def test_one_that_is_there_is_left_as_it_is_and_is_not_ours(ssm: Any) -> None:
    ssm.put_parameter(Name=NAME, Value="ami-1", Type="String")
    physical_id = seed(request())
    assert (physical_id, value(ssm)) == (f"found:{NAME}", "ami-1")
    seed(request("Delete", PhysicalResourceId=physical_id))
    assert value(ssm) == "ami-1"


def test_a_repeated_request_still_knows_it_as_ours(ssm: Any) -> None:
    assert seed(request()) == seed(request()) == f"ours:{NAME}"


def test_an_update_never_overwrites_what_image_builder_has_written(ssm: Any) -> None:
    physical_id = seed(request())
    ssm.put_parameter(Name=NAME, Value="ami-built", Type="String", Overwrite=True)
    changed = request("Update", source=SOURCE.replace("arm64", "x86_64"), PhysicalResourceId=physical_id)
    assert seed({**changed, "OldResourceProperties": request()["ResourceProperties"]}) == physical_id
    assert value(ssm) == "ami-built"


def test_a_leaf_gets_no_value_and_what_image_builder_writes_goes_with_the_stack(ssm: Any) -> None:
    physical_id = seed(request(source=""))
    assert (physical_id, value(ssm)) == (f"ours:{NAME}", None)
    elsewhere = boto3.client("ssm", "eu-west-1")
    for one in (ssm, elsewhere):
        one.put_parameter(Name=NAME, Value="ami-built", Type="String")
    seed(request("Delete", PhysicalResourceId=physical_id))
    assert value(ssm) is None and value(elsewhere) is None


def test_it_stays_when_data_is_to_stay_and_deleting_twice_is_no_error(ssm: Any) -> None:
    physical_id = seed(request())
    kept = request("Delete", PhysicalResourceId=physical_id)
    kept["ResourceProperties"]["Keep"] = "true"
    seed(kept)
    assert value(ssm) is not None
    for _ in range(2):
        seed(request("Delete", PhysicalResourceId=physical_id))
    assert value(ssm) is None


def test_another_name_is_another_parameter(ssm: Any) -> None:
    physical_id = seed(request())
    moved = request("Update", PhysicalResourceId=physical_id)
    moved["OldResourceProperties"] = {**moved["ResourceProperties"]}
    moved["ResourceProperties"]["Name"] = "/imagebuilder/stack/other"
    assert seed(moved) == "ours:/imagebuilder/stack/other"
    assert value(ssm) is not None, "CloudFormation deletes the old one in its clean-up"


@pytest.mark.parametrize(
    ("source", "is_copied"), [(SOURCE, True), (SOURCE.replace("arm64", "x86_64"), False)], ids=["moved", "another base"]
)
def test_a_parameter_that_moves_keeps_its_image_unless_its_base_is_another(
    ssm: Any, source: str, is_copied: bool
) -> None:
    physical_id = seed(request())
    ssm.put_parameter(Name=NAME, Value="ami-0123456789abcdef0", Type="String", Overwrite=True)
    moved = request("Update", source, PhysicalResourceId=physical_id, OldResourceProperties={"Name": NAME})
    moved["OldResourceProperties"]["Source"] = SOURCE
    moved["ResourceProperties"]["Name"] = "/imagebuilder/stack/other"
    seed(moved)
    (now,) = ssm.get_parameters(Names=["/imagebuilder/stack/other"])["Parameters"]
    base = ssm.get_parameter(Name=source)["Parameter"]["Value"]
    assert now["Value"] == ("ami-0123456789abcdef0" if is_copied else base)


class NotAllowedYet:
    """SSM that refuses the first calls: the role has got the new path a moment ago."""

    def __init__(self, ssm: Any, refused: int) -> None:
        self.ssm, self.left = ssm, refused

    def __getattr__(self, name: str) -> Any:
        return getattr(self.ssm, name)

    def put_parameter(self, **wanted: Any) -> None:
        if self.left:
            self.left -= 1
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "not yet"}}, "PutParameter")
        self.ssm.put_parameter(**wanted)


@pytest.mark.parametrize("refused", [handler.ATTEMPTS - 1, handler.ATTEMPTS])
def test_a_new_path_is_written_once_the_role_may(ssm: Any, monkeypatch: pytest.MonkeyPatch, refused: int) -> None:
    account = NotAllowedYet(ssm, refused)
    waited: list[float] = []
    monkeypatch.setattr(handler, "client", lambda _: account)
    monkeypatch.setattr("time.sleep", waited.append)
    moved = request("Update", PhysicalResourceId=f"ours:{NAME}x")
    moved["OldResourceProperties"] = {**moved["ResourceProperties"], "Name": f"{NAME}x"}
    if refused < handler.ATTEMPTS:
        assert seed(moved) == f"ours:{NAME}" and value(ssm)
    else:
        with pytest.raises(ClientError, match="AccessDenied"):
            seed(moved)
    assert sum(waited) <= 30, "the function has a minute"


@pytest.mark.parametrize("owner", ["ours", "found"])
def test_a_region_that_leaves_the_list_loses_its_parameter_if_that_is_ours(ssm: Any, owner: str) -> None:
    elsewhere = {name: boto3.client("ssm", name) for name in ("eu-west-1", "eu-west-2")}
    for one in (ssm, *elsewhere.values()):
        one.put_parameter(Name=NAME, Value="ami-built", Type="String")
    event = request("Update", "", PhysicalResourceId=f"{owner}:{NAME}")
    event["OldResourceProperties"] = {**event["ResourceProperties"], "Regions": ["eu-west-1", "eu-west-2"]}
    for _ in range(2):  # a request may come twice
        seed(event)
    assert value(ssm) == value(elsewhere["eu-west-1"]) == "ami-built"
    assert value(elsewhere["eu-west-2"]) == (None if owner == "ours" else "ami-built")
