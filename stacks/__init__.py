"""The stacks; the modules of the functions are found by their own names, where settings and commands share them."""

import sys
from pathlib import Path

_FUNCTIONS = str(Path(__file__).parents[1] / "lambdas")
if _FUNCTIONS not in sys.path:
    sys.path.append(_FUNCTIONS)
