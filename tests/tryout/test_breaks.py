"""Faults that are put in on purpose: each breaks its template, and is noticed only by the words of the denial."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.variants import template
from tryout.breaks import BREAKS, noticed, put_in
from tryout.report import SolutionReport, StepReport
from tryout.run.play import play
from tryout.scenario import Scenario, scenario_of, step

Json = dict[str, Any]


@pytest.mark.parametrize("name", BREAKS)
def test_a_fault_changes_the_template_of_a_variant_that_is_tried(name: str, tmp_path: Path) -> None:
    fault = BREAKS[name]
    assert fault.variant in scenario_of(fault.slug).variants
    before = template("default", fault.slug)
    file = tmp_path / "stack.template.json"
    file.write_text(json.dumps(before))
    put_in(name, file)
    after = json.loads(file.read_text())
    changed = {key for key in {*before["Resources"], *after["Resources"]} if _of(before, key) != _of(after, key)}
    kinds = {(_of(before, key) or _of(after, key))["Type"] for key in changed}
    expected = {
        "topic-policy": {"AWS::SNS::TopicPolicy"},
        "function-permission": {"AWS::Lambda::Permission"},
        "scheduler-key": {"AWS::SQS::Queue", "AWS::KMS::Key"},
    }
    assert kinds == expected[name]


def test_a_broken_template_is_uploaded_under_a_key_of_its_own(tmp_path: Path) -> None:
    fault, keys = BREAKS["topic-policy"], set()
    for name in ("topic-policy", "function-permission"):
        file = tmp_path / name / "stack.template.json"
        file.parent.mkdir()
        file.write_text(json.dumps(template("default", fault.slug)))
        asset = {"source": {"path": file.name}, "destinations": {"here": {"objectKey": "0ld.json"}}}
        other = {"source": {"path": "asset.other"}, "destinations": {"here": {"objectKey": "0ther.zip"}}}
        (file.parent / "stack.assets.json").write_text(json.dumps({"files": {"0ld": asset, "0ther": other}}))
        (file.parent / "manifest.json").write_text('{"stackTemplateAssetObjectUrl": "s3://assets/0ld.json"}')
        put_in(name, file)
        url = json.loads((file.parent / "manifest.json").read_text())["stackTemplateAssetObjectUrl"]
        files = json.loads((file.parent / "stack.assets.json").read_text())["files"]
        (key,) = set(files) - {"0ther"}
        assert url == f"s3://assets/{key}.json"
        assert files[key]["destinations"]["here"]["objectKey"] == f"{key}.json"
        keys.add(key)
    assert len(keys) == 2 and "0ld" not in keys


def _of(body: Json, key: str) -> Json:
    found: Json = body["Resources"].get(key, {})
    return found


def test_a_template_without_the_resource_cannot_be_broken(tmp_path: Path) -> None:
    file = tmp_path / "stack.template.json"
    file.write_text('{"Resources": {}}')
    with pytest.raises(LookupError, match="there is no AWS::SNS::TopicPolicy to break"):
        put_in("topic-policy", file)


def test_only_the_words_of_the_denial_count() -> None:
    report = SolutionReport("s", "v", "S")
    report.scenario = [StepReport("other", False, "emulated", "the alarm was not seen")]
    assert noticed("topic-policy", report) is None
    words = BREAKS["topic-policy"].denied
    report.scenario.append(StepReport("alarm", False, "emulated", f"seen; denied: a -> b: {words} on b"))
    assert str(noticed("topic-policy", report)).startswith("alarm: seen; denied")


class Silent(Scenario):
    """Two steps that see nothing wrong."""

    @step("first", "emulated")
    def first(self) -> str:
        return "seen"

    @step("second", "emulated", needs=())
    def second(self) -> str:
        return "seen too"


def test_a_step_in_which_a_delivery_is_denied_fails_whatever_it_saw() -> None:
    told = iter([["denied: a -> b: no"], []])
    report = SolutionReport("s", "v", "S")
    play(Silent(None, "default"), report, lambda _: None, lambda: next(told))  # type: ignore[arg-type]
    assert [(one.ok, one.detail) for one in report.scenario] == [
        (False, "seen; denied: a -> b: no"),
        (True, "seen too"),
    ]
