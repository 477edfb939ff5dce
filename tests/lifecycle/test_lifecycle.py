"""The life of a stack is judged: what is lost, left, not heard or not allowed is a finding."""

import json
from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from config.models import CommonSettings
from emulator.client import EmbeddedAws
from stacks.catalog import named
from tests import variants
from tests.conformance.updates.states import State
from tests.lifecycle import beside, stages
from tests.lifecycle import stack as stack_module
from tests.lifecycle.account import KEY, Account, roles_in
from tests.lifecycle.changes import Changes, difference, lost
from tests.lifecycle.policies import of_key, of_topic
from tests.lifecycle.report import Life, Stage, write_json
from tests.lifecycle.stack import Ended, Stack
from tests.lifecycle.synthesis import Made
from tryout.scenario import Scenario

SLUG = "local_zone_guardrails"
TABLE = "AWS::DynamoDB::GlobalTable"
STACK = "AWS::CloudFormation::Stack"


class Shipped:
    """Stands for the CDK in a life: what the tests have made of the solution, whatever is asked for."""

    def __call__(self, _: State) -> Made:
        template = variants.template(variants.DEFAULT, SLUG)
        return Made(
            named(SLUG).stack_name(CommonSettings()), template, variants.assembly(variants.DEFAULT), {}, "us-east-1"
        )


def test_a_life_goes_on_to_its_end_and_tells_what_is_left_and_what_went_wrong_beside_it(
    aws: EmbeddedAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def planted(account: Account, _: Stack) -> None:
        account.client("sqs").create_queue(QueueName="forgotten")

    monkeypatch.setattr(beside, "plant", planted)
    monkeypatch.setattr(Scenario, "fault", classmethod(lambda _: OSError("no host")))
    monkeypatch.setattr(stages, "EmbeddedAws", lambda *_, **__: nullcontext(aws))
    monkeypatch.setattr(stages, "Synthesis", Shipped)
    life = stages.live(SLUG, tmp_path, short=True)
    assert [(stage.name, len(stage.findings)) for stage in life.stages] == [
        ("deployed", 0),
        ("deployed again", 0),
        ("a failing update rolled back", 0),
        ("destroyed", 1),
        ("deployed once more", 0),
        ("destroyed, nothing left", 2),
    ]
    *left, beside_them = life.findings
    assert beside_them == "destroyed, nothing left: beside the deployments: OSError: no host"
    assert all("left behind: sqs QueueUrls" in finding and "forgotten" in finding for finding in left)


@pytest.mark.parametrize(
    ("after", "policy", "expected"),
    [
        ({"Items": (TABLE, "one")}, "Delete", []),
        ({"Items": (TABLE, "two")}, "Delete", ["it is replaced, with its items"]),
        ({"Items": (TABLE, "two")}, "Retain", []),
        ({}, "Delete", []),
        ({"Other": (TABLE, "two")}, "Delete", ["it goes, and another comes, with its items"]),
    ],
)
def test_what_is_lost_is_told(after: dict[str, tuple[str, str]], policy: str, expected: list[str]) -> None:
    template = {"Resources": {"Items": {"DeletionPolicy": policy, "UpdateReplacePolicy": policy}}}
    assert [loss[3] for loss in lost({"Items": (TABLE, "one")}, after, template)] == expected


class Played:
    """A stack that takes every template, and what was done with it."""

    def __init__(self, refused: Callable[[Made], None] = lambda _: None) -> None:
        self.updates: list[str] = []
        self.created: list[str] = []
        self._refused = refused

    def update(self, made: Made, _: Any = None) -> Ended:
        self.updates.append(made.stack)
        return Ended("UPDATE_COMPLETE")

    def anew(self, made: Made) -> None:
        self._refused(made)
        self.created.append(made.stack)

    def resources(self) -> dict[str, tuple[str, str]]:
        return {}

    def synthesis(self, state: State) -> Made:
        return Made(state.text, {"Resources": {}}, Path(), {}, "us-east-1")

    def play(self) -> Stage:
        played: Any = self
        stage = Stage("each setting changed")
        changed = Changes(played, played.synthesis, self.anew, lambda _: Counter[str]())
        changed.play(State(SLUG, "default", stages.COMMON, {}), stage)
        return stage


def test_a_setting_without_another_value_is_changed_in_a_state_that_has_one_or_is_told() -> None:
    played = Played()
    stage = played.play()
    assert stage.findings == [] and "1 more states" in stage.said
    # The rail on snapshots needs services, which the variant "rails" has; then the default stands there again.
    assert len(played.created) == 2 and json.loads(played.created[-1])[2] == {}
    in_rails = [json.loads(text)[2] for text in played.updates if json.loads(text)[2].get("snapshots")]
    assert in_rails
    told_of = {line.partition(":")[0]: line for line in stage.not_tried}
    assert set(told_of) == {"extra_actions", "subnet_tag", "subnets_by_target", "zone_ids"}
    assert "make updates looks at its templates" in told_of["zone_ids"]


def test_a_state_that_cannot_be_deployed_is_a_finding() -> None:
    def refused(made: Made) -> None:
        if json.loads(made.stack)[2]:
            raise ValueError("CREATE_FAILED")

    stage = Played(refused).play()
    assert stage.findings == ["[rails] is not deployed: CREATE_FAILED"]


@pytest.mark.parametrize(
    ("arn", "physical", "same"),
    [
        ("arn:aws:sqs:us-east-1:1:work", "http://127.0.0.1:4566/1/work", True),
        ("arn:aws:dynamodb:us-east-1:1:table/kept-items", "items", False),
        ("arn:aws:s3:::files", "files", True),
        (
            "arn:aws:imagebuilder:us-east-1:1:component/web/1.0.0/1",
            "arn:aws:imagebuilder:us-east-1:1:x/y/1.0.0/1",
            False,
        ),
    ],
)
def test_what_leftovers_lists_is_compared_by_the_whole_name(arn: str, physical: str, same: bool) -> None:
    assert beside.means(arn, physical) is same


def test_what_the_account_holds_is_compared_by_kind() -> None:
    assert difference(Counter({"sqs": 2, "sns": 1}), Counter({"sqs": 1, "s3": 1})) == "+1 s3, -1 sns, -1 sqs"


def test_a_solution_gets_the_statements_that_its_readme_names() -> None:
    assert {one["Sid"] for one in of_key("odcr_asg")} == {"Logs", "Alarms", "AutoScaling", "AutoScalingGrants"}
    assert {one["Sid"] for one in of_topic("odcr_asg")} == {"Alarms"}
    assert of_key(SLUG) == []


def ringing(_: State) -> Made:
    """Stands for the CDK: an alarm, and its topic under the key."""
    alarm = {
        "Namespace": "Own",
        "MetricName": "Load",
        "ComparisonOperator": "GreaterThanThreshold",
        "EvaluationPeriods": 1,
        "Period": 60,
        "Statistic": "Sum",
        "Threshold": 1,
        "AlarmActions": [{"Ref": "Topic"}],
    }
    resources = {
        "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"KmsMasterKeyId": KEY}},
        "Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": alarm},
    }
    # The assembly of all solutions is one without files of this stack's.
    return Made("local-zone-guardrails", {"Resources": resources}, variants.assembly(variants.DEFAULT), {}, "us-east-1")


