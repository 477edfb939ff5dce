"""Dashboards: what they show, how they follow the file, whose they leave alone, and what two weeks tell."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st
from moto import mock_aws

from shared import aws
from spot_placement_tracker.checks import read
from spot_placement_tracker.dashboards import following, handler
from spot_placement_tracker.dashboards.following import Boards, NotWrittenError, follow, unfollow
from spot_placement_tracker.dashboards.layout import COLUMNS, MOST_METRICS, MOST_WIDGETS, Frame, bodies
from spot_placement_tracker.history import known_zones, lines
from spot_placement_tracker.insights import Line, Profile, sizes
from spot_placement_tracker.questions import Dashboard, Place, Question
from spot_placement_tracker.store import FILE, PLAN, Plan, Store

BUCKET = "tracked"
NAMESPACE = "Spot Placement Score Metrics"
FRAME = Frame(NAMESPACE, "us-east-1", "stack", f"s3://{BUCKET}/{FILE}", 14, 5)
NOW = datetime(2026, 3, 16, 12, 30, tzinfo=UTC)  # a Monday
TEXT = """
- Dashboard: scores
  DefaultWidgetWidth: 8
  DefaultWidgetHeight: 5
  Sps:
  - ConfigurationName: regional
    InstanceTypes: [m7g.large, c7g.large, r7g.large]
    RegionNames: [eu-west-1, us-east-1]
    SingleAvailabilityZone: False
    TargetCapacity: [10, 100]
    TargetCapacityUnitType: vcpu
    AlarmBelowScore: 6
  - ConfigurationName: zonal
    InstanceTypes: [m7g.large, c7g.large, r7g.large]
    RegionNames: [eu-west-1]
    SingleAvailabilityZone: True
    TargetCapacity: 10
    TargetCapacityUnitType: vcpu
