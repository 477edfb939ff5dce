"""Builds: a changed recipe is built at once."""
