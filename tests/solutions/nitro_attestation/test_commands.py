"""``python -m stacks nitro_attestation``: cost, check, report, prove, verify, policies."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from config.models import CommonSettings
from stacks.nitro_attestation.commands import findings, idle_month
from stacks.nitro_attestation.settings import NitroAttestationSettings
from stacks.shared.preflight import Finding
from tests import variants
from tests.solutions.nitro_attestation import account as fakes
from tests.solutions.nitro_attestation import rendered
from tests.solutions.nitro_attestation.conftest import Run
from tests.variants import Json

SLUG = rendered.SLUG
DEPLOYER = "arn:aws:iam::123456789012:role/cdk-hnb659fds-cfn-exec-role-123456789012-eu-central-1"
KEY = "arn:aws:kms:eu-central-1:123456789012:key/{}"


class Iam:
    """Roles and users by name."""

    class exceptions:  # noqa: N801 (as boto3 names it)
        class NoSuchEntityException(Exception):  # noqa: N818
            """Nobody is called so."""

    def __init__(self, *roles: str) -> None:
        self.roles = roles

    def get_role(self, RoleName: str) -> Json:  # noqa: N803
        for arn in self.roles:
            if arn.endswith(f"/{RoleName}"):
                return {"Role": {"Arn": arn}}
        raise self.exceptions.NoSuchEntityException

    def simulate_principal_policy(self, **_: Any) -> Json:
        return {"EvaluationResults": [{"EvalDecision": "allowed"}]}


class Clients(fakes.Account):
    """The account of the look, and everything that the commands ask besides."""

    def __init__(self, variant: str = "attested", **regions: fakes.Ec2) -> None:
        super().__init__(None, **regions)
        self.answers: dict[str, Any] = {
            "get_caller_identity": {"Account": fakes.ACCOUNT, "Arn": "arn:aws:iam::123456789012:root"},
            "get_parameter": {"Parameter": {"Value": "30"}},
            "list_roots": {
                "Roots": [{"Id": "r-ab12", "PolicyTypes": [{"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"}]}]
            },
        }
        self.iam = Iam(
            DEPLOYER, "arn:aws:iam::123456789012:role/producer", "arn:aws:iam::123456789012:role/administrator"
        )
        self.policies = {name: rendered.policy(variant, name) for name in ("Enclave", "Tpm")}
        self.type = {
            "InstanceType": "m7g.large",
            "NitroEnclavesSupport": "supported",
            "NitroTpmSupport": "supported",
            "MemoryInfo": {"SizeInMiB": 16_384},
            "ProcessorInfo": {"SupportedArchitectures": ["arm64", "x86_64"]},
        }
        self.image = {
            "BootMode": "uefi",
            "TpmSupport": "v2.0",
            "RootDeviceName": "/dev/xvda",
            "Architecture": "arm64",
        }

    def __call__(self, service: str, region: str | None = None, /) -> Any:
        if service == "iam":
            return self.iam
        if service in ("ec2", "cloudtrail"):
            found = super().__call__(service, region)
            if service == "ec2" and region is None:
                found.describe_images = lambda ImageIds: {"Images": [self.image] if self.image else []}  # noqa: N803
                original = found.describe_instance_types
                found.describe_instance_types = lambda Filters: _Types(original, Filters, self.type)  # noqa: N803
            return found
        return self

    def __getattr__(self, operation: str) -> Any:
        if operation == "meta":
            return type("Meta", (), {"region_name": "eu-central-1"})
        if operation == "get_key_policy":
            return lambda KeyId: {"Policy": json.dumps(self.policies[KeyId.rpartition("/")[2]])}  # noqa: N803
        if operation == "describe_stacks":
            return lambda **_: {"Stacks": [{"Outputs": [*self._outputs()]}]}
        return lambda **_: self.answers[operation]

    def _outputs(self) -> list[Json]:
        found = {f"{name}KeyArn": KEY.format(name) for name in self.policies}
        for name, policy in self.policies.items():
            use = next(one for one in policy["Statement"] if one["Sid"] == "AttestedUse")
            found[f"{name}RoleArn"] = use["Principal"]["AWS"]
        return [{"OutputKey": key, "OutputValue": value} for key, value in found.items()]


class _Types(dict[str, Any]):
    """The answer to one call, or pages, as whoever asks takes it."""

    def __init__(self, original: Any, filters: list[Json], answer: Json | None) -> None:
        super().__init__(InstanceTypes=[answer] if answer else [])
        self._pages = lambda: original(Filters=filters)


def settings(variant: str = "attested") -> NitroAttestationSettings:
    found = variants.configuration(variant).solutions[SLUG]
    assert isinstance(found, NitroAttestationSettings)
    return found


# Cost


@pytest.mark.parametrize("variant", variants.variants_of(SLUG))
def test_what_bills_by_the_month_is_what_there_is(variant: str) -> None:
    config = variants.configuration(variant)
    billed = {unit.unit: unit.quantity for unit in idle_month(config.common, settings(variant))}
    kinds = [one["Type"] for one in variants.template(variant, SLUG)["Resources"].values()]
    assert billed["alarm_month"] == kinds.count("AWS::CloudWatch::Alarm")
    assert billed.get("kms_key_month", 0) == kinds.count("AWS::KMS::Key")
    assert billed.get("service_control_policy_month", 0) == kinds.count("AWS::Organizations::Policy")


# Check


def look(clients: Clients, variant: str = "attested") -> dict[str, list[Finding]]:
    found: dict[str, list[Finding]] = {}
    for finding in findings(CommonSettings(), settings(variant), clients):
        found.setdefault(finding.what, []).append(finding)
    return found


def test_a_healthy_account_has_no_problem() -> None:
    found = look(Clients())
    assert {one.status for several in found.values() for one in several} == {"ok"}, found


@pytest.mark.parametrize(
    ("what", "change", "says"),
    [
        ("enclave type", {"NitroEnclavesSupport": "unsupported"}, "supports no enclaves"),
        ("enclave type", {"MemoryInfo": {"SizeInMiB": 2_048}}, "2048 of 2048 MiB"),
        ("tpm type", {"NitroTpmSupport": "unsupported"}, "has no NitroTPM"),
        ("tpm type", {"ProcessorInfo": {"SupportedArchitectures": ["x86_64"]}}, "the image is arm64"),
    ],
)
def test_a_type_that_does_not_fit_is_a_problem(what: str, change: Json, says: str) -> None:
    clients = Clients()
    clients.type |= change
    (finding,) = look(clients)[what]
    assert finding.status == "problem" and says in finding.says


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"BootMode": "legacy-bios"}, "boot mode legacy-bios"),
        ({"TpmSupport": None}, "TPM None"),
        ({"RootDeviceName": "/dev/sda1"}, "its root device is /dev/sda1"),
    ],
)
def test_an_image_that_cannot_attest_is_a_problem(change: Json, says: str) -> None:
    clients = Clients()
    clients.image |= change
    (finding,) = look(clients)["tpm image"]
    assert finding.status == "problem" and says in finding.says


def test_principals_that_do_not_exist_are_problems_because_kms_refuses_them() -> None:
    clients = Clients()
    clients.iam = Iam("arn:aws:iam::123456789012:role/path/producer")
    deployer, producer, administrator = look(clients)["tpm key"]
    assert deployer.status == "problem" and "cloudformation_role_arn" in deployer.fix
    assert producer.status == "problem" and "/path/producer" in producer.says
    assert administrator.status == "problem" and "does not exist" in administrator.says


def test_another_role_cannot_take_over_a_key_in_one_deployment() -> None:
    """PutKeyPolicy: the old policy must allow the caller, and the new one must let it call again."""
    other = "arn:aws:iam::123456789012:role/pipeline-cloudformation"
    clients, keyed = Clients(), settings()

    def found(**changed: Any) -> Finding:
        assert keyed.tpm and keyed.tpm.key
        tpm = keyed.tpm.model_copy(update={"key": keyed.tpm.key.model_copy(update=changed)})
        looked = findings(CommonSettings(), keyed.model_copy(update={"tpm": tpm}), clients)
        (one,) = [each for each in looked if each.what == "tpm key policy"]
        return one

    clients.policies = copy.deepcopy(clients.policies)
    administration = next(one for one in clients.policies["Tpm"]["Statement"] if one["Sid"] == "Administration")
    administration["Principal"] = {"AWS": [DEPLOYER]}
    assert found().status == "ok"
    refused = found(cloudformation_role_arn=other)
    assert refused.status == "problem" and other in refused.says and "administrator_arns" in refused.fix
    administration["Principal"] = {"AWS": [DEPLOYER, other]}  # after the first of the two deployments
    assert found(cloudformation_role_arn=other).status == found().status == "ok"
    administration["Condition"] = {"StringEquals": {"aws:PrincipalTag/team": "a"}}
    assert found().status == "unknown" and "aws:PrincipalTag/team" in found().says
    # What somebody has put back to the default is left to IAM, which this does not read.
    del administration["Condition"]
    administration["Principal"] = {"AWS": "arn:aws:iam::123456789012:root"}
    assert found().status == "unknown" and "lets IAM decide" in found().says


def test_before_the_first_deployment_no_key_has_a_policy() -> None:
    clients = Clients()
    clients.policies = {}
    (finding,) = look(clients)["tpm key policy"]
    assert finding.status == "ok" and "no key is deployed yet" in finding.says


@pytest.mark.parametrize(("owner", "status"), [("123456789012", "ok"), ("999999999999", "problem")])
def test_a_topic_of_another_account_hears_of_no_change(owner: str, status: str) -> None:
    """Where common.account is named, the settings refuse it."""
    common = CommonSettings(alarm_topic_arn=f"arn:aws:sns:eu-central-1:{owner}:alarms")
    looked = {one.what: one for one in findings(common, settings(), Clients())}
    assert looked["topic"].status == status
    assert "topic" not in {one.what for one in findings(common, NitroAttestationSettings(), Clients())}
    assert "topic" not in {one.what for one in findings(CommonSettings(), settings(), Clients())}


def test_without_a_trail_no_change_is_told() -> None:
    clients = Clients()
    clients.trail = fakes.CloudTrail()
    (finding,) = look(clients)["trail"]
    assert finding.status == "problem"


@pytest.mark.parametrize(
    ("trail", "status"),
    [
        ({**fakes.GOOD_TRAIL, "on": False}, "problem"),
        ({**fakes.GOOD_TRAIL, "all": False, "home": "us-west-2"}, "problem"),
        ({**fakes.GOOD_TRAIL, "all": False, "home": "eu-central-1"}, "ok"),
        ({**fakes.GOOD_TRAIL, "selectors": {"EventSelectors": [{"IncludeManagementEvents": False}]}}, "problem"),
        (fakes.GOOD_TRAIL, "ok"),
    ],
)
def test_a_trail_that_keeps_nothing_of_kms_is_none(trail: Json, status: str) -> None:
    clients = Clients()
    clients.trail = fakes.CloudTrail(trail)
    assert [one.status for one in look(clients)["trail"]] == [status]


def test_a_trail_that_does_not_answer_is_unknown() -> None:
    clients = Clients()
    clients.trail = fakes.CloudTrail(fakes.GOOD_TRAIL, broken={"get_event_selectors": fakes.refused()})
    assert [one.status for one in look(clients)["trail"]] == ["unknown"]


def test_policy_types_must_be_enabled() -> None:
    (finding,) = look(Clients(), "organization")["organization"]
    assert finding.status == "problem" and "DECLARATIVE_POLICY_EC2" in finding.says and "r-ab12" in finding.fix


# Report


def test_the_report_has_the_seven_for_each_region_and_each_instance(run: Run, configured: list[str]) -> None:
    clients = Clients(
        eu_central_1=fakes.Ec2(fakes.instance("t2.micro")),
        us_east_1=fakes.Ec2(broken={"describe_instances": fakes.refused()}),
    )
    status, told = run(clients, "report", *configured)
    assert status == 1
    first, second = told["regions"]
    assert first["region"] == "eu-central-1" and len(first["statements"]) == 7
    assert first["instances"][0]["verdict"] == "xen"
    assert {one["standing"] for one in first["statements"]} == {"enforced here", "observed here", "AWS's claim only"}
    assert second["not_looked_at"] == ["instances (UnauthorizedOperation)"]
    assert {one["holds"] for one in second["statements"]} <= {"unknown", "yes"}


def test_a_report_without_a_finding_ends_well(run: Run, configured: list[str]) -> None:
    clients = Clients(eu_central_1=fakes.Ec2(fakes.instance("m7g.large")))
    status, told = run(clients, "report", "--region", "eu-central-1", *configured)
    assert status == 0 and [one["region"] for one in told["regions"]] == ["eu-central-1"]


# Prove


def test_prove_judges_what_is_deployed(run: Run, configured: list[str]) -> None:
    status, told = run(Clients(), "prove", *configured)
    assert status == 0 and told["wrong"] == 0 and told["requests"] >= 80


def test_prove_finds_a_policy_that_somebody_has_changed(run: Run, configured: list[str]) -> None:
    clients = Clients()
    clients.policies["Tpm"]["Statement"].append(
        {
            "Sid": "Default",
            "Effect": "Allow",
            "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
            "Action": "kms:*",
            "Resource": "*",
        }
    )
    status, told = run(clients, "prove", *configured)
    assert status == 1 and told["wrong"] > 0
    wrong = {row["request"] for row in told["rows"] if row["right"] != row["found"]}
    assert "PutKeyPolicy by an IAM administrator" in wrong


INTRUDER = "arn:aws:iam::123456789012:role/intruder"
TAKES_OVER = {"Sid": "New", "Effect": "Allow", "Action": "kms:PutKeyPolicy", "Resource": "*"}


def _made_administrator(statements: list[Json]) -> None:
    """The intruder stands where the settings name somebody else."""
    next(one for one in statements if one["Sid"] == "Administration")["Principal"] = {"AWS": INTRUDER}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (_made_administrator, f"PutKeyPolicy by {INTRUDER}, whom no setting names"),
        (_made_administrator, "PutKeyPolicy by the key's administrator administrator"),
        (
            lambda statements: statements.append({**TAKES_OVER, "Principal": {"AWS": INTRUDER}}),
            f"PutKeyPolicy by {INTRUDER}, whom no setting names",
        ),
        (
            lambda statements: statements.append({**TAKES_OVER, "Principal": {"AWS": ["210987654321"]}}),
            "PutKeyPolicy by arn:aws:iam::210987654321:root, whom no setting names",
        ),
    ],
)
def test_prove_takes_the_settings_word_for_who_may_and_never_the_policys(
    run: Run, configured: list[str], change: Callable[[list[Json]], None], says: str
) -> None:
    clients = Clients()
    change(clients.policies["Tpm"]["Statement"])
    status, told = run(clients, "prove", *configured)
    assert status == 1
    assert says in {row["request"] for row in told["rows"] if row["right"] != row["found"]}


@pytest.mark.parametrize(
    "change",
    [
        {"Condition": {"StringNotEquals": {"aws:PrincipalArn": INTRUDER}}},
        {"Principal": {"Service": "s3.amazonaws.com"}},
    ],
)
def test_prove_does_not_guess_what_a_foreign_statement_means(run: Run, configured: list[str], change: Json) -> None:
    """A Deny that spares one principal would look like one for everybody."""
    clients = Clients()
    no_way_around = next(one for one in clients.policies["Tpm"]["Statement"] if one["Sid"] == "NoWayAround")
    no_way_around |= change
    status, told = run(clients, "prove", *configured)
    assert status == 1 and "not written by this stack: NoWayAround" in told["error"]


def test_prove_says_what_it_cannot_judge(run: Run, configured: list[str]) -> None:
    clients = Clients()
    clients.policies["Tpm"]["Statement"][0]["Condition"] = {"NumericEquals": {"aws:EpochTime": "1"}}
    status, told = run(clients, "prove", *configured)
    assert status == 1 and "not written by this stack" in told["error"]


def test_without_a_key_there_is_nothing_to_prove(run: Run) -> None:
    status, told = run(Clients(), "prove", "--json")
    assert status == 1 and "no attested key is configured" in told["error"]


# Policies


def test_policies_prints_both_and_what_the_first_does_not_see(run: Run) -> None:
    status, told = run(None, "policies", "--json")
    assert status == 0
    assert len(told["service control policy"]) < 1_000
    assert json.loads(told["declarative policy"])["ec2_attributes"]
