"""The commands of instance_connect_endpoint: what bills, what would stop a deployment, why a connection would fail."""

from argparse import Namespace
from copy import deepcopy
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from config.models import CommonSettings, ExistingVpc
from stacks.instance_connect_endpoint.commands import LINUX_GIB, WINDOWS_GIB, findings, idle_month
from stacks.instance_connect_endpoint.doctor import doctor
from stacks.instance_connect_endpoint.rules import Peer, allows, is_open_to_everyone
from stacks.instance_connect_endpoint.settings import (
    InstanceConnectEndpointSettings,
    keeps_client_ip,
)
from stacks.shared.command import CommandError
from stacks.shared.instance_attributes import is_arm
from tests import variants
from tests.billed import by_unit

Json = dict[str, Any]
VPC = ExistingVpc(id="vpc-01234567", subnet_ids=("subnet-01234567",))
PRESERVING = {"preserve_client_ip": True, "client_cidrs": ["203.0.113.0/24"]}


def settings(**wanted: Any) -> InstanceConnectEndpointSettings:
    return InstanceConnectEndpointSettings.model_validate(wanted)


def rule(port: int, **peer: Any) -> Json:
    return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, **peer}


def group(group_id: str) -> Json:
    return {"UserIdGroupPairs": [{"GroupId": group_id}]}


def ranges(*cidrs: str) -> Json:
    return {"IpRanges": [{"CidrIp": cidr} for cidr in cidrs]}


