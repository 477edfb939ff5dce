"""What a scenario does to its stack, on an AWS that is a named fake."""

import json
import time
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tryout import waits
from tryout.deployed import MAX_TEMPLATE_IN_REQUEST, Deployed
from tryout.steps import StepFailedError
from tryout.trial import Trial
from tryout.waits import wait_until

SMALL: dict[str, Any] = {"Parameters": {"BootstrapVersion": {}}, "Resources": {}}


class FakeFormation:
    """A stack that ends as it is told; its newest events come first, as those of AWS do."""

    def __init__(self, ends: str = "UPDATE_COMPLETE", *, nothing_to_do: bool = False) -> None:
        self.statuses = ["UPDATE_IN_PROGRESS", ends]
        self.nothing_to_do = nothing_to_do
        self.updates: list[dict[str, Any]] = []

    def update_stack(self, **request: Any) -> None:
        self.updates.append(request)
        if self.nothing_to_do:
            error = {"Code": "ValidationError", "Message": "No updates are to be performed."}
            raise ClientError({"Error": error}, "UpdateStack")

    def create_stack(self, **request: Any) -> None:
        self.updates.append(request)

    def delete_stack(self, **request: Any) -> None:
        self.updates.append(request)
        self.statuses = ["DELETE_IN_PROGRESS", "DELETE_COMPLETE"]

    def describe_stacks(self, **request: str) -> Any:
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        outputs = [{"OutputKey": "New", "OutputValue": "yes"}]
        return {"Stacks": [{"StackId": "arn:1", "StackStatus": status, "Outputs": outputs}]}

    def describe_stack_events(self, **request: str) -> Any:
        def event(status: str, kind: str = "AWS::SQS::Queue", **more: str) -> dict[str, str]:
            return {"ResourceStatus": status, "ResourceType": kind, "LogicalResourceId": "Queue", **more}

        newest = [event("DELETE_FAILED", ResourceStatusReason="in use")]
        begun = event("UPDATE_IN_PROGRESS", "AWS::CloudFormation::Stack", ResourceStatusReason="User Initiated")
        earlier = [event("CREATE_FAILED", ResourceStatusReason="of an earlier operation")]
        return {"StackEvents": [*newest, event("UPDATE_IN_PROGRESS"), begun, *earlier]}

    def get_template(self, **request: str) -> Any:
        return {"TemplateBody": SMALL}


class FakeLambda:
    """Answers what it was asked, or fails."""

    def __init__(self, error: str = "") -> None:
        self.error = error

    def invoke(self, **request: Any) -> Any:
        if self.error:
            failed = {"errorType": "KeyError", "errorMessage": self.error}
            return {"FunctionError": "Unhandled", "Payload": BytesIO(json.dumps(failed).encode())}
        return {
            "Payload": BytesIO(
                json.dumps({"function": request["FunctionName"], "event": json.loads(request["Payload"])}).encode()
            )
        }


class FakeS3:
    """Keeps what is put."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def put_object(self, **request: Any) -> None:
        self.objects[f"{request['Bucket']}/{request['Key']}"] = request["Body"]


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Pauses are only written down."""
    pauses: list[float] = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    return pauses


def deployed(
    tmp_path: Path, synthesizer: Callable[[dict[str, Any]], dict[str, Any]] = lambda request: {}, **clients: Any
) -> Deployed:
    clients["lambda"] = clients.get("functions")
    aws: Any = SimpleNamespace(client=clients.__getitem__, account="123456789012", region="eu-north-1")
    trial = Trial("spot_asg", "default", "acme-spot-asg", tmp_path)
    found = Deployed(aws, trial, {"TrackerFunction": "tracker-1"}, None, tmp_path, tmp_path, synthesizer)
    found.__dict__["resources"] = {"AWS::Lambda::Function": ["acme-Fleet1A", "acme-FleetRole2B", "acme-Attach3C"]}
    return found


def test_an_update_is_waited_for_and_tells_only_of_itself(tmp_path: Path) -> None:
    formation = FakeFormation()
    done = deployed(tmp_path, cloudformation=formation).update(SMALL)
    assert done.complete and done.reasons == ["in use", "User Initiated"] and done.left == ["Queue"]
    (asked,) = formation.updates
    assert json.loads(asked["TemplateBody"]) == SMALL
    assert asked["Parameters"] == [{"ParameterKey": "BootstrapVersion", "UsePreviousValue": True}]


def test_an_update_that_is_rolled_back_is_not_complete(tmp_path: Path) -> None:
    done = deployed(tmp_path, cloudformation=FakeFormation("UPDATE_ROLLBACK_COMPLETE")).update(SMALL)
    assert not done.complete and done.status == "UPDATE_ROLLBACK_COMPLETE"


def test_an_update_that_changes_nothing_is_complete_and_has_no_events(tmp_path: Path) -> None:
    done = deployed(tmp_path, cloudformation=FakeFormation(nothing_to_do=True)).update(SMALL)
    assert done.complete and done.events == ()


def test_a_template_that_no_request_takes_is_put_where_the_cli_puts_it(tmp_path: Path) -> None:
    formation, s3 = FakeFormation(), FakeS3()
    large = {"Description": "x" * MAX_TEMPLATE_IN_REQUEST}
    deployed(tmp_path, cloudformation=formation, s3=s3).update(large)
    (asked,) = formation.updates
    place = "cdk-hnb659fds-assets-123456789012-eu-north-1/acme-spot-asg-changed.json"
    assert asked["TemplateURL"] == f"https://s3.eu-north-1.amazonaws.com/{place}"
    assert json.loads(s3.objects[place]) == large


