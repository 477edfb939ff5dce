"""What the settings of gpu_monitoring derive, and what a configuration of the CloudWatch agent may say."""

import json
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stacks.gpu_monitoring.agent import ADVANCED_BYTES, COMMITTED, GPU, problems, read, statsd_port
from stacks.gpu_monitoring.measurements import LINUX, WINDOWS, System
from stacks.gpu_monitoring.settings import DOCUMENTS, GpuMonitoringSettings
from tests.variants import Json

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
systems = pytest.mark.parametrize("system", ["linux", "windows"])


def ours(system: str = "linux") -> Json:
    found: Json = json.loads((DOCUMENTS / f"{system}.json").read_text(encoding="utf-8"))
    return found


def collected(configuration: Json) -> Json:
    found: Json = configuration["metrics"]["metrics_collected"]
    return found


# Ours


@systems
def test_our_own_files_have_no_problem_and_lose_nothing_on_the_way_into_the_parameter(system: System) -> None:
    text, found = read(DOCUMENTS / f"{system}.json", system)
    assert found == []
    assert json.loads(text) == ours(system)
    assert GpuMonitoringSettings().configuration(system) == text
    assert " \n" not in text and ": " not in text


def test_what_the_post_collects_is_collected() -> None:
    assert set(collected(ours())) == {"cpu", "disk", "diskio", "mem", "swap", "statsd"}
    assert ours()["agent"] == {"metrics_collection_interval": 60, "run_as_user": "cwagent"}


@systems
def test_nothing_is_held_back_until_the_ec2_api_has_answered(system: str) -> None:
    """The agent asks EC2 for the name of an Auto Scaling group, and sends nothing before it knows it: aws/
    amazon-cloudwatch-agent#1410. The others are in the instance metadata."""
    assert set(ours(system)["metrics"]["append_dimensions"]) == {"ImageId", "InstanceId", "InstanceType"}


def test_the_agent_s_own_gpu_section_is_refused_because_without_a_driver_the_agent_would_not_start() -> None:
    configuration = ours()
    collected(configuration)["nvidia_gpu"] = {"measurement": ["utilization_gpu"]}
    (found,) = problems(configuration, "linux")
    assert "does not start with it where there is no NVIDIA driver" in found and "statsd" in found


@pytest.mark.parametrize(("hours", "insights"), [(1, True), (3, True), (4, False), (336, False)])
def test_metrics_insights_sees_three_hours(hours: int, insights: bool) -> None:
    assert GpuMonitoringSettings(idle_hours=hours).idle_by_insights is insights


# The list of measurements


@pytest.mark.parametrize("section", sorted(set(LINUX) - {"procstat"}))
def test_every_measurement_of_the_list_passes_with_and_without_its_section_in_front(section: str) -> None:
    for names in (sorted(LINUX[section]), [f"{section}_{name}" for name in sorted(LINUX[section])]):
        configuration = ours()
        collected(configuration)[section] = {"measurement": names}
        assert list(problems(configuration, "linux")) == []


@settings(deadline=None)
@given(st.sampled_from(sorted(set(LINUX) - {"procstat"})), st.text(min_size=1, max_size=30))
def test_whatever_is_not_on_the_list_is_refused(section: str, name: str) -> None:
    configuration = ours()
    wanted = collected(configuration).setdefault(section, {"measurement": []})["measurement"]
    wanted.append(name)
    plain = name.removeprefix(f"{section}_")
    assert bool(list(problems(configuration, "linux"))) is (plain not in LINUX[section])


@pytest.mark.parametrize("section", sorted(WINDOWS))
def test_counters_of_the_usual_objects_are_checked_and_other_objects_are_taken(section: str) -> None:
    configuration = ours("windows")
    kept = collected(configuration).get(section, {}).get("measurement", [])
    collected(configuration)[section] = {"measurement": [*kept, "% Nothing"]}
    collected(configuration)["GPU Engine"] = {"measurement": ["Utilization Percentage"], "resources": ["*"]}
    (found,) = problems(configuration, "windows")
    assert found.startswith(f"metrics.metrics_collected.{section}: the agent measures no '% Nothing'")


# What dashboard and alarms need


@pytest.mark.parametrize("instead", [[], [{"name": "mem_used_percent", "rename": "mine"}]])
def test_a_measurement_that_is_needed_may_be_neither_left_out_nor_renamed(instead: list[Any]) -> None:
    configuration = ours()
    collected(configuration)["mem"]["measurement"] = ["mem_total", *instead]
    (found,) = problems(configuration, "linux")
    assert "used_percent" in found and "not renamed" in found


