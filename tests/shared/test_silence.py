"""What a schedule starts is missed when it stops: an alarm on silence, or a reason why there is none."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests import variants

Json = dict[str, Any]
CASES = variants.every()
# Solution -> why nobody needs to hear of it.
NOBODY_MISSES = {
    "graviton_porting_advisor": "the schedule is the user's, of any length; what cannot be started is in a queue",
    "root_volume_replacement": "the schedules are the user's, of any length; what cannot be started is in a queue",
}


def scheduled(resources: Json) -> Iterator[str]:
    """Functions that a rule or a schedule starts again and again, by their logical ids."""
    for resource in resources.values():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::Events::Rule" and "ScheduleExpression" in properties:
            targets = properties["Targets"]
        elif resource["Type"] == "AWS::Scheduler::Schedule":
            targets = [properties["Target"]]
        else:
            continue
        for target in targets:
            name = target["Arn"].get("Fn::GetAtt", [""])[0] if isinstance(target["Arn"], dict) else ""
            if resources.get(name, {}).get("Type") == "AWS::Lambda::Function":
                yield name


def silences(resources: Json) -> list[Json]:
    """Alarms that count a period without a point as 0, and stay as they are before the first."""
    alarms = [each["Properties"] for each in resources.values() if each["Type"] == "AWS::CloudWatch::Alarm"]
    return [each for each in alarms if "FILL(seen, 0)" in json.dumps(each.get("Metrics", []))]


@pytest.mark.parametrize(("variant", "slug"), CASES)
def test_what_a_schedule_starts_is_missed(variant: str, slug: str) -> None:
    resources = variants.template(variant, slug)["Resources"]
    wanted = set(scheduled(resources))
    if not wanted or slug in NOBODY_MISSES:
        return
    found = silences(resources)
    assert found, (
        f"{', '.join(sorted(wanted))} of {slug} may stop, and nobody hears of it: "
        "give it Alarms.when_silent of stacks/shared/alarms.py, or a reason in NOBODY_MISSES here"
    )
    assert {each["TreatMissingData"] for each in found} == {"ignore"}


@pytest.mark.parametrize("slug", NOBODY_MISSES)
def test_a_reason_is_of_something_scheduled_without_an_alarm(slug: str) -> None:
    resources = variants.template(variants.DEFAULT, slug)["Resources"]
    assert set(scheduled(resources)) and not silences(resources)
