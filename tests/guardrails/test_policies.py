"""Statements become policies that fit; splitting them changes no decision; an allow-list is never split."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.models import CommonSettings
from stacks.guardrails.actions import LOCKOUT_ROLES
from stacks.guardrails.judge import Request, judge
from stacks.guardrails.policies import LONGEST_PARTITION, Policy, TooLongError, policies
from stacks.guardrails.settings import GuardrailSettings
from stacks.guardrails.statements import PARTITION, Statement
from stacks.local_zone_guardrails.settings import LocalZoneGuardrailsSettings
from stacks.outposts_guardrails.settings import OutpostsGuardrailsSettings

PARTITIONS = ("aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f", "aws-eusc")


def subnet(number: int) -> str:
    return f"arn:aws:ec2:us-west-2:111122223333:subnet/subnet-{number:017x}"


SUBNETS = tuple(subnet(number) for number in range(200))


def unlimited(model: type[GuardrailSettings], **more: Any) -> GuardrailSettings:
    return model.model_validate({"exempt_principal_arns": (), "bootstrap_roles": "none", **more})


# Sizes


def test_the_sizes_of_the_posts_policies() -> None:
    """Without exemptions, with one subnet."""
    found = {p.id: p.characters("aws") for p in unlimited(OutpostsGuardrailsSettings, subnets=SUBNETS[:1]).policies}
    assert found == {"Transfer": 1526, "Snapshots": 520, "Subnets": 321}


def test_policies_are_minified_json() -> None:
    for policy in LocalZoneGuardrailsSettings(subnets=SUBNETS[:2]).policies:
        text = policy.text("aws")
        assert text == json.dumps(json.loads(text), separators=(",", ":"))
        assert json.loads(text)["Version"] == "2012-10-17"


@pytest.mark.parametrize("partition", PARTITIONS)
def test_what_fits_in_the_longest_partition_fits_in_each(partition: str) -> None:
    assert len(partition) <= len(LONGEST_PARTITION)
    for policy in LocalZoneGuardrailsSettings(subnets=SUBNETS[:2]).policies:
        assert len(policy.text(partition)) <= policy.characters(None)
        assert PARTITION not in policy.text(partition)


def test_what_fits_into_the_quota_is_no_warning() -> None:
    """awslabs/landing-zone-accelerator-on-aws#1119: the quota is 10,240 characters since May 2026."""
    found = LocalZoneGuardrailsSettings(subnets=SUBNETS[:70])
    assert max(policy.characters(None) for policy in found.policies) > 5_120
    assert not [key for key, _ in found.warnings() if "length" in key]


# Splitting

PREFIXES = ("ec2", "rds", "s3", "sqs")
names = st.builds(lambda service, number: f"{service}:Do{number}", st.sampled_from(PREFIXES), st.integers(0, 40))
conditions = st.sampled_from([{}, {"Null": {"ec2:OutpostArn": "true"}}, {"StringEquals": {"ec2:Location": "regional"}}])


@st.composite
def statement_sets(draw: st.DrawFn) -> list[Statement]:
    count = draw(st.integers(1, 5))
    return [
        Statement(
            f"Deny{number}",
            tuple(draw(st.lists(names, min_size=1, max_size=40, unique=True))),
            draw(st.sampled_from([("*",), ("arn:aws:s3:::*",)])),
            draw(conditions),
        )
        for number in range(count)
    ]


requests = st.builds(
    Request,
    names,
    st.sampled_from(["arn:aws:iam::1:role/a", "arn:aws:iam::1:role/cdk-a"]),
    st.dictionaries(
        st.sampled_from(["*", "arn:aws:s3:::b/c"]),
        st.fixed_dictionaries({}, optional={"ec2:OutpostArn": st.just("x"), "ec2:Location": st.just("regional")}),
        min_size=1,
    ),
)


def documents(found: tuple[Policy, ...]) -> list[Any]:
    return [json.loads(policy.text("aws")) for policy in found]


