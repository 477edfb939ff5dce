"""A verification that ends while the change set of its stack is made: the stack itself has no tags yet."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.answering import Answering
from tryout.report import SolutionReport
from tryout.verify import run
from tryout.verify.account import VerifyError
from tryout.verify.run import Verification

STACK, ID = "verify-any", "arn:aws:cloudformation:us-east-1:123456789012:stack/verify-any/1"
REVIEWED = {"StackId": ID, "StackName": STACK, "StackStatus": "REVIEW_IN_PROGRESS", "Tags": []}
MINE, THEIRS = [{"Key": "verify", "Value": "r1"}], [{"Key": "team", "Value": "a"}]


class Deleting:
    """Stands for the CDK CLI, and remembers what it was told."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, ...]] = []

    def __call__(self, *_: Any) -> "Deleting":
        return self

    def __enter__(self) -> "Deleting":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def require(self, log: Path, *arguments: str) -> None:
        self.calls.append(arguments)


@pytest.fixture
def destroys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[list[dict[str, str]]], list[Any]]:
    """Destroys a stack whose one change set, on the second page, has these tags; returns what the CLI was told."""

    def destroyed(tags: list[dict[str, str]]) -> list[Any]:
        formation = Answering(
            {
                "describe_stacks": {"Stacks": [REVIEWED]},
                "list_change_sets": [{"Summaries": []}, {"Summaries": [{"ChangeSetId": "arn:cs", "StackId": ID}]}],
                "describe_change_set": {"ChangeSetId": "arn:cs", "Tags": tags},
                "describe_stack_events": [{"StackEvents": []}],
                "get_resources": [{"ResourceTagMappingList": []}],
            }
        )
        cdk = Deleting()
        monkeypatch.setattr(run, "Cdk", cdk)
        monkeypatch.setattr(run, "Child", lambda *_: None)
        account = SimpleNamespace(emulated=True, client=lambda _: formation, environment=dict[str, str])
        trial = SimpleNamespace(folder=tmp_path, stack=STACK, assembly=tmp_path)
        plan = SimpleNamespace(trial=trial, run="r1")
        verification = Verification(account, plan, lambda _: None)  # type: ignore[arg-type]
        verification._destroy(SolutionReport("any", "default", STACK))
        return cdk.calls

    return destroyed


def test_a_stack_whose_change_set_carries_the_tag_is_deleted(destroys: Callable[..., list[Any]]) -> None:
    (told,) = destroys(MINE)
    assert told[:2] == ("destroy", STACK)


def test_a_stack_whose_change_set_has_no_tag_of_ours_is_left_alone(destroys: Callable[..., list[Any]]) -> None:
    with pytest.raises(VerifyError, match="is left alone"):
        destroys(THEIRS)
