"""Attestation documents of a chain of our own: a right one, and one with whatever fault a test wants."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import cbor2
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from emulator.certificates import certificate_builder, key_usage

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
NONCE = b"a question"
A, ZEROS = "a" * 96, "0" * 96
PCRS = {4: A, 7: "c" * 96, 12: ZEROS}


@dataclass(frozen=True)
class Certificate:
    """A certificate and the key to it."""

    der: bytes
    key: ec.EllipticCurvePrivateKey

    @property
    def fingerprint(self) -> str:
        return x509.load_der_x509_certificate(self.der).fingerprint(SHA256()).hex()


@dataclass(frozen=True)
class Shape:
    """What a certificate of the chain is like."""

    name: str
    authority: bool = True
    begins: datetime = NOW - timedelta(days=1)
    ends: datetime = NOW + timedelta(days=1)
    path_length: int | None = None
    signs_certificates: bool | None = None
    signs_data: bool = True
    curve: ec.EllipticCurve = field(default_factory=ec.SECP384R1)
    extensions: bool = True
    critical: tuple[x509.ExtensionType, ...] = ()


def certificate(shape: Shape, issuer: Certificate | None = None) -> Certificate:
    """Makes a certificate; without an issuer it signs itself."""
    key = ec.generate_private_key(shape.curve)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, shape.name)])
    named = x509.load_der_x509_certificate(issuer.der).subject if issuer else name
    by = issuer.key if issuer else key
    builder = certificate_builder(name, named, key, by, begins=shape.begins, ends=shape.ends)
    if shape.extensions:
        signs = shape.authority if shape.signs_certificates is None else shape.signs_certificates
        usage = key_usage(signs_certificates=signs, signs_data=shape.signs_data)
        constraints = x509.BasicConstraints(ca=shape.authority, path_length=shape.path_length)
        # Of the certificate that signs a document Nitro's key usage is not critical.
        builder = builder.add_extension(constraints, critical=True).add_extension(usage, critical=shape.authority)
    for extension in shape.critical:
        builder = builder.add_extension(extension, critical=True)
    made = builder.sign(by, SHA384())
    return Certificate(made.public_bytes(Encoding.DER), key)


@dataclass(frozen=True)
class Chain:
    """Certificates, the root first, the signer last."""

    certificates: tuple[Certificate, ...]

    @property
    def root(self) -> str:
        return self.certificates[0].fingerprint


def chain(*shapes: Shape) -> Chain:
    """A chain of certificates, each signed by the one before."""
    made: list[Certificate] = []
    for shape in shapes:
        made.append(certificate(shape, made[-1] if made else None))
    return Chain(tuple(made))


ROOT, MIDDLE, LEAF = Shape("root"), Shape("middle"), Shape("leaf", authority=False)


@cache
def usual() -> Chain:
    """Root, Region, zone, instance and the signer, with the path lengths of AWS's chain."""
    below = [replace(MIDDLE, name=name, path_length=2 - at) for at, name in enumerate(("region", "zone", "instance"))]
    return chain(ROOT, *below, LEAF)


def payload(of: Chain, *, field_of_pcrs: str = "nitrotpm_pcrs", **changed: Any) -> dict[str, Any]:
    """The payload; a value of ``...`` takes a field away."""
    found: dict[str, Any] = {
        "module_id": "i-0123456789abcdef0",
        "digest": "SHA384",
        "timestamp": int(NOW.timestamp() * 1000),
        field_of_pcrs: {index: bytes.fromhex(value) for index, value in PCRS.items()},
        "certificate": of.certificates[-1].der,
        "cabundle": [one.der for one in of.certificates[:-1]],
        "public_key": None,
        "user_data": b"hello",
        "nonce": NONCE,
        **changed,
    }
    return {name: value for name, value in found.items() if value is not ...}


def as_nitro(fields: Mapping[str, Any]) -> bytes:
    """The payload as Nitro encodes it: a map of indefinite length, and everything in it of definite length."""
    return b"\xbf" + b"".join(cbor2.dumps(name) + cbor2.dumps(value) for name, value in fields.items()) + b"\xff"


def document(
    of: Chain | None = None,
    *,
    protected: Mapping[int, int] | bytes | None = None,
    tag: int | None = None,
    encoded: Callable[[Any], bytes] = as_nitro,
    by: Certificate | None = None,
    **changed: Any,
) -> bytes:
    """A signed document.

    Args:
        protected: another header.
        tag: of the outer array.
        encoded: encodes the payload.
        by: who signs it, if not the signer.
    """
    of = of or usual()
    header = protected if isinstance(protected, bytes) else cbor2.dumps(protected or {1: -35})
    body = encoded(payload(of, **changed))
    signed = cbor2.dumps(["Signature1", header, b"", body])
    r, s = decode_dss_signature((by or of.certificates[-1]).key.sign(signed, ec.ECDSA(SHA384())))
    size = 48
    parts = [header, {}, body, r.to_bytes(size, "big") + s.to_bytes(size, "big")]
    return cbor2.dumps(parts if tag is None else cbor2.CBORTag(tag, parts))