@settings(max_examples=30)
@given(statement_sets(), st.lists(requests, max_size=10), st.integers(512, 3000))
def test_splitting_changes_no_decision(found: list[Statement], asked: list[Request], most: int) -> None:
    split = policies({"P": found}, LOCKOUT_ROLES, most, None)
    whole = policies({"P": found}, LOCKOUT_ROLES, 1_000_000, None)
    assert len(whole) == 1
    assert all(policy.characters(None) <= most for policy in split)
    assert len({policy.id for policy in split}) == len(split)
    for policy in split:
        assert len({statement.sid for statement in policy.statements}) == len(policy.statements)
    for request in asked:
        assert judge(documents(split), request).decision == judge(documents(whole), request).decision


@settings(max_examples=20)
@given(st.integers(700, 6000), st.booleans(), st.booleans())
def test_splitting_the_guardrails_keeps_every_action(most: int, modern: bool, logs: bool) -> None:
    more = {"modern_actions": modern, "block_log_delivery": logs, "scp_max_per_target": 100}
    split = LocalZoneGuardrailsSettings.model_validate({**more, "scp_max_characters": most})
    whole = split.model_copy(update={"scp_max_characters": 1_000_000})  # longer than any policy may be

    def actions(found: GuardrailSettings) -> list[str]:
        return [action for policy in found.policies for statement in policy.statements for action in statement.actions]

    assert actions(split) == actions(whole)
    assert all(policy.characters(None) <= most for policy in split.policies)


def test_two_allow_lists_would_leave_nothing_which_is_why_they_are_never_split() -> None:
    half = [unlimited(LocalZoneGuardrailsSettings, subnets=part) for part in (SUBNETS[:60], SUBNETS[60:120])]
    everything = [document for each in half for document in documents(each.policies)]
    for arn in SUBNETS[:120]:
        interface = {"arn:aws:ec2:us-west-2:111122223333:network-interface/eni": {"ec2:Subnet": arn}}
        assert judge(everything, Request("ec2:RunInstances", "arn:aws:iam::1:role/a", interface)).decision == "denied"


@pytest.mark.parametrize("condition", ["arn", "arn-and-id"])
def test_a_subnet_list_that_does_not_fit_is_refused_with_the_ways_out(condition: str) -> None:
    settings = LocalZoneGuardrailsSettings.model_validate({"subnets": SUBNETS, "subnet_condition": condition})
    (problem,) = settings.problems()
    assert problem.key == "subnets"
    for way in ("never split", "subnets_by_target", "subnet_condition", "write * for Region"):
        assert way in problem.message


def test_a_list_of_zones_that_does_not_fit_is_refused_where_it_is_written() -> None:
    zones = tuple(f"us-west-2-lax-{group}{letter}" for group in "123" for letter in "abcdefghij")
    ids = tuple(f"usw2-lax{group}-az{number}" for group in "123" for number in range(10))
    settings = LocalZoneGuardrailsSettings(
        modern_actions=True, zones=zones, zone_ids=ids, scp_max_characters=4_096, scp_max_per_target=100
    )
    (problem,) = settings.problems()
    assert problem.key == "zone_ids"
    assert "Remove zones" in problem.message and "subnet" not in problem.message


def test_the_ways_out() -> None:
    short = tuple(arn.replace("us-west-2:111122223333", "*:*") for arn in SUBNETS[:160])
    assert LocalZoneGuardrailsSettings(subnets=short).policies
    targets = {"ou-ab12-first567": SUBNETS[:100], "ou-ab12-second67": SUBNETS[100:]}
    found = LocalZoneGuardrailsSettings(subnets_by_target=targets).policies
    assert [policy.targets for policy in found if policy.targets] == [("ou-ab12-first567",), ("ou-ab12-second67",)]
    assert not any(set(policy.targets) == set(targets) for policy in found)
    zone = LocalZoneGuardrailsSettings(subnet_condition="zone", zones=("us-west-2-lax-1a",))
    assert zone.policies[-1].characters(None) < 1_200


