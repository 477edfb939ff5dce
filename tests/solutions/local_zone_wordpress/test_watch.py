"""What looks after the instances and their data when nobody deploys: health, fullness, snapshots."""

import json
import re
import shlex
import socket
import subprocess
from functools import partial
from pathlib import Path

import pytest

from tests.prepared import prepared
from tests.solutions.local_zone_wordpress.test_stack import IN_ZONE, SLUG, USER_DATA, of_type, properties, script
from tests.template import Template, every_action, synthesized

template = partial(synthesized, SLUG)


@pytest.fixture(scope="module")
def zone() -> Template:
    """In a Local Zone, self-managed, with a certificate from a secret."""
    return template(IN_ZONE)


@pytest.mark.parametrize("name", ["Database", "Web"])
def test_a_boot_is_looked_after_before_anything_in_it_may_fail(zone: Template, name: str) -> None:
    """A group without a load balancer counts an instance as healthy whose boot has failed."""
    text = script(zone, f"{name}Template")
    assert text.count("systemctl enable --now wordpress-health\n") == 1
    assert text.index("systemctl enable --now wordpress-health\n") < text.index("\nretry ")


def looked(tmp_path: Path, answers: list[bool], *, data: str = "") -> list[str]:
    """What health.sh calls AWS with while the service answers so, each 30 seconds."""
    (tmp_path / "looks").write_text("\n".join("0" if answer else "1" for answer in answers) + "\n", encoding="utf-8")
    (tmp_path / "service").write_text(f'#!/bin/bash\nexit "$(cat {tmp_path}/now)"\n', encoding="utf-8")
    (tmp_path / "service").chmod(0o755)
    fakes = f"""
timeout() {{ shift; "$@"; }}
next() {{ read -r now <&9 || exit 0; echo "$now" >{tmp_path}/now; }}
sleep() {{ SECONDS=$((SECONDS + $1)); next; }}
curl() {{ echo i-1; }}
df() {{ printf 'Use%%\\n 42%%\\n'; }}
aws() {{ echo "$*" >>{tmp_path}/calls; }}
exec 9<{tmp_path}/looks
next
"""
    code = (USER_DATA / "health.sh").read_text(encoding="utf-8")
    environment = {"PATH": "/usr/bin:/bin", "REGION": "r", "SECONDS_BETWEEN_LOOKS": "30", "MOST_FAILURES": "10"}
    environment |= {"DATA": data, "NAMESPACE": "n", "NAME": "s"} if data else {}
    words = ["bash", "-c", fakes + code, "health.sh", str(tmp_path / "service")]
    subprocess.run(words, env=environment, capture_output=True, check=True, timeout=60)
    calls = tmp_path / "calls"
    return calls.read_text(encoding="utf-8").splitlines() if calls.exists() else []


@pytest.mark.parametrize(
    ("answers", "told"), [([False] * 9, 0), ([False] * 10, 1), ([False] * 9 + [True] + [False] * 9, 0)]
)
def test_five_minutes_without_an_answer_are_told_to_the_group(tmp_path: Path, answers: list[bool], told: int) -> None:
    calls = looked(tmp_path, answers)
    assert len(calls) == told
    for call in calls:
        assert "set-instance-health" in call and "--health-status Unhealthy --should-respect-grace-period" in call


@pytest.mark.parametrize(("answers", "told"), [([True] * 21, 3), ([False] * 8, 0)])
def test_each_five_minutes_a_database_that_answers_tells_how_full_its_volume_is(
    tmp_path: Path, answers: list[bool], told: int
) -> None:
    calls = looked(tmp_path, answers, data="/opt/wordpress/data")
    metric = "put-metric-data --region r --namespace n --metric-data MetricName=DataUsed,Value=42,Unit=Percent,"
    assert calls == [f"cloudwatch {metric}Dimensions=[{{Name=Stack,Value=s}}]"] * told
    assert not [call for call in looked(tmp_path, [True] * 3) if "DataUsed" in call][told:]


@pytest.mark.parametrize("mariadb", ["true", "false"])
@pytest.mark.parametrize("listening", [True, False])
def test_the_database_is_healthy_when_mariadb_and_nfs_answer(zone: Template, mariadb: str, listening: bool) -> None:
    (check,) = re.findall(r"^ExecStart=/bin/bash /opt/wordpress/health\.sh (.*)$", script(zone, "Database"), re.M)
    with socket.socket() as nfs:
        nfs.bind(("127.0.0.1", 0))
        if listening:
            nfs.listen()
        port = str(nfs.getsockname()[1])
        words = shlex.split(check.replace("/usr/bin/mariadb", mariadb).replace("2049", port))
        ended = subprocess.run(words, capture_output=True, check=False, timeout=20).returncode
    assert (ended == 0) is (listening and mariadb == "true")


