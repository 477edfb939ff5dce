"""``report`` and ``prove``: the state of the account, and whether the policies of its attested keys still hold."""

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from typing import Any

from config.models import CommonSettings
from nitro_attestation.claims import STATEMENTS, Answer, Look, answers
from nitro_attestation.looking import code_of, enabled_regions, look_at, trails_keep
from shared.faults import FAILED
from stacks.nitro_attestation.evaluator import UnknownLanguageError, allowed_principals, evaluate
from stacks.nitro_attestation.key_policy import deploying_role
from stacks.nitro_attestation.key_settings import AttestedKey
from stacks.nitro_attestation.proof import Cast, cases
from stacks.nitro_attestation.settings import NitroAttestationSettings
from stacks.shared.command import Answer as Printed
from stacks.shared.command import CommandError
from stacks.shared.deployed import stack_outputs
from stacks.shared.preflight import Clients

SLUG = "nitro_attestation"
OUTSIDER, FOREIGN = "somebody-with-kms-by-iam", "000000000000"


def report_arguments(parser: ArgumentParser) -> None:
    """Options of ``report``."""
    parser.add_argument(
        "--region", action="append", help="Region to look at instead of those in the settings; repeatable"
    )


def report(
    options: Namespace, common: CommonSettings, settings: NitroAttestationSettings, clients: Clients, *, now: datetime
) -> Printed:
    """Each of the seven statements for each Region, and every instance that needs attention."""
    account = clients("sts").get_caller_identity()["Account"]
    regions = options.region or list(settings.regions) or enabled_regions(clients("ec2"))
    trail = trails_keep(clients)
    at = now.isoformat(timespec="seconds")
    looks = [_look(account, region, clients, trail) for region in regions]
    answered = [(look, answer) for look in looks for answer in answers(look)]
    fine = all(answer.holds != "no" for _, answer in answered) and not any(look.missing for look in looks)
    rows = [(look.region, str(one.number), one.standing, one.holds, one.says) for look, one in answered]
    notes = [f"Account {account}, {at}. This report cannot confirm what is AWS's claim only; see the README."]
    notes += [f"{look.region} could not be read: {what}" for look in looks for what in look.missing]
    notes += [
        f"{one.region} {one.instance_id} ({one.state}): {'; '.join(one.reasons)}"
        for look in looks
        for one in look.instances
        if one.reasons
    ]
    return Printed(
        ("Region", "statement", "standing", "holds", "what was found"), rows, _data(account, at, looks), notes, ok=fine
    )


def _look(account: str, region: str, clients: Clients, trail: bool | None) -> Look:
    try:
        return look_at(account, region, clients, trail)
    except FAILED as error:
        return Look(account, region, missing=(f"everything ({code_of(error)})",))


def _data(account: str, at: str, looks: list[Look]) -> dict[str, Any]:
    def answered(one: Answer) -> dict[str, Any]:
        return {**asdict(one), "hosts": STATEMENTS[one.number - 1].hosts, "here": STATEMENTS[one.number - 1].here}

    return {
        "account": account,
        "time": at,
        "regions": [
            {
                "region": look.region,
                "not_looked_at": list(look.missing),
                "settings": asdict(look.settings),
                "statements": [answered(one) for one in answers(look)],
                "instances": [
                    {**asdict(one), "verdict": one.verdict, "reasons": list(one.reasons)} for one in look.instances
                ],
            }
            for look in looks
        ],
    }


def prove(options: Namespace, common: CommonSettings, settings: NitroAttestationSettings, clients: Clients) -> Printed:
    """Evaluates the policy of each deployed key for a table of requests made from the settings.

    Raises:
        CommandError: there is no key, or its policy has something that cannot be evaluated.
    """
    if not settings.keys:
        raise CommandError("no attested key is configured; set enclave.key or tpm.key, and deploy")
    outputs = stack_outputs(common.stack_name(SLUG), clients) or {}
    rows: list[tuple[str, str, str, str, str]] = []
    for name, key in settings.keys.items():
        rows += _judged(name, key, outputs, common, clients)
    wrong = [row for row in rows if row[2] != row[3]]
    data = {
        "requests": len(rows),
        "wrong": len(wrong),
        "rows": [dict(zip(("key", "request", "right", "found", "because"), row, strict=True)) for row in rows],
    }
    notes = [f"{len(rows)} requests, {len(wrong)} with the wrong answer. Evaluated here, from GetKeyPolicy's answer."]
    notes += ["Whoever may change the policy can open the key: the README says how to watch and prevent that."]
    return Printed(("key", "request", "right", "found", "because"), rows, data, notes, ok=not wrong)


def _judged(
    name: str, key: AttestedKey, outputs: dict[str, str], common: CommonSettings, clients: Clients
) -> Iterator[tuple[str, str, str, str, str]]:
    title = name.capitalize()
    arn, role = outputs.get(f"{title}KeyArn"), outputs.get(f"{title}RoleArn")
    if not arn or not role:
        raise CommandError(f"the deployed stack has no key for {name}; deploy first")
    policy = json.loads(clients("kms").get_key_policy(KeyId=arn)["Policy"])
    try:
        for case in cases(key.references(), key.operations, _cast(key, arn, role, common, policy)):
            found = evaluate(policy, case.request, key=arn)
            yield name, case.says, case.right, found.decision, found.because
    except UnknownLanguageError as error:
        raise CommandError(f"the policy of {arn} was not written by this stack: {error}") from None


def _cast(key: AttestedKey, arn: str, role: str, common: CommonSettings, policy: dict[str, Any]) -> Cast:
    """The callers from the settings; any other principal in the policy is a stranger."""
    _, partition, _, region, account, _ = arn.split(":", 5)
    root = f"arn:{partition}:iam::{account}:root"
    deployer = deploying_role(key, common, partition=partition, account=account, region=region)
    workloads, administrators = (role, *key.workload_arns), (deployer, *key.administrator_arns)
    known = {*workloads, *administrators, *key.producer_arns, root, account}
    strangers = sorted(allowed_principals(policy) - known - {"*"})  # the foreigner stands for "*"
    return Cast(
        workloads=workloads,
        administrators=administrators,
        producers=key.producer_arns,
        outsider=f"arn:{partition}:iam::{account}:role/{OUTSIDER}",
        root=root,
        foreigner=f"arn:{partition}:iam::{FOREIGN}:role/{OUTSIDER}",
        strangers=[f"arn:{partition}:iam::{one}:root" if one.isdigit() else one for one in strangers],
    )
