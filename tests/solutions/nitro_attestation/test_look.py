"""The scheduled look: what instances run on, what nobody could see, and what is published of both."""

from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from nitro_attestation.claims import STATEMENTS, Look, answers
from nitro_attestation.hypervisor import LISTED
from nitro_attestation.look.handler import look
from nitro_attestation.looking import ALL, WRITES, kept_of_kms, look_at, trails_keep
from tests.solutions.nitro_attestation.account import (
    ACCOUNT,
    BASIC,
    GOOD_TRAIL,
    Account,
    CloudTrail,
    Ec2,
    instance,
    refused,
)
from tests.variants import ROOT, Json

REGION = "eu-central-1"


class CloudWatch:
    """Keeps what is published."""

    def __init__(self) -> None:
        self.values: dict[str, float] = {}

    def put_metric_data(self, Namespace: str, MetricData: list[Json]) -> None:  # noqa: N803
        assert Namespace == "Acme" and all(one["Dimensions"] == [{"Name": "Stack", "Value": "s"}] for one in MetricData)
        self.values |= {one["MetricName"]: one["Value"] for one in MetricData}


def run(account: Any, regions: tuple[str, ...] = (), seconds: float = 1.0) -> tuple[Json, dict[str, float]]:
    cloudwatch = CloudWatch()
    told = look(
        account,
        cloudwatch,
        account=ACCOUNT,
        home=REGION,
        regions=regions,
        namespace="Acme",
        stack="s",
        seconds_left=lambda: seconds,
    )
    return told, cloudwatch.values


def seen(ec2: Ec2, trail: bool | None = True) -> Look:
    return look_at(ACCOUNT, REGION, Account(eu_central_1=ec2), trail)


def one(*args: Any, **more: Any) -> Any:
    (row,) = seen(Ec2(instance(*args, **more))).instances
    return row


# What an instance runs on


def test_nitro_stays_nitro_although_describe_instances_says_xen() -> None:
    row = one("m5.large")
    assert (row.verdict, row.source, row.reasons) == ("nitro", "EC2 API", ())


def test_bare_metal_is_fine() -> None:
    assert (one("m5.metal").verdict, one("m5.metal").reasons) == ("bare metal", ())


def test_a_stopped_xen_instance_is_a_finding() -> None:
    row = one("t2.micro", State={"Name": "stopped"})
    assert row.verdict == "xen" and row.reasons == ("t2.micro is Xen (EC2 API)",)


@pytest.mark.parametrize("state", ["terminated", "shutting-down"])
def test_an_instance_that_is_gone_is_none(state: str) -> None:
    assert not seen(Ec2(instance("t2.micro", State={"Name": state}))).instances


def test_a_type_that_the_api_has_forgotten_is_xen_by_the_list_with_its_day() -> None:
    assert one("p3.2xlarge").reasons == (f"p3.2xlarge is Xen (list of {LISTED})",)


def test_an_unknown_type_is_its_own_finding_and_never_nitro() -> None:
    row = one("zz9.large")
    assert row.verdict == "unknown" and "unknown to the EC2 API" in row.reasons[0]


def test_what_a_service_linked_role_has_launched_names_its_service() -> None:
    row = one("t2.micro", Tags=[{"Key": "aws:autoscaling:groupName", "Value": "web"}])
    assert "launched by Auto Scaling group web, whose service-linked role no SCP restricts" in row.reasons[0]


def test_imdsv1_volumes_and_instance_stores_without_encryption_are_found() -> None:
    row = one("m5.large", MetadataOptions={"HttpTokens": "optional"})
    assert row.reasons == ("IMDSv2 is not required",)
    (row,) = seen(Ec2(instance("m5.large"), encrypted=False)).instances
    assert row.reasons == ("not encrypted: vol-i-1",)
    assert "its instance store is not encrypted" in one("i2.xlarge").reasons
    assert one("m5d.large").storage_encrypted is True


def test_a_volume_that_nobody_has_described_is_not_encrypted() -> None:
    found = seen(Ec2(instance("m5.large"), broken={"describe_volumes": refused()}))
    assert found.instances[0].unencrypted_volumes == ("vol-i-1",)
    assert found.missing == ("volumes (UnauthorizedOperation)",)


def test_a_row_has_all_columns_of_the_report() -> None:
    row = one("m7g.large", CurrentInstanceBootMode="uefi", TpmSupport="v2.0", EnclaveOptions={"Enabled": True})
    assert (row.boot_mode, row.tpm, row.enclave, row.http_tokens) == ("uefi", "v2.0", True, "required")
    assert row.volumes == (("vol-i-1", "key"),) and row.encrypted_in_transit is True and row.account == ACCOUNT


