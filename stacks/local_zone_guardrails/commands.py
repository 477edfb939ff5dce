"""What ``python -m stacks local_zone_guardrails`` can do."""

from functools import partial

from stacks.guardrails import checks
from stacks.guardrails.commands import guardrail_commands, idle_month
from stacks.guardrails.table import decisions

COST_NOTE = "AWS Organizations does not charge for policies."
COMMANDS = guardrail_commands("local_zone_guardrails")
findings = partial(checks.findings, "local_zone_guardrails")
README_TABLES = {"decisions": lambda: decisions("local_zone_guardrails")}

__all__ = ["COMMANDS", "COST_NOTE", "README_TABLES", "findings", "idle_month"]
