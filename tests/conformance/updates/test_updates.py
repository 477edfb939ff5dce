"""The rules on updates, and the faults that they catch; ``make updates`` holds them against every solution."""

from copy import deepcopy
from typing import Any

import pytest

from stacks.series import SOLUTIONS
from tests.conformance import told as of
from tests.conformance.updates.looking import by_design, looked_at, unchecked_types
from tests.conformance.updates.model import Update
from tests.conformance.updates.rules import findings

Json = dict[str, Any]
SLUGS = [solution.slug for solution in SOLUTIONS]


def test_one_other_value_of_each_setting_can_be_deployed_and_taken_back() -> None:
    """Of the smallest solution; ``make updates`` does it with all of them, from all of their states."""
    with unchecked_types():
        found, compared, _ = looked_at("instance_connect_endpoint", all_of_them=False)
    assert [str(one) for one in found] == []
    assert compared > 20


@pytest.mark.parametrize("slug", SLUGS)
def test_what_a_solution_tells_has_a_name_that_is_asked_for_and_a_reason(slug: str) -> None:
    names = {name for name in vars(of.told_by(slug) or object) if name.isupper() and name[0] != "_"} - {"COMMON"}
    assert names <= set(of.NAMES)
    for name in ("ONE_VALUE_ONLY", "BY_DESIGN", "REACHES", "NOT_SHOWN", "NOT_DEPLOYED", "OUTLIVES"):
        assert all(of.told(slug, name, {}).values())


def administered_by(*principals: Any) -> Json:
    allow = {"Effect": "Allow", "Principal": {"AWS": list(principals)}, "Action": ["kms:PutKeyPolicy"], "Resource": "*"}
    return {"Statement": [allow]}


REF = {"Ref": "Vpc"}
BEFORE: dict[str, Json] = {
    "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}},
    "Gateway": {"Type": "AWS::EC2::InternetGateway"},
    "Attachment": {
        "Type": "AWS::EC2::VPCGatewayAttachment",
        "Properties": {"VpcId": REF, "InternetGatewayId": {"Ref": "Gateway"}},
    },
    "Workers": {
        "Type": "AWS::EC2::Subnet",
        "Properties": {"VpcId": REF, "CidrBlock": "10.0.0.0/20", "AvailabilityZone": "a"},
    },
    "NatSubnet": {
        "Type": "AWS::EC2::Subnet",
        "Properties": {"VpcId": REF, "CidrBlock": "10.0.16.0/28", "AvailabilityZone": "a"},
    },
    "Address": {"Type": "AWS::EC2::EIP", "Properties": {"Domain": "vpc"}, "DependsOn": "Attachment"},
    "Nat": {
        "Type": "AWS::EC2::NatGateway",
        "Properties": {"SubnetId": {"Ref": "NatSubnet"}, "AllocationId": {"Fn::GetAtt": ["Address", "AllocationId"]}},
    },
    "Volume": {"Type": "AWS::EC2::Volume", "Properties": {"AvailabilityZone": "a", "Size": 20}},
    "Items": {
        "Type": "AWS::DynamoDB::Table",
        "Properties": {"KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}]},
    },
    "Group": {"Type": "AWS::EC2::SecurityGroup", "Properties": {"VpcId": REF, "GroupDescription": "as it was"}},
    "Balancer": {
        "Type": "AWS::ElasticLoadBalancingV2::LoadBalancer",
        "Properties": {"SecurityGroups": [{"Fn::GetAtt": ["Group", "GroupId"]}]},
    },
    "Listener": {
        "Type": "AWS::ElasticLoadBalancingV2::Listener",
        "Properties": {"LoadBalancerArn": {"Ref": "Balancer"}, "Port": 80},
    },
    "Evening": {
        "Type": "AWS::AutoScaling::ScheduledAction",
        "Properties": {"AutoScalingGroupName": "g", "Recurrence": "0 20 * * *", "TimeZone": "UTC"},
    },
    "Morning": {
        "Type": "AWS::AutoScaling::ScheduledAction",
        "Properties": {"AutoScalingGroupName": "g", "Recurrence": "0 6 * * *", "TimeZone": "UTC"},
    },
    "Parameter": {"Type": "AWS::SSM::Parameter", "Properties": {"Name": "/fixed", "Type": "String", "Value": "v"}},
    "Custom": {"Type": "Custom::Thing", "Properties": {"ServiceToken": "arn:one"}},
    "Key": {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": administered_by("arn:one")}},
}


def after(**changed: Any) -> dict[str, Json]:
    """The resources with other properties, by ``Resource__Property``, or other resources; None takes one away."""
    found = deepcopy(BEFORE)
    for key, value in changed.items():
        name, _, prop = key.partition("__")
        if prop:
            found[name].setdefault("Properties", {})[prop] = value
        elif value is None:
            del found[name]
        else:
            found[name] = value
    return found


def told(new: dict[str, Json], old: dict[str, Json] = BEFORE) -> set[tuple[str, str]]:
    return {(found.resource, found.rule) for found in findings(Update(old, new), "here")}


def test_no_change_and_a_change_in_place_are_let_alone() -> None:
    assert told(deepcopy(BEFORE)) == set()
    assert told(after(Volume__Size=30, Parameter__Value="w", Listener__Port=443)) == set()
    both = after(Key__KeyPolicy=administered_by("arn:one", {"Fn::GetAtt": ["Role", "Arn"]}))
    assert told(both) == told(after(Key__KeyPolicy=administered_by({"Fn::GetAtt": ["Role", "Arn"]})), both) == set()


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"Items": {"Type": "AWS::SNS::Topic"}}, ("Items", "another-type")),
        ({"Custom__ServiceToken": "arn:two"}, ("Custom", "another-service-token")),
        ({"NatSubnet__CidrBlock": "10.0.32.0/28"}, ("Nat", "collision")),
        ({"Listener": None, "Other": BEFORE["Listener"]}, ("Other", "collision")),
        ({"Parameter": None, "Other": BEFORE["Parameter"]}, ("Other", "collision")),
        ({"Evening__Recurrence": "0 6 * * *", "Morning__Recurrence": "0 20 * * *"}, ("Evening", "swap")),
        (
            {"Third": {"Type": "AWS::EC2::Subnet", "Properties": {"VpcId": REF, "CidrBlock": "10.0.16.0/20"}}},
            ("Third", "range-overlaps"),
        ),
        ({"Workers__AvailabilityZone": "b"}, ("Workers", "range-overlaps")),
        ({"Vpc__CidrBlock": "10.1.0.0/16"}, ("Attachment", "deleted-first")),
        ({"Vpc__CidrBlock": "10.1.0.0/16"}, ("Balancer", "another-vpc")),
        ({"Key__KeyPolicy": administered_by("arn:two")}, ("Key", "key-handover")),
        ({"Volume__SnapshotId": "snap-1"}, ("Volume", "volume-property")),
        ({"Volume__Size": 10}, ("Volume", "volume-shrinks")),
        ({"Items__KeySchema": [{"AttributeName": "other", "KeyType": "HASH"}]}, ("Items", "loss")),
        ({"Address": None, "Other": {"Type": "AWS::EC2::EIP"}}, ("Address", "loss")),
        ({"Group__GroupDescription": "said better"}, ("Group", "needless")),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, tuple) else "",
)
def test_a_fault_that_is_put_in_is_told(changed: Json, expected: tuple[str, str]) -> None:
    assert expected in told(after(**changed))


