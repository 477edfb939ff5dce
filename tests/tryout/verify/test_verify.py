"""``make verify`` against the embedded AWS as if it were an account: over HTTP, by a profile.

The program runs in this process, and CloudFormation gets what the CDK would have made: .ci/run has ``make verify`` as a
user calls it, with the CDK and its bootstrap.
"""

import itertools
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from config.loader import load
from emulator.client import EmbeddedAws
from stacks.catalog import named, settings_by_slug
from stacks.shared.preflight import BOOTSTRAP_VERSION
from tests.embedded_aws import Stack
from tests.tryout.verify.profiles import Profiles
from tryout.paths import CONFIG
from tryout.report import SolutionReport
from tryout.verify import run
from tryout.verify.__main__ import _agreed, main
from tryout.verify.account import Account, VerifyError
from tryout.verify.plan import changed, planned
from tryout.verify.run import SIGNALS, Verification

SLUG, STACK = "local_zone_guardrails", "verify-local-zone-guardrails"
QUEUE = {"Q": {"Type": "AWS::SQS::Queue"}}
NO_LOOK = {"Effect": "Deny", "Action": "organizations:DescribePolicy", "Resource": "*"}
ANYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}


@pytest.fixture(scope="module")
def profiles(started_aws: EmbeddedAws, tmp_path_factory: pytest.TempPathFactory) -> Profiles:
    """An account that says it was bootstrapped, with its root user and with one who may not read a policy."""
    started_aws.reset()
    made = Profiles(started_aws, tmp_path_factory.mktemp("user"))
    made.add("root", started_aws.account)
    iam = started_aws.client("iam")
    iam.create_user(UserName="reader")
    document = json.dumps({"Version": "2012-10-17", "Statement": [ANYTHING, NO_LOOK]})
    iam.put_user_policy(UserName="reader", PolicyName="most", PolicyDocument=document)
    key = iam.create_access_key(UserName="reader")["AccessKey"]
    made.add("reader", key["AccessKeyId"], key["SecretAccessKey"])
    made.add("nobody")
    version = {"Name": "/cdk-bootstrap/hnb659fds/version", "Value": str(BOOTSTRAP_VERSION), "Type": "String"}
    started_aws.client("ssm").put_parameter(**version)
    return made


@pytest.fixture
def user(profiles: Profiles, monkeypatch: pytest.MonkeyPatch) -> Iterator[Profiles]:
    """The program runs in this process: it begins sooner."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "CDK_"))]:
        monkeypatch.delenv(name)
    for name, value in profiles.variables.items():
        monkeypatch.setenv(name, value)
    before = {each: signal.getsignal(each) for each in SIGNALS}
    yield profiles
    for each, handler in before.items():
        signal.signal(each, handler)


class Synthesizer:
    """Stands for the CDK's library: writes the policies that the configuration names."""

    def __init__(self, *_: object) -> None: ...

    def ask(self, request: dict[str, str]) -> dict[str, Any]:
        config = load(Path(request["config"]), settings_by_slug())
        settings: Any = config.solutions[request["slug"]]
        resources = {each.id: policy(each.id, each.text("aws")) for each in settings.policies}
        outputs = {f"{name}PolicyId": {"Value": {"Ref": name}} for name in resources}
        made = {"resources": resources, "Outputs": outputs, "tags": config.common.tags}
        Path(request["assembly"]).write_text(json.dumps(made), encoding="utf-8")
        return {}

    def stop(self) -> None: ...


def policy(name: str, text: str) -> dict[str, Any]:
    properties = {"Name": name, "Type": "SERVICE_CONTROL_POLICY", "Content": text}
    return {"Type": "AWS::Organizations::Policy", "Properties": properties}


