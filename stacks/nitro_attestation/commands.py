"""What ``python -m stacks nitro_attestation`` can do."""

import json
from argparse import Namespace
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from config.models import CommonSettings
from nitro_attestation.claims import STATEMENTS
from nitro_attestation.looking import WRITES, trails_keep
from stacks.catalog import named
from stacks.nitro_attestation.evaluator import Request, UnknownLanguageError, evaluate
from stacks.nitro_attestation.guardrail import BLIND_SPOTS, declarative_text
from stacks.nitro_attestation.key_policy import deploying_role
from stacks.nitro_attestation.key_settings import AttestedKey
from stacks.nitro_attestation.reporting import SLUG, prove, report, report_arguments
from stacks.nitro_attestation.settings import NitroAttestationSettings, Organization
from stacks.nitro_attestation.verifying import check, verify_arguments
from stacks.shared.billing import HOURS, BillingUnit
from stacks.shared.command import Answer, Command
from stacks.shared.deployed import stack_outputs
from stacks.shared.preflight import Clients, Finding, account_findings, looked_at, topic_of_rules

COST_NOTE = "Instances that you launch from the templates and a trail that you create bill in addition."
METRICS, ALARMS_OF_LOOKS = 6, 5


def idle_month(common: CommonSettings, settings: NitroAttestationSettings) -> Iterator[BillingUnit]:
    """The billing units of a month in which nothing is launched."""
    keys, looks = len(settings.keys), HOURS / settings.look_every_hours
    yield BillingUnit("custom_metric_month", METRICS, "metrics of the looks")
    yield BillingUnit("alarm_month", ALARMS_OF_LOOKS + keys + bool(keys) + bool(settings.enclave), "alarms")
    yield BillingUnit("lambda_request", looks, "looks")
    yield BillingUnit("put_metric_data_request", looks, "looks")
    if keys:
        yield BillingUnit("kms_key_month", keys, "attested keys; none while its deletion is pending")
    if settings.organization:
        policies = 1 + settings.organization.declarative
        yield BillingUnit("service_control_policy_month", policies, "policies; AWS Organizations is free")


def findings(common: CommonSettings, settings: NitroAttestationSettings, clients: Clients) -> Iterator[Finding]:
    """Finds what would stop a deployment or a launch, or leave a change of a key unreported."""
    yield from account_findings(common, clients)
    if settings.enclave:
        enclave = settings.enclave
        yield looked_at("enclave type", lambda: _enclave_type(enclave.instance_type, enclave.memory_mib, clients))
    if settings.tpm:
        tpm = settings.tpm
        yield looked_at("tpm image", lambda: _tpm_image(tpm.image_id, tpm.root_device, clients))
        yield looked_at("tpm type", lambda: _tpm_type(tpm.instance_type, tpm.image_id, clients))
    for name, key in settings.keys.items():
        yield looked_at(f"{name} key", lambda key=key, name=name: _deployer(name, key, common, clients))  # type: ignore[misc]
        yield looked_at(f"{name} key policy", lambda key=key, name=name: _change(name, key, common, clients))  # type: ignore[misc]
        for arn in (*key.workload_arns, *key.producer_arns, *key.administrator_arns):
            yield looked_at(f"{name} key", lambda arn=arn, name=name: _principal(name, arn, clients))  # type: ignore[misc]
    if settings.keys:
        yield from topic_of_rules(common, clients)
        yield looked_at("trail", lambda: _trail(clients))
    if settings.organization:
        yield looked_at("organization", lambda: _organization(settings.organization, clients))


Described = dict[str, Any]


def _type(what: str, instance_type: str, clients: Clients, judge: Callable[[Described], str], fine: str) -> Finding:
    """Finds a type with a filter, because by name an unknown type is an error; *judge* says what is wrong with it."""
    filters = [{"Name": "instance-type", "Values": [instance_type]}]
    found = clients("ec2").describe_instance_types(Filters=filters)["InstanceTypes"]
    says = judge(found[0]) if found else f"this Region has no {instance_type}"
    return Finding(what, "problem", says, "Choose another type") if says else Finding(what, "ok", fine)


