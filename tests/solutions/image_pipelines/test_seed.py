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
    """SSM that refuses the first calls: the role has got another path, or another base, a moment ago."""

    def __init__(self, ssm: Any, refused: int) -> None:
        self.ssm, self.left = ssm, refused

    def __getattr__(self, name: str) -> Any:
        def call(**wanted: Any) -> Any:
            if self.left:
                self.left -= 1
                raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "not yet"}}, name)
            return getattr(self.ssm, name)(**wanted)

        return call


@pytest.fixture
def waited(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    pauses: list[float] = []
    monkeypatch.setattr("time.sleep", pauses.append)
    return pauses


@pytest.mark.parametrize("kind", ["Create", "Update"])
def test_it_waits_until_the_role_may(ssm: Any, monkeypatch: pytest.MonkeyPatch, waited: list[float], kind: str) -> None:
    """The base may be another one, whose parameter the role reads for the first time."""
    old = {**request()["ResourceProperties"], "Source": SOURCE.replace("arm64", "x86_64")}
    event = request(kind, PhysicalResourceId=f"ours:{NAME}", OldResourceProperties=old)
    account = NotAllowedYet(ssm, handler.PATIENCE)
    monkeypatch.setattr(handler, "client", lambda *_, **__: account)
    assert seed(event) == f"ours:{NAME}" and value(ssm)
    assert sum(waited) == 30, "the function has a minute"


def test_it_does_not_wait_for_ever(ssm: Any, monkeypatch: pytest.MonkeyPatch, waited: list[float]) -> None:
    account = NotAllowedYet(ssm, handler.PATIENCE + 1)
    monkeypatch.setattr(handler, "client", lambda *_, **__: account)
    with pytest.raises(ClientError, match="AccessDenied"):
        seed(request())
    assert sum(waited) == 30, "the function has a minute"


@pytest.mark.parametrize("source", ["", SOURCE], ids=["a workload's", "gold's"])
def test_a_change_of_name_that_is_rolled_back_leaves_the_parameter_ours(ssm: Any, source: str) -> None:
    """Image Builder has written a workload's first value, without the stack's tag."""
    first = seed(request(source=source))
    ssm.put_parameter(Name=NAME, Value="ami-built", Type="String", Overwrite=True)
    here, there = (
        {**request(source=source)["ResourceProperties"], "Name": name} for name in (NAME, "/imagebuilder/other/gold")
    )
    moved = {**request("Update"), "ResourceProperties": there, "OldResourceProperties": here}
    second = seed({**moved, "PhysicalResourceId": first})
    back = {**request("Update"), "ResourceProperties": here, "OldResourceProperties": there}
    assert seed({**back, "PhysicalResourceId": second}) == first
    seed({**request("Delete"), "ResourceProperties": there, "PhysicalResourceId": second})
    assert value(ssm) == "ami-built"
    seed({**request("Delete"), "ResourceProperties": here, "PhysicalResourceId": first})
    assert value(ssm) is None


def test_a_change_of_name_that_has_failed_leaves_the_parameter_ours(
    ssm: Any, monkeypatch: pytest.MonkeyPatch, waited: list[float]
) -> None:
    """It may not even have got the stack's tag; the rollback comes with the physical id that the failure had."""
    first = seed(request(source=""))
    ssm.put_parameter(Name=NAME, Value="ami-built", Type="String")
    here, there = ({**request(source="")["ResourceProperties"], "Name": name} for name in (NAME, "/imagebuilder/other"))
    moved = {**request("Update"), "ResourceProperties": there, "OldResourceProperties": here}
    with monkeypatch.context() as denied:
        account = NotAllowedYet(ssm, handler.PATIENCE + 1)
        denied.setattr(handler, "client", lambda *_, **__: account)
        with pytest.raises(ClientError, match="AccessDenied"):
            seed({**moved, "PhysicalResourceId": first})
    back = {**request("Update"), "ResourceProperties": here, "OldResourceProperties": there}
    assert seed({**back, "PhysicalResourceId": first}) == first, "another id would have CloudFormation delete this one"
    assert value(ssm) == "ami-built"


def test_a_change_of_name_leaves_another_stacks_tag(ssm: Any) -> None:
    """Both have one path, and the other has made the parameter: a move takes no more than a destroy does."""
    first = seed(request(source=""))
    others = [{"Key": handler.TAG, "Value": STACK.replace("stack/stack", "stack/other")}]
    ssm.put_parameter(Name=NAME, Value="ami-theirs", Type="String", Tags=others)
    here = request(source="")["ResourceProperties"]
    there = {**here, "Name": "/imagebuilder/other"}
    moved = {**request("Update"), "ResourceProperties": there, "OldResourceProperties": here}
    seed({**moved, "PhysicalResourceId": first})
    seed({**request("Delete"), "ResourceProperties": here, "PhysicalResourceId": first})
    assert value(ssm) == "ami-theirs"


def test_a_change_of_name_makes_nothing_ours_that_was_not(ssm: Any) -> None:
    ssm.put_parameter(Name=NAME, Value="ami-1", Type="String")
    moved = request("Update", PhysicalResourceId=seed(request()))
    moved["OldResourceProperties"] = {**moved["ResourceProperties"]}
    moved["ResourceProperties"]["Name"] = "/imagebuilder/stack/other"
    seed(moved)
    assert ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId=NAME)["TagList"] == []


def test_what_another_stack_has_made_in_its_region_stays(ssm: Any) -> None:
    """Two stacks of one path, in two Regions, one of which gets copies of the other's images."""
    physical_id = seed(request())
    elsewhere = boto3.client("ssm", "eu-west-1")
    others = [{"Key": handler.TAG, "Value": STACK.replace("us-east-1", "eu-west-1")}]
    elsewhere.put_parameter(Name=NAME, Value="ami-theirs", Type="String", Tags=others)
    seed(request("Delete", PhysicalResourceId=physical_id))
    assert value(ssm) is None and value(elsewhere) == "ami-theirs"


def test_a_region_that_leaves_the_list_keeps_its_copy(ssm: Any) -> None:
    """The deployment may be rolled back, and what was there before a Region came is somebody else's."""
    elsewhere = boto3.client("ssm", "eu-west-2")
    elsewhere.put_parameter(Name=NAME, Value="ami-built", Type="String")
    event = request("Update", "", PhysicalResourceId=f"ours:{NAME}")
    event["OldResourceProperties"] = {**event["ResourceProperties"], "Regions": ["eu-west-1", "eu-west-2"]}
    assert seed(event) == f"ours:{NAME}"
    assert value(elsewhere) == "ami-built"
