"""The installation, run by bash over stand-ins for the machine's programs: order, reboots, each way it fails."""

import shutil
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import pytest

from stacks.game_streaming.contract import USER_DATA
from tryout.scenarios.game_streaming.machine import TOKEN
from tryout.scenarios.game_streaming.offline import AWS, CURL, FAILURES, VOLUME, Host, few_looks, made


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> tuple[Host, list[int]]:
    """A host after its installation, and the statuses of its boots."""
    host = made(tmp_path_factory.mktemp("host"))
    return host, [run.status for run in host.installed()]


@pytest.fixture
def installed(first: tuple[Host, list[int]], tmp_path: Path) -> Iterator[Host]:
    """The host after its installation, which the test may change: its disk is put back afterwards."""
    machine, kept, boots = first[0].machine, tmp_path / "kept", first[0].machine.boots
    shutil.copytree(machine.root, kept, symlinks=True)
    yield first[0]
    shutil.rmtree(machine.root)
    shutil.copytree(kept, machine.root, symlinks=True)
    machine.boots = boots


def positions(host: Host, *calls: list[str]) -> list[int]:
    found = host.machine.calls()
    return [found.index(call) for call in calls]


def test_the_first_boot_installs_in_the_documented_order_with_one_reboot(first: tuple[Host, list[int]]) -> None:
    host, statuses = first
    assert statuses == [-9, 0]  # the reboot ends the shell
    attach = next(call for call in host.machine.calls("pro") if call[1] == "attach")
    order = positions(
        host,
        attach,
        ["pro", "enable", "anbox-cloud", "--access-only", "--assume-yes"],
        ["snap", "install", "--channel=5.21/stable", "lxd"],
        ["snap", "refresh", "--hold", "lxd"],
        ["snap", "install", "--channel=1.30/stable", "anbox-cloud-appliance"],
        ["snap", "refresh", "--hold", "anbox-cloud-appliance"],
        ["anbox-cloud-appliance", "prepare-node-script"],
        ["node-prepare"],
        ["systemctl", "reboot"],
        ["nvidia-smi", "-L"],
        ["anbox-cloud-appliance", "init", "--preseed"],
        ["anbox-cloud-appliance", "status", "--format", "json"],
        ["anbox-cloud-appliance.amc", "node", "show", "lxd0", "--format", "json"],
    )
    assert order == sorted(order)
    assert host.signals() == [("SUCCESS", "ready")]
    assert host.machine.state["undocumented"] == []
    assert all(
        snap["held"] for name, snap in host.machine.state["snaps"].items() if name in ("lxd", "anbox-cloud-appliance")
    )


def test_the_preseed_has_the_keys_of_the_reference(first: tuple[Host, list[int]]) -> None:
    machine = first[0].machine
    disk = (machine.root / f"dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_{VOLUME.replace('-', '')}").resolve()
    assert machine.state["preseed"] == {
        "network": {"listen-address": "10.0.0.7", "public-address": "192.0.2.1"},
        "lxd": {"storage-disk": str(disk), "storage-pool": "anbox-cloud"},
        "ams": {"api": {"allowed-uids": [0]}},
    }


def test_the_token_is_nowhere_but_in_memory(first: tuple[Host, list[int]]) -> None:
    """canonical/ubuntu-pro-client#479, canonical/cloud-init#1726, #4093."""
    machine = first[0].machine
    assert TOKEN not in machine.texts()
    assert not any(TOKEN in word for call in machine.calls() for word in call)
    assert not list((machine.root / "run").rglob("attach.yaml"))


def test_the_second_boot_attaches_initializes_and_signals_nothing(installed: Host) -> None:
    installed.machine.forget()
    signals = installed.signals()
    (boot,) = installed.machine.boot()
    assert boot.status == 0, boot.output
    assert not [call for call in installed.machine.calls() if call[0] in ("pro", "snap") or "init" in call]
    assert installed.signals() == signals