def test_names_fit_and_differ_also_with_the_longest_ids() -> None:
    units = tuple(f"ou-{'r' * 32}-{'u' * 31}{end}" for end in "ab")
    found = LocalZoneGuardrailsSettings(subnets_by_target=dict.fromkeys(units, SUBNETS[:1])).policies
    names = [policy.name(f"{'p' * 31}-local-zone-guardrails") for policy in found]
    assert len(set(names)) == len(names) == 4 and max(map(len, names)) == 128
    assert names[0] == f"{'p' * 31}-local-zone-guardrails-transfer"


def test_each_target_has_its_own_subnets_and_the_common_policies() -> None:
    targets = {"ou-ab12-first567": SUBNETS[:1], "ou-ab12-second67": SUBNETS[1:2]}
    found = OutpostsGuardrailsSettings(subnets_by_target=targets, targets=tuple(targets)).policies
    for target in targets:
        assert [policy.id for policy in found if policy.is_for(target)][:2] == ["Transfer", "Snapshots"]
        assert sum(policy.is_for(target) for policy in found) == 3


def test_exemptions_that_leave_no_room_are_refused() -> None:
    with pytest.raises(TooLongError, match="shorten exempt_principal_arns"):
        policies({"P": [Statement("D", ("a:B",))]}, tuple(f"arn:*:iam::*:role/{n:0>100}" for n in range(9)), 600, None)


# The second key


def test_nothing_needs_the_safety_switch_by_default() -> None:
    assert list(LocalZoneGuardrailsSettings().problems_with(CommonSettings())) == []


def test_a_root_needs_the_safety_switch() -> None:
    rooted = {"targets": ("r-ab12",)}
    (problem,) = LocalZoneGuardrailsSettings.model_validate(rooted).problems_with(CommonSettings())
    assert problem.path == ("targets", 0)
    assert "every account" in problem.message and "confirm_lockout_risk" in problem.message
    confirmed = LocalZoneGuardrailsSettings.model_validate({**rooted, "confirm_lockout_risk": True})
    assert list(confirmed.problems_with(CommonSettings())) == []


@pytest.mark.parametrize("settings", [LocalZoneGuardrailsSettings(subnets=SUBNETS[:1]), OutpostsGuardrailsSettings()])
@pytest.mark.parametrize("role", ["cfn-exec", "deploy", "lookup", "file-publishing", "image-publishing"])
def test_cdk_deploy_is_not_exempt_by_default(settings: GuardrailSettings, role: str) -> None:
    """aws/aws-cdk#27097: the role that executes is administrator, and acts for whoever may deploy."""
    principal = f"arn:aws:iam::111122223333:role/cdk-hnb659fds-{role}-role-111122223333-us-west-2"
    calls = {
        "s3:PutObject": ("arn:aws:s3:::cdk-hnb659fds-assets/x", "file-publishing"),
        "ecr:PutImage": ("arn:aws:ecr:us-west-2:111122223333:repository/x", "image-publishing"),
        "sqs:CreateQueue": ("arn:aws:sqs:us-west-2:111122223333:x", None),
        "ec2:CopyImage": ("arn:aws:ec2:us-west-2::image/ami-1", None),
    }
    for action, (resource, passing) in calls.items():
        for model, may in (("publishing", role == passing), ("none", False)):
            changed = settings.model_copy(update={"bootstrap_roles": model})
            documents = [json.loads(policy.text("aws")) for policy in changed.policies]
            verdict = judge(documents, Request(action, principal, {resource: {}}))
            assert (verdict.decision == "passes") is may, (action, model)


