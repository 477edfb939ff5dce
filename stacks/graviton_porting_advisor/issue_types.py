"""The kinds of issues that the advisor tells apart, by the names that its option ``--issue-types`` takes.

Of reports/issues in https://github.com/aws/porting-advisor-for-graviton: the tool warns of a name that it does not know
and then reports something else than was asked for, so that a wrong name has to be found before.
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
"""All but ``OtherIssues``, which stands for what the tool leaves out and cannot be asked for."""


def unknown_type(name: str) -> str | None:
    """What to say about a kind that the tool does not have, with the nearest names; None if it is known."""
    plain = name.lstrip("+-")
    if plain in ISSUE_TYPES:
        return None
    folded = {each.casefold(): each for each in ISSUE_TYPES}
    near = [folded[each] for each in get_close_matches(plain.casefold(), folded, n=3, cutoff=0.5)]
    return f"must be one of the advisor's kinds; did you mean {' or '.join(near or sorted(ISSUE_TYPES))}?"
