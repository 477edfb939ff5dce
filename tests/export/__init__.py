"""``python -m stacks SOLUTION export``."""
