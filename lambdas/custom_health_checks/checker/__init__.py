"""Checker: looks at an instance that waits for its launching hook, and lets it in, gives it up, or lets it wait."""
