"""``python -m stacks nitro_attestation verify``: what it compares, and each refusal in a sentence."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from stacks import program
from stacks.nitro_attestation import commands, verifying
from tests import variants
from tests.solutions.nitro_attestation.documents import NONCE, document, usual
from tests.solutions.nitro_attestation.rendered import SLUG
from tests.variants import Json


@pytest.fixture
def configured(tmp_path: Path) -> list[str]:
    """Options that name the configuration of the variant."""
    path = tmp_path / "config.yaml"
    path.write_text(variants.configuration_text("attested"), encoding="utf-8")
    return ["--config", str(path), "--json"]


def run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], clients: Any, *words: str
) -> tuple[int, Json]:
    monkeypatch.setattr(program, "clients_of", lambda _: clients)
    status = program.main([SLUG, *words])
    return status, dict(json.loads(capsys.readouterr().out))


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A document of now."""
    monkeypatch.setattr(verifying, "root_fingerprint", usual().root)
    path = tmp_path / "document.cbor"
    monkeypatch.setattr(commands, "_now", lambda: datetime(2026, 11, 25, 12, 1, tzinfo=UTC))
    path.write_bytes(document())
    return path


def test_verify_compares_with_the_configured_key(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], configured: list[str], file: Path
) -> None:
    status, told = run(monkeypatch, capsys, None, "verify", str(file), "--nonce", NONCE.hex(), *configured)
    assert status == 0 and told["compared"] == ["PCR12", "PCR4"] and told["user_data"] == b"hello".hex()


def test_verify_takes_a_file_of_the_tools(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], file: Path
) -> None:
    folder = variants.ROOT / "tests/solutions/nitro_attestation/measurements"
    words = ("verify", str(file), "--nonce", NONCE.hex(), "--json", "--measurements")
    status, told = run(monkeypatch, capsys, None, *words, str(folder / "tpm.json"))
    assert status == 0 and told["compared"] == ["PCR12", "PCR4"]
    status, told = run(monkeypatch, capsys, None, *words, str(folder / "tpm_next.json"))
    assert status == 1 and "PCR4 must be" in told["error"]
    status, told = run(monkeypatch, capsys, None, *words, str(folder / "tpm.json"), "--pcr", "PCR7")
    assert status == 0 and told["compared"] == ["PCR7"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--nonce", "xyz"), "--nonce must be hexadecimal"),
        (("--nonce", "00"), "the nonce is another one"),
        ((), "the nonce is another one"),
        (("--max-age", "0"), "--max-age must be 1 to 86400"),
        (("--max-age", "30", "--nonce", NONCE.hex()), "old, at most"),
        (("--kind", "enclave", "--nonce", NONCE.hex()), "of the other kind"),
        (("--pcr", "PCR1", "--nonce", NONCE.hex()), "--pcr must be one of PCR4, PCR7, PCR12"),
        (("--pcr", "PCR7", "--nonce", NONCE.hex()), "--pcr PCR7 needs --measurements"),
        (("--measurements", "nowhere.json"), "--measurements"),
    ],
)
def test_verify_refuses_with_a_sentence(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    file: Path,
    words: tuple[str, ...],
    said: str,
) -> None:
    status, told = run(monkeypatch, capsys, None, "verify", str(file), "--json", *words)
    assert status == 1 and said in told["error"]


def test_verify_of_no_file_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    status, told = run(monkeypatch, capsys, None, "verify", str(tmp_path / "nothing"), "--json")
    assert status == 1 and "cannot be read" in told["error"]


def test_verify_trusts_no_other_root_by_default(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "document.cbor"
    path.write_bytes(document(timestamp=int((datetime.now(UTC) - timedelta(seconds=1)).timestamp() * 1000)))
    status, told = run(monkeypatch, capsys, None, "verify", str(path), "--nonce", NONCE.hex(), "--json")
    assert status == 1 and "the root must have the fingerprint 641a0321" in told["error"]
