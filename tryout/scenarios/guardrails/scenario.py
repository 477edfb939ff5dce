"""What the scenarios of the two guardrail solutions share. Organizations stores policies here and enforces none, so
that what they deny is the judgement of the delivered judge, and says so."""

import json
from argparse import Namespace
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

from config.models import CommonSettings
from emulator.settings import DEFAULT_ACCOUNT
from stacks.guardrails import attachment
from stacks.guardrails.attachment import targets_of
from stacks.guardrails.commands import guardrail_commands
from stacks.guardrails.judge import Json, judge
from stacks.guardrails.table import columns, examples
from stacks.shared.command import Answer
from tryout.scenario import Deployed, Scenario, expect, step
from tryout.steps import BESIDE
from tryout.waits import PAUSES

RECORDED = Path(__file__).parent / "recorded" / "guardrails.json"


def variants_of(slug: str) -> dict[str, dict[str, Any]]:
    """The two columns of the README's table; the second is attached by the deployment.

    Its target is the one account that there is, the management account, which AWS would not limit.
    """
    posted, other = (json.loads(column.settings.model_dump_json()) for column in columns(slug))
    return {"as-posted": posted, "attached": {**other, "targets": [DEFAULT_ACCOUNT]}}


@contextmanager
def _shorter_pauses() -> Iterator[None]:
    """Nobody else is there who takes a policy off again within seconds."""
    before = attachment.sleep
    attachment.sleep = lambda seconds: before(float(seconds) * PAUSES)
    try:
        yield
    finally:
        attachment.sleep = before


class GuardrailsScenario(Scenario):
    """Policies as planned, decisions as in the README, a dry run, stages, and back in one step."""

    slug: ClassVar[str]
    emulated = BESIDE
    account_minutes = 5

    def __init__(self, deployed: Deployed, variant: str) -> None:
        super().__init__(deployed, variant)
        self.organizations = deployed.client("organizations")
        self.units: list[str] = []
        prefix = deployed.stack_name.removesuffix(self.slug.replace("_", "-")).removesuffix("-")
        self.common = CommonSettings(prefix=prefix or None)

    def __exit__(self, *_: object) -> None:
        """Removes the organizational units."""
        for unit in self.units:
            self.organizations.delete_organizational_unit(OrganizationalUnitId=unit)

    @step("the policies are stored as planned, minified, on the named targets only", "emulated", where="anywhere")
    def stored(self) -> str:
        stored = self._stored()
        planned = {policy.id: policy.text("aws") for policy in self.deployed.settings.policies}
        expect(stored == planned, f"stored are {sorted(stored)}, planned {sorted(planned)}, or their texts differ")
        on = {name: targets_of(self.organizations, policy_id) for name, policy_id in self._ids().items()}
        wanted = set(self.deployed.settings.targets)
        expect(all(targets == wanted for targets in on.values()), f"attached: {on}")
        sizes = ", ".join(f"{name} {len(text)}" for name, text in stored.items())
        return f"characters: {sizes}; attached to {', '.join(wanted) or 'nothing'}"

    @step("what is stored decides the requests of the README as its table says", "our-model", where="anywhere")
    def decides(self) -> str:
        stored: list[Json] = [json.loads(text) for text in self._stored().values()]
        column = columns(self.slug)[list(self.variants).index(self.variant)]
        decisions = Counter[str]()
        for example in examples():
            found, planned = (judge(documents, example.request) for documents in (stored, column.documents))
            expect(found == planned, f"{example.says}: {found}, not {planned}")
            decisions[found.decision] += 1
        return ", ".join(f"{count} {decision}" for decision, count in decisions.items())

    @step("dry-run says which recorded calls would have been denied", "real-code", where="anywhere")
    def dry_run(self) -> str:
        answer = self._run("dry-run", events=[RECORDED], days=30, region=None, management_account="999988887777")
        expect(not answer.ok, "nothing would have been denied")
        denied = {row["action"] for row in answer.data["rows"] if row["verdict"] == "denied"}
        wanted = {"ec2:RunInstances", "rds:CreateDBSnapshot", "s3:PutObject"}
        expect(wanted <= denied, f"denied are {sorted(denied)}")
        return answer.notes[0]

    @step(
        "the policies are written as files for Control Tower and the Landing Zone Accelerator",
        "real-code",
        where="anywhere",
    )
    def writes(self) -> str:
        self._run("files", out=self.deployed.folder / "files", ou=["Regulated"], partition="aws")
        written = sorted((self.deployed.folder / "files").rglob("*.json"))
        expect(len(written) == 2 * len(self._ids()), f"{len(written)} files")
        return f"{len(written)} policies and 2 lists of them"

    @step("attach takes one target after the other, and only with --yes", "emulated", only=("as-posted",))
    def attaches(self) -> str:
        (root,) = self.organizations.list_roots()["Roots"]
        for name in ("Canary", "Others"):
            made = self.organizations.create_organizational_unit(ParentId=root["Id"], Name=name)
            self.units.append(made["OrganizationalUnit"]["Id"])
        seen = []
        for yes in (False, True, True):
            with _shorter_pauses():
                self._run("attach", yes=yes, all=False)
            seen.append([unit for unit in self.units if self._complete(unit)])
        expect(seen == [[], self.units[:1], self.units], f"attached: {seen}")
        again = self._run("attach", yes=True, all=False)
        expect(not again.rows, f"attached again: {again.rows}")
        return "nothing without --yes, then 1 of 2 units, then 2 of 2, then nothing more to do"

    @step("detach takes every policy off every target in one step", "emulated", only=("as-posted",))
    def detaches(self) -> str:
        answer = self._run("detach")
        left = [target for policy_id in self._ids().values() for target in targets_of(self.organizations, policy_id)]
        expect(answer.ok and not left, f"still attached to {left}")
        return f"{len(answer.rows)} attachments"

    def _run(self, name: str, **options: Any) -> Answer:
        (command,) = [command for command in guardrail_commands(self.slug) if command.name == name]
        settings = self.deployed.settings
        if self.units:
            settings = settings.model_copy(update={"targets": tuple(self.units)})
        return command.run(
            Namespace(**options), self.common, settings, lambda service, *_: self.deployed.client(service)
        )

    def _complete(self, target: str) -> bool:
        return all(target in targets_of(self.organizations, policy_id) for policy_id in self._ids().values())

    def _ids(self) -> dict[str, str]:
        outputs = self.deployed.outputs.items()
        return {name.removesuffix("PolicyId"): value for name, value in outputs if name.endswith("PolicyId")}

    def _stored(self) -> dict[str, str]:
        ids = self._ids()
        return {name: self.organizations.describe_policy(PolicyId=ids[name])["Policy"]["Content"] for name in ids}