class Account:
    """An account in which everything is as it should be; a test spoils one thing."""

    def __init__(self) -> None:
        self.outputs = {"EndpointId": "eice-1", "LinuxInstanceId": "i-linux", "WindowsInstanceId": "i-windows"}
        self.endpoint: Json = {
            "InstanceConnectEndpointId": "eice-1",
            "InstanceConnectEndpointArn": "arn:aws:ec2:eu-west-1:123456789012:instance-connect-endpoint/eice-1",
            "State": "create-complete",
            "SubnetId": "subnet-01234567",
            "VpcId": "vpc-01234567",
            "SecurityGroupIds": ["sg-endpoint"],
            "NetworkInterfaceIds": ["eni-1"],
            "PreserveClientIp": False,
        }
        self.instance: Json = {
            "InstanceId": "i-linux",
            "InstanceType": "t4g.nano",
            "State": {"Name": "running"},
            "VpcId": "vpc-01234567",
            "PrivateIpAddress": "10.0.0.9",
            "SecurityGroups": [{"GroupId": "sg-instance"}],
            "Tags": [{"Key": "instance-connect", "Value": "allowed"}],
        }
        self.groups: dict[str, Json] = {
            "sg-endpoint": {"IpPermissions": [], "IpPermissionsEgress": [rule(22, **group("sg-instance"))]},
            "sg-instance": {"IpPermissions": [rule(22, **group("sg-endpoint"))], "IpPermissionsEgress": []},
        }
        self.arn = "arn:aws:sts::123456789012:assumed-role/Operators/ada"
        self.decisions: dict[str, str] = {}
        self.simulated: list[Json] = []
        self.trails = [{"Name": "ours", "TrailARN": "arn:trail", "logs": True}]
        self.selectors: Json = {"EventSelectors": [{"IncludeManagementEvents": True, "ReadWriteType": "All"}]}
        self.subnet: Json = {"SubnetId": "subnet-01234567", "VpcId": "vpc-01234567", "AvailabilityZone": "eu-west-1a"}
        self.offered = ["eu-west-1a"]
        self.not_ours: set[str] = set()  # trails that only their management account may look at
        self.denied: set[str] = set()
        self.log_policies = 9

    def __call__(self, service: str, region: str | None = None, /) -> "Account":
        return self

    @property
    def meta(self) -> Any:
        return Namespace(region_name="eu-west-1")

    def __getattr__(self, operation: str) -> Any:
        raise AssertionError(f"unexpected call: {operation}")

    def get_paginator(self, operation: str) -> Any:
        return Namespace(paginate=lambda **request: [getattr(self, operation)(**request)])

    def describe_stacks(self, **_: Any) -> Json:
        if not self.outputs:
            raise ClientError({"Error": {"Code": "ValidationError", "Message": "no such stack"}}, "DescribeStacks")
        return {"Stacks": [{"Outputs": [{"OutputKey": k, "OutputValue": v} for k, v in self.outputs.items()]}]}

    def describe_instance_connect_endpoints(self, **_: Any) -> Json:
        if "describe" in self.denied:
            error = {"Error": {"Code": "UnauthorizedOperation", "Message": "no"}}
            raise ClientError(error, "DescribeInstanceConnectEndpoints")
        return {"InstanceConnectEndpoints": [self.endpoint] if self.endpoint else []}

    def describe_instances(self, InstanceIds: list[str]) -> Json:  # noqa: N803
        return {"Reservations": [{"Instances": [{**self.instance, "InstanceId": InstanceIds[0]}]}]}

    def describe_security_groups(self, GroupIds: list[str]) -> Json:  # noqa: N803
        return {"SecurityGroups": [self.groups[group_id] for group_id in GroupIds]}

    def describe_network_interfaces(self, **_: Any) -> Json:
        return {"NetworkInterfaces": [{"PrivateIpAddress": "10.0.0.4"}]}

    def describe_subnets(self, **_: Any) -> Json:
        return {"Subnets": [self.subnet]}

    def describe_availability_zones(self, **_: Any) -> Json:
        return {"AvailabilityZones": [{}]}

    def describe_instance_type_offerings(self, LocationType: str, **_: Any) -> Json:  # noqa: N803
        assert LocationType == "availability-zone"
        return {"InstanceTypeOfferings": [{"Location": zone} for zone in self.offered]}

    def describe_resource_policies(self) -> Json:
        return {"resourcePolicies": [{}] * self.log_policies}

    def describe_trails(self, **_: Any) -> Json:
        return {"trailList": self.trails}

    def get_trail_status(self, **_: Any) -> Json:
        return {"IsLogging": self.trails[0]["logs"]}

    def get_event_selectors(self, TrailName: str) -> Json:  # noqa: N803
        if TrailName in self.not_ours:
            raise ClientError({"Error": {"Code": "TrailNotFoundException", "Message": "no"}}, "GetEventSelectors")
        return self.selectors

    def get_parameter(self, **_: Any) -> Json:
        return {"Parameter": {"Value": "30"}}

    def get_caller_identity(self) -> Json:
        return {"Account": "123456789012", "Arn": self.arn}

    def get_role(self, RoleName: str) -> Json:  # noqa: N803
        return {"Role": {"Arn": f"arn:aws:iam::123456789012:role/{RoleName}"}}

    def simulate_principal_policy(self, **request: Any) -> Json:
        self.simulated.append(request)
        results = [
            {"EvalActionName": action, "EvalDecision": self.decisions.get(action, "allowed")}
            for action in request["ActionNames"]
        ]
        return {"EvaluationResults": results}


def examined(
    account: Account, wanted: InstanceConnectEndpointSettings | None = None, **options: Any
) -> dict[str, Json]:
    asked = Namespace(**{"instance": None, "port": None, "client_ip": None, "principal": None, **options})
    answer = doctor(asked, CommonSettings(), wanted or settings(), account)
    assert answer.ok is not any(finding["status"] == "problem" for finding in answer.data)
    return {finding["what"]: finding for finding in answer.data}


# The doctor


def test_where_all_is_well_the_doctor_finds_nothing() -> None:
    found = examined(Account())
    assert {finding["status"] for finding in found.values()} == {"ok"}
    assert list(found) == [
        "port",
        "endpoint",
        "instance",
        "group of the endpoint",
        "group of the instance",
        "right to open a tunnel",
        "right to push a key",
        "right to look",
    ]


def test_an_endpoint_that_was_changed_is_a_healthy_one() -> None:
    """https://github.com/aws/aws-cli/issues/9715."""
    assert examined(spoil(Account(), endpoint__State="update-complete"))["endpoint"]["status"] == "ok"