@systems
@pytest.mark.parametrize(
    ("place", "value", "says"),
    [
        ("namespace", "Mine", "metrics.namespace: must be CWAgent"),
        ("append_dimensions", {"ImageId": "${aws:ImageId}"}, "metrics.append_dimensions: must have"),
        ("append_dimensions", {"InstanceId": "i-1"}, "metrics.append_dimensions: must have"),
        ("aggregation_dimensions", [["InstanceId"]], 'must have ["InstanceId", "index"]'),
        ("aggregation_dimensions", [["InstanceId", "index"]], 'must have ["InstanceId"]'),
    ],
)
def test_series_are_where_dashboard_and_alarms_look(system: System, place: str, value: Any, says: str) -> None:
    configuration = ours(system)
    configuration["metrics"][place] = value
    (found,) = problems(configuration, system)
    assert says in found


@pytest.mark.parametrize(("system", "memory", "says"), [("linux", "mem", "mem"), ("windows", "Memory", COMMITTED)])
def test_statsd_takes_what_the_script_sends_and_memory_says_who_is_alive(
    system: System, memory: str, says: str
) -> None:
    configuration = ours(system)
    del collected(configuration)["statsd"], collected(configuration)[memory]
    found = list(problems(configuration, system))
    assert [says in each or "127.0.0.1:PORT" in each for each in found] == [True, True]
    kind, port = ("sh", "/127.0.0.1/@STATSD_PORT@") if system == "linux" else ("ps1", "'127.0.0.1', @STATSD_PORT@")
    script = (DOCUMENTS / f"gpu-metrics.{kind}").read_text(encoding="utf-8")
    assert port in script
    for name in GPU:
        assert name.replace("_", ".") in script, name


@systems
@pytest.mark.parametrize("address", ["127.0.0.1:8125", "127.0.0.1:65535", ":18125"])
def test_an_agent_that_takes_statsd_of_this_machine_at_any_port_is_accepted(system: System, address: str) -> None:
    configuration = ours(system)
    collected(configuration)["statsd"]["service_address"] = address
    assert list(problems(configuration, system)) == []
    assert statsd_port(json.dumps(configuration)) == int(address.rpartition(":")[2])


@systems
@pytest.mark.parametrize("address", ["10.0.0.1:8125", "127.0.0.1", "127.0.0.1:65536", "127.0.0.1:0", "localhost", None])
def test_one_that_does_not_is_refused(system: System, address: str | None) -> None:
    configuration = ours(system)
    collected(configuration)["statsd"]["service_address"] = address
    if address is None:
        del collected(configuration)["statsd"]["service_address"]
    (found,) = problems(configuration, system)
    assert '"service_address": "127.0.0.1:PORT"' in found


@systems
def test_our_port_is_not_the_one_that_every_other_statsd_takes(system: System) -> None:
    """The agent ends where its port is taken (plugins/inputs/statsd/statsd.go, "ERROR: ListenUDP"), and 8125 is that of
    Datadog's agent and of StatsD itself: https://docs.datadoghq.com/developers/dogstatsd/."""
    assert GpuMonitoringSettings().statsd_port(system) == 18125


def test_the_interval_of_the_file_counts_where_a_section_has_none() -> None:
    configuration = ours()
    configuration["agent"]["metrics_collection_interval"] = 600
    del collected(configuration)["mem"]["metrics_collection_interval"]
    (found,) = problems(configuration, "linux")
    assert found == ("metrics.metrics_collected.mem: is measured every 600 s; alarms need it every 300 s or more often")


# Files that are none


@systems
@settings(deadline=None)
@given(ANY_JSON)
def test_any_json_gets_sentences_and_no_traceback(system: str, data: Any) -> None:
    assert all(isinstance(each, str) and each for each in problems(data, cast(System, system)))


