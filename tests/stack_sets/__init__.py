"""The administrator's stacks of stack sets."""
