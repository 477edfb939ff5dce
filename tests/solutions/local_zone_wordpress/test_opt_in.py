"""Opt-in: in, never out; refuses zones and types that are not there, with the nearest names."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from local_zone_wordpress.opt_in import handler, zones
from local_zone_wordpress.opt_in.zones import ZoneError, chosen, local_zones, missing_types, region_of
from shared import custom_resource

REGION = "us-east-1"
ZONE = "us-east-1-atl-2a"


def described(name: str, status: str = "not-opted-in") -> dict[str, str]:
    return {
        "ZoneName": name,
        "GroupName": name[:-1],
        "NetworkBorderGroup": name[:-1],
        "OptInStatus": status,
        "ZoneType": "local-zone",
        "ParentZoneName": "us-east-1d",
    }


class Ec2:
    """Takes some looks until an account is opted in; offers types on two pages."""

    def __init__(self, *, opted_in: bool = False, looks: int = 0, late: int = 0) -> None:
        self.opted_in, self.looks, self.late = opted_in, looks, late
        self.asked: list[str] = []
        self.modified: list[dict[str, str]] = []

    def describe_availability_zones(self, **wanted: Any) -> Any:
        assert wanted["AllAvailabilityZones"] is True
        self.asked.append("zones")
        if self.modified and not self.opted_in:
            self.looks -= 1
            self.opted_in = self.looks < 0
        status = "opted-in" if self.opted_in else "not-opted-in"
        return {"AvailabilityZones": [described(ZONE, status), described("us-east-1-bos-1a")]}

    def modify_availability_zone_group(self, **change: str) -> None:
        self.modified.append(change)

    def get_paginator(self, operation: str) -> Any:
        assert operation == "describe_instance_type_offerings"
        return self

    def paginate(self, **wanted: Any) -> Any:
        assert wanted == {"LocationType": "availability-zone", "Filters": [{"Name": "location", "Values": [ZONE]}]}
        self.late -= 1
        if self.late >= 0:
            return
        for name in ("t3.medium", "c6i.large"):
            yield {"InstanceTypeOfferings": [{"InstanceType": name}]}


class Context:
    """A function with so much time left."""

    def __init__(self, milliseconds: int = 800_000) -> None:
        self.milliseconds = milliseconds

    def get_remaining_time_in_millis(self) -> int:
        return self.milliseconds


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    found: list[float] = []
    monkeypatch.setattr("local_zone_wordpress.opt_in.handler.time.sleep", found.append)
    monkeypatch.setenv("AWS_REGION", REGION)
    monkeypatch.setenv("POLL_SECONDS", "10")
    return found


def deliver(
    monkeypatch: pytest.MonkeyPatch, ec2: Ec2, kind: str = "Create", context: Context | None = None, **properties: Any
) -> dict[str, Any]:
    answers: list[dict[str, Any]] = []
    monkeypatch.setattr(handler, "client", lambda _: ec2)
    monkeypatch.setattr(custom_resource, "upload", lambda _, body: answers.append(json.loads(body)))
    event = {
        "RequestType": kind,
        "ResponseURL": "https://answer.example",
        "StackId": "stack",
        "RequestId": "r-1",
        "LogicalResourceId": "OptIn",
        **({"PhysicalResourceId": ZONE} if kind != "Create" else {}),
        "ResourceProperties": {"Zone": ZONE, "OptIn": "true", "InstanceTypes": ["t3.medium"], **properties},
    }
    handler.lambda_handler(event, context or Context())
    return answers[-1]


def test_it_opts_in_and_waits(monkeypatch: pytest.MonkeyPatch, slept: list[float]) -> None:
    ec2 = Ec2(looks=3)
    answer = deliver(monkeypatch, ec2)
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", ZONE)
    assert ec2.modified == [{"GroupName": "us-east-1-atl-2", "OptInStatus": "opted-in"}]
    assert slept == [10.0] * 3


def test_offerings_that_come_after_the_opt_in_are_waited_for(
    monkeypatch: pytest.MonkeyPatch, slept: list[float]
) -> None:
    assert deliver(monkeypatch, Ec2(opted_in=True, late=2))["Status"] == "SUCCESS"
    assert slept == [10.0] * 2
    answer = deliver(monkeypatch, Ec2(opted_in=True, late=99), context=Context(30_000))
    assert answer["Status"] == "FAILED" and "offers no instance type" in answer["Reason"]


def test_what_is_opted_in_already_is_left_alone_even_if_asked_twice(
    monkeypatch: pytest.MonkeyPatch, slept: list[float]
) -> None:
    ec2 = Ec2(opted_in=True)
    for kind in ("Create", "Create", "Update"):
        assert deliver(monkeypatch, ec2, kind)["Status"] == "SUCCESS"
    assert ec2.modified == [] and slept == []


def test_a_deletion_never_opts_out_and_asks_for_nothing(monkeypatch: pytest.MonkeyPatch, slept: list[float]) -> None:
    ec2 = Ec2(opted_in=True)
    answer = deliver(monkeypatch, ec2, "Delete")
    assert answer["Status"] == "SUCCESS" and ec2.modified == [] and ec2.asked == []


def test_without_the_right_to_opt_in_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch, slept: list[float]) -> None:
    ec2 = Ec2()
    answer = deliver(monkeypatch, ec2, OptIn="false")
    assert answer["Status"] == "FAILED" and f"zone enable {ZONE}" in answer["Reason"]
    assert ec2.modified == []


def test_a_wait_that_does_not_end_fails_before_the_function_does(
    monkeypatch: pytest.MonkeyPatch, slept: list[float]
) -> None:
    """A timeout is none of the errors that are told and swallowed: CloudFormation hears, and the function fails."""
    with pytest.raises(TimeoutError, match="deploy again"):
        deliver(monkeypatch, Ec2(looks=99), context=Context(30_000))
    assert slept == []


@pytest.mark.parametrize(
    ("properties", "says"),
    [
        ({"Zone": "us-east-1-atl-9z"}, f"us-east-1 has no Local Zone us-east-1-atl-9z; nearest here: {ZONE}"),
        ({"Zone": "us-west-2-lax-1a"}, "us-west-2-lax-1a extends us-west-2, and this is us-east-1"),
        ({"Zone": "us-east-1a"}, "is no name of a Local Zone"),
        ({"InstanceTypes": ["t3.medium", "t3.nano"]}, f"{ZONE} does not offer t3.nano (nearest: t3.medium)"),
    ],
)
def test_what_is_not_there_is_refused_with_the_nearest_names(
    monkeypatch: pytest.MonkeyPatch, slept: list[float], properties: dict[str, Any], says: str
) -> None:
    answer = deliver(monkeypatch, Ec2(opted_in=True), **properties)
    assert answer["Status"] == "FAILED" and says in answer["Reason"], answer


def test_a_refusal_by_ec2_is_told(monkeypatch: pytest.MonkeyPatch, slept: list[float]) -> None:
    class Denied(Ec2):
        def modify_availability_zone_group(self, **change: str) -> None:
            raise ClientError({"Error": {"Code": "UnauthorizedOperation"}}, "ModifyAvailabilityZoneGroup")

    assert "UnauthorizedOperation" in deliver(monkeypatch, Denied())["Reason"]


# The rules


def test_only_local_zones_count() -> None:
    others = [{**described("x"), "ZoneType": "wavelength-zone"}, {"ZoneType": "availability-zone"}]
    assert [zone.name for zone in local_zones([described(ZONE), *others])] == [ZONE]


@given(st.text(max_size=30))
def test_a_name_is_a_zone_of_its_region_or_refused(name: str) -> None:
    try:
        region = region_of(name)
    except ZoneError as error:
        assert repr(name) in str(error)
    else:
        assert name.startswith(f"{region}-")


NAMES = st.lists(
    st.builds("us-east-1-{}-{}a".format, st.sampled_from(["atl", "bos", "mia", "nyc"]), st.integers(1, 9)), unique=True
)


@given(NAMES, st.sampled_from(["us-east-1-atl-1a", "us-east-1-zzz-1a"]))
def test_a_refusal_names_zones_that_exist(names: list[str], wanted: str) -> None:
    found = local_zones([described(name) for name in names])
    if wanted in names:
        assert chosen(wanted, found, REGION).group == wanted[:-1]
        return
    with pytest.raises(ZoneError) as refused:
        chosen(wanted, found, REGION)
    named = str(refused.value).partition("nearest here: ")[2].split(", ")
    assert set(named) <= set(names) | {""} and bool(named[0]) == bool(names)


@given(
    st.lists(st.sampled_from(["t3.medium", "c5.large", "m5.xlarge", "t3a.large"])),
    st.sets(st.sampled_from(["t3.medium", "c6i.large"])),
)
def test_all_types_are_offered_or_the_missing_ones_are_named(wanted: list[str], offered: set[str]) -> None:
    says = missing_types(wanted, offered, ZONE)
    missing = set(wanted) - offered
    assert (says is None) == (not missing)
    if says and offered:
        assert all(name in says for name in missing)


def test_the_nearest_types_are_of_the_family_and_then_of_the_size() -> None:
    assert zones.nearest_types("t3.small", ["c5.large", "t3.large", "t2.small"]) == ["t3.large", "t2.small"]