def test_types_are_asked_for_by_a_filter_a_hundred_at_a_time() -> None:
    many = [instance(f"zz{number}.large", f"i-{number}") for number in range(250)]
    assert len(seen(Ec2(*many)).instances) == 250


# What is published


def test_every_region_counts_and_one_that_refuses_is_not_seen() -> None:
    account = Account(
        eu_central_1=Ec2(instance("t2.micro"), instance("m5.large")),
        us_east_1=Ec2(broken={"describe_instances": refused()}),
    )
    told, values = run(account)
    assert told["regions"] == 2
    assert values == {
        "XenInstances": 1,
        "UnknownTypes": 0,
        "UnprotectedInstances": 1,
        "RegionsNotSeen": 1,
        "TrailMissing": 0,
        "Looks": 1,
    }


def test_named_regions_are_looked_at_without_asking_which_there_are() -> None:
    account = Account(us_east_1=Ec2(instance("zz9.large")), eu_central_1=Ec2(broken={"describe_regions": refused()}))
    told, values = run(account, ("us-east-1",))
    assert told["regions"] == 1 and values["UnknownTypes"] == 1


def test_a_time_out_has_no_answer_and_is_named() -> None:
    late = ReadTimeoutError(endpoint_url="https://ec2")
    assert seen(Ec2(instance("m5.large"), broken={"describe_volumes": late})).missing == ("volumes (ReadTimeoutError)",)


def test_regions_that_there_is_no_time_for_are_not_seen() -> None:
    _, values = run(Account(), seconds=0)
    assert values["RegionsNotSeen"] == 2 and values["Looks"] == 1


def test_a_region_without_a_client_does_not_stop_the_others() -> None:
    class Broken(Account):
        def __call__(self, service: str, region: str | None = None, /) -> Any:
            if region == "us-east-1":
                raise refused("UnknownEndpoint")
            return super().__call__(service, region)

    _, values = run(Broken(eu_central_1=Ec2(instance("t2.micro"))))
    assert values["RegionsNotSeen"] == 1 and values["XenInstances"] == 1


# The trail


@pytest.mark.parametrize(
    ("trails", "found"),
    [
        ([], False),
        ([GOOD_TRAIL], True),
        ([{**GOOD_TRAIL, "on": False}], False),
        ([{**GOOD_TRAIL, "all": False}], False),
        ([{**GOOD_TRAIL, "on": False}, GOOD_TRAIL], True),
    ],
)
def test_a_trail_of_all_regions_must_be_on(trails: list[Json], found: bool) -> None:
    assert trails_keep(Account(CloudTrail(*trails))) is found


def test_a_trail_is_asked_in_its_home_region() -> None:
    """aws/aws-sdk-go-v2#1957, ankane/s3tk#18: elsewhere GetEventSelectors says that there is no such trail."""
    with pytest.raises(ClientError, match="TrailNotFoundException"):
        CloudTrail(GOOD_TRAIL, region="eu-central-1").get_event_selectors("0")
    for region in (None, "us-east-1", "ap-south-1"):
        assert trails_keep(Account(CloudTrail(GOOD_TRAIL)), region) is True


def test_a_trail_of_the_organization_is_unknown_to_its_members_and_rings_no_alarm() -> None:
    """cloud-custodian/cloud-custodian PR #6394."""
    trail = CloudTrail(GOOD_TRAIL, broken={"get_event_selectors": refused("TrailNotFoundException")})
    _, values = run(Account(trail))
    assert values["TrailMissing"] == 0
    _, values = run(Account(CloudTrail()))
    assert values["TrailMissing"] == 1


def test_a_trail_that_cannot_be_looked_at_is_unknown() -> None:
    assert trails_keep(Account(CloudTrail(GOOD_TRAIL, broken={"describe_trails": refused()}))) is None
    assert trails_keep(Account(CloudTrail(GOOD_TRAIL, broken={"get_event_selectors": refused()}))) is None


def basics(*kinds: str) -> Json:
    return {"EventSelectors": [{"IncludeManagementEvents": True, "ReadWriteType": kind} for kind in kinds]}


def test_a_trail_of_writes_is_enough_for_changes_and_two_trails_keep_what_both_do() -> None:
    writes, reads = ({**GOOD_TRAIL, "selectors": basics(kind)} for kind in ("WriteOnly", "ReadOnly"))
    of_writes = Account(CloudTrail(writes))
    _, values = run(of_writes)
    assert values["TrailMissing"] == 0
    assert (trails_keep(of_writes), trails_keep(of_writes, kinds={WRITES})) == (False, True)
    assert trails_keep(Account(CloudTrail(reads)), kinds={WRITES}) is False
    assert trails_keep(Account(CloudTrail(reads, writes))) is True


