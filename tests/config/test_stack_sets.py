"""The section ``stack_sets`` beside the catalogue and ``common``."""

from pathlib import Path

import pytest

from config.loader import ConfigError
from stacks.configuration import configuration

HEAD = "stack_sets:\n  organization_id: o-a1b2c3d4e5\n  bucket_prefix: acme-sets\n  solutions:\n"
TARGETS = "{organizational_unit_ids: [r-a1b2], regions: [eu-central-1]}"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config.yaml"


def test_a_solution_for_every_account_is_accepted_without_a_word(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(f"{HEAD}    gpu_monitoring: {TARGETS}\n", encoding="utf-8")
    sets = configuration(file, lambda _: ["gpu_monitoring"]).stack_sets
    assert sets and sets.call_as == "SELF" and sets.solutions["gpu_monitoring"].auto_deployment
    assert not capsys.readouterr().err


def test_a_solution_for_one_account_is_warned_about(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(f"{HEAD}    spot_asg: {TARGETS}\n", encoding="utf-8")
    assert configuration(file, lambda _: ["spot_asg"]).stack_sets
    assert ":5: warning: stack_sets.solutions.spot_asg: should be deployed in one account" in capsys.readouterr().err


def test_a_boundary_that_each_account_must_have_is_warned_about(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(f"common: {{permissions_boundary: team}}\n{HEAD}    gpu_monitoring: {TARGETS}\n", encoding="utf-8")
    assert configuration(file, lambda _: ["gpu_monitoring"]).stack_sets
    (said,) = capsys.readouterr().err.splitlines()
    assert ":5: warning: stack_sets.solutions: common.permissions_boundary bounds their roles" in said
    assert said.endswith("a policy of that name must exist in each account, or the stack fails there")


def test_a_solution_for_one_organization_is_refused(file: Path) -> None:
    file.write_text(f"{HEAD}    outposts_guardrails: {TARGETS}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r":5: stack_sets\.solutions\.outposts_guardrails: must be deployed once"):
        configuration(file, lambda _: ["outposts_guardrails"])


def test_rules_with_common_are_kept_where_only_the_stack_set_is_built(file: Path) -> None:
    wrong = "common: {vpc: {id: vpc-0123456789abcdef0, subnet_ids: [subnet-0123456789abcdef0]}}\n"
    solutions = "solutions: {odcr_asg: {enabled: false}}\n"
    file.write_text(f"{wrong}{HEAD}    odcr_asg: {TARGETS}\n{solutions}", encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        configuration(file, lambda _: ["odcr_asg"])
    assert "stack_sets.solutions: must not stand beside common.vpc" in str(refused.value)
    assert "solutions.odcr_asg" in str(refused.value).replace("stack_sets.solutions", "")
