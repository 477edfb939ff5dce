"""Fleet: who is idle, silent or without a GPU, what is wasted, and what is published of it."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from gpu_monitoring.fleet.handler import PublishError, count, publish
from gpu_monitoring.fleet.reading import MetricDataError, gpus_of, machines, readings
from gpu_monitoring.fleet.waste import Machine, Reading, Rules, State, Value, Verdict, idle_for, judge, values

NOW = datetime(2026, 3, 1, 12, 20, tzinfo=UTC)
THIS_HOUR = NOW.replace(minute=0)
LONG_AGO = NOW - timedelta(days=30)
RULES = Rules(idle_percent=5, idle_hours=2, silent=timedelta(minutes=15))
GPU = Machine("i-gpu", "g5.xlarge", LONG_AGO, 1)


def hours(*highest: float | None, newest: datetime = THIS_HOUR) -> dict[datetime, float]:
    """The highest utilization of each hour, the newest first; None: not reported."""
    return {newest - timedelta(hours=ago): value for ago, value in enumerate(highest) if value is not None}


def reading(utilization: float | None = 50, **more: Any) -> Reading:
    return Reading(**{"alive": True, "memory_percent": 40, "hours": {}, "utilization": utilization, **more})


# Idle


@pytest.mark.parametrize(
    ("highest", "idle"),
    [
        ((80,), 0),
        ((1, 80), 1 / 3),  # since the beginning of this hour
        ((1, 2, 3, 80, 1), 2 + 1 / 3),
        ((1, 5), 1 / 3),  # 5 is not less than 5
        ((1, None, 1), 1 / 3),  # nobody knows what was in the hour without a report
        ((None, 1, 1), 2 + 1 / 3),  # the hour has just begun
        ((None, None, 1), None),
        ((), None),
    ],
)
def test_idleness_counts_back_to_work_or_to_an_hour_without_a_report(
    highest: tuple[float | None, ...], idle: float | None
) -> None:
    found = idle_for(hours(*highest), LONG_AGO, 5, NOW)
    assert found == (None if idle is None else pytest.approx(idle, abs=1e-3))


def test_an_instance_is_idle_for_no_longer_than_it_runs() -> None:
    """A stopped instance that starts again keeps its metrics, and is launched anew."""
    launched = NOW - timedelta(minutes=50)
    assert idle_for(hours(1, 1, 1, 1), launched, 5, NOW) == pytest.approx(50 / 60, abs=1e-3)


@settings(deadline=None)
@given(
    st.dictionaries(st.integers(0, 400), st.floats(0, 100), max_size=60),
    st.integers(0, 400 * 60),
    st.floats(0.1, 100),
)
def test_nothing_is_called_idle_that_was_not_reported_idle_for_so_long(
    known: dict[int, float], minutes: int, percent: float
) -> None:
    launched = NOW - timedelta(minutes=minutes)
    found = idle_for({THIS_HOUR - timedelta(hours=ago): value for ago, value in known.items()}, launched, percent, NOW)
    if found is None:
        return
    assert 0 <= found <= minutes / 60 + 1e-3
    for ago in known:
        end = (NOW - (THIS_HOUR - timedelta(hours=ago - 1))) / timedelta(hours=1)
        if known[ago] >= percent and (THIS_HOUR - timedelta(hours=ago - 1)) > launched:
            assert found <= max(end, 0) + 1e-3, "it worked in that time"


# Judged


@pytest.mark.parametrize(
    ("machine", "reported", "state"),
    [
        (GPU, reading(80, hours=hours(80)), State.WORKING),
        (GPU, reading(1, hours=hours(1, 1, 1)), State.IDLE),
        (GPU, reading(1, hours=hours(1, 80)), State.WORKING),
        (GPU, reading(None, memory_percent=None), State.UNSEEN),
        (GPU, reading(None), State.MIG),
        (GPU, reading(None, alive=False), State.SILENT),
        (Machine("i-new", "g5.xlarge", NOW - timedelta(minutes=5), 1), reading(None, alive=False), State.NEW),
        (Machine("i-new", "g5.xlarge", NOW - timedelta(minutes=5), 1), reading(None, memory_percent=None), State.NEW),
        (Machine("i-cpu", "m7i.large", LONG_AGO, 0), reading(None), State.WITHOUT_GPU),
        (Machine("i-cpu", "m7i.large", LONG_AGO, 0), reading(None, alive=False), State.SILENT),
    ],
)
def test_an_instance_is_judged_by_what_it_reports(machine: Machine, reported: Reading, state: State) -> None:
    assert judge(machine, reported, RULES, NOW).state is state


DAY = Rules(idle_percent=5, idle_hours=2, silent=timedelta(days=1))
NOTHING = {"agent": reading(None, alive=False), "gpu": reading(None, memory_percent=None)}


@pytest.mark.parametrize(("missing", "state"), [("agent", State.SILENT), ("gpu", State.UNSEEN)])
@pytest.mark.parametrize(
    ("rules", "launched", "started", "is_judged"),
    [
        (DAY, timedelta(days=9), timedelta(hours=10), True),  # stopped each night: no start is a day ago
        (DAY, timedelta(days=9), timedelta(minutes=15), True),
        (DAY, timedelta(days=9), timedelta(minutes=14), False),  # it boots
        (DAY, timedelta(days=1), timedelta(hours=10), True),
        (DAY, timedelta(hours=23), timedelta(hours=10), False),  # it is set up for the first time
        (RULES, timedelta(days=9), timedelta(minutes=15), True),
        (RULES, timedelta(minutes=20), timedelta(minutes=14), False),
        (Rules(5, 2, timedelta(minutes=10)), timedelta(days=9), timedelta(minutes=10), True),  # no longer than silent
    ],
)
def test_a_start_hides_who_is_silent_for_no_longer_than_it_may_take(
    rules: Rules, launched: timedelta, started: timedelta, is_judged: bool, missing: str, state: State
) -> None:
    machine = Machine("i-1", "g5.xlarge", NOW - started, 1, launched=NOW - launched)
    assert judge(machine, NOTHING[missing], rules, NOW).state is (state if is_judged else State.NEW)


@pytest.mark.parametrize("type", ["g4dn.metal", "g9.metal-48xl"])
@pytest.mark.parametrize(("rules", "minutes", "state"), [
    (DAY, 34, State.NEW), (DAY, 35, State.SILENT), (RULES, 34, State.NEW), (RULES, 35, State.SILENT),
])  # fmt: skip
def test_bare_metal_starts_for_longer(type: str, rules: Rules, minutes: int, state: State) -> None:
    machine = Machine("i-1", type, NOW - timedelta(minutes=minutes), 1, launched=NOW - timedelta(days=9))
    assert judge(machine, NOTHING["agent"], rules, NOW).state is state


# What it makes of the fleet


def published(*verdicts: Verdict) -> dict[tuple[str, str | None], float]:
    return {(v.name, v.dimension[1] if v.dimension else None): v.value for v in values(verdicts)}


def verdict(state: State, kind: str, gpus: int, utilization: float | None, idle: float | None = None) -> Verdict:
    machine = Machine(f"i-{kind}-{state}", kind, LONG_AGO, gpus)
    return Verdict(machine, state, utilization, None if utilization is None else 30, idle)


def test_waste_is_what_the_gpus_of_each_type_could_have_computed_and_did_not() -> None:
    found = published(
        verdict(State.WORKING, "p4d.24xlarge", 8, 75, 0),
        verdict(State.IDLE, "g5.xlarge", 1, 0, 30),
        verdict(State.SILENT, "g5.xlarge", 1, None),
        verdict(State.WITHOUT_GPU, "m7i.large", 0, None),
    )
    assert found[("WastedGpus", "p4d.24xlarge")] == 2
    assert found[("WastedGpus", "g5.xlarge")] == 1, "nobody knows of the silent one"
    assert found[("WastedGpus", None)] == 3
    assert (found[("Gpus", None)], found[("IdleGpus", None)], found[("SilentInstances", None)]) == (10, 1, 1)
    assert found[("Utilization", None)] == pytest.approx(100 * 6 / 9, abs=1e-3)
    assert found[("LongestIdleHours", None)] == 30


def test_gpus_with_mig_beside_others_are_neither_waste_nor_work_and_are_counted() -> None:
    found = published(
        verdict(State.WORKING, "g5.xlarge", 1, 50, 0),
        verdict(State.MIG, "p4d.24xlarge", 8, None),
        verdict(State.SILENT, "g5.xlarge", 1, None),
    )
    assert (found[("Gpus", None)], found[("UnmeasuredGpus", None)]) == (10, 9)
    assert (found[("WastedGpus", None)], found[("Utilization", None)]) == (0.5, 50)
    assert found[("Gpus", "p4d.24xlarge")] == 8
    assert ("WastedGpus", "p4d.24xlarge") not in found, "0 would say that all of them work"
    assert found[("IdleInstances", None)] == found[("UnseenGpuInstances", None)] == 0, "no alarm rings for MIG"


def test_an_instance_that_has_just_started_is_not_unmeasured_until_its_agent_has_had_its_time() -> None:
    nothing = Reading(alive=False, utilization=None, memory_percent=None, hours={})
    unseen = Reading(alive=True, utilization=None, memory_percent=None, hours={})

    def unmeasured(age: timedelta, reported: Reading) -> float:
        machine = Machine("i-1", "p4d.24xlarge", NOW - age, 8)
        found = published(judge(machine, reported, RULES, NOW))
        assert found[("Gpus", None)] == 8
        return found[("UnmeasuredGpus", None)]

    for reported in (nothing, unseen):
        assert unmeasured(RULES.silent - timedelta(minutes=1), reported) == 0
        assert unmeasured(RULES.silent, reported) == 8


def test_an_instance_without_a_gpu_is_no_waste_and_has_no_metric_of_its_own() -> None:
    found = published(verdict(State.WITHOUT_GPU, "m7i.large", 0, None))
    assert found[("WastedGpus", None)] == 0 and ("Utilization", None) not in found
    assert not [name for name, of in found if of]


def test_an_empty_fleet_publishes_that_nothing_is_wrong() -> None:
    found = published()
    assert set(found.values()) == {0} and ("SilentInstances", None) in found


@settings(deadline=None)
@given(
    st.lists(
        st.builds(
            verdict,
            st.sampled_from([State.WORKING, State.IDLE]),
            st.sampled_from(["g5.xlarge", "p4d.24xlarge"]),
            st.integers(1, 8),
            st.none() | st.floats(0, 100),
        ),
        max_size=20,
    )
)
def test_the_types_add_up_to_the_fleet(verdicts: list[Verdict]) -> None:
    found = published(*verdicts)
    for name in ("Gpus", "WastedGpus", "IdleInstances", "IdleGpus"):
        parts = [value for (metric, of), value in found.items() if metric == name and of]
        assert sum(parts) == pytest.approx(found[(name, None)], abs=1e-3)
    assert 0 <= found[("WastedGpus", None)] <= found[("Gpus", None)] + 1e-6


# Read


class Paged:
    """A client whose paginators answer with what they were given."""

    def __init__(self, **pages: Any) -> None:
        self.pages, self.asked, self.put = pages, [], []  # type: ignore[var-annotated]
        self.refuse = False

    def get_paginator(self, operation: str) -> Any:
        def paginate(**asked: Any) -> Iterator[Any]:
            self.asked.append((operation, asked))
            answer = self.pages[operation]
            yield from answer(asked) if callable(answer) else answer

        return type("Paginator", (), {"paginate": staticmethod(paginate)})

    def put_metric_data(self, **data: Any) -> None:
        self.put.append(data)
        if self.refuse and len(self.put) == 1:
            raise ClientError({"Error": {"Code": "Throttling", "Message": ""}}, "PutMetricData")


def instance(name: str, kind: str, **more: Any) -> Mapping[str, Any]:
    return {"InstanceId": name, "InstanceType": kind, "LaunchTime": LONG_AGO, **more}


TYPES = {
    "InstanceTypes": [
        {"InstanceType": "g5.xlarge", "GpuInfo": {"Gpus": [{"Manufacturer": "NVIDIA", "Count": 1}]}},
        {"InstanceType": "g4ad.xlarge", "GpuInfo": {"Gpus": [{"Manufacturer": "AMD", "Count": 1}]}},
        {"InstanceType": "g6f.large", "GpuInfo": {"Gpus": [{"Manufacturer": "NVIDIA", "Count": 0}]}},
        {"InstanceType": "p4d.24xlarge", "GpuInfo": {"Gpus": [{"Manufacturer": "Nvidia", "Count": 8}]}},
        {"InstanceType": "m7i.large"},
    ]
}


def test_every_page_and_every_reservation_of_many_is_read() -> None:
    ec2 = Paged(
        describe_instances=[
            {"Reservations": [{"Instances": [instance("i-1", "g5.xlarge"), instance("i-2", "m7i.large")]}]},
            {"Reservations": []},
            {"Reservations": [{"Instances": [instance("i-3", "g5.xlarge", Platform="windows")]}]},
        ],
        describe_instance_types=[TYPES],
    )
    found = machines(ec2, ("gpu-monitoring", "enabled"))
    assert [(m.id, m.gpus, m.windows) for m in found] == [("i-1", 1, False), ("i-2", 0, False), ("i-3", 1, True)]
    (filters,) = [asked["Filters"] for operation, asked in ec2.asked if operation == "describe_instances"]
    assert {"Name": "tag:gpu-monitoring", "Values": ["enabled"]} in filters
    assert {"Name": "instance-state-name", "Values": ["running"]} in filters


def test_the_first_launch_is_the_attachment_of_the_primary_interface() -> None:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Instance.html: LaunchTime is the last start."""
    interfaces = [
        {"Attachment": {"DeviceIndex": 1, "AttachTime": LONG_AGO - timedelta(days=9)}},
        {"Attachment": {"DeviceIndex": 0, "AttachTime": LONG_AGO}},
    ]
    restarted = instance("i-1", "g5.xlarge", LaunchTime=NOW, NetworkInterfaces=interfaces)
    ec2 = Paged(describe_instances=[{"Reservations": [{"Instances": [restarted]}]}], describe_instance_types=[TYPES])
    (found,) = machines(ec2, ("gpu-monitoring", "enabled"))
    assert (found.started, found.launched) == (NOW, LONG_AGO)