def management(*fields: Json) -> Json:
    return {
        "AdvancedEventSelectors": [{"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}, *fields]}]
    }


@pytest.mark.parametrize(
    ("selectors", "keeps"),
    [
        (BASIC, True),
        (
            {
                "EventSelectors": [
                    {**BASIC["EventSelectors"][0], "ExcludeManagementEventSources": ["kms.amazonaws.com"]}
                ]
            },
            False,
        ),
        ({"EventSelectors": [{"IncludeManagementEvents": False}]}, False),
        ({"EventSelectors": [{"IncludeManagementEvents": True, "ReadWriteType": "ReadOnly"}]}, False),
        (management(), True),
        (management({"Field": "eventSource", "NotEquals": ["kms.amazonaws.com"]}), False),
        (management({"Field": "readOnly", "Equals": ["true"]}), False),
        ({"AdvancedEventSelectors": [{"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Data"]}]}]}, False),
        ({}, False),
        # Several selectors together, in whatever order.
        (basics("WriteOnly", "ReadOnly"), True),
        (basics("WriteOnly", "WriteOnly"), False),
        ({"EventSelectors": [{"IncludeManagementEvents": False}, *BASIC["EventSelectors"]]}, True),
        (
            {
                "AdvancedEventSelectors": [
                    *management({"Field": "readOnly", "Equals": ["true"]})["AdvancedEventSelectors"],
                    *management({"Field": "readOnly", "Equals": ["false"]})["AdvancedEventSelectors"],
                ]
            },
            True,
        ),
        # Narrower than it looks.
        (management({"Field": "eventName", "Equals": ["RunInstances"]}), False),
        (management({"Field": "eventSource", "Equals": ["ec2.amazonaws.com"]}), False),
        (management({"Field": "eventSource", "NotEquals": ["rdsdata.amazonaws.com"]}), True),
    ],
)
def test_selectors_must_keep_the_events_of_kms(selectors: Json, keeps: bool) -> None:
    assert (kept_of_kms(selectors) == ALL) is keeps


# The seven statements


def holds(found: Look) -> dict[int, str]:
    return {answer.number: answer.holds for answer in answers(found)}


def test_the_best_account_has_what_it_can_and_nothing_of_awss() -> None:
    assert holds(seen(Ec2(instance("m7g.large")))) == {
        1: "yes",
        2: "unknown",
        3: "yes",
        4: "yes",
        5: "yes",
        6: "yes",
        7: "unknown",
    }


def test_each_statement_has_what_breaks_it() -> None:
    assert holds(seen(Ec2(instance("t2.micro"))))[1] == "no"
    console = Ec2(instance("m7g.large"))
    console.console = True
    assert holds(seen(console))[1] == "no"
    assert holds(seen(Ec2(instance("m7g.large"), encrypted=False)))[3] == "no"
    plain = Ec2(instance("m7g.large"))
    plain.by_default = False
    assert holds(seen(plain))[3] == "no"
    assert holds(seen(Ec2(instance("m5.large"))))[4] == "no"
    assert holds(seen(Ec2(instance("m7g.large", MetadataOptions={"HttpTokens": "optional"}))))[5] == "no"
    assert holds(seen(Ec2(), trail=False))[6] == "no"


@pytest.mark.parametrize(
    "operation",
    ["describe_instance_types", "get_ebs_encryption_by_default", "get_serial_console_access_status"],
)
def test_what_could_not_be_looked_at_is_never_fine(operation: str) -> None:
    found = holds(seen(Ec2(instance("m7g.large"), broken={operation: refused()}), trail=None))
    assert "yes" not in found.values()


def test_a_region_that_refuses_everything_says_nothing_at_all() -> None:
    found = seen(Ec2(broken={"describe_instances": refused()}), trail=None)
    assert set(holds(found).values()) == {"unknown"}


def test_the_readme_has_the_seven_in_the_posts_words_and_proves_nothing() -> None:
    readme = (ROOT / "stacks/nitro_attestation/README.md").read_text(encoding="utf-8")
    assert [statement.number for statement in STATEMENTS] == list(range(1, 8))
    for statement in STATEMENTS:
        assert f"| {statement.number} | {statement.hosts} | {statement.standing} |" in readme
    assert {statement.standing for statement in STATEMENTS} == {
        "enforced here",
        "observed here",
        "AWS's claim only",
    }
    assert "proves the" not in readme and "confirms the" not in readme