def test_a_kernel_update_is_prepared_again_at_the_next_boot(installed: Host) -> None:
    """anbox/anbox#506: a newer kernel has no binder module."""
    installed.machine.set(kernel="6.8.0-2")
    (boot,) = installed.machine.boot()
    assert boot.status == 0, boot.output
    assert all(installed.machine.state["packages"].values()), "held again"
    assert installed.machine.state["timers"], "the daily work goes on"
    assert installed.machine.state["prepared"] == 2 and installed.machine.state["modules"] == "6.8.0-2"
    assert "MetricName=BootErrors,Value=0,Unit=Count" in installed.aws("cloudwatch", "put-metric-data")[-1]


def test_a_boot_that_fails_says_so_by_a_metric(installed: Host) -> None:
    installed.machine.set(nvidia_ends=1, gpu="none")
    boots = installed.machine.boot()
    assert [boot.status for boot in boots] == [-9, 1], "prepared again, one reboot, and no third boot"
    assert "MetricName=BootErrors,Value=1,Unit=Count" in installed.aws("cloudwatch", "put-metric-data")[-1]


def test_a_preparation_that_fails_on_a_usable_node_leaves_its_packages_held(installed: Host) -> None:
    installed.machine.set(prepare_ends=[3])
    installed.machine.program("modprobe", "[ -e $ROOT/tried.once ] || { touch $ROOT/tried.once; exit 1; }")
    (boot,) = installed.machine.boot()
    assert boot.status == 0, boot.output
    assert installed.machine.state["prepared"] == 2, "the one that failed"
    assert installed.machine.state["packages"] and all(installed.machine.state["packages"].values())
    assert installed.machine.state["timers"]


def test_a_later_boot_that_ends_early_leaves_the_packages_held(installed: Host) -> None:
    installed.machine.set(kernel="6.8.0-2", empty_script=True)
    assert installed.machine.boot()[-1].status == 1
    assert installed.machine.state["packages"] and all(installed.machine.state["packages"].values())
    assert installed.machine.state["timers"]


def test_a_driver_that_only_a_reboot_brings_back_gets_one(installed: Host) -> None:
    installed.machine.set(driver=False, prepare_ends=[6])
    assert [boot.status for boot in installed.machine.boot()] == [-9, 0]
    assert installed.machine.state["driver"] and installed.machine.boot()[-1].status == 0


def test_the_drivers_packages_are_held_as_the_channel_is(first: tuple[Host, list[int]]) -> None:
    """An unattended upgrade would change the driver below games that run."""
    packages = first[0].machine.state["packages"]
    assert packages and all(packages.values()), packages
    held = next(call for call in first[0].machine.calls("apt-mark") if call[1] == "hold")
    assert "nvidia-removed" not in held


def test_the_user_data_may_run_again(installed: Host) -> None:
    assert installed.user_data().status == 0


def test_a_node_that_needs_the_reboot_gets_one(host: Host) -> None:
    """Launchpad 2120677: with nouveau loaded the preparation ends with 6."""
    runs = host.installed(prepare_ends=[6])
    assert [run.status for run in runs] == [-9, 0], runs[-1].output
    assert host.machine.state["prepared"] == 2 and host.signals() == [("SUCCESS", "ready")]
    assert host.machine.state["timers"], "no reboot follows the second preparation, and the daily work goes on"


def test_an_attached_machine_goes_on(host: Host) -> None:
    runs = host.installed(attach_ends=2, attached=False)
    assert runs[-1].status == 1  # 2 is success, and without an attachment nothing can be enabled
    assert host.signals() == [("FAILURE", "enable")]