def test_gpus_are_nvidias_and_a_part_of_one_is_one() -> None:
    assert gpus_of(Paged(describe_instance_types=[TYPES]), ["g5.xlarge"]) == {
        "g5.xlarge": 1, "g4ad.xlarge": 0, "g6f.large": 1, "p4d.24xlarge": 8, "m7i.large": 0,
    }  # fmt: skip


def test_more_types_than_a_call_takes_are_several_calls() -> None:
    ec2 = Paged(describe_instance_types=[{"InstanceTypes": []}])
    gpus_of(ec2, [f"m{number}.large" for number in range(250)])
    assert [len(asked["InstanceTypes"]) for _, asked in ec2.asked] == [100, 100, 50]


def answers(of: Mapping[str, list[float]]) -> Any:
    """GetMetricData: the values of each metric, the newest first, as CloudWatch gives them, in two pages."""

    def pages(asked: Any) -> Iterator[Any]:
        for query in asked["MetricDataQueries"]:
            found = of.get(query["MetricStat"]["Metric"]["MetricName"], [])
            period = timedelta(seconds=query["MetricStat"]["Period"])
            newest = THIS_HOUR if period >= timedelta(hours=1) else NOW
            times = [newest - period * number for number in range(len(found))]
            for part in (slice(0, 1), slice(1, None)):
                result = {"Id": query["Id"], "Timestamps": times[part], "Values": found[part]}
                yield {
                    "MetricDataResults": [{**result, "StatusCode": "PartialData" if part.start == 0 else "Complete"}]
                }

    return pages


