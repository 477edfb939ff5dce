"""Checks an attestation document of an enclave or of a NitroTPM: COSE_Sign1 in CBOR, signed under AWS's root.

It is stricter than the libraries: cbor2 accepts trailing bytes and duplicate keys. One encoding of Nitro is not the
shortest: since 2025 the payload is a map of indefinite length. Pure: the clock, the root and what to expect are given.
https://github.com/aws/aws-nitro-enclaves-nsm-api/blob/main/docs/attestation_process.md and
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/nitrotpm-attestation-document-content.html
"""

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA384

from stacks.nitro_attestation.chain import ROOT_FINGERPRINT, ChainError, signer
from stacks.nitro_attestation.measurements import Kind

MOST_DOCUMENT_BYTES = 32_768
SIGN1_TAG = 18
ES384 = -35
HEADER = cbor2.dumps({1: ES384})
"""The only protected header, compared as bytes, because in Python the keys ``true`` and ``1.0`` equal 1."""
SIGNATURE_BYTES = 96
OPEN_MAP, BREAK = 0xBF, 0xFF
"""https://www.rfc-editor.org/rfc/rfc8949#section-3.2.2"""
DEBUG = ("PCR0", "PCR1", "PCR2")
"""PCRs that are all zeros only for an enclave in debug mode:
https://docs.aws.amazon.com/enclaves/latest/user/set-up-attestation.html"""
PCRS: Mapping[Kind, str] = {"enclave": "pcrs", "tpm": "nitrotpm_pcrs"}
NEEDED = {"module_id", "timestamp", "digest", "certificate", "cabundle"}
OPTIONAL = {"public_key": 1_024, "user_data": 512, "nonce": 512}
"""Largest sizes in bytes."""
AHEAD = timedelta(minutes=1)
"""How far the hypervisor's clock may be ahead of this machine's."""


class DocumentError(ValueError):
    """The document proves nothing; the message says why."""


@dataclass(frozen=True)
class Expected:
    """What a verifier expects.

    Attributes:
        oldest: greatest age of the document.
        nonce: the nonce of the request; None: none was sent, and the document must have none.
        pcrs: values by name, such as PCR4, in lower-case hex.
    """

    kind: Kind
    now: datetime
    oldest: timedelta = timedelta(minutes=5)
    nonce: bytes | None = None
    pcrs: Mapping[str, tuple[str, ...]] | None = None


@dataclass(frozen=True)
class Document:
    """The content of a valid document.

    Attributes:
        pcrs: all PCRs by name, in lower-case hex.
    """

    module_id: str
    timestamp: datetime
    pcrs: Mapping[str, str]
    public_key: bytes | None
    user_data: bytes | None


