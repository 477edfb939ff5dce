"""How a group takes over a change: by batches, each of which has the time to start."""

from typing import Any

import pytest

from tests.conformance.updates.states import State, template


def rolling(**settings: Any) -> dict[str, Any]:
    """The rolling update of the workers of sqs_target_scaling."""
    resources = template(State("sqs_target_scaling", "sizes", {}, settings).text)["Resources"].values()
    (group,) = [one for one in resources if one["Type"] == "AWS::AutoScaling::AutoScalingGroup"]
    found: dict[str, Any] = group["UpdatePolicy"]["AutoScalingRollingUpdate"]
    return found


@pytest.mark.parametrize(
    ("minimum", "maximum", "batch", "in_service"),
    [(0, 10, 1, 0), (4, 4, 1, 3), (1, 1, 1, 0), (500, 500, 50, 450)],
)
def test_a_group_keeps_its_smallest_size_in_service_where_it_has_room_for_a_batch(
    minimum: int, maximum: int, batch: int, in_service: int
) -> None:
    update = rolling(min_instances=minimum, max_instances=maximum)
    assert (update["MaxBatchSize"], update["MinInstancesInService"]) == (batch, in_service)


@pytest.mark.parametrize(("warmup", "pause"), [(90, "PT1M30S"), (3_600, "PT1H")])
def test_an_update_waits_for_the_warm_up_and_for_no_signal(warmup: int, pause: str) -> None:
    update = rolling(instance_warmup_seconds=warmup)
    assert update["PauseTime"] == pause and "WaitOnResourceSignals" not in update
