"""The collector: every page, every question, whatever EC2 refuses; a thousand metrics a request; the public names."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from botocore.stub import Stubber
from hypothesis import given
from hypothesis import strategies as st

from shared.placement_scores import Score
from spot_placement_tracker.collector.collecting import (
    BELOW,
    MOST_DATA,
    PROBLEMS,
    PUBLISHED,
    REFUSED,
    RefusedError,
    ask_all,
)
from spot_placement_tracker.collector.handler import ask, collect
from spot_placement_tracker.questions import Dashboard, Question
from spot_placement_tracker.store import Plan
from spot_placement_tracker.values import LONGEST_NAME, MOST_CAPACITY

NAMESPACE = "Spot Placement Score Metrics"


def question(name: str = "a", capacity: int = 10, **changes: Any) -> Question:
    shape = {"InstanceTypes": ["m7g.large", "c7g.large", "r7g.large"]}
    known = {"shape": shape, "regions": ("eu-west-1", "eu-west-2"), "single_zone": False, "unit": "vcpu", **changes}
    return Question(name=name, capacity=capacity, **known)


class PlanOf:
    """A store with a plan."""

    def __init__(self, *questions: Question, problems: Sequence[str] = ()) -> None:
        self._plan = Plan((Dashboard("d", 24, 6, questions),), tuple(problems))

    def plan(self) -> Plan:
        return self._plan


class CloudWatch:
    """Keeps what is published."""

    def __init__(self) -> None:
        self.requests: list[list[dict[str, Any]]] = []

    def put_metric_data(self, *, Namespace: str, MetricData: list[dict[str, Any]]) -> None:  # noqa: N803
        assert Namespace == NAMESPACE
        self.requests.append(MetricData)

    def values(self) -> dict[str, float]:
        return {datum["MetricName"]: datum["Value"] for request in self.requests for datum in request}


def stubbed() -> tuple[Any, Stubber]:
    ec2 = boto3.client("ec2", region_name="us-east-1")
    return ec2, Stubber(ec2)


def run(ec2: Any, cloudwatch: CloudWatch, store: Any) -> dict[str, Any]:
    return collect(ec2, cloudwatch, store, namespace=NAMESPACE, tracker="stack", seconds_left=lambda: 1.0)


def test_counts_are_stamped_by_the_schedule_so_that_each_round_of_an_alarm_has_one() -> None:
    ec2, stubber = stubbed()
    stubber.add_response("get_spot_placement_scores", {"SpotPlacementScores": [{"Region": "eu-west-1", "Score": 9}]})
    cloudwatch, round_ = CloudWatch(), datetime(2026, 3, 1, 12, 19, 59, tzinfo=UTC)
    with stubber:
        collect(
            ec2,
            cloudwatch,
            PlanOf(question()),  # type: ignore[arg-type]
            namespace=NAMESPACE,
            tracker="stack",
            seconds_left=lambda: 1.0,
            due=round_,
        )
    stamped = {data["MetricName"]: data.get("Timestamp") for request in cloudwatch.requests for data in request}
    assert {stamped.pop(name) for name in (BELOW, PROBLEMS, PUBLISHED, REFUSED)} == {round_}
    assert set(stamped.values()) == {None}, "a score is of the moment in which it was given"


def test_every_page_is_published_and_the_request_is_the_same_on_each() -> None:
    ec2, stubber = stubbed()
    asked = question().request()
    pages = [
        ({"SpotPlacementScores": [{"Region": "eu-west-1", "Score": 9}], "NextToken": "t"}, asked),
        ({"SpotPlacementScores": [{"Region": "eu-west-2", "Score": 3}]}, {**asked, "NextToken": "t"}),
    ]
    for answer, expected in pages:
        stubber.add_response("get_spot_placement_scores", answer, expected)
    cloudwatch = CloudWatch()
    with stubber:
        run(ec2, cloudwatch, PlanOf(question()))
    stubber.assert_no_pending_responses()
    found = {name: value for name, value in cloudwatch.values().items() if name.startswith("a-")}
    assert found == {"a-eu-west-1-vcpu-10": 9.0, "a-eu-west-2-vcpu-10": 3.0}


def test_names_and_dimensions_are_the_public_trackers() -> None:
    regional, zonal = (
        question("R 8xl", 250).data([Score("us-east-1", "", 7)])[0],
        question("R 8xl", 250, single_zone=True).data([Score("us-east-1", "use1-az2", 4)])[0],
    )
    dimensions = [
        {"Name": "Region", "Value": "us-east-1"},
        {"Name": "DiversificationName", "Value": "R 8xl"},
        {"Name": "UnitType", "Value": "vcpu"},
        {"Name": "TargetCapacity", "Value": "250"},
    ]
    assert regional == {
        "MetricName": "R 8xl-us-east-1-vcpu-250", "Dimensions": dimensions, "Unit": "Count", "Value": 7.0,
    }  # fmt: skip
    assert zonal == {
        "MetricName": "R 8xl-us-east-1-vcpu-250-use1-az2",
        "Dimensions": [*dimensions, {"Name": "AvailabilityZoneId", "Value": "use1-az2"}],
        "Unit": "Count",
        "Value": 4.0,
    }


@pytest.mark.parametrize("code", ["MaxConfigLimitExceeded", "UnsupportedOperation", "UnauthorizedOperation"])
def test_a_refused_question_does_not_stop_the_next_and_is_counted(code: str) -> None:
    ec2, stubber = stubbed()
    ec2.meta.config.max_pool_connections = 1
    first, second = question("first"), question("second")

    def answer(asked: Question) -> Sequence[Score]:
        if asked is first:
            stubber.add_client_error("get_spot_placement_scores", code, "words of EC2")
            with stubber:
                return ask(ec2, asked)
        return [Score("eu-west-1", "", 8)]

    published: list[dict[str, Any]] = []
    found = ask_all([first, second], answer, seconds_left=lambda: 1.0, answered=published.extend)
    assert [(each.name, said, words) for each, said, words in found.refused] == [("first", code, "words of EC2")]
    values = {datum["MetricName"]: datum["Value"] for datum in published + found.counts("stack", problems=2)}
    assert values == {
        "RefusedConfigurations": 1.0, "BelowAlarmScore": 0.0, "FileProblems": 2.0, "PublishedScores": 1.0,
        "second-eu-west-1-vcpu-10": 8.0,
    }  # fmt: skip


def test_no_connection_to_ec2_is_a_refusal_too() -> None:
    class Ec2:
        def get_paginator(self, _: str) -> Any:
            raise EndpointConnectionError(endpoint_url="https://ec2")

    with pytest.raises(RefusedError) as raised:
        ask(Ec2(), question())
    assert raised.value.code == "EndpointConnectionError"


def test_what_is_refused_is_in_the_answer_and_in_the_metric_and_no_error() -> None:
    ec2, stubber = stubbed()
    stubber.add_client_error("get_spot_placement_scores", "MaxConfigLimitExceeded", "too many")
    cloudwatch = CloudWatch()
    with stubber:
        done = run(ec2, cloudwatch, PlanOf(question(), problems=["one"]))
    assert done["refused"] == [{"question": "a-vcpu-10", "code": "MaxConfigLimitExceeded"}]
    assert cloudwatch.values() == {
        "RefusedConfigurations": 1.0, "BelowAlarmScore": 0.0, "FileProblems": 1.0, "PublishedScores": 0.0,
    }  # fmt: skip


def test_when_the_time_is_over_the_rest_is_counted_as_not_asked() -> None:
    left = iter([1.0, 1.0, 0.0, -1.0])
    found = ask_all([question(f"q{number}") for number in range(4)], lambda _: [], seconds_left=lambda: next(left))
    assert len(found.answered) == 2 and {code for _, code, _ in found.refused} == {"NotAsked"}


@pytest.mark.parametrize(("scores", "below"), [([4, 9], False), ([4, 5], False), ([4, 4], True), ([], True)])
def test_below_counts_only_if_no_place_reaches_the_score(scores: list[int], below: bool) -> None:
    minds = question(alarm_below=5)
    assert minds.missed([Score("eu-west-1", "", score) for score in scores]) is below
    assert not question().missed([Score("eu-west-1", "", score) for score in scores])


class Scores:
    """EC2, which gives each Region a score."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    def get_paginator(self, _: str) -> Any:
        return self

    def paginate(self, **asked: Any) -> list[dict[str, Any]]:
        self.asked.append(asked)
        return [{"SpotPlacementScores": [{"Region": region, "Score": 5} for region in asked["RegionNames"]]}]


