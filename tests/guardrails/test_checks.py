"""What check finds in an organization."""

import json
from typing import Any

import pytest

from config.models import CommonSettings
from stacks.guardrails.settings import GuardrailSettings
from stacks.local_zone_guardrails.commands import findings
from stacks.local_zone_guardrails.settings import LocalZoneGuardrailsSettings
from stacks.outposts_guardrails.settings import OutpostsGuardrailsSettings
from tests.guardrails.commands import run
from tests.guardrails.organization import FIRST, MANAGEMENT, SECOND, SUBNET, Organization, staged


def look(organization: Organization, settings: GuardrailSettings) -> dict[str, tuple[str, str]]:
    return {f.what: (f.status, f.says) for f in findings(CommonSettings(), settings, organization)}


def test_a_healthy_organization_has_no_problem() -> None:
    settings = staged(zones=("us-west-2-lax-1a",))
    found = look(Organization(settings), settings)
    assert {what for what in found if not what.startswith("note: ")} == {
        "account", "bootstrap", "permissions", "organization", "names", f"target {FIRST}", f"target {SECOND}", "zones"
    }  # fmt: skip
    assert [found[f"note: {key}"] for key, _ in settings.warnings()] == [
        ("ok", says) for _, says in settings.warnings()
    ]
    assert {status for status, _ in found.values()} == {"ok"}


def test_policies_that_are_attached_already_are_not_counted_again() -> None:
    settings = staged(scp_max_per_target=5)
    organization = Organization(settings)
    organization.attached[FIRST] += ["p-1", "p-2"]
    before = look(organization, settings)
    run("attach", organization, settings, "--yes", "--all")
    assert look(organization, settings) == before
    assert before[f"target {FIRST}"] == ("ok", "3 policies of others, 2 of these")


def test_what_would_stop_a_deployment_is_found() -> None:
    settings = staged(zones=("us-west-2-nyc-1a",), targets=(FIRST, MANAGEMENT, "ou-ab12-nowhere1"))
    organization = Organization(settings)
    organization.attached[FIRST] += [f"p-{number}" for number in range(9)]
    found = look(organization, settings)
    assert found[f"target {FIRST}"][0] == "problem"
    assert "management account" in found[f"target {MANAGEMENT}"][1]
    assert found["target ou-ab12-nowhere1"] == ("unknown", "Operation: TargetNotFoundException")
    assert found["zones"][0] == "problem"
    organization.types = []
    assert "not enabled" in look(organization, settings)["organization"][1]
    organization.feature_set = "CONSOLIDATED_BILLING"
    assert look(organization, settings)["organization"][0] == "problem"


def test_another_account_than_the_management_account_may_be_delegated() -> None:
    organization = Organization(LocalZoneGuardrailsSettings())
    organization.caller = "111122223333"
    assert look(organization, LocalZoneGuardrailsSettings())["organization"][0] == "unknown"


@pytest.mark.parametrize(
    ("caller", "status", "says"),
    [
        (MANAGEMENT, "ok", "only check with their credentials"),
        ("111122223333", "problem", "has not opted in to us-west"),
    ],
)
def test_whether_an_account_has_opted_in_to_the_zones_is_asked_with_its_credentials(
    caller: str, status: str, says: str
) -> None:
    settings = staged(zones=("us-west-2-lax-1a",))
    organization = Organization(settings)
    organization.caller, organization.opted_in = caller, False
    found = look(organization, settings)["zones"]
    assert found[0] == status and says in found[1]


def test_targets_below_each_other_with_different_subnets_would_allow_nothing() -> None:
    settings = staged(subnets_by_target={FIRST: (SUBNET,), SECOND: (SUBNET[:-1] + "1",)})
    organization = Organization(settings)
    organization.parents[SECOND] = FIRST
    status, says = look(organization, settings)[f"target {SECOND}"]
    assert status == "problem" and FIRST in says


def test_the_subnet_statement_of_the_other_solution_on_a_target_is_found() -> None:
    settings = staged(subnets=(SUBNET,))
    organization = Organization(settings)
    organization.policies["p-Other"] = OutpostsGuardrailsSettings(subnets=(SUBNET,)).policies[-1].text("aws")
    organization.attached["r-ab12"] = ["p-Other"]
    status, says = look(organization, settings)[f"target {FIRST}"]
    assert status == "problem" and "DenyNotOutpostSubnet" in says


