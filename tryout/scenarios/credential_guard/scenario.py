"""Plays the post: one association sets values and reboots, another reports "running"; some hosts are silent."""

import json
from datetime import UTC, datetime
from typing import Any, ClassVar

from tryout.hosts.managed import run_once
from tryout.hosts.roles import client_of
from tryout.scenario import Deployed, Scenario, expect, step
from tryout.scenarios.credential_guard.host import WindowsHost, tables_of
from tryout.steps import STAND_IN
from tryout.waits import wait_until

TYPE = "Custom:CredentialGuard"
PLAIN = "/aws/service/ami-windows-latest/Windows_Server-2022-English-Full-Base"
"""Windows without NitroTPM and Secure Boot."""
CHECKED = (
    "image", "image: boot mode", "image: TPM", "type: hypervisor", "type: boot mode", "type: TPM", "place",
    "hosts: TPM", "hosts: boot mode", "hosts: platform", "hosts: IMDSv2", "hosts: profile", "hosts: SSM Agent",
)  # fmt: skip


class CredentialGuardScenario(Scenario):
    """The stack's instance, a tagged host without Secure Boot, and one that never reports."""

    variants: ClassVar[dict[str, dict[str, Any]]] = {
        "session-manager": {},
        "endpoint": {"rdp": "instance-connect-endpoint", "network": "endpoints"},
    }
    in_account: ClassVar[dict[str, dict[str, Any]]] = {
        name: {**settings, "tag": {"key": "verify-credential-guard", "value": "host"}}
        for name, settings in variants.items()
    }
    emulated = STAND_IN
    account_minutes = 45

    def __init__(self, deployed: Deployed, variant: str) -> None:
        super().__init__(deployed, variant)
        self.ec2, self.ssm = deployed.client("ec2"), deployed.client("ssm")
        self.ours = deployed.outputs["InstanceId"]
        self.others: list[str] = []
        self.host, self.bare = WindowsHost(), WindowsHost(secure_boot=False)

    def __exit__(self, *_: object) -> None:
        """Terminates the instances that the scenario launched."""
        if self.others:
            self.ec2.terminate_instances(InstanceIds=self.others)

    def _instance(self, instance_id: str) -> dict[str, Any]:
        found = self.ec2.describe_instances(InstanceIds=[instance_id])["Reservations"][0]["Instances"][0]
        return dict(found)

    def _tables(self, association: str) -> dict[str, Any]:
        """The tables in the deployed document, as the API returns it."""
        described = self.ssm.describe_association(AssociationId=self.deployed.outputs[association])
        name = described["AssociationDescription"]["Name"]
        content = json.loads(self.ssm.get_document(Name=name)["Content"])
        return tables_of(content["mainSteps"][0]["inputs"]["runCommand"])

    def _report(self, instance_id: str, host: WindowsHost) -> dict[str, Any]:
        """Reports the audit, with the permissions of the instance's role."""
        item = host.audit(self._tables("AuditAssociationId"))
        client_of(self.deployed.aws, self._instance(instance_id), "ssm").put_compliance_items(
            ResourceId=instance_id,
            ResourceType="ManagedInstance",
            ComplianceType=TYPE,
            ExecutionSummary={"ExecutionTime": datetime.now(UTC), "ExecutionType": "Command"},
            Items=[item],
            UploadType="COMPLETE",
        )
        return item

    @step(
        "the instance is launched from the TPM image: Windows, uefi, v2.0, tokens required",
        "our-model",
        where="anywhere",
    )
    def launches(self) -> str:
        found = self._instance(self.ours)
        seen = {name: found.get(name) for name in ("Platform", "CurrentInstanceBootMode", "TpmSupport")}
        expect(seen == {"Platform": "windows", "CurrentInstanceBootMode": "uefi", "TpmSupport": "v2.0"}, f"{seen}")
        expect(found["MetadataOptions"]["HttpTokens"] == "required", f"{found['MetadataOptions']}")
        return f"{seen}"

    @step(
        "no port is open: Remote Desktop comes from the endpoint's group, or not at all", "emulated", where="anywhere"
    )
    def stays_closed(self) -> str:
        groups = [group["GroupId"] for group in self._instance(self.ours)["SecurityGroups"]]
        rules = [
            rule
            for group in self.ec2.describe_security_groups(GroupIds=groups)["SecurityGroups"]
            for rule in group["IpPermissions"]
        ]
        expect(not any(rule.get("IpRanges") for rule in rules), f"{rules}")
        wanted = 1 if self.variant == "endpoint" else 0
        expect(len(rules) == wanted, f"{rules}")
        return f"{len(rules)} rules; none names an address"

    @step("both associations reach the hosts with the tag", "our-model")
    def reaches(self) -> str:
        for name in ("ApplyAssociationId", "AuditAssociationId"):
            told = run_once(self.ssm, self.deployed.outputs[name])
            expect(set(told) == {self.ours}, f"{name}: {told}")
        return "apply and audit, on the instance"

    @step("Apply sets the values of the deployed table, reboots once, and its second run exits with 0", "our-model")
    def applies(self) -> str:
        codes = self.host.run(self._tables("ApplyAssociationId"))
        expect(codes == [3010, 0], f"it ended with {codes}")
        return f"{', '.join(self.host.written)}; {codes}"

    @step("Compliance has the status before and after: not running, then running", "our-model")
    def audits(self) -> str:
        details = self._report(self.ours, self.host)["Details"]
        (item,) = self.ssm.list_compliance_items(ResourceIds=[self.ours], ResourceTypes=["ManagedInstance"])[
            "ComplianceItems"
        ]
        expect(item["Status"] == "COMPLIANT" and item["Details"] == details, f"{item}")
        expect((details["before"], details["after"]) == ("{0,[0]}", "{2,[1]}"), f"{details}")
        return f"before {details['before']}, after {details['after']}"

    @step("the first audit of the account's instance says that Credential Guard runs", "real-code", where="account")
    def runs(self) -> str:
        counted: dict[str, int] = {}

        def running() -> bool:
            counted.update(self.deployed.invoke("Watch"))
            return counted["running"] == 1

        wait_until(f"{self.ours} among those that run it", running)
        return f"{counted}"

    @step("check finds image, type, zone and host right, before a launch and after it", "real-code")
    def checks(self) -> str:
        found = self._checked(ends=0)
        expect(set(found) >= set(CHECKED), f"{sorted(found)}")
        expect(all(status == "ok" for status, _ in found.values()), f"{found}")
        return "; ".join(found[name][1] for name in ("image", "image: boot mode", "image: TPM", "place"))

    def _checked(self, ends: int) -> dict[str, tuple[str, str]]:
        findings = self.deployed.command("check", ends=ends)
        return {finding["what"]: (finding["status"], finding["says"]) for finding in findings}

    @step("the function counts the hosts that run it, those that do not, and those that are silent", "real-code")
    def counts(self) -> str:
        tag = self.deployed.settings.tag
        tags = [{"ResourceType": "instance", "Tags": [{"Key": tag.key, "Value": tag.value}]}]
        launched = self.ec2.run_instances(
            ImageId=self.ssm.get_parameter(Name=PLAIN)["Parameter"]["Value"],
            InstanceType="t3.medium",
            IamInstanceProfile={"Arn": self._instance(self.ours)["IamInstanceProfile"]["Arn"]},
            MinCount=2,
            MaxCount=2,
            TagSpecifications=tags,
        )
        self.others = [item["InstanceId"] for item in launched["Instances"]]
        expect(self.deployed.invoke("Watch")["new"] == 2, "new hosts are not silent yet")
        self.deployed.aws.control("age-launches", seconds=30 * 86_400)
        self.bare.run(self._tables("ApplyAssociationId"))
        reason = self._report(self.others[0], self.bare)["Details"]["reason"]
        expect(reason == "Secure Boot is off", reason)
        counted = self.deployed.invoke("Watch")
        expect(counted == {"running": 1, "not running": 1, "silent": 1, "new": 0}, f"{counted}")
        shown = {item["instance"]: item["state"] for item in self.deployed.command("hosts", ends=1)}
        states = {self.ours: "running", self.others[0]: "not running", self.others[1]: "silent"}
        expect(shown == states, f"{shown}")
        return f"{counted}; {reason}"

    @step("check lists what hosts from an image without UEFI and TPM lack, one line for each cause", "real-code")
    def names_causes(self) -> str:
        bad = {what: says for what, (status, says) in self._checked(ends=1).items() if status != "ok"}
        expect(set(bad) == {"hosts: TPM", "hosts: boot mode", "hosts: IMDSv2"}, f"{bad}")
        expect(all(self.ours not in says and "2 of 3" in says for says in bad.values()), f"{bad}")
        return "; ".join(f"{what}: {says}" for what, says in sorted(bad.items()))

    @step("a stopped host needs no audit", "real-code")
    def forgives_the_stopped(self) -> str:
        self.ec2.stop_instances(InstanceIds=[self.others[1]])
        counted = self.deployed.invoke("Watch")
        expect(counted["silent"] == 0, f"{counted}")
        return f"{counted}"

    @step("a host that is stopped every night does not count as new in the morning", "real-code")
    def knows_the_old(self) -> str:
        self.ec2.stop_instances(InstanceIds=self.others)
        self.ec2.start_instances(InstanceIds=self.others)
        self._report(self.others[0], self.bare)
        morning = self.deployed.invoke("Watch")
        expect(morning == {"running": 1, "not running": 1, "silent": 0, "new": 1}, f"{morning}")
        self.deployed.aws.control("age-launches", seconds=2 * 3_600)
        noon = self.deployed.invoke("Watch")
        expect(noon == {"running": 1, "not running": 1, "silent": 1, "new": 0}, f"{noon}")
        return f"at its start {morning}; two hours later {noon}"


SCENARIO = CredentialGuardScenario
