"""Lifecycle: what a deployment starts, and what a deletion removes."""
