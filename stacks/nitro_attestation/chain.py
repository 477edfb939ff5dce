"""The certificates of an attestation document, from the signer's to the pinned root. Pure: no network, no clock.

The libraries' X.509 verification is for TLS and host names, so the chain is checked here:
https://docs.aws.amazon.com/enclaves/latest/user/verify-root.html
"""

from collections.abc import Sequence
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP384R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256

ROOT_FINGERPRINT = "641a0321a3e244efe456463195d606317ed7cdcc3c1756e09893f3c68f79bb5b"
"""SHA-256 of the root for enclaves and NitroTPM, CN=aws.nitro-enclaves, valid to 2049-10-28. It cannot be set."""
KNOWN = (x509.BasicConstraints.oid, x509.KeyUsage.oid)
"""Critical extensions that are checked; any other must be refused:
https://www.rfc-editor.org/rfc/rfc5280#section-4.2"""
UNREADABLE = (
    *(ValueError, TypeError, UnsupportedAlgorithm),
    *(x509.InvalidVersion, x509.DuplicateExtension, x509.UnsupportedGeneralNameType),
)
"""What cryptography raises for an invalid certificate; the last three are not ValueErrors."""
MOST_CERTIFICATES = 8
MOST_BYTES = 1_024


class ChainError(ValueError):
    """The certificates do not lead from the signer to the root; the message names the broken link."""


def signer(certificate: bytes, bundle: Sequence[bytes], at: datetime, root: str) -> EllipticCurvePublicKey:
    """The public key of the signing certificate, after every link has been checked.

    Args:
        certificate: the signer's, in DER.
        bundle: the root first, the issuer of the signer last.
        at: the time at which all must be valid.
        root: SHA-256 of the root's DER, in hex.

    Raises:
        ChainError: a link is broken.
    """
    if not 1 <= len(bundle) <= MOST_CERTIFICATES:
        raise ChainError(f"cabundle must have 1 to {MOST_CERTIFICATES} certificates, got {len(bundle)}")
    chain = [_parsed(der) for der in (*bundle, certificate)]
    found = chain[0].fingerprint(SHA256()).hex()
    if found != root:
        raise ChainError(f"the root must have the fingerprint {root}, got {found}")
    for number, one in enumerate(chain):
        says = "the signer" if one is chain[-1] else f"certificate {number} of the bundle"
        if not one.not_valid_before_utc <= at <= one.not_valid_after_utc:
            raise ChainError(f"{says} is not valid at {at.isoformat(timespec='seconds')}")
        _role(one, says, last=one is chain[-1], below=len(chain) - number - 2)
        issuer = chain[max(number - 1, 0)]
        try:
            one.verify_directly_issued_by(issuer)
        except (InvalidSignature, *UNREADABLE):
            raise ChainError(f"{says} is not signed by the one before it") from None
    try:
        key = chain[-1].public_key()
    except UNREADABLE:
        raise ChainError("the signer has a key that cannot be read") from None
    if not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP384R1):
        raise ChainError("the signer must have a key on P-384")
    return key


def _parsed(der: bytes) -> x509.Certificate:
    if not 1 <= len(der) <= MOST_BYTES:
        raise ChainError(f"a certificate must have 1 to {MOST_BYTES} bytes, got {len(der)}")
    try:
        return x509.load_der_x509_certificate(der)
    except UNREADABLE:
        raise ChainError("a certificate is not X.509") from None


def _role(certificate: x509.Certificate, says: str, *, last: bool, below: int) -> None:
    """Checks that only authorities sign certificates, and that the document's signer is not one.

    Args:
        below: certificates between this authority and the signer.
    """
    try:
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound as error:
        raise ChainError(f"{says} has no {error.oid._name}") from None  # its only name
    except UNREADABLE:
        raise ChainError(f"{says} has extensions that cannot be read") from None
    for extension in certificate.extensions:
        if extension.critical and extension.oid not in KNOWN:
            raise ChainError(f"{says} has an unknown critical extension: {extension.oid.dotted_string}")
    if constraints.ca is last or usage.key_cert_sign is last:
        raise ChainError(f"{says} is {'an authority' if last else 'not an authority'}")
    if last and not usage.digital_signature:
        raise ChainError(f"{says} may not sign documents")
    if not last and constraints.path_length is not None and constraints.path_length < below:
        raise ChainError(f"{says} allows {constraints.path_length} authorities below it, got {below}")
