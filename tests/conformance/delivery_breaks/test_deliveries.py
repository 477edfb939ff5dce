"""What services do to each other in every template of every variant is allowed, in every partition."""

import json
import re
from functools import partial
from typing import NamedTuple

import pytest

from stacks.series import SOLUTIONS
from tests.conformance.deliveries.judge import Judge, Need
from tests.conformance.deliveries.kinds import KINDS
from tests.conformance.deliveries.rule import counts, deliveries, look
from tests.conformance.delivery_breaks.breaks import BREAKS, Break, broken, denied
from tests.conformance.delivery_breaks.caught import CAUGHT, NOTHING_TO_BREAK
from tests.conformance.delivery_breaks.coming import COMING, WITHOUT_A_PERMISSION, Coming
from tests.conformance.delivery_breaks.looks import delivery_findings, few, looks, templates
from tests.conformance.delivery_breaks.small import arn, ref, resource, role, small, statement
from tests.conformance.policies.evaluation import Call, allows
from tests.conformance.policies.references import places_of
from tests.variants import ROOT

ACCOUNT = "123456789012"


class Known(NamedTuple):
    """A finding that stays, by solution, rule and verdict."""

    slug: str
    rule: str
    verdict: str


# Findings that are there, each with the reason for which it stays. A mended one must leave the list.
KNOWN: dict[Known, str] = {}


def test_every_delivery_is_allowed_but_for_what_is_known() -> None:
    found = {Known(one.where.split("/")[-1], one.rule, one.verdict) for one in delivery_findings()}
    unknown = [str(one) for one in delivery_findings() if _known(one.where, one.rule, one.verdict) not in KNOWN]
    assert not unknown, "\n".join(dict.fromkeys(unknown))
    assert found == set(KNOWN), "a known finding is no longer there: take it off the list"


def _known(where: str, rule: str, verdict: str) -> Known:
    return Known(where.split("/")[-1], rule, verdict)


def test_templates_without_a_region_are_looked_at_in_all_partitions() -> None:
    assert {one.partition for one in looks()} == {"aws", "aws-cn", "aws-us-gov"}
    for template in templates():
        places = [one.partition for one in looks() if one.template is template]
        assert len(places) == (1 if template.common.region else 3)


def test_no_rule_has_gone_blind() -> None:
    found = counts(looks())
    assert set(found) <= set(KINDS)
    fewer = {kind: (found[kind], its.floor) for kind, its in KINDS.items() if found[kind] < its.floor}
    assert not fewer, "the rule no longer sees them, or the solutions have fewer: look, and only then lower the floor"


@pytest.mark.parametrize("kind", [kind for kind, its in KINDS.items() if not its.floor])
def test_a_kind_that_no_solution_has_is_in_a_small_template(kind: str) -> None:
    assert kind in {one.kind for one in COMING} | WITHOUT_A_PERMISSION


@pytest.mark.parametrize("case", BREAKS, ids=lambda case: case.name)
def test_a_broken_template_is_caught(case: Break) -> None:
    assert denied(few(), case.change) == CAUGHT[case.name]


def test_every_kind_with_a_permission_of_its_own_is_seen_to_be_caught() -> None:
    caught = frozenset().union(*CAUGHT.values()) | {one.kind for one in COMING}
    rest = set(KINDS) - caught - set(NOTHING_TO_BREAK) - WITHOUT_A_PERMISSION
    assert rest == {"role: does anything that it trusts use it?"}  # the test below
    assert not caught & set(NOTHING_TO_BREAK)


def test_a_role_that_nothing_uses_is_told() -> None:
    (template,) = [one for one in templates() if str(one) == "default/image_pipelines"]
    kinds = ("AWS::ImageBuilder::LifecyclePolicy",)

    def change(resources: dict[str, dict[str, object]]) -> None:
        for name in [name for name, one in resources.items() if one["Type"] in kinds]:
            del resources[name]

    told = [one for one in next(look(broken(template, change))).findings() if one.rule.startswith("role: ")]
    assert [one.resource.startswith("LifecycleRole") for one in told] == [True]


