"""The script of custom_health_checks, run by bash: the AWS CLI, curl and the clock are stand-ins that a test fills."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.variants import ROOT

SCRIPT = ROOT / "stacks/custom_health_checks/user_data/check.sh"
# Time passes only by sleeping. Each answer of the AWS CLI is a line of a file; the last line stays.
PROGRAMS = {
    "date": 'cat "$STATE/clock"',
    "sleep": 'echo $(($(cat "$STATE/clock") + $1)) >"$STATE/clock"',
    "curl": """case "$*" in
  *-X\\ PUT*) [ -e "$STATE/no-metadata" ] && exit 7; echo token ;;
  *meta-data/instance-id) echo i-0123456789abcdef0 ;;
  *meta-data/placement/region) echo eu-central-1 ;;
  *) cat "$STATE/http" ;;
esac""",
    "aws": """printf '%s\\n' "$*" >>"$STATE/calls"
echo "$HOME" >"$STATE/home"
file="$STATE/$2"
[ -e "$file" ] || exit 254
answer=$(head -n 1 "$file")
[ "$(wc -l <"$file")" -gt 1 ] && { tail -n +2 "$file" >"$file.rest"; mv "$file.rest" "$file"; }
echo "$answer" """,
}


class Machine:
    """An instance whose group, tags and clock are files."""

    def __init__(self, folder: Path) -> None:
        self.state = folder / "state"
        self.state.mkdir()
        self.programs = folder / "bin"
        self.programs.mkdir()
        for name, body in PROGRAMS.items():
            (self.programs / name).write_text(f"#!/bin/bash\n{body}\n")
            (self.programs / name).chmod(0o755)
        self.says("clock", "1000")
        self.says("http", "000")
        self.says("complete-lifecycle-action", "")
        self.says("record-lifecycle-action-heartbeat", "")

    def says(self, what: str, *lines: str) -> None:
        (self.state / what).write_text("".join(f"{line}\n" for line in lines))

    def states(self, *states: str) -> None:
        self.says("describe-auto-scaling-instances", *[f"workers\t{state}" for state in states])

    def run(self, *checks: str, heartbeat: int = 300, longest: int = 300, poll: int = 15) -> list[dict[str, Any]]:
        """Returns what it has logged; its exit status is in `status`."""
        (self.state / "checks").write_text("".join(f"{check}\n" for check in checks))
        environment = {
            "PATH": f"{self.programs}{os.pathsep}{os.environ['PATH']}",
            "STATE": str(self.state),
            "STATE_DIRECTORY": str(self.state / "memory"),
            "HOOK_NAME": "checked",
            "HEARTBEAT_SECONDS": str(heartbeat),
            "LONGEST_WAIT_SECONDS": str(longest),
            "POLL_SECONDS": str(poll),
            "CHECKS_FILE": str(self.state / "checks"),
        }
        done = subprocess.run(
            ["bash", str(SCRIPT)],  # noqa: S607 - the machine's bash, wherever it is
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
            check=False,
        )
        self.status = done.returncode
        return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]

    def calls(self, operation: str) -> list[str]:
        """The calls of an operation of the AWS CLI, with their arguments."""
        lines = (self.state / "calls").read_text().splitlines()
        return [line for line in lines if line.split()[1] == operation]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


TAG = "tag|Compliance-Check|Successful|Failed"


def kinds(events: list[dict[str, Any]]) -> list[str]:
    return [event["event"] for event in events]


def test_a_right_tag_completes_the_hook_and_the_script_ends(machine: Machine) -> None:
    machine.states("Pending", "Pending:Wait", "Pending:Wait", "InService")
    machine.says("describe-tags", "UnSuccessful", "Successful")
    assert kinds(machine.run(TAG)) == ["started", "looked", "looked", "continued", "ended"]
    (completed,) = machine.calls("complete-lifecycle-action")
    assert "--auto-scaling-group-name workers --lifecycle-hook-name checked" in completed
    assert completed.endswith("--instance-id i-0123456789abcdef0 --lifecycle-action-result CONTINUE")
    assert machine.status == 0


def test_a_failure_value_abandons_at_once(machine: Machine) -> None:
    machine.states("Pending:Wait", "Terminating")
    machine.says("describe-tags", "Failed")
    assert kinds(machine.run(TAG)) == ["started", "looked", "abandoned", "ended"]
    assert machine.calls("complete-lifecycle-action")[0].endswith("ABANDON")


def test_an_instance_in_service_is_left_alone(machine: Machine) -> None:
    machine.states("InService")
    assert kinds(machine.run(TAG)) == ["started", "ended"]
    assert not machine.calls("describe-tags")


@pytest.mark.parametrize("state", ["Warmed:Stopped", "Terminating:Wait", "Standby", "Quarantined"])
def test_nothing_waits_in_any_other_state(machine: Machine, state: str) -> None:
    machine.states(state)
    assert kinds(machine.run(TAG)) == ["started", "ended"]


def test_both_waits_of_a_warm_pool_are_waits_of_their_own(machine: Machine) -> None:
    machine.states("Warmed:Pending:Wait", "Warmed:Pending:Proceed", "Pending:Wait", "InService")
    machine.says("describe-tags", "Successful")
    events = machine.run(TAG)
    assert [event["state"] for event in events if event["event"] == "continued"] == [
        "Warmed:Pending:Wait",
        "Pending:Wait",
    ]
    assert [event["waited"] for event in events if event["event"] == "looked"] == ["0", "0"]


def test_heartbeats_come_twice_in_a_time_out_and_stop_so_that_the_longest_wait_is_kept(machine: Machine) -> None:
    machine.states(*["Pending:Wait"] * 40, "Terminating")
    machine.says("describe-tags", "UnSuccessful")
    events = machine.run(TAG, heartbeat=60, longest=300, poll=10)
    beats = [int(event["waited"]) for event in events if event["event"] == "heartbeat"]
    assert beats == [30, 60, 90, 120, 150, 180, 210, 240]  # the last one's time ends at 300
    assert len(machine.calls("record-lifecycle-action-heartbeat")) == len(beats)


def test_without_a_longer_wait_no_heartbeat_is_sent(machine: Machine) -> None:
    machine.states(*["Pending:Wait"] * 30, "Terminating")
    machine.says("describe-tags", "UnSuccessful")
    assert "heartbeat" not in kinds(machine.run(TAG))


def test_a_reboot_does_not_begin_the_wait_anew(machine: Machine) -> None:
    (machine.state / "memory").mkdir()
    machine.says("memory/waiting", "Pending:Wait 900")
    machine.states("Pending:Wait", "InService")
    machine.says("describe-tags", "UnSuccessful")
    looked = [event for event in machine.run(TAG) if event["event"] == "looked"]
    assert [event["waited"] for event in looked] == ["100"]
    assert not (machine.state / "memory" / "waiting").exists()


def test_calls_that_fail_are_tried_again_and_nobody_is_let_in_by_them(machine: Machine) -> None:
    machine.says("describe-auto-scaling-instances", "", "workers\tPending:Wait", "workers\tTerminating")
    events = machine.run(TAG)  # describe-tags fails
    assert kinds(events) == ["started", "unknown", "looked", "ended"]
    assert events[2]["verdict"] == "pending"


def test_a_hook_that_waits_no_more_is_logged_and_no_end(machine: Machine) -> None:
    machine.states("Pending:Wait", "InService")
    machine.says("describe-tags", "Successful")
    (machine.state / "complete-lifecycle-action").unlink()
    assert kinds(machine.run(TAG)) == ["started", "looked", "refused", "ended"]


def test_without_metadata_it_fails_and_systemd_starts_it_again(machine: Machine) -> None:
    machine.says("no-metadata", "")
    assert kinds(machine.run(TAG)) == ["failed"]
    assert machine.status == 1


ENTRY = "i-0123456789abcdef0\t"


@pytest.mark.parametrize(
    ("check", "answers", "verdict"),
    [
        ("http|http://127.0.0.1:80/health|200", {"http": "200"}, "passed"),
        ("http|http://127.0.0.1:80/health|200", {"http": "503"}, "pending"),
        ("http|http://127.0.0.1:80/health|200", {"http": "000"}, "pending"),
        ("ssm-document|AcmeCheck", {"list-command-invocations": '"Success"'}, "passed"),
        ("ssm-document|AcmeCheck", {"list-command-invocations": '"TimedOut"'}, "failed"),
        ("ssm-document|AcmeCheck", {"list-command-invocations": '"InProgress"'}, "pending"),
        ("ssm-document|AcmeCheck", {"list-command-invocations": "null"}, "pending"),
        ("table|inventory|instance_id|||", {"get-item": ENTRY + "null"}, "passed"),
        ("table|inventory|instance_id|||", {"get-item": "None\tnull"}, "pending"),
        ("table|inventory|instance_id|state|in use|gone", {"get-item": ENTRY + "in use"}, "passed"),
        ("table|inventory|instance_id|state|in use|gone", {"get-item": ENTRY + "gone"}, "failed"),
        ("table|inventory|instance_id|state|in use|", {"get-item": ENTRY + "null"}, "pending"),
        ("ping|10.0.0.1", {}, "pending"),
    ],
)
def test_every_kind_of_check(machine: Machine, check: str, answers: dict[str, str], verdict: str) -> None:
    machine.states("Pending:Wait", "Terminating")
    for what, line in answers.items():
        machine.says(what, line)
    (looked,) = [event for event in machine.run(check) if event["event"] == "looked"]
    assert looked["verdict"] == verdict


def test_a_document_that_may_not_be_run_is_told(machine: Machine) -> None:
    """`exit 254` of the AWS CLI, as for AccessDenied: the wait goes on, and the journal says why."""
    machine.states("Pending:Wait", "Terminating")
    machine.says("list-command-invocations", "null")
    assert kinds(machine.run("ssm-document|AcmeCheck")) == ["started", "refused", "looked", "ended"]


def test_a_table_is_read_consistently_and_for_this_instance_only(machine: Machine) -> None:
    machine.states("Pending:Wait", "Terminating")
    machine.run("table|inventory|instance_id|||")
    (call,) = machine.calls("get-item")
    assert "--consistent-read" in call and '{"instance_id": {"S": "i-0123456789abcdef0"}}' in call


def test_the_aws_cli_has_a_home_where_it_may_write(machine: Machine) -> None:
    machine.states("Terminating")
    machine.run(TAG)
    assert (machine.state / "home").read_text().strip() == str(machine.state / "memory")


def test_a_document_that_never_ran_is_started(machine: Machine) -> None:
    machine.states("Pending:Wait", "Terminating")
    machine.says("list-command-invocations", "null")
    machine.run("ssm-document|AcmeCheck")
    (asked,) = machine.calls("list-command-invocations")
    assert "--output json" in asked, "text has an answer for each page, and a document that ran often has several"
    (sent,) = machine.calls("send-command")
    assert sent == "ssm send-command --document-name AcmeCheck --instance-ids i-0123456789abcdef0"


@pytest.mark.parametrize(
    ("tag", "http", "verdict"),
    [("Successful", "200", "passed"), ("Successful", "503", "pending"), ("Failed", "200", "failed")],
)
def test_all_checks_must_pass_and_one_failure_is_enough(machine: Machine, tag: str, http: str, verdict: str) -> None:
    machine.states("Pending:Wait", "Terminating")
    machine.says("describe-tags", tag)
    machine.says("http", http)
    assert machine.run("http|http://127.0.0.1:80/|200", TAG)[1]["verdict"] == verdict


def test_an_instance_is_never_marked_unhealthy(machine: Machine) -> None:
    machine.states("Pending:Wait", "Pending:Wait", "Terminating")
    machine.says("describe-tags", "UnSuccessful", "Failed")
    machine.run(TAG)
    assert not machine.calls("set-instance-health")
