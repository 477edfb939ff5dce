"""``python -m stacks spinnaker_server_groups``: what it bills, what it finds, and what it asks Spinnaker for."""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from config.models import CommonSettings
from stacks import program
from stacks.shared.preflight import Finding
from stacks.spinnaker_server_groups import gate as client
from stacks.spinnaker_server_groups.commands import findings, idle_month
from stacks.spinnaker_server_groups.settings import PURPOSE_TAG, SpinnakerServerGroupsSettings
from tests import variants
from tests.answering import Answering
from tests.billed import by_unit
from tests.solutions.spinnaker_server_groups.conftest import (
    BALANCERS,
    BALANCERS_NAME,
    IMAGE,
    INSTANCES,
    KEY,
    PROFILE,
    VPC,
    ZONES,
    bodies_of,
    settings_of,
    spinnaker_for,
)
from tryout.scenarios.spinnaker_server_groups.gate import LoopbackGate

Json = dict[str, Any]

TOKEN = "spk_0123456789"
SECRET = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:gate-AbCdEf"
OUTPUTS = {
    "VpcId": VPC,
    "PrivateSubnets": "subnet-1,subnet-2,subnet-3",
    "LoadBalancerGroup": BALANCERS,
    "InstanceGroup": INSTANCES,
    "BaseProfile": PROFILE,
    "ImageId": IMAGE,
    "KeyPair": KEY,
}


def tagged(purpose: str, vpc: str = VPC, subnet: str = "subnet-1") -> Json:
    tag = {"Key": PURPOSE_TAG, "Value": json.dumps({"purpose": purpose})}
    return {"SubnetId": subnet, "VpcId": vpc, "Tags": [tag]}