class Cli:
    """Stands for the CDK's CLI: deploys what the synthesizer wrote, and finds no difference."""

    def __init__(self, aws: EmbeddedAws, interrupted: bool) -> None:
        self.aws, self.interrupted = aws, interrupted

    def __enter__(self) -> "Cli":
        return self

    def __exit__(self, *_: object) -> None: ...

    def __call__(self, log: Path, *words: str) -> int:
        if self.interrupted:
            signal.raise_signal(signal.SIGINT)
        return 0

    def require(self, log: Path, command: str, name: str, *words: str) -> None:
        options = dict(itertools.pairwise(words))
        if command == "destroy":
            Stack(self.aws, name).delete()
            return
        made = Stack(self.aws, name)
        made.create(**json.loads(Path(options["--app"]).read_text(encoding="utf-8")))
        Path(options["--outputs-file"]).write_text(json.dumps({name: made.outputs()}), encoding="utf-8")


def arguments(folder: Path, profile: str = "root", *more: str) -> list[str]:
    return ["--solution", SLUG, "--profile", profile, "--region", "us-east-1", "--local", str(folder), *more]


def verify(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["verify", *words])
    return main()


def reported(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "verify-report.json").read_text(encoding="utf-8"))
    return found


def stacks(aws: EmbeddedAws) -> set[str]:
    return {one["StackName"] for one in aws.client("cloudformation").describe_stacks()["Stacks"]}


@pytest.fixture
def played(
    user: Profiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, dict[str, Any], str]]:
    """Runs the program as a profile, perhaps with Ctrl-C while the difference is looked for: status, report, output."""

    def play(profile: str, *, interrupted: bool = False) -> tuple[int, dict[str, Any], str]:
        monkeypatch.setattr(run, "Child", Synthesizer)
        monkeypatch.setattr(run, "Cdk", lambda *_: Cli(user.aws, interrupted))
        ended = verify(monkeypatch, *arguments(tmp_path, profile, "--yes"))
        return ended, reported(tmp_path), capsys.readouterr().out

    return play


def test_a_refusal_in_the_middle_fails_its_step_and_everything_is_destroyed(
    played: Callable[..., Any], user: Profiles
) -> None:
    ended, report, _ = played("reader")
    (failed,) = report["steps"]
    assert ended == 1 and not report["ok"] and not failed["observed"]["ok"]
    assert "AccessDenied" in failed["observed"]["detail"]
    assert report["deployed"] and report["diff_empty"] and report["destroyed_clean"], report
    assert stacks(user.aws) == set()


def test_what_is_observed_stands_beside_what_is_modelled(played: Callable[..., Any], user: Profiles) -> None:
    ended, report, said = played("root")
    assert ended == 0 and report["ok"], said
    assert report["account"] == user.aws.account and report["stack"] == STACK
    assert len(report["steps"]) == 4 and all(each["observed"]["ok"] for each in report["steps"])
    assert all("modelled" in each for each in report["steps"])
    assert len(report["not_run"]) == 2 and all("beside the stack" in each["why"] for each in report["not_run"])
    for words in (
        user.aws.account,
        "service_control_policy_month",
        "a guess",
        "not run: ",
        "everything is destroyed",
    ):
        assert words in said
    assert stacks(user.aws) == set()


def test_ctrl_c_ends_the_steps_and_the_destruction_follows(played: Callable[..., Any], user: Profiles) -> None:
    ended, report, said = played("root", interrupted=True)
    assert ended == 130 and report["problem"] == "interrupted"
    assert not report["steps"] and [each["why"] for each in report["not_run"]].count("interrupted") == 4
    assert report["deployed"] and report["destroyed_clean"] and "cdk destroy" in said
    assert stacks(user.aws) == set()


