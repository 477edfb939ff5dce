"""The guardrails as service control policies of AWS Organizations."""

from aws_cdk import Annotations, Aws, Fn
from aws_cdk import aws_organizations as organizations
from constructs import Construct

from config.models import CommonSettings
from stacks.guardrails.policies import Policy
from stacks.guardrails.settings import GuardrailSettings
from stacks.guardrails.statements import PARTITION
from stacks.series import Solution
from stacks.shared.solution import SolutionStack


class GuardrailsStack(SolutionStack):
    """One policy after the other, attached to the targets that the settings name, or to nothing.

    It belongs into the management account, or the account that Organizations has delegated policies to.
    """

    def __init__(
        self, scope: Construct, solution: Solution, common: CommonSettings, settings: GuardrailSettings
    ) -> None:
        super().__init__(scope, solution, common)
        self._settings = settings
        # `check` tells them too; of a section that nobody has configured, synthesis is silent.
        for identifier, says in settings.warnings() if settings.configured else ():
            Annotations.of(self).add_warning_v2(f"{solution.slug}:{identifier}", says)
        before: organizations.CfnPolicy | None = None
        for policy in settings.policies:
            made = self._policy(policy)
            if before:
                # Organizations changes one thing at a time: ConcurrentModificationException
                made.add_resource_dependency(before)
            before = made
        command = f"python -m stacks {solution.slug} "
        self.output("Attach", command + "attach", "Says which target comes next; with --yes attaches to it")
        self.output("Detach", command + "detach", "Detaches every policy from every target, at once; before a deletion")

    def _policy(self, policy: Policy) -> organizations.CfnPolicy:
        targets = [target for target in self._settings.targets if policy.is_for(target)]
        text = policy.text(self._settings.partition or PARTITION)
        made = organizations.CfnPolicy(
            self,
            policy.id,
            name=policy.name(self.stack_name),
            description=policy.about,
            type="SERVICE_CONTROL_POLICY",
            content=with_partition(text),
            target_ids=targets if targets and self._settings.attach_by == "deployment" else None,
        )
        if PARTITION not in text:
            made.add_property_override("Content", text)  # the construct itself takes no string that is known already
        self.output(f"{policy.id}PolicyId", made.attr_id, f"Id of the policy {policy.id}")
        return made


def with_partition(text: str) -> str:
    """As a string: an object would be written by CloudFormation, at a length that nobody knows before."""
    between = [part for piece in text.split(PARTITION) for part in (piece, Aws.PARTITION)]
    return Fn.join("", between[:-1] if PARTITION in text else between)