@pytest.mark.parametrize("case", COMING, ids=lambda case: case.kind)
def test_a_kind_to_come_is_allowed_and_denied(case: Coming) -> None:
    template = small(case.resources, account=case.account)
    denied_one = broken(template, case.denies)
    for place in places_of(template):
        verdicts = [one.outcome.verdict for one in deliveries(Judge(template, place)) if one.kind == case.kind]
        assert verdicts and set(verdicts) <= {"ok", "unsure" if case.kind.endswith("topic by role") else "ok"}, verdicts
        after = [one.outcome.verdict for one in deliveries(Judge(denied_one, place)) if one.kind == case.kind]
        assert "fails" in after


@pytest.mark.parametrize(
    ("tag", "on", "verdict"),
    [
        ("stack", ref("Data"), "fails"),
        ("stack", "*", "ok"),
        ({"Fn::Select": [2, {"Fn::Split": ["/", ref("AWS::StackId")]}]}, ref("Data"), "ok"),
    ],
)
def test_a_snapshot_policy_may_take_snapshots_of_all_that_it_targets(tag: object, on: object, verdict: str) -> None:
    """What a stack of the same name has kept before carries the tag too."""

    def ec2(kind: str, account: object, name: object) -> object:
        parts = ["arn:", ref("AWS::Partition"), ":ec2:", ref("AWS::Region"), ":", account, f":{kind}/", name]
        return {"Fn::Join": ["", parts]}

    looking = statement(["ec2:DescribeInstances", "ec2:DescribeSnapshots", "ec2:DescribeVolumes"], "*")
    keeping = ["ec2:CreateSnapshot", "ec2:CreateTags", "ec2:DeleteSnapshot"]
    taking = statement("ec2:CreateSnapshot", ec2("volume", ref("AWS::AccountId"), on))
    own = role("dlm", looking, statement(keeping, ec2("snapshot", "", "*")), taking)
    details = {"ResourceTypes": ["VOLUME"], "TargetTags": [{"Key": "volume", "Value": tag}]}
    lifecycle = resource("AWS::DLM::LifecyclePolicy", ExecutionRoleArn=arn("Own"), PolicyDetails=details)
    template = small({"Policy": lifecycle, "Own": own, "Data": resource("AWS::EC2::Volume")})
    for place in places_of(template):
        (told,) = [one for one in deliveries(Judge(template, place)) if one.kind == "DLM → snapshots"]
        assert told.outcome.verdict == verdict, told.outcome.reason


def test_a_topic_of_another_account_is_refused_where_a_rule_delivers_to_it() -> None:
    """Alarms reach such a topic by its policy; EventBridge by a role only, which no stack makes."""
    refused: set[str] = set()
    accepted: set[str] = set()
    for template in templates():
        topic, account = template.common.alarm_topic_arn, template.common.account
        if not topic or not account:
            continue
        theirs = topic.replace(account, "999999999999")
        moved = broken(template, partial(_replaced, old=topic, new=theirs))
        found = deliveries(Judge(moved, places_of(template)[0]))
        if any(one.kind == "rule → target elsewhere" and one.outcome.verdict == "fails" for one in found):
            common = template.common.model_copy(update={"alarm_topic_arn": theirs})
            stopped = any(not one.warning for one in template.settings.problems_with(common))
            (refused if stopped else accepted).add(template.slug)
    assert refused == {"instance_connect_endpoint", "nitro_attestation"}
    assert accepted == {"local_zone_wordpress"}, "whose stack leaves the rule out then: its test_stack.py"


def _replaced(resources: dict[str, dict[str, object]], old: str, new: str) -> None:
    for name, one in resources.items():
        resources[name] = json.loads(json.dumps(one).replace(old, new))


def test_a_target_of_another_region_is_found() -> None:
    topic = "arn:aws:sns:us-east-1:111122223333:alarms"
    rule = resource("AWS::Events::Rule", Targets=[{"Id": "one", "Arn": topic}])
    for region, verdicts in (("eu-central-1", ["fails"]), ("us-east-1", [])):
        template = small({"Rule": rule}, region)
        (place,) = places_of(template)
        told = [one for one in deliveries(Judge(template, place)) if one.kind == "rule → target elsewhere"]
        assert [one.outcome.verdict for one in told] == verdicts


