"""Discovery: everything there is, odd resources included, in as few calls as the APIs allow."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from math import ceil
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.outposts_dashboard import PAGES, TAG, Account
from outposts_dashboard.discovery import SECTIONS, discover
from outposts_dashboard.sections import auto_scaling, ec2, load_balancers, outposts, rds, s3
from outposts_dashboard.wanted import Wanted

ACCOUNT, REGION = "123456789012", "eu-west-1"


class BrokenError(Exception):
    """What a client fails with."""


class Pages:
    """A client whose paginators give these pages, and remember what they were asked."""

    def __init__(self, **pages: list[dict[str, Any]]) -> None:
        self.pages = pages
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def __call__(self, _service: str) -> "Pages":
        return self

    def get_paginator(self, operation: str) -> Any:
        client = self

        class Paginator:
            def paginate(self, **asked: Any) -> Iterator[dict[str, Any]]:
                client.asked.append((operation, asked))
                found = client.pages.get(operation, [{}])
                yield from found[asked["OutpostId"]] if isinstance(found, dict) else found

        return Paginator()


def wanted(*values: str, **more: Any) -> Wanted:
    settings: dict[str, Any] = {
        "dashboard_name": "board",
        "tag_name": TAG["Key"],
        "tag_values": values,
        "by_tag_value": False,
        "explorer": False,
        "s3_namespace": "S3Outposts",
        "other_outposts": {},
        "written_by": "stack tried",
    }
    return Wanted(**{**settings, **more})


def instance(name: str, *tags: Mapping[str, str], state: str = "running", **more: Any) -> dict[str, Any]:
    found = {"InstanceId": name, "InstanceType": "m5.large", "State": {"Name": state}, **more}
    return found | ({"Tags": list(tags)} if tags else {})


# Calls


@settings(deadline=None, max_examples=20)
@given(
    st.fixed_dictionaries(
        {
            "outposts": st.integers(0, 4),
            "types": st.integers(0, 2_500),
            "instances": st.integers(0, 3_500),
            "balancers": st.integers(0, 900),
            "buckets": st.integers(0, 350),
            "groups": st.integers(0, 350),
            "databases": st.integers(0, 350),
        }
    )
)
def test_calls_are_the_pages_of_each_section_and_a_constant(counts: dict[str, int]) -> None:
    account = Account(counts)
    found = discover(account.client, wanted(), region=REGION, account=ACCOUNT, faults=())
    assert not found["failures"]
    pages = {
        "list_outposts": ceil(counts["outposts"] / 1000),
        "get_outpost_instance_types": counts["outposts"] * max(1, ceil(counts["types"] / 1000)),
        "describe_instances": ceil(counts["instances"] / 1000),
        "get_resources": ceil(counts["balancers"] / 100) + ceil(counts["buckets"] / 100),
        "describe_load_balancers": ceil(counts["balancers"] / 400),
        "describe_target_groups": ceil(counts["balancers"] / 400),
        "describe_auto_scaling_groups": ceil(counts["groups"] / 100),
        "describe_db_instances": ceil(counts["databases"] / 100),
    }
    # An empty list is a page too, of each of seven lists at most; and one call asks for the types of the instances.
    assert sum(pages.values()) <= sum(account.calls.values()) <= sum(pages.values()) + 8


def test_a_thousand_and_ten_thousand_resources_take_calls_in_proportion() -> None:
    calls: list[Counter[str]] = []
    for count in (1_000, 10_000):
        account = Account({"instances": count})
        discover(account.client, wanted(), region=REGION, account=ACCOUNT, faults=())
        calls.append(account.calls)
    assert [each["describe_instances"] for each in calls] == [1, 10]
    assert sum(calls[1].values()) - sum(calls[0].values()) == 9


def test_no_api_is_asked_for_less_than_it_gives() -> None:
    client = Pages(
        list_outposts=[{"Outposts": [{"OutpostId": "op-1", "OwnerId": ACCOUNT, "LifeCycleStatus": "ACTIVE"}]}],
        get_outpost_instance_types=[{"InstanceTypes": []}],
        describe_instances=[{"Reservations": [{"Instances": [instance("i-1", TAG)]}]}],
        describe_instance_types=[{"InstanceTypes": []}],
        get_resources=[{"ResourceTagMappingList": [{"ResourceARN": "a:loadbalancer/app/x/1", "Tags": [TAG]}]}],
        describe_target_groups=[{"TargetGroups": []}],
        describe_load_balancers=[{"LoadBalancers": []}],
        describe_auto_scaling_groups=[{"AutoScalingGroups": []}],
        describe_db_instances=[{"DBInstances": []}],
    )
    discover(client, wanted(), region=REGION, account=ACCOUNT, faults=())
    sizes = {operation: asked["PaginationConfig"]["PageSize"] for operation, asked in client.asked}
    assert sizes == PAGES


def test_many_values_are_asked_for_in_as_few_calls_as_the_filters_take() -> None:
    values = [f"op-{number:017x}" for number in range(250)]
    account = Account({"instances": 1, "buckets": 1})
    discover(account.client, wanted(*values), region=REGION, account=ACCOUNT, faults=())
    assert account.calls["describe_instances"] == 2  # 200 values of all filters
    assert (
        account.calls["get_resources"] == 3 * 13
    )  # 20 values each, for balancers and the buckets of the Region and of Outposts


# Outposts


def test_two_outposts_with_two_pages_of_types_each_are_both_whole() -> None:
    listed = [
        {"OutpostId": name, "OwnerId": ACCOUNT, "Name": name.upper(), "LifeCycleStatus": "ACTIVE"}
        for name in ("op-2", "op-1")
    ]
    client = Pages(list_outposts=[{"Outposts": listed[:1]}, {"Outposts": listed[1:]}])
    client.pages["get_outpost_instance_types"] = {  # type: ignore[assignment]
        "op-1": [{"InstanceTypes": [{"InstanceType": "u-6tb1.metal"}]}, {"InstanceTypes": [{"InstanceType": "c5"}]}],
        "op-2": [{"InstanceTypes": [{"InstanceType": "m5"}]}, {"InstanceTypes": [{"InstanceType": "r5"}]}],
    }
    found = outposts.discover(client, wanted())
    assert [(each["id"], each["types"]) for each in found] == [
        ("op-1", ["c5", "u-6tb1.metal"]),
        ("op-2", ["m5", "r5"]),
    ]


def test_an_outpost_that_is_not_active_is_listed_and_not_asked() -> None:
    client = Pages(list_outposts=[{"Outposts": [{"OutpostId": "op-1", "LifeCycleStatus": "PENDING"}]}])
    (found,) = outposts.discover(client, wanted())
    assert (found["state"], found["types"]) == ("PENDING", [])
    assert [operation for operation, _ in client.asked] == ["list_outposts"]


def test_outposts_of_other_accounts_are_shown_whether_they_are_listed_or_not() -> None:
    listed = {"OutpostId": "op-1", "OwnerId": "210987654321", "LifeCycleStatus": "ACTIVE"}
    client = Pages(list_outposts=[{"Outposts": [listed]}], get_outpost_instance_types=[{"InstanceTypes": []}])
    found = outposts.discover(client, wanted(other_outposts={"op-2": "999999999999"}))
    assert [(each["id"], each["owner"], each["types"]) for each in found] == [
        ("op-1", "210987654321", []),
        ("op-2", "999999999999", None),
    ]


# EC2


def test_every_instance_of_a_reservation_is_found_and_the_dead_are_not() -> None:
    many = [instance(f"i-{number}", TAG) for number in range(3)]
    dead = [instance("i-8", TAG, state="terminated"), instance("i-9", TAG, state="shutting-down")]
    client = Pages(
        describe_instances=[{"Reservations": [{"Instances": many}]}, {"Reservations": [{"Instances": dead}]}],
        describe_instance_types=[{"InstanceTypes": []}],
    )
    assert [one["id"] for one in ec2.discover(client, wanted())] == ["i-0", "i-1", "i-2"]


def test_an_instance_without_a_name_has_its_id_and_one_without_tags_does_not_count() -> None:
    found = [instance("i-1", TAG), instance("i-2"), instance("i-3", TAG, {"Key": "Name", "Value": "web"})]
    client = Pages(
        describe_instances=[{"Reservations": [{"Instances": found}]}],
        describe_instance_types=[{"InstanceTypes": []}],
    )
    assert [(one["id"], one["name"]) for one in ec2.discover(client, wanted())] == [("i-1", "i-1"), ("i-3", "web")]


def test_instances_on_xen_and_bare_metal_show_their_volumes() -> None:
    """AWS/EC2 has EBS metrics of "Nitro-based instances that are not bare metal instances"."""
    volumes = [{"Ebs": {"VolumeId": "vol-2"}}, {"Ebs": {"VolumeId": "vol-1"}}]
    old = instance("i-1", TAG, BlockDeviceMappings=volumes) | {"InstanceType": "t2.micro"}
    arn = f"arn:aws:outposts:{REGION}:{ACCOUNT}:outpost/op-1"
    metal = instance("i-3", TAG, BlockDeviceMappings=volumes) | {"InstanceType": "m5.metal"}
    types = [
        {"InstanceType": "t2.micro", "Hypervisor": "xen", "BareMetal": False},
        {"InstanceType": "m5.large", "Hypervisor": "nitro", "BareMetal": False},
        {"InstanceType": "m5.metal", "BareMetal": True},
    ]
    client = Pages(
        describe_instances=[{"Reservations": [{"Instances": [old, instance("i-2", TAG, OutpostArn=arn), metal]}]}],
        describe_instance_types=[{"InstanceTypes": types}],
    )
    first, second, third = ec2.discover(client, wanted())
    assert (first["nitro"], first["volumes"]) == (False, ["vol-1", "vol-2"])
    assert (second["nitro"], second["outpost"]) == (True, "op-1")
    assert (third["nitro"], third["volumes"]) == (False, ["vol-1", "vol-2"])
    assert client.asked[-1][1]["Filters"] == [{"Name": "instance-type", "Values": ["m5.large", "m5.metal", "t2.micro"]}]


def test_only_the_wanted_values_count() -> None:
    other = {"Key": TAG["Key"], "Value": "op-other"}
    both = [{"Reservations": [{"Instances": [instance("i-1", TAG), instance("i-2", other)]}]}]
    client = Pages(describe_instances=both, describe_instance_types=[{"InstanceTypes": []}])
    assert [one["id"] for one in ec2.discover(client, wanted(TAG["Value"]))] == ["i-1"]
    assert [one["id"] for one in ec2.discover(client, wanted())] == ["i-1", "i-2"]


# The others


def test_load_balancers_have_their_groups_and_only_application_load_balancers_count() -> None:
    base = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}"
    alb, nlb, gone = f"{base}:loadbalancer/app/a/1", f"{base}:loadbalancer/net/n/1", f"{base}:loadbalancer/app/gone/1"
    tagged = [{"ResourceARN": arn, "Tags": [TAG]} for arn in (alb, nlb, gone)]
    groups = [
        {"TargetGroupArn": f"{base}:targetgroup/{name}/1", "LoadBalancerArns": arns}
        for name, arns in (("z", [alb]), ("y", [alb]), ("x", [nlb]), ("w", []))
    ]
    client = Pages(
        get_resources=[{"ResourceTagMappingList": tagged}],
        describe_target_groups=[{"TargetGroups": groups[:1]}, {"TargetGroups": groups[1:]}],
        describe_load_balancers=[{"LoadBalancers": [{"LoadBalancerArn": alb, "LoadBalancerName": "a"}]}],
    )
    (found,) = load_balancers.discover(client, wanted())
    assert (found["id"], found["groups"]) == ("app/a/1", ["targetgroup/y/1", "targetgroup/z/1"])


def test_buckets_with_dots_and_buckets_on_outposts_are_found_by_their_arns() -> None:
    arns = [
        "arn:aws:s3:::plans.example.com",
        f"arn:aws:s3-outposts:{REGION}:{ACCOUNT}:outpost/op-1/bucket/on-site",
        "arn:aws-cn:s3:::other",
        f"arn:aws:s3-outposts:{REGION}:{ACCOUNT}:outpost/op-1/accesspoint/no-bucket",
    ]
    client = Pages(get_resources=[{"ResourceTagMappingList": [{"ResourceARN": arn, "Tags": [TAG]} for arn in arns]}])
    found = [(one["id"], one["outpost"]) for one in s3.discover(client, wanted())]
    assert found == [("other", ""), ("plans.example.com", ""), ("on-site", "op-1")]


@pytest.mark.parametrize(
    ("metrics", "whole"),
    [(None, False), (["GroupDesiredCapacity"], False), (["GroupDesiredCapacity", "GroupInServiceInstances"], True)],
)
def test_a_group_says_whether_it_publishes_what_is_shown(metrics: list[str] | None, whole: bool) -> None:
    group = {"AutoScalingGroupName": "g", "Tags": [TAG]}
    if metrics is not None:
        group["EnabledMetrics"] = [{"Metric": name} for name in metrics]
    client = Pages(describe_auto_scaling_groups=[{"AutoScalingGroups": [group]}])
    assert auto_scaling.discover(client, wanted()) == [{"id": "g", "metrics": whole, "tag": TAG["Value"]}]


def test_databases_are_found_by_the_tags_of_their_list_and_know_their_outpost() -> None:
    arn = f"arn:aws:outposts:{REGION}:{ACCOUNT}:outpost/op-1"
    databases = [
        {
            "DBInstanceIdentifier": "a",
            "TagList": [TAG],
            "DBSubnetGroup": {"Subnets": [{"SubnetOutpost": {"Arn": arn}}]},
        },
        {"DBInstanceIdentifier": "b", "TagList": []},
        {"DBInstanceIdentifier": "c", "TagList": [TAG], "DBInstanceStatus": "deleting"},
    ]
    client = Pages(describe_db_instances=[{"DBInstances": databases}])
    assert [(one["id"], one["outpost"]) for one in rds.discover(client, wanted())] == [("a", "op-1")]


# All of them


@pytest.mark.parametrize("broken", list(SECTIONS))
def test_a_section_that_fails_leaves_the_others_and_is_named(broken: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> list[dict[str, Any]]:
        raise BrokenError("AccessDenied " + "x" * 1000)

    monkeypatch.setattr("outposts_dashboard.discovery.SECTIONS", {**SECTIONS, broken: fail})
    account = Account({"outposts": 1, "types": 1, "instances": 1, "buckets": 1, "groups": 1, "databases": 1})
    found = discover(account.client, wanted(), region=REGION, account=ACCOUNT, faults=(BrokenError,))
    assert list(found["failures"]) == [broken] and len(found["failures"][broken]) == 300
    assert set(found["sections"]) == set(SECTIONS) - {broken}


def test_what_is_no_fault_of_a_section_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> list[dict[str, Any]]:
        raise TypeError("a mistake of ours")

    monkeypatch.setattr("outposts_dashboard.discovery.SECTIONS", {"ec2": fail})
    with pytest.raises(TypeError, match="mistake"):
        discover(Pages(), wanted(), region=REGION, account=ACCOUNT, faults=(BrokenError,))


def test_settings_survive_the_way_through_an_environment_variable() -> None:
    settings = wanted("a", "b", other_outposts={"op-1": ACCOUNT})
    assert Wanted.read(settings.text()) == settings
    assert settings.text() == Wanted.read(settings.text()).text()


# One that fails leaves the others


class Refusing(Pages):
    """Refuses what *refuses* says of a call's arguments."""

    def __init__(self, code: str, refuses: Callable[[dict[str, Any]], bool], **pages: Any) -> None:
        super().__init__(**pages)
        self.code, self.refuses = code, refuses

    def get_paginator(self, operation: str) -> Any:
        inner = super().get_paginator(operation)
        client = self

        class Paginator:
            def paginate(self, **asked: Any) -> Iterator[dict[str, Any]]:
                if client.refuses(asked):
                    raise ClientError({"Error": {"Code": client.code, "Message": "not supported"}}, operation)
                yield from inner.paginate(**asked)

        return Paginator()