@pytest.mark.parametrize("place", [FIRST, "222233334444", "ou-ab12-nested67", "r-ab12"])
@pytest.mark.parametrize("model", [LocalZoneGuardrailsSettings, OutpostsGuardrailsSettings])
def test_a_subnet_statement_of_another_policy_is_found_above_and_below(
    place: str, model: type[GuardrailSettings]
) -> None:
    """Also of our own Sid: another prefix, or made from files."""
    settings = staged(subnets=(SUBNET,))
    organization = Organization(settings)
    organization.parents |= {"222233334444": "ou-ab12-nested67", "ou-ab12-nested67": FIRST}
    organization.attached |= {"222233334444": [], "ou-ab12-nested67": []}
    organization.policies["p-Other"] = model(subnets=(SUBNET,)).policies[-1].text("aws")
    organization.attached[place].append("p-Other")
    status, says = look(organization, settings)[f"target {FIRST}"]
    assert status == "problem" and "p-Other" in says


ZONE: dict[str, Any] = {"zones": ("us-west-2-lax-1a",), "zone_ids": ("usw2-lax1-az1",), "modern_actions": True}
OTHER_ZONE: dict[str, Any] = {"zones": ("us-west-2-den-1a",), "zone_ids": ("usw2-den1-az1",), "modern_actions": True}

BOTH_ZONES: dict[str, Any] = {
    key: (*ZONE[key], *OTHER_ZONE[key]) if isinstance(ZONE[key], tuple) else True for key in ZONE
}


@pytest.mark.parametrize(
    ("ours", "theirs", "says"),
    [
        (ZONE, LocalZoneGuardrailsSettings(**OTHER_ZONE), "DenyDirectTransferToRegionBuckets of p-Other"),
        (ZONE, OutpostsGuardrailsSettings(modern_actions=True), "DenyDirectTransferToRegion of p-Other"),
        ({"modern_actions": True}, LocalZoneGuardrailsSettings(**ZONE), "DenyDirectTransferToRegionBuckets of p-Other"),
        (ZONE, LocalZoneGuardrailsSettings(**ZONE), ""),
        (ZONE, LocalZoneGuardrailsSettings(**BOTH_ZONES), ""),
        (BOTH_ZONES, LocalZoneGuardrailsSettings(**ZONE), "DenyDirectTransferToRegionBuckets of p-Other"),
        (ZONE, LocalZoneGuardrailsSettings(), ""),
        ({"modern_actions": True}, OutpostsGuardrailsSettings(modern_actions=True), ""),
        ({}, LocalZoneGuardrailsSettings(**ZONE), ""),
    ],
    ids=[
        "other zones",
        "none there",
        "none here",
        "the same",
        "more there",
        "more here",
        "not denied there",
        "none anywhere",
        "not denied here",
    ],
)
def test_directory_buckets_that_another_policy_leaves_are_found_where_ours_are_others(
    ours: dict[str, Any], theirs: GuardrailSettings, says: str
) -> None:
    """A session of a bucket that only one of the two names is denied by the other, above it or below."""
    settings = staged(**ours)
    organization = Organization(settings)
    organization.zones = ["us-west-2-lax-1a"]
    organization.policies["p-Other"] = theirs.policies[0].text("aws")
    organization.attached["r-ab12"] = ["p-Other"]
    status, said = look(organization, settings)[f"target {FIRST}"]
    assert (status, says in said) == ("problem" if says else "ok", True)


@pytest.mark.parametrize(
    "statement",
    [
        {"Action": "*", "Condition": {"StringLike": {"aws:PrincipalArn": "arn:*:iam::*:root"}}},
        {"Action": "s3express:*", "Condition": {"StringNotEquals": {"aws:RequestedRegion": "us-west-2"}}},
        {"Action": "*"},
    ],
)
def test_what_denies_more_than_buckets_or_under_a_condition_is_no_list_of_them(statement: dict[str, Any]) -> None:
    settings = staged(**ZONE)
    organization = Organization(settings)
    organization.zones = ["us-west-2-lax-1a"]
    organization.policies["p-Other"] = json.dumps({"Statement": [{"Effect": "Deny", "Resource": "*", **statement}]})
    organization.attached["r-ab12"] = ["p-Other"]
    status, said = look(organization, settings)[f"target {FIRST}"]
    assert status == "ok", said


