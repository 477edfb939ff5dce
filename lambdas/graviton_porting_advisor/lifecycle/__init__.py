"""Lifecycle: stops all builds when the stack is deleted."""
