"""What both guardrail solutions can be told."""

from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from config.models import CommonSettings, Section, SolutionSettings
from stacks.guardrails.actions import LOCKOUT_ROLES, bootstrap_roles
from stacks.guardrails.judge import arn_like
from stacks.guardrails.policies import FORMER_CHARACTERS, Policy, TooLongError, policies
from stacks.guardrails.statements import Statement, transfer
from stacks.shared.preflight import CDK_QUALIFIER

SubnetArn = Annotated[
    str,
    Field(
        pattern=r"^arn:(\*|aws[a-z-]*):ec2:(\*|[a-z0-9-]+):(\*|\d{12}):subnet/subnet-[0-9a-f]{8,17}$",
        examples=["arn:*:ec2:*:111122223333:subnet/subnet-0123456789abcdef0"],
    ),
]
SubnetArns = Annotated[tuple[SubnetArn, ...], Field(max_length=2_000)]
TargetId = Annotated[
    str,
    Field(pattern=r"^(r-[0-9a-z]{4,32}|\d{12}|ou-[0-9a-z]{4,32}-[a-z0-9]{8,32})$", examples=["ou-ab12-cdefgh34"]),
]
PrincipalArn = Annotated[
    str,
    Field(
        pattern=r"^arn:(\*|aws[a-z-]*):(iam|sts)::(\*|\d{12}):(root|(role|user|federated-user)/[A-Za-z0-9_+=,.@/*?-]+)$",
        max_length=600,
        examples=["arn:*:iam::*:role/backup"],
    ),
]
Action = Annotated[
    str, Field(pattern=r"^[a-z0-9-]{2,40}:[A-Za-z*][A-Za-z0-9*?]{0,90}$", examples=["rds:CopyDBSnapshot"])
]
Service = Annotated[str, Field(pattern=r"^[a-z0-9-]{2,40}$", examples=["elasticache"])]


class Switches(Section):
    """Which statements there are, by their Sid in the post."""

    DenyCopyToRegion: bool = True
    """No snapshot, image, export or transfer task makes a copy in the Region."""
    DenyDirectTransferToRegion: bool = True
    """Nothing is created or written to in services of the Region that hold data."""
    DenyPutObjectToRegionalBuckets: bool = True
    """No object is put into a bucket of the Region."""