@pytest.mark.parametrize(
    ("action", "left", "status"),
    [
        ("s3express:CreateSession", "bucket/*--usw2-den1-az1--x-s3", "problem"),
        # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html: IAM:listaccesskeys
        ("S3Express:createsession", "bucket/*--usw2-den1-az1--x-s3", "problem"),
        ("s3express:create*", "bucket/*--usw2-den1-az1--x-s3", "problem"),
        ("s3express:CreateSession", "bucket/*--x-s3", "problem"),
        ("s3express:CreateSession", "*", "ok"),
    ],
    ids=["as AWS writes it", "other letters", "a wildcard in other letters", "no access points", "wider"],
)
def test_actions_are_compared_as_iam_does_and_wider_patterns_leave_what_ours_leave(
    action: str, left: str, status: str
) -> None:
    settings = staged(**ZONE)
    organization = Organization(settings)
    statement = {"Effect": "Deny", "Action": [action], "NotResource": f"arn:aws:s3express:*:*:{left}"}
    organization.policies["p-Other"] = json.dumps({"Statement": [statement]})
    organization.attached["r-ab12"] = ["p-Other"]
    assert look(organization, settings)[f"target {FIRST}"][0] == status


EXPRESS = "arn:aws:s3express"
OF_OURS = f"{EXPRESS}:*:*:bucket/*--usw2-lax1-az1--x-s3"
OF_ANOTHER_ZONE = f"{EXPRESS}:*:*:*/*--usw2-den1-az1--x*-s3"
ROLE = "arn:aws:iam::*:role/platform"
ACCOUNT, ANOTHER = "222233334444", "111122223333"


def but_for(**condition: dict[str, str]) -> dict[str, Any]:
    """A deny of the buckets of all zones but another one, under a condition."""
    (operator,) = condition
    return {"NotResource": OF_ANOTHER_ZONE, "Condition": {operator.replace("__", ":"): condition[operator]}}