def test_a_machine_that_is_not_as_new_is_installed_all_the_same(host: Host) -> None:
    """An image of the marketplace is attached already, a snap may be of another channel, and apt may be at work.

    DPkg::Lock::Timeout is about packages, not about their lists: docker/docker-install#366.
    """
    snaps = host.machine.state["snaps"] | {"lxd": {"channel": "5.0/stable", "held": False}}
    runs = host.installed(attached=True, snaps=snaps, daily_work=5, lists_locked=3)
    assert [run.status for run in runs] == [-9, 0], runs[-1].output
    assert not [call for call in host.machine.calls("pro") if call[1] == "attach"]
    assert not host.aws("secretsmanager", "get-secret-value")
    assert ["snap", "refresh", "--channel=5.21/stable", "lxd"] in host.machine.calls("snap")
    assert host.machine.state["prepared"] == 1 and host.signals() == [("SUCCESS", "ready")]


# The first two, at the first boot, and the last one of the second boot; make try plays all of them.
@pytest.mark.parametrize(("knobs", "stage", "boots", "says"), [*FAILURES[:2], FAILURES[-2]])
def test_what_fails_says_where_and_ends_for_good(
    host: Host, knobs: dict[str, Any], stage: str, boots: int, says: str
) -> None:
    few_looks(host)
    runs = host.installed(**knobs)
    assert len(runs) == boots and runs[-1].status == 1, runs[-1].output
    assert says in runs[-1].output
    assert host.signals() == [("FAILURE", stage)]
    assert TOKEN not in "".join(run.output for run in runs) + host.machine.texts()
    if stage == "entitlement":
        assert not [call for call in host.machine.calls("snap") if call[1] == "install"]


def test_an_image_in_error_is_synchronized_and_waited_for(host: Host) -> None:
    """Launchpad 2122020."""
    assert host.installed(image="error")[-1].status == 0
    assert ["anbox-cloud-appliance.amc", "image", "sync", "i0"] in host.machine.calls()


def test_an_initialization_that_did_not_end_is_not_repeated(host: Host) -> None:
    """Launchpad 2141916: what it leaves cannot be used again; the recovery is a new instance."""
    few_looks(host)
    host.installed(init_ends=1)
    state = host.machine.root / "var/lib/game-streaming"
    (state / "initialized").unlink()
    (run,) = host.machine.boot()
    assert "deploy a new instance" in run.output and host.signals() == [("FAILURE", "status")]
    assert len([call for call in host.machine.calls() if "init" in call]) == 1


@pytest.mark.parametrize("audience", [{}, {"audience": "https://a.b/api/v2/"}])
def test_provider_and_name_reach_the_preseed(host: Host, audience: dict[str, str]) -> None:
    settings = {"OIDC_ISSUER": "https://login.example.com", "OIDC_CLIENT_ID": "games", "DOMAIN": "play.example.com"}
    settings |= {f"OIDC_{name.upper()}": value for name, value in audience.items()}
    assert host.user_data(**settings).status == 0
    assert host.machine.boot()[-1].status == 0
    preseed = host.machine.state["preseed"]
    assert preseed["oidc"] == {"issuer": "https://login.example.com", "client_id": "games", **audience}
    assert preseed["network"] == {
        "listen-address": "10.0.0.7",
        "public-address": "192.0.2.1",
        "public-location": "play.example.com",
    }


def test_user_data_that_fails_tells_cloudformation(host: Host) -> None:
    host.machine.program("systemctl", "exit 1")
    assert host.user_data().status == 1
    assert host.signals() == [("FAILURE", "bootstrap")]


def test_nothing_of_2023_is_left() -> None:
    texts = [path.read_text() for path in USER_DATA.rglob("*") if path.is_file()]
    for gone in ("apt-key", "channel=5.0", "8002", "pro attach C", "curl -k"):
        assert not [text for text in texts if gone in text]


def test_an_answer_that_comes_at_the_second_attempt_is_taken_whole(host: Host) -> None:
    """A role is known everywhere only after a while; what is said of the first attempt must not become the value."""
    host.user_data()
    for program, answers in (("curl", CURL), ("aws", AWS)):
        once = f"$ROOT/{program}.once"
        host.machine.program(program, f"[ -e {once} ] || {{ touch {once}; exit 1; }}\n{answers}")
    assert host.machine.boot()[-1].status == 0
    assert all((host.machine.root / f"{program}.once").exists() for program in ("curl", "aws"))
    assert host.signals() == [("SUCCESS", "ready")]
    assert host.machine.state["preseed"]["network"]["listen-address"] == "10.0.0.7"


