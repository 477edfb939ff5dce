"""What a report of the advisor counts, and the verdict that follows. The shapes are those that the tool writes."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graviton_porting_advisor.findings import Accepted, Report, UnusableReportError, by_kind
from graviton_porting_advisor.verdict import Census, Result, Verdict, failed, judge

NOTHING = Census()


def report(issues: Sequence[str] = (), files: Sequence[str] = ("source/a.c",), **more: list[str]) -> Report:
    found: dict[str, Any] = {"issues": list(issues), "source_files": list(files), "remarks": [], "errors": [], **more}
    return Report.read(json.dumps(found), "source")


def intrinsics(path: str, count: int) -> list[str]:
    return [f"IntrinsicIssue: {path}:{line}: architecture-specific intrinsic: _mm_x" for line in range(1, count + 1)]


def capped(path: str, total: int) -> list[str]:
    """As the filter of the tool writes the findings of a file: ten of them, and their total."""
    listed = intrinsics(path, min(total, 10))
    return listed + ([f"OtherIssues: {path}: {total} other issues"] if total > 10 else [])


@given(st.dictionaries(st.sampled_from([f"source/{name}.c" for name in "abcdef"]), st.integers(0, 60)))
def test_the_count_is_the_sum_over_the_files_however_the_tool_caps_it(totals: dict[str, int]) -> None:
    issues = [text for path, total in totals.items() for text in capped(path, total) if not text.startswith("Other")]
    issues += [text for path, total in totals.items() for text in capped(path, total) if text.startswith("Other")]
    found = report(issues, sorted(totals))
    assert len(found.findings) == sum(totals.values())
    assert by_kind(found.findings).get("Capped", 0) == sum(max(0, total - 10) for total in totals.values())


def test_many_files_with_one_finding_each_have_no_cap() -> None:
    files = [f"source/{number}.c" for number in range(37)]
    found = report([intrinsics(file, 1)[0] for file in files], files)
    assert by_kind(found.findings) == {"Intrinsic": 37} and len({one.path for one in found.findings}) == 37


def test_a_path_that_looks_like_a_finding_is_a_path() -> None:
    path = "source/a:12: OtherIssues 99 other issues.cpp"
    (finding,) = report(intrinsics(path, 1), [path]).findings
    assert (finding.kind, finding.path) == ("Intrinsic", "a:12: OtherIssues 99 other issues.cpp")


def test_a_path_that_ends_like_the_tools_summary_is_read_as_far_as_it_goes() -> None:
    path = "source/x: 3 other issues"
    found = report([*intrinsics(path, 10), f"OtherIssues: {path}: 12 other issues"], [path])
    assert len(found.findings) == 12


@pytest.mark.parametrize("text", ["", "{", "[]", '{"issues": []}', json.dumps({"issues": [1]}), "null"])
def test_what_is_no_whole_report_is_refused(text: str) -> None:
    with pytest.raises(UnusableReportError):
        Report.read(text, "source")


def test_remarks_are_no_issues() -> None:
    verdict = judge(report(remarks=["LanguageVersionRemark: go 1.15"]), NOTHING, max_issues=0)
    assert (verdict.result, verdict.issues, verdict.remarks) == (Result.OK, 0, ["go 1.15"])


@pytest.mark.parametrize(
    ("issues", "files", "errors", "result"),
    [
        ([], [], [], Result.NOTHING_SCANNED),
        ([], ["source/a.c"], ["Error: source/pom.xml: broken"], Result.INCOMPLETE),
        (intrinsics("source/a.c", 2), ["source/a.c"], ["Error: source/pom.xml: broken"], Result.ABOVE_MAX),
        (intrinsics("source/a.c", 1), ["source/a.c"], [], Result.OK),
    ],
)
def test_each_end_has_its_own_result(issues: list[str], files: list[str], errors: list[str], result: Result) -> None:
    assert judge(report(issues, files, errors=errors), NOTHING, max_issues=1).result is result


def test_an_entry_for_one_kind_does_not_accept_what_the_tool_did_not_list() -> None:
    found = report(capped("source/a.c", 37))
    for kind, left in (("Intrinsic", 27), (None, 0), ("InlineAsm", 37)):
        work, no_work = found.split([Accepted("*.c", kind)])
        assert (len(work), len(no_work)) == (left, 37 - left), kind


def test_a_result_survives_its_way_through_the_bucket() -> None:
    verdict = judge(report(capped("source/a.c", 12)), Census({"Ruby": 1}, 2), max_issues=3, warn_only=["incomplete"])
    assert Verdict.from_json(json.loads(json.dumps(verdict.to_json()))) == verdict
    with pytest.raises(ValueError, match="not a result"):
        Verdict.from_json({"passed": True})


def test_a_scan_without_a_report_never_passes() -> None:
    for result in (Result.CRASHED, Result.UNREADABLE, Result.STOPPED, Result.TIMED_OUT, Result.LOST):
        verdict = failed(result, "why")
        assert not verdict.passed and verdict.status and not verdict.has_report
