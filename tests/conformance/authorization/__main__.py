"""``python -m tests.conformance.authorization``: what ``make check`` says of the permissions of every role, offline.

The two rules of this folder over every template: what IAM's reference does not know, and roles that could escalate,
buy, or change what is not the solution's. ``make test`` shows besides that each of them catches its faults.
"""

import sys

from tests.conformance.authorization.reach import reach
from tests.conformance.authorization.rule import authorization
from tests.conformance.templates import all_templates


def main() -> int:
    """Prints every finding.

    Returns:
        0 only if there is none.
    """
    found = [str(one) for template in all_templates() for rule in (reach, authorization) for one in rule(template)]
    for finding in dict.fromkeys(found):
        print(finding, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
