"""The verifier of attestation documents, over a chain of our own: the right one passes, each fault has its error."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import cbor2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from stacks.nitro_attestation.attestation import Document, DocumentError, Expected, verify
from stacks.nitro_attestation.chain import ROOT_FINGERPRINT
from tests.solutions.nitro_attestation.documents import (
    LEAF,
    MIDDLE,
    NONCE,
    NOW,
    PCRS,
    ROOT,
    A,
    Chain,
    Shape,
    as_nitro,
    certificate,
    chain,
    document,
    payload,
    usual,
)

REFERENCE = {"PCR4": (A,), "PCR12": ("0" * 96,)}


def check(raw: bytes, of: Chain | None = None, **changed: Any) -> Document:
    expected = Expected("tpm", NOW + timedelta(seconds=10), nonce=NONCE, pcrs=REFERENCE)
    return verify(raw, replace(expected, **changed), root=(of or usual()).root)


def refused(raw: bytes, of: Chain | None = None, **changed: Any) -> str:
    with pytest.raises(DocumentError) as caught:
        check(raw, of, **changed)
    return str(caught.value)


@pytest.mark.parametrize("tag", [None, 18])
def test_a_right_document_gives_its_pcrs(tag: int | None) -> None:
    found = check(document(tag=tag))
    assert found.pcrs == {f"PCR{index}": value for index, value in PCRS.items()}
    assert found.module_id == "i-0123456789abcdef0" and found.timestamp == NOW and found.user_data == b"hello"


def test_one_of_an_enclave_has_its_own_field() -> None:
    raw = document(field_of_pcrs="pcrs")
    assert check(raw, kind="enclave").pcrs["PCR4"] == A
    assert "of the other kind" in refused(raw)
    assert "of the other kind" in refused(document(), kind="enclave")


def test_an_enclave_in_debug_mode_proves_nothing() -> None:
    """Its role and its parent are measured all the same, in PCR3 and PCR4."""
    zeros = {**dict.fromkeys(range(16), bytes(48)), 3: b"r" * 48, 4: b"i" * 48}
    debug = document(field_of_pcrs="pcrs", pcrs=zeros)
    assert "debug mode" in refused(debug, kind="enclave", pcrs={})
    measured = document(field_of_pcrs="pcrs", pcrs={**zeros, 0: b"m" * 48})
    assert check(measured, kind="enclave", pcrs={})


# What is signed


def test_a_flipped_bit_anywhere_in_the_payload_is_found() -> None:
    raw = document()
    start = raw.index(payload(usual())["certificate"]) + 600
    for at in (start, raw.index(bytes.fromhex(A)), len(raw) - 10):
        broken = bytearray(raw)
        broken[at] ^= 1
        assert refused(bytes(broken))


def test_a_changed_value_breaks_the_signature() -> None:
    raw = document()
    changed = raw.replace(b"hello", b"hullo")
    assert "the signature is wrong" in refused(changed)
    assert "the signature is wrong" in refused(document(by=certificate(LEAF)))


@pytest.mark.parametrize("header", [{1: -7}, {1: -36}, {}, {1: -35, 4: 1}, {3: -35}])
def test_another_algorithm_is_refused(header: dict[int, int]) -> None:
    assert "the algorithm must be ES384" in refused(document(protected=cbor2.dumps(header)))


@pytest.mark.parametrize("length", [0, 64, 95, 97])
def test_a_signature_of_another_length_is_refused(length: int) -> None:
    parts = cbor2.loads(document())
    assert "96 bytes" in refused(cbor2.dumps([*parts[:3], b"s" * length]))


def test_a_signature_of_zeros_is_refused() -> None:
    parts = cbor2.loads(document())
    assert "the signature is wrong" in refused(cbor2.dumps([*parts[:3], bytes(96)]))


# What cbor2 takes too kindly


def test_trailing_bytes_are_refused_inside_and_outside() -> None:
    assert "bytes after its end" in refused(document() + b"\0")
    assert "bytes after its end" in refused(document(encoded=lambda value: cbor2.dumps(value) + b"\0"))
    assert "bytes after its end" in refused(document(protected=cbor2.dumps({1: -35}) + b"\0"))


def test_a_key_that_stands_twice_is_refused() -> None:
    def twice(value: Any) -> bytes:
        whole = cbor2.dumps(value)
        assert whole[0] == 0xA0 + len(value)
        return bytes([whole[0] + 1]) + whole[1:] + cbor2.dumps("nonce") + cbor2.dumps(NONCE)

    def twice_in_nitros_form(value: Any) -> bytes:
        return as_nitro(value)[:-1] + cbor2.dumps("nonce") + cbor2.dumps(NONCE) + b"\xff"

    for encoded in (twice, twice_in_nitros_form):
        assert cbor2.loads(encoded(payload(usual())))["nonce"] == NONCE
        assert "a duplicate key" in refused(document(encoded=encoded))


def test_the_payload_may_be_of_indefinite_length_as_nitro_writes_it() -> None:
    """A public document of a NitroTPM of 2026 begins with 0xbf, one of an enclave of 2024 with 0xa9."""
    assert as_nitro(payload(usual()))[0] == 0xBF and cbor2.dumps(payload(usual()))[0] == 0xA9
    for encoded in (as_nitro, cbor2.dumps):
        assert check(document(encoded=encoded)).user_data == b"hello"


def _pcrs_open(value: Any) -> bytes:
    whole, inner = as_nitro(value), cbor2.dumps(value["nitrotpm_pcrs"])
    return whole.replace(inner, as_nitro(value["nitrotpm_pcrs"]))


def _nonce_in_chunks(value: Any) -> bytes:
    return as_nitro(value).replace(cbor2.dumps(NONCE), b"\x5f" + cbor2.dumps(NONCE) + b"\xff")


@pytest.mark.parametrize("encoded", [_pcrs_open, _nonce_in_chunks])
def test_nothing_else_is_of_indefinite_length(encoded: Callable[[Any], bytes]) -> None:
    assert cbor2.loads(encoded(payload(usual())))["nonce"] == NONCE
    assert "not encoded in the shortest way" in refused(document(encoded=encoded))


def test_a_payload_without_its_break_is_refused() -> None:
    assert "not CBOR" in refused(document(encoded=lambda value: as_nitro(value)[:-1]))
    assert "after its end" in refused(document(encoded=lambda value: as_nitro(value) + b"\xff"))


@pytest.mark.parametrize("header", [b"\xa1\xf5\x38\x22", b"\xa1\xf9\x3c\x00\x38\x22"])
def test_a_header_that_only_python_takes_for_the_right_one_is_refused(header: bytes) -> None:
    """True and 1.0 are equal to 1 in Python, and neither names the algorithm."""
    assert cbor2.loads(header) == {1: -35}
    assert refused(document(protected=header))


def test_a_long_way_to_write_a_number_is_refused() -> None:
    assert "a duplicate key, or is not encoded" in refused(document(protected=b"\xa1\x18\x01\x38\x22"))


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xff",
        b"\x9f",
        cbor2.dumps([]),
        cbor2.dumps({}),
        cbor2.dumps([1, 2, 3, 4]),
        cbor2.dumps(None),
        b"\xd8\x1d\x00",
    ],
)
def test_anything_else_is_no_document(raw: bytes) -> None:
    assert refused(raw)


def test_another_tag_and_anything_unprotected_are_refused() -> None:
    assert "tag 98" in refused(document(tag=98))
    parts = cbor2.loads(document())
    assert "without unprotected headers" in refused(cbor2.dumps([parts[0], {4: b"x"}, *parts[2:]]))


def test_a_document_that_is_too_long_is_not_read() -> None:
    assert "at most 32768 bytes" in refused(bytes(40_000))


@given(st.binary(max_size=400))
def test_no_bytes_are_a_traceback(raw: bytes) -> None:
    refused(raw)


@settings(max_examples=60)
@given(st.data())
def test_no_change_of_a_right_document_passes(data: st.DataObject) -> None:
    raw = bytearray(document())
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= data.draw(st.integers(1, 255))
    refused(bytes(raw))


# The certificates


def test_another_root_is_refused_and_awss_is_the_default() -> None:
    other = chain(ROOT, LEAF)
    assert "the root must have the fingerprint" in refused(document(other))
    assert len(ROOT_FINGERPRINT) == 64
    with pytest.raises(DocumentError, match=ROOT_FINGERPRINT):
        verify(document(), Expected("tpm", NOW, nonce=NONCE))


UNKNOWN = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.1"), b"")
OLD: dict[str, Any] = {"begins": NOW - timedelta(days=9), "ends": NOW - timedelta(seconds=1)}
COMING: dict[str, Any] = {"begins": NOW + timedelta(seconds=1)}


@pytest.mark.parametrize(
    ("shapes", "said"),
    [
        ((ROOT, MIDDLE, replace(LEAF, **OLD)), "the signer is not valid at"),
        ((ROOT, replace(MIDDLE, **OLD), LEAF), "certificate 1 of the bundle is not valid at"),
        ((replace(ROOT, **OLD), LEAF), "certificate 0 of the bundle is not valid at"),
        ((ROOT, replace(LEAF, **COMING)), "the signer is not valid at"),
        ((ROOT, replace(MIDDLE, authority=False), LEAF), "certificate 1 of the bundle is not an authority"),
        ((ROOT, replace(MIDDLE, signs_certificates=False), LEAF), "certificate 1 of the bundle is not an authority"),
        ((ROOT, replace(LEAF, authority=True)), "the signer is an authority"),
        ((ROOT, replace(LEAF, signs_certificates=True)), "the signer is an authority"),
        ((ROOT, replace(MIDDLE, path_length=0), replace(MIDDLE, name="zone"), LEAF), "allows 0 authorities below it"),
        ((ROOT, replace(LEAF, signs_data=False)), "the signer may not sign documents"),
        ((ROOT, replace(MIDDLE, extensions=False), LEAF), "has no"),
        (
            (ROOT, replace(MIDDLE, critical=(UNKNOWN,)), LEAF),
            "an unknown critical extension: 1.3.6.1.4.1.1",
        ),
        ((ROOT, replace(LEAF, critical=(UNKNOWN,))), "the signer has an unknown critical extension"),
        ((ROOT, replace(LEAF, curve=ec.SECP256R1())), "P-384"),
    ],
)
def test_each_link_of_the_chain_is_looked_at(shapes: tuple[Shape, ...], said: str) -> None:
    made = chain(*shapes)
    if isinstance(made.certificates[-1].key.curve, ec.SECP256R1):
        raw = document(made, by=certificate(LEAF))  # a signature of 96 bytes, by another key
    else:
        raw = document(made)
    assert said in refused(raw, made)


def test_a_path_length_that_is_enough_passes() -> None:
    made = chain(replace(ROOT, path_length=2), replace(MIDDLE, path_length=0), LEAF)
    assert check(document(made), made)


def test_a_certificate_between_that_somebody_else_has_signed_is_refused() -> None:
    made = usual()
    foreign = certificate(replace(MIDDLE, name="zone"), certificate(MIDDLE))
    mixed = Chain((made.certificates[0], foreign, certificate(LEAF, foreign)))
    assert "is not signed by the one before it" in refused(document(mixed), mixed)


def test_a_signer_that_is_used_as_an_authority_is_refused() -> None:
    made = chain(ROOT, LEAF)
    below = Chain((*made.certificates, certificate(replace(LEAF, name="below"), made.certificates[-1])))
    assert "certificate 1 of the bundle is not an authority" in refused(document(below), below)


def _version_4(der: bytes) -> bytes:
    return der.replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x03", 1)


def _key_usage_twice(der: bytes) -> bytes:
    """The other extension of the same length becomes a second key usage."""
    return der.replace(b"\x06\x03\x55\x1d\x0e", b"\x06\x03\x55\x1d\x0f", 1)


@pytest.mark.parametrize(("change", "said"), [(_version_4, "is not X.509"), (_key_usage_twice, "cannot be read")])
def test_what_cryptography_refuses_in_its_own_words_is_no_traceback(
    change: Callable[[bytes], bytes], said: str
) -> None:
    made = usual()
    middle = made.certificates[1].der
    assert change(middle) != middle
    bundle = [one.der for one in made.certificates[:-1]]
    assert said in refused(document(cabundle=[bundle[0], change(middle), *bundle[2:]]))


@pytest.mark.parametrize(
    ("bundle", "said"),
    [([], "1 to 8"), ([b""], "1 to 1024 bytes"), ([b"x" * 1_025], "1 to 1024"), ([b"x"], "not X.509")],
)
def test_a_bundle_of_something_else_is_refused(bundle: list[bytes], said: str) -> None:
    assert said in refused(document(cabundle=bundle))


# Time, nonce, PCRs


def test_an_old_document_and_one_of_the_future_are_refused() -> None:
    assert "old, and at most 0:05:00" in refused(document(), now=NOW + timedelta(hours=2))
    assert "in the future" in refused(document(), now=NOW - timedelta(hours=1))
    assert check(document(), now=NOW + timedelta(minutes=4))


@pytest.mark.parametrize("nonce", [None, b"", b"another request", NONCE + b"!"])
def test_another_nonce_is_refused(nonce: bytes | None) -> None:
    assert "the nonce differs" in refused(document(), nonce=nonce)
    assert "the nonce differs" in refused(document(nonce=nonce))


def test_pcrs_are_compared_one_by_one() -> None:
    assert "PCR4 must be" in refused(document(), pcrs={"PCR4": ("b" * 96,)})
    assert "got nothing" in refused(document(), pcrs={"PCR9": (A,)})
    assert check(document(), pcrs={"PCR4": ("b" * 96, A)})


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"nitrotpm_pcrs": dict.fromkeys(range(33), bytes(48))}, "1 to 32 PCRs"),
        ({"nitrotpm_pcrs": {}}, "1 to 32 PCRs"),
        ({"nitrotpm_pcrs": {32: bytes(48)}}, "indexes from 0 to 31"),
        ({"nitrotpm_pcrs": {True: bytes(48)}}, "indexes from 0 to 31"),
        ({"nitrotpm_pcrs": {4: bytes(47)}}, "32, 48 or 64 bytes"),
        ({"nitrotpm_pcrs": {4: A}}, "32, 48 or 64 bytes"),
        ({"digest": "SHA256"}, "digest must be SHA384"),
        ({"module_id": ...}, "must have module_id"),
        ({"cabundle": ...}, "must have cabundle"),
        ({"nonce": b"n" * 513}, "nonce must be at most 512"),
        ({"user_data": b"n" * 513}, "user_data must be at most 512"),
        ({"public_key": b"n" * 1_025}, "public_key must be at most 1024"),
        ({"timestamp": "now"}, "milliseconds"),
        ({"timestamp": -1}, "milliseconds"),
        ({"timestamp": 1 << 60}, "milliseconds"),
        ({"certificate": "text"}, "certificate must be bytes"),
        ({"cabundle": b"bytes"}, "cabundle must be a list"),
        ({"more": 1}, "unknown fields: more"),
        ({"module_id": 7}, "module_id must be text"),
    ],
)
def test_a_payload_of_another_shape_is_refused(changed: dict[str, Any], said: str) -> None:
    assert said in refused(document(**changed))


def test_a_field_that_is_absent_is_as_good_as_null() -> None:
    assert check(document(nonce=...), nonce=None).public_key is None
