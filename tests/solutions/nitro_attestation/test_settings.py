"""What the settings of nitro_attestation refuse, and what they read out of the tools' files."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from config.models import CommonSettings, Problem
from stacks.nitro_attestation import measurements
from stacks.nitro_attestation.key_settings import EnclaveKey, TpmKey
from stacks.nitro_attestation.measurements import ZEROS, UnusableMeasurementsError, parse
from stacks.nitro_attestation.settings import Enclave, NitroAttestationSettings, Organization, Tpm

A, B = "a" * 96, "b" * 96
RIGHT = {"HashAlgorithm": "SHA384", "PCR4": A, "PCR7": B, "PCR12": ZEROS}
IMAGE = "ami-0123456789abcdef0"


@pytest.fixture(autouse=True)
def _files_below(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measurements, "ROOT", tmp_path)
    monkeypatch.chdir(tmp_path)


def file(name: str = "tpm.json", **values: Any) -> str:
    Path(name).write_text(json.dumps({"Measurements": {**RIGHT, **values}}), encoding="utf-8")
    return name


def tpm(*files: str, **more: Any) -> list[Problem]:
    return list(TpmKey(measurements=files, **more).problems())


def test_the_right_file_is_read_and_its_zeros_for_the_command_line_are_right() -> None:
    key = TpmKey(measurements=(file(),))
    assert list(key.problems()) == []
    assert [(one.condition_key, one.values) for one in key.references()] == [
        ("kms:RecipientAttestation:NitroTPMPCR4", (A,)),
        ("kms:RecipientAttestation:NitroTPMPCR12", (ZEROS,)),
    ]


def test_upper_case_is_normalised() -> None:
    key = TpmKey(measurements=(file(PCR4=A.upper()),))
    assert list(key.problems()) == [] and key.references()[0].values == (A,)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"PCR4": ZEROS}, "zeros in PCR4"),
        ({"PCR4": "a" * 95}, "96 hexadecimal digits in PCR4, got 95"),
        ({"PCR4": "a" * 97}, "got 97"),
        ({"PCR4": "g" * 96}, "96 hexadecimal digits"),
        ({"HashAlgorithm": "SHA256"}, "SHA384, which KMS compares, got SHA256"),
    ],
)
def test_values_that_cannot_be_meant_are_refused(values: dict[str, str], said: str) -> None:
    (problem,) = tpm(file(**values))
    assert problem.key == ("measurements", 0) and said in problem.message


def test_a_file_of_the_first_release_lacks_the_command_line_and_says_which_has_it() -> None:
    Path("old.json").write_text(json.dumps({"Measurements": {k: v for k, v in RIGHT.items() if k != "PCR12"}}))
    (problem,) = tpm("old.json")
    assert "PCR12" in problem.message and "1.1.0" in problem.message


def test_pcr4_alone_is_refused_with_the_advisory() -> None:
    (problem,) = tpm(file(), pcrs=("PCR4",))
    assert problem.key == "pcrs" and "GHSA-xrv8-2pf5-f3q7" in problem.message
    (problem,) = tpm(file(), pcrs=("PCR12",))
    assert problem.key == "pcrs"


def test_pcr7_is_worth_something_with_secure_boot_only() -> None:
    (problem,) = tpm(file(), pcrs=("PCR7",))
    assert problem.key == "secure_boot"
    assert tpm(file(), pcrs=("PCR7",), secure_boot=True) == []
    assert tpm(file(), pcrs=("PCR4", "PCR12", "PCR7")) == []
    (problem,) = tpm(file(PCR7=ZEROS), pcrs=("PCR7",), secure_boot=True)
    assert "zeros in PCR7" in problem.message


def test_builds_may_differ_in_one_pcr_because_a_policy_would_mix_them() -> None:
    assert tpm(file(), file("next.json", PCR4=B)) == []
    (problem,) = tpm(file(), file("next.json", PCR4=B, PCR12=A))
    assert "differ in PCR4 and PCR12" in problem.message


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"Measurements": {}}', '{"Measurements": []}', "null", "42"])
def test_anything_else_is_no_measurement(text: str) -> None:
    with pytest.raises(UnusableMeasurementsError, match="must name a file with the JSON"):
        parse(text, "tpm")


@pytest.mark.parametrize("path", ["nowhere.json", "../secret.json", "/etc/passwd", "."])
def test_a_file_that_is_not_there_or_not_ours_is_refused(path: str) -> None:
    (problem,) = tpm(path)
    assert problem.message.startswith("must")


@given(st.text())
def test_no_text_is_a_traceback(text: str) -> None:
    try:
        found = parse(text, "enclave")
    except UnusableMeasurementsError as error:
        assert str(error).startswith("must")
    else:
        assert isinstance(found, dict)


def test_an_enclaves_file_has_the_algorithm_in_the_tools_own_words() -> None:
    Path("eif.json").write_text(json.dumps({"Measurements": {"HashAlgorithm": "Sha384 { ... }", "PCR0": A, "PCR8": B}}))
    key = EnclaveKey(measurements=("eif.json",), pcrs=("PCR0", "PCR8"))
    assert list(key.problems()) == []
    assert [one.condition_key[-5:] for one in key.references()] == [":PCR0", ":PCR8"]
    (problem,) = EnclaveKey(measurements=("eif.json",), pcrs=("PCR8", "PCR8")).problems()
    assert "twice" in problem.message
    for parts in (("PCR1",), ("PCR1", "PCR2")):
        found = list(EnclaveKey(measurements=("eif.json",), pcrs=parts).problems())
        assert any(one.key == "pcrs" for one in found)


@pytest.mark.parametrize("operation", ["Sign", "GenerateDataKeyPair", "ReEncryptFrom", "Decapsulate", "GenerateMac"])
def test_operations_that_take_no_document_or_no_symmetric_key_are_refused(operation: str) -> None:
    with pytest.raises(ValidationError):
        TpmKey.model_validate({"measurements": ["a.json"], "operations": [operation]})


def test_who_changes_the_policy_may_not_use_the_key() -> None:
    arn = "arn:aws:iam::123456789012:role/both"
    (problem,) = tpm(file(), workload_arns=(arn,), administrator_arns=(arn,))
    assert problem.key == ("administrator_arns", 0)


def test_principals_are_no_more_than_a_key_policy_holds() -> None:
    """https://docs.aws.amazon.com/kms/latest/developerguide/limits.html: a policy has 32 KiB at most."""
    arns = tuple(f"arn:aws:iam::123456789012:role/{n:02}".ljust(600, "r") for n in range(40))
    most = {"workload_arns": arns[:20], "administrator_arns": arns[20:]}
    assert not tpm(file(), **most)
    (problem,) = tpm(file(), producer_arns=("arn:aws:iam::123456789012:role/one-more",), **most)
    assert problem.key == "administrator_arns" and "32 KiB" in problem.message


