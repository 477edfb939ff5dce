"""The seven statements of the post, and how far each is enforced here, observed here, or AWS's claim only. Pure.

The statements are quoted from the post. Observations concern only this account; none proves what NCC Group reviewed:
https://aws.amazon.com/blogs/compute/aws-nitro-system-gets-independent-affirmation-of-its-confidential-compute-capabilities/
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from nitro_attestation.instances import Instance

Standing = Literal["enforced here", "observed here", "AWS's claim only"]
Holds = Literal["yes", "no", "unknown"]


@dataclass(frozen=True)
class Settings:
    """Settings of a Region and of the account; None: it could not be read.

    Attributes:
        encrypted_by_default: new EBS volumes are encrypted.
        serial_console: the EC2 Serial Console is allowed.
        http_tokens: that of the account's instance metadata defaults.
        trail: a trail for all Regions is on and logs the events of KMS.
    """

    encrypted_by_default: bool | None = None
    serial_console: bool | None = None
    http_tokens: str | None = None
    trail: bool | None = None


@dataclass(frozen=True)
class Look:
    """One Region of an account.

    Attributes:
        missing: what could not be read, with the error's code; no statement then holds for sure.
    """

    account: str
    region: str
    instances: Sequence[Instance] = ()
    settings: Settings = Settings()
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class Statement:
    """One of the seven statements.

    Attributes:
        hosts: the post's sentence about AWS's hosts.
        here: what this solution does for it on the account's side.
    """

    number: int
    hosts: str
    standing: Standing
    here: str
    holds: Callable[[Look], tuple[Holds, str]]


@dataclass(frozen=True)
class Answer:
    """The answer to a statement in a Region."""

    number: int
    standing: Standing
    holds: Holds
    says: str


def answers(look: Look) -> list[Answer]:
    """The answers to the seven statements for a Region."""
    return [Answer(one.number, one.standing, *one.holds(look)) for one in STATEMENTS]


def _operators(look: Look) -> tuple[Holds, str]:
    xen = [one.instance_id for one in look.instances if one.hypervisor == "xen"]
    unknown = [one.instance_id for one in look.instances if one.hypervisor == "unknown"]
    console = {
        True: "the serial console is allowed",
        False: "the serial console is off",
        None: "the console is unknown",
    }
    serial = console[look.settings.serial_console]
    says = f"{len(look.instances)} instances: {len(xen)} Xen, {len(unknown)} unknown; {serial}"
    if xen or look.settings.serial_console:
        return "no", says
    return _unless(look, unknown or look.settings.serial_console is None, says)


def _content(look: Look) -> tuple[Holds, str]:
    return "unknown", "nothing in an account can show it; own administrators: the attested keys deny them use"


def _storage(look: Look) -> tuple[Holds, str]:
    volumes = [volume for one in look.instances for volume in one.unencrypted_volumes]
    storage = [one.instance_id for one in look.instances if one.storage_encrypted is False]
    default = {True: "encrypted", False: "not encrypted", None: "unknown"}[look.settings.encrypted_by_default]
    says = (
        f"{len(volumes)} volumes and {len(storage)} instance stores not encrypted; default for new volumes: {default}"
    )
    if volumes or storage or look.settings.encrypted_by_default is False:
        return "no", says
    return _unless(look, look.settings.encrypted_by_default is None, says)


def _network(look: Look) -> tuple[Holds, str]:
    plain = sorted({one.instance_type for one in look.instances if one.encrypted_in_transit is False})
    unknown = sorted({one.instance_type for one in look.instances if one.encrypted_in_transit is None})
    says = "all types encrypt between instances that support it" if not (plain or unknown) else ""
    says += f"without encryption in transit: {', '.join(plain)}" if plain else ""
    says += f"{'; ' if plain else ''}unknown: {', '.join(unknown)}" if unknown else ""
    return ("no", says) if plain else _unless(look, bool(unknown), says)


def _authenticated(look: Look) -> tuple[Holds, str]:
    optional = [one.instance_id for one in look.instances if one.http_tokens != "required"]
    default = look.settings.http_tokens or "none"
    says = f"{len(optional)} instances do not require IMDSv2; the account's default: {default}"
    return ("no", says) if optional else _unless(look, False, says)


def _logged(look: Look) -> tuple[Holds, str]:
    trail = look.settings.trail
    if trail is None:
        return "unknown", "a trail could not be read: the organization's trail can only be read in its own account"
    return (
        ("yes", "a trail for all Regions logs the events of KMS")
        if trail
        else ("no", "no trail for all Regions logs the events of KMS")
    )


def _signed(look: Look) -> tuple[Holds, str]:
    attesting = [one.instance_id for one in look.instances if one.enclave or one.tpm]
    return "unknown", f"hosts: AWS's claim; own code: {len(attesting)} instances can attest to KMS"


def _unless(look: Look, unknown: object, says: str) -> tuple[Holds, str]:
    return (
        ("unknown", says + "".join(f"; could not be read: {one}" for one in look.missing))
        if unknown or look.missing
        else (
            "yes",
            says,
        )
    )


STATEMENTS = (
    Statement(
        1,
        "There is no mechanism for a cloud service provider employee to log in to the underlying host.",
        "enforced here",
        "only Nitro: the policy denies Xen types and the look finds them; own operators: no SSH, no serial console",
        _operators,
    ),
    Statement(
        2,
        "No administrative API can access customer content on the underlying host.",
        "AWS's claim only",
        "own administrators: an attested key denies them its use",
        _content,
    ),
    Statement(
        3,
        "There is no mechanism for a cloud service provider employee to access customer content stored on instance "
        "storage and encrypted EBS volumes.",
        "enforced here",
        "the launch templates encrypt volumes; the look checks each volume, the instance stores and the default",
        _storage,
    ),
    Statement(
        4,
        "There is no mechanism for a cloud service provider employee to access encrypted data transmitted over the "
        "network.",
        "observed here",
        "whether each type encrypts in transit",
        _network,
    ),
    Statement(
        5,
        "Access to administrative APIs always requires authentication and authorization.",
        "enforced here",
        "the templates and the policy require IMDSv2; the look checks each instance",
        _authenticated,
    ),
    Statement(
        6,
        "Access to administrative APIs is always logged.",
        "observed here",
        "whether a trail for all Regions is on and logs the events of KMS",
        _logged,
    ),
    Statement(
        7,
        "Hosts can only run tested and signed software that is deployed by an authenticated and authorized deployment "
        "service. No cloud service provider employee can deploy code directly onto hosts.",
        "AWS's claim only",
        "own code: only measured software can use an attested key",
        _signed,
    ),
)