def test_the_database_tells_cloudwatch_of_its_volume_and_nothing_else(zone: Template) -> None:
    assert "DATA=/opt/wordpress/data NAMESPACE=ComputeBlog/LocalZoneWordpress NAME=" in script(zone, "Database")
    assert "DATA=" not in re.findall(r"^Environment=.*$", script(zone, "Web"), re.M)[0]
    assert "cloudwatch:PutMetricData" in every_action(zone, "DatabaseRole")
    fills, silent = (
        next(
            a["Properties"] for n, a in of_type(zone, "AWS::CloudWatch::Alarm").items() if n.startswith(f"Alarms{name}")
        )
        for name in ("DataFills", "DatabaseSilent")
    )
    assert (fills["MetricName"], fills["Threshold"], fills["Period"]) == ("DataUsed", 85, 300)
    assert (silent["EvaluationPeriods"], silent["TreatMissingData"]) == (5, "ignore")
    assert "FILL(seen, 0)" in json.dumps(silent["Metrics"])


def test_another_volume_boots_wordpress_again(zone: Template, enterprise: Template) -> None:
    """A snapshot of another stack has that one's users and files: WordPress must log in and mount anew."""
    for of in (zone, enterprise):
        (volume,) = of_type(of, "AWS::EC2::Volume")
        (template,) = [t for n, t in of_type(of, "AWS::EC2::LaunchTemplate").items() if n.startswith("WebTemplate")]
        assert {"Ref": volume} in template["Properties"]["LaunchTemplateData"]["UserData"]["Fn::Base64"]["Fn::Join"][1]


def test_a_policy_that_takes_no_snapshots_any_more_is_told_of(zone: Template) -> None:
    """https://docs.aws.amazon.com/ebs/latest/userguide/monitor-cloudwatch-events.html has this event."""
    (policy,) = of_type(zone, "AWS::DLM::LifecyclePolicy")
    (rule,) = [
        r for r in properties(zone, "AWS::Events::Rule") if r.get("EventPattern", {}).get("source") == ["aws.dlm"]
    ]
    assert rule["EventPattern"] == {
        "source": ["aws.dlm"],
        "detail-type": ["DLM Policy State Change"],
        "resources": [{"Fn::GetAtt": [policy, "Arn"]}],
        "detail": {"state": ["ERROR"]},
    }
    (target,) = rule["Targets"]
    assert target["Arn"] == {"Ref": next(iter(of_type(zone, "AWS::SNS::Topic")))}
    assert "README.md#alarm-snapshots-fail" in json.dumps(target["InputTransformer"])


def test_a_certificate_under_a_key_of_yours_is_read_and_no_other_secret_is(zone: Template) -> None:
    """https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html: SecretARN, in each call."""
    (policy,) = [p for name, p in of_type(zone, "AWS::IAM::Policy").items() if name.startswith("BalancerRole")]
    statements = policy["Properties"]["PolicyDocument"]["Statement"]
    (reading,) = [s for s in statements if s["Action"] == "secretsmanager:GetSecretValue"]
    (decrypting,) = [s for s in statements if s["Action"] == "kms:Decrypt"]
    assert decrypting["Condition"] == {
        "StringEquals": {"kms:EncryptionContext:SecretARN": reading["Resource"]},
        "StringLike": {"kms:ViaService": "secretsmanager.us-east-1.amazonaws.com*"},
    }
    assert decrypting["Resource"].startswith("arn:aws:kms:us-east-1:") and decrypting["Resource"].endswith(":key/*")


@pytest.mark.parametrize(("owner", "rules"), [("123456789012", 1), ("999999999999", 0)])
def test_a_topic_that_no_event_reaches_is_no_target(owner: str, rules: int) -> None:
    """EventBridge delivers to a topic of another account by a role only."""
    found = prepared(SLUG, f"topic of {owner}").find_resources("AWS::Events::Rule").values()
    assert sum(rule["Properties"].get("EventPattern", {}).get("source") == ["aws.dlm"] for rule in found) == rules


def test_the_alarm_on_a_silent_database_waits_for_its_group(zone: Template) -> None:
    """A stack of this name may have told before."""
    (silent,) = (a for n, a in of_type(zone, "AWS::CloudWatch::Alarm").items() if n.startswith("AlarmsDatabaseSilent"))
    assert [name for name in silent["DependsOn"] if name.startswith("DatabaseGroup")]
