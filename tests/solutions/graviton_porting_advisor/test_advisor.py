"""The advisor itself at the pinned commit, over small projects of ours: the counts are facts.

Skipped where the machine has no copy of it, which scripts/advisor brings.
"""

import shutil
import subprocess
from pathlib import Path

import pytest

from stacks.graviton_porting_advisor.builds import FOLDER
from tests.solutions.graviton_porting_advisor.scans import BOTH, INTRINSIC, REAL, Scanner, written

POM = """<project xmlns="http://maven.apache.org/POM/4.0.0"><dependencies>
<dependency><groupId>org.fusesource.leveldbjni</groupId><artifactId>leveldbjni-all</artifactId><version>1.8</version>
</dependency></dependencies></project>
"""


def test_small_projects_of_each_language_have_the_right_counts(advisor: Scanner, tmp_path: Path) -> None:
    given = written(
        tmp_path / "given",
        **{
            "c__many.c": INTRINSIC * 37,
            "c__a:12: OtherIssues 99 other issues.cpp": INTRINSIC,
            "c__both.c": BOTH,
            "go__go.mod": "module x\n\ngo 1.15\n",
            "python__requirements.txt": "numpy==1.16.0\n",
            "python__main.py": "print(1)\n",
            "java__pom.xml": POM,
        },
    )
    scan = advisor.scan(given, max_issues=42)
    # 37 + 1 + (intrinsic, inline assembly, #error) = 41; an old numpy and an unsupported library make 43.
    assert scan.result["kinds"] == {
        "Capped": 27, "Intrinsic": 12, "DependencyVersion": 1, "InlineAsm": 1, "PreprocessorError": 1,
        "UnsupportedDependency": 1,
    }  # fmt: skip
    assert (scan.status, scan.result["result"], scan.result["issues"], scan.result["files"]) == (1, "above-max", 43, 7)
    html = (scan.out / "report.html").read_text(encoding="utf-8")
    assert "7 files scanned." in html and set(scan.uploaded) == {
        "report.json",
        "report.html",
        "scan.log",
        "result.json",
    }


def test_go_of_old_alone_is_a_remark_and_passes(advisor: Scanner, tmp_path: Path) -> None:
    scan = advisor.scan(written(tmp_path / "given", **{"go.mod": "module x\n\ngo 1.15\n"}))
    assert (scan.status, scan.result["issues"], scan.result["remark_count"]) == (0, 0, 1)


def test_a_version_that_is_left_open_does_not_depend_on_the_machine(advisor: Scanner, tmp_path: Path) -> None:
    old = tmp_path / "machine"
    old.mkdir()
    (old / "pip3").write_text('#!/bin/sh\nprintf "Name: numpy\\nVersion: 1.16.0\\n"\n', encoding="utf-8")
    (old / "pip3").chmod(0o755)
    path = {"PATH": f"{old}:{advisor.environment['PATH']}"}
    given = written(tmp_path / "given", **{"requirements.txt": "numpy\n"})
    scan = advisor.scan(given, environment=path)
    assert (scan.status, scan.result["issues"], scan.result["remark_count"]) == (0, 0, 1), scan.result


def test_broken_xml_and_an_empty_folder_are_not_clean(advisor: Scanner, tmp_path: Path) -> None:
    broken = advisor.scan(written(tmp_path / "broken", **{"pom.xml": "<project>"}))
    assert (broken.result["result"], broken.result["error_count"]) == ("incomplete", 1)
    (tmp_path / "empty").mkdir()
    assert advisor.scan(tmp_path / "empty").result["result"] == "nothing-scanned"


def test_the_sample_projects_as_checked_out_and_under_their_own_names(advisor: Scanner, tmp_path: Path) -> None:
    archive = ["git", "--git-dir", str(REAL / "repo.git"), "archive", advisor.tool[1], "sample-projects"]
    packed = subprocess.run(archive, check=True, capture_output=True).stdout
    subprocess.run(["tar", "x", "-C", str(tmp_path)], input=packed, check=True)  # noqa: S607
    samples = tmp_path / "sample-projects"
    (plain,) = [advisor.scan(samples).result]
    assert (plain["issues"], plain["files"]) == (0, 6)
    names = {
        "go_mod": "go.mod",
        "pom_xml": "pom.xml",
        "requirements_txt": "requirements.txt",
        "package_json": "package.json",
    }
    for path in samples.rglob("*_PLACEHOLDER"):
        name = path.name.removesuffix("_PLACEHOLDER")
        path.rename(path.with_name(names.get(name, name)))
    scan = advisor.scan(samples, max_issues=4)
    found = scan.result
    assert (found["issues"], found["files"], found["error_count"]) == (4, 11, 0)
    assert found["kinds"] == {"DependencyVersion": 3, "UnsupportedDependency": 1}
    by_folder = [text.split(": ")[1].partition("/")[2].partition("/")[0] for text in found["examples"]]
    assert "compatible" not in by_folder


def test_the_jar_scanner_is_built_shown_a_native_method_and_finds_another_one(advisor: Scanner, tmp_path: Path) -> None:
    """With Java, Maven and Maven Central: the build's own canary first, then a JAR of the source."""
    if missing := [name for name in ("javac", "jar", "mvn") if not shutil.which(name)]:
        pytest.skip(f"no {', '.join(missing)} here")
    given, classes = tmp_path / "given", tmp_path / "classes"
    (given / "lib").mkdir(parents=True)
    subprocess.run(["javac", "-d", str(classes), str(FOLDER / "Canary.java")], check=True)  # noqa: S607
    subprocess.run(["jar", "--create", "--file", str(given / "lib/native.jar"), "-C", str(classes), "."], check=True)  # noqa: S607
    written(given, **{"a.c": "int x;\n"})
    scan = advisor.scan(given, scan_jars=True, max_issues=1)
    if scan.result["result"] == "jar-scanner-missing" and "Maven Central" in scan.result["says"]:
        pytest.skip("Maven Central is away")
    assert scan.result["kinds"] == {"NativeMethods": 1}, scan.ran.output[-800:]
    assert (scan.status, scan.result["result"]) == (0, "ok")
