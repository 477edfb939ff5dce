"""The collector for Linux, as it is installed and run: what it sends of what nvidia-smi and the kernel say."""

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from stacks.gpu_monitoring.settings import DOCUMENTS
from tryout.hosts.user_data import Sandbox


class Collector:
    """The script for Linux, run here, with the agent at another port."""

    def __init__(self, folder: Path) -> None:
        self.agent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.agent.bind(("127.0.0.1", 0))
        self.agent.setblocking(False)
        port = str(self.agent.getsockname()[1])
        script = "\n".join((DOCUMENTS / "gpu-metrics.sh").read_text(encoding="utf-8").splitlines())
        addresses = frozenset({f"/dev/udp/127.0.0.1/{port}", "/usr/local/nvidia/bin"})
        self.boot = Sandbox(folder, addresses=addresses).run(script.replace("@STATSD_PORT@", port), {})
        self.programs = folder / "programs"

    def nvidia_smi(self, *lines: str) -> None:
        """A driver is installed."""
        program = self.programs / "nvidia-smi"
        program.write_text("#!/bin/sh\n" + "".join(f"echo '{line}'\n" for line in lines))
        program.chmod(0o755)

    def journal(self, *lines: str) -> None:
        """The kernel has logged something since the last look."""
        program = self.programs / "journalctl"
        program.write_text("#!/bin/sh\n" + "".join(f"echo '{line}'\n" for line in lines))
        program.chmod(0o755)

    def sent(self) -> dict[str, float]:
        """What one run of the service sends."""
        service = self.boot.service("gpu-monitoring")
        path = f"{self.programs}{os.pathsep}/usr/bin{os.pathsep}/bin"
        subprocess.run(service.command, env={"PATH": path}, check=True, timeout=30)
        found: dict[str, float] = {}
        while True:
            try:
                text = self.agent.recv(1_000).decode()
            except BlockingIOError:
                return found
            match = re.fullmatch(r"(nvidia_\w+):([\d.]+)\|[gc]\|#(?:index|xid):(\d+)", text)
            assert match, text
            found[f"{match[1]} {match[3]}"] = float(match[2])


@pytest.fixture
def collector(tmp_path: Path) -> Iterator[Collector]:
    found = Collector(tmp_path)
    yield found
    found.agent.close()


@pytest.mark.skipif(bool(shutil.which("nvidia-smi")), reason="this machine has a driver")
def test_a_driver_that_comes_later_is_picked_up_within_a_minute(collector: Collector) -> None:
    assert collector.boot.status == 0
    assert ["systemctl", "enable", "--now", "gpu-monitoring.timer"] in collector.boot.calls
    timer = collector.boot.path("/etc/systemd/system/gpu-monitoring.timer").read_text()
    assert "OnCalendar=minutely" in timer
    assert collector.sent() == {}
    collector.nvidia_smi("0, 80, 12, 60.12, 45, 1024, 15360", "1, 3, 0, 30.00, 33, 0, 15360")
    sent = collector.sent()
    assert len(sent) == 12
    assert (sent["nvidia_smi_utilization_gpu 0"], sent["nvidia_smi_power_draw 0"]) == (80, 60.12)
    assert (sent["nvidia_smi_utilization_gpu 1"], sent["nvidia_smi_memory_total 1"]) == (3, 15360)


@pytest.mark.parametrize(
    ("line", "left"),
    [
        ("0, [N/A], [N/A], 90.1, 40, 2048, 40960", {"power_draw", "temperature_gpu", "memory_used", "memory_total"}),
        ("0, [N/A], [N/A], 90.1, 40, [Insufficient Permissions], [N/A]", {"power_draw", "temperature_gpu"}),
        ("NVIDIA-SMI has failed because it could not communicate with the NVIDIA driver.", set()),
    ],
)
def test_what_nvidia_smi_does_not_know_is_left_out(collector: Collector, line: str, left: set[str]) -> None:
    """With MIG it says N/A: https://github.com/utkuozdemir/nvidia_gpu_exporter/issues/203."""
    collector.nvidia_smi(line)
    assert {name.removeprefix("nvidia_smi_").removesuffix(" 0") for name in collector.sent()} == left


def test_an_error_of_a_broken_gpu_is_sent_although_nvidia_smi_fails_and_one_of_a_program_is_not(
    collector: Collector,
) -> None:
    """As the kernel writes them: https://docs.nvidia.com/deploy/xid-errors/."""
    collector.nvidia_smi("Unable to determine the device handle for GPU0000:00:1E.0: Unknown Error")
    collector.journal(
        "NVRM: Xid (PCI:0000:00:1e): 79, pid=4242, name=python3, GPU has fallen off the bus.",
        "NVRM: Xid (PCI:0000:00:1e): 31, pid=4242, name=python3, Ch 00000008, intr 00000000. MMU Fault",
        "NVRM: GPU at PCI:0000:00:1e: GPU-b850f46d-d5ea-c752-ddf3-c4453e44d3f7",
    )
    assert collector.sent() == {"nvidia_xid_errors 79": 1}
    seen = collector.boot.path("/opt/gpu-monitoring/seen")
    assert abs(time.time() - int(seen.read_text())) < 60, "the next look begins there"