def test_cdk_deploy_is_exempt_on_request_and_that_is_said() -> None:
    found = LocalZoneGuardrailsSettings(bootstrap_roles="all")
    principal = "arn:aws:iam::111122223333:role/cdk-hnb659fds-cfn-exec-role-111122223333-us-west-2"
    documents = [json.loads(policy.text("aws")) for policy in found.policies]
    assert judge(documents, Request("sqs:CreateQueue", principal, {"*": {}})).decision == "passes"
    assert "bootstrap" in dict(found.warnings())


@pytest.mark.parametrize("exempt", [(), ("arn:*:iam::*:role/AWSControlTowerExecution",)])
def test_no_role_of_the_bootstrap_must_be_exempt(exempt: tuple[str, ...]) -> None:
    """No policy limits the management account, and deleting a policy is nothing that they deny."""
    assert list(OutpostsGuardrailsSettings(exempt_principal_arns=exempt).problems_with(CommonSettings())) == []


@pytest.mark.parametrize("role", ["file-publishing", "image-publishing"])
@pytest.mark.parametrize(("exempt", "decision"), [("publishing", "denied"), ("all", "denied"), ("none", "passes")])
def test_nobody_takes_the_name_of_a_protected_publishing_role(role: str, exempt: str, decision: str) -> None:
    """It needs no more than a name: whoever makes such a role is exempt from the statement that it is exempt from."""
    found = OutpostsGuardrailsSettings.model_validate({"protect_exempt_roles": True, "bootstrap_roles": exempt})
    documents = [json.loads(policy.text("aws")) for policy in found.policies]
    asked: dict[str, Any] = {f"arn:aws:iam::111122223333:role/cdk-x-{role}-role-x": {}}
    developer, repairing = (
        f"arn:aws:iam::111122223333:role/{name}" for name in ("dev", "OrganizationAccountAccessRole")
    )
    for action in ("iam:CreateRole", "iam:UpdateAssumeRolePolicy"):
        assert judge(documents, Request(action, developer, asked)).decision == decision
        assert judge(documents, Request(action, repairing, asked)).decision == "passes"


@pytest.mark.parametrize("model", [LocalZoneGuardrailsSettings, OutpostsGuardrailsSettings])
@pytest.mark.parametrize("bootstrap", ["none", "publishing", "all"])
def test_every_role_that_any_statement_exempts_is_protected(model: type[GuardrailSettings], bootstrap: str) -> None:
    found = model.model_validate({"protect_exempt_roles": True, "bootstrap_roles": bootstrap})
    statements = [one for policy in found.policies for one in json.loads(policy.text("aws"))["Statement"]]
    exempt = {arn for one in statements for arn in one["Condition"]["ArnNotLike"]["aws:PrincipalArn"]}
    (protection,) = (one for one in statements if one["Sid"] == "DenyExemptRoleChanges")
    assert {arn for arn in exempt if ":role/" in arn} == set(protection["Resource"])


def test_exempt_roles_can_be_protected_from_those_who_are_not() -> None:
    found = LocalZoneGuardrailsSettings(protect_exempt_roles=True)
    documents = [json.loads(policy.text("aws")) for policy in found.policies]
    role = "arn:aws:iam::111122223333:role/AWSControlTowerExecution"
    for action in ("iam:CreateRole", "iam:UpdateAssumeRolePolicy", "iam:AttachRolePolicy", "iam:PutRolePolicy"):
        asked: dict[str, Any] = {role: {}}
        assert judge(documents, Request(action, "arn:aws:iam::111122223333:role/dev", asked)).decision == "denied"
        assert judge(documents, Request(action, role, asked)).decision == "passes"
        other: dict[str, Any] = {"arn:aws:iam::111122223333:role/app": {}}
        assert judge(documents, Request(action, "arn:aws:iam::111122223333:role/dev", other)).decision == "passes"
    plain = [json.loads(policy.text("aws")) for policy in LocalZoneGuardrailsSettings().policies]
    assert (
        judge(plain, Request("iam:CreateRole", "arn:aws:iam::111122223333:role/dev", {role: {}})).decision == "passes"
    )
