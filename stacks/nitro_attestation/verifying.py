"""``verify FILE``: an attestation document, checked against the pinned root, a nonce and reference measurements."""

import binascii
from argparse import ArgumentParser, Namespace
from datetime import datetime, timedelta
from pathlib import Path

from stacks.nitro_attestation.attestation import MOST_DOCUMENT_BYTES, DocumentError, Expected, verify
from stacks.nitro_attestation.chain import ROOT_FINGERPRINT
from stacks.nitro_attestation.measurements import NAMES, UnusableMeasurementsError, parse, value_problem
from stacks.nitro_attestation.settings import NitroAttestationSettings
from stacks.shared.command import Answer, CommandError
from stacks.shared.files import UnreadableError, read_text

root_fingerprint = ROOT_FINGERPRINT
"""Fingerprint of the trusted root; a separate name, because tests have their own root."""


def verify_arguments(parser: ArgumentParser) -> None:
    """Options of ``verify``."""
    parser.add_argument("file", type=Path, help="the document, as nitro-tpm-attest or the NSM driver wrote it")
    parser.add_argument("--kind", choices=("tpm", "enclave"), default="tpm", help="kind of the document (tpm)")
    parser.add_argument("--nonce", help="the nonce that was sent, in hex; without it the document must have none")
    parser.add_argument("--max-age", type=int, default=300, help="greatest age of the document in seconds (300)")
    parser.add_argument("--measurements", type=Path, help="reference file; without it: those of the configured key")
    parser.add_argument("--pcr", action="append", default=[], help="PCR that must match, repeatable (those of the key)")
    parser.add_argument("--any-software", action="store_true", help="compare no PCRs, only show them")


def check(options: Namespace, settings: NitroAttestationSettings, *, now: datetime) -> Answer:
    """Checks a document. Nothing leaves this machine.

    Raises:
        CommandError: the document proves nothing, or the arguments do not fit.
    """
    if not 1 <= options.max_age <= 86_400:
        raise CommandError(f"--max-age must be 1 to 86400 seconds, got {options.max_age}")
    expected = Expected(
        options.kind,
        now,
        timedelta(seconds=options.max_age),
        _nonce(options.nonce),
        {} if options.any_software else _pcrs(options, settings),
    )
    try:
        found = verify(_read(options.file), expected, root=root_fingerprint)
    except DocumentError as error:
        raise CommandError(f"{options.file} proves nothing: {error}") from None
    compared = expected.pcrs or {}
    rows = [(name, value, "matches" if name in compared else "not compared") for name, value in found.pcrs.items()]
    notes = [f"Signed under AWS's root at {found.timestamp.isoformat(timespec='seconds')} for {found.module_id}."]
    if expected.nonce is None:
        notes.append("Without a nonce a recent document may be replayed; request one with a nonce.")
    if not compared:
        notes.append("No PCR was compared: any software may have requested the document.")
    data = {
        "module_id": found.module_id,
        "time": found.timestamp.isoformat(timespec="milliseconds"),
        "pcrs": dict(found.pcrs),
        "compared": sorted(compared),
        "public_key": found.public_key.hex() if found.public_key else None,
        "user_data": found.user_data.hex() if found.user_data else None,
    }
    return Answer(("PCR", "value", "reference"), rows, data, notes)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MOST_DOCUMENT_BYTES + 1)
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}") from None


def _nonce(text: str | None) -> bytes | None:
    if text is None:
        return None
    try:
        return binascii.unhexlify(text)
    except (binascii.Error, ValueError):
        raise CommandError("--nonce must be hexadecimal digits, two for each byte") from None


def _pcrs(options: Namespace, settings: NitroAttestationSettings) -> dict[str, tuple[str, ...]]:
    key = settings.keys.get(options.kind)
    wanted = tuple(options.pcr) or (key.pcrs if key else ("PCR4", "PCR12") if options.kind == "tpm" else ("PCR0",))
    if unknown := [name for name in wanted if name not in NAMES[options.kind]]:
        raise CommandError(f"--pcr must be one of {', '.join(NAMES[options.kind])}, got {unknown[0]}")
    if options.measurements is None:
        references = key.references() if key else ()
        if options.pcr and (missing := set(wanted) - {one.pcr for one in references}):
            raise CommandError(f"--pcr {min(missing)} needs --measurements: no configured key is bound to it")
        if not references:
            raise CommandError(
                f"no {options.kind} key is configured to compare with, so any software would pass; add "
                "--measurements FILE, or --any-software"
            )
        return {one.pcr: one.values for one in references if one.pcr in wanted}
    try:
        found = parse(read_text(options.measurements), options.kind)
    except (UnreadableError, UnusableMeasurementsError) as error:
        raise CommandError(f"--measurements {error}") from None
    if absent := [name for name in wanted if name not in found]:
        raise CommandError(f"--measurements must have {', '.join(absent)}; name others with --pcr")
    for name in wanted:
        if problem := value_problem(options.kind, name, found[name]):
            raise CommandError(f"--measurements {problem}")
    return {name: (found[name],) for name in wanted}
