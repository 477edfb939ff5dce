"""Requests on an attested key with the right answer: the table of ``prove``, of the tests and of ``make try``.

It is made from what the key should be bound to, never from its policy.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stacks.nitro_attestation.evaluator import Decision, Request
from stacks.nitro_attestation.key_policy import ADMINISTER, PRODUCE, TAKE_A_DOCUMENT, WAYS_AROUND
from stacks.nitro_attestation.measurements import DIGITS, KEYS, ZEROS, Reference

EVERYTHING: Mapping[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [{"Sid": "Everything", "Effect": "Allow", "Action": "kms:*", "Resource": "*"}],
}
"""An identity policy like an administrator's."""
WRONG = "1" * DIGITS


@dataclass(frozen=True)
class Case:
    """One request, in words, with the right answer."""

    says: str
    request: Request
    right: Decision


@dataclass(frozen=True)
class Cast:
    """The callers, as ARNs. The first three come from the settings, never from the policy that is evaluated.

    Attributes:
        outsider: an IAM administrator of the account, whom the key policy does not name.
        foreigner: an administrator of another account.
        strangers: principals that the deployed policy allows something and the settings nothing.
    """

    workloads: Sequence[str]
    administrators: Sequence[str]
    producers: Sequence[str]
    outsider: str
    root: str
    foreigner: str
    strangers: Sequence[str] = ()


def cases(references: Sequence[Reference], operations: Sequence[str], who: Cast) -> list[Case]:
    """The table of a key.

    Args:
        operations: the workload's, without their prefix.
    """
    right = {one.condition_key: one.values[0] for one in references}
    workload = who.workloads[0]
    found = [*_documents(references, right, workload), *_operations(right, operations, workload)]
    found += [*_around(right, workload, who.outsider), *_people(right, who)]
    for other in who.workloads[1:]:
        found += _other_workload(right, operations, other)
    for producer in who.producers:
        found += _producer(right, producer)
    found += _stranger(right, who.foreigner, (EVERYTHING,))
    for stranger in who.strangers:
        found += _stranger(right, stranger, ())
    return found


def _documents(references: Sequence[Reference], right: Mapping[str, str], workload: str) -> Iterator[Case]:
    def decrypt(says: str, context: Mapping[str, str], decision: Decision) -> Case:
        return Case(f"Decrypt, {says}", Request(workload, "kms:Decrypt", context), decision)

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


def _operations(right: Mapping[str, str], operations: Sequence[str], workload: str) -> Iterator[Case]:
    wrong = dict.fromkeys(right, WRONG)
    for operation in ("GenerateDataKey", "GenerateDataKeyPair", "DeriveSharedSecret"):
        action = f"kms:{operation}"
        decision: Decision = "allowed" if operation in operations else "denied"
        yield Case(f"{operation}, all PCRs right", Request(workload, action, right), decision)
        yield Case(f"{operation}, every PCR wrong", Request(workload, action, wrong), "denied")
        yield Case(f"{operation}, without a document", Request(workload, action), "denied")
    for operation in ("Encrypt", "PutKeyPolicy", "ScheduleKeyDeletion"):
        yield Case(f"{operation} by the workload", Request(workload, f"kms:{operation}", right), "denied")


def _around(right: Mapping[str, str], workload: str, outsider: str) -> Iterator[Case]:
    for action in WAYS_AROUND:
        name = action.removeprefix("kms:")
        attested = Request(workload, action, right, (EVERYTHING,))
        yield Case(f"{name}, attested, kms:* by IAM", attested, "denied")
    for operation in ("Decrypt", "GenerateDataKey"):
        action = f"kms:{operation}"
        yield Case(f"{operation}, kms:* by IAM", Request(workload, action, {}, (EVERYTHING,)), "denied")
        granted = Request(workload, action, {}, (), (operation,))
        yield Case(f"{operation} by a grant, without a document", granted, "denied")
    grants = Request(outsider, "kms:Decrypt", dict.fromkeys(right, WRONG), (EVERYTHING,), ("Decrypt",))
    yield Case("Decrypt by a grant, every PCR wrong", grants, "denied")
    again = Request(outsider, "kms:ReEncryptFrom", {}, (), ("ReEncryptFrom",))
    yield Case("ReEncryptFrom by a grant", again, "denied")


def _people(right: Mapping[str, str], who: Cast) -> Iterator[Case]:
    people = [("an IAM administrator", who.outsider, (EVERYTHING,)), ("the root user", who.root, ())]
    people += [(f"the key's administrator {_name(one)}", one, (EVERYTHING,)) for one in who.administrators]
    for says, principal, identity in people:
        for operation in ("Decrypt", "GenerateDataKey", "ReEncryptFrom", "CreateGrant"):
            request = Request(principal, f"kms:{operation}", {}, identity)
            yield Case(f"{operation} by {says}", request, "denied")
        attested = Request(principal, "kms:Decrypt", right, identity)
        yield Case(f"Decrypt by {says} with the workload's document", attested, "denied")
        yield Case(f"DescribeKey by {says}", Request(principal, "kms:DescribeKey", {}, identity), "allowed")
        may: Decision = "allowed" if principal in who.administrators else "denied"
        for operation in ("PutKeyPolicy", "ScheduleKeyDeletion", "RevokeGrant"):
            yield Case(f"{operation} by {says}", Request(principal, f"kms:{operation}", {}, identity), may)
    yield Case("DescribeKey by somebody without policies", Request(who.outsider, "kms:DescribeKey"), "denied")


def _other_workload(right: Mapping[str, str], operations: Sequence[str], workload: str) -> Iterator[Case]:
    for operation in operations:
        action = f"kms:{operation}"
        by = f"by {_name(workload)}"
        yield Case(f"{operation} {by}, all PCRs right", Request(workload, action, right), "allowed")
        yield Case(f"{operation} {by}, without a document", Request(workload, action), "denied")
    yield Case(f"PutKeyPolicy {by}", Request(workload, "kms:PutKeyPolicy"), "denied")


def _producer(right: Mapping[str, str], producer: str) -> Iterator[Case]:
    by = f"by the producer {_name(producer)}"
    for operation in ("Encrypt", "GenerateDataKeyWithoutPlaintext"):
        yield Case(f"{operation} {by}", Request(producer, f"kms:{operation}"), "allowed")
    yield Case(f"Decrypt {by}, attested", Request(producer, "kms:Decrypt", right), "denied")
    yield Case(f"Decrypt {by}, without a document", Request(producer, "kms:Decrypt"), "denied")
    yield Case(f"PutKeyPolicy {by}", Request(producer, "kms:PutKeyPolicy"), "denied")


def _stranger(right: Mapping[str, str], stranger: str, identity: Sequence[Mapping[str, Any]]) -> Iterator[Case]:
    """Whoever is not in the settings may do nothing, with any document."""
    for action in sorted({*TAKE_A_DOCUMENT, *WAYS_AROUND, *PRODUCE, *ADMINISTER}):
        request = Request(stranger, action, right, identity)
        yield Case(f"{action.removeprefix('kms:')} by {stranger}, whom no setting names", request, "denied")


def _name(arn: str) -> str:
    return arn.rpartition("/")[2]
