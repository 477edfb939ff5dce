"""Lifecycle: what a deployment begins, and what a deletion takes away with it."""
