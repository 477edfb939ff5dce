"""What the settings of outposts_dashboard derive, and that the functions read it as it is meant."""

import pytest

from config.models import CommonSettings
from outposts_dashboard.wanted import Wanted
from stacks.outposts_dashboard.settings import OutpostsDashboardSettings
from stacks.outposts_dashboard.tag_policy import tag_policy

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


def test_the_tag_policy_fixes_the_key_and_the_values_if_there_are_any() -> None:
    rule = tag_policy(OutpostsDashboardSettings(tag_values=("a",)))["tags"]["outpostid"]
    assert rule["tag_key"] == {"@@assign": "OutpostID"} and rule["tag_value"] == {"@@assign": ["a"]}
    assert "ec2:instance" in rule["enforced_for"]["@@assign"]
    assert "tag_value" not in tag_policy(OutpostsDashboardSettings())["tags"]["outpostid"]
