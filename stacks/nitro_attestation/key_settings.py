"""Sections ``key`` of ``solutions.nitro_attestation``: what a KMS key is bound to, and who may do what with it."""

from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from config.models import Problem, Section, rule
from config.types import FilePath, PrincipalArn, repeated
from stacks.nitro_attestation.measurements import ADVISORY, Kind, Reference, problems, read, references

MOST_CHARACTERS = 24_000
"""Longest list of all principals of a key together. A key policy has at most 32 KiB, a quota that cannot be raised
(https://docs.aws.amazon.com/kms/latest/developerguide/limits.html); the rest is for its statements."""
Operation = Literal["Decrypt", "GenerateDataKey"]
EnclavePcr = Literal["PCR0", "PCR1", "PCR2", "PCR8"]
TpmPcr = Literal["PCR4", "PCR7", "PCR12"]


class AttestedKey(Section):
    """A KMS key that only measured software may use."""

    kind: ClassVar[Kind]

    pcrs: tuple[str, ...]
    """PCRs that must match."""
    measurements: Annotated[tuple[FilePath, ...], Field(min_length=1, max_length=10)]
    """Files that the public tools print, one for each accepted build; paths in this repository."""
    operations: Annotated[tuple[Operation, ...], Field(min_length=1)] = ("Decrypt",)
    """Operations that the workload may call. GenerateDataKey is for a workload that encrypts data itself."""
    workload_arns: Annotated[tuple[PrincipalArn, ...], Field(max_length=20)] = ()
    """Roles, besides that of the launch template, that may use the key with a matching document."""
    producer_arns: Annotated[tuple[PrincipalArn, ...], Field(max_length=20)] = ()
    """Roles and users that may encrypt, without attestation and without ever decrypting."""
    administrator_arns: Annotated[tuple[PrincipalArn, ...], Field(max_length=20)] = ()
    """Roles and users that may change the key and its policy, besides the role that CloudFormation assumes."""
    cloudformation_role_arn: PrincipalArn | None = None
    """Role that CloudFormation assumes to deploy the stack. null: that of ``cdk bootstrap``."""
    deletion_days: Annotated[int, Field(ge=7, le=30)] = 30
    """Days from the deletion of the stack to that of the key, in which it can be cancelled."""

    def references(self) -> tuple[Reference, ...]:
        """The accepted values of each of these PCRs."""
        builds = [read(path, self.kind, self.pcrs) for path in self.measurements]
        return references(builds, self.kind, self.pcrs)

    @rule
    def _measurements_are_usable(self) -> Iterator[Problem]:
        yield from problems(self.measurements, self.kind, self.pcrs)

    @rule
    def _nobody_has_two_parts(self) -> Iterator[Problem]:
        users = {*self.workload_arns, *self.producer_arns}
        administrators: list[tuple[tuple[str | int, ...], str | None]] = [
            (("administrator_arns", index), arn) for index, arn in enumerate(self.administrator_arns)
        ]
        for key, arn in (*administrators, (("cloudformation_role_arn",), self.cloudformation_role_arn)):
            if arn in users:
                yield Problem(
                    key,
                    "must not use the key as well: whoever changes the policy could open it; name another principal",
                )

    @rule
    def _the_policy_fits(self) -> Iterator[Problem]:
        length = sum(map(len, (*self.workload_arns, *self.producer_arns, *self.administrator_arns)))
        if length > MOST_CHARACTERS:
            yield Problem(
                "administrator_arns",
                f"must have at most {MOST_CHARACTERS:,} characters together with workload_arns and producer_arns, got "
                f"{length:,}: a key policy has at most 32 KiB; name fewer",
            )

    @rule
    def _nothing_twice(self) -> Iterator[Problem]:
        for key in ("measurements", "operations", "workload_arns", "producer_arns", "administrator_arns"):
            for index in repeated(getattr(self, key)):
                yield Problem((key, index), "must not be listed twice; remove one")


class EnclaveKey(AttestedKey):
    """A KMS key that only a measured enclave may use."""

    kind = "enclave"

    pcrs: Annotated[tuple[EnclavePcr, ...], Field(min_length=1, max_length=4)] = ("PCR0",)
    """PCRs that must match. PCR0: the whole image. PCR8: its signer."""

    @rule
    def _the_image_is_bound(self) -> Iterator[Problem]:
        if not {"PCR0", "PCR8"} & set(self.pcrs):
            yield Problem(
                "pcrs", "must have PCR0, the image, or PCR8, its signer, because the others are only parts; add one"
            )
        for index in repeated(self.pcrs):
            yield Problem(("pcrs", index), "must not be listed twice; remove one")


class TpmKey(AttestedKey):
    """A KMS key that only a measured instance may use."""

    kind = "tpm"

    pcrs: Annotated[tuple[TpmPcr, ...], Field(min_length=1, max_length=3)] = ("PCR4", "PCR12")
    """PCRs that must match. PCR4 and PCR12: image and command line. PCR7: the certificate of Secure Boot."""
    secure_boot: bool = False
    """true: the image boots with UEFI Secure Boot and only your certificate, so that PCR7 identifies your images."""

    @rule
    def _the_boot_is_bound(self) -> Iterator[Problem]:
        for index in repeated(self.pcrs):
            yield Problem(("pcrs", index), "must not be listed twice; remove one")
        pcrs = set(self.pcrs)
        if {"PCR4", "PCR12"} <= pcrs or ("PCR7" in pcrs and self.secure_boot):
            return
        if "PCR7" in pcrs:
            yield Problem(
                "secure_boot",
                "must be true for PCR7 without PCR4 and PCR12; sign the image and set it, or bind PCR4 and PCR12",
            )
            return
        yield Problem(
            "pcrs",
            f"must have PCR4 together with PCR12, or PCR7 with secure_boot: PCR4 does not measure the command line "
            f"({ADVISORY}), and PCR12 measures nothing else; add the other",
        )
