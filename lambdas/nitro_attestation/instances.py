"""One row of the report for each instance: its hypervisor, its protection, and the verdict. Pure: no AWS in here."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from nitro_attestation.hypervisor import Kind, platform_of

Json = Mapping[str, Any]
Verdict = Literal["nitro", "bare metal", "xen", "unknown"]

GROUP_TAGS = {
    "aws:autoscaling:groupName": "Auto Scaling group",
    "aws:ec2:fleet-id": "fleet",
    "aws:ec2spot:fleet-request-id": "Spot Fleet",
}
"""Tags that a service puts on instances launched by its service-linked role, which no SCP restricts."""
GONE = ("terminated", "shutting-down")


@dataclass(frozen=True)
class Instance:
    """What is known about an instance.

    Attributes:
        hypervisor: from its type; the field of that name in DescribeInstances says xen for Nitro as well.
        source: the source of that.
        encrypted_in_transit: whether the type encrypts between instances; None: unknown. Not every Nitro type does:
            a1, t3 and t4g do not.
        storage_encrypted: whether the instance store is encrypted; None: it has none, or it is unknown.
        unencrypted_volumes: ids of volumes without encryption, and of those that could not be described.
        via: the service that launched it.
    """

    account: str
    region: str
    instance_id: str
    state: str
    instance_type: str
    hypervisor: Kind
    source: str
    boot_mode: str | None
    tpm: str | None
    enclave: bool
    http_tokens: str | None
    volumes: tuple[tuple[str, str | None], ...]
    unencrypted_volumes: tuple[str, ...]
    encrypted_in_transit: bool | None
    storage_encrypted: bool | None
    via: str | None

    @property
    def verdict(self) -> Verdict:
        """The answer to "only Nitro"; an unknown type never counts as Nitro."""
        verdicts: dict[Kind, Verdict] = {"nitro": "nitro", "metal": "bare metal", "xen": "xen", "unknown": "unknown"}
        return verdicts[self.hypervisor]

    @property
    def reasons(self) -> tuple[str, ...]:
        """What is wrong with it, the hypervisor first."""
        return tuple(self._reasons())

    def _reasons(self) -> Iterator[str]:
        if self.hypervisor == "xen":
            by = f", launched by {self.via}, whose service-linked role no SCP restricts" if self.via else ""
            yield f"{self.instance_type} is Xen ({self.source}){by}"
        if self.hypervisor == "unknown":
            yield f"{self.instance_type}: {self.source}"
        if self.http_tokens != "required":
            yield "IMDSv2 is not required"
        if self.unencrypted_volumes:
            yield f"not encrypted: {', '.join(self.unencrypted_volumes)}"
        if self.storage_encrypted is False:
            yield "its instance store is not encrypted"


def instances_of(
    account: str, region: str, described: Sequence[Json], types: Mapping[str, Json], volumes: Mapping[str, Json]
) -> list[Instance]:
    """The rows of a Region; stopped instances count, because they may be started.

    Args:
        described: instances from DescribeInstances.
        types: answers of DescribeInstanceTypes by type.
        volumes: answers of DescribeVolumes by id.
    """
    return [
        _row(account, region, one, types, volumes) for one in described if one.get("State", {}).get("Name") not in GONE
    ]


def _row(account: str, region: str, one: Json, types: Mapping[str, Json], volumes: Mapping[str, Json]) -> Instance:
    instance_type = str(one["InstanceType"])
    platform = platform_of(instance_type, types)
    answer = types.get(instance_type, {})
    attached = [mapping["Ebs"]["VolumeId"] for mapping in one.get("BlockDeviceMappings", []) if "Ebs" in mapping]
    tags = {tag["Key"]: tag["Value"] for tag in one.get("Tags", [])}
    via = next((f"{kind} {tags[key]}" for key, kind in GROUP_TAGS.items() if key in tags), None)
    storage = answer.get("InstanceStorageInfo", {}).get("EncryptionSupport")
    return Instance(
        account=account,
        region=region,
        instance_id=str(one["InstanceId"]),
        state=str(one.get("State", {}).get("Name", "unknown")),
        instance_type=instance_type,
        hypervisor=platform.kind,
        source=platform.source,
        boot_mode=one.get("CurrentInstanceBootMode"),
        tpm=one.get("TpmSupport"),
        enclave=bool(one.get("EnclaveOptions", {}).get("Enabled")),
        http_tokens=one.get("MetadataOptions", {}).get("HttpTokens"),
        volumes=tuple((volume, volumes.get(volume, {}).get("KmsKeyId")) for volume in attached),
        unencrypted_volumes=tuple(volume for volume in attached if not volumes.get(volume, {}).get("Encrypted")),
        encrypted_in_transit=answer.get("NetworkInfo", {}).get("EncryptionInTransitSupported"),
        storage_encrypted=None if storage is None else storage == "required",
        via=via,
    )
