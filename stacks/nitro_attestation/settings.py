"""Section ``solutions.nitro_attestation`` of config/config.yaml."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from config.models import CommonSettings, Problem, Section, SolutionSettings, common_rule, rule
from config.types import (
    InstanceType,
    MetricNamespace,
    RegionName,
    arn_part,
    repeated,
    unknown_region,
)
from stacks.guardrails.fields import PrincipalArn as ScpPrincipal
from stacks.guardrails.fields import TargetId
from stacks.guardrails.policies import Policy
from stacks.nitro_attestation import types
from stacks.nitro_attestation.guardrail import MOST_DECLARATIVE, declarative_text, only_nitro
from stacks.nitro_attestation.key_settings import AttestedKey, EnclaveKey, TpmKey

ImageId = Annotated[str, Field(pattern=r"^ami-[0-9a-f]{8,17}$", examples=["ami-0123456789abcdef0"])]


class Enclave(Section):
    """A launch template for parents of enclaves."""

    instance_type: InstanceType = "m6g.large"
    """Instance type of the parent; it must support enclaves."""
    cpus: Annotated[int, Field(ge=1, le=400)] = 1
    """vCPUs reserved for enclaves, in whole cores; the first core stays with the parent."""
    memory_mib: Annotated[int, Field(ge=64, le=4_000_000)] = 512
    """Memory reserved for enclaves in MiB, as huge pages; at least four times the size of the image file."""
    volume_gib: Annotated[int, Field(ge=8, le=16_384)] = 8
    """Size of the encrypted root volume in GiB."""
    session_manager: bool = False
    """true: people with permission can log in to a parent with Session Manager, but not to its enclaves."""
    key: EnclaveKey | None = None
    """A key for the enclaves. null: none."""

    @rule
    def _the_type_holds_enclaves(self) -> Iterator[Problem]:
        if reason := types.no_enclave(self.instance_type):
            yield Problem("instance_type", f"must support enclaves: {reason}")

    @rule
    def _whole_cores(self) -> Iterator[Problem]:
        threads, there = types.threads_per_core(self.instance_type), types.vcpus(self.instance_type)
        if self.cpus % threads:
            yield Problem("cpus", f"must be a multiple of {threads}, whole cores of {self.instance_type}; round up")
        if there is not None and not types.no_enclave(self.instance_type) and self.cpus > there - threads:
            yield Problem(
                "cpus",
                f"must be at most {there - threads}: of {there} vCPUs the first core stays with the parent; lower it, "
                "or choose a larger instance_type",
            )


class Tpm(Section):
    """A launch template for instances that attest with their NitroTPM."""

    image_id: ImageId
    """Your Attestable AMI, with UEFI boot and TPM 2.0. On a normal AL2023 image PCR4 measures only the loader."""
    instance_type: InstanceType = "m7g.large"
    """Instance type; it must have NitroTPM and the architecture of the image."""
    root_device: Annotated[str, Field(pattern=r"^/dev/(sd[a-z]\d?|xvd[a-z])$", examples=["/dev/xvda"])] = "/dev/xvda"
    """Name of the image's root device, whose volume is encrypted."""
    volume_gib: Annotated[int, Field(ge=1, le=16_384)] = 8
    """Size of the encrypted root volume in GiB; at least that of the image."""
    key: TpmKey | None = None
    """A key for the instances. null: none."""

    @rule
    def _the_type_has_a_tpm(self) -> Iterator[Problem]:
        if reason := types.no_tpm(self.instance_type):
            yield Problem("instance_type", f"must have NitroTPM: {reason}")