"""


def question(name: str = "a", capacity: int = 10, **changes: Any) -> Question:
    known = {
        "shape": {"InstanceTypes": ["m7g.large", "c7g.large", "r7g.large"]},
        "regions": ("eu-west-1",),
        "single_zone": False,
        "unit": "vcpu",
        **changes,
    }
    return Question(name=name, capacity=capacity, **known)


def profile(**scores: float) -> Profile:
    """Scores of hours such as ``d0h3``: day of the week, hour of the day; two weeks of each."""
    found = Profile()
    monday = datetime(2026, 3, 2, tzinfo=UTC)
    for name, score in scores.items():
        day, hour = name[1:].split("h")
        moments = [monday + timedelta(days=int(day) + 7 * week, hours=int(hour)) for week in range(2)]
        found.add(moments, [score, score])
    return found


# The layout


def test_graphs_are_the_public_trackers_and_fill_rows_without_overlap() -> None:
    body = bodies(read(TEXT).dashboards, {}, [], FRAME)["scores"]
    graphs = [widget for widget in body["widgets"] if widget["type"] == "metric"]
    assert [(w["x"], w["y"], w["width"], w["height"]) for w in graphs] == [(0, 0, 8, 5), (8, 0, 8, 5), (16, 0, 8, 5)]
    first = graphs[0]["properties"]
    assert first["title"] == "SPS for regional-vcpu-10"
    assert (first["stat"], first["period"], first["view"]) == ("Maximum", 900, "timeSeries")
    assert first["yAxis"]["left"] == {"label": "SPS", "min": 0, "max": 10, "showUnits": False}
    assert first["metrics"][0][:-1] == [
        NAMESPACE, "regional-eu-west-1-vcpu-10", "Region", "eu-west-1", "DiversificationName", "regional",
        "UnitType", "vcpu", "TargetCapacity", "10",
    ]  # fmt: skip
    assert [each["value"] for each in first["annotations"]["horizontal"]] == [6]


@pytest.mark.parametrize(("minutes", "period"), [(5, 900), (15, 900), (20, 1200), (60, 3600)])
def test_rounds_that_are_far_apart_leave_no_gaps_in_a_graph(minutes: int, period: int) -> None:
    frame = replace(FRAME, every_minutes=minutes)
    for widget in bodies(read(TEXT).dashboards, {}, [], frame)["scores"]["widgets"]:
        if widget["type"] == "metric":
            assert widget["properties"]["period"] == period
            searches = [metric[0] for metric in widget["properties"]["metrics"] if isinstance(metric[0], dict)]
            assert all(f"'Maximum', {period})" in search["expression"] for search in searches)


def test_a_place_has_one_colour_in_all_graphs_of_a_dashboard() -> None:
    body = bodies(read(TEXT).dashboards, {}, [], FRAME)["scores"]
    colours = [[metric[-1]["color"] for metric in widget["properties"]["metrics"]] for widget in body["widgets"][:2]]
    assert colours[0] == colours[1] and len(set(colours[0])) == 2


def test_any_number_of_series_has_a_colour_each() -> None:
    """The public tracker ends with an IndexError at the 21st."""
    zones = [Place("eu-west-1", f"euw1-az{number:02}") for number in range(60)]
    zonal = question(single_zone=True)
    body = bodies([Dashboard("d", 24, 6, (zonal,))], {zonal.key: zones}, [], FRAME)["d"]
    colours = [metric[-1]["color"] for metric in body["widgets"][0]["properties"]["metrics"]]
    assert len(set(colours)) == 60


def test_zones_are_searched_until_they_are_known() -> None:
    (dashboard,) = read(TEXT).dashboards
    zonal = dashboard.questions[2]
    unknown = bodies([dashboard], {}, [], FRAME)["scores"]["widgets"][2]["properties"]["metrics"]
    assert unknown[0][0]["expression"] == (
        'SEARCH(\'{"Spot Placement Score Metrics",AvailabilityZoneId,DiversificationName,Region,TargetCapacity,'
        "UnitType} "
        'DiversificationName="zonal" UnitType="vcpu" TargetCapacity="10"\', \'Maximum\', 900)'
    )
    zones = {zonal.key: [Place("eu-west-1", "euw1-az1"), Place("eu-west-1", "euw1-az3")]}
    known = bodies([dashboard], zones, [], FRAME)["scores"]["widgets"][2]["properties"]["metrics"]
    assert [metric[1] for metric in known] == ["zonal-eu-west-1-vcpu-10-euw1-az1", "zonal-eu-west-1-vcpu-10-euw1-az3"]


@settings(deadline=None, max_examples=25)
@given(
    counts=st.lists(st.integers(min_value=1, max_value=700), min_size=1, max_size=3),
    width=st.integers(min_value=1, max_value=24),
    regions=st.integers(min_value=1, max_value=10),
)
def test_no_dashboard_has_too_much_and_no_widget_is_lost_or_lies_on_another(
    counts: list[int], width: int, regions: int
) -> None:
    places = tuple(f"eu-west-{number}" for number in range(regions))
    dashboards = [
        Dashboard(f"d{'-2' * number}", width, 6, tuple(question(f"{n}", regions=places) for n in range(count)))
        for number, count in enumerate(counts)
    ]
    found = bodies(dashboards, {}, [], FRAME)
    titles = [w["properties"]["title"] for body in found.values() for w in body["widgets"] if w["type"] == "metric"]
    assert sorted(titles) == sorted(f"SPS for {n}-vcpu-10" for count in counts for n in range(count))
    assert {dashboard.name for dashboard in dashboards} <= set(found)
    for body in found.values():
        widgets = body["widgets"]
        assert len(widgets) <= MOST_WIDGETS
        assert sum(len(w["properties"].get("metrics", [])) for w in widgets) <= MOST_METRICS
        graphs = [w for w in widgets if w["type"] == "metric"]  # all of one size, in a grid of it
        assert len({(w["x"], w["y"]) for w in graphs}) == len(graphs)
        assert all(w["x"] % width == 0 and w["y"] % 6 == 0 and w["x"] + width <= COLUMNS for w in graphs)
        bottom = max(w["y"] + 6 for w in graphs)
        for text in widgets[len(graphs) :]:
            assert text["y"] >= bottom
            bottom = text["y"] + text["height"]
        assert FRAME.address in json.dumps(widgets)


def test_what_goes_on_says_where() -> None:
    many = Dashboard("d", 6, 6, tuple(question(f"{n}") for n in range(600)))
    found = bodies([many, Dashboard("d-2", 6, 6, (question(),))], {}, [], FRAME)
    assert list(found) == ["d", "d-3", "d-2"]
    assert "Continued in **d-3**" in found["d"]["widgets"][-1]["properties"]["markdown"]
    assert "Continued from **d**" in found["d-3"]["widgets"][-1]["properties"]["markdown"]


# What two weeks tell


def test_the_best_hour_and_the_best_day_are_those_of_the_highest_average() -> None:
    hours = {f"d{day}h{hour}": 5.0 + 3 * (hour == 3) + 2 * (day == 6) for day in range(7) for hour in range(24)}
    found = profile(**hours)
    assert str(found.best_hour()) == "03:00 (8.3)"
    assert str(found.best_day()) == "Sunday (7.1)"
    assert found.count == 2 * 7 * 24


def test_what_is_alike_or_too_early_is_said_so() -> None:
    assert str(Profile().best_hour()) == "too early"
    assert str(profile(d0h0=9, d0h1=9, d1h2=9).best_hour()) == "all alike (9.0)"
    assert str(profile(d0h0=9, d0h1=9, d1h2=2).best_hour()) == "00:00 (9.0, 1 more alike)"
    once = Profile()
    once.add([NOW], [10.0])
    assert once.best_day().compared == 0


def test_hours_are_those_of_utc() -> None:
    found = Profile()
    found.add([datetime.fromisoformat("2026-03-02T23:00:00-05:00")] * 2, [7.0, 7.0])
    assert found.hours[4] == [7.0, 7.0] and found.days[1] == [7.0, 7.0]


@pytest.mark.parametrize(
    ("means", "largest"),
    [([9, 9, 3], 100), ([9, 9, 9], 1_000), ([9, 8, 9], 10), ([8.6, 9.2, 8.5], 100), ([3, 4, 5], 1_000)],
)
def test_the_largest_size_keeps_the_score_of_the_smallest(means: list[float], largest: int) -> None:
    place = Place("eu-west-1")
    found = [
        Line(question(capacity=capacity), place, profile(d0h0=mean))
        for capacity, mean in zip((10, 100, 1_000), means, strict=True)
    ]
    (size,) = sizes(reversed(found))
    assert (size.largest, size.of) == (largest, (10, 100, 1_000))


@pytest.mark.parametrize(
    ("means", "largest", "unknown", "says"),
    [
        ([9, 9, None], 100, (1_000,), "at least 100; 1000 was not answered"),
        ([9, None, None], 10, (100, 1_000), "at least 10; 100, 1000 were not answered"),
        ([9, None, 9], 1_000, (), "1000"),
        ([9, None, 3], 10, (100,), "at least 10; 100 was not answered"),
        ([None, 9, 3], 100, (), "100"),
    ],
)
def test_a_size_that_was_not_answered_is_not_one_that_does_not_keep_the_score(
    means: list[float | None], largest: int, unknown: tuple[int, ...], says: str
) -> None:
    place = Place("eu-west-1")
    found = [
        Line(question(capacity=capacity), place, profile(d0h0=mean) if mean else Profile())
        for capacity, mean in zip((10, 100, 1_000), means, strict=True)
    ]
    (size,) = sizes(found)
    assert (size.largest, size.unknown, str(size)) == (largest, unknown, says)


def test_a_fortnight_is_drawn_by_the_quarter_of_an_hour_so_that_drops_are_seen() -> None:
    """With periodOverride auto CloudWatch draws the maximum of hours."""
    (body,) = bodies((Dashboard("d", 24, 6, (question(),)),), {}, [], FRAME).values()
    assert body["periodOverride"] == "inherit" and body["start"] == "-P14D"
    assert {graph["properties"]["period"] for graph in body["widgets"] if graph["type"] == "metric"} == {900}


def test_the_lowest_hour_is_told_beside_the_mean() -> None:
    found = profile(d0h0=9, d0h1=2)
    assert (found.mean, found.lowest, Profile().lowest) == (5.5, 2, 0)


def test_a_single_size_and_sizes_without_data_tell_nothing() -> None:
    place = Place("eu-west-1")
    assert sizes([Line(question(), place, profile(d0h0=9))]) == []
    (size,) = sizes([Line(question(capacity=n), place, Profile()) for n in (1, 2)])
    assert size.largest is None


@given(st.lists(st.tuples(st.integers(0, 24 * 14 - 1), st.floats(1, 10)), min_size=1, max_size=100))
def test_no_hour_is_better_than_the_best(found: list[tuple[int, float]]) -> None:
    profiled = Profile()
    profiled.add([NOW - timedelta(hours=ago) for ago, _ in found], [score for _, score in found])
    for best, values in ((profiled.best_hour(), profiled.hours), (profiled.best_day(), profiled.days)):
        means = [sum(each) / len(each) for each in values if len(each) >= 2]
        assert best.compared == len(means)
        assert not means or best.mean == round(max(means), 1)


# Following the file


@pytest.fixture
def store(kept_clients: None) -> Iterator[Store]:
    with mock_aws():
        aws.client("s3").create_bucket(Bucket=BUCKET)
        found = Store(aws.client("s3"), BUCKET)
        found.put_file(TEXT.encode())
        yield found


def followed(store: Store, *, take_over: bool = False) -> Any:
    return follow(store, aws.client("cloudwatch"), FRAME, take_over=take_over, now=NOW)


def names() -> set[str]:
    return {entry["DashboardName"] for entry in aws.client("cloudwatch").list_dashboards()["DashboardEntries"]}


def by_hand(name: str) -> None:
    aws.client("cloudwatch").put_dashboard(DashboardName=name, DashboardBody='{"widgets": []}')


def test_dashboards_are_written_once_and_then_left_alone(store: Store) -> None:
    assert followed(store).written == ("scores",)
    again = followed(store)
    assert (again.written, again.deleted, again.problems) == ((), (), ())
    assert names() == {"scores"} and store.plan().written == ("scores",)


def test_a_dashboard_that_left_the_file_is_deleted_and_nobody_elses(store: Store) -> None:
    by_hand("somebody-elses")
    followed(store)
    store.put_file(TEXT.replace("scores", "others").encode())
    found = followed(store)
    assert (found.written, found.deleted) == (("others",), ("scores",))
    assert names() == {"others", "somebody-elses"}


def test_somebody_elses_dashboard_is_neither_overwritten_nor_deleted(store: Store) -> None:
    by_hand("scores")
    found = followed(store)
    assert found.written == () and "'scores' exists that this stack has not written" in found.problems[0]
    assert store.plan().problems == found.problems
    unfollow(store, aws.client("cloudwatch"))
    assert names() == {"scores"}


def test_take_over_overwrites_it_and_then_it_is_ours(store: Store) -> None:
    by_hand("scores")
    assert followed(store, take_over=True).written == ("scores",)
    assert followed(store).problems == ()
    assert unfollow(store, aws.client("cloudwatch")) == ("scores",)


def test_a_dashboard_that_somebody_has_remade_by_hand_is_theirs(store: Store) -> None:
    followed(store)
    by_hand("scores")
    assert "has not written" in followed(store).problems[0]
    store.put_file(TEXT.replace("scores", "others").encode())
    assert followed(store).deleted == () and names() == {"scores", "others"}


@pytest.mark.parametrize("body", [b"", b"- Dashboard: scores", b"\xff\xfe", b"- {"])
def test_a_broken_file_is_told_and_the_last_good_one_goes_on(store: Store, body: bytes) -> None:
    followed(store)
    good = store.plan()
    store.put_file(body)
    found = followed(store)
    assert found.problems and (found.written, found.deleted) == ((), ())
    assert store.plan() == Plan(good.dashboards, found.problems, good.written)
    store.put_file(TEXT.encode())
    assert followed(store).problems == () and store.plan() == good


def test_a_file_that_is_gone_is_told_too(store: Store) -> None:
    followed(store)
    aws.client("s3").delete_object(Bucket=BUCKET, Key=FILE)
    assert "is gone" in followed(store).problems[0] and names() == {"scores"}


def test_ended_in_the_middle_it_still_knows_what_it_wrote(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_more(*_: Any) -> bool:
        raise TimeoutError

    monkeypatch.setattr(Boards, "write", no_more)
    with pytest.raises(TimeoutError):
        followed(store)
    assert store.plan().written == ("scores",)


def test_a_dashboard_that_is_gone_already_does_not_keep_the_others_from_being_deleted(store: Store) -> None:
    followed(store)
    plan = store.plan()
    store.put_file((TEXT + TEXT.replace("scores", "second")).encode())
    followed(store)
    boards = Boards(aws.client("cloudwatch"), store.address)
    assert not boards.is_foreign("second")  # read now, and deleted by somebody else before the call
    aws.client("cloudwatch").delete_dashboards(DashboardNames=["second"])
    boards.delete(["second", "scores"])
    assert names() == set() and plan.written == ("scores",)


# What CloudWatch knows


def publish(asked: Question, place: Place, hours: dict[int, float]) -> None:
    data = [{**asked.series(place).datum(score), "Timestamp": NOW - timedelta(hours=h)} for h, score in hours.items()]
    aws.client("cloudwatch").put_metric_data(Namespace=NAMESPACE, MetricData=data)


def test_a_body_that_is_refused_leaves_the_other_dashboards(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = TEXT + TEXT.replace("Dashboard: scores", "Dashboard: others")
    store.put_file(whole.encode())
    write = Boards.write

    def refusing(board: Boards, name: str, body: Any) -> bool:
        if name == "scores":
            raise ClientError({"Error": {"Code": "InvalidParameterInput", "Message": "no"}}, "PutDashboard")
        return write(board, name, body)

    monkeypatch.setattr(Boards, "write", refusing)
    with pytest.raises(NotWrittenError, match=r"scores: .*InvalidParameterInput"):
        follow(store, aws.client("cloudwatch"), FRAME, take_over=False, now=NOW)
    assert aws.client("cloudwatch").get_dashboard(DashboardName="others")["DashboardBody"]


def test_of_two_files_at_once_the_newer_one_wins(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    newer = TEXT.replace("Dashboard: scores", "Dashboard: newer")
    read_lines = lines

    def meanwhile(*given: Any, **more: Any) -> Any:
        store.put_file(newer.encode())
        return read_lines(*given, **more)

    monkeypatch.setattr(following, "lines", meanwhile)
    assert follow(store, aws.client("cloudwatch"), FRAME, take_over=False, now=NOW).written == ("newer",)


def test_zones_are_found_by_what_was_published_for_the_question(store: Store) -> None:
    zonal, other = question("zonal", single_zone=True), question("other", single_zone=True)
    for asked, zone in ((zonal, "euw1-az2"), (zonal, "euw1-az1"), (other, "euw1-az3")):
        publish(asked, Place("eu-west-1", zone), {1: 5.0})
    publish(question("regional"), Place("eu-west-1"), {1: 5.0})
    found = known_zones(aws.client("cloudwatch"), NAMESPACE, [zonal, question("regional")])
    assert found == {zonal.key: [Place("eu-west-1", "euw1-az1"), Place("eu-west-1", "euw1-az2")]}


def test_history_is_read_by_the_hour_up_to_the_last_full_one(store: Store) -> None:
    publish(question(), Place("eu-west-1"), {0: 1.0, 1: 8.0, 25: 6.0, 24 * 15: 1.0})
    (line,) = lines(aws.client("cloudwatch"), NAMESPACE, [question()], {}, now=NOW, days=14)
    assert line.profile.hours[11] == [8.0, 6.0] and line.profile.count == 2


def test_more_than_five_hundred_series_are_more_than_one_request(store: Store) -> None:
    questions = [question(f"q{n}") for n in range(501)]
    publish(questions[500], Place("eu-west-1"), {1: 8.0})
    found = lines(aws.client("cloudwatch"), NAMESPACE, questions, {}, now=NOW, days=14)
    assert len(found) == 501 and [line.question.name for line in found if line.profile.count] == ["q500"]


def test_the_text_names_hour_day_and_size(store: Store) -> None:
    hours = {ago: 9.0 if (NOW - timedelta(hours=ago)).hour == 3 else 5.0 for ago in range(1, 24 * 14)}
    small, large, _ = read(TEXT).dashboards[0].questions
    publish(small, Place("eu-west-1"), hours)
    publish(large, Place("eu-west-1"), {ago: score - 3 for ago, score in hours.items()})
    followed(store)
    body = json.loads(aws.client("cloudwatch").get_dashboard(DashboardName="scores")["DashboardBody"])
    text = "\n".join(w["properties"]["markdown"] for w in body["widgets"] if w["type"] == "text")
    assert "regional-vcpu-10 | eu-west-1 | 5.2 | 5.0 | 03:00 (9.0) |" in text
    assert "regional-vcpu | eu-west-1 | 10 | 10, 100" in text
    assert "regional-vcpu | us-east-1 | no data yet | 10, 100" in text


def test_the_handler_follows_the_file_that_its_environment_names(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "BUCKET": BUCKET,
        "METRIC_NAMESPACE": NAMESPACE,
        "TRACKER": "stack",
        "REPORT_DAYS": "14",
        "EVERY_MINUTES": "5",
        "TAKE_OVER": "false",
        "AWS_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    event = {"source": "aws.s3", "detail-type": "Object Created", "detail": {"object": {"key": FILE}}}
    assert handler.lambda_handler(event, None)["written"] == ["scores"]
    assert handler.lambda_handler(event, None)["written"] == []
    assert json.loads(aws.client("s3").get_object(Bucket=BUCKET, Key=PLAN)["Body"].read())["written"] == ["scores"]
