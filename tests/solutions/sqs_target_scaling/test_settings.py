"""What the settings of sqs_target_scaling derive."""

import pytest

from stacks.sqs_target_scaling.settings import RETENTION_SECONDS, SqsTargetScalingSettings


@pytest.mark.parametrize(
    ("strategy", "wanted", "minimum"),
    [
        ("dynamic-target", None, 0),
        ("metric-math", None, 1),
        ("demand", None, 0),
        ("dynamic-target", 3, 3),
        ("metric-math", 2, 2),
        ("demand", 1, 1),
    ],
)
def test_the_smallest_size_depends_on_the_strategy_unless_it_is_set(
    strategy: str, wanted: int | None, minimum: int
) -> None:
    settings = SqsTargetScalingSettings.model_validate({"strategy": strategy, "min_instances": wanted})
    assert settings.minimum == minimum


def test_the_acceptable_backlog_is_latency_over_duration_as_in_the_post() -> None:
    settings = SqsTargetScalingSettings(acceptable_latency_seconds=300, estimated_message_seconds=25)
    assert settings.acceptable_backlog == 12


def test_a_namespace_may_have_the_characters_that_cloudwatch_takes() -> None:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html: a colon too."""
    assert SqsTargetScalingSettings(metric_namespace="a:b").metric_namespace == "a:b"


@pytest.mark.parametrize(("heartbeat", "most"), [(30, 1_000), (116, 993), (3_600, 31), (10_800, 10)])
def test_a_message_that_nobody_can_do_is_a_dead_letter_before_it_expires(heartbeat: int, most: int) -> None:
    def problems(receives: int) -> list[object]:
        settings = SqsTargetScalingSettings(heartbeat_seconds=heartbeat, max_receives=receives)
        return [problem.key for problem in settings.problems()]

    assert 3 * heartbeat * most < RETENTION_SECONDS and problems(most) == []
    if most < 1_000:
        assert problems(most + 1) == ["max_receives"]