def test_the_deployed_template_may_be_changed_by_whoever_reads_it(tmp_path: Path) -> None:
    deployed(tmp_path, cloudformation=FakeFormation()).template()["Resources"]["Queue"] = {}
    assert SMALL["Resources"] == {}


def test_outputs_are_read_anew_after_an_update(tmp_path: Path) -> None:
    assert deployed(tmp_path, cloudformation=FakeFormation()).outputs_now() == {"New": "yes"}


@pytest.mark.parametrize(("name", "function"), [("TrackerFunction", "tracker-1"), ("Attach", "acme-Attach3C")])
def test_a_function_is_named_by_an_output_or_by_a_word_of_its_name(name: str, function: str, tmp_path: Path) -> None:
    answer = deployed(tmp_path, functions=FakeLambda()).invoke(name, {"look_at": "all"})
    assert answer == {"function": function, "event": {"look_at": "all"}}


@pytest.mark.parametrize(("name", "count"), [("Fleet", 2), ("Nobody", 0)])
def test_a_word_that_names_none_or_several_functions_fails_the_step(name: str, count: int, tmp_path: Path) -> None:
    with pytest.raises(StepFailedError, match=f"{count} functions are named {name}"):
        deployed(tmp_path, functions=FakeLambda()).invoke(name)


def test_a_function_that_fails_fails_the_step(tmp_path: Path) -> None:
    with pytest.raises(StepFailedError, match="Attach has failed: KeyError: gone"):
        deployed(tmp_path, functions=FakeLambda("gone")).invoke("Attach")


def test_other_settings_are_synthesized_by_whoever_has_the_library_loaded(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("solutions: {spot_asg: {zones: 2, max_instances: 8}}", encoding="utf-8")
    asked: list[dict[str, Any]] = []

    def synthesizer(request: dict[str, Any]) -> dict[str, Any]:
        asked.append(request)
        folder = Path(request["assembly"])
        folder.mkdir()
        (folder / "acme-spot-asg.template.json").write_text(json.dumps(SMALL), encoding="utf-8")
        return {}

    assert deployed(tmp_path, synthesizer).synthesized("1", zones=3) == SMALL
    assert "zones: 3" in Path(asked[0]["config"]).read_text(encoding="utf-8") and asked[0]["slug"] == "spot_asg"


class Settings:
    """Settings as far as they are copied."""

    def model_copy(self, *, update: dict[str, Any]) -> dict[str, Any]:
        return update


@pytest.mark.parametrize("ends", ["CREATE_COMPLETE", "CREATE_FAILED"])
def test_a_second_stack_beside_the_first_has_another_prefix_and_its_own_settings(tmp_path: Path, ends: str) -> None:
    (tmp_path / "config.yaml").write_text("solutions: {spot_asg: {zones: 2}}", encoding="utf-8")

    def synthesizer(request: dict[str, Any]) -> dict[str, Any]:
        text = Path(request["config"]).read_text(encoding="utf-8")
        assert "prefix: moved" in text and "zones: 3" in text
        Path(request["assembly"]).mkdir()
        written = Path(request["assembly"]) / "moved-spot-asg.template.json"
        written.write_text(json.dumps(SMALL), encoding="utf-8")
        return {}

    formation = FakeFormation(ends)
    first = replace(deployed(tmp_path, synthesizer, cloudformation=formation), settings=Settings())
    if ends == "CREATE_FAILED":
        with pytest.raises(StepFailedError, match="in use"):
            first.beside("1", "moved", zones=3)
        return
    second = first.beside("1", "moved", zones=3)
    assert (second.stack_name, second.settings, second.outputs) == ("moved-spot-asg", {"zones": 3}, {"New": "yes"})
    second.destroy()
    assert [request["StackName"] for request in formation.updates] == ["moved-spot-asg", "arn:1"]


def test_settings_that_cannot_be_synthesized_fail_the_step(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("solutions: {spot_asg: {}}", encoding="utf-8")
    with pytest.raises(StepFailedError, match="cannot be synthesized: ConfigError: zones"):
        deployed(tmp_path, lambda request: {"error": "ConfigError: zones"}).synthesized("1", zones=0)


def test_waiting_looks_less_often_the_longer_it_takes(no_pause: list[float]) -> None:
    looks = iter([False] * 12 + [True])
    wait_until("it", lambda: next(looks))
    assert no_pause == sorted(no_pause) and no_pause[0] == waits.EMULATOR.first
    assert no_pause[-1] == waits.EMULATOR.last


def test_in_an_account_it_looks_less_often_and_waits_for_a_quarter_of_an_hour(no_pause: list[float]) -> None:
    looks = iter([False] * 30 + [True])
    with waits.paced(waits.ACCOUNT):
        wait_until("it", lambda: next(looks), seconds=0)  # whatever the step says
    assert no_pause[0] == waits.ACCOUNT.first and no_pause[-1] == waits.ACCOUNT.last
    with pytest.raises(StepFailedError, match="not seen within 0 s"):
        wait_until("it", lambda: False, seconds=0)


def test_waiting_ends_with_what_was_not_seen() -> None:
    with pytest.raises(StepFailedError, match="not seen within 0 s: a queue"):
        wait_until("a queue", lambda: False, seconds=0)