@pytest.mark.parametrize(
    ("statement", "status"),
    [
        # An ARN of another service leaves no directory bucket, however wide its name is.
        ({"NotResource": "arn:aws:s3:::*"}, "problem"),
        ({"NotResource": ["arn:aws:s3:::*", f"{EXPRESS}:*"]}, "ok"),
        ({"NotResource": "*"}, "ok"),
        # A Region, partition or account leaves what is in it.
        ({"NotResource": f"{EXPRESS}:us-west-2:*:*"}, "ok"),
        ({"NotResource": f"{EXPRESS}:us-east-1:*:*"}, "problem"),
        ({"NotResource": "arn:aws-cn:s3express:*:*:*"}, "problem"),
        ({"NotResource": f"{EXPRESS}:*:{ACCOUNT}:*"}, "ok"),
        ({"NotResource": f"{EXPRESS}:*:${{aws:PrincipalAccount}}:*"}, "ok"),
        ({"NotResource": f"{EXPRESS}:*:????????????:*"}, "ok"),
        ({"NotResource": f"{EXPRESS}:*:{ANOTHER}:*"}, "problem"),
        # A list of zones may have wildcards around the ids.
        *(
            ({"NotResource": f"{EXPRESS}:*:*:{zones}"}, "problem")
            for zones in ("*usw2-den1-az1*", "*/*usw2-den1-az1*", "*/*-usw2-den1-az1-*", "*usw2-den1-az1?*")
        ),
        ({"NotResource": f"{EXPRESS}:*:*:*usw2-lax1-az1*"}, "ok"),
        # And it is denied what is in it.
        ({"Resource": f"{EXPRESS}:*:*:bucket/*"}, "problem"),
        ({"Resource": f"{EXPRESS}:us-west-2:*:*"}, "problem"),
        ({"Resource": f"{EXPRESS}:us-east-1:*:*"}, "ok"),
        ({"Resource": "arn:aws-cn:s3express:*:*:*"}, "ok"),
        ({"Resource": f"{EXPRESS}:*:{ACCOUNT}:*"}, "problem"),
        ({"Resource": f"{EXPRESS}:*:{ANOTHER}:*"}, "ok"),
        ({"Resource": OF_OURS}, "problem"),
        ({"Resource": ["arn:aws:s3:::*", OF_OURS]}, "problem"),
        ({"Resource": f"{EXPRESS}:*:*:accesspoint/*"}, "problem"),
        ({"Resource": f"{EXPRESS}:*:*:bucket/*--usw2-den1-az1--x-s3"}, "ok"),
        ({"Resource": "arn:aws:s3:::*"}, "ok"),
        # Who calls is an ordinary role of the account.
        (but_for(StringNotLike={"aws:PrincipalArn": ROLE}), "problem"),
        (but_for(ArnNotEquals={"aws:principalarn": ROLE}), "problem"),
        (but_for(ForAnyValue__ArnNotLike={"aws:PrincipalArn": ROLE}), "problem"),
        (but_for(StringNotEquals={"aws:PrincipalTag/may": "pass"}), "problem"),
        (but_for(ArnLike={"aws:PrincipalArn": ROLE}), "ok"),
        (but_for(StringNotEquals={"aws:PrincipalAccount": ANOTHER}), "problem"),
        (but_for(StringNotEquals={"aws:PrincipalAccount": ACCOUNT}), "ok"),
        (but_for(StringNotEqualsIfExists={"aws:RequestedRegion": "us-west-2"}), "ok"),
        (but_for(StringNotEquals={"aws:RequestedRegion": "us-east-1"}), "problem"),
        (but_for(BoolIfExists={"aws:PrincipalIsAWSService": "false"}), "problem"),
        # No service calls for it: "if the key is not present, the condition [of a negated operator] is true".
        # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
        (but_for(ArnNotLike={"aws:SourceArn": ROLE}), "problem"),
        (but_for(ArnLikeIfExists={"aws:SourceArn": ROLE}), "problem"),
        (but_for(ArnLike={"aws:SourceArn": ROLE}), "ok"),
        # Where it calls from is not known.
        (but_for(StringNotEquals={"aws:SourceVpce": "vpce-1"}), "ok"),
        (but_for(NotIpAddress={"aws:SourceIp": "192.0.2.0/24"}), "ok"),
    ],
)
def test_a_statement_is_judged_as_iam_judges_a_call_of_the_account(statement: dict[str, Any], status: str) -> None:
    settings = staged(**ZONE)
    organization = Organization(settings)
    organization.parents[ACCOUNT] = FIRST
    organization.attached[ACCOUNT] = []
    organization.policies["p-Other"] = json.dumps(
        {"Statement": {"Effect": "Deny", "Action": "s3express:*", **statement}}
    )
    organization.attached["r-ab12"] = ["p-Other"]
    assert look(organization, settings)[f"target {FIRST}"][0] == status