def _enclave_type(instance_type: str, memory_mib: int, clients: Clients) -> Finding:
    def judge(found: Described) -> str:
        if found.get("NitroEnclavesSupport") == "unsupported":
            return f"{instance_type} supports no enclaves"
        there = found["MemoryInfo"]["SizeInMiB"]
        if memory_mib > there // 2:
            return f"memory_mib: {memory_mib} of {there} MiB for enclaves leave too little for the parent"
        return ""

    fine = f"{instance_type} has room for enclaves with {memory_mib} MiB in total"
    return _type("enclave type", instance_type, clients, judge, fine)


def _tpm_image(image_id: str, root_device: str, clients: Clients) -> Finding:
    images = clients("ec2").describe_images(ImageIds=[image_id])["Images"]
    if not images:
        return Finding("tpm image", "problem", f"there is no {image_id} here", "Correct image_id")
    (image,) = images
    if image.get("BootMode") != "uefi" or image.get("TpmSupport") != "v2.0":
        says = f"{image_id} has boot mode {image.get('BootMode')} and TPM {image.get('TpmSupport')}"
        return Finding("tpm image", "problem", says, "Register it with --boot-mode uefi --tpm-support v2.0")
    if image.get("RootDeviceName") != root_device:
        says = f"its root device is {image.get('RootDeviceName')}, but root_device is {root_device}"
        return Finding(
            "tpm image", "problem", says, "Correct root_device: a different name creates a second, empty volume"
        )
    return Finding("tpm image", "ok", f"{image_id} boots with UEFI and TPM 2.0; no API says whether it is attestable")


def _tpm_type(instance_type: str, image_id: str, clients: Clients) -> Finding:
    def judge(found: Described) -> str:
        if found.get("NitroTpmSupport") == "unsupported":
            return f"{instance_type} has no NitroTPM"
        of_image = clients("ec2").describe_images(ImageIds=[image_id])["Images"][0]["Architecture"]
        if of_image not in found["ProcessorInfo"]["SupportedArchitectures"]:
            return f"the image is {of_image}, {instance_type} is not"
        return ""

    return _type("tpm type", instance_type, clients, judge, f"{instance_type} has a NitroTPM")


def _deploying(key: AttestedKey, common: CommonSettings, clients: Clients) -> str:
    caller, region = clients("sts").get_caller_identity(), clients("ec2").meta.region_name
    _, partition, _ = caller["Arn"].split(":", 2)
    return deploying_role(key, common, partition=partition, account=caller["Account"], region=region)


# The most that IAM could allow.
EVERYTHING = {"Statement": {"Effect": "Allow", "Action": "kms:*", "Resource": "*"}}


def _change(name: str, key: AttestedKey, common: CommonSettings, clients: Clients) -> Finding:
    """Whether the deploying role may change the policy of the existing key.

    PutKeyPolicy is denied unless that policy names the caller, and refused unless the new policy names it too.
    """
    what = f"{name} key policy"
    deployed = (stack_outputs(named(SLUG).stack_name(common), clients) or {}).get(f"{name.title()}KeyArn")
    if deployed is None:
        return Finding(what, "ok", "no key is deployed yet")
    policy = json.loads(clients("kms").get_key_policy(KeyId=deployed)["Policy"])
    arn = _deploying(key, common, clients)
    try:
        verdict = evaluate(policy, Request(arn, "kms:PutKeyPolicy"), key=deployed)
        by_iam = evaluate(policy, Request(arn, "kms:PutKeyPolicy", identity=(EVERYTHING,)), key=deployed)
    except UnknownLanguageError as error:
        return Finding(
            what, "unknown", f"could not be evaluated: {error}", "Check whether it lets the deploying role change it"
        )
    if verdict.decision == "denied" and by_iam.decision == "allowed":
        says = "lets IAM decide who changes it, like the default policy of a key"
        return Finding(what, "unknown", says, f"Check whether {arn} may: it is not a policy of this stack")
    if verdict.decision == "denied":
        fix = "Deploy with a role that may change it, and this one in administrator_arns; see the README"
        return Finding(what, "problem", f"does not let {arn} change it, so KMS refuses the deployment", fix)
    return Finding(what, "ok", f"lets {arn.rpartition('/')[2]} change it")


