"""Lifecycle: no build outlives the stack."""