def test_a_stack_that_is_there_already_is_left_alone(
    user: Profiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    theirs = Stack(user.aws, STACK)
    theirs.create(QUEUE)
    try:
        assert verify(monkeypatch, *arguments(tmp_path, "root", "--yes")) == 1
        said = capsys.readouterr().err
        assert f"stack {STACK} exists already (CREATE_COMPLETE)" in said
        assert f"aws cloudformation delete-stack --stack-name {STACK} --region us-east-1 --profile root" in said
        assert STACK in stacks(user.aws)
    finally:
        theirs.delete()


def test_a_stack_without_the_tag_of_the_verification_is_never_deleted(user: Profiles, tmp_path: Path) -> None:
    plan = planned(named(SLUG), None, CONFIG, Account("root", "us-east-1"), tmp_path / "state", tmp_path / "last.json")
    verification = Verification(Account("root", "us-east-1"), plan, lambda _: None)
    theirs = Stack(user.aws, STACK)  # it has come between the look and the deployment
    theirs.create(QUEUE)
    try:
        with pytest.raises(VerifyError, match="has not the tag of this verification, and is left alone"):
            verification._destroy(SolutionReport(SLUG, "as-posted", STACK))
        assert STACK in stacks(user.aws)
    finally:
        theirs.delete()


def test_nothing_is_deployed_where_nobody_has_agreed(
    user: Profiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tryout.verify.run.Verification.synthesize", lambda _: None)
    assert verify(monkeypatch, *arguments(tmp_path)) == 1  # pytest is no terminal
    printed = capsys.readouterr()
    assert "give --yes" in printed.err and "nothing was deployed" in printed.err
    assert f"account {user.aws.account} in us-east-1, as root" in printed.out
    assert STACK not in stacks(user.aws)


@pytest.mark.parametrize(("answer", "agreed"), [("no", False), ("y", False), ("yes", True)])
def test_somebody_is_asked_and_says_yes_in_full(answer: str, agreed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr("builtins.input", lambda _: answer)
    plan = SimpleNamespace(trial=SimpleNamespace(stack=STACK))
    account = SimpleNamespace(account="123456789012", region="us-east-1")
    assert _agreed(plan, account) is agreed  # type: ignore[arg-type]


def test_an_end_of_the_input_is_a_no(monkeypatch: pytest.MonkeyPatch) -> None:
    def ended(_: str) -> str:
        raise EOFError

    monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr("builtins.input", ended)
    plan = SimpleNamespace(trial=SimpleNamespace(stack=STACK))
    account = SimpleNamespace(account="123456789012", region="us-east-1")
    assert not _agreed(plan, account)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("profile", "words"),
    [
        ("nobody", "has no credentials; add them, or log in"),
        ("missing", "could not be found"),
        ("elsewhere", "check the profile, the Region and the network"),
    ],
)
def test_who_cannot_reach_the_account_is_told_in_a_sentence(
    profile: str,
    words: str,
    user: Profiles,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = Path(os.environ["AWS_CONFIG_FILE"])
    own = tmp_path / "config"
    closed = "[profile elsewhere]\nendpoint_url = https://127.0.0.1:9\naws_access_key_id = a\n"
    own.write_text(f"{file.read_text(encoding='utf-8')}{closed}aws_secret_access_key = b\n", encoding="utf-8")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(own))
    assert verify(monkeypatch, *arguments(tmp_path, profile, "--yes")) == 1
    said = capsys.readouterr().err
    assert words in said and len(said.splitlines()) == 1


def test_an_account_that_was_not_bootstrapped_is_told_before_anything_happens(
    user: Profiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    own = tmp_path / "config.yaml"
    own.write_text("common: {bootstrap_qualifier: other}\n", encoding="utf-8")
    assert verify(monkeypatch, *arguments(tmp_path, "root", "--yes", "--config", str(own))) == 1
    said = capsys.readouterr().err
    assert "/cdk-bootstrap/other/version does not exist. Run: cdk bootstrap --qualifier other" in said
    assert len(said.splitlines()) == 1


def test_what_is_deployed_has_a_name_and_a_tag_of_its_own_and_calls_nobody(user: Profiles, tmp_path: Path) -> None:
    users: Mapping[str, Any] = {
        "common": {"prefix": "acme", "tags": {"a": "b"}, "keep_data_on_destroy": True, "alarm_topic_arn": "arn:x"},
        "solutions": {SLUG: {"enabled": False, "modern_actions": True}, "spot_asg": {}},
    }
    found = changed(dict(users), SLUG, {"zones": ["x"]}, account=Account("root", "us-east-1"), run="r1")
    assert found["common"] == {
        "prefix": "verify-acme",
        "tags": {"a": "b", "verify": "r1"},
        "keep_data_on_destroy": False,
        "alarm_topic_arn": None,
        "region": "us-east-1",
        "account": user.aws.account,
    }
    assert found["solutions"] == {SLUG: {"enabled": True, "modern_actions": True, "zones": ["x"]}}
