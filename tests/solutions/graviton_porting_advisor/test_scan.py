"""The delivered buildspec by sh, against a stand-in that is as strict as the advisor."""

import json
from pathlib import Path

import pytest
import yaml

from graviton_porting_advisor.verdict import EXIT, Result
from stacks.graviton_porting_advisor.builds import FOLDER
from stacks.shared.files import read_text
from tests.solutions.graviton_porting_advisor.scans import BOTH, INTRINSIC, Scan, Scanner, written

REPORTS = {
    "report.json": "application/json",
    "report.html": "text/html; charset=utf-8",
    "scan.log": "text/plain; charset=utf-8",
    "result.json": "application/json",
}
FAILED = {name: REPORTS[name] for name in ("scan.log", "result.json")}


def with_37(folder: Path) -> Path:
    return written(folder, **{"many.c": INTRINSIC * 37})


def counted_whole(scan: Scan, status: int, result: str) -> None:
    assert (scan.status, scan.result["result"], scan.result["issues"]) == (status, result, 37), scan.ran.output
    assert scan.result["kinds"] == {"Capped": 27, "Intrinsic": 10}
    assert scan.uploaded == REPORTS, "both reports, whatever the verdict"
    assert [message["build"] for message in scan.messages] == ["scans:0f1e2d3c"]


def test_one_issue_above_the_number_fails_and_a_capped_file_counts_whole(scanner: Scanner, tmp_path: Path) -> None:
    counted_whole(scanner.scan(with_37(tmp_path / "given"), max_issues=36), 1, "above-max")


def test_as_many_issues_as_may_be_pass_and_what_a_scan_leaves_reaches_bucket_and_queue(
    cloud: Scanner, tmp_path: Path
) -> None:
    """By the real SDK; the other tests note its calls down."""
    counted_whole(cloud.scan(with_37(tmp_path / "given"), max_issues=37), 0, "ok")


# What is no whole report is in test_findings.py.
@pytest.mark.parametrize(("trap", "says"), [("CRASH", "status 1"), ("CUT", "no complete report")])
def test_a_tool_that_crashes_or_leaves_half_a_report_is_crashed_and_its_log_is_there(
    scanner: Scanner, tmp_path: Path, trap: str, says: str
) -> None:
    scan = scanner.scan(written(with_37(tmp_path / "given"), **{trap: ""}))
    assert (scan.status, scan.result["result"]) == (2, "crashed"), scan.ran.output
    assert says in scan.result["says"] and "nothing is known" in scan.result["says"]
    assert scan.uploaded == FAILED and scan.messages


def test_a_source_in_which_nothing_is_read_is_no_clean_source(scanner: Scanner, tmp_path: Path) -> None:
    given = tmp_path / "given"
    given.mkdir()
    scan = scanner.scan(given)
    assert (scan.status, scan.result["result"]) == (4, "nothing-scanned")
    assert "Nothing was scanned" in scan.result["says"] and "0 issues" not in scan.result["says"]
    written(given, **{"package.json": "{}", "app.rb": "", "App.csproj": ""})
    warned = scanner.scan(given, warn_only=["nothing-scanned"])
    assert (warned.status, warned.result["result"], warned.result["passed"]) == (0, "nothing-scanned", True)


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Scan:
    """A source with something of everything, scanned once."""
    folder = tmp_path_factory.mktemp("mixed")
    given = written(
        folder / "given",
        **{"go.mod": "module x\n\ngo 1.15\n", "a.c": "int x;\n"},
        # What is not read, and what is not scanned.
        **{"build.gradle": "", "package.json": "{}", "other__GO.MOD": "", "lib__a.jar": "", "lib__b.war": ""},
        **{
            f"{excluded}__a.c": INTRINSIC
            for excluded in ("node_modules", "third_party__x86", "third_party__arm", "lib__node_modules")
        },
        # What would choose the Python of the build, or its modules.
        **{".python-version": "3.8.2\n", "venv.py": "raise SystemExit(9)\n", "json.py": "raise SystemExit(9)\n"},
    )
    (given / "away.c").symlink_to(written(folder / "outside", **{"secret.c": INTRINSIC}) / "secret.c")
    (given / "within.c").symlink_to("a.c")
    scanner = Scanner(folder / "build")
    return scanner.scan(given, exclude=["node_modules", "third_party/x86"], max_issues=9)


