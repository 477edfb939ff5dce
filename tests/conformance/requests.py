"""Every call fits the full service model: enums, patterns, lengths and ranges, which botocore leaves to the service.

The judge is emulator/fullmodel/full_model.py. It is on in every test (tests/conftest.py), in the fault cases, in the
emulator's functions and in the scripts of the try-out's instances (a sitecustomize on their path).
"""

from emulator.fullmodel.full_model import MORE_VALUES, NOT_JUDGED, UnfitRequestError, compiled, install, judge
from tests.conformance.findings import Rule

MODELS = "https://github.com/boto/botocore/tree/develop/botocore/data"

RULES = (
    Rule(
        "requests",
        "full-model",
        MODELS,
        ("a value that is in no enum", "a text too long", "a pattern that does not match", "a number above its range"),
    ),
)

__all__ = ["MORE_VALUES", "NOT_JUDGED", "RULES", "UnfitRequestError", "compiled", "install", "judge"]