def read(found: list[Machine], cloudwatch: Paged) -> dict[str, Reading]:
    return readings(cloudwatch, found, window=RULES.silent, horizon=RULES.horizon, now=NOW)


def test_what_the_agent_reports_is_read_to_the_last_page() -> None:
    cloudwatch = Paged(
        get_metric_data=answers(
            {
                "nvidia_smi_utilization_gpu": [10, 20, 30],
                "nvidia_smi_memory_used": [900, 100],
                "nvidia_smi_memory_total": [1000, 1000],
            }
        )
    )
    (found,) = read([GPU], cloudwatch).values()
    assert (found.alive, found.utilization, found.memory_percent) == (True, 20, 90)
    assert list(found.hours.values()) == [10, 20, 30]


def test_an_instance_without_a_gpu_is_asked_for_its_memory_only() -> None:
    cloudwatch = Paged(get_metric_data=answers({"Memory % Committed Bytes In Use": [40]}))
    machine = Machine("i-cpu", "m7i.large", LONG_AGO, 0, windows=True)
    (found,) = read([machine], cloudwatch).values()
    assert found == Reading(True, None, None, {})
    assert sum(len(asked["MetricDataQueries"]) for _, asked in cloudwatch.asked) == 1


def test_five_hundred_queries_are_one_call() -> None:
    cloudwatch = Paged(get_metric_data=answers({}))
    read([Machine(f"i-{number}", "g5.xlarge", LONG_AGO, 1) for number in range(300)], cloudwatch)
    assert [len(asked["MetricDataQueries"]) for _, asked in cloudwatch.asked] == [500, 500, 500, 300]