@pytest.mark.parametrize("state", ["terminated", "running"])
def test_an_instance_without_a_private_address_is_a_finding_and_no_traceback(state: str) -> None:
    account = spoil(Account(), instance__State={"Name": state})
    del account.instance["PrivateIpAddress"], account.instance["SecurityGroups"]
    found = examined(account)
    assert found["instance"]["status"] == "problem"
    assert found["right to open a tunnel"]["status"] == "unknown"


def test_iam_is_asked_for_this_port_address_and_duration() -> None:
    account = Account()
    examined(account, settings(tunnel_seconds=900))
    tunnel, push, _ = account.simulated
    assert tunnel["PolicySourceArn"] == "arn:aws:iam::123456789012:role/Operators"
    assert {e["ContextKeyName"]: e["ContextKeyValues"] for e in tunnel["ContextEntries"]} == {
        "ec2-instance-connect:remotePort": ["22"],
        "ec2-instance-connect:privateIpAddress": ["10.0.0.9"],
        "ec2-instance-connect:maxTunnelDuration": ["900"],
    }
    assert push["ResourceArns"] == ["arn:aws:ec2:eu-west-1:123456789012:instance/i-linux"]


def spoil(account: Account, **changes: Any) -> Account:
    for path, value in changes.items():
        name, _, key = path.partition("__")
        if key:
            getattr(account, name)[key] = value
        else:
            setattr(account, name, value)
    return account


OPEN = {"IpPermissions": [rule(22, **ranges("0.0.0.0/0"))]}
SHUT: Json = {"IpPermissions": [], "IpPermissionsEgress": []}


@pytest.mark.parametrize(
    ("what", "changes", "options", "fix"),
    [
        ("port", {}, {"port": 3389}, "Add 3389 to ports"),
        ("port", {}, {"port": 443}, "ssh -L"),
        ("endpoint", {"endpoint__State": "create-failed"}, {}, "endpoint: false"),
        ("endpoint", {"endpoint__State": "create-in-progress"}, {}, "Wait"),
        ("endpoint", {"endpoint__State": "update-in-progress"}, {}, "Wait"),
        ("endpoint", {"endpoint__State": "update-failed"}, {}, "change it again"),
        ("instance", {"instance__State": {"Name": "stopped"}}, {}, "start-instances --instance-ids i-linux"),
        ("group of the endpoint", {"groups__sg-endpoint": SHUT}, {}, "InstanceGroupId"),
        ("group of the instance", {"groups__sg-instance": SHUT}, {}, "InstanceGroupId"),
        ("group of the instance", {"groups__sg-instance": OPEN}, {}, "Remove that rule"),
        ("right to open a tunnel", {"decisions__ec2-instance-connect:OpenTunnel": "implicitDeny"}, {}, "DataPlanePol"),
        ("right to open a tunnel", {"decisions__ec2-instance-connect:OpenTunnel": "explicitDeny"}, {}, "denies it"),
        ("right to look", {"decisions__ec2:DescribeInstances": "implicitDeny"}, {}, "DataPlanePolicyArn"),
        (
            "right to push a key",
            {"decisions__ec2-instance-connect:SendSSHPublicKey": "implicitDeny", "instance__Tags": []},
            {},
            "Tag the instance instance-connect=allowed",
        ),
    ],
)
def test_each_thing_that_is_wrong_is_one_line_with_its_mend(what: str, changes: Any, options: Any, fix: str) -> None:
    found = examined(spoil(Account(), **changes), **options)
    assert found[what]["status"] == "problem"
    assert fix in found[what]["fix"]
    others = {name for name, finding in found.items() if finding["status"] == "problem"} - {what}
    assert not others or what == "port"  # with another port the rules do not fit either