def _deployer(name: str, key: AttestedKey, common: CommonSettings, clients: Clients) -> Finding:
    found = _principal(name, _deploying(key, common, clients), clients)
    if found.status == "problem":
        return replace(found, fix="Name the role that CloudFormation assumes in cloudformation_role_arn")
    return found


def _principal(name: str, arn: str, clients: Clients) -> Finding:
    kind, _, path = arn.rpartition(":")[2].partition("/")
    iam = clients("iam")
    says = path.rpartition("/")[2]
    try:
        found = iam.get_role(RoleName=says)["Role"] if kind == "role" else iam.get_user(UserName=says)["User"]
    except iam.exceptions.NoSuchEntityException:
        return Finding(f"{name} key", "problem", f"{arn} does not exist, so KMS refuses the policy", "Create it first")
    if found["Arn"] != arn:
        return Finding(f"{name} key", "problem", f"{arn} is {found['Arn']}", "Correct the ARN, its path included")
    return Finding(f"{name} key", "ok", f"{says} exists")


def _trail(clients: Clients) -> Finding:
    trail = trails_keep(clients, kinds={WRITES}, all_regions=False)
    if trail is None:
        says = "a trail could not be read: the organization's trail can only be read in its own account"
        return Finding("trail", "unknown", says, "Check there that it is on and logs the write events of KMS")
    if not trail:
        says = "no active trail logs the write events of KMS here, so changes of a key are not reported"
        return Finding("trail", "problem", says, "Create a trail, or let one log them; see the README")
    return Finding("trail", "ok", "a trail logs the write events of KMS")


def _organization(settings: Organization | None, clients: Clients) -> Finding:
    roots = clients("organizations").list_roots()["Roots"]
    wanted = {"SERVICE_CONTROL_POLICY", *(["DECLARATIVE_POLICY_EC2"] if settings and settings.declarative else [])}
    there = {kind["Type"] for root in roots for kind in root.get("PolicyTypes", []) if kind["Status"] == "ENABLED"}
    if missing := sorted(wanted - there):
        fix = f"aws organizations enable-policy-type --root-id {roots[0]['Id']} --policy-type {missing[0]}"
        return Finding("organization", "problem", f"not enabled: {', '.join(missing)}", fix)
    return Finding("organization", "ok", f"enabled: {', '.join(sorted(wanted))}")


def _policies(
    options: Namespace, common: CommonSettings, settings: NitroAttestationSettings, clients: Clients
) -> Answer:
    """The policies as text, for attaching them by other means."""
    organization = settings.organization or Organization()
    texts = {
        "service control policy": organization.policy.text("aws"),
        "declarative policy": declarative_text(organization.exception_message),
    }
    rows = [(name, str(len(text))) for name, text in texts.items()]
    notes = [f"The service control policy does not see {spot}." for spot in BLIND_SPOTS]
    return Answer(("policy", "characters"), rows, texts, notes, lines=list(texts.values()))


def _report(options: Namespace, common: CommonSettings, settings: NitroAttestationSettings, clients: Clients) -> Answer:
    return report(options, common, settings, clients, now=_now())


def _verify(options: Namespace, common: CommonSettings, settings: NitroAttestationSettings, clients: Clients) -> Answer:
    return check(options, settings, now=_now())


def _now() -> datetime:
    return datetime.now(UTC)


def claims_table() -> str:
    """The README's table of the seven statements."""
    rows = [f"| {one.number} | {one.hosts} | {one.standing} | {one.here} |" for one in STATEMENTS]
    return (
        "\n".join(["| # | the post, about AWS's hosts | standing | here |", "| --- | --- | --- | --- |", *rows]) + "\n"
    )


README_TABLES = {"claims": claims_table}
COMMANDS = (
    Command(
        "report",
        "the seven statements for each Region, and every instance that needs attention",
        _report,
        report_arguments,
    ),
    Command("prove", "evaluate the deployed key policies for a table of requests", prove),
    Command("verify", "check an attestation document", _verify, verify_arguments),
    Command("policies", "print the policies of AWS Organizations", _policies),
)