def test_errors_of_a_broken_gpu_are_added_up_and_windows_is_not_asked() -> None:
    cloudwatch = Paged(get_metric_data=answers({"nvidia_xid_errors": [2, 1]}))
    windows = Machine("i-windows", "g5.xlarge", LONG_AGO, 1, windows=True)
    found = read([GPU, windows], cloudwatch)
    assert (found["i-gpu"].errors, found["i-windows"].errors) == (3, 0)
    assert not found["i-gpu"].alive, "the kernel's log says nothing of the agent's other metrics"
    broken = [judge(GPU, reading(errors=3), RULES, NOW), judge(GPU, reading(), RULES, NOW)]
    assert published(*broken)[("BrokenGpuInstances", None)] == 1


def test_waste_is_known_of_each_auto_scaling_group() -> None:
    tags = [{"Key": "aws:autoscaling:groupName", "Value": "training"}]
    ec2 = Paged(
        describe_instances=[
            {"Reservations": [{"Instances": [instance("i-1", "g5.xlarge", Tags=tags), instance("i-2", "g5.xlarge")]}]}
        ],
        describe_instance_types=[TYPES],
    )
    found = [judge(machine, reading(25), RULES, NOW) for machine in machines(ec2, ("gpu-monitoring", "enabled"))]
    assert {v.dimension for v in values(found) if v.dimension and v.dimension[0] == "AutoScalingGroupName"} == {
        ("AutoScalingGroupName", "training")
    }
    assert published(*found)[("WastedGpus", "training")] == 0.75