def verify(raw: bytes, expected: Expected, *, root: str = ROOT_FINGERPRINT) -> Document:
    """Checks everything about a document.

    Args:
        root: SHA-256 of the root certificate; tests have their own.

    Raises:
        DocumentError: it proves nothing.
    """
    protected, payload, signature = _envelope(raw)
    fields = _fields(payload, expected.kind)
    at = datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=fields["timestamp"])
    if at > expected.now + AHEAD:
        raise DocumentError(f"its time is in the future: {at.isoformat(timespec='seconds')}")
    if expected.now - at > expected.oldest:
        raise DocumentError(
            f"it is {expected.now - at} old, and at most {expected.oldest} are accepted; request a new one"
        )
    try:
        key = signer(fields["certificate"], fields["cabundle"], at, root)
    except ChainError as error:
        raise DocumentError(str(error)) from None
    signed = cbor2.dumps(["Signature1", protected, b"", payload])
    half = SIGNATURE_BYTES // 2
    numbers = (int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big"))
    try:
        key.verify(encode_dss_signature(*numbers), signed, ECDSA(SHA384()))
    except InvalidSignature:
        raise DocumentError("the signature is wrong: the document was changed, or another key signed it") from None
    if fields.get("nonce") != expected.nonce:
        raise DocumentError("the nonce differs: the document was made for another request, or is replayed")
    pcrs = {f"PCR{index}": value.hex() for index, value in sorted(fields[PCRS[expected.kind]].items())}
    measured = [int(pcrs[name], 16) for name in DEBUG if name in pcrs]
    if expected.kind == "enclave" and measured and not any(measured):
        raise DocumentError(
            "its enclave ran in debug mode, since PCR0 to PCR2 are zeros: whoever controls the parent can read it"
        )
    for name, values in (expected.pcrs or {}).items():
        if pcrs.get(name) not in values:
            raise DocumentError(f"{name} must be {' or '.join(values)}, got {pcrs.get(name, 'nothing')}")
    return Document(fields["module_id"], at, pcrs, fields.get("public_key"), fields.get("user_data"))


def _envelope(raw: bytes) -> tuple[bytes, bytes, bytes]:
    if len(raw) > MOST_DOCUMENT_BYTES:
        raise DocumentError(f"it must have at most {MOST_DOCUMENT_BYTES} bytes, got {len(raw)}")
    found = _decoded(raw, "the document")
    if isinstance(found, cbor2.CBORTag):
        if found.tag != SIGN1_TAG:
            raise DocumentError(f"it must be a COSE_Sign1, tag {SIGN1_TAG}, got tag {found.tag}")
        found = found.value
    if not isinstance(found, list | tuple) or len(found) != 4:  # cbor2 gives a tuple below a tag
        raise DocumentError("it must be a COSE_Sign1, an array of four")
    protected, unprotected, payload, signature = found
    if not all(isinstance(part, bytes) for part in (protected, payload, signature)) or unprotected != {}:
        raise DocumentError("it must be a COSE_Sign1 of three byte strings, without unprotected headers")
    header = _decoded(protected, "the protected header")
    if protected != HEADER:
        raise DocumentError(f"the algorithm must be ES384 ({{1: {ES384}}}), got {header}")
    if len(signature) != SIGNATURE_BYTES:
        raise DocumentError(f"the signature must have {SIGNATURE_BYTES} bytes, got {len(signature)}")
    return protected, payload, signature


def _decoded(data: bytes, says: str) -> Any:
    """One CBOR item with nothing after it and without duplicate keys: encoding it again must give the same bytes.

    A top-level map may have indefinite length, as today's payloads do.
    """
    stream = io.BytesIO(data)
    try:
        found = cbor2.load(stream)
        if stream.read(1):
            raise DocumentError(f"{says} has bytes after its end")
        again = _open_map(found) if isinstance(found, dict) and data[0] == OPEN_MAP else cbor2.dumps(found)
    except DocumentError:
        raise
    except (cbor2.CBORError, ValueError, TypeError, RecursionError, OverflowError, MemoryError):
        raise DocumentError(f"{says} is not CBOR") from None
    if again != data:
        raise DocumentError(f"{says} has a duplicate key, or is not encoded in the shortest way")
    return found


def _open_map(found: Mapping[Any, Any]) -> bytes:
    """A map of indefinite length: its items and a break."""
    items = b"".join(cbor2.dumps(key) + cbor2.dumps(value) for key, value in found.items())
    return bytes([OPEN_MAP]) + items + bytes([BREAK])


def _fields(payload: bytes, kind: Kind) -> dict[str, Any]:
    found = _decoded(payload, "the payload")
    if not isinstance(found, dict):
        raise DocumentError("the payload must be a map")
    wanted, other = PCRS[kind], PCRS["tpm" if kind == "enclave" else "enclave"]
    if other in found:
        raise DocumentError(f"it must have {wanted}, got {other}: the document is of the other kind")
    for problem in _problems(found, wanted):
        raise DocumentError(problem)
    return found


def _problems(found: Mapping[Any, Any], pcrs: str) -> Iterator[str]:
    if missing := sorted({*NEEDED, pcrs} - set(found)):
        yield f"the payload must have {', '.join(missing)}"
        return
    if unknown := sorted(map(str, set(found) - {*NEEDED, *OPTIONAL, pcrs})):
        yield f"the payload has unknown fields: {', '.join(unknown)}"
    if not isinstance(found["module_id"], str) or not found["module_id"]:
        yield "module_id must be text"
    if type(found["timestamp"]) is not int or not 0 < found["timestamp"] < 1 << 43:
        yield "timestamp must be milliseconds since 1970"
    if found["digest"] != "SHA384":
        yield f"digest must be SHA384, got {found['digest']}"
    if not isinstance(found["certificate"], bytes):
        yield "certificate must be bytes"
    bundle = found["cabundle"]
    if not isinstance(bundle, list) or not all(isinstance(one, bytes) for one in bundle):
        yield "cabundle must be a list of certificates"
    for name, most in OPTIONAL.items():
        value = found.get(name)
        if value is not None and not (isinstance(value, bytes) and len(value) <= most):
            yield f"{name} must be at most {most} bytes"
    yield from _pcr_problems(found[pcrs], pcrs)


def _pcr_problems(found: Any, name: str) -> Iterator[str]:
    if not isinstance(found, dict) or not 1 <= len(found) <= 32:
        yield f"{name} must have 1 to 32 PCRs"
        return
    for index, value in found.items():
        if type(index) is not int or not 0 <= index <= 31:
            yield f"{name} must have indexes from 0 to 31, got {index}"
        if not isinstance(value, bytes) or len(value) not in (32, 48, 64):
            yield f"{name} must have values of 32, 48 or 64 bytes"