def test_a_finding_says_where_what_and_what_to_do() -> None:
    (template,) = [one for one in templates() if str(one) == "default/sqs_target_scaling"]
    change = next(one for one in BREAKS if one.name == "permissions of functions removed").change
    one = next(next(look(broken(template, change))).findings())
    assert one.where == "default/sqs_target_scaling" and one.page.startswith("https://")
    for part in (one.resource, one.rule, one.reason, one.page, one.fix):
        assert part in str(one)


# What a key or a topic of the user's must allow: its page is judged as the policy that it is.

SECTION = (ROOT / "docs" / "guide" / "key_and_topic.md").read_text(encoding="utf-8")
SECTION = SECTION.partition("\n## ")[0]


def policy(of: str) -> list[dict[str, object]]:
    found = re.search(rf"```json {of} policy\n(.*?)```", SECTION, re.DOTALL)
    assert found, f"the page has no {of} policy"
    text = found[1].replace("ACCOUNT", ACCOUNT)
    statements: list[dict[str, object]] = json.loads(text)
    return statements


def row(slug: str) -> tuple[set[str], set[str]]:
    """The statements that the page asks for, of a key and of a topic."""
    found = re.search(rf"^\| `{slug}` \| (.*) \| (.*) ?\|$", SECTION, re.MULTILINE)
    of_key, of_topic = (set(re.findall(r"`([A-Z]\w+)`", cell)) for cell in found.groups()) if found else (set(), set())
    return of_key, of_topic


def satisfied(need: Need, region: str, sids: set[str]) -> bool:
    """Whether these statements of the page allow what is needed; EventBridge says nothing about itself."""
    statements = [one for one in policy(need.of) if one["Sid"] in sids]
    text = json.dumps(statements).replace("REGION", region).replace("TOPIC_ARN", "*")
    principal = need.principal
    if principal.startswith("role/"):
        principal = f"arn:aws:iam::{ACCOUNT}:{principal}"
    source = {"cloudwatch": "cloudwatch:{r}:{a}:alarm:one", "cloudtrail": "cloudtrail:{r}:{a}:trail/one"}
    rest = source.get(principal.split(".")[0])
    sent: dict[str, tuple[str, ...]] = {"kms:encryptioncontext:aws:logs:arn": (f"arn:aws:logs:{region}:{ACCOUNT}:one",)}
    sent["kms:grantisforawsresource"] = ("true",)
    if rest:
        sent["aws:sourcearn"] = ("arn:aws:" + rest.replace("{r}", region).replace("{a}", ACCOUNT),)
        sent["aws:sourceaccount"] = (ACCOUNT,)
    absent = frozenset(("aws:sourcearn", "aws:sourceaccount")) - set(sent)
    calls = (Call(principal, one.replace("*", ""), "arn:aws:x:y:z:t", sent, absent) for one in need.actions)
    return all(allows((), json.loads(text), call, ACCOUNT) is True for call in calls)


@pytest.mark.parametrize("slug", [solution.slug for solution in SOLUTIONS])
def test_the_readme_says_what_a_key_and_a_topic_of_yours_must_allow_and_no_more(slug: str) -> None:
    needs = {
        (need, one.template.common.region or "us-east-1")
        for one in looks()
        if one.template.slug == slug and one.partition == "aws"
        for need in one.needs()
    }
    of_key, of_topic = row(slug)
    if "AutoScaling" in of_key:
        of_key.add("AutoScalingGrants")
    for need, region in needs:
        assert satisfied(need, region, of_key if need.of == "key" else of_topic), need
    for of, sids in (("key", of_key), ("topic", of_topic)):
        for sid in sids:  # without it something would be denied
            rest = [need for need, region in needs if need.of == of and not satisfied(need, region, sids - {sid})]
            assert rest, f"nothing needs {sid}"
