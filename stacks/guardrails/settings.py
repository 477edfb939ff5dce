"""The settings that both guardrail solutions have."""

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Annotated, Literal

from pydantic import Field

from config.models import CommonSettings, Problem, SolutionSettings, common_rule, rule
from config.types import repeated
from stacks.guardrails.actions import COPY_TO_REGION, DEPLOYING_ROLES, LOCKOUT_ROLES, WITHOUT_COPIES, service_of
from stacks.guardrails.fields import Action, PrincipalArn, Service, SubnetArns, SubnetTag, Switches, TargetId
from stacks.guardrails.judge import arn_like
from stacks.guardrails.policies import Policy, TooLongError, policies
from stacks.guardrails.statements import Statement, transfer
from stacks.guardrails.warnings import transfer_warnings

MADE_UP_PRINCIPALS = tuple(
    f"arn:{partition}:{kind}"
    for partition in ("aws", "aws-cn", "aws-us-gov")
    for kind in ("iam::111122223333:role/anybody-0x", "iam::111122223333:user/anybody-0x")
)
"""Principals that no exemption names on purpose."""


class GuardrailSettings(SolutionSettings):
    """Guardrails for data residency: what is denied, to whom, and where they are attached."""

    statements: Switches = Switches()
    """Which statements there are."""
    services_in_zone: Annotated[tuple[Service, ...], Field(max_length=100)] | None = None
    """IAM prefixes of the services that the zone or Outpost offers, such as ec2 and rds; DenyCopyToRegion then leaves
    the others out, but for those that move data of others (datasync, backup, dms). null: all of the post."""
    modern_actions: bool = False
    """true: deny also the actions that do the same and that AWS has added since the post, and S3 access points."""
    extra_actions: dict[str, Annotated[tuple[Action, ...], Field(max_length=200)]] = Field(
        default_factory=dict, max_length=8
    )
    """Further actions to deny, by the Sid of the statement."""
    block_log_delivery: bool = False
    """true: deny also logs:PutLogEvents, which stores in the Region what applications log."""
    exempt_principal_arns: Annotated[tuple[PrincipalArn, ...], Field(max_length=100)] = LOCKOUT_ROLES
    """Roles that repair, exempt from all statements; without them you can be locked out of the account."""
    bootstrap_roles: Literal["none", "publishing", "all"] = "publishing"
    """Roles of `cdk bootstrap`. publishing: they may store assets in the Region. all: `cdk deploy` by anybody is exempt
    from all statements. none: no exemption."""
    protect_exempt_roles: bool = False
    """true: deny also creating the exempt roles, those of `bootstrap_roles` included, and changing their trust and
    permissions, to all others; `cdk bootstrap` takes an exempt role all the more."""
    subnet_condition: Literal["arn", "arn-and-id", "zone", "tag"] = "arn"
    """How a subnet is allowed. arn: as in the post. arn-and-id: interfaces by id. zone: by Local Zone. tag: by tag."""
    subnets: SubnetArns = ()
    """ARNs of all subnets in which instances and interfaces are allowed. None: there is no subnet statement."""
    subnets_by_target: dict[TargetId, Annotated[SubnetArns, Field(min_length=1)]] = Field(
        default_factory=dict, max_length=100
    )
    """Instead of subnets: those of each target, in a policy of its own."""
    subnet_tag: SubnetTag | None = None
    """subnet_condition tag: the tag of the allowed subnets."""
    partition: Annotated[str, Field(pattern=r"^aws[a-z-]{0,12}$", examples=["aws"])] | None = None
    """Partition of your organization. null: the one that the stack is deployed to."""
    scp_max_characters: Annotated[int, Field(ge=512, le=10_240)] = 10_240
    """Longest policy in characters; 5120 if your organization still has the old quota."""
    scp_max_per_target: Annotated[int, Field(ge=2, le=100)] = 10
    """Most policies on a root, unit or account; 5 if your organization still has the old quota."""
    scps_on_targets: Annotated[int, Field(ge=1, le=99)] = 1
    """Policies that each target has already, FullAWSAccess included."""
    targets: Annotated[tuple[TargetId, ...], Field(max_length=100)] = ()
    """Units, accounts or the root to attach to, the one to begin with first. None: nothing is attached."""
    attach_by: Literal["deployment", "command"] = "deployment"
    """deployment: `cdk deploy` attaches to all targets. command: `attach` does, one target after the other."""
    confirm_lockout_risk: bool = False
    """Safety switch: must also be true for a root as target."""
    confirm_everyone_exempt: bool = False
    """Safety switch: must also be true for exempt_principal_arns that exempt every role."""

    @property
    def zone_names(self) -> tuple[str, ...]:
        """Local Zones that the statements know."""
        return ()

    @property
    def allowed_copies(self) -> tuple[str, ...]:
        """Actions of DenyCopyToRegion that are allowed, unless extra_actions has them."""
        return ()

    @property
    def bucket_zones(self) -> tuple[str, ...]:
        """Ids of the Local Zones in which directory buckets are allowed."""
        return ()

    @property
    def exempt_everywhere(self) -> tuple[str, ...]:
        """Principals that no statement reaches."""
        deploying = DEPLOYING_ROLES if self.bootstrap_roles == "all" else ()
        return (*self.exempt_principal_arns, *deploying)

    @property
    def policies(self) -> tuple[Policy, ...]:
        """The policies of these settings."""
        return policies(self.groups(), self.exempt_everywhere, self.scp_max_characters, self.partition)

    def switched_on(self, sid: str) -> bool:
        """Whether a statement of the post is wanted."""
        return bool(getattr(self.statements, sid))

    def groups(self) -> dict[str, list[Statement]]:
        """The statements by the id of their policy; a solution adds its own."""
        return {"Transfer": list(transfer(self))}

    @property
    def configured(self) -> bool:
        """Whether anything differs from the defaults, which the shipped file states."""
        return self != type(self)(enabled=self.enabled)

    def warnings(self) -> Iterator[tuple[str, str]]:
        """Warnings of the synthesis about these settings, each with an id."""
        return transfer_warnings(self)

    @common_rule
    def _nobody_is_locked_out(self, common: CommonSettings) -> Iterator[Problem]:
        if self.confirm_lockout_risk:
            return
        switch = "or set the safety switch confirm_lockout_risk to true"
        for index, target in enumerate(self.targets):
            if target.startswith("r-"):
                yield Problem(
                    ("targets", index), f"must not be a root, or every account is denied; name units, {switch}"
                )

    @rule
    def _somebody_is_denied(self) -> Iterator[Problem]:
        if self.confirm_everyone_exempt:
            return
        for index, arn in enumerate(self.exempt_principal_arns):
            if any(arn_like(arn, made_up) for made_up in MADE_UP_PRINCIPALS):
                yield Problem(
                    ("exempt_principal_arns", index),
                    "must not exempt everybody, or the guardrail has no effect; name roles, or set the safety switch "
                    "confirm_everyone_exempt to true",
                )

    @rule
    def _services_exist(self) -> Iterator[Problem]:
        known = sorted({service_of(action) for action in COPY_TO_REGION} | WITHOUT_COPIES)
        for index, service in enumerate(self.services_in_zone or ()):
            if service not in known:
                close = get_close_matches(service, known, n=1)
                hint = f"did you mean {close[0]!r}?" if close else f"choose from {', '.join(known)}"
                yield Problem(
                    ("services_in_zone", index), f"must be the IAM prefix of a service of a zone or Outpost; {hint}"
                )

    @rule
    def _statements_exist(self) -> Iterator[Problem]:
        known = [name for name in type(self.statements).model_fields if name.startswith("Deny")]
        for sid in self.extra_actions:
            if sid not in known:
                close = get_close_matches(sid, known, n=1)
                hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(known)}"
                yield Problem(("extra_actions", sid), f"must be the Sid of a statement, got {sid!r}; {hint}")

    @rule
    def _extra_actions_fit_their_resources(self) -> Iterator[Problem]:
        told: set[tuple[str, int]] = set()
        for statement in (each for members in self.groups().values() for each in members):
            services = sorted({arn.split(":")[2] for arn in statement.resources if arn != "*"})
            for index, action in enumerate(self.extra_actions.get(statement.sid, ())):
                if services and service_of(action) not in services and (statement.sid, index) not in told:
                    told.add((statement.sid, index))
                    yield Problem(
                        ("extra_actions", statement.sid, index),
                        f"must be of {' or '.join(services)}, whose resources this statement is about, got {action}; "
                        "move it to DenyCopyToRegion or DenyDirectTransferToRegion",
                    )

    @rule
    def _subnets_fit_their_condition(self) -> Iterator[Problem]:
        if self.subnets and self.subnets_by_target:
            yield Problem("subnets_by_target", "must be empty with subnets; keep one of the two")
        for key in ("subnets", "subnets_by_target"):
            if self.subnet_condition in ("zone", "tag") and getattr(self, key):
                yield Problem(
                    key, f"must be empty with subnet_condition {self.subnet_condition}; remove one of the two"
                )

    @rule
    def _tag_is_of_its_condition(self) -> Iterator[Problem]:
        if self.subnet_condition == "tag" and self.subnet_tag is None:
            yield Problem("subnet_condition", "must not be tag without subnet_tag; set that, or choose another")
        if self.subnet_condition != "tag" and self.subnet_tag is not None:
            yield Problem("subnet_tag", f"must be null with subnet_condition {self.subnet_condition}; remove it")

    @rule
    def _targets_have_subnets(self) -> Iterator[Problem]:
        if self.targets and self.subnets_by_target and set(self.targets) != set(self.subnets_by_target):
            odd = sorted(set(self.targets) ^ set(self.subnets_by_target))
            yield Problem(
                "subnets_by_target", f"must have the same targets as targets; only one of the two has {', '.join(odd)}"
            )

    @rule
    def _no_target_twice(self) -> Iterator[Problem]:
        for index in repeated(self.targets):
            yield Problem(("targets", index), "must not be listed twice; remove one")

    @rule
    def _one_partition(self) -> Iterator[Problem]:
        arns: dict[tuple[str | int, ...], str] = {}
        for key in ("exempt_principal_arns", "subnets"):
            arns |= {(key, index): arn for index, arn in enumerate(getattr(self, key))}
        for target, listed in self.subnets_by_target.items():
            arns |= {("subnets_by_target", target, index): arn for index, arn in enumerate(listed)}
        for at, arn in arns.items():
            if self.partition and arn.split(":")[1] not in ("*", self.partition):
                yield Problem(at, f"must be of partition {self.partition}; correct one of the two, or write arn:*:...")

    @rule
    def _policies_fit(self) -> Iterator[Problem]:
        try:
            planned = self.policies
        except TooLongError as error:
            subnets = "subnets_by_target" if self.subnets_by_target else "subnets"
            yield Problem(error.setting or subnets, f"must be shorter: {error}")
            return
        if not planned:
            yield Problem("statements", "must leave at least one statement; switch one on, or set enabled to false")
        for target in self.targets or self.subnets_by_target or ("",):
            needed = sum(policy.is_for(target) for policy in planned) + self.scps_on_targets
            if needed > self.scp_max_per_target:
                yield Problem(
                    "scp_max_per_target",
                    f"must be at least {needed}, the policies on a target with the {self.scps_on_targets} that it has "
                    "already; switch statements off, or move policies to the target's parent",
                )
                return