def test_a_lock_of_unattended_upgrades_is_waited_for(first: tuple[Host, list[int]]) -> None:
    """https://github.com/mvo5/unattended-upgrades/issues/90."""
    configuration = (first[0].machine.root / "etc/apt/apt.conf.d/90game-streaming").read_text()
    assert configuration == 'DPkg::Lock::Timeout "900";\n'


def test_a_lock_that_is_never_given_up_ends_the_installation(host: Host) -> None:
    few_looks(host)
    assert host.installed(lists_locked=99)[-1].status == 1
    assert host.signals() == [("FAILURE", "prepare")]


def unit(name: str) -> dict[str, dict[str, list[str]]]:
    """A unit's sections; a key that is repeated adds to itself."""
    found: dict[str, dict[str, list[str]]] = {}
    for line in (USER_DATA / "host" / name).read_text().splitlines():
        if line.startswith("["):
            section = found.setdefault(line.strip("[]"), {})
        elif line and not line.startswith("#"):
            key, _, words = line.partition("=")
            section.setdefault(key, []).extend(words.split())
    return found


def test_the_order_of_a_boot_has_no_circle() -> None:
    """Ubuntu's cloud-init.target and cloud-final come after multi-user.target, and systemd breaks a circle by leaving a
    job out, with which the installation would not go on after the reboot (canonical/cloud-init#4068, #5830). A target
    comes after what it wants, unless this says that it comes after the target itself (man systemd.target).
    """
    service = unit("game-streaming.service")
    name, after = "game-streaming.service", set(service["Unit"]["After"])
    order = {
        name: after,
        "cloud-final.service": {"multi-user.target"},
        "cloud-init.target": {"multi-user.target", "cloud-final.service"},
    }
    for target in service["Install"]["WantedBy"]:
        order.setdefault(target, set()).update({name} - ({name} if target in after else set()))
    assert list(TopologicalSorter(order).static_order())[-1] in {name, "cloud-init.target"}
    assert "cloud-final.service" in after


def test_the_units_go_on_after_a_reboot_and_report_every_minute(host: Host) -> None:
    host.user_data()
    service = (host.machine.root / "etc/systemd/system/game-streaming.service").read_text()
    assert "TimeoutStartSec=infinity" in service and "WantedBy=multi-user.target" in service
    enabled = ["systemctl", "enable", "game-streaming.service", "game-streaming-report.timer"]
    assert enabled in host.machine.calls("systemctl")


def test_games_are_reported_and_what_cannot_be_read_is_not_reported_as_nothing(installed: Host) -> None:
    report = f"bash {installed.machine.root}/opt/game-streaming/report.sh"
    regular, base = {"type": "regular", "status": "running"}, {"type": "base", "status": "running"}
    for instances, (regulars, bases) in (
        ([], (0, 0)),
        ([regular, {"type": "regular", "status": "stopped"}], (1, 0)),
        ([base], (0, 1)),
        ([{"type": "regular"}], (1, 0)),
    ):
        installed.machine.set(instances=instances)
        run = installed.machine.run(report)
        assert run.status == 0, run.output
        said = installed.aws("cloudwatch", "put-metric-data")[-1]
        assert f"MetricName=RegularInstances,Value={regulars},Unit=Count" in said
        assert f"MetricName=BaseInstances,Value={bases},Unit=Count" in said
    before = len(installed.aws("cloudwatch", "put-metric-data"))
    installed.machine.set(reachable=False)
    assert installed.machine.run(report).status != 0
    assert len(installed.aws("cloudwatch", "put-metric-data")) == before
