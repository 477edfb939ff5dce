"""The patch number of new content: from the content, and free. No AWS in here.

Versions of Image Builder are immutable, and a patch number ends at 2^30 - 1
(https://docs.aws.amazon.com/imagebuilder/latest/APIReference/API_CreateComponent.html): too few for a hash that never
collides. So the hash only says where the search begins, and what is there already is never taken again.
"""

from collections.abc import Collection

NUMBERS = 2**30
DIGITS = 16  # of the content's SHA-256, in hexadecimal


class ExhaustedError(LookupError):
    """Every patch number of the major and minor version is taken."""


def first_patch(content: str, numbers: int = NUMBERS) -> int:
    """Where the search for a content's patch number begins.

    Args:
        content: SHA-256 of the content, in hexadecimal.
        numbers: how many patch numbers there are.
    """
    return int(content[:DIGITS], 16) % numbers


def free_version(major_minor: str, content: str, taken: Collection[str], numbers: int = NUMBERS) -> str:
    """Returns the first free version at or after the content's own patch number, going round at the end.

    Args:
        taken: versions of the same name that exist.

    Raises:
        ExhaustedError: there is none.
    """
    first = first_patch(content, numbers)
    for step in range(len(taken) + 1):
        if step == numbers:
            break
        version = f"{major_minor}.{(first + step) % numbers}"
        if version not in taken:
            return version
    raise ExhaustedError(f"all {numbers} patch numbers of {major_minor} are taken; raise version")
