"""The stacks. What settings and commands share with the functions is a module of the functions, found by its own name."""

import sys
from pathlib import Path

_FUNCTIONS = str(Path(__file__).parents[1] / "lambdas")
if _FUNCTIONS not in sys.path:
    sys.path.append(_FUNCTIONS)