def test_two_hundred_configurations_in_ten_regions_are_two_requests_and_a_bit() -> None:
    regions = tuple(f"eu-west-{number}" for number in range(10))
    ec2, cloudwatch = Scores(), CloudWatch()
    done = run(ec2, cloudwatch, PlanOf(*(question(f"q{number}", regions=regions) for number in range(200))))
    assert len(ec2.asked) == 200 and [len(request) for request in cloudwatch.requests] == [1000, 1000, 4]
    assert done["published"] == 2_004 and cloudwatch.values()["PublishedScores"] == 2_000


def test_what_is_answered_after_the_time_is_published_before_the_function_may_be_ended() -> None:
    """A call that began in time may take the rest of it: what came before is not lost with it."""
    left = iter([1.0, 1.0, 1.0, *[0.0] * 20])
    cloudwatch = CloudWatch()
    collect(
        Scores(),
        cloudwatch,
        PlanOf(*(question(f"q{number}", regions=("eu-west-1",)) for number in range(3))),  # type: ignore[arg-type]
        namespace=NAMESPACE,
        tracker="stack",
        seconds_left=lambda: next(left),
    )
    assert cloudwatch.requests[0][0]["MetricName"].startswith("q0-"), "only at the end"
    assert len(cloudwatch.requests) > 1


def test_the_longest_names_of_a_thousand_metrics_stay_below_a_request_of_a_megabyte() -> None:
    longest = question("x" * LONGEST_NAME, MOST_CAPACITY, single_zone=True, unit="memory-mib")
    (datum,) = longest.data([Score("ap-southeast-10", "apse10-lax1-az10", 10)])
    assert len(datum["MetricName"]) <= 255
    assert len(json.dumps([datum] * MOST_DATA)) < 1_000_000


@given(st.lists(st.booleans(), max_size=30))
def test_every_question_is_answered_or_refused_once_in_the_order_of_the_file(refused: list[bool]) -> None:
    questions = [question(f"q{number}") for number in range(len(refused))]

    def answer(each: Question) -> Sequence[Score]:
        if refused[int(each.name[1:])]:
            raise RefusedError("code", "words")
        return []

    found = ask_all(questions, answer, seconds_left=lambda: 1.0)
    assert [each for each, _ in found.answered] == [q for q, no in zip(questions, refused, strict=True) if not no]
    assert [each for each, *_ in found.refused] == [q for q, no in zip(questions, refused, strict=True) if no]
