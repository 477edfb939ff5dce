"""Stand-in for src/porting-advisor.py on machines without a copy: its documented contract, without its code.

It is as strict as the tool: it exits with 2 for an unknown option, with 1 for a missing directory, and else with 0,
whatever it finds. It has few of the rules. Files named CRASH and CUT make it fail as the tool must not.
"""

import argparse
import json
import os
import re
import sys
from pathlib import Path

DEFAULT = "-CompilerSpecific,-CrossCompile,-NoEquivalent"
RULES = {
    "Intrinsic": (r"(_mm_\w+)", "architecture-specific intrinsic: {0}"),
    "InlineAsm": (r"(__asm__)", "architecture-specific inline assembly"),
    "PreprocessorError": (r"#error (.*)", "preprocessor error on aarch64: #error {0}"),
    "CompilerSpecific": (r"(__ICC)\b", "compiler-specific code guarded by {0}"),
}
MOST = 10


def included(kind: str, wanted: str) -> bool:
    """Whether a kind is reported; a list that begins with a sign changes the default."""
    found = wanted.startswith(("-", "+"))
    for item in wanted.split(","):
        if item.lstrip("+-") == kind:
            found = not item.startswith("-")
    return found


def scan(root: str, wanted: str) -> dict[str, list[str]]:
    """The report of a tree, capped like the tool's."""
    report: dict[str, list[str]] = {"issues": [], "remarks": [], "errors": [], "source_files": []}
    capped: list[str] = []
    for path in sorted(Path(root).rglob("*")):
        if not path.is_file() or ".git" in path.parts:
            continue
        if path.suffix in (".c", ".cpp"):
            report["source_files"].append(str(path))
            found = [
                f"{kind}Issue: {path}:{number}: {words.format(match[1])}"
                for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
                for kind, (pattern, words) in RULES.items()
                if (match := re.search(pattern, line)) and included(kind, wanted)
            ]
            report["issues"] += found[:MOST]
            if len(found) > MOST:
                capped.append(f"OtherIssues: {path}: {len(found)} other issues")
        elif path.name in ("go.mod", "requirements.txt") or path.suffix in (".py", ".java", ".jar"):
            report["source_files"].append(str(path))
            report["remarks"].append(f"LanguageVersionRemark: detected {path.name}. a newer version is recommended.")
        elif path.name == "pom.xml":
            report["source_files"].append(str(path))
            if "</project>" not in path.read_text(encoding="utf-8"):
                report["errors"].append(f"Error: {path}: Traceback (most recent call last): no element found")
    report["issues"] += capped
    return report


def main() -> int:
    """Runs as the tool would."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("root")
    parser.add_argument("--issue-types", default="")
    parser.add_argument("--no-progress", action="store_true")
    parser.add_argument("--target-os", default="linux")
    parser.add_argument("--output", required=True)
    parser.add_argument("--output-format", choices=("json", "html"), required=True)
    parser.add_argument("--log-file", required=True)
    options = parser.parse_args()
    if kept := {"AWS_ACCESS_KEY_ID", "AWS_SESSION_TOKEN", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "PYTHONPATH"} & {
        *os.environ
    }:
        print(f"the advisor was given {', '.join(sorted(kept))}", file=sys.stderr)
        return 3
    root = Path(options.root)
    if not root.is_dir():
        print(f"{root}: directory not found.", file=sys.stderr)
        return 1
    wanted = f"{DEFAULT},{options.issue_types}" if options.issue_types[:1] in ("+", "-") else options.issue_types
    report = scan(options.root, wanted or DEFAULT)
    output = Path(options.output)
    if (root / "CRASH").exists():
        output.touch()
        raise RuntimeError("a name that cannot be decoded")
    if options.output_format == "html":
        rows = "".join(f"<tr><td>{text}</td></tr>" for text in report["issues"])
        output.write_text(
            f"<html>{len(report['source_files'])} files scanned.<table>{rows}</table></html>", encoding="utf-8"
        )
        return 0
    text = json.dumps({**report, "issue_types": wanted or DEFAULT, "target_os": options.target_os}, indent=4)
    cut = len(text) // 2 if (root / "CUT").exists() else len(text)
    output.write_text(text[:cut], encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
