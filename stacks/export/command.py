"""``python -m stacks SOLUTION export``: the exported template in a folder, and the commands that deploy it."""

import shlex
import shutil
from pathlib import Path

from config.models import CommonSettings, SolutionSettings
from stacks.export import ExportError
from stacks.export.template import Export, exported, text_of
from stacks.series import Solution
from stacks.shared.command import Answer, CommandError
from stacks.shared.files import UnwritableError, write_text
from stacks.shared.solution import ExportedApp

TEMPLATE, ASSETS, SCRIPT = "template.json", "assets", "deploy.sh"


def export(solution: Solution, common: CommonSettings, settings: SolutionSettings, out: Path) -> Answer:
    """Writes the template, its assets and the script that deploys them.

    Raises:
        CommandError: the folder cannot be used, or the solution cannot be exported.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise CommandError(f"--out {out} must be a new or empty folder; name another")
    try:
        write_text(out / TEMPLATE, "")
        found = exported(solution, common, settings, out / ASSETS)
        write_text(out / TEMPLATE, text_of(found.template))
        lines = commands(found, common)
        write_text(out / SCRIPT, _script(solution, common, found, lines))
    except UnwritableError as error:
        raise CommandError(str(error)) from None
    except ExportError as error:
        (out / TEMPLATE).unlink()
        shutil.rmtree(out / ASSETS, ignore_errors=True)
        raise CommandError(str(error)) from None
    data = {
        "template": str(out / TEMPLATE),
        "assets": [str(out / ASSETS / name) for name in found.assets],
        "capabilities": list(found.capabilities),
        "tags": dict(found.tags),
        "commands": lines,
    }
    files = f"{len(found.assets)} asset{'s' * (len(found.assets) != 1)}"
    name = f"must be {found.only_name}" if found.only_name else "is yours to choose"
    notes = (
        f"{out / TEMPLATE}, {files}, and these commands as a script: BUCKET=your-bucket bash {out / SCRIPT}",
        f"The bucket must be in the Region of the stack, whose name {name}.",
    )
    return Answer((), (), data, notes, lines=lines)


def commands(found: Export, common: CommonSettings) -> list[str]:
    """The command lines that upload and deploy, in which $BUCKET, $PREFIX and $STACK are still to be set."""
    region = f" --region {common.region}" if common.region else ""
    deploy = [
        f'aws cloudformation deploy{region} --stack-name "$STACK" --template-file {TEMPLATE}',
        "--no-fail-on-empty-changeset",
        '--s3-bucket "$BUCKET" --s3-prefix "${PREFIX%/}"',  # where the CLI puts a template above 51,200 bytes
    ]
    if found.assets:
        deploy.append(f'--parameter-overrides {ExportedApp.bucket}="$BUCKET" {ExportedApp.prefix}="$PREFIX"')
    if found.capabilities:
        deploy.append(f"--capabilities {' '.join(found.capabilities)}")
    if found.tags:
        deploy.append(f"--tags {' '.join(shlex.quote(f'{key}={value}') for key, value in found.tags.items())}")
    protect = f'aws cloudformation update-termination-protection{region} --stack-name "$STACK"'
    protected = [f"{protect} --enable-termination-protection"] if common.keep_data_on_destroy else []
    upload = [f'aws s3 cp{region} --recursive {ASSETS} "s3://$BUCKET/$PREFIX"'] if found.assets else []
    return [*upload, " ".join(deploy), *protected]


def _script(solution: Solution, common: CommonSettings, found: Export, lines: list[str]) -> str:
    name = solution.stack_name(common)
    return "\n".join(
        [
            "#!/usr/bin/env bash",
            f"# Uploads the assets of {name} and deploys it. BUCKET must be in the Region of the stack.",
            "set -euo pipefail",
            'cd "$(dirname "${BASH_SOURCE[0]}")"',
            ': "${BUCKET:?name your bucket: BUCKET=... bash deploy.sh}"',
            *_named(name, found.only_name),
            f"PREFIX=${{PREFIX-{name}/}}",
            'case "$PREFIX" in "" | */) ;; *) PREFIX=$PREFIX/ ;; esac',
            *lines,
            "",
        ]
    )


def _named(name: str, only_name: str | None) -> list[str]:
    """Lines that set $STACK, or refuse another name than the only one."""
    if only_name is None:
        return [f"STACK=${{STACK:-{name}}}"]
    return [
        f'if [ "${{STACK:-{only_name}}}" != {only_name} ]; then',
        f'  echo "deploy.sh: STACK must be {only_name}, which the template has in it; leave it out" >&2',
        "  exit 1",
        "fi",
        f"STACK={only_name}",
    ]
