"""What Systems Manager runs on the hosts: a document and association that apply, and another pair that audits."""

from typing import Any

from aws_cdk import aws_ssm as ssm
from constructs import Construct

from stacks.credential_guard.script import Name, lines
from stacks.credential_guard.settings import CredentialGuardSettings
from stacks.shared.solution import SolutionStack

APPLY_SECONDS, AUDIT_SECONDS = 600, 300


class Hosts(Construct):
    """Apply and audit, on every host with the tag.

    They are separate: a host with all values may still not run it
    (https://github.com/MicrosoftDocs/windows-itpro-docs/issues/2326), and an audit must never reboot.

    Attributes:
        apply_id, audit_id: ids of the associations.
    """

    def __init__(self, scope: SolutionStack, construct_id: str, settings: CredentialGuardSettings) -> None:
        super().__init__(scope, construct_id)
        self._stack, self._settings = scope, settings
        apply = self._association(
            "apply",
            APPLY_SECONDS,
            "Writes Credential Guard's registry values and reboots after a change",
            schedule_expression=settings.apply_schedule,
            # One host at a time, and none after a failure: otherwise a changed table would reboot them all at once.
            max_concurrency="1",
            max_errors="0",
            **({"apply_only_at_cron_interval": True} if settings.window else {}),
            **({"calendar_names": list(settings.calendars)} if settings.calendars else {}),
        )
        audit = self._association(
            "audit",
            AUDIT_SECONDS,
            "Reports whether Credential Guard runs; changes nothing, never reboots",
            schedule_expression=settings.audit_schedule,
            max_concurrency="50",
            # A host that does not run it fails its audit, which must not stop the audits of others.
            max_errors="100%",
        )
        self.apply_id, self.audit_id = apply.attr_association_id, audit.attr_association_id

    def _association(self, name: Name, seconds: int, description: str, **more: Any) -> ssm.CfnAssociation:
        # No WaitForSuccessTimeoutSeconds: a stack without hosts would wait in vain.
        return ssm.CfnAssociation(
            self,
            name.title(),
            name=self._document(name, seconds, description).ref,
            association_name=f"{self._stack.stack_name}-{name}",
            targets=[
                ssm.CfnAssociation.TargetProperty(
                    key=f"tag:{self._settings.tag.key}", values=[self._settings.tag.value]
                )
            ],
            compliance_severity="HIGH",
            sync_compliance="AUTO",
            **more,
        )

    def _document(self, name: Name, seconds: int, description: str) -> ssm.CfnDocument:
        """A document without parameters: double braces in the script are not replaced.

        Not run by another document: a reboot within aws:runDocument is not supported
        (https://docs.aws.amazon.com/systems-manager/latest/userguide/send-commands-reboot.html).
        """
        step = {
            "action": "aws:runPowerShellScript",
            "name": name.title(),
            "precondition": {"StringEquals": ["platformType", "Windows"]},
            "inputs": {"timeoutSeconds": str(seconds), "runCommand": lines(name, self._settings)},
        }
        return ssm.CfnDocument(
            self,
            f"{name.title()}Document",
            content={"schemaVersion": "2.2", "description": description, "mainSteps": [step]},
            document_type="Command",
            document_format="JSON",
            target_type="/AWS::EC2::Instance",
        )
