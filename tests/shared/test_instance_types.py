"""Facts of AWS that are read off an instance type's name, held against EC2's own list."""

import pytest
from moto.ec2.models.instance_types import INSTANCE_TYPES

from stacks.shared.instance_attributes import is_arm
from stacks.shared.instance_types import quota_code, vcpus
from tests.shared.test_commands import Account

STANDARD = "L-1216C47A"


@pytest.mark.parametrize(
    ("name", "on_demand", "spot"),
    [
        ("t4g.nano", STANDARD, "L-34B43A08"),
        ("im4gn.large", STANDARD, "L-34B43A08"),
        ("is4gen.large", STANDARD, "L-34B43A08"),
        ("g5g.xlarge", "L-DB2E81BA", "L-3819A6DF"),
        ("vt1.3xlarge", "L-DB2E81BA", "L-3819A6DF"),
        ("trn1.2xlarge", "L-2C3B7624", "L-6B0D517C"),
        ("inf2.xlarge", "L-1945791B", "L-B5D1601B"),
        ("dl1.24xlarge", "L-6E869C2A", "L-85EED4F7"),
        ("hpc7g.4xlarge", "L-F7808C92", None),
        ("p4d.24xlarge", "L-417A185B", "L-7212CCBC"),
        ("p5.48xlarge", "L-417A185B", "L-C4BD4855"),
        ("p6-b200.48xlarge", "L-417A185B", None),
        ("u-6tb1.56xlarge", "L-43DA4232", None),
        ("u7i-12tb.224xlarge", "L-43DA4232", None),
        ("x2gd.medium", "L-7295265B", "L-E3A00192"),
        ("f2.6xlarge", "L-74FC7D96", "L-88CF9481"),
        ("mac2.metal", None, None),
    ],
)
def test_the_quota_is_that_of_the_family(name: str, on_demand: str | None, spot: str | None) -> None:
    assert (quota_code(name, spot=False), quota_code(name, spot=True)) == (on_demand, spot)


def test_no_known_type_but_macs_and_the_oldest_lacks_a_quota() -> None:
    unknown = {name.partition(".")[0] for name in INSTANCE_TYPES if quota_code(name, spot=False) is None}
    assert {name for name in unknown if not name.startswith("mac")} <= {"cc1", "cc2", "cg1", "cr1", "hi1", "hs1"}


def test_the_architecture_by_the_name_is_that_of_ec2() -> None:
    wrong = [
        name
        for name, described in INSTANCE_TYPES.items()
        if not name.startswith("mac")
        and is_arm(name) != ("arm64" in described["ProcessorInfo"]["SupportedArchitectures"])
    ]
    assert wrong == []


def test_quotas_of_several_families_count_together() -> None:
    account = Account(get_service_quota={"Quota": {"Value": 10}})
    assert vcpus(account, ["m7g.large", "g5g.xlarge"], 20, "vCPUs", spot=True).status == "ok"
    short = vcpus(account, ["m7g.large", "g5g.xlarge"], 21, "vCPUs", spot=True)
    assert short.status == "problem" and "L-34B43A08, L-3819A6DF" in short.fix
    assert vcpus(account, ["m7g.large", "u-6tb1.metal"], 11, "vCPUs", spot=True).status == "unknown"