def test_an_alarm_that_the_key_keeps_from_its_topic_is_a_finding(aws: EmbeddedAws, monkeypatch: Any) -> None:
    """With the policy of the README but for CloudWatch: so the stage can fail."""
    monkeypatch.setattr(beside, "RING_SECONDS", 3)
    without = [one for one in of_key("capacity_planner") if one["Sid"] != "Alarms"]
    account, stage = Account(aws, without, []), Stage("a key of yours")
    made: Any = ringing
    beside.under_a_key(beside.Beside(account, "capacity_planner", made, stage))
    assert any("kms:GenerateDataKey" in finding for finding in stage.findings), stage.findings


class Waiting:
    """CloudFormation, of which one resource waits for ever; each look at its events may show a new one."""

    def __init__(self, *events: int) -> None:
        self._counts = list(events)

    def describe_stacks(self, **_: Any) -> Any:
        return {"Stacks": [{"StackStatus": "CREATE_IN_PROGRESS"}]}

    def get_paginator(self, _: str) -> Any:
        return self

    def paginate(self, **_: Any) -> Any:
        count = self._counts.pop(0) if len(self._counts) > 1 else self._counts[0]
        said = {"LogicalResourceId": "Ready", "ResourceStatus": "CREATE_IN_PROGRESS", "ResourceType": "Wait"}
        begun = {"LogicalResourceId": "tried", "ResourceStatus": "CREATE_IN_PROGRESS", "ResourceType": STACK}
        return [{"StackEvents": [{"EventId": str(count), **said}, {"EventId": "0", **begun}]}]


@pytest.mark.parametrize("events", [(1,), (1, 2, 3)])
def test_a_stack_that_waits_for_ever_is_a_finding_that_says_for_what(
    events: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stack_module, "SILENT_SECONDS", 0)
    account: Any = Waiting(*events)
    account.client = lambda *_: account
    ended = Stack(account, "tried", "us-east-1")._ended()
    assert str(ended) == "CREATE_IN_PROGRESS; for 0 s nothing has happened; it waits for Ready"
    assert account._counts == [events[-1]]  # as long as anything happens it has waited


def test_what_settings_name_of_the_account_is_there() -> None:
    named = roles_in("nitro_attestation", "123456789012")
    assert {"producer", "other-producer", "other-cloudformation"} <= set(named)
    assert roles_in("nitro_attestation", "210987654321") == []


def test_what_a_deployment_starts_is_waited_for_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """A dashboard is written after the deployment; a queue that stays is a finding at once."""
    looks = [["cloudwatch DashboardEntries one"], [], ["cloudwatch DashboardEntries one", "sqs QueueUrls left"]]

    def inventory(_: Any) -> set[str]:
        return set(looks.pop(0) if len(looks) > 1 else looks[0])

    monkeypatch.setattr(stages, "inventory", inventory)
    account: Any = type("Account", (), {"client": None})()
    living = stages._Living(account, "outposts_dashboard", Life("outposts_dashboard"))
    before = living._holds()
    assert difference(before, living._holds(before)) == "+1 sqs QueueUrls"


def test_the_report_is_json(tmp_path: Path) -> None:
    life = Life("one", [Stage("deployed", findings=["it failed"])])
    write_json(tmp_path / "report.json", [life], minutes=1.25)
    found = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert found["ok"] is False and found["solutions"][0]["stages"][0]["findings"] == ["it failed"]