def test_principals_are_of_the_account() -> None:
    arn = "arn:aws:iam::999999999999:role/other"
    settings = NitroAttestationSettings(
        tpm=Tpm(image_id=IMAGE, key=TpmKey(measurements=(file(),), producer_arns=(arn,)))
    )
    (problem,) = settings.problems_with(CommonSettings(account="123456789012"))
    assert problem.path == ("tpm", "key", "producer_arns", 0)


def test_with_a_key_the_topic_is_of_the_account_because_eventbridge_reaches_no_other() -> None:
    topic = "arn:aws:sns:eu-central-1:999999999999:alarms"
    common = CommonSettings(account="123456789012", region="eu-central-1", alarm_topic_arn=topic)
    keyed = NitroAttestationSettings(tpm=Tpm(image_id=IMAGE, key=TpmKey(measurements=(file(),))))
    (problem,) = keyed.problems_with(common)
    assert problem.path == ("tpm", "key") and "999999999999" in problem.message
    own = common.model_copy(update={"alarm_topic_arn": topic.replace("9" * 12, "123456789012")})
    assert not [*keyed.problems_with(own), *NitroAttestationSettings().problems_with(common)]


@pytest.mark.parametrize(
    ("instance_type", "cpus", "said"),
    [
        ("m5.large", 2, "choose m5.xlarge"),
        ("m5.xlarge", 2, None),
        ("m7i-flex.xlarge", 2, "flex"),
        ("m6g.large", 1, None),
        ("m6g.medium", 1, "single vCPU"),
        ("t3.xlarge", 2, "family t3"),
        ("m5.metal", 2, "bare metal"),
        ("m4.xlarge", 2, "Xen"),
        ("m8a.large", 1, None),
        ("m5.xlarge", 1, "multiple of 2"),
        ("m5.xlarge", 4, "at most 2"),
        ("m6g.large", 2, "at most 1"),
    ],
)
def test_a_parent_holds_enclaves_with_whole_cores_and_keeps_one(
    instance_type: str, cpus: int, said: str | None
) -> None:
    found = [one.message for one in Enclave(instance_type=instance_type, cpus=cpus).problems()]
    assert (said is None) == (not found)
    assert said is None or any(said in message for message in found)


def test_enclaves_and_hibernation_exclude_each_other() -> None:
    with pytest.raises(ValidationError):
        Enclave.model_validate({"hibernation": True})


@pytest.mark.parametrize(
    ("instance_type", "ok"), [("m7g.large", True), ("x2gd.large", False), ("m5.metal", False), ("t2.micro", False)]
)
def test_a_tpm_needs_a_type_that_has_one(instance_type: str, ok: bool) -> None:
    assert (not list(Tpm(image_id=IMAGE, instance_type=instance_type).problems())) is ok


def test_each_kind_of_document_has_a_key_of_its_own() -> None:
    """No request has both documents, so that a key which asks for both would open for nobody."""
    assert set(TpmKey.model_fields["pcrs"].default) & set(EnclaveKey.model_fields["pcrs"].default) == set()
    with pytest.raises(ValidationError):
        EnclaveKey.model_validate({"measurements": ["a.json"], "pcrs": ["PCR4"]})
    with pytest.raises(ValidationError):
        TpmKey.model_validate({"measurements": ["a.json"], "pcrs": ["PCR0"]})


def test_a_root_as_target_needs_a_confirmation() -> None:
    (problem,) = Organization(targets=("r-ab12",)).problems()
    assert problem.key == ("targets", 0)
    assert list(Organization(targets=("r-ab12",), confirm_lockout_risk=True).problems()) == []


def test_a_policy_longer_than_the_quota_is_refused() -> None:
    arns = tuple(f"arn:*:iam::*:role/{'n' * 500}{number}" for number in range(12))
    (problem,) = Organization(exempt_principal_arns=arns).problems()
    assert "takes" in problem.message
