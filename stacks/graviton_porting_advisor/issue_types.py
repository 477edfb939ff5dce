"""The advisor's kinds of issues, by the names that its option ``--issue-types`` accepts.

From reports/issues in https://github.com/aws/porting-advisor-for-graviton. The tool only warns of an unknown name and
then reports something else, so a wrong name must be found before.
"""

from difflib import get_close_matches

ISSUE_TYPES = frozenset(
    {
        "ArchSpecificLibrary",
        "AsmSource",
        "Avx256Intrinsic",
        "Avx512Intrinsic",
        "BuildCommand",
        "CompilerSpecific",
        "ConfigGuess",
        "CrossCompile",
        "DefineOtherArch",
        "DependencyVersion",
        "HostCpuDetection",
        "InlineAsm",
        "Intrinsic",
        "NativeMethods",
        "NoEquivalent",
        "NoEquivalentInlineAsm",
        "NoEquivalentIntrinsic",
        "OldCrt",
        "PragmaSimd",
        "PreprocessorError",
        "UnsupportedDependency",
    }
)
"""All but ``OtherIssues``, which stands for unlisted findings and cannot be requested."""


def unknown_type(name: str) -> str | None:
    """The problem with a kind that the tool does not have, with the nearest names; None if the kind is known."""
    plain = name.lstrip("+-")
    if plain in ISSUE_TYPES:
        return None
    folded = {each.casefold(): each for each in ISSUE_TYPES}
    near = [folded[each] for each in get_close_matches(plain.casefold(), folded, n=3, cutoff=0.5)]
    return f"must be one of the advisor's kinds; did you mean {' or '.join(near or sorted(ISSUE_TYPES))}?"
