"""How a group takes over a change: by batches, each of which has the time to start."""

from typing import Any

import pytest

from stacks.shared.batches import LONGEST_UPDATE_SECONDS, batch_size
from tests.prepared import prepared


def rolling(state: str) -> dict[str, Any]:
    """The rolling update of the workers of sqs_target_scaling."""
    (group,) = prepared("sqs_target_scaling", state).find_resources("AWS::AutoScaling::AutoScalingGroup").values()
    found: dict[str, Any] = group["UpdatePolicy"]["AutoScalingRollingUpdate"]
    return found


@pytest.mark.parametrize(
    ("minimum", "maximum", "batch", "in_service"),
    [(0, 10, 1, 0), (4, 4, 1, 3), (1, 1, 1, 0), (100, 100, 1, 99), (500, 500, 5, 495)],
)
def test_a_group_keeps_its_smallest_size_in_service_where_it_has_room_for_a_batch(
    minimum: int, maximum: int, batch: int, in_service: int
) -> None:
    update = rolling(f"{minimum} to {maximum}")
    assert (update["MaxBatchSize"], update["MinInstancesInService"]) == (batch, in_service)


def test_a_group_that_has_scaled_out_a_little_does_not_lose_most_of_its_instances_at_once() -> None:
    """Ten instances of a hundred at most: a tenth of the largest size would be all of them."""
    assert rolling("0 to 100")["MaxBatchSize"] == 1


@pytest.mark.parametrize(
    ("maximum", "seconds"), [(1, 60), (19, 7_260), (77, 280), (100, 180), (500, 7_260), (1_000, 60)]
)
def test_batches_are_the_smallest_with_which_an_update_ends_in_time(maximum: int, seconds: int) -> None:
    size = batch_size(maximum, seconds)
    assert 1 <= size <= max(1, maximum // 10) and size <= 100, "CloudFormation takes a hundred"
    in_time = maximum / size * seconds <= LONGEST_UPDATE_SECONDS
    assert in_time or size == max(1, maximum // 10)
    assert size == 1 or maximum / (size - 1) * seconds > LONGEST_UPDATE_SECONDS


@pytest.mark.parametrize(("warmup", "pause"), [(90, "PT1M30S"), (3_600, "PT1H")])
def test_an_update_waits_for_the_warm_up_and_for_no_signal(warmup: int, pause: str) -> None:
    update = rolling(f"warm after {warmup}")
    assert update["PauseTime"] == pause and "WaitOnResourceSignals" not in update