def offerings(types: tuple[str, ...]) -> list[Json]:
    pairs = [{"InstanceType": name, "Location": zone} for name in types for zone in ZONES]
    return [{"InstanceTypeOfferings": pairs[: len(pairs) // 2]}, {"InstanceTypeOfferings": pairs[len(pairs) // 2 :]}]


class Account(Answering):
    """An account in which the stack is deployed and all is well; what a test sets differs."""

    def __init__(self, **answers: Any) -> None:
        self.operations: list[str] = []
        outputs = [{"OutputKey": key, "OutputValue": value} for key, value in OUTPUTS.items()]
        healthy: Json = {
            "get_caller_identity": {"Account": "123456789012", "Arn": "arn:aws:iam::123456789012:root"},
            "get_parameter": {"Parameter": {"Value": "30"}},
            "describe_availability_zones": {"AvailabilityZones": [{"ZoneName": zone} for zone in ZONES]},
            "get_service_quota": {"Quota": {"Value": 640}},
            "describe_instance_type_offerings": offerings(settings_of().types),
            "describe_instance_types": [{"InstanceTypes": [{"VCpuInfo": {"DefaultVCpus": 2}}]}],
            "describe_subnets": [{"Subnets": [tagged("spinnaker-server-groups-public")]}],
            "default subnets": [{"Subnets": [{"AvailabilityZone": zone} for zone in ZONES]}],
            "describe_auto_scaling_groups": [{"AutoScalingGroups": [{"AutoScalingGroupName": "other"}]}],
            "describe_launch_templates": [{"LaunchTemplates": []}],
            "describe_load_balancers": [{"LoadBalancers": [{"LoadBalancerName": "other"}]}],
            "describe_target_groups": [{"TargetGroups": []}],
            "describe_key_pairs": {"KeyPairs": [{"KeyName": KEY}]},
            "describe_security_groups": [{"SecurityGroups": [{"GroupName": BALANCERS_NAME}]}],
            "describe_stacks": {"Stacks": [{"Outputs": outputs}]},
            "get_secret_value": {"SecretString": f"{TOKEN}\n"},
        }
        super().__init__(healthy | answers)

    def _answer(self, operation: str) -> Any:
        self.operations.append(operation)
        return super()._answer(operation)


class Deployed(Account):
    """The same, as `bodies` and `post` ask it: its subnets come by their ids."""

    def __init__(self, **answers: Any) -> None:
        subnets = [{"SubnetId": f"subnet-{n}", "AvailabilityZone": zone} for n, zone in enumerate(ZONES, 1)]
        groups = {"SecurityGroups": [{"GroupName": BALANCERS_NAME}]}
        super().__init__(**{"describe_subnets": {"Subnets": subnets}, "describe_security_groups": groups, **answers})


def look(account: Account, **settings: Any) -> dict[str, Finding]:
    return {finding.what: finding for finding in findings(CommonSettings(), settings_of(**settings), account)}


def units(common: CommonSettings, settings: SpinnakerServerGroupsSettings) -> dict[str, Decimal]:
    return by_unit(idle_month(common, settings))


# Cost


def test_the_default_bills_twelve_instances_and_a_load_balancer() -> None:
    billed = units(CommonSettings(), settings_of())
    assert billed["on_demand_instance_hour"] == 4 * 730 and billed["spot_instance_hour"] == 8 * 730
    assert billed["gp3_gib_month"] == 12 * 8 and billed["public_ipv4_hour"] == 3 * 730
    assert "nat_gateway_hour" not in billed


def test_a_host_bills_its_instance_and_the_gateway() -> None:
    billed = units(CommonSettings(), settings_of(native_group=False, network="nat", host={}))
    assert billed == {
        "on_demand_hour_m6i_xlarge": 730,
        "gp3_gib_month": 60,
        "nat_gateway_hour": 730,
        "public_ipv4_hour": 730,
        "alarm_month": 1,
    }


@pytest.mark.parametrize("variant", variants.variants_of("spinnaker_server_groups"))
def test_what_is_billed_by_the_hour_or_month_is_what_the_template_has(variant: str) -> None:
    config = variants.configuration(variant)
    settings = config.solutions["spinnaker_server_groups"]
    assert isinstance(settings, SpinnakerServerGroupsSettings)
    billed = units(config.common, settings)
    resources = variants.template(variant, "spinnaker_server_groups")["Resources"].values()
    alarms = [item["Properties"] for item in resources if item["Type"] == "AWS::CloudWatch::Alarm"]
    watched = [query for alarm in alarms for query in alarm.get("Metrics", [alarm]) if "Expression" not in query]
    kinds = [item["Type"] for item in resources]
    assert billed["alarm_month"] == len(watched)
    assert billed.get("nat_gateway_hour", 0) == 730 * kinds.count("AWS::EC2::NatGateway")
    balancers = kinds.count("AWS::ElasticLoadBalancingV2::LoadBalancer")
    assert billed.get("application_load_balancer_hour", 0) == 730 * balancers
    hosts = kinds.count("AWS::EC2::Instance")
    assert sum(name.startswith("on_demand_hour_") for name in billed) == hosts
    assert not [item for item in resources if item.get("Properties", {}).get("VpcEndpointType") == "Interface"]


# Check


def test_a_healthy_account_has_no_problem_and_is_told_its_pools() -> None:
    found = look(Account(), key_pair=KEY)
    assert {finding.status for finding in found.values()} == {"ok"}
    assert found["instance types"].says == "7 types in 3 zones of the Region: 21 pools"
    assert found["Spot vCPUs"].says == "64 of 640 needed at most"  # (21 - 3 - 2) * 2, Spinnaker's as many


@pytest.mark.parametrize(("offered", "status"), [([{"InstanceType": "m6i.xlarge"}], "ok"), ([], "problem")])
def test_the_type_of_the_host_is_looked_for(offered: list[Json], status: str) -> None:
    account = Account()

    class OfRegion(Account):
        def describe_instance_type_offerings(self, **_: Any) -> Json:
            return {"InstanceTypeOfferings": offered}

    found = look(OfRegion(), host={}, network="nat")
    assert found["host type"].status == status and "m6i.xlarge" in found["host type"].says
    assert "host type" not in look(account)


LEFT = [{"LaunchTemplates": [{"LaunchTemplateName": "demoapp-v000-1"}, {"LaunchTemplateName": "demoapp-v001-1"}]}]
RUNNING = [{"AutoScalingGroups": [{"AutoScalingGroupName": "demoapp-v001"}]}]
TWICE = [{"Subnets": [tagged("spinnaker-server-groups-public", vpc) for vpc in (VPC, "vpc-2")]}]
NAMESAKES = [{"SecurityGroups": [{"GroupName": "default"}, {"GroupName": "DemoApp-db"}]}]
NO_JSON = [{"Subnets": [{**tagged("x"), "Tags": [{"Key": PURPOSE_TAG, "Value": "{purpose: x}"}]}]}]


@pytest.mark.parametrize(
    ("what", "answers", "settings", "says"),
    [
        ("instance types", {}, {"types": ["m5.large", "x9.large"]}, "not in this Region: x9.large"),
        ("Spot vCPUs", {"get_service_quota": {"Quota": {"Value": 32}}}, {}, "64 are needed"),
        ("On-Demand vCPUs", {"get_service_quota": {"Quota": {"Value": 5}}}, {}, "20 are needed"),
        ("subnet purposes", {"describe_subnets": TWICE}, {}, "spinnaker-server-groups-public is in vpc-1, vpc-2"),
        ("subnet purposes", {"describe_subnets": NO_JSON}, {}, "subnet-1 has a tag that is not JSON"),
        ("security groups", {"describe_security_groups": NAMESAKES}, {}, "named like the application: DemoApp-db"),
        ("key pair", {"describe_key_pairs": {"KeyPairs": []}}, {"key_pair": "gone"}, "gone does not exist here"),
    ],
)
def test_a_problem_says_what_it_is(what: str, answers: Json, settings: Json, says: str) -> None:
    finding = look(Account(**answers), **settings)[what]
    assert finding.status == "problem" and says in finding.says and finding.fix


def test_what_spinnaker_has_made_or_left_behind_is_named() -> None:
    targets = [{"TargetGroups": [{"TargetGroupName": "demoapp-targetgroup"}]}]
    account = Account(
        describe_launch_templates=LEFT, describe_auto_scaling_groups=RUNNING, describe_target_groups=targets
    )
    found = look(account)
    assert "demoapp-v001" in found["server groups"].says and "clean-up" in found["server groups"].fix
    assert found["load balancer"].says == "Spinnaker has made demoapp-targetgroup"
    assert found["load balancer"].fix == found["server groups"].fix
    assert found["launch templates"].says == "left behind by Spinnaker: demoapp-v000-1"


# bodies and post


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "POLL_SECONDS", 0.0)
    monkeypatch.delenv("SPINNAKER_TOKEN", raising=False)


@pytest.fixture
def closed() -> Iterator[LoopbackGate]:
    """A Gate that wants a token."""
    with LoopbackGate(spinnaker_for(bodies_of()), token=TOKEN, login="redirect") as server:
        yield server


class Caller:
    """Calls the program as somebody in a terminal does."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self._patch, self._config, self._capsys = monkeypatch, folder / "config.yaml", capsys
        self.out = self.err = ""

    def __call__(self, *words: str, account: Account | None = None, common: Json | None = None, **settings: Any) -> int:
        section = {"common": common or {}, "solutions": {"spinnaker_server_groups": settings}}
        self._config.write_text(json.dumps(section), encoding="utf-8")
        self._patch.setattr(program, "clients_of", lambda _: account or Deployed())
        status = program.main(["spinnaker_server_groups", *words, "--config", str(self._config)])
        self.out, self.err = self._capsys.readouterr()
        return status


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Caller:
    return Caller(monkeypatch, tmp_path, capsys)


def test_the_bodies_are_those_of_the_deployed_stack(call: Caller) -> None:
    assert call("bodies", "server-group", "--json") == 0
    assert json.loads(call.out) == [bodies_of().server_group()]
    assert call("bodies", "load-balancer") == 0
    assert json.loads(call.out) == bodies_of().load_balancer()


def test_a_server_group_is_made_and_named(call: Caller, gate: LoopbackGate) -> None:
    for action in ("application", "load-balancer", "server-group"):
        assert call("post", action, gate_url=gate.url) == 0, call.err
    assert "Spinnaker has made demoapp-v000." in call.out
    assert call("post", "disable", "--server-group", "demoapp-v000", gate_url=gate.url) == 0
    assert gate.spinnaker.groups == {"demoapp-v000": False}
    assert call("post", "clean-up", "--json", gate_url=gate.url) == 0
    assert [task["what"] for task in json.loads(call.out)["tasks"]] == [
        "Destroy demoapp-v000: demoapp",
        "Delete Load Balancer: demoapp",
        "Delete Application: demoapp",
    ]


def test_a_failed_task_ends_with_1_and_clouddriver_s_sentence(call: Caller, gate: LoopbackGate) -> None:
    assert call("post", "application", gate_url=gate.url) == 0
    assert call("post", "server-group", gate_url=gate.url) == 1
    assert "ended TERMINAL: Unable to find target groups named [demoapp-targetgroup]" in call.err


def test_a_lost_answer_is_followed_by_a_look_and_not_by_another_post(call: Caller, gate: LoopbackGate) -> None:
    gate.lose_answers = 1
    assert call("post", "application", gate_url=gate.url) == 1
    assert "may have arrived all the same" in call.err and len(gate.posted) == 1
    assert call("tasks", "--json", gate_url=gate.url) == 0
    (task,) = json.loads(call.out)
    assert task["name"] == "Create Application: demoapp"
    assert call("follow", task["id"], gate_url=gate.url) == 0
    assert len(gate.posted) == 1


def test_the_token_comes_from_the_environment_or_the_secret_and_shows_nowhere(
    call: Caller, closed: LoopbackGate, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = Deployed()
    assert call("post", "application", gate_url=closed.url, token_secret_arn=SECRET, account=account) == 0
    assert "get_secret_value" in account.operations and TOKEN not in call.out + call.err
    monkeypatch.setenv("SPINNAKER_TOKEN", TOKEN)
    assert call("post", "application", gate_url=closed.url, account=(account := Deployed())) == 0
    assert "get_secret_value" not in account.operations and set(closed.tokens) == {TOKEN}


def test_without_a_token_the_login_is_said(call: Caller, closed: LoopbackGate) -> None:
    assert call("post", "application", gate_url=closed.url) == 1
    assert f"answered 302 to {closed.url}/login; it asks for a login" in call.err and closed.posted == []


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("post", "disable"), "disable needs --server-group NAME"),
        (("post", "server-group", "--server-group", "demoapp-v000"), "takes no --server-group"),
        (("post", "destroy", "--server-group", "shop-v000"), "must name one of demoapp"),
        (("post", "clean-up", "--server-group", "demoapp-v000"), "for one use destroy"),
        (("follow", "../x"), "is not the id of a task"),
    ],
)
def test_unusable_words_are_refused_before_any_call(
    call: Caller, gate: LoopbackGate, words: tuple[str, ...], says: str
) -> None:
    assert call(*words, gate_url=gate.url) == 1
    assert says in call.err and gate.looks == []


@pytest.mark.parametrize("settings", [{"application": "demo-app"}, {"email": ""}])
def test_what_spinnaker_would_refuse_is_refused_before_any_call(
    call: Caller, gate: LoopbackGate, settings: Json
) -> None:
    assert call("post", "application", gate_url=gate.url, **settings) == 1
    assert next(iter(settings)) in call.err and gate.looks == []


def test_a_stack_that_is_not_deployed_is_said(call: Caller) -> None:
    assert call("bodies", "application", account=Deployed(describe_stacks={"Stacks": [{"Outputs": []}]})) == 1
    assert "has no output VpcId" in call.err and "cdk deploy -e spinnaker-server-groups" in call.err


def test_purposes_of_an_existing_network_are_asked_for(call: Caller) -> None:
    vpc = {"id": "vpc-0123456789abcdef0", "subnet_ids": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]}
    assert call("bodies", "application", common={"vpc": vpc}) == 1
    assert "public_purpose and private_purpose must name" in call.err