@pytest.mark.parametrize(
    ("statement", "status"),
    [
        ({"Action": []}, "ok"),
        # A Region that is closed but for one service is closed.
        (
            {"NotAction": ["iam:*", "sqs:*"], "Condition": {"StringNotEquals": {"aws:RequestedRegion": "eu-west-1"}}},
            "ok",
        ),
        # What closes an account or a Region is no list of buckets.
        ({"NotAction": "sts:*"}, "ok"),
        (
            {"NotAction": ["iam:*", "sts:*"], "Condition": {"StringNotEquals": {"aws:RequestedRegion": "eu-west-1"}}},
            "ok",
        ),
        ({"Action": ["ec2:*", "s3express:*"]}, "problem"),
        # A list of services without this one is.
        ({"NotAction": ["ec2:*", "s3:*"]}, "problem"),
        ({"NotAction": ["s3:*", "iam:*", "lambda:*"]}, "ok"),
        ({"NotAction": ["ec2:*", "s3Express:*"]}, "ok"),
        ({"NotAction": "ec2:*", "NotResource": f"{EXPRESS}:*"}, "ok"),
        ({"Action": ["s3*"]}, "problem"),
        ({"Effect": "Allow", "Action": "s3express:*"}, "ok"),
        # A list of what is allowed, at one place, without buckets.
        ({"Effect": "Allow", "Action": ["ec2:*", "s3:*"]}, "problem"),
        ({"Effect": "Allow", "NotAction": "s3express:*"}, "problem"),
        ({"Effect": "Allow", "Action": "iam:*"}, "ok"),
        # Values without quotation marks, of which nothing is known.
        ({"Action": "*", "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": False}}}, "ok"),
        ({"NotAction": "iam:*", "Condition": {"NumericGreaterThan": {"aws:MultiFactorAuthAge": 3600}}}, "ok"),
        ({"Action": "s3*", "Condition": {"Bool": {"aws:ViaAWSService": False}}}, "problem"),
        ({"Action": "s3*", "Condition": {"Null": {"aws:PrincipalTag/x": True}}}, "problem"),
        ({"Action": "s3*", "Condition": {"StringNotEquals": {"aws:PrincipalAccount": [111122223333]}}}, "problem"),
        ({"Action": "s3*", "Sid": ""}, "problem"),
        # Where the caller is in the organization is known, and that it calls by itself.
        ({"Action": "s3*", "Condition": {"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}}}, "ok"),
        (
            {"Action": "s3*", "Condition": {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": f"o-1/*/{FIRST}/*"}}},
            "problem",
        ),
        (
            {"Action": "s3*", "Condition": {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": f"o-1/*/{SECOND}/*"}}},
            "ok",
        ),
        ({"Action": "s3*", "Condition": {"ForAllValues:StringNotEquals": {"aws:CalledVia": "a"}}}, "problem"),
        ({"Action": "s3*", "Condition": {"StringNotEqualsIfExists": {"aws:SourceOrgID": "o-1"}}}, "problem"),
        # A rule of names leaves buckets in every zone.
        *(
            ({"Action": "s3express:CreateBucket", "NotResource": f"{EXPRESS}:*:*:{names}"}, "ok")
            for names in (
                "bucket/*-prod--*--x-s3",
                "bucket/*prod*",
                "bucket/acme-*-prod--*",
                "bucket/acme-???-*",
                "*/acme-*",
                "bucket/${aws:PrincipalAccount}-*",
                "bucket/acme-${aws:PrincipalAccount}-*",
                "bucket/acme-usw2-lax1-az1-*",
                "bucket/prod-use1-az4-*",
                "bucket/use1-az4-*",
            )
        ),
        (
            {
                "Effect": "Allow",
                "Action": ["ec2:*", "s3express:*"],
                "Resource": ["arn:aws:ec2:*", f"{EXPRESS}:*:*:*/acme-*"],
            },
            "ok",
        ),
        ({"Action": "s3express:CreateBucket", "NotResource": f"{EXPRESS}:*:*:bucket/acme-*"}, "ok"),
        (
            {"Action": "s3express:CreateBucket", "NotResource": f"{EXPRESS}:*:*:bucket/acme-*--use1-az4--x-s3"},
            "problem",
        ),
        ({"Action": "s3express:*", "Resource": f"{EXPRESS}:*:*:bucket/acme-*"}, "ok"),
        # An ARN that is not whole goes on with wildcards.
        ({"Action": "s3express:*", "NotResource": "arn:aws:s3express"}, "ok"),
        # The zone of a creation has a key.
        (
            {
                "Action": "s3express:CreateBucket",
                "Condition": {"StringNotEquals": {"s3express:LocationName": "use1-az4"}},
            },
            "problem",
        ),
        (
            {
                "Action": "s3express:CreateBucket",
                "Condition": {"StringNotEquals": {"s3express:LocationName": "usw2-lax1-az1"}},
            },
            "ok",
        ),
    ],
)
def test_what_denies_more_than_buckets_is_found_unless_it_closes_the_account_or_the_region(
    statement: dict[str, Any], status: str
) -> None:
    settings = staged(**ZONE)
    organization = Organization(settings)
    resource = {} if "NotResource" in statement else {"Resource": "*"}
    organization.policies["p-Other"] = json.dumps({"Statement": {"Effect": "Deny", **resource, **statement}})
    organization.attached["r-ab12"] = ["p-Other"]
    assert look(organization, settings)[f"target {FIRST}"][0] == status


def test_a_policy_is_judged_for_the_accounts_that_it_reaches() -> None:
    """An account's buckets are denied by the policy of the unit beside it, which does not reach it."""
    settings = staged(**ZONE)
    organization = Organization(settings)
    organization.parents |= {"ou-ab12-nested67": FIRST, ANOTHER: "ou-ab12-nested67", ACCOUNT: FIRST}
    organization.attached |= {"ou-ab12-nested67": ["p-Other"], ANOTHER: [], ACCOUNT: []}
    for account, status in ((ACCOUNT, "ok"), (ANOTHER, "problem")):
        denied = {"Effect": "Deny", "Action": "s3express:*", "Resource": f"{EXPRESS}:*:{account}:*"}
        organization.policies["p-Other"] = json.dumps({"Statement": [denied]})
        assert look(organization, settings)[f"target {FIRST}"][0] == status


DEN = "bucket/*--usw2-den1-az1--x-s3"


def also_launch(buckets: str) -> dict[str, Any]:
    """A list of what is allowed: buckets, and what EC2 has."""
    return {"Effect": "Allow", "Action": ["ec2:*", "s3express:*"], "Resource": ["arn:aws:ec2:*", buckets]}


@pytest.mark.parametrize(
    ("statement", "status"),
    [
        ({"NotResource": ["arn:aws:s3:::*", f"{EXPRESS}:*:*:{DEN}"]}, "problem"),
        ({"NotResource": f"{EXPRESS}:*:${{AWS:principalaccount}}:{DEN}"}, "problem"),
        ({"NotResource": f"{EXPRESS}:eu-west-1:*:bucket/*--euw1-az1--x-s3"}, "problem"),
        ({"NotResource": f"{EXPRESS}:*:*:bucket/acme-*--usw2-den1-az1--x-s3"}, "problem"),
        ({"Resource": "*", "Condition": {"StringNotEquals": {"s3express:LocationName": "usw2-den1-az1"}}}, "problem"),
        (also_launch(f"{EXPRESS}:*:*:{DEN}"), "problem"),
        (also_launch(f"{EXPRESS}:*:*:bucket/acme-*"), "ok"),
        # These name no zone.
        ({"NotResource": f"{EXPRESS}:*"}, "ok"),
        ({"NotResource": f"{EXPRESS}:us-west-2:*:*"}, "ok"),
        ({"NotResource": f"{EXPRESS}:*:*:bucket/acme-*"}, "ok"),
        # A deny of one zone leaves the others to whoever allows them.
        ({"Resource": f"{EXPRESS}:*:*:{DEN}"}, "ok"),
    ],
)
def test_where_ours_leave_no_bucket_others_may_not_name_zones(statement: dict[str, Any], status: str) -> None:
    """Ours would deny their buckets."""
    settings = staged(modern_actions=True)
    organization = Organization(settings)
    others = {"Effect": "Deny", "Action": "s3express:CreateBucket", **statement}
    organization.policies["p-Other"] = json.dumps({"Statement": [others]})
    organization.attached["r-ab12"] = ["p-Other"]
    assert look(organization, settings)[f"target {FIRST}"][0] == status


NESTED = "*/ou-ab12-nested67/*"


def test_a_zone_is_looked_at_in_its_own_region() -> None:
    """Elsewhere no account may do anything; where the zone is, theirs leave its buckets and ours deny them."""
    settings = staged(modern_actions=True)
    organization = Organization(settings)
    one_region = {"StringNotEquals": {"aws:RequestedRegion": "us-east-1"}}
    closed = {"Effect": "Deny", "NotAction": "iam:*", "Resource": "*", "Condition": one_region}
    left = {"Effect": "Deny", "Action": "s3express:*", "NotResource": f"{EXPRESS}:*:*:*/*--use1-bos1-az1--x*"}
    organization.policies |= {"p-Closed": json.dumps({"Statement": closed}), "p-Other": json.dumps({"Statement": left})}
    organization.attached["r-ab12"] = ["p-Closed", "p-Other"]
    status, says = look(organization, settings)[f"target {FIRST}"]
    assert status == "problem" and "a statement of p-Other" in says and "p-Closed" not in says


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        # Ours exempt the roles of one account.
        (
            {"exempt_principal_arns": (f"arn:*:iam::{ACCOUNT}:role/*",)},
            {"NotResource": f"{EXPRESS}:*:*:*/*--usw2-den1-az1--x*"},
        ),
        # Theirs name an account, or a part of its id, or a place.
        (ZONE, {"Resource": f"{EXPRESS}:*:{ANOTHER}:*"}),
        (ZONE, {"Resource": f"{EXPRESS}:*:1111*:*"}),
        (ZONE, {"Resource": "*", "Condition": {"StringLike": {"aws:PrincipalAccount": "1111*"}}}),
        (ZONE, {"Resource": "*", "Condition": {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::1111*:role/*"}}}),
        (ZONE, {"Resource": "*", "Condition": {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": NESTED}}}),
    ],
)
@pytest.mark.parametrize("turned", [False, True])
def test_accounts_that_are_told_apart_are_judged_one_by_one(
    ours: dict[str, Any], theirs: dict[str, Any], turned: bool
) -> None:
    settings = staged(modern_actions=True, **{key: value for key, value in ours.items() if key != "modern_actions"})
    organization = Organization(settings)
    accounts = {ACCOUNT: FIRST, ANOTHER: "ou-ab12-nested67", "ou-ab12-nested67": FIRST}
    organization.parents |= dict(reversed(accounts.items()) if turned else accounts.items())
    organization.attached |= {place: [] for place in accounts}
    organization.policies["p-Other"] = json.dumps({"Statement": {"Effect": "Deny", "Action": "s3express:*", **theirs}})
    organization.attached["r-ab12"] = ["p-Other"]
    assert look(organization, settings)[f"target {FIRST}"][0] == "problem"


@pytest.mark.parametrize(
    ("theirs", "fix"), [("Ours", "Set zone_ids of all zones in one stack"), ("", "Let both leave")]
)
def test_what_to_do_depends_on_whose_policy_it_is(theirs: str, fix: str) -> None:
    settings = staged(**ZONE)
    organization = Organization(settings)
    others = {"Effect": "Deny", "Action": "s3express:*", "Resource": "*"}
    document = (
        OutpostsGuardrailsSettings(modern_actions=True).policies[0].text("aws")
        if theirs
        else json.dumps({"Statement": others})
    )
    organization.policies["p-Other"] = document
    organization.attached["r-ab12"] = ["p-Other"]
    (found,) = (each for each in findings(CommonSettings(), settings, organization) if each.what == f"target {FIRST}")
    assert (
        found.status == "problem"
        and fix in found.fix
        and "an ordinary role directory buckets that these policies leave" in found.says
    )


def test_extra_actions_with_wildcards_leave_the_zones_too() -> None:
    settings = staged(**ZONE, extra_actions={"DenyDirectTransferToRegion": ("s3express:*",)})
    found = {part["Sid"]: part for policy in settings.policies for part in json.loads(policy.text("aws"))["Statement"]}
    assert found["DenyDirectTransferToRegionBuckets"]["Action"] == [
        "s3express:CreateBucket", "s3express:CreateSession", "s3express:*"
    ]  # fmt: skip
    assert "s3express:*" not in found["DenyDirectTransferToRegion"]["Action"]


def from_files(*, stack_exists: bool = False, **earlier: Any) -> Organization:
    """An organization without the stack, where policies were made from its files, of earlier settings."""
    organization = Organization(staged(**earlier))
    organization.stack_exists, organization.of_the_stack = stack_exists, []
    organization.attached[FIRST] += list(organization.policies)
    return organization


@pytest.mark.parametrize("stack_exists", [False, True])
def test_policies_from_files_of_earlier_settings_are_ours_and_the_next_files_take_their_place(
    stack_exists: bool,
) -> None:
    """Also beside a stack whose first change set was never executed, which is there and has nothing."""
    settings = staged(subnets=(SUBNET,), scp_max_per_target=4, **ZONE)
    organization = from_files(stack_exists=stack_exists, subnets=(SUBNET[:-1] + "1",), **OTHER_ZONE)
    found = look(organization, settings)
    assert found[f"target {FIRST}"] == ("ok", "1 policies of others, 3 of these")
    status, says = found["names"]
    assert status == "problem" and says.startswith(
        "no stack local-zone-guardrails is deployed here, and policies of its"
    )


def test_a_policy_from_files_of_an_earlier_name_is_said_to_be_one() -> None:
    settings = staged(subnets=(SUBNET,))
    organization = from_files(subnets=(SUBNET,))
    organization.policies["p-Old"] = staged(subnets_by_target={FIRST: (SUBNET,)}).policies[-1].text("aws")
    organization.names["p-Old"] = "local-zone-guardrails-subnets-ou-ab12-first567"
    organization.attached[FIRST].append("p-Old")
    (found,) = (each for each in findings(CommonSettings(), settings, organization) if each.what == f"target {FIRST}")
    old = "local-zone-guardrails-subnets-ou-ab12-first567"
    assert found.status == "problem" and found.says.startswith(f"DenyNotLocalZonesSubnet of {old} reaches it")
    assert f"by its name {old} is of earlier files or settings of local-zone-guardrails" in found.says
    assert found.fix.startswith("Detach and delete it, and take its entry out")


def test_the_tree_of_the_organization_is_walked_once() -> None:
    settings = staged(subnets=(SUBNET,), targets=(FIRST, "r-ab12"), confirm_lockout_risk=True, **ZONE)
    organization = Organization(settings)
    organization.parents |= {"222233334444": "ou-ab12-nested67", "ou-ab12-nested67": FIRST}
    organization.attached |= {"222233334444": [], "ou-ab12-nested67": [], MANAGEMENT: []}
    found = look(organization, settings)
    assert found[f"target {FIRST}"][0] == found["target r-ab12"][0] == "ok"
    units = ("r-ab12", FIRST, SECOND, "ou-ab12-nested67")
    kinds = ("ORGANIZATIONAL_UNIT", "ACCOUNT")
    assert sorted(organization.walked) == sorted(f"{kind} of {unit}" for kind in kinds for unit in units)


@pytest.mark.parametrize("prefix", ["AWSAccelerator", "Acme"])
def test_where_the_accelerator_has_policies_check_warns(prefix: str) -> None:
    """awslabs/landing-zone-accelerator-on-aws#889: the policies of its sample are named AcceleratorGuardrails1, ...

    Its function detaches what others attach to its units. It tags its policies by its prefix, which is a choice.
    """
    settings = staged()
    organization = Organization(settings)
    organization.attached[FIRST].append("p-AcceleratorGuardrails1")
    organization.tags["p-AcceleratorGuardrails1"] = [{"Key": f"{prefix}Managed", "Value": "Yes"}]
    status, says = look(organization, settings)[f"target {FIRST}"]
    assert status == "unknown" and "Landing Zone Accelerator" in says
    assert look(organization, settings)[f"target {SECOND}"][0] == "ok"


def test_a_policy_that_the_stack_has_left_behind_is_none_of_ours_any_more() -> None:
    """It stays in force under its name: it is counted, its subnets intersect with ours, and its name is taken."""
    settings = staged(subnets=(SUBNET,), scp_max_per_target=4)
    organization = Organization(settings)
    organization.of_the_stack.remove("p-Subnets")
    organization.attached[FIRST].append("p-Subnets")
    found = look(organization, settings)
    assert found["names"][0] == "problem" and "local-zone-guardrails-subnets" in found["names"][1]
    assert found[f"target {FIRST}"][0] == "problem" and "2 policies of others" in found[f"target {FIRST}"][1]
    roomy = look(organization, staged(subnets=(SUBNET,)))[f"target {FIRST}"]
    assert roomy[0] == "problem" and "DenyNotLocalZonesSubnet of local-zone-guardrails-subnets" in roomy[1]


def test_before_the_first_deployment_no_policy_is_ours() -> None:
    settings = staged()
    organization = Organization(settings)
    organization.policies, organization.stack_exists = {}, False
    found = look(organization, settings)
    assert found["names"][0] == found[f"target {FIRST}"][0] == "ok"


def test_a_policy_of_one_statement_without_a_list_is_read() -> None:
    settings = staged(subnets=(SUBNET,))
    organization = Organization(settings)
    (statement,) = json.loads(organization.policies["p-Subnets"])["Statement"]
    organization.policies["p-Other"] = json.dumps({"Version": "2012-10-17", "Statement": statement})
    organization.attached["r-ab12"] = ["p-Other"]
    status, says = look(organization, settings)[f"target {FIRST}"]
    assert status == "problem" and "DenyNotLocalZonesSubnet of p-Other" in says
