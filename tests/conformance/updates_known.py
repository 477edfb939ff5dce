"""What the rules on updates find and what stays, each with its reason; and settings that have one value only."""

from collections.abc import Mapping

BY_DESIGN: Mapping[tuple[str, str, str, str], str] = {}
"""Solution, rule, logical id and change, the last two as globs."""

ONE_VALUE_ONLY: Mapping[str, Mapping[str, str]] = {}
"""By solution and key, why no other value is tried."""