@settings(deadline=None)
@given(st.lists(st.sampled_from(["agent", "metrics", "metrics_collected", "mem", "measurement", 0])), ANY_JSON)
def test_a_file_with_anything_anywhere_gets_sentences(path: list[Any], value: Any) -> None:
    configuration: Any = ours()
    place, last = configuration, None
    for part in path:
        try:
            following = place[part]
        except (KeyError, IndexError, TypeError):
            continue
        place, last = (place, part) if not isinstance(following, dict | list) else (following, None)
    if isinstance(place, dict):
        place["made up" if last is None else last] = value
    list(problems(configuration, "linux"))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "is not JSON"),
        ('{"metrics": {}, "metrics": {}}', "the key 'metrics' is there twice"),
        ("[1]", "must be a mapping"),
        ("{}", "metrics: must be set"),
        ('{"metrics": {"metrics_collected": {}}, "traces": {}}', "traces: unknown key; known here: agent"),
    ],
)
def test_a_file_that_is_no_configuration_gets_a_sentence(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "agent.json"
    path.write_text(text, encoding="utf-8")
    assert any(says in each for each in read(path, "linux")[1]), read(path, "linux")[1]


def test_a_file_that_no_parameter_holds_is_refused(tmp_path: Path) -> None:
    configuration = ours()
    process = {"exe": "x" * 200, "measurement": ["cpu_usage"]}
    collected(configuration)["procstat"] = [process] * 40
    path = tmp_path / "agent.json"
    path.write_text(json.dumps(configuration), encoding="utf-8")
    (found,) = read(path, "linux")[1]
    assert f"a parameter holds {ADVANCED_BYTES:,}" in found


def test_a_file_that_parameter_store_refuses_is_refused(tmp_path: Path) -> None:
    configuration = ours()
    configuration["logs"] = {"logs_collected": {"files": {"collect_list": [{"file_path": "/var/log/{{name}}.log"}]}}}
    path = tmp_path / "agent.json"
    path.write_text(json.dumps(configuration), encoding="utf-8")
    (found,) = read(path, "linux")[1]
    assert "must not have {{" in found


def test_the_other_sections_of_the_documentation_are_taken_in_their_shape() -> None:
    configuration = ours()
    configuration["agent"] |= {"service.name": "training", "use_dualstack_endpoint": True}
    collected(configuration).update(
        ethtool={"interface_include": ["eth0"], "metrics_include": ["bw_in_allowance_exceeded"]},
        efa={"measurement": ["rdma_read_bytes"]},
        collectd={"service_address": "udp://127.0.0.1:25826", "collectd_security_level": "none"},
    )
    events = {"event_name": "System", "event_levels": ["ERROR"], "event_format": "xml"}
    configuration["logs"] = {"logs_collected": {"windows_events": {"collect_list": [events]}}, "concurrency": 2}
    assert list(problems(configuration, "linux")) == []
    collected(configuration)["collectd"]["collectd_security_level"] = "some"
    assert "collectd_security_level" in next(problems(configuration, "linux"))


def test_logs_of_files_and_of_the_journal_are_taken_and_whose_they_are() -> None:
    whose = {"service.name": "training", "deployment.environment": "production"}
    configuration = ours()
    configuration["metrics"] |= whose
    collected(configuration)["statsd"] |= whose
    file = {"file_path": "/var/log/train.log", "trim_timestamp": True, "backpressure_mode": "fd_release", **whose}
    file["filters"] = [{"type": "include", "expression": "loss"}]
    kernel = {"log_group_name": "kernel", "priority": "err", "matches": [{"_TRANSPORT": "kernel"}]}
    logs = {"files": {"collect_list": [file]}, "journald": {"collect_list": [kernel]}}
    configuration["logs"] = {"logs_collected": logs, **whose}
    assert list(problems(configuration, "linux")) == []
    kernel["priority"] = "loud"
    assert "priority" in next(problems(configuration, "linux"))
    on_windows = ours("windows")
    on_windows["logs"] = {"logs_collected": {"journald": {"collect_list": [{"log_group_name": "kernel"}]}}}
    assert "journald: unknown key" in next(problems(on_windows, "windows"))


def test_windows_events_are_chosen_by_something() -> None:
    configuration = ours("windows")
    configuration["logs"] = {"logs_collected": {"windows_events": {"collect_list": [{"event_name": "System"}]}}}
    assert "needs event_levels, event_ids or filters" in next(problems(configuration, "windows"))


def test_a_process_needs_a_name_and_known_measurements() -> None:
    configuration = ours()
    collected(configuration)["procstat"] = [{"measurement": ["cpu_usage"]}]
    assert "needs pid_file, exe or pattern" in next(problems(configuration, "linux"))
    collected(configuration)["procstat"] = [{"exe": "train", "measurement": ["cpu_time_guest", "rlimit_num_fds_soft"]}]
    assert list(problems(configuration, "linux")) == []
    collected(configuration)["procstat"] = [{"exe": "train", "measurement": ["cpu_usge"]}]
    assert "did you mean 'cpu_usage'?" in next(problems(configuration, "linux"))
