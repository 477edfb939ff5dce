"""The agent on every tagged instance: its configuration, who installs it, and the rights that it needs."""

from hashlib import sha256
from typing import Any

import yaml
from aws_cdk import aws_iam as iam
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from stacks.gpu_monitoring.agent import STANDARD_BYTES
from stacks.gpu_monitoring.measurements import System
from stacks.gpu_monitoring.settings import DOCUMENTS, GpuMonitoringSettings
from stacks.shared.filled import filled, filled_document
from stacks.shared.grants import agents_role
from stacks.shared.solution import SolutionStack

POLICIES = ("AmazonSSMManagedInstanceCore", "CloudWatchAgentServerPolicy")
SYSTEMS: tuple[System, ...] = ("linux", "windows")


class Agents(Construct):
    """Parameters, document, association; role and instance profile.

    Attributes:
        role: for instances: what Systems Manager and the agent need, and nothing else.
        profile: the role's instance profile.
        parameters: names of the parameters that hold the configurations, by system.
        association_id: of the one association.
    """

    def __init__(self, scope: SolutionStack, construct_id: str, settings: GpuMonitoringSettings) -> None:
        super().__init__(scope, construct_id)
        self.parameters: dict[System, str] = {}
        made = [self._parameter(scope, system, settings.configuration(system)) for system in SYSTEMS]
        document = self._document(settings)
        association = ssm.CfnAssociation(
            self,
            "Association",
            name=document.ref,
            association_name=f"{scope.stack_name}-agent",
            targets=[
                ssm.CfnAssociation.TargetProperty(key=f"tag:{settings.opt_in.key}", values=[settings.opt_in.value])
            ],
            schedule_expression=settings.reapply,
            # A driver or repository that is broken somewhere must not stop the others.
            max_concurrency="25%",
            max_errors="100%",
            compliance_severity="MEDIUM",
        )
        # Not WaitForSuccessTimeoutSeconds: an account without a tagged instance would wait for it in vain.
        association.node.add_dependency(*made)
        self.association_id = association.attr_association_id
        said = "GPU instances: Systems Manager and the CloudWatch agent"
        self.role = agents_role(self, "Role", *POLICIES, description=said)
        self.profile = iam.InstanceProfile(self, "Profile", role=self.role)

    def _parameter(self, stack: SolutionStack, system: System, value: str) -> ssm.CfnParameter:
        """A parameter of the tier that its size needs, under a name that CloudWatchAgentServerPolicy lets be read.

        Parameter Store never takes an advanced parameter back to the standard tier: a configuration that shrinks gets
        a parameter of another name.
        """
        advanced = len(value.encode()) > STANDARD_BYTES
        tier = "Advanced" if advanced else "Standard"
        name = f"AmazonCloudWatch-{stack.stack_name}-{system}{'-advanced' if advanced else ''}"
        self.parameters[system] = name
        return ssm.CfnParameter(
            self,
            f"{system.title()}{'Advanced' if advanced else ''}Configuration",
            name=name,
            description=f"Configuration of the CloudWatch agent for {system.title()} ({stack.solution.slug})",
            type="String",
            tier=tier,
            value=value,
        )

    def _document(self, settings: GpuMonitoringSettings) -> ssm.CfnDocument:
        """Install, configure, send GPU metrics. Two associations would run at the same time on a new instance.

        A change of a configuration changes the description, with it the document and the association, which then runs
        at once; State Manager itself looks at no parameter.
        https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_UpdateAssociation.html
        """
        configured = "".join(settings.configuration(system) for system in SYSTEMS)
        on_linux, on_windows = (
            filled(DOCUMENTS / f"gpu-metrics.{kind}", STATSD_PORT=str(settings.statsd_port(system))).splitlines()
            for kind, system in zip(("sh", "ps1"), SYSTEMS, strict=True)
        )
        values: dict[str, Any] = {
            "DESCRIPTION": "Installs the CloudWatch agent and configures it for GPUs; configuration "
            + sha256(configured.encode()).hexdigest()[:12],
            "LINUX_PARAMETER": self.parameters["linux"],
            "WINDOWS_PARAMETER": self.parameters["windows"],
            "GPU_METRICS_ON_LINUX": on_linux,
            "GPU_METRICS_ON_WINDOWS": on_windows,
        }
        content = yaml.safe_load((DOCUMENTS / "agent.yaml").read_text(encoding="utf-8"))
        return ssm.CfnDocument(
            self,
            "Document",
            content=filled_document(content, values),
            document_type="Command",
            document_format="JSON",
            target_type="/AWS::EC2::Instance",
        )
