"""The user data of a parent of enclaves, run by bash over stand-ins for the machine and its programs."""

import os
import subprocess
from pathlib import Path

import pytest

from stacks.nitro_attestation.enclave import enclave_script
from stacks.nitro_attestation.settings import Enclave

SCRIPT = enclave_script(
    Enclave(instance_type="m5.xlarge", cpus=2, memory_mib=1024),
    namespace="Acme/Nitro",
    stack="nitro",
    region="eu-central-1",
    suffix="amazonaws.com",
)


class Machine:
    """A root directory, and programs that note down how they were called.

    Args:
        pages: huge pages of two MiB that the allocator reserves.
        driver: whether the instance was launched with EnclaveOptions.
        cpus: the pool that the driver shows.
        proxy: whether the proxy has stayed up.
    """

    def __init__(
        self, folder: Path, *, pages: int = 512, driver: bool = True, cpus: str = "1,3", proxy: bool = True
    ) -> None:
        self.root, self.programs, self.calls = folder / "root", folder / "bin", folder / "calls"
        self.programs.mkdir()
        self.calls.touch()
        huge = self.root / "sys/kernel/mm/hugepages"
        for size in ("2048", "1048576"):
            (huge / f"hugepages-{size}kB").mkdir(parents=True)
            (huge / f"hugepages-{size}kB/nr_hugepages").write_text("0\n")
        (self.root / "sys/module/nitro_enclaves/parameters").mkdir(parents=True)
        (self.root / "sys/module/nitro_enclaves/parameters/ne_cpus").write_text(f"{cpus}\n")
        (self.root / "dev").mkdir()
        if driver:
            (self.root / "dev/nitro_enclaves").touch()
        for name in ("dnf", "modprobe", "aws", "sleep"):
            self.program(name)
        shown = "$ROOT/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages"
        reserve = f'case "$*" in restart*allocator*) echo {pages} >"{shown}";; is-active*) exit {int(not proxy)};; esac'
        self.program("systemctl", reserve)

    def program(self, name: str, body: str = "true") -> None:
        path = self.programs / name
        path.write_text(f'#!/bin/bash\necho "{name} $*" >>{self.calls}\n{body}\n')
        path.chmod(0o755)

    def boot(self, script: str = SCRIPT) -> subprocess.CompletedProcess[str]:
        env = {"PATH": f"{self.programs}:{os.environ['PATH']}", "ROOT": str(self.root)}
        return subprocess.run(["bash", "-c", script], capture_output=True, text=True, env=env, check=False)  # noqa: S607

    def told(self) -> list[str]:
        """Values of the metric."""
        lines = [line for line in self.calls.read_text().splitlines() if line.startswith("aws cloudwatch")]
        return [line.partition("--value ")[2].split()[0] for line in lines]


def test_a_parent_is_ready_when_pages_and_cpus_are_reserved(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    done = machine.boot()
    assert done.returncode == 0, done.stderr
    assert machine.told() == ["0"]
    assert "1024 MiB and the vCPUs 1,3" in done.stdout
    assert (machine.root / "etc/nitro_enclaves/allocator.yaml").read_text() == "---\nmemory_mib: 1024\ncpu_count: 2\n"
    proxy = (machine.root / "etc/nitro_enclaves/vsock-proxy.yaml").read_text()
    assert proxy == "allowlist:\n- {address: kms.eu-central-1.amazonaws.com, port: 443}\n"


def test_the_allocator_starts_after_its_file_and_again_at_every_boot(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.boot()
    calls = machine.calls.read_text()
    assert calls.index("systemctl enable nitro-enclaves-allocator") < calls.index(
        "systemctl restart nitro-enclaves-all"
    )


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        ({"pages": 100}, "200 MiB of huge pages, not 1024"),
        ({"pages": 0}, "0 MiB of huge pages"),
        ({"driver": False}, "launched without EnclaveOptions"),
        ({"cpus": ""}, "no vCPU is reserved"),
        ({"proxy": False}, "the proxy to KMS does not run"),
    ],
)
def test_what_the_allocator_calls_a_success_is_looked_at(tmp_path: Path, broken: dict[str, object], why: str) -> None:
    """aws/aws-nitro-enclaves-cli#313, #394."""
    machine = Machine(tmp_path, **broken)  # type: ignore[arg-type]
    done = machine.boot()
    assert done.returncode == 1 and why in done.stderr
    assert machine.told() == ["1"]


@pytest.mark.parametrize("program", ["dnf", "modprobe", "systemctl"])
def test_a_program_that_fails_is_told_once(tmp_path: Path, program: str) -> None:
    machine = Machine(tmp_path)
    machine.program(program, "exit 3")
    assert machine.boot().returncode == 1
    assert machine.told() == ["1"]


def test_a_parent_without_a_way_to_cloudwatch_is_ready_all_the_same(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.program("aws", "exit 255")
    done = machine.boot()
    assert done.returncode == 0 and "the metric was not published" in done.stdout


@pytest.mark.parametrize(("region", "suffix"), [("eu-central-1", "amazonaws.com"), ("cn-north-1", "amazonaws.com.cn")])
def test_the_proxy_asks_for_the_host_that_it_is_allowed(tmp_path: Path, region: str, suffix: str) -> None:
    """The unit of the package has .amazonaws.com in its command, which no allow-list of China has."""
    machine = Machine(tmp_path)
    settings = Enclave(instance_type="m5.xlarge", cpus=2, memory_mib=1024)
    script = enclave_script(settings, namespace="N", stack="s", region=region, suffix=suffix)
    assert machine.boot(script).returncode == 0
    listed = (machine.root / "etc/nitro_enclaves/vsock-proxy.yaml").read_text()
    unit = (machine.root / "etc/systemd/system/nitro-enclaves-vsock-proxy.service.d/host.conf").read_text()
    assert f"address: kms.{region}.{suffix}," in listed and f" 8000 kms.{region}.{suffix} 443 " in unit
    assert unit.splitlines()[1] == "ExecStart="  # or systemd refuses a second command
    calls = machine.calls.read_text()
    assert calls.index("systemctl daemon-reload") < calls.index("systemctl restart")


def test_it_may_run_again(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    assert [machine.boot().returncode, machine.boot().returncode] == [0, 0]
    assert machine.told() == ["0", "0"]
