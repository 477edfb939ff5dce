"""What the post on data residency with Outposts racks promises, read off the templates."""

import json

import pytest
from syrupy.assertion import SnapshotAssertion

from tests import variants
from tests.snapshots import TemplateSnapshot, readable
from tests.solutions.local_zone_guardrails.test_stack import policies, settings, text, warnings

SLUG = "outposts_guardrails"


@pytest.mark.parametrize("variant", variants.variants_of(SLUG))
def test_what_is_deployed_is_what_was_measured(variant: str) -> None:
    wanted = settings(variant, SLUG)
    for planned in wanted.policies:
        deployed = text(policies(variant, SLUG)[planned.id]["Content"], "aws-us-gov")
        assert deployed == planned.text("aws-us-gov")
        assert len(deployed) == planned.characters(None) <= wanted.scp_max_characters
        assert {statement["Effect"] for statement in json.loads(deployed)["Statement"]} == {"Deny"}


def test_nothing_is_attached_unless_targets_are_named() -> None:
    assert not [policy for policy in policies("default", SLUG).values() if "TargetIds" in policy]


def test_each_target_gets_the_policy_with_its_own_subnets() -> None:
    found = policies("rails", SLUG)
    assert found["Transfer"]["TargetIds"] == ["ou-ab12-canary34", "ou-ab12-others34"]
    assert found["SubnetsOuAb12Canary34"]["TargetIds"] == ["ou-ab12-canary34"]
    assert "abcdef0" in text(found["SubnetsOuAb12Canary34"]["Content"], "aws")
    assert found["SubnetsOuAb12Others34"]["TargetIds"] == ["ou-ab12-others34"]
    assert found["SubnetsOuAb12Canary34"]["Name"] == "rails-outposts-guardrails-subnets-ou-ab12-canary34"


def test_long_lists_are_split_over_policies_and_the_subnet_statement_is_not() -> None:
    found = policies("enterprise", SLUG)
    assert {"Transfer", "Transfer2", "Transfer3"} <= set(found)
    sids = [s["Sid"] for p in found.values() for s in json.loads(text(p["Content"], "aws"))["Statement"]]
    assert "DenyDirectTransferToRegion2" in sids
    assert sids.count("DenyNotOutpostSubnet") == 1


def test_synthesis_says_what_the_posts_statements_may_not_see() -> None:
    assert "names no ec2:OutpostArn for ModifySnapshotAttribute" in " ".join(warnings("rails", SLUG))
    assert "delete default VPCs" in " ".join(warnings("enterprise", SLUG))


@pytest.mark.parametrize("variant", ["default", "rails", "enterprise"])
def test_template(variant: str, snapshot: SnapshotAssertion) -> None:
    assert readable(variants.template(variant, SLUG)) == snapshot(extension_class=TemplateSnapshot)