def test_what_is_never_scanned_is_named(mixed: Scan) -> None:
    says = mixed.result["says"]
    assert "Gradle (1)" in says and "Node.js (1)" in says and "GO.MOD (the advisor reads only go.mod) (1)" in says


def test_a_source_that_is_not_there_is_unreadable(scanner: Scanner, tmp_path: Path) -> None:
    scan = scanner.scan(tmp_path / "nowhere")
    assert (scan.status, scan.result["result"]) == (3, "unreadable")
    assert scan.result["says"].startswith("The source could not be read")


def test_a_file_that_the_tool_cannot_read_makes_the_scan_incomplete(scanner: Scanner, tmp_path: Path) -> None:
    given = written(tmp_path / "given", **{"pom.xml": "<project>"})
    scan = scanner.scan(given)
    assert (scan.status, scan.result["result"], scan.result["error_count"]) == (5, "incomplete", 1)


def test_remarks_are_shown_and_not_gated(mixed: Scan) -> None:
    assert (mixed.status, mixed.result["issues"], len(mixed.result["remarks"])) == (0, 2, 4)
    assert "4 remarks, which are not issues" in mixed.result["says"]


def test_excluded_folders_are_gone_and_others_of_that_name_stay(mixed: Scan) -> None:
    assert sorted(mixed.result["examples"]) == [
        "IntrinsicIssue: lib/node_modules/a.c:1: architecture-specific intrinsic: _mm_add_epi32",
        "IntrinsicIssue: third_party/arm/a.c:1: architecture-specific intrinsic: _mm_add_epi32",
    ]


def test_a_link_that_leaves_the_source_is_not_followed(mixed: Scan) -> None:
    read = ["a.c", "within.c", "lib/node_modules/a.c", "third_party/arm/a.c", "go.mod", "venv.py", "json.py", "a.jar"]
    assert mixed.result["files"] == len(read)


def test_kinds_that_were_asked_for_alone_are_all_that_counts(scanner: Scanner, tmp_path: Path) -> None:
    given = written(tmp_path / "given", **{"both.c": BOTH + "#ifdef __ICC\n#endif\n"})
    alone = scanner.scan(given, issue_types=["InlineAsm", "Intrinsic"], max_issues=9).result["kinds"]
    assert alone == {"InlineAsm": 1, "Intrinsic": 1}
    scan = scanner.scan(given, issue_types=["+CompilerSpecific", "-Intrinsic"], max_issues=9)
    assert scan.result["kinds"] == {"CompilerSpecific": 1, "InlineAsm": 1, "PreprocessorError": 1}
    shown = json.loads((scan.out / "report.json").read_text(encoding="utf-8"))["issue_types"]
    assert shown == "-CompilerSpecific,-CrossCompile,-NoEquivalent,+CompilerSpecific,-Intrinsic"


def test_a_source_chooses_neither_the_python_nor_the_modules_of_the_build(mixed: Scan) -> None:
    assert mixed.ran.statuses == {"build": 0, "post_build": 0}, mixed.ran.output
    assert mixed.uploaded == REPORTS and mixed.messages


def test_accepted_findings_are_counted_apart(scanner: Scanner, tmp_path: Path) -> None:
    given = written(with_37(tmp_path / "given"), **{"both.c": BOTH})
    accepted = [
        {"path": "many.c", "reason": "generated"},
        {"path": "*", "issue_type": "InlineAsm", "reason": "guarded"},
    ]
    scan = scanner.scan(given, accepted=accepted, max_issues=2)
    assert (scan.status, scan.result["issues"], scan.result["accepted"]) == (0, 2, 38)


# The tool, and its scanner of JAR files