def test_who_cannot_be_read_is_called_neither_silent_nor_idle() -> None:
    broken = [{"MetricDataResults": [{"Id": "q0", "StatusCode": "InternalError", "Timestamps": [], "Values": []}]}]
    ec2 = Paged(
        describe_instances=[{"Reservations": [{"Instances": [instance("i-1", "g5.xlarge")]}]}],
        describe_instance_types=[TYPES],
    )
    cloudwatch = Paged(get_metric_data=broken)
    with pytest.raises(MetricDataError):
        count(ec2, cloudwatch, tag=("a", "b"), rules=RULES, namespace="n", now=NOW)
    assert cloudwatch.put == []


# Published


def test_a_thousand_datapoints_are_one_call_under_the_minute() -> None:
    cloudwatch = Paged()
    publish(cloudwatch, "n", [Value("IdleHours", 1, "None", ("InstanceId", f"i-{n}")) for n in range(2_500)], NOW)
    assert [len(call["MetricData"]) for call in cloudwatch.put] == [1000, 1000, 500]
    assert {datum["Timestamp"] for call in cloudwatch.put for datum in call["MetricData"]} == {NOW}


def test_one_call_that_fails_stops_no_other_and_is_told() -> None:
    cloudwatch = Paged()
    cloudwatch.refuse = True
    with pytest.raises(PublishError, match="1000 datapoints"):
        publish(cloudwatch, "n", [Value("IdleHours", 1, "None", ("InstanceId", f"i-{n}")) for n in range(1_500)], NOW)
    assert len(cloudwatch.put) == 2
