"""Reference measurements: the values that the public tools compute for a build. Pure, except for reading the file.

- ``nitro-cli build-enclave`` prints PCR0, PCR1, PCR2 and, for a signed image, PCR8:
  https://docs.aws.amazon.com/enclaves/latest/user/set-up-attestation.html
- ``nitro-tpm-pcr-compute`` prints PCR4, PCR7 and, since 1.1.0, PCR12:
  https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/create-pcr-compute.html
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from config.models import Problem
from config.types import path_problem

Kind = Literal["enclave", "tpm"]
ROOT = Path(__file__).parents[2]
DIGITS = 96
ZEROS = "0" * DIGITS
ADVISORY = "https://github.com/advisories/GHSA-xrv8-2pf5-f3q7"
NAMES: Mapping[Kind, tuple[str, ...]] = {"enclave": ("PCR0", "PCR1", "PCR2", "PCR8"), "tpm": ("PCR4", "PCR7", "PCR12")}
ZEROS_ARE_RIGHT = ("tpm", "PCR12")
"""PCRs that may be zeros: an unmodified command line measures nothing. Others mean debug mode or no measurement."""
KEYS: Mapping[Kind, str] = {"enclave": "kms:RecipientAttestation:", "tpm": "kms:RecipientAttestation:NitroTPM"}
"""Beginning of the condition keys. One copy of AWS's page names :PCR4 for the TPM; that is the parent instance's id in
an enclave's document; KMS accepts it silently, and nobody can use such a key.
https://docs.aws.amazon.com/kms/latest/developerguide/conditions-nitro-enclave.html and conditions-nitro-tpm.html"""

Measured = Mapping[str, str]


class UnusableMeasurementsError(ValueError):
    """A file has no measurements that a key can be bound to; the message is "must ...; do ..."."""


@dataclass(frozen=True)
class Reference:
    """Accepted values of one PCR.

    Attributes:
        values: in lower-case hex; more than one while one build replaces another.
    """

    kind: Kind
    pcr: str
    values: tuple[str, ...]

    @property
    def condition_key(self) -> str:
        """The KMS condition key."""
        return KEYS[self.kind] + self.pcr


def parse(text: str, kind: Kind) -> dict[str, str]:
    """The PCRs of a tool's output, normalised to lower case.

    Raises:
        UnusableMeasurementsError: the text is not such output, or not of SHA-384.
    """
    tool = {"enclave": "nitro-cli build-enclave", "tpm": "nitro-tpm-pcr-compute"}[kind]
    try:
        measurements = json.loads(text)["Measurements"]
        algorithm = str(measurements["HashAlgorithm"])
    except (ValueError, LookupError, TypeError):
        raise UnusableMeasurementsError(
            f"must name a file with the JSON that {tool} prints, with Measurements and HashAlgorithm; write it"
        ) from None
    # nitro-cli prints "Sha384 { ... }", nitro-tpm-pcr-compute "SHA384".
    if not re.match(r"(?i)sha-?384\b", algorithm):
        raise UnusableMeasurementsError(f"must be measured with SHA384, which KMS compares, got {algorithm}")
    return {str(name): str(value).lower() for name, value in measurements.items() if str(name).startswith("PCR")}


def value_problem(kind: Kind, pcr: str, value: str) -> str | None:
    """What is wrong with the value of a PCR."""
    if not re.fullmatch(rf"[0-9a-f]{{{DIGITS}}}", value):
        return f"must have {DIGITS} hexadecimal digits in {pcr}, got {len(value)} characters; measure the build again"
    if value == ZEROS and (kind, pcr) != ZEROS_ARE_RIGHT:
        return f"must not have zeros in {pcr}, which mean debug mode or no measurement; measure the build that will run"
    return None


def read(path: str, kind: Kind, bound: Sequence[str]) -> dict[str, str]:
    """The bound PCRs of a file in this repository.

    Raises:
        UnusableMeasurementsError: the file is not usable for them.
    """
    if problem := path_problem(path):
        raise UnusableMeasurementsError(problem)
    try:
        found = parse((ROOT / path).read_text(encoding="utf-8"), kind)
    except (OSError, UnicodeDecodeError):
        raise UnusableMeasurementsError("must name a readable file in this repository; correct the path") from None
    for pcr in bound:
        if pcr not in found:
            newer = "; run nitro-tpm-pcr-compute 1.1.0 or later, which prints it" if pcr == "PCR12" else "; measure it"
            raise UnusableMeasurementsError(f"must have {pcr}{newer}")
        if problem := value_problem(kind, pcr, found[pcr]):
            raise UnusableMeasurementsError(problem)
    return {pcr: found[pcr] for pcr in bound}


def references(builds: Sequence[Measured], kind: Kind, bound: Sequence[str]) -> tuple[Reference, ...]:
    """What a key is bound to, from all its builds."""
    values = {pcr: tuple(dict.fromkeys(build[pcr] for build in builds)) for pcr in bound}
    return tuple(Reference(kind, pcr, values[pcr]) for pcr in bound)


def problems(files: Sequence[str], kind: Kind, bound: Sequence[str]) -> Iterator[Problem]:
    """Everything that is wrong with a key's files."""
    builds: list[dict[str, str]] = []
    for index, path in enumerate(files):
        try:
            builds.append(read(path, kind, bound))
        except UnusableMeasurementsError as error:
            yield Problem(("measurements", index), str(error))
    differing = [found.pcr for found in references(builds, kind, bound) if len(found.values) > 1] if builds else []
    if len(differing) > 1:
        # A list is an OR for each PCR alone: PCR4 of one build would pass with PCR12 of another.
        yield Problem(
            "measurements",
            f"must not have builds that differ in {' and '.join(differing)}: a policy would accept them mixed; "
            "name one build here, and deploy the other separately",
        )