def test_another_commit_than_the_pinned_one_is_not_run(scanner: Scanner, tmp_path: Path) -> None:
    scanner.tool = (scanner.tool[0], "0" * 40)
    scan = scanner.scan(with_37(tmp_path / "given"))
    assert (scan.status, scan.result["result"]) == (6, "tool-unavailable")
    assert scan.uploaded == FAILED and scan.messages


def test_a_host_that_is_down_is_no_crash_of_the_tool(scanner: Scanner, tmp_path: Path) -> None:
    scanner.tool = (f"file://{tmp_path}/nowhere", scanner.tool[1])
    assert scanner.scan(with_37(tmp_path / "given")).result["result"] == "tool-unavailable"


def programs(folder: Path, **scripts: str) -> dict[str, str]:
    """Programs of these names first on the PATH."""
    folder.mkdir()
    for name, text in scripts.items():
        (folder / name).write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
        (folder / name).chmod(0o755)
    return {"PATH": str(folder)}


@pytest.mark.parametrize(
    ("scripts", "says"),
    [
        ({"java": "exit 1"}, "no java 9 or newer"),  # Java 8 does not know --version
        ({"java": "exit 0", "mvn": "exit 1"}, "is Maven Central reachable"),
        ({"java": "exit 0", "mvn": "exit 0"}, "mvn built no scanner"),
    ],
)
def test_without_its_scanner_no_jar_file_counts_as_scanned(
    scanner: Scanner, tmp_path: Path, scripts: dict[str, str], says: str
) -> None:
    more = programs(tmp_path / "programs", **scripts)
    path = {"PATH": f"{more['PATH']}:{scanner.environment['PATH']}"}
    scan = scanner.scan(with_37(tmp_path / "given"), scan_jars=True, environment=path)
    assert (scan.status, scan.result["result"]) == (7, "jar-scanner-missing")
    assert says in scan.result["says"] and "report.json" not in scan.uploaded


def test_jar_files_that_were_not_scanned_are_counted(mixed: Scan) -> None:
    assert mixed.result["archives"] == 2 and "2 JAR files were not scanned" in mixed.result["says"]


# The shell


def test_the_verdict_is_that_of_the_script_and_no_pipe_decides() -> None:
    text = read_text(FOLDER / "scan.sh")
    assert "set -euo pipefail" in text
    commands = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    assert not [line for line in commands if " | " in line]
    spec = yaml.safe_load(read_text(FOLDER / "buildspec.yaml"))
    assert list(spec["phases"]) == ["install", "build", "post_build"]
    assert len(spec["phases"]["build"]["commands"]) == 1, "the exit status of one script is the verdict"
    assert spec["phases"]["install"]["runtime-versions"] == {"python": 3.12, "java": "corretto25"}


def test_every_result_of_the_script_has_a_status_of_its_own() -> None:
    text = read_text(FOLDER / "scan.sh")
    assert len(set(EXIT.values())) == len(EXIT)
    for result in EXIT:
        assert result is Result.OK or result.value in text
        assert result is Result.OK or f"{EXIT[result]} {result.value}" in " ".join(text.replace("# ", "").split())


def test_a_script_that_was_killed_leaves_a_result_that_says_so(scanner: Scanner, tmp_path: Path) -> None:
    bash = programs(tmp_path / "programs", bash="exit 9")
    path = {"PATH": f"{bash['PATH']}:{scanner.environment['PATH']}"}
    scan = scanner.scan(with_37(tmp_path / "given"), environment=path)
    assert scan.ran.statuses == {"build": 9, "post_build": 0}
    assert scan.result["result"] == "crashed" and scan.messages


def test_everything_that_is_installed_is_locked() -> None:
    for name in ("build", "requirements"):
        wanted = {line.split("==")[0].lower() for line in read_text(FOLDER / f"{name}.in").splitlines() if "==" in line}
        locked = read_text(FOLDER / f"{name}.txt")
        assert wanted <= {line.split("==")[0] for line in locked.splitlines() if "==" in line}
        assert all("--hash=sha256:" in block for block in locked.split("\n    # via")[0].split("==")[1:])
