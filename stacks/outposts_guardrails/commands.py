"""What ``python -m stacks outposts_guardrails`` can do."""

from functools import partial

from stacks.guardrails import checks
from stacks.guardrails.commands import guardrail_commands, idle_month
from stacks.guardrails.table import decisions

COST_NOTE = "AWS Organizations does not charge for policies."
COMMANDS = guardrail_commands("outposts_guardrails")
findings = partial(checks.findings, "outposts_guardrails")
README_TABLES = {"decisions": lambda: decisions("outposts_guardrails")}

__all__ = ["COMMANDS", "COST_NOTE", "README_TABLES", "findings", "idle_month"]