@pytest.mark.parametrize(
    ("changes", "client_ip", "what"),
    [
        ({}, "198.51.100.9", "client address"),
        ({"instance__InstanceType": "m3.medium"}, "203.0.113.7", "instance"),
        ({"instance__VpcId": "vpc-76543210"}, "203.0.113.7", "instance"),
        ({"groups__sg-instance": SHUT}, "203.0.113.7", "group of the instance"),
    ],
)
def test_with_a_preserved_address_more_can_be_wrong(changes: Any, client_ip: str, what: str) -> None:
    account = Account()
    account.endpoint["PreserveClientIp"] = True
    account.groups["sg-instance"]["IpPermissions"] = [rule(22, **ranges("203.0.113.0/24"))]
    wanted = settings(**PRESERVING)
    assert {f["status"] for f in examined(account, wanted, client_ip="203.0.113.7").values()} == {"ok"}
    assert examined(account, wanted)["client address"]["status"] == "unknown"
    assert examined(spoil(account, **changes), wanted, client_ip=client_ip)[what]["status"] == "problem"


def test_where_the_policy_asks_for_an_address_iam_is_asked_with_it_or_not_at_all() -> None:
    """A key that is not given counts as one that the call has not: everybody would be told to attach the policy."""
    wanted, account = settings(source_cidrs=["203.0.113.0/24"]), Account()
    account.decisions = {
        "ec2-instance-connect:OpenTunnel": "implicitDeny",
        "ec2-instance-connect:SendSSHPublicKey": "implicitDeny",
    }
    found = examined(account, wanted)
    for what in ("right to open a tunnel", "right to push a key", "address of the call"):
        assert found[what]["status"] == "unknown" and "--client-ip" in found[what]["fix"]
    account = Account()
    assert {f["status"] for f in examined(account, wanted, client_ip="203.0.113.7").values()} == {"ok"}
    tunnel, push, look = account.simulated
    for request in (tunnel, push):
        source = {"ContextKeyName": "aws:SourceIp", "ContextKeyValues": ["203.0.113.7"], "ContextKeyType": "ip"}
        assert source in request["ContextEntries"]
    assert look["ContextEntries"] == []
    outside = examined(Account(), wanted, client_ip="198.51.100.9")["address of the call"]
    assert outside["status"] == "problem" and "source_cidrs" in outside["fix"]


def test_what_cannot_be_looked_at_is_unknown_and_the_rest_is_still_looked_at() -> None:
    account = Account()
    account.denied = {"describe"}
    found = examined(account)
    assert found["endpoint"]["status"] == "unknown" and found["right to look"]["status"] == "ok"


def test_the_address_of_the_endpoint_may_be_let_in_instead_of_its_group() -> None:
    account = Account()
    account.groups["sg-instance"]["IpPermissions"] = [rule(22, **ranges("10.0.0.0/24"))]
    assert examined(account)["group of the instance"]["status"] == "ok"


def test_rdp_goes_to_the_windows_instance_and_pushes_no_key() -> None:
    account = Account()
    for name, direction, peer in (
        ("sg-endpoint", "IpPermissionsEgress", "sg-instance"),
        ("sg-instance", "IpPermissions", "sg-endpoint"),
    ):
        account.groups[name][direction] = [rule(3389, **group(peer))]
    found = examined(account, settings(ports=[22, 3389]), port=3389)
    assert "i-windows" in found["instance"]["says"] and "right to push a key" not in found


def test_the_root_user_is_told_so_and_another_principal_is_asked_for() -> None:
    account = Account()
    account.arn = "arn:aws:iam::123456789012:root"
    assert "root" in examined(account)["right to open a tunnel"]["says"]
    assert account.simulated == []
    examined(account, principal="arn:aws:iam::123456789012:user/ada")
    assert account.simulated[0]["PolicySourceArn"].endswith("user/ada")


@pytest.mark.parametrize(
    ("group_id", "direction", "what"),
    [
        ("sg-endpoint", "IpPermissionsEgress", "group of the endpoint"),
        ("sg-instance", "IpPermissions", "group of the instance"),
    ],
)
def test_a_prefix_list_may_let_the_connection_through(group_id: str, direction: str, what: str) -> None:
    account = Account()
    account.groups[group_id][direction] = [rule(22, PrefixListIds=[{"PrefixListId": "pl-1"}])]
    found = examined(account)[what]
    assert found["status"] == "unknown" and "pl-1" in found["fix"]