BUCKET = {"ResourceTagMappingList": [{"ResourceARN": "arn:aws:s3:::here", "Tags": [TAG]}]}


def test_buckets_of_the_region_are_shown_where_the_tagging_api_does_not_know_outposts() -> None:
    """prometheus-community/yet-another-cloudwatch-exporter#1150: one unknown service refuses the whole call."""
    client = Refusing(
        "InvalidParameterException", lambda asked: "s3-outposts" in asked["ResourceTypeFilters"], get_resources=[BUCKET]
    )
    assert [one["id"] for one in s3.discover(client, wanted())] == ["here"]


@pytest.mark.parametrize(
    ("code", "kind"), [("AccessDeniedException", "s3-outposts"), ("InvalidParameterException", "s3")]
)
def test_any_other_refusal_of_buckets_is_a_failure(code: str, kind: str) -> None:
    client = Refusing(code, lambda asked: asked["ResourceTypeFilters"] == [kind], get_resources=[BUCKET])
    with pytest.raises(ClientError):
        s3.discover(client, wanted())


def test_an_outpost_that_does_not_tell_its_types_leaves_the_others() -> None:
    names = ("op-1", "op-2")
    listed = [{"OutpostId": name, "LifeCycleStatus": "ACTIVE", "OwnerId": ACCOUNT} for name in names]
    types = {name: [{"InstanceTypes": [{"InstanceType": "m5.large"}]}] for name in names}
    client = Refusing(
        "AccessDeniedException",
        lambda asked: asked.get("OutpostId") == "op-1",
        list_outposts=[{"Outposts": listed}],
        get_outpost_instance_types=types,
    )
    assert [one["types"] for one in outposts.discover(client, wanted())] == [None, ["m5.large"]]