class Organization(Section):
    """Policies of AWS Organizations; the stack then belongs in the management account or a delegated administrator."""

    targets: Annotated[tuple[TargetId, ...], Field(max_length=100)] = ()
    """Organizational units, accounts or the root to attach to. Empty: the policies are created but not attached."""
    confirm_lockout_risk: bool = False
    """Safety switch: must also be true for a root as target."""
    require_imdsv2: bool = True
    """true: RunInstances without IMDSv2 is denied as well."""
    deny_legacy_spot: bool = False
    """true: RequestSpotInstances and RequestSpotFleet are denied, because the policy cannot see their types."""
    exempt_principal_arns: Annotated[tuple[ScpPrincipal, ...], Field(max_length=20)] = ()
    """Principals that may still start Xen types."""
    declarative: bool = False
    """true: also a declarative policy, which enforces IMDSv2 and turns off the serial console for everybody."""
    exception_message: Annotated[str, Field(min_length=1)] | None = None
    """Error text of the declarative policy. null: AWS's own."""
    scp_max_characters: Annotated[int, Field(ge=512, le=10_240)] = 5_120
    """Longest policy in characters."""

    @property
    def policy(self) -> Policy:
        """The service control policy."""
        return only_nitro(
            require_imdsv2=self.require_imdsv2,
            deny_legacy_spot=self.deny_legacy_spot,
            exempt=self.exempt_principal_arns,
        )

    @rule
    def _nobody_is_locked_out(self) -> Iterator[Problem]:
        for index, target in enumerate(self.targets if not self.confirm_lockout_risk else ()):
            if target.startswith("r-"):
                yield Problem(
                    ("targets", index),
                    "must not be a root, which restricts every account; name units, or set the safety switch "
                    "confirm_lockout_risk to true",
                )

    @rule
    def _no_target_twice(self) -> Iterator[Problem]:
        for index in repeated(self.targets):
            yield Problem(("targets", index), "must not be listed twice; remove one")

    @rule
    def _the_policies_fit(self) -> Iterator[Problem]:
        if (length := self.policy.characters(None)) > self.scp_max_characters:
            yield Problem(
                "exempt_principal_arns", f"must be shorter: the policy takes {length} characters; remove some"
            )
        if len(declarative_text(self.exception_message)) > MOST_DECLARATIVE:
            yield Problem(
                "exception_message",
                f"must be shorter: a declarative policy has at most {MOST_DECLARATIVE:,} characters; shorten it",
            )

    @rule
    def _the_message_has_a_policy(self) -> Iterator[Problem]:
        if self.exception_message and not self.declarative:
            yield Problem("exception_message", "must be null without declarative, because nothing shows it; remove it")


class NitroAttestationSettings(SolutionSettings):
    """Controls for confidential computing: a scheduled look, policies, attested keys and launch templates."""

    look_every_hours: Annotated[int, Field(ge=1, le=24)] = 6
    """Hours between two looks at the account."""
    regions: Annotated[tuple[RegionName, ...], Field(max_length=40)] = ()
    """Regions to look at. Empty: every Region that the account has enabled."""
    metric_namespace: MetricNamespace = "ComputeBlog/NitroAttestation"
    """CloudWatch namespace of the looks' metrics; not AWS/..., which is for AWS services."""
    organization: Organization | None = None
    """Policies of AWS Organizations, for the management account. null: none."""
    enclave: Enclave | None = Enclave()
    """A launch template for parents of enclaves. null: none."""
    tpm: Tpm | None = None
    """A launch template for instances with NitroTPM. null: none; it needs an Attestable AMI."""

    @property
    def keys(self) -> dict[str, AttestedKey]:
        """The attested keys by section. Each kind of document has its own key, because no request has both."""
        found = {"enclave": self.enclave and self.enclave.key, "tpm": self.tpm and self.tpm.key}
        return {name: key for name, key in found.items() if key}

    @rule
    def _regions_exist_once(self) -> Iterator[Problem]:
        for index in repeated(self.regions):
            yield Problem(("regions", index), "must not be listed twice; remove one")
        for index, name in enumerate(self.regions):
            if hint := unknown_region(name):
                yield Problem(("regions", index), hint, warning=True)

    @common_rule
    def _changes_of_keys_can_be_told(self, common: CommonSettings) -> Iterator[Problem]:
        for name in self.keys if common.topic_of_others else ():
            yield Problem(
                (name, "key"),
                f"must have a topic in common.account: EventBridge does not reach common.alarm_topic_arn in account "
                f"{common.topic_of_others}; leave it out, or name a topic in this account",
            )

    @common_rule
    def _principals_are_of_the_account(self, common: CommonSettings) -> Iterator[Problem]:
        for name, key in self.keys.items():
            named: list[tuple[tuple[str | int, ...], str]] = [
                ((field, index), arn)
                for field in ("workload_arns", "producer_arns", "administrator_arns")
                for index, arn in enumerate(getattr(key, field))
            ]
            if key.cloudformation_role_arn:
                named.append((("cloudformation_role_arn",), key.cloudformation_role_arn))
            for where, arn in named:
                if common.account and arn_part(arn, "account") != common.account:
                    yield Problem(
                        (name, "key", *where),
                        f"must be in common.account {common.account}: otherwise another account's IAM policies decide "
                        "as well; correct one of the two",
                    )
