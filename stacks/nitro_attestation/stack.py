"""Controls for confidential computing: what you can enforce and observe in your own account.

Post: https://aws.amazon.com/blogs/compute/aws-nitro-system-gets-independent-affirmation-of-its-confidential-compute-capabilities/
"""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_organizations as organizations
from constructs import Construct

from config.models import CommonSettings
from nitro_attestation.hypervisor import LISTED
from stacks.guardrails.stack import with_partition
from stacks.nitro_attestation.guardrail import declarative, declarative_text
from stacks.nitro_attestation.key_settings import AttestedKey
from stacks.nitro_attestation.keys import attested_key, tell_of_changes
from stacks.nitro_attestation.settings import NitroAttestationSettings, Organization
from stacks.nitro_attestation.templates import AttestingTemplate, enclave_template, tpm_template
from stacks.nitro_attestation.watch import scheduled_look
from stacks.series import Solution
from stacks.shared.alarms import Alarms
from stacks.shared.solution import SolutionStack


class NitroAttestationStack(SolutionStack):
    """A scheduled look with alarms and, as configured, policies, launch templates and attested keys."""

    def __init__(
        self, scope: Construct, solution: Solution, common: CommonSettings, settings: NitroAttestationSettings
    ) -> None:
        super().__init__(scope, solution, common)
        alarms = Alarms(self, "Alarms")
        scheduled_look(self, settings, alarms)
        if settings.organization:
            self._policies(settings.organization)
        if settings.enclave:
            template = enclave_template(self, settings.enclave, settings.metric_namespace)
            self._not_ready(settings.metric_namespace, alarms)
            self._key("Enclave", settings.enclave.key, template, alarms)
        if settings.tpm:
            self._key("Tpm", settings.tpm.key, tpm_template(self, settings.tpm), alarms)

    def _key(self, name: str, settings: AttestedKey | None, template: AttestingTemplate, alarms: Alarms) -> None:
        if settings:
            tell_of_changes(self, name, attested_key(self, name, settings, template.own_role), alarms)

    def _policies(self, settings: Organization) -> None:
        scp = organizations.CfnPolicy(
            self,
            "OnlyNitro",
            name=f"{self.stack_name}-only-nitro",
            description=f"Only Nitro: denies the Xen types on the list of {LISTED}",
            type="SERVICE_CONTROL_POLICY",
            content=with_partition(settings.policy.text()),
            target_ids=list(settings.targets) or None,
        )
        self.output("OnlyNitroPolicyId", scp.attr_id, "Id of the service control policy")
        if settings.declarative:
            text = declarative_text(settings.exception_message)
            second = organizations.CfnPolicy(
                self,
                "Declarative",
                name=f"{self.stack_name}-declarative",
                description="IMDSv2 enforced, serial console off",
                type="DECLARATIVE_POLICY_EC2",
                content=declarative(settings.exception_message),
                target_ids=list(settings.targets) or None,
            )
            second.add_property_override(
                "Content", text
            )  # CloudFormation would serialize an object with another length
            # Organizations makes one change at a time: ConcurrentModificationException
            second.add_resource_dependency(scp)
            self.output("DeclarativePolicyId", second.attr_id, "Id of the declarative policy")

    def _not_ready(self, namespace: str, alarms: Alarms) -> None:
        metric = cloudwatch.Metric(
            namespace=namespace,
            metric_name="EnclaveNotReady",
            dimensions_map={"Stack": self.stack_name},
            statistic=cloudwatch.Stats.MAXIMUM,
            period=Duration.minutes(5),
        )
        alarms.when_above("EnclaveNotReady", metric, 0, says="A parent of enclaves did not become ready")
