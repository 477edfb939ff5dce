"""``python -m stacks``: what somebody types, and the sentence that comes back."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from config.models import CommonSettings
from stacks import arguments
from stacks.__main__ import main
from stacks.series import SOLUTIONS
from stacks.shared import session
from stacks.shared.command import Answer, Command, CommandError
from stacks.shared.deployed import stack_output
from stacks.shared.preflight import Finding
from stacks.shared.session import Region, clients_of, region_of

ROOT = Path(__file__).parents[2]
SLUG = "sqs_target_scaling"


def offer(monkeypatch: pytest.MonkeyPatch, answer: Answer) -> None:
    command = Command("greet", "greets", lambda *_: answer)
    monkeypatch.setattr(f"stacks.{SLUG}.commands.COMMANDS", (command,), raising=False)


def account(monkeypatch: pytest.MonkeyPatch, *findings: Finding | Exception) -> None:
    def found(*_: Any) -> Iterator[Finding]:
        for each in findings:
            if isinstance(each, Exception):
                raise each
            yield each

    monkeypatch.setattr(f"stacks.{SLUG}.commands.findings", found)


# Names


@pytest.mark.parametrize("name", [solution.slug for solution in SOLUTIONS])
def test_a_solution_is_called_with_hyphens_or_underscores(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([name.replace("_", "-"), "cost", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["solution"] == name


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["sqs_target_scalin", "cost"], "did you mean 'sqs_target_scaling'?"),
        (["sqs-target-scalin", "cost"], "did you mean 'sqs_target_scaling'?"),
        (["confg"], "did you mean 'config'?"),
        ([SLUG, "chek"], "did you mean 'check'?"),
        (["check"], "name a solution first"),
        (["dry-run"], "name a solution first"),
        (["cost"], "name a solution first"),
        ([SLUG, "cost", "--price", "x", "--nope"], "--nope"),
    ],
)
def test_what_is_misspelt_is_answered_in_a_sentence_and_in_json(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    printed = capsys.readouterr()
    assert said in printed.err and "Traceback" not in printed.err and not printed.out
    assert main([*arguments, "--json"]) == 2
    assert said in json.loads(capsys.readouterr().out)["error"]


def test_the_list_fits_80_columns_and_is_json_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [each["slug"] for each in listed] == [solution.slug for solution in SOLUTIONS]
    assert all(each["commands"][:2] == ["check", "cost"] for each in listed)
    padding = 4  # a blank on either side of the two columns
    assert max(len(s.slug) for s in SOLUTIONS) + max(len(s.summary) for s in SOLUTIONS) + padding <= 80


def test_the_configuration_is_json_for_programs_wrong_or_right(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["ok"] is True
    assert main(["config", "--json", "--config", "nope.yaml"]) == 1
    assert "nope.yaml does not exist; name another with --config" in json.loads(capsys.readouterr().out)["error"]


def test_there_is_a_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0 and capsys.readouterr().out.strip()[0].isdigit()


def test_run_as_a_file_it_says_how_to_run_it() -> None:
    ended = subprocess.run([sys.executable, "stacks/__main__.py"], cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == 1 and ended.stderr.startswith("run it as 'python -m stacks'")


QUIET = """
import atexit, runpy, sys
atexit.register(lambda: sys.stderr.writelines(name for name in sys.modules if name == "stacks.spot_asg.commands"))
runpy.run_module("stacks", run_name="__main__", alter_sys=True)
"""


def test_a_reader_that_has_enough_ends_it_quietly_and_only_the_commands_of_the_subject_are_imported() -> None:
    """Importing those of all solutions takes a second."""
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-c", QUIET, SLUG, "cost", "--json"]
    ended = subprocess.run(command, cwd=ROOT, stdout=write, stderr=subprocess.PIPE)
    os.close(write)
    assert ended.returncode == 1 and ended.stderr == b""
    assert arguments.CONFIG.exists()


# Text from outside


@pytest.mark.parametrize("text", ["base() --> gold[]", "[red]y", "a [/b] c", "[bold]"])
def test_brackets_are_text(text: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    offer(monkeypatch, Answer(("name",), [(text,)], {}, [f"note {text}"], lines=[f"line {text}"]))
    assert main([SLUG, "greet"]) == 0
    printed = capsys.readouterr().out
    assert printed.count(text) == 3


def test_a_file_whose_name_has_brackets_is_named_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "[red]y[b].yaml"
    path.write_text((ROOT / "config/config.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    assert main(["config", "--config", str(path)]) == 0
    assert f"{path}: ok" in capsys.readouterr().out


def test_lines_are_neither_wrapped_nor_cut_and_no_rows_are_no_table(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    offer(monkeypatch, Answer(("heading",), [], {}, lines=["x" * 500]))
    assert main([SLUG, "greet"]) == 0
    assert capsys.readouterr().out == "x" * 500 + "\n"


# Check


REFUSED = ClientError({"Error": {"Code": "ExpiredToken", "Message": "The token has expired."}}, "GetCallerIdentity")


@pytest.mark.parametrize(
    ("statuses", "options", "status"),
    [
        (["ok"], [], 0),
        (["ok", "unknown"], [], 2),
        (["ok", "unknown"], ["--strict"], 1),
        (["unknown", "problem"], [], 1),
    ],
)
def test_check_ends_with_0_only_if_everything_was_looked_at_and_is_right(
    statuses: list[Any], options: list[str], status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    account(monkeypatch, *(Finding("thing", each, "seen") for each in statuses))
    assert main([SLUG, "check", *options]) == status


@pytest.mark.parametrize("error", [EndpointConnectionError(endpoint_url="https://sts"), REFUSED])
def test_check_stops_at_the_first_connection_or_credential_error(
    error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    account(monkeypatch, Finding("first", "ok", "seen"), error, Finding("never", "ok", "seen"))
    assert main([SLUG, "check"]) == 1
    printed = capsys.readouterr()
    assert "first" in printed.out and "never" not in printed.out and printed.err.count("\n") == 1
    account(monkeypatch, error)
    assert main([SLUG, "check", "--json"]) == 1
    assert set(json.loads(capsys.readouterr().out)) == {"error"}


def test_check_names_the_region_first(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    account(monkeypatch, Finding("thing", "ok", "seen"))
    assert main([SLUG, "check", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["says"] == "eu-central-1 (AWS_REGION)"


# Region


@pytest.fixture
def profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "config"
    path.write_text("[default]\nregion = eu-west-1\n", encoding="utf-8")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(path))
    for variable in session.VARIABLES:
        monkeypatch.delenv(variable, raising=False)


@pytest.mark.usefixtures("profile")
@pytest.mark.parametrize(
    ("common", "variables", "region"),
    [
        (None, {}, Region("eu-west-1", "profile default")),
        (None, {"AWS_DEFAULT_REGION": "us-west-2"}, Region("us-west-2", "AWS_DEFAULT_REGION")),
        (None, {"AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-west-2"}, Region("us-east-1", "AWS_REGION")),
        ("eu-north-1", {"AWS_REGION": "us-east-1"}, Region("eu-north-1", "common.region")),
    ],
)
def test_the_region_is_that_of_the_cdk(
    common: str | None, variables: dict[str, str], region: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    settings = CommonSettings(region=common)
    assert region_of(settings) == region
    assert clients_of(settings)("sts").meta.region_name == region.name
    assert clients_of(settings)("sts", "ap-south-1").meta.region_name == "ap-south-1"


@pytest.mark.usefixtures("profile")
def test_without_a_region_the_three_places_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    with pytest.raises(CommandError, match=r"set common\.region, AWS_REGION, or the Region of your AWS profile"):
        region_of(CommonSettings())


@pytest.mark.parametrize(("name", "value"), [("AWS_ENDPOINT_URL", "foo"), ("AWS_REGION", "eu west")])
def test_an_address_or_region_that_is_none_gets_a_sentence(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(name, value)
    assert main([SLUG, "check"]) == 1
    said = capsys.readouterr().err
    assert value in said and ".;" not in said and "Traceback" not in said


# Deployed stacks


def test_a_stack_that_is_not_deployed_is_said_with_the_command_that_deploys_it() -> None:
    def describe_stacks(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "ValidationError", "Message": "does not exist"}}, "DescribeStacks")

    client = SimpleNamespace(describe_stacks=describe_stacks, meta=SimpleNamespace(region_name="eu-central-1"))
    with pytest.raises(CommandError, match="it is not deployed in eu-central-1; deploy it with 'npx cdk deploy -e it'"):
        stack_output("it", "Output", lambda *_: client)


# Cost


def test_the_cost_of_all_and_a_price_file_of_all_units(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cost", "--all", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [each["solution"] for each in listed] == [solution.slug for solution in SOLUTIONS]
    units = {row["unit"] for each in listed for row in each["idle_month"]}
    assert main(["cost", "--units"]) == 0
    path = tmp_path / "prices.yaml"
    path.write_text(capsys.readouterr().out, encoding="utf-8")
    assert main(["cost", "--all", "--prices", str(path)]) == 0  # a unit without a price is one that is not known yet
    path.write_text("".join(f"{unit}: 1\n" for unit in units), encoding="utf-8")
    assert main(["cost", "--all", "--prices", str(path)]) == 0
    assert "no price" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("alarm_mont: 1", "did you mean 'alarm_month'?"),
        ("alarm_month: .nan", "must be a number of at least 0"),
        ("alarm_month: .inf", "must be a number of at least 0"),
        ("alarm_month: 1\nalarm_month: 2", "is on line 1 and on line 2; keep one"),
        ("a: [", "prices.yaml:1: is not valid YAML"),
        ("\x00", "is not a valid price file"),
    ],
)
def test_a_price_file_with_a_mistake_gets_a_sentence(
    text: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "prices.yaml"
    path.write_text(text, encoding="utf-8")
    assert main([SLUG, "cost", "--prices", str(path)]) == 1
    assert said in capsys.readouterr().err


def test_a_price_file_that_is_none_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    for path, said in (
        (tmp_path, "is a directory"),
        (tmp_path / "no", "does not exist"),
        (tmp_path / "binary", "UTF-8"),
    ):
        assert main([SLUG, "cost", "--prices", str(path)]) == 1
        printed = capsys.readouterr().err
        assert said in printed and "Errno" not in printed


def test_where_nothing_bills_it_is_said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(f"stacks.{SLUG}.commands.idle_month", lambda *_: iter(()))
    assert main([SLUG, "cost"]) == 0
    assert capsys.readouterr().out.startswith("Nothing bills by itself.")


def test_each_solution_says_what_is_billed_in_addition(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["local_zone_guardrails", "cost"]) == 0
    assert "messages" not in capsys.readouterr().out