@pytest.mark.parametrize(
    ("outputs", "said"), [({}, "there is no endpoint"), ({"EndpointId": "eice-1"}, "name yours with --instance")]
)
def test_without_endpoint_or_instance_there_is_nothing_to_examine(outputs: dict[str, str], said: str) -> None:
    account = Account()
    account.outputs = outputs
    with pytest.raises(CommandError, match=said):
        examined(account)


# Rules of security groups

networks = st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 32)).map(
    lambda pair: (
        f"{'.'.join(str(b) for b in (pair[0] >> (32 - pair[1]) << (32 - pair[1])).to_bytes(4, 'big'))}/{pair[1]}"
    )
)
ports = st.sampled_from([22, 3389])


@given(st.lists(st.builds(lambda p, c: rule(p, **ranges(c)), ports, networks), max_size=4), ports, networks)
def test_a_rule_more_never_lets_less_through(permissions: list[Json], port: int, cidr: str) -> None:
    peer = Peer.of(ranges=[cidr])
    before = allows(permissions, port, peer)
    assert allows([*permissions, rule(port, **ranges(cidr))], port, peer)
    assert not before or allows([*permissions, rule(443, **ranges("10.0.0.0/8"))], port, peer)
    assert not allows(permissions, 443, peer)


def test_every_protocol_is_tcp_too_and_everyone_is_seen_in_both_families() -> None:
    everything = {"IpProtocol": "-1", **group("sg-1")}
    assert allows([everything], 22, Peer.of(["sg-1"]))
    assert not allows([everything], 22, Peer.of(["sg-2"]))
    assert not allows([], 22, Peer.of())
    assert is_open_to_everyone([{"IpProtocol": "-1", "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}], 22)
    assert not is_open_to_everyone([rule(443, **ranges("0.0.0.0/0"))], 22)


# Settings


@pytest.mark.parametrize("kind", ["t4g.nano", "m7gd.large", "c7gn.medium", "g5g.xlarge", "a1.medium", "im4gn.large"])
def test_graviton_types_are_arm(kind: str) -> None:
    assert is_arm(kind)


@pytest.mark.parametrize("kind", ["t3.micro", "g4dn.xlarge", "g6e.xlarge", "m7i-flex.large", "u7i-12tb.224xlarge"])
def test_other_types_are_not(kind: str) -> None:
    assert not is_arm(kind)


@pytest.mark.parametrize("family", ["c1", "cg1", "cg2", "g1", "hi1", "m1", "m2", "m3", "t1"])
def test_families_that_lose_the_client_address_are_known(family: str) -> None:
    assert not keeps_client_ip(f"{family}.xlarge")
    assert keeps_client_ip("m7g.large") and keeps_client_ip("c5.large")


# Cost


@pytest.mark.parametrize("variant", variants.variants_of("instance_connect_endpoint"))
def test_what_bills_is_what_the_template_has(variant: str) -> None:
    config = variants.configuration(variant)
    wanted = config.solutions["instance_connect_endpoint"]
    assert isinstance(wanted, InstanceConnectEndpointSettings)
    billed = by_unit(idle_month(config.common, wanted))
    resources = variants.templates(variant)["instance_connect_endpoint"]["Resources"].values()
    types = [resource["Type"] for resource in resources]
    assert billed.get("alarm_month", 0) == types.count("AWS::CloudWatch::Alarm")
    hours = {name: quantity for name, quantity in billed.items() if "_hour" in name}
    assert sum(hours.values()) == 730 * types.count("AWS::EC2::Instance")
    templates = [r["Properties"]["LaunchTemplateData"] for r in resources if r["Type"] == "AWS::EC2::LaunchTemplate"]
    sizes = [mapping["Ebs"]["VolumeSize"] for data in templates for mapping in data["BlockDeviceMappings"]]
    assert billed.get("gp3_gib_month", 0) == sum(sizes) and set(sizes) <= {LINUX_GIB, WINDOWS_GIB}


# Check


def advanced(**fields: str) -> Json:
    selector = {"FieldSelectors": [{"Field": name, "Equals": [value]} for name, value in fields.items()]}
    return {"AdvancedEventSelectors": [selector]}


@pytest.mark.parametrize(("owner", "status"), [("123456789012", "ok"), ("999999999999", "problem")])
def test_a_topic_of_another_account_hears_of_no_stranger(owner: str, status: str) -> None:
    common = CommonSettings(vpc=VPC, alarm_topic_arn=f"arn:aws:sns:eu-west-1:{owner}:alarms")
    assert looked(Account(), common, trail="existing")["topic"] == status
    assert "topic" not in looked(Account(), common)


def test_a_trail_with_advanced_selectors_hands_events_over() -> None:
    account = spoil(Account(), selectors=advanced(eventCategory="Management"))
    assert looked(account, CommonSettings(vpc=VPC), trail="existing")["trail"] == "ok"


def test_a_trail_that_only_its_owner_may_look_at_hides_no_other() -> None:
    """An organization's trail is shown in every member account: its selectors may be the management account's."""
    account = Account()
    account.trails.insert(0, {"Name": "organization", "TrailARN": "arn:theirs", "logs": True})
    account.not_ours = {"arn:theirs"}
    assert looked(account, CommonSettings(vpc=VPC), trail="existing")["trail"] == "ok"
    account.not_ours = {"arn:theirs", "arn:trail"}
    assert looked(account, CommonSettings(vpc=VPC), trail="existing")["trail"] == "unknown"


def test_without_a_network_of_yours_the_type_is_looked_for_where_templates_put_it() -> None:
    account = spoil(Account(), subnet={"AvailabilityZone": "eu-west-1b"}, offered=["eu-west-1a"])
    assert looked(account, CommonSettings())["t4g.nano"] == "problem"
    account = spoil(Account(), subnet={"AvailabilityZone": "eu-west-1b"}, offered=["eu-west-1b"])
    assert looked(account, CommonSettings())["t4g.nano"] == "ok"


def test_a_log_policy_that_is_ours_already_needs_no_room() -> None:
    account = spoil(Account(), log_policies=10)
    account.outputs["TunnelLogGroup"] = "/aws/events/ours"
    assert looked(account, CommonSettings(vpc=VPC), trail="existing")["log policies"] == "ok"


def test_every_user_may_be_expected() -> None:
    assert settings(trail="existing", expected_principals=["user/*"]).expected_principals == ("user/*",)


def looked(account: Account, common: CommonSettings, **wanted: Any) -> dict[str, str]:
    return {found.what: found.status for found in findings(common, settings(**wanted), account)}


def test_a_healthy_account_has_no_problem() -> None:
    found = looked(Account(), CommonSettings(vpc=VPC), trail="existing", **PRESERVING)
    assert set(found.values()) == {"ok"}
    assert {"endpoint", "addresses", "t4g.nano", "trail"} <= set(found)


@pytest.mark.parametrize(
    ("what", "changes"),
    [
        ("endpoint", {"outputs": {}}),
        ("addresses", {"subnet__Ipv6CidrBlockAssociationSet": [{"Ipv6CidrBlock": "2001:db8::/64"}]}),
        ("t4g.nano", {"offered": []}),
        # https://github.com/RedHatGov/redhatgov.workshops/issues/113: one zone of us-east-1 has no t3.
        ("t4g.nano", {"offered": ["eu-west-1b", "eu-west-1c"]}),
        ("trail", {"trails": [{"Name": "ours", "TrailARN": "arn:trail", "logs": False}]}),
        ("trail", {"trails": []}),
        ("log policies", {"log_policies": 10}),
        ("trail", {"selectors": {"EventSelectors": [{"IncludeManagementEvents": False, "ReadWriteType": "All"}]}}),
        ("trail", {"selectors": {"EventSelectors": [{"IncludeManagementEvents": True, "ReadWriteType": "ReadOnly"}]}}),
        ("trail", {"selectors": advanced(eventCategory="Data")}),
        ("trail", {"selectors": advanced(eventCategory="Management", readOnly="true")}),
    ],
)
def test_what_would_stop_a_deployment_is_a_problem(what: str, changes: Any) -> None:
    account = spoil(Account(), **deepcopy(changes))
    assert looked(account, CommonSettings(vpc=VPC), trail="existing", **PRESERVING)[what] == "problem"
