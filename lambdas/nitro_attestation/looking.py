"""Looks at a Region with the caller's clients: the function's, or those of the report command. It only reads."""

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from typing import Any

from nitro_attestation.claims import Look, Settings
from nitro_attestation.hypervisor import by_type
from nitro_attestation.instances import instances_of
from shared.faults import FAILED

Json = Mapping[str, Any]
Regional = Callable[[str, str | None], Any]
"""Makes the client of a service in a Region; None: the configured Region."""

MOST_NAMES = 100
"""Values of a filter in one request. DescribeInstanceTypes by name fails for one unknown name, with a filter it does
not: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstanceTypes.html"""
KMS = "kms.amazonaws.com"
READS, WRITES = "reads", "writes"
ALL = frozenset((READS, WRITES))


def enabled_regions(ec2: Any) -> list[str]:
    """The Regions that the account has enabled."""
    answer = ec2.describe_regions(Filters=[{"Name": "opt-in-status", "Values": ["opt-in-not-required", "opted-in"]}])
    return sorted(region["RegionName"] for region in answer["Regions"])


def look_at(account: str, region: str, client: Regional, trail: bool | None) -> Look:
    """Everything about one Region. What cannot be read is listed and never counts as fine.

    Args:
        trail: whether a trail for all Regions logs the events of KMS; None: unknown.
    """
    ec2 = client("ec2", region)
    missing: list[str] = []

    def asked(what: str, ask: Callable[[], Any]) -> Any:
        try:
            return ask()
        except FAILED as error:
            missing.append(f"{what} ({code_of(error)})")
            return None

    described = asked("instances", lambda: list(_instances(ec2)))
    if described is None:
        return Look(account, region, missing=tuple(missing))
    names = sorted({one["InstanceType"] for one in described})
    types = asked("instance types", lambda: by_type(_types(ec2, names))) or {}
    volumes = asked("volumes", lambda: _volumes(ec2)) or {}
    settings = Settings(
        encrypted_by_default=asked(
            "default encryption", lambda: ec2.get_ebs_encryption_by_default()["EbsEncryptionByDefault"]
        ),
        serial_console=asked(
            "serial console", lambda: ec2.get_serial_console_access_status()["SerialConsoleAccessEnabled"]
        ),
        http_tokens=asked(
            "metadata defaults", lambda: ec2.get_instance_metadata_defaults().get("AccountLevel", {}).get("HttpTokens")
        ),
        trail=trail,
    )
    return Look(account, region, instances_of(account, region, described, types, volumes), settings, tuple(missing))


def trails_keep(
    client: Regional, home: str | None = None, kinds: Set[str] = ALL, *, all_regions: bool = True
) -> bool | None:
    """Whether trails are on and log the management events of KMS; None: one cannot be read.

    A trail's selectors are read in its home Region, because other Regions do not have them
    (https://github.com/aws/aws-sdk-go-v2/issues/1957). Those of an organization's trail are only in its account.

    Args:
        home: Region in which to list; every Region lists multi-Region trails and its own.
        kinds: events that must be logged. Every call that changes a key is a write event.
        all_regions: count only trails for all Regions; for EventBridge a trail of the Region is enough.
    """
    unknown, kept = False, set[str]()
    try:
        trails = client("cloudtrail", home).describe_trails()["trailList"]
    except FAILED:
        return None
    for trail in (one for one in trails if one.get("IsMultiRegionTrail") or not all_regions):
        try:
            cloudtrail = client("cloudtrail", trail["HomeRegion"])
            logging = cloudtrail.get_trail_status(Name=trail["TrailARN"])["IsLogging"]
            selectors = cloudtrail.get_event_selectors(TrailName=trail["TrailARN"])
        except FAILED:
            unknown = True
            continue
        if logging:
            kept |= kept_of_kms(selectors)
        if kinds <= kept:
            return True
    return None if unknown else False


def kept_of_kms(selectors: Json) -> set[str]:
    """Which management events of KMS the selectors of a trail log together: read events, write events.

    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-management-events-with-cloudtrail.html
    """
    kept = {kind for basic in selectors.get("EventSelectors") or [] for kind in _basic(basic)}
    kept |= {kind for advanced in selectors.get("AdvancedEventSelectors") or [] for kind in _advanced(advanced)}
    return kept


def _basic(selector: Json) -> set[str]:
    if not selector.get("IncludeManagementEvents") or KMS in (selector.get("ExcludeManagementEventSources") or []):
        return set()
    return {"ReadOnly": {READS}, "WriteOnly": {WRITES}}.get(selector.get("ReadWriteType", "All"), {READS, WRITES})


def _advanced(selector: Json) -> set[str]:
    fields = {field["Field"]: field for field in selector["FieldSelectors"]}
    if set(fields) - {"eventCategory", "eventSource", "readOnly"}:  # narrower, by fields that KMS's events may lack
        return set()
    if "Management" not in fields.get("eventCategory", {}).get("Equals", []):
        return set()
    source = fields.get("eventSource", {})
    if KMS in source.get("NotEquals", []) or ("Equals" in source and KMS not in source["Equals"]):
        return set()
    answers = fields.get("readOnly", {}).get("Equals", ["true", "false"])
    return {READS if answer == "true" else WRITES for answer in answers}


def code_of(error: Exception) -> str:
    """The error code of an answer, or the exception's name if there was no answer."""
    response: Json = getattr(error, "response", None) or {}  # None after a timeout
    return str(response.get("Error", {}).get("Code") or type(error).__name__)


def _instances(ec2: Any) -> Iterator[Json]:
    for page in ec2.get_paginator("describe_instances").paginate():
        for reservation in page["Reservations"]:
            yield from reservation["Instances"]


def _types(ec2: Any, names: Sequence[str]) -> Iterator[Json]:
    for start in range(0, len(names), MOST_NAMES):
        filters = [{"Name": "instance-type", "Values": list(names[start : start + MOST_NAMES])}]
        for page in ec2.get_paginator("describe_instance_types").paginate(Filters=filters):
            yield from page["InstanceTypes"]


def _volumes(ec2: Any) -> dict[str, Json]:
    pages = ec2.get_paginator("describe_volumes").paginate()
    return {volume["VolumeId"]: volume for page in pages for volume in page["Volumes"]}