class SubnetTag(Section):
    """The tag that allows a subnet. Whoever may set it decides where data goes, so that a statement protects it."""

    key: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:/=+@-]+$", max_length=128, examples=["residency"])]
    """Key of the tag."""
    value: Annotated[str, Field(pattern=r"^[A-Za-z0-9_ .:/=+@-]+$", max_length=256, examples=["in-zone"])]
    """Value of the tag."""


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
    """Actions of your own to deny, by the Sid of the statement."""
    block_log_delivery: bool = False
    """true: deny also logs:PutLogEvents, which brings to the Region what applications log."""
    exempt_principal_arns: Annotated[tuple[PrincipalArn, ...], Field(max_length=100)] = LOCKOUT_ROLES
    """Principals that no statement denies anything. The default: those whose denial locks an account out."""
    subnet_condition: Literal["arn", "arn-and-id", "zone", "tag"] = "arn"
    """What allows a subnet. arn: as the post. arn-and-id: for interfaces its id. zone: its Local Zone. tag: its tag."""
    subnets: SubnetArns = ()
    """ARNs of all subnets in which instances and interfaces are allowed. None: there is no subnet statement."""
    subnets_by_target: dict[TargetId, Annotated[SubnetArns, Field(min_length=1)]] = Field(
        default_factory=dict, max_length=100
    )
    """Instead of subnets: those of each target, in a policy of its own."""
    subnet_tag: SubnetTag | None = None
    """The tag of subnet_condition tag."""
    partition: Annotated[str, Field(pattern=r"^aws[a-z-]{0,12}$", examples=["aws-us-gov"])] | None = None
    """Partition of your organization. null: the one that the stack is deployed to."""
    scp_max_characters: Annotated[int, Field(ge=512, le=1_000_000)] = 10_240
    """Longest policy that Organizations takes; where the quota is still the former one, 5120."""
    scp_max_per_target: Annotated[int, Field(ge=2, le=100)] = 10
    """Most policies that a root, unit or account takes; where the quota is still the former one, 5."""
    scps_on_targets: Annotated[int, Field(ge=1, le=99)] = 1
    """Policies that each target has already, FullAWSAccess included."""
    targets: Annotated[tuple[TargetId, ...], Field(max_length=100)] = ()
    """Units, accounts or the root to attach to, the one to begin with first. None: nothing is attached."""
    attach_by: Literal["deployment", "command"] = "deployment"
    """deployment: `cdk deploy` attaches to all targets. command: `attach` does, one target after the other."""
    confirm_lockout_risk: bool = False
    """The second key. true allows a root as target, and exempt_principal_arns without the roles of `cdk bootstrap`."""

    @property
    def zone_names(self) -> tuple[str, ...]:
        """Local Zones that the statements know."""
        return ()

    @property
    def policies(self) -> tuple[Policy, ...]:
        """The policies of these settings."""
        return policies(self.groups(), self.exempt_principal_arns, self.scp_max_characters, self.partition)

    def switched_on(self, sid: str) -> bool:
        """Whether a statement of the post is wanted."""
        return bool(getattr(self.statements, sid))

    def groups(self) -> dict[str, list[Statement]]:
        """The statements by the id of their policy; a solution adds its own."""
        return {"Transfer": list(transfer(self))}

    def warnings(self) -> Iterator[tuple[str, str]]:
        """What synthesis says about these settings, each with an id."""
        if self.services_in_zone is not None:
            without = {action for statement in self.groups()["Transfer"] for action in statement.actions}
            everywhere = self.model_copy(update={"services_in_zone": None}).groups()["Transfer"]
            dropped = [action for statement in everywhere for action in statement.actions if action not in without]
            if dropped:
                yield "services", f"not denied, since services_in_zone lacks their services: {', '.join(dropped)}"
        for policy in self.policies:
            if (length := policy.characters(self.partition)) > FORMER_CHARACTERS:
                yield (
                    f"length{policy.id}",
                    f"{policy.id} takes {length} characters; AWS's pages say {FORMER_CHARACTERS}, two articles of May "
                    "2026 say 10240. If Organizations refuses it, set scp_max_characters",
                )

    def subnet_warnings(self, sid: str) -> Iterator[tuple[str, str]]:
        """What there is to say about the subnet statement."""
        if not self.switched_on(sid):
            return
        if not (self.subnets or self.subnets_by_target or self.subnet_condition in ("zone", "tag")):
            yield "subnets", f"{sid} is left out: no subnet is named, and without one it would deny every instance"
        elif self.subnet_condition == "arn":
            yield (
                "interfaces",
                f"{sid}: AWS's list names no ec2:Subnet for CreateNetworkInterface. If EC2 does not tell it, "
                "interfaces are denied in every subnet; subnet_condition arn-and-id, zone or tag does not depend on it",
            )
        elif self.subnet_condition == "tag":
            yield (
                "default",
                f"{sid} cannot see the tag of a default subnet that a launch does not name: delete default VPCs",
            )

    def problems_with(self, common: CommonSettings) -> list[tuple[str, str]]:
        """What needs the second key."""
        if self.confirm_lockout_risk:
            return []
        key = "set confirm_lockout_risk to true if you mean it"
        found = []
        if roots := [target for target in self.targets if target.startswith("r-")]:
            found.append(("targets", f"{roots[0]} is a root: every account would be denied; name units, or {key}"))
        roles = bootstrap_roles(common.bootstrap_qualifier or CDK_QUALIFIER)
        if bare := [role for role in roles if not any(arn_like(arn, role) for arn in self.exempt_principal_arns)]:
            name = bare[0].split("/")[1].split("-111122223333")[0]
            says = f"does not exempt {name}-*: no account with these policies could deploy"
            found.append(
                ("exempt_principal_arns", f"{says}, not even to remove them; add 'arn:*:iam::*:role/cdk-*', or {key}")
            )
        return found

    @model_validator(mode="after")
    def _statements_exist(self) -> Self:
        known = [name for name in type(self.statements).model_fields if name.startswith("Deny")]
        for sid in self.extra_actions:
            if sid not in known:
                raise ValueError(f"extra_actions: there is no statement {sid!r}; there are: {', '.join(known)}")
        return self

    @model_validator(mode="after")
    def _subnets_fit_their_condition(self) -> Self:
        listed = self.subnets or self.subnets_by_target
        if self.subnets and self.subnets_by_target:
            raise ValueError("subnets and subnets_by_target cannot be both; keep one")
        if self.subnet_condition in ("zone", "tag") and listed:
            raise ValueError(f"subnets have no effect with subnet_condition {self.subnet_condition!r}; remove one")
        if (self.subnet_condition == "tag") != (self.subnet_tag is not None):
            raise ValueError("subnet_condition 'tag' and subnet_tag belong together; set both or neither")
        if self.targets and self.subnets_by_target and set(self.targets) != set(self.subnets_by_target):
            odd = sorted(set(self.targets) ^ set(self.subnets_by_target))
            raise ValueError(f"targets and subnets_by_target must name the same targets; only one has {', '.join(odd)}")
        return self

    @model_validator(mode="after")
    def _one_partition(self) -> Self:
        arns = (
            *self.exempt_principal_arns,
            *self.subnets,
            *(arn for arns in self.subnets_by_target.values() for arn in arns),
        )
        for arn in arns:
            if self.partition and arn.split(":")[1] not in ("*", self.partition):
                raise ValueError(f"{arn} is not of partition {self.partition}; correct one, or write arn:*:...")
        return self

    @model_validator(mode="after")
    def _policies_fit(self) -> Self:
        if len(set(self.targets)) < len(self.targets):
            raise ValueError("targets names a target twice; list each once")
        try:
            planned = self.policies
        except TooLongError as error:
            raise ValueError(str(error)) from None
        if not planned:
            raise ValueError("no statement is left; set enabled to false instead")
        for target in self.targets or self.subnets_by_target or ("",):
            needed = sum(policy.is_for(target) for policy in planned) + self.scps_on_targets
            if needed > self.scp_max_per_target:
                raise ValueError(
                    f"{needed} policies would be on a target, with the {self.scps_on_targets} that it has; "
                    f"{self.scp_max_per_target} are possible (scp_max_per_target): switch statements off, or move "
                    "policies to the target's parent"
                )
        return self
