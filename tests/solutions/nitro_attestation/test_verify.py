"""``python -m stacks nitro_attestation verify``: what it compares, and each refusal in a sentence."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from stacks.nitro_attestation import commands, verifying
from tests import variants
from tests.solutions.nitro_attestation.conftest import Run
from tests.solutions.nitro_attestation.documents import NONCE, document, usual


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A document of now."""
    monkeypatch.setattr(verifying, "root_fingerprint", usual().root)
    path = tmp_path / "document.cbor"
    monkeypatch.setattr(commands, "_now", lambda: datetime(2026, 11, 25, 12, 1, tzinfo=UTC))
    path.write_bytes(document())
    return path


def test_verify_compares_with_the_configured_key(run: Run, configured: list[str], file: Path) -> None:
    status, told = run(None, "verify", str(file), "--nonce", NONCE.hex(), *configured)
    assert status == 0 and told["compared"] == ["PCR12", "PCR4"] and told["user_data"] == b"hello".hex()


def test_verify_takes_a_file_of_the_tools(run: Run, file: Path) -> None:
    folder = variants.ROOT / "tests/solutions/nitro_attestation/measurements"
    words = ("verify", str(file), "--nonce", NONCE.hex(), "--json", "--measurements")
    status, told = run(None, *words, str(folder / "tpm.json"))
    assert status == 0 and told["compared"] == ["PCR12", "PCR4"]
    status, told = run(None, *words, str(folder / "tpm_next.json"))
    assert status == 1 and "PCR4 must be" in told["error"]
    status, told = run(None, *words, str(folder / "tpm.json"), "--pcr", "PCR7")
    assert status == 0 and told["compared"] == ["PCR7"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--nonce", "xyz"), "--nonce must be hexadecimal"),
        (("--nonce", "00"), "the nonce differs"),
        ((), "the nonce differs"),
        (("--max-age", "0"), "--max-age must be 1 to 86400"),
        (("--max-age", "30", "--nonce", NONCE.hex()), "old, and at most"),
        (("--kind", "enclave", "--nonce", NONCE.hex()), "of the other kind"),
        (("--pcr", "PCR1", "--nonce", NONCE.hex()), "--pcr must be one of PCR4, PCR7, PCR12"),
        (("--pcr", "PCR7", "--nonce", NONCE.hex()), "--pcr PCR7 needs --measurements"),
        (("--measurements", "nowhere.json"), "--measurements"),
    ],
)
def test_verify_refuses_with_a_sentence(
    run: Run, configured: list[str], file: Path, words: tuple[str, ...], said: str
) -> None:
    status, told = run(None, "verify", str(file), *words, *configured)
    assert status == 1 and said in told["error"]


def test_verify_of_no_file_is_a_sentence(run: Run, configured: list[str], tmp_path: Path) -> None:
    status, told = run(None, "verify", str(tmp_path / "nothing"), *configured)
    assert status == 1 and "cannot be read" in told["error"]


@pytest.mark.parametrize("kind", ["tpm", "enclave"])
def test_verify_compares_with_something_or_says_that_it_does_not(run: Run, file: Path, kind: str) -> None:
    """Whoever has an instance of their own gets a document under AWS's root: without a PCR it proves no software."""
    words = ("verify", str(file), "--nonce", NONCE.hex(), "--json")
    status, told = run(None, *words, "--kind", kind)
    assert status == 1 and f"no {kind} key is configured to compare with" in told["error"]
    status, told = run(None, *words, "--any-software")
    assert status == 0 and told["compared"] == []


@pytest.mark.parametrize("value", ["0" * 96, "a" * 95, "x" * 96])
def test_verify_takes_no_reference_that_measures_nothing(run: Run, file: Path, tmp_path: Path, value: str) -> None:
    """The zeros of debug mode, in a file that was written then, would match a document of debug mode."""
    reference = tmp_path / "reference.json"
    reference.write_text(json.dumps({"Measurements": {"HashAlgorithm": "SHA384", "PCR4": value, "PCR12": "0" * 96}}))
    words = ("verify", str(file), "--nonce", NONCE.hex(), "--json", "--measurements", str(reference))
    status, told = run(None, *words)
    assert status == 1 and "--measurements must" in told["error"] and "PCR4" in told["error"]


def test_verify_trusts_no_other_root_by_default(run: Run, configured: list[str], tmp_path: Path) -> None:
    path = tmp_path / "document.cbor"
    path.write_bytes(document(timestamp=int((datetime.now(UTC) - timedelta(seconds=1)).timestamp() * 1000)))
    status, told = run(None, "verify", str(path), "--nonce", NONCE.hex(), *configured)
    assert status == 1 and "the root must have the fingerprint 641a0321" in told["error"]
