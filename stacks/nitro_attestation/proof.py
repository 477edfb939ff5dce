"""Requests on an attested key and what must come of each: the table of ``prove``, of the tests and of ``make try``.

It is made of what the key is to be bound to, never of its policy.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stacks.nitro_attestation.evaluator import Decision, Request
from stacks.nitro_attestation.key_policy import WAYS_AROUND
from stacks.nitro_attestation.measurements import DIGITS, KEYS, ZEROS, Reference

EVERYTHING: Mapping[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [{"Sid": "Everything", "Effect": "Allow", "Action": "kms:*", "Resource": "*"}],
}
"""An identity policy such as administrators have."""
WRONG = "1" * DIGITS


@dataclass(frozen=True)
class Case:
    """One request, in words, with the right answer."""

    says: str
    request: Request
    right: Decision


@dataclass(frozen=True)
class Cast:
    """Who asks; ARNs.

    Attributes:
        outsider: an administrator of the account by IAM, whom the key does not name.
    """

    workload: str
    administrator: str
    outsider: str
    root: str
    producer: str | None = None


def cases(references: Sequence[Reference], operations: Sequence[str], who: Cast) -> list[Case]:
    """The table of a key.

    Args:
        operations: of the workload, without their prefix.
    """
    right = {one.condition_key: one.values[0] for one in references}
    found = [*_documents(references, right, who), *_operations(right, operations, who), *_around(right, who)]
    return [*found, *_people(right, who)]


def _documents(references: Sequence[Reference], right: Mapping[str, str], who: Cast) -> Iterator[Case]:
    def decrypt(says: str, context: Mapping[str, str], decision: Decision) -> Case:
        return Case(f"Decrypt, {says}", Request(who.workload, "kms:Decrypt", context), decision)

    yield decrypt("all PCRs right", right, "allowed")
    yield decrypt("in upper case", {key: value.upper() for key, value in right.items()}, "allowed")
    yield decrypt("names of keys in lower case", {key.lower(): value for key, value in right.items()}, "allowed")
    yield decrypt("without a document", {}, "denied")
    for one in references:
        key = one.condition_key
        yield decrypt(f"{one.pcr} wrong", {**right, key: WRONG}, "denied")
        yield decrypt(f"without {one.pcr}", {name: value for name, value in right.items() if name != key}, "denied")
        yield decrypt(f"{one.pcr} cut off", {**right, key: right[key][:-2]}, "denied")
        for value in one.values[1:]:
            yield decrypt(f"{one.pcr} of another accepted build", {**right, key: value}, "allowed")
        if ZEROS not in one.values:
            yield decrypt(f"{one.pcr} of debug mode", {**right, key: ZEROS}, "denied")
    other = KEYS["enclave" if references[0].kind == "tpm" else "tpm"]
    foreign = {other + one.pcr: one.values[0] for one in references}
    yield decrypt("the right values under the names of the other kind of document", foreign, "denied")
    yield decrypt("every PCR wrong", dict.fromkeys(right, WRONG), "denied")


def _operations(right: Mapping[str, str], operations: Sequence[str], who: Cast) -> Iterator[Case]:
    wrong = dict.fromkeys(right, WRONG)
    for operation in ("GenerateDataKey", "GenerateDataKeyPair", "DeriveSharedSecret"):
        action = f"kms:{operation}"
        decision: Decision = "allowed" if operation in operations else "denied"
        yield Case(f"{operation}, all PCRs right", Request(who.workload, action, right), decision)
        yield Case(f"{operation}, every PCR wrong", Request(who.workload, action, wrong), "denied")
        yield Case(f"{operation}, without a document", Request(who.workload, action), "denied")
    for operation in ("Encrypt", "PutKeyPolicy", "ScheduleKeyDeletion"):
        yield Case(f"{operation} by the workload", Request(who.workload, f"kms:{operation}", right), "denied")


def _around(right: Mapping[str, str], who: Cast) -> Iterator[Case]:
    for action in WAYS_AROUND:
        name = action.removeprefix("kms:")
        attested = Request(who.workload, action, right, (EVERYTHING,))
        yield Case(f"{name}, attested, kms:* by IAM", attested, "denied")
    for operation in ("Decrypt", "GenerateDataKey"):
        action = f"kms:{operation}"
        yield Case(f"{operation}, kms:* by IAM", Request(who.workload, action, {}, (EVERYTHING,)), "denied")
        granted = Request(who.workload, action, {}, (), (operation,))
        yield Case(f"{operation} by a grant, without a document", granted, "denied")
    grants = Request(who.outsider, "kms:Decrypt", dict.fromkeys(right, WRONG), (EVERYTHING,), ("Decrypt",))
    yield Case("Decrypt by a grant, every PCR wrong", grants, "denied")
    again = Request(who.outsider, "kms:ReEncryptFrom", {}, (), ("ReEncryptFrom",))
    yield Case("ReEncryptFrom by a grant", again, "denied")


def _people(right: Mapping[str, str], who: Cast) -> Iterator[Case]:
    uses = ("Decrypt", "GenerateDataKey", "ReEncryptFrom", "CreateGrant")
    for says, principal, identity in (
        ("an IAM administrator", who.outsider, (EVERYTHING,)),
        ("the root user", who.root, ()),
        ("the key's administrator", who.administrator, (EVERYTHING,)),
    ):
        for operation in uses:
            request = Request(principal, f"kms:{operation}", {}, identity)
            yield Case(f"{operation} by {says}", request, "denied")
        attested = Request(principal, "kms:Decrypt", right, identity)
        yield Case(f"Decrypt by {says} with the workload's document", attested, "denied")
        yield Case(f"DescribeKey by {says}", Request(principal, "kms:DescribeKey", {}, identity), "allowed")
        may: Decision = "allowed" if principal == who.administrator else "denied"
        for operation in ("PutKeyPolicy", "ScheduleKeyDeletion", "RevokeGrant"):
            yield Case(f"{operation} by {says}", Request(principal, f"kms:{operation}", {}, identity), may)
    yield Case("DescribeKey by somebody without policies", Request(who.outsider, "kms:DescribeKey"), "denied")
    if who.producer:
        for operation in ("Encrypt", "GenerateDataKeyWithoutPlaintext"):
            yield Case(f"{operation} by a producer", Request(who.producer, f"kms:{operation}"), "allowed")
        for context in ({}, right):
            says = "attested" if context else "without a document"
            yield Case(f"Decrypt by a producer, {says}", Request(who.producer, "kms:Decrypt", context), "denied")
        yield Case("PutKeyPolicy by a producer", Request(who.producer, "kms:PutKeyPolicy"), "denied")