def guard(value: str, accepted: bool = False) -> Json:
    return {
        "Type": "Custom::Guard",
        "Properties": {"ServiceToken": "arn:one", "Guarded": {"Cidr": value}, "Accepted": accepted},
    }


def test_a_guard_counts_if_its_value_changes_its_switch_is_off_and_the_resource_depends_on_it() -> None:
    def guarded(value: str, *, accepted: bool = False, depends: bool = True) -> dict[str, Json]:
        found = after(Items__KeySchema=[{"AttributeName": value, "KeyType": "HASH"}], Volume__SnapshotId=value)
        found["Guard"] = guard(value, accepted)
        for name in ("Items", "Volume"):
            found[name]["DependsOn"] = ["Guard"] if depends else []
        return found

    assert told(guarded("b"), guarded("a")) == set()
    assert told(guarded("b", accepted=True), guarded("a")) == {("Items", "loss"), ("Volume", "volume-property")}
    assert ("Volume", "volume-property") in told(guarded("b", depends=False), guarded("a", depends=False))
    unchanged = guarded("b")
    unchanged["Guard"] = guard("a")
    assert told(unchanged, guarded("a")) == {("Items", "loss"), ("Volume", "volume-property")}


def test_the_way_that_a_handover_frees_and_what_goes_with_its_feature_are_let_alone() -> None:
    association = {
        "Type": "AWS::EC2::LocalGatewayRouteTableVPCAssociation",
        "Properties": {"VpcId": "v", "LocalGatewayRouteTableId": "t"},
    }
    handover = {"Type": "Custom::Handover", "Properties": {"ServiceToken": "arn:one"}}
    before = {"Old": association}
    assert told({"New": association}, before) == {("New", "collision")}
    assert told({"New": {**association, "DependsOn": ["Handover"]}, "Handover": handover}, before) == set()
    assert told(after(Items=None, Parameter=None)) == set()
    queue = {"Type": "AWS::SQS::Queue"}
    assert told({"Other": queue}, {"One": queue}) == set()
    retained = {**BEFORE["Items"], "UpdateReplacePolicy": "Retain"}
    changed = deepcopy(retained)
    changed["Properties"] = {"KeySchema": [{"AttributeName": "other", "KeyType": "HASH"}]}
    assert told(after(Items=changed), after(Items=retained)) == set()


def test_the_reason_of_a_replacement_follows_references() -> None:
    update = Update(BEFORE, after(Vpc__CidrBlock="10.1.0.0/16"))
    assert {"Vpc", "Workers", "NatSubnet", "Nat", "Group", "Attachment"} <= set(update.replaced)
    assert "Balancer" not in update.replaced and "Address" not in update.replaced


def test_a_custom_resource_that_changes_may_answer_another_value_and_replaces_what_has_it_there() -> None:
    def there(content: str, recipe: str) -> dict[str, Json]:
        version = {"Type": "Custom::Version", "Properties": {"ServiceToken": "f", "Content": content}}
        own = {"Name": "own", "Version": {"Ref": "Version"}, "Platform": "Linux"}
        named = {"Name": "image", "Version": recipe, "Components": [{"ComponentArn": {"Fn::GetAtt": ["Own", "Arn"]}}]}
        return {
            "Version": version,
            "Own": {"Type": "AWS::ImageBuilder::Component", "Properties": own},
            "Recipe": {"Type": "AWS::ImageBuilder::ImageRecipe", "Properties": {"ParentImage": "ami", **named}},
        }

    old = there("1", "1.0.0")
    assert told(there("2", "1.0.0"), old) == {("Recipe", "collision")}
    assert told(there("2", "1.0.1"), old) == told(old, old) == set()


def test_what_is_by_design_is_found_by_its_globs() -> None:
    (finding,) = findings(Update(BEFORE, after(Volume__Size=10)), "s [default] data_gib -> 10")
    assert by_design("local_zone_wordpress", finding) is None  # another logical id
    assert by_design("odcr_asg", finding) is None
