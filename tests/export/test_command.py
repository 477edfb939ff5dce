"""``python -m stacks SOLUTION export``: what it writes beside the template, and what it refuses in one sentence."""

import json
import os
import stat
import subprocess
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from config.models import CommonSettings
from stacks.__main__ import main
from stacks.catalog import named
from stacks.export import ExportError
from stacks.shared.command import Answer, CommandError

SLUG = "gpu_monitoring"
TEMPLATE: dict[str, Any] = {"Resources": {}}


def made(*facts: Any) -> Any:
    """An export of the CDK's, which is loaded when a test of this file runs."""
    from stacks.export.template import Export

    return Export(*facts)


def export(monkeypatch: pytest.MonkeyPatch, out: Path, found: Any, **common: Any) -> Answer:
    from stacks.export import command

    def stand_in(*_: Any) -> Any:
        if isinstance(found, Exception):
            raise found
        return found

    monkeypatch.setattr(command, "exported", stand_in)
    solution = named(SLUG)
    return command.export(solution, CommonSettings(**common), solution.settings(), out)


def script(out: Path) -> list[str]:
    return (out / "deploy.sh").read_text(encoding="utf-8").splitlines()


def test_the_script_uploads_the_assets_and_deploys_by_the_aws_cli_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    found = made(TEMPLATE, ("a.zip",), ("CAPABILITY_IAM",), {"team": "it's ours"})
    answer = export(monkeypatch, tmp_path / "new" / "folder", found, region="eu-central-1")
    upload, deploy = script(tmp_path / "new" / "folder")[-2:]
    assert upload == 'aws s3 cp --region eu-central-1 --recursive assets "s3://$BUCKET/$PREFIX"'
    assert deploy.startswith('aws cloudformation deploy --region eu-central-1 --stack-name "$STACK"')
    assert 'AssetsBucket="$BUCKET" AssetsPrefix="$PREFIX" --capabilities CAPABILITY_IAM' in deploy
    assert deploy.endswith("""--tags 'team=it'"'"'s ours'""")
    assert list(answer.lines) == [upload, deploy] == answer.data["commands"]
    assert "STACK=${STACK:-gpu-monitoring}" in script(tmp_path / "new" / "folder")
    assert json.loads((tmp_path / "new" / "folder" / "template.json").read_text(encoding="utf-8")) == TEMPLATE


def test_without_assets_there_is_nothing_to_upload_and_no_parameter(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    export(monkeypatch, tmp_path, made(TEMPLATE, (), (), {}, "gpu-monitoring"), keep_data_on_destroy=True)
    deploy, protect = script(tmp_path)[-2:]
    assert "--parameter-overrides" not in deploy and "--capabilities" not in deploy and "--tags" not in deploy
    assert protect.endswith('--stack-name "$STACK" --enable-termination-protection')
    assert not any("s3 cp" in line for line in script(tmp_path))
    assert "STACK=gpu-monitoring" in script(tmp_path)  # the only name that it may have


def test_a_folder_with_something_in_it_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("", encoding="utf-8")
    for out in (tmp_path, tmp_path / "mine"):
        with pytest.raises(CommandError, match="must be a new or empty folder; name another"):
            export(monkeypatch, out, made(TEMPLATE, (), (), {}))


def test_what_cannot_be_exported_leaves_no_template(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from stacks.export import command

    def begins(*arguments: Any) -> None:
        (arguments[-1] / "deep").mkdir(parents=True)
        raise ExportError("it has a container image")

    monkeypatch.setattr(command, "exported", begins)
    with pytest.raises(CommandError, match="container image"):
        command.export(named(SLUG), CommonSettings(), named(SLUG).settings(), tmp_path)
    assert not list(tmp_path.iterdir())


def ran(out: Path, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Runs the script with a stand-in for the AWS CLI that prints what it is told."""
    aws = out / "aws"
    aws.write_text('#!/bin/sh\necho "$@"\n', encoding="utf-8")
    aws.chmod(0o755)
    environment = {"PATH": f"{out}{os.pathsep}{os.environ['PATH']}", "BUCKET": "b", **variables}
    return subprocess.run(
        ["/bin/bash", str(out / "deploy.sh")], env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("prefix", "used"),
    [({}, "gpu-monitoring/"), ({"PREFIX": "a/b"}, "a/b/"), ({"PREFIX": "a/"}, "a/"), ({"PREFIX": ""}, "")],
    ids=["default", "without a slash", "with one", "none"],
)
def test_a_prefix_ends_with_a_slash_in_the_upload_and_in_the_parameter(
    prefix: dict[str, str], used: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    export(monkeypatch, tmp_path, made(TEMPLATE, ("a.zip",), (), {}))
    upload, deploy = ran(tmp_path, **prefix).stdout.splitlines()
    assert upload == f"s3 cp --recursive assets s3://b/{used}"
    assert deploy.endswith(f"AssetsBucket=b AssetsPrefix={used}")


def test_another_name_than_the_only_one_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    export(monkeypatch, tmp_path, made(TEMPLATE, (), (), {}, "image-pipelines"))
    refused = ran(tmp_path, STACK="mine")
    assert refused.returncode == 1 and not refused.stdout
    assert refused.stderr == ("deploy.sh: STACK must be image-pipelines, which the template has in it; leave it out\n")
    assert ran(tmp_path, STACK="image-pipelines").returncode == ran(tmp_path).returncode == 0


def test_what_needs_a_bootstrap_at_run_time_is_refused_in_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("solutions: {outposts_dashboard: {refresh: pipeline}}\n", encoding="utf-8")
    words = ["outposts-dashboard", "export", "--config", str(config), "--out", str(tmp_path / "out")]
    assert main(words) == 1
    said = capsys.readouterr().err
    assert said == (
        "outposts_dashboard cannot be exported with these settings: it uses the roles of cdk bootstrap; "
        "set refresh: function\n"
    )


def test_the_same_files_make_the_same_archive_and_programs_stay_executable(tmp_path: Path) -> None:
    from stacks.export.template import _zip

    source = tmp_path / "source"
    (source / "below").mkdir(parents=True)
    program = source / "below" / "run.sh"
    program.write_text("#!/bin/sh\n", encoding="utf-8")
    program.chmod(0o755)
    for name in ("one.zip", "two.zip"):
        _zip(source, tmp_path / name)
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    with ZipFile(tmp_path / "one.zip") as archive:
        (entry,) = archive.infolist()
    assert entry.filename == "below/run.sh" and stat.S_IMODE(entry.external_attr >> 16) == 0o755
